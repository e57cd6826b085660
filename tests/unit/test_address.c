// Tests of addresses: kinds, prefixes, derived addresses, text.
// SPDX-License-Identifier: MIT
#include "stack/wire/address.h"

#include <errno.h>

#include "tests/unit/unit.h"

static struct ip_addr addr(const char *text)
{
    struct ip_addr a = {0};
    CHECK_EQUAL(ip_addr_parse(text, &a), 0);
    return a;
}

static struct ip_prefix prefix(const char *text)
{
    struct ip_prefix p = {0};
    CHECK_EQUAL(ip_prefix_parse(text, &p), 0);
    return p;
}

static struct mac_addr mac(const char *text)
{
    struct mac_addr m = {0};
    CHECK_EQUAL(mac_addr_parse(text, &m), 0);
    return m;
}

static void check_addr(struct ip_addr a, const char *expected)
{
    char text[IP_ADDR_TEXT_SIZE];
    CHECK_TEXT(ip_addr_format(&a, text), expected);
}

// --- Text ------------------------------------------------------------------

static void addresses_survive_format_and_parse(void)
{
    // The canonical forms of RFC 5952 4.
    static const char *const canonical[] = {
        "0.0.0.0",
        "10.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "1::",
        "2001:db8::1",
        "2001:db8:0:1:1:1:1:1",
        "2001:db8::1:0:0:1",
        "1:2:3:4:5:6:7:8",
        "::2:3:4:5:6:7:8", // two or more groups only: see below
        "fe80::200:ff:fe00:1",
        "::ffff:192.0.2.1",
        "2001:0:0:1::1",
        "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    };
    for (size_t i = 0; i < ARRAY_LENGTH(canonical); i++) {
        if (i == 10) // one zero group is not shortened (RFC 5952 4.2.2)
            check_addr(addr(canonical[i]), "0:2:3:4:5:6:7:8");
        else
            check_addr(addr(canonical[i]), canonical[i]);
    }
}

static void parse_accepts_every_written_form_of_ipv6(void)
{
    check_addr(addr("2001:0DB8:0000:0000:0000:0000:0000:0001"), "2001:db8::1");
    check_addr(addr("2001:db8:0:0:1:0:0:1"), "2001:db8::1:0:0:1");
    check_addr(addr("::ffff:c000:201"), "::ffff:192.0.2.1");
    check_addr(addr("64:ff9b::192.0.2.33"), "64:ff9b::c000:221");
    check_addr(addr("1:2:3:4:5:6:1.2.3.4"), "1:2:3:4:5:6:102:304");
    check_addr(addr("::1.2.3.4"), "::102:304");
    check_addr(addr("1:2:3:4:5:6:7::"), "1:2:3:4:5:6:7:0");
}

static void parse_refuses_what_is_no_address(void)
{
    static const char *const bad[] = {
        "",
        "1",
        "1.2.3",
        "1.2.3.4.5",
        "1.2.3.",
        ".1.2.3",
        "1..2.3",
        "256.1.1.1",
        "1.2.3.4294967297",
        "01.2.3.4",
        "1.2.3.00",
        "1.2.3.4 ",
        " 1.2.3.4",
        "1.2.3.4/8",
        "1.2.3.-4",
        ":",
        ":::",
        "1:::2",
        "1::2::3",
        ":1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7:",
        "1:2:3:4:5:6:7:8:9",
        "1:2:3:4:5:6:7:8::",
        "::1:2:3:4:5:6:7:8",
        "12345::",
        "g::",
        "::1%eth0",
        "1:2:3:4:5:6:7:1.2.3.4",
        "::1.2.3.4:1",
        "::1.2.3",
        "::256.1.1.1",
        "1.2.3.4::",
    };
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
        struct ip_addr a = ip_addr_v4(9, 9, 9, 9);
        if (ip_addr_parse(bad[i], &a) != -EINVAL)
            CHECK_TEXT(bad[i], "(refused)");
        check_addr(a, "9.9.9.9"); // untouched
    }
}

