// The kernel's end of the interoperation tests.
// SPDX-License-Identifier: MIT
//
// Usage: peer COMMAND ARGUMENT...; each command is a row of the table below.
// Exit status 0: as it should be; 1: not, with a sentence on stderr. The bytes
// of a stream say where they are: each aligned group of 8 holds its own offset,
// big-endian, as those of the application tcp-bulk.

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <linux/tcp.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CHUNK = 65536 };

__attribute__((format(printf, 1, 2))) static _Noreturn void
fail(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    fprintf(stderr, "peer: ");
    vfprintf(stderr, format, arguments);
    fprintf(stderr, "\n");
    va_end(arguments);
    exit(1);
}

static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static uint64_t number(const char *text)
{
    char *end;
    uint64_t value = strtoull(text, &end, 10);

    if (end == text || *end != '\0')
        fail("'%s' is not a number", text);
    return value;
}

// --- Bytes

static void pattern(uint64_t offset, uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        uint64_t at = offset + i;

        bytes[i] = (uint8_t)((at & ~UINT64_C(7)) >> (56 - 8 * (at & 7)));
    }
}

static void compare(uint64_t offset, const uint8_t *bytes, size_t length)
{
    static uint8_t expected[CHUNK];

    pattern(offset, expected, length);
    if (memcmp(bytes, expected, length) != 0)
        fail("wrong bytes at offset %llu or after", (unsigned long long)offset);
}

// --- Sockets

static struct addrinfo *find(const char *host, const char *port, int type)
{
    struct addrinfo hints = {.ai_socktype = type,
                             .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV};
    struct addrinfo *found;

    if (getaddrinfo(host, port, &hints, &found) != 0)
        fail("'%s' port '%s' is no address", host, port);
    return found;
}

static int try_connect(const char *host, const char *port, int type)
{
    struct addrinfo *to = find(host, port, type);
    int fd = socket(to->ai_family, type, 0);

    if (fd < 0 || connect(fd, to->ai_addr, to->ai_addrlen) < 0) {
        int error = errno;

        close(fd);
        return -error;
    }
    return fd;
}

static int connect_to(const char *host, const char *port, int type)
{
    int fd = try_connect(host, port, type);

    if (fd < 0)
        fail("connect to %s port %s: %s", host, port, strerror(-fd));
    return fd;
}

static int accept_one(const char *port, int receive_buffer)
{
    struct sockaddr_in6 any = {.sin6_family = AF_INET6,
                               .sin6_port = htons((uint16_t)number(port))};
    int listener = socket(AF_INET6, SOCK_STREAM, 0), one = 1;

    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (receive_buffer > 0)
        setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &receive_buffer,
                   sizeof(receive_buffer));
    if (bind(listener, (struct sockaddr *)&any, sizeof(any)) < 0 ||
        listen(listener, 8) < 0)
        fail("listen on %s: %s", port, strerror(errno));
    int fd = accept(listener, NULL, NULL);
    if (fd < 0)
        fail("accept: %s", strerror(errno));
    close(listener);
    return fd;
}

static void send_all(int fd, uint64_t offset, uint64_t length)
{
    static uint8_t bytes[CHUNK];

    while (length > 0) {
        size_t size = length < CHUNK ? length : CHUNK;

        pattern(offset, bytes, size);
        ssize_t n = send(fd, bytes, size, 0);
        if (n < 0)
            fail("send: %s", strerror(errno));
        offset += (uint64_t)n;
        length -= (uint64_t)n;
    }
}

// Reads and compares until the end; how much there was.
static uint64_t receive_all(int fd)
{
    static uint8_t bytes[CHUNK];
    uint64_t offset = 0;
    ssize_t n;

    while ((n = recv(fd, bytes, CHUNK, 0)) > 0) {
        compare(offset, bytes, (size_t)n);
        offset += (uint64_t)n;
    }
    if (n < 0)
        fail("receive after %llu bytes: %s", (unsigned long long)offset,
             strerror(errno));
    return offset;
}

static void expect_bytes(uint64_t got, uint64_t wanted)
{
    if (got != wanted)
        fail("%llu bytes came, %llu were expected", (unsigned long long)got,
             (unsigned long long)wanted);
}

