// Numbers of ICMP messages by their words.
// SPDX-License-Identifier: MIT

#include "sim/packetdrill/packets/icmp_names.h"

#include "stack/wire/address.h"
#include "stack/wire/icmp.h"

#include <stdlib.h>
#include <string.h>

struct name {
    uint8_t type, number; // codes: of this type
    const char *word;
};

static const struct name types4[] = {
    {0, 0, "echo_reply"},          {0, 3, "unreachable"},
    {0, 4, "source_quench"},       {0, 5, "redirect"},
    {0, 8, "echo_request"},        {0, 11, "time_exceeded"},
    {0, 12, "parameter_problem"},  {0, 13, "timestamp_request"},
    {0, 14, "timestamp_reply"},    {0, 15, "information_request"},
    {0, 16, "information_reply"},  {0, 17, "address_mask_request"},
    {0, 18, "address_mask_reply"},
};

static const struct name codes4[] = {
    {ICMP4_UNREACHABLE, 0, "net_unreachable"},
    {ICMP4_UNREACHABLE, 1, "host_unreachable"},
    {ICMP4_UNREACHABLE, 2, "protocol_unreachable"},
    {ICMP4_UNREACHABLE, 3, "port_unreachable"},
    {ICMP4_UNREACHABLE, 4, "frag_needed"},
    {ICMP4_UNREACHABLE, 5, "source_route_failed"},
    {ICMP4_UNREACHABLE, 6, "net_unknown"},
    {ICMP4_UNREACHABLE, 7, "host_unknown"},
    {ICMP4_UNREACHABLE, 8, "source_host_isolated"},
    {ICMP4_UNREACHABLE, 9, "net_prohibited"},
    {ICMP4_UNREACHABLE, 10, "host_prohibited"},
    {ICMP4_UNREACHABLE, 11, "net_unreachable_for_tos"},
    {ICMP4_UNREACHABLE, 12, "host_unreachable_for_tos"},
    {ICMP4_UNREACHABLE, 13, "packet_filtered"},
    {ICMP4_UNREACHABLE, 14, "precedence_violation"},
    {ICMP4_UNREACHABLE, 15, "precedence_cutoff"},
    {ICMP4_TIME_EXCEEDED, 0, "ttl_exceeded_in_transit"},
    {ICMP4_TIME_EXCEEDED, 1, "fragment_reassembly_time_exceeded"},
};

static const struct name types6[] = {
    {0, 1, "unreachable"},    {0, 2, "packet_too_big"},
    {0, 3, "time_exceeded"},  {0, 4, "parameter_problem"},
    {0, 128, "echo_request"}, {0, 129, "echo_reply"},
};

static const struct name codes6[] = {
    {ICMP6_UNREACHABLE, 0, "no_route"},
    {ICMP6_UNREACHABLE, 0, "net_unreachable"},
    {ICMP6_UNREACHABLE, 1, "admin_prohibited"},
    {ICMP6_UNREACHABLE, 2, "not_neighbour"},
    {ICMP6_UNREACHABLE, 3, "address_unreachable"},
    {ICMP6_UNREACHABLE, 3, "host_unreachable"},
    {ICMP6_UNREACHABLE, 4, "port_unreachable"},
    {ICMP6_TIME_EXCEEDED, 0, "exceeded_hop_limit"},
    {ICMP6_TIME_EXCEEDED, 1, "exceeded_reassembly_time"},
    {ICMP6_PARAMETER_PROBLEM, 0, "erroneous_header_field"},
    {ICMP6_PARAMETER_PROBLEM, 1, "unknown_next_header"},
    {ICMP6_PARAMETER_PROBLEM, 2, "unknown_option"},
};

static bool find(const struct name *names, size_t count, uint8_t type,
                 const char *word, const char *prefix, uint8_t *out)
{
    size_t length = strlen(prefix);

    if (strncmp(word, prefix, length) == 0) {
        char *end;
        long value = strtol(word + length, &end, 10);

        if (end != word + length && *end == '\0' && value >= 0 &&
            value <= 255) {
            *out = (uint8_t)value;
            return true;
        }
    }
    for (size_t i = 0; i < count; i++)
        if (names[i].type == type && strcmp(names[i].word, word) == 0) {
            *out = names[i].number;
            return true;
        }
    return false;
}

bool icmp_type_find(uint8_t family, const char *name, uint8_t *type)
{
    return family == IP_V4
               ? find(types4, ARRAY_LENGTH(types4), 0, name, "type_", type)
               : find(types6, ARRAY_LENGTH(types6), 0, name, "type_", type);
}

bool icmp_code_find(uint8_t family, uint8_t type, const char *name,
                    uint8_t *code)
{
    if (name == NULL) {
        *code = 0;
        return true;
    }
    return family == IP_V4
               ? find(codes4, ARRAY_LENGTH(codes4), type, name, "code_", code)
               : find(codes6, ARRAY_LENGTH(codes6), type, name, "code_", code);
}
