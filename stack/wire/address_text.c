// The text forms of addresses.
// SPDX-License-Identifier: MIT
#include <errno.h>

#include "stack/wire/address.h"
#include "stack/wire/bytes.h"

// A parser's helper takes a cursor, moves it behind what it read, and answers
// false where the text is something else.

// --- Numbers ---------------------------------------------------------------

// A decimal number without leading zeros.
static bool read_decimal(const char **text, unsigned maximum, unsigned *out)
{
    const char *at = *text;
    if (*at < '0' || *at > '9' ||
        (at[0] == '0' && at[1] >= '0' && at[1] <= '9'))
        return false;
    unsigned value = 0;
    for (; *at >= '0' && *at <= '9'; at++) {
        value = value * 10 + (unsigned)(*at - '0');
        if (value > maximum)
            return false;
    }
    *text = at;
    *out = value;
    return true;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

// One to max_digits hexadecimal digits.
static bool read_hex(const char **text, unsigned max_digits, unsigned *out)
{
    const char *at = *text;
    unsigned value = 0, digits = 0;
    for (; digits <= max_digits && hex_digit(*at) >= 0; at++, digits++)
        value = value << 4 | (unsigned)hex_digit(*at);
    if (digits == 0 || digits > max_digits)
        return false;
    *text = at;
    *out = value;
    return true;
}

static char *write_decimal(char *at, unsigned value)
{
    char digits[10];
    size_t n = 0;
    do
        digits[n++] = (char)('0' + value % 10);
    while (value /= 10);
    while (n > 0)
        *at++ = digits[--n];
    return at;
}

static char *write_hex(char *at, unsigned value, unsigned min_digits)
{
    unsigned digits = 4;
    while (digits > min_digits && value >> (4 * (digits - 1)) == 0)
        digits--;
    while (digits-- > 0)
        *at++ = "0123456789abcdef"[value >> (4 * digits) & 0xf];
    return at;
}

// --- IPv4 ------------------------------------------------------------------

static bool read_v4(const char **text, uint8_t *bytes)
{
    const char *at = *text;
    for (int i = 0; i < 4; i++) {
        unsigned octet;
        if ((i > 0 && *at++ != '.') || !read_decimal(&at, 255, &octet))
            return false;
        bytes[i] = (uint8_t)octet;
    }
    *text = at;
    return true;
}

static char *write_v4(char *at, const uint8_t *bytes)
{
    for (int i = 0; i < 4; i++) {
        if (i > 0)
            *at++ = '.';
        at = write_decimal(at, bytes[i]);
    }
    return at;
}

// --- IPv6 (RFC 4291 2.2, RFC 5952) -----------------------------------------

struct v6_reader {
    uint8_t bytes[16];
    unsigned length; // bytes read so far
    int gap;         // where "::" stood, or -1
};

// "::" or the ":" between groups; at the start only "::". *is_end tells that
// the address ends here.
static bool read_separator(const char **text, struct v6_reader *r, bool *is_end)
{
    const char *at = *text;
    if (at[0] == ':' && at[1] == ':') {
        if (r->gap >= 0)
            return false;
        r->gap = (int)r->length;
        at += 2;
        *is_end = hex_digit(*at) < 0;
    } else if (r->length == 0) {
        *is_end = false;
        return true;
    } else {
        *is_end = *at != ':' || r->length == 16;
        at += !*is_end;
    }
    *text = at;
    return true;
}

// A group of hexadecimal digits, or four dotted octets at the end.
static bool read_group(const char **text, struct v6_reader *r, bool *is_end)
{
    const char *dotted = *text;
    *is_end = r->length <= 12 && read_v4(&dotted, r->bytes + r->length);
    if (*is_end) {
        *text = dotted;
        r->length += 4;
        return true;
    }
    unsigned group;
    if (r->length > 14 || !read_hex(text, 4, &group))
        return false;
    put_be16(r->bytes + r->length, (uint16_t)group);
    r->length += 2;
    return true;
}

// Moves what stands behind the gap to the end. "::" stands for one group at
// least.
static bool fill_gap(struct v6_reader *r)
{
    if (r->gap < 0)
        return r->length == 16;
    if (r->length > 14)
        return false;
    size_t tail = r->length - (unsigned)r->gap;
    memmove(r->bytes + 16 - tail, r->bytes + r->gap, tail);
    memset(r->bytes + r->gap, 0, 16u - r->length);
    return true;
}

static bool read_v6(const char **text, uint8_t *bytes)
{
    const char *at = *text;
    struct v6_reader r = {.gap = -1};
    for (;;) {
        bool is_end;
        if (!read_separator(&at, &r, &is_end))
            return false;
        if (is_end)
            break;
        if (!read_group(&at, &r, &is_end))
            return false;
        if (is_end)
            break;
    }
    if (!fill_gap(&r))
        return false;
    memcpy(bytes, r.bytes, 16);
    *text = at;
    return true;
}

// The longest run of two or more zero groups, the first among equals
// (RFC 5952 4.2); false: none.
static bool find_gap(const uint8_t *bytes, unsigned *start, unsigned *length)
{
    *length = 1;
    for (unsigned i = 0; i < 8; i++) {
        unsigned run = 0;
        while (i + run < 8 && get_be16(bytes + 2 * (i + run)) == 0)
            run++;
        if (run > *length) {
            *start = i;
            *length = run;
        }
    }
    return *length > 1;
}

static char *write_v6(char *at, const uint8_t *bytes)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    if (memcmp(bytes, mapped, sizeof mapped) == 0) { // RFC 5952 5
        memcpy(at, "::ffff:", 7);
        return write_v4(at + 7, bytes + 12);
    }
    unsigned gap = 8, gap_length = 0;
    if (!find_gap(bytes, &gap, &gap_length))
        gap = 8;
    for (unsigned i = 0; i < 8; i++) {
        if (i == gap) {
            *at++ = ':';
            i += gap_length - 1;
            if (i == 7)
                *at++ = ':';
            continue;
        }
        if (i > 0)
            *at++ = ':';
        at = write_hex(at, get_be16(bytes + 2 * i), 1);
    }
    return at;
}

