// Frames as scripts see them: bytes with a face of fields.
// SPDX-License-Identifier: MIT

#include <string.h>

#include "lua/bind/frame_object.h"

enum { SPARE = 64 };

// --- The object

struct frame_object *frame_push(lua_State *L, const uint8_t *bytes,
                                size_t length, bool starts_with_ip)
{
    struct frame_object *frame = lua_newuserdatauv(L, sizeof(*frame), 1);
    memset(frame, 0, sizeof(*frame));
    frame->bytes = lua_newuserdatauv(L, length + SPARE, 0);
    lua_setiuservalue(L, -2, 1);
    frame->capacity = length + SPARE;
    frame->length = length;
    frame->starts_with_ip = starts_with_ip;
    frame->is_fixed = true;
    if (length > 0 && bytes != NULL)
        memcpy(frame->bytes, bytes, length);
    luaL_setmetatable(L, FRAME_TYPE);
    return frame;
}

struct frame_object *frame_check(lua_State *L, int index)
{
    return luaL_checkudata(L, index, FRAME_TYPE);
}

const struct frame_fields *frame_fields_of(struct frame_object *frame)
{
    if (!frame->is_decoded)
        frame_decode(frame->bytes, frame->length, frame->starts_with_ip,
                     &frame->fields);
    frame->is_decoded = true;
    return &frame->fields;
}

void frame_settle(struct frame_object *frame)
{
    enum { CHECKSUMS = FRAME_FILL_IP_CHECKSUM | FRAME_FILL_TRANSPORT_CHECKSUM };
    if (!frame->is_stale || !frame->is_fixed)
        return;
    frame->is_stale = false;
    frame_fill(frame->bytes, frame->length, frame->starts_with_ip,
               CHECKSUMS & ~frame->given);
    frame->is_decoded = false;
}

static void reserve(lua_State *L, int index, struct frame_object *frame,
                    size_t size)
{
    if (size > PACKET_MAX_SIZE - SPARE)
        luaL_error(L, "a frame is at most %d bytes long",
                   PACKET_MAX_SIZE - SPARE);
    if (size <= frame->capacity)
        return;
    index = lua_absindex(L, index);
    uint8_t *bytes = lua_newuserdatauv(L, size + SPARE, 0);
    memcpy(bytes, frame->bytes, frame->length);
    frame->bytes = bytes;
    frame->capacity = size + SPARE;
    lua_setiuservalue(L, index, 1);
}

// Padding behind the IP packet goes first, so that lengths can be told from the
// end of the bytes.
void frame_splice(lua_State *L, int index, size_t at, size_t old,
                  const void *bytes, size_t length)
{
    enum { LENGTHS = FRAME_FILL_IP_LENGTH | FRAME_FILL_UDP_LENGTH };
    struct frame_object *frame = frame_check(L, index);
    size_t end = frame_fields_of(frame)->ip_end;
    if (end != 0)
        frame->length = end;
    if (at > frame->length || old > frame->length - at)
        luaL_error(L, "the frame is too short for this");
    reserve(L, index, frame, frame->length - old + length);
    memmove(frame->bytes + at + length, frame->bytes + at + old,
            frame->length - at - old);
    if (length > 0)
        memcpy(frame->bytes + at, bytes, length);
    frame->length = frame->length - old + length;
    frame->is_edited = frame->is_stale = true;
    frame->is_decoded = false;
    if (frame->is_fixed)
        frame_fill(frame->bytes, frame->length, frame->starts_with_ip,
                   LENGTHS & ~frame->given);
}

// --- Properties

static int get_bytes(lua_State *L, struct frame_object *frame)
{
    frame_settle(frame);
    lua_pushlstring(L, (const char *)frame->bytes, frame->length);
    return 1;
}

static int get_payload(lua_State *L, struct frame_object *frame)
{
    const struct frame_fields *f = frame_fields_of(frame);
    lua_pushlstring(L, (const char *)frame->bytes + f->payload_offset,
                    f->payload_length);
    return 1;
}

static int get_ip(lua_State *L, struct frame_object *frame)
{
    layer_push(L, 1,
               frame_fields_of(frame)->has_ipv6 ? LAYER_IPV6 : LAYER_IPV4);
    return 1;
}

static int get_length(lua_State *L, struct frame_object *frame)
{
    lua_pushinteger(L, (lua_Integer)frame->length);
    return 1;
}

static int get_fix(lua_State *L, struct frame_object *frame)
{
    lua_pushboolean(L, frame->is_fixed);
    return 1;
}

