// Reads applications: plain traffic between hosts.
// SPDX-License-Identifier: MIT
#include <stdio.h>
#include <string.h>

#include "sim/config/spec.h"

// --- Tables -----------------------------------------------------------------

// Where an application's own key gets its default and says where it has a
// meaning.
#define BIT(kind) (1u << (kind))
#define SENDERS   (BIT(APP_TCP_BULK))
#define COUNTED                                                                \
    (BIT(APP_UDP_CBR) | BIT(APP_PING) | BIT(APP_REQUEST_RESPONSE) |            \
     BIT(APP_HTTP_GET))
#define EXCHANGES (BIT(APP_REQUEST_RESPONSE) | BIT(APP_RESPONDER))
#define CLIENTS   (SENDERS | COUNTED)
#define SERVERS                                                                \
    (BIT(APP_TCP_SINK) | BIT(APP_UDP_SINK) | BIT(APP_ECHO) |                   \
     BIT(APP_RESPONDER) | BIT(APP_DISCARD) | BIT(APP_CHARGEN) |                \
     BIT(APP_HTTP) | BIT(APP_IPERF))

static const char *const families[] = {"any", "ipv4", "ipv6", NULL};

struct app_keys {
    struct app_config config;
    const char *host, *name;
    int64_t family;
};

#define CONFIG(member) FIELD(struct app_keys, config.member)
static const struct schema_key app_keys[] = {
    {"host", KEY_TEXT, FIELD(struct app_keys, host), 0, 0, NULL, "name", NULL,
     "the host it runs on", NULL},
    {"name", KEY_TEXT, FIELD(struct app_keys, name), 0, 0, NULL, "name",
     "HOST/KIND, then HOST/KIND-2, ...", "what at, expect and reports call it",
     NULL},
    {"start", KEY_TIME, CONFIG(start), 0, 0, NULL, NULL,
     "0s, or when an entry of at starts it", "when it begins", NULL},
    {"stop", KEY_TIME, CONFIG(stop), 0, 0, NULL, NULL, "when it is done",
     "when it ends at the latest", NULL},
    {"bytes", KEY_SIZE, CONFIG(bytes), 0, 0, NULL, NULL, "until stopped",
     "tcp-bulk: how much is sent", NULL},
    {"rate", KEY_RATE, CONFIG(rate_bps), 1, INT64_C(1000000000000000), NULL,
     NULL, "1Mbit", "udp-cbr: payload bits a second", NULL},
    {"size", KEY_SIZE, CONFIG(size), 1, 65507, NULL, NULL,
     "udp-cbr 1000, ping 56", "udp-cbr, ping: payload of each datagram",
     "ping(8)"},
    {"count", KEY_INTEGER, CONFIG(count), 0, 0, NULL, NULL,
     "request-response and http-get 1, others until stopped",
     "udp-cbr, ping: datagrams; request-response, http-get: exchanges", NULL},
    {"interval", KEY_TIME, CONFIG(interval), 0, 0, NULL, NULL,
     "ping 1s, others 0s",
     "ping: from one request to the next; request-response, http-get: pause "
     "after an answer",
     "ping(8)"},
    {"request", KEY_SIZE, CONFIG(request), 1, 1 << 30, NULL, NULL, "100",
     "request-response, responder: bytes of a request", NULL},
    {"response", KEY_SIZE, CONFIG(response), 1, 1 << 30, NULL, NULL, "1000",
     "request-response, responder: bytes of an answer", NULL},
    {"family", KEY_WORD, FIELD(struct app_keys, family), 0, 0, families, NULL,
     "any: servers take both, clients prefer IPv4", "address family", NULL},
    {"path", KEY_TEXT, CONFIG(path), 0, 0, NULL, "text", "/",
     "http-get: what is fetched", NULL},
    {"root", KEY_TEXT, CONFIG(root), 0, 0, NULL, "folder", "none",
     "http: the folder of the files that are served", NULL},
#define KIND(word, what, text)                                                 \
    {                                                                          \
        .name = word, .kind = KEY_OTHER, .form = what,                         \
        .initial = "one kind is required", .doc = text                         \
    }
    KIND("tcp-bulk", "HOST:PORT", "connects, sends `bytes`, closes"),
    KIND("tcp-sink", "PORT", "listens, reads and counts; 9 by default"),
    KIND("udp-cbr", "HOST:PORT", "sends datagrams of `size` at `rate`"),
    KIND("udp-sink", "PORT", "reads and counts datagrams; 9 by default"),
    KIND("echo", "PORT", "sends back what it gets, TCP and UDP; 7 by default"),
    KIND("request-response", "HOST:PORT", "asks a responder `count` times"),
    KIND("responder", "PORT", "answers requests with responses"),
    KIND("ping", "HOST", "sends ICMP echo requests"),
    KIND("discard", "PORT",
         "throws away what it gets, TCP and UDP; 9 by default"),
    KIND("chargen", "PORT", "sends characters, TCP and UDP; 19 by default"),
    KIND("http", "PORT",
         "serves /bytes/N, /chunked/N and files; 80 by default"),
    KIND("http-get", "HOST:PORT", "fetches `path` `count` times"),
    KIND("iperf3", "PORT",
         "the server of iperf3, TCP and UDP; 5201 by default"),
    KIND("dhcp", "nothing",
         "gets an address for the host's first interface, and keeps it"),
#undef KIND
};
const struct schema app_schema = {
    "apps[]",
    "an application",
    "An application on a host: plain traffic without a script. One key names "
    "the kind; its value is the peer of a client or the port of a server.",
    app_keys,
    ARRAY_LENGTH(app_keys),
    NULL};

