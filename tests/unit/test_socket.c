// What all types of sockets share: life, events, options, settings, ports.
// SPDX-License-Identifier: MIT
#include <errno.h>
#include <string.h>

#include "stack/socket/socket.h"
#include "tests/unit/malloc_fixture.h"
#include "tests/unit/net_fixture.h"
#include "tests/unit/unit.h"

static struct socket *open_udp(struct net_host *host)
{
    struct socket *socket = NULL;
    CHECK_EQUAL(socket_open(host->stack, SOCKET_DATAGRAM, IP_V4, 0, &socket),
                0);
    CHECK_FATAL(socket != NULL);
    return socket;
}

static int bind_to(struct socket *socket, const char *text)
{
    struct endpoint local = net_endpoint(text);
    return socket_bind(socket, &local);
}

// --- Opening

static void opening_refuses_a_family_that_the_stack_lacks(void)
{
    struct net *net = net_create(1);
    struct stack_config config = {.no_ipv6 = true};
    struct net_host *a = net_add_stack_config(net, "a", &config);
    struct socket *socket = NULL;
    CHECK_EQUAL(socket_open(a->stack, SOCKET_DATAGRAM, IP_V6, 0, &socket),
                -EAFNOSUPPORT);
    CHECK_EQUAL(socket_open(a->stack, SOCKET_DATAGRAM, IP_NONE, 0, &socket),
                -EAFNOSUPPORT);
    CHECK(socket == NULL);
    net_destroy(net);
}

static void opening_refuses_a_protocol_that_does_not_fit_the_type(void)
{
    struct net *net = net_create(1);
    struct net_host *a = net_host(net, "a", "10.0.0.1/24");
    struct socket *socket = NULL;
    CHECK_EQUAL(socket_open(a->stack, SOCKET_DATAGRAM, IP_V4, 17, &socket),
                -EPROTONOSUPPORT);
    CHECK_EQUAL(socket_open(a->stack, SOCKET_STREAM, IP_V4, 6, &socket),
                -EPROTONOSUPPORT);
    CHECK_EQUAL(socket_open(a->stack, SOCKET_RAW, IP_V4, 0, &socket),
                -EPROTONOSUPPORT);
    CHECK(socket == NULL);
    net_destroy(net);
}

static void opening_stops_at_the_limit_of_the_host(void)
{
    struct stack_settings settings = stack_settings_default;
    settings.limits_sockets = 2;
    struct net *net = net_create(1);
    struct net_host *a = net_add_stack(net, "a", &settings);
    struct socket *one = open_udp(a), *three = NULL;
    open_udp(a);
    CHECK_EQUAL(socket_open(a->stack, SOCKET_RAW, IP_V4, 1, &three), -EMFILE);
    CHECK_EQUAL(socket_open(a->stack, SOCKET_DATAGRAM, IP_V4, 0, &three),
                -EMFILE);
    CHECK(three == NULL);
    socket_close(one);
    CHECK_EQUAL(socket_open(a->stack, SOCKET_DATAGRAM, IP_V4, 0, &three), 0);
    net_destroy(net); // closes what is open
}

static void opening_survives_every_failure_of_memory(void)
{
    static const enum socket_type types[] = {SOCKET_DATAGRAM, SOCKET_RAW};
    for (unsigned t = 0; t < ARRAY_LENGTH(types); t++) {
        struct net *net = net_create(1);
        struct net_host *a = net_host(net, "a", "10.0.0.1/24");
        struct socket *socket = NULL;
        uint8_t protocol = types[t] == SOCKET_RAW ? 1 : 0;
        unsigned n = 0;
        int error;
        do {
            malloc_fail_after(++n);
            error = socket_open(a->stack, types[t], IP_V4, protocol, &socket);
            CHECK(error == 0 || error == -ENOMEM);
            CHECK((error == 0) == (socket != NULL));
        } while (error);
        malloc_fail_after(0);
        CHECK(n >= 2); // at least one thing to allocate
        socket_close(socket);
        net_destroy(net);
    }
}

