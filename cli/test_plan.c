// Finds the cases of wirebed test.
// SPDX-License-Identifier: MIT
#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/cli.h"
#include "cli/test.h"
#include "stack/base.h"

static bool has_suffix(const char *text, const char *suffix)
{
    size_t a = strlen(text), b = strlen(suffix);
    return a > b && strcmp(text + a - b, suffix) == 0;
}

static bool is_yaml(const char *path)
{
    return has_suffix(path, ".yaml") || has_suffix(path, ".yml");
}

static bool is_case(const char *path)
{
    return is_yaml(path) || has_suffix(path, ".lua") ||
           has_suffix(path, ".pkt");
}

static char *join(const char *folder, const char *name)
{
    char *path = NULL;
    bool has_slash = has_suffix(folder, "/") || strcmp(folder, "/") == 0;
    must(asprintf(&path, has_slash ? "%s%s" : "%s/%s", folder, name) >= 0);
    return path;
}

// --- Adding -----------------------------------------------------------------

static bool is_wanted(const char *id, const struct test_options *options)
{
    return !options->filter || strstr(id, options->filter) ||
           fnmatch(options->filter, id, 0) == 0;
}

static void add_case(struct test_plan *plan, const char *path,
                     const struct test_options *options, bool has_seed,
                     uint64_t seed)
{
    char *id = NULL;
    must(asprintf(&id, has_seed ? "%s#%llu" : "%s", path,
                  (unsigned long long)seed) >= 0);
    if (!is_wanted(id, options)) {
        free(id);
        return;
    }
    if (plan->count == plan->room) {
        plan->room = plan->room ? plan->room * 2 : 64;
        plan->cases = realloc(plan->cases, plan->room * sizeof(*plan->cases));
        must(plan->cases);
    }
    plan->cases[plan->count++] = (struct test_case){
        .path = strdup(path),
        .id = id,
        .kind = has_suffix(path, ".pkt") ? TEST_PACKETDRILL : TEST_SCENARIO,
        .has_seed = has_seed,
        .seed = seed,
        .pipe = -1};
}

static void add_file(struct test_plan *plan, const char *path,
                     const struct test_options *options)
{
    if (!options->has_seeds || has_suffix(path, ".pkt")) {
        add_case(plan, path, options, false, 0);
        return;
    }
    uint64_t seed = options->first_seed;
    for (;; seed++) {
        add_case(plan, path, options, true, seed);
        if (seed == options->last_seed)
            return;
    }
}

// Does a line of the YAML file say `script: NAME`? (Quotes are allowed for.)
static bool names_script(const char *yaml, const char *name)
{
    char line[1024];
    bool found = false;
    FILE *file = fopen(yaml, "r");
    while (file && !found && fgets(line, sizeof(line), file)) {
        if (strncmp(line, "script:", 7) != 0)
            continue;
        char *value = line + 7 + strspn(line + 7, " \t\"'");
        value[strcspn(value, " \t\r\n\"'#")] = '\0';
        found = strcmp(value, name) == 0;
    }
    if (file)
        fclose(file);
    return found;
}

static bool is_script_of_another(const char *folder, const char *name,
                                 struct dirent **entries, int count)
{
    bool found = false;
    if (!has_suffix(name, ".lua"))
        return false;
    for (int i = 0; i < count && !found; i++) {
        if (!is_yaml(entries[i]->d_name))
            continue;
        char *path = join(folder, entries[i]->d_name);
        found = names_script(path, name);
        free(path);
    }
    return found;
}

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name); // not the locale's order
}

static int add_path(struct test_plan *plan, const char *path,
                    const struct test_options *options, bool is_given);

static int add_folder(struct test_plan *plan, const char *path,
                      const struct test_options *options)
{
    struct dirent **entries;
    int count = scandir(path, &entries, is_visible, by_name);
    int status = STATUS_OK;
    if (count < 0) {
        fprintf(stderr, "wirebed test: cannot read '%s': %m\n", path);
        return STATUS_SYSTEM;
    }
    for (int i = 0; i < count; i++) {
        if (status == STATUS_OK &&
            !is_script_of_another(path, entries[i]->d_name, entries, count)) {
            char *inner = join(path, entries[i]->d_name);
            status = add_path(plan, inner, options, false);
            free(inner);
        }
    }
    for (int i = 0; i < count; i++)
        free(entries[i]);
    free(entries);
    return status;
}

static int add_path(struct test_plan *plan, const char *path,
                    const struct test_options *options, bool is_given)
{
    struct stat status;
    if (stat(path, &status) != 0) {
        if (!is_given) // a dangling link in a folder is no case
            return STATUS_OK;
        return usage_error("test", "cannot read '%s': %s", path,
                           strerror(errno));
    }
    if (S_ISDIR(status.st_mode))
        return add_folder(plan, path, options);
    if (is_case(path))
        add_file(plan, path, options);
    else if (is_given)
        return usage_error("test", "'%s' is no .yaml, .lua or .pkt file", path);
    return STATUS_OK;
}

int test_plan_add(struct test_plan *plan, const char *path,
                  const struct test_options *options)
{
    return add_path(plan, path, options, true);
}

// --- Choosing ---------------------------------------------------------------

static void free_case(struct test_case *c)
{
    free(c->path);
    free(c->id);
    free(c->why);
    free(c->output);
}

bool test_plan_keep_listed(struct test_plan *plan, const char *path)
{
    FILE *file = fopen(path, "r");
    char *line = NULL;
    size_t room = 0, kept = 0;
    bool *is_listed = calloc(plan->count + 1, sizeof(*is_listed));
    must(is_listed);
    if (!file) {
        free(is_listed);
        return false;
    }
    while (getline(&line, &room, file) > 0) {
        line[strcspn(line, "\n")] = '\0';
        for (size_t i = 0; i < plan->count; i++)
            is_listed[i] |= strcmp(plan->cases[i].id, line) == 0;
    }
    free(line);
    fclose(file);
    for (size_t i = 0; i < plan->count; i++) {
        if (is_listed[i])
            plan->cases[kept++] = plan->cases[i];
        else
            free_case(&plan->cases[i]);
    }
    plan->count = kept;
    free(is_listed);
    return true;
}

void test_plan_fini(struct test_plan *plan)
{
    for (size_t i = 0; i < plan->count; i++)
        free_case(&plan->cases[i]);
    free(plan->cases);
    *plan = (struct test_plan){0};
}
