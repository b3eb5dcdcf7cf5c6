/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The documents that rt writes: state and features.
 */
#include "base/arena.h"
#include "base/text.h"
#include "oci-spec/features.h"
#include "oci-spec/json.h"
#include "oci-spec/names.h"
#include "oci-spec/state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const struct json *parse (struct arena *arena, const struct text *text)
{
    struct error err;
    const struct json *root =
        json_parse (arena, "document", text_string (text), text->length, &err);

    if (!root)
        fail_msg ("%s\n%s", err.text, text_string (text));
    return root;
}

/* rows: VRB-07 VRB-08 VRB-09 VRB-10 VRB-11 VRB-12 HKS-13 */
static void state_is_written (void **state)
{
    struct oci_pair pairs[] = {{"org.example/a", "x/y \"z\"\n"}, {"b", ""}};
    struct oci_map annotations = {.count = 2, .items = pairs, .present = true};
    struct oci_state container = {
        .id = "c1",
        .status = OCI_STATUS_RUNNING,
        .pid = 4422,
        .bundle = "/b/\xc3\xa9",
        .annotations = &annotations,
    };
    AUTO_TEXT struct text text = {0};

    (void)state;
    oci_state_write (&text, &container, false);
    assert_string_equal (
        text_string (&text),
        "{\"ociVersion\":\"1.3.0\",\"id\":\"c1\",\"status\":\"running\",\"pid\":4422,"
        "\"bundle\":\"/b/\xc3\xa9\",\"annotations\":{\"org.example/a\":"
        "\"x/y \\\"z\\\"\\n\",\"b\":\"\"}}");
}

/* rows: VRB-06 VRB-10 VRB-11 VRB-12 */
static void state_is_written_for_people (void **state)
{
    struct oci_state container = {
        .id = "c1",
        .status = OCI_STATUS_STOPPED,
        .bundle = "/b",
        .rootfs = "/b/rootfs",
        .created = "2026-01-02T03:04:05.000000006Z",
        .owner = "root",
    };
    static const char *const keys[] = {
        "ociVersion", "id", "status", "pid", "bundle", "rootfs", "created", "annotations", "owner",
    };
    AUTO_ARENA struct arena arena = ARENA_INIT;
    AUTO_TEXT struct text text = {0};
    size_t index = 0;

    (void)state;
    oci_state_write (&text, &container, true);
    assert_non_null (strstr (text_string (&text), "{\n  \"ociVersion\": \"1.3.0\",\n"));
    const struct json *root = parse (&arena, &text);
    assert_int_equal (root->count, 9);
    json_each (member, root)
        assert_string_equal (member->key, keys[index++]);
    assert_string_equal (json_at (root, "/pid")->text, "0");
    assert_int_equal (json_at (root, "/annotations")->count, 0);
    assert_string_equal (oci_status_word (OCI_STATUS_CREATING), "creating");
    assert_string_equal (oci_status_word (OCI_STATUS_CREATED), "created");
    assert_string_equal (oci_status_word (OCI_STATUS_PAUSED), "paused");
}

static bool lists (const struct json *array, const char *word)
{
    json_each (item, array)
        if (item->type == JSON_STRING && text_equal (item->text, word))
            return true;
    return false;
}

static void no_nulls (const struct json *value)
{
    assert_int_not_equal (value->type, JSON_NULL);
    if (value->type == JSON_STRING)
        assert_null (strchr (value->text, '\n'));
    json_each (child, value)
        no_nulls (child);
}

/* rows: FEA-01 FEA-02 FEA-03 FEA-04 FEA-05 FEA-06 FEA-07 FEA-08 FEA-09 FEA-10 FEA-11 FEA-12 FEA-13
 */
