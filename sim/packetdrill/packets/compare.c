// Compares an expected packet with one of the stack and shows the difference.
// SPDX-License-Identifier: MIT

#include "sim/packetdrill/packets/packets.h"

#include "stack/wire/ipv4.h"

#include <stdlib.h>

// --- Texts of the fields

enum { FIELD_TEXT_SIZE = 256 };

struct field_texts {
    char text[FIELD_COUNT][FIELD_TEXT_SIZE];
};

static void flags_text(uint8_t flags, char *out)
{
    static const char letters[] = "FSRP.UEW";
    static const char order[] = "FSRPEWU.";
    char *p = out;

    for (const char *c = order; *c != '\0'; c++)
        if (flags & 1u << (strchr(letters, *c) - letters))
            *p++ = *c;
    if (p == out)
        *p++ = '-';
    *p = '\0';
}

static const char *ecn_text(unsigned codepoint)
{
    static const char *const names[] = {"noecn", "ect1", "ect0", "ce"};

    return names[codepoint & 3];
}

static void ip_text(const struct script_packet *script,
                    const struct live_packet *live, char *out)
{
    static const char *const ecn[] = {"", "noecn", "ect0", "ect1", "ce"};
    size_t used = 0;

    out[0] = '\0';
    if (script->tos >= 0)
        used +=
            (size_t)snprintf(out + used, FIELD_TEXT_SIZE - used, "(tos 0x%02x)",
                             live != NULL ? live->tos : (unsigned)script->tos);
    if (script->ttl >= 0)
        used +=
            (size_t)snprintf(out + used, FIELD_TEXT_SIZE - used, "(hlim %u)",
                             live != NULL ? live->ttl : (unsigned)script->ttl);
    if (script->ecn != SCRIPT_ECN_ANY)
        snprintf(out + used, FIELD_TEXT_SIZE - used, "[%s]",
                 live != NULL ? ecn_text(live->tos) : ecn[script->ecn]);
}

static void options_text(const struct script_options *options, char *out)
{
    FILE *stream = fmemopen(out, FIELD_TEXT_SIZE, "w");

    must(stream != NULL);
    options_print(stream, options);
    fclose(stream);
}

static void script_texts(const struct script_packet *packet,
                         struct field_texts *out)
{
    const struct script_tcp *tcp = &packet->tcp;

    memset(out, 0, sizeof(*out));
    ip_text(packet, NULL, out->text[FIELD_IP]);
    flags_text(tcp->flags, out->text[FIELD_FLAGS]);
    if (tcp->has_any_sequence)
        snprintf(out->text[FIELD_SEQUENCE], FIELD_TEXT_SIZE, "...(%u)",
                 tcp->sequence.length);
    else
        snprintf(out->text[FIELD_SEQUENCE], FIELD_TEXT_SIZE, "%u:%u(%u)%s",
                 tcp->sequence.start, tcp->sequence.end, tcp->sequence.length,
                 tcp->is_absolute ? "!" : "");
    if (tcp->has_ack)
        snprintf(out->text[FIELD_ACK], FIELD_TEXT_SIZE, "ack %u", tcp->ack);
    if (tcp->has_window)
        snprintf(out->text[FIELD_WINDOW], FIELD_TEXT_SIZE, "win %u",
                 tcp->window);
    if (tcp->has_urgent)
        snprintf(out->text[FIELD_URGENT], FIELD_TEXT_SIZE, "urg %u",
                 tcp->urgent);
    options_text(&tcp->options, out->text[FIELD_OPTIONS]);
}

static void live_texts(const struct live_packet *packet,
                       struct field_texts *out)
{
    const struct tcp_header *tcp = &packet->tcp;

