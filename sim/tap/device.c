// Opens TAP, TUN and packet devices; moves frames.
// SPDX-License-Identifier: MIT
#include "sim/tap/device.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

static int set_name(struct ifreq *request, const char *name)
{
    memset(request, 0, sizeof(*request));
    if (*name == '\0' || strlen(name) >= sizeof(request->ifr_name))
        return -EINVAL;
    memcpy(request->ifr_name, name, strlen(name) + 1);
    return 0;
}

// Asks the kernel about the interface. 0 or a negative errno.
static int ask(const char *name, unsigned long what, struct ifreq *request)
{
    int error = set_name(request, name);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -errno;
    if (error == 0 && ioctl(fd, what, request) < 0)
        error = -errno;
    close(fd);
    return error;
}

static uint32_t read_mtu(const char *name)
{
    struct ifreq request;

    return ask(name, SIOCGIFMTU, &request) == 0 ? (uint32_t)request.ifr_mtu : 0;
}

// A device that came into being with this program is of no use while it is
// down, and nobody can have wanted it so.
static void bring_up(const char *name)
{
    struct ifreq request;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return;
    if (set_name(&request, name) == 0 &&
        ioctl(fd, SIOCGIFFLAGS, &request) == 0) {
        request.ifr_flags = (short)(request.ifr_flags | IFF_UP);
        ioctl(fd, SIOCSIFFLAGS, &request);
    }
    close(fd);
}

static bool exists(const char *name)
{
    struct ifreq request;

    return ask(name, SIOCGIFINDEX, &request) == 0;
}

// --- TAP and TUN

static int attach_tun(struct device *device, bool wants_offload)
{
    struct ifreq request;
    int header_size = (int)sizeof(struct virtio_net_hdr);
    int error = set_name(&request, device->name);

    if (error < 0)
        return error;
    request.ifr_flags = (short)((device->kind == TAP_IP ? IFF_TUN : IFF_TAP) |
                                IFF_NO_PI | (wants_offload ? IFF_VNET_HDR : 0));
    if (ioctl(device->fd, TUNSETIFF, &request) < 0)
        return -errno;
    device->has_header = wants_offload;
    if (!wants_offload)
        return 0;
    if (ioctl(device->fd, TUNSETVNETHDRSZ, &header_size) < 0)
        return -errno;
    device->has_offload = ioctl(device->fd, TUNSETOFFLOAD,
                                TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6) == 0;
    return 0;
}

static int open_tun(struct device *device, bool wants_offload)
{
    device->was_made = !exists(device->name);
    device->fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (device->fd < 0)
        return -errno;
    int error = attach_tun(device, wants_offload);
    if (error == 0 && device->was_made)
        bring_up(device->name);
    return error;
}

// --- Interfaces that exist

static int bind_packet(struct device *device, int index)
{
    struct sockaddr_ll address = {
        .sll_family = AF_PACKET,
        .sll_protocol = htons(ETH_P_ALL),
        .sll_ifindex = index,
    };
    struct packet_mreq promiscuous = {.mr_ifindex = index,
                                      .mr_type = PACKET_MR_PROMISC};
    int one = 1;

    // What this machine itself sends on the interface is not from outside.
    if (setsockopt(device->fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one,
                   sizeof(one)) < 0 ||
        setsockopt(device->fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &promiscuous,
                   sizeof(promiscuous)) < 0 ||
        bind(device->fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        return -errno;
    return 0;
}

// A veth hands over what its other end sent with offload, whether we like it
// or not; only the header tells.
static int open_packet(struct device *device)
{
    struct ifreq request;
    int one = 1, large = 4 << 20;
    int error = ask(device->name, SIOCGIFINDEX, &request);

    if (error < 0)
        return error;
    device->fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (device->fd < 0 || setsockopt(device->fd, SOL_PACKET, PACKET_VNET_HDR,
                                     &one, sizeof(one)) < 0)
        return -errno;
    device->has_header = true;
    // Best effort: the limit of an ordinary user is smaller.
    setsockopt(device->fd, SOL_SOCKET, SO_RCVBUF, &large, sizeof(large));
    return bind_packet(device, request.ifr_ifindex);
}

// --- All kinds

int device_open(const char *name, enum tap_kind kind, bool wants_offload,
                struct device *out, char *why)
{
    struct device device = {.fd = -1, .kind = kind};
    int error = strlen(name) < sizeof(device.name) ? 0 : -ENAMETOOLONG;

    if (error == 0) {
        memcpy(device.name, name, strlen(name) + 1);
        error = kind == TAP_PACKET ? open_packet(&device)
                                   : open_tun(&device, wants_offload);
    }
    if (error < 0) {
        device_close(&device);
        device_explain(name, kind, error, why);
        return error;
    }
    device.mtu = read_mtu(device.name);
    *out = device;
    return 0;
}

bool device_is_up(const struct device *device)
{
    struct ifreq request;

    return ask(device->name, SIOCGIFFLAGS, &request) == 0 &&
           (request.ifr_flags & IFF_UP) != 0;
}

void device_close(struct device *device)
{
    if (device->fd >= 0)
        close(device->fd);
    device->fd = -1;
}

int64_t device_read(struct device *device, struct virtio_net_hdr *header,
                    uint8_t *bytes, size_t size)
{
    size_t header_size = device->has_header ? sizeof(*header) : 0;
    struct iovec parts[2] = {{header, header_size}, {bytes, size}};

    memset(header, 0, sizeof(*header));
    ssize_t length = readv(device->fd, parts, 2);
    // A packet socket tells once that its interface went down, and then waits
    // for it to come back.
    if (length < 0 && errno == ENETDOWN)
        return exists(device->name) ? -EAGAIN : -ENODEV;
    if (length < 0)
        return errno == EINTR ? -EAGAIN : -errno;
    return length - (ssize_t)header_size; // less than 0: not even a header
}

int device_write(struct device *device, const struct virtio_net_hdr *header,
                 struct iovec *parts, int count)
{
    parts[0] = (struct iovec){(void *)header,
                              device->has_header ? sizeof(*header) : 0};
    return writev(device->fd, parts, count) < 0 ? -errno : 0;
}
