// TCP options as scripts write them, to and from the bytes of a header.
// SPDX-License-Identifier: MIT

#include "sim/packetdrill/packets/packets.h"

#include "stack/wire/bytes.h"

// The order and the padding are what many scripts are about, so the list keeps
// each option as it stands in the header.

enum { FAST_OPEN_MAGIC = 0xf989 }; // RFC 6994, IANA's number of Fast Open

static size_t encode_sack(const struct script_option *option, uint8_t *p)
{
    p[0] = TCP_OPTION_SACK;
    p[1] = (uint8_t)(2 + 8 * option->count);
    for (unsigned i = 0; i < option->count; i++) {
        put_be32(p + 2 + 8 * i, option->sack[i].start);
        put_be32(p + 6 + 8 * i, option->sack[i].end);
    }
    return p[1];
}

static size_t encode_fast_open(const struct script_option *option, uint8_t *p)
{
    bool is_experimental = option->kind == SCRIPT_OPTION_FAST_OPEN_EXP;
    size_t header = is_experimental ? 4 : 2;

    p[0] = is_experimental ? TCP_OPTION_EXPERIMENTAL : TCP_OPTION_FAST_OPEN;
    p[1] = (uint8_t)(header + option->count);
    if (is_experimental)
        put_be16(p + 2, FAST_OPEN_MAGIC);
    memcpy(p + header, option->cookie, option->count);
    return p[1];
}

static size_t encode_one(const struct script_option *option, uint8_t *p)
{
    switch (option->kind) {
    case SCRIPT_OPTION_EOL:
        p[0] = TCP_OPTION_END;
        return 1;
    case SCRIPT_OPTION_NOP:
        p[0] = TCP_OPTION_NOP;
        return 1;
    case SCRIPT_OPTION_MSS:
        p[0] = TCP_OPTION_MSS;
        p[1] = 4;
        put_be16(p + 2, (uint16_t)option->value);
        return 4;
    case SCRIPT_OPTION_WSCALE:
        p[0] = TCP_OPTION_WINDOW_SCALE;
        p[1] = 3;
        p[2] = (uint8_t)option->value;
        return 3;
    case SCRIPT_OPTION_SACK_OK:
        p[0] = TCP_OPTION_SACK_PERMITTED;
        p[1] = 2;
        return 2;
    case SCRIPT_OPTION_SACK:
        return encode_sack(option, p);
    case SCRIPT_OPTION_TIMESTAMP:
        p[0] = TCP_OPTION_TIMESTAMPS;
        p[1] = 10;
        put_be32(p + 2, option->value);
        put_be32(p + 6, option->echo);
        return 10;
    case SCRIPT_OPTION_FAST_OPEN:
    case SCRIPT_OPTION_FAST_OPEN_EXP:
        return encode_fast_open(option, p);
    case SCRIPT_OPTION_OTHER:
        break;
    }
    return 0;
}

size_t options_encode(const struct script_options *options, uint8_t *bytes)
{
    size_t used = 0;

    for (unsigned i = 0; i < options->count; i++) {
        uint8_t one[48] = {0};
        size_t length = encode_one(&options->list[i], one);

        if (used + length > TCP_MAX_OPTIONS_SIZE)
            return 0;
        memcpy(bytes + used, one, length);
        used += length;
    }
    while (used % 4 != 0)
        bytes[used++] = TCP_OPTION_END;
    return used;
}

static void decode_sack(const uint8_t *p, size_t length,
                        struct script_option *option)
{
    option->kind = SCRIPT_OPTION_SACK;
    for (size_t i = 2; i + 8 <= length && option->count < TCP_MAX_SACK_BLOCKS;
         i += 8) {
        option->sack[option->count].start = get_be32(p + i);
        option->sack[option->count++].end = get_be32(p + i + 4);
    }
}

static void decode_cookie(const uint8_t *p, size_t length,
                          struct script_option *option)
{
    option->count =
        (uint8_t)(length < TCP_MAX_COOKIE_SIZE ? length : TCP_MAX_COOKIE_SIZE);
    memcpy(option->cookie, p, option->count);
}

