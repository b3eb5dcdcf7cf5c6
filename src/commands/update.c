/* SPDX-License-Identifier: Apache-2.0 */
/*
 * update: change the limits of a container.
 */
#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "command.h"
#include "document.h"
#include "oci-spec/json.h"
#include "state/record.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#define POINTER "/linux/resources"

/* All are strings: "not given" is told apart from every number. */
struct update_options {
    const char *resources;
    const char *memory, *memory_reservation, *memory_swap, *kernel_memory, *kernel_memory_tcp;
    const char *cpu_share, *cpu_period, *cpu_quota, *cpu_burst, *cpu_idle;
    const char *cpu_rt_period, *cpu_rt_runtime, *cpuset_cpus, *cpuset_mems;
    const char *pids_limit, *blkio_weight;
    const char *l3_cache_schema, *mem_bw_schema;
};

#define ROW(name, letters, member, argument, help)                                                 \
    OPTION_STRING (name, letters, struct update_options, member, argument, help)

static const struct option rows[] = {
    ROW ("resources", "r", resources, "FILE",
         "read the limits from FILE, a `resources` object as in config.json (-: standard input); "
         "options for single limits are left out then"),
    ROW ("memory", NULL, memory, "BYTES", "memory limit (-1: none)"),
    ROW ("memory-reservation", NULL, memory_reservation, "BYTES", "memory that is left to it"),
    ROW ("memory-swap", NULL, memory_swap, "BYTES", "limit of memory plus swap (-1: none)"),
    ROW ("cpu-share", NULL, cpu_share, "SHARES", "share of the processors, 2 to 262144"),
    ROW ("cpu-period", NULL, cpu_period, "MICROSECONDS", "period of the quota"),
    ROW ("cpu-quota", NULL, cpu_quota, "MICROSECONDS", "processor time in each period (-1: all)"),
    ROW ("cpu-burst", NULL, cpu_burst, "MICROSECONDS", "what it may save for later periods"),
    ROW ("cpu-idle", NULL, cpu_idle, "0|1", "1: it runs when nobody else wants to"),
    ROW ("cpu-rt-period", NULL, cpu_rt_period, "MICROSECONDS",
         "period of the real-time budget (cgroup v1)"),
    ROW ("cpu-rt-runtime", NULL, cpu_rt_runtime, "MICROSECONDS",
         "real-time budget in each period (cgroup v1)"),
    ROW ("cpuset-cpus", NULL, cpuset_cpus, "LIST", "processors it may use: 0-3,7"),
    ROW ("cpuset-mems", NULL, cpuset_mems, "LIST", "memory nodes it may use"),
    ROW ("pids-limit", NULL, pids_limit, "N", "number of its tasks (-1: no limit)"),
    ROW ("blkio-weight", NULL, blkio_weight, "WEIGHT", "share of block devices, 10 to 1000"),
    ROW ("l3-cache-schema", NULL, l3_cache_schema, "SCHEMA", "Intel RDT: share of the L3 cache"),
    ROW ("mem-bw-schema", NULL, mem_bw_schema, "SCHEMA", "Intel RDT: share of memory bandwidth"),
    ROW ("kernel-memory", NULL, kernel_memory, "BYTES", NULL),
    ROW ("kernel-memory-tcp", NULL, kernel_memory_tcp, "BYTES", NULL),
};

/* The sections that the options fill. */
struct asked {
    struct oci_memory memory;
    struct oci_cpu cpu;
    struct oci_int64 pids_limit;
    struct oci_block_io block_io;
};

enum kind { BYTES, SIGNED, UNSIGNED, LIST };