static const struct {
    const char *key;
    unsigned kinds;
} limited[] = {
    {"bytes", SENDERS},
    {"rate", BIT(APP_UDP_CBR)},
    {"size", BIT(APP_UDP_CBR) | BIT(APP_PING)},
    {"count", COUNTED},
    {"interval", BIT(APP_PING) | BIT(APP_REQUEST_RESPONSE) | BIT(APP_HTTP_GET)},
    {"path", BIT(APP_HTTP_GET)},
    {"root", BIT(APP_HTTP)},
    {"request", EXCHANGES},
    {"response", EXCHANGES},
};

static struct app_keys defaults_of(enum app_kind kind)
{
    struct app_keys keys = {.config = {.kind = kind, .stop = NS_NEVER}};
    keys.config.rate_bps = 1000000;
    keys.config.size = kind == APP_PING ? 56 : 1000;
    keys.config.count = kind == APP_REQUEST_RESPONSE || kind == APP_HTTP_GET;
    keys.config.interval = kind == APP_PING ? NS_PER_S : 0;
    keys.config.request = 100;
    keys.config.response = 1000;
    return keys;
}

// --- Kinds, peers, ports ----------------------------------------------------

static void say_kinds(struct scenario *s, const struct value *map)
{
    const char *all = "";
    for (int k = 0; k < APP_KIND_COUNT; k++)
        all = document_format(s->document, "%s%s%s", all, k ? ", " : "",
                              app_kind_name((enum app_kind)k));
    diagnostics_add(s->diagnostics, map->place,
                    "which kind? An application has one of %s", all);
}

// The one key that is a kind; NULL with a mistake.
static const struct value *
find_kind(struct scenario *s, const struct value *map, enum app_kind *kind)
{
    const struct value *found = NULL;
    for (int k = 0; k < APP_KIND_COUNT; k++) {
        const struct value *value =
            value_find(map, app_kind_name((enum app_kind)k));
        if (value && found)
            diagnostics_add(s->diagnostics, value->key_place,
                            "%s: an application has one kind, here it is %s; "
                            "write two entries",
                            value->key, found->key);
        else if (value) {
            found = value;
            *kind = (enum app_kind)k;
        }
    }
    if (!found)
        say_kinds(s, map);
    return found;
}

