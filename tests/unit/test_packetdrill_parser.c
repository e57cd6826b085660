// Tests of the packetdrill language: every form that a script may take.
// SPDX-License-Identifier: MIT

#include "tests/unit/unit.h"

#include "sim/packetdrill/language/ast.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static struct script script;
static struct script_error error;

static enum script_outcome
parse_with(const char *text, const struct script_define *defines, size_t count)
{
    memset(&error, 0, sizeof(error));
    return script_parse("test.pkt", text, defines, count, &script, &error);
}

static enum script_outcome parse(const char *text)
{
    return parse_with(text, NULL, 0);
}

static const struct script_event *event(unsigned n)
{
    const struct script_event *e = script.events;

    while (e != NULL && n-- > 0)
        e = e->next;
    CHECK_FATAL(e != NULL);
    return e;
}

static void rejects(const char *text, int line, const char *part)
{
    CHECK_EQUAL(parse(text), SCRIPT_MISTAKEN);
    CHECK_EQUAL(error.line, line);
    CHECK(strstr(error.message, part) != NULL);
    if (strstr(error.message, part) == NULL)
        CHECK_TEXT(error.message, part);
    script_fini(&script);
}

static void an_empty_script_has_no_events(void)
{
    CHECK_EQUAL(parse("// nothing\n/* at\n all */\n"), SCRIPT_PARSED);
    CHECK_EQUAL(script.event_count, 0);
    script_fini(&script);
}

static void options_have_a_name_and_maybe_a_value(void)
{
    CHECK_EQUAL(parse("--ip_version=ipv6\n--strict_segments\n"
                      "--remote_ip=\"192.0.2.9\"\n--local_ip=fd::1\n"),
                SCRIPT_PARSED);
    const struct script_setting *s = script.settings;
    CHECK_TEXT(s->name, "ip_version");
    CHECK_TEXT(s->value, "ipv6");
    CHECK_TEXT(s->next->name, "strict_segments");
    CHECK_TEXT(s->next->value, "");
    CHECK_TEXT(s->next->next->value, "192.0.2.9");
    CHECK_TEXT(s->next->next->next->value, "fd::1");
    CHECK_EQUAL(s->next->next->next->line, 4);
    script_fini(&script);
}

static void times_are_absolute_relative_any_ranges_or_with_an_end(void)
{
    CHECK_EQUAL(parse("1.5 `x`\n+.25 `x`\n+0 `x`\n* `x`\n+.3~+.31 `x`\n"
                      "0.1...0.25 read(3, ..., 1) = 1\n"
                      "0...2 read(3, ..., 1) = 1\n`x`\n"),
                SCRIPT_PARSED);
    CHECK_EQUAL(event(0)->time.kind, SCRIPT_TIME_ABSOLUTE);
    CHECK_EQUAL(event(0)->time.start, 1500 * NS_PER_MS);
    CHECK_EQUAL(event(1)->time.kind, SCRIPT_TIME_RELATIVE);
    CHECK_EQUAL(event(1)->time.start, 250 * NS_PER_MS);
    CHECK_EQUAL(event(2)->time.start, 0);
    CHECK_EQUAL(event(3)->time.kind, SCRIPT_TIME_ANY);
    CHECK_EQUAL(event(4)->time.start, 300 * NS_PER_MS);
    CHECK_EQUAL(event(4)->time.latest, 310 * NS_PER_MS);
    CHECK_EQUAL(event(5)->time.start, 100 * NS_PER_MS);
    CHECK_EQUAL(event(5)->time.call_end, 250 * NS_PER_MS);
    CHECK_EQUAL(event(6)->time.call_end, 2 * NS_PER_S);
    CHECK_EQUAL(event(7)->time.kind, SCRIPT_TIME_RELATIVE);
    script_fini(&script);
}

