/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The decoder's tables against the specification's own schema and examples (tests/schema/): tables
 * drift, and a property that nobody reads is one that is silently not applied.
 */
#include "base/cleanup.h"
#include "document.h"
#include "oci-spec/json.h"
#include "oci-spec/sections.h"

#define PATTERNS_MAX 512
#define PATTERN_SIZE 160
#define FILE_MAX 65535

/* ---- files ---- */

static char *read_file (struct arena *arena, const char *name, size_t *length)
{
    const char *top = getenv ("srcdir");
    char path[512];
    char *text = arena_alloc (arena, FILE_MAX + 1);

    (void)snprintf (path, sizeof (path), "%s/tests/schema/%s", top ? top : ".", name);
    AUTO_FILE FILE *file = fopen (path, "re");
    if (!file)
        fail_msg ("%s cannot be read", path);
    *length = fread (text, 1, FILE_MAX + 1, file);
    assert_true (*length <= FILE_MAX);
    return text;
}

static const struct json *read_schema (struct arena *arena, const char *name)
{
    struct error err;
    size_t length;
    const char *text = read_file (arena, name, &length);
    const struct json *root = json_parse (arena, name, text, length, &err);

    if (!root)
        fail_msg ("%s: %s", name, err.text);
    return root;
}

/* ---- patterns: "/process/rlimits/ * /hard" ---- */

struct pattern {
    char text[PATTERN_SIZE];
    const struct decode_row *row; /* ours */
    const struct json *words;     /* the schema's "enum" */
    bool required;
};

struct patterns {
    size_t count;
    struct pattern items[PATTERNS_MAX];
};

static struct pattern *find_pattern (struct patterns *patterns, const char *text)
{
    for (size_t i = 0; i < patterns->count; i++)
        if (text_equal (patterns->items[i].text, text))
            return &patterns->items[i];
    return NULL;
}

static struct pattern *add_pattern (struct patterns *patterns, const char *text)
{
    struct pattern *pattern = find_pattern (patterns, text);

    if (pattern)
        return pattern;
    assert_true (patterns->count < PATTERNS_MAX && strlen (text) < PATTERN_SIZE);
    pattern = &patterns->items[patterns->count++];
    (void)snprintf (pattern->text, sizeof (pattern->text), "%s", text);
    return pattern;
}

/* Step by step the same, "*" in the first being any step. */
static bool covers (const char *pattern, const char *text)
{
    while (*pattern && *text) {
        size_t length = strcspn (pattern + 1, "/") + 1;
        size_t other = strcspn (text + 1, "/") + 1;
        bool any = length == 2 && pattern[1] == '*';
        if (!any && (length != other || strncmp (pattern, text, length) != 0))
            return false;
        pattern += length;
        text += other;
    }
    return *pattern == *text;
}

static bool is_listed (const char *const *list, const char *text)
{
    for (; *list; list++)
        if (text_equal (*list, text))
            return true;
    return false;
}

/* ---- the schema's side ---- */

/* Sections and properties of other platforms; nothing on Linux may depend on them. */
static const char *const not_for_linux[] = {
    "/solaris",
    "/windows",
    "/vm",
    "/zos",
    "/freebsd",
    "/process/commandLine",
    "/process/user/username",
    NULL,
};

static void walk (struct arena *arena, const char *file, const struct json *node,
                  const char *prefix, struct patterns *patterns);

static void follow (struct arena *arena, const char *file, const char *reference,
                    const char *prefix, struct patterns *patterns)
{
    size_t length = strcspn (reference, "#");
    char *other = length > 0 ? arena_copy (arena, reference, length) : arena_string (arena, file);
    const struct json *node = json_at (read_schema (arena, other), reference + length + 1);

    if (!node)
        fail_msg ("%s refers to %s, which is nowhere", file, reference);
    walk (arena, other, node, prefix, patterns);
}

static void walk_properties (struct arena *arena, const char *file, const struct json *node,
                             const char *prefix, struct patterns *patterns)
{
    const struct json *properties = json_member (node, "properties");
    const struct json *required = json_member (node, "required");
    char below[PATTERN_SIZE];

    if (properties)
        json_each (property, properties) {
            (void)snprintf (below, sizeof (below), "%s/%s", prefix, property->key);
            if (is_listed (not_for_linux, below))
                continue;
            add_pattern (patterns, below);
            walk (arena, file, property, below, patterns);
        }
    if (required)
        json_each (key, required) {
            (void)snprintf (below, sizeof (below), "%s/%s", prefix, key->text);
            add_pattern (patterns, below)->required = true;
        }
}