static void print_rate(const char *what, uint64_t bytes, double since)
{
    printf("%s %.1f Mbit/s\n", what, 8e-6 * (double)bytes / (now() - since));
}

// --- Commands

// A child sends and shuts its direction; we read what comes back.
static void echo(char **a)
{
    int fd = connect_to(a[0], a[1], SOCK_STREAM);
    uint64_t length = number(a[2]);
    double since = now();

    if (fork() == 0) {
        send_all(fd, 0, length);
        shutdown(fd, SHUT_WR);
        _exit(0);
    }
    expect_bytes(receive_all(fd), length);
    print_rate("echo", length, since);
}

static void send_only(char **a)
{
    int fd = connect_to(a[0], a[1], SOCK_STREAM);
    uint64_t length = number(a[2]);
    double since = now();
    uint8_t byte;

    send_all(fd, 0, length);
    shutdown(fd, SHUT_WR);
    if (recv(fd, &byte, 1, 0) != 0)
        fail("no clean end: %s", strerror(errno));
    print_rate("send", length, since);
}

static void receive(char **a)
{
    int fd = accept_one(a[0], 0);
    double since = now();
    uint64_t length = receive_all(fd);

    expect_bytes(length, number(a[1]));
    print_rate("receive", length, since);
}

// Lets the window close, stays so for a while, then reads.
static void receive_late(char **a)
{
    int fd = accept_one(a[0], 8192);

    usleep((useconds_t)number(a[2]) * 1000);
    expect_bytes(receive_all(fd), number(a[1]));
}

static void refused(char **a)
{
    double since = now();
    int fd = try_connect(a[0], a[1], SOCK_STREAM);

    if (fd != -ECONNREFUSED)
        fail("expected a refusal, not %s",
             fd < 0 ? strerror(-fd) : "a connection");
    if (now() - since > 1)
        fail("the refusal took %.1f s", now() - since);
}

static void reset(char **a)
{
    int fd = connect_to(a[0], a[1], SOCK_STREAM);
    struct linger now_linger = {1, 0};

    send_all(fd, 0, 1000);
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now_linger, sizeof(now_linger));
    close(fd);
}

// Expects that the other end resets the connection.
static void expect_reset(char **a)
{
    int fd = accept_one(a[0], 0);
    static uint8_t bytes[CHUNK];
    ssize_t n;

    while ((n = recv(fd, bytes, CHUNK, 0)) > 0)
        ;
    if (n == 0 || errno != ECONNRESET)
        fail("expected a reset, not %s", n == 0 ? "an end" : strerror(errno));
}

static void urgent(char **a)
{
    int fd = connect_to(a[0], a[1], SOCK_STREAM);
    char bytes[32];
    size_t got = 0;

    if (send(fd, "abc", 3, 0) != 3 || send(fd, "!", 1, MSG_OOB) != 1 ||
        send(fd, "def", 3, 0) != 3)
        fail("send: %s", strerror(errno));
    shutdown(fd, SHUT_WR);
    ssize_t n;
    while ((n = recv(fd, bytes + got, sizeof(bytes) - got, 0)) > 0)
        got += (size_t)n;
    if (n < 0 || got < 6)
        fail("%zu bytes came back", got);
}

static void datagrams(char **a)
{
    int fd = connect_to(a[0], a[1], SOCK_DGRAM);
    size_t size = (size_t)number(a[2]);
    uint64_t count = number(a[3]);
    static uint8_t bytes[CHUNK];
    struct timeval patience = {2, 0};

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    for (uint64_t i = 0; i < count; i++) {
        pattern(i * 8, bytes, size);
        if (send(fd, bytes, size, 0) != (ssize_t)size)
            fail("send: %s", strerror(errno));
        ssize_t n = recv(fd, bytes, CHUNK, 0);
        if (n != (ssize_t)size)
            fail("datagram %llu: %s", (unsigned long long)i,
                 n < 0 ? strerror(errno) : "wrong length");
        compare(i * 8, bytes, size);
    }
}

static void datagram_refused(char **a)
{
    int fd = connect_to(a[0], a[1], SOCK_DGRAM);
    struct timeval patience = {2, 0};
    uint8_t byte = 0;

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    if (send(fd, &byte, 1, 0) != 1 || recv(fd, &byte, 1, 0) >= 0 ||
        errno != ECONNREFUSED)
        fail("expected a refusal, not %s", strerror(errno));
}

