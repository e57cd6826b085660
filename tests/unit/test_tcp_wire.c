// Tests of TCP headers and their options.
// SPDX-License-Identifier: MIT
#include "stack/wire/tcp.h"

#include <errno.h>

#include "stack/wire/bytes.h"
#include "tests/unit/unit.h"

// A SYN of Linux: mss 1460, sackOK, TS val 1 ecr 0, nop, wscale 7.
static const uint8_t syn[40] = {
    0x9c, 0x40, 0x00, 0x50, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06,
    0x07, 0x08, 0xa0, 0x02, 0xfa, 0xf0, 0xbe, 0xef, 0x00, 0x09, // fixed
    0x02, 0x04, 0x05, 0xb4, 0x04, 0x02, 0x08, 0x0a, 0x00, 0x00,
    0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x01, 0x03, 0x03, 0x07, // options
};

// --- The fixed part --------------------------------------------------------

static void parse_reads_each_field(void)
{
    struct tcp_header h;
    CHECK_EQUAL(tcp_parse(syn, sizeof syn, &h), 40);
    CHECK_EQUAL(h.source_port, 40000);
    CHECK_EQUAL(h.destination_port, 80);
    CHECK_EQUAL(h.seq, 0x01020304);
    CHECK_EQUAL(h.ack, 0x05060708);
    CHECK_EQUAL(h.header_length, 40);
    CHECK_EQUAL(h.flags, TCP_SYN);
    CHECK_EQUAL(h.reserved, 0);
    CHECK_EQUAL(h.window, 64240);
    CHECK_EQUAL(h.checksum, 0xbeef);
    CHECK_EQUAL(h.urgent, 9);
}

static void parse_refuses_every_shorter_length(void)
{
    struct tcp_header h = {.window = 3};
    for (size_t length = 0; length < sizeof syn; length++)
        CHECK_EQUAL(tcp_parse(syn, length, &h), -EINVAL);
    CHECK_EQUAL(h.window, 3);
}

static void parse_refuses_a_data_offset_below_five(void)
{
    uint8_t bytes[60];
    struct tcp_header h;
    memset(bytes, 0, sizeof bytes);
    for (int words = 0; words < 16; words++) {
        bytes[12] = (uint8_t)(words << 4 | 0x5);
        CHECK_EQUAL(tcp_parse(bytes, sizeof bytes, &h),
                    words >= 5 ? words * 4 : -EINVAL);
    }
    CHECK_EQUAL(h.reserved, 5);
}

static void emit_gives_back_what_was_parsed(void)
{
    uint8_t bytes[40], out[20];
    struct tcp_header h;
    memcpy(bytes, syn, sizeof bytes);
    for (unsigned flags = 0; flags < 256; flags++) {
        bytes[13] = (uint8_t)flags;
        bytes[12] = (uint8_t)(0xa0 | (flags & 0xf));
        tcp_parse(bytes, sizeof bytes, &h);
        CHECK_EQUAL(tcp_emit(&h, out), 20);
        CHECK_BYTES(out, bytes, 20);
    }
}

