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

#include "lua/bind/frame_field.h"

#define LAYER_TYPE "frame.layer"

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
    for (const struct field *f = layer_fields(layer); f->name != NULL; f++) {
        if (strcmp(f->name, name) == 0)
            return f;
        names[count++] = f->name;
    }
    const char *near = suggest_word(name, names, count);
    luaL_error(L, "the %s header has no field '%s'%s%s%s", layer_name(layer),
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
                          layer_name(layer));
    set_field(L, frame, field, start, 3);
    return 0;
}

void layer_apply(lua_State *L, int index, enum frame_layer layer, int table)
{
    size_t start;
    luaL_checkstack(L, 8, NULL);
    if (!find_layer(frame_check(L, index), layer, &start))
        luaL_error(L, "the %s header has no place in this frame",
                   layer_name(layer));
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