    memset(out, 0, sizeof(*out));
    flags_text(tcp->flags, out->text[FIELD_FLAGS]);
    snprintf(out->text[FIELD_SEQUENCE], FIELD_TEXT_SIZE, "%u:%u(%u)", tcp->seq,
             tcp->seq + packet->payload, packet->payload);
    if (tcp->flags & TCP_ACK)
        snprintf(out->text[FIELD_ACK], FIELD_TEXT_SIZE, "ack %u", tcp->ack);
    snprintf(out->text[FIELD_WINDOW], FIELD_TEXT_SIZE, "win %u", tcp->window);
    if (tcp->flags & TCP_URG)
        snprintf(out->text[FIELD_URGENT], FIELD_TEXT_SIZE, "urg %u",
                 tcp->urgent);
    options_text(&packet->options, out->text[FIELD_OPTIONS]);
}

// --- Comparing

static bool is_timestamp_right(const struct script_option *expected,
                               const struct script_option *actual,
                               const struct flow *flow,
                               const struct compare_rules *rules)
{
    if (expected->echo != actual->echo)
        return false;
    if (rules->ts_tick_us == 0 || !flow->has_first_timestamp)
        return true;
    uint32_t relative = actual->value - flow->first_live_timestamp +
                        flow->first_script_timestamp;
    int64_t difference = (int32_t)(relative - expected->value);
    return llabs(difference) * rules->ts_tick_us <= rules->tolerance_us;
}

static bool is_option_right(const struct script_option *expected,
                            const struct script_option *actual,
                            const struct flow *flow,
                            const struct compare_rules *rules)
{
    if (expected->kind != actual->kind)
        return false;
    switch (expected->kind) {
    case SCRIPT_OPTION_TIMESTAMP:
        return is_timestamp_right(expected, actual, flow, rules);
    case SCRIPT_OPTION_SACK:
        return expected->count == actual->count &&
               memcmp(expected->sack, actual->sack,
                      expected->count * sizeof(expected->sack[0])) == 0;
    case SCRIPT_OPTION_FAST_OPEN:
    case SCRIPT_OPTION_FAST_OPEN_EXP:
        return expected->count == actual->count &&
               memcmp(expected->cookie, actual->cookie, expected->count) == 0;
    case SCRIPT_OPTION_MSS:
    case SCRIPT_OPTION_WSCALE:
    case SCRIPT_OPTION_OTHER:
        return expected->value == actual->value;
    default:
        return true;
    }
}

static bool are_options_right(const struct script_options *expected,
                              const struct script_options *actual,
                              const struct flow *flow,
                              const struct compare_rules *rules)
{
    if (expected->is_any)
        return true;
    if (expected->count != actual->count)
        return false;
    for (unsigned i = 0; i < expected->count; i++)
        if (!is_option_right(&expected->list[i], &actual->list[i], flow, rules))
            return false;
    return true;
}

static bool is_ip_right(const struct script_packet *expected,
                        const struct live_packet *actual)
{
    static const uint8_t codepoints[] = {
        [SCRIPT_ECN_NONE] = 0,
        [SCRIPT_ECN_ECT0] = 2,
        [SCRIPT_ECN_ECT1] = 1,
        [SCRIPT_ECN_CE] = 3,
    };

    if (expected->ecn != SCRIPT_ECN_ANY &&
        (actual->tos & 3) != codepoints[expected->ecn])
        return false;
    if (expected->tos >= 0 && actual->tos != expected->tos)
        return false;
    return expected->ttl < 0 || actual->ttl == expected->ttl;
}

