// A histogram of latenesses.
// SPDX-License-Identifier: MIT
#include "sim/realtime/lateness.h"

// 0..15 are classes of their own; above, the four highest bits say the class.
static unsigned class_of(uint64_t value)
{
    if (value < 16)
        return (unsigned)value;
    unsigned shift = 60 - (unsigned)__builtin_clzll(value);

    return 8 * shift + (unsigned)(value >> shift);
}

// The largest value of a class.
static ns_t class_end(unsigned index)
{
    if (index < 16)
        return index;
    unsigned shift = index / 8 - 1;

    return (ns_t)(((UINT64_C(8) + index % 8 + 1) << shift) - 1);
}

void lateness_add(struct lateness *lateness, ns_t late)
{
    late = max_i64(late, 0);
    lateness->count++;
    lateness->total += late;
    lateness->worst = max_i64(lateness->worst, late);
    lateness->classes[class_of((uint64_t)late)]++;
}

ns_t lateness_mean(const struct lateness *lateness)
{
    return lateness->count > 0 ? lateness->total / (ns_t)lateness->count : 0;
}

ns_t lateness_quantile(const struct lateness *lateness, unsigned permille)
{
    uint64_t seen = 0;

    for (unsigned i = 0; i < LATENESS_CLASSES; i++) {
        seen += lateness->classes[i];
        if (lateness->count > 0 && seen * 1000 >= lateness->count * permille)
            return min_i64(class_end(i), lateness->worst);
    }
    return 0;
}