// --- Either family ---------------------------------------------------------

static bool read_addr(const char **text, struct ip_addr *out)
{
    uint8_t bytes[16];
    if (read_v4(text, bytes))
        *out = ip_addr_from_bytes(IP_V4, bytes);
    else if (read_v6(text, bytes))
        *out = ip_addr_from_bytes(IP_V6, bytes);
    else
        return false;
    return true;
}

static char *write_addr(char *at, const struct ip_addr *a)
{
    if (a->family == IP_V4)
        return write_v4(at, a->bytes);
    if (a->family == IP_V6)
        return write_v6(at, a->bytes);
    memcpy(at, "none", 4);
    return at + 4;
}

int ip_addr_parse(const char *text, struct ip_addr *out)
{
    struct ip_addr a;
    if (!read_addr(&text, &a) || *text != '\0')
        return -EINVAL;
    *out = a;
    return 0;
}

int ip_prefix_parse(const char *text, struct ip_prefix *out)
{
    struct ip_addr a;
    unsigned length;
    if (!read_addr(&text, &a) || *text++ != '/' ||
        !read_decimal(&text, ip_addr_length(a.family) * 8, &length) ||
        *text != '\0')
        return -EINVAL;
    *out = (struct ip_prefix){a, (uint8_t)length};
    return 0;
}

int mac_addr_parse(const char *text, struct mac_addr *out)
{
    struct mac_addr m;
    for (int i = 0; i < 6; i++) {
        const char *start = text + (i > 0);
        unsigned byte;
        if (i > 0 && *text != ':')
            return -EINVAL;
        text = start;
        if (!read_hex(&text, 2, &byte) || text != start + 2)
            return -EINVAL;
        m.bytes[i] = (uint8_t)byte;
    }
    if (*text != '\0')
        return -EINVAL;
    *out = m;
    return 0;
}

// IPv6 stands in brackets, IPv4 does not.
static bool read_host(const char **text, struct ip_addr *out)
{
    if (**text != '[')
        return read_addr(text, out) && out->family == IP_V4;
    ++*text;
    return read_addr(text, out) && out->family == IP_V6 && *(*text)++ == ']';
}

int endpoint_parse(const char *text, struct endpoint *out)
{
    struct ip_addr a;
    unsigned port;
    if (!read_host(&text, &a) || *text++ != ':' ||
        !read_decimal(&text, UINT16_MAX, &port) || *text != '\0')
        return -EINVAL;
    *out = (struct endpoint){.addr = a, .port = (uint16_t)port};
    return 0;
}

char *ip_addr_format(const struct ip_addr *a, char *out)
{
    *write_addr(out, a) = '\0';
    return out;
}

char *ip_prefix_format(const struct ip_prefix *p, char *out)
{
    char *at = write_addr(out, &p->addr);
    *at++ = '/';
    *write_decimal(at, p->length) = '\0';
    return out;
}

char *mac_addr_format(const struct mac_addr *m, char *out)
{
    char *at = out;
    for (int i = 0; i < 6; i++) {
        if (i > 0)
            *at++ = ':';
        at = write_hex(at, m->bytes[i], 2);
    }
    *at = '\0';
    return out;
}

char *endpoint_format(const struct endpoint *e, char *out)
{
    char *at = out;
    if (e->addr.family == IP_V6)
        *at++ = '[';
    at = write_addr(at, &e->addr);
    if (e->addr.family == IP_V6)
        *at++ = ']';
    *at++ = ':';
    *write_decimal(at, e->port) = '\0';
    return out;
}