/* Which property an option stands for. */
static const struct limit {
    const char *option;
    size_t given; /* in struct update_options */
    const char *pointer;
    enum kind kind;
    size_t offset; /* in struct asked */
} limits[] = {
#define LIMIT(option, given, pointer, kind, member)                                                \
    {                                                                                              \
        option, offsetof (struct update_options, given), pointer, kind,                            \
            offsetof (struct asked, member)                                                        \
    }
    LIMIT ("memory", memory, "/memory/limit", BYTES, memory.limit),
    LIMIT ("memory-reservation", memory_reservation, "/memory/reservation", BYTES,
           memory.reservation),
    LIMIT ("memory-swap", memory_swap, "/memory/swap", BYTES, memory.swap),
    LIMIT ("kernel-memory", kernel_memory, "/memory/kernel", BYTES, memory.kernel),
    LIMIT ("kernel-memory-tcp", kernel_memory_tcp, "/memory/kernelTCP", BYTES, memory.kernel_tcp),
    LIMIT ("cpu-share", cpu_share, "/cpu/shares", UNSIGNED, cpu.shares),
    LIMIT ("cpu-period", cpu_period, "/cpu/period", UNSIGNED, cpu.period),
    LIMIT ("cpu-quota", cpu_quota, "/cpu/quota", SIGNED, cpu.quota),
    LIMIT ("cpu-burst", cpu_burst, "/cpu/burst", UNSIGNED, cpu.burst),
    LIMIT ("cpu-idle", cpu_idle, "/cpu/idle", SIGNED, cpu.idle),
    LIMIT ("cpu-rt-period", cpu_rt_period, "/cpu/realtimePeriod", UNSIGNED, cpu.realtime_period),
    LIMIT ("cpu-rt-runtime", cpu_rt_runtime, "/cpu/realtimeRuntime", SIGNED, cpu.realtime_runtime),
    LIMIT ("cpuset-cpus", cpuset_cpus, "/cpu/cpus", LIST, cpu.cpus),
    LIMIT ("cpuset-mems", cpuset_mems, "/cpu/mems", LIST, cpu.mems),
    LIMIT ("pids-limit", pids_limit, "/pids/limit", SIGNED, pids_limit),
    LIMIT ("blkio-weight", blkio_weight, "/blockIO/weight", UNSIGNED, block_io.weight),
};

static const char *given (const struct update_options *options, const struct limit *limit)
{
    return *(const char *const *)((const char *)options + limit->given);
}

/* "536870912", "512M", "512m", "512MB", "512MiB"; "-1". All multiples are of 1024, as runc's. */
static int parse_bytes (struct arena *arena, const char *word, int64_t *bytes)
{
    static const char units[] = "bkmgtp";
    size_t digits = strspn (word, "0123456789");
    const char *unit = word + digits, *rest = unit;
    unsigned shift = 0;
    uint64_t number;

    if (text_equal (word, "-1")) {
        *bytes = -1;
        return 0;
    }
    if (*unit != '\0') {
        char small = (char)(*unit | 0x20);
        const char *found = small ? strchr (units, small) : NULL;
        if (!found)
            return -1;
        shift = 10 * (unsigned)(found - units);
        rest = unit + 1;
        if (shift > 0 && (*rest | 0x20) == 'i' && (rest[1] | 0x20) == 'b')
            rest += 2;
        else if (shift > 0 && (*rest | 0x20) == 'b')
            rest++;
    }
    if (*rest != '\0' ||
        text_to_uint64 (arena_copy (arena, word, digits), INT64_MAX >> shift, &number) < 0)
        return -1;
    *bytes = (int64_t)(number << shift);
    return 0;
}

static int bad_value (const struct limit *limit, const char *word, const char *wanted,
                      struct error *err)
{
    return error_set (err, "RT-USAGE", 0, "rt update: invalid value `%s` of --%s: %s", word,
                      limit->option, wanted);
}

static int read_limit (struct arena *arena, const struct limit *limit, const char *word,
                       struct asked *asked, struct error *err)
{
    void *place = (char *)asked + limit->offset;
    struct oci_int64 *number = place;
    struct oci_uint64 *natural = place;

    switch (limit->kind) {
    case BYTES:
        if (parse_bytes (arena, word, &number->value) < 0)
            return bad_value (limit, word, "it is a number of bytes like 536870912 or 512M, or -1",
                              err);
        number->present = true;
        break;
    case SIGNED:
        if (text_to_int64 (word, INT64_MIN, INT64_MAX, &number->value) < 0)
            return bad_value (limit, word, "it is a number", err);
        number->present = true;
        break;
    case UNSIGNED:
        if (text_to_uint64 (word, UINT64_MAX, &natural->value) < 0)
            return bad_value (limit, word, "it is a number that is not negative", err);
        natural->present = true;
        break;
    case LIST:
        if (*word == '\0')
            return bad_value (limit, word, "it is a list like 0-3,7", err);
        *(const char **)place = word;
        break;
    }
    return 0;
}

static int read_options (struct arena *arena, const struct update_options *options,
                         struct oci_resources *resources, struct error *err)
{
    struct asked *asked = arena_alloc (arena, sizeof *asked);

    for (size_t i = 0; i < LENGTH (limits); i++) {
        const char *word = given (options, &limits[i]);
        if (word && read_limit (arena, &limits[i], word, asked, err) < 0)
            return -1;
    }
    *resources = (struct oci_resources){.memory = &asked->memory,
                                        .cpu = &asked->cpu,
                                        .pids_limit = asked->pids_limit,
                                        .block_io = &asked->block_io};
    return 0;
}

