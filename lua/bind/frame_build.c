// Builds frames out of tables: one table per header, from the outside in.
// SPDX-License-Identifier: MIT

// A frame is laid out with every header empty but for what makes it decodable,
// then each table is written into its header as a script's edits are, and last
// what was not given is filled in.

#include <string.h>

#include "lua/bind/frame_object.h"
#include "stack/wire/bytes.h"
#include "stack/wire/checksum.h"

struct layout {
    bool has[LAYER_COUNT];
    size_t start[LAYER_COUNT];
    size_t length; // of all headers
};

static const size_t header_sizes[LAYER_COUNT] = {
    [LAYER_ETHERNET] = ETHERNET_HEADER_SIZE, [LAYER_ARP] = ARP_SIZE,
    [LAYER_IPV4] = IPV4_HEADER_SIZE,         [LAYER_IPV6] = IPV6_HEADER_SIZE,
    [LAYER_FRAGMENT] = IPV6_FRAGMENT_SIZE,   [LAYER_ICMP] = ICMP_HEADER_SIZE,
    [LAYER_ICMPV6] = ICMP_HEADER_SIZE,       [LAYER_UDP] = UDP_HEADER_SIZE,
    [LAYER_TCP] = TCP_HEADER_SIZE,
};
static const uint8_t protocols[LAYER_COUNT] = {
    [LAYER_ICMP] = IP_PROTOCOL_ICMP,
    [LAYER_ICMPV6] = IP_PROTOCOL_ICMPV6,
    [LAYER_UDP] = IP_PROTOCOL_UDP,
    [LAYER_TCP] = IP_PROTOCOL_TCP,
};

// --- What is asked for

static unsigned count_layers(const struct layout *layout,
                             enum frame_layer first, enum frame_layer last)
{
    unsigned count = 0;
    for (int i = first; i <= (int)last; i++)
        count += layout->has[i];
    return count;
}

static struct layout read_layout(lua_State *L, int table)
{
    static const char *const known[] = {
        "arp",  "ethernet", "fragment", "icmp", "icmpv6", "ipv4",
        "ipv6", "payload",  "tcp",      "udp",  NULL};
    struct layout layout = {0};
    check_keys(L, table, known);
    for (int i = 0; i < LAYER_COUNT; i++) {
        layout.has[i] =
            lua_getfield(L, table, layer_name((enum frame_layer)i)) != LUA_TNIL;
        if (layout.has[i]) {
            luaL_checktype(L, -1, LUA_TTABLE);
            layout.start[i] = layout.length;
            layout.length += header_sizes[i];
        }
        lua_pop(L, 1);
    }
    if (count_layers(&layout, LAYER_ARP, LAYER_IPV6) > 1 ||
        count_layers(&layout, LAYER_ICMP, LAYER_TCP) > 1)
        luaL_error(L, "a frame has one of arp, ipv4, ipv6 and one of icmp, "
                      "icmpv6, udp, tcp");
    if (count_layers(&layout, LAYER_FRAGMENT, LAYER_TCP) > 0 &&
        !layout.has[LAYER_IPV4] && !layout.has[LAYER_IPV6])
        luaL_error(L, "a transport header needs an ipv4 or ipv6 header");
    if (layout.has[LAYER_FRAGMENT] && !layout.has[LAYER_IPV6])
        luaL_error(L, "a fragment header needs an ipv6 header; in ipv4 the "
                      "fields are fragment_offset and more_fragments");
    if (layout.length == 0)
        luaL_error(L, "a frame needs at least one header");
    return layout;
}

// --- Empty headers

static uint8_t transport_protocol(const struct layout *layout)
{
    for (int i = LAYER_ICMP; i <= LAYER_TCP; i++)
        if (layout->has[i])
            return protocols[i];
    return IPV6_NO_NEXT;
}

