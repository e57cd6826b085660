// Makes the stack, the network and the settings that a script runs with.
// SPDX-License-Identifier: MIT

#include "sim/packetdrill/runner.h"

#include <stdlib.h>
#include <string.h>

static void on_deadline(void *context, ns_t deadline)
{
    ((struct runner *)context)->deadline = deadline;
}

// A stream of its own for each script (splitmix64).
static void on_random(void *context, void *bytes, size_t length)
{
    struct runner *r = context;
    uint8_t *p = bytes;

    for (size_t i = 0; i < length; i++) {
        uint64_t z = r->random_state += UINT64_C(0x9e3779b97f4a7c15);

        z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
        z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
        p[i] = (uint8_t)(z >> 56);
    }
}

const char *script_setting(const struct script *script, const char *name)
{
    const char *value = NULL;

    for (const struct script_setting *s = script->settings; s; s = s->next)
        if (strcmp(s->name, name) == 0)
            value = s->value;
    return value;
}

static bool ends_in(const char *text, const char *end)
{
    size_t a = strlen(text), b = strlen(end);

    return a >= b && strcmp(text + a - b, end) == 0;
}

static bool is_written_for_ipv6(const struct script *script)
{
    const char *version = script_setting(script, "ip_version");

    if (version != NULL)
        return strcmp(version, "ipv6") == 0;
    return ends_in(script->path, "v6.pkt"); // as the reference tool's driver
}

// The family that the user or else the script wants.
static bool is_ipv6(const struct script *script,
                    const struct packetdrill_options *options)
{
    switch (options->family) {
    case PACKETDRILL_IPV6:
        return true;
    case PACKETDRILL_IPV4:
    case PACKETDRILL_MAPPED:
        return false;
    case PACKETDRILL_AS_SCRIPTED:
        break;
    }
    return is_written_for_ipv6(script);
}

// The reference tool's addresses; a script may give others.
const char *script_addresses(const struct script *script,
                             const struct packetdrill_options *options,
                             struct ip_addr *local, struct ip_addr *remote)
{
    bool v6 = is_ipv6(script, options);
    const char *local_text = script_setting(script, "local_ip");
    const char *remote_text = script_setting(script, "remote_ip");

    if (local_text == NULL)
        local_text = v6 ? "fd3d:fa7b:d17d::1" : "192.168.0.1";
    if (remote_text == NULL)
        remote_text = v6 ? "2001:db8::1" : "192.0.2.1";
    if (ip_addr_parse(local_text, local) != 0)
        return local_text;
    if (ip_addr_parse(remote_text, remote) != 0)
        return remote_text;
    return NULL;
}

static bool set_addresses(struct runner *r)
{
    const char *wrong =
        script_addresses(r->script, r->options, &r->local, &r->remote);
    bool v6 = is_ipv6(r->script, r->options);

    if (wrong != NULL) {
        runner_fail(r, 0, "%s is no address", wrong);
        return false;
    }
    if (r->local.family != (v6 ? IP_V6 : IP_V4) ||
        r->remote.family != r->local.family) {
        runner_unsupported(r, 0, "the script's own addresses are not %s",
                           v6 ? "IPv6" : "IPv4");
        return false;
    }
    return true;
}

static void set_tolerance(struct runner *r)
{
    const char *scripted = script_setting(r->script, "tolerance_usecs");

    r->has_slack = true;
    if (r->options->tolerance_us >= 0) {
        r->tolerance_us = r->options->tolerance_us;
        r->has_slack = false;
    } else if (scripted != NULL) {
        r->tolerance_us = strtoll(scripted, NULL, 10);
    } else if (r->options->tolerance_us == PACKETDRILL_TOLERANCE_SCRIPT) {
        r->tolerance_us = 4000;
    }
}

