// Duplicate address detection and the addresses of an interface (RFC 4862).
// SPDX-License-Identifier: MIT
#include "stack/net/ipv6/ipv6.h"
#include "stack/net/ipv6/nd.h"
#include "stack/wire/ipv4.h"
#include "stack/wire/nd.h"
#include "tests/unit/ipv6_fixture.h"
#include "tests/unit/malloc_fixture.h"
#include "tests/unit/unit.h"

static void open_host(struct v6 *v6, int transmits)
{
    v6_init(v6);
    v6->settings.ip_dad_transmits = transmits;
    v6_open(v6);
}

static enum address_state state_of(struct iface *iface, const char *text)
{
    struct ip_addr address = net_addr(text);
    struct iface_addr *own = iface_address_find(iface, &address);
    CHECK_FATAL(own != NULL);
    return own->state;
}

// The solicitations for `target` among what the host sends from now on.
static unsigned solicitations(struct v6 *v6, const char *target)
{
    struct ip_addr wanted = net_addr(target);
    struct v6_answer answer;
    struct nd_neighbour message;
    unsigned count = 0;
    while (v6_next(v6, &answer)) {
        if (nd_neighbour_parse(answer.payload, answer.length, &message) ||
            !ip_addr_equal(&message.target, &wanted))
            continue;
        struct ip_addr group = ip_addr_solicited_node(&wanted);
        CHECK_EQUAL(message.type, ICMP6_NEIGHBOUR_SOLICITATION);
        CHECK(ip_addr_is_any(&answer.ip.source));
        CHECK(ip_addr_equal(&answer.ip.destination, &group));
        CHECK(!message.has_link_addr); // RFC 4861 4.3
        CHECK_EQUAL(answer.ip.hop_limit, 255);
        count++;
    }
    return count;
}

static void send_message(struct v6 *v6, const char *from, const char *to,
                         uint8_t type, const char *target)
{
    struct nd_neighbour message = {.type = type, .target = net_addr(target)};
    uint8_t bytes[32];
    size_t size = nd_neighbour_emit(&message, bytes);
    struct v6_frame frame = v6_begin(v6, from, to, IP_PROTOCOL_ICMPV6, 255);
    frame.icmp = frame.length;
    v6_put(&frame, bytes, size);
    v6_send(v6, &frame);
}

// --- Detection

static void an_address_is_used_after_the_solicitations_asked_for(void)
{
    for (int transmits = 1; transmits <= 3; transmits++) {
        struct v6 v6;
        open_host(&v6, transmits);
        CHECK_EQUAL(state_of(v6.host->eth, V6_HOST), ADDRESS_TENTATIVE);
        // At most a second of delay, then a second after each.
        net_run(v6.net, transmits * NS_PER_S - NS_PER_MS);
        CHECK_EQUAL(state_of(v6.host->eth, V6_HOST), ADDRESS_TENTATIVE);
        net_run(v6.net, NS_PER_S + 2 * NS_PER_MS);
        CHECK_EQUAL(state_of(v6.host->eth, V6_HOST), ADDRESS_PREFERRED);
        CHECK_EQUAL(solicitations(&v6, V6_HOST), transmits);
        net_run(v6.net, 10 * NS_PER_S);
        CHECK_EQUAL(solicitations(&v6, V6_HOST), 0);
        v6_close(&v6);
    }
}

static void without_detection_an_address_is_used_at_once(void)
{
    struct v6 v6;
    open_host(&v6, 0);
    CHECK_EQUAL(state_of(v6.host->eth, V6_HOST), ADDRESS_PREFERRED);
    net_run(v6.net, 5 * NS_PER_S);
    CHECK_EQUAL(solicitations(&v6, V6_HOST), 0);
    v6_close(&v6);
}

static void later_addresses_do_not_wait_before_they_ask(void)
{
    struct v6 v6;
    open_host(&v6, 1);
    net_run(v6.net, 3 * NS_PER_S);
    net_add_address(v6.host->eth, "2001:db8::3/64");
    net_run(v6.net, NS_PER_MS);
    CHECK_EQUAL(solicitations(&v6, "2001:db8::3"), 1);
    net_run(v6.net, NS_PER_S);
    CHECK_EQUAL(state_of(v6.host->eth, "2001:db8::3"), ADDRESS_PREFERRED);
    v6_close(&v6);
}

