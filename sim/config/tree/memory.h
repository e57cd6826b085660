// Memory for reading a scenario, which is there or ends the program.
// SPDX-License-Identifier: MIT
#ifndef CONFIG_MEMORY_H
#define CONFIG_MEMORY_H

#include <stddef.h>

// Zeroed; to be freed.
void *memory_zeroed(size_t size);
// Room for one more element of `size` bytes behind `count`; NULL and a capacity
// of 0 begin an array.
void *memory_grow(void *array, size_t count, size_t *capacity, size_t size);

#endif
