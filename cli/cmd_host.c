// wirebed host: one host on a device of the machine, without a scenario file.
// SPDX-License-Identifier: MIT
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/bridge.h"
#include "cli/text.h"

static const struct option options[] = {
    {"tap", required_argument, NULL, 't'},
    {"kind", required_argument, NULL, 'k'},
    {"address", required_argument, NULL, 'a'},
    {"dhcp", no_argument, NULL, 'D'},
    {"gateway", required_argument, NULL, 'g'},
    {"mac", required_argument, NULL, 'm'},
    {"mtu", required_argument, NULL, 'M'},
    {"name", required_argument, NULL, 'n'},
    {"serve", required_argument, NULL, 'e'},
    {"script", required_argument, NULL, 'l'},
    {"show", no_argument, NULL, 'w'},
    BRIDGE_OPTIONS,
    {NULL, 0, NULL, 0},
};

// What --serve knows, with the ports of RFC 862, 863 and of habit.
struct service {
    const char *name, *app;
    unsigned port;
};
static const struct service services[] = {
    {"echo", "echo", 7},        {"discard", "discard", 9},
    {"chargen", "chargen", 19}, {"http", "http", 80},
    {"iperf3", "iperf3", 5201},
};

static void print_help(void)
{
    printf("Usage: wirebed host --tap DEVICE (--address PREFIX[,...] | --dhcp) "
           "[OPTION]...\n"
           "\n"
           "Puts one host of ours on a device of this machine, and with it on "
           "the network\n"
           "behind the device. Ctrl-C ends it.\n"
           "\n"
           "  --tap DEVICE       the device: a TAP, which is made if there is "
           "none\n"
           "  --kind tap|tun|packet\n"
           "                     what it is; packet: an interface that exists "
           "(default: tap)\n"
           "  --address 10.9.0.2/24,fd00::2/64\n"
           "                     addresses with their prefix lengths\n"
           "  --dhcp             ask for an IPv4 address, and keep it\n"
           "  --gateway ADDRESS[,ADDRESS]\n"
           "                     default routers\n"
           "  --serve SERVICE[:PORT],...\n"
           "                     any of:");
    for (size_t i = 0; i < sizeof(services) / sizeof(*services); i++)
        printf(" %s:%u", services[i].name, services[i].port);
    printf("\n"
           "  --mac ADDRESS      hardware address (default: made of the "
           "machine's name and\n"
           "                     the device's)\n"
           "  --mtu BYTES        largest IP packet (default: 1500)\n"
           "  --name NAME        of the host (default: host)\n"
           "  --script FILE      a Lua script, in which it is host \"NAME\"\n"
           "  --out DIR          leave captures and report.json there\n"
           "  --show             print the scenario that this is, and "
           "exit\n" BRIDGE_OPTIONS_HELP "\n"
           "Exit status: as 'wirebed bridge'.\n");
}

struct host_command {
    struct bridge bridge;
    const char *device, *kind, *addresses, *gateways, *mac, *mtu, *name,
        *services, *script;
    bool only_shows, uses_dhcp;
};

// -1: go on.
static int read_option(struct host_command *c, int answer, char **argv)
{
    const struct {
        int answer;
        const char **field;
    } texts[] = {{'t', &c->device},   {'k', &c->kind},     {'a', &c->addresses},
                 {'g', &c->gateways}, {'m', &c->mac},      {'M', &c->mtu},
                 {'n', &c->name},     {'e', &c->services}, {'l', &c->script}};
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
        if (texts[i].answer == answer) {
            *texts[i].field = optarg;
            return -1;
        }
    if (answer == 'w') {
        c->only_shows = true;
        return -1;
    }
    if (answer == 'D') {
        c->uses_dhcp = true;
        return -1;
    }
    if (answer == 'h') {
        print_help();
        return STATUS_OK;
    }
    int status = bridge_read_option(&c->bridge, answer, optarg);
    if (status < 0)
        return option_error("host", argv, answer, options);
    return status == STATUS_OK ? -1 : status;
}

// Two machines on one LAN must not have the same address, and one machine
// should keep its own: FNV-1a over what names it.
static void write_mac(struct text *out, const struct host_command *c)
{
    char machine[256] = "";
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    gethostname(machine, sizeof(machine) - 1);
    const char *parts[] = {machine, c->device, c->name};
    for (size_t i = 0; i < 3; i++)
        for (const char *p = parts[i]; *p; p++)
            hash = (hash ^ (unsigned char)*p) * UINT64_C(0x100000001b3);
    text_add(out, "\"02:%02x:%02x:%02x:%02x:%02x\"",
             (unsigned)(hash >> 32 & 255), (unsigned)(hash >> 24 & 255),
             (unsigned)(hash >> 16 & 255), (unsigned)(hash >> 8 & 255),
             (unsigned)(hash & 255));
}

