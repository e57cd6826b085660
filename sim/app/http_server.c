// http: a server of HTTP/1.1 with generated bodies and files.
// SPDX-License-Identifier: MIT
#include "sim/app/internal.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

// Theory of operation
//
// RFC 9112. A connection reads a request head, answers, and begins again, until
// a side says close. What lies behind a head stays in the buffer: requests may
// be pipelined. Bodies of requests are not taken (GET and HEAD have none).
//
//      /            a page that says what else there is
//      /bytes/N     N bytes whose values say their offsets, with Content-Length
//      /chunked/N   the same in chunks
//      /anything    the file of that name below `root`, if there is a root
//
// A file is opened anew for each piece that is sent. So no descriptor hangs on
// a connection, and a file that is cut short ends the connection, which is the
// only way to tell the client.

enum { HEAD_LIMIT = 8192, OUT_SIZE = 16384, CHUNK_SIZE = 8192 };

struct http_connection {
    char in[HEAD_LIMIT];
    size_t in_used;
    char out[OUT_SIZE];
    size_t out_used, out_done;
    uint64_t body_left, body_offset;
    bool has_chunks, closes, is_answering;
    char path[1024]; // of the file; empty: generated
};

struct http_server {
    struct app app; // first
    struct stream_server server;
};

struct request_head {
    const char *method, *target;
    int minor; // HTTP/1.x
    bool has_host, closes, has_body;
};

// --- Answers

static void put_head(struct http_connection *h, const char *status,
                     const char *type, int64_t length, bool is_head)
{
    char framing[64] = "Transfer-Encoding: chunked\r\n";

    if (length >= 0)
        snprintf(framing, sizeof(framing), "Content-Length: %" PRId64 "\r\n",
                 length);
    h->out_done = 0;
    h->out_used = (size_t)snprintf(h->out, sizeof(h->out),
                                   "HTTP/1.1 %s\r\nServer: Wirebed\r\n"
                                   "Content-Type: %s\r\n%s%s\r\n",
                                   status, type, framing,
                                   h->closes ? "Connection: close\r\n" : "");
    h->is_answering = true;
    h->has_chunks = length < 0 && !is_head;
    h->body_left = is_head ? 0 : h->body_left;
    h->body_offset = 0;
}

static void answer_text(struct http_connection *h, const char *status,
                        const char *text, bool is_head)
{
    h->body_left = 0;
    h->path[0] = '\0';
    put_head(h, status, "text/plain", (int64_t)strlen(text), is_head);
    if (!is_head)
        h->out_used += (size_t)snprintf(
            h->out + h->out_used, sizeof(h->out) - h->out_used, "%s", text);
}

static void refuse(struct http_connection *h, const char *status)
{
    char text[64];

    h->closes = true;
    snprintf(text, sizeof(text), "%s\n", status);
    answer_text(h, status, text, false);
}

static bool parse_length(const char *text, uint64_t *out)
{
    char *end;

    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || !isdigit(*text) ||
        value > INT64_MAX)
        return false;
    *out = value;
    return true;
}

static void answer_file(struct http_server *server, struct http_connection *h,
                        const char *target, bool is_head)
{
    const char *root = server->app.config.root;
    struct stat status;
    int length = root == NULL || strstr(target, "..") != NULL
                     ? -1
                     : snprintf(h->path, sizeof(h->path), "%s%s", root, target);

    if (length < 0 || length >= (int)sizeof(h->path) ||
        stat(h->path, &status) != 0 || !S_ISREG(status.st_mode)) {
        answer_text(h, "404 Not Found", "there is no such thing\n", is_head);
        return;
    }
    h->body_left = (uint64_t)status.st_size;
    put_head(h, "200 OK", "application/octet-stream", status.st_size, is_head);
}

