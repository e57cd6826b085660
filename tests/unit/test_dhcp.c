// Messages of DHCPv4, and the client against a server played by the test.
// SPDX-License-Identifier: MIT
#include <errno.h>
#include <string.h>

#include "sim/app/dhcp.h"
#include "sim/sim.h"
#include "stack/wire/bytes.h"
#include "tests/unit/unit.h"

enum { AT_OPTIONS = 240 };

// A reply as a server writes it; returns its length.
static size_t reply(uint8_t *bytes, uint32_t xid, const struct mac_addr *mac,
                    uint8_t type, uint32_t lease)
{
    const uint8_t options[] = {
        53, 1, type,              // type
        54, 4, 10,   0,   0,   1, // server
        51, 4, 0,    0,   0,   0, // lease, below
        1,  4, 255,  255, 255, 0, // mask
        0,  0,                    // padding
        3,  4, 10,   0,   0,   1, // router
        6,  8, 10,   0,   0,   1, 10, 0, 0, 3, 255,
    };
    memset(bytes, 0, AT_OPTIONS);
    bytes[0] = 2;
    bytes[1] = 1;
    bytes[2] = 6;
    put_be32(bytes + 4, xid);
    put_be32(bytes + 16, 0x0a000032); // 10.0.0.50
    memcpy(bytes + 28, mac->bytes, 6);
    put_be32(bytes + 236, 0x63825363);
    memcpy(bytes + AT_OPTIONS, options, sizeof(options));
    put_be32(bytes + AT_OPTIONS + 11, lease);
    return AT_OPTIONS + sizeof(options);
}

static const struct mac_addr some_mac = {{2, 0, 0, 0, 0, 9}};

static void parse_reads_what_a_server_says(void)
{
    uint8_t bytes[600];
    struct dhcp_message m;
    size_t length = reply(bytes, 77, &some_mac, DHCP_OFFER, 3600);
    struct ip_addr dns = ip_addr_v4(10, 0, 0, 3);

    CHECK_EQUAL(dhcp_parse(bytes, length, &m), 0);
    CHECK_EQUAL(m.type, DHCP_OFFER);
    CHECK_EQUAL(m.xid, 77);
    CHECK_EQUAL(ip_addr_to_u32(&m.yours), 0x0a000032);
    CHECK_EQUAL(ip_addr_to_u32(&m.server), 0x0a000001);
    CHECK_EQUAL(ip_addr_to_u32(&m.router), 0x0a000001);
    CHECK_EQUAL(m.prefix_length, 24);
    CHECK_EQUAL(m.lease, 3600);
    CHECK_EQUAL(m.dns_count, 2);
    CHECK(ip_addr_equal(&m.dns[1], &dns));
}

static void parse_refuses_every_message_that_is_cut_short(void)
{
    uint8_t bytes[600];
    struct dhcp_message m;
    size_t length = reply(bytes, 77, &some_mac, DHCP_OFFER, 3600);

    for (size_t i = 0; i < AT_OPTIONS + 3; i++)
        CHECK_EQUAL(dhcp_parse(bytes, i, &m), -EINVAL);
    bytes[AT_OPTIONS + 4] = 200; // an option beyond the end
    CHECK_EQUAL(dhcp_parse(bytes, length, &m), -EINVAL);
}

static void parse_refuses_requests_and_strange_hardware(void)
{
    uint8_t bytes[600];
    struct dhcp_message m;
    size_t length = reply(bytes, 77, &some_mac, DHCP_OFFER, 3600);

    bytes[0] = 1;
    CHECK_EQUAL(dhcp_parse(bytes, length, &m), -EINVAL);
    bytes[0] = 2;
    bytes[2] = 7;
    CHECK_EQUAL(dhcp_parse(bytes, length, &m), -EINVAL);
    bytes[2] = 6;
    bytes[236] = 0;
    CHECK_EQUAL(dhcp_parse(bytes, length, &m), -EINVAL);
}

static void a_request_has_the_size_of_bootp_and_an_end(void)
{
    uint8_t bytes[DHCP_MESSAGE_SIZE];
    const struct dhcp_message m = {.type = DHCP_DISCOVER,
                                   .xid = 5,
                                   .wants_broadcast = true,
                                   .mac = some_mac,
                                   .host_name = "host"};
    size_t length = dhcp_emit(&m, bytes);

    CHECK_EQUAL(length, 300);
    CHECK_EQUAL(get_be16(bytes + 10), 0x8000);
    CHECK_EQUAL(bytes[AT_OPTIONS + 2], DHCP_DISCOVER);
    CHECK(memchr(bytes + AT_OPTIONS, 255, length - AT_OPTIONS) != NULL);
}

// --- The client

struct lan {
    struct sim *sim;
    struct host *client, *server;
    struct socket *socket; // the server's
    struct app *app;
    uint8_t last_type;
    struct endpoint from;
    unsigned requests;
    bool is_silent, says_no;
    uint32_t lease;
};

static uint8_t type_of(const uint8_t *bytes) { return bytes[AT_OPTIONS + 2]; }

static void serve(void *context, struct socket *socket, uint32_t events)
{
    struct lan *lan = context;
    uint8_t bytes[2000], answer[600];
    struct mac_addr mac;
    (void)events;
    while (socket_receive_from(socket, bytes, sizeof(bytes), 0, &lan->from,
                               NULL) >= AT_OPTIONS) {
        struct endpoint to = {ip_addr_v4(255, 255, 255, 255), 68, 0};

        lan->last_type = type_of(bytes);
        lan->requests++;
        memcpy(mac.bytes, bytes + 28, 6);
        if (!ip_addr_is_any(&lan->from.addr))
            to.addr = lan->from.addr;
        uint8_t type = lan->last_type == DHCP_DISCOVER ? DHCP_OFFER
                       : lan->says_no                  ? DHCP_NAK
                                                       : DHCP_ACK;
        if (lan->is_silent || lan->last_type == DHCP_RELEASE)
            continue;
        size_t length =
            reply(answer, get_be32(bytes + 4), &mac, type, lan->lease);
        socket_send_to(socket, answer, length, 0, &to);
    }
}

