// The headers of a frame as objects with fields that can be read, written.
// SPDX-License-Identifier: MIT

// Theory of operation
//
// A field is a row: where it stands in its header, how wide it is, what it
// means. Reading and writing go straight to the frame's bytes by that row, so
// that a script sees and makes what is on the wire, nonsense included. Writing
// a length or a checksum marks it as given: it is then not filled in again when
// the frame leaves. What changes a header's length (options, a VLAN tag) is
// written by a function of its own.

#include <string.h>

#include "lua/internal.h"
#include "stack/wire/bytes.h"

#define LAYER_TYPE "frame.layer"

enum field_kind {
    FIELD_INTEGER,
    FIELD_BOOLEAN,
    FIELD_EIGHTS, // an offset in units of 8 bytes, shown in bytes
    FIELD_FOURS,  // a length in units of 4 bytes, shown in bytes
    FIELD_MAC,
    FIELD_IPV4,
    FIELD_IPV6,
    FIELD_SPECIAL // has functions
};

struct field {
    const char *name;
    enum field_kind kind;
    uint8_t offset; // in the header
    uint8_t width;  // bytes of the big-endian word that holds it
    uint8_t shift, bits;
    uint8_t given; // enum frame_fill that writing it turns off
    void (*get)(lua_State *L, int frame, size_t start);
    void (*set)(lua_State *L, int frame, size_t start, int value);
};

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

// --- Finding the header

// Where the fragment header of an IPv6 packet is: decoding says only what is in
// it. Extension headers before it are walked again.
static size_t fragment_start(const struct frame_object *frame,
                             const struct frame_fields *f)
{
    size_t at = f->network_offset + IPV6_HEADER_SIZE;
    uint8_t next = f->ipv6.next_header;
    while (next != IPV6_FRAGMENT && at < frame->length) {
        int n = ipv6_extension_length(frame->bytes + at, frame->length - at);
        if (n <= 0)
            break;
        next = frame->bytes[at];
        at += (size_t)n;
    }
    return at;
}

static bool find_layer(struct frame_object *frame, enum frame_layer layer,
                       size_t *start)
{
    const struct frame_fields *f = frame_fields_of(frame);
    *start = f->transport_offset;
    switch (layer) {
    case LAYER_ETHERNET:
        *start = 0;
        return f->has_ethernet;
    case LAYER_ARP:
        *start = f->network_offset;
        return f->has_arp;
    case LAYER_IPV4:
        *start = f->network_offset;
        return f->has_ipv4;
    case LAYER_IPV6:
        *start = f->network_offset;
        return f->has_ipv6;
    case LAYER_FRAGMENT:
        *start = f->has_ipv6 ? fragment_start(frame, f) : 0;
        return f->has_ipv6 && f->has_fragment;
    case LAYER_ICMP:
        return f->has_icmp;
    case LAYER_ICMPV6:
        return f->has_icmpv6;
    case LAYER_UDP:
        return f->has_udp;
    default:
        return f->has_tcp;
    }
}

// --- Reading and writing by row

static uint32_t read_word(const uint8_t *p, unsigned width)
{
    uint32_t word = 0;
    for (unsigned i = 0; i < width; i++)
        word = word << 8 | p[i];
    return word;
}

static void write_word(uint8_t *p, unsigned width, uint32_t word)
{
    for (unsigned i = width; i-- > 0; word >>= 8)
        p[i] = (uint8_t)word;
}

static uint32_t mask_of(const struct field *field)
{
    return field->bits == 32 ? UINT32_MAX : (UINT32_C(1) << field->bits) - 1;
}

static unsigned unit_of(const struct field *field)
{
    if (field->kind == FIELD_EIGHTS)
        return 8;
    return field->kind == FIELD_FOURS ? 4 : 1;
}

static void get_field(lua_State *L, int index, const struct field *field,
                      size_t start)
{
    const struct frame_object *frame = frame_check(L, index);
    const uint8_t *p = frame->bytes + start + field->offset;
    char text[IP_ADDR_TEXT_SIZE];
    struct mac_addr mac;
    if (field->kind == FIELD_SPECIAL) {
        field->get(L, index, start);
        return;
    }
    if (start + field->offset + field->width > frame->length) {
        lua_pushnil(L);
        return;
    }
    switch (field->kind) {
    case FIELD_MAC:
        memcpy(mac.bytes, p, 6);
        lua_pushstring(L, mac_addr_format(&mac, text));
        return;
    case FIELD_IPV4:
    case FIELD_IPV6: {
        struct ip_addr address =
            ip_addr_from_bytes(field->kind == FIELD_IPV4 ? IP_V4 : IP_V6, p);
        lua_pushstring(L, ip_addr_format(&address, text));
        return;
    }
    default:
        break;
    }
    uint32_t word = read_word(p, field->width) >> field->shift & mask_of(field);
    if (field->kind == FIELD_BOOLEAN)
        lua_pushboolean(L, word != 0);
    else
        lua_pushinteger(L, (lua_Integer)word * unit_of(field));
}

