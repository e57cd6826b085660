// wirebed wire: a link with impairments between two devices of the machine.
// SPDX-License-Identifier: MIT
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "cli/bridge.h"
#include "cli/text.h"

// Options that are keys of a link: their names are the keys.
enum { KEY_OPTION = 1000 };
#define LINK_KEY(name)                                                         \
    {                                                                          \
        name, required_argument, NULL, KEY_OPTION                              \
    }
static const struct option options[] = {
    LINK_KEY("rate"),
    LINK_KEY("delay"),
    LINK_KEY("jitter"),
    LINK_KEY("loss"),
    LINK_KEY("corrupt"),
    LINK_KEY("duplicate"),
    LINK_KEY("reorder"),
    LINK_KEY("mtu"),
    {"a", required_argument, NULL, 'A'},
    {"b", required_argument, NULL, 'B'},
    {"queue", required_argument, NULL, 'Q'},
    {"from-a", required_argument, NULL, 'x'},
    {"from-b", required_argument, NULL, 'y'},
    {"drop", required_argument, NULL, 'd'},
    {"impair", required_argument, NULL, 'i'},
    {"show", no_argument, NULL, 'w'},
    BRIDGE_OPTIONS,
    {NULL, 0, NULL, 0},
};

static void print_help(void)
{
    printf(
        "Usage: wirebed wire --a DEVICE --b DEVICE [OPTION]...\n"
        "\n"
        "Puts a simulated link between two devices of this machine, such as "
        "the TAPs of two\n"
        "namespaces or virtual machines. Ctrl-C ends it. A DEVICE is tap0, or "
        "packet:eth1\n"
        "for an interface that exists, or tun:tun0 (both ends, then).\n"
        "\n"
        "  --rate 10Mbit, --delay 20ms, --jitter 2ms, --mtu 1400\n"
        "  --loss 1%%, --corrupt 0.1%%, --duplicate 1%%, --reorder 5%%\n"
        "                     the link, in both directions\n"
        "  --queue N          frames that wait for the rate\n"
        "  --from-a KEY=VALUE, --from-b KEY=VALUE\n"
        "                     any key of a link, in one direction alone\n"
        "  --drop [N:]FILTER  lose every frame that the filter of tcpdump "
        "selects, or the\n"
        "                     N-th of them; may be repeated\n"
        "  --impair ENTRY     any entry of a link's impairments, such as\n"
        "                     '{duplicate: all, filter: arp}'; may be "
        "repeated\n"
        "  --out DIR          leave captures there that tell each frame's "
        "fate\n"
        "  --show             print the scenario that this is, and "
        "exit\n" BRIDGE_OPTIONS_HELP "\n"
        "Exit status: as 'wirebed bridge'.\n");
}

struct wire {
    struct bridge bridge;
    const char *devices[2];
    struct text keys, from[2], impairments;
    bool only_shows;
};

// "key=value" as an entry of a map.
static int add_assignment(struct text *map, const char *option,
                          const char *assignment)
{
    const char *equals = strchr(assignment, '=');
    if (!equals || equals == assignment)
        return usage_error("wire", "--%s wants KEY=VALUE, not '%s'", option,
                           assignment);
    text_add(map, "%s%.*s: %s", map->length ? ", " : "",
             (int)(equals - assignment), assignment, equals + 1);
    return STATUS_OK;
}

static void add_drop(struct wire *wire, const char *text)
{
    size_t digits = strspn(text, "0123456789");
    bool has_number = digits > 0 && text[digits] == ':';
    text_add(&wire->impairments, "      - {drop: all, filter: ");
    text_add_quoted(&wire->impairments, has_number ? text + digits + 1 : text);
    if (has_number)
        text_add(&wire->impairments, ", nth: %.*s", (int)digits, text);
    text_add(&wire->impairments, "}\n");
}