static void sockets_are_walked_in_order_of_creation(void)
{
    struct net *net = net_create(1);
    struct net_host *a = net_host(net, "a", "10.0.0.1/24");
    struct socket *first = open_udp(a), *second = open_udp(a),
                  *third = open_udp(a);
    socket_close(second);
    CHECK(socket_next(a->stack, NULL) == first);
    CHECK(socket_next(a->stack, first) == third);
    CHECK(socket_next(a->stack, third) == NULL);
    CHECK(socket_stack(first) == a->stack);
    CHECK_EQUAL(socket_get_type(first), SOCKET_DATAGRAM);
    net_destroy(net);
}

static void calls_that_a_type_lacks_are_refused(void)
{
    struct net *net = net_create(1);
    struct net_host *a = net_host(net, "a", "10.0.0.1/24");
    struct socket *udp = open_udp(a), *other = NULL;
    struct tcp_info info;
    CHECK_EQUAL(socket_listen(udp, 1), -EOPNOTSUPP);
    CHECK_EQUAL(socket_accept(udp, &other), -EOPNOTSUPP);
    CHECK_EQUAL(socket_set_source(udp, NULL, NULL, 0), -EOPNOTSUPP);
    CHECK_EQUAL(socket_get_tcp_info(udp, &info), -EINVAL);
    CHECK_EQUAL(socket_shutdown(udp, (enum shutdown_how)0), -EINVAL);
    CHECK_EQUAL(socket_shutdown(udp, (enum shutdown_how)4), -EINVAL);
    net_destroy(net);
}

// --- Events

struct listener {
    struct socket *socket;
    unsigned calls;
    uint32_t events;
    bool closes;
    struct socket *also_closes;
};

static void on_event(void *context, struct socket *socket, uint32_t events)
{
    struct listener *listener = context;
    CHECK(socket == listener->socket);
    listener->calls++;
    listener->events |= events;
    if (listener->closes)
        socket_close(socket);
    if (listener->also_closes)
        socket_close(listener->also_closes);
}

static void listen_to(struct listener *listener, struct socket *socket)
{
    listener->socket = socket;
    socket_set_handler(socket, on_event, listener);
}

static void events_wait_for_the_end_of_the_call(void)
{
    struct net *net = net_create(1);
    struct net_host *a = net_host(net, "a", "10.0.0.1/24");
    struct listener listener = {0};
    listen_to(&listener, open_udp(a));
    stack_enter(a->stack);
    socket_notify(listener.socket, EVENT_READABLE);
    socket_notify(listener.socket, EVENT_WRITABLE);
    CHECK_EQUAL(listener.calls, 0);
    stack_leave(a->stack);
    CHECK_EQUAL(listener.calls, 1); // both in one call
    CHECK_EQUAL(listener.events, EVENT_READABLE | EVENT_WRITABLE);
    stack_run(a->stack);
    CHECK_EQUAL(listener.calls, 1); // and told once only
    listener.events = 0;
    stack_enter(a->stack);
    socket_notify(listener.socket, EVENT_URGENT);
    stack_leave(a->stack);
    CHECK_EQUAL(listener.events, EVENT_URGENT);
    net_destroy(net);
}

static void a_handler_may_close_its_own_socket_and_others(void)
{
    struct net *net = net_create(1);
    struct net_host *a = net_host(net, "a", "10.0.0.1/24");
    struct listener one = {.closes = true}, two = {0};
    listen_to(&one, open_udp(a));
    listen_to(&two, open_udp(a));
    one.also_closes = two.socket;
    stack_enter(a->stack);
    socket_notify(one.socket, EVENT_READABLE);
    socket_notify(two.socket, EVENT_READABLE);
    stack_leave(a->stack);
    CHECK_EQUAL(one.calls, 1);
    CHECK_EQUAL(two.calls, 0); // it was gone by then
    CHECK(socket_next(a->stack, NULL) == NULL);
    net_destroy(net);
}

