// Memory for reading a scenario, which is there or ends the program.
// SPDX-License-Identifier: MIT
#include "sim/config/tree/memory.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

_Noreturn static void out_of_memory(void)
{
    fputs("wirebed: no memory is left for reading the scenario\n", stderr);
    exit(3);
}

void *memory_zeroed(size_t size)
{
    void *memory = size > SIZE_MAX / 2 ? NULL : calloc(1, size);
    if (!memory)
        out_of_memory();
    return memory;
}

void *memory_grow(void *array, size_t count, size_t *capacity, size_t size)
{
    if (count < *capacity)
        return array;
    size_t larger = *capacity ? *capacity * 2 : 16;
    void *grown =
        larger > SIZE_MAX / 2 / size ? NULL : realloc(array, larger * size);
    if (!grown)
        out_of_memory();
    *capacity = larger;
    return grown;
}
