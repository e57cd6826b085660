// Recording, writing, reading and replaying of faults.
// SPDX-License-Identifier: MIT

#include "sim/link/fault_plan.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "sim/link/direction.h"
#include "sim/sim.h"

static const char *const kind_names[FAULT_KIND_COUNT] = {
    [FAULT_LOSE] = "lose",           [FAULT_DROP] = "drop",
    [FAULT_JITTER] = "jitter",       [FAULT_DELAY] = "delay",
    [FAULT_REORDER] = "reorder",     [FAULT_OVERTAKE] = "overtake",
    [FAULT_HOLD] = "hold",           [FAULT_DISPLACE] = "displace",
    [FAULT_DUPLICATE] = "duplicate", [FAULT_CORRUPT] = "corrupt",
    [FAULT_MARK] = "mark",
};

const char *fault_kind_name(enum fault_kind kind)
{
    must((size_t)kind < FAULT_KIND_COUNT);
    return kind_names[kind];
}

// --- Lists

void fault_list_add(struct fault_list *list, const struct fault_entry *entry)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity > 0 ? list->capacity * 2 : 16;
        struct fault_entry *entries =
            realloc(list->entries, capacity * sizeof(*entries));

        if (entries == NULL) {
            list->is_cut = true;
            return;
        }
        list->entries = entries;
        list->capacity = capacity;
    }
    list->entries[list->count++] = *entry;
}

void fault_list_fini(struct fault_list *list)
{
    free(list->entries);
    *list = (struct fault_list){0};
}

// --- Recording

int sim_record_faults(struct sim *sim)
{
    sim->records_faults = true;
    for (struct link *link = sim->links; link != NULL; link = link->next)
        for (unsigned i = 0; i < 2; i++)
            if (direction_record(link->direction[i]) < 0)
                return -ENOMEM;
    return 0;
}

static void write_time(FILE *out, ns_t time)
{
    fprintf(out, " %lldns", (long long)time);
}

static void write_fault(FILE *out, const struct fault *fault)
{
    fprintf(out, " %s", fault_kind_name(fault->kind));
    switch (fault->kind) {
    case FAULT_JITTER:
    case FAULT_DELAY:
    case FAULT_REORDER:
        write_time(out, fault->time);
        break;
    case FAULT_HOLD:
    case FAULT_DISPLACE:
        if (fault->count > 0)
            fprintf(out, " behind %u", fault->count);
        if (fault->time != NS_NEVER)
            write_time(out, fault->time);
        break;
    case FAULT_DUPLICATE:
        fprintf(out, " %u", fault->count);
        if (fault->time != 0)
            write_time(out, fault->time);
        break;
    case FAULT_CORRUPT:
        fprintf(out, " %u", fault->count);
        break;
    default:
        break;
    }
    fputc('\n', out);
}

static void write_list(FILE *out, const struct port *port,
                       const struct fault_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct fault_entry *entry = &list->entries[i];

        fprintf(out, "%s:%s %u", port->node->name, port->name, entry->frame);
        if (entry->copy > 0)
            fprintf(out, ".%u", entry->copy);
        write_fault(out, &entry->fault);
    }
}

int sim_write_faults(const struct sim *sim, FILE *out)
{
    bool is_cut = false;

    fprintf(out, "# faults of scenario %s, seed %llu\n", sim->name,
            (unsigned long long)sim->seed);
    for (const struct link *link = sim->links; link != NULL; link = link->next)
        for (unsigned i = 0; i < 2; i++) {
            const struct fault_list *log = link->direction[i]->log;

            if (log == NULL)
                continue;
            is_cut |= log->is_cut;
            write_list(out, link->ends[i], log);
        }
    if (fflush(out) != 0 || ferror(out))
        return errno != 0 ? -errno : -EIO;
    return is_cut ? -ENOMEM : 0;
}

// --- Plans

struct port_faults {
    char *port; // "node:port"
    struct fault_list list;
    struct port_faults *next;
};

struct fault_plan {
    struct port_faults *ports; // few: found one by one
    struct fault_list nothing;
};

void fault_plan_destroy(struct fault_plan *plan)
{
    if (plan == NULL)
        return;
    while (plan->ports != NULL) {
        struct port_faults *next = plan->ports->next;

        fault_list_fini(&plan->ports->list);
        free(plan->ports->port);
        free(plan->ports);
        plan->ports = next;
    }
    free(plan);
}

