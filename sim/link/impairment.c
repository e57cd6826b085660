// Chooses the victims of impairments.
// SPDX-License-Identifier: MIT

#include "sim/link/impairment.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/sim.h"

const char *impairment_action_name(enum impairment_action action)
{
    static const char *const names[] = {
        [IMPAIR_DROP] = "drop",       [IMPAIR_DELAY] = "delay",
        [IMPAIR_REORDER] = "reorder", [IMPAIR_DUPLICATE] = "duplicate",
        [IMPAIR_CORRUPT] = "corrupt", [IMPAIR_HOLD] = "hold",
        [IMPAIR_MARK] = "mark",
    };

    must((size_t)action < ARRAY_LENGTH(names));
    return names[action];
}

// --- Choice

static bool matches_filter(const struct impairment *impairment,
                           const struct packet *frame)
{
    struct pcap_pkthdr header = {.caplen = frame->length, .len = frame->length};

    return !impairment->has_program ||
           pcap_offline_filter(&impairment->program, &header, frame->data) != 0;
}

static bool matches_count(struct impairment *impairment)
{
    const struct impairment_selector *select = &impairment->config.select;
    uint64_t number = ++impairment->seen;

    if (select->every != 0 && number % select->every != 0)
        return false;
    if (select->nth == NULL)
        return true;
    while (impairment->next_nth < select->nth_count &&
           select->nth[impairment->next_nth] < number)
        impairment->next_nth++;
    return impairment->next_nth < select->nth_count &&
           select->nth[impairment->next_nth] == number;
}

static bool gilbert_elliott(struct impairment *impairment)
{
    const struct impairment_selector *select = &impairment->config.select;

    if (random_chance(&impairment->random,
                      impairment->is_bad ? select->ge_r : select->ge_p))
        impairment->is_bad = !impairment->is_bad;
    return random_chance(&impairment->random,
                         impairment->is_bad ? select->ge_bad : select->ge_good);
}

static bool roll(struct impairment *impairment)
{
    const struct impairment_selector *select = &impairment->config.select;

    if (select->model == LOSS_GILBERT_ELLIOTT)
        return gilbert_elliott(impairment);
    if (select->correlation == 0 ||
        !random_chance(&impairment->random, select->correlation))
        impairment->last_choice =
            random_chance(&impairment->random, select->probability);
    return impairment->last_choice;
}

bool impairment_choose(struct impairment *impairment, struct link *link,
                       unsigned direction, const struct packet *frame)
{
    const struct impairment_selector *select = &impairment->config.select;
    ns_t now = sim_now(link->sim);

    if (now < select->from || (select->until != 0 && now >= select->until))
        return false;
    if (!matches_filter(impairment, frame) || !matches_count(impairment))
        return false;
    if (!roll(impairment))
        return false;
    return select->choose == NULL ||
           select->choose(select->choose_context, link, direction, frame);
}

bool impairment_is_random(const struct impairment *impairment)
{
    const struct impairment_selector *select = &impairment->config.select;

    return select->filter == NULL && select->nth == NULL &&
           select->every == 0 && select->choose == NULL;
}

// --- Faults

// What a hold or a displacement by position comes to.
static struct fault park(const struct impairment_config *config,
                         enum fault_kind kind)
{
    return (struct fault){
        .kind = kind,
        .count = config->position,
        .time = config->delay > 0 ? config->delay : NS_NEVER,
    };
}

static struct fault delay(struct impairment *impairment, enum fault_kind kind)
{
    const struct impairment_config *config = &impairment->config;
    ns_t time =
        config->delay + random_deviation(&impairment->random,
                                         config->distribution, config->jitter);

    return (struct fault){.kind = kind, .time = max_i64(0, time)};
}

static struct fault reorder(struct impairment *impairment)
{
    if (impairment->config.position > 0)
        return park(&impairment->config, FAULT_DISPLACE);
    if (impairment->config.delay > 0)
        return delay(impairment, FAULT_REORDER);
    return (struct fault){.kind = FAULT_OVERTAKE};
}

struct fault impairment_fault(struct impairment *impairment,
                              const struct packet *frame)
{
    const struct impairment_config *config = &impairment->config;

    switch (config->action) {
    case IMPAIR_DROP:
        return (struct fault){
            .kind = impairment_is_random(impairment) ? FAULT_LOSE : FAULT_DROP};
    case IMPAIR_DELAY:
        return delay(impairment, FAULT_DELAY);
    case IMPAIR_REORDER:
        return reorder(impairment);
    case IMPAIR_DUPLICATE:
        return (struct fault){.kind = FAULT_DUPLICATE,
                              .count = max_u32(config->copies, 1),
                              .time = config->delay};
    case IMPAIR_CORRUPT:
        return (struct fault){
            .kind = FAULT_CORRUPT,
            .count = (uint32_t)random_below(&impairment->random,
                                            (uint64_t)frame->length * 8)};
    case IMPAIR_HOLD:
        return park(config, FAULT_HOLD);
    case IMPAIR_MARK:
        return (struct fault){.kind = FAULT_MARK};
    }
    must(false);
}

void impairment_describe(const struct impairment *impairment, char *out,
                         size_t size)
{
    const struct impairment_selector *select = &impairment->config.select;
    const char *by =
        select->model == LOSS_GILBERT_ELLIOTT ? "Gilbert-Elliott" : "by chance";

    if (select->choose != NULL)
        by = "by script";
    else if (select->nth != NULL || select->every != 0)
        by = "by count";
    else if (select->probability >= CHANCE_ALWAYS &&
             select->model == LOSS_INDEPENDENT)
        by = select->filter != NULL ? "by filter" : "always";
    if (select->filter != NULL)
        snprintf(out, size, "%s, frame %llu of \"%s\"", by,
                 (unsigned long long)impairment->seen, select->filter);
    else if (select->nth != NULL || select->every != 0)
        snprintf(out, size, "%s, frame %llu", by,
                 (unsigned long long)impairment->seen);
    else
        snprintf(out, size, "%s", by);
}

