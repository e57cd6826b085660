// The commands that scripts give to a shell, which here are never run by one.
// SPDX-License-Identifier: MIT

#include "sim/packetdrill/runner.h"

#include <stdlib.h>
#include <string.h>

// Theory of operation
//
// Scripts prepare and inspect their system with a handful of commands. Each
// line is cut into words and given to the function of its command, which knows
// what it means for our stack. Whatever is not understood makes the script not
// runnable: to pass over it might be to pass over the point of the script.

enum { MAX_WORDS = 64, MAX_LINE = 1024 };

struct command_line {
    int line;
    char text[MAX_LINE]; // words end in NULs
    const char *words[MAX_WORDS];
    unsigned count;
};

static bool is_blank(char c) { return c == ' ' || c == '\t'; }

// Cuts at blanks; quotes keep blanks together; "#" begins a comment.
static void cut(struct command_line *command)
{
    char *p = command->text;

    command->count = 0;
    for (;;) {
        while (is_blank(*p))
            p++;
        if (*p == '\0' || *p == '#' || command->count == MAX_WORDS)
            return;
        char *out = p, quote = '\0';
        command->words[command->count++] = out;
        for (; *p != '\0' && (quote != '\0' || !is_blank(*p)); p++) {
            if (quote == '\0' && (*p == '"' || *p == '\''))
                quote = *p;
            else if (*p == quote)
                quote = '\0';
            else
                *out++ = *p;
        }
        bool is_end = *p == '\0';
        *out = '\0';
        if (is_end)
            return;
        p++;
    }
}

static const char *word(const struct command_line *command, unsigned n)
{
    return n < command->count ? command->words[n] : "";
}

static bool is_word(const struct command_line *command, unsigned n,
                    const char *text)
{
    return strcmp(word(command, n), text) == 0;
}

static bool ends_in(const char *text, const char *end)
{
    size_t a = strlen(text), b = strlen(end);

    return a >= b && strcmp(text + a - b, end) == 0;
}

// --- sysctl

enum sysctl_kind {
    SYSCTL_SETTING,   // number times unit
    SYSCTL_SWITCH,    // 0 or not 0
    SYSCTL_NOT,       // likewise, the other way round
    SYSCTL_NAME,      // a congestion control
    SYSCTL_TRIPLE,    // minimum, default, maximum of a buffer
    SYSCTL_RFC1323,   // FreeBSD: timestamps and window scaling
    SYSCTL_FAST_OPEN, // Linux's bits
    SYSCTL_KEY,       // Linux's 8-8-8-8 hex digits
    SYSCTL_IS,        // means nothing here as long as it has this value
    SYSCTL_NOTHING,   // means nothing here
};

struct sysctl_row {
    const char *name;
    enum sysctl_kind kind;
    const char *setting; // in group tcp
    int64_t unit;        // SYSCTL_IS: the value
};

