// Reads a script from its file and runs it to its result.
// SPDX-License-Identifier: MIT

#include "sim/packetdrill/runner.h"

#include "stack/siphash.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_DEFINES = 64, MAX_SCRIPT_SIZE = 16 << 20 };

static char *read_file(const char *path, int *error)
{
    FILE *in = fopen(path, "rb");
    char *text = NULL;
    size_t size = 0;

    if (in == NULL) {
        *error = -errno;
        return NULL;
    }
    text = malloc(MAX_SCRIPT_SIZE);
    must(text != NULL);
    size = fread(text, 1, MAX_SCRIPT_SIZE - 1, in);
    text[size] = '\0';
    *error = ferror(in) ? -EIO : memchr(text, '\0', size) ? -EILSEQ : 0;
    fclose(in);
    if (*error == 0)
        return text;
    free(text);
    return NULL;
}

struct defines {
    char cookie[20];
    struct script_define list[MAX_DEFINES];
    char names[MAX_DEFINES][64];
    size_t count;
};

static bool is_defined(const struct defines *defines, const char *name)
{
    for (size_t i = 0; i < defines->count; i++)
        if (strcmp(defines->list[i].name, name) == 0)
            return true;
    return false;
}

static void define(struct defines *defines, const char *name, const char *value)
{
    if (defines->count < MAX_DEFINES && !is_defined(defines, name))
        defines->list[defines->count++] =
            (struct script_define){.name = name, .value = value};
}

static void collect_defines(const struct packetdrill_options *options,
                            struct defines *out)
{
    out->count = 0;
    for (size_t i = 0; i < options->define_count && i < MAX_DEFINES; i++) {
        const char *equals = strchr(options->defines[i], '=');
        size_t length = strcspn(options->defines[i], "=");
        char *name = out->names[out->count];

        snprintf(name, sizeof(out->names[0]), "%.*s", (int)length,
                 options->defines[i]);
        define(out, name, equals != NULL ? equals + 1 : "");
    }
    // What the corpora expect their runner to define.
    define(out, "CODE", "host_unreachable");
}

// Scripts that know both say what differs between the RFCs' and FreeBSD's
// behaviour.
static void define_system(struct defines *out, enum packetdrill_profile profile)
{
    if (is_defined(out, "FreeBSD") || is_defined(out, "STANDARD"))
        return;
    define(out, profile == PACKETDRILL_FREEBSD ? "FreeBSD" : "STANDARD", "");
}

// TFO_COOKIE is the cookie that a server with the default key gives out.
static void define_cookie(struct defines *defines, const struct script *script,
                          const struct packetdrill_options *options)
{
    struct stack_settings settings = stack_settings_default;
    struct ip_addr local, remote;
    uint8_t both[32];

    if (script_addresses(script, options, &local, &remote) != NULL)
        return;
    profile_apply_defaults_sh(&settings);
    const struct siphash_key key = {(uint64_t)settings.tcp_fast_open_key0,
                                    (uint64_t)settings.tcp_fast_open_key1};
    size_t length = ip_addr_length(local.family);
    memcpy(both, remote.bytes, length);
    memcpy(both + length, local.bytes, length);
    uint64_t hash = siphash(&key, both, 2 * length);
    for (int i = 0; i < 8; i++)
        snprintf(defines->cookie + 2 * i, 3, "%02x",
                 (unsigned)(hash >> 8 * i & 255));
}

// A first reading tells the system and the addresses, on which some words
// depend. *profile changes when it is PACKETDRILL_AUTO; *tries_both tells that
// the script shows no sign of its system.
static void read_ahead(const char *path, const char *text,
                       const struct packetdrill_options *options,
                       struct defines *defines,
                       enum packetdrill_profile *profile, bool *tries_both)
{
    struct script_error error;
    struct script script;