static void write_host(struct text *out, const struct host_command *c)
{
    text_add(out, "hosts:\n  ");
    text_add_quoted(out, c->name);
    text_add(out, ":\n    mac: ");
    if (c->mac)
        text_add_quoted(out, c->mac);
    else
        write_mac(out, c);
    if (c->addresses) {
        text_add(out, "\n    addresses: ");
        text_add_list(out, c->addresses);
    }
    if (c->mtu)
        text_add(out, "\n    mtu: %s", c->mtu);
    if (c->gateways) {
        text_add(out, "\n    gateway: ");
        text_add_list(out, c->gateways);
    }
    // As a machine on a LAN behaves, not one of a closed simulation.
    text_add(out, "\n    ip: {dad-transmits: 1, accept-ra: on}\n"
                  "    neighbour: {gratuitous: on}\n");
}

static const struct service *find_service(const char *name, size_t length)
{
    for (size_t i = 0; i < sizeof(services) / sizeof(*services); i++)
        if (strlen(services[i].name) == length &&
            strncmp(services[i].name, name, length) == 0)
            return &services[i];
    return NULL;
}

static int write_service(struct text *out, const struct host_command *c,
                         const char *text, size_t length)
{
    const char *colon = memchr(text, ':', length);
    size_t name_length = colon ? (size_t)(colon - text) : length;
    const struct service *service = find_service(text, name_length);
    if (!service)
        return usage_error("host",
                           "--serve: there is no service '%.*s'; 'wirebed "
                           "host --help' lists them",
                           (int)name_length, text);
    text_add(out, "  - {host: ");
    text_add_quoted(out, c->name);
    if (colon)
        text_add(out, ", %s: %.*s}\n", service->app,
                 (int)(length - name_length - 1), colon + 1);
    else
        text_add(out, ", %s: %u}\n", service->app, service->port);
    return STATUS_OK;
}

static int write_services(struct text *out, const struct host_command *c)
{
    int status = STATUS_OK;
    bool has_services = c->services && *c->services;
    if (has_services || c->uses_dhcp)
        text_add(out, "apps:\n");
    if (c->uses_dhcp) {
        text_add(out, "  - {host: ");
        text_add_quoted(out, c->name);
        text_add(out, ", dhcp: }\n");
    }
    for (const char *at = has_services ? c->services : "";
         *at && status == STATUS_OK;) {
        size_t length = strcspn(at, ",");
        status = write_service(out, c, at, length);
        at += length + (at[length] == ',');
    }
    return status;
}

static int write_scenario(struct text *out, const struct host_command *c)
{
    text_add(out, "name: host\n");
    write_host(out, c);
    text_add(out, "taps:\n  outside: {kind: %s, device: ", c->kind);
    text_add_quoted(out, c->device);
    text_add(out, "}\nlinks:\n  lan:\n    ends: [");
    text_add_quoted(out, c->name);
    text_add(out, ", outside]\n%s",
             strcmp(c->kind, "tun") == 0 ? "    type: point-to-point\n" : "");
    if (c->script) {
        text_add(out, "script: ");
        text_add_quoted(out, c->script);
        text_add(out, "\n");
    }
    if (!c->bridge.run.out)
        text_add(out, "capture: none\n");
    return write_services(out, c);
}

static int run(struct host_command *c)
{
    struct text scenario = {0};
    if (!c->device)
        return usage_error("host", "which device? --tap says it");
    if (!c->addresses && !c->uses_dhcp)
        return usage_error("host",
                           "which address? --address says it, or --dhcp asks");
    int status = write_scenario(&scenario, c);
    if (status == STATUS_OK && c->only_shows)
        fputs(scenario.bytes, stdout);
    else if (status == STATUS_OK)
        status = bridge_run(&c->bridge, "host", scenario.bytes);
    text_fini(&scenario);
    return status;
}

int cmd_host(int argc, char **argv)
{
    struct host_command c = {.kind = "tap", .name = "host"};
    int answer, status = -1;
    bridge_init(&c.bridge, "host", argc);
    opterr = 0;
    optind = 1;
    while (status < 0 &&
           (answer = getopt_long(argc, argv, ":o:qvh", options, NULL)) != -1)
        status = read_option(&c, answer, argv);
    if (status < 0 && optind < argc)
        status = usage_error("host", "'%s': everything is an option here",
                             argv[optind]);
    if (status < 0)
        status = run(&c);
    bridge_fini(&c.bridge);
    return status;
}