static const struct sysctl_row sysctls[] = {
    {"net.ipv4.tcp_timestamps", SYSCTL_SWITCH, "timestamps", 1},
    {"net.ipv4.tcp_sack", SYSCTL_SWITCH, "sack", 1},
    {"net.ipv4.tcp_window_scaling", SYSCTL_SWITCH, "window-scaling", 1},
    {"net.ipv4.tcp_ecn", SYSCTL_SETTING, "ecn", 1},
    {"net.ipv4.tcp_syn_retries", SYSCTL_SETTING, "syn-retries", 1},
    {"net.ipv4.tcp_synack_retries", SYSCTL_SETTING, "syn-ack-retries", 1},
    {"net.ipv4.tcp_retries2", SYSCTL_SETTING, "retries", 1},
    {"net.ipv4.tcp_orphan_retries", SYSCTL_SETTING, "orphan-retries", 1},
    {"net.ipv4.tcp_reordering", SYSCTL_SETTING, "duplicate-threshold", 1},
    {"net.ipv4.tcp_max_reordering", SYSCTL_SETTING, "max-reordering", 1},
    {"net.ipv4.tcp_slow_start_after_idle", SYSCTL_SWITCH,
     "slow-start-after-idle", 1},
    {"net.ipv4.tcp_fin_timeout", SYSCTL_SETTING, "fin-wait-2", NS_PER_S},
    {"net.ipv4.tcp_keepalive_time", SYSCTL_SETTING, "keepalive-idle", NS_PER_S},
    {"net.ipv4.tcp_keepalive_intvl", SYSCTL_SETTING, "keepalive-interval",
     NS_PER_S},
    {"net.ipv4.tcp_keepalive_probes", SYSCTL_SETTING, "keepalive-count", 1},
    {"net.ipv4.tcp_moderate_rcvbuf", SYSCTL_SWITCH, "autotune", 1},
    {"net.ipv4.tcp_frto", SYSCTL_SWITCH, "frto", 1},
    {"net.ipv4.tcp_recovery", SYSCTL_SWITCH, "rack", 1},
    {"net.ipv4.tcp_early_retrans", SYSCTL_SWITCH, "tail-loss-probe", 1},
    {"net.ipv4.tcp_rfc1337", SYSCTL_SWITCH, "time-wait-guard", 1},
    {"net.ipv4.tcp_challenge_ack_limit", SYSCTL_SETTING, "challenge-ack-limit",
     1},
    {"net.ipv4.tcp_rmem", SYSCTL_TRIPLE, "receive-buffer", 1},
    {"net.ipv4.tcp_wmem", SYSCTL_TRIPLE, "send-buffer", 1},
    {"net.ipv4.tcp_congestion_control", SYSCTL_NAME, "congestion", 1},
    {"net.ipv4.tcp_min_rto", SYSCTL_SETTING, "min-rto", NS_PER_MS},
    {"net.ipv4.tcp_min_tso_segs", SYSCTL_SETTING, "min-burst", 1},
    {"net.ipv4.tcp_tso_win_divisor", SYSCTL_SETTING, "burst-divisor", 1},
    {"net.ipv4.tcp_mtu_probing", SYSCTL_SETTING, "mtu-probing", 1},
    {"net.ipv4.tcp_base_mss", SYSCTL_SETTING, "mtu-probe-base", 1},
    {"net.ipv4.tcp_probe_interval", SYSCTL_SETTING, "mtu-probe-interval",
     NS_PER_S},
    {"net.ipv4.tcp_dsack", SYSCTL_SWITCH, "dsack", 1},
    {"net.ipv4.tcp_fastopen", SYSCTL_FAST_OPEN, NULL, 0},
    {"net.ipv4.tcp_fastopen_key", SYSCTL_KEY, NULL, 0},
    {"net.ipv4.tcp_fastopen_blackhole_timeout_sec", SYSCTL_IS, NULL, 0},
    {"net.ipv4.tcp_no_metrics_save", SYSCTL_NOTHING, NULL, 0},
    {"net.ipv4.tcp_autocorking", SYSCTL_NOTHING, NULL, 0},
    {"net.ipv4.tcp_limit_output_bytes", SYSCTL_NOTHING, NULL, 0},

    {"net.inet.tcp.sack.enable", SYSCTL_SWITCH, "sack", 1},
    {"net.inet.tcp.rfc1323", SYSCTL_RFC1323, NULL, 1},
    {"net.inet.tcp.ecn.enable", SYSCTL_SETTING, "ecn", 1},
    {"net.inet.tcp.recvspace", SYSCTL_SETTING, "receive-buffer", 1},
    {"net.inet.tcp.sendspace", SYSCTL_SETTING, "send-buffer", 1},
    {"kern.ipc.maxsockbuf", SYSCTL_SETTING, "receive-buffer-max", 1},
    {"net.inet.tcp.delacktime", SYSCTL_SETTING, "delayed-ack-time", NS_PER_MS},
    {"net.inet.tcp.rexmit_initial", SYSCTL_SETTING, "initial-rto", NS_PER_MS},
    {"net.inet.tcp.rexmit_slop", SYSCTL_SETTING, "rto-slop", NS_PER_MS},
    {"net.inet.tcp.hostcache.purgenow", SYSCTL_NOTHING, NULL, 0},
    {"net.inet.tcp.rexmit_drop_options", SYSCTL_IS, NULL, 0},
    {"net.inet.tcp.blackhole", SYSCTL_IS, NULL, 0},
    {"net.inet.tcp.insecure_rst", SYSCTL_IS, NULL, 0},
    {"net.inet.tcp.insecure_syn", SYSCTL_IS, NULL, 0},
    {"net.inet.tcp.drop_synfin", SYSCTL_NOT, "accept-syn-fin", 1},
    // How long a connection may take to come about: as long as syn-retries do.
    {"net.inet.tcp.keepinit", SYSCTL_IS, NULL, 75000},
    {"net.inet.tcp.icmp_may_rst", SYSCTL_IS, NULL, 1},
};

