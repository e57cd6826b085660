// Socket options and ioctls of a script, on the stack's options and settings.
// SPDX-License-Identifier: MIT

#include "sim/packetdrill/calls/syscalls.h"
#include "sim/packetdrill/runner.h"

#include "sim/packetdrill/language/symbols.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

enum option_kind {
    OPTION_KIND_OPTION,  // of the socket
    OPTION_KIND_SETTING, // of settings.h, group tcp, for this socket
    OPTION_KIND_ERROR,   // SO_ERROR
    OPTION_KIND_LINGER,
    OPTION_KIND_CONGESTION,
    OPTION_KIND_CONNECT, // TCP_FASTOPEN_CONNECT
    OPTION_KIND_KEY,     // TCP_FASTOPEN_KEY
    OPTION_KIND_ZEROCOPY,
    OPTION_KIND_INQ, // what is asked for is there always
};

struct option_row {
    const char *level, *name;
    enum option_kind kind;
    int option;          // enum socket_option
    const char *setting; // name in group tcp
    int64_t unit;        // of the script's number
};

static const struct option_row rows[] = {
    {"SOL_SOCKET", "SO_REUSEADDR", OPTION_KIND_OPTION, OPTION_REUSE_ADDRESS,
     NULL, 1},
    {"SOL_SOCKET", "SO_REUSEPORT", OPTION_KIND_OPTION, OPTION_REUSE_ADDRESS,
     NULL, 1},
    {"SOL_SOCKET", "SO_KEEPALIVE", OPTION_KIND_OPTION, OPTION_KEEPALIVE, NULL,
     1},
    {"SOL_SOCKET", "SO_OOBINLINE", OPTION_KIND_OPTION, OPTION_URGENT_INLINE,
     NULL, 1},
    {"SOL_SOCKET", "SO_SNDBUF", OPTION_KIND_OPTION, OPTION_SEND_BUFFER, NULL,
     1},
    {"SOL_SOCKET", "SO_RCVBUF", OPTION_KIND_OPTION, OPTION_RECEIVE_BUFFER, NULL,
     1},
    {"SOL_SOCKET", "SO_ERROR", OPTION_KIND_ERROR, 0, NULL, 1},
    {"SOL_SOCKET", "SO_LINGER", OPTION_KIND_LINGER, OPTION_LINGER, NULL, 1},
    {"IPPROTO_IP", "IP_TOS", OPTION_KIND_OPTION, OPTION_TOS, NULL, 1},
    {"IPPROTO_IP", "IP_TTL", OPTION_KIND_OPTION, OPTION_TTL, NULL, 1},
    {"IPPROTO_IPV6", "IPV6_TCLASS", OPTION_KIND_OPTION, OPTION_TOS, NULL, 1},
    {"IPPROTO_IPV6", "IPV6_UNICAST_HOPS", OPTION_KIND_OPTION, OPTION_TTL, NULL,
     1},
    {"IPPROTO_IPV6", "IPV6_V6ONLY", OPTION_KIND_OPTION, OPTION_IPV6_ONLY, NULL,
     1},
    {"IPPROTO_TCP", "TCP_NODELAY", OPTION_KIND_OPTION, OPTION_NO_DELAY, NULL,
     1},
    {"IPPROTO_TCP", "TCP_CORK", OPTION_KIND_OPTION, OPTION_CORK, NULL, 1},
    {"IPPROTO_TCP", "TCP_QUICKACK", OPTION_KIND_OPTION, OPTION_QUICK_ACK, NULL,
     1},
    {"IPPROTO_TCP", "TCP_MAXSEG", OPTION_KIND_OPTION, OPTION_MAX_SEGMENT, NULL,
     1},
    {"IPPROTO_TCP", "TCP_NOTSENT_LOWAT", OPTION_KIND_OPTION,
     OPTION_NOT_SENT_LOW_WATER, NULL, 1},
    {"IPPROTO_TCP", "TCP_SYNCNT", OPTION_KIND_SETTING, 0, "syn-retries", 1},
    {"IPPROTO_TCP", "TCP_USER_TIMEOUT", OPTION_KIND_SETTING, 0, "user-timeout",
     NS_PER_MS},
    {"IPPROTO_TCP", "TCP_KEEPIDLE", OPTION_KIND_SETTING, 0, "keepalive-idle",
     NS_PER_S},
    {"IPPROTO_TCP", "TCP_KEEPINTVL", OPTION_KIND_SETTING, 0,
     "keepalive-interval", NS_PER_S},
    {"IPPROTO_TCP", "TCP_KEEPCNT", OPTION_KIND_SETTING, 0, "keepalive-count",
     1},
    {"IPPROTO_TCP", "TCP_LINGER2", OPTION_KIND_SETTING, 0, "fin-wait-2",
     NS_PER_S},
    {"IPPROTO_TCP", "TCP_FASTOPEN", OPTION_KIND_SETTING, 0, "fast-open-queue",
     1},
    {"IPPROTO_TCP", "TCP_FASTOPEN_CONNECT", OPTION_KIND_CONNECT, 0,
     "fast-open-connect", 1},
    {"IPPROTO_TCP", "TCP_FASTOPEN_KEY", OPTION_KIND_KEY, 0, "fast-open-key0",
     1},
    {"SOL_SOCKET", "SO_ZEROCOPY", OPTION_KIND_ZEROCOPY, 0, NULL, 1},
    {"IPPROTO_TCP", "TCP_INQ", OPTION_KIND_INQ, 0, NULL, 1},
    {"IPPROTO_TCP", "TCP_CONGESTION", OPTION_KIND_CONGESTION, 0, "congestion",
     1},
};

