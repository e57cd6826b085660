// The runner of the unit tests.
// SPDX-License-Identifier: MIT
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/unit.h"

// One row per file tests/unit/test_<module>.c, in alphabetical order.
// clang-format off
#define SUITES(X) \
    X(address) \
    X(address_index) \
    X(arp) \
    X(arp_protocol) \
    X(bbr) \
    X(capture) \
    X(checksum) \
    X(condition) \
    X(congestion) \
    X(cubic) \
    X(dad) \
    X(data_path) \
    X(dctcp) \
    X(dhcp) \
    X(embed) \
    X(engine) \
    X(ethernet) \
    X(fault_plan) \
    X(frame) \
    X(hystart_plus) \
    X(icmp) \
    X(icmpv4) \
    X(icmpv6) \
    X(iface) \
    X(impairment) \
    X(ip_path) \
    X(ipv4) \
    X(ipv4_forward) \
    X(ipv4_input) \
    X(ipv6) \
    X(ipv6_extension) \
    X(ipv6_input) \
    X(lateness) \
    X(link) \
    X(lua_sandbox) \
    X(lua_scripts) \
    X(lua_task) \
    X(nd) \
    X(neighbour) \
    X(neighbour_discovery) \
    X(net_allocation) \
    X(newreno) \
    X(node) \
    X(offload) \
    X(packet) \
    X(packetdrill_expression) \
    X(packetdrill_packets) \
    X(packetdrill_parser) \
    X(packetdrill_runner) \
    X(path_mtu) \
    X(random) \
    X(raw) \
    X(reassembly) \
    X(route) \
    X(router_discovery) \
    X(routes) \
    X(scenario_mistakes) \
    X(scenario_plan) \
    X(scenario_run) \
    X(schema) \
    X(set) \
    X(settings) \
    X(sim) \
    X(siphash) \
    X(socket) \
    X(stack) \
    X(suggest) \
    X(switch) \
    X(tcp) \
    X(tcp_monkey) \
    X(tcp_recovery) \
    X(tcp_segments) \
    X(tcp_sending) \
    X(tcp_states) \
    X(tcp_sweep) \
    X(tcp_wire) \
    X(timer) \
    X(udp) \
    X(udp_sharing) \
    X(udp_socket) \
    X(units) \
    X(value) \
    X(yaml)
// clang-format on

// Weak, so that a runner can be linked from a few files while one works on
// them; a row without its file fails when all suites are asked for.
#define X(name)                                                                \
    extern const struct unit_test suite_##name[] __attribute__((weak));
SUITES(X)
#undef X

static const struct suite {
    const char *name;
    const struct unit_test *tests;
} suites[] = {
#define X(name) {#name, suite_##name},
    SUITES(X)
#undef X
};

// --- Checks ----------------------------------------------------------------

static void check(bool is_good, const char *text, const char *file, int line)
{
    CU_assertImplementation(is_good, (unsigned)line, text, file, "", CU_FALSE);
}

void unit_check_equal(long long actual, long long expected, const char *what,
                      const char *file, int line)
{
    char text[512];
    snprintf(text, sizeof text, "%s: %lld (0x%llx), expected %lld (0x%llx)",
             what, actual, actual, expected, expected);
    check(actual == expected, text, file, line);
}

void unit_check_text(const char *actual, const char *expected, const char *what,
                     const char *file, int line)
{
    char text[4096];
    snprintf(text, sizeof text, "%s: \"%s\", expected \"%s\"", what,
             actual ? actual : "(null)", expected ? expected : "(null)");
    bool is_good = actual == expected ||
                   (actual && expected && strcmp(actual, expected) == 0);
    check(is_good, text, file, line);
}

// At most 16 bytes from `at` on in hexadecimal.
static void dump(char *out, size_t size, const uint8_t *bytes, size_t at,
                 size_t length)
{
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = at; i < length && i < at + 16 && used < size; i++)
        used += (size_t)snprintf(out + used, size - used, " %02x", bytes[i]);
}