static bool set_number(struct runner *r, const char *setting, int64_t value)
{
    return profile_set(&r->settings, setting, value);
}

static bool set_triple(struct runner *r, const struct sysctl_row *row,
                       const char *value)
{
    char maximum[40], *end;

    strtoll(value, &end, 10);
    int64_t initial = strtoll(end, &end, 10);
    int64_t largest = strtoll(end, &end, 10);
    snprintf(maximum, sizeof(maximum), "%s-max", row->setting);
    return set_number(r, row->setting, initial) &&
           set_number(r, maximum, largest);
}

static bool set_fast_open(struct runner *r, int64_t bits)
{
    return set_number(r, "fast-open", bits & 3) &&
           set_number(r, "fast-open-no-cookie",
                      (bits & 4 ? 1 : 0) | (bits & 0x200 ? 2 : 0)) &&
           set_number(r, "fast-open-listeners", (bits & 0x400) != 0);
}

// The words are little-endian in the key, whatever the machine.
static bool set_key(struct runner *r, const char *value)
{
    unsigned w[4];

    if (sscanf(value, "%8x-%8x-%8x-%8x", &w[0], &w[1], &w[2], &w[3]) != 4)
        return false;
    return set_number(r, "fast-open-key0",
                      (int64_t)((uint64_t)w[1] << 32 | w[0])) &&
           set_number(r, "fast-open-key1",
                      (int64_t)((uint64_t)w[3] << 32 | w[2]));
}

static bool set_row(struct runner *r, const struct sysctl_row *row,
                    const char *value)
{
    char *end;
    int64_t number = strtoll(value, &end, 0);

    switch (row->kind) {
    case SYSCTL_SETTING:
        return end != value && set_number(r, row->setting, number * row->unit);
    case SYSCTL_SWITCH:
        return end != value && set_number(r, row->setting, number != 0);
    case SYSCTL_NOT:
        return end != value && set_number(r, row->setting, number == 0);
    case SYSCTL_NAME:
        return congestion_find(value) >= 0 &&
               set_number(r, row->setting, congestion_find(value));
    case SYSCTL_TRIPLE:
        return set_triple(r, row, value);
    case SYSCTL_RFC1323:
        return set_number(r, "timestamps", number != 0) &&
               set_number(r, "window-scaling", number != 0);
    case SYSCTL_FAST_OPEN:
        return end != value && set_fast_open(r, number);
    case SYSCTL_KEY:
        return set_key(r, value);
    case SYSCTL_IS:
        return end != value && number == row->unit;
    case SYSCTL_NOTHING:
        return true;
    }
    return false;
}

// NAME=VALUE, where NAME may be a path below /proc/sys.
static void assign(struct runner *r, const struct command_line *command,
                   const char *text)
{
    static const char proc[] = "/proc/sys/";
    char name[128];
    const char *equals = strchr(text, '=');
    size_t length = strcspn(text, "=");

    if (equals == NULL || length >= sizeof(name)) {
        runner_unsupported(r, command->line, "the command %s %s",
                           word(command, 0), text);
        return;
    }
    if (strncmp(text, proc, sizeof(proc) - 1) == 0) {
        text += sizeof(proc) - 1;
        length -= sizeof(proc) - 1;
    }
    for (size_t i = 0; i < length; i++)
        name[i] = text[i] == '/' ? '.' : text[i];
    name[length] = '\0';
    for (size_t i = 0; i < ARRAY_LENGTH(sysctls); i++)
        if (strcmp(sysctls[i].name, name) == 0) {
            if (!set_row(r, &sysctls[i], equals + 1))
                runner_unsupported(r, command->line, "sysctl %s=%s", name,
                                   equals + 1);
            return;
        }
    runner_unsupported(r, command->line, "sysctl %s", name);
}

static void run_sysctl(struct runner *r, const struct command_line *command)
{
    for (unsigned i = 1; i < command->count && !r->is_stopped; i++)
        if (command->words[i][0] != '-')
            assign(r, command, command->words[i]);
}

// --- Sockets by state