static void an_error_is_an_event_until_it_is_taken(void)
{
    struct net *net = net_create(1);
    struct net_host *a = net_host(net, "a", "10.0.0.1/24");
    struct listener listener = {0};
    listen_to(&listener, open_udp(a));
    stack_enter(a->stack);
    socket_set_error(listener.socket, -ECONNREFUSED);
    stack_leave(a->stack);
    CHECK_EQUAL(listener.events, EVENT_READABLE | EVENT_ERROR);
    CHECK(socket_events(listener.socket) & EVENT_ERROR);
    CHECK_EQUAL(socket_take_error(listener.socket), -ECONNREFUSED);
    CHECK_EQUAL(socket_take_error(listener.socket), 0);
    CHECK(!(socket_events(listener.socket) & EVENT_ERROR));
    net_destroy(net);
}

static void aborting_a_datagram_socket_is_closing_it(void)
{
    struct net *net = net_create(1);
    struct net_host *a = net_host(net, "a", "10.0.0.1/24");
    socket_abort(open_udp(a));
    CHECK(socket_next(a->stack, NULL) == NULL);
    net_destroy(net);
}

static void an_icmp_error_that_cannot_be_kept_is_forgotten(void)
{
    struct net *net = net_create(1);
    struct net_host *a = net_host(net, "a", "10.0.0.1/24");
    struct socket *udp = open_udp(a);
    struct icmp_error error = {.type = 3, .error = -ECONNREFUSED};
    struct socket_icmp_error seen;
    malloc_fail_after(1);
    socket_record_icmp_error(udp, &error);
    malloc_fail_after(0);
    CHECK(!socket_take_icmp_error(udp, &seen));
    socket_record_icmp_error(udp, &error);
    CHECK(socket_take_icmp_error(udp, &seen));
    CHECK_EQUAL(seen.to.port, 0); // no ports were quoted
    net_destroy(net);
}

// --- Addresses

static void binding_refuses_addresses_that_are_not_ours(void)
{
    struct net *net = net_create(1);
    struct net_host *a = net_host(net, "a", "10.0.0.1/24");
    struct socket *udp = open_udp(a), *tcp = NULL;
    CHECK_EQUAL(bind_to(udp, "10.0.0.2:5000"), -EADDRNOTAVAIL);
    CHECK_EQUAL(bind_to(udp, "[::1]:5000"), -EAFNOSUPPORT);
    CHECK_EQUAL(socket_local(udp).port, 0);
    CHECK_EQUAL(bind_to(udp, "10.0.0.1:5000"), 0);
    CHECK_EQUAL(bind_to(udp, "10.0.0.1:5001"), -EINVAL); // a second time
    CHECK_EQUAL(socket_local(udp).port, 5000);
    CHECK_EQUAL(socket_open(a->stack, SOCKET_STREAM, IP_V4, 0, &tcp), 0);
    CHECK_EQUAL(bind_to(tcp, "10.0.0.255:80"), -EADDRNOTAVAIL);
    CHECK_EQUAL(bind_to(tcp, "224.0.0.1:80"), -EADDRNOTAVAIL);
    net_destroy(net);
}

static void datagram_sockets_may_be_bound_to_groups_and_broadcasts(void)
{
    static const char *const addresses[] = {"224.0.0.1:5000", "10.0.0.255:5000",
                                            "255.255.255.255:5000"};
    struct net *net = net_create(1);
    struct net_host *a = net_host(net, "a", "10.0.0.1/24");
    for (unsigned i = 0; i < ARRAY_LENGTH(addresses); i++)
        CHECK_EQUAL(bind_to(open_udp(a), addresses[i]), 0);
    net_destroy(net);
}

static void a_missing_family_means_any_address(void)
{
    struct net *net = net_create(1);
    struct net_host *a = net_host(net, "a", "10.0.0.1/24");
    struct socket *udp = open_udp(a);
    struct endpoint local = {.port = 7};
    CHECK_EQUAL(socket_bind(udp, &local), 0);
    local = socket_local(udp);
    CHECK(ip_addr_is_any(&local.addr) && local.addr.family == IP_V4);
    CHECK_EQUAL(local.port, 7);
    net_destroy(net);
}