static void a_segment_has_flags_numbers_and_fields(void)
{
    CHECK_EQUAL(parse("0 < P. 1:1001(1000) ack 7 win 257 urg 3\n"
                      "0 > FEW. 9:9(0)! ack 2\n0 < - 1:1(0) win 0\n"
                      "0 > S.  ...(0) ack 5 <...>\n"),
                SCRIPT_PARSED);
    const struct script_packet *p = event(0)->packet;
    CHECK(p->is_inbound && !p->is_icmp);
    CHECK_EQUAL(p->tcp.flags, TCP_PSH | TCP_ACK);
    CHECK_EQUAL(p->tcp.sequence.start, 1);
    CHECK_EQUAL(p->tcp.sequence.length, 1000);
    CHECK(p->tcp.has_ack && p->tcp.has_window && p->tcp.has_urgent);
    CHECK_EQUAL(p->tcp.ack, 7);
    CHECK_EQUAL(p->tcp.window, 257);
    CHECK_EQUAL(p->tcp.urgent, 3);
    p = event(1)->packet;
    CHECK(!p->is_inbound && p->tcp.is_absolute && !p->tcp.has_window);
    CHECK_EQUAL(p->tcp.flags, TCP_FIN | TCP_ECE | TCP_CWR | TCP_ACK);
    CHECK_EQUAL(p->tcp.options.count, 0);
    CHECK(!p->tcp.options.is_any);
    CHECK_EQUAL(event(2)->packet->tcp.flags, 0);
    CHECK(event(3)->packet->tcp.has_any_sequence);
    CHECK(event(3)->packet->tcp.options.is_any);
    script_fini(&script);
}

static void tcp_options_keep_their_order(void)
{
    const struct script_define cookie = {"COOKIE", "0a0b"};

    CHECK_EQUAL(parse_with("0 < S 0:0(0) win 1 <mss 1000, sackOK,TS val 5 ecr 6"
                           ",nop,wscale 7,FO 1234abcd,FOEXP COOKIE,FO,eol>\n"
                           "0 < . 1:1(0) ack 1 win 1 <sack 1:2 5:9,nop,nop>",
                           &cookie, 1),
                SCRIPT_PARSED);
    const struct script_options *o = &event(0)->packet->tcp.options;
    CHECK_EQUAL(o->count, 9);
    CHECK_EQUAL(o->list[0].kind, SCRIPT_OPTION_MSS);
    CHECK_EQUAL(o->list[0].value, 1000);
    CHECK_EQUAL(o->list[2].value, 5);
    CHECK_EQUAL(o->list[2].echo, 6);
    CHECK_EQUAL(o->list[4].value, 7);
    CHECK_EQUAL(o->list[5].count, 4);
    CHECK_BYTES(o->list[5].cookie, "\x12\x34\xab\xcd", 4);
    CHECK_EQUAL(o->list[6].kind, SCRIPT_OPTION_FAST_OPEN_EXP);
    CHECK_BYTES(o->list[6].cookie, "\x0a\x0b", 2);
    CHECK_EQUAL(o->list[7].count, 0);
    CHECK_EQUAL(o->list[8].kind, SCRIPT_OPTION_EOL);
    o = &event(1)->packet->tcp.options;
    CHECK_EQUAL(o->list[0].count, 2);
    CHECK_EQUAL(o->list[0].sack[1].start, 5);
    CHECK_EQUAL(o->list[0].sack[1].end, 9);
    script_fini(&script);
}

static void ip_fields_stand_before_the_flags(void)
{
    CHECK_EQUAL(parse("0 > (tos 0x20) . 1:1(0) ack 1\n"
                      "0 > (hlim 4) R 1:1(0)\n0 < [ce] . 1:1(0) ack 1 win 9\n"
                      "0 > [noecn] . 1:1(0) ack 1\n"),
                SCRIPT_PARSED);
    CHECK_EQUAL(event(0)->packet->tos, 0x20);
    CHECK_EQUAL(event(0)->packet->ttl, -1);
    CHECK_EQUAL(event(1)->packet->ttl, 4);
    CHECK_EQUAL(event(2)->packet->ecn, SCRIPT_ECN_CE);
    CHECK_EQUAL(event(3)->packet->ecn, SCRIPT_ECN_NONE);
    script_fini(&script);
}

static void an_icmp_message_quotes_before_or_behind(void)
{
    const struct script_define code = {"CODE", "host_unreachable"};

    CHECK_EQUAL(
        parse_with("0 < [1:1461(1460)] icmp unreachable frag_needed mtu 1200\n"
                   "0 < icmp unreachable CODE [5:10(5)]\n"
                   "0 < icmp source_quench\n0 < icmp type_9 code_255\n"
                   "0 < icmp unreachable [5:6(1)]\n",
                   &code, 1),
        SCRIPT_PARSED);
    const struct script_icmp *icmp = &event(0)->packet->icmp;
    CHECK_TEXT(icmp->type, "unreachable");
    CHECK_TEXT(icmp->code, "frag_needed");
    CHECK_EQUAL(icmp->mtu, 1200);
    CHECK_EQUAL(icmp->quotation.length, 1460);
    icmp = &event(1)->packet->icmp;
    CHECK_TEXT(icmp->code, "host_unreachable");
    CHECK_EQUAL(icmp->quotation.start, 5);
    CHECK(event(2)->packet->icmp.code == NULL);
    CHECK(!event(2)->packet->icmp.has_quotation);
    CHECK_TEXT(event(3)->packet->icmp.type, "type_9");
    CHECK(event(4)->packet->icmp.code == NULL);
    CHECK(event(4)->packet->icmp.has_quotation);
    script_fini(&script);
}

