// Tells how to set this machine up for a TAP.
// SPDX-License-Identifier: MIT
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "cli/bridge.h"

// The interface of the default route; "eth0" where there is none.
static void find_uplink(char *out, size_t size)
{
    FILE *file = fopen("/proc/net/route", "r");
    char line[256], name[16], destination[16];

    snprintf(out, size, "eth0");
    while (file && fgets(line, sizeof(line), file))
        if (sscanf(line, "%15s %15s", name, destination) == 2 &&
            strcmp(destination, "00000000") == 0) {
            snprintf(out, size, "%s", name);
            break;
        }
    if (file)
        fclose(file);
}

static void print_tools(FILE *out)
{
    if (access("/dev/net/tun", F_OK) != 0)
        fprintf(out, "# This machine has no /dev/net/tun yet:\n"
                     "sudo modprobe tun\n\n");
    else if (access("/dev/net/tun", R_OK | W_OK) != 0)
        fprintf(out, "# /dev/net/tun may not be opened by everybody yet:\n"
                     "sudo chmod 0666 /dev/net/tun\n\n");
}

static void print_owned(const char *device, const char *user, FILE *out)
{
    fprintf(out,
            "# A TAP of your own; afterwards wirebed needs no root.\n"
            "sudo ip tuntap add dev %s mode tap user %s\n"
            "sudo ip link set %s up\n\n",
            device, user, device);
}

static void print_routed(const char *device, const char *uplink, FILE *out)
{
    fprintf(out,
            "# Routed, with address translation: hosts behind %s reach what "
            "%s reaches.\n"
            "sudo ip address add 10.9.0.1/24 dev %s\n"
            "sudo sysctl -w net.ipv4.ip_forward=1\n"
            "sudo iptables -t nat -A POSTROUTING -s 10.9.0.0/24 -o %s -j "
            "MASQUERADE\n"
            "wirebed host --tap %s --address 10.9.0.2/24 --gateway 10.9.0.1 "
            "--serve http\n"
            "# back: sudo iptables -t nat -D POSTROUTING -s 10.9.0.0/24 -o %s "
            "-j MASQUERADE\n"
            "#       sudo ip tuntap del dev %s mode tap\n\n",
            device, uplink, device, uplink, device, uplink, device);
}

static void print_bridged(const char *device, const char *uplink, FILE *out)
{
    fprintf(out,
            "# Bridged: a machine on the LAN of %s like any other. Not over "
            "Wi-Fi, and the\n"
            "# address of %s must move to the bridge: best at a console.\n"
            "sudo ip link add br0 type bridge\n"
            "sudo ip link set br0 up\n"
            "sudo ip link set %s master br0\n"
            "sudo ip link set %s master br0\n"
            "# move the address and the default route from %s to br0, then:\n"
            "wirebed host --tap %s --dhcp --serve http\n"
            "# back: sudo ip link del br0; sudo ip tuntap del dev %s mode "
            "tap\n\n",
            uplink, uplink, uplink, device, uplink, device, device);
}

void bridge_print_setup(const char *device, FILE *out)
{
    char uplink[16];
    const struct passwd *user = getpwuid(getuid());

    find_uplink(uplink, sizeof(uplink));
    fprintf(out, "# How to set up this machine. Nothing has been changed.\n\n");
    print_tools(out);
    print_owned(device, user ? user->pw_name : "$USER", out);
    print_routed(device, uplink, out);
    print_bridged(device, uplink, out);
    fprintf(out,
            "# Without root: a network of its own in which you are root.\n"
            "unshare -Urn\n"
            "wirebed host --tap %s --address 10.9.0.2/24 --serve echo &\n"
            "ip address add 10.9.0.1/24 dev %s; ping 10.9.0.2\n",
            device, device);
}