static int get_ip_good(lua_State *L, struct frame_object *frame)
{
    frame_settle(frame);
    lua_pushboolean(L, frame_fields_of(frame)->ip_checksum_good);
    return 1;
}

static int get_transport_good(lua_State *L, struct frame_object *frame)
{
    frame_settle(frame);
    lua_pushboolean(L, frame_fields_of(frame)->transport_checksum_good);
    return 1;
}

static int get_truncated(lua_State *L, struct frame_object *frame)
{
    lua_pushboolean(L, frame_fields_of(frame)->is_truncated);
    return 1;
}

static int get_is_fragment(lua_State *L, struct frame_object *frame)
{
    lua_pushboolean(L, frame_fields_of(frame)->has_fragment);
    return 1;
}

static const struct {
    const char *name;
    int (*get)(lua_State *L, struct frame_object *frame);
} properties[] = {
    {"bytes", get_bytes},
    {"payload", get_payload},
    {"ip", get_ip},
    {"length", get_length},
    {"fix", get_fix},
    {"ip_checksum_good", get_ip_good},
    {"transport_checksum_good", get_transport_good},
    {"is_truncated", get_truncated},
    {"is_fragment", get_is_fragment},
};

static int frame_index(lua_State *L)
{
    struct frame_object *frame = frame_check(L, 1);
    const char *name = luaL_checkstring(L, 2);
    for (int i = 0; i < LAYER_COUNT; i++)
        if (strcmp(name, layer_name((enum frame_layer)i)) == 0) {
            layer_push(L, 1, (enum frame_layer)i);
            return 1;
        }
    for (size_t i = 0; i < ARRAY_LENGTH(properties); i++)
        if (strcmp(name, properties[i].name) == 0)
            return properties[i].get(L, frame);
    lua_pushvalue(L, 2);
    if (lua_rawget(L, lua_upvalueindex(1)) == LUA_TNIL)
        return luaL_error(L, "a frame has no field or method '%s'", name);
    return 1;
}

static int frame_newindex(lua_State *L)
{
    size_t length;
    struct frame_object *frame = frame_check(L, 1);
    const char *name = luaL_checkstring(L, 2);
    if (strcmp(name, "payload") == 0) {
        const char *bytes = luaL_checklstring(L, 3, &length);
        const struct frame_fields *f = frame_fields_of(frame);
        frame_splice(L, 1, f->payload_offset, f->payload_length, bytes, length);
    } else if (strcmp(name, "bytes") == 0) {
        const char *bytes = luaL_checklstring(L, 3, &length);
        reserve(L, 1, frame, length);
        memcpy(frame->bytes, bytes, length);
        frame->length = length;
        frame->given = FRAME_FILL_ALL; // whoever gives bytes means them
        frame->is_edited = frame->is_stale = true;
        frame->is_decoded = false;
    } else if (strcmp(name, "fix") == 0) {
        frame->is_fixed = lua_toboolean(L, 3);
    } else {
        return luaL_error(L,
                          "'%s' of a frame cannot be set; its headers' "
                          "fields, payload, bytes and fix can",
                          name);
    }
    return 0;
}

// --- Methods

static int frame_copy(lua_State *L)
{
    struct frame_object *from = frame_check(L, 1);
    struct frame_object *to =
        frame_push(L, from->bytes, from->length, from->starts_with_ip);
    to->is_edited = from->is_edited;
    to->is_stale = from->is_stale;
    to->is_fixed = from->is_fixed;
    to->given = from->given;
    return 1;
}

static int frame_tostring(lua_State *L)
{
    char text[512];
    struct frame_object *frame = frame_check(L, 1);
    frame_settle(frame);
    lua_pushstring(L,
                   frame_describe(frame->bytes, frame->length,
                                  frame->starts_with_ip, text, sizeof(text)));
    return 1;
}

void bind_frame_open(lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"copy", frame_copy},
        {"describe", frame_tostring},
        {NULL, NULL},
    };
    static const luaL_Reg metamethods[] = {
        {"__newindex", frame_newindex},
        {"__tostring", frame_tostring},
        {NULL, NULL},
    };
    object_type(L, FRAME_TYPE, NULL, metamethods);
    luaL_getmetatable(L, FRAME_TYPE);
    luaL_newlib(L, methods);
    lua_pushcclosure(L, frame_index, 1);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
    frame_layer_open(L);
    frame_build_open(L);
}
