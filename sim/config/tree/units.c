// Numbers with units, as people write them and back.
// SPDX-License-Identifier: MIT
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "sim/config/tree/value.h"
#include "sim/engine/random.h"

// Theory of operation
//
// A number is read as an integer of its digits and a count of decimals, and
// multiplied by its unit in 128 bits before it is divided, once, rounding to
// nearest: "1.5s" is 15 * 10^9 / 10 nanoseconds. No floating point takes part,
// so a file means the same on every machine.

typedef unsigned __int128 wide_t;

struct decimal {
    uint64_t digits;
    uint64_t divisor; // 10 to the number of decimals
    bool has_fraction;
};

struct unit {
    const char *name;
    uint64_t factor;
};

// Reads digits, with single underscores between them. -EINVAL, -ERANGE.
static int read_digits(const char **at, uint64_t *digits, uint64_t *divisor)
{
    const char *p = *at;
    if (!isdigit((unsigned char)*p))
        return -EINVAL;
    for (; isdigit((unsigned char)*p) ||
           (*p == '_' && isdigit((unsigned char)p[1]) && p != *at);
         p++) {
        if (*p == '_')
            continue;
        if (*digits > (UINT64_MAX - 9) / 10 ||
            (divisor && *divisor > UINT64_MAX / 10))
            return -ERANGE;
        *digits = *digits * 10 + (uint64_t)(*p - '0');
        if (divisor)
            *divisor *= 10;
    }
    *at = p;
    return 0;
}

static int read_decimal(const char **at, struct decimal *out)
{
    struct decimal d = {.divisor = 1};
    int error = read_digits(at, &d.digits, NULL);
    if (error)
        return error;
    if (**at == '.') {
        ++*at;
        d.has_fraction = true;
        error = read_digits(at, &d.digits, &d.divisor);
    }
    if (!error)
        *out = d;
    return error;
}

static int scale(const struct decimal *d, uint64_t factor, uint64_t *out)
{
    wide_t product = (wide_t)d->digits * factor;
    wide_t result = (product + d->divisor / 2) / d->divisor;
    if (result > UINT64_MAX)
        return -ERANGE;
    *out = (uint64_t)result;
    return 0;
}

// The unit that stands at `at` and ends with a character that is no letter.
static const struct unit *read_unit(const char **at, const struct unit *units)
{
    size_t length = 0;
    if (**at == ' ')
        ++*at;
    while (isalpha((unsigned char)(*at)[length]) ||
           (unsigned char)(*at)[length] >= 0x80)
        length++;
    for (; units->name; units++)
        if (strlen(units->name) == length &&
            strncmp(units->name, *at, length) == 0) {
            *at += length;
            return units;
        }
    return NULL;
}

static const struct unit time_units[] = {{"ns", 1},
                                         {"us", 1000},
                                         {"\xc2\xb5s", 1000}, // micro sign
                                         {"\xce\xbcs", 1000}, // mu
                                         {"ms", 1000000},
                                         {"s", 1000000000},
                                         {"m", UINT64_C(60000000000)},
                                         {"min", UINT64_C(60000000000)},
                                         {"h", UINT64_C(3600000000000)},
                                         {"d", UINT64_C(86400000000000)},
                                         {NULL, 0}};

// Terms in a row are added, as in "1h30m".
static int read_time_terms(const char *at, uint64_t *total)
{
    *total = 0;
    if (strcmp(at, "0") == 0)
        return 0;
    do {
        struct decimal d;
        uint64_t term;
        int error = read_decimal(&at, &d);
        if (error)
            return error;
        const struct unit *unit = read_unit(&at, time_units);
        if (!unit)
            return -EINVAL;
        error = scale(&d, unit->factor, &term);
        if (error || *total + term > (uint64_t)INT64_MAX - 1 ||
            term > INT64_MAX)
            return -ERANGE;
        *total += term;
    } while (*at);
    return 0;
}

int parse_time(const char *text, int64_t *ns)
{
    bool is_negative = *text == '-';
    uint64_t total;
    int error = read_time_terms(text + is_negative, &total);
    if (!error)
        *ns = is_negative ? -(int64_t)total : (int64_t)total;
    return error;
}

