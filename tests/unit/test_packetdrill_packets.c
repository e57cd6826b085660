// Tests of packets between a script and the stack: numbers, bytes, texts.
// SPDX-License-Identifier: MIT

#include "tests/unit/unit.h"

#include "sim/packetdrill/packets/packets.h"
#include "stack/wire/bytes.h"
#include "stack/wire/ipv4.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct script script;
static uint8_t bytes[PACKET_MAX_BUILT];

static const struct script_packet *parse(const char *line)
{
    struct script_error error;
    char text[300];

    snprintf(text, sizeof(text), "0 %s\n", line);
    CHECK_EQUAL(script_parse("t", text, NULL, 0, &script, &error),
                SCRIPT_PARSED);
    CHECK_FATAL(script.events != NULL);
    return script.events->packet;
}

static struct flow a_flow(void)
{
    struct flow flow;

    memset(&flow, 0, sizeof(flow));
    flow.local.addr = ip_addr_v4(192, 168, 0, 1);
    flow.local.port = 8080;
    flow.remote.addr = ip_addr_v4(192, 0, 2, 1);
    flow.remote.port = 4242;
    return flow;
}

// Builds an injected packet and decodes it as if the stack had sent it.
static struct live_packet build(struct flow *flow, const char *line)
{
    struct live_packet packet;
    size_t length = packet_build(flow, parse(line), bytes);

    CHECK_FATAL(length > 0);
    CHECK(packet_decode(bytes, length, &packet));
    script_fini(&script);
    return packet;
}

// A segment of the stack's own, with wire numbers as given.
static struct live_packet sent(uint8_t flags, uint32_t seq, uint32_t ack,
                               uint32_t payload)
{
    struct live_packet packet;

    memset(&packet, 0, sizeof(packet));
    packet.protocol = IP_PROTOCOL_TCP;
    packet.tcp.flags = flags;
    packet.tcp.seq = seq;
    packet.tcp.ack = ack;
    packet.tcp.window = 100;
    packet.payload = payload;
    return packet;
}

static struct comparison compare(const char *line, struct live_packet *packet,
                                 struct flow *flow)
{
    const struct compare_rules rules = {0};
    const struct script_packet *expected = parse(line);

    flow_learn_outbound(flow, &expected->tcp, packet);
    flow_map_outbound(flow, packet);
    struct comparison result = packet_compare(expected, packet, flow, &rules);
    flow_note_timestamp(flow, &expected->tcp.options, &packet->options);
    script_fini(&script);
    return result;
}

static void an_injected_segment_has_right_bytes(void)
{
    struct flow flow = a_flow();
    struct live_packet p = build(
        &flow, "< S 7:7(0) win 999 <mss 1000,sackOK,TS val 3 ecr 0,nop,wscale "
               "7>");

    CHECK_EQUAL(p.from.port, 4242);
    CHECK_EQUAL(p.to.port, 8080);
    CHECK_EQUAL(p.tcp.seq, 7);
    CHECK_EQUAL(p.tcp.flags, TCP_SYN);
    CHECK_EQUAL(p.tcp.window, 999);
    CHECK_EQUAL(p.options.count, 5);
    CHECK(tcp_checksum_is_good(bytes + 20, 40, &p.from.addr, &p.to.addr));
    CHECK(flow.has_remote_isn);
}

static void payload_options_and_ip_fields_are_there(void)
{
    struct flow flow = a_flow();
    struct live_packet p =
        build(&flow, "< (tos 0x20) [ect0] P. 1:101(100) ack 1 win 9 <nop,nop,"
                     "sack 1:2>");

    CHECK_EQUAL(p.payload, 100);
    CHECK_EQUAL(p.tos, 0x22);
    CHECK_EQUAL(p.tcp.header_length, 32);
    CHECK_EQUAL(p.options.list[2].sack[0].end, 2);
}

static void odd_options_are_padded_to_whole_words(void)
{
    struct flow flow = a_flow();
    struct live_packet p = build(&flow, "< S 0:0(0) win 9 <mss 9,wscale 3>");

    CHECK_EQUAL(p.tcp.header_length, 28);
    CHECK_EQUAL(p.options.list[2].kind, SCRIPT_OPTION_EOL);
}