static struct fault_list *list_of(struct fault_plan *plan, const char *port)
{
    struct port_faults **at = &plan->ports;

    while (*at != NULL && strcmp((*at)->port, port) != 0)
        at = &(*at)->next;
    if (*at == NULL) {
        struct port_faults *fresh = calloc(1, sizeof(*fresh));

        if (fresh == NULL)
            return NULL;
        fresh->port = strdup(port);
        if (fresh->port == NULL) {
            free(fresh);
            return NULL;
        }
        *at = fresh;
    }
    return &(*at)->list;
}

static bool is_called(const struct port_faults *faults, const char *node,
                      const char *port)
{
    size_t length = strlen(node);

    return strncmp(faults->port, node, length) == 0 &&
           faults->port[length] == ':' &&
           strcmp(faults->port + length + 1, port) == 0;
}

const struct fault_list *fault_plan_find(struct fault_plan *plan,
                                         const char *node, const char *port)
{
    for (struct port_faults *at = plan->ports; at != NULL; at = at->next)
        if (is_called(at, node, port))
            return &at->list;
    return &plan->nothing;
}

static bool is_in_network(const struct port_faults *faults,
                          const struct sim *sim)
{
    for (const struct node *node = sim->nodes; node != NULL; node = node->next)
        for (const struct port *port = node->ports; port != NULL;
             port = port->next)
            if (is_called(faults, node->name, port->name))
                return true;
    return false;
}

const char *fault_plan_unknown(const struct fault_plan *plan,
                               const struct sim *sim)
{
    for (const struct port_faults *at = plan->ports; at != NULL; at = at->next)
        if (!is_in_network(at, sim))
            return at->port;
    return NULL;
}

void sim_replay_faults(struct sim *sim, struct fault_plan *plan)
{
    for (struct link *link = sim->links; link != NULL; link = link->next)
        for (unsigned i = 0; i < 2; i++)
            direction_replay(link->direction[i], plan);
    fault_plan_destroy(sim->fault_plan);
    sim->fault_plan = plan;
}

// --- Reading

// Far from where sums of times would overflow, and copies fill the memory.
#define LONGEST (INT64_C(366) * 86400 * NS_PER_S)
enum { MOST_COPIES = 1000 };

struct reader {
    char *save; // strtok_r
    char *error;
    size_t error_size;
};

__attribute__((format(printf, 2, 3))) static bool wrong(struct reader *reader,
                                                        const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(reader->error, reader->error_size, format, arguments);
    va_end(arguments);
    return false;
}

static char *next_word(struct reader *reader)
{
    return strtok_r(NULL, " \t\r\n", &reader->save);
}

static bool read_number(struct reader *reader, const char *word,
                        const char *what, uint32_t *out)
{
    char *end;

    if (word == NULL)
        return wrong(reader, "%s is missing", what);
    errno = 0;
    unsigned long long value = strtoull(word, &end, 10);
    if (*word < '0' || *word > '9' || *end != '\0' || errno != 0 ||
        value > UINT32_MAX)
        return wrong(reader, "\"%s\" is not %s", word, what);
    *out = (uint32_t)value;
    return true;
}

static bool read_time(struct reader *reader, const char *word, ns_t *out)
{
    char *end;

    if (word == NULL)
        return wrong(reader, "a time is missing");
    errno = 0;
    long long value = strtoll(word, &end, 10);
    if (end == word || strcmp(end, "ns") != 0 || errno != 0)
        return wrong(reader, "\"%s\" is not a time in nanoseconds (\"3000ns\")",
                     word);
    if (value > LONGEST || value < -LONGEST)
        return wrong(reader, "\"%s\" is longer than a year", word);
    *out = value;
    return true;
}

static bool read_later_time(struct reader *reader, const char *word, ns_t *out)
{
    ns_t time = 0;

    if (!read_time(reader, word, &time))
        return false;
    if (time < 0)
        return wrong(reader, "\"%s\" is negative", word);
    *out = time;
    return true;
}

// "7" or "7.2".
static bool read_frame(struct reader *reader, char *word,
                       struct fault_entry *entry)
{
    char *dot = word != NULL ? strchr(word, '.') : NULL;

