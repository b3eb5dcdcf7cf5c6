/* SPDX-License-Identifier: Apache-2.0 */
/*
 * update: new limits for a container that runs (FEATURES UPD-02 to UPD-25). All or nothing: what
 * the files said before is read first, and written again when one of them does not take its value.
 * Device rules are never touched (UPD-17).
 */
#include "cgroup/apply.h"

#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"

#include <errno.h>

struct cgroup_undo {
    struct knobs before; /* in the order of writing back */
};

/* The files as they are, in the knobs' order; the value NULL where one cannot be read, and so not
 * be put back (memory.reclaim is an order, not a value). */
static const char **read_all (struct directories *directories, const struct knobs *knobs)
{
    const char **before = arena_array (knobs->arena, knobs->count + 1, sizeof *before);

    for (size_t i = 0; i < knobs->count; i++) {
        const struct knob *knob = &knobs->items[i];
        AUTO_FREE char *shown = knob_read (directories, knob, knob->file);
        if (shown)
            before[i] = knob_before (knobs->arena, knob, shown);
    }
    return before;
}

/* The last that was taken comes first, as it may stand on those before it. */
static void collect (const struct knobs *knobs, const char **before, struct knobs *back)
{
    back->arena = knobs->arena;
    for (size_t i = knobs->count; i-- > 0;) {
        const struct knob *knob = &knobs->items[i];
        if (knob->taken && before[i])
            knob_add (back, knob->controller, knob->file, before[i], knob->pointer)->flags =
                knob->flags & KNOB_ANY_ORDER;
    }
}

static int write_back (struct directories *directories, const struct knobs *back)
{
    int result = 0;

    for (size_t i = 0; i < back->count;) {
        struct error err = {0};
        size_t group = knobs_group (back, i);
        struct knobs some = {
            .arena = back->arena, .items = back->items + i, .count = group ? group : 1};

        if (knobs_write (directories, &some, &err) < 0) {
            char words[ERROR_WORDS];
            log_warning ("a limit is not what it was before the update that failed: %s",
                         error_format (&err, words, sizeof words));
            result = -1;
        }
        i += some.count;
    }
    return result;
}

/* How many of its processes the kernel has killed for memory; v2 only, where a limit below what is
 * used is taken, and then kept by force. */
static uint64_t killed_for_memory (struct directories *directories, const struct knobs *knobs)
{
    static const char word[] = "\noom_kill ";

    for (size_t i = 0; i < knobs->count; i++) {
        uint64_t count;

        if (!text_equal (knobs->items[i].file, "memory.max"))
            continue;
        AUTO_FREE char *events = knob_read (directories, &knobs->items[i], "memory.events");
        char *number = events ? strstr (events, word) : NULL;
        if (!number)
            continue;
        number += strlen (word);
        number[strcspn (number, "\n")] = '\0';
        return text_to_uint64 (number, UINT64_MAX, &count) == 0 ? count : 0;
    }
    return 0;
}

int cgroup_update (struct arena *arena, const struct oci_map *paths,
                   const struct oci_resources *change, struct cgroup_undo **undo, struct error *err)
{
    AUTO_DIRECTORIES struct directories directories;
    struct knobs knobs = {.arena = arena};
    struct cgroup_undo *made = arena_alloc (arena, sizeof *made);

    directories_init (&directories, paths);
    if (knobs_decide (paths, change, &knobs, err) < 0 ||
        knobs_check_usage (&directories, &knobs, err) < 0)
        return -1;
    const char **before = read_all (&directories, &knobs);
    uint64_t killed = killed_for_memory (&directories, &knobs);
    int result = knobs_write (&directories, &knobs, err);
    uint64_t killed_now = killed_for_memory (&directories, &knobs);

    if (killed_now > killed)
        log_warning ("the container used more memory than its new limit: the kernel killed %ju of "
                     "its processes",
                     (uintmax_t)(killed_now - killed));
    collect (&knobs, before, &made->before);
    if (result < 0) {
        if (write_back (&directories, &made->before) < 0)
            return error_wrap (err, "the limits are partly changed");
        return error_wrap (err, "no limit is changed");
    }
    *undo = made;
    return 0;
}

int cgroup_update_undo (const struct oci_map *paths, const struct cgroup_undo *undo)
{
    AUTO_DIRECTORIES struct directories directories;

    directories_init (&directories, paths);
    return write_back (&directories, &undo->before);
}