static void destinations_of_the_other_family_are_refused(void)
{
    struct net *net = net_create(1);
    struct net_host *a = net_host(net, "a", "10.0.0.1/24");
    struct socket *udp = open_udp(a);
    struct endpoint v6 = net_endpoint("[::1]:9");
    struct endpoint elsewhere = net_endpoint("10.0.0.2:9");
    elsewhere.scope = 99;
    CHECK_EQUAL(socket_connect(udp, &v6), -EAFNOSUPPORT);
    CHECK_EQUAL(socket_send_to(udp, "x", 1, 0, &v6), -EAFNOSUPPORT);
    CHECK_EQUAL(socket_send_to(udp, "x", 1, 0, &elsewhere), -ENODEV);
    net_destroy(net);
}

static void a_scope_must_agree_with_the_interface_of_the_socket(void)
{
    struct net *net = net_create(1);
    struct net_host *a = net_host(net, "a", "10.0.0.1/24");
    struct socket *udp = open_udp(a);
    struct endpoint to = net_endpoint("10.0.0.2:9");
    unsigned index = iface_index(a->eth);
    CHECK_EQUAL(socket_set_option(udp, OPTION_BIND_IFACE, index), 0);
    to.scope = 1;
    CHECK_EQUAL(socket_connect(udp, &to), -EINVAL);
    to.scope = (uint16_t)index;
    CHECK_EQUAL(socket_connect(udp, &to), 0);
    net_destroy(net);
}

static void a_link_local_address_must_be_on_the_interface_of_the_socket(void)
{
    struct net *net = net_create(1);
    struct net_host *a = net_host(net, "a", "10.0.0.1/24");
    struct socket *v6 = NULL;
    struct endpoint local = net_endpoint("[fe80::1]:9");
    CHECK_EQUAL(socket_open(a->stack, SOCKET_DATAGRAM, IP_V6, 0, &v6), 0);
    CHECK_EQUAL(socket_set_option(v6, OPTION_BIND_IFACE, 1), 0);
    local.scope = (uint16_t)iface_index(a->eth);
    CHECK_EQUAL(socket_bind(v6, &local), -EINVAL);
    local.scope = 1;
    CHECK_EQUAL(socket_bind(v6, &local), -EADDRNOTAVAIL);
    net_destroy(net);
}

static void a_link_local_peer_is_on_the_interface_of_the_socket(void)
{
    struct stack_settings settings = stack_settings_default;
    settings.ip_dad_transmits = 0;
    struct net *net = net_create(1);
    struct net_host *a = net_add_stack(net, "a", &settings);
    net_add_iface(a, 0, "eth0", 0, NULL);
    net_add_iface(a, 1, "eth1", 0, NULL);
    struct iface *second = iface_find(a->stack, "eth1");
    struct socket *v6 = NULL;
    struct endpoint remote = net_endpoint("[fe80::99]:9");
    CHECK_EQUAL(socket_open(a->stack, SOCKET_DATAGRAM, IP_V6, 0, &v6), 0);
    CHECK_EQUAL(socket_set_option(v6, OPTION_BIND_IFACE, iface_index(second)),
                0);
    CHECK_EQUAL(socket_connect(v6, &remote), 0);
    CHECK_EQUAL(socket_remote(v6).scope, iface_index(second));
    struct mac_addr mac = iface_mac(second);
    struct ip_addr own = ip_addr_link_local_of(&mac);
    struct endpoint local = socket_local(v6);
    CHECK(ip_addr_equal(&local.addr, &own));
    net_destroy(net);
}

static void all_of_127_is_ours(void)
{
    struct net *net = net_create(1);
    struct net_host *a = net_host(net, "a", "10.0.0.1/24");
    CHECK_EQUAL(bind_to(open_udp(a), "127.1.2.3:5000"), 0);
    net_destroy(net);
}

// --- Options