static void answer(struct http_server *server, struct http_connection *h,
                   const char *target, bool is_head)
{
    h->path[0] = '\0';
    h->body_left = 0;
    if (strcmp(target, "/") == 0)
        answer_text(h, "200 OK",
                    "A Wirebed host. /bytes/N and /chunked/N give N bytes.\n",
                    is_head);
    else if (strncmp(target, "/bytes/", 7) == 0 &&
             parse_length(target + 7, &h->body_left))
        put_head(h, "200 OK", "application/octet-stream", (int64_t)h->body_left,
                 is_head);
    else if (strncmp(target, "/chunked/", 9) == 0 &&
             parse_length(target + 9, &h->body_left))
        put_head(h, "200 OK", "application/octet-stream", -1, is_head);
    else
        answer_file(server, h, target, is_head);
}

// --- Requests

// Ends the word at `text` with 0; what follows the space. NULL: no space.
static char *split(char *text, char at)
{
    char *end = strchr(text, at);

    if (end == NULL)
        return NULL;
    *end = '\0';
    return end + 1;
}

static void read_field(struct request_head *head, const char *name,
                       const char *value)
{
    value += strspn(value, " \t");
    if (strcasecmp(name, "Host") == 0)
        head->has_host = true;
    else if (strcasecmp(name, "Connection") == 0)
        head->closes = strcasestr(value, "close") != NULL ||
                       (head->closes && !strcasestr(value, "keep-alive"));
    else if (strcasecmp(name, "Transfer-Encoding") == 0 ||
             (strcasecmp(name, "Content-Length") == 0 &&
              strcmp(value, "0") != 0))
        head->has_body = true;
}

// The head's text is cut into words. False: it is not one.
static bool parse_head(char *text, struct request_head *head)
{
    char *next = strstr(text, "\r\n");
    *next = '\0';
    next += 2;
    head->method = text;
    char *target = split(text, ' ');
    char *version = target != NULL ? split(target, ' ') : NULL;
    if (version == NULL || strncmp(version, "HTTP/1.", 7) != 0 ||
        !isdigit(version[7]) || version[8] != '\0' || *target != '/')
        return false;
    head->target = target;
    head->minor = version[7] - '0';
    head->closes = head->minor == 0;
    while (*next != '\0') {
        char *end = strstr(next, "\r\n");
        *end = '\0';
        char *value = split(next, ':');
        if (value == NULL)
            return false;
        read_field(head, next, value);
        next = end + 2;
    }
    return true;
}

static void serve(struct http_server *server, struct http_connection *h,
                  char *text)
{
    struct request_head head = {0};
    bool is_well = parse_head(text, &head);

    server->app.stats.messages_received++;
    server->app.stats.messages_sent++;
    if (!is_well || (head.minor > 0 && !head.has_host)) {
        refuse(h, "400 Bad Request");
        return;
    }
    bool is_head = strcmp(head.method, "HEAD") == 0;
    h->closes = head.closes;
    if (!is_head && strcmp(head.method, "GET") != 0)
        refuse(h, "501 Not Implemented");
    else if (head.has_body)
        refuse(h, "413 Content Too Large");
    else
        answer(server, h, head.target, is_head);
}

// Takes a whole head out of the buffer, if one is there.
static bool take_request(struct http_server *server, struct http_connection *h)
{
    char *end = memmem(h->in, h->in_used, "\r\n\r\n", 4);
    char text[HEAD_LIMIT];

    if (end == NULL)
        return false;
    size_t length = (size_t)(end - h->in) + 2; // with the last line's end
    memcpy(text, h->in, length);
    text[length] = '\0';
    h->in_used -= length + 2;
    memmove(h->in, end + 4, h->in_used);
    if (strlen(text) == length)
        serve(server, h, text);
    else
        refuse(h, "400 Bad Request");
    return true;
}

// --- Bodies