// Says what Linux thinks was negotiated, after a round trip of data.
static void info(char **a)
{
    int fd = connect_to(a[0], a[1], SOCK_STREAM);
    struct tcp_info tcp;
    socklen_t size = sizeof(tcp);
    char byte = 'x';

    if (send(fd, &byte, 1, 0) != 1 || recv(fd, &byte, 1, 0) != 1 ||
        getsockopt(fd, IPPROTO_TCP, TCP_INFO, &tcp, &size) < 0)
        fail("no round trip: %s", strerror(errno));
    printf("%s%s%s%smss=%u wscale=%u\n",
           tcp.tcpi_options & TCPI_OPT_TIMESTAMPS ? "timestamps " : "",
           tcp.tcpi_options & TCPI_OPT_SACK ? "sack " : "",
           tcp.tcpi_options & TCPI_OPT_ECN ? "ecn " : "",
           tcp.tcpi_options & TCPI_OPT_WSCALE ? "window-scaling " : "",
           tcp.tcpi_snd_mss, tcp.tcpi_snd_wscale);
}

// Connects with data in the SYN, twice: for a cookie, then with it.
static void fast_open(char **a)
{
    struct addrinfo *to = find(a[0], a[1], SOCK_STREAM);
    struct tcp_info tcp;
    socklen_t size = sizeof(tcp);
    char bytes[8];

    for (int i = 0; i < 2; i++) {
        int fd = socket(to->ai_family, SOCK_STREAM, 0);

        if (sendto(fd, "hello", 5, MSG_FASTOPEN, to->ai_addr, to->ai_addrlen) !=
            5)
            fail("sendto: %s", strerror(errno));
        if (recv(fd, bytes, 5, MSG_WAITALL) != 5 ||
            memcmp(bytes, "hello", 5) != 0)
            fail("no echo: %s", strerror(errno));
        getsockopt(fd, IPPROTO_TCP, TCP_INFO, &tcp, &size);
        close(fd);
    }
    if (!(tcp.tcpi_options & TCPI_OPT_SYN_DATA))
        fail("the data in the SYN was not taken");
}

// Opens many connections, keeps them, exchanges a byte on each.
static void many(char **a)
{
    size_t count = (size_t)number(a[2]);
    int *fds = calloc(count, sizeof(*fds));
    char byte = 'x';

    for (size_t i = 0; i < count; i++)
        fds[i] = connect_to(a[0], a[1], SOCK_STREAM);
    for (size_t i = 0; i < count; i++)
        if (send(fds[i], &byte, 1, 0) != 1 || recv(fds[i], &byte, 1, 0) != 1)
            fail("connection %zu: %s", i, strerror(errno));
    free(fds);
}

// Many short connections one after the other to an HTTP server, which closes
// them first: ports come back while its end is in TIME-WAIT.
static void short_lived(char **a)
{
    static const char request[] = "GET /bytes/8 HTTP/1.0\r\n\r\n";
    uint64_t count = number(a[2]);
    char bytes[512];

    for (uint64_t i = 0; i < count; i++) {
        int fd = connect_to(a[0], a[1], SOCK_STREAM);
        size_t got = 0;
        ssize_t n;

        if (send(fd, request, sizeof(request) - 1, 0) < 0)
            fail("connection %llu: %s", (unsigned long long)i, strerror(errno));
        while ((n = recv(fd, bytes + got, sizeof(bytes) - got, 0)) > 0)
            got += (size_t)n;
        if (n < 0 || got < 64)
            fail("connection %llu: %zu bytes: %s", (unsigned long long)i, got,
                 strerror(errno));
        close(fd);
    }
}

// Stays idle with keepalive on; the other end must answer the probes.
static void keepalive(char **a)
{
    int fd = connect_to(a[0], a[1], SOCK_STREAM), one = 1;
    struct tcp_info tcp;
    socklen_t size = sizeof(tcp);
    char byte = 'x';

    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &one, sizeof(one));
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &one, sizeof(one));
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &one, sizeof(one));
    usleep(2600000);
    getsockopt(fd, IPPROTO_TCP, TCP_INFO, &tcp, &size);
    if (tcp.tcpi_probes != 0 || tcp.tcpi_last_ack_recv > 1500)
        fail("probes are not answered: last ACK %u ms ago",
             tcp.tcpi_last_ack_recv);
    if (send(fd, &byte, 1, 0) != 1 || recv(fd, &byte, 1, 0) != 1)
        fail("the connection is gone: %s", strerror(errno));
}