struct comparison packet_compare(const struct script_packet *expected,
                                 const struct live_packet *actual,
                                 const struct flow *flow,
                                 const struct compare_rules *rules)
{
    const struct script_tcp *tcp = &expected->tcp;
    uint32_t live_seq = actual->tcp.seq;
    struct comparison result = {0};

    if (tcp->is_absolute) // map back to what was on the wire
        live_seq = flow_live_local(flow, live_seq);
    if (!is_ip_right(expected, actual))
        result.differs |= 1u << FIELD_IP;
    if (actual->protocol != IP_PROTOCOL_TCP || tcp->flags != actual->tcp.flags)
        result.differs |= 1u << FIELD_FLAGS;
    if (tcp->sequence.length != actual->payload ||
        (!tcp->has_any_sequence && tcp->sequence.start != live_seq))
        result.differs |= 1u << FIELD_SEQUENCE;
    if (tcp->has_ack && tcp->ack != actual->tcp.ack)
        result.differs |= 1u << FIELD_ACK;
    if (tcp->has_window && tcp->window != actual->tcp.window)
        result.differs |= 1u << FIELD_WINDOW;
    if (tcp->has_urgent && tcp->urgent != actual->tcp.urgent)
        result.differs |= 1u << FIELD_URGENT;
    if (!are_options_right(&tcp->options, &actual->options, flow, rules))
        result.differs |= 1u << FIELD_OPTIONS;
    result.only_push = result.differs == 1u << FIELD_FLAGS &&
                       (tcp->flags ^ actual->tcp.flags) == TCP_PSH;
    return result;
}

// --- Showing

static void print_row(FILE *out, const char *title,
                      const struct field_texts *texts, const int *widths)
{
    fprintf(out, "    %-9s >", title);
    for (int i = 0; i < FIELD_COUNT; i++)
        if (widths[i] > 0)
            fprintf(out, " %-*s", widths[i], texts->text[i]);
    fputc('\n', out);
}

static void print_marks(FILE *out, uint32_t differs, const int *widths)
{
    char line[FIELD_COUNT * FIELD_TEXT_SIZE + 32];
    size_t used = 0;

    for (int i = 0; i < FIELD_COUNT; i++) {
        if (widths[i] == 0)
            continue;
        line[used++] = ' ';
        memset(line + used, differs & 1u << i ? '^' : ' ', (size_t)widths[i]);
        used += (size_t)widths[i];
    }
    while (used > 0 && line[used - 1] == ' ')
        used--;
    fprintf(out, "    %-9s  %.*s\n", "", (int)used, line);
}

void packet_print_comparison(FILE *out, const struct script_packet *expected,
                             const struct live_packet *actual,
                             const struct comparison *comparison)
{
    struct field_texts wanted, found;
    int widths[FIELD_COUNT];

    script_texts(expected, &wanted);
    live_texts(actual, &found);
    ip_text(expected, actual, found.text[FIELD_IP]);
    for (int i = 0; i < FIELD_COUNT; i++) {
        size_t a = strlen(wanted.text[i]), b = strlen(found.text[i]);

        widths[i] = (int)(a > b ? a : b);
    }
    print_row(out, "expected", &wanted, widths);
    print_row(out, "actual", &found, widths);
    print_marks(out, comparison->differs, widths);
}

static void print_texts(FILE *out, const struct field_texts *texts)
{
    for (int i = 0; i < FIELD_COUNT; i++)
        if (texts->text[i][0] != '\0' && strcmp(texts->text[i], "<>") != 0)
            fprintf(out, " %s", texts->text[i]);
}

void packet_print_script(FILE *out, const struct script_packet *packet)
{
    struct field_texts texts;

    fputc(packet->is_inbound ? '<' : '>', out);
    if (!packet->is_icmp) {
        script_texts(packet, &texts);
        print_texts(out, &texts);
        return;
    }
    fprintf(out, " icmp %s", packet->icmp.type);
    if (packet->icmp.code != NULL)
        fprintf(out, " %s", packet->icmp.code);
    if (packet->icmp.mtu != 0)
        fprintf(out, " mtu %u", packet->icmp.mtu);
    if (packet->icmp.has_quotation)
        fprintf(out, " [%u:%u(%u)]", packet->icmp.quotation.start,
                packet->icmp.quotation.end, packet->icmp.quotation.length);
}

void packet_print_live(FILE *out, const struct live_packet *packet)
{
    struct field_texts texts;

    fputc('>', out);
    if (packet->protocol != IP_PROTOCOL_TCP) {
        fprintf(out, " icmp (%u bytes)", packet->payload);
        return;
    }
    live_texts(packet, &texts);
    print_texts(out, &texts);
}
