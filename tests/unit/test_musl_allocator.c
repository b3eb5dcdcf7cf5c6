/* SPDX-License-Identifier: Apache-2.0 */
/* The allocator of builds with musl (contrib/musl/allocator.c), under other names beside libc's. */
#include <stddef.h>

void *its_malloc (size_t size);
void *its_calloc (size_t count, size_t size);
void *its_realloc (void *memory, size_t size);
void its_free (void *memory);
int its_posix_memalign (void **memory, size_t alignment, size_t size);
void *its_aligned_alloc (size_t alignment, size_t size);

#define malloc its_malloc
#define calloc its_calloc
#define realloc its_realloc
#define free its_free
#define posix_memalign its_posix_memalign
#define aligned_alloc its_aligned_alloc
#include "contrib/musl/allocator.c"
#undef malloc
#undef calloc
#undef realloc
#undef free
#undef posix_memalign
#undef aligned_alloc

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { BLOCKS = 300, ROUNDS = 200000 };

static struct {
    unsigned char *bytes;
    size_t size;
    unsigned char mark;
} blocks[BLOCKS];

static uint32_t next_random (uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

/* Mostly small, sometimes beyond what has a list. */
static size_t some_size (uint32_t *state)
{
    return next_random (state) % ((size_t)1 << next_random (state) % 18);
}

static void assert_marked (size_t at, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (blocks[at].bytes[i] != blocks[at].mark)
            fail_msg ("byte %zu of %zu is not what was written", i, blocks[at].size);
}

static void mark (size_t at, unsigned char with)
{
    assert_non_null (blocks[at].bytes);
    assert_int_equal ((uintptr_t)blocks[at].bytes % _Alignof(max_align_t), 0);
    assert_true (block_of (blocks[at].bytes)->size >= blocks[at].size + sizeof (struct block));
    blocks[at].mark = with;
    memset (blocks[at].bytes, with, blocks[at].size);
}

/* No block lies in another, and each keeps what was written to it. */
static void test_random_use (void **unused)
{
    uint32_t state = 20261129;

    (void)unused;
    for (int round = 0; round < ROUNDS; round++) {
        size_t at = next_random (&state) % BLOCKS, size = some_size (&state);
        size_t common = size < blocks[at].size ? size : blocks[at].size;

        assert_marked (at, blocks[at].size);
        switch (next_random (&state) % 3) {
        case 0:
            its_free (blocks[at].bytes);
            blocks[at].bytes = its_malloc (size);
            break;
        case 1:
            its_free (blocks[at].bytes);
            blocks[at].bytes = its_calloc (size, 1);
            blocks[at].mark = 0;
            assert_marked (at, size);
            break;
        default:
            blocks[at].bytes = its_realloc (blocks[at].bytes, size);
            assert_marked (at, common);
        }
        blocks[at].size = size;
        mark (at, (unsigned char)(round | 1));
    }
    for (size_t at = 0; at < BLOCKS; at++)
        its_free (blocks[at].bytes);
}

/* What was freed is used again: as much memory as is in use at once, and no more. */
static void test_memory_is_used_again (void **unused)
{
    (void)unused;
    its_free (its_malloc (5000));
    const char *before = room;
    for (int round = 0; round < 1000; round++) {
        void *memory = its_malloc (5000);
        assert_non_null (memory);
        its_free (memory);
    }
    assert_ptr_equal (room, before);
}

static void test_too_much_is_refused (void **unused)
{
    (void)unused;
    errno = 0;
    assert_null (its_malloc (SIZE_MAX));
    assert_int_equal (errno, ENOMEM);
    errno = 0;
    assert_null (its_calloc (SIZE_MAX / 2, 3));
    assert_int_equal (errno, ENOMEM);
    char *kept = its_malloc (10);
    (void)snprintf (kept, 10, "as it was");
    assert_null (its_realloc (kept, SIZE_MAX / 2));
    assert_string_equal (kept, "as it was");
    its_free (kept);
    kept = its_malloc (2 * LARGEST);
    errno = 0;
    assert_null (its_realloc (kept, SIZE_MAX));
    assert_int_equal (errno, ENOMEM);
    its_free (kept);
    its_free (NULL);
}

static void test_alignment (void **unused)
{
    void *memory = NULL;

    (void)unused;
    assert_int_equal (its_posix_memalign (&memory, 16, 100), 0);
    assert_non_null (memory);
    its_free (memory);
    assert_int_equal (its_posix_memalign (&memory, 4096, 100), ENOMEM);
    errno = 0;
    assert_null (its_aligned_alloc (4096, 4096));
    assert_int_equal (errno, ENOMEM);
}

static int signal_of (void (*misuse) (void))
{
    int status;
    pid_t child = fork ();

    if (child == 0) {
        misuse ();
        _exit (0);
    }
    assert_int_equal (waitpid (child, &status, 0), child);
    return WIFSIGNALED (status) ? WTERMSIG (status) : 0;
}

static void free_twice (void)
{
    void *memory = its_malloc (100);

    its_free (memory);
    its_free (memory);
}

static void write_over_the_end (void)
{
    unsigned char *first = its_malloc (16), *second = its_malloc (16);

    if (second != first + 32)
        return;
    memset (first, 'x', 32);
    its_free (second);
}

static void free_what_was_never_given (void)
{
    static _Alignas(max_align_t) char own[64];

    its_free (own + 32);
}

static void test_misuse_ends_the_process (void **unused)
{
    (void)unused;
    assert_int_equal (signal_of (free_twice), SIGABRT);
    assert_int_equal (signal_of (write_over_the_end), SIGABRT);
    assert_int_equal (signal_of (free_what_was_never_given), SIGABRT);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_misuse_ends_the_process), /* before others have made lists */
        cmocka_unit_test (test_random_use),
        cmocka_unit_test (test_memory_is_used_again),
        cmocka_unit_test (test_too_much_is_refused),
        cmocka_unit_test (test_alignment),
    };

    return cmocka_run_group_tests (tests, NULL, NULL);
}