// One number with one of the units, to the end of the text.
static int parse_with_unit(const char *text, const struct unit *units,
                           uint64_t *out)
{
    struct decimal d;
    int error = read_decimal(&text, &d);
    if (error)
        return error;
    const struct unit *unit = read_unit(&text, units);
    if (!unit || *text)
        return -EINVAL;
    return scale(&d, unit->factor, out);
}

// Bits alone: "bps" and "MB/s" are read as bits by some and as bytes by others.
static const struct unit rate_units[] = {{"bit", 1},
                                         {"kbit", 1000},
                                         {"Kbit", 1000},
                                         {"mbit", 1000000},
                                         {"Mbit", 1000000},
                                         {"gbit", 1000000000},
                                         {"Gbit", 1000000000},
                                         {"Tbit", UINT64_C(1000000000000)},
                                         {NULL, 0}};

int parse_rate(const char *text, uint64_t *bps)
{
    char bare[64];
    size_t length = strlen(text);
    if (length >= sizeof bare)
        return -EINVAL;
    memcpy(bare, text, length + 1);
    if (length > 2 && strcmp(bare + length - 2, "/s") == 0)
        bare[length - 2] = '\0';
    return parse_with_unit(bare, rate_units, bps);
}

static const struct unit size_units[] = {{"", 1},
                                         {"B", 1},
                                         {"kB", 1000},
                                         {"KB", 1000},
                                         {"MB", 1000000},
                                         {"GB", 1000000000},
                                         {"TB", UINT64_C(1000000000000)},
                                         {"KiB", UINT64_C(1) << 10},
                                         {"MiB", UINT64_C(1) << 20},
                                         {"GiB", UINT64_C(1) << 30},
                                         {"TiB", UINT64_C(1) << 40},
                                         {NULL, 0}};

int parse_size(const char *text, uint64_t *bytes)
{
    const char *at = text;
    struct decimal d;
    if (read_decimal(&at, &d) == 0 && d.has_fraction && !*at)
        return -EINVAL; // half a byte
    return parse_with_unit(text, size_units, bytes);
}

int parse_chance(const char *text, uint64_t *chance)
{
    struct decimal d;
    int error = read_decimal(&text, &d);
    if (error)
        return error;
    if (*text == ' ')
        text++;
    bool is_percent = *text == '%';
    if (text[is_percent] || (!is_percent && d.has_fraction))
        return -EINVAL;
    uint64_t whole = is_percent ? 100 : 1; // what certainty is written as
    if (d.digits > (wide_t)whole * d.divisor)
        return -ERANGE;
    wide_t divisor = (wide_t)d.divisor * whole;
    *chance =
        (uint64_t)(((wide_t)d.digits * CHANCE_ALWAYS + divisor / 2) / divisor);
    return 0;
}

static int read_hexadecimal(const char *at, uint64_t *out)
{
    uint64_t value = 0;
    if (!*at)
        return -EINVAL;
    for (; *at; at++) {
        if (!isxdigit((unsigned char)*at))
            return -EINVAL;
        if (value >> 60)
            return -ERANGE;
        unsigned digit =
            isdigit((unsigned char)*at)
                ? (unsigned)(*at - '0')
                : (unsigned)(tolower((unsigned char)*at) - 'a') + 10;
        value = value << 4 | digit;
    }
    *out = value;
    return 0;
}

int parse_integer(const char *text, int64_t *number)
{
    bool is_negative = *text == '-';
    uint64_t value = 0;
    int error;
    text += is_negative;
    if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
        error = read_hexadecimal(text + 2, &value);
    } else {
        error = read_digits(&text, &value, NULL);
        if (!error && *text)
            error = -EINVAL;
    }
    if (!error && value > INT64_MAX)
        error = -ERANGE;
    if (!error)
        *number = is_negative ? -(int64_t)value : (int64_t)value;
    return error;
}

