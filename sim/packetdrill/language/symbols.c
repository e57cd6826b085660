// Values of the constants that scripts name.
// SPDX-License-Identifier: MIT

#include "sim/packetdrill/language/symbols.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

// From Linux's headers that libc's do not include or that clash with them.
enum {
    LINUX_SIOCINQ = 0x541b,
    LINUX_SIOCOUTQ = 0x5411,
    LINUX_TCP_INQ = 36,
    LINUX_MSG_ZEROCOPY = 0x4000000,
};

struct symbol {
    const char *name;
    int64_t value;
};

#define S(name)                                                                \
    {                                                                          \
#name, name                                                            \
    }
#define ERRNO_NAMES                                                            \
    S(EPERM), S(ENOENT), S(EINTR), S(EIO), S(EBADF), S(EAGAIN), S(ENOMEM),     \
        S(EACCES), S(EFAULT), S(EBUSY), S(EEXIST), S(ENOTDIR), S(EINVAL),      \
        S(ENFILE), S(EMFILE), S(ENOSPC), S(EPIPE), S(ERANGE), S(ENOTSOCK),     \
        S(EDESTADDRREQ), S(EMSGSIZE), S(EPROTOTYPE), S(ENOPROTOOPT),           \
        S(EPROTONOSUPPORT), S(EOPNOTSUPP), S(EAFNOSUPPORT), S(EADDRINUSE),     \
        S(EADDRNOTAVAIL), S(ENETDOWN), S(ENETUNREACH), S(ENETRESET),           \
        S(ECONNABORTED), S(ECONNRESET), S(ENOBUFS), S(EISCONN), S(ENOTCONN),   \
        S(ETIMEDOUT), S(ECONNREFUSED), S(EHOSTDOWN), S(EHOSTUNREACH),          \
        S(EALREADY), S(EINPROGRESS), S(EPROTO), S(ETIME), S(ENODATA)

static const struct symbol errno_symbols[] = {
    ERRNO_NAMES,
    {"EWOULDBLOCK", EAGAIN},
    {"ENOTSUP", EOPNOTSUPP},
};

static const struct symbol symbols[] = {
    S(AF_UNSPEC),
    S(AF_INET),
    S(AF_INET6),
    S(PF_INET),
    S(PF_INET6),
    S(SOCK_STREAM),
    S(SOCK_DGRAM),
    S(SOCK_NONBLOCK),
    S(SOCK_CLOEXEC),
    S(IPPROTO_IP),
    S(IPPROTO_IPV6),
    S(IPPROTO_TCP),
    S(IPPROTO_UDP),
    S(IPPROTO_ICMP),
    {"SOL_TCP", IPPROTO_TCP},
    {"SOL_IP", IPPROTO_IP},
    {"SOL_IPV6", IPPROTO_IPV6},
    S(SOL_SOCKET),
    S(SO_REUSEADDR),
    S(SO_REUSEPORT),
    S(SO_KEEPALIVE),
    S(SO_LINGER),
    S(SO_OOBINLINE),
    S(SO_SNDBUF),
    S(SO_RCVBUF),
    S(SO_SNDTIMEO),
    S(SO_RCVTIMEO),
    S(SO_RCVLOWAT),
    S(SO_ERROR),
    S(SO_BROADCAST),
    S(IP_TOS),
    S(IP_TTL),
    S(IP_MTU),
    S(IP_MTU_DISCOVER),
    {"IP_PMTUDISC_DONT", 0},
    {"IP_PMTUDISC_WANT", 1},
    {"IP_PMTUDISC_DO", 2},
    S(IPV6_UNICAST_HOPS),
    S(IPV6_TCLASS),
    S(IPV6_V6ONLY),
    S(IPTOS_LOWDELAY),
    S(IPTOS_THROUGHPUT),
    S(IPTOS_RELIABILITY),
    S(IPTOS_MINCOST),
    {"IPTOS_ECN_ECT0", 2},
    {"IPTOS_ECN_ECT1", 1},
    {"IPTOS_ECN_CE", 3},
    {"IPTOS_DSCP_CS0", 0x00},
    {"IPTOS_DSCP_CS1", 0x20},
    {"IPTOS_DSCP_CS2", 0x40},
    {"IPTOS_DSCP_CS3", 0x60},
    {"IPTOS_DSCP_CS4", 0x80},
    {"IPTOS_DSCP_CS5", 0xa0},
    {"IPTOS_DSCP_CS6", 0xc0},
    {"IPTOS_DSCP_CS7", 0xe0},
    S(TCP_NODELAY),
    S(TCP_MAXSEG),
    S(TCP_CORK),
    S(TCP_KEEPIDLE),
    S(TCP_KEEPINTVL),
    S(TCP_KEEPCNT),
    S(TCP_SYNCNT),
    S(TCP_LINGER2),
    S(TCP_DEFER_ACCEPT),
    S(TCP_WINDOW_CLAMP),
    S(TCP_INFO),
    S(TCP_QUICKACK),
    S(TCP_CONGESTION),
    S(TCP_USER_TIMEOUT),
    S(TCP_FASTOPEN),
    S(TCP_TIMESTAMP),
    S(TCP_NOTSENT_LOWAT),
    S(TCP_FASTOPEN_CONNECT),
    S(TCP_FASTOPEN_KEY),
    S(TCP_FASTOPEN_NO_COOKIE),
    {"TCP_INQ", LINUX_TCP_INQ},
    {"TCP_CM_INQ", LINUX_TCP_INQ},
    {"SO_ZEROCOPY", 60},
    {"CMSG_LEVEL_IP", 0}, // whichever the family
    {"CMSG_TYPE_RECVERR", 11},
    {"SO_EE_ORIGIN_ZEROCOPY", 5},
    {"SO_EE_CODE_ZEROCOPY_COPIED", 1},
    S(MSG_OOB),
    S(MSG_PEEK),
    S(MSG_TRUNC),
    S(MSG_DONTWAIT),
    S(MSG_WAITALL),
    S(MSG_NOSIGNAL),
    S(MSG_MORE),
    S(MSG_EOR),
    S(MSG_FASTOPEN),
    S(MSG_ERRQUEUE),
    {"MSG_ZEROCOPY", LINUX_MSG_ZEROCOPY},
    S(SHUT_RD),
    S(SHUT_WR),
    S(SHUT_RDWR),
    S(F_GETFL),
    S(F_SETFL),
    S(O_RDONLY),
    S(O_WRONLY),
    S(O_RDWR),
    S(O_NONBLOCK),
    S(FIONREAD),
    S(FIONBIO),
    {"SIOCINQ", LINUX_SIOCINQ},
    {"SIOCOUTQ", LINUX_SIOCOUTQ},
    S(POLLIN),
    S(POLLPRI),
    S(POLLOUT),
    S(POLLERR),
    S(POLLHUP),
    S(POLLRDHUP),
    S(POLLNVAL),
    S(EPOLLIN),
    S(EPOLLPRI),
    S(EPOLLOUT),
    S(EPOLLERR),
    S(EPOLLHUP),
    S(EPOLLRDHUP),
    {"EPOLLET", 0x80000000},
    {"EPOLLONESHOT", 0x40000000},
    S(EPOLL_CTL_ADD),
    S(EPOLL_CTL_DEL),
    S(EPOLL_CTL_MOD),
};

