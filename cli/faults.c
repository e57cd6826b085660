// Fault plans of a run: written to a file, read from one.
// SPDX-License-Identifier: MIT
#include "cli/faults.h"

#include <errno.h>
#include <string.h>

#include "sim/link/fault_plan.h"

static int refuse_port(const struct faults *faults, const char *port)
{
    fprintf(stderr, "wirebed run: %s: the network has no port called '%s'\n",
            faults->replay, port);
    return STATUS_USER;
}

static int replay(const struct faults *faults, struct sim *sim)
{
    char why[256];
    unsigned line = 0;
    FILE *file = fopen(faults->replay, "r");
    if (!file) {
        fprintf(stderr, "wirebed run: cannot read '%s': %s\n", faults->replay,
                strerror(errno));
        return load_io_status(-errno);
    }
    struct fault_plan *plan = fault_plan_read(file, &line, why, sizeof(why));
    fclose(file);
    if (!plan) {
        fprintf(stderr, "%s:%u: %s\n", faults->replay, line, why);
        return STATUS_USER;
    }
    const char *unknown = fault_plan_unknown(plan, sim);
    int status = unknown ? refuse_port(faults, unknown) : STATUS_OK;
    if (status == STATUS_OK)
        sim_replay_faults(sim, plan);
    else
        fault_plan_destroy(plan);
    return status;
}

static int prepare(void *context, struct sim *sim)
{
    const struct faults *faults = context;
    if (faults->record && sim_record_faults(sim) != 0) {
        fprintf(stderr, "wirebed run: out of memory\n");
        return STATUS_SYSTEM;
    }
    return faults->replay ? replay(faults, sim) : STATUS_OK;
}

static int finish(void *context, struct sim *sim)
{
    const struct faults *faults = context;
    if (!faults->record)
        return STATUS_OK;
    FILE *file = fopen(faults->record, "w");
    int error = file ? sim_write_faults(sim, file) : -errno;
    if (file && fclose(file) != 0 && !error)
        error = -errno;
    if (!error)
        return STATUS_OK;
    fprintf(stderr, "wirebed run: cannot write '%s': %s\n", faults->record,
            strerror(-error));
    return STATUS_SYSTEM;
}

void faults_attach(struct faults *faults, struct run_options *run)
{
    if (!faults->record && !faults->replay)
        return;
    run->prepare = prepare;
    run->finish = finish;
    run->context = faults;
}