static void checksum_covers_header_payload_and_addresses(void)
{
    struct ip_addr a, b;
    uint8_t bytes[40];
    ip_addr_parse("2001:db8::1", &a);
    ip_addr_parse("2001:db8::2", &b);
    memcpy(bytes, syn, sizeof bytes);
    tcp_fill_checksum(bytes, sizeof bytes, &a, &b);
    CHECK(tcp_checksum_is_good(bytes, sizeof bytes, &a, &b));
    CHECK(!tcp_checksum_is_good(bytes, sizeof bytes, &a, &a));
    CHECK(!tcp_checksum_is_good(bytes, sizeof bytes - 4, &a, &b));
    for (size_t bit = 0; bit < sizeof bytes * 8; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        CHECK(!tcp_checksum_is_good(bytes, sizeof bytes, &a, &b));
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

static void flags_are_written_as_tcpdump_does(void)
{
    char text[9];
    CHECK_TEXT(tcp_flags_format(0, text), "");
    CHECK_TEXT(tcp_flags_format(TCP_SYN | TCP_ACK, text), "S.");
    CHECK_TEXT(tcp_flags_format(TCP_FIN | TCP_PSH | TCP_ACK, text), "FP.");
    CHECK_TEXT(tcp_flags_format(0xff, text), "FSRP.UEW");
}

static void sequence_numbers_compare_across_the_wrap(void)
{
    CHECK(seq_lt(0xffffffff, 0) && seq_gt(0, 0xffffffff));
    CHECK(seq_lt(0xfffffff0, 0x10) && !seq_lt(0x10, 0xfffffff0));
    CHECK(seq_le(5, 5) && seq_ge(5, 5) && !seq_lt(5, 5) && !seq_gt(5, 5));
    CHECK_EQUAL(seq_max(0xffffffff, 1), 1);
    CHECK_EQUAL(seq_min(0xffffffff, 1), 0xffffffff);
}

// --- Parsing options -------------------------------------------------------

static void options_of_a_syn_of_linux(void)
{
    struct tcp_options o;
    CHECK_EQUAL(tcp_options_parse(syn + 20, 20, &o), 0);
    CHECK(o.has_mss && o.has_sack_permitted && o.has_timestamps &&
          o.has_window_scale && !o.has_fast_open);
    CHECK_EQUAL(o.mss, 1460);
    CHECK_EQUAL(o.window_scale, 7);
    CHECK_EQUAL(o.ts_value, 1);
    CHECK_EQUAL(o.ts_echo, 0);
    CHECK_EQUAL(o.sack_count, 0);
}

static void what_stands_before_a_malformed_option_counts(void)
{
    // A length of 0, of 1, beyond the header, and none at all.
    static const uint8_t bad[][8] = {
        {2, 4, 5, 0xb4, 8, 0, 4, 2},
        {2, 4, 5, 0xb4, 8, 1, 4, 2},
        {2, 4, 5, 0xb4, 8, 5, 4, 2},
        {2, 4, 5, 0xb4, 1, 1, 1, 8},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
        struct tcp_options o;
        CHECK_EQUAL(tcp_options_parse(bad[i], 8, &o), -EINVAL);
        CHECK(o.has_mss && !o.has_sack_permitted && !o.has_timestamps);
    }
}

static void every_cut_of_the_options_is_survived(void)
{
    for (size_t length = 0; length <= 20; length++) {
        struct tcp_options o;
        // Whole options end here: behind the MSS, SACK-permitted, the
        // timestamps, the NOP, the window scale.
        bool is_whole = length == 0 || length == 4 || length == 6 ||
                        length == 16 || length == 17 || length == 20;
        CHECK_EQUAL(tcp_options_parse(syn + 20, length, &o),
                    is_whole ? 0 : -EINVAL);
        CHECK_EQUAL(o.has_timestamps, length >= 16);
        CHECK_EQUAL(o.has_window_scale, length >= 20);
    }
}

static void known_options_of_a_wrong_length_are_skipped(void)
{
    static const uint8_t bytes[] = {
        2, 3, 5, 3, 4,  7, 7, 4, 3,  1, 8, 4, 1, 1,   5, 9,    1, 1, 1,
        1, 1, 1, 1, 34, 4, 1, 1, 34, 5, 1, 1, 1, 254, 3, 0xf9, 4, 2};
    struct tcp_options o;
    CHECK_EQUAL(tcp_options_parse(bytes, sizeof bytes, &o), 0);
    CHECK(!o.has_mss && !o.has_window_scale && !o.has_timestamps &&
          !o.has_fast_open);
    CHECK_EQUAL(o.sack_count, 0);
    CHECK(o.has_sack_permitted);
}

static void nothing_counts_behind_the_end_of_options(void)
{
    static const uint8_t bytes[] = {1, 1, 0, 2, 4, 5, 0xb4, 8};
    struct tcp_options o;
    CHECK_EQUAL(tcp_options_parse(bytes, sizeof bytes, &o), 0);
    CHECK(!o.has_mss);
}

static void unknown_options_are_skipped(void)
{
    static const uint8_t bytes[] = {253, 6, 1, 2, 3, 4, 254, 6,
                                    1,   2, 3, 4, 4, 2, 1,   1};
    struct tcp_options o;
    CHECK_EQUAL(tcp_options_parse(bytes, sizeof bytes, &o), 0);
    CHECK(o.has_sack_permitted && !o.has_fast_open);
}

static void fast_open_in_both_encodings(void)
{
    static const uint8_t request[] = {34, 2, 1, 1};
    static const uint8_t cookie[] = {254, 12, 0xf9, 0x89, 1, 2,
                                     3,   4,  5,    6,    7, 8};
    struct tcp_options o;
    CHECK_EQUAL(tcp_options_parse(request, sizeof request, &o), 0);
    CHECK(o.has_fast_open && !o.fast_open_is_experimental);
    CHECK_EQUAL(o.cookie_length, 0);
    CHECK_EQUAL(tcp_options_parse(cookie, sizeof cookie, &o), 0);
    CHECK(o.has_fast_open && o.fast_open_is_experimental);
    CHECK_EQUAL(o.cookie_length, 8);
    CHECK_BYTES(o.cookie, cookie + 4, 8);
}

// --- Emitting options ------------------------------------------------------

static void emit_writes_the_syn_of_linux(void)
{
    struct tcp_options o;
    uint8_t out[40];
    tcp_options_parse(syn + 20, 20, &o);
    CHECK_EQUAL(tcp_options_emit(&o, out), 20);
    CHECK_BYTES(out, syn + 20, 20);
}

static void emit_aligns_with_nops(void)
{
    static const uint8_t expected[] = {1, 1, 8, 10, 0, 0, 0, 5, 0, 0, 0, 6};
    struct tcp_options o = {
        .has_timestamps = true, .ts_value = 5, .ts_echo = 6};
    uint8_t out[40];
    CHECK_EQUAL(tcp_options_emit(&o, out), 12);
    CHECK_BYTES(out, expected, 12);
    o = (struct tcp_options){.has_sack_permitted = true};
    CHECK_EQUAL(tcp_options_emit(&o, out), 4);
    CHECK_BYTES(out, "\1\1\4\2", 4);
    o = (struct tcp_options){0};
    CHECK_EQUAL(tcp_options_emit(&o, out), 0);
}

// MSS, a NOP, window scale, SACK permitted, timestamps: each on its boundary.
static void emit_bsd_has_the_order_of_bsd(void)
{
    static const uint8_t expected[] = {2, 4,  5, 0xb4, 1, 3, 3, 6, 4, 2,
                                       8, 10, 0, 0,    0, 5, 0, 0, 0, 6};
    struct tcp_options o = {.has_mss = true,
                            .mss = 1460,
                            .has_window_scale = true,
                            .window_scale = 6,
                            .has_sack_permitted = true,
                            .has_timestamps = true,
                            .ts_value = 5,
                            .ts_echo = 6};
    uint8_t out[40];
    CHECK_EQUAL(tcp_options_emit_bsd(&o, out), 20);
    CHECK_BYTES(out, expected, 20);
}

// BSD ends the list instead of filling up with NOPs.
static void emit_bsd_ends_the_list(void)
{
    static const uint8_t expected[] = {2, 4, 5, 0xb4, 4, 2, 0, 0};
    struct tcp_options o = {
        .has_mss = true, .mss = 1460, .has_sack_permitted = true};
    uint8_t out[40];
    CHECK_EQUAL(tcp_options_emit_bsd(&o, out), 8);
    CHECK_BYTES(out, expected, 8);
}

static void emit_bsd_leaves_out_sack_blocks_that_do_not_fit(void)
{
    struct tcp_options o = {.has_timestamps = true, .sack_count = 4};
    struct tcp_options read;
    uint8_t out[40];
    for (uint32_t i = 0; i < 4; i++)
        o.sack[i] = (struct tcp_sack_block){100 * i, 100 * i + 50};
    size_t length = tcp_options_emit_bsd(&o, out);
    CHECK_EQUAL(length, 12 + 4 + 3 * 8);
    CHECK_EQUAL(tcp_options_parse(out, length, &read), 0);
    CHECK_EQUAL(read.sack_count, 3);
    CHECK_EQUAL(read.sack[2].start, 200);
}

static void emit_leaves_out_sack_blocks_that_do_not_fit(void)
{
    struct tcp_options o = {.has_timestamps = true, .sack_count = 4}, parsed;
    uint8_t out[40];
    for (uint32_t i = 0; i < 4; i++)
        o.sack[i] = (struct tcp_sack_block){100 * i, 100 * i + 50};
    CHECK_EQUAL(tcp_options_emit(&o, out), 12 + 4 + 3 * 8);
    CHECK_EQUAL(tcp_options_parse(out, 40, &parsed), 0);
    CHECK_EQUAL(parsed.sack_count, 3);
    CHECK_EQUAL(parsed.sack[2].end, 250);
    o.has_timestamps = false;
    CHECK_EQUAL(tcp_options_emit(&o, out), 4 + 4 * 8);
    CHECK_EQUAL(tcp_options_parse(out, 36, &parsed), 0);
    CHECK_EQUAL(parsed.sack_count, 4);
    CHECK_EQUAL(parsed.sack[3].start, 300);
}

static void emit_never_writes_more_than_forty_bytes(void)
{
    for (unsigned choice = 0; choice < 64; choice++) {
        struct tcp_options o = {
            .has_mss = choice & 1,
            .has_sack_permitted = choice & 2,
            .has_timestamps = choice & 4,
            .has_window_scale = choice & 8,
            .has_fast_open = choice & 16,
            .cookie_length = 16,
            .sack_count = choice & 32 ? 4 : 0,
        };
        uint8_t out[44];
        memset(out, 0xcc, sizeof out);
        size_t length = tcp_options_emit(&o, out);
        CHECK(length <= 40 && length % 4 == 0);
        for (size_t i = length; i < sizeof out; i++)
            CHECK_EQUAL(out[i], 0xcc);
        struct tcp_options parsed;
        CHECK_EQUAL(tcp_options_parse(out, length, &parsed), 0);
        CHECK_EQUAL(parsed.has_mss, o.has_mss);
        CHECK_EQUAL(parsed.has_timestamps, o.has_timestamps);
        CHECK_EQUAL(parsed.has_sack_permitted, o.has_sack_permitted);
        CHECK_EQUAL(parsed.has_window_scale, o.has_window_scale);
        CHECK_EQUAL(parsed.has_fast_open, o.has_fast_open);
    }
}

static void emit_pads_a_cookie(void)
{
    struct tcp_options o = {.has_fast_open = true,
                            .cookie_length = 8,
                            .cookie = {1, 2, 3, 4, 5, 6, 7, 8}};
    static const uint8_t plain[] = {34, 10, 1, 2, 3, 4, 5, 6, 7, 8, 1, 1};
    static const uint8_t experimental[] = {254, 12, 0xf9, 0x89, 1, 2,
                                           3,   4,  5,    6,    7, 8};
    uint8_t out[40];
    CHECK_EQUAL(tcp_options_emit(&o, out), 12);
    CHECK_BYTES(out, plain, 12);
    o.fast_open_is_experimental = true;
    CHECK_EQUAL(tcp_options_emit(&o, out), 12);
    CHECK_BYTES(out, experimental, 12);
}

const struct unit_test suite_tcp_wire[] = {
    UNIT(parse_reads_each_field),
    UNIT(parse_refuses_every_shorter_length),
    UNIT(parse_refuses_a_data_offset_below_five),
    UNIT(emit_gives_back_what_was_parsed),
    UNIT(checksum_covers_header_payload_and_addresses),
    UNIT(flags_are_written_as_tcpdump_does),
    UNIT(sequence_numbers_compare_across_the_wrap),
    UNIT(options_of_a_syn_of_linux),
    UNIT(what_stands_before_a_malformed_option_counts),
    UNIT(every_cut_of_the_options_is_survived),
    UNIT(known_options_of_a_wrong_length_are_skipped),
    UNIT(nothing_counts_behind_the_end_of_options),
    UNIT(unknown_options_are_skipped),
    UNIT(fast_open_in_both_encodings),
    UNIT(emit_writes_the_syn_of_linux),
    UNIT(emit_aligns_with_nops),
    UNIT(emit_bsd_has_the_order_of_bsd),
    UNIT(emit_bsd_ends_the_list),
    UNIT(emit_bsd_leaves_out_sack_blocks_that_do_not_fit),
    UNIT(emit_leaves_out_sack_blocks_that_do_not_fit),
    UNIT(emit_never_writes_more_than_forty_bytes),
    UNIT(emit_pads_a_cookie),
    {0},
};
