/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The decoder's own behaviour, and the properties above `process` and `linux`.
 */
#include "document.h"

/* rows: CRT-30 CRT-35 CRT-38 CRT-41 CRT-42 CRT-31 */
static void least_document_is_accepted (void **state)
{
    static const char text[] = "{\"ociVersion\":\"1.0.0\",\"root\":{\"path\":\"rootfs\"},"
                               "\"process\":{\"cwd\":\"/\",\"args\":[\"sh\"]}}";
    AUTO_ARENA struct arena arena = ARENA_INIT;
    struct found found;
    struct oci_config *config = parse_config (&arena, text, &found);

    (void)state;
    assert_non_null (config);
    assert_string_equal (config->oci_version, "1.0.0");
    assert_string_equal (config->root->path, "rootfs");
    assert_false (config->root->readonly);
    assert_string_equal (config->process->args.items[0], "sh");
    assert_null (config->process->args.items[1]);
    assert_int_equal (config->process->user.uid, 0);
    assert_null (config->hostname);
    assert_false (config->mounts.present);
    assert_false (config->linux.namespaces.present);
    assert_null (config->linux.resources);
    assert_null (config->linux.seccomp);
    assert_false (config->process->oom_score_adj.present);
    assert_false (config->process->no_new_privileges.present);
    assert_ptr_equal (config->text, text);
    assert_int_equal (config->text_length, strlen (text));
    assert_string_equal (config->file, "config.json");
    assert_null (oci_config_namespace (config, 0x20000));
}

/* rows: CRT-31 CRT-34 CRT-35 CRT-38 ANN-01 */
static void top_is_checked (void **state)
{
    static const struct refusal refusals[] = {
        {"\"ociVersion\":null", "/ociVersion", "is required"},
        {"\"ociVersion\":\"\"", "/ociVersion", "must not be empty"},
        {"\"ociVersion\":1", "/ociVersion", "must be a string, not a number"},
        {"\"root\":null", "/root", "is required"},
        {"\"root\":\"rootfs\"", "/root", "must be an object, not a string"},
        {"\"root\":{}", "/root/path", "is required"},
        {"\"root\":{\"path\":\"\"}", "/root/path", "must not be empty"},
        {"\"root\":{\"path\":null}", "/root/path", "is required"},
        {"\"root\":{\"path\":\"r\",\"readonly\":1}", "/root/readonly", "must be a boolean"},
        {"\"root\":{\"path\":\"r\",\"readonly\":null}", NULL, NULL},
        {"\"process\":null", "/process", "\"process\" property must be set"},
        {"\"process\":[]", "/process", "must be an object, not an array"},
        {"\"linux\":null", NULL, NULL},
        {"\"linux\":false", "/linux", "must be an object, not a boolean"},
        {"\"mounts\":null", NULL, NULL},
        {"\"mounts\":{}", "/mounts", "must be an array, not an object"},
        {"\"mounts\":[null]", "/mounts/0", "must be an object, not null"},
        {"\"annotations\":{\"a\":\"\",\"b\":\"x\"}", NULL, NULL},
        {"\"annotations\":{\"a/b~c\":1}", "/annotations/a~1b~0c", "must be a string"},
        {"\"annotations\":{\"a\":null}", "/annotations/a", "must be a string"},
        {"\"annotations\":{\"\":\"x\"}", "/annotations/", "must not be empty"},
        {"\"hostname\":\"\"", NULL, NULL},
        {"\"hostname\":5", "/hostname", "must be a string"},
        /* Sections of other platforms and whatever else is not known. */
        {"\"windows\":{\"layerFolders\":7},\"solaris\":1,\"vm\":[],\"zos\":\"\",\"freebsd\":{}",
         NULL, NULL},
        {"\"x-unknown\":[{\"deep\":[1.5e3]}]", NULL, NULL},
    };

    (void)state;
    CHECK_REFUSALS (ABOVE, refusals);
}

/* rows: CRT-30 */
static void version_is_checked (void **state)
{
    static const struct refusal refusals[] = {
        {"\"ociVersion\":\"1.0.0\"", NULL, NULL},
        {"\"ociVersion\":\"1.0.0-rc5\"", NULL, NULL},
        {"\"ociVersion\":\"1.0.2-dev\"", NULL, NULL},
        {"\"ociVersion\":\"1.3.0+build.7\"", NULL, NULL},
        {"\"ociVersion\":\"1.1.0-rc.1+x\"", NULL, NULL},
        {"\"ociVersion\":\"1.99.12\"", NULL, NULL},
        {"\"ociVersion\":\"2.0.0\"", "/ociVersion", "unsupported version \"2.0.0\""},
        {"\"ociVersion\":\"0.9.0\"", "/ociVersion", "unsupported version"},
        {"\"ociVersion\":\"10.0.0\"", "/ociVersion", "unsupported version"},
        {"\"ociVersion\":\"1.0\"", "/ociVersion", "semantic version"},
        {"\"ociVersion\":\"1\"", "/ociVersion", "semantic version"},
        {"\"ociVersion\":\"1.0.0.0\"", "/ociVersion", "semantic version"},
        {"\"ociVersion\":\"v1.0.0\"", "/ociVersion", "semantic version"},
        {"\"ociVersion\":\"01.0.0\"", "/ociVersion", "semantic version"},
        {"\"ociVersion\":\"1.0.0-\"", "/ociVersion", "semantic version"},
        {"\"ociVersion\":\"1.0.0 \"", "/ociVersion", "semantic version"},
        {"\"ociVersion\":\"1.x.0\"", "/ociVersion", "semantic version"},
    };

    (void)state;
    CHECK_REFUSALS (ABOVE, refusals);
}