/* The document of --resources, kept for the place of what fails later. */
struct resources_file {
    const char *name; /* NULL = none was given */
    const char *text;
    size_t length;
};

static const char *read_stdin (struct arena *arena, size_t *length, struct error *err)
{
    AUTO_FREE char *bytes =
        fd_read_all (STDIN_FILENO, JSON_SIZE_MAX, length, "standard input", err);

    return bytes ? arena_copy (arena, bytes, *length) : NULL;
}

static int read_file (struct arena *arena, const char *path, struct resources_file *file,
                      struct oci_resources *resources, struct error *err)
{
    AUTO_FINDINGS struct findings findings = {0};
    bool is_stdin = text_equal (path, "-");

    file->name = is_stdin ? "stdin" : document_name (path);
    file->text = is_stdin ? read_stdin (arena, &file->length, err)
                          : document_read (arena, path, NULL, &file->length, err);
    if (!file->text)
        return -1;
    const struct oci_resources *parsed = oci_resources_parse (
        arena, file->name, file->text, file->length, findings_gather, &findings, err);
    if (!parsed) {
        findings_tell_others (&findings);
        return -1;
    }
    *resources = *parsed;
    return 0;
}

/* Which option, or which line of which document, asked for what failed. */
static void locate (const struct invocation *invocation, const struct resources_file *file,
                    struct error *err)
{
    const struct update_options *options = invocation->options;
    struct error there = *err;

    if (err->file[0] != '\0' || err->pointer[0] == '\0')
        return;
    if (text_equal (err->pointer, "/linux/intelRdt/l3CacheSchema") ||
        text_equal (err->pointer, "/linux/intelRdt/memBwSchema")) {
        error_wrap (err, strstr (err->pointer, "l3") ? "--l3-cache-schema" : "--mem-bw-schema");
        err->pointer[0] = '\0';
        return;
    }
    if (!text_starts_with (err->pointer, POINTER "/"))
        return;
    for (size_t i = 0; i < LENGTH (limits) && !file->name; i++) {
        if (!text_equal (err->pointer + strlen (POINTER), limits[i].pointer) ||
            !given (options, &limits[i]))
            continue;
        error_wrap (err, "--%s", limits[i].option);
        err->pointer[0] = '\0';
        return;
    }
    if (file->name) {
        memmove (there.pointer, there.pointer + strlen (POINTER),
                 strlen (there.pointer) - strlen (POINTER) + 1);
        (void)snprintf (there.file, sizeof there.file, "%s", file->name);
        oci_locate_error (file->text, file->length, &there);
        if (there.line > 0) {
            *err = there;
            return;
        }
    }
    err->pointer[0] = '\0';
    if (err->hint[0] == '\0')
        error_hint (err, "one of them holds from before: change both in one update");
}

static bool is_any_given (const struct update_options *options)
{
    for (size_t i = 0; i < LENGTH (limits); i++)
        if (given (options, &limits[i]))
            return true;
    return false;
}

static int update (struct invocation *invocation, struct error *err)
{
    const struct update_options *options = invocation->options;
    struct resources_file file = {0};
    struct oci_resources resources;
    const struct update_request request = {.globals = invocation->globals,
                                           .id = invocation->arguments[0],
                                           .resources = &resources,
                                           .l3_cache_schema = options->l3_cache_schema,
                                           .mem_bw_schema = options->mem_bw_schema};

    if (record_check_id (request.id, err) < 0)
        return -1;
    if (options->resources && is_any_given (options))
        log_warning ("limits come from --resources alone: other options are left out");
    if ((options->resources
             ? read_file (invocation->arena, options->resources, &file, &resources, err)
             : read_options (invocation->arena, options, &resources, err)) < 0)
        return -1;
    if (lifecycle_update (&request, err) == 0)
        return 0;
    locate (invocation, &file, err);
    return -1;
}

const struct command command_update = {
    .name = "update",
    .arguments = "ID",
    .min = 1,
    .max = 1,
    .containers = 1,
    .options = rows,
    .option_count = LENGTH (rows),
    .options_size = sizeof (struct update_options),
    .summary = "Change the limits of a container",
    .details = "What is given changes, all else stays, now and in later updates; all of it or\n"
               "nothing. BYTES may end in k, m, g or t. 0 leaves a limit of memory, a share, a\n"
               "period, a quota or a weight as it is. Device rules are never changed.",
    .run = update,
};
