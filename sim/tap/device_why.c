// Says why a network device could not be opened.
// SPDX-License-Identifier: MIT
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sim/tap/device.h"

// The kernel answers with one of a few errno values, each of which has several
// causes. What the interface of that name is tells them apart: its driver by
// ethtool, a TUN's owner by rtnetlink (sysfs may show another namespace).

struct facts {
    bool exists, is_tun, has_owner;
    bool is_ethernet; // a TUN/TAP: which of the two
    uint32_t owner;
};

static void ask_driver(int fd, const char *name, struct facts *facts)
{
    struct ifreq request = {0};
    struct ethtool_drvinfo info = {.cmd = ETHTOOL_GDRVINFO};

    snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
    facts->exists = ioctl(fd, SIOCGIFINDEX, &request) == 0;
    request.ifr_data = (void *)&info;
    if (!facts->exists || ioctl(fd, SIOCETHTOOL, &request) != 0)
        return;
    facts->is_tun = strcmp(info.driver, "tun") == 0;
    facts->is_ethernet = strcmp(info.bus_info, "tap") == 0;
}

// The attribute of that type among `length` bytes of them; NULL: none.
static const struct rtattr *find_attribute(const struct rtattr *first,
                                           int length, unsigned type)
{
    for (const struct rtattr *at = first; RTA_OK(at, length);
         at = RTA_NEXT(at, length))
        if ((at->rta_type & NLA_TYPE_MASK) == type)
            return at;
    return NULL;
}

static const struct rtattr *find_nested(const struct rtattr *in, unsigned type)
{
    return in != NULL ? find_attribute(RTA_DATA(in), (int)RTA_PAYLOAD(in), type)
                      : NULL;
}

static void read_owner(const struct nlmsghdr *answer, struct facts *facts)
{
    const struct ifinfomsg *link = NLMSG_DATA(answer);
    const struct rtattr *info = find_attribute(
        IFLA_RTA(link), (int)IFLA_PAYLOAD(answer), IFLA_LINKINFO);
    const struct rtattr *owner =
        find_nested(find_nested(info, IFLA_INFO_DATA), IFLA_TUN_OWNER);

    if (owner == NULL)
        return;
    facts->has_owner = true;
    memcpy(&facts->owner, RTA_DATA(owner), sizeof(facts->owner));
}

static void ask_owner(const char *name, struct facts *facts)
{
    struct {
        struct nlmsghdr header;
        struct ifinfomsg link;
        struct rtattr attribute;
        char name[IFNAMSIZ];
    } request = {
        .header = {.nlmsg_len = sizeof(request),
                   .nlmsg_type = RTM_GETLINK,
                   .nlmsg_flags = NLM_F_REQUEST},
        .link = {.ifi_family = AF_UNSPEC},
        .attribute = {.rta_len = RTA_LENGTH(IFNAMSIZ), .rta_type = IFLA_IFNAME},
    };
    _Alignas(struct nlmsghdr) char bytes[8192];
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

    if (fd < 0)
        return;
    snprintf(request.name, sizeof(request.name), "%s", name);
    ssize_t length = send(fd, &request, sizeof(request), 0) < 0
                         ? -1
                         : recv(fd, bytes, sizeof(bytes), 0);
    const struct nlmsghdr *answer = (const struct nlmsghdr *)(void *)bytes;
    if (length > 0 && NLMSG_OK(answer, (size_t)length) &&
        answer->nlmsg_type == RTM_NEWLINK)
        read_owner(answer, facts);
    close(fd);
}

static struct facts find_facts(const char *name)
{
    struct facts facts = {0};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd >= 0) {
        ask_driver(fd, name, &facts);
        close(fd);
    }
    if (facts.is_tun)
        ask_owner(name, &facts);
    return facts;
}

static const char *user_name(uint32_t uid, char *out, size_t size)
{
    const struct passwd *user = getpwuid(uid);

    if (user != NULL)
        snprintf(out, size, "%s", user->pw_name);
    else
        snprintf(out, size, "%u", uid);
    return out;
}

