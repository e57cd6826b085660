// Tests of the packetdrill runner: outcomes, rules of time, what it tells.
// SPDX-License-Identifier: MIT

#include "tests/unit/unit.h"

#include "sim/packetdrill/packetdrill.h"

#include <string.h>

#define LISTEN                                                                 \
    "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n"                            \
    "+0 bind(3, ..., ...) = 0\n"                                               \
    "+0 listen(3, 1) = 0\n"
#define ESTABLISHED                                                            \
    LISTEN "+0 < S 0:0(0) win 30000 <mss 1000>\n"                              \
           "+0 > S. 0:0(0) ack 1 <mss 1460>\n"                                 \
           "+.1 < . 1:1(0) ack 1 win 30000\n"                                  \
           "+0 accept(3, ..., ...) = 4\n"
enum { LINES_BEFORE = 7 }; // of ESTABLISHED

static struct packetdrill_options options;
static struct packetdrill_result result;

static void run(const char *text)
{
    packetdrill_result_fini(&result);
    packetdrill_run_text("t.pkt", text, &options, &result);
}

static void begin(void)
{
    memset(&options, 0, sizeof(options));
    options.tolerance_us = PACKETDRILL_TOLERANCE_DEFAULT;
}

static void end(void)
{
    packetdrill_result_fini(&result);
    memset(&result, 0, sizeof(result));
}

static void passes(const char *text)
{
    begin();
    run(text);
    CHECK_EQUAL(result.outcome, PACKETDRILL_PASSED);
    if (result.outcome != PACKETDRILL_PASSED)
        CHECK_TEXT(result.summary, "");
    CHECK(result.passes_without_push);
    end();
}

static void fails(const char *text, int line, const char *part)
{
    begin();
    run(text);
    CHECK_EQUAL(result.outcome, PACKETDRILL_FAILED);
    CHECK_EQUAL(result.line, line);
    CHECK(strstr(result.summary, part) != NULL);
    if (strstr(result.summary, part) == NULL)
        CHECK_TEXT(result.summary, part);
    end();
}

static void is_not_runnable(const char *text, int line)
{
    begin();
    run(text);
    CHECK_EQUAL(result.outcome, PACKETDRILL_NOT_RUNNABLE);
    CHECK_EQUAL(result.line, line);
    end();
}

static void an_empty_script_passes(void) { passes(""); }

static void a_handshake_passes(void) { passes(ESTABLISHED); }

static void a_wrong_packet_fails_with_both_side_by_side(void)
{
    begin();
    run(LISTEN "+0 < S 0:0(0) win 30000 <mss 1000>\n"
               "+0 > S. 0:0(0) ack 2 <mss 1460>\n");
    CHECK_EQUAL(result.outcome, PACKETDRILL_FAILED);
    CHECK_EQUAL(result.line, 5);
    CHECK_FATAL(result.report != NULL);
    CHECK(strstr(result.report, "expected  > S. 0:0(0) ack 2") != NULL);
    CHECK(strstr(result.report, "actual    > S. 0:0(0) ack 1") != NULL);
    CHECK(strstr(result.report, "^^^^^") != NULL);
    CHECK(strstr(result.report, "< S 0:0(0) win 30000") != NULL);
    end();
}

static void a_packet_that_does_not_come_fails(void)
{
    fails(ESTABLISHED "+0 > . 1:1(0) ack 1\n", LINES_BEFORE + 1,
          "did not send");
}

static void an_unexpected_packet_is_noticed_by_the_next_expectation(void)
{
    fails(ESTABLISHED "+0 write(4, ..., 10) = 10\n"
                      "+0 write(4, ..., 1000) = 1000\n"
                      "+0 > P. 11:1011(1000) ack 1\n",
          LINES_BEFORE + 3, "another packet");
    passes(ESTABLISHED "+0 write(4, ..., 10) = 10\n"); // nobody asks
}