static void a_call_has_arguments_a_result_and_an_error(void)
{
    CHECK_EQUAL(
        parse("0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n"
              "0 fcntl(3, F_GETFL) = 0x2 (flags O_RDWR)\n"
              "0 fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0\n"
              "0 read(3, ..., 10) = -1 EAGAIN (try again)\n"
              "0 write(3, ..., 10) = -1 EPIPE(gone)\n"
              "0 write(3, ..., 10) = ?\n"
              "0 setsockopt(3, SOL_SOCKET, SO_LINGER, {onoff=1, linger=0}, 8)"
              " = 0\n0 getsockopt(3, SOL_SOCKET, SO_ERROR, [ECONNRESET], [4])"
              " = 0\n"),
        SCRIPT_PARSED);
    const struct script_call *c = event(0)->call;
    CHECK_TEXT(c->name, "socket");
    CHECK_EQUAL(c->arguments->kind, SCRIPT_VALUE_ELLIPSIS);
    CHECK_EQUAL(c->arguments->next->integer, 1);
    CHECK_EQUAL(c->result, 3);
    CHECK_EQUAL(event(1)->call->result, 2);
    CHECK_EQUAL(event(2)->call->arguments->next->next->integer, 04002);
    CHECK_EQUAL(event(3)->call->result, -1);
    CHECK_TEXT(event(3)->call->error, "EAGAIN");
    CHECK_TEXT(event(4)->call->error, "EPIPE");
    CHECK(event(5)->call->has_any_result);
    const struct script_value *linger =
        event(6)->call->arguments->next->next->next;
    CHECK_EQUAL(linger->kind, SCRIPT_VALUE_STRUCT);
    CHECK_TEXT(linger->items->field, "onoff");
    CHECK_EQUAL(linger->items->integer, 1);
    CHECK_TEXT(linger->items->next->field, "linger");
    const struct script_value *list =
        event(7)->call->arguments->next->next->next;
    CHECK_EQUAL(list->items->integer, ECONNRESET);
    script_fini(&script);
}

static void a_message_has_named_parts_and_vectors(void)
{
    CHECK_EQUAL(parse("0 sendmsg(4, {msg_name(...)=...,\n"
                      " msg_iov(2)=[{..., 5}, {..., 7}], msg_flags=0},\n"
                      " MSG_MORE) = 12\n"),
                SCRIPT_PARSED);
    const struct script_value *message = event(0)->call->arguments->next;
    CHECK_TEXT(message->items->field, "msg_name");
    const struct script_value *vector = message->items->next;
    CHECK_TEXT(vector->field, "msg_iov");
    CHECK_EQUAL(vector->items->items->next->integer, 5);
    CHECK_EQUAL(vector->items->next->items->next->integer, 7);
    script_fini(&script);
}

static void shell_lines_and_code_are_kept_as_they_are(void)
{
    CHECK_EQUAL(parse("`a b\n c`\n+0 %{ assert x == 1 # so\n}%\n"),
                SCRIPT_PARSED);
    CHECK_EQUAL(event(0)->kind, SCRIPT_SHELL);
    CHECK_TEXT(event(0)->text, "a b\n c");
    CHECK_EQUAL(event(1)->kind, SCRIPT_CODE);
    CHECK_EQUAL(event(1)->line, 3);
    script_fini(&script);
}

static void ifdef_chooses_by_what_is_defined(void)
{
    static const char text[] = "#ifdef A\n0 `a`\n#ifdef B\n0 `b`\n#endif\n"
                               "#else\n0 `c`\n#endif\n#ifndef A\n0 `d`\n#endif"
                               "\n0 `e`\n";
    const struct script_define a = {"A", ""};

    CHECK_EQUAL(parse_with(text, &a, 1), SCRIPT_PARSED);
    CHECK_EQUAL(script.event_count, 2);
    CHECK_TEXT(event(0)->text, "a");
    CHECK_TEXT(event(1)->text, "e");
    CHECK_EQUAL(event(1)->line, 12);
    script_fini(&script);
    CHECK_EQUAL(parse(text), SCRIPT_PARSED);
    CHECK_EQUAL(script.event_count, 3);
    CHECK_TEXT(event(0)->text, "c");
    CHECK_TEXT(event(1)->text, "d");
    script_fini(&script);
}

