/* SPDX-License-Identifier: Apache-2.0 */
/*
 * before: what has to be written to undo a knob (FEATURES UPD-22). The kernel shows most values as
 * it takes them; files with a line for each device are the exception, since it does not show
 * devices that have the default.
 */
#include "cgroup/knob.h"

#include "base/text.h"

/* Files with a key in each line, and what a key without a line stands for. */
static const struct {
    const char *file;
    const char *absent;
} keyed[] = {
    {"blkio.weight_device", "0"},
    {"blkio.leaf_weight_device", "0"},
    {"blkio.bfq.weight_device", "default"},
    {"blkio.throttle.read_bps_device", "0"},
    {"blkio.throttle.write_bps_device", "0"},
    {"blkio.throttle.read_iops_device", "0"},
    {"blkio.throttle.write_iops_device", "0"},
    {"io.bfq.weight", "default"},
    {"io.latency", "target=0"},
    {"io.max", "rbps=max wbps=max riops=max wiops=max"},
    {"io.weight", "default"},
    {"misc.max", "max"},
    {"net_prio.ifpriomap", "0"},
    {"rdma.max", "hca_handle=max hca_object=max"},
};

static const char *absent_value (const char *file)
{
    for (size_t i = 0; i < sizeof keyed / sizeof keyed[0]; i++)
        if (text_equal (keyed[i].file, file))
            return keyed[i].absent;
    return NULL;
}

/* The line that begins with the word `key`, without its end; NULL = none. */
static const char *line_of (struct arena *arena, const char *shown, const char *key)
{
    size_t length = strlen (key);

    while (*shown) {
        size_t end = strcspn (shown, "\n");
        if (strncmp (shown, key, length) == 0 && shown[length] == ' ')
            return arena_copy (arena, shown, end);
        shown += end + (shown[end] == '\n');
    }
    return NULL;
}

const char *knob_before (struct arena *arena, const struct knob *knob, const char *shown)
{
    static const char oom[] = "oom_kill_disable ";
    const char *absent = absent_value (knob->file);
    size_t word = strcspn (knob->value, " ");
    bool has_key = knob->value[word] == ' ';
    const char *key = has_key ? arena_copy (arena, knob->value, word) : "default";
    size_t end = strcspn (shown, "\n");

    if (absent) {
        const char *line = line_of (arena, shown, key);
        return line ? line : arena_printf (arena, "%s %s", key, absent);
    }
    if (text_equal (knob->file, "cpu.weight") && text_starts_with (shown, "0"))
        return NULL; /* what an idle group shows; cpu.idle brings it back */
    if (text_starts_with (shown, oom))
        return arena_copy (arena, shown + strlen (oom), end - strlen (oom));
    if (shown[end] == '\0' || shown[end + 1] == '\0') /* an empty line empties a cpuset */
        return end == 0 ? "\n" : arena_copy (arena, shown, end);
    return has_key ? line_of (arena, shown, key) : NULL;
}