// An option with a length byte, which is within the header.
static void decode_one(const uint8_t *p, size_t length,
                       struct script_option *option)
{
    option->kind = SCRIPT_OPTION_OTHER;
    option->value = p[0];
    if (p[0] == TCP_OPTION_MSS && length == 4) {
        option->kind = SCRIPT_OPTION_MSS;
        option->value = get_be16(p + 2);
    } else if (p[0] == TCP_OPTION_WINDOW_SCALE && length == 3) {
        option->kind = SCRIPT_OPTION_WSCALE;
        option->value = p[2];
    } else if (p[0] == TCP_OPTION_SACK_PERMITTED && length == 2) {
        option->kind = SCRIPT_OPTION_SACK_OK;
    } else if (p[0] == TCP_OPTION_SACK) {
        decode_sack(p, length, option);
    } else if (p[0] == TCP_OPTION_TIMESTAMPS && length == 10) {
        option->kind = SCRIPT_OPTION_TIMESTAMP;
        option->value = get_be32(p + 2);
        option->echo = get_be32(p + 6);
    } else if (p[0] == TCP_OPTION_FAST_OPEN) {
        option->kind = SCRIPT_OPTION_FAST_OPEN;
        decode_cookie(p + 2, length - 2, option);
    } else if (p[0] == TCP_OPTION_EXPERIMENTAL && length >= 4 &&
               get_be16(p + 2) == FAST_OPEN_MAGIC) {
        option->kind = SCRIPT_OPTION_FAST_OPEN_EXP;
        decode_cookie(p + 4, length - 4, option);
    }
}

void options_decode(const uint8_t *bytes, size_t length,
                    struct script_options *out)
{
    size_t at = 0;

    memset(out, 0, sizeof(*out));
    while (at < length && out->count < SCRIPT_MAX_OPTIONS) {
        struct script_option *option = &out->list[out->count++];

        if (bytes[at] <= TCP_OPTION_NOP) {
            option->kind = bytes[at] == TCP_OPTION_END ? SCRIPT_OPTION_EOL
                                                       : SCRIPT_OPTION_NOP;
            at++;
            continue;
        }
        if (at + 2 > length || bytes[at + 1] < 2 ||
            at + bytes[at + 1] > length) {
            option->kind = SCRIPT_OPTION_OTHER;
            option->value = bytes[at];
            return;
        }
        decode_one(bytes + at, bytes[at + 1], option);
        at += bytes[at + 1];
    }
}

static void print_cookie(FILE *out, const struct script_option *option)
{
    fputs(option->kind == SCRIPT_OPTION_FAST_OPEN ? "FO" : "FOEXP", out);
    for (unsigned i = 0; i < option->count; i++)
        fprintf(out, "%s%02x", i == 0 ? " " : "", option->cookie[i]);
}

static void print_one(FILE *out, const struct script_option *option)
{
    switch (option->kind) {
    case SCRIPT_OPTION_EOL:
        fputs("eol", out);
        break;
    case SCRIPT_OPTION_NOP:
        fputs("nop", out);
        break;
    case SCRIPT_OPTION_MSS:
        fprintf(out, "mss %u", option->value);
        break;
    case SCRIPT_OPTION_WSCALE:
        fprintf(out, "wscale %u", option->value);
        break;
    case SCRIPT_OPTION_SACK_OK:
        fputs("sackOK", out);
        break;
    case SCRIPT_OPTION_SACK:
        fputs("sack", out);
        for (unsigned i = 0; i < option->count; i++)
            fprintf(out, " %u:%u", option->sack[i].start, option->sack[i].end);
        break;
    case SCRIPT_OPTION_TIMESTAMP:
        fprintf(out, "TS val %u ecr %u", option->value, option->echo);
        break;
    case SCRIPT_OPTION_FAST_OPEN:
    case SCRIPT_OPTION_FAST_OPEN_EXP:
        print_cookie(out, option);
        break;
    case SCRIPT_OPTION_OTHER:
        fprintf(out, "option-%u", option->value);
        break;
    }
}

void options_print(FILE *out, const struct script_options *options)
{
    if (options->is_any) {
        fputs("<...>", out);
        return;
    }
    fputc('<', out);
    for (unsigned i = 0; i < options->count; i++) {
        if (i > 0)
            fputc(',', out);
        print_one(out, &options->list[i]);
    }
    fputc('>', out);
}