static void lay_out(const struct layout *layout, uint8_t *bytes)
{
    uint8_t protocol = transport_protocol(layout);
    const size_t *start = layout->start;
    memset(bytes, 0, layout->length);
    if (layout->has[LAYER_ETHERNET] && layout->has[LAYER_ARP])
        put_be16(bytes + 12, ETHERTYPE_ARP);
    if (layout->has[LAYER_ETHERNET] && layout->has[LAYER_IPV4])
        put_be16(bytes + 12, ETHERTYPE_IPV4);
    if (layout->has[LAYER_ETHERNET] && layout->has[LAYER_IPV6])
        put_be16(bytes + 12, ETHERTYPE_IPV6);
    if (layout->has[LAYER_ARP]) {
        struct arp_header arp = {.operation = ARP_REQUEST};
        arp.sender_ip = arp.target_ip = ip_addr_any(IP_V4);
        arp_emit(&arp, bytes + start[LAYER_ARP]);
    }
    if (layout->has[LAYER_IPV4]) {
        uint8_t *ip = bytes + start[LAYER_IPV4];
        ip[0] = 0x45;
        put_be16(ip + 2, (uint16_t)(layout->length - start[LAYER_IPV4]));
        ip[8] = 64;
        ip[9] = protocol == IPV6_NO_NEXT ? 0 : protocol;
    }
    if (layout->has[LAYER_IPV6]) {
        uint8_t *ip = bytes + start[LAYER_IPV6];
        ip[0] = 0x60;
        put_be16(ip + 4, (uint16_t)(layout->length - start[LAYER_IPV6] -
                                    IPV6_HEADER_SIZE));
        ip[6] = layout->has[LAYER_FRAGMENT] ? IPV6_FRAGMENT : protocol;
        ip[7] = 64;
    }
    if (layout->has[LAYER_FRAGMENT])
        bytes[start[LAYER_FRAGMENT]] = protocol;
    if (layout->has[LAYER_TCP]) {
        bytes[start[LAYER_TCP] + 12] = TCP_HEADER_SIZE / 4 << 4;
        put_be16(bytes + start[LAYER_TCP] + 14, 65535);
    }
}

// --- Building

static void append_payload(lua_State *L, int table, int object)
{
    size_t length;
    if (lua_getfield(L, table, "payload") != LUA_TNIL) {
        const char *bytes = luaL_checklstring(L, -1, &length);
        struct frame_object *frame = frame_check(L, object);
        frame_splice(L, object, frame->length, 0, bytes, length);
    }
    lua_pop(L, 1);
}

// build{ethernet={...}, ipv4={...}, tcp={...}, payload="..."}
static int frame_build(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    struct layout layout = read_layout(L, 1);
    struct frame_object *frame =
        frame_push(L, NULL, layout.length, !layout.has[LAYER_ETHERNET]);
    lay_out(&layout, frame->bytes);
    frame->is_edited = frame->is_stale = true;
    frame_fill(frame->bytes, frame->length, frame->starts_with_ip,
               FRAME_FILL_ALL);
    append_payload(L, 1, 2);
    // From the inside out: what an outer header says may hide the inner ones.
    for (int i = LAYER_COUNT - 1; i >= 0; i--) {
        if (!layout.has[i])
            continue;
        lua_getfield(L, 1, layer_name((enum frame_layer)i));
        layer_apply(L, 2, (enum frame_layer)i, 3);
        lua_pop(L, 1);
    }
    frame_settle(frame);
    return 1;
}

// parse(bytes, {starts_with_ip=true})
static int frame_parse(lua_State *L)
{
    static const char *const known[] = {"starts_with_ip", NULL};
    size_t length;
    const char *bytes = luaL_checklstring(L, 1, &length);
    int options = check_options(L, 2, known);
    if (length > 65535)
        return luaL_error(L, "a frame is at most 65535 bytes long");
    frame_push(L, (const uint8_t *)bytes, length,
               option_boolean(L, options, "starts_with_ip"));
    return 1;
}

// checksum(bytes): the Internet checksum, as it stands in a header
static int frame_checksum(lua_State *L)
{
    size_t length;
    const char *bytes = luaL_checklstring(L, 1, &length);
    lua_pushinteger(L, checksum_finish(checksum_add(0, bytes, length)));
    return 1;
}

void frame_build_open(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"build", frame_build},
        {"checksum", frame_checksum},
        {"parse", frame_parse},
        {NULL, NULL},
    };
    luaL_newlib(L, functions);
    lua_setglobal(L, "frame");
}
