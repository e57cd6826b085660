// The table of settings made from the rows of settings.h.
// SPDX-License-Identifier: MIT
#include "stack/settings.h"

#include <errno.h>
#include <string.h>

#define X(group, field, name, kind, min, max, def, doc)                        \
    {#group,                                                                   \
     name,                                                                     \
     kind,                                                                     \
     min,                                                                      \
     max,                                                                      \
     def,                                                                      \
     offsetof(struct stack_settings, group##_##field),                         \
     doc},
const struct setting_info setting_table[] = {STACK_SETTINGS(X)};
#undef X
const size_t setting_table_length = ARRAY_LENGTH(setting_table);

#define X(group, field, name, kind, min, max, def, doc) .group##_##field = def,
const struct stack_settings stack_settings_default = {STACK_SETTINGS(X)};
#undef X

const struct setting_info *setting_find(const char *group, const char *name)
{
    for (size_t i = 0; i < ARRAY_LENGTH(setting_table); i++) {
        const struct setting_info *info = &setting_table[i];
        if (strcmp(info->group, group) == 0 && strcmp(info->name, name) == 0)
            return info;
    }
    return NULL;
}

int64_t setting_get(const struct stack_settings *settings,
                    const struct setting_info *info)
{
    int64_t value;
    memcpy(&value, (const char *)settings + info->offset, sizeof value);
    return value;
}

int setting_set(struct stack_settings *settings,
                const struct setting_info *info, int64_t value)
{
    if (value < info->minimum || value > info->maximum)
        return -ERANGE;
    memcpy((char *)settings + info->offset, &value, sizeof value);
    return 0;
}
