// Tests of captures: what is in the files, what happens without space.
// SPDX-License-Identifier: MIT

#include <errno.h>
#include <fcntl.h>
#include <pcap/pcap.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sim/capture/buffer.h"
#include "sim/capture/capture.h"
#include "tests/unit/host_fixture.h"
#include "tests/unit/link_fixture.h"
#include "tests/unit/malloc_fixture.h"
#include "tests/unit/unit.h"

enum { MAX_BLOCKS = 20000, PACKET_BLOCK = 6, NAMES_BLOCK = 4 };

// A capture file read back, block by block.
struct file {
    char path[64];
    uint8_t *bytes;
    size_t length;
    const uint8_t *blocks[MAX_BLOCKS]; // of packets
    size_t count;
    size_t others[8]; // blocks by type below 6
    bool is_whole;    // ends with a whole block
};

static void file_name(struct file *file)
{
    strcpy(file->path, "/tmp/wirebed-test-XXXXXX");
    int fd = mkstemp(file->path);
    must(fd >= 0);
    close(fd);
}

static void file_fini(struct file *file)
{
    unlink(file->path);
    free(file->bytes);
    free(file);
}

static struct file *file_create(void)
{
    struct file *file = calloc(1, sizeof(*file));

    must(file != NULL);
    file_name(file);
    return file;
}

static void file_load(struct file *file)
{
    struct stat status;
    FILE *stream = fopen(file->path, "rb");

    must(stream != NULL && fstat(fileno(stream), &status) == 0);
    file->length = (size_t)status.st_size;
    free(file->bytes);
    file->bytes = malloc(file->length + 1);
    must(file->bytes != NULL);
    must(fread(file->bytes, 1, file->length, stream) == file->length);
    fclose(stream);
}

static void file_read(struct file *file)
{
    size_t at = 0;

    file_load(file);
    file->count = 0;
    while (at + 12 <= file->length) {
        const uint8_t *block = file->bytes + at;
        uint32_t type = get_le32(block), length = get_le32(block + 4);

        if (length % 4 != 0 || length < 12 || length > file->length - at ||
            get_le32(block + length - 4) != length)
            break;
        if (type == PACKET_BLOCK)
            file->blocks[file->count++] = block;
        else if (type < 8)
            file->others[type]++;
        at += length;
    }
    file->is_whole = at == file->length;
}

// The n-th option of this code in a packet's block; NULL: none.
static const uint8_t *find_option(const uint8_t *block, unsigned code,
                                  unsigned n)
{
    const uint8_t *end = block + get_le32(block + 4) - 4;
    const uint8_t *option = block + 28 + ((get_le32(block + 20) + 3) & ~3u);

    while (option + 4 <= end) {
        unsigned here = option[0] | (unsigned)option[1] << 8;
        unsigned length = option[2] | (unsigned)option[3] << 8;

        if (here == 0)
            return NULL;
        if (here == code && n-- == 0)
            return option;
        option += 4 + ((length + 3) & ~3u);
    }
    return NULL;
}

static const char *comment_of(const uint8_t *block, unsigned n, char *out,
                              size_t size)
{
    const uint8_t *option = find_option(block, 1, n);

    if (option == NULL)
        return NULL;
    snprintf(out, size, "%.*s", option[2] | option[3] << 8,
             (const char *)option + 4);
    return out;
}

static ns_t time_of(const uint8_t *block)
{
    return (ns_t)((uint64_t)get_le32(block + 12) << 32 | get_le32(block + 16));
}

static void capture_end(struct link_fixture *f, unsigned end,
                        const struct file *file, enum capture_format format)
{
    struct capture_config config = {.path = file->path, .format = format};

    CHECK_EQUAL(capture_create(f->sim, f->link->ends[end], &config), 0);
}

static void fixture_with(struct link_fixture *f, ns_t delay, size_t count,
                         struct impairment_config *impairments)
{
    struct link_direction_config config = link_direction_default;

    config.delay = delay;
    config.impairments = impairments;
    config.impairment_count = count;
    link_fixture_init(f, &config);
}

