// What is in which header, where it stands, what it means.
// SPDX-License-Identifier: MIT

#include "lua/bind/frame_field.h"

#include <string.h>

#include "stack/wire/bytes.h"

#define INT(name, offset, width)                                               \
    {                                                                          \
        name, FIELD_INTEGER, offset, width, 0, (width)*8, 0, NULL, NULL        \
    }
#define GIVEN(name, offset, width, given)                                      \
    {                                                                          \
        name, FIELD_INTEGER, offset, width, 0, (width)*8, given, NULL, NULL    \
    }
#define BITS(name, kind, offset, width, shift, bits)                           \
    {                                                                          \
        name, kind, offset, width, shift, bits, 0, NULL, NULL                  \
    }
#define ADDRESS(name, kind, offset, width)                                     \
    {                                                                          \
        name, kind, offset, width, 0, 0, 0, NULL, NULL                         \
    }
#define SPECIAL(name, get, set)                                                \
    {                                                                          \
        name, FIELD_SPECIAL, 0, 0, 0, 0, 0, get, set                           \
    }

// --- Fields with functions

static void get_vlan(lua_State *L, int frame, size_t start)
{
    const struct frame_fields *f = frame_fields_of(frame_check(L, frame));
    (void)start;
    if (f->ethernet.is_tagged)
        lua_pushinteger(L, f->ethernet.vlan & 0xfff);
    else
        lua_pushnil(L);
}

// A number adds or changes the 802.1Q tag, nil takes it out.
static void set_vlan(lua_State *L, int frame, size_t start, int value)
{
    struct frame_object *object = frame_check(L, frame);
    bool is_tagged = frame_fields_of(object)->ethernet.is_tagged;
    size_t at = start + 12;
    if (lua_isnil(L, value)) {
        if (is_tagged)
            frame_splice(L, frame, at, ETHERNET_TAG_SIZE, NULL, 0);
        return;
    }
    lua_Integer vlan = luaL_checkinteger(L, value);
    if (vlan < 0 || vlan > 4095)
        luaL_error(L, "a VLAN id is 0 to 4095");
    uint8_t tag[ETHERNET_TAG_SIZE] = {0x81, 0x00};
    put_be16(tag + 2, (uint16_t)vlan);
    frame_splice(L, frame, at, is_tagged ? ETHERNET_TAG_SIZE : 0, tag,
                 sizeof(tag));
}

static void get_type(lua_State *L, int frame, size_t start)
{
    (void)start;
    lua_pushinteger(L, frame_fields_of(frame_check(L, frame))->ethernet.type);
}

static void set_type(lua_State *L, int frame, size_t start, int value)
{
    struct frame_object *object = frame_check(L, frame);
    bool is_tagged = frame_fields_of(object)->ethernet.is_tagged;
    lua_Integer type = luaL_checkinteger(L, value);
    if (type < 0 || type > 0xffff)
        luaL_error(L, "type is 0 to 0xffff");
    put_be16(object->bytes + start + (is_tagged ? 16 : 12), (uint16_t)type);
}

static void get_flags(lua_State *L, int frame, size_t start)
{
    char text[16];
    struct frame_object *object = frame_check(L, frame);
    lua_pushstring(L, tcp_flags_format(object->bytes[start + 13], text));
}

// Letters as tcpdump writes them ('.' is ACK), or the number.
static void set_flags(lua_State *L, int frame, size_t start, int value)
{
    static const char letters[] = "FSRP.UEWfsrpAuew";
    struct frame_object *object = frame_check(L, frame);
    unsigned flags = 0;
    if (lua_isinteger(L, value)) {
        flags = (unsigned)lua_tointeger(L, value);
    } else {
        for (const char *p = luaL_checkstring(L, value); *p != '\0'; p++) {
            const char *letter = strchr(letters, *p);
            if (letter == NULL)
                luaL_error(L, "TCP flags are letters of FSRP.UEW, not '%s'", p);
            flags |= 1u << (letter - letters) % 8;
        }
    }
    object->bytes[start + 13] = (uint8_t)flags;
}

static void get_sack(lua_State *L, const struct tcp_options *o)
{
    lua_createtable(L, o->sack_count, 0);
    for (int i = 0; i < o->sack_count; i++) {
        lua_createtable(L, 2, 0);
        lua_pushinteger(L, o->sack[i].start);
        lua_rawseti(L, -2, 1);
        lua_pushinteger(L, o->sack[i].end);
        lua_rawseti(L, -2, 2);
        lua_rawseti(L, -2, i + 1);
    }
}