static void zero_is_the_initial_sequence_number_behind_the_syn(void)
{
    struct flow flow = a_flow();
    struct live_packet p;

    build(&flow, "< S 5000:5000(0) win 9");
    p = sent(TCP_SYN | TCP_ACK, 777000, 5001, 0);
    CHECK_EQUAL(compare("> S. 0:0(0) ack 5001", &p, &flow).differs, 0);
    p = build(&flow, "< . 1:1(0) ack 1 win 9 <sack 11:21,nop,nop>");
    CHECK_EQUAL(p.tcp.seq, 5001);
    CHECK_EQUAL(p.tcp.ack, 777001);
    CHECK_EQUAL(p.options.list[0].sack[0].start, 777011);
    p = sent(TCP_ACK, 777001, 5011, 0);
    CHECK_EQUAL(compare("> . 1:1(0) ack 11", &p, &flow).differs, 0);
}

static void numbers_wrap(void)
{
    struct flow flow = a_flow();
    struct live_packet p = sent(TCP_SYN, UINT32_MAX - 1, 0, 0);

    CHECK_EQUAL(compare("> S 0:0(0)", &p, &flow).differs, 0);
    p = sent(TCP_ACK, 9, 0, 10);
    CHECK_EQUAL(compare("> . 11:21(10)", &p, &flow).differs, 0);
}

static void an_absolute_number_is_not_mapped(void)
{
    struct flow flow = a_flow();
    struct live_packet p = sent(TCP_SYN, 123456, 0, 0);

    compare("> S 0:0(0)", &p, &flow);
    p = sent(TCP_RST, 0, 0, 0);
    CHECK_EQUAL(compare("> R 0:0(0)!", &p, &flow).differs, 0);
    p = sent(TCP_RST, 1, 0, 0);
    CHECK(compare("> R 0:0(0)!", &p, &flow).differs != 0);
}

static void echoed_timestamps_become_those_on_the_wire(void)
{
    struct flow flow = a_flow();
    struct live_packet p = sent(TCP_SYN, 1, 0, 0);

    p.options.count = 1;
    p.options.list[0].kind = SCRIPT_OPTION_TIMESTAMP;
    p.options.list[0].value = 998877;
    CHECK_EQUAL(compare("> S 0:0(0) <TS val 100 ecr 0>", &p, &flow).differs, 0);
    p = build(&flow, "< S. 0:0(0) ack 1 win 9 <TS val 200 ecr 100,nop,nop>");
    CHECK_EQUAL(p.options.list[0].value, 200);
    CHECK_EQUAL(p.options.list[0].echo, 998877);
}

static void differences_are_found_field_by_field(void)
{
    struct flow flow = a_flow();
    struct live_packet p = sent(TCP_ACK, 1, 1, 10);
    struct comparison c = compare("> . 1:11(10) ack 2 win 99", &p, &flow);

    CHECK_EQUAL(c.differs, 1u << FIELD_ACK | 1u << FIELD_WINDOW);
    CHECK(!c.only_push);
    p = sent(TCP_ACK, 1, 1, 10);
    c = compare("> P. 1:11(10) ack 1", &p, &flow);
    CHECK_EQUAL(c.differs, 1u << FIELD_FLAGS);
    CHECK(c.only_push);
    p = sent(TCP_ACK, 1, 1, 9);
    CHECK_EQUAL(compare("> . 1:11(10) ack 1", &p, &flow).differs,
                1u << FIELD_SEQUENCE);
    p = sent(TCP_ACK, 1, 1, 0);
    CHECK_EQUAL(compare("> . 1:1(0) ack 1 <nop>", &p, &flow).differs,
                1u << FIELD_OPTIONS);
    p = sent(TCP_ACK, 1, 1, 0);
    CHECK_EQUAL(compare("> [ce] . 1:1(0) ack 1", &p, &flow).differs,
                1u << FIELD_IP);
}