static void both_ends_see_the_frame_at_their_times(void)
{
    struct file *a = file_create(), *b = file_create();
    struct link_fixture f;

    fixture_with(&f, 5 * NS_PER_S + 7, 0, NULL);
    capture_end(&f, 0, a, CAPTURE_PCAPNG);
    capture_end(&f, 1, b, CAPTURE_PCAPNG);
    link_fixture_send(&f, 3, 1, 61);
    link_fixture_run(&f);
    CHECK_EQUAL(capture_frames(f.link->ends[0]->capture), 1);
    link_fixture_fini(&f);
    file_read(a);
    file_read(b);
    CHECK(a->is_whole && b->is_whole);
    CHECK_EQUAL(a->count, 1);
    CHECK_EQUAL(b->count, 1);
    CHECK_EQUAL(time_of(a->blocks[0]), 3);
    CHECK_EQUAL(time_of(b->blocks[0]), 5 * NS_PER_S + 10);
    CHECK_EQUAL(get_le32(a->blocks[0] + 20), 61);
    CHECK_EQUAL(get_le32(a->blocks[0] + 24), 61);
    CHECK_EQUAL(get_le32(find_option(a->blocks[0], 2, 0) + 4), 2); // outbound
    CHECK_EQUAL(get_le32(find_option(b->blocks[0], 2, 0) + 4), 1); // inbound
    CHECK_EQUAL(get_le32(find_option(a->blocks[0], 5, 0) + 4), 1); // its id
    CHECK_EQUAL(get_le32(find_option(b->blocks[0], 5, 0) + 4), 1);
    CHECK_BYTES(a->blocks[0] + 28, b->blocks[0] + 28, 61);
    CHECK_EQUAL(a->others[1], 1); // interface
    CHECK_EQUAL(a->others[5], 1); // statistics
    file_fini(a);
    file_fini(b);
}

static void an_empty_capture_is_a_file_with_an_interface(void)
{
    struct file *a = file_create();
    struct link_fixture f;

    link_fixture_init(&f, NULL);
    capture_end(&f, 0, a, CAPTURE_PCAPNG);
    link_fixture_fini(&f);
    file_read(a);
    CHECK(a->is_whole);
    CHECK_EQUAL(get_le32(a->bytes), 0x0a0d0d0a);
    CHECK_EQUAL(a->count, 0);
    CHECK_EQUAL(a->others[1], 1);
    file_fini(a);
}

static void the_fate_of_a_frame_stands_on_the_senders_record(void)
{
    struct impairment_config drop = impairment_default;
    uint32_t second[] = {2};
    struct file *a = file_create(), *b = file_create();
    struct link_fixture f;
    char text[400];

    drop.select.nth = second;
    drop.select.nth_count = 1;
    fixture_with(&f, 0, 1, &drop);
    capture_end(&f, 0, a, CAPTURE_PCAPNG);
    capture_end(&f, 1, b, CAPTURE_PCAPNG);
    for (uint32_t i = 1; i <= 3; i++)
        link_fixture_send(&f, i, i, 60);
    link_fixture_run(&f);
    link_fixture_fini(&f);
    file_read(a);
    file_read(b);
    CHECK(a->is_whole);
    CHECK_EQUAL(a->count, 3);
    CHECK_EQUAL(b->count, 2);
    CHECK(comment_of(a->blocks[0], 0, text, sizeof(text)) == NULL);
    CHECK_TEXT(comment_of(a->blocks[1], 0, text, sizeof(text)),
               "lost on link wire (by count, frame 2)");
    CHECK(comment_of(a->blocks[2], 0, text, sizeof(text)) == NULL);
    file_fini(a);
    file_fini(b);
}

