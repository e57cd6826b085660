// Frames that scripts hold, with their headers.
// SPDX-License-Identifier: MIT
#ifndef LUA_FRAME_OBJECT_H
#define LUA_FRAME_OBJECT_H

#include "lua/internal.h"

struct frame_object {
    uint8_t *bytes; // a userdata of its own, the first user value
    size_t length, capacity;
    bool starts_with_ip;
    bool is_edited; // since it was made of bytes
    bool is_stale;  // lengths and checksums are behind the edits
    bool is_fixed;  // false: lengths and checksums are the script's affair
    bool is_decoded;
    unsigned given; // enum frame_fill: what the script set by hand
    struct frame_fields fields;
};
#define FRAME_TYPE "frame"
struct frame_object *frame_push(lua_State *L, const uint8_t *bytes,
                                size_t length, bool starts_with_ip);
struct frame_object *frame_check(lua_State *L, int index);
// Fills in lengths and checksums after edits; then bytes and length are what
// goes on the wire.
void frame_settle(struct frame_object *frame);
const struct frame_fields *frame_fields_of(struct frame_object *frame);
// Replaces `old` bytes at `at` by `length` others; lengths follow. index: of
// the frame object. Raises errors.
void frame_splice(lua_State *L, int index, size_t at, size_t old,
                  const void *bytes, size_t length);

// --- frame_layer.c
enum frame_layer {
    LAYER_ETHERNET,
    LAYER_ARP,
    LAYER_IPV4,
    LAYER_IPV6,
    LAYER_FRAGMENT,
    LAYER_ICMP,
    LAYER_ICMPV6,
    LAYER_UDP,
    LAYER_TCP,
    LAYER_COUNT
};
const char *layer_name(enum frame_layer layer);
// Pushes an object for the layer of the frame at index, or nil.
void layer_push(lua_State *L, int index, enum frame_layer layer);
// Sets the fields of the table at `table` in that layer of the frame at index.
void layer_apply(lua_State *L, int index, enum frame_layer layer, int table);
void frame_layer_open(lua_State *L);
void frame_build_open(lua_State *L);

#endif
