/* SPDX-License-Identifier: Apache-2.0 */
/*
 * devices: the list of rules, cleaned, and its way into the kernel.
 */
#include "cgroup/devices.h"
#include "cgroup/hierarchy.h"

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "kernel/bpf.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>

/* Without c 5:1, which is the host's console: the container's /dev/console is a pts.
 * Sorted by major number, so that the program tests each once. Nodes may always be made: what is in
 * them is decided when they are opened. */
static const struct device_rule built_in[] = {
    {true, 'c', 1, 3, DEVICE_ACCESS_ALL, -1},            /* null */
    {true, 'c', 1, 5, DEVICE_ACCESS_ALL, -1},            /* zero */
    {true, 'c', 1, 7, DEVICE_ACCESS_ALL, -1},            /* full */
    {true, 'c', 1, 8, DEVICE_ACCESS_ALL, -1},            /* random */
    {true, 'c', 1, 9, DEVICE_ACCESS_ALL, -1},            /* urandom */
    {true, 'c', 5, 0, DEVICE_ACCESS_ALL, -1},            /* tty */
    {true, 'c', 5, 2, DEVICE_ACCESS_ALL, -1},            /* ptmx */
    {true, 'c', 10, 200, DEVICE_ACCESS_ALL, -1},         /* net/tun */
    {true, 'c', 136, DEVICE_ANY, DEVICE_ACCESS_ALL, -1}, /* pts */
    {true, 'a', DEVICE_ANY, DEVICE_ANY, OCI_ACCESS_MKNOD, -1},
};

enum { BUILT_IN_COUNT = sizeof built_in / sizeof built_in[0] };

/* The kernel's device numbers have 12 and 20 bits. */
static int read_number (struct oci_int64 number, int64_t max, const char *name, size_t index,
                        int64_t *value, struct error *err)
{
    if (!number.present || number.value == DEVICE_ANY) {
        *value = DEVICE_ANY;
        return 0;
    }
    if (number.value < 0 || number.value > max) {
        error_set (err, "RT-CGROUP-DEVICES", 0, "%" PRId64 " is not a device number", number.value);
        return error_at (err, "/linux/resources/devices/%zu/%s", index, name);
    }
    *value = number.value;
    return 0;
}

static int read_rule (const struct oci_device_rule *from, size_t index, struct device_rule *rule,
                      struct error *err)
{
    *rule = (struct device_rule){.allow = from->allow,
                                 .type = from->type ? from->type : 'a',
                                 .access = from->access,
                                 .index = (int64_t)index};
    if (from->access == 0) {
        error_set (err, "RT-CGROUP-DEVICES", 0,
                   "a device rule needs an access, of the letters rwm");
        return error_at (err, "/linux/resources/devices/%zu/access", index);
    }
    if (read_number (from->major, (1 << 12) - 1, "major", index, &rule->major, err) < 0)
        return -1;
    return read_number (from->minor, (1 << 20) - 1, "minor", index, &rule->minor, err);
}

static bool covers (const struct device_rule *wide, const struct device_rule *narrow)
{
    return (wide->type == 'a' || wide->type == narrow->type) &&
           (wide->major == DEVICE_ANY || wide->major == narrow->major) &&
           (wide->minor == DEVICE_ANY || wide->minor == narrow->minor) &&
           (narrow->access & ~wide->access) == 0;
}

/* Is rule `i` without effect? It is if a later one decides all that it decides; or one of the same
 * verdict with no other verdict between them, as such rules may change places; or if it denies
 * before anything was allowed. */
static bool is_idle (const struct device_rules *rules, size_t i)
{
    const struct device_rule *rule = &rules->items[i];
    bool same_run = true;

    for (size_t j = i + 1; j < rules->count; j++)
        if (covers (&rules->items[j], rule))
            return true;
    for (size_t j = i; j-- > 0 && same_run;) {
        same_run = rules->items[j].allow == rule->allow;
        if (same_run && covers (&rules->items[j], rule))
            return true;
    }
    return same_run && !rule->allow;
}

static void prune (struct device_rules *rules)
{
    for (size_t before = SIZE_MAX; before != rules->count;) {
        before = rules->count;
        for (size_t i = rules->count; i-- > 0;) {
            if (!is_idle (rules, i))
                continue;
            memmove (&rules->items[i], &rules->items[i + 1],
                     (rules->count - i - 1) * sizeof *rules->items);
            rules->count--;
        }
    }
}