static void get_options(lua_State *L, int frame, size_t start)
{
    const struct tcp_options *o =
        &frame_fields_of(frame_check(L, frame))->tcp_options;
    (void)start;
    lua_newtable(L);
    if (o->has_mss) {
        lua_pushinteger(L, o->mss);
        lua_setfield(L, -2, "mss");
    }
    if (o->has_window_scale) {
        lua_pushinteger(L, o->window_scale);
        lua_setfield(L, -2, "window_scale");
    }
    if (o->has_sack_permitted) {
        lua_pushboolean(L, 1);
        lua_setfield(L, -2, "sack_permitted");
    }
    if (o->has_timestamps) {
        lua_pushinteger(L, o->ts_value);
        lua_setfield(L, -2, "ts_value");
        lua_pushinteger(L, o->ts_echo);
        lua_setfield(L, -2, "ts_echo");
    }
    if (o->sack_count > 0) {
        get_sack(L, o);
        lua_setfield(L, -2, "sack");
    }
}

// The integer field of the table on top, 0 to most; false: not there.
static bool take_integer(lua_State *L, const char *key, uint32_t most,
                         uint32_t *out)
{
    int type = lua_getfield(L, -1, key);
    if (type != LUA_TNIL) {
        lua_Integer number = luaL_checkinteger(L, -1);
        if (number < 0 || number > most)
            luaL_error(L, "%s is 0 to %I", key, (lua_Integer)most);
        *out = (uint32_t)number;
    }
    lua_pop(L, 1);
    return type != LUA_TNIL;
}

static void take_sack(lua_State *L, struct tcp_options *o)
{
    if (lua_getfield(L, -1, "sack") == LUA_TTABLE) {
        lua_Unsigned count = lua_rawlen(L, -1);
        if (count > TCP_MAX_SACK_BLOCKS)
            luaL_error(L, "at most %d SACK blocks", TCP_MAX_SACK_BLOCKS);
        o->sack_count = (uint8_t)count;
        for (unsigned i = 0; i < count; i++) {
            lua_rawgeti(L, -1, (lua_Integer)i + 1);
            luaL_checktype(L, -1, LUA_TTABLE);
            lua_rawgeti(L, -1, 1);
            lua_rawgeti(L, -2, 2);
            o->sack[i].start = (uint32_t)luaL_checkinteger(L, -2);
            o->sack[i].end = (uint32_t)luaL_checkinteger(L, -1);
            lua_pop(L, 3);
        }
    }
    lua_pop(L, 1);
}

static size_t emit_options(lua_State *L, int value, uint8_t *bytes)
{
    static const char *const known[] = {"mss",     "sack",     "sack_permitted",
                                        "ts_echo", "ts_value", "window_scale",
                                        NULL};
    struct tcp_options o = {0};
    uint32_t number;
    check_keys(L, value, known);
    lua_pushvalue(L, value);
    if ((o.has_mss = take_integer(L, "mss", 65535, &number)))
        o.mss = (uint16_t)number;
    if ((o.has_window_scale = take_integer(L, "window_scale", 255, &number)))
        o.window_scale = (uint8_t)number;
    o.has_timestamps = take_integer(L, "ts_value", UINT32_MAX, &o.ts_value);
    if (take_integer(L, "ts_echo", UINT32_MAX, &o.ts_echo))
        o.has_timestamps = true;
    o.has_sack_permitted = option_boolean(L, lua_gettop(L), "sack_permitted");
    take_sack(L, &o);
    lua_pop(L, 1);
    return tcp_options_emit(&o, bytes);
}

// Puts bytes of options behind a fixed header and its length where it belongs.
static void replace_options(lua_State *L, int frame, size_t at, size_t old,
                            const uint8_t *bytes, size_t length)
{
    uint8_t padded[TCP_MAX_OPTIONS_SIZE] = {0};
    size_t whole = (length + 3) / 4 * 4;
    if (length > sizeof(padded))
        luaL_error(L, "options take at most %d bytes", TCP_MAX_OPTIONS_SIZE);
    memcpy(padded, bytes, length);
    frame_splice(L, frame, at, old, padded, whole);
}

