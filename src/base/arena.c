/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arena: see arena.h. A list of blocks, filled from the newest; a request that is too large for a
 * block gets one of its own.
 */
#include "arena.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Each page that is touched is a page fault, of 2 to 4 microseconds on virtual machines: so memory
 * is zeroed when it is given out, and not a block at once. */
#define BLOCK_SIZE (8192u - 64u) /* with the headers, that of malloc included: two pages */
#define ALIGNMENT _Alignof(max_align_t)

struct arena_block {
    struct arena_block *older;
    size_t used;
    size_t size;
    _Alignas(max_align_t) char bytes[];
};

void memory_exhausted (void)
{
    static const char message[] = "rt: error: out of memory\n";
    (void)!write (STDERR_FILENO, message, sizeof message - 1);
    _exit (1);
}

void arena_release (struct arena *arena)
{
    struct arena_block *block = arena->block;
    while (block) {
        struct arena_block *older = block->older;
        free (block);
        block = older;
    }
    arena->block = NULL;
}

static struct arena_block *block_new (size_t size)
{
    if (size > SIZE_MAX - sizeof (struct arena_block))
        memory_exhausted ();
    struct arena_block *block = malloc (sizeof *block + size);
    if (!block)
        memory_exhausted ();
    *block = (struct arena_block){.size = size};
    return block;
}

static void *take (struct arena *arena, size_t size)
{
    if (size > SIZE_MAX - ALIGNMENT)
        memory_exhausted ();
    size = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;

    struct arena_block *block = arena->block;
    if (block && size <= block->size - block->used) {
        void *memory = block->bytes + block->used;
        block->used += size;
        return memory;
    }
    if (size > BLOCK_SIZE / 4) {
        /* Behind the newest, whose room is still good for small things. */
        struct arena_block *large = block_new (size);
        large->used = size;
        if (block) {
            large->older = block->older;
            block->older = large;
        } else {
            arena->block = large;
        }
        return large->bytes;
    }
    struct arena_block *fresh = block_new (BLOCK_SIZE);
    fresh->used = size;
    fresh->older = block;
    arena->block = fresh;
    return fresh->bytes;
}

void *arena_alloc (struct arena *arena, size_t size)
{
    return memset (take (arena, size), 0, size);
}

void *arena_array (struct arena *arena, size_t count, size_t size)
{
    size_t total;
    if (__builtin_mul_overflow (count, size, &total))
        memory_exhausted ();
    return arena_alloc (arena, total);
}

char *arena_copy (struct arena *arena, const char *bytes, size_t length)
{
    if (length == SIZE_MAX)
        memory_exhausted ();
    char *copy = take (arena, length + 1);
    if (length > 0)
        memcpy (copy, bytes, length);
    copy[length] = '\0';
    return copy;
}

char *arena_string (struct arena *arena, const char *string)
{
    return arena_copy (arena, string, strlen (string));
}

char *arena_printf (struct arena *arena, const char *format, ...)
{
    va_list args, again;
    va_start (args, format);
    va_copy (again, args);
    int length = vsnprintf (NULL, 0, format, args);
    va_end (args);
    if (length < 0)
        memory_exhausted ();
    char *string = take (arena, (size_t)length + 1);
    (void)vsnprintf (string, (size_t)length + 1, format, again);
    va_end (again);
    return string;
}
