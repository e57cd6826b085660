// dhcp: gets an address for a host's interface and keeps it (RFC 2131).
// SPDX-License-Identifier: MIT
#include <errno.h>
#include <string.h>

#include "sim/app/dhcp.h"
#include "sim/app/internal.h"

// Theory of operation
//
// The states of RFC 2131 4.4, without those of a client that remembers a lease
// from an earlier life:
//
//   SELECTING ── OFFER ─▶ REQUESTING ── ACK ─▶ BOUND ── T1 ─▶ RENEWING
//      ▲  asks everybody     │  asks for it      ▲  has it        │ asks its
//      │                     │                   ├───── ACK ◀─────┤ server
//      │                     │                   │                ▼ T2
//      ├──── NAK, silence ◀──┘                   └───── ACK ◀─ REBINDING
//      └──────────────── NAK, the lease is over ◀─────────────────┘ asks
//      anybody
//
// One timer: when to ask again, or when the state is over, whichever is first.
// While there is no address, questions go out from 0.0.0.0 by broadcast, and
// answers are asked for by broadcast. The address, its route and the default
// route come and go with the lease. An MTU that the server tells is taken when
// it is one (RFC 2132 5.1).

enum dhcp_state { SELECTING, REQUESTING, BOUND, RENEWING, REBINDING };
enum { REQUEST_LIMIT = 4 };

struct dhcp_client {
    struct app app; // first
    struct socket *socket;
    struct iface *iface;
    enum dhcp_state state;
    uint32_t xid;
    unsigned attempts;
    ns_t began;                     // this exchange
    ns_t renew_at, rebind_at, over; // of the lease
    struct dhcp_message offer;
    struct dhcp_lease lease;
    bool has_lease;
};

static struct dhcp_client *client_of(struct app *app)
{
    return (struct dhcp_client *)app;
}

static void tell(struct dhcp_client *c)
{
    if (c->app.on_change != NULL)
        c->app.on_change(c->app.on_change_context, &c->app);
}

// --- Sending

static void send_message(struct dhcp_client *c, enum dhcp_type type)
{
    uint8_t bytes[DHCP_MESSAGE_SIZE];
    bool is_unicast = c->state == RENEWING || type == DHCP_RELEASE;
    bool has_address = c->state >= BOUND;
    struct dhcp_message m = {
        .type = type,
        .xid = c->xid,
        .seconds = (uint16_t)((app_now(&c->app) - c->began) / NS_PER_S),
        .wants_broadcast = !has_address,
        .mac = iface_mac(c->iface),
        .host_name = c->app.host->node.name,
    };
    struct endpoint to = {ip_addr_v4(255, 255, 255, 255), DHCP_SERVER_PORT, 0};

    if (has_address)
        m.client = c->lease.address.addr;
    if (c->state == REQUESTING)
        m.requested = c->offer.yours;
    if (c->state == REQUESTING || type == DHCP_RELEASE)
        m.server = c->offer.server;
    if (is_unicast)
        to.addr = c->offer.server;
    size_t length = dhcp_emit(&m, bytes);
    // What cannot be sent now is as good as lost: the timer asks again.
    if (socket_send_to(c->socket, bytes, length, 0, &to) > 0) {
        c->app.stats.messages_sent++;
        app_note_sent(&c->app, length);
    }
}

// RFC 2131 4.1: 4 s, doubled up to 64 s, each a second more or less.
static ns_t backoff(struct dhcp_client *c)
{
    unsigned doublings = c->attempts < 5 ? c->attempts : 5;
    ns_t base = doublings > 0 ? (NS_PER_S * 2) << doublings : NS_PER_S;
    ns_t spread = doublings > 0 ? NS_PER_S : NS_PER_S / 4;

    return base + random_between(&c->app.host->random, -spread, spread);
}