// A table as get_options gives it, or the bytes themselves.
static void set_options(lua_State *L, int frame, size_t start, int value)
{
    uint8_t made[TCP_MAX_OPTIONS_SIZE];
    const uint8_t *bytes = made;
    size_t length;
    struct frame_object *object = frame_check(L, frame);
    size_t old = (size_t)(object->bytes[start + 12] >> 4) * 4;
    old = old > TCP_HEADER_SIZE ? old - TCP_HEADER_SIZE : 0;
    if (lua_istable(L, value))
        length = emit_options(L, value, made);
    else
        bytes = (const uint8_t *)luaL_checklstring(L, value, &length);
    replace_options(L, frame, start + TCP_HEADER_SIZE, old, bytes, length);
    object->bytes[start + 12] =
        (uint8_t)((object->bytes[start + 12] & 0x0f) |
                  (TCP_HEADER_SIZE + (length + 3) / 4 * 4) / 4 << 4);
}

static void get_options_raw(lua_State *L, int frame, size_t start)
{
    struct frame_object *object = frame_check(L, frame);
    size_t length = (size_t)(object->bytes[start + 12] >> 4) * 4;
    lua_pushlstring(L, (const char *)object->bytes + start + TCP_HEADER_SIZE,
                    length > TCP_HEADER_SIZE ? length - TCP_HEADER_SIZE : 0);
}

static void get_ipv4_options(lua_State *L, int frame, size_t start)
{
    struct frame_object *object = frame_check(L, frame);
    size_t length = (size_t)(object->bytes[start] & 0x0f) * 4;
    lua_pushlstring(L, (const char *)object->bytes + start + IPV4_HEADER_SIZE,
                    length > IPV4_HEADER_SIZE ? length - IPV4_HEADER_SIZE : 0);
}

static void set_ipv4_options(lua_State *L, int frame, size_t start, int value)
{
    size_t length;
    struct frame_object *object = frame_check(L, frame);
    const uint8_t *bytes =
        (const uint8_t *)luaL_checklstring(L, value, &length);
    size_t old = (size_t)(object->bytes[start] & 0x0f) * 4;
    old = old > IPV4_HEADER_SIZE ? old - IPV4_HEADER_SIZE : 0;
    replace_options(L, frame, start + IPV4_HEADER_SIZE, old, bytes, length);
    object->bytes[start] =
        (uint8_t)((object->bytes[start] & 0xf0) |
                  (IPV4_HEADER_SIZE + (length + 3) / 4 * 4) / 4);
}

// --- Tables

static const struct field ethernet_fields[] = {
    ADDRESS("destination", FIELD_MAC, 0, 6),
    ADDRESS("source", FIELD_MAC, 6, 6),
    SPECIAL("type", get_type, set_type),
    SPECIAL("vlan", get_vlan, set_vlan),
    {0},
};
static const struct field arp_fields[] = {
    INT("operation", 6, 2),
    ADDRESS("sender_mac", FIELD_MAC, 8, 6),
    ADDRESS("sender_ip", FIELD_IPV4, 14, 4),
    ADDRESS("target_mac", FIELD_MAC, 18, 6),
    ADDRESS("target_ip", FIELD_IPV4, 24, 4),
    {0},
};
static const struct field ipv4_fields[] = {
    BITS("version", FIELD_INTEGER, 0, 1, 4, 4),
    BITS("header_length", FIELD_FOURS, 0, 1, 0, 4),
    INT("tos", 1, 1),
    BITS("dscp", FIELD_INTEGER, 1, 1, 2, 6),
    BITS("ecn", FIELD_INTEGER, 1, 1, 0, 2),
    GIVEN("total_length", 2, 2, FRAME_FILL_IP_LENGTH),
    INT("id", 4, 2),
    BITS("reserved_flag", FIELD_BOOLEAN, 6, 2, 15, 1),
    BITS("dont_fragment", FIELD_BOOLEAN, 6, 2, 14, 1),
    BITS("more_fragments", FIELD_BOOLEAN, 6, 2, 13, 1),
    BITS("fragment_offset", FIELD_EIGHTS, 6, 2, 0, 13),
    INT("ttl", 8, 1),
    INT("protocol", 9, 1),
    GIVEN("checksum", 10, 2, FRAME_FILL_IP_CHECKSUM),
    ADDRESS("source", FIELD_IPV4, 12, 4),
    ADDRESS("destination", FIELD_IPV4, 16, 4),
    SPECIAL("options", get_ipv4_options, set_ipv4_options),
    {0},
};
// ttl, tos and protocol are what both families call alike in scripts.
static const struct field ipv6_fields[] = {
    BITS("version", FIELD_INTEGER, 0, 4, 28, 4),
    BITS("traffic_class", FIELD_INTEGER, 0, 4, 20, 8),
    BITS("tos", FIELD_INTEGER, 0, 4, 20, 8),
    BITS("dscp", FIELD_INTEGER, 0, 4, 22, 6),
    BITS("ecn", FIELD_INTEGER, 0, 4, 20, 2),
    BITS("flow_label", FIELD_INTEGER, 0, 4, 0, 20),
    GIVEN("payload_length", 4, 2, FRAME_FILL_IP_LENGTH),
    INT("next_header", 6, 1),
    INT("protocol", 6, 1),
    INT("hop_limit", 7, 1),
    INT("ttl", 7, 1),
    ADDRESS("source", FIELD_IPV6, 8, 16),
    ADDRESS("destination", FIELD_IPV6, 24, 16),
    {0},
};
static const struct field fragment_fields[] = {
    INT("next_header", 0, 1),
    BITS("offset", FIELD_EIGHTS, 2, 2, 3, 13),
    BITS("more", FIELD_BOOLEAN, 2, 2, 0, 1),
    INT("id", 4, 4),
    {0},
};
#define ICMP_FIELDS                                                            \
    INT("type", 0, 1), INT("code", 1, 1),                                      \
        GIVEN("checksum", 2, 2, FRAME_FILL_TRANSPORT_CHECKSUM),                \
        INT("rest", 4, 4), INT("id", 4, 2), INT("sequence", 6, 2)