    snprintf(defines->cookie, sizeof(defines->cookie), "0000000000000000");
    define(defines, "TFO_COOKIE", defines->cookie);
    bool is_parsed = script_parse(path, text, defines->list, defines->count,
                                  &script, &error) == SCRIPT_PARSED;
    if (is_parsed)
        define_cookie(defines, &script, options);
    if (*profile == PACKETDRILL_AUTO)
        *profile = is_parsed ? profile_guess(&script) : PACKETDRILL_LINUX;
    *tries_both = *profile == PACKETDRILL_AUTO;
    if (*tries_both)
        *profile = PACKETDRILL_LINUX;
    script_fini(&script);
}

static void refuse(struct packetdrill_result *result,
                   enum script_outcome outcome,
                   const struct script_error *error)
{
    result->outcome = outcome == SCRIPT_MISTAKEN ? PACKETDRILL_FAILED
                                                 : PACKETDRILL_NOT_RUNNABLE;
    result->line = error->line;
    snprintf(result->summary, sizeof(result->summary), "%s", error->message);
}

static void run_script(const struct script *script,
                       const struct packetdrill_options *options,
                       enum packetdrill_profile profile,
                       struct packetdrill_result *result)
{
    struct runner *r = calloc(1, sizeof(*r));

    must(r != NULL);
    r->options = options;
    r->script = script;
    r->result = result;
    r->profile = result->profile = profile;
    r->is_freebsd = profile == PACKETDRILL_FREEBSD;
    result->outcome = PACKETDRILL_PASSED;
    if (runner_set_up(r))
        runner_run(r);
    if (result->outcome == PACKETDRILL_PASSED) {
        result->passes_without_push = true;
        if (r->differs_in_push) {
            result->outcome = PACKETDRILL_FAILED;
            snprintf(result->summary, sizeof(result->summary),
                     "only PSH flags differ");
        }
    }
    runner_tear_down(r);
    free(r);
}

// The second try; the first one's failure is told when both fail.
static void try_freebsd(const struct script *script,
                        const struct packetdrill_options *options,
                        struct packetdrill_result *result)
{
    struct packetdrill_result second;

    memset(&second, 0, sizeof(second));
    run_script(script, options, PACKETDRILL_FREEBSD, &second);
    if (second.outcome != PACKETDRILL_PASSED) {
        packetdrill_result_fini(&second);
        return;
    }
    packetdrill_result_fini(result);
    *result = second;
}

void packetdrill_run_text(const char *path, const char *text,
                          const struct packetdrill_options *options,
                          struct packetdrill_result *result)
{
    memset(result, 0, sizeof(*result));
    struct defines *defines = calloc(1, sizeof(*defines));
    enum packetdrill_profile profile = options->profile;
    struct script_error error;
    struct script script;

    must(defines != NULL);
    collect_defines(options, defines);
    bool tries_both = false;
    read_ahead(path, text, options, defines, &profile, &tries_both);
    define_system(defines, profile);
    enum script_outcome outcome = script_parse(path, text, defines->list,
                                               defines->count, &script, &error);
    if (outcome != SCRIPT_PARSED) {
        refuse(result, outcome, &error);
    } else if (options->only_check) {
        result->outcome = PACKETDRILL_PASSED;
        result->passes_without_push = true;
    } else {
        run_script(&script, options, profile, result);
        if (tries_both && result->outcome == PACKETDRILL_FAILED)
            try_freebsd(&script, options, result);
    }
    script_fini(&script);
    free(defines);
}

void packetdrill_run(const char *path,
                     const struct packetdrill_options *options,
                     struct packetdrill_result *result)
{
    memset(result, 0, sizeof(*result));
    char *text = read_file(path, &result->error);
    if (text == NULL) {
        result->outcome = PACKETDRILL_UNREADABLE;
        return;
    }
    packetdrill_run_text(path, text, options, result);
    free(text);
}

void packetdrill_result_fini(struct packetdrill_result *result)
{
    free(result->report);
    result->report = NULL;
}
