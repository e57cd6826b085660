// The few words that every file of the stack shares.
// SPDX-License-Identifier: MIT
#ifndef STACK_BASE_H
#define STACK_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Time is a count of nanoseconds since the host's epoch: the start of the run
// in a simulation, an arbitrary monotonic origin elsewhere. Negative times do
// not occur.
typedef int64_t ns_t;

#define NS_NEVER  INT64_MAX
#define NS_PER_US INT64_C(1000)
#define NS_PER_MS INT64_C(1000000)
#define NS_PER_S  INT64_C(1000000000)

// must(cond): a condition that only a bug of ours can break. Always compiled
// in. The stack itself cannot print; a program that can overrides must_failed,
// whose weak default traps.
_Noreturn void must_failed(const char *condition, const char *file, int line);
#define must(cond)                                                             \
    (__builtin_expect(!(cond), 0) ? must_failed(#cond, __FILE__, __LINE__)     \
                                  : (void)0)

#define CONTAINER_OF(pointer, type, member)                                    \
    ((type *)((char *)(pointer)-offsetof(type, member)))
#define ARRAY_LENGTH(a) (sizeof(a) / sizeof((a)[0]))

static inline int64_t min_i64(int64_t a, int64_t b) { return a < b ? a : b; }
static inline int64_t max_i64(int64_t a, int64_t b) { return a > b ? a : b; }
static inline uint32_t min_u32(uint32_t a, uint32_t b) { return a < b ? a : b; }
static inline uint32_t max_u32(uint32_t a, uint32_t b) { return a > b ? a : b; }

// Doubly linked intrusive list; an unlinked node points to itself, so that
// removing twice is harmless and "is it linked" is a comparison.
struct list {
    struct list *next, *prev;
};

static inline void list_init(struct list *l) { l->next = l->prev = l; }
static inline bool list_is_empty(const struct list *l) { return l->next == l; }
static inline void list_remove(struct list *n)
{
    n->prev->next = n->next;
    n->next->prev = n->prev;
    list_init(n);
}
static inline void list_insert_before(struct list *at, struct list *n)
{
    n->next = at;
    n->prev = at->prev;
    at->prev->next = n;
    at->prev = n;
}
static inline void list_push_back(struct list *head, struct list *n)
{
    list_insert_before(head, n);
}
static inline void list_push_front(struct list *head, struct list *n)
{
    list_insert_before(head->next, n);
}

#endif