static bool parse_port(const char *text, uint16_t *port)
{
    int64_t number;
    if (parse_integer(text, &number) != 0 || number < 1 || number > 65535)
        return false;
    *port = (uint16_t)number;
    return true;
}

static void read_server(struct scenario *s, const struct value *value,
                        struct app_spec *app)
{
    enum app_kind kind = app->config.kind;
    if (value->kind == VALUE_NULL && kind != APP_RESPONDER)
        app->config.port = kind == APP_ECHO      ? 7  // RFC 862
                           : kind == APP_CHARGEN ? 19 // RFC 864
                           : kind == APP_HTTP    ? 80
                           : kind == APP_IPERF   ? 5201
                                                 : 9; // RFC 863
    else if (value->kind != VALUE_SCALAR ||
             !parse_port(value->text, &app->config.port))
        schema_refuse(value, value->key, "a port from 1 to 65535",
                      s->diagnostics);
}

static void read_nothing(struct scenario *s, const struct value *value)
{
    if (value->kind != VALUE_NULL)
        schema_refuse(value, value->key, "nothing behind it", s->diagnostics);
}

// "server:9", "10.0.0.2:9", "[2001:db8::2]:9"; ping: without a port.
static void read_peer(struct scenario *s, const struct value *value,
                      struct app_spec *app)
{
    bool has_port = app->config.kind != APP_PING;
    const char *form = has_port ? "HOST:PORT, such as server:9"
                                : "a host's name or an address";
    if (value->kind != VALUE_SCALAR || !*value->text) {
        schema_refuse(value, value->key, form, s->diagnostics);
        return;
    }
    const char *text = value->text, *colon = strrchr(text, ':');
    app->remote_place = value->place;
    app->remote = text;
    if (!has_port)
        return;
    if (!colon || colon == text ||
        !parse_port(colon + 1, &app->config.remote.port)) {
        schema_refuse(value, value->key, form, s->diagnostics);
        app->remote = NULL;
        return;
    }
    bool is_bracketed = *text == '[' && colon[-1] == ']';
    int length = (int)(colon - text) - 2 * is_bracketed;
    app->remote =
        document_format(s->document, "%.*s", length, text + is_bracketed);
}

// --- Entries ----------------------------------------------------------------

static const char *choose_name(struct scenario *s, const struct app_spec *app)
{
    const char *base = document_format(s->document, "%s/%s", app->host_name,
                                       app_kind_name(app->config.kind));
    const char *name = base;
    for (unsigned n = 2; names_find(s->app_names, name); n++)
        name = document_format(s->document, "%s-%u", base, n);
    return name;
}

static void check_meaning(struct scenario *s, const struct value *map,
                          enum app_kind kind)
{
    for (size_t i = 0; i < ARRAY_LENGTH(limited); i++) {
        const struct value *value = value_find(map, limited[i].key);
        if (value && !(limited[i].kinds & BIT(kind)))
            diagnostics_add(s->diagnostics, value->key_place,
                            "%s: means nothing for %s", value->key,
                            app_kind_name(kind));
    }
}

static void name_app(struct scenario *s, const struct value *map,
                     struct app_spec *app, const char *name)
{
    if (name && names_find(s->app_names, name)) {
        diagnostics_add(s->diagnostics, value_find(map, "name")->place,
                        "name: '%s' is the name of another application", name);
        return;
    }
    if (name &&
        !read_name(s, name, value_find(map, "name")->place, "an application"))
        return;
    app->name = name ? name : choose_name(s, app);
    names_put(s->app_names, app->name, app);
}

static void check_times(struct scenario *s, const struct value *map,
                        const struct app_config *config)
{
    const struct value *stop = value_find(map, "stop"),
                       *interval = value_find(map, "interval");
    if (stop && config->stop <= config->start)
        diagnostics_add(s->diagnostics, stop->place,
                        "stop: '%s' is not later than the start", stop->text);
    if (interval && config->kind == APP_PING && config->interval == 0)
        diagnostics_add(s->diagnostics, interval->place,
                        "interval: '%s' is out of range; expected more than "
                        "0s",
                        interval->text);
}