static void check_collision(const char *from, const char *to, uint8_t type,
                            enum address_state expected)
{
    struct v6 v6;
    struct v6_answer answer;
    open_host(&v6, 1);
    while (v6_next(&v6, &answer))
        continue;
    send_message(&v6, from, to, type, V6_HOST);
    CHECK_EQUAL(state_of(v6.host->eth, V6_HOST), expected);
    CHECK(!v6_next(&v6, &answer)); // a tentative address does not speak
    net_run(v6.net, 10 * NS_PER_S);
    CHECK_EQUAL(state_of(v6.host->eth, V6_HOST), expected == ADDRESS_DUPLICATED
                                                     ? ADDRESS_DUPLICATED
                                                     : ADDRESS_PREFERRED);
    v6_close(&v6);
}

static void another_who_wants_the_address_collides(void)
{
    check_collision("::", "ff02::1:ff00:2", ICMP6_NEIGHBOUR_SOLICITATION,
                    ADDRESS_DUPLICATED);
}

static void another_who_has_the_address_collides(void)
{
    check_collision(V6_HOST, "ff02::1", ICMP6_NEIGHBOUR_ADVERTISEMENT,
                    ADDRESS_DUPLICATED);
}

static void being_looked_for_is_no_collision(void)
{
    check_collision(V6_PEER, "ff02::1:ff00:2", ICMP6_NEIGHBOUR_SOLICITATION,
                    ADDRESS_TENTATIVE);
}

static void our_own_solicitation_coming_back_is_no_collision(void)
{
    struct v6 v6;
    open_host(&v6, 1);
    struct nd_neighbour message = {.type = ICMP6_NEIGHBOUR_SOLICITATION,
                                   .target = net_addr(V6_HOST)};
    uint8_t bytes[32];
    nd_neighbour_emit(&message, bytes);
    for (int is_looped = 1; is_looped >= 0; is_looped--) {
        struct packet *packet = stack_packet_alloc(v6.host->stack, 64, 24);
        CHECK_FATAL(packet != NULL);
        memcpy(packet_put(packet, 24), bytes, 24);
        packet->iface = v6.host->eth;
        packet->ip =
            (struct packet_ip){.source = ip_addr_any(IP_V6),
                               .destination = net_addr("ff02::1:ff00:2"),
                               .ttl = 255};
        packet->flags = is_looped ? PACKET_LOOPED : 0;
        nd_input(v6.host->stack, packet);
        CHECK_EQUAL(state_of(v6.host->eth, V6_HOST),
                    is_looped ? ADDRESS_TENTATIVE : ADDRESS_DUPLICATED);
    }
    v6_close(&v6);
}

static void an_address_in_use_is_not_given_up(void)
{
    struct v6 v6;
    open_host(&v6, 1);
    net_run(v6.net, 3 * NS_PER_S);
    send_message(&v6, V6_HOST, "ff02::1", ICMP6_NEIGHBOUR_ADVERTISEMENT,
                 V6_HOST);
    CHECK_EQUAL(state_of(v6.host->eth, V6_HOST), ADDRESS_PREFERRED);
    v6_close(&v6);
}

static void a_duplicated_address_is_dead(void)
{
    struct v6 v6;
    struct v6_answer answer;
    open_host(&v6, 1);
    send_message(&v6, "::", "ff02::1:ff00:2", ICMP6_NEIGHBOUR_SOLICITATION,
                 V6_HOST);
    net_run(v6.net, 5 * NS_PER_S);
    while (v6_next(&v6, &answer))
        continue;
    struct v6_frame frame =
        v6_begin(&v6, V6_PEER, V6_HOST, IP_PROTOCOL_ICMPV6, 64);
    v6_put_icmp(&frame, ICMP6_ECHO, 0, 0);
    v6_send(&v6, &frame);
    send_message(&v6, V6_PEER, "ff02::1:ff00:2", ICMP6_NEIGHBOUR_SOLICITATION,
                 V6_HOST);
    send_message(&v6, "::", "ff02::1:ff00:2", ICMP6_NEIGHBOUR_SOLICITATION,
                 V6_HOST);
    CHECK(!v6_next(&v6, &answer));
    CHECK_EQUAL(state_of(v6.host->eth, V6_HOST), ADDRESS_DUPLICATED);
    v6_close(&v6);
}

static struct net_host *add_host(struct net *net,
                                 const struct stack_settings *settings,
                                 const char *name)
{
    struct net_host *host = net_add_stack(net, name, settings);
    net_add_iface(host, 0, "eth0", 0, "2001:db8::5/64");
    return host;
}

