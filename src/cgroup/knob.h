/* SPDX-License-Identifier: Apache-2.0 */
/*
 * knob: a limit as the kernel takes it. Private to cgroup/.
 *
 * The conversion from config.json is pure: each part of `linux.resources` has one function that
 * turns it into knobs for cgroup v1 or v2, or into an error where that version has nothing of the
 * kind. apply.c writes them. What was asked for is never dropped; four values mean "not asked",
 * since engines send them so (as runc reads them): memory.limit, reservation and swap 0;
 * cpu.shares, quota, period and the realtime ones 0; blockIO weights 0; memory.swappiness 2^64-1.
 */
#ifndef RT_CGROUP_KNOB_H
#define RT_CGROUP_KNOB_H

#include "base/arena.h"
#include "base/error.h"
#include "oci-spec/resources.h"

enum cgroup_version { CGROUP_VERSION_1 = 1, CGROUP_VERSION_2 = 2 };

/* What has to hold when the file is read again. */
enum knob_check {
    KNOB_ANY,     /* the kernel takes it or refuses it, and may show it in another form */
    KNOB_EXACT,   /* the same number */
    KNOB_ROUNDED, /* the same number, but for rounding to `unit` */
    KNOB_WORDS,   /* the same words; more may follow */
    KNOB_KEYED,   /* all words in the line that begins with the first one */
    KNOB_SET      /* the same processors or memory nodes */
};

enum {
    KNOB_OPTIONAL = 1,  /* no such file: then what was asked holds anyway */
    KNOB_OR_NEXT = 2,   /* no such file: the next knob is for that; else the next one is left out */
    KNOB_ANY_ORDER = 4, /* EINVAL may mean that its neighbours must come first */
    KNOB_AFTER_FIRST = 8,  /* goes behind the first word of what the file holds */
    KNOB_ABOVE_USAGE = 16, /* not if the usage is above it already (checkBeforeUpdate) */
    KNOB_MAY_BE_GONE = 32  /* this kernel has no such limit any more: a warning, not an error */
};

struct knob {
    const char *controller; /* as v1 or v2 calls it: "memory", "blkio", "io", "cpuset" */
    const char *file;
    const char *value;
    const char *shown;   /* what the file shows then; NULL = value */
    const char *pointer; /* the property in config.json that asked */
    enum knob_check check;
    uint64_t unit;
    unsigned flags;
    bool taken; /* by the kernel; apply.c sets it */
};

struct knobs {
    struct arena *arena;
    struct knob *items;
    size_t count;
};

/* Appends; strings are not copied. */
struct knob *knob_add (struct knobs *knobs, const char *controller, const char *file,
                       const char *value, const char *pointer);
struct knob *knob_add_uint (struct knobs *knobs, const char *controller, const char *file,
                            uint64_t value, const char *pointer);

/* A limit of which -1 is "none", written as `unlimited`; less than -1 is an error at `pointer`. */
int knob_limit_text (struct arena *arena, int64_t value, const char *unlimited, const char *pointer,
                     const char **text, struct error *err);

/* "X cannot be expressed in cgroup v2". Returns -1. */
int knob_inexpressible (struct error *err, enum cgroup_version version, const char *pointer,
                        const char *why);

enum knob_result { KNOB_DIFFERS, KNOB_WAS_ROUNDED, KNOB_HOLDS };
/* Compares what the file says now with what was written. Pure. */
enum knob_result knob_compare (const struct knob *knob, const char *written, const char *now);

/* Reads `file` (open for reading as `fd`, in `dir`, which is called `place`) again after `written`
 * was written. What was rounded is told in the log; what does not hold is an error. For cpusets
 * that is said of what is effective: a part of what was asked is told, nothing of it is an error.
 */
int knob_read_back (int dir, int fd, const char *place, const char *file, const struct knob *knob,
                    const char *written, struct error *err);

/* The text that brings back what the file says now (`shown`), as far as the knob changes it; NULL
 * where nothing can. Pure. */
const char *knob_before (struct arena *arena, const struct knob *knob, const char *shown);

int pids_knobs (const struct oci_resources *resources, enum cgroup_version version,
                struct knobs *knobs, struct error *err);
int memory_knobs (const struct oci_resources *resources, enum cgroup_version version,
                  struct knobs *knobs, struct error *err);
int io_knobs (const struct oci_resources *resources, enum cgroup_version version,
              struct knobs *knobs, struct error *err);
int cpu_knobs (const struct oci_resources *resources, enum cgroup_version version,
               struct knobs *knobs, struct error *err);
int cpuset_knobs (const struct oci_resources *resources, enum cgroup_version version,
                  struct knobs *knobs, struct error *err);
int hugetlb_knobs (const struct oci_resources *resources, enum cgroup_version version,
                   struct knobs *knobs, struct error *err);
int network_class_knobs (const struct oci_resources *resources, enum cgroup_version version,
                         struct knobs *knobs, struct error *err);
int network_priority_knobs (const struct oci_resources *resources, enum cgroup_version version,
                            struct knobs *knobs, struct error *err);
int rdma_knobs (const struct oci_resources *resources, enum cgroup_version version,
                struct knobs *knobs, struct error *err);
int unified_knobs (const struct oci_resources *resources, enum cgroup_version version,
                   struct knobs *knobs, struct error *err);

/* All of them, each for the version that `paths` has for its controller, in the order in which they
 * are to be written. */
int knobs_for (const struct oci_map *paths, const struct oci_resources *resources,
               struct knobs *knobs, struct error *err);

#endif