static bool state_find(const char *name, enum tcp_state *state)
{
    static const struct {
        const char *name;
        enum tcp_state state;
    } names[] = {
        {"CLOSED", TCP_CLOSED},           {"LISTEN", TCP_LISTEN},
        {"SYN_SENT", TCP_SYN_SENT},       {"SYN_RCVD", TCP_SYN_RECEIVED},
        {"ESTABLISHED", TCP_ESTABLISHED}, {"FIN_WAIT_1", TCP_FIN_WAIT_1},
        {"FIN_WAIT_2", TCP_FIN_WAIT_2},   {"CLOSE_WAIT", TCP_CLOSE_WAIT},
        {"CLOSING", TCP_CLOSING},         {"LAST_ACK", TCP_LAST_ACK},
        {"TIME_WAIT", TCP_TIME_WAIT},
    };

    for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
        if (strcmp(names[i].name, name) == 0) {
            *state = names[i].state;
            return true;
        }
    return false;
}

static bool is_in_state(struct socket *socket, enum tcp_state state)
{
    struct tcp_info info;

    return socket_get_tcp_info(socket, &info) == 0 && info.state == state;
}

// sockstat ... | grep -c STATE | grep N
static void run_sockstat(struct runner *r, const struct command_line *command)
{
    const char *name = "", *wanted = "";
    enum tcp_state state;
    unsigned count = 0;

    for (unsigned i = 0; i + 1 < command->count; i++) {
        if (is_word(command, i, "-c"))
            name = word(command, i + 1);
        if (is_word(command, i, "grep"))
            wanted = word(command, i + 1);
    }
    if (!state_find(name, &state) || strspn(wanted, "0123456789") == 0) {
        runner_unsupported(r, command->line, "this form of sockstat");
        return;
    }
    for (struct socket *s = socket_next(r->stack, NULL); s != NULL;
         s = socket_next(r->stack, s))
        count += is_in_state(s, state);
    if (count != strtoul(wanted, NULL, 10))
        runner_fail(r, command->line, "%u sockets are in %s, expected %s",
                    count, name, wanted);
}

static void forget(struct runner *r, const struct socket *socket)
{
    for (int i = 0; i < MAX_DESCRIPTORS; i++)
        if (r->descriptors[i].socket == socket)
            r->descriptors[i].socket = NULL;
}

// tcpdrop -s STATE
static void run_tcpdrop(struct runner *r, const struct command_line *command)
{
    enum tcp_state state;

    if (!is_word(command, 1, "-s") || !state_find(word(command, 2), &state)) {
        runner_unsupported(r, command->line, "this form of tcpdrop");
        return;
    }
    for (struct socket *s = socket_next(r->stack, NULL), *next; s != NULL;
         s = next) {
        next = socket_next(r->stack, s);
        if (is_in_state(s, state)) {
            forget(r, s);
            socket_abort(s);
        }
    }
}

// --- ip

// Below 1,280 there is no IPv6 (RFC 8200 5), whatever a route says.
static bool set_mtu(struct runner *r, uint32_t mtu)
{
    if (r->local.family == IP_V6 && mtu < 1280)
        return false;
    return iface_set_mtu(r->iface, mtu) == 0;
}

static void run_route(struct runner *r, const struct command_line *command,
                      unsigned first)
{
    for (unsigned i = first; i < command->count && !r->is_stopped; i++) {
        const char *name = word(command, i);
        bool is_right = true;

        if (strcmp(name, "via") == 0 || strcmp(name, "dev") == 0) {
            i++;
        } else if (strcmp(name, "advmss") == 0) {
            is_right = set_number(r, "mss", atol(word(command, ++i)));
        } else if (strcmp(name, "initcwnd") == 0) {
            is_right =
                set_number(r, "initial-window", atol(word(command, ++i)));
        } else if (strcmp(name, "mtu") == 0) {
            i += is_word(command, i + 1, "lock") ? 2 : 1;
            is_right =
                set_mtu(r, (uint32_t)strtoul(word(command, i), NULL, 10));
        } else if (i > first) { // the first word is the destination
            is_right = false;
        }
        if (!is_right)
            runner_unsupported(r, command->line, "ip route ... %s", name);
    }
}

static void run_ip(struct runner *r, const struct command_line *command)
{
    unsigned i = 1;

    while (word(command, i)[0] == '-')
        i++;
    if (is_word(command, i, "route") && (is_word(command, i + 1, "change") ||
                                         is_word(command, i + 1, "replace"))) {
        run_route(r, command, i + 2);
        return;
    }
    if (is_word(command, i, "tcp_metrics") &&
        is_word(command, i + 1, "flush")) {
        stack_forget_peers(r->stack);
        return;
    }
    runner_unsupported(r, command->line, "ip %s %s", word(command, i),
                       word(command, i + 1));
}

// --- The rest