/* Hooks, all six kinds, and their order in the struct. */
static void hooks_are_read (void **state)
{
    static const char hooks[] =
        "\"hooks\":{\"prestart\":[{\"path\":\"/0\"}],\"createRuntime\":[{\"path\":\"/1\"}],"
        "\"createContainer\":[{\"path\":\"/2\",\"args\":[\"two\",\"x\"],\"env\":[\"A=b\"],"
        "\"timeout\":9}],\"startContainer\":[{\"path\":\"/3\"}],\"poststart\":[{\"path\":\"/4\"}],"
        "\"poststop\":[{\"path\":\"/5\"},{\"path\":\"/6\"}]}";
    AUTO_ARENA struct arena arena = ARENA_INIT;
    struct oci_config *config = accept (&arena, hooks, "", "");

    (void)state;
    for (int kind = 0; kind < OCI_HOOK_KINDS; kind++) {
        assert_int_equal (config->hooks[kind].count, kind == OCI_HOOK_POSTSTOP ? 2 : 1);
        assert_int_equal (config->hooks[kind].items[0].path[1], '0' + kind);
    }
    const struct oci_hook *hook = &config->hooks[OCI_HOOK_CREATE_CONTAINER].items[0];
    assert_string_equal (hook->args.items[1], "x");
    assert_null (hook->args.items[2]);
    assert_string_equal (hook->env.items[0], "A=b");
    assert_int_equal (hook->timeout.value, 9);
    assert_false (config->hooks[OCI_HOOK_PRESTART].items[0].args.present);
    assert_false (config->hooks[OCI_HOOK_PRESTART].items[0].timeout.present);
}

static void hooks_are_checked (void **state)
{
    static const struct refusal refusals[] = {
        {"\"hooks\":null", NULL, NULL},
        {"\"hooks\":{\"prestart\":null,\"unknown\":[1]}", NULL, NULL},
        {"\"hooks\":[]", "/hooks", "must be an object"},
        {"\"hooks\":{\"poststop\":{}}", "/hooks/poststop", "must be an array"},
        {"\"hooks\":{\"poststop\":[{}]}", "/hooks/poststop/0/path", "is required"},
        {"\"hooks\":{\"poststart\":[{\"path\":\"true\"}]}", "/hooks/poststart/0/path",
         "must be an absolute path, not \"true\""},
        {"\"hooks\":{\"prestart\":[{\"path\":\"/x\",\"timeout\":0}]}", "/hooks/prestart/0/timeout",
         "must be an integer from 1"},
        {"\"hooks\":{\"prestart\":[{\"path\":\"/x\",\"timeout\":-1}]}", "/hooks/prestart/0/timeout",
         "must be an integer from 1"},
        {"\"hooks\":{\"prestart\":[{\"path\":\"/x\",\"env\":\"A=b\"}]}", "/hooks/prestart/0/env",
         "must be an array"},
    };

    (void)state;
    CHECK_REFUSALS (ABOVE, refusals);
}

/* All that is wrong is told, in the order of the document, and the first one is the error. */
/* rows: CRT-32 CRT-34 */
static void all_errors_are_told (void **state)
{
    static const char text[] =
        "{\n"
        " \"process\": {\n"
        "  \"rlimits\": [ {\"type\":\"RLIMIT_CPU\",\"soft\":1,\"hard\":2},\n"
        "   {\"type\": \"RLIMIT_NOFILES\", \"soft\": -1, \"hard\": \"many\"}],\n"
        "  \"args\": [],\n"
        "  \"cwd\": \"tmp\"\n"
        " },\n"
        " \"linux\": { \"namespaces\": [{\"type\":\"pid\"},{\"type\":\"pid\"}] },\n"
        " \"hostname\": \"x\"\n"
        "}\n";
    static const struct {
        unsigned int line, column;
        const char *text;
    } wanted[] = {
        {1, 1, "/ociVersion: is required"},
        {1, 1, "/root: is required: the container needs a root file system"},
        {4, 13,
         "/process/rlimits/1/type: unknown rlimit type \"RLIMIT_NOFILES\", did you mean "
         "\"RLIMIT_NOFILE\"?"},
        {4, 39,
         "/process/rlimits/1/soft: must be an integer from 0 to 18446744073709551615, "
         "not -1"},
        {4, 51,
         "/process/rlimits/1/hard: must be an integer from 0 to 18446744073709551615, "
         "not \"many\""},
        {5, 11, "/process/args: args must not be empty"},
        {6, 10, "/process/cwd: must be an absolute path, not \"tmp\""},
        {8, 43, "/linux/namespaces/1: the namespace type \"pid\" is listed twice"},
        {9, 14, "/hostname: needs a uts namespace, or it would be the host's"},
    };
    AUTO_ARENA struct arena arena = ARENA_INIT;
    struct found found;
    struct error err;

    (void)state;
    assert_null (parse_config (&arena, text, &found));
    for (size_t i = 0; i < sizeof (wanted) / sizeof (*wanted); i++) {
        assert_string_equal (found.items[i].text, wanted[i].text);
        assert_int_equal (found.items[i].line, wanted[i].line);
        assert_int_equal (found.items[i].column, wanted[i].column);
        assert_string_equal (found.items[i].file, "config.json");
    }
    assert_int_equal (found.count, sizeof (wanted) / sizeof (*wanted));
    assert_null (oci_config_parse (&arena, "config.json", text, strlen (text), NULL, NULL, &err));
    assert_string_equal (err.text, "/ociVersion: is required (and 8 more errors)");
    assert_string_equal (err.pointer, "/ociVersion");
}