    if (dot != NULL) {
        *dot = '\0';
        if (!read_number(reader, dot + 1, "the number of a copy", &entry->copy))
            return false;
    }
    if (!read_number(reader, word, "the number of a frame", &entry->frame))
        return false;
    return entry->frame > 0 || wrong(reader, "frames are counted from 1");
}

static bool read_hold(struct reader *reader, struct fault *fault)
{
    char *word = next_word(reader);

    fault->time = NS_NEVER;
    if (word != NULL && strcmp(word, "behind") == 0) {
        if (!read_number(reader, next_word(reader), "a number of frames",
                         &fault->count))
            return false;
        word = next_word(reader);
    }
    return word == NULL || read_later_time(reader, word, &fault->time);
}

static bool read_details(struct reader *reader, struct fault *fault)
{
    char *word;

    switch (fault->kind) {
    case FAULT_JITTER:
        return read_time(reader, next_word(reader), &fault->time);
    case FAULT_DELAY:
    case FAULT_REORDER:
        return read_later_time(reader, next_word(reader), &fault->time);
    case FAULT_HOLD:
    case FAULT_DISPLACE:
        return read_hold(reader, fault);
    case FAULT_DUPLICATE:
        if (!read_number(reader, next_word(reader), "a number of copies",
                         &fault->count))
            return false;
        if (fault->count > MOST_COPIES)
            return wrong(reader, "%u copies are too many", fault->count);
        word = next_word(reader);
        return word == NULL || read_later_time(reader, word, &fault->time);
    case FAULT_CORRUPT:
        return read_number(reader, next_word(reader), "the number of a bit",
                           &fault->count);
    default:
        return true;
    }
}

static bool read_fault(struct reader *reader, struct fault *fault)
{
    const char *word = next_word(reader);
    unsigned kind = 0;

    if (word == NULL)
        return wrong(reader, "what happens to the frame is missing");
    while (kind < FAULT_KIND_COUNT && strcmp(kind_names[kind], word) != 0)
        kind++;
    if (kind == FAULT_KIND_COUNT)
        return wrong(reader, "\"%s\" is nothing that happens to a frame", word);
    fault->kind = (enum fault_kind)kind;
    if (!read_details(reader, fault))
        return false;
    word = next_word(reader);
    return word == NULL || wrong(reader, "\"%s\" is too much", word);
}

static int compare_entries(const void *a, const void *b)
{
    const struct fault_entry *x = a, *y = b;

    return (x->frame > y->frame) - (x->frame < y->frame);
}

// Frames of a port may stand in any order, what happens to one of them not.
static void sort_entry(struct fault_list *list)
{
    struct fault_entry last = list->entries[list->count - 1];
    size_t i = list->count - 1;

    while (i > 0 && compare_entries(&list->entries[i - 1], &last) > 0) {
        list->entries[i] = list->entries[i - 1];
        i--;
    }
    list->entries[i] = last;
}

static bool read_line(struct fault_plan *plan, struct reader *reader,
                      char *text)
{
    struct fault_entry entry = {0};
    char *port;

    text[strcspn(text, "#")] = '\0';
    port = strtok_r(text, " \t\r\n", &reader->save);
    if (port == NULL)
        return true;
    if (strchr(port, ':') == NULL)
        return wrong(reader, "\"%s\" is no port (\"host:eth0\")", port);
    if (!read_frame(reader, next_word(reader), &entry) ||
        !read_fault(reader, &entry.fault))
        return false;
    struct fault_list *list = list_of(plan, port);
    if (list == NULL)
        return wrong(reader, "out of memory");
    fault_list_add(list, &entry);
    if (list->is_cut)
        return wrong(reader, "out of memory");
    sort_entry(list);
    return true;
}

struct fault_plan *fault_plan_read(FILE *in, unsigned *line, char *error,
                                   size_t error_size)
{
    struct fault_plan *plan = calloc(1, sizeof(*plan));
    struct reader reader = {.error = error, .error_size = error_size};
    char *text = NULL;
    size_t size = 0;
    bool is_good = plan != NULL;

    *line = 0;
    if (plan == NULL)
        wrong(&reader, "out of memory");
    while (is_good && getline(&text, &size, in) >= 0) {
        ++*line;
        is_good = read_line(plan, &reader, text);
    }
    if (is_good && ferror(in))
        is_good = wrong(&reader, "%s", strerror(errno));
    free(text);
    if (is_good)
        return plan;
    fault_plan_destroy(plan);
    return NULL;
}
