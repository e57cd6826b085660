// Blocks of memory in powers of two for rings, runs and chunks.
// SPDX-License-Identifier: MIT
#include "stack/tcp/tcp.h"

#include <stdlib.h>

// A freed block goes to the list of its class and is never given back before
// the stack ends: the next connection that needs one finds it without malloc,
// and a stack's appetite is bounded by its busiest moment.

struct free_block {
    struct free_block *next;
};

static unsigned class_of(size_t size)
{
    unsigned class = 0;
    while ((size_t)1 << (TCP_POOL_MIN + class) < size)
        class ++;
    must(class < TCP_POOL_CLASSES);
    return class;
}

void *tcp_pool_alloc(struct tcp_pool *pool, size_t size)
{
    unsigned class = class_of(size);
    struct free_block *block = pool->free[class];
    if (block)
        pool->free[class] = block->next;
    else if (!(block = malloc((size_t)1 << (TCP_POOL_MIN + class))))
        return NULL;
    pool->live++;
    return block;
}

void tcp_pool_free(struct tcp_pool *pool, void *block, size_t size)
{
    if (!block)
        return;
    struct free_block *freed = block;
    unsigned class = class_of(size);
    must(pool->live > 0);
    pool->live--;
    freed->next = pool->free[class];
    pool->free[class] = freed;
}

void tcp_pool_fini(struct tcp_pool *pool)
{
    must(pool->live == 0);
    for (unsigned class = 0; class < TCP_POOL_CLASSES; class ++) {
        struct free_block *block;
        while ((block = pool->free[class])) {
            pool->free[class] = block->next;
            free(block);
        }
    }
}
