// TCP options in the order that BSD writes them.
// SPDX-License-Identifier: MIT
#include "stack/wire/bytes.h"
#include "stack/wire/tcp.h"

enum { FAST_OPEN_MAGIC = 0xf989 };

struct writer {
    uint8_t *bytes;
    size_t length;
};

// The place for an option whose first byte must lie at `offset` of a word of
// `unit` bytes; NOPs go before it. NULL: it does not fit.
static uint8_t *reserve(struct writer *w, size_t unit, size_t offset,
                        size_t length)
{
    size_t nops = (unit + offset - w->length % unit) % unit;
    if (w->length + nops + length > TCP_MAX_OPTIONS_SIZE)
        return NULL;
    uint8_t *at = w->bytes + w->length;
    memset(at, TCP_OPTION_NOP, nops);
    w->length += nops + length;
    return at + nops;
}

static void put_head(uint8_t *at, uint8_t kind, size_t length)
{
    at[0] = kind;
    at[1] = (uint8_t)length;
}

static void emit_syn_options(struct writer *w,
                             const struct tcp_options *options)
{
    uint8_t *at;
    if (options->has_mss && (at = reserve(w, 4, 0, 4))) {
        put_head(at, TCP_OPTION_MSS, 4);
        put_be16(at + 2, options->mss);
    }
    if (options->has_window_scale && (at = reserve(w, 2, 1, 3))) {
        put_head(at, TCP_OPTION_WINDOW_SCALE, 3);
        at[2] = options->window_scale;
    }
    if (options->has_sack_permitted && (at = reserve(w, 2, 0, 2)))
        put_head(at, TCP_OPTION_SACK_PERMITTED, 2);
}

static void emit_timestamps(struct writer *w, const struct tcp_options *options)
{
    uint8_t *at = options->has_timestamps ? reserve(w, 4, 2, 10) : NULL;
    if (!at)
        return;
    put_head(at, TCP_OPTION_TIMESTAMPS, 10);
    put_be32(at + 2, options->ts_value);
    put_be32(at + 6, options->ts_echo);
}

static void emit_sack(struct writer *w, const struct tcp_options *options)
{
    size_t count = options->sack_count;
    uint8_t *at = NULL;
    while (count > 0 && !(at = reserve(w, 4, 2, 2 + 8 * count)))
        count--;
    if (!at)
        return;
    put_head(at, TCP_OPTION_SACK, 2 + 8 * count);
    for (size_t i = 0; i < count; i++) {
        put_be32(at + 2 + 8 * i, options->sack[i].start);
        put_be32(at + 6 + 8 * i, options->sack[i].end);
    }
}

static void emit_fast_open(struct writer *w, const struct tcp_options *options)
{
    size_t head = options->fast_open_is_experimental ? 4 : 2;
    uint8_t *at = options->has_fast_open
                      ? reserve(w, 1, 0, head + options->cookie_length)
                      : NULL;
    if (!at)
        return;
    put_head(at,
             options->fast_open_is_experimental ? TCP_OPTION_EXPERIMENTAL
                                                : TCP_OPTION_FAST_OPEN,
             head + options->cookie_length);
    if (options->fast_open_is_experimental)
        put_be16(at + 2, FAST_OPEN_MAGIC);
    memcpy(at + head, options->cookie, options->cookie_length);
}

size_t tcp_options_emit_bsd(const struct tcp_options *options, uint8_t *bytes)
{
    struct writer w = {bytes, 0};
    emit_syn_options(&w, options);
    emit_timestamps(&w, options);
    emit_sack(&w, options);
    emit_fast_open(&w, options);
    while (w.length % 4 != 0)
        bytes[w.length++] = TCP_OPTION_END;
    return w.length;
}
