// Complaints about options, the colour question.
// SPDX-License-Identifier: MIT
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "sim/config/tree/value.h"
#include "stack/base.h"

int usage_error(const char *command, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "wirebed %s: ", command);
    vfprintf(stderr, format, arguments);
    fprintf(stderr, "\nTry 'wirebed %s --help'.\n", command);
    va_end(arguments);
    return STATUS_USER;
}

// The word that getopt has just refused. Short options may be in the middle of
// a group, whose letter is in optopt.
static const char *refused_word(char **argv) { return argv[optind - 1]; }

static int unknown_option(const char *command, const char *word,
                          const struct option *known)
{
    const char *names[64];
    char bare[64];
    size_t count = 0, length = strcspn(word, "=");
    for (; count < 64 && known[count].name; count++)
        names[count] = known[count].name;
    snprintf(bare, sizeof(bare), "%.*s", (int)length, word);
    const char *near = strncmp(bare, "--", 2) == 0
                           ? suggest_word(bare + 2, names, count)
                           : NULL;
    if (near)
        return usage_error(command, "unknown option '%s'; did you mean '--%s'?",
                           bare, near);
    return usage_error(command, "unknown option '%s'", bare);
}

int option_error(const char *command, char **argv, int answer,
                 const struct option *known)
{
    const char *word = refused_word(argv);
    if (answer == ':')
        return usage_error(command, "option '%s' needs a value", word);
    if (optopt && strncmp(word, "--", 2) != 0)
        return usage_error(command, "unknown option '-%c'", optopt);
    if (optopt) // a long option that takes no value got one
        return usage_error(command, "option '%s' takes no value", word);
    return unknown_option(command, word, known);
}

int make_folder(const char *command, const char *path)
{
    char *copy = strdup(path);
    must(copy);
    int error = 0;
    for (char *p = copy + 1; *p && !error; p++) {
        if (*p != '/')
            continue;
        *p = '\0';
        if (mkdir(copy, 0777) != 0 && errno != EEXIST)
            error = errno;
        *p = '/';
    }
    if (!error && mkdir(copy, 0777) != 0 && errno != EEXIST)
        error = errno;
    free(copy);
    if (!error)
        return STATUS_OK;
    fprintf(stderr, "wirebed %s: cannot make the folder '%s': %s\n", command,
            path, strerror(error));
    return STATUS_SYSTEM;
}

bool wants_colour(FILE *stream)
{
    const char *no_colour = getenv("NO_COLOR"), *term = getenv("TERM");
    return isatty(fileno(stream)) && !(no_colour && *no_colour) && term &&
           strcmp(term, "dumb") != 0;
}
