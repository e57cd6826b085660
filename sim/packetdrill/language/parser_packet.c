// Reads the packets of a packetdrill script.
// SPDX-License-Identifier: MIT

#include "sim/packetdrill/language/parser.h"

#include <ctype.h>
#include <string.h>

// --- TCP options

static int hex_digit(char c)
{
    if (isdigit((unsigned char)c))
        return c - '0';
    return isxdigit((unsigned char)c) ? tolower((unsigned char)c) - 'a' + 10
                                      : -1;
}

static void parse_cookie(struct parser *parser, struct script_option *option)
{
    struct token word = lexer_word(&parser->lexer);
    const struct script_define *define =
        lexer_define(&parser->lexer, word.text, word.length);

    if (define != NULL) {
        word.text = define->value;
        word.length = strlen(define->value);
    }
    if (word.length > 2 * TCP_MAX_COOKIE_SIZE || word.length % 2 != 0)
        parser_fail(parser, SCRIPT_MISTAKEN, word.line,
                    "a cookie has 0 to 16 bytes, two hex digits each");
    for (size_t i = 0; i < word.length; i += 2) {
        int high = hex_digit(word.text[i]), low = hex_digit(word.text[i + 1]);

        if (high < 0 || low < 0)
            parser_fail(parser, SCRIPT_UNSUPPORTED, word.line,
                        "the cookie '%.*s' is not hexadecimal (define it with "
                        "-D)",
                        (int)(word.length > 32 ? 32 : word.length), word.text);
        option->cookie[option->count++] = (uint8_t)(high << 4 | low);
    }
}

static void parse_sack(struct parser *parser, struct script_option *option)
{
    option->kind = SCRIPT_OPTION_SACK;
    while (parser_peek(parser).kind == TOKEN_NUMBER) {
        struct tcp_sack_block block;

        block.start =
            parser_number_upto(parser, "the start of a SACK block", UINT32_MAX);
        parser_want(parser, ':');
        block.end =
            parser_number_upto(parser, "the end of a SACK block", UINT32_MAX);
        if (option->count == TCP_MAX_SACK_BLOCKS)
            parser_fail(parser, SCRIPT_MISTAKEN, parser->lexer.line,
                        "more than %d SACK blocks", TCP_MAX_SACK_BLOCKS);
        option->sack[option->count++] = block;
    }
}

static void parse_timestamp(struct parser *parser, struct script_option *option)
{
    struct token word = parser_next(parser);

    option->kind = SCRIPT_OPTION_TIMESTAMP;
    if (!token_is(&word, "val"))
        parser_expected(parser, &word, "'val'");
    option->value = parser_number_upto(parser, "TS val", UINT32_MAX);
    word = parser_next(parser);
    if (!token_is(&word, "ecr"))
        parser_expected(parser, &word, "'ecr'");
    option->echo = parser_number_upto(parser, "TS ecr", UINT32_MAX);
}

static void parse_option(struct parser *parser, struct script_option *option)
{
    struct token word = parser_next(parser);

    if (token_is(&word, "nop")) {
        option->kind = SCRIPT_OPTION_NOP;
    } else if (token_is(&word, "eol")) {
        option->kind = SCRIPT_OPTION_EOL;
    } else if (token_is(&word, "mss")) {
        option->kind = SCRIPT_OPTION_MSS;
        option->value = parser_number_upto(parser, "mss", UINT16_MAX);
    } else if (token_is(&word, "wscale")) {
        option->kind = SCRIPT_OPTION_WSCALE;
        option->value = parser_number_upto(parser, "wscale", UINT8_MAX);
    } else if (token_is(&word, "sackOK")) {
        option->kind = SCRIPT_OPTION_SACK_OK;
    } else if (token_is(&word, "sack")) {
        parse_sack(parser, option);
    } else if (token_is(&word, "TS")) {
        parse_timestamp(parser, option);
    } else if (token_is(&word, "FO") || token_is(&word, "FOEXP")) {
        option->kind = token_is(&word, "FO") ? SCRIPT_OPTION_FAST_OPEN
                                             : SCRIPT_OPTION_FAST_OPEN_EXP;
        parse_cookie(parser, option);
    } else if (word.kind == TOKEN_WORD) {
        parser_fail(parser, SCRIPT_UNSUPPORTED, word.line,
                    "the TCP option '%.*s'",
                    (int)(word.length > 32 ? 32 : word.length), word.text);
    } else {
        parser_expected(parser, &word, "a TCP option");
    }
}

