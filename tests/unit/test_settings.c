// Tests of the table of settings and the names of counters.
// SPDX-License-Identifier: MIT
#include "stack/settings.h"

#include <errno.h>
#include <string.h>

#include "stack/counters.h"
#include "tests/unit/unit.h"

static void every_default_lies_in_its_range(void)
{
    for (size_t i = 0; i < setting_table_length; i++) {
        const struct setting_info *s = &setting_table[i];
        CHECK(s->minimum <= s->initial && s->initial <= s->maximum);
        CHECK_EQUAL(setting_get(&stack_settings_default, s), s->initial);
        if (s->kind == SETTING_BOOL)
            CHECK(s->minimum == 0 && s->maximum == 1);
        CHECK(s->doc[0] != '\0');
    }
}

static void each_row_has_a_name_and_a_place_of_its_own(void)
{
    for (size_t i = 0; i < setting_table_length; i++) {
        const struct setting_info *a = &setting_table[i];
        CHECK(setting_find(a->group, a->name) == a);
        for (size_t j = 0; j < i; j++)
            CHECK(setting_table[j].offset != a->offset);
        CHECK(a->offset + 8 <= sizeof(struct stack_settings));
    }
    CHECK_EQUAL(setting_table_length * 8, sizeof(struct stack_settings));
}

static void find_wants_group_and_name(void)
{
    CHECK(setting_find("tcp", "min-rto") != NULL);
    CHECK(setting_find("ip", "min-rto") == NULL);
    CHECK(setting_find("tcp", "min_rto") == NULL);
    CHECK(setting_find("", "") == NULL);
}

static void set_changes_one_setting(void)
{
    struct stack_settings settings = stack_settings_default;
    const struct setting_info *ttl = setting_find("ip", "ttl");
    CHECK_EQUAL(setting_set(&settings, ttl, 9), 0);
    CHECK_EQUAL(settings.ip_ttl, 9);
    CHECK_EQUAL(setting_get(&settings, ttl), 9);
    settings.ip_ttl = stack_settings_default.ip_ttl;
    CHECK(memcmp(&settings, &stack_settings_default, sizeof settings) == 0);
}

static void set_refuses_values_out_of_range(void)
{
    struct stack_settings settings = stack_settings_default;
    for (size_t i = 0; i < setting_table_length; i++) {
        const struct setting_info *s = &setting_table[i];
        if (s->minimum != INT64_MIN)
            CHECK_EQUAL(setting_set(&settings, s, s->minimum - 1), -ERANGE);
        if (s->maximum != INT64_MAX)
            CHECK_EQUAL(setting_set(&settings, s, s->maximum + 1), -ERANGE);
        CHECK_EQUAL(setting_get(&settings, s), s->initial);
        CHECK_EQUAL(setting_set(&settings, s, s->minimum), 0);
        CHECK_EQUAL(setting_set(&settings, s, s->maximum), 0);
    }
}

static void counters_and_drops_have_names_of_their_own(void)
{
    for (int i = 0; i < DROP_REASON_COUNT; i++) {
        CHECK(drop_reason_doc((enum drop_reason)i)[0] != '\0');
        for (int j = 0; j < i; j++)
            CHECK(strcmp(drop_reason_name((enum drop_reason)i),
                         drop_reason_name((enum drop_reason)j)) != 0);
    }
    for (int i = 0; i < STACK_COUNTER_COUNT; i++) {
        CHECK(stack_counter_doc((enum stack_counter)i)[0] != '\0');
        for (int j = 0; j < i; j++)
            CHECK(strcmp(stack_counter_name((enum stack_counter)i),
                         stack_counter_name((enum stack_counter)j)) != 0);
    }
    CHECK_TEXT(drop_reason_name(DROP_UDP_NO_SOCKET), "udp-no-socket");
    CHECK_TEXT(stack_counter_name(COUNT_TCP_IN), "tcp.in");
}

const struct unit_test suite_settings[] = {
    UNIT(every_default_lies_in_its_range),
    UNIT(each_row_has_a_name_and_a_place_of_its_own),
    UNIT(find_wants_group_and_name),
    UNIT(set_changes_one_setting),
    UNIT(set_refuses_values_out_of_range),
    UNIT(counters_and_drops_have_names_of_their_own),
    {0},
};