static void mistakes_are_told_with_their_line(void)
{
    rejects("0 < P. 1:1001(999) ack 1 win 9\n", 1, "not 999 bytes");
    rejects("\n0 read(3, ..., 10)\n", 3, "expected '='");
    rejects("0 > S 0:0(0) <mss>\n", 1, "mss");
    rejects("0 > S 0:0(0) <mss 70000>\n", 1, "at most 65535");
    rejects("read(3) = 1\n", 1, "expected a time");
    rejects("0 `unfinished\n", 2, "without a second");
    rejects("0 %{ x\n", 2, "without }%");
    rejects("#ifdef X\n0 `a`\n", 3, "without #endif");
    rejects("/* no end\n", 2, "comment without end");
    rejects("+.1...0.2 > . 1:1(0) ack 1\n", 1, "end time");
    rejects("0 > . 1:1(0) ack 99999999999\n", 1, "at most");
    rejects("0 > . 1:1(0) ack 99999999999999999999\n", 1, "too large");
    rejects("0 > 1:1(0) ack 1\n", 1, "flags");
    rejects("0 < [xyz] . 1:1(0)\n", 1, "ect0");
}

static void nesting_is_bounded(void)
{
    char text[300] = "0 f(";

    memset(text + 4, '[', 200);
    rejects(text, 1, "nested too deeply");
}

static void what_is_left_out_is_no_mistake(void)
{
    CHECK_EQUAL(parse("0 < udp (10)\n"), SCRIPT_UNSUPPORTED);
    script_fini(&script);
    CHECK_EQUAL(parse("0 < S 0:0(0) win 1 <mptcp>\n"), SCRIPT_UNSUPPORTED);
    script_fini(&script);
    CHECK_EQUAL(parse("0 < S 0:0(0) win 1 <FO COOKIE1>\n"), SCRIPT_MISTAKEN);
    script_fini(&script);
    CHECK_EQUAL(parse("0 < S 0:0(0) win 1 <FO COOKIE>\n"), SCRIPT_UNSUPPORTED);
    script_fini(&script);
}

static void every_beginning_of_a_script_ends_in_an_answer(void)
{
    static const char text[] =
        "--a=b\n`sysctl -q x=1`\n0.1 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3"
        "\n+0...0.1 sendmsg(3, {msg_iov(1)=[{..., 4}]}, A|B) = -1 EPIPE (x)\n"
        "+0~+.1 > (tos 1) [ce] S. 0:0(0) ack 1 win 9 <mss 1,TS val 1 ecr 2,"
        "sack 1:2,FO 12>\n* < icmp unreachable code_1 mtu 9 [1:2(1)]\n"
        "#ifdef X\n+0 %{ x }%\n#endif\n";
    char part[sizeof(text)];

    for (size_t length = 0; length < sizeof(text); length++) {
        memcpy(part, text, length);
        part[length] = '\0';
        parse(part);
        script_fini(&script);
    }
    CHECK_EQUAL(parse(text), SCRIPT_PARSED);
    script_fini(&script);
}

const struct unit_test suite_packetdrill_parser[] = {
    UNIT(an_empty_script_has_no_events),
    UNIT(options_have_a_name_and_maybe_a_value),
    UNIT(times_are_absolute_relative_any_ranges_or_with_an_end),
    UNIT(a_segment_has_flags_numbers_and_fields),
    UNIT(tcp_options_keep_their_order),
    UNIT(ip_fields_stand_before_the_flags),
    UNIT(an_icmp_message_quotes_before_or_behind),
    UNIT(a_call_has_arguments_a_result_and_an_error),
    UNIT(a_message_has_named_parts_and_vectors),
    UNIT(shell_lines_and_code_are_kept_as_they_are),
    UNIT(ifdef_chooses_by_what_is_defined),
    UNIT(mistakes_are_told_with_their_line),
    UNIT(nesting_is_bounded),
    UNIT(what_is_left_out_is_no_mistake),
    UNIT(every_beginning_of_a_script_ends_in_an_answer),
    {0},
};