static bool counter_find(const char *name, enum stack_counter *counter)
{
    static const struct {
        const char *name;
        enum stack_counter counter;
    } names[] = {
        {"TcpExtOutOfWindowIcmps", COUNT_TCP_ICMP_OUT_OF_WINDOW},
        {"TcpRetransSegs", COUNT_TCP_RETRANSMITTED},
        {"TcpOutRsts", COUNT_TCP_RST_OUT},
        {"TcpExtTCPTimeouts", COUNT_TCP_TIMEOUTS},
        {"TcpExtTCPChallengeACK", COUNT_TCP_CHALLENGE_ACKS},
        {"TcpExtDelayedACKs", COUNT_TCP_DELAYED_ACKS},
    };

    for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
        if (strcmp(names[i].name, name) == 0) {
            *counter = names[i].counter;
            return true;
        }
    return false;
}

// nstat | grep COUNTER: the counter moved since the last nstat.
static void run_nstat(struct runner *r, const struct command_line *command)
{
    enum stack_counter counter;

    for (unsigned i = 1; i < command->count; i++) {
        if (!is_word(command, i, "grep"))
            continue;
        const char *name = word(command, i + 1);
        if (!counter_find(name, &counter))
            runner_unsupported(r, command->line, "the counter %s", name);
        else if (stack_counter(r->stack, counter) == r->counters_seen[counter])
            runner_fail(r, command->line, "the counter %s did not move", name);
    }
    for (int i = 0; i < STACK_COUNTER_COUNT; i++)
        r->counters_seen[i] = stack_counter(r->stack, (enum stack_counter)i);
}

static void run_ethtool(struct runner *r, const struct command_line *command)
{
    // Segments leave this stack as they go on the wire.
    for (unsigned i = 3; i < command->count; i += 2)
        if (!is_word(command, i + 1, "off"))
            runner_unsupported(r, command->line, "ethtool ... %s %s",
                               word(command, i), word(command, i + 1));
}

static void run_defaults(struct runner *r, const struct command_line *command)
{
    (void)command;
    profile_apply_defaults_sh(&r->settings);
}

static void run_nothing(struct runner *r, const struct command_line *command)
{
    (void)r;
    (void)command;
}

// echo 3 > /sys/module/tcp_cubic/parameters/hystart_detect: both ways, which is
// what this stack does.
static void run_echo(struct runner *r, const struct command_line *command)
{
    if (is_word(command, 1, "3") && is_word(command, 2, ">") &&
        ends_in(word(command, 3), "/hystart_detect"))
        return;
    runner_unsupported(r, command->line, "the command echo");
}

static void run_line(struct runner *r, const struct command_line *command)
{
    static const struct {
        const char *name;
        void (*run)(struct runner *r, const struct command_line *command);
    } commands[] = {
        {"sysctl", run_sysctl},
        {"set_sysctls.py", run_sysctl},
        {"defaults.sh", run_defaults},
        {"sockstat", run_sockstat},
        {"tcpdrop", run_tcpdrop},
        {"ip", run_ip},
        {"nstat", run_nstat},
        {"ethtool", run_ethtool},
        {"echo", run_echo},
        // A pacing queue: there is no pacing.
        {"tc", run_nothing},
    };
    const char *name = strrchr(word(command, 0), '/');

    name = name != NULL ? name + 1 : word(command, 0);
    for (size_t i = 0; i < ARRAY_LENGTH(commands); i++)
        if (strcmp(commands[i].name, name) == 0) {
            commands[i].run(r, command);
            return;
        }
    if (strstr(word(command, 0), "sysctl_restore_") == NULL)
        runner_unsupported(r, command->line, "the command %s",
                           word(command, 0));
}

// One line with those that a backslash continues.
static const char *next_line(const char *text, struct command_line *command,
                             int *line)
{
    size_t used = 0;

    command->line = *line;
    for (; *text != '\0' && *text != '\n'; text++) {
        if (text[0] == '\\' && text[1] == '\n') {
            text++;
            ++*line;
            if (used < MAX_LINE - 1)
                command->text[used++] = ' ';
        } else if (used < MAX_LINE - 1) {
            command->text[used++] = *text;
        }
    }
    command->text[used] = '\0';
    if (*text == '\n') {
        ++*line;
        text++;
    }
    return text;
}

void shell_run(struct runner *r, int line, const char *text)
{
    struct command_line command;

    while (*text != '\0' && !r->is_stopped) {
        text = next_line(text, &command, &line);
        cut(&command);
        if (command.count > 0)
            run_line(r, &command);
    }
}
