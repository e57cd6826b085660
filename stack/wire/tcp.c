// TCP headers as bytes.
// SPDX-License-Identifier: MIT
#include "stack/wire/tcp.h"

#include <errno.h>

#include "stack/wire/bytes.h"
#include "stack/wire/checksum.h"
#include "stack/wire/ipv4.h"

enum { EXPERIMENTAL_FAST_OPEN = 0xf989 }; // RFC 7413 appendix A

// OFFSET SIZE MEANING
//      0    2 source port
//      2    2 destination port
//      4    4 sequence number
//      8    4 acknowledgement number
//     12    1 header length in words (high half), reserved (low half)
//     13    1 flags
//     14    2 window
//     16    2 checksum
//     18    2 urgent pointer
//     20 0-40 options
int tcp_parse(const uint8_t *bytes, size_t length, struct tcp_header *out)
{
    if (length < TCP_HEADER_SIZE)
        return -EINVAL;
    int header_length = (bytes[12] >> 4) * 4;
    if (header_length < TCP_HEADER_SIZE || (size_t)header_length > length)
        return -EINVAL;
    out->source_port = get_be16(bytes);
    out->destination_port = get_be16(bytes + 2);
    out->seq = get_be32(bytes + 4);
    out->ack = get_be32(bytes + 8);
    out->header_length = (uint8_t)header_length;
    out->reserved = bytes[12] & 0x0f;
    out->flags = bytes[13];
    out->window = get_be16(bytes + 14);
    out->checksum = get_be16(bytes + 16);
    out->urgent = get_be16(bytes + 18);
    return header_length;
}

size_t tcp_emit(const struct tcp_header *header, uint8_t *bytes)
{
    put_be16(bytes, header->source_port);
    put_be16(bytes + 2, header->destination_port);
    put_be32(bytes + 4, header->seq);
    put_be32(bytes + 8, header->ack);
    bytes[12] =
        (uint8_t)(header->header_length / 4 << 4 | (header->reserved & 0x0f));
    bytes[13] = header->flags;
    put_be16(bytes + 14, header->window);
    put_be16(bytes + 16, header->checksum);
    put_be16(bytes + 18, header->urgent);
    return TCP_HEADER_SIZE;
}

// --- Options ---------------------------------------------------------------

static void parse_sack(const uint8_t *data, size_t length,
                       struct tcp_options *out)
{
    size_t count = length / 8;
    if (length % 8 != 0 || count == 0 || count > TCP_MAX_SACK_BLOCKS)
        return;
    out->sack_count = (uint8_t)count;
    for (size_t i = 0; i < count; i++) {
        out->sack[i].start = get_be32(data + 8 * i);
        out->sack[i].end = get_be32(data + 8 * i + 4);
    }
}

// RFC 7413 4.1.1: nothing (a request), or 4 to 16 bytes of even number.
static void parse_cookie(const uint8_t *data, size_t length,
                         bool is_experimental, struct tcp_options *out)
{
    if (length > TCP_MAX_COOKIE_SIZE || length % 2 != 0 || length == 2)
        return;
    out->has_fast_open = true;
    out->fast_open_is_experimental = is_experimental;
    out->cookie_length = (uint8_t)length;
    memcpy(out->cookie, data, length);
}

static void parse_option(uint8_t kind, const uint8_t *data, size_t length,
                         struct tcp_options *out)
{
    if (kind == TCP_OPTION_MSS && length == 2) {
        out->has_mss = true;
        out->mss = get_be16(data);
    } else if (kind == TCP_OPTION_WINDOW_SCALE && length == 1) {
        out->has_window_scale = true;
        out->window_scale = data[0];
    } else if (kind == TCP_OPTION_SACK_PERMITTED && length == 0) {
        out->has_sack_permitted = true;
    } else if (kind == TCP_OPTION_TIMESTAMPS && length == 8) {
        out->has_timestamps = true;
        out->ts_value = get_be32(data);
        out->ts_echo = get_be32(data + 4);
    } else if (kind == TCP_OPTION_SACK) {
        parse_sack(data, length, out);
    } else if (kind == TCP_OPTION_FAST_OPEN) {
        parse_cookie(data, length, false, out);
    } else if (kind == TCP_OPTION_EXPERIMENTAL && length >= 2 &&
               get_be16(data) == EXPERIMENTAL_FAST_OPEN) {
        parse_cookie(data + 2, length - 2, true, out);
    }
}

int tcp_options_parse(const uint8_t *bytes, size_t length,
                      struct tcp_options *out)
{
    *out = (struct tcp_options){0};
    const uint8_t *end = bytes + length;
    while (bytes < end) {
        uint8_t kind = bytes[0];
        if (kind == TCP_OPTION_END)
            return 0;
        if (kind == TCP_OPTION_NOP) {
            bytes++;
            continue;
        }
        if (end - bytes < 2 || bytes[1] < 2 || bytes[1] > end - bytes)
            return -EINVAL;
        parse_option(kind, bytes + 2, (size_t)bytes[1] - 2, out);
        bytes += bytes[1];
    }
    return 0;
}

// Where options are written, and how far it got.
struct writer {
    uint8_t *bytes;
    size_t length;
};