int parse_boolean(const char *text, bool *on)
{
    static const struct {
        const char *word;
        bool on;
    } words[] = {{"on", true},  {"off", false}, {"yes", true},
                 {"no", false}, {"true", true}, {"false", false},
                 {"On", true},  {"Off", false}, {"Yes", true},
                 {"No", false}, {"True", true}, {"False", false},
                 {"ON", true},  {"OFF", false}, {"YES", true},
                 {"NO", false}, {"TRUE", true}, {"FALSE", false}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(text, words[i].word) == 0) {
            *on = words[i].on;
            return 0;
        }
    return -EINVAL;
}

// `value` in the unit, every decimal that is not zero.
static char *format_exact(uint64_t value, const char *sign,
                          const struct unit *unit, char *out, size_t size)
{
    char fraction[24] = ".";
    size_t length = 1;
    uint64_t rest = value % unit->factor;
    for (uint64_t f = unit->factor; rest; rest %= f) {
        f /= 10;
        fraction[length++] = (char)('0' + rest / f);
    }
    fraction[length > 1 ? length : 0] = '\0';
    snprintf(out, size, "%s%" PRIu64 "%s%s", sign, value / unit->factor,
             fraction, unit->name);
    return out;
}

char *format_time(int64_t ns, char *out, size_t size)
{
    static const struct unit units[] = {
        {"s", 1000000000}, {"ms", 1000000}, {"us", 1000}, {"ns", 1}};
    uint64_t value = ns < 0 ? -(uint64_t)ns : (uint64_t)ns;
    const struct unit *unit = units;
    while (unit->factor > 1 && value < unit->factor && value != 0)
        unit++;
    return format_exact(value, ns < 0 ? "-" : "", unit, out, size);
}

char *format_rate(uint64_t bps, char *out, size_t size)
{
    static const struct unit units[] = {{"Tbit", UINT64_C(1000000000000)},
                                        {"Gbit", 1000000000},
                                        {"Mbit", 1000000},
                                        {"kbit", 1000},
                                        {"bit", 1}};
    const struct unit *unit = units;
    while (unit->factor > 1 && bps < unit->factor)
        unit++;
    return format_exact(bps, "", unit, out, size);
}

// The largest whole unit, decimal or binary, whichever text is shorter; with a
// unit rather than without.
char *format_size(uint64_t bytes, char *out, size_t size)
{
    static const struct unit units[] = {{"TB", UINT64_C(1000000000000)},
                                        {"GB", 1000000000},
                                        {"MB", 1000000},
                                        {"kB", 1000},
                                        {"TiB", UINT64_C(1) << 40},
                                        {"GiB", UINT64_C(1) << 30},
                                        {"MiB", UINT64_C(1) << 20},
                                        {"KiB", UINT64_C(1) << 10}};
    char best[32], text[32];
    size_t limit = (size_t)snprintf(best, sizeof best, "%" PRIu64, bytes) + 1;
    for (size_t i = 0; i < sizeof units / sizeof *units && bytes; i++) {
        if (bytes % units[i].factor)
            continue;
        snprintf(text, sizeof text, "%" PRIu64 "%s", bytes / units[i].factor,
                 units[i].name);
        if (strlen(text) >= limit)
            continue;
        memcpy(best, text, sizeof best);
        limit = strlen(best);
    }
    snprintf(out, size, "%s", best);
    return out;
}

// As few decimals as still read back as the same chance.
char *format_chance(uint64_t chance, char *out, size_t size)
{
    uint64_t power = 1;
    for (int decimals = 0; decimals <= 12; decimals++, power *= 10) {
        uint64_t back,
            digits =
                (uint64_t)(((wide_t)chance * 100 * power + CHANCE_ALWAYS / 2) /
                           CHANCE_ALWAYS);
        char text[40];
        int length = snprintf(text, sizeof text, "%" PRIu64, digits / power);
        if (decimals)
            length += snprintf(text + length, sizeof text - (size_t)length,
                               ".%0*" PRIu64, decimals, digits % power);
        snprintf(text + length, sizeof text - (size_t)length, "%%");
        snprintf(out, size, "%s", text);
        if (parse_chance(text, &back) == 0 && back == chance)
            break;
    }
    return out;
}
