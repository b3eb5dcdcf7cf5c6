/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arena: memory that is given up all at once.
 *
 * The document and what is decided from it live in one arena, from loading to the end of the
 * command. Memory comes zeroed and aligned for any type. Running out of memory ends the process
 * with a message (a runtime that cannot get a few kilobytes cannot start anything); so no call
 * returns NULL.
 */
#ifndef RT_BASE_ARENA_H
#define RT_BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>

struct arena {
    struct arena_block *block; /* newest first */
};

#define ARENA_INIT                                                                                 \
    {                                                                                              \
        NULL                                                                                       \
    }
#define AUTO_ARENA __attribute__ ((cleanup (arena_release)))

/* Ends the process with a message: what every allocation of rt does that gets no memory. */
_Noreturn void memory_exhausted (void);

/* Releases everything; the arena may be used again. */
void arena_release (struct arena *arena);

void *arena_alloc (struct arena *arena, size_t size);

/* `count` items of `size` bytes; the product is checked. */
void *arena_array (struct arena *arena, size_t count, size_t size);

/* A terminated copy of `length` bytes. */
char *arena_copy (struct arena *arena, const char *bytes, size_t length);

char *arena_string (struct arena *arena, const char *string);
char *arena_printf (struct arena *arena, const char *format, ...)
    __attribute__ ((format (printf, 2, 3)));

#endif