static void open_server(struct lan *lan)
{
    const struct endpoint local = {ip_addr_any(IP_V4), 67, 0};

    must(socket_open(lan->server->stack, SOCKET_DATAGRAM, IP_V4, 0,
                     &lan->socket) == 0);
    socket_set_option(lan->socket, OPTION_BROADCAST, 1);
    must(socket_bind(lan->socket, &local) == 0);
    socket_set_handler(lan->socket, serve, lan);
}

static void lan_open(struct lan *lan)
{
    const struct sim_config config = {.name = "dhcp", .seed = 1};
    const struct host_config client = {.name = "client"},
                             server = {.name = "server"};
    const struct app_config app = {.kind = APP_DHCP, .stop = NS_NEVER};
    struct ip_prefix prefix = {ip_addr_v4(10, 0, 0, 1), 24};
    struct link *link;

    *lan = (struct lan){.lease = 120};
    must(sim_create(&config, &lan->sim) == 0);
    must(sim_add_host(lan->sim, &client, &lan->client) == 0);
    must(sim_add_host(lan->sim, &server, &lan->server) == 0);
    const struct link_config wire = {
        .ends = {&lan->client->node, &lan->server->node},
        .direction = {link_direction_default, link_direction_default}};
    must(sim_add_link(lan->sim, &wire, &link) == 0);
    must(iface_add_address(lan->server->node.ports->iface, &prefix) == 0);
    open_server(lan);
    must(sim_add_app(lan->sim, lan->client, &app, &lan->app) == 0);
}

static void lan_run(struct lan *lan, ns_t until) { sim_run(lan->sim, until); }

static void lan_close(struct lan *lan)
{
    sim_finish(lan->sim);
    sim_destroy(lan->sim);
}

static bool has_address(const struct lan *lan)
{
    struct iface_address a;

    for (size_t n = 0; iface_get_address(lan->client->node.ports->iface, n, &a);
         n++)
        if (a.prefix.addr.family == IP_V4 &&
            ip_addr_to_u32(&a.prefix.addr) == 0x0a000032)
            return true;
    return false;
}

static void a_client_gets_an_address_and_a_router(void)
{
    struct lan lan;
    struct dhcp_lease lease;

    lan_open(&lan);
    lan_run(&lan, NS_PER_S);
    CHECK(has_address(&lan));
    CHECK(app_get_lease(lan.app, &lease));
    CHECK_EQUAL(lease.duration, 120 * NS_PER_S);
    CHECK_EQUAL(lease.dns_count, 2);
    lan_close(&lan);
}

static void half_of_the_lease_is_the_time_to_renew_it_by_unicast(void)
{
    struct lan lan;

    lan_open(&lan);
    lan_run(&lan, NS_PER_S);
    CHECK_EQUAL(lan.requests, 2);
    lan_run(&lan, 59 * NS_PER_S);
    CHECK_EQUAL(lan.requests, 2);
    lan_run(&lan, 62 * NS_PER_S);
    CHECK_EQUAL(lan.requests, 3);
    CHECK_EQUAL(lan.last_type, DHCP_REQUEST);
    CHECK_EQUAL(ip_addr_to_u32(&lan.from.addr), 0x0a000032);
    lan_run(&lan, 200 * NS_PER_S);
    CHECK(has_address(&lan));
    lan_close(&lan);
}

static void a_lease_that_nobody_prolongs_ends(void)
{
    struct lan lan;

    lan_open(&lan);
    lan_run(&lan, NS_PER_S);
    lan.is_silent = true;
    lan_run(&lan, 119 * NS_PER_S);
    CHECK(has_address(&lan));
    lan_run(&lan, 122 * NS_PER_S);
    CHECK(!has_address(&lan));
    CHECK(!app_get_lease(lan.app, &(struct dhcp_lease){0}));
    lan.is_silent = false;
    lan_run(&lan, 200 * NS_PER_S);
    CHECK(has_address(&lan));
    lan_close(&lan);
}

static void a_server_that_says_no_takes_the_address_away(void)
{
    struct lan lan;

    lan_open(&lan);
    lan_run(&lan, NS_PER_S);
    lan.says_no = true;
    lan_run(&lan, 61 * NS_PER_S);
    CHECK(!has_address(&lan));
    lan_close(&lan);
}

static void an_end_gives_the_lease_back(void)
{
    struct lan lan;

    lan_open(&lan);
    lan_run(&lan, NS_PER_S);
    app_stop(lan.app);
    lan_run(&lan, 2 * NS_PER_S);
    CHECK_EQUAL(lan.last_type, DHCP_RELEASE);
    CHECK(!has_address(&lan));
    lan_close(&lan);
}

const struct unit_test suite_dhcp[] = {
    UNIT(parse_reads_what_a_server_says),
    UNIT(parse_refuses_every_message_that_is_cut_short),
    UNIT(parse_refuses_requests_and_strange_hardware),
    UNIT(a_request_has_the_size_of_bootp_and_an_end),
    UNIT(a_client_gets_an_address_and_a_router),
    UNIT(half_of_the_lease_is_the_time_to_renew_it_by_unicast),
    UNIT(a_lease_that_nobody_prolongs_ends),
    UNIT(a_server_that_says_no_takes_the_address_away),
    UNIT(an_end_gives_the_lease_back),
    {0}};