static bool is_named(const char *name, int64_t value)
{
    int64_t known;

    return symbol_find(name, strlen(name), &known) && known == value;
}

static const struct option_row *find_row(int64_t level, int64_t name)
{
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++)
        if (is_named(rows[i].level, level) && is_named(rows[i].name, name))
            return &rows[i];
    return NULL;
}

// The socket and the row that the first three arguments name. false: *progress
// is the answer.
static bool find_option(struct runner *r, const struct script_event *event,
                        struct descriptor **d, const struct option_row **row,
                        int64_t *result, enum call_progress *progress)
{
    int64_t fd, level, name;

    *progress = CALL_STOPPED;
    if (!call_integer(r, event, 0, &fd) || !call_integer(r, event, 1, &level) ||
        !call_integer(r, event, 2, &name))
        return false;
    *d = descriptor_find(r, fd);
    if (*d == NULL || (*d)->socket == NULL) {
        *result = -EBADF;
        *progress = CALL_DONE;
        return false;
    }
    *row = find_row(level, name);
    if (*row == NULL)
        runner_unsupported(r, event->line, "the socket option %s",
                           call_argument(event->call, 2)->text);
    return *row != NULL;
}

static const struct setting_info *setting_row(struct runner *r, int line,
                                              const struct option_row *row)
{
    const struct setting_info *info = setting_find("tcp", row->setting);

    if (info == NULL)
        runner_unsupported(r, line, "the setting tcp.%s", row->setting);
    return info;
}

// --- Linger

static const struct script_value *member(const struct script_value *value,
                                         const char *name)
{
    while (value != NULL && value->kind == SCRIPT_VALUE_LIST)
        value = value->items;
    if (value == NULL || value->kind != SCRIPT_VALUE_STRUCT)
        return NULL;
    for (const struct script_value *f = value->items; f; f = f->next)
        if (f->field != NULL && strstr(f->field, name) != NULL &&
            f->kind == SCRIPT_VALUE_INTEGER)
            return f;
    return NULL;
}

static enum call_progress set_linger(struct runner *r,
                                     const struct script_event *event,
                                     struct descriptor *d, int64_t *result)
{
    const struct script_value *value = call_argument(event->call, 3);
    const struct script_value *onoff = member(value, "onoff");
    const struct script_value *linger = member(value, "linger");

    if (onoff == NULL || linger == NULL) {
        runner_unsupported(r, event->line, "SO_LINGER without a struct linger");
        return CALL_STOPPED;
    }
    int64_t time = onoff->integer ? linger->integer * NS_PER_S : -1;
    *result = socket_set_option(d->socket, OPTION_LINGER, time);
    return CALL_DONE;
}