// TCPI_OPT_* are Linux's bits, TCP_* Linux's states; the TCPI_ states are
// FreeBSD's words with Linux's numbers, so that one tcpi_state serves both.
static const struct symbol code_symbols[] = {
    {"TCPI_OPT_TIMESTAMPS", 1}, {"TCPI_OPT_SACK", 2},
    {"TCPI_OPT_WSCALE", 4},     {"TCPI_OPT_ECN", 8},
    {"TCPI_OPT_ECN_SEEN", 16},  {"TCPI_OPT_SYN_DATA", 32},
    {"TCP_CA_Open", 0},         {"TCP_CA_Disorder", 1},
    {"TCP_CA_CWR", 2},          {"TCP_CA_Recovery", 3},
    {"TCP_CA_Loss", 4},         {"TCP_INFINITE_SSTHRESH", 0x7fffffff},
    {"TCP_ESTABLISHED", 1},     {"TCP_SYN_SENT", 2},
    {"TCP_SYN_RECV", 3},        {"TCP_FIN_WAIT1", 4},
    {"TCP_FIN_WAIT2", 5},       {"TCP_TIME_WAIT", 6},
    {"TCP_CLOSE", 7},           {"TCP_CLOSE_WAIT", 8},
    {"TCP_LAST_ACK", 9},        {"TCP_LISTEN", 10},
    {"TCP_CLOSING", 11},        {"TCPI_ESTABLISHED", 1},
    {"TCPI_SYN_SENT", 2},       {"TCPI_SYN_RECEIVED", 3},
    {"TCPI_FIN_WAIT_1", 4},     {"TCPI_FIN_WAIT_2", 5},
    {"TCPI_TIME_WAIT", 6},      {"TCPI_CLOSED", 7},
    {"TCPI_CLOSE_WAIT", 8},     {"TCPI_LAST_ACK", 9},
    {"TCPI_LISTEN", 10},        {"TCPI_CLOSING", 11},
};

static bool find(const struct symbol *table, size_t count, const char *name,
                 size_t length, int64_t *value)
{
    for (size_t i = 0; i < count; i++)
        if (strlen(table[i].name) == length &&
            memcmp(table[i].name, name, length) == 0) {
            *value = table[i].value;
            return true;
        }
    return false;
}

bool symbol_find(const char *name, size_t length, int64_t *value)
{
    return find(symbols, ARRAY_LENGTH(symbols), name, length, value) ||
           find(errno_symbols, ARRAY_LENGTH(errno_symbols), name, length,
                value);
}

bool symbol_find_code(const char *name, size_t length, int64_t *value)
{
    return find(code_symbols, ARRAY_LENGTH(code_symbols), name, length, value);
}

const char *symbol_errno_name(int error)
{
    for (size_t i = 0; i < ARRAY_LENGTH(errno_symbols); i++)
        if (errno_symbols[i].value == error)
            return errno_symbols[i].name;
    return NULL;
}