static void read_app(struct scenario *s, const struct value *map)
{
    enum app_kind kind = APP_TCP_BULK;
    if (map->kind != VALUE_MAP) {
        schema_refuse(map, "apps", "a map such as {host: server, tcp-sink: 9}",
                      s->diagnostics);
        return;
    }
    const struct value *value = find_kind(s, map, &kind);
    const struct value *host = value_find(map, "host");
    struct app_keys keys = defaults_of(kind);
    schema_read(&app_schema, map, NULL, &keys, s->diagnostics);
    if (!host)
        diagnostics_add(s->diagnostics, map->place,
                        "host: on which host does it run?");
    if (!value || !keys.host)
        return;
    struct app_spec *app = document_alloc(s->document, sizeof *app);
    app->place = map->place;
    app->config = keys.config;
    app->config.family = (uint8_t)(keys.family == 1   ? IP_V4
                                   : keys.family == 2 ? IP_V6
                                                      : IP_NONE);
    app->host_name = keys.host;
    app->host_place = host->place;
    app->is_started_by_hand = !value_find(map, "start");
    check_meaning(s, map, kind);
    check_times(s, map, &app->config);
    if (kind == APP_DHCP)
        read_nothing(s, value);
    else if (SERVERS & BIT(kind))
        read_server(s, value, app);
    else
        read_peer(s, value, app);
    if (!s->apps_unbuilt)
        s->apps_unbuilt = app;
    *s->apps_end = app;
    s->apps_end = &app->next;
    name_app(s, map, app, keys.name);
}

// An entry of a map of applications: its key is the name.
static void read_named(struct scenario *s, const struct value *value)
{
    if (value->kind != VALUE_MAP || value_find(value, "name")) {
        diagnostics_add(s->diagnostics, value->place,
                        "apps: expected a map without a name of its own, such "
                        "as %s: {host: server, tcp-sink: 9}",
                        value->key);
        return;
    }
    struct value *map = value_create(s->document, VALUE_MAP, value->place);
    struct value *name =
        value_scalar(s->document, value->key, value->key_place);
    name->key = "name";
    name->key_place = value->key_place;
    value_append(map, name);
    for (const struct value *v = value->items; v; v = v->next) {
        struct value *copy = document_alloc(s->document, sizeof *copy);
        *copy = *v;
        copy->next = NULL;
        value_append(map, copy);
    }
    read_app(s, map);
}

void read_apps(struct scenario *s, const struct value *list)
{
    if (list->kind == VALUE_SCALAR)
        schema_refuse(list, "apps", "a list of applications", s->diagnostics);
    for (const struct value *v = list->items; v; v = v->next)
        if (list->kind == VALUE_MAP)
            read_named(s, v);
        else
            read_app(s, v);
}

void print_app_keys(FILE *out, const struct app_config *config)
{
    const struct app_keys keys = {.config = *config};
    char text[48];
    for (size_t i = 0; i < ARRAY_LENGTH(limited); i++) {
        const struct schema_key *row = schema_find(&app_schema, limited[i].key);
        if (row->kind == KEY_TEXT) {
            const char *words = NULL;
            memcpy(&words, (const char *)&keys + row->offset, sizeof words);
            if (words) {
                fprintf(out, ", %s: ", row->name);
                print_text(out, words);
            }
            continue;
        }
        int64_t number = schema_get(row, &keys);
        if ((limited[i].kinds & BIT(config->kind)) && number)
            fprintf(out, ", %s: %s", row->name,
                    schema_format(row->kind, number, text, sizeof text));
    }
    if (config->start != NS_NEVER)
        fprintf(out, ", start: %s",
                format_time(config->start, text, sizeof text));
    if (config->stop != NS_NEVER)
        fprintf(out, ", stop: %s",
                format_time(config->stop, text, sizeof text));
}
