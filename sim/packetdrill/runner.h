// What the files of the packetdrill runner share: one running script.
// SPDX-License-Identifier: MIT
#ifndef PACKETDRILL_RUNNER_H
#define PACKETDRILL_RUNNER_H

#include "sim/packetdrill/language/expression.h"
#include "sim/packetdrill/packetdrill.h"
#include "sim/packetdrill/packets/packets.h"
#include "stack/stack.h"

enum {
    MAX_DESCRIPTORS = 64,
    MAX_WATCHES = 16, // of one epoll descriptor
    ERRQUEUE_LENGTH = 32,
    HISTORY_LENGTH = 12,
    HISTORY_TEXT_SIZE = 200,
};

struct watch {
    int fd; // -1: free
    uint32_t wanted;
    bool is_edge; // something happened since the last report
};

struct errqueue {
    bool is_zerocopy; // SO_ZEROCOPY
    uint32_t next_number;
    uint32_t pending_count, notice_count;
    struct {
        uint32_t number;
        int64_t end; // of the send, in bytes written to the descriptor
    } pending[ERRQUEUE_LENGTH];
    struct errqueue_notice {
        uint32_t low, high; // numbers of sends
    } notices[ERRQUEUE_LENGTH];
};

struct descriptor {
    bool is_open, is_epoll, is_nonblocking;
    struct socket *socket; // NULL: epoll, or dropped behind the script's back
    bool is_listening;
    bool waits_for_data; // connected by TCP_FASTOPEN_CONNECT, no SYN yet
    struct watch watches[MAX_WATCHES];
    int64_t written; // bytes
    struct errqueue errors;
};

// What one attempt at a system call led to.
enum call_progress {
    CALL_DONE,    // result is there
    CALL_WAITS,   // it would block
    CALL_STOPPED, // the script ended with it: a failure or not runnable
};

struct pending_call {
    const struct script_event *event; // NULL: none
    ns_t started, expected_end, allowed;
    int64_t done;    // bytes moved so far
    bool is_retry;   // not the first attempt
    bool is_opening; // Fast Open: the connection does not stand yet
};

struct runner {
    const struct packetdrill_options *options;
    const struct script *script;
    struct packetdrill_result *result;
    enum packetdrill_profile profile;
    bool is_freebsd;

    ns_t now, deadline;
    ns_t wake; // a call that waits wants to be tried again; NS_NEVER
    uint64_t random_state, steps;
    struct packet_pool *pool;
    struct stack_settings settings;
    struct stack *stack;
    struct iface *iface;
    uint32_t mtu;
    struct ip_addr local, remote;
    int64_t tolerance_us, ts_tick_us;
    bool has_slack; // an eighth of the gap is tolerated
    bool is_strict_segments;

    struct flow flow;
    bool has_flow;
    int flow_fd;               // whose tcp_info %{ }% sees; -1: none
    uint16_t next_remote_port; // of the next connection towards us
    struct live_packet *sent_head, *sent_tail;
    bool differs_in_push;

    struct descriptor descriptors[MAX_DESCRIPTORS];
    struct pending_call pending;
    struct code_variables variables;
    uint64_t counters_seen[STACK_COUNTER_COUNT]; // at the last nstat

    struct script_capture *capture;
    struct {
        ns_t time;
        char text[HISTORY_TEXT_SIZE];
    } history[HISTORY_LENGTH];
    uint32_t history_count;
    bool is_stopped;
};

// --- runner.c