static void set_address(lua_State *L, const struct field *field, uint8_t *p,
                        int value)
{
    if (field->kind == FIELD_MAC) {
        struct mac_addr mac;
        if (mac_addr_parse(luaL_checkstring(L, value), &mac) < 0)
            luaL_error(L, "%s: '%s' is no hardware address", field->name,
                       lua_tostring(L, value));
        memcpy(p, mac.bytes, 6);
        return;
    }
    struct ip_addr address =
        check_address(L, value, field->kind == FIELD_IPV4 ? IP_V4 : IP_V6);
    memcpy(p, address.bytes, field->width);
}

static uint32_t check_field_number(lua_State *L, const struct field *field,
                                   int value)
{
    if (field->kind == FIELD_BOOLEAN)
        return lua_toboolean(L, value);
    lua_Integer unit = unit_of(field), most = mask_of(field);
    int is_integer;
    lua_Integer number = lua_tointegerx(L, value, &is_integer);
    if (!is_integer || number < 0 || number > most * unit || number % unit != 0)
        luaL_error(
            L, "%s: expected 0 to %I%s, not %s", field->name, most * unit,
            unit > 1 ? (unit == 8 ? ", a multiple of 8" : ", a multiple of 4")
                     : "",
            name_tostring(L, value, NULL));
    return (uint32_t)(number / unit);
}

static void set_field(lua_State *L, int index, const struct field *field,
                      size_t start, int value)
{
    struct frame_object *frame = frame_check(L, index);
    frame->is_edited = frame->is_stale = true;
    frame->given |= field->given;
    if (field->kind == FIELD_SPECIAL) {
        field->set(L, index, start, value);
        frame->is_decoded = false;
        return;
    }
    if (start + field->offset + field->width > frame->length)
        luaL_error(L, "%s: the frame is too short for it", field->name);
    uint8_t *p = frame->bytes + start + field->offset;
    frame->is_decoded = false;
    if (field->kind == FIELD_MAC || field->kind == FIELD_IPV4 ||
        field->kind == FIELD_IPV6) {
        set_address(L, field, p, value);
        return;
    }
    uint32_t number = check_field_number(L, field, value);
    uint32_t mask = mask_of(field) << field->shift;
    uint32_t word = read_word(p, field->width);
    write_word(p, field->width,
               (word & ~mask) | (number << field->shift & mask));
}

// --- Objects

static const struct field *find_field(lua_State *L, enum frame_layer layer,
                                      int key)
{
    const char *names[32];
    size_t count = 0;
    const char *name = luaL_checkstring(L, key);
    for (const struct field *f = layers[layer].fields; f->name != NULL; f++) {
        if (strcmp(f->name, name) == 0)
            return f;
        names[count++] = f->name;
    }
    const char *near = suggest_word(name, names, count);
    luaL_error(L, "the %s header has no field '%s'%s%s%s", layers[layer].name,
               name, near != NULL ? "; did you mean '" : "",
               near != NULL ? near : "", near != NULL ? "'?" : "");
    return NULL;
}

// The layer of the object at 1; its frame is pushed.
static enum frame_layer check_layer(lua_State *L)
{
    const enum frame_layer *layer = luaL_checkudata(L, 1, LAYER_TYPE);
    lua_getiuservalue(L, 1, 1);
    return *layer;
}

static int layer_index(lua_State *L)
{
    size_t start;
    enum frame_layer layer = check_layer(L);
    int frame = lua_gettop(L);
    const struct field *field = find_field(L, layer, 2);
    frame_settle(frame_check(L, frame));
    if (!find_layer(frame_check(L, frame), layer, &start))
        lua_pushnil(L);
    else
        get_field(L, frame, field, start);
    return 1;
}

static int layer_newindex(lua_State *L)
{
    size_t start;
    enum frame_layer layer = check_layer(L);
    int frame = lua_gettop(L);
    const struct field *field = find_field(L, layer, 2);
    if (!find_layer(frame_check(L, frame), layer, &start))
        return luaL_error(L, "the frame has no %s header any more",
                          layers[layer].name);
    set_field(L, frame, field, start, 3);
    return 0;
}

void layer_apply(lua_State *L, int index, enum frame_layer layer, int table)
{
    size_t start;
    luaL_checkstack(L, 8, NULL);
    if (!find_layer(frame_check(L, index), layer, &start))
        luaL_error(L, "the %s header has no place in this frame",
                   layers[layer].name);
    lua_Integer count = order_push_keys(L, table);
    int keys = lua_gettop(L);
    for (lua_Integer i = 1; i <= count; i++) {
        lua_rawgeti(L, keys, i);
        const struct field *field = find_field(L, layer, -1);
        lua_rawget(L, table);
        set_field(L, index, field, start, lua_gettop(L));
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

void layer_push(lua_State *L, int index, enum frame_layer layer)
{
    size_t start;
    if (!find_layer(frame_check(L, index), layer, &start)) {
        lua_pushnil(L);
        return;
    }
    enum frame_layer *object = lua_newuserdatauv(L, sizeof(*object), 1);
    *object = layer;
    lua_pushvalue(L, index);
    lua_setiuservalue(L, -2, 1);
    luaL_setmetatable(L, LAYER_TYPE);
}

void frame_layer_open(lua_State *L)
{
    static const luaL_Reg metamethods[] = {
        {"__index", layer_index},
        {"__newindex", layer_newindex},
        {NULL, NULL},
    };
    object_type(L, LAYER_TYPE, NULL, metamethods);
}
