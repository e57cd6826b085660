// The nearest known word to one that was mistyped.
// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include "sim/config/tree/value.h"

// The distance is that of Damerau and Levenshtein, restricted: insertions,
// deletions, substitutions and swaps of neighbours, no part edited twice
// (optimal string alignment). Words longer than this are not names that
// somebody mistyped.
#define LONGEST 64

static unsigned smaller(unsigned a, unsigned b) { return a < b ? a : b; }

static unsigned distance(const char *a, size_t a_length, const char *b,
                         size_t b_length)
{
    unsigned rows[3][LONGEST + 1];
    unsigned *before = rows[0], *above = rows[1], *row = rows[2];
    for (unsigned j = 0; j <= b_length; j++)
        above[j] = j;
    memset(before, 0, sizeof rows[0]);
    for (unsigned i = 1; i <= a_length; i++) {
        row[0] = i;
        for (unsigned j = 1; j <= b_length; j++) {
            unsigned cost = a[i - 1] != b[j - 1];
            row[j] =
                smaller(smaller(row[j - 1], above[j]) + 1, above[j - 1] + cost);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = smaller(row[j], before[j - 2] + 1);
        }
        unsigned *spare = before;
        before = above, above = row, row = spare;
    }
    return above[b_length];
}

// One slip in a short word, two in a middling, three in a long one.
static unsigned allowed(size_t length)
{
    return length < 3 ? 0 : length < 5 ? 1 : length < 10 ? 2 : 3;
}

const char *suggest_word(const char *word, const char *const *known,
                         size_t count)
{
    size_t length = strlen(word);
    if (length > LONGEST)
        return NULL;
    unsigned best = allowed(length) + 1;
    const char *nearest = NULL;
    for (size_t i = 0; i < count; i++) {
        size_t other = strlen(known[i]);
        if (other > LONGEST || other + best < length || length + best < other)
            continue;
        unsigned d = distance(word, length, known[i], other);
        if (d < best) {
            best = d;
            nearest = known[i];
        }
    }
    return nearest;
}