// --- Setting

static enum call_progress set_congestion(struct runner *r,
                                         const struct script_event *event,
                                         struct descriptor *d,
                                         const struct option_row *row,
                                         int64_t *result)
{
    const struct script_value *value = call_argument(event->call, 3);
    const struct setting_info *info = setting_row(r, event->line, row);

    if (info == NULL)
        return CALL_STOPPED;
    while (value != NULL && value->kind == SCRIPT_VALUE_LIST)
        value = value->items;
    if (value == NULL || value->kind != SCRIPT_VALUE_STRING) {
        runner_unsupported(r, event->line,
                           "a congestion control that is no "
                           "text");
        return CALL_STOPPED;
    }
    int index = congestion_find(value->text);
    *result = index < 0 ? -ENOENT : socket_set_setting(d->socket, info, index);
    return CALL_DONE;
}

// The bytes of a text with escapes \xHH. -1: it has others, or too many bytes.
static int unescape(const char *text, uint8_t *out, int size)
{
    int count = 0;

    for (; *text != '\0' && count < size; count++) {
        char digits[3] = {0};

        if (*text != '\\') {
            out[count] = (uint8_t)*text++;
            continue;
        }
        if (text[1] != 'x' || text[2] == '\0' || text[3] == '\0')
            return -1;
        memcpy(digits, text + 2, 2);
        out[count] = (uint8_t)strtoul(digits, NULL, 16);
        text += 4;
    }
    return *text == '\0' ? count : -1;
}

static int64_t read_le64(const uint8_t *p)
{
    uint64_t value = 0;

    for (int i = 7; i >= 0; i--)
        value = value << 8 | p[i];
    return (int64_t)value;
}

static enum call_progress set_key(struct runner *r,
                                  const struct script_event *event,
                                  struct descriptor *d, int64_t *result)
{
    const struct script_value *value = call_argument(event->call, 3);
    uint8_t key[16];
    int64_t length;

    if (!call_integer(r, event, 4, &length))
        return CALL_STOPPED;
    if (value == NULL || value->kind != SCRIPT_VALUE_STRING) {
        runner_unsupported(r, event->line, "a key that is no text");
        return CALL_STOPPED;
    }
    *result = -EINVAL;
    if (length == 16 && unescape(value->text, key, 16) == 16)
        *result =
            socket_set_setting(d->socket, setting_find("tcp", "fast-open-key0"),
                               read_le64(key)) != 0 ||
                    socket_set_setting(d->socket,
                                       setting_find("tcp", "fast-open-key1"),
                                       read_le64(key + 8)) != 0
                ? -EINVAL
                : 0;
    return CALL_DONE;
}

enum call_progress call_setsockopt(struct runner *r,
                                   const struct script_event *event,
                                   int64_t *result)
{
    const struct option_row *row;
    enum call_progress progress;
    struct descriptor *d;
    int64_t value;

    if (!find_option(r, event, &d, &row, result, &progress))
        return progress;
    if (row->kind == OPTION_KIND_LINGER)
        return set_linger(r, event, d, result);
    if (row->kind == OPTION_KIND_CONGESTION)
        return set_congestion(r, event, d, row, result);
    if (row->kind == OPTION_KIND_KEY)
        return set_key(r, event, d, result);
    if (row->kind == OPTION_KIND_CONNECT && !(r->settings.tcp_fast_open & 1)) {
        *result = -EOPNOTSUPP;
        return CALL_DONE;
    }
    if (!call_integer(r, event, 3, &value))
        return CALL_STOPPED;
    if (row->kind == OPTION_KIND_ZEROCOPY || row->kind == OPTION_KIND_INQ) {
        if (row->kind == OPTION_KIND_ZEROCOPY)
            d->errors.is_zerocopy = value != 0;
        return CALL_DONE;
    }
    if (row->kind == OPTION_KIND_SETTING || row->kind == OPTION_KIND_CONNECT) {
        const struct setting_info *info = setting_row(r, event->line, row);

        if (info == NULL)
            return CALL_STOPPED;
        *result = socket_set_setting(d->socket, info, value * row->unit);
        if (*result == -ERANGE)
            *result = -EINVAL;
        return CALL_DONE;
    }
    // Linux doubles both sizes, for its own bookkeeping, and reads back the
    // double.
    if (!r->is_freebsd && (row->option == OPTION_SEND_BUFFER ||
                           row->option == OPTION_RECEIVE_BUFFER))
        value *= 2;
    *result =
        socket_set_option(d->socket, (enum socket_option)row->option, value);
    return CALL_DONE;
}

