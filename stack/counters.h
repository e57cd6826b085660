// Names of everything a stack counts, reasons for drops included.
// SPDX-License-Identifier: MIT
#ifndef STACK_COUNTERS_H
#define STACK_COUNTERS_H

// X(identifier, "report name", "what it means")
// A drop is one packet that ended here and why. Every packet a stack receives
// or creates ends as delivered, transmitted or one of these.
// clang-format off
#define STACK_DROPS(X)                                                                             \
    X(LINK_TOO_SHORT, "link-too-short", "frame shorter than its link header")                      \
    X(LINK_NOT_FOR_US, "link-not-for-us", "unicast to another hardware address")                   \
    X(LINK_UNKNOWN_TYPE, "link-unknown-type", "no network protocol for this EtherType")            \
    X(IFACE_DOWN, "iface-down", "interface is down")                                               \
    X(NO_BUFFER, "no-buffer", "packet pool or budget exhausted")                                   \
    X(ARP_BAD, "arp-bad", "malformed or impossible ARP packet")                                    \
    X(NEIGHBOUR_QUEUE_FULL, "neighbour-queue-full", "too many packets wait for one neighbour")     \
    X(NEIGHBOUR_TABLE_FULL, "neighbour-table-full", "no room for another neighbour")               \
    X(NEIGHBOUR_FAILED, "neighbour-failed", "address resolution got no answer")                    \
    X(IP_BAD_HEADER, "ip-bad-header", "cut short or impossible IP header")                         \
    X(IP_BAD_CHECKSUM, "ip-bad-checksum", "wrong IPv4 header checksum")                            \
    X(IP_BAD_SOURCE, "ip-bad-source", "source address that no host may use")                       \
    X(IP_BAD_DESTINATION, "ip-bad-destination", "destination that may not arrive this way")        \
    X(IP_NOT_LOCAL, "ip-not-local", "not our address, and we do not forward")                      \
    X(IP_NOT_OUR_GROUP, "ip-not-our-group", "multicast to a group that was not joined")            \
    X(IP_NO_ROUTE, "ip-no-route", "no route to the destination")                                   \
    X(IP_TTL_EXCEEDED, "ip-ttl-exceeded", "TTL or hop limit reached zero")                         \
    X(IP_TOO_BIG, "ip-too-big", "larger than the next MTU and not to be fragmented")               \
    X(IP_UNKNOWN_PROTOCOL, "ip-unknown-protocol", "no transport for this protocol number")         \
    X(IP_BAD_OPTION, "ip-bad-option", "option or extension header that must not be skipped")       \
    X(IP_EXTENSION_LIMIT, "ip-extension-limit", "more extension headers than we walk")             \
    X(IP_LINK_BROADCAST, "ip-link-broadcast", "unicast IP packet in a broadcast frame")            \
    X(FRAGMENT_BAD, "fragment-bad", "impossible offset or length")                                 \
    X(FRAGMENT_OVERLAP, "fragment-overlap", "overlaps another fragment (RFC 5722)")                \
    X(FRAGMENT_DUPLICATE, "fragment-duplicate", "the same fragment again")                         \
    X(FRAGMENT_TIMEOUT, "fragment-timeout", "rest of the packet did not arrive in time")           \
    X(FRAGMENT_LIMIT, "fragment-limit", "reassembly budget exhausted")                             \
    X(ICMP_BAD, "icmp-bad", "malformed ICMP message")                                              \
    X(ICMP_BAD_CHECKSUM, "icmp-bad-checksum", "wrong ICMP checksum")                               \
    X(ICMP_UNWANTED, "icmp-unwanted", "ICMP message that nothing here uses")                       \
    X(ND_BAD, "nd-bad", "neighbour discovery message that RFC 4861 7.1 tells to discard")          \
    X(UDP_BAD, "udp-bad", "malformed UDP header")                                                  \
    X(UDP_BAD_CHECKSUM, "udp-bad-checksum", "wrong UDP checksum")                                  \
    X(UDP_NO_SOCKET, "udp-no-socket", "no socket on this port")                                    \
    X(SOCKET_QUEUE_FULL, "socket-queue-full", "receive buffer full")                               \
    X(SOCKET_CLOSED, "socket-closed", "unread when the socket was closed")                         \
    X(TCP_BAD, "tcp-bad", "malformed TCP header")                                                  \
    X(TCP_BAD_CHECKSUM, "tcp-bad-checksum", "wrong TCP checksum")                                  \
    X(TCP_NO_SOCKET, "tcp-no-socket", "no connection and no listener")                             \
    X(TCP_BACKLOG_FULL, "tcp-backlog-full", "listener's queue is full")                            \
    X(TCP_OUT_OF_WINDOW, "tcp-out-of-window", "segment not acceptable (RFC 9293 3.10.7.4)")        \
    X(TCP_PAWS, "tcp-paws", "timestamp older than the last one (RFC 7323 5)")                      \
    X(TCP_BAD_ACK, "tcp-bad-ack", "acknowledges what was never sent")                              \
    X(TCP_UNEXPECTED, "tcp-unexpected", "segment that its state discards")                         \
    X(TCP_OLD_DATA, "tcp-old-data", "data that had arrived before")                                \
    X(TCP_OUT_OF_ORDER_LIMIT, "tcp-out-of-order-limit", "out-of-order queue budget exhausted")     \
    X(STACK_ENDS, "stack-ends", "still held when the stack was destroyed")                         \
    X(TRACE_VERDICT, "filtered", "a hook or filter took it")