static bool read_settings(struct runner *r)
{
    static const char *const known[] = {
        "ip_version",   "tolerance_usecs", "local_ip",     "remote_ip",
        "mtu",          "strict_segments", "bind_port",    "tcp_ts_tick_usecs",
        "connect_port", "gateway_ip",      "netmask_ip",   "speed",
        "init_scripts", "code_sockopt",    "code_command", "verbose",
        "non_fatal",    "define",          "dry_run",
    };

    for (const struct script_setting *s = r->script->settings; s; s = s->next) {
        bool is_known = false;

        for (size_t i = 0; i < ARRAY_LENGTH(known); i++)
            is_known |= strcmp(known[i], s->name) == 0;
        if (!is_known) {
            runner_unsupported(r, s->line, "the option --%s", s->name);
            return false;
        }
    }
    const char *mtu = script_setting(r->script, "mtu");
    const char *tick = script_setting(r->script, "tcp_ts_tick_usecs");
    r->ts_tick_us = tick != NULL ? strtoll(tick, NULL, 10) : 0;
    r->is_strict_segments =
        script_setting(r->script, "strict_segments") != NULL;
    // A script of IPv4 that is run as IPv6 keeps its MSS of 1,460.
    r->mtu = r->options->family == PACKETDRILL_IPV6 &&
                     !is_written_for_ipv6(r->script)
                 ? 1520
                 : 1500;
    if (mtu != NULL)
        r->mtu = (uint32_t)strtoul(mtu, NULL, 10);
    set_tolerance(r);
    return set_addresses(r);
}

static void add_network(struct runner *r)
{
    struct iface_config config = {
        .name = "tun0",
        .type = IFACE_POINT_TO_POINT,
        .mtu = r->mtu,
        .transmit = sent_push,
        .context = r,
    };
    struct ip_prefix prefix = {.addr = r->local,
                               .length = r->local.family == IP_V4 ? 16 : 64};

    must(iface_create(r->stack, &config, &r->iface) == 0);
    must(iface_add_address(r->iface, &prefix) == 0);
    struct route route = {
        .destination = {.addr = ip_addr_any(r->local.family), .length = 0},
        .iface = r->iface,
    };
    must(stack_add_route(r->stack, &route) == 0);
}

bool runner_set_up(struct runner *r)
{
    struct stack_config config = {
        .host = {.context = r,
                 .now = &r->now,
                 .set_deadline = on_deadline,
                 .random = on_random},
        .settings = &r->settings,
        .name = "packetdrill",
        .number = 1,
    };

    r->now = runner_start_time();
    r->deadline = r->wake = NS_NEVER;
    r->random_state = 1;
    r->flow_fd = -1;
    r->next_remote_port = 53055;
    r->settings = stack_settings_default;
    if (!read_settings(r))
        return false;
    if (r->mtu < (r->local.family == IP_V4 ? 68 : 1280) || r->mtu > 65535) {
        runner_unsupported(r, 0, "an MTU of %u", r->mtu);
        return false;
    }
    profile_apply(r->profile, &r->settings);
    // Addresses of scripts are in use at once.
    r->settings.ip_dad_transmits = 0;
    runner_begin_flow(r, 0, 0);
    r->has_flow = false;
    r->pool = packet_pool_create(0);
    config.pool = r->pool;
    must(r->pool != NULL && stack_create(&config, &r->stack) == 0);
    add_network(r);
    if (r->options->out_dir != NULL) {
        int error = 0;

        r->capture =
            script_capture_open(r->options->out_dir, r->script->path, &error);
        if (r->capture == NULL) {
            r->result->outcome = PACKETDRILL_UNREADABLE;
            r->result->error = error;
            return false;
        }
    }
    return true;
}

void runner_tear_down(struct runner *r)
{
    sent_clear(r);
    if (r->stack != NULL) {
        stack_check(r->stack);
        stack_destroy(r->stack);
    }
    sent_clear(r);
    if (r->pool != NULL)
        packet_pool_destroy(r->pool);
    script_capture_close(r->capture);
}