static void ask(struct dhcp_client *c)
{
    send_message(c, c->state == SELECTING ? DHCP_DISCOVER : DHCP_REQUEST);
    c->attempts++;
    app_set_timer(&c->app, app_now(&c->app) + backoff(c));
}

// Half of what is left, at least a minute (RFC 2131 4.4.5).
static void ask_for_more(struct dhcp_client *c, ns_t until)
{
    ns_t left = until - app_now(&c->app);

    send_message(c, DHCP_REQUEST);
    app_set_timer(
        &c->app,
        min_i64(until, app_now(&c->app) + max_i64(left / 2, 60 * NS_PER_S)));
}

static void begin(struct dhcp_client *c)
{
    c->state = SELECTING;
    c->attempts = 0;
    c->began = app_now(&c->app);
    c->xid = (uint32_t)random_next(&c->app.host->random);
    ask(c);
}

// --- The lease

static struct route default_route(const struct dhcp_client *c)
{
    return (struct route){.destination = {ip_addr_any(IP_V4), 0},
                          .gateway = c->lease.router,
                          .iface = c->iface};
}

static void drop_lease(struct dhcp_client *c)
{
    struct route route = default_route(c);

    if (!c->has_lease)
        return;
    c->has_lease = false;
    if (c->lease.router.family == IP_V4)
        stack_remove_route(c->app.host->stack, &route.destination);
    iface_remove_address(c->iface, &c->lease.address.addr);
    tell(c);
}

static ns_t seconds(uint32_t count)
{
    return count == UINT32_MAX ? NS_NEVER / 4 : count * NS_PER_S;
}

static void set_times(struct dhcp_client *c, const struct dhcp_message *ack)
{
    ns_t lease = seconds(ack->lease);
    ns_t renewal = ack->renewal != 0 ? seconds(ack->renewal) : lease / 2;
    ns_t rebinding =
        ack->rebinding != 0 ? seconds(ack->rebinding) : lease / 8 * 7;

    if (renewal > rebinding || rebinding > lease) {
        renewal = lease / 2;
        rebinding = lease / 8 * 7;
    }
    // Counted from the request, so that ours ends before the server's.
    c->renew_at = c->began + renewal;
    c->rebind_at = c->began + rebinding;
    c->over = c->began + lease;
}

static int take_address(struct dhcp_client *c, const struct dhcp_message *ack)
{
    uint8_t length = ack->prefix_length != 0 ? ack->prefix_length : 24;

    c->lease = (struct dhcp_lease){.address = {ack->yours, length},
                                   .router = ack->router,
                                   .server = c->offer.server,
                                   .duration = seconds(ack->lease),
                                   .dns_count = ack->dns_count};
    memcpy(c->lease.dns, ack->dns, sizeof(c->lease.dns));
    int error = iface_add_address(c->iface, &c->lease.address);
    if (error != 0)
        return error;
    if (ack->mtu >= 576 && ack->mtu < iface_mtu(c->iface))
        iface_set_mtu(c->iface, ack->mtu);
    if (c->lease.router.family == IP_V4) {
        struct route route = default_route(c);
        stack_add_route(c->app.host->stack, &route);
    }
    c->has_lease = true;
    return 0;
}

static bool is_same_lease(const struct dhcp_client *c,
                          const struct dhcp_message *ack)
{
    return c->has_lease && ip_addr_equal(&ack->yours, &c->lease.address.addr);
}

static void take_ack(struct dhcp_client *c, const struct dhcp_message *ack)
{
    if (ack->lease == 0)
        return;
    if (!is_same_lease(c, ack)) {
        drop_lease(c);
        if (take_address(c, ack) != 0) {
            begin(c);
            return;
        }
    }
    c->lease.duration = seconds(ack->lease);
    set_times(c, ack);
    c->state = BOUND;
    app_set_timer(&c->app, c->renew_at);
    tell(c);
}

// --- Receiving