static void walk (struct arena *arena, const char *file, const struct json *node,
                  const char *prefix, struct patterns *patterns)
{
    static const char *const alternatives[] = {"anyOf", "allOf"};
    static const char *const children[] = {"items", "additionalProperties"};
    const struct json *reference = json_member (node, "$ref");
    const struct json *words = json_member (node, "enum");
    char below[PATTERN_SIZE];

    if (reference)
        follow (arena, file, reference->text, prefix, patterns);
    if (words)
        add_pattern (patterns, prefix)->words = words;
    walk_properties (arena, file, node, prefix, patterns);
    for (size_t i = 0; i < 2; i++) {
        const struct json *list = json_member (node, alternatives[i]);
        if (list)
            json_each (alternative, list)
                walk (arena, file, alternative, prefix, patterns);
        const struct json *child = json_member (node, children[i]);
        if (child && child->type == JSON_OBJECT) {
            (void)snprintf (below, sizeof (below), "%s/*", prefix);
            walk (arena, file, child, below, patterns);
        }
    }
}

/* ---- our side ---- */

static void add_row (void *context, const char *pattern, const struct decode_row *row)
{
    add_pattern (context, pattern)->row = row;
}

struct tables {
    struct patterns ours, theirs;
};

static struct tables *read_tables (struct arena *arena)
{
    struct tables *tables = arena_alloc (arena, sizeof (*tables));

    decode_patterns (&oci_config_table, "", add_row, &tables->ours);
    walk (arena, "config-schema.json", read_schema (arena, "config-schema.json"), "",
          &tables->theirs);
    assert_true (tables->theirs.count > 150);
    return tables;
}

static const struct pattern *our_pattern (const struct tables *tables, const char *text)
{
    for (size_t i = 0; i < tables->ours.count; i++)
        if (covers (tables->ours.items[i].text, text))
            return &tables->ours.items[i];
    return NULL;
}

/* rows: CRT-31 CRT-32 */
static void every_property_has_a_row (void **state)
{
    AUTO_ARENA struct arena arena = ARENA_INIT;
    struct tables *tables = read_tables (&arena);
    size_t missing = 0;

    (void)state;
    for (size_t i = 0; i < tables->theirs.count; i++) {
        const char *text = tables->theirs.items[i].text;
        size_t length = strlen (text);
        bool element = length > 2 && text_equal (text + length - 2, "/*");
        if (!element && !our_pattern (tables, text)) {
            print_error ("%s has no row\n", text);
            missing++;
        }
    }
    assert_int_equal (missing, 0);
}

/* rows: CRT-31 */
static void every_row_is_a_property (void **state)
{
    AUTO_ARENA struct arena arena = ARENA_INIT;
    struct tables *tables = read_tables (&arena);
    size_t unknown = 0;

    (void)state;
    for (size_t i = 0; i < tables->ours.count; i++) {
        const char *text = tables->ours.items[i].text;
        size_t length = strlen (text);
        bool known = length > 2 && text_equal (text + length - 2, "/*");
        for (size_t k = 0; k < tables->theirs.count && !known; k++)
            known = covers (text, tables->theirs.items[k].text);
        if (!known) {
            print_error ("%s is not in the schema\n", text);
            unknown++;
        }
    }
    assert_int_equal (unknown, 0);
}

/* rows: CRT-34 */
static void required_properties_are_required (void **state)
{
    static const char *const elsewhere[] = {
        "/linux/resources/pids/limit", /* optional in config-linux.md, and pids: {} says nothing */
        NULL,
    };
    AUTO_ARENA struct arena arena = ARENA_INIT;
    struct tables *tables = read_tables (&arena);
    size_t required = 0;

    (void)state;
    for (size_t i = 0; i < tables->theirs.count; i++) {
        const struct pattern *theirs = &tables->theirs.items[i];
        const struct pattern *ours = our_pattern (tables, theirs->text);
        if (!theirs->required || is_listed (elsewhere, theirs->text))
            continue;
        assert_non_null (ours);
        if (!ours->row->required)
            fail_msg ("%s is not required by its row", theirs->text);
        required++;
    }
    assert_true (required > 25);
}