/* A document can be wrong in more places than anybody reads. */
/* rows: HDN-17 */
static void findings_are_limited (void **state)
{
    AUTO_ARENA struct arena arena = ARENA_INIT;
    AUTO_TEXT struct text text = {0};
    struct found found = {0};
    struct error err;

    (void)state;
    text_puts (&text, "{\"ociVersion\":\"1.0.0\",\"process\":{\"args\":[");
    for (int i = 0; i < 5000; i++)
        text_puts (&text, i > 0 ? ",1" : "1");
    text_puts (&text, "]}}");
    assert_null (oci_config_parse (&arena, "config.json", text_string (&text), text.length,
                                   note_finding, &found, &err));
    assert_int_equal (found.count, 1000);
    assert_non_null (strstr (err.text, "more errors)"));
}

/* A pointer longer than an error has room for is cut, not lost. */
static void long_pointers_are_cut (void **state)
{
    AUTO_ARENA struct arena arena = ARENA_INIT;
    AUTO_TEXT struct text text = {0};
    struct found found;

    (void)state;
    text_puts (&text, "{\"ociVersion\":\"1.0.0\",\"annotations\":{\"");
    for (int i = 0; i < 500; i++)
        text_puts (&text, "~/");
    text_puts (&text,
               "\":1},\"root\":{\"path\":\"r\"},\"process\":{\"cwd\":\"/\",\"args\":[\"x\"]}}");
    assert_null (parse_config (&arena, text_string (&text), &found));
    assert_int_equal (found.count, 1);
    assert_true (strlen (found.items[0].pointer) > sizeof (found.items[0].pointer) - 4);
    assert_memory_equal (found.items[0].pointer, "/annotations/~0~1~0~1", 21);
    assert_int_equal (found.items[0].line, 1);
}

static void broken_json_is_told_once (void **state)
{
    AUTO_ARENA struct arena arena = ARENA_INIT;
    struct found found;

    (void)state;
    assert_null (parse_config (&arena, "{\"ociVersion\": }", &found));
    assert_int_equal (found.count, 1);
    assert_string_equal (found.items[0].code, "RT-JSON-SYNTAX");
    assert_null (parse_config (&arena, "[]", &found));
    assert_non_null (strstr (found.items[0].text, "must be an object, not an array"));
}

static void errors_are_located (void **state)
{
    static const char text[] = "{\"a\":\n {\"b/c\": [1,\n  2]}}";
    struct error err;

    (void)state;
    error_set (&err, "RT-X", 0, "x");
    error_at (&err, "/a/b~1c/1");
    oci_locate_error (text, strlen (text), &err);
    assert_int_equal (err.line, 3);
    assert_int_equal (err.column, 3);
    error_set (&err, "RT-X", 0, "x");
    error_at (&err, "/a/nothing");
    oci_locate_error (text, strlen (text), &err);
    assert_int_equal (err.line, 0);
    error_set (&err, "RT-X", 0, "x");
    oci_locate_error (text, strlen (text), &err);
    assert_int_equal (err.line, 0);
    oci_locate_error ("{", 1, &err);
    assert_string_equal (err.text, "x");
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (least_document_is_accepted), cmocka_unit_test (top_is_checked),
        cmocka_unit_test (version_is_checked),         cmocka_unit_test (hooks_are_read),
        cmocka_unit_test (hooks_are_checked),          cmocka_unit_test (all_errors_are_told),
        cmocka_unit_test (findings_are_limited),       cmocka_unit_test (long_pointers_are_cut),
        cmocka_unit_test (broken_json_is_told_once),   cmocka_unit_test (errors_are_located),
    };

    return cmocka_run_group_tests (tests, NULL, NULL);
}