int device_rules_make (struct arena *arena, const struct oci_resources *resources,
                       struct device_rules *rules, struct error *err)
{
    size_t count = resources ? resources->devices.count : 0;
    struct device_rules made = {
        .items = arena_array (arena, count + BUILT_IN_COUNT, sizeof *made.items)};

    for (size_t i = 0; i < count; i++)
        if (read_rule (&resources->devices.items[i], i, &made.items[made.count++], err) < 0)
            return -1;
    memcpy (&made.items[made.count], built_in, sizeof built_in);
    made.count += BUILT_IN_COUNT;
    prune (&made);
    *rules = made;
    return 0;
}

bool device_rules_allow_all (const struct device_rules *rules)
{
    const struct device_rule all = {true, 'a', DEVICE_ANY, DEVICE_ANY, DEVICE_ACCESS_ALL, -1};

    return rules->count == 1 && rules->items[0].allow && covers (&rules->items[0], &all);
}

static int write_lines (const char *path, const struct device_lines *lines, struct error *err)
{
    AUTO_FD int dir = open (path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    AUTO_FD int allow = dir < 0 ? -1 : openat (dir, "devices.allow", O_WRONLY | O_CLOEXEC);
    AUTO_FD int deny = dir < 0 ? -1 : openat (dir, "devices.deny", O_WRONLY | O_CLOEXEC);

    if (allow < 0 || deny < 0)
        return error_set (err, "RT-CGROUP-DEVICES", errno, "open '%s/devices.allow'", path);
    for (size_t i = 0; i < lines->count; i++) {
        const struct device_line *line = &lines->items[i];
        if (fd_write_all (line->allow ? allow : deny, line->text, strlen (line->text)) < 0)
            return error_set (err, "RT-CGROUP-DEVICES", errno, "write '%s' to '%s/devices.%s'",
                              line->text, path, line->allow ? "allow" : "deny");
    }
    return 0;
}

static int load_program (const char *path, struct arena *arena, const struct device_rules *rules,
                         struct error *err)
{
    AUTO_FD int dir = open (path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct device_program program;

    if (dir < 0)
        return error_set (err, "RT-CGROUP-DEVICES", errno, "open cgroup '%s'", path);
    if (device_rules_allow_all (rules)) {
        if (bpf_device_clear (dir) == 0)
            return 0;
        return error_set (err, "RT-CGROUP-DEVICES", errno, "query device programs of '%s'", path);
    }
    if (device_program_make (arena, rules, &program, err) < 0)
        return -1;
    AUTO_FD int fd = bpf_device_load (program.items, program.count);
    if (fd < 0)
        return error_set (err, "RT-CGROUP-DEVICES", errno,
                          "load the device program (%zu instructions)", program.count);
    if (bpf_device_replace (dir, fd) < 0)
        return error_set (err, "RT-CGROUP-DEVICES", errno, "attach the device program to '%s'",
                          path);
    return 0;
}

int cgroup_devices_apply (const struct oci_map *paths, const struct oci_resources *resources,
                          bool in_userns, struct error *err)
{
    AUTO_ARENA struct arena arena = ARENA_INIT;
    const char *v1 = cgroup_path_of (paths, "devices");
    const char *v2 = cgroup_path_of (paths, "");
    struct error failure = {0};
    struct device_rules rules;
    struct device_lines lines;

    if (device_rules_make (&arena, resources, &rules, err) < 0)
        return -1;
    int result;
    if (v1) {
        if (device_lines_make (&arena, &rules, &lines, err) < 0)
            return -1;
        result = write_lines (v1, &lines, &failure);
    } else if (v2) {
        result = load_program (v2, &arena, &rules, &failure);
    } else {
        result = error_set (&failure, "RT-CGROUP-DEVICES", EPERM,
                            "this host has no cgroup hierarchy for device rules");
    }
    if (result == 0)
        return 0;
    bool forbidden = failure.errnum == EPERM || failure.errnum == EACCES;
    if (forbidden && (in_userns || device_rules_allow_all (&rules))) {
        log_debug ("device rules are left out: %s", failure.text);
        return 0;
    }
    *err = failure;
    return error_at (err, "/linux/resources/devices");
}