static void options_keep_what_they_are_given(void)
{
    static const struct {
        enum socket_option option;
        int64_t value, too_small, too_big;
    } rows[] = {
        {OPTION_REUSE_ADDRESS, 1, -1, 2},
        {OPTION_BROADCAST, 1, -1, 2},
        {OPTION_TTL, 7, 0, 256},
        {OPTION_TOS, 0x10, -1, 256},
        {OPTION_DONT_FRAGMENT, 1, -1, 2},
        {OPTION_BIND_IFACE, 1, -1, 65536},
        {OPTION_ERROR_QUEUE, 1, -1, 2},
        {OPTION_RECEIVE_BUFFER, 4096, 1, INT64_MAX},
    };
    struct net *net = net_create(1);
    struct net_host *a = net_host(net, "a", "10.0.0.1/24");
    for (unsigned i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct socket *udp = open_udp(a);
        int64_t value = -1;
        CHECK_EQUAL(socket_set_option(udp, rows[i].option, rows[i].value), 0);
        CHECK_EQUAL(socket_set_option(udp, rows[i].option, rows[i].too_small),
                    -EINVAL);
        CHECK_EQUAL(socket_set_option(udp, rows[i].option, rows[i].too_big),
                    -EINVAL);
        CHECK_EQUAL(socket_get_option(udp, rows[i].option, &value), 0);
        CHECK_EQUAL(value, rows[i].value);
    }
    net_destroy(net);
}

static void options_that_a_type_lacks_are_refused(void)
{
    struct net *net = net_create(1);
    struct net_host *a = net_host(net, "a", "10.0.0.1/24");
    struct socket *udp = open_udp(a), *v6 = NULL;
    int64_t value = 77;
    CHECK_EQUAL(socket_set_option(udp, OPTION_NO_DELAY, 1), -ENOPROTOOPT);
    CHECK_EQUAL(socket_get_option(udp, OPTION_NO_DELAY, &value), -ENOPROTOOPT);
    CHECK_EQUAL(socket_set_option(udp, OPTION_HEADER_INCLUDED, 1),
                -ENOPROTOOPT);
    CHECK_EQUAL(socket_set_option(udp, OPTION_IPV6_ONLY, 1), -ENOPROTOOPT);
    CHECK_EQUAL(socket_set_option(udp, OPTION_BIND_IFACE, 99), -ENODEV);
    CHECK_EQUAL(value, 77);
    CHECK_EQUAL(socket_open(a->stack, SOCKET_DATAGRAM, IP_V6, 0, &v6), 0);
    CHECK_EQUAL(socket_set_option(v6, OPTION_IPV6_ONLY, 0), -EINVAL);
    CHECK_EQUAL(socket_set_option(v6, OPTION_IPV6_ONLY, 1), 0);
    CHECK_EQUAL(socket_get_option(v6, OPTION_IPV6_ONLY, &value), 0);
    CHECK_EQUAL(value, 1);
    net_destroy(net);
}

static void a_ttl_that_was_not_set_reads_as_the_setting(void)
{
    struct stack_settings settings = stack_settings_default;
    settings.ip_ttl = 99;
    struct net *net = net_create(1);
    struct net_host *a = net_add_stack(net, "a", &settings);
    int64_t value = 0;
    CHECK_EQUAL(socket_get_option(open_udp(a), OPTION_TTL, &value), 0);
    CHECK_EQUAL(value, 99);
    net_destroy(net);
}

// --- Settings

static void a_setting_of_one_socket_is_its_own(void)
{
    struct net *net = net_create(1);
    struct net_host *a = net_host(net, "a", "10.0.0.1/24");
    struct socket *one = open_udp(a), *two = open_udp(a);
    const struct setting_info *buffer = setting_find("udp", "receive-buffer");
    CHECK_FATAL(buffer != NULL);
    CHECK_EQUAL(socket_set_setting(one, buffer, 1234), 0);
    CHECK_EQUAL(socket_get_setting(one, buffer), 1234);
    CHECK_EQUAL(socket_get_setting(two, buffer), buffer->initial);
    CHECK_EQUAL(setting_get(stack_get_settings(a->stack), buffer),
                buffer->initial);
    CHECK_EQUAL(socket_set_setting(one, buffer, buffer->minimum - 1), -ERANGE);
    CHECK_EQUAL(socket_get_setting(one, buffer), 1234);
    malloc_fail_after(1);
    CHECK_EQUAL(socket_set_setting(two, buffer, 1234), -ENOMEM);
    malloc_fail_after(0);
    CHECK_EQUAL(socket_get_setting(two, buffer), buffer->initial);
    net_destroy(net);
}

// --- Ports

