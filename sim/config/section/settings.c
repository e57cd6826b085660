// Reads the settings of a host's stack.
// SPDX-License-Identifier: MIT
#include <errno.h>
#include <string.h>

#include "sim/config/spec.h"

// The rows are the stack's own table; here they only get their kinds of values.

static enum key_kind kind_of(const struct setting_info *info)
{
    switch (info->kind) {
    case SETTING_BOOL:
        return KEY_BOOLEAN;
    case SETTING_TIME:
        return KEY_TIME;
    case SETTING_SIZE:
        return KEY_SIZE;
    default:
        return KEY_INTEGER;
    }
}

static bool read_congestion(const struct value *value, const char *name,
                            int64_t *out, struct diagnostics *diagnostics)
{
    const char *known[257];
    size_t count = 0;
    for (; count < congestion_count() && count < 256; count++)
        known[count] = congestion_name(count);
    known[count] = NULL;
    const struct schema_key row = {.kind = KEY_WORD, .words = known};
    return schema_read_number(value, name, &row, out, diagnostics);
}

static void say_unknown(const struct value *value, const char *group,
                        struct diagnostics *diagnostics)
{
    const char *known[128];
    size_t count = 0;
    for (size_t i = 0; i < setting_table_length && count < 128; i++)
        if (strcmp(setting_table[i].group, group) == 0)
            known[count++] = setting_table[i].name;
    diagnostics_add(
        diagnostics, value->key_place, "unknown key '%s'%s", value->key,
        schema_hint(value->document, value->key, known, count,
                    document_format(value->document, "%s has", group)));
}

static bool read_setting(const struct value *value, const char *group,
                         struct stack_settings *settings,
                         struct diagnostics *diagnostics)
{
    const struct setting_info *info = setting_find(group, value->key);
    int64_t number;
    if (!info) {
        say_unknown(value, group, diagnostics);
        return false;
    }
    if (info->kind == SETTING_CONGESTION) {
        if (!read_congestion(value, value->key, &number, diagnostics))
            return false;
    } else {
        const struct schema_key row = {.kind = kind_of(info),
                                       .minimum = info->minimum,
                                       .maximum = info->maximum};
        if (!schema_read_number(value, value->key, &row, &number, diagnostics))
            return false;
    }
    must(setting_set(settings, info, number) == 0);
    return true;
}

bool read_settings(const struct value *map, struct stack_settings *settings,
                   bool *has_any, struct diagnostics *diagnostics)
{
    static const char *const groups[] = {"tcp", "udp", "ip", "neighbour",
                                         "limits"};
    bool is_good = true;
    for (size_t i = 0; i < ARRAY_LENGTH(groups); i++) {
        const struct value *group = value_find(map, groups[i]);
        if (!group || group->kind == VALUE_NULL)
            continue;
        if (group->kind != VALUE_MAP) {
            schema_refuse(group, groups[i], "a map of settings", diagnostics);
            is_good = false;
            continue;
        }
        *has_any = true;
        for (const struct value *v = group->items; v; v = v->next)
            is_good &= read_setting(v, groups[i], settings, diagnostics);
    }
    return is_good;
}

int scenario_read_settings(struct value *map, struct stack_settings *settings,
                           struct diagnostics *diagnostics)
{
    static const char *const groups[] = {"tcp", "udp", "ip", "neighbour",
                                         "limits"};
    struct stack_settings copy = *settings;
    bool has_any = false, is_good = map->kind == VALUE_MAP;
    if (!is_good)
        schema_refuse(map, "settings", "a map", diagnostics);
    for (const struct value *v = is_good ? map->items : NULL; v; v = v->next) {
        bool is_known = false;
        for (size_t i = 0; i < ARRAY_LENGTH(groups); i++)
            is_known |= strcmp(v->key, groups[i]) == 0;
        if (is_known)
            continue;
        is_good = false;
        diagnostics_add(diagnostics, v->key_place, "unknown key '%s'%s", v->key,
                        schema_hint(v->document, v->key, groups,
                                    ARRAY_LENGTH(groups), "expected one of"));
    }
    is_good = is_good && read_settings(map, &copy, &has_any, diagnostics);
    if (!is_good)
        return -EINVAL;
    *settings = copy;
    return 0;
}