static void parse_options(struct parser *parser, struct script_options *options)
{
    if (!parser_take(parser, '<'))
        return;
    if (parser_peek(parser).kind == TOKEN_ELLIPSIS) {
        parser_next(parser);
        options->is_any = true;
    } else if (!lexer_is_at(&parser->lexer, '>')) {
        do {
            if (options->count == SCRIPT_MAX_OPTIONS)
                parser_fail(parser, SCRIPT_MISTAKEN, parser->lexer.line,
                            "more TCP options than fit in a header");
            parse_option(parser, &options->list[options->count++]);
        } while (parser_take(parser, ','));
    }
    parser_want(parser, '>');
}

// --- Segments

static uint8_t flags_of(struct parser *parser, const struct token *token)
{
    static const char letters[] = "FSRP.UEW";
    uint8_t flags = 0;

    if (token->length == 1 && token->text[0] == '-')
        return 0;
    for (size_t i = 0; i < token->length; i++) {
        const char *letter = strchr(letters, token->text[i]);

        if (letter == NULL)
            parser_fail(parser, SCRIPT_UNSUPPORTED, token->line,
                        "the TCP flag '%c'", token->text[i]);
        flags |= (uint8_t)(1u << (letter - letters));
    }
    return flags;
}

static void parse_sequence(struct parser *parser,
                           struct script_sequence *sequence)
{
    int line = parser->lexer.line;

    sequence->start =
        parser_number_upto(parser, "a sequence number", UINT32_MAX);
    parser_want(parser, ':');
    sequence->end = parser_number_upto(parser, "a sequence number", UINT32_MAX);
    parser_want(parser, '(');
    sequence->length =
        parser_number_upto(parser, "the length of the payload", UINT32_MAX);
    parser_want(parser, ')');
    if (sequence->start + sequence->length != sequence->end)
        parser_fail(parser, SCRIPT_MISTAKEN, line, "%u:%u is not %u bytes long",
                    sequence->start, sequence->end, sequence->length);
}

static void parse_any_sequence(struct parser *parser, struct script_tcp *tcp)
{
    parser_next(parser);
    tcp->has_any_sequence = true;
    parser_want(parser, '(');
    tcp->sequence.length =
        parser_number_upto(parser, "the length of the payload", UINT32_MAX);
    parser_want(parser, ')');
}

static void parse_segment(struct parser *parser, struct script_tcp *tcp,
                          const struct token *flags)
{
    tcp->flags = flags_of(parser, flags);
    if (parser_peek(parser).kind == TOKEN_ELLIPSIS)
        parse_any_sequence(parser, tcp);
    else
        parse_sequence(parser, &tcp->sequence);
    tcp->is_absolute = parser_take(parser, '!');
    for (;;) {
        struct token word = parser_peek(parser);

        if (token_is(&word, "ack")) {
            parser_next(parser);
            tcp->has_ack = true;
            tcp->ack = parser_number_upto(parser, "ack", UINT32_MAX);
        } else if (token_is(&word, "win")) {
            parser_next(parser);
            tcp->has_window = true;
            tcp->window =
                (uint16_t)parser_number_upto(parser, "win", UINT16_MAX);
        } else if (token_is(&word, "urg")) {
            parser_next(parser);
            tcp->has_urgent = true;
            tcp->urgent =
                (uint16_t)parser_number_upto(parser, "urg", UINT16_MAX);
        } else {
            break;
        }
    }
    parse_options(parser, &tcp->options);
}

