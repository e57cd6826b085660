// Writes the packets of one script into a capture file.
// SPDX-License-Identifier: MIT

#include "sim/packetdrill/runner.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct script_capture {
    pcap_t *pcap;
    pcap_dumper_t *dumper;
};

// a/b/c.pkt becomes DIR/a-b-c.pcap, so that scripts of one name in two folders
// do not share a file.
static void file_name(const char *dir, const char *script, char *out,
                      size_t size)
{
    while (*script == '.' || *script == '/')
        script++;
    size_t length = strlen(script);
    if (length > 4 && strcmp(script + length - 4, ".pkt") == 0)
        length -= 4;
    snprintf(out, size, "%s/", dir);
    size_t used = strlen(out);
    for (size_t i = 0; i < length && used + 6 < size; i++)
        out[used++] = script[i] == '/' ? '-' : script[i];
    snprintf(out + used, size - used, ".pcap");
}

struct script_capture *script_capture_open(const char *dir, const char *script,
                                           int *error)
{
    struct script_capture *capture = calloc(1, sizeof(*capture));
    char path[4096];

    must(capture != NULL);
    file_name(dir, script, path, sizeof(path));
    if (mkdir(dir, 0777) != 0 && errno != EEXIST) {
        *error = -errno;
        free(capture);
        return NULL;
    }
    capture->pcap = pcap_open_dead_with_tstamp_precision(
        DLT_RAW, 262144, PCAP_TSTAMP_PRECISION_NANO);
    must(capture->pcap != NULL);
    capture->dumper = pcap_dump_open(capture->pcap, path);
    if (capture->dumper == NULL) {
        *error = errno != 0 ? -errno : -EIO;
        pcap_close(capture->pcap);
        free(capture);
        return NULL;
    }
    return capture;
}

void script_capture_packet(struct script_capture *capture, ns_t time,
                           const uint8_t *bytes, size_t length)
{
    struct pcap_pkthdr header = {.caplen = (uint32_t)length,
                                 .len = (uint32_t)length};

    header.ts.tv_sec = time / NS_PER_S;
    header.ts.tv_usec = time % NS_PER_S; // nanoseconds, as opened
    pcap_dump((u_char *)capture->dumper, &header, bytes);
}

void script_capture_close(struct script_capture *capture)
{
    if (capture == NULL)
        return;
    pcap_dump_close(capture->dumper);
    pcap_close(capture->pcap);
    free(capture);
}