static void ephemeral_ports_stay_in_their_range_and_differ(void)
{
    struct stack_settings settings = stack_settings_default;
    settings.limits_port_min = 40000;
    settings.limits_port_max = 40007;
    struct net *net = net_create(1);
    struct net_host *a = net_add_stack(net, "a", &settings);
    bool seen[8] = {0};
    for (unsigned i = 0; i < 8; i++) {
        struct socket *udp = open_udp(a);
        CHECK_EQUAL(bind_to(udp, "0.0.0.0:0"), 0);
        unsigned port = socket_local(udp).port;
        CHECK_FATAL(port >= 40000 && port <= 40007);
        CHECK(!seen[port - 40000]);
        seen[port - 40000] = true;
    }
    CHECK_EQUAL(bind_to(open_udp(a), "0.0.0.0:0"), -EADDRINUSE);
    net_destroy(net);
}

static bool is_free(struct socket *socket, uint16_t port)
{
    (void)socket;
    (void)port;
    return true;
}

static void ports_depend_on_the_peer_and_the_secret(void)
{
    uint16_t ports[2][2];
    for (unsigned seed = 0; seed < 2; seed++) {
        struct net *net = net_create(seed + 1);
        struct net_host *a = net_host(net, "a", "10.0.0.1/24");
        struct socket *udp = open_udp(a);
        struct endpoint one = net_endpoint("10.0.0.2:80"),
                        two = net_endpoint("10.0.0.3:80");
        ports[seed][0] = socket_pick_port(udp, &one, is_free);
        a->stack->next_ephemeral = 0;
        ports[seed][1] = socket_pick_port(udp, &two, is_free);
        a->stack->next_ephemeral = 0;
        CHECK_EQUAL(socket_pick_port(udp, &one, is_free), ports[seed][0]);
        // The counter steps to the neighbouring port for the same peer.
        uint16_t next = socket_pick_port(udp, &one, is_free);
        CHECK(next == ports[seed][0] + 1 || next == 32768);
        net_destroy(net);
    }
    CHECK(ports[0][0] != ports[0][1]);
    CHECK(ports[0][0] != ports[1][0]);
}

static void an_empty_range_of_ports_gives_none(void)
{
    struct stack_settings settings = stack_settings_default;
    settings.limits_port_min = 40000;
    settings.limits_port_max = 39999;
    struct net *net = net_create(1);
    struct net_host *a = net_add_stack(net, "a", &settings);
    CHECK_EQUAL(socket_pick_port(open_udp(a), NULL, is_free), 0);
    net_destroy(net);
}

const struct unit_test suite_socket[] = {
    UNIT(opening_refuses_a_family_that_the_stack_lacks),
    UNIT(opening_refuses_a_protocol_that_does_not_fit_the_type),
    UNIT(opening_stops_at_the_limit_of_the_host),
    UNIT(opening_survives_every_failure_of_memory),
    UNIT(sockets_are_walked_in_order_of_creation),
    UNIT(calls_that_a_type_lacks_are_refused),
    UNIT(events_wait_for_the_end_of_the_call),
    UNIT(a_handler_may_close_its_own_socket_and_others),
    UNIT(an_error_is_an_event_until_it_is_taken),
    UNIT(binding_refuses_addresses_that_are_not_ours),
    UNIT(datagram_sockets_may_be_bound_to_groups_and_broadcasts),
    UNIT(a_missing_family_means_any_address),
    UNIT(destinations_of_the_other_family_are_refused),
    UNIT(a_scope_must_agree_with_the_interface_of_the_socket),
    UNIT(options_keep_what_they_are_given),
    UNIT(options_that_a_type_lacks_are_refused),
    UNIT(a_ttl_that_was_not_set_reads_as_the_setting),
    UNIT(a_setting_of_one_socket_is_its_own),
    UNIT(ephemeral_ports_stay_in_their_range_and_differ),
    UNIT(ports_depend_on_the_peer_and_the_secret),
    UNIT(an_empty_range_of_ports_gives_none),
    UNIT(a_link_local_address_must_be_on_the_interface_of_the_socket),
    UNIT(a_link_local_peer_is_on_the_interface_of_the_socket),
    UNIT(all_of_127_is_ours),
    UNIT(aborting_a_datagram_socket_is_closing_it),
    UNIT(an_icmp_error_that_cannot_be_kept_is_forgotten),
    {0}};