static void a_corrupted_frame_is_good_where_it_was_sent(void)
{
    struct impairment_config corrupt = impairment_default;
    struct file *a = file_create(), *b = file_create();
    struct link_fixture f;
    char text[400];
    unsigned bit = 0;

    corrupt.action = IMPAIR_CORRUPT;
    fixture_with(&f, 0, 1, &corrupt);
    capture_end(&f, 0, a, CAPTURE_PCAPNG);
    capture_end(&f, 1, b, CAPTURE_PCAPNG);
    link_fixture_send(&f, 1, 1, 60);
    link_fixture_run(&f);
    link_fixture_fini(&f);
    file_read(a);
    file_read(b);
    CHECK_FATAL(comment_of(a->blocks[0], 0, text, sizeof(text)) != NULL);
    CHECK_EQUAL(sscanf(text, "corrupted: bit %u", &bit), 1);
    const uint8_t *good = a->blocks[0] + 28, *bad = b->blocks[0] + 28;
    for (unsigned i = 0; i < 60; i++)
        CHECK_EQUAL(good[i] ^ bad[i], i == bit / 8 ? 0x80 >> bit % 8 : 0);
    CHECK_TEXT(comment_of(b->blocks[0], 0, text, sizeof(text)),
               "corrupted on the link: a wrong checksum is expected");
    file_fini(a);
    file_fini(b);
}

static void a_frame_may_have_several_comments_in_order(void)
{
    struct impairment_config list[2] = {impairment_default, impairment_default};
    struct file *a = file_create();
    struct link_fixture f;
    char text[400];

    list[0].action = IMPAIR_DELAY;
    list[0].delay = NS_PER_MS + NS_PER_MS / 2;
    list[1].action = IMPAIR_DUPLICATE;
    fixture_with(&f, 0, 2, list);
    capture_end(&f, 0, a, CAPTURE_PCAPNG);
    link_fixture_send(&f, 1, 1, 60);
    link_fixture_run(&f);
    link_fixture_fini(&f);
    file_read(a);
    CHECK(a->is_whole);
    CHECK_TEXT(comment_of(a->blocks[0], 0, text, sizeof(text)),
               "delayed by 1.500000 ms on link wire (always)");
    CHECK_TEXT(comment_of(a->blocks[0], 1, text, sizeof(text)),
               "duplicated on link wire (always)");
    file_fini(a);
}

static void a_frame_under_way_is_amended_though_others_were_written(void)
{
    struct file *a = file_create();
    struct link_direction_config config = link_direction_default;
    struct link_fixture f;
    char text[400];

    config.delay = 10 * NS_PER_MS;
    link_fixture_init(&f, &config);
    capture_end(&f, 0, a, CAPTURE_PCAPNG);
    // 5,000 frames of 1,000 bytes: many blocks are written on the way.
    for (uint32_t i = 1; i <= 5000; i++)
        link_fixture_send(&f, i * NS_PER_US, i, 1000);
    sim_run(f.sim, 12 * NS_PER_MS); // some 2,000 have arrived
    f.sim->engine.now = 12 * NS_PER_MS;
    link_set_up(f.link, false);
    uint64_t lost = link_get_stats(f.link, 0).dropped[LINK_DROP_DOWN];
    CHECK_EQUAL(lost, 5000 - f.b->count);
    link_fixture_fini(&f);
    file_read(a);
    CHECK(a->is_whole);
    CHECK_EQUAL(a->count, 5000);
    uint64_t told = 0;
    for (size_t i = 0; i < a->count; i++)
        if (comment_of(a->blocks[i], 0, text, sizeof(text)) != NULL) {
            CHECK_TEXT(text, "lost on link wire: the link went down");
            CHECK(i >= 5000 - lost);
            told++;
        }
    CHECK_EQUAL(told, lost);
    for (size_t i = 0; i < a->count; i++)
        CHECK_EQUAL(get_le32(find_option(a->blocks[i], 5, 0) + 4), i + 1);
    file_fini(a);
}

static void a_held_frame_does_not_hold_the_file_for_ever(void)
{
    struct impairment_config hold = impairment_default;
    struct file *a = file_create();
    uint32_t first[] = {1};
    struct link_fixture f;
    struct stat status;

    hold.action = IMPAIR_HOLD;
    hold.select.nth = first;
    hold.select.nth_count = 1;
    fixture_with(&f, 0, 1, &hold);
    capture_end(&f, 0, a, CAPTURE_PCAPNG);
    for (uint32_t i = 1; i <= 15000; i++)
        link_fixture_send(&f, i, i, 1500);
    link_fixture_run(&f);
    must(stat(a->path, &status) == 0);
    CHECK(status.st_size > CAPTURE_HOLD_LIMIT);
    link_fixture_fini(&f);
    file_read(a);
    CHECK(a->is_whole);
    CHECK_EQUAL(a->count, 15000);
    file_fini(a);
}