static void where_a_script_says_now_it_means_now(void)
{
    fails(ESTABLISHED "+0 write(4, ..., 10) = 10\n"
                      "+.001 > P. 1:11(10) ack 1\n",
          LINES_BEFORE + 2, "too early");
}

static void an_eighth_of_the_gap_is_tolerated(void)
{
    static const char late[] =
        "--tolerance_usecs=0\n" ESTABLISHED "+0 write(4, ..., 10) = 10\n"
        "+0 > P. 1:11(10) ack 1\n"
        "+.31 > P. 1:11(10) ack 1\n"; // it is .3
    passes(late);
    begin();
    options.tolerance_us = 5000; // a number counts alone
    run(late);
    CHECK_EQUAL(result.outcome, PACKETDRILL_FAILED);
    options.tolerance_us = 11000;
    run(late);
    CHECK_EQUAL(result.outcome, PACKETDRILL_PASSED);
    end();
}

static void the_tolerance_of_the_script_counts(void)
{
    static const char text[] = ESTABLISHED "+0 write(4, ..., 10) = 10\n"
                                           "+.003 > P. 1:11(10) ack 1\n";
    passes("--tolerance_usecs=3000\n" ESTABLISHED
           "+0 write(4, ..., 10) = 10\n+.003 > P. 1:11(10) ack 1\n");
    begin();
    run(text);
    CHECK_EQUAL(result.outcome, PACKETDRILL_FAILED);
    options.tolerance_us = PACKETDRILL_TOLERANCE_SCRIPT; // 4 ms
    run(text);
    CHECK_EQUAL(result.outcome, PACKETDRILL_PASSED);
    end();
}

static void ranges_and_any_time_are_as_they_say(void)
{
    passes(ESTABLISHED "+0 write(4, ..., 10) = 10\n"
                       "+0 > P. 1:11(10) ack 1\n"
                       "+.29~+.31 > P. 1:11(10) ack 1\n"
                       "* > P. 1:11(10) ack 1\n");
}

static void a_time_that_is_over_fails(void)
{
    fails(LISTEN "1 `sysctl -q net.ipv4.tcp_sack=1`\n"
                 "0.5 `sysctl -q net.ipv4.tcp_sack=1`\n",
          5, "is over");
}

static void consecutive_segments_are_joined(void)
{
    passes(ESTABLISHED "+0 write(4, ..., 3500) = 3500\n"
                       "+0 > P. 1:3501(3500) ack 1\n");
    fails("--strict_segments\n" ESTABLISHED "+0 write(4, ..., 3500) = 3500\n"
          "+0 > P. 1:3501(3500) ack 1\n",
          LINES_BEFORE + 3, "another packet");
}

static void push_alone_is_a_failure_of_its_own_kind(void)
{
    begin();
    run(ESTABLISHED "+0 write(4, ..., 10) = 10\n"
                    "+0 > . 1:11(10) ack 1\n");
    CHECK_EQUAL(result.outcome, PACKETDRILL_FAILED);
    CHECK_EQUAL(result.line, LINES_BEFORE + 2);
    CHECK(result.passes_without_push);
    end();
}

static void results_of_calls_are_compared(void)
{
    fails(ESTABLISHED "+0 write(4, ..., 10) = 11\n", LINES_BEFORE + 1,
          "write returned 10, expected 11");
    fails(ESTABLISHED "+0 fcntl(4, F_SETFL, O_NONBLOCK) = 0\n"
                      "+0 read(4, ..., 10) = -1 EPIPE (no)\n",
          LINES_BEFORE + 2, "read returned -1 EAGAIN, expected -1 EPIPE");
    fails(LISTEN "+0 close(9) = 0\n", 4, "close returned -1 EBADF");
    fails(ESTABLISHED "+0 getsockopt(4, SOL_TCP, TCP_NODELAY, [1], [4]) = 0\n",
          LINES_BEFORE + 1, "TCP_NODELAY is 0, expected 1");
}

