// Fault plans of a run: written to a file, read from one.
// SPDX-License-Identifier: MIT
#ifndef CLI_FAULTS_H
#define CLI_FAULTS_H

#include "cli/run.h"

struct faults {
    const char *record; // file to write; NULL
    const char *replay; // file to read; NULL
};
// Makes the run record or replay. The faults outlive it.
void faults_attach(struct faults *faults, struct run_options *run);

#endif
