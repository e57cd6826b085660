// What the files of the system calls share.
// SPDX-License-Identifier: MIT
#ifndef PACKETDRILL_SYSCALLS_H
#define PACKETDRILL_SYSCALLS_H

#include "sim/packetdrill/runner.h"

enum { SCRIPT_PORT = 8080 }; // that scripts bind and connect to

// The n-th argument from 0; NULL: there are fewer.
const struct script_value *call_argument(const struct script_call *call,
                                         unsigned n);
// An integer, also as [value]. false: the script is stopped.
bool call_integer(struct runner *r, const struct script_event *event,
                  unsigned n, int64_t *out);
// The descriptor of the first argument, which has a socket; false: *result is
// the refusal, or the script was stopped.
bool call_descriptor(struct runner *r, const struct script_event *event,
                     struct descriptor **d, int64_t *result);
enum call_progress call_done_or_stopped(const struct runner *r);
// The segments of a connection that begins here are the script's from now on.
void call_follow(struct runner *r, const struct descriptor *d);
// What became of a connect that was begun before; -EAGAIN: nothing yet.
int call_connect_outcome(const struct descriptor *d);

// A field of a structure by its name; NULL: no such field, no structure.
const struct script_value *value_field(const struct script_value *value,
                                       const char *name);

// errqueue.c
void errqueue_note_send(struct descriptor *d); // d->written is up to date
// For recvmsg with MSG_ERRQUEUE; control may be NULL: nothing is checked.
enum call_progress errqueue_receive(struct runner *r,
                                    const struct script_event *event,
                                    struct descriptor *d,
                                    const struct script_value *control,
                                    int64_t *result);

// transfer.c

enum { SCRIPT_MSG_ZEROCOPY = 0x4000000 };
// The message flags of the n-th argument. false: the script is stopped.
bool transfer_flags(struct runner *r, const struct script_event *event,
                    unsigned n, int64_t *flags);
enum call_progress transfer_send(struct runner *r, struct descriptor *d,
                                 int64_t length, int64_t flags,
                                 int64_t *result);
enum call_progress transfer_receive(struct runner *r, struct descriptor *d,
                                    int64_t length, int64_t flags,
                                    int64_t *result);
enum call_progress
call_write(struct runner *r, const struct script_event *event, int64_t *result);
enum call_progress call_read(struct runner *r, const struct script_event *event,
                             int64_t *result);

// messages.c
enum call_progress call_message(struct runner *r,
                                const struct script_event *event,
                                int64_t *result); // sendmsg, recvmsg
enum call_progress call_vector(struct runner *r,
                               const struct script_event *event,
                               int64_t *result); // writev, readv

#endif