static const struct field icmp_fields[] = {
    ICMP_FIELDS,
    INT("mtu", 6, 2),
    INT("pointer", 4, 1),
    ADDRESS("gateway", FIELD_IPV4, 4, 4),
    {0},
};
static const struct field icmpv6_fields[] = {
    ICMP_FIELDS,
    INT("mtu", 4, 4),
    INT("pointer", 4, 4),
    ADDRESS("target", FIELD_IPV6, 8, 16),
    {0},
};
static const struct field udp_fields[] = {
    INT("source_port", 0, 2),
    INT("destination_port", 2, 2),
    GIVEN("length", 4, 2, FRAME_FILL_UDP_LENGTH),
    GIVEN("checksum", 6, 2, FRAME_FILL_TRANSPORT_CHECKSUM),
    {0},
};
static const struct field tcp_fields[] = {
    INT("source_port", 0, 2),
    INT("destination_port", 2, 2),
    INT("seq", 4, 4),
    INT("ack", 8, 4),
    BITS("header_length", FIELD_FOURS, 12, 1, 4, 4),
    BITS("reserved", FIELD_INTEGER, 12, 1, 0, 4),
    SPECIAL("flags", get_flags, set_flags),
    BITS("is_fin", FIELD_BOOLEAN, 13, 1, 0, 1),
    BITS("is_syn", FIELD_BOOLEAN, 13, 1, 1, 1),
    BITS("is_rst", FIELD_BOOLEAN, 13, 1, 2, 1),
    BITS("is_psh", FIELD_BOOLEAN, 13, 1, 3, 1),
    BITS("is_ack", FIELD_BOOLEAN, 13, 1, 4, 1),
    BITS("is_urg", FIELD_BOOLEAN, 13, 1, 5, 1),
    BITS("is_ece", FIELD_BOOLEAN, 13, 1, 6, 1),
    BITS("is_cwr", FIELD_BOOLEAN, 13, 1, 7, 1),
    INT("window", 14, 2),
    GIVEN("checksum", 16, 2, FRAME_FILL_TRANSPORT_CHECKSUM),
    INT("urgent", 18, 2),
    SPECIAL("options", get_options, set_options),
    SPECIAL("options_raw", get_options_raw, set_options),
    {0},
};

static const struct {
    const char *name;
    const struct field *fields;
} layers[LAYER_COUNT] = {
    [LAYER_ETHERNET] = {"ethernet", ethernet_fields},
    [LAYER_ARP] = {"arp", arp_fields},
    [LAYER_IPV4] = {"ipv4", ipv4_fields},
    [LAYER_IPV6] = {"ipv6", ipv6_fields},
    [LAYER_FRAGMENT] = {"fragment", fragment_fields},
    [LAYER_ICMP] = {"icmp", icmp_fields},
    [LAYER_ICMPV6] = {"icmpv6", icmpv6_fields},
    [LAYER_UDP] = {"udp", udp_fields},
    [LAYER_TCP] = {"tcp", tcp_fields},
};

const char *layer_name(enum frame_layer layer) { return layers[layer].name; }

const struct field *layer_fields(enum frame_layer layer)
{
    return layers[layer].fields;
}
