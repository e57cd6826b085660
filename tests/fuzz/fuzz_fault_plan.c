// Fuzzes the reading of fault plans.
// SPDX-License-Identifier: MIT
#include <stdio.h>
#include <string.h>

#include "sim/link/fault_plan.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    char error[100] = "";
    unsigned line;
    FILE *in =
        length > 0 ? fmemopen((void *)(uintptr_t)bytes, length, "r") : NULL;

    if (in == NULL)
        return 0;
    struct fault_plan *plan = fault_plan_read(in, &line, error, sizeof(error));
    fclose(in);
    // A refusal says why and where.
    must(plan != NULL || (error[0] != '\0' && line > 0));
    if (plan != NULL)
        must(fault_plan_find(plan, "a", "eth0") != NULL);
    fault_plan_destroy(plan);
    return 0;
}