// At most one of the two keeps it; when both ask before either has it, none.
static void of_two_hosts_with_one_address_not_both_keep_it(void)
{
    struct stack_settings settings = stack_settings_default;
    settings.ip_dad_transmits = 1;
    for (unsigned seed = 1; seed <= 10; seed++) {
        struct net *net = net_create(seed);
        struct net_host *a = add_host(net, &settings, "a"),
                        *b = add_host(net, &settings, "b");
        net_run(net, 5 * NS_PER_S);
        enum address_state x = state_of(a->eth, "2001:db8::5"),
                           y = state_of(b->eth, "2001:db8::5");
        CHECK(x != ADDRESS_TENTATIVE && y != ADDRESS_TENTATIVE);
        CHECK(x == ADDRESS_DUPLICATED || y == ADDRESS_DUPLICATED);
        net_destroy(net);
    }
}

static void a_latecomer_finds_the_address_taken(void)
{
    struct stack_settings settings = stack_settings_default;
    settings.ip_dad_transmits = 1;
    struct net *net = net_create(1);
    struct net_host *a = add_host(net, &settings, "a");
    net_run(net, 5 * NS_PER_S);
    struct net_host *b = add_host(net, &settings, "b");
    net_run(net, 5 * NS_PER_S);
    CHECK_EQUAL(state_of(a->eth, "2001:db8::5"), ADDRESS_PREFERRED);
    CHECK_EQUAL(state_of(b->eth, "2001:db8::5"), ADDRESS_DUPLICATED);
    net_destroy(net);
}

// --- Interfaces

static void an_interface_has_its_link_local_address_and_groups(void)
{
    struct v6 v6;
    open_host(&v6, 0);
    struct iface_address first;
    struct ip_addr all = net_addr("ff02::1");
    struct ip_addr group = ip_addr_solicited_node(&v6.link_local);
    CHECK_FATAL(iface_get_address(v6.host->eth, 0, &first));
    CHECK(ip_addr_equal(&first.prefix.addr, &v6.link_local));
    CHECK_EQUAL(first.prefix.length, 64);
    CHECK(iface_is_in_group(v6.host->eth, &all));
    CHECK(iface_is_in_group(v6.host->eth, &group));
    v6_close(&v6);
}

static void a_removed_address_leaves_its_group(void)
{
    struct v6 v6;
    open_host(&v6, 1);
    struct ip_addr address = net_addr(V6_HOST);
    struct ip_addr group = net_addr("ff02::1:ff00:2");
    net_add_address(v6.host->eth, "2001:db8:1::2/64"); // the same group
    CHECK_EQUAL(iface_remove_address(v6.host->eth, &address), 0);
    CHECK(iface_is_in_group(v6.host->eth, &group));
    address = net_addr("2001:db8:1::2");
    CHECK_EQUAL(iface_remove_address(v6.host->eth, &address), 0);
    CHECK(!iface_is_in_group(v6.host->eth, &group));
    net_run(v6.net, 5 * NS_PER_S); // no timer of theirs is left
    v6_close(&v6);
}

static void an_interface_that_comes_up_begins_again(void)
{
    struct v6 v6;
    open_host(&v6, 1);
    net_run(v6.net, 3 * NS_PER_S);
    CHECK_EQUAL(solicitations(&v6, V6_HOST), 1);
    iface_set_up(v6.host->eth, false);
    net_run(v6.net, 3 * NS_PER_S);
    iface_set_up(v6.host->eth, true);
    CHECK_EQUAL(state_of(v6.host->eth, V6_HOST), ADDRESS_TENTATIVE);
    net_run(v6.net, 3 * NS_PER_S);
    CHECK_EQUAL(solicitations(&v6, V6_HOST), 1);
    CHECK_EQUAL(state_of(v6.host->eth, V6_HOST), ADDRESS_PREFERRED);
    v6_close(&v6);
}

static void detection_stands_still_while_the_interface_is_down(void)
{
    struct v6 v6;
    open_host(&v6, 1);
    iface_set_up(v6.host->eth, false);
    net_add_address(v6.host->eth, "2001:db8::3/64");
    net_run(v6.net, 10 * NS_PER_S);
    CHECK_EQUAL(state_of(v6.host->eth, V6_HOST), ADDRESS_TENTATIVE);
    CHECK_EQUAL(state_of(v6.host->eth, "2001:db8::3"), ADDRESS_TENTATIVE);
    CHECK_EQUAL(solicitations(&v6, V6_HOST), 0);
    iface_set_up(v6.host->eth, true);
    net_run(v6.net, 3 * NS_PER_S);
    CHECK_EQUAL(state_of(v6.host->eth, "2001:db8::3"), ADDRESS_PREFERRED);
    v6_close(&v6);
}