// --- ICMP

static const char *parse_icmp_word(struct parser *parser)
{
    struct token word = parser_peek(parser);

    if (word.kind != TOKEN_WORD || token_is(&word, "mtu"))
        return NULL;
    parser_next(parser);
    const struct script_define *define =
        lexer_define(&parser->lexer, word.text, word.length);
    if (define != NULL && define->value[0] != '\0') {
        word.text = define->value;
        word.length = strlen(define->value);
    }
    return parser_text(parser, &word);
}

static void parse_quotation(struct parser *parser, struct script_icmp *icmp)
{
    icmp->has_quotation = true;
    parse_sequence(parser, &icmp->quotation);
    parser_want(parser, ']');
}

static void parse_icmp(struct parser *parser, struct script_icmp *icmp)
{
    icmp->type = parse_icmp_word(parser);
    if (icmp->type == NULL) {
        struct token token = parser_next(parser);

        parser_expected(parser, &token, "a type of ICMP message");
    }
    icmp->code = parse_icmp_word(parser);
    struct token word = parser_peek(parser);
    if (token_is(&word, "mtu")) {
        parser_next(parser);
        icmp->mtu = parser_number_upto(parser, "mtu", UINT32_MAX);
    }
    if (!icmp->has_quotation && parser_take(parser, '['))
        parse_quotation(parser, icmp);
}

// --- What stands before the flags

static void parse_ip_field(struct parser *parser, struct script_packet *packet)
{
    struct token word = parser_next(parser);

    if (token_is(&word, "hlim") || token_is(&word, "ttl"))
        packet->ttl = (int)parser_number_upto(parser, "the hop limit", 255);
    else if (token_is(&word, "tos") || token_is(&word, "class"))
        packet->tos = (int)parser_number_upto(parser, "the traffic class", 255);
    else
        parser_expected(parser, &word, "tos, class, ttl or hlim");
    parser_want(parser, ')');
}

static void parse_bracket(struct parser *parser, struct script_packet *packet)
{
    static const char *const names[] = {"", "noecn", "ect0", "ect1", "ce"};
    struct token word = parser_peek(parser);

    if (word.kind == TOKEN_NUMBER) {
        parse_quotation(parser, &packet->icmp);
        return;
    }
    parser_next(parser);
    for (int i = SCRIPT_ECN_NONE; i <= SCRIPT_ECN_CE; i++)
        if (token_is(&word, names[i]))
            packet->ecn = (enum script_ecn)i;
    if (packet->ecn == SCRIPT_ECN_ANY)
        parser_expected(parser, &word, "noecn, ect0, ect1 or ce");
    parser_want(parser, ']');
}

struct script_packet *parse_packet(struct parser *parser, bool is_inbound)
{
    struct script_packet *packet =
        script_alloc(parser->script, sizeof(*packet));

    packet->is_inbound = is_inbound;
    packet->ttl = packet->tos = -1;
    for (;;) {
        if (parser_take(parser, '('))
            parse_ip_field(parser, packet);
        else if (parser_take(parser, '['))
            parse_bracket(parser, packet);
        else
            break;
    }
    struct token word = parser_peek(parser);
    if (token_is(&word, "icmp")) {
        parser_next(parser);
        packet->is_icmp = true;
        parse_icmp(parser, &packet->icmp);
        return packet;
    }
    struct token flags = lexer_flags(&parser->lexer);
    if (flags.length == 0 && word.kind == TOKEN_WORD)
        parser_fail(parser, SCRIPT_UNSUPPORTED, word.line,
                    "packets of the kind '%.*s'",
                    (int)(word.length > 32 ? 32 : word.length), word.text);
    if (flags.length == 0)
        parser_expected(parser, &word, "the flags of a segment");
    parse_segment(parser, &packet->tcp, &flags);
    return packet;
}
