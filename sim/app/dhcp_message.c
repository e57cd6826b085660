// Builds and reads the messages of DHCPv4.
// SPDX-License-Identifier: MIT
#include <errno.h>
#include <string.h>

#include "sim/app/dhcp.h"
#include "stack/wire/bytes.h"

enum {
    AT_XID = 4,
    AT_SECONDS = 8,
    AT_FLAGS = 10,
    AT_CLIENT = 12,
    AT_YOURS = 16,
    AT_HARDWARE = 28,
    AT_COOKIE = 236,
    AT_OPTIONS = 240,
    SMALLEST = 300, // BOOTP's size, which some relays insist on
};
static const uint32_t COOKIE = 0x63825363;

// RFC 2132, RFC 3442's classless routes left out.
enum {
    OPTION_PAD = 0,
    OPTION_MASK = 1,
    OPTION_ROUTER = 3,
    OPTION_DNS = 6,
    OPTION_HOST_NAME = 12,
    OPTION_MTU = 26,
    OPTION_REQUESTED = 50,
    OPTION_LEASE = 51,
    OPTION_TYPE = 53,
    OPTION_SERVER = 54,
    OPTION_PARAMETERS = 55,
    OPTION_SIZE = 57,
    OPTION_RENEWAL = 58,
    OPTION_REBINDING = 59,
    OPTION_CLIENT_ID = 61,
    OPTION_END = 255
};

static uint8_t *put_option(uint8_t *at, uint8_t code, const void *bytes,
                           size_t length)
{
    at[0] = code;
    at[1] = (uint8_t)length;
    memcpy(at + 2, bytes, length);
    return at + 2 + length;
}

static uint8_t *put_address(uint8_t *at, uint8_t code,
                            const struct ip_addr *address)
{
    return address->family == IP_V4 ? put_option(at, code, address->bytes, 4)
                                    : at;
}

static void put_fixed(const struct dhcp_message *m, uint8_t *bytes)
{
    memset(bytes, 0, DHCP_MESSAGE_SIZE);
    bytes[0] = 1;
    bytes[1] = 1;
    bytes[2] = 6;
    put_be32(bytes + AT_XID, m->xid);
    put_be16(bytes + AT_SECONDS, m->seconds);
    put_be16(bytes + AT_FLAGS, m->wants_broadcast ? 0x8000 : 0);
    if (m->client.family == IP_V4)
        memcpy(bytes + AT_CLIENT, m->client.bytes, 4);
    memcpy(bytes + AT_HARDWARE, m->mac.bytes, 6);
    put_be32(bytes + AT_COOKIE, COOKIE);
}

size_t dhcp_emit(const struct dhcp_message *message, uint8_t *bytes)
{
    static const uint8_t parameters[] = {
        OPTION_MASK,  OPTION_ROUTER,  OPTION_DNS,      OPTION_MTU,
        OPTION_LEASE, OPTION_RENEWAL, OPTION_REBINDING};
    uint8_t type = (uint8_t)message->type, id[7] = {1}, size[2];
    uint8_t *at = bytes + AT_OPTIONS;

    put_fixed(message, bytes);
    memcpy(id + 1, message->mac.bytes, 6);
    put_be16(size, DHCP_MESSAGE_SIZE);
    at = put_option(at, OPTION_TYPE, &type, 1);
    at = put_option(at, OPTION_CLIENT_ID, id, sizeof(id));
    at = put_address(at, OPTION_REQUESTED, &message->requested);
    at = put_address(at, OPTION_SERVER, &message->server);
    if (type == DHCP_DISCOVER || type == DHCP_REQUEST) {
        at = put_option(at, OPTION_SIZE, size, 2);
        at = put_option(at, OPTION_PARAMETERS, parameters, sizeof(parameters));
        if (message->host_name != NULL && strlen(message->host_name) <= 63)
            at = put_option(at, OPTION_HOST_NAME, message->host_name,
                            strlen(message->host_name));
    }
    *at++ = OPTION_END;
    return at - bytes > SMALLEST ? (size_t)(at - bytes) : SMALLEST;
}

static uint8_t mask_length(const uint8_t *bytes)
{
    uint32_t mask = get_be32(bytes);
    uint8_t length = mask != 0 ? (uint8_t)__builtin_clz(~mask | 0) : 0;

    if (mask == UINT32_MAX)
        return 32;
    return (uint32_t)(mask << length) == 0 ? length : 0; // with gaps: none
}

static struct ip_addr get_address(const uint8_t *bytes)
{
    return ip_addr_from_bytes(IP_V4, bytes);
}

static void read_dns(struct dhcp_message *m, const uint8_t *data, size_t length)
{
    for (; length >= 4 && m->dns_count < DHCP_DNS_LIMIT; length -= 4, data += 4)
        m->dns[m->dns_count++] = get_address(data);
}

// Options of an unknown code or an impossible length are skipped.
static void read_option(struct dhcp_message *m, uint8_t code,
                        const uint8_t *data, size_t length)
{
    if (code == OPTION_TYPE && length == 1 && *data <= DHCP_RELEASE)
        m->type = (enum dhcp_type) * data;
    if (code == OPTION_MTU && length == 2)
        m->mtu = get_be16(data);
    if (code == OPTION_DNS)
        read_dns(m, data, length);
    if (length < 4)
        return;
    switch (code) {
    case OPTION_MASK:
        m->prefix_length = mask_length(data);
        break;
    case OPTION_ROUTER:
        m->router = get_address(data);
        break;
    case OPTION_SERVER:
        m->server = get_address(data);
        break;
    case OPTION_LEASE:
        m->lease = get_be32(data);
        break;
    case OPTION_RENEWAL:
        m->renewal = get_be32(data);
        break;
    case OPTION_REBINDING:
        m->rebinding = get_be32(data);
        break;
    default:
        break;
    }
}

static int read_options(struct dhcp_message *m, const uint8_t *at,
                        const uint8_t *end)
{
    while (at < end && *at != OPTION_END) {
        if (*at == OPTION_PAD) {
            at++;
            continue;
        }
        if (end - at < 2 || end - at < 2 + at[1])
            return -EINVAL;
        read_option(m, at[0], at + 2, at[1]);
        at += 2 + at[1];
    }
    return 0;
}

int dhcp_parse(const uint8_t *bytes, size_t length, struct dhcp_message *out)
{
    struct dhcp_message m = {0};

    if (length < AT_OPTIONS || bytes[0] != 2 || bytes[1] != 1 ||
        bytes[2] != 6 || get_be32(bytes + AT_COOKIE) != COOKIE)
        return -EINVAL;
    m.xid = get_be32(bytes + AT_XID);
    m.client = get_address(bytes + AT_CLIENT);
    m.yours = get_address(bytes + AT_YOURS);
    memcpy(m.mac.bytes, bytes + AT_HARDWARE, 6);
    if (read_options(&m, bytes + AT_OPTIONS, bytes + length) < 0 ||
        m.type == DHCP_NONE)
        return -EINVAL;
    *out = m;
    return 0;
}