// False: the file does not give what it promised.
static bool read_file(const struct http_connection *h, char *out, size_t size)
{
    int fd = open(h->path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd >= 0 ? pread(fd, out, size, (off_t)h->body_offset) : -1;

    if (fd >= 0)
        close(fd);
    return got == (ssize_t)size;
}

static bool fill_piece(struct http_connection *h, char *out, size_t size)
{
    if (h->path[0] != '\0')
        return read_file(h, out, size);
    app_pattern(NULL, h->body_offset, (uint8_t *)out, size);
    return true;
}

// The next piece of the body into the empty buffer. False: it cannot be had.
static bool fill(struct http_connection *h)
{
    size_t size = h->body_left < CHUNK_SIZE ? (size_t)h->body_left : CHUNK_SIZE;
    size_t used = 0;

    if (h->has_chunks)
        used = (size_t)snprintf(h->out, sizeof(h->out), "%zx\r\n", size);
    if (size > 0 && !fill_piece(h, h->out + used, size))
        return false;
    used += size;
    if (h->has_chunks) {
        memcpy(h->out + used, "\r\n", 2);
        used += 2;
        h->has_chunks = size > 0; // the empty chunk is the last
    }
    h->out_used = used;
    h->out_done = 0;
    h->body_left -= size;
    h->body_offset += size;
    return true;
}

// 0: everything is sent; -EAGAIN; another error.
static int flush(struct stream_connection *c, struct http_connection *h)
{
    while (h->out_done < h->out_used) {
        int64_t n = socket_send(c->socket, h->out + h->out_done,
                                h->out_used - h->out_done,
                                h->body_left > 0 ? MESSAGE_MORE : 0);
        if (n < 0)
            return (int)n;
        h->out_done += (size_t)n;
        c->sent += (uint64_t)n;
        app_note_sent(c->server->app, (uint64_t)n);
    }
    return 0;
}

// --- Connections

// 1: an answer is over, or none was due; 0: wait; negative: end.
static int advance_answer(struct stream_connection *c,
                          struct http_connection *h)
{
    for (;;) {
        int error = flush(c, h);
        if (error < 0)
            return error == -EAGAIN ? 0 : error;
        if (!h->is_answering)
            return 1;
        if (h->body_left == 0 && !h->has_chunks) {
            h->is_answering = false;
            return h->closes ? -ENOTCONN : 1;
        }
        if (!fill(h))
            return -EIO;
    }
}

// As advance_answer.
static int read_more(struct stream_connection *c, struct http_connection *h)
{
    if (h->in_used == sizeof(h->in)) {
        refuse(h, "431 Request Header Fields Too Large");
        return 1;
    }
    int64_t n = socket_receive(c->socket, h->in + h->in_used,
                               sizeof(h->in) - h->in_used, 0);
    if (n == -EAGAIN)
        return 0;
    if (n <= 0)
        return n == 0 ? -ENOTCONN : (int)n;
    h->in_used += (size_t)n;
    c->received += (uint64_t)n;
    app_note_received(c->server->app, (uint64_t)n);
    return 1;
}

static void on_ready(struct stream_connection *c)
{
    struct http_server *server = (struct http_server *)c->server->app;
    struct http_connection *h = (struct http_connection *)(void *)c->buffer;
    int result = 1;

    if (h == NULL) {
        h = calloc(1, sizeof(*h));
        c->buffer = (uint8_t *)h;
    }
    if (h == NULL)
        result = -ENOMEM;
    while (result > 0) {
        result = advance_answer(c, h);
        if (result > 0 && !take_request(server, h))
            result = read_more(c, h);
    }
    if (result < 0)
        stream_close(c);
}

static int http_start(struct app *app)
{
    return stream_server_start(&((struct http_server *)app)->server, app,
                               on_ready);
}

static void http_stop(struct app *app)
{
    stream_server_stop(&((struct http_server *)app)->server);
}

const struct app_ops http_server_app = {
    .size = sizeof(struct http_server), .start = http_start, .stop = http_stop};