// The first call of either decides the outcome; the script ends there.
void runner_fail(struct runner *r, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void runner_unsupported(struct runner *r, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
// Lets the stack run up to and including this time. false: stopped.
bool runner_advance(struct runner *r, ns_t until);
// Runs the next deadline of the stack unless it is later than `limit`. false:
// nothing happened.
bool runner_step(struct runner *r, ns_t limit);
// How far from `expected` an event may be that was awaited from now on.
ns_t runner_allowed(const struct runner *r, ns_t expected);
// Seconds since the start of the script.
double runner_seconds(const struct runner *r, ns_t time);
ns_t runner_start_time(void);

// All events, and what is pending behind the last one.
void runner_run(struct runner *r);
// Packets from now on belong to another connection. remote_port 0: a new one.
void runner_begin_flow(struct runner *r, uint16_t local_port,
                       uint16_t remote_port);

// --- sent.c

// The transmit function of the interface; consumes the frame.
void sent_push(void *runner, struct iface *iface, struct packet *frame);
// The next packet of the flow that is sent until `limit`, which is the caller's
// then; those of others are nobody's business. NULL: none.
struct live_packet *sent_next(struct runner *r, ns_t limit);
// Joins consecutive segments until the scripted length is reached, because
// scripts were written against a device that cuts large segments later.
void sent_join(struct runner *r, struct live_packet *first, uint32_t wanted,
               ns_t limit);
void sent_clear(struct runner *r);

// --- setup.c

// false: the result is decided. runner_tear_down is due in any case.
bool runner_set_up(struct runner *r);
void runner_tear_down(struct runner *r);
const char *script_setting(const struct script *script, const char *name);
// NULL, or the text that is no address.
const char *script_addresses(const struct script *script,
                             const struct packetdrill_options *options,
                             struct ip_addr *local, struct ip_addr *remote);

// --- syscalls.c

// A call whose time has come. Blocks the script if it must. false: stopped.
bool call_begin(struct runner *r, const struct script_event *event,
                ns_t expected_end);
// Tries the pending call again; harmless without one.
void call_retry(struct runner *r);
// Waits for the pending call. false: stopped.
bool call_await(struct runner *r);

// --- files.c

struct descriptor *descriptor_find(struct runner *r, int64_t fd); // NULL: none
// -EBADF-like refusals are the callers'. Puts a socket at the script's number,
// or the lowest free one when it gives none (-1). Returns it or negative.
int descriptor_open(struct runner *r, int64_t wanted, struct socket *socket);
void descriptor_close_all(struct runner *r);
uint32_t descriptor_poll(struct runner *r, const struct descriptor *d);
// Brings notices of the error queues up to date.
void descriptor_update(struct runner *r);
// errqueue.c. true: there is a new notice.
bool errqueue_update(struct descriptor *d);
uint32_t errqueue_poll(const struct descriptor *d);
// Calls on epoll descriptors and poll; *result is theirs.
enum call_progress call_poll(struct runner *r, const struct script_event *event,
                             int64_t *result);
enum call_progress call_epoll_create(struct runner *r,
                                     const struct script_event *event,
                                     int64_t *result);
enum call_progress call_epoll_ctl(struct runner *r,
                                  const struct script_event *event,
                                  int64_t *result);
enum call_progress call_epoll_wait(struct runner *r,
                                   const struct script_event *event,
                                   int64_t *result);

// --- sockopt.c

enum call_progress call_setsockopt(struct runner *r,
                                   const struct script_event *event,
                                   int64_t *result);
enum call_progress call_getsockopt(struct runner *r,
                                   const struct script_event *event,
                                   int64_t *result);
enum call_progress
call_ioctl(struct runner *r, const struct script_event *event, int64_t *result);

// --- The rest

void shell_run(struct runner *r, int line, const char *text);
// Which system a script was written for; PACKETDRILL_AUTO: it does not show.
enum packetdrill_profile profile_guess(const struct script *script);
void profile_apply(enum packetdrill_profile profile,
                   struct stack_settings *settings);
// What Google's defaults.sh makes of a Linux.
void profile_apply_defaults_sh(struct stack_settings *settings);
// A row of stack/settings.h by its name in group tcp; false: no such row or out
// of range.
bool profile_set(struct stack_settings *settings, const char *name,
                 int64_t value);

enum code_lookup variable_find(void *runner, const char *name, int64_t *value);

void report_note(struct runner *r, ns_t time, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void report_connection(const struct runner *r, FILE *out);
void report_history(const struct runner *r, FILE *out);
// Finishes the result of a failure. `detail` may be NULL.
void report_failure(struct runner *r, int line, const char *detail);

// A capture file of one script. NULL: it cannot be written; *error says why.
struct script_capture *script_capture_open(const char *dir, const char *script,
                                           int *error);
void script_capture_packet(struct script_capture *capture, ns_t time,
                           const uint8_t *bytes, size_t length);
void script_capture_close(struct script_capture *capture); // NULL is fine

#endif