static void a_short_snap_length_keeps_the_true_length(void)
{
    struct file *a = file_create();
    struct link_fixture f;

    link_fixture_init(&f, NULL);
    struct capture_config config = {.path = a->path, .snap_length = 33};
    CHECK_EQUAL(capture_create(f.sim, f.link->ends[0], &config), 0);
    link_fixture_send(&f, 1, 1, 200);
    link_fixture_run(&f);
    link_fixture_fini(&f);
    file_read(a);
    CHECK(a->is_whole);
    CHECK_EQUAL(get_le32(a->blocks[0] + 20), 33);
    CHECK_EQUAL(get_le32(a->blocks[0] + 24), 200);
    file_fini(a);
}

// --- Hosts

// A name resolution record: the address, then the name.
static bool has_name(const struct file *file, const uint8_t *address,
                     size_t size, const char *name)
{
    uint8_t record[40];

    memcpy(record, address, size);
    memcpy(record + size, name, strlen(name) + 1);
    return memmem(file->bytes, file->length, record, size + strlen(name) + 1) !=
           NULL;
}

static void addresses_have_the_names_of_their_hosts(void)
{
    struct file *file = file_create();
    struct sim *sim = host_fixture_create(1);
    struct host *a = host_fixture_add(sim, "alice", false);
    struct host *b = host_fixture_add(sim, "bob", false);
    struct link *link = host_fixture_join(sim, &a->node, "10.0.0.1/24",
                                          &b->node, "10.0.0.2/24");
    struct capture_config config = {.path = file->path};
    const uint8_t first[] = {10, 0, 0, 1}, second[] = {10, 0, 0, 2},
                  later[] = {10, 0, 0, 3};

    CHECK_EQUAL(capture_create(sim, link->ends[0], &config), 0);
    CHECK_EQUAL(host_fixture_talk(sim, a, b, "10.0.0.2"), 5);
    host_fixture_address(link->ends[1], "10.0.0.3/24");
    host_fixture_destroy(sim);
    file_read(file);
    CHECK(file->is_whole);
    CHECK(file->others[NAMES_BLOCK] >= 1);
    CHECK(has_name(file, first, 4, "alice"));
    CHECK(has_name(file, second, 4, "bob"));
    CHECK(has_name(file, later, 4, "bob"));
    file_fini(file);
}

static void a_point_to_point_capture_is_of_bare_packets(void)
{
    struct file *file = file_create();
    struct sim *sim = host_fixture_create(1);
    struct host *a = host_fixture_add(sim, "a", false);
    struct host *b = host_fixture_add(sim, "b", false);
    struct link_config link_config = {.ends = {&a->node, &b->node},
                                      .is_point_to_point = true};
    struct capture_config config = {.path = file->path};
    struct link *link;
    char error[PCAP_ERRBUF_SIZE];

    link_config.direction[0].rate_bps = 1000000;
    must(sim_add_link(sim, &link_config, &link) == 0);
    host_fixture_address(link->ends[0], "10.0.0.1/30");
    host_fixture_address(link->ends[1], "10.0.0.2/30");
    CHECK_EQUAL(capture_create(sim, link->ends[1], &config), 0);
    CHECK_EQUAL(host_fixture_talk(sim, a, b, "10.0.0.2"), 5);
    host_fixture_destroy(sim);
    file_read(file);
    CHECK(file->is_whole);
    CHECK_FATAL(file->count >= 1);
    CHECK_EQUAL(file->blocks[file->count - 1][28] >> 4, 4); // an IPv4 header
    pcap_t *pcap = pcap_open_offline(file->path, error);
    CHECK_FATAL(pcap != NULL);
    CHECK_EQUAL(pcap_datalink(pcap), DLT_RAW);
    pcap_close(pcap);
    file_fini(file);
}

