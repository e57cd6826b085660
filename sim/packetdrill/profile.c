// The systems that scripts were written for, as settings of our stack.
// SPDX-License-Identifier: MIT

#include "sim/packetdrill/runner.h"

#include <string.h>

// Theory of operation
//
// A script does not say which system it expects, but its text mostly tells:
//
//  - commands that only one system has: sysctl net.inet.*, sockstat, tcpdrop;
//    sysctl net.ipv4.*, /proc/sys, defaults.sh;
//  - "bsd" or "linux" in a folder's or in the file's name;
//  - a SYN or SYN-ACK of the stack whose options stand in one system's order:
//    FreeBSD puts the window scale before SACK-permitted and fills with eol,
//    Linux fills with nop.
//
// A script with no such sign is about behaviour that both have. It is run as
// Linux and, when that fails, as FreeBSD; it passes if it passes as either, and
// the result says as which.

struct setting_value {
    const char *name; // in group tcp
    int64_t value;
};

// Sizes of the time at which the scripts without a preparation were written:
// tcp_rmem "4096 87380 3732736", so that the window scale is 6.
static const struct setting_value linux_settings[] = {
    {"ecn", 0},
    {"syn-retries", 5},
    {"slow-start-after-idle", 0},
    {"receive-buffer", 87380},
    {"receive-buffer-max", 3732736},
    {"send-buffer", 262144},
    {"send-buffer-max", 4194304},
    {"window-share", 50},
};

// The key is a1a1a1a1-b2b2b2b2-c3c3c3c3-d4d4d4d4.
static const struct setting_value defaults_sh[] = {
    {"fast-open", 3},
    {"fast-open-listeners", 1},
    {"fast-open-key0", (int64_t)0xb2b2b2b2a1a1a1a1},
    {"fast-open-key1", (int64_t)0xd4d4d4d4c3c3c3c3},
    {"receive-buffer", 540000},
    {"receive-buffer-max", 15728640},
};

static const struct setting_value freebsd_settings[] = {
    {"ecn", 2},
    {"receive-buffer", 65536},
    {"receive-buffer-max", 2097152},
    {"send-buffer", 32768},
    {"send-buffer-max", 2097152},
    {"delayed-ack-time", 100 * NS_PER_MS},
    {"slow-start-after-idle", 0},
    {"quick-acks", 0},
    {"rto-slop", 200 * NS_PER_MS},
    {"offload", 0},
    {"bsd-options", 1},
    {"bsd-window", 1},
    {"bsd-errors", 1},
    {"syn-text", 1},
    {"bsd-time-wait", 1},
    {"accept-syn-fin", 1},
    {"time-wait-guard", 1},
};

bool profile_set(struct stack_settings *settings, const char *name,
                 int64_t value)
{
    const struct setting_info *info = setting_find("tcp", name);

    return info != NULL && setting_set(settings, info, value) == 0;
}

static void set_all(struct stack_settings *settings,
                    const struct setting_value *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        must(profile_set(settings, values[i].name, values[i].value));
}

void profile_apply(enum packetdrill_profile profile,
                   struct stack_settings *settings)
{
    if (profile == PACKETDRILL_FREEBSD)
        set_all(settings, freebsd_settings, ARRAY_LENGTH(freebsd_settings));
    else
        set_all(settings, linux_settings, ARRAY_LENGTH(linux_settings));
}

void profile_apply_defaults_sh(struct stack_settings *settings)
{
    set_all(settings, defaults_sh, ARRAY_LENGTH(defaults_sh));
}

// --- Guessing

static bool has_any(const char *text, const char *const *words)
{
    for (; *words != NULL; words++)
        if (strstr(text, *words) != NULL)
            return true;
    return false;
}

static enum packetdrill_profile guess_by_command(const char *text)
{
    static const char *const freebsd[] = {"net.inet.", "kern.ipc.", "sockstat ",
                                          "tcpdrop ", NULL};
    static const char *const linux_words[] = {"net.ipv4.", "/proc/sys/",
                                              "defaults.sh", NULL};

    if (has_any(text, freebsd))
        return PACKETDRILL_FREEBSD;
    return has_any(text, linux_words) ? PACKETDRILL_LINUX : PACKETDRILL_AUTO;
}

static enum packetdrill_profile
guess_by_options(const struct script_packet *packet)
{
    const struct script_options *options = &packet->tcp.options;
    bool seen_scale = false, seen_nop = false;

    if (packet->is_inbound || packet->is_icmp || !(packet->tcp.flags & TCP_SYN))
        return PACKETDRILL_AUTO;
    for (unsigned i = 0; i < options->count; i++) {
        enum script_option_kind kind = options->list[i].kind;
        bool is_before_eol = i + 1 < options->count &&
                             options->list[i + 1].kind == SCRIPT_OPTION_EOL;

        if (kind == SCRIPT_OPTION_SACK_OK && (seen_scale || is_before_eol))
            return PACKETDRILL_FREEBSD;
        if (kind == SCRIPT_OPTION_SACK_OK && seen_nop)
            return PACKETDRILL_LINUX;
        if (kind == SCRIPT_OPTION_TIMESTAMP && i > 0 &&
            options->list[i - 1].kind == SCRIPT_OPTION_SACK_OK && !seen_scale)
            return PACKETDRILL_LINUX;
        seen_scale |= kind == SCRIPT_OPTION_WSCALE;
        seen_nop |= kind == SCRIPT_OPTION_NOP;
    }
    return PACKETDRILL_AUTO;
}

// Is the word a whole one somewhere in the path?
static bool has_name(const char *path, const char *word)
{
    size_t length = strlen(word);

    for (const char *p = strstr(path, word); p; p = strstr(p + 1, word)) {
        char after = p[length];

        if (after == '/' || after == '.' || after == '-' || after == '_' ||
            after == '\0')
            return true;
    }
    return false;
}

enum packetdrill_profile profile_guess(const struct script *script)
{
    enum packetdrill_profile profile = PACKETDRILL_AUTO;

    if (has_name(script->path, "bsd"))
        return PACKETDRILL_FREEBSD;
    for (const struct script_event *e = script->events;
         e != NULL && profile == PACKETDRILL_AUTO; e = e->next) {
        if (e->kind == SCRIPT_SHELL)
            profile = guess_by_command(e->text);
        if (e->kind == SCRIPT_PACKET)
            profile = guess_by_options(e->packet);
    }
    if (profile == PACKETDRILL_AUTO && has_name(script->path, "linux"))
        profile = PACKETDRILL_LINUX;
    return profile;
}
