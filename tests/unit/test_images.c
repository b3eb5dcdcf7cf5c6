/* SPDX-License-Identifier: Apache-2.0 */
/* images: what rt reads of CRIU's files, and what a thread of them may have. */
#include "criu/image.h"
#include "lifecycle/images_check.h"

#include "base/text.h"
#include "document.h"

#include <string.h>

#define LENGTH(array) (sizeof (array) / sizeof ((array)[0]))

/* A file with one entry. */
static void put (struct text *out, uint32_t magic, const struct text *entry)
{
    const uint32_t words[] = {0x54564319u, magic, (uint32_t)entry->length};

    text_add (out, (const char *)words, sizeof (words));
    text_add (out, text_string (entry), entry->length);
}

/* rows: CKP-29. What could be read in two ways is no image. */
static void there_is_one_reading (void **state)
{
    (void)state;
    static const struct {
        const char *bytes; /* of a process of pstree.img, after its pid and its parent */
        size_t length;
        bool right;
    } rows[] = {
        {"\x28\x01", 2, true},                  /* a thread */
        {"\x2a\x02\x01\x02", 4, true},          /* two, packed */
        {"\x08\x01", 2, false},                 /* the pid again */
        {"\x28\x80\x80\x80\x80\x10", 6, false}, /* of 33 bits */
        {"\x2d\x01\x00\x00\x00", 5, false},     /* of another kind */
        {"\x2a\x02\x01\x80", 4, false},         /* half of one */
        {"\xa8\x06\x01", 3, true},              /* a field of later */
    };

    for (size_t i = 0; i < LENGTH (rows); i++) {
        AUTO_ARENA struct arena arena = ARENA_INIT;
        AUTO_TEXT struct text entry = {0};
        AUTO_TEXT struct text file = {0};
        struct criu_tree tree = {0};
        protobuf_number (&entry, 1, 1);
        protobuf_number (&entry, 2, 0);
        text_add (&entry, rows[i].bytes, rows[i].length);
        put (&file, 0x50273030u, &entry);
        if ((criu_tree_read (file.bytes, file.length, &arena, &tree) == 0) != rows[i].right)
            fail_msg ("row %zu", i);
        assert_int_equal (tree.count, rows[i].right);
        /* Cut anywhere it is none. */
        for (size_t cut = 0; rows[i].right && cut < file.length; cut++)
            assert_int_equal (criu_tree_read (file.bytes, cut, &arena, &tree), -1);
    }
}

/* rows: CKP-29 */
static void trees (void **state)
{
    (void)state;
    static const struct {
        uint32_t threads[2][2]; /* of two processes; 0: none */
        uint32_t pids[2];
        uint32_t parents[2];
        bool right;
    } rows[] = {
        {{{1, 2}, {3, 4}}, {1, 3}, {0, 1}, true},
        {{{1, 2}, {2, 4}}, {1, 2}, {0, 1}, false}, /* 2 is there twice */
        {{{1, 2}, {4, 5}}, {1, 3}, {0, 1}, false}, /* 3 is no thread of its own */
        {{{1, 2}, {3, 4}}, {1, 3}, {0, 0}, false}, /* two roots */
        {{{5, 2}, {3, 4}}, {5, 3}, {0, 5}, false}, /* the first is not 1 */
    };

    for (size_t i = 0; i < LENGTH (rows); i++) {
        AUTO_ARENA struct arena arena = ARENA_INIT;
        struct criu_process processes[2];
        const struct criu_tree tree = {processes, 2};
        struct error err = {0};
        for (size_t j = 0; j < 2; j++)
            processes[j] = (struct criu_process){.pid = {true, rows[i].pids[j]},
                                                 .parent = {true, rows[i].parents[j]},
                                                 .threads = {rows[i].threads[j], 2}};
        if ((images_check_tree (&tree, true, &arena, &err) == 0) != rows[i].right)
            fail_msg ("row %zu: %s", i, err.text);
    }
}

/* rows: CKP-29. The document's filter is among those of the thread. */
static void filters (void **state)
{
    (void)state;
    struct sock_filter instructions[2] = {{.code = 0xa4, .k = 9}, {.code = 6, .k = 2}};
    const struct sock_filter again[2] = {{.code = 0xa4, .k = 8}, {.code = 6, .k = 2}};
    const struct sock_filter other[2] = {{.code = 0xa4, .k = 9}, {.code = 6, .k = 9}};
    const struct sock_filter wider[2] = {{.code = 0x04, .k = 9}, {.code = 6, .k = 2}};
    const struct seccomp_program document = {
        .instructions = instructions, .count = 2, .door = {9, 2, 3}};
    const struct protobuf same = {(const unsigned char *)instructions, sizeof (instructions)};
    const struct protobuf less = {(const unsigned char *)instructions, sizeof (*instructions)};
    const struct protobuf anew = {(const unsigned char *)again, sizeof (again)};
    const struct protobuf answers = {(const unsigned char *)other, sizeof (other)};
    const struct protobuf adds = {(const unsigned char *)wider, sizeof (wider)};
    const struct {
        struct criu_filter items[2];
        struct criu_number last;
        uint32_t mode;
        bool right;
    } rows[] = {
        {{{same, {0}}, {less, {true, 0}}}, {true, 1}, 2, true}, /* another one above it */
        {{{same, {0}}, {less, {0}}}, {true, 0}, 2, true},
        {{{same, {0}}, {less, {0}}}, {true, 1}, 2, false},             /* not below it */
        {{{less, {true, 1}}, {less, {true, 0}}}, {true, 1}, 2, false}, /* in a circle */
        {{{same, {0}}, {less, {0}}}, {true, 2}, 2, false},             /* there is none */
        {{{same, {0}}, {less, {0}}}, {0}, 2, false},
        {{{same, {0}}, {less, {0}}}, {true, 0}, 0, false},
        {{{anew, {0}}, {less, {0}}}, {true, 0}, 2, true}, /* another secret of rt's */
        {{{answers, {0}}, {less, {0}}}, {true, 0}, 2, false},
        {{{adds, {0}}, {less, {0}}}, {true, 0}, 2, false},
    };
    AUTO_ARENA struct arena arena = ARENA_INIT;
    const struct oci_config *config =
        accept (&arena, "", "", "\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ALLOW\"}");

    for (size_t i = 0; i < LENGTH (rows); i++) {
        struct criu_filter items[2];
        memcpy (items, rows[i].items, sizeof (items));
        const struct criu_filters all = {items, 2};
        const struct criu_core core = {
            .has_credentials = true, .seccomp_mode = rows[i].mode, .seccomp_filter = rows[i].last};
        struct error err = {0};
        int failed = images_check_core (config, &core, &all, &document, &err);
        if ((failed == 0) != rows[i].right)
            fail_msg ("row %zu: %s", i, err.text);
        assert_string_equal (err.pointer, failed ? "/linux/seccomp" : "");
    }
    const struct criu_core dead = {.dead = true};
    struct error err = {0};
    assert_int_equal (images_check_core (config, &dead, &(struct criu_filters){0}, &document, &err),
                      0);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (there_is_one_reading),
        cmocka_unit_test (trees),
        cmocka_unit_test (filters),
    };

    return cmocka_run_group_tests (tests, NULL, NULL);
}
