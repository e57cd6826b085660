// The report names of counters and drop reasons.
// SPDX-License-Identifier: MIT
#include "stack/counters.h"
#include "stack/base.h"

struct description {
    const char *name, *doc;
};

#define X(id, name, doc) [DROP_##id] = {name, doc},
static const struct description drops[] = {STACK_DROPS(X)};
#undef X
#define X(id, name, doc) [COUNT_##id] = {name, doc},
static const struct description counters[] = {STACK_COUNTERS(X)};
#undef X

const char *drop_reason_name(enum drop_reason reason)
{
    must((size_t)reason < ARRAY_LENGTH(drops));
    return drops[reason].name;
}

const char *drop_reason_doc(enum drop_reason reason)
{
    must((size_t)reason < ARRAY_LENGTH(drops));
    return drops[reason].doc;
}

const char *stack_counter_name(enum stack_counter counter)
{
    must((size_t)counter < ARRAY_LENGTH(counters));
    return counters[counter].name;
}

const char *stack_counter_doc(enum stack_counter counter)
{
    must((size_t)counter < ARRAY_LENGTH(counters));
    return counters[counter].doc;
}
