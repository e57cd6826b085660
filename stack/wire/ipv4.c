// IPv4 headers as bytes.
// SPDX-License-Identifier: MIT
#include "stack/wire/ipv4.h"

#include <errno.h>

#include "stack/wire/bytes.h"
#include "stack/wire/checksum.h"

enum { RESERVED = 0x8000, DONT_FRAGMENT = 0x4000, MORE_FRAGMENTS = 0x2000 };
enum { OFFSET_MASK = 0x1fff };

// OFFSET SIZE MEANING
//      0    1 version 4 (high half), header length in words (low half)
//      1    1 type of service
//      2    2 total length
//      4    2 identification
//      6    2 reserved, DF, MF; fragment offset in units of 8 bytes
//      8    1 time to live
//      9    1 protocol
//     10    2 header checksum
//     12    4 source
//     16    4 destination
//     20 0-40 options
static void decode(const uint8_t *bytes, struct ipv4_header *out)
{
    uint16_t fragment = get_be16(bytes + 6);
    out->header_length = (uint8_t)((bytes[0] & 0x0f) * 4);
    out->tos = bytes[1];
    out->total_length = get_be16(bytes + 2);
    out->id = get_be16(bytes + 4);
    out->reserved_flag = fragment & RESERVED;
    out->dont_fragment = fragment & DONT_FRAGMENT;
    out->more_fragments = fragment & MORE_FRAGMENTS;
    out->fragment_offset = (uint16_t)((fragment & OFFSET_MASK) * 8);
    out->ttl = bytes[8];
    out->protocol = bytes[9];
    out->checksum = get_be16(bytes + 10);
    out->source = ip_addr_from_bytes(IP_V4, bytes + 12);
    out->destination = ip_addr_from_bytes(IP_V4, bytes + 16);
    out->options = bytes + IPV4_HEADER_SIZE;
}

// The header's length, or -EINVAL.
static int check_shape(const uint8_t *bytes, size_t length)
{
    if (length < IPV4_HEADER_SIZE || bytes[0] >> 4 != 4)
        return -EINVAL;
    int header_length = (bytes[0] & 0x0f) * 4;
    if (header_length < IPV4_HEADER_SIZE || (size_t)header_length > length)
        return -EINVAL;
    return get_be16(bytes + 2) < header_length ? -EINVAL : header_length;
}

// Whole words in the machine's order (RFC 1071 2(B)): all ones are all ones in
// any.
static bool checksum_is_good(const uint8_t *bytes, size_t length)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < length; i += 4) {
        uint32_t word;
        memcpy(&word, bytes + i, sizeof word);
        sum += word;
    }
    sum = (sum & UINT32_MAX) + (sum >> 32);
    sum = (sum & UINT16_MAX) + (sum >> 16 & UINT16_MAX) + (sum >> 32);
    sum = (sum & UINT16_MAX) + (sum >> 16);
    return (uint16_t)(sum + (sum >> 16)) == UINT16_MAX;
}

int ipv4_parse(const uint8_t *bytes, size_t length, struct ipv4_header *out)
{
    int header_length = check_shape(bytes, length);
    if (header_length < 0 || get_be16(bytes + 2) > length)
        return -EINVAL;
    if (!checksum_is_good(bytes, (size_t)header_length))
        return -EBADMSG;
    decode(bytes, out);
    return header_length;
}

int ipv4_parse_quoted(const uint8_t *bytes, size_t length,
                      struct ipv4_header *out)
{
    int header_length = check_shape(bytes, length);
    if (header_length > 0)
        decode(bytes, out);
    return header_length;
}

static uint16_t fragment_field(const struct ipv4_header *header)
{
    return (uint16_t)((header->reserved_flag ? RESERVED : 0) |
                      (header->dont_fragment ? DONT_FRAGMENT : 0) |
                      (header->more_fragments ? MORE_FRAGMENTS : 0) |
                      header->fragment_offset / 8);
}

size_t ipv4_emit(const struct ipv4_header *header, uint8_t *bytes)
{
    size_t length =
        header->header_length ? header->header_length : IPV4_HEADER_SIZE;
    bytes[0] = (uint8_t)(4 << 4 | length / 4);
    bytes[1] = header->tos;
    put_be16(bytes + 2, header->total_length);
    put_be16(bytes + 4, header->id);
    put_be16(bytes + 6, fragment_field(header));
    bytes[8] = header->ttl;
    bytes[9] = header->protocol;
    put_be16(bytes + 10, 0);
    memcpy(bytes + 12, header->source.bytes, 4);
    memcpy(bytes + 16, header->destination.bytes, 4);
    size_t options = length - IPV4_HEADER_SIZE;
    if (options > 0 && header->options)
        memmove(bytes + IPV4_HEADER_SIZE, header->options, options);
    else
        memset(bytes + IPV4_HEADER_SIZE, 0, options); // end of options
    put_be16(bytes + 10, checksum_finish(checksum_add(0, bytes, length)));
    return length;
}