/* rows: NSP-01 SEC-01 SEC-06 SEC-10 SEC-12 PRC-25 PRC-28 PRC-31 */
static void every_word_is_known (void **state)
{
    AUTO_ARENA struct arena arena = ARENA_INIT;
    struct tables *tables = read_tables (&arena);
    size_t words = 0;

    (void)state;
    for (size_t i = 0; i < tables->theirs.count; i++) {
        const struct pattern *theirs = &tables->theirs.items[i];
        char text[PATTERN_SIZE];
        uint64_t number;
        if (!theirs->words)
            continue;
        const struct pattern *ours = our_pattern (tables, theirs->text);
        (void)snprintf (text, sizeof (text), "%s", theirs->text);
        if (!ours) { /* flags: the row of the array itself has the names */
            text[strlen (text) - 2] = '\0';
            ours = our_pattern (tables, text);
        }
        assert_non_null (ours);
        assert_non_null (ours->row->names);
        json_each (word, theirs->words) {
            if (!oci_names_find (ours->row->names, word->text, &number))
                fail_msg ("%s does not know \"%s\"", theirs->text, word->text);
            words++;
        }
    }
    assert_true (words > 60);
}

/* ---- examples ---- */

/* What is said about each of the specification's examples. Some that the schema calls good are
 * refused for a reason: the schema also describes documents that are not complete, or not for
 * Linux. */
static const struct example {
    const char *file;
    const char *pointers[3]; /* of the findings, in their order */
} examples[] = {
    {"good/minimal-for-start.json", {NULL}},
    /* No process: allowed until `start`; refused at create as runc does (CRT-38). */
    {"good/minimal.json", {"/process"}},
    {"good/linux-rdma.json", {"/process"}},
    {"good/freebsd-minimal.json", {"/process"}},
    {"good/zos-minimal.json", {"/process"}},
    /* A network device needs a network namespace to be moved to (NET-16). */
    {"good/linux-netdevice.json", {"/process", "/linux/netDevices"}},
    /* A host name without a uts namespace: on these platforms it is the container's anyway. */
    {"good/freebsd-example.json", {"/hostname"}},
    {"good/zos-example.json", {"/ociVersion", "/hostname"}},
    /* Complete, but it calls itself 0.5.0-dev: a major version that nobody supports. */
    {"good/spec-example.json", {"/ociVersion"}},
    {"bad/linux-hugepage.json", {"/process", "/linux/resources/hugepageLimits/0/pageSize"}},
    {"bad/linux-netdevice.json", {"/process", "/linux/netDevices/eth0/name"}},
    {"bad/linux-rdma.json", {"/process", "/linux/resources/rdma/mlx5_1/hcaHandles"}},
    {"bad/invalid-json.json", {""}},
    /* What is wrong with it is in its freebsd section, which is passed over here. */
    {"bad/freebsd-vnet-disable.json", {"/process"}},
};

/* rows: CRT-31 CRT-33 CRT-38 */
static void examples_are_judged (void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof (examples) / sizeof (*examples); i++) {
        AUTO_ARENA struct arena arena = ARENA_INIT;
        struct found found;
        size_t length, wanted = 0;
        char *name = arena_printf (&arena, "test/config/%s", examples[i].file);
        (void)parse_config (&arena, read_file (&arena, name, &length), &found);
        for (; wanted < 3 && examples[i].pointers[wanted]; wanted++)
            if (wanted < found.count)
                assert_string_equal (found.items[wanted].pointer, examples[i].pointers[wanted]);
        if (found.count != wanted)
            fail_msg ("%s: %zu findings, not %zu: %s", examples[i].file, found.count, wanted,
                      found.items[0].text);
    }
}

/* The long example, as a version that there is. */
static void long_example_is_accepted (void **state)
{
    AUTO_ARENA struct arena arena = ARENA_INIT;
    struct found found;
    size_t length;
    char *text = read_file (&arena, "test/config/good/spec-example.json", &length);
    char *version = strstr (text, "0.5.0-dev");

    (void)state;
    assert_non_null (version);
    memcpy (version, "1.3.0-dev", strlen ("1.3.0-dev"));
    struct oci_config *config = parse_config (&arena, text, &found);
    if (!config)
        fail_msg ("%s", found.items[0].text);
    assert_int_equal (config->mounts.count, 7);
    assert_int_equal (config->linux.namespaces.count, 8);
    assert_int_equal (config->linux.resources->block_io->weight_device.count, 2);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (every_property_has_a_row),
        cmocka_unit_test (every_row_is_a_property),
        cmocka_unit_test (required_properties_are_required),
        cmocka_unit_test (every_word_is_known),
        cmocka_unit_test (examples_are_judged),
        cmocka_unit_test (long_example_is_accepted),
    };

    return cmocka_run_group_tests (tests, NULL, NULL);
}
