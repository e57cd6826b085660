// The fields of headers as rows of tables.
// SPDX-License-Identifier: MIT
#ifndef LUA_FRAME_FIELD_H
#define LUA_FRAME_FIELD_H

#include "lua/bind/frame_object.h"

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

// The rows of a header, ended by one without a name.
const struct field *layer_fields(enum frame_layer layer);

#endif
