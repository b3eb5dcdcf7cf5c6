/* SPDX-License-Identifier: Apache-2.0 */
/* build_id: what is found in an image, and what is not. */
#include "kernel/build_id.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { ID = 20, NOTES = 256, HEAD = sizeof (ElfW (Nhdr)) };

static const unsigned char id[ID] = "0123456789abcdefghij";

/* As the first segment of a program in memory: it has two more, of notes. */
struct image {
    ElfW (Ehdr) head;
    ElfW (Phdr) segments[3];
    _Alignas(8) unsigned char notes[NOTES];
    _Alignas(8) unsigned char after[NOTES]; /* of the next segment */
};

static struct image begin (void)
{
    struct image image = {0};

    image.head.e_phoff = offsetof (struct image, segments);
    image.head.e_phentsize = sizeof *image.segments;
    image.head.e_phnum = 3;
    image.segments[0] =
        (ElfW (Phdr)){.p_type = PT_LOAD, .p_filesz = offsetof (struct image, after)};
    for (int i = 1; i < 3; i++)
        image.segments[i] = (ElfW (Phdr)){
            .p_type = PT_NOTE, .p_align = 4, .p_offset = offsetof (struct image, notes)};
    return image;
}

/* Puts a note behind `at`, with what `size` bytes it says that it has; what is behind it. */
static size_t put (unsigned char *notes, size_t at, const char *owner, unsigned type, uint32_t size)
{
    const ElfW (Nhdr)
        head = {.n_namesz = (uint32_t)strlen (owner) + 1, .n_descsz = size, .n_type = type};

    memcpy (notes + at, &head, sizeof head);
    memcpy (notes + at + HEAD, owner, head.n_namesz);
    at += HEAD + (head.n_namesz + 3) / 4 * 4;
    memcpy (notes + at, id, ID);
    return at + ID;
}

static bool has (const struct image *image)
{
    const struct build_id found = build_id_find ((const unsigned char *)image);

    return found.length == ID && memcmp (found.bytes, id, ID) == 0;
}

/* rows: HDN-01 */
static void it_is_found (void **state)
{
    struct image image = begin ();

    (void)state;
    /* Behind another note. */
    image.segments[2].p_filesz = put (image.notes, put (image.notes, 0, "GNU", NT_GNU_ABI_TAG, ID),
                                      "GNU", NT_GNU_BUILD_ID, ID);
    assert_true (has (&image));
    assert_int_equal (build_id_find ((const unsigned char *)&image).length, ID);
    /* In a segment that is aligned to 8, behind one that is filled up. */
    image = begin ();
    image.segments[1].p_align = 8;
    size_t end = put (image.notes, 0, "GNU", NT_GNU_PROPERTY_TYPE_0, ID);
    image.segments[1].p_filesz = put (image.notes, (end + 7) / 8 * 8, "GNU", NT_GNU_BUILD_ID, ID);
    assert_true (has (&image));
    image.segments[1].p_align = 4;
    assert_false (has (&image));
}

/* rows: HDN-01 */
static void what_is_another_note_or_cut_is_none (void **state)
{
    struct image image = begin ();
    const struct image empty = image;

    (void)state;
    assert_false (has (&image));
    size_t whole = put (image.notes, 0, "GNU", NT_GNU_BUILD_ID, ID);
    const struct image good = image;
    for (size_t size = 0; size < whole; size++) {
        image.segments[1].p_filesz = size;
        assert_int_equal (build_id_find ((const unsigned char *)&image).length, 0);
    }
    image.segments[1].p_filesz = whole;
    assert_true (has (&image));

    image.head.e_phentsize++;
    assert_false (has (&image));
    image.head.e_phentsize--;
    image.segments[0].p_type = PT_NULL;
    assert_false (has (&image));

    static const struct {
        const char *owner;
        unsigned type;
        uint32_t size;
    } others[] = {{"GNX", NT_GNU_BUILD_ID, ID},   {"GNUS", NT_GNU_BUILD_ID, ID},
                  {"GNU", NT_GNU_ABI_TAG, ID},    {"GNU", NT_GNU_BUILD_ID, 0},
                  {"GNU", NT_GNU_BUILD_ID, 1000}, {"GNU", NT_GNU_BUILD_ID, UINT32_MAX}};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        image = empty;
        image.segments[1].p_filesz =
            put (image.notes, 0, others[i].owner, others[i].type, others[i].size);
        assert_int_equal (build_id_find ((const unsigned char *)&image).length, 0);
    }
    image = good;
    image.segments[1].p_filesz = whole;
    memset (image.notes, 0xff, sizeof (uint32_t)); /* the owner's length */
    assert_false (has (&image));
}

/* rows: HDN-01 */
static void what_is_not_mapped_with_the_header_is_not_read (void **state)
{
    struct image image = begin ();

    (void)state;
    image.segments[1].p_offset = offsetof (struct image, after);
    image.segments[1].p_filesz = put (image.after, 0, "GNU", NT_GNU_BUILD_ID, ID);
    assert_false (has (&image));
    image.segments[0].p_filesz += image.segments[1].p_filesz - 1;
    assert_false (has (&image));
    image.segments[0].p_filesz++;
    assert_true (has (&image));
    image.segments[1].p_filesz = SIZE_MAX;
    assert_false (has (&image));
}

/* rows: HDN-01. That of the memory is that of the file. */
static void of_this_program (void **state)
{
    const struct build_id own = build_id_own ();
    struct stat st;
    int fd = open ("/proc/self/exe", O_RDONLY | O_CLOEXEC);

    (void)state;
    assert_int_equal (fstat (fd, &st), 0);
    const unsigned char *file = mmap (NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    assert_true (file != MAP_FAILED);
    const struct build_id found = build_id_find (file);
    (void)close (fd);
    assert_int_equal (own.length, found.length);
    if (own.length == 0) {
        print_message ("SKIP: linked without a build id\n");
        skip ();
    }
    assert_memory_equal (own.bytes, found.bytes, own.length);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (it_is_found),
        cmocka_unit_test (what_is_another_note_or_cut_is_none),
        cmocka_unit_test (what_is_not_mapped_with_the_header_is_not_read),
        cmocka_unit_test (of_this_program),
    };

    return cmocka_run_group_tests (tests, NULL, NULL);
}