// --- Getting

static int get_value(struct runner *r, const struct script_event *event,
                     struct descriptor *d, const struct option_row *row,
                     int64_t *value)
{
    const struct setting_info *info;

    switch (row->kind) {
    case OPTION_KIND_ERROR:
        *value = -socket_take_error(d->socket);
        return 0;
    case OPTION_KIND_SETTING:
        info = setting_row(r, event->line, row);
        if (info != NULL)
            *value = socket_get_setting(d->socket, info) / row->unit;
        return 0;
    case OPTION_KIND_OPTION:
        return socket_get_option(d->socket, (enum socket_option)row->option,
                                 value);
    default:
        runner_unsupported(r, event->line, "getsockopt of %s",
                           call_argument(event->call, 2)->text);
        return 0;
    }
}

enum call_progress call_getsockopt(struct runner *r,
                                   const struct script_event *event,
                                   int64_t *result)
{
    const struct script_value *out = call_argument(event->call, 3);
    const struct option_row *row;
    enum call_progress progress;
    struct descriptor *d;
    int64_t found = 0, expected;

    if (!find_option(r, event, &d, &row, result, &progress))
        return progress;
    *result = get_value(r, event, d, row, &found);
    if (r->is_stopped)
        return CALL_STOPPED;
    if (*result != 0 || out == NULL || out->kind == SCRIPT_VALUE_ELLIPSIS)
        return CALL_DONE;
    if (!call_integer(r, event, 3, &expected))
        return CALL_STOPPED;
    if (found == expected)
        return CALL_DONE;
    const char *name = call_argument(event->call, 2)->text;
    if (row->kind == OPTION_KIND_ERROR) {
        const char *wanted = symbol_errno_name((int)expected);
        const char *got = symbol_errno_name((int)found);

        runner_fail(r, event->line, "SO_ERROR is %s, expected %s",
                    got != NULL ? got : "0", wanted != NULL ? wanted : "0");
    } else {
        runner_fail(r, event->line, "%s is %lld, expected %lld", name,
                    (long long)found, (long long)expected);
    }
    return CALL_STOPPED;
}

// --- ioctl

enum call_progress call_ioctl(struct runner *r,
                              const struct script_event *event, int64_t *result)
{
    int64_t fd, request, expected, found;

    if (!call_integer(r, event, 0, &fd) ||
        !call_integer(r, event, 1, &request) ||
        !call_integer(r, event, 2, &expected))
        return CALL_STOPPED;
    struct descriptor *d = descriptor_find(r, fd);
    if (d == NULL || d->socket == NULL) {
        *result = -EBADF;
        return CALL_DONE;
    }
    if (request == FIONBIO) {
        d->is_nonblocking = expected != 0;
        return CALL_DONE;
    }
    bool is_in = is_named("SIOCINQ", request);
    if (!is_in && !is_named("SIOCOUTQ", request)) {
        runner_unsupported(r, event->line, "the ioctl %s",
                           call_argument(event->call, 1)->text);
        return CALL_STOPPED;
    }
    *result = socket_get_option(d->socket,
                                is_in ? OPTION_UNREAD : OPTION_UNACKED, &found);
    if (*result == 0 && found != expected)
        runner_fail(r, event->line, "%s is %lld, expected %lld",
                    call_argument(event->call, 1)->text, (long long)found,
                    (long long)expected);
    return r->is_stopped ? CALL_STOPPED : CALL_DONE;
}