static void a_blocking_call_ends_when_the_script_says(void)
{
    passes(ESTABLISHED "+0...0.1 read(4, ..., 10) = 10\n"
                       "+.1 < P. 1:11(10) ack 1 win 30000\n");
    fails(ESTABLISHED "+0...0.1 read(4, ..., 10) = 10\n"
                      "+.2 < P. 1:11(10) ack 1 win 30000\n",
          LINES_BEFORE + 1, "read ended at");
}

static void a_call_that_never_returns_ends_the_script(void)
{
    fails(ESTABLISHED "+0 read(4, ..., 10) = 10\n", LINES_BEFORE + 1,
          "never returned");
    fails(ESTABLISHED "+0...0.1 read(4, ..., 10) = 10\n", LINES_BEFORE + 1,
          "never returned");
}

static void assertions_are_about_the_connection(void)
{
    passes(ESTABLISHED "+0 %{ assert tcpi_snd_mss == 1000 }%\n");
    fails(ESTABLISHED "+0 %{ assert 1 == 1\nassert tcpi_snd_mss == 999 }%\n",
          LINES_BEFORE + 2, "tcpi_snd_mss = 1000");
    is_not_runnable(ESTABLISHED "+0 %{ assert tcpi_no_such == 1 }%\n",
                    LINES_BEFORE + 1);
}

static void what_the_runner_cannot_do_is_not_passed_over(void)
{
    is_not_runnable("`rm -rf /`\n", 1);
    is_not_runnable("`sysctl -q net.ipv4.no_such=1`\n", 1);
    is_not_runnable("\n`sysctl -w net.inet.tcp.insecure_rst=1`\n", 2);
    is_not_runnable(LISTEN "+0 fork() = 0\n", 4);
    is_not_runnable(
        LISTEN "+0 setsockopt(3, SOL_SOCKET, SO_NOSUCH, [1], 4) = 0\n", 4);
    is_not_runnable("--no_such_option=1\n", 1);
    is_not_runnable("0 < udp (10)\n", 1);
}

static void a_mistake_in_the_script_is_a_failure(void)
{
    fails("0 socket(..., SOCK_STREAM, IPPROTO_TCP) 3\n", 1, "expected '='");
}

static void the_system_is_guessed_by_the_text(void)
{
    begin();
    run("`sysctl -w net.inet.tcp.sack.enable=1`\n");
    CHECK_EQUAL(result.profile, PACKETDRILL_FREEBSD);
    run("`sysctl -q net.ipv4.tcp_sack=1`\n");
    CHECK_EQUAL(result.profile, PACKETDRILL_LINUX);
    run(LISTEN "+0 < S 0:0(0) win 9 <mss 1000,sackOK>\n"
               "+0 > S. 0:0(0) ack 1 <mss 1460,sackOK,eol,eol>\n");
    CHECK_EQUAL(result.profile, PACKETDRILL_FREEBSD);
    CHECK_EQUAL(result.outcome, PACKETDRILL_PASSED);
    options.profile = PACKETDRILL_LINUX;
    run(LISTEN "+0 < S 0:0(0) win 9 <mss 1000,sackOK>\n"
               "+0 > S. 0:0(0) ack 1 <mss 1460,sackOK,eol,eol>\n");
    CHECK_EQUAL(result.outcome, PACKETDRILL_FAILED);
    end();
}

static void a_script_without_a_sign_passes_as_either_system(void)
{
    begin();
    run(ESTABLISHED "+0 > . 1:1(0) ack 1\n"); // as neither
    CHECK_EQUAL(result.outcome, PACKETDRILL_FAILED);
    CHECK_EQUAL(result.profile, PACKETDRILL_LINUX);
    // An early FIN is acknowledged with the whole window by BSD alone.
    run(ESTABLISHED "+0 < F. 1:1(0) ack 1 win 9\n"
                    "+0 > . 1:1(0) ack 2 win 65535\n"
                    "+0 getsockopt(4, SOL_SOCKET, SO_RCVBUF, [66000], [4]) = "
                    "0\n");
    CHECK_EQUAL(result.outcome, PACKETDRILL_PASSED);
    CHECK_EQUAL(result.profile, PACKETDRILL_FREEBSD);
    end();
}

