// wirebed packetdrill: runs packetdrill scripts in virtual time.
// SPDX-License-Identifier: MIT
#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/cli.h"
#include "sim/packetdrill/packetdrill.h"

static const struct option options[] = {
    {"profile", required_argument, NULL, 'p'},
    {"ip-version", required_argument, NULL, 'i'},
    {"define", required_argument, NULL, 'D'},
    {"tolerance", required_argument, NULL, 't'},
    {"out", required_argument, NULL, 'o'},
    {"strict", no_argument, NULL, 'S'},
    {"ignore-push", no_argument, NULL, 'P'},
    {"check", no_argument, NULL, 'c'},
    {"quiet", no_argument, NULL, 'q'},
    {"verbose", no_argument, NULL, 'v'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static void print_help(void)
{
    printf(
        "Usage: wirebed packetdrill [OPTION]... FILE|DIR...\n"
        "\n"
        "Runs packetdrill scripts (*.pkt; folders are searched) against one "
        "stack of ours,\n"
        "each with a stack of its own, in virtual time. A script passes when "
        "every packet,\n"
        "system call and assertion in it holds. What asks for something that "
        "is not there\n"
        "is told as \"not runnable\" and counts as skipped.\n"
        "\n"
        "  --profile auto|linux|freebsd\n"
        "                     which system the scripts expect (auto: by their "
        "text)\n"
        "  --ip-version ipv4|ipv6|ipv4-mapped-ipv6\n"
        "                     as the script says, otherwise IPv4\n"
        "  -D, --define NAME[=VALUE]\n"
        "                     for #ifdef and words such as TFO_COOKIE\n"
        "  --tolerance script|USECS\n"
        "                     how far a time may be off. Without it: what the "
        "script sets,\n"
        "                     otherwise 0; 'script': otherwise 4000 as the "
        "reference tool;\n"
        "                     both with an eighth of the time since the event "
        "before. A\n"
        "                     number counts alone.\n"
        "  --out DIR          leave a capture of each script there\n"
        "  --strict           PSH flags count (this is the default)\n"
        "  --ignore-push      a script that fails by PSH flags alone passes\n"
        "  --check            only read the scripts\n"
        "  -q, --quiet        the totals only\n"
        "  -v, --verbose      a line for each script that passes, too\n"
        "  -h, --help         this text\n"
        "\n"
        "Exit status: 0 all passed, 1 some failed, 2 a wrong option or "
        "file.\n");
}

struct job {
    struct packetdrill_options options;
    bool ignores_push, is_quiet, is_verbose;
    unsigned passed, failed, skipped, passed_without_push;
    int status; // worst of the files that could not be read
};

static const char *profile_name(enum packetdrill_profile profile)
{
    return profile == PACKETDRILL_FREEBSD ? "freebsd" : "linux";
}

static void print_result(const struct job *job, const char *path,
                         const struct packetdrill_result *result,
                         const char *word)
{
    if (job->is_quiet)
        return;
    printf("%s:%d: %s: %s", path, result->line, word, result->summary);
    if (result->profile != PACKETDRILL_AUTO)
        printf(" [%s]", profile_name(result->profile));
    printf("\n%s", result->report != NULL ? result->report : "");
}

static void run_file(struct job *job, const char *path)
{
    struct packetdrill_result result;

    packetdrill_run(path, &job->options, &result);
    bool passes = result.outcome == PACKETDRILL_PASSED ||
                  (job->ignores_push && result.passes_without_push);
    job->passed_without_push += result.passes_without_push;
    if (passes) {
        job->passed++;
        if (job->is_verbose)
            printf("%s: passed\n", path);
    } else if (result.outcome == PACKETDRILL_FAILED) {
        job->failed++;
        print_result(job, path, &result, "failed");
    } else if (result.outcome == PACKETDRILL_NOT_RUNNABLE) {
        job->skipped++;
        print_result(job, path, &result, "not runnable");
    } else {
        fprintf(stderr, "wirebed packetdrill: %s: %s\n", path,
                strerror(-result.error));
        job->status = STATUS_USER;
    }
    packetdrill_result_fini(&result);
}

static bool is_script(const char *name)
{
    size_t length = strlen(name);

    return length > 4 && strcmp(name + length - 4, ".pkt") == 0;
}

static void run_path(struct job *job, const char *path, bool is_named);

static void run_folder(struct job *job, const char *path)
{
    struct dirent **entries;
    int count = scandir(path, &entries, NULL, alphasort);

    if (count < 0) {
        fprintf(stderr, "wirebed packetdrill: %s: %s\n", path, strerror(errno));
        job->status = STATUS_USER;
        return;
    }
    for (int i = 0; i < count; i++) {
        char child[4096];

        if (entries[i]->d_name[0] != '.') {
            snprintf(child, sizeof(child), "%s/%s", path, entries[i]->d_name);
            run_path(job, child, false);
        }
        free(entries[i]);
    }
    free(entries);
}

// Files that the user names are run whatever they are called.
static void run_path(struct job *job, const char *path, bool is_named)
{
    struct stat info;

    if (stat(path, &info) == 0 && S_ISDIR(info.st_mode))
        run_folder(job, path);
    else if (is_named || is_script(path))
        run_file(job, path);
}

// --- Options

static int choose(const char *option, const char *word,
                  const char *const *words, int *out)
{
    for (int i = 0; words[i] != NULL; i++)
        if (strcmp(words[i], word) == 0) {
            *out = i;
            return STATUS_OK;
        }
    return usage_error("packetdrill", "--%s: '%s' is not one of them", option,
                       word);
}

static int set_profile(struct job *job, const char *word)
{
    static const char *const words[] = {"auto", "linux", "freebsd", NULL};
    int choice = 0, status = choose("profile", word, words, &choice);

    job->options.profile = (enum packetdrill_profile)choice;
    return status;
}

static int set_family(struct job *job, const char *word)
{
    static const char *const words[] = {"as-scripted", "ipv4", "ipv6",
                                        "ipv4-mapped-ipv6", NULL};
    int choice = 0, status = choose("ip-version", word, words, &choice);

    job->options.family = (enum packetdrill_family)choice;
    return status;
}

static int set_tolerance(struct job *job, const char *word)
{
    char *end;

    if (strcmp(word, "script") == 0) {
        job->options.tolerance_us = PACKETDRILL_TOLERANCE_SCRIPT;
        return STATUS_OK;
    }
    errno = 0;
    job->options.tolerance_us = strtoll(word, &end, 10);
    if (end == word || *end != '\0' || errno != 0 ||
        job->options.tolerance_us < 0)
        return usage_error("packetdrill",
                           "--tolerance: '%s' is neither 'script' nor a "
                           "number of microseconds",
                           word);
    return STATUS_OK;
}

// A positive answer is an exit status to end with; -1: go on.
static int read_options(int argc, char **argv, struct job *job,
                        const char **defines)
{
    int answer, status = STATUS_OK;

    opterr = 0;
    optind = 1;
    while (status == STATUS_OK && (answer = getopt_long(argc, argv, ":D:o:qvh",
                                                        options, NULL)) != -1) {
        switch (answer) {
        case 'p':
            status = set_profile(job, optarg);
            break;
        case 'i':
            status = set_family(job, optarg);
            break;
        case 't':
            status = set_tolerance(job, optarg);
            break;
        case 'D':
            defines[job->options.define_count++] = optarg;
            break;
        case 'o':
            job->options.out_dir = optarg;
            break;
        case 'S':
        case 'P':
            job->ignores_push = answer == 'P';
            break;
        case 'c':
            job->options.only_check = true;
            break;
        case 'q':
            job->is_quiet = true;
            break;
        case 'v':
            job->is_verbose = true;
            break;
        case 'h':
            print_help();
            return STATUS_OK;
        default:
            return option_error("packetdrill", argv, answer, options);
        }
    }
    if (status == STATUS_OK && optind == argc)
        status = usage_error("packetdrill", "which script?");
    return status == STATUS_OK ? -1 : status;
}

static int print_totals(const struct job *job)
{
    if (job->passed_without_push > job->passed)
        printf("%u would pass if PSH flags did not count\n",
               job->passed_without_push);
    printf("%u passed, %u failed, %u skipped\n", job->passed, job->failed,
           job->skipped);
    if (job->status != STATUS_OK)
        return job->status;
    return job->failed > 0 ? STATUS_FAILED : STATUS_OK;
}

int cmd_packetdrill(int argc, char **argv)
{
    struct job job = {.options.tolerance_us = PACKETDRILL_TOLERANCE_DEFAULT};
    const char **defines = calloc((size_t)argc + 1, sizeof(*defines));

    must(defines != NULL);
    job.options.defines = defines;
    int status = read_options(argc, argv, &job, defines);
    if (status < 0) {
        for (int i = optind; i < argc; i++)
            run_path(&job, argv[i], true);
        status = print_totals(&job);
    }
    free(defines);
    return status;
}
