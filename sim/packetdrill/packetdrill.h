// Runs packetdrill scripts against one stack of ours, in virtual time.
// SPDX-License-Identifier: MIT
#ifndef PACKETDRILL_PACKETDRILL_H
#define PACKETDRILL_PACKETDRILL_H

// Theory of operation
//
// A script is a trace with system calls: what an application does, what the
// peer sends, what the stack must send and when. The runner is at once the
// host, the application and the peer of a fresh stack with one point-to-point
// interface:
//
//      script ── system calls ──▶ socket API ─┐
//             ── "<" packets ───▶ iface_input ┴─▶ stack ─▶ transmit ─▶ queue
//             ◀─ ">" packets ───────────────────────────────────────────┘
//
//  lexer, parser*      text -> struct script (ast.h)
//  script              a file, from reading it to its result
//  profile             which system the script expects, as settings of the
//  stack setup, runner       the stack and its network; the clock, the order of
//  events syscalls, transfer, sockopt, files     the application's side
//  packets, flow, options, compare, sent  the peer's side
//  shell               the few commands that scripts give to a shell
//  expression, variables                  assertions on a connection's
//  variables report              what a person reads when it failed
//
// Time is the stack's: between two events the clock jumps from deadline to
// deadline. A packet that the stack sends waits in a queue until the script
// expects one; what is left there at the end was nobody's business. The rules
// of time and of sequence numbers are those of the reference tool.
//
// Three outcomes: passed; failed; not runnable, when the script asks for
// something that this runner or this stack does not have. Nothing is passed
// over in silence.

#include "stack/base.h"

#include <stdio.h>

enum packetdrill_profile {
    PACKETDRILL_AUTO, // by what the script contains; see profile.c
    PACKETDRILL_LINUX,
    PACKETDRILL_FREEBSD,
};

enum packetdrill_family {
    PACKETDRILL_AS_SCRIPTED, // --ip_version of the script, otherwise IPv4
    PACKETDRILL_IPV4,
    PACKETDRILL_IPV6,
    PACKETDRILL_MAPPED, // IPv6 sockets with IPv4 addresses inside
};

enum {
    // The script's --tolerance_usecs; where it has none, 0.
    PACKETDRILL_TOLERANCE_DEFAULT = -1,
    // The same with the reference tool's 4,000 us where it has none.
    PACKETDRILL_TOLERANCE_SCRIPT = -2,
};

struct packetdrill_options {
    enum packetdrill_profile profile;
    enum packetdrill_family family;
    int64_t tolerance_us;       // or one of the above
    const char *const *defines; // "NAME" or "NAME=VALUE"
    size_t define_count;
    const char *out_dir; // a capture of each script goes there; NULL: none
    bool only_check;     // parse, do not run
};

enum packetdrill_outcome {
    PACKETDRILL_PASSED,
    PACKETDRILL_FAILED,
    PACKETDRILL_NOT_RUNNABLE,
    PACKETDRILL_UNREADABLE, // error is the negative errno
};

struct packetdrill_result {
    enum packetdrill_outcome outcome;
    enum packetdrill_profile profile; // the one it ran with
    bool passes_without_push;         // passed, or failed by PSH flags alone
    int line;                         // of what failed; 0: of no line
    int error;
    char summary[256]; // one line, without the place
    char *report;      // all that is to be said of a failure; NULL: nothing
};

// The file is read and run; nothing survives but the result, whose fini is due.
void packetdrill_run(const char *path,
                     const struct packetdrill_options *options,
                     struct packetdrill_result *result);
// The same for a text that is in memory already; path is its name.
void packetdrill_run_text(const char *path, const char *text,
                          const struct packetdrill_options *options,
                          struct packetdrill_result *result);
void packetdrill_result_fini(struct packetdrill_result *result);

#endif
