/* SPDX-License-Identifier: Apache-2.0 */
/*
 * devices: which devices a container may use. Private to cgroup/.
 *
 * The rules are a list, in the order in which they take effect: nothing is allowed; then the
 * document's rules; then the devices that every container has (FEATURES CGD-03 to CGD-05). For each
 * of read, write and mknod the last rule that speaks of it and of the device decides, and a request
 * is allowed when all of its parts are.
 */
#ifndef RT_CGROUP_DEVICES_H
#define RT_CGROUP_DEVICES_H

#include "base/arena.h"
#include "base/error.h"
#include "oci-spec/resources.h"

#include <linux/bpf.h>

enum { DEVICE_ANY = -1, DEVICE_ACCESS_ALL = OCI_ACCESS_READ | OCI_ACCESS_WRITE | OCI_ACCESS_MKNOD };

struct device_rule {
    bool allow;
    char type;     /* 'a', 'b', 'c' */
    int64_t major; /* or DEVICE_ANY */
    int64_t minor;
    unsigned access;
    int64_t index; /* in the document; -1 = built in */
};

struct device_rules {
    struct device_rule *items;
    size_t count;
};

/* All rules without those that make no difference. resources may be NULL (CGM-30). */
int device_rules_make (struct arena *arena, const struct oci_resources *resources,
                       struct device_rules *rules, struct error *err);

bool device_rules_allow_all (const struct device_rules *rules);

/* v1: lines for devices.deny and devices.allow, in order. Rules that v1 cannot hold are an error.
 */
struct device_line {
    bool allow;
    const char *text; /* "c 1:3 rwm" */
};

struct device_lines {
    struct device_line *items;
    size_t count;
};

int device_lines_make (struct arena *arena, const struct device_rules *rules,
                       struct device_lines *lines, struct error *err);

/* v2: a BPF_PROG_TYPE_CGROUP_DEVICE program. */
struct device_program {
    struct bpf_insn *items;
    size_t count;
};

int device_program_make (struct arena *arena, const struct device_rules *rules,
                         struct device_program *program, struct error *err);

/* Puts the rules into force for the directories of `paths`. */
int cgroup_devices_apply (const struct oci_map *paths, const struct oci_resources *resources,
                          bool in_userns, struct error *err);

#endif
