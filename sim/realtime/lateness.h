// How late a run that follows the clock was: mean, quantiles, worst.
// SPDX-License-Identifier: MIT
#ifndef REALTIME_LATENESS_H
#define REALTIME_LATENESS_H

#include "stack/base.h"

// Latenesses are counted in classes whose width is an eighth of their value, so
// that a quantile is at most 12.5 % too large and the memory is fixed.
enum { LATENESS_CLASSES = 8 * 61 };

struct lateness {
    uint64_t count;
    ns_t total, worst;
    uint64_t classes[LATENESS_CLASSES];
};

void lateness_add(struct lateness *lateness, ns_t late);
ns_t lateness_mean(const struct lateness *lateness); // 0: none was added
// The value that `permille` of 1,000 do not exceed.
ns_t lateness_quantile(const struct lateness *lateness, unsigned permille);

#endif
