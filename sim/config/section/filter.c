// Checks pcap filter expressions, which must mean the same on every machine.
// SPDX-License-Identifier: MIT
#include <ctype.h>
#include <pcap/pcap.h>
#include <string.h>

#include "sim/config/spec.h"

// Theory of operation
//
// libpcap takes a word that it does not know for the name of a host and asks
// the system's resolver: the file would mean something else elsewhere, and a
// check would wait for a name server. So words are looked at first, and one
// that is not of pcap-filter(7) is a mistake. What follows port, portrange and
// proto may be a name; those come from files that hardly differ.

#define FILTER_LONGEST 4096

static const char *const words[] = {
    "dst",       "src",       "host",      "net",        "mask",
    "port",      "portrange", "ether",     "arp",        "rarp",
    "ip",        "ip6",       "proto",     "protochain", "less",
    "greater",   "broadcast", "multicast", "and",        "or",
    "not",       "tcp",       "udp",       "sctp",       "icmp",
    "icmp6",     "igmp",      "igrp",      "pim",        "vrrp",
    "carp",      "ah",        "esp",       "len",        "inbound",
    "outbound",  "vlan",      "mpls",      "pppoed",     "pppoes",
    "geneve",    "llc",       "link",      "stp",        "ipx",
    "iso",       "byte",      "tcpflags",  "icmptype",   "icmpcode",
    "icmp6type", "icmp6code", "ppp",       "gateway",
};

static bool begins(const char *word, const char *prefix)
{
    return strncmp(word, prefix, strlen(prefix)) == 0;
}

static bool is_hexadecimal(const char *word)
{
    return word[strspn(word, "0123456789abcdefABCDEF:.-")] == '\0' &&
           strpbrk(word, ":.-0123456789");
}

static bool is_known(const char *word)
{
    for (size_t i = 0; i < ARRAY_LENGTH(words); i++)
        if (strcmp(words[i], word) == 0)
            return true;
    return begins(word, "tcp-") || begins(word, "icmp-") ||
           begins(word, "icmp6-") || isdigit((unsigned char)*word) ||
           is_hexadecimal(word);
}

// Names of ports and protocols.
static bool takes_name(const char *word)
{
    return strcmp(word, "port") == 0 || strcmp(word, "portrange") == 0 ||
           strcmp(word, "proto") == 0 || strcmp(word, "protochain") == 0;
}

static const char *find_unknown(struct document *document, const char *text)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
                                  "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.:";
    const char *before = "";
    while (*text) {
        size_t length = strspn(text, letters);
        if (length == 0) {
            text++;
            continue;
        }
        const char *word = document_format(document, "%.*s", (int)length, text);
        // Between brackets a colon only separates numbers.
        if (!is_known(word) && !takes_name(before))
            return word;
        before = word;
        text += length;
    }
    return NULL;
}

static bool compiles(struct scenario *s, const struct value *value,
                     const char *name, bool is_point_to_point)
{
    struct bpf_program program;
    pcap_t *pcap =
        pcap_open_dead(is_point_to_point ? DLT_RAW : DLT_EN10MB, 65535);
    bool is_good = pcap && pcap_compile(pcap, &program, value->text, 1,
                                        PCAP_NETMASK_UNKNOWN) == 0;
    if (is_good)
        pcap_freecode(&program);
    else
        diagnostics_add(s->diagnostics, value->place,
                        "%s: '%s' is not a pcap filter: %s", name, value->text,
                        pcap ? pcap_geterr(pcap) : "no memory is left");
    if (pcap)
        pcap_close(pcap);
    return is_good;
}

bool check_filter(struct scenario *s, const struct value *value,
                  const char *name, bool is_point_to_point)
{
    const char *text;
    if (!schema_read_text(value, name, &text, s->diagnostics))
        return false;
    if (strlen(text) > FILTER_LONGEST) {
        diagnostics_add(s->diagnostics, value->place,
                        "%s: longer than %d characters", name, FILTER_LONGEST);
        return false;
    }
    const char *word = find_unknown(s->document, text);
    if (!word)
        return compiles(s, value, name, is_point_to_point);
    diagnostics_add(
        s->diagnostics, value->place,
        "%s: '%s' is no word of pcap-filter(7)%s%s", name, word,
        find_node(s, word) ? "; names are not looked up, write the address"
                           : "",
        schema_hint(s->document, word, words, ARRAY_LENGTH(words), NULL));
    return false;
}