// --- libpcap

static void check_with_libpcap(enum capture_format format)
{
    struct file *a = file_create();
    struct link_fixture f;
    char error[PCAP_ERRBUF_SIZE];
    struct pcap_pkthdr *header;
    const u_char *bytes;

    link_fixture_init(&f, NULL);
    capture_end(&f, 0, a, format);
    link_fixture_send(&f, 1 * NS_PER_S + 234567891, 1, 75);
    link_fixture_send(&f, 2 * NS_PER_S, 2, 60);
    link_fixture_run(&f);
    link_fixture_fini(&f);
    pcap_t *pcap = pcap_open_offline_with_tstamp_precision(
        a->path, PCAP_TSTAMP_PRECISION_NANO, error);
    CHECK_FATAL(pcap != NULL);
    CHECK_EQUAL(pcap_datalink(pcap), DLT_EN10MB);
    CHECK_EQUAL(pcap_next_ex(pcap, &header, &bytes), 1);
    CHECK_EQUAL(header->ts.tv_sec, 1);
    CHECK_EQUAL(header->ts.tv_usec, 234567891);
    CHECK_EQUAL(header->len, 75);
    CHECK_EQUAL(bytes[17], 1);
    CHECK_EQUAL(pcap_next_ex(pcap, &header, &bytes), 1);
    CHECK_EQUAL(pcap_next_ex(pcap, &header, &bytes), PCAP_ERROR_BREAK);
    pcap_close(pcap);
    file_fini(a);
}

static void libpcap_reads_pcapng(void) { check_with_libpcap(CAPTURE_PCAPNG); }
static void libpcap_reads_the_classic_format(void)
{
    check_with_libpcap(CAPTURE_PCAP);
}

// --- Failure

static void a_file_that_cannot_be_opened_is_refused(void)
{
    struct capture_config config = {.path = "/nonexistent/x.pcapng"};
    struct link_fixture f;

    link_fixture_init(&f, NULL);
    CHECK_EQUAL(capture_create(f.sim, f.link->ends[0], &config), -ENOENT);
    CHECK(f.link->ends[0]->capture == NULL);
    link_fixture_fini(&f);
}

static void a_low_limit_of_open_files_is_raised(void)
{
    struct capture_config config = {.path = "/dev/null"};
    struct rlimit before, low;
    struct link_fixture f;

    link_fixture_init(&f, NULL);
    int next = open("/dev/null", O_RDONLY);
    must(next >= 0 && getrlimit(RLIMIT_NOFILE, &before) == 0);
    low = (struct rlimit){(rlim_t)next + 1, before.rlim_max};
    must(setrlimit(RLIMIT_NOFILE, &low) == 0);
    CHECK_EQUAL(capture_create(f.sim, f.link->ends[0], &config), 0);
    must(setrlimit(RLIMIT_NOFILE, &before) == 0);
    close(next);
    link_fixture_fini(&f);
}

static void a_full_disk_ends_the_capture_and_not_the_run(void)
{
    struct capture_config config = {.path = "/dev/full"};
    struct link_fixture f;

    link_fixture_init(&f, NULL);
    CHECK_EQUAL(capture_create(f.sim, f.link->ends[0], &config), 0);
    for (uint32_t i = 1; i <= 1000; i++)
        link_fixture_send(&f, i, i, 1000);
    link_fixture_run(&f);
    CHECK_EQUAL(f.b->count, 1000);
    CHECK_EQUAL(capture_error(f.link->ends[0]->capture), -ENOSPC);
    CHECK_TEXT(capture_path(f.link->ends[0]->capture), "/dev/full");
    CHECK_EQUAL(sim_finish(f.sim), -ENOSPC);
    sim_destroy(f.sim);
}

