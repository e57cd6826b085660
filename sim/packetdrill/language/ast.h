// What a packetdrill script says, as the parser hands it to the runner.
// SPDX-License-Identifier: MIT
#ifndef PACKETDRILL_AST_H
#define PACKETDRILL_AST_H

#include "stack/base.h"
#include "stack/wire/tcp.h"

// Everything below lives in the script's arena and ends with it. Texts are
// NUL-terminated. Lines count from 1.

enum { PACKETDRILL_ANY_TIME = -1 };

enum script_time_kind {
    SCRIPT_TIME_ABSOLUTE, // from the start of the script
    SCRIPT_TIME_RELATIVE, // from the event before
    SCRIPT_TIME_ANY,      // *
};

struct script_time {
    enum script_time_kind kind;
    ns_t start;
    ns_t latest;   // of T~T2; -1: no range
    ns_t call_end; // of T...T2 for a blocking call; -1: does not block
};

// --- Packets

enum script_option_kind {
    SCRIPT_OPTION_EOL,
    SCRIPT_OPTION_NOP,
    SCRIPT_OPTION_MSS,
    SCRIPT_OPTION_WSCALE,
    SCRIPT_OPTION_SACK_OK,
    SCRIPT_OPTION_SACK,
    SCRIPT_OPTION_TIMESTAMP,
    SCRIPT_OPTION_FAST_OPEN,
    SCRIPT_OPTION_FAST_OPEN_EXP,
    SCRIPT_OPTION_OTHER, // seen on the wire only
};

struct script_option {
    enum script_option_kind kind;
    uint32_t value; // MSS, shift, TS val, or the kind of SCRIPT_OPTION_OTHER
    uint32_t echo;  // TS ecr
    uint8_t count;  // SACK blocks, or bytes of a cookie
    struct tcp_sack_block sack[TCP_MAX_SACK_BLOCKS];
    uint8_t cookie[TCP_MAX_COOKIE_SIZE];
};

enum { SCRIPT_MAX_OPTIONS = 40 }; // as many as one-byte options fit

struct script_options {
    bool is_any; // <...>
    uint8_t count;
    struct script_option list[SCRIPT_MAX_OPTIONS];
};

enum script_ecn {
    SCRIPT_ECN_ANY,
    SCRIPT_ECN_NONE,
    SCRIPT_ECN_ECT0,
    SCRIPT_ECN_ECT1,
    SCRIPT_ECN_CE,
};

struct script_sequence {
    uint32_t start, end, length;
};

struct script_tcp {
    uint8_t flags; // TCP_FIN ... TCP_CWR
    bool has_any_sequence, is_absolute, has_ack, has_window, has_urgent;
    struct script_sequence sequence;
    uint32_t ack;
    uint16_t window, urgent;
    struct script_options options;
};

struct script_icmp {
    const char *type, *code; // words; code NULL: none given
    uint32_t mtu;
    bool has_quotation;
    struct script_sequence quotation;
};

struct script_packet {
    bool is_inbound, is_icmp;
    int ttl, tos; // -1: not given
    enum script_ecn ecn;
    struct script_tcp tcp;
    struct script_icmp icmp;
};

// --- System calls

enum script_value_kind {
    SCRIPT_VALUE_ELLIPSIS,
    SCRIPT_VALUE_INTEGER,
    SCRIPT_VALUE_STRING,
    SCRIPT_VALUE_LIST,   // [a, b]
    SCRIPT_VALUE_STRUCT, // {name=a, b}
    SCRIPT_VALUE_CALL,   // name(a, b)
    SCRIPT_VALUE_UNKNOWN // a word without a value
};

struct script_value {
    enum script_value_kind kind;
    int64_t integer;
    const char *text;  // the string, the unknown word, the called name; or how
                       // an integer was written
    const char *field; // name inside a struct; NULL
    struct script_value *items, *next;
};

struct script_call {
    const char *name;
    struct script_value *arguments;
    bool has_any_result; // = ?
    int64_t result;
    const char *error; // name of the errno; NULL: none given
};

// --- Events

enum script_event_kind {
    SCRIPT_PACKET,
    SCRIPT_CALL,
    SCRIPT_SHELL, // text
    SCRIPT_CODE,  // text
};

struct script_event {
    enum script_event_kind kind;
    int line;
    struct script_time time;
    struct script_packet *packet;
    struct script_call *call;
    const char *text;
    struct script_event *next;
};

struct script_setting { // --name=value
    const char *name, *value;
    int line;
    struct script_setting *next;
};

struct script {
    const char *path;
    struct script_setting *settings;
    struct script_event *events; // the leading and the last shell lines too
    size_t event_count;
    struct script_chunk *chunks; // the arena
};

// A word defined from outside; value may be empty.
struct script_define {
    const char *name, *value;
};

enum script_outcome {
    SCRIPT_PARSED,
    SCRIPT_MISTAKEN,    // not the language
    SCRIPT_UNSUPPORTED, // the language, but a part that this runner leaves out
};

struct script_error {
    int line;
    char message[200];
};

// Reads a script from text. On any other outcome than SCRIPT_PARSED *error says
// why and *script is empty; script_fini is due in every case. path is copied.
enum script_outcome script_parse(const char *path, const char *text,
                                 const struct script_define *defines,
                                 size_t define_count, struct script *script,
                                 struct script_error *error);
void script_fini(struct script *script);
// Zeroed memory that lives as long as the script.
void *script_alloc(struct script *script, size_t size);

#endif