static void prefixes_need_a_length_in_range(void)
{
    static const char *const bad[] = {
        "10.0.0.1",     "10.0.0.1/",   "10.0.0.1/33", "10.0.0.1/08",
        "10.0.0.1/8 ",  "::/129",      "10.0.0.1/-1", "/8",
        "10.0.0.1/255", "10.0.0.1/256"};
    struct ip_prefix p = prefix("10.1.2.3/8");
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++)
        CHECK_EQUAL(ip_prefix_parse(bad[i], &p), -EINVAL);
    char text[IP_PREFIX_TEXT_SIZE];
    CHECK_TEXT(ip_prefix_format(&p, text), "10.1.2.3/8");
    p = prefix("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128");
    CHECK_TEXT(ip_prefix_format(&p, text),
               "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128");
}

static void hardware_addresses_have_six_pairs_of_digits(void)
{
    static const char *const bad[] = {
        "",
        "02:00:00:00:00",
        "02:00:00:00:00:1",
        "2:00:00:00:00:01",
        "02:00:00:00:00:01:02",
        "02-00-00-00-00-01",
        "02:00:00:00:00:0g",
        "002:00:00:00:00:01",
    };
    struct mac_addr m = mac("02:aB:cd:EF:00:99");
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++)
        CHECK_EQUAL(mac_addr_parse(bad[i], &m), -EINVAL);
    char text[MAC_ADDR_TEXT_SIZE];
    CHECK_TEXT(mac_addr_format(&m, text), "02:ab:cd:ef:00:99");
}

static void endpoints_put_ipv6_in_brackets(void)
{
    static const char *const good[] = {
        "10.0.0.1:80", "[2001:db8::1]:65535", "[::]:0",
        "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535"};
    char text[ENDPOINT_TEXT_SIZE];
    for (size_t i = 0; i < ARRAY_LENGTH(good); i++) {
        struct endpoint e = {.scope = 7};
        CHECK_EQUAL(endpoint_parse(good[i], &e), 0);
        CHECK_EQUAL(e.scope, 0);
        CHECK_TEXT(endpoint_format(&e, text), good[i]);
    }
    static const char *const bad[] = {
        "10.0.0.1",       "10.0.0.1:",     "10.0.0.1:65536",
        "2001:db8::1:80", "[10.0.0.1]:80", "[::1:80",
        "[::1]80",        "[::1]:",        "[::1]:80 ",
        "[]:80",          ":80",           "10.0.0.1:080",
    };
    struct endpoint e = {.port = 3};
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++)
        if (endpoint_parse(bad[i], &e) != -EINVAL)
            CHECK_TEXT(bad[i], "(refused)");
    CHECK_EQUAL(e.port, 3);
}

static void no_address_has_a_text_too(void)
{
    check_addr((struct ip_addr){0}, "none");
}

// --- Kinds -----------------------------------------------------------------

typedef bool kind_fn(const struct ip_addr *a);

static bool is(kind_fn *kind, const char *text)
{
    struct ip_addr a = addr(text);
    return kind(&a);
}