/* rows: FEA-14 FEA-15 FEA-16 */
static void features_are_written (void **state)
{
    struct oci_features features = {
        .seccomp = true,
        .selinux = true,
        .rdma = true,
        .idmap = true,
        .net_devices = true,
        .seccomp_supported_flags = 1 | 4,
        .libseccomp_version = "2.5.4",
        .version = "0.1.0",
        .commit = "abc",
    };
    AUTO_ARENA struct arena arena = ARENA_INIT;
    AUTO_TEXT struct text text = {0};
    const char *word;

    (void)state;
    oci_features_write (&text, &features);
    assert_int_equal (text_string (&text)[text.length - 1], '\n');
    const struct json *root = parse (&arena, &text);
    no_nulls (root);
    assert_string_equal (json_at (root, "/ociVersionMin")->text, "1.0.0");
    assert_string_equal (json_at (root, "/ociVersionMax")->text, OCI_VERSION);
    assert_int_equal (json_at (root, "/hooks")->count, 6);
    for (size_t i = 0; (word = oci_mount_option_at (i)); i++)
        assert_true (lists (json_at (root, "/mountOptions"), word));
    assert_true (lists (json_at (root, "/mountOptions"), "rro"));
    assert_int_equal (json_at (root, "/linux/namespaces")->count, 8);
    assert_int_equal (json_at (root, "/linux/capabilities")->count, 41);
    assert_true (json_at (root, "/linux/cgroup/v1")->boolean);
    assert_true (json_at (root, "/linux/cgroup/v2")->boolean);
    assert_false (json_at (root, "/linux/cgroup/systemd")->boolean);
    assert_true (json_at (root, "/linux/cgroup/rdma")->boolean);
    assert_true (json_at (root, "/linux/seccomp/enabled")->boolean);
    assert_int_equal (json_at (root, "/linux/seccomp/actions")->count, 9);
    assert_int_equal (json_at (root, "/linux/seccomp/operators")->count, 7);
    assert_int_equal (json_at (root, "/linux/seccomp/archs")->count, 23);
    assert_int_equal (json_at (root, "/linux/seccomp/knownFlags")->count, 4);
    assert_int_equal (json_at (root, "/linux/seccomp/supportedFlags")->count, 2);
    assert_true (
        lists (json_at (root, "/linux/seccomp/supportedFlags"), "SECCOMP_FILTER_FLAG_SPEC_ALLOW"));
    assert_false (json_at (root, "/linux/apparmor/enabled")->boolean);
    assert_true (json_at (root, "/linux/selinux/enabled")->boolean);
    assert_false (json_at (root, "/linux/intelRdt/schemata")->boolean);
    assert_int_equal (json_at (root, "/linux/memoryPolicy/modes")->count, 7);
    assert_int_equal (json_at (root, "/linux/memoryPolicy/flags")->count, 3);
    assert_true (json_at (root, "/linux/mountExtensions/idmap/enabled")->boolean);
    assert_true (json_at (root, "/linux/netDevices/enabled")->boolean);
    assert_string_equal (json_at (root, "/annotations/io.github.seccomp.libseccomp.version")->text,
                         "2.5.4");
    assert_true (
        lists (json_at (root, "/potentiallyUnsafeConfigAnnotations"), "org.systemd.property."));
    assert_true (lists (json_at (root, "/potentiallyUnsafeConfigAnnotations"),
                        "run.oci.keep_original_groups"));
}

/* A build without a feature says false, and nothing about its details. */
/* rows: FEA-15 */
static void absent_features_are_false (void **state)
{
    struct oci_features features = {0};
    AUTO_ARENA struct arena arena = ARENA_INIT;
    AUTO_TEXT struct text text = {0};

    (void)state;
    oci_features_write (&text, &features);
    const struct json *root = parse (&arena, &text);
    no_nulls (root);
    assert_int_equal (json_at (root, "/linux/seccomp")->count, 1);
    assert_false (json_at (root, "/linux/seccomp/enabled")->boolean);
    assert_int_equal (json_at (root, "/annotations")->count, 0);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (state_is_written),
        cmocka_unit_test (state_is_written_for_people),
        cmocka_unit_test (features_are_written),
        cmocka_unit_test (absent_features_are_false),
    };

    return cmocka_run_group_tests (tests, NULL, NULL);
}