static void take_message(struct dhcp_client *c, const struct dhcp_message *m)
{
    bool is_asking =
        c->state == REQUESTING || c->state == RENEWING || c->state == REBINDING;

    if (c->state == SELECTING && m->type == DHCP_OFFER &&
        m->server.family == IP_V4 && !ip_addr_is_any(&m->yours)) {
        c->offer = *m;
        c->state = REQUESTING;
        c->attempts = 0;
        c->began = app_now(&c->app);
        ask(c);
    } else if (is_asking && m->type == DHCP_ACK) {
        if (m->server.family == IP_V4)
            c->offer.server = m->server;
        take_ack(c, m);
    } else if (is_asking && m->type == DHCP_NAK) {
        drop_lease(c);
        begin(c);
    }
}

static void on_event(void *context, struct socket *socket, uint32_t events)
{
    struct dhcp_client *c = context;
    uint8_t bytes[2048];
    struct mac_addr mac = iface_mac(c->iface);
    struct dhcp_message message;
    int64_t n;
    (void)events;
    while (c->socket != NULL &&
           (n = socket_receive(socket, bytes, sizeof(bytes), 0)) >= 0) {
        app_note_received(&c->app, (uint64_t)n);
        if (dhcp_parse(bytes, (size_t)n, &message) != 0 ||
            message.xid != c->xid || !mac_addr_equal(&message.mac, &mac))
            continue; // somebody else's
        c->app.stats.messages_received++;
        take_message(c, &message);
    }
}

// --- Time

static void on_bound_timer(struct dhcp_client *c)
{
    ns_t now = app_now(&c->app);

    if (now >= c->over) {
        drop_lease(c);
        begin(c);
    } else if (now >= c->rebind_at) {
        c->state = REBINDING;
        ask_for_more(c, c->over);
    } else {
        if (c->state == BOUND) {
            c->began = now;
            c->xid = (uint32_t)random_next(&c->app.host->random);
        }
        c->state = RENEWING;
        ask_for_more(c, c->rebind_at);
    }
}

static void on_timer(struct app *app)
{
    struct dhcp_client *c = client_of(app);

    if (c->state >= BOUND)
        on_bound_timer(c);
    else if (c->state == REQUESTING && c->attempts >= REQUEST_LIMIT)
        begin(c);
    else
        ask(c);
}

// --- Life

static int open_socket(struct dhcp_client *c)
{
    const struct endpoint local = {ip_addr_any(IP_V4), DHCP_CLIENT_PORT, 0};
    int error =
        socket_open(c->app.host->stack, SOCKET_DATAGRAM, IP_V4, 0, &c->socket);

    if (error == 0)
        error = socket_set_option(c->socket, OPTION_BROADCAST, 1);
    if (error == 0)
        error = socket_set_option(c->socket, OPTION_BIND_IFACE,
                                  iface_index(c->iface));
    if (error == 0)
        error = socket_bind(c->socket, &local);
    return error;
}

static int start(struct app *app)
{
    struct dhcp_client *c = client_of(app);

    if (app->host->node.ports == NULL)
        return -ENODEV;
    c->iface = app->host->node.ports->iface;
    int error = open_socket(c);
    if (error != 0)
        return error;
    socket_set_handler(c->socket, on_event, c);
    begin(c);
    return 0;
}

static void stop(struct app *app)
{
    struct dhcp_client *c = client_of(app);

    if (c->socket == NULL)
        return;
    if (c->has_lease && !c->app.sim->is_finished)
        send_message(c, DHCP_RELEASE);
    drop_lease(c);
    socket_close(c->socket);
    c->socket = NULL;
}

bool app_get_lease(const struct app *app, struct dhcp_lease *out)
{
    const struct dhcp_client *c = (const struct dhcp_client *)app;

    if (app->config.kind != APP_DHCP || !c->has_lease)
        return false;
    *out = c->lease;
    return true;
}

const struct app_ops dhcp_client_app = {.size = sizeof(struct dhcp_client),
                                        .start = start,
                                        .stop = stop,
                                        .on_timer = on_timer};