static void memory_that_runs_out_ends_the_capture_and_not_the_run(void)
{
    enum capture_format formats[] = {CAPTURE_PCAPNG, CAPTURE_PCAP};
    unsigned ended = 0;

    for (unsigned n = 1; n <= 60; n++) {
        struct impairment_config drop = impairment_default;
        struct file *a = file_create();
        struct link_fixture f;

        drop.select.every = 3;
        fixture_with(&f, NS_PER_US, 1, &drop);
        for (uint32_t i = 1; i <= 300; i++) // packets must not run out
            link_fixture_send(&f, i * 10, i, 1000);
        link_fixture_run(&f);
        capture_end(&f, 0, a, formats[n % 2]);
        malloc_fail_after(n);
        for (uint32_t i = 1; i <= 900; i++)
            link_fixture_send(&f, NS_PER_MS + i * 10, i, 1000);
        link_fixture_run(&f);
        int error = sim_finish(f.sim);
        malloc_fail_after(0);
        CHECK(error == 0 || error == -ENOMEM);
        ended += error != 0;
        CHECK_EQUAL(f.b->count, 800);
        sim_destroy(f.sim);
        file_fini(a);
    }
    CHECK(ended > 10);
}

static void what_is_in_a_cut_file_is_whole_blocks(void)
{
    struct rlimit before, small = {700001, 700001};
    enum capture_format formats[] = {CAPTURE_PCAPNG, CAPTURE_PCAP};

    must(getrlimit(RLIMIT_FSIZE, &before) == 0);
    small.rlim_max = before.rlim_max;
    for (unsigned i = 0; i < 2; i++) {
        struct file *a = file_create();
        struct link_fixture f;

        link_fixture_init(&f, NULL);
        capture_end(&f, 0, a, formats[i]);
        signal(SIGXFSZ, SIG_IGN);
        must(setrlimit(RLIMIT_FSIZE, &small) == 0);
        for (uint32_t n = 1; n <= 1500; n++)
            link_fixture_send(&f, n, n, 1000);
        CHECK_EQUAL(sim_finish(f.sim), -EFBIG);
        must(setrlimit(RLIMIT_FSIZE, &before) == 0);
        sim_destroy(f.sim);
        file_read(a);
        CHECK(a->length > 600000 && a->length < 700001);
        CHECK(formats[i] == CAPTURE_PCAPNG ? a->is_whole
                                           : (a->length - 24) % 1016 == 0);
        file_fini(a);
    }
}

static void the_hash_tells_captures_apart(void)
{
    uint64_t hashes[3];

    for (unsigned i = 0; i < 3; i++) {
        struct file *a = file_create();
        struct link_fixture f;

        link_fixture_init(&f, NULL);
        capture_end(&f, 0, a, CAPTURE_PCAPNG);
        link_fixture_send(&f, 1, i < 2 ? 1 : 2, 60);
        sim_finish(f.sim);
        hashes[i] = capture_hash(f.link->ends[0]->capture);
        sim_destroy(f.sim);
        file_fini(a);
    }
    CHECK(hashes[0] == hashes[1]);
    CHECK(hashes[0] != hashes[2]);
}

const struct unit_test suite_capture[] = {
    UNIT(both_ends_see_the_frame_at_their_times),
    UNIT(an_empty_capture_is_a_file_with_an_interface),
    UNIT(the_fate_of_a_frame_stands_on_the_senders_record),
    UNIT(a_corrupted_frame_is_good_where_it_was_sent),
    UNIT(a_frame_may_have_several_comments_in_order),
    UNIT(a_frame_under_way_is_amended_though_others_were_written),
    UNIT(a_held_frame_does_not_hold_the_file_for_ever),
    UNIT(a_short_snap_length_keeps_the_true_length),
    UNIT(addresses_have_the_names_of_their_hosts),
    UNIT(a_point_to_point_capture_is_of_bare_packets),
    UNIT(libpcap_reads_pcapng),
    UNIT(libpcap_reads_the_classic_format),
    UNIT(a_file_that_cannot_be_opened_is_refused),
    UNIT(a_low_limit_of_open_files_is_raised),
    UNIT(a_full_disk_ends_the_capture_and_not_the_run),
    UNIT(memory_that_runs_out_ends_the_capture_and_not_the_run),
    UNIT(what_is_in_a_cut_file_is_whole_blocks),
    UNIT(the_hash_tells_captures_apart),
    {0},
};
