/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Classes of service on a directory tree: what resctrl's mkdir puts into a new directory, the test
 * puts there between the steps.
 */
#include "container/rdt.h"
#include "container/rdt_stats.h"

#include "base/text.h"
#include "lifecycle/events.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define ROOT_SCHEMATA "    MB:0=100;1= 50\n    L3:0=007ff;1=007ff\n"

struct tree {
    char path[64];
    struct arena arena;
};

static const char *below (struct tree *tree, const char *name)
{
    return arena_printf (&tree->arena, "%s/%s", tree->path, name);
}

static void put (struct tree *tree, const char *name, const char *content)
{
    int fd = open (below (tree, name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

    assert_true (fd >= 0);
    assert_int_equal (write (fd, content, strlen (content)), strlen (content));
    assert_int_equal (close (fd), 0);
}

/* What was written since the file was emptied. */
static const char *content (struct tree *tree, const char *name)
{
    static char text[512];
    int fd = open (below (tree, name), O_RDONLY | O_CLOEXEC);

    assert_true (fd >= 0);
    ssize_t length = read (fd, text, sizeof (text) - 1);
    assert_true (length >= 0);
    text[length] = '\0';
    (void)close (fd);
    return text;
}

/* As mkdir on a resctrl. */
static void fill (struct tree *tree, const char *group, const char *schemata)
{
    put (tree, arena_printf (&tree->arena, "%s/tasks", group), "");
    if (schemata) {
        put (tree, arena_printf (&tree->arena, "%s/schemata", group), schemata);
        assert_int_equal (
            mkdir (below (tree, arena_printf (&tree->arena, "%s/mon_groups", group)), 0755), 0);
    }
}

static void make_class (struct tree *tree, const char *name, const char *schemata)
{
    assert_int_equal (mkdir (below (tree, name), 0755), 0);
    fill (tree, name, schemata);
}

static bool exists (struct tree *tree, const char *name)
{
    return access (below (tree, name), F_OK) == 0;
}

static int set_up (void **state)
{
    struct tree *tree = calloc (1, sizeof (*tree));

    assert_non_null (tree);
    (void)snprintf (tree->path, sizeof (tree->path), "/tmp/rt-rdt-XXXXXX");
    assert_non_null (mkdtemp (tree->path));
    assert_int_equal (mkdir (below (tree, "info"), 0755), 0);
    put (tree, "info/last_cmd_status", "ok\n");
    fill (tree, ".", ROOT_SCHEMATA);
    *state = tree;
    return 0;
}

static int tear_down (void **state)
{
    struct tree *tree = *state;
    static const char *const names[] = {
        "g/mon_groups/box/tasks",
        "g/mon_groups/box",
        "g/mon_groups",
        "g/tasks",
        "g/schemata",
        "g",
        "box/mon_groups/box/tasks",
        "box/mon_groups/box",
        "box/mon_groups",
        "box/tasks",
        "box/schemata",
        "box",
        "mon_groups/box/tasks",
        "mon_groups/box",
        "mon_groups",
        "tasks",
        "schemata",
        "info/last_cmd_status",
        "info",
    };

    for (size_t i = 0; i < sizeof (names) / sizeof (names[0]); i++)
        (void)remove (below (tree, names[i]));
    assert_int_equal (rmdir (tree->path), 0);
    arena_release (&tree->arena);
    free (tree);
    return 0;
}

static int prepare (struct tree *tree, const struct oci_intel_rdt *config, struct rdt *rdt,
                    struct error *err)
{
    *err = (struct error){0};
    return rdt_prepare (config, "box", tree->path, &tree->arena, rdt, err);
}

/* rows: RDT-08 */
static void test_what_is_no_resctrl_is_refused (void **state)
{
    struct tree *tree = *state;
    struct error err = {0};

    assert_int_equal (rdt_check_mount (tree->path, &err), -1);
    assert_string_equal (err.code, "RT-RDT-MOUNT");
    assert_string_equal (err.pointer, "/linux/intelRdt");
    assert_int_equal (rdt_check_mount (below (tree, "nowhere"), &err), -1);
    assert_string_equal (err.code, "RT-RDT-MISSING");
    assert_int_equal (err.errnum, ENOENT);
}

/* rows: RDT-01 RDT-10 RDT-11 */
static void test_a_class_of_its_own_has_the_id (void **state)
{
    const struct oci_intel_rdt config = {.mem_bw_schema = "MB:0=20"};
    struct tree *tree = *state;
    struct rdt rdt;
    struct error err;

    assert_int_equal (prepare (tree, &config, &rdt, &err), 0);
    assert_string_equal (rdt.own, below (tree, "box"));
    assert_false (exists (tree, "box"));
    assert_int_equal (rdt_make (&rdt, &err), 0);
    assert_true (exists (tree, "box"));
    fill (tree, "box", "");
    assert_int_equal (rdt_grant (&rdt, 4711, &err), 0);
    assert_string_equal (content (tree, "box/schemata"), "MB:0=20\n");
    assert_string_equal (content (tree, "box/tasks"), "4711\n");
    assert_string_equal (content (tree, "tasks"), "");

    assert_int_equal (rdt_remove (rdt.own, &err), -1); /* not empty, as no resctrl is */
    assert_non_null (strstr (err.text, rdt.own));
    (void)unlink (below (tree, "box/tasks"));
    (void)unlink (below (tree, "box/schemata"));
    (void)rmdir (below (tree, "box/mon_groups"));
    assert_int_equal (rdt_remove (rdt.own, &err), 0);
    assert_false (exists (tree, "box"));
    assert_int_equal (rdt_remove (rdt.own, &err), 0);
    assert_int_equal (rdt_remove (NULL, &err), 0);
}

/* rows: RDT-11 */
static void test_a_class_of_that_id_that_was_there_stays (void **state)
{
    const struct oci_intel_rdt config = {.mem_bw_schema = NULL};
    struct tree *tree = *state;
    struct rdt rdt;
    struct error err;

    make_class (tree, "box", "L3:0=f\n");
    assert_int_equal (prepare (tree, &config, &rdt, &err), 0);
    assert_null (rdt.own);
    assert_int_equal (rdt_make (&rdt, &err), 0);
    assert_int_equal (rdt_grant (&rdt, 1, &err), 0);
    rdt_undo (&rdt);
    assert_true (exists (tree, "box"));
}

/* rows: RDT-06 RDT-11 */
static void test_a_named_class_is_joined (void **state)
{
    const struct oci_intel_rdt config = {.clos_id = "g"};
    struct tree *tree = *state;
    struct rdt rdt;
    struct error err;

    assert_int_equal (prepare (tree, &config, &rdt, &err), -1);
    assert_string_equal (err.code, "RT-RDT-CLASS");
    assert_string_equal (err.pointer, "/linux/intelRdt/closID");
    make_class (tree, "g", "L3:0=f\n");
    assert_int_equal (prepare (tree, &config, &rdt, &err), 0);
    assert_null (rdt.own);
    assert_int_equal (rdt_make (&rdt, &err), 0);
    assert_int_equal (rdt_grant (&rdt, 12, &err), 0);
    assert_string_equal (content (tree, "g/tasks"), "12\n");
    assert_string_equal (content (tree, "g/schemata"), "L3:0=f\n");
}

/* rows: RDT-01 RDT-11 */
static void test_a_named_class_is_made_and_left (void **state)
{
    const struct oci_intel_rdt config = {.clos_id = "g", .l3_cache_schema = "L3:0=f"};
    struct tree *tree = *state;
    struct rdt rdt;
    struct error err;

    assert_int_equal (prepare (tree, &config, &rdt, &err), 0);
    assert_null (rdt.own); /* delete leaves it */
    assert_int_equal (rdt_make (&rdt, &err), 0);
    assert_true (exists (tree, "g"));
    rdt_undo (&rdt); /* a start that fails does not */
    assert_false (exists (tree, "g"));
    rdt_undo (&rdt);
}

/* rows: RDT-01 */
static void test_the_class_of_everybody (void **state)
{
    const struct oci_intel_rdt config = {.clos_id = "/", .enable_monitoring = true};
    struct tree *tree = *state;
    struct rdt rdt;
    struct error err;

    assert_int_equal (prepare (tree, &config, &rdt, &err), 0);
    assert_string_equal (rdt.own, below (tree, "./mon_groups/box"));
    assert_int_equal (rdt_make (&rdt, &err), 0);
    fill (tree, "mon_groups/box", NULL);
    assert_int_equal (rdt_grant (&rdt, 7, &err), 0);
    assert_string_equal (content (tree, "tasks"), "7\n");
    assert_string_equal (content (tree, "mon_groups/box/tasks"), "7\n");
    assert_string_equal (content (tree, "schemata"), ROOT_SCHEMATA);
}

/* rows: RDT-02 RDT-03 */
static void test_schemata_are_written_in_their_order (void **state)
{
    char *lines[] = {"L2:0=3", "SMBA:0=10", NULL};
    const struct oci_intel_rdt config = {.clos_id = "g",
                                         .l3_cache_schema = "L3:0=f",
                                         .mem_bw_schema = "MB:0=20",
                                         .schemata = {.count = 2, .items = lines}};
    struct tree *tree = *state;
    struct rdt rdt;
    struct error err;
    char text[128];

    assert_int_equal (prepare (tree, &config, &rdt, &err), 0);
    assert_int_equal (rdt_make (&rdt, &err), 0);
    fill (tree, "g", "");
    /* A pipe keeps each write, where a file would keep the last. */
    (void)unlink (below (tree, "g/schemata"));
    assert_int_equal (mkfifo (below (tree, "g/schemata"), 0600), 0);
    int pipe = open (below (tree, "g/schemata"), O_RDWR | O_CLOEXEC);
    assert_true (pipe >= 0);
    assert_int_equal (rdt_grant (&rdt, 1, &err), 0);
    ssize_t length = read (pipe, text, sizeof (text) - 1);
    assert_true (length > 0);
    text[length] = '\0';
    assert_string_equal (text, "L3:0=f\nMB:0=20\nL2:0=3\nSMBA:0=10\n");
    (void)close (pipe);
}

/* rows: RDT-04 RDT-11 EXE-33 */
static void test_monitoring (void **state)
{
    const struct oci_intel_rdt config = {.clos_id = "g", .enable_monitoring = true};
    struct tree *tree = *state;
    struct rdt rdt;
    struct error err;

    make_class (tree, "g", "L3:0=f\n");
    assert_int_equal (prepare (tree, &config, &rdt, &err), 0);
    assert_string_equal (rdt.own, below (tree, "g/mon_groups/box"));
    assert_int_equal (rdt_make (&rdt, &err), 0);
    fill (tree, "g/mon_groups/box", NULL);
    assert_int_equal (rdt_grant (&rdt, 9, &err), 0);
    assert_string_equal (content (tree, "g/tasks"), "9\n");
    assert_string_equal (content (tree, "g/mon_groups/box/tasks"), "9\n");

    struct rdt further;
    rdt_plan (&config, "box", tree->path, &tree->arena, &further);
    put (tree, "g/tasks", "");
    put (tree, "g/mon_groups/box/tasks", "");
    assert_int_equal (rdt_join (&further, 10, &err), 0);
    assert_string_equal (content (tree, "g/tasks"), "10\n");
    assert_string_equal (content (tree, "g/mon_groups/box/tasks"), "10\n");

    (void)unlink (below (tree, "g/mon_groups/box/tasks"));
    assert_int_equal (rdt_remove (rdt.own, &err), 0);
    assert_false (exists (tree, "g/mon_groups/box"));
    assert_true (exists (tree, "g"));
}

/* rows: RDT-04 RDT-09 */
static void test_a_monitoring_group_that_cannot_be_made (void **state)
{
    const struct oci_intel_rdt config = {.mem_bw_schema = "MB:0=20", .enable_monitoring = true};
    struct tree *tree = *state;
    struct rdt rdt;
    struct error err;

    put (tree, "info/last_cmd_status", "Out of RMIDs\n");
    assert_int_equal (prepare (tree, &config, &rdt, &err), 0);
    assert_int_equal (rdt_make (&rdt, &err), -1); /* nobody has made box/mon_groups */
    assert_string_equal (err.pointer, "/linux/intelRdt/enableMonitoring");
    assert_non_null (strstr (err.text, "Out of RMIDs"));
    assert_false (exists (tree, "box"));
}

/* rows: RDT-07 */
static void test_schemata_of_a_class_that_exists (void **state)
{
    static const struct {
        const char *l3, *mb;
        const char *key; /* NULL: they match */
    } cases[] = {
        {"L3:0=7ff;1=7ff", NULL, NULL},
        {"L3:0=7FF", NULL, NULL},
        {"L3:00=0007ff;1=7ff", "MB:0=100;1=50", NULL},
        {"L3: 1 = 7ff", NULL, "l3CacheSchema"},
        {NULL, "MB:1=50", NULL},
        {"L3:0=7ff;", NULL, NULL},
        {"L3:0=7f", NULL, "l3CacheSchema"},
        {"L3:0=7fff", NULL, "l3CacheSchema"},
        {"L3:0=0", NULL, "l3CacheSchema"},
        {"L3:2=7ff", NULL, "l3CacheSchema"},
        {"L3:0=7ff;1=3", NULL, "l3CacheSchema"},
        {"L3CODE:0=7ff", NULL, "l3CacheSchema"},
        {"L3", NULL, "l3CacheSchema"},
        {"L3:0", NULL, "l3CacheSchema"},
        {"", NULL, "l3CacheSchema"},
        {"L3:0=7ff", "MB:0=10", "memBwSchema"},
        {NULL, "MB:1=5", "memBwSchema"},
    };
    struct tree *tree = *state;

    make_class (tree, "g", ROOT_SCHEMATA);
    for (size_t i = 0; i < sizeof (cases) / sizeof (cases[0]); i++) {
        const struct oci_intel_rdt config = {
            .clos_id = "g", .l3_cache_schema = cases[i].l3, .mem_bw_schema = cases[i].mb};
        struct rdt rdt;
        struct error err;
        int result = prepare (tree, &config, &rdt, &err);
        if (result != (cases[i].key ? -1 : 0))
            fail_msg ("%s, %s: %d %s", cases[i].l3, cases[i].mb, result, err.text);
        if (!cases[i].key) {
            assert_int_equal (rdt_make (&rdt, &err), 0);
            assert_int_equal (rdt_grant (&rdt, 1, &err), 0);
            assert_string_equal (content (tree, "g/schemata"), ROOT_SCHEMATA);
            continue;
        }
        assert_string_equal (err.code, "RT-RDT-MISMATCH");
        assert_string_equal (err.pointer,
                             arena_printf (&tree->arena, "/linux/intelRdt/%s", cases[i].key));
    }
}

/* rows: RDT-09 */
static void test_a_refusal_says_why (void **state)
{
    const struct oci_intel_rdt config = {.clos_id = "g", .l3_cache_schema = "L3:0=f"};
    struct tree *tree = *state;
    struct rdt rdt;
    struct error err;

    assert_int_equal (prepare (tree, &config, &rdt, &err), 0);
    assert_int_equal (rdt_make (&rdt, &err), 0);
    put (tree, "info/last_cmd_status", "Mask out of range\n");
    assert_int_equal (rdt_grant (&rdt, 1, &err), -1); /* the file is not there */
    assert_non_null (strstr (err.text, "Mask out of range"));
    assert_non_null (strstr (err.text, "L3:0=f"));
    assert_string_equal (err.pointer, "/linux/intelRdt/l3CacheSchema");
}

/* rows: RDT-01 */
static void test_names_that_are_no_class (void **state)
{
    const struct oci_intel_rdt config = {.clos_id = "info", .l3_cache_schema = "L3:0=f"};
    struct tree *tree = *state;
    struct rdt rdt;
    struct error err;

    assert_int_equal (prepare (tree, &config, &rdt, &err), 0);
    assert_int_equal (rdt_make (&rdt, &err), -1);
    assert_int_equal (err.errnum, EEXIST);
    assert_true (exists (tree, "info"));
}

static struct rdt class_g (struct tree *tree)
{
    static const struct oci_intel_rdt config = {.clos_id = "g"};
    struct rdt rdt;

    make_class (tree, "g", "    MB:0=100;1= 50\n    L3:0=007ff;1=007ff\n");
    rdt_plan (&config, "box", tree->path, &tree->arena, &rdt);
    return rdt;
}

/* rows: UPD-14 */
static void test_an_update_is_one_write (void **state)
{
    struct tree *tree = *state;
    const struct rdt rdt = class_g (tree);
    const char *before;
    struct error err;

    assert_int_equal (rdt_update (&rdt, "L3:0=f", "MB:1=20", &tree->arena, &before, &err), 0);
    assert_true (strncmp (content (tree, "g/schemata"), "L3:0=f\nMB:1=20\n", 15) == 0);
    put (tree, "g/schemata", "");
    rdt_update_undo (&rdt, before);
    assert_string_equal (content (tree, "g/schemata"), "L3:0=007ff;1=007ff\nMB:0=100;1= 50\n");
}

/* rows: UPD-14 */
static void test_an_update_of_one_leaves_the_other (void **state)
{
    struct tree *tree = *state;
    const struct rdt rdt = class_g (tree);
    const char *before;
    struct error err;

    assert_int_equal (rdt_update (&rdt, NULL, "MB:0=20", &tree->arena, &before, &err), 0);
    assert_null (strstr (before, "L3"));
    assert_true (strncmp (content (tree, "g/schemata"), "MB:0=20\n", 8) == 0);
}

/* rows: UPD-14 */
static void test_an_update_that_is_refused (void **state)
{
    struct tree *tree = *state;
    const struct rdt rdt = class_g (tree);
    const char *before;
    struct error err;

    put (tree, "info/last_cmd_status", "Mask out of range\n");
    assert_int_equal (unlink (below (tree, "g/schemata")), 0);
    assert_int_equal (symlink ("/dev/full", below (tree, "g/schemata")), 0);
    assert_int_equal (rdt_update (&rdt, "L3:0=f", NULL, &tree->arena, &before, &err), -1);
    assert_non_null (strstr (err.text, "Mask out of range"));
    assert_string_equal (err.pointer, "/linux/intelRdt/l3CacheSchema");
}

/* A file that takes everything and keeps nothing. */
/* rows: UPD-14 */
static void test_an_update_that_does_not_hold (void **state)
{
    struct tree *tree = *state;
    const struct rdt rdt = class_g (tree);
    const char *before;
    struct error err;

    assert_int_equal (unlink (below (tree, "g/schemata")), 0);
    assert_int_equal (symlink ("/dev/null", below (tree, "g/schemata")), 0);
    assert_int_equal (rdt_update (&rdt, NULL, "MB:0=20", &tree->arena, &before, &err), -1);
    assert_non_null (strstr (err.text, "holds \"\" after \"MB:0=20\""));
    assert_string_equal (err.pointer, "/linux/intelRdt/memBwSchema");
}

/* rows: RDT-13 */
static void test_statistics (void **state)
{
    static const char *const directories[] = {"info/L3",
                                              "info/MB",
                                              "g/mon_data",
                                              "g/mon_data/mon_L3_00",
                                              "g/mon_data/mon_L3_01",
                                              "g/mon_data/mon_sub_L3_00"};
    static const char *const files[][2] = {
        {"info/L3/cbm_mask", "7ff\n"},
        {"info/L3/min_cbm_bits", "1\n"},
        {"info/L3/num_closids", "16\n"},
        {"info/MB/bandwidth_gran", "10\n"},
        {"info/MB/delay_linear", "1\n"},
        {"info/MB/min_bandwidth", "10\n"},
        {"info/MB/num_closids", "8\n"},
        {"g/mon_data/mon_L3_00/llc_occupancy", "65536\n"},
        {"g/mon_data/mon_L3_00/mbm_total_bytes", "300\n"},
        {"g/mon_data/mon_L3_00/mbm_local_bytes", "200\n"},
        {"g/mon_data/mon_L3_01/llc_occupancy", "Unavailable\n"},
        {"g/mon_data/mon_L3_01/mbm_total_bytes", "7\n"},
    };
    const struct oci_intel_rdt config = {.clos_id = "g"};
    struct tree *tree = *state;
    struct rdt rdt;
    struct rdt_stats stats;
    struct error err;

    make_class (tree, "g", "    MB:0=20;1=20\n    L3:0=f;1=f\n");
    rdt_plan (&config, "box", tree->path, &tree->arena, &rdt);
    assert_int_equal (rdt_stats_read (&tree->arena, &rdt, &stats, &err), 0);
    assert_false (stats.l3.present || stats.mb.present || stats.has_mbm || stats.has_cmt);

    for (size_t i = 0; i < sizeof (directories) / sizeof (directories[0]); i++)
        assert_int_equal (mkdir (below (tree, directories[i]), 0755), 0);
    for (size_t i = 0; i < sizeof (files) / sizeof (files[0]); i++)
        put (tree, files[i][0], files[i][1]);
    assert_int_equal (rdt_stats_read (&tree->arena, &rdt, &stats, &err), 0);
    for (size_t i = sizeof (files) / sizeof (files[0]); i-- > 0;)
        assert_int_equal (unlink (below (tree, files[i][0])), 0);
    for (size_t i = sizeof (directories) / sizeof (directories[0]); i-- > 0;)
        assert_int_equal (rmdir (below (tree, directories[i])), 0);

    assert_string_equal (stats.l3.cbm_mask, "7ff");
    assert_int_equal (stats.l3.min_cbm_bits, 1);
    assert_int_equal (stats.l3.num_closids, 16);
    assert_string_equal (stats.l3.schema, "L3:0=f;1=f");
    assert_string_equal (stats.l3.schema_root, "L3:0=007ff;1=007ff");
    assert_int_equal (stats.mb.bandwidth_gran, 10);
    assert_int_equal (stats.mb.num_closids, 8);
    assert_string_equal (stats.mb.schema, "MB:0=20;1=20");
    assert_string_equal (stats.mb.schema_root, "MB:0=100;1= 50");
    assert_true (stats.has_mbm && stats.has_cmt);
    assert_int_equal (stats.domain_count, 2);
    assert_int_equal (stats.domains[0].llc_occupancy, 65536);
    assert_int_equal (stats.domains[0].mbm_local_bytes, 200);
    assert_int_equal (stats.domains[1].llc_occupancy, 0);
    assert_int_equal (stats.domains[1].mbm_total_bytes, 7);

    struct events_stats event = {.has_rdt = true, .rdt = stats};
    AUTO_TEXT struct text line = {0};
    events_stats_line (&line, "box", &event);
    assert_non_null (strstr (
        line.bytes, "\"intel_rdt\":{\"l3_cache_info\":{\"cbm_mask\":\"7ff\",\"min_cbm_bits\":1,"
                    "\"num_closids\":16},\"l3_cache_schema_root\":\"L3:0=007ff;1=007ff\","
                    "\"l3_cache_schema\":\"L3:0=f;1=f\",\"mem_bw_info\":{\"bandwidth_gran\":10,"
                    "\"delay_linear\":1,\"min_bandwidth\":10,\"num_closids\":8},"
                    "\"mem_bw_schema_root\":\"MB:0=100;1= 50\",\"mem_bw_schema\":\"MB:0=20;1=20\","
                    "\"mbm_stats\":[{\"mbm_total_bytes\":300,\"mbm_local_bytes\":200},"
                    "{\"mbm_total_bytes\":7,\"mbm_local_bytes\":0}],"
                    "\"cmt_stats\":[{\"llc_occupancy\":65536},{\"llc_occupancy\":0}]}"));
}

#define TEST(name) cmocka_unit_test_setup_teardown (name, set_up, tear_down)

int main (void)
{
    const struct CMUnitTest tests[] = {
        TEST (test_what_is_no_resctrl_is_refused),
        TEST (test_a_class_of_its_own_has_the_id),
        TEST (test_a_class_of_that_id_that_was_there_stays),
        TEST (test_a_named_class_is_joined),
        TEST (test_a_named_class_is_made_and_left),
        TEST (test_the_class_of_everybody),
        TEST (test_schemata_are_written_in_their_order),
        TEST (test_monitoring),
        TEST (test_a_monitoring_group_that_cannot_be_made),
        TEST (test_schemata_of_a_class_that_exists),
        TEST (test_a_refusal_says_why),
        TEST (test_names_that_are_no_class),
        TEST (test_an_update_is_one_write),
        TEST (test_an_update_of_one_leaves_the_other),
        TEST (test_an_update_that_is_refused),
        TEST (test_an_update_that_does_not_hold),
        TEST (test_statistics),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
