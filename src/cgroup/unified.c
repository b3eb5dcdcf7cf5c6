/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unified: files of cgroup v2 by their own names (FEATURES CGR-31 to CGR-34).
 *
 * rt knows nothing of them but that a name is a controller, a dot and the rest. Some files take one
 * line for each write, so each line is a knob.
 */
#include "cgroup/knob.h"

#include "base/text.h"

#include <unistd.h>

/* "/" and "~" have another spelling in a JSON pointer. */
static const char *pointer_to (struct arena *arena, const char *key)
{
    AUTO_TEXT struct text text = {0};

    text_puts (&text, "/linux/resources/unified/");
    for (; *key; key++) {
        if (*key == '~')
            text_puts (&text, "~0");
        else if (*key == '/')
            text_puts (&text, "~1");
        else
            text_putc (&text, *key);
    }
    return arena_string (arena, text_string (&text));
}

/* Limits that are known to show what was written. Others may be commands, or have their own idea of
 * it. Sizes like "50M" are the kernel's to read. */
static void choose_check (struct knob *knob)
{
    static const struct {
        const char *file;
        enum knob_check check;
    } known[] = {
        {"memory.min", KNOB_ROUNDED},
        {"memory.low", KNOB_ROUNDED},
        {"memory.high", KNOB_ROUNDED},
        {"memory.max", KNOB_ROUNDED},
        {"memory.swap.max", KNOB_ROUNDED},
        {"memory.swap.high", KNOB_ROUNDED},
        {"pids.max", KNOB_EXACT},
        {"cpu.weight", KNOB_EXACT},
        {"cpu.max", KNOB_WORDS},
        {"cpu.max.burst", KNOB_EXACT},
        {"cpuset.cpus", KNOB_SET},
        {"cpuset.mems", KNOB_SET},
        {"io.max", KNOB_KEYED},
        {"rdma.max", KNOB_KEYED},
    };
    size_t digits = strspn (knob->value, "0123456789");

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        bool number = known[i].check == KNOB_EXACT || known[i].check == KNOB_ROUNDED;

        if (!text_equal (known[i].file, knob->file) ||
            (number && knob->value[digits] && !text_equal (knob->value, "max")))
            continue;
        knob->check = known[i].check;
        knob->unit = (uint64_t)sysconf (_SC_PAGESIZE);
    }
}

int unified_knobs (const struct oci_resources *resources, enum cgroup_version version,
                   struct knobs *knobs, struct error *err)
{
    struct arena *arena = knobs->arena;

    for (size_t i = 0; i < resources->unified.count; i++) {
        const char *key = resources->unified.items[i].key;
        const char *value = resources->unified.items[i].value;
        const char *pointer = pointer_to (arena, key);
        const char *dot = strchr (key, '.');

        if (version == CGROUP_VERSION_1)
            return knob_inexpressible (err, version, pointer, "this host has no cgroup v2");
        if (!dot || dot == key || dot[1] == '\0' || strchr (key, '/')) {
            error_set (err, "RT-CGROUP-VALUE", 0,
                       "'%s' is not the name of a cgroup v2 file, like memory.max", key);
            return error_at (err, "%s", pointer);
        }
        const char *controller = arena_copy (arena, key, (size_t)(dot - key));
        bool first = true;
        while (*value || first) {
            size_t length = strcspn (value, "\n");
            if (length > 0 || value[length] == '\0')
                choose_check (
                    knob_add (knobs, controller, key, arena_copy (arena, value, length), pointer));
            value += length + (value[length] == '\n');
            first = false;
        }
    }
    return 0;
}