// --- Configurations

void impairment_config_fini(struct impairment_config *config)
{
    free(config->select.nth);
    free(config->select.filter);
    config->select.nth = NULL;
    config->select.filter = NULL;
}

int impairment_config_copy(const struct impairment_config *from,
                           struct impairment_config *out)
{
    const struct impairment_selector *select = &from->select;
    struct impairment_config copy = *from;

    copy.select.nth = NULL;
    copy.select.filter = NULL;
    if (select->nth != NULL) {
        // One more: an empty list is a list, which chooses nobody.
        copy.select.nth = calloc(select->nth_count + 1, sizeof(uint32_t));
        if (copy.select.nth == NULL)
            return -ENOMEM;
        memcpy(copy.select.nth, select->nth,
               select->nth_count * sizeof(uint32_t));
    }
    if (select->filter != NULL) {
        copy.select.filter = strdup(select->filter);
        if (copy.select.filter == NULL) {
            impairment_config_fini(&copy);
            return -ENOMEM;
        }
    }
    *out = copy;
    return 0;
}

static bool text_equal(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool selector_equal(const struct impairment_selector *a,
                           const struct impairment_selector *b)
{
    return a->probability == b->probability &&
           a->correlation == b->correlation && a->model == b->model &&
           a->ge_p == b->ge_p && a->ge_r == b->ge_r && a->ge_bad == b->ge_bad &&
           a->ge_good == b->ge_good && (a->nth == NULL) == (b->nth == NULL) &&
           a->nth_count == b->nth_count &&
           (a->nth == NULL ||
            memcmp(a->nth, b->nth, a->nth_count * sizeof(uint32_t)) == 0) &&
           a->every == b->every && a->from == b->from && a->until == b->until &&
           text_equal(a->filter, b->filter) && a->choose == b->choose &&
           a->choose_context == b->choose_context;
}

bool impairment_config_equal(const struct impairment_config *a,
                             const struct impairment_config *b)
{
    return a->action == b->action && selector_equal(&a->select, &b->select) &&
           a->delay == b->delay && a->jitter == b->jitter &&
           a->distribution == b->distribution && a->bytes == b->bytes &&
           a->position == b->position && a->copies == b->copies;
}

// --- Lists

static int compile_filter(struct impairment *impairment, struct link *link)
{
    const char *filter = impairment->config.select.filter;

    if (filter == NULL)
        return 0;
    pcap_t *pcap = pcap_open_dead(
        link->is_point_to_point ? DLT_RAW : DLT_EN10MB, PACKET_MAX_SIZE);
    if (pcap == NULL)
        return -ENOMEM;
    int failed = pcap_compile(pcap, &impairment->program, filter, 1,
                              PCAP_NETMASK_UNKNOWN);
    if (failed != 0)
        sim_set_error(link->sim, "link %s: filter \"%s\": %s", link->name,
                      filter, pcap_geterr(pcap));
    else
        impairment->has_program = true;
    pcap_close(pcap);
    return failed != 0 ? -EINVAL : 0;
}

// Takes over what may go on from the impairment that was at this position.
static void inherit(struct impairment *impairment,
                    const struct impairment *previous)
{
    if (previous->config.action != impairment->config.action)
        return;
    impairment->random = previous->random;
    if (!impairment_config_equal(&previous->config, &impairment->config))
        return;
    impairment->last_choice = previous->last_choice;
    impairment->is_bad = previous->is_bad;
    impairment->seen = previous->seen;
    impairment->next_nth = previous->next_nth;
}

static int impairment_init(struct impairment *impairment, struct link *link,
                           unsigned direction, size_t position,
                           const struct impairment_config *config)
{
    int error = impairment_config_copy(config, &impairment->config);
    char stream[512];

    if (error < 0)
        return error;
    snprintf(stream, sizeof(stream), "link %s %s>%s %zu %s", link->name,
             link->ends[direction]->node->name,
             link->ends[1 - direction]->node->name, position + 1,
             impairment_action_name(config->action));
    random_init(&impairment->random, link->sim->seed, stream);
    error = compile_filter(impairment, link);
    if (error < 0)
        impairment_config_fini(&impairment->config);
    return error;
}

int impairment_list_create(struct link *link, unsigned direction,
                           const struct impairment_config *configs,
                           size_t count, const struct impairment_list *previous,
                           struct impairment_list **out)
{
    struct impairment_list *list = calloc(1, sizeof(*list));
    int error = -ENOMEM;

    if (list == NULL)
        return -ENOMEM;
    list->items = calloc(count > 0 ? count : 1, sizeof(*list->items));
    if (list->items == NULL)
        goto fail;
    for (; list->count < count; list->count++) {
        size_t i = list->count;

        error =
            impairment_init(&list->items[i], link, direction, i, &configs[i]);
        if (error < 0)
            goto fail;
        if (previous != NULL && i < previous->count)
            inherit(&list->items[i], &previous->items[i]);
    }
    *out = list;
    return 0;
fail:
    impairment_list_destroy(list);
    return error;
}

void impairment_list_destroy(struct impairment_list *list)
{
    if (list == NULL)
        return;
    for (size_t i = 0; i < list->count; i++) {
        struct impairment *impairment = &list->items[i];

        if (impairment->has_program)
            pcap_freecode(&impairment->program);
        impairment_config_fini(&impairment->config);
    }
    free(list->items);
    free(list);
}
