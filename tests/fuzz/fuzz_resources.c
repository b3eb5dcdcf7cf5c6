/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any two documents as the resources of a container and as an update of them, divided by a line
 * that is "---"; one alone is an update of nothing.
 *
 *   fuzz_resources -max_len=8000 tests/fuzz/corpus/resources
 *
 * What holds afterwards must be readable again, and stay what it is when the update comes twice.
 * The knobs that it becomes must name one file in the cgroup's own directory, each, and have a text
 * that undoes them or none, whatever the file shows.
 */
#include "base/arena.h"
#include "base/text.h"
#include "cgroup/knob.h"
#include "oci-spec/config.h"
#include "oci-spec/update.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput (const uint8_t *bytes, size_t size);

static void must (bool holds)
{
    if (!holds)
        abort ();
}

static struct oci_resources *parse (struct arena *arena, const char *text, size_t length)
{
    struct error err = {0};
    struct oci_resources *resources =
        oci_resources_parse (arena, "x.json", text, length, NULL, NULL, &err);

    must ((resources == NULL) == error_is_set (&err));
    return resources;
}

static const char *write_out (struct arena *arena, const struct oci_resources *resources)
{
    AUTO_TEXT struct text text = {0};

    oci_resources_write (&text, resources);
    return arena_copy (arena, text.bytes, text.length);
}

static void look_at_knobs (struct arena *arena, const struct oci_resources *resources,
                           const struct oci_map *paths, const char *shown)
{
    struct knobs knobs = {.arena = arena};
    struct error err = {0};
    int result = knobs_for (paths, resources, &knobs, &err);

    must ((result < 0) == error_is_set (&err));
    for (size_t i = 0; i < knobs.count; i++) {
        const struct knob *knob = &knobs.items[i];

        must (knob->file[0] != '\0' && knob->file[0] != '.' && !strchr (knob->file, '/'));
        must (text_starts_with (knob->pointer, "/linux/resources/"));
        must (!strchr (knob->value, '\n'));
        const char *before = knob_before (arena, knob, shown);
        must (!before || text_equal (before, "\n") || !strchr (before, '\n'));
        (void)knob_compare (knob, knob->value, shown);
    }
}

static void look_at (struct arena *arena, const struct oci_resources *base,
                     const struct oci_resources *change, const char *shown)
{
    static struct oci_pair v1_pairs[] = {
        {"memory", "/a"},  {"cpu,cpuacct", "/b"}, {"cpuset", "/c"},
        {"pids", "/d"},    {"blkio", "/e"},       {"hugetlb", "/f"},
        {"net_cls", "/g"}, {"net_prio", "/h"},    {"rdma", "/i"},
    };
    static struct oci_pair v2_pairs[] = {{"", "/a"}};
    const struct oci_map v1 = {.count = sizeof v1_pairs / sizeof v1_pairs[0], .items = v1_pairs};
    const struct oci_map v2 = {.count = 1, .items = v2_pairs};
    const struct oci_resources *merged = oci_resources_merge (arena, base, change);
    const char *written = write_out (arena, merged);
    const struct oci_resources *again = parse (arena, written, strlen (written));

    /* A burst above the quota is the one thing that two good documents can make together. */
    if (again)
        must (text_equal (write_out (arena, again), written));
    else
        must (base && base->cpu && change->cpu);
    must (text_equal (write_out (arena, oci_resources_merge (arena, merged, change)), written));
    look_at_knobs (arena, merged, &v1, shown);
    look_at_knobs (arena, merged, &v2, shown);
}

int LLVMFuzzerTestOneInput (const uint8_t *bytes, size_t size)
{
    static const char line[] = "\n---\n";
    AUTO_ARENA struct arena arena = ARENA_INIT;
    char *text = malloc (size + 1);

    must (text != NULL);
    memcpy (text, bytes, size);
    text[size] = '\0';
    char *divider = strstr (text, line);
    char *second = divider ? divider + strlen (line) : text;
    if (divider)
        *divider = '\0';

    const struct oci_resources *base = divider ? parse (&arena, text, strlen (text)) : NULL;
    const struct oci_resources *change = parse (&arena, second, size - (size_t)(second - text));
    if (change && (base || !divider))
        look_at (&arena, base, change, text);
    free (text);
    return 0;
}
