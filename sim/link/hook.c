// Lists of hooks.
// SPDX-License-Identifier: MIT

#include "sim/link/hook.h"

#include <errno.h>
#include <stdlib.h>

int hook_list_add(struct hook_list *list, const struct hook *hook)
{
    if (list->count == list->capacity) {
        uint32_t capacity = list->capacity > 0 ? list->capacity * 2 : 4;
        struct hook *items =
            realloc(list->items, capacity * sizeof(*list->items));

        if (items == NULL)
            return -ENOMEM;
        list->items = items;
        list->capacity = capacity;
    }
    list->items[list->count++] = *hook;
    return 0;
}

static void close_gaps(struct hook_list *list)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < list->count; i++)
        if (list->items[i].run != NULL)
            list->items[kept++] = list->items[i];
    list->count = kept;
}

bool hook_list_remove(struct hook_list *list, int id)
{
    for (uint32_t i = 0; i < list->count; i++) {
        if (list->items[i].id != id || list->items[i].run == NULL)
            continue;
        list->items[i].run = NULL;
        if (list->running == 0)
            close_gaps(list);
        return true;
    }
    return false;
}

void hook_list_fini(struct hook_list *list)
{
    free(list->items);
    *list = (struct hook_list){0};
}

struct hook_verdict hook_list_run(struct hook_list *list, struct link *link,
                                  unsigned direction, struct packet *frame)
{
    struct hook_verdict all = {.action = VERDICT_PASS};
    uint32_t count = list->count;

    list->running++;
    for (uint32_t i = 0; i < count && all.action != VERDICT_DROP; i++) {
        struct hook hook = list->items[i]; // the list may move meanwhile

        if (hook.run == NULL)
            continue;
        struct hook_verdict verdict =
            hook.run(hook.context, link, direction, frame);
        all.is_edited |= verdict.is_edited;
        if (verdict.action == VERDICT_DROP)
            all.action = VERDICT_DROP;
        if (verdict.action == VERDICT_DELAY) {
            all.action = VERDICT_DELAY;
            all.delay += max_i64(0, verdict.delay);
        }
    }
    if (--list->running == 0)
        close_gaps(list);
    return all;
}