// -1: go on.
static int read_option(struct wire *wire, int answer, int index, char **argv)
{
    int status = STATUS_OK;
    switch (answer) {
    case KEY_OPTION:
        text_add(&wire->keys, "    %s: %s\n", options[index].name, optarg);
        break;
    case 'A':
    case 'B':
        wire->devices[answer - 'A'] = optarg;
        break;
    case 'Q':
        text_add(&wire->keys, "    queue: {packets: %s}\n", optarg);
        break;
    case 'x':
    case 'y':
        status = add_assignment(&wire->from[answer - 'x'],
                                answer == 'x' ? "from-a" : "from-b", optarg);
        break;
    case 'd':
        add_drop(wire, optarg);
        break;
    case 'i':
        text_add(&wire->impairments, "      - %s\n", optarg);
        break;
    case 'w':
        wire->only_shows = true;
        break;
    case 'h':
        print_help();
        return STATUS_OK;
    default:
        status = bridge_read_option(&wire->bridge, answer, optarg);
        if (status < 0)
            return option_error("wire", argv, answer, options);
    }
    return status == STATUS_OK ? -1 : status;
}

static bool has_kind(const char *device, const char *kind)
{
    size_t length = strlen(kind);
    return strncmp(device, kind, length) == 0 && device[length] == ':';
}

static void write_tap(struct text *out, const char *name, const char *device)
{
    static const char *const kinds[] = {"tap", "tun", "packet"};
    const char *kind = "tap";
    for (size_t i = 0; i < 3; i++)
        if (has_kind(device, kinds[i])) {
            kind = kinds[i];
            device += strlen(kind) + 1;
            break;
        }
    text_add(out, "  %s: {kind: %s, device: ", name, kind);
    text_add_quoted(out, device);
    text_add(out, "}\n");
}

static void write_scenario(const struct wire *wire, struct text *out)
{
    bool is_ip = has_kind(wire->devices[0], "tun");
    text_add(out, "name: wire\ntaps:\n");
    write_tap(out, "a", wire->devices[0]);
    write_tap(out, "b", wire->devices[1]);
    text_add(out, "links:\n  wire:\n    ends: [a, b]\n%s%s",
             is_ip ? "    type: point-to-point\n" : "",
             wire->keys.bytes ? wire->keys.bytes : "");
    for (int i = 0; i < 2; i++)
        if (wire->from[i].bytes)
            text_add(out, "    from-%c: {%s}\n", 'a' + i, wire->from[i].bytes);
    if (wire->impairments.bytes)
        text_add(out, "    impairments:\n%s", wire->impairments.bytes);
    if (!wire->bridge.run.out)
        text_add(out, "capture: none\n");
}

static int run(struct wire *wire)
{
    struct text scenario = {0};
    int status = STATUS_OK;
    if (!wire->devices[0] || !wire->devices[1])
        return usage_error("wire", "which devices? --a and --b say it");
    write_scenario(wire, &scenario);
    if (wire->only_shows)
        fputs(scenario.bytes, stdout);
    else
        status = bridge_run(&wire->bridge, "wire", scenario.bytes);
    text_fini(&scenario);
    return status;
}

int cmd_wire(int argc, char **argv)
{
    struct wire wire = {0};
    int answer, index = 0, status = -1;
    bridge_init(&wire.bridge, "wire", argc);
    opterr = 0;
    optind = 1;
    while (status < 0 &&
           (answer = getopt_long(argc, argv, ":o:qvh", options, &index)) != -1)
        status = read_option(&wire, answer, index, argv);
    if (status < 0 && optind < argc)
        status = usage_error("wire", "'%s': everything is an option here",
                             argv[optind]);
    if (status < 0)
        status = run(&wire);
    text_fini(&wire.keys);
    text_fini(&wire.from[0]);
    text_fini(&wire.from[1]);
    text_fini(&wire.impairments);
    bridge_fini(&wire.bridge);
    return status;
}