// "ip tuntap add ..." as the present user would need it.
static void say_how_to_make(const char *name, enum tap_kind kind, char *why,
                            size_t used)
{
    char user[64];

    snprintf(why + used, DEVICE_WHY_SIZE - used,
             "; make it once with 'sudo ip tuntap add dev %s mode %s user %s' "
             "and 'sudo ip link set %s up', or work inside 'unshare -Urn'",
             name, tap_kind_name(kind), user_name(getuid(), user, sizeof(user)),
             name);
}

static void explain_no_permission(const char *name, enum tap_kind kind,
                                  const struct facts *facts, char *why)
{
    char owner[64], user[64];
    int used;

    if (!facts->exists) {
        used = snprintf(why, DEVICE_WHY_SIZE,
                        "there is no device '%s', and making one needs root "
                        "(CAP_NET_ADMIN)",
                        name);
        say_how_to_make(name, kind, why, (size_t)used);
    } else if (facts->has_owner) {
        snprintf(why, DEVICE_WHY_SIZE,
                 "the device '%s' belongs to the user %s, and this is %s", name,
                 user_name(facts->owner, owner, sizeof(owner)),
                 user_name(getuid(), user, sizeof(user)));
    } else {
        snprintf(why, DEVICE_WHY_SIZE,
                 "the device '%s' is for a group that the user %s is not in",
                 name, user_name(getuid(), user, sizeof(user)));
    }
}

static void explain_mode(const char *name, enum tap_kind kind,
                         const struct facts *facts, char *why)
{
    if (facts->exists && !facts->is_tun)
        snprintf(why, DEVICE_WHY_SIZE,
                 "'%s' is an interface of another kind than TAP and TUN; "
                 "choose another name, or 'kind: packet' to use it as it is",
                 name);
    else if (facts->exists && facts->is_ethernet != (kind == TAP_ETHERNET))
        snprintf(why, DEVICE_WHY_SIZE,
                 "the device '%s' is a %s, not a %s; write 'kind: %s' or "
                 "choose another name",
                 name, facts->is_ethernet ? "TAP" : "TUN",
                 kind == TAP_ETHERNET ? "TAP" : "TUN",
                 facts->is_ethernet ? "tap" : "tun");
    else
        snprintf(why, DEVICE_WHY_SIZE,
                 "'%s' cannot be the name of a device; the kernel takes up to "
                 "15 characters without '/', ':' and spaces",
                 name);
}

static void explain_tun(const char *name, enum tap_kind kind, int error,
                        char *why)
{
    struct facts facts = find_facts(name);

    if (error == -ENOENT || error == -ENODEV || error == -ENXIO)
        snprintf(why, DEVICE_WHY_SIZE,
                 "there is no /dev/net/tun, so '%s' cannot be used; the "
                 "kernel's module may be missing ('sudo modprobe tun')",
                 name);
    else if (error == -EACCES)
        snprintf(why, DEVICE_WHY_SIZE,
                 "/dev/net/tun may not be opened by this user, so '%s' cannot "
                 "be used; its mode should be 0666",
                 name);
    else if (error == -EPERM)
        explain_no_permission(name, kind, &facts, why);
    else if (error == -EBUSY)
        snprintf(why, DEVICE_WHY_SIZE,
                 "the device '%s' is in use by another program", name);
    else if (error == -EINVAL || error == -ENAMETOOLONG)
        explain_mode(name, kind, &facts, why);
    else
        snprintf(why, DEVICE_WHY_SIZE, "the device '%s' cannot be opened: %s",
                 name, strerror(-error));
}

static void explain_packet(const char *name, int error, char *why)
{
    if (error == -ENODEV)
        snprintf(why, DEVICE_WHY_SIZE, "there is no interface '%s'", name);
    else if (error == -EPERM || error == -EACCES)
        snprintf(why, DEVICE_WHY_SIZE,
                 "frames of the interface '%s' are for root alone "
                 "(CAP_NET_RAW); run as root, or 'sudo setcap cap_net_raw+ep' "
                 "the program",
                 name);
    else
        snprintf(why, DEVICE_WHY_SIZE,
                 "the interface '%s' cannot be opened: %s", name,
                 strerror(-error));
}

void device_explain(const char *name, enum tap_kind kind, int error, char *why)
{
    if (kind == TAP_PACKET && error != -ENAMETOOLONG)
        explain_packet(name, error, why);
    else
        explain_tun(name, kind, error, why);
}
