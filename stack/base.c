// The stack's own answer to a broken assertion.
// SPDX-License-Identifier: MIT
#include "stack/base.h"

// Weak, so that a program with a terminal can say more before it ends.
__attribute__((weak)) _Noreturn void must_failed(const char *condition,
                                                 const char *file, int line)
{
    (void)condition;
    (void)file;
    (void)line;
    __builtin_trap();
}