static void what_a_script_leaves_out_is_not_checked(void)
{
    struct flow flow = a_flow();
    struct live_packet p = sent(TCP_ACK, 1, 77, 0);

    p.options.count = 1;
    p.options.list[0].kind = SCRIPT_OPTION_MSS;
    CHECK_EQUAL(compare("> . 1:1(0) <...>", &p, &flow).differs, 0);
    p = sent(TCP_ACK, 1, 77, 0);
    p.options.count = 1;
    CHECK(compare("> . 1:1(0)", &p, &flow).differs != 0);
}

static void an_icmp_error_quotes_our_segment(void)
{
    struct flow flow = a_flow();
    struct live_packet p = sent(TCP_SYN, 5000, 0, 0);

    compare("> S 0:0(0)", &p, &flow);
    size_t length = packet_build(
        &flow, parse("< icmp unreachable frag_needed mtu 1200 [1:101(100)]"),
        bytes);
    script_fini(&script);
    CHECK_EQUAL(length, 20 + 8 + 20 + 20);
    CHECK_EQUAL(bytes[20], 3);
    CHECK_EQUAL(bytes[21], 4);
    CHECK_EQUAL(get_be16(bytes + 26), 1200);
    CHECK_EQUAL(get_be16(bytes + 48), 8080);
    CHECK_EQUAL(get_be32(bytes + 52), 5001);
}

static void icmp_words_depend_on_the_family(void)
{
    CHECK(packet_unsupported(parse("< icmp source_quench"), IP_V4) == NULL);
    script_fini(&script);
    CHECK(packet_unsupported(parse("< icmp source_quench"), IP_V6) != NULL);
    script_fini(&script);
    CHECK(packet_unsupported(parse("< icmp packet_too_big mtu 1280"), IP_V6) ==
          NULL);
    script_fini(&script);
    CHECK(packet_unsupported(parse("< icmp unreachable nonsense"), IP_V4) !=
          NULL);
    script_fini(&script);
}

static void packets_are_written_as_scripts_write_them(void)
{
    static const char *const lines[] = {
        "< S 0:0(0) win 9 <mss 1000,sackOK,TS val 3 ecr 0,nop,wscale 7>",
        "> FP. 1:11(10) ack 5 win 7 urg 3 <nop,nop,sack 1:2 3:4>",
        "> [ce] . 1:1(0) ack 1",
        "> S. ...(0) ack 1 <...>",
        "< . 1:1(0) ack 1 win 5 <FO 12ab,FOEXP 0102,eol>",
        "< icmp unreachable port_unreachable [1:2(1)]",
    };

    for (size_t i = 0; i < ARRAY_LENGTH(lines); i++) {
        char *text = NULL;
        size_t size = 0;
        FILE *out = open_memstream(&text, &size);

        packet_print_script(out, parse(lines[i]));
        fclose(out);
        CHECK_TEXT(text, lines[i]);
        free(text);
        script_fini(&script);
    }
}

static void a_difference_is_marked_beneath_its_column(void)
{
    struct flow flow = a_flow();
    struct live_packet p = sent(TCP_ACK, 1, 1, 0);
    struct comparison c = {.differs = 1u << FIELD_ACK};
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    (void)flow;
    packet_print_comparison(out, parse("> . 1:1(0) ack 100 win 100"), &p, &c);
    fclose(out);
    CHECK_TEXT(text, "    expected  > . 1:1(0) ack 100 win 100 <>\n"
                     "    actual    > . 1:1(0) ack 1   win 100 <>\n"
                     "                         ^^^^^^^\n");
    free(text);
    script_fini(&script);
}

const struct unit_test suite_packetdrill_packets[] = {
    UNIT(an_injected_segment_has_right_bytes),
    UNIT(payload_options_and_ip_fields_are_there),
    UNIT(odd_options_are_padded_to_whole_words),
    UNIT(zero_is_the_initial_sequence_number_behind_the_syn),
    UNIT(numbers_wrap),
    UNIT(an_absolute_number_is_not_mapped),
    UNIT(echoed_timestamps_become_those_on_the_wire),
    UNIT(differences_are_found_field_by_field),
    UNIT(what_a_script_leaves_out_is_not_checked),
    UNIT(an_icmp_error_quotes_our_segment),
    UNIT(icmp_words_depend_on_the_family),
    UNIT(packets_are_written_as_scripts_write_them),
    UNIT(a_difference_is_marked_beneath_its_column),
    {0},
};