void unit_check_bytes(const void *actual, const void *expected, size_t length,
                      const char *what, const char *file, int line)
{
    const uint8_t *a = actual, *e = expected;
    size_t at = 0;
    while (at < length && a[at] == e[at])
        at++;
    char got[64], wanted[64], text[512];
    dump(got, sizeof got, a, at, length);
    dump(wanted, sizeof wanted, e, at, length);
    snprintf(text, sizeof text, "%s: differs at byte %zu of %zu:%s, expected%s",
             what, at, length, got, wanted);
    check(at == length, text, file, line);
}

void unit_check_dies(void (*function)(void *context), void *context,
                     const char *what, const char *file, int line)
{
    char text[512];
    snprintf(text, sizeof text, "%s: survived", what);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        if (!freopen("/dev/null", "w", stderr))
            _exit(0);
        function(context);
        _exit(0);
    }
    int status = 0;
    bool is_dead = child > 0 && waitpid(child, &status, 0) == child &&
                   !(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    check(is_dead, text, file, line);
}

void must_failed(const char *condition, const char *file, int line)
{
    CU_pTest test = CU_get_current_test();
    fprintf(stderr, "%s:%d: assertion failed: %s\n  in test: %s\n", file, line,
            condition, test ? test->pName : "(none)");
    abort();
}

// --- Running ---------------------------------------------------------------

struct result {
    unsigned passed, failed;
};

static void print_failures(const char *suite, const char *test,
                           const CU_FailureRecord *failure)
{
    printf("FAIL %s: %s\n", suite, test);
    for (; failure; failure = failure->pNext)
        printf("  %s:%u: %s\n", failure->strFileName, failure->uiLineNumber,
               failure->strCondition);
}

static void run_test(CU_pSuite suite, const struct unit_test *test,
                     struct result *result)
{
    CU_pTest added = CU_add_test(suite, test->name, test->run);
    if (!added) {
        printf("FAIL %s: %s\n  %s\n", suite->pName, test->name,
               CU_get_error_msg());
        result->failed++;
        return;
    }
    CU_run_test(suite, added);
    if (CU_get_number_of_failures() == 0) {
        result->passed++;
        return;
    }
    result->failed++;
    print_failures(suite->pName, test->name, CU_get_failure_list());
}

static bool is_suite_name(const char *word)
{
    for (size_t i = 0; i < ARRAY_LENGTH(suites); i++)
        if (strcmp(suites[i].name, word) == 0)
            return true;
    return false;
}

// Is the test asked for? A suite's whole name means that suite; any other word
// is a part of "suite/test".
static bool is_wanted(const char *suite, const char *test, char **words)
{
    char full[512];
    snprintf(full, sizeof full, "%s/%s", suite, test);
    if (!*words)
        return true;
    for (; *words; words++)
        if (is_suite_name(*words) ? strcmp(suite, *words) == 0
                                  : strstr(full, *words) != NULL)
            return true;
    return false;
}

static void run_suite(const struct suite *suite, char **words, bool is_listing,
                      struct result *result)
{
    if (!suite->tests) {
        if (is_wanted(suite->name, "", words)) {
            printf("FAIL %s: tests/unit/test_%s.c is not linked in\n",
                   suite->name, suite->name);
            result->failed++;
        }
        return;
    }
    CU_pSuite added = CU_add_suite(suite->name, NULL, NULL);
    for (const struct unit_test *test = suite->tests; test->name; test++) {
        if (!is_wanted(suite->name, test->name, words))
            continue;
        if (is_listing)
            printf("%s/%s\n", suite->name, test->name);
        else
            run_test(added, test, result);
    }
}

int main(int argc, char **argv)
{
    bool is_listing = argc > 1 && strcmp(argv[1], "--list") == 0;
    char **words = argv + 1 + is_listing;
    struct result result = {0};
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (CU_initialize_registry() != CUE_SUCCESS)
        return 3;
    for (size_t i = 0; i < ARRAY_LENGTH(suites); i++)
        run_suite(&suites[i], words, is_listing, &result);
    CU_cleanup_registry();
    if (is_listing)
        return 0;
    printf("%u passed, %u failed\n", result.passed, result.failed);
    return result.failed > 0 || result.passed == 0;
}