// The place for n bytes, or NULL where they do not fit.
static uint8_t *reserve(struct writer *w, size_t n)
{
    if (w->length + n > TCP_MAX_OPTIONS_SIZE)
        return NULL;
    uint8_t *at = w->bytes + w->length;
    w->length += n;
    return at;
}

static void put_head(uint8_t *at, uint8_t kind, size_t length)
{
    at[0] = kind;
    at[1] = (uint8_t)length;
}

static void put_nops(uint8_t *at, size_t n) { memset(at, TCP_OPTION_NOP, n); }

static void emit_mss(struct writer *w, const struct tcp_options *options)
{
    uint8_t *at = options->has_mss ? reserve(w, 4) : NULL;
    if (!at)
        return;
    put_head(at, TCP_OPTION_MSS, 4);
    put_be16(at + 2, options->mss);
}

// SACK-permitted takes the place of the two NOPs that align the timestamps.
static void
emit_sack_permitted_and_timestamps(struct writer *w,
                                   const struct tcp_options *options)
{
    if (!options->has_sack_permitted && !options->has_timestamps)
        return;
    uint8_t *at = reserve(w, options->has_timestamps ? 12 : 4);
    if (!at)
        return;
    put_nops(at, 4);
    if (options->has_timestamps) {
        put_head(at + 2, TCP_OPTION_TIMESTAMPS, 10);
        put_be32(at + 4, options->ts_value);
        put_be32(at + 8, options->ts_echo);
    }
    if (options->has_sack_permitted)
        put_head(options->has_timestamps ? at : at + 2,
                 TCP_OPTION_SACK_PERMITTED, 2);
}

static void emit_window_scale(struct writer *w,
                              const struct tcp_options *options)
{
    uint8_t *at = options->has_window_scale ? reserve(w, 4) : NULL;
    if (!at)
        return;
    put_nops(at, 1);
    put_head(at + 1, TCP_OPTION_WINDOW_SCALE, 3);
    at[3] = options->window_scale;
}

static void emit_fast_open(struct writer *w, const struct tcp_options *options)
{
    if (!options->has_fast_open)
        return;
    size_t head = options->fast_open_is_experimental ? 4 : 2;
    size_t length = head + options->cookie_length;
    size_t padded = (length + 3) / 4 * 4;
    uint8_t *at = reserve(w, padded);
    if (!at)
        return;
    put_nops(at + length, padded - length);
    if (options->fast_open_is_experimental) {
        put_head(at, TCP_OPTION_EXPERIMENTAL, length);
        put_be16(at + 2, EXPERIMENTAL_FAST_OPEN);
    } else {
        put_head(at, TCP_OPTION_FAST_OPEN, length);
    }
    memcpy(at + head, options->cookie, options->cookie_length);
}

static void emit_sack(struct writer *w, const struct tcp_options *options)
{
    size_t count = options->sack_count;
    while (count > 0 && w->length + 4 + 8 * count > TCP_MAX_OPTIONS_SIZE)
        count--;
    uint8_t *at = count > 0 ? reserve(w, 4 + 8 * count) : NULL;
    if (!at)
        return;
    put_nops(at, 2);
    put_head(at + 2, TCP_OPTION_SACK, 2 + 8 * count);
    for (size_t i = 0; i < count; i++) {
        put_be32(at + 4 + 8 * i, options->sack[i].start);
        put_be32(at + 8 + 8 * i, options->sack[i].end);
    }
}

size_t tcp_options_emit(const struct tcp_options *options, uint8_t *bytes)
{
    struct writer w = {bytes, 0};
    emit_mss(&w, options);
    emit_sack_permitted_and_timestamps(&w, options);
    emit_window_scale(&w, options);
    emit_fast_open(&w, options);
    emit_sack(&w, options);
    return w.length;
}

// --- Checksum --------------------------------------------------------------

static uint16_t compute(const uint8_t *segment, size_t length,
                        const struct ip_addr *source,
                        const struct ip_addr *destination)
{
    uint32_t sum =
        checksum_pseudo(source, destination, IP_PROTOCOL_TCP, (uint32_t)length);
    return checksum_finish(checksum_add(sum, segment, length));
}

void tcp_fill_checksum(uint8_t *segment, size_t length,
                       const struct ip_addr *source,
                       const struct ip_addr *destination)
{
    put_be16(segment + 16, 0);
    put_be16(segment + 16, compute(segment, length, source, destination));
}

bool tcp_checksum_is_good(const uint8_t *segment, size_t length,
                          const struct ip_addr *source,
                          const struct ip_addr *destination)
{
    return compute(segment, length, source, destination) == 0;
}

char *tcp_flags_format(uint8_t flags, char *out)
{
    // In tcpdump's order.
    static const struct {
        uint8_t flag;
        char letter;
    } letters[] = {
        {TCP_FIN, 'F'}, {TCP_SYN, 'S'}, {TCP_RST, 'R'}, {TCP_PSH, 'P'},
        {TCP_ACK, '.'}, {TCP_URG, 'U'}, {TCP_ECE, 'E'}, {TCP_CWR, 'W'},
    };
    char *at = out;
    for (size_t i = 0; i < sizeof letters / sizeof letters[0]; i++)
        if (flags & letters[i].flag)
            *at++ = letters[i].letter;
    *at = '\0';
    return out;
}