// --- Floods

static uint64_t random_state;

static uint32_t random_word(void)
{
    random_state = random_state * UINT64_C(6364136223846793005) + 1;
    return (uint32_t)(random_state >> 33);
}

static int packet_socket(const char *device)
{
    struct sockaddr_ll address = {.sll_family = AF_PACKET,
                                  .sll_protocol = htons(ETH_P_ALL),
                                  .sll_ifindex = (int)if_nametoindex(device)};
    int fd = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL));

    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        fail("%s: %s", device, strerror(errno));
    return fd;
}

// Frames that went over the device lately, to be mutated; some of noise.
enum { MODELS = 64, MODEL_SIZE = 1514 };
struct model {
    uint8_t bytes[MODEL_SIZE];
    size_t length;
};

static void collect(int fd, struct model *models)
{
    for (int i = 0; i < MODELS; i++) {
        ssize_t n = recv(fd, models[i].bytes, MODEL_SIZE, MSG_DONTWAIT);

        if (n > 0) {
            models[i].length = (size_t)n;
            continue;
        }
        models[i].length = 60 + random_word() % 1400;
        for (size_t at = 12; at < models[i].length; at++)
            models[i].bytes[at] = (uint8_t)random_word();
        memset(models[i].bytes, 0xff, 6);
    }
}

// A few bytes changed, or cut short.
static size_t mutate(const struct model *model, uint8_t *out)
{
    size_t length = model->length;

    memcpy(out, model->bytes, length);
    for (uint32_t n = random_word() % 6; n > 0; n--)
        out[random_word() % (random_word() % 2 ? length : 60)] =
            (uint8_t)random_word();
    if (random_word() % 8 == 0)
        length = 14 + random_word() % (length - 13);
    return length;
}

static void flood(char **a)
{
    static struct model models[MODELS];
    uint8_t frame[MODEL_SIZE];
    int fd = packet_socket(a[0]);
    uint64_t count = number(a[1]);

    random_state = number(a[2]);
    usleep(300000);
    collect(fd, models);
    for (uint64_t i = 0; i < count; i++) {
        size_t length = mutate(&models[random_word() % MODELS], frame);

        // The queue of the device may be full; that is not the point.
        if (send(fd, frame, length, 0) < 0 && errno == ENOBUFS)
            usleep(100);
    }
}

static const struct command {
    const char *name, *arguments;
    int count;
    void (*run)(char **arguments);
} commands[] = {
    {"echo", "HOST PORT BYTES", 3, echo},
    {"send", "HOST PORT BYTES", 3, send_only},
    {"receive", "PORT BYTES", 2, receive},
    {"receive-late", "PORT BYTES MILLISECONDS", 3, receive_late},
    {"refused", "HOST PORT", 2, refused},
    {"reset", "HOST PORT", 2, reset},
    {"expect-reset", "PORT", 1, expect_reset},
    {"urgent", "HOST PORT", 2, urgent},
    {"datagrams", "HOST PORT SIZE COUNT", 4, datagrams},
    {"datagram-refused", "HOST PORT", 2, datagram_refused},
    {"info", "HOST PORT", 2, info},
    {"fast-open", "HOST PORT", 2, fast_open},
    {"many", "HOST PORT COUNT", 3, many},
    {"short", "HOST PORT COUNT", 3, short_lived},
    {"keepalive", "HOST PORT", 2, keepalive},
    {"flood", "DEVICE COUNT SEED", 3, flood},
};

int main(int argc, char **argv)
{
    size_t count = sizeof(commands) / sizeof(*commands);

    signal(SIGPIPE, SIG_IGN);
    for (size_t i = 0; argc > 1 && i < count; i++)
        if (strcmp(commands[i].name, argv[1]) == 0) {
            if (argc - 2 != commands[i].count)
                fail("%s wants %s", argv[1], commands[i].arguments);
            commands[i].run(argv + 2);
            return 0;
        }
    fail("which command?");
}