static void swallow(void *context, struct iface *iface, struct packet *frame)
{
    (void)context;
    (void)iface;
    packet_free(frame);
}

static void a_link_without_neighbours_needs_no_detection(void)
{
    struct stack_settings settings = stack_settings_default;
    settings.ip_dad_transmits = 1;
    struct net *net = net_create(1);
    struct net_host *a = net_add_stack(net, "a", &settings);
    struct iface_config config = {.name = "ppp0",
                                  .type = IFACE_POINT_TO_POINT,
                                  .mtu = 1500,
                                  .transmit = swallow};
    struct iface *ppp = NULL, *lo = iface_find_index(a->stack, 1);
    CHECK_EQUAL(iface_create(a->stack, &config, &ppp), 0);
    net_add_address(ppp, "2001:db8:1::1/64");
    net_add_address(lo, "2001:db8::1/128");
    CHECK_EQUAL(state_of(ppp, "2001:db8:1::1"), ADDRESS_PREFERRED);
    CHECK_EQUAL(state_of(lo, "2001:db8::1"), ADDRESS_PREFERRED);
    net_destroy(net);
}

static void an_announcement_follows_when_the_setting_says_so(void)
{
    for (int transmits = 0; transmits <= 1; transmits++) {
        struct v6 v6;
        struct v6_answer answer;
        struct nd_neighbour message;
        unsigned announcements = 0;
        v6_init(&v6);
        v6.settings.neighbour_gratuitous = 1;
        v6.settings.ip_dad_transmits = transmits;
        v6_open(&v6);
        net_run(v6.net, 3 * NS_PER_S);
        while (v6_next(&v6, &answer)) {
            CHECK_EQUAL(
                nd_neighbour_parse(answer.payload, answer.length, &message), 0);
            if (message.type != ICMP6_NEIGHBOUR_ADVERTISEMENT)
                continue;
            CHECK(!message.is_solicited && message.has_link_addr);
            announcements++;
        }
        CHECK_EQUAL(announcements, 2); // link-local and global
        v6_close(&v6);
    }
}

static void check_failures_of_memory(bool is_mended)
{
    unsigned n = 0;
    do {
        struct v6 v6;
        struct ip_prefix prefix;
        open_host(&v6, 0);
        CHECK_EQUAL(ip_prefix_parse("2001:db8::3/64", &prefix), 0);
        malloc_fail_after(++n);
        int error = iface_add_address(v6.host->eth, &prefix);
        bool has_failed = malloc_has_failed();
        malloc_fail_after(0);
        if (!error)
            CHECK_EQUAL(state_of(v6.host->eth, "2001:db8::3"),
                        has_failed ? ADDRESS_TENTATIVE : ADDRESS_PREFERRED);
        if (is_mended) { // by coming up again
            iface_set_up(v6.host->eth, false);
            iface_set_up(v6.host->eth, true);
        }
        if (!error && is_mended)
            CHECK_EQUAL(state_of(v6.host->eth, "2001:db8::3"),
                        ADDRESS_PREFERRED);
        iface_remove_address(v6.host->eth, &prefix.addr);
        v6_close(&v6);
        if (!has_failed)
            break;
    } while (n < 50);
    CHECK(n > 2 && n < 50);
}

static void every_failure_of_memory_leaves_addresses_safe(void)
{
    check_failures_of_memory(false);
    check_failures_of_memory(true);
}

const struct unit_test suite_dad[] = {
    UNIT(an_address_is_used_after_the_solicitations_asked_for),
    UNIT(without_detection_an_address_is_used_at_once),
    UNIT(later_addresses_do_not_wait_before_they_ask),
    UNIT(another_who_wants_the_address_collides),
    UNIT(another_who_has_the_address_collides),
    UNIT(being_looked_for_is_no_collision),
    UNIT(our_own_solicitation_coming_back_is_no_collision),
    UNIT(an_address_in_use_is_not_given_up),
    UNIT(a_duplicated_address_is_dead),
    UNIT(of_two_hosts_with_one_address_not_both_keep_it),
    UNIT(a_latecomer_finds_the_address_taken),
    UNIT(an_interface_has_its_link_local_address_and_groups),
    UNIT(a_removed_address_leaves_its_group),
    UNIT(an_interface_that_comes_up_begins_again),
    UNIT(detection_stands_still_while_the_interface_is_down),
    UNIT(a_link_without_neighbours_needs_no_detection),
    UNIT(an_announcement_follows_when_the_setting_says_so),
    UNIT(every_failure_of_memory_leaves_addresses_safe),
    {0}};
