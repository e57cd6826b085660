// What a person reads when a script failed.
// SPDX-License-Identifier: MIT

#include "sim/packetdrill/runner.h"

#include <stdarg.h>
#include <stdlib.h>

void report_note(struct runner *r, ns_t time, const char *format, ...)
{
    uint32_t slot = r->history_count++ % HISTORY_LENGTH;
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(r->history[slot].text, HISTORY_TEXT_SIZE, format, arguments);
    va_end(arguments);
    r->history[slot].time = time;
}

void report_history(const struct runner *r, FILE *out)
{
    uint32_t kept = min_u32(r->history_count, HISTORY_LENGTH);

    if (kept > 0)
        fprintf(out, "    before\n");
    for (uint32_t i = 0; i < kept; i++) {
        uint32_t slot = (r->history_count - kept + i) % HISTORY_LENGTH;

        fprintf(out, "      %10.6f  %s\n",
                runner_seconds(r, r->history[slot].time),
                r->history[slot].text);
    }
}

static void print_waiting(const struct runner *r, FILE *out)
{
    unsigned count = 0;

    for (const struct live_packet *p = r->sent_head; p != NULL; p = p->next) {
        struct live_packet packet = *p;

        if (r->has_flow && !flow_has(&r->flow, p))
            continue;
        if (count++ == 8)
            break;
        if (count == 1)
            fprintf(out, "    sent as well, not expected yet\n");
        flow_map_outbound(&r->flow, &packet);
        fprintf(out, "      %10.6f  ", runner_seconds(r, packet.time));
        packet_print_live(out, &packet);
        fputc('\n', out);
    }
}

void report_connection(const struct runner *r, FILE *out)
{
    static const char *const ca_states[] = {"Open", "Disorder", "CWR",
                                            "Recovery", "Loss"};
    int fd = r->flow_fd;
    struct tcp_info info;

    if (fd < 0 || !r->descriptors[fd].is_open ||
        r->descriptors[fd].socket == NULL ||
        socket_get_tcp_info(r->descriptors[fd].socket, &info) != 0)
        return;
    fprintf(out,
            "    variables  %s, %s: cwnd %u, ssthresh %lld, unacked %u, sacked "
            "%u, lost %u, retrans %u\n",
            tcp_state_name(info.state), ca_states[info.ca_state],
            info.cwnd_segments,
            info.ssthresh == UINT32_MAX || info.snd_mss == 0
                ? -1LL
                : (long long)(info.ssthresh / info.snd_mss),
            info.unacked, info.sacked, info.lost, info.retrans);
    fprintf(out,
            "               srtt %.3f ms, rttvar %.3f ms, rto %.3f ms, backoff "
            "%u, reordering %u\n",
            (double)info.srtt / 1e6, (double)info.rttvar / 1e6,
            (double)info.rto / 1e6, info.backoff, info.reordering);
    fprintf(out,
            "               snd_una %u, snd_nxt %u, snd_wnd %u, rcv_nxt %u, "
            "rcv_wnd %u, mss %u\n",
            info.snd_una - info.iss, info.snd_nxt - info.iss, info.snd_wnd,
            info.rcv_nxt - info.irs, info.rcv_wnd, info.snd_mss);
}

void report_failure(struct runner *r, int line, const char *detail)
{
    char *text = NULL;
    size_t size = 0;

    free(r->result->report);
    FILE *out = open_memstream(&text, &size);
    must(out != NULL);
    (void)line;
    if (detail != NULL)
        fputs(detail, out);
    report_connection(r, out);
    report_history(r, out);
    print_waiting(r, out);
    fclose(out);
    r->result->report = text;
}