// Protocol counters. Names follow the MIBs and /proc/net/snmp where those have one.
#define STACK_COUNTERS(X)                                                                          \
    X(LINK_IN, "link.in", "frames received")                                                       \
    X(LINK_OUT, "link.out", "frames sent")                                                         \
    X(LINK_IN_BYTES, "link.in-bytes", "bytes of frames received")                                  \
    X(LINK_OUT_BYTES, "link.out-bytes", "bytes of frames sent")                                    \
    X(CREATED, "packets.created", "packets this stack made")                                       \
    X(DELIVERED, "packets.delivered", "packets consumed by their protocol or application")         \
    X(ARP_IN, "arp.in", "ARP packets received")                                                    \
    X(ARP_OUT, "arp.out", "ARP packets sent")                                                      \
    X(IP_IN, "ip.in", "IP packets received")                                                       \
    X(IP_OUT, "ip.out", "IP packets sent by this host")                                            \
    X(IP_FORWARDED, "ip.forwarded", "IP packets forwarded")                                        \
    X(IP_FRAGMENTS_OUT, "ip.fragments-out", "fragments made")                                      \
    X(IP_FRAGMENTS_IN, "ip.fragments-in", "fragments received")                                    \
    X(IP_REASSEMBLED, "ip.reassembled", "packets put together from fragments")                     \
    X(ICMP_IN, "icmp.in", "ICMP messages received")                                                \
    X(ICMP_OUT, "icmp.out", "ICMP messages sent")                                                  \
    X(ICMP_ECHO_IN, "icmp.echo-in", "echo requests answered")                                      \
    X(ICMP_RATE_LIMITED, "icmp.rate-limited", "ICMP errors not sent because of the limit")         \
    X(UDP_IN, "udp.in", "datagrams delivered")                                                     \
    X(UDP_OUT, "udp.out", "datagrams sent")                                                        \
    X(TCP_IN, "tcp.in", "segments received")                                                       \
    X(TCP_OUT, "tcp.out", "segments sent, retransmissions included")                               \
    X(TCP_RETRANSMITTED, "tcp.retransmitted", "segments retransmitted")                            \
    X(TCP_RST_OUT, "tcp.rst-out", "resets sent")                                                   \
    X(TCP_RST_IN, "tcp.rst-in", "acceptable resets received")                                      \
    X(TCP_ACTIVE_OPENS, "tcp.active-opens", "connections begun here")                              \
    X(TCP_PASSIVE_OPENS, "tcp.passive-opens", "connections accepted by a listener")                \
    X(TCP_FAILED_OPENS, "tcp.failed-opens", "connections that never got established")              \
    X(TCP_ESTABLISHED_RESETS, "tcp.established-resets", "established connections reset")           \
    X(TCP_FAST_RETRANSMITS, "tcp.fast-retransmits", "loss recoveries begun by duplicate ACKs or SACK") \
    X(TCP_TIMEOUTS, "tcp.timeouts", "retransmission timeouts")                                     \
    X(TCP_DUP_ACKS_IN, "tcp.duplicate-acks-in", "duplicate ACKs received")                         \
    X(TCP_OUT_OF_ORDER, "tcp.out-of-order", "segments that arrived ahead of a gap")                \
    X(TCP_ZERO_WINDOW_PROBES, "tcp.zero-window-probes", "window probes sent")                      \
    X(TCP_KEEPALIVES, "tcp.keepalives", "keepalive probes sent")                                   \
    X(TCP_CHALLENGE_ACKS, "tcp.challenge-acks", "challenge ACKs sent (RFC 5961)")                  \
    X(TCP_DELAYED_ACKS, "tcp.delayed-acks", "ACKs sent by the delayed-ACK timer")                  \
    X(TCP_SPURIOUS_RETRANSMITS, "tcp.spurious-retransmits", "retransmissions shown needless by D-SACK") \
    X(TCP_ICMP_OUT_OF_WINDOW, "tcp.icmp-out-of-window", "ICMP errors that quote nothing in flight")    \
    X(TCP_COOKIES_SENT, "tcp.cookies-sent", "SYNs answered with a cookie")                         \
    X(TCP_COOKIES_ACCEPTED, "tcp.cookies-accepted", "cookies that came back and were good")        \
    X(TCP_ORPHANS_RESET, "tcp.orphans-reset", "closed connections reset because of tcp.max-orphans") \
    X(TCP_TIME_WAIT_OVERFLOWS, "tcp.time-wait-overflows", "connections that found no place in TIME-WAIT") \
    X(TCP_FAST_PATH, "tcp.fast-path", "segments taken by header prediction")

// clang-format on
#define X(id, name, doc) DROP_##id,
enum drop_reason { STACK_DROPS(X) DROP_REASON_COUNT };
#undef X
#define X(id, name, doc) COUNT_##id,
enum stack_counter { STACK_COUNTERS(X) STACK_COUNTER_COUNT };
#undef X

const char *drop_reason_name(enum drop_reason reason);
const char *drop_reason_doc(enum drop_reason reason);
const char *stack_counter_name(enum stack_counter counter);
const char *stack_counter_doc(enum stack_counter counter);

#endif
