/* SPDX-License-Identifier: Apache-2.0 */
/*
 * allocator: malloc and its kin for a build with musl (configure --with-musl).
 *
 * musl's own gives memory back to the kernel as soon as nothing of a size is in use. rt needs some
 * forty small blocks in a start, one after the other: each was a mmap, a page fault and a munmap,
 * together 0.2 ms of 4. This one keeps what it has: blocks of sizes that are powers of two, cut
 * from memory that is never given back, freed ones in a list for each size. What is large goes to
 * the kernel and back. For one thread, as rt is one.
 *
 * A block is preceded by its size and a word that says whether it is in use: freeing twice, and
 * what has been written over a block's end by the time the next is freed, ends the process.
 */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { SMALLEST = 32, SIZES = 12, FIRST_ROOM = 128 * 1024, ROOM = 1024 * 1024 };

#define LARGEST ((size_t)SMALLEST << (SIZES - 1)) /* 64 kB; what is larger is mapped */
#define IN_USE ((uintptr_t)0x72745f6865617021)
#define IS_FREE ((uintptr_t)0x72745f6672656521)

struct block {
    size_t size; /* with this header: a power of two, or what was mapped */
    uintptr_t state;
    _Alignas(max_align_t) char bytes[];
};

static _Alignas(max_align_t) char first_room[FIRST_ROOM];
static char *room = first_room, *room_end = first_room + FIRST_ROOM;
static struct block *freed[SIZES]; /* by size; the first word of its bytes leads to the next */

static struct block *map (size_t size)
{
    void *memory = mmap (NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return memory == MAP_FAILED ? NULL : memory; /* errno is mmap's: ENOMEM */
}

static struct block *cut (size_t size)
{
    if (size > (size_t)(room_end - room)) {
        char *more = (char *)map (ROOM);

        if (!more)
            return NULL;
        room = more;
        room_end = more + ROOM;
    }
    struct block *block = (struct block *)room;

    room += size;
    return block;
}

static size_t index_of (size_t size)
{
    size_t index = 0;

    while (((size_t)SMALLEST << index) < size)
        index++;
    return index;
}

static struct block *take (size_t size)
{
    size_t index = index_of (size);
    struct block *block = freed[index];

    if (!block) {
        size = (size_t)SMALLEST << index;
        block = cut (size);
        if (block)
            block->size = size;
        return block;
    }
    if (block->state != IS_FREE)
        abort ();
    memcpy (&freed[index], block->bytes, sizeof freed[index]);
    return block;
}

static struct block *block_of (void *memory)
{
    struct block *block = (struct block *)((char *)memory - offsetof (struct block, bytes));

    if (block->state != IN_USE)
        abort ();
    return block;
}

void *malloc (size_t size)
{
    struct block *block;

    if (size > PTRDIFF_MAX - sizeof *block) {
        errno = ENOMEM;
        return NULL;
    }
    size += sizeof *block;
    if (size > LARGEST) {
        block = map (size);
        if (block)
            block->size = size;
    } else {
        block = take (size);
    }
    if (!block)
        return NULL;
    block->state = IN_USE;
    return block->bytes;
}

void free (void *memory)
{
    if (!memory)
        return;
    struct block *block = block_of (memory);

    if (block->size > LARGEST) {
        int before = errno; /* free () leaves it alone */

        (void)munmap (block, block->size);
        errno = before;
        return;
    }
    size_t index = index_of (block->size);

    block->state = IS_FREE;
    memcpy (block->bytes, &freed[index], sizeof freed[index]);
    freed[index] = block;
}

void *calloc (size_t count, size_t size)
{
    size_t total;

    if (__builtin_mul_overflow (count, size, &total)) {
        errno = ENOMEM;
        return NULL;
    }
    void *memory = malloc (total);

    return memory ? memset (memory, 0, total) : NULL;
}

/* The kernel moves its pages: nothing is copied. */
static void *remap (struct block *block, size_t size)
{
    void *moved = mremap (block, block->size, size, MREMAP_MAYMOVE);

    if (moved == MAP_FAILED)
        return NULL;
    block = moved;
    block->size = size;
    return block->bytes;
}

void *realloc (void *memory, size_t size)
{
    if (!memory)
        return malloc (size);
    struct block *block = block_of (memory);
    size_t room_of_it = block->size - sizeof *block;

    if (size <= room_of_it)
        return memory;
    if (block->size > LARGEST && size <= PTRDIFF_MAX - sizeof *block)
        return remap (block, size + sizeof *block);
    void *larger = malloc (size);

    if (!larger)
        return NULL;
    memcpy (larger, memory, room_of_it);
    free (memory);
    return larger;
}

/* musl's would come with all of its allocator, and take ours for it. */
int posix_memalign (void **memory, size_t alignment, size_t size)
{
    if (alignment > _Alignof(max_align_t))
        return ENOMEM;
    *memory = malloc (size);
    return *memory ? 0 : ENOMEM;
}

void *aligned_alloc (size_t alignment, size_t size)
{
    void *memory;
    int result = posix_memalign (&memory, alignment, size);

    if (result == 0)
        return memory;
    errno = result;
    return NULL;
}