static void both_families_run_the_same_script(void)
{
    begin();
    options.family = PACKETDRILL_IPV6;
    run(ESTABLISHED "+0 write(4, ..., 10) = 10\n"
                    "+0 > P. 1:11(10) ack 1\n");
    CHECK_EQUAL(result.outcome, PACKETDRILL_PASSED);
    run("--local_ip=192.168.0.9\n" ESTABLISHED);
    CHECK_EQUAL(result.outcome, PACKETDRILL_NOT_RUNNABLE);
    run("--ip_version=ipv6\n" LISTEN "+0 < S 0:0(0) win 9\n"
        "+0 > S. 0:0(0) ack 1 <mss 1440>\n");
    CHECK_EQUAL(result.outcome, PACKETDRILL_PASSED);
    end();
}

static void definitions_choose_and_replace(void)
{
    static const char *const defines[] = {"FIRST", "LIMIT=12"};

    begin();
    options.defines = defines;
    options.define_count = 2;
    run("#ifdef FIRST\n" ESTABLISHED "#endif\n"
        "+0 write(4, ..., LIMIT) = 12\n");
    CHECK_EQUAL(result.outcome, PACKETDRILL_PASSED);
    end();
}

static void only_checking_runs_nothing(void)
{
    begin();
    options.only_check = true;
    run(LISTEN "+0 close(9) = 0\n");
    CHECK_EQUAL(result.outcome, PACKETDRILL_PASSED);
    run(LISTEN "+0 close(9 = 0\n");
    CHECK_EQUAL(result.outcome, PACKETDRILL_FAILED);
    end();
}

static void the_same_script_gives_the_same_report(void)
{
    static const char text[] = ESTABLISHED "+0 write(4, ..., 10) = 10\n"
                                           "+0 > P. 1:12(11) ack 1\n";
    char first[4000];

    begin();
    run(text);
    CHECK_FATAL(result.report != NULL);
    snprintf(first, sizeof(first), "%s", result.report);
    run(text);
    CHECK_TEXT(result.report, first);
    end();
}

static void a_file_that_is_not_there_is_told(void)
{
    begin();
    packetdrill_run("/nonexistent/x.pkt", &options, &result);
    CHECK_EQUAL(result.outcome, PACKETDRILL_UNREADABLE);
    CHECK(result.error < 0);
    end();
}

const struct unit_test suite_packetdrill_runner[] = {
    UNIT(an_empty_script_passes),
    UNIT(a_handshake_passes),
    UNIT(a_wrong_packet_fails_with_both_side_by_side),
    UNIT(a_packet_that_does_not_come_fails),
    UNIT(an_unexpected_packet_is_noticed_by_the_next_expectation),
    UNIT(where_a_script_says_now_it_means_now),
    UNIT(an_eighth_of_the_gap_is_tolerated),
    UNIT(the_tolerance_of_the_script_counts),
    UNIT(ranges_and_any_time_are_as_they_say),
    UNIT(a_time_that_is_over_fails),
    UNIT(consecutive_segments_are_joined),
    UNIT(push_alone_is_a_failure_of_its_own_kind),
    UNIT(results_of_calls_are_compared),
    UNIT(a_blocking_call_ends_when_the_script_says),
    UNIT(a_call_that_never_returns_ends_the_script),
    UNIT(assertions_are_about_the_connection),
    UNIT(what_the_runner_cannot_do_is_not_passed_over),
    UNIT(a_mistake_in_the_script_is_a_failure),
    UNIT(the_system_is_guessed_by_the_text),
    UNIT(a_script_without_a_sign_passes_as_either_system),
    UNIT(both_families_run_the_same_script),
    UNIT(definitions_choose_and_replace),
    UNIT(only_checking_runs_nothing),
    UNIT(the_same_script_gives_the_same_report),
    UNIT(a_file_that_is_not_there_is_told),
    {0},
};