static void kinds_are_told_by_their_prefixes(void)
{
    CHECK(is(ip_addr_is_any, "0.0.0.0") && is(ip_addr_is_any, "::"));
    CHECK(!is(ip_addr_is_any, "0.0.0.1") && !is(ip_addr_is_any, "::1"));
    CHECK(is(ip_addr_is_loopback, "127.0.0.1"));
    CHECK(is(ip_addr_is_loopback, "127.255.255.255"));
    CHECK(is(ip_addr_is_loopback, "::1"));
    CHECK(!is(ip_addr_is_loopback, "128.0.0.1"));
    CHECK(!is(ip_addr_is_loopback, "1::1") && !is(ip_addr_is_loopback, "::"));
    CHECK(is(ip_addr_is_multicast, "224.0.0.1"));
    CHECK(is(ip_addr_is_multicast, "239.255.255.255"));
    CHECK(is(ip_addr_is_multicast, "ff02::1"));
    CHECK(!is(ip_addr_is_multicast, "223.255.255.255"));
    CHECK(!is(ip_addr_is_multicast, "240.0.0.0"));
    CHECK(!is(ip_addr_is_multicast, "fe80::1"));
    CHECK(is(ip_addr_is_link_local, "169.254.0.1"));
    CHECK(is(ip_addr_is_link_local, "fe80::1"));
    CHECK(is(ip_addr_is_link_local, "febf::1"));
    CHECK(!is(ip_addr_is_link_local, "fec0::1"));
    CHECK(!is(ip_addr_is_link_local, "169.253.0.1"));
    CHECK(is(ip_addr_is_broadcast, "255.255.255.255"));
    CHECK(!is(ip_addr_is_broadcast, "255.255.255.254"));
    CHECK(!is(ip_addr_is_broadcast, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"));
}

static void no_address_is_of_no_kind(void)
{
    struct ip_addr none = {0};
    CHECK(!ip_addr_is_any(&none) && !ip_addr_is_loopback(&none));
    CHECK(!ip_addr_is_multicast(&none) && !ip_addr_is_link_local(&none));
    CHECK(!ip_addr_is_broadcast(&none));
}

static void order_is_by_family_then_bytes(void)
{
    struct ip_addr sorted[] = {
        addr("0.0.0.0"), addr("10.0.0.1"), addr("10.0.0.2"), addr("255.0.0.0"),
        addr("::"),      addr("1::"),      addr("ff02::1")};
    for (size_t i = 0; i < ARRAY_LENGTH(sorted); i++)
        for (size_t j = 0; j < ARRAY_LENGTH(sorted); j++) {
            int order = ip_addr_compare(&sorted[i], &sorted[j]);
            CHECK_EQUAL((order > 0) - (order < 0), (i > j) - (i < j));
            CHECK_EQUAL(ip_addr_equal(&sorted[i], &sorted[j]), i == j);
        }
}

static void ipv4_as_a_number_is_in_host_order(void)
{
    struct ip_addr a = ip_addr_v4(192, 0, 2, 1);
    CHECK_EQUAL(ip_addr_to_u32(&a), 0xc0000201);
    struct ip_addr b = ip_addr_v4_u32(0xc0000201);
    CHECK(ip_addr_equal(&a, &b));
    CHECK_BYTES(b.bytes, "\xc0\x00\x02\x01\0\0\0\0\0\0\0\0\0\0\0\0", 16);
}

// --- Prefixes --------------------------------------------------------------

static bool contains(const char *p_text, const char *a_text)
{
    struct ip_prefix p = prefix(p_text);
    struct ip_addr a = addr(a_text);
    return ip_prefix_contains(&p, &a);
}

static void containment_compares_exactly_the_prefix_bits(void)
{
    CHECK(contains("10.0.0.1/24", "10.0.0.255"));
    CHECK(!contains("10.0.0.1/24", "10.0.1.0"));
    CHECK(contains("10.0.0.0/23", "10.0.1.255"));
    CHECK(contains("10.0.0.4/31", "10.0.0.5"));
    CHECK(!contains("10.0.0.4/31", "10.0.0.6"));
    CHECK(contains("10.0.0.4/32", "10.0.0.4"));
    CHECK(!contains("10.0.0.4/32", "10.0.0.5"));
    CHECK(contains("0.0.0.0/0", "255.1.2.3"));
    CHECK(!contains("0.0.0.0/0", "::"));
    CHECK(!contains("::/0", "10.0.0.1"));
    CHECK(contains("2001:db8::/33", "2001:db8:7fff::1"));
    CHECK(!contains("2001:db8::/33", "2001:db8:8000::1"));
    CHECK(contains("2001:db8::1/128", "2001:db8::1"));
    CHECK(!contains("2001:db8::1/128", "2001:db8::2"));
}

static void network_and_broadcast_split_at_every_length(void)
{
    for (unsigned length = 0; length <= 32; length++) {
        uint32_t mask = length ? UINT32_MAX << (32 - length) : 0;
        struct ip_prefix p = {ip_addr_v4_u32(0xaa55a55a), (uint8_t)length};
        struct ip_addr network = ip_prefix_network(&p);
        struct ip_addr last = ip_prefix_broadcast(&p);
        CHECK_EQUAL(ip_addr_to_u32(&network), 0xaa55a55a & mask);
        CHECK_EQUAL(ip_addr_to_u32(&last), 0xaa55a55a | ~mask);
        CHECK_EQUAL(network.words[1] | last.words[1], 0);
    }
    struct ip_prefix v6 = prefix("2001:db8:ffff:ffff::1/45");
    check_addr(ip_prefix_network(&v6), "2001:db8:fff8::");
}

static void overlap_is_containment_of_the_shorter(void)
{
    struct ip_prefix a = prefix("10.0.0.1/24"), b = prefix("10.0.0.129/25"),
                     c = prefix("10.0.1.0/24"), d = prefix("::/0"),
                     e = prefix("10.0.0.0/23");
    CHECK(ip_prefix_overlaps(&a, &b) && ip_prefix_overlaps(&b, &a));
    CHECK(!ip_prefix_overlaps(&a, &c) && !ip_prefix_overlaps(&a, &d));
    CHECK(ip_prefix_overlaps(&e, &a) && ip_prefix_overlaps(&c, &e));
}

// --- Derived addresses -----------------------------------------------------

static void solicited_node_group_takes_the_last_24_bits(void)
{
    // The example of RFC 4291 2.7.1.
    struct ip_addr a = addr("4037::01:800:200e:8c6c");
    check_addr(ip_addr_solicited_node(&a), "ff02::1:ff0e:8c6c");
    // Not the last 16: these two differ in the byte before.
    a = addr("2001:db8::12:3456");
    check_addr(ip_addr_solicited_node(&a), "ff02::1:ff12:3456");
    a = addr("2001:db8::13:3456");
    check_addr(ip_addr_solicited_node(&a), "ff02::1:ff13:3456");
}

static void link_local_address_is_the_modified_eui_64(void)
{
    // The example of RFC 2464 4.
    struct mac_addr m = mac("34:56:78:9a:bc:de");
    check_addr(ip_addr_link_local_of(&m), "fe80::3656:78ff:fe9a:bcde");
    m = mac("02:00:00:00:00:01");
    check_addr(ip_addr_link_local_of(&m), "fe80::ff:fe00:1");
}

static void check_group_mac(const char *group, const char *expected)
{
    struct ip_addr a = addr(group);
    struct mac_addr m = mac_addr_of_multicast(&a);
    char text[MAC_ADDR_TEXT_SIZE];
    CHECK_TEXT(mac_addr_format(&m, text), expected);
}

static void groups_map_to_hardware_groups(void)
{
    check_group_mac("ff02::1:ff0e:8c6c", "33:33:ff:0e:8c:6c");
    check_group_mac("224.0.0.1", "01:00:5e:00:00:01");
    check_group_mac("239.255.255.255", "01:00:5e:7f:ff:ff"); // 23 bits
}

static void broadcast_is_a_hardware_group_too(void)
{
    struct mac_addr all = mac("ff:ff:ff:ff:ff:ff"),
                    group = mac("01:00:5e:00:00:01"),
                    host = mac("fe:ff:ff:ff:ff:ff");
    CHECK(mac_addr_is_broadcast(&all) && mac_addr_is_multicast(&all));
    CHECK(!mac_addr_is_broadcast(&group) && mac_addr_is_multicast(&group));
    CHECK(!mac_addr_is_broadcast(&host) && !mac_addr_is_multicast(&host));
    CHECK(mac_addr_equal(&all, &all) && !mac_addr_equal(&all, &host));
}

const struct unit_test suite_address[] = {
    UNIT(addresses_survive_format_and_parse),
    UNIT(parse_accepts_every_written_form_of_ipv6),
    UNIT(parse_refuses_what_is_no_address),
    UNIT(prefixes_need_a_length_in_range),
    UNIT(hardware_addresses_have_six_pairs_of_digits),
    UNIT(endpoints_put_ipv6_in_brackets),
    UNIT(no_address_has_a_text_too),
    UNIT(kinds_are_told_by_their_prefixes),
    UNIT(no_address_is_of_no_kind),
    UNIT(order_is_by_family_then_bytes),
    UNIT(ipv4_as_a_number_is_in_host_order),
    UNIT(containment_compares_exactly_the_prefix_bits),
    UNIT(network_and_broadcast_split_at_every_length),
    UNIT(overlap_is_containment_of_the_shorter),
    UNIT(solicited_node_group_takes_the_last_24_bits),
    UNIT(link_local_address_is_the_modified_eui_64),
    UNIT(groups_map_to_hardware_groups),
    UNIT(broadcast_is_a_hardware_group_too),
    {0},
};
