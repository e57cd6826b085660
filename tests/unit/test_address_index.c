// Tests of finding the owner of an address on stacks with few and many.
// SPDX-License-Identifier: MIT
#include <errno.h>

#include "stack/internal.h"
#include "tests/unit/unit.h"

static void ignore_frame(void *context, struct iface *iface,
                         struct packet *frame)
{
    (void)context;
    (void)iface;
    packet_free(frame);
}

static void no_deadline(void *context, ns_t deadline)
{
    (void)context;
    (void)deadline;
}

static void zeroes(void *context, void *bytes, size_t length)
{
    (void)context;
    memset(bytes, 0, length);
}

static struct iface *add_iface(struct stack *stack, unsigned n)
{
    struct iface *iface;
    char name[16] = {'p', (char)('0' + n / 100), (char)('0' + n / 10 % 10),
                     (char)('0' + n % 10), 0};
    struct iface_config config = {.name = name,
                                  .type = IFACE_POINT_TO_POINT,
                                  .mtu = 1500,
                                  .transmit = ignore_frame};
    CHECK_FATAL(iface_create(stack, &config, &iface) == 0);
    return iface;
}

static void an_address_is_found_among_few_and_among_many(void)
{
    static const ns_t now = 0;
    struct packet_pool *pool = packet_pool_create(0);
    struct stack_config config = {
        .host = {.now = &now, .set_deadline = no_deadline, .random = zeroes},
        .pool = pool,
        .name = "many",
        .no_ipv6 = true};
    struct stack *stack;
    struct iface *ifaces[300];
    CHECK_FATAL(stack_create(&config, &stack) == 0);
    for (unsigned n = 0; n < 300; n++) {
        struct ip_prefix prefix = {ip_addr_v4_u32(0x0a000001 + n * 256), 24};
        ifaces[n] = add_iface(stack, n);
        CHECK_EQUAL(iface_add_address(ifaces[n], &prefix), 0);
        CHECK_EQUAL(iface_add_address(ifaces[n], &prefix), -EEXIST);
        for (unsigned m = 0; m <= n; m += 1 + n / 10) {
            struct ip_addr address = ip_addr_v4_u32(0x0a000001 + m * 256);
            struct iface_addr *found = stack_address_find(stack, &address);
            CHECK_FATAL(found != NULL);
            CHECK(found->iface == ifaces[m]);
        }
    }
    for (unsigned n = 0; n < 300; n += 2) {
        struct ip_addr address = ip_addr_v4_u32(0x0a000001 + n * 256);
        CHECK_EQUAL(iface_remove_address(ifaces[n], &address), 0);
        CHECK(stack_address_find(stack, &address) == NULL);
    }
    for (unsigned n = 1; n < 300; n += 2) {
        struct ip_addr address = ip_addr_v4_u32(0x0a000001 + n * 256);
        CHECK(stack_address_find(stack, &address) != NULL);
    }
    stack_destroy(stack);
    packet_pool_destroy(pool);
}

static void an_address_is_found_when_many_have_become_few_again(void)
{
    static const ns_t now = 0;
    struct packet_pool *pool = packet_pool_create(0);
    struct stack_config config = {
        .host = {.now = &now, .set_deadline = no_deadline, .random = zeroes},
        .pool = pool,
        .no_ipv6 = true};
    struct stack *stack;
    CHECK_FATAL(stack_create(&config, &stack) == 0);
    struct iface *iface = add_iface(stack, 0);
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned n = 0; n < 20; n++) {
            struct ip_prefix prefix = {ip_addr_v4_u32(0x0a000001 + n * 256),
                                       24};
            CHECK_EQUAL(iface_add_address(iface, &prefix), 0);
            CHECK(stack_address_find(stack, &prefix.addr) != NULL);
        }
        for (unsigned n = 0; n < 20; n++) {
            struct ip_addr address = ip_addr_v4_u32(0x0a000001 + n * 256);
            CHECK_EQUAL(iface_remove_address(iface, &address), 0);
        }
    }
    stack_destroy(stack);
    packet_pool_destroy(pool);
}

const struct unit_test suite_address_index[] = {
    UNIT(an_address_is_found_among_few_and_among_many),
    UNIT(an_address_is_found_when_many_have_become_few_again),
    {0}};
