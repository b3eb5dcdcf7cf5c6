/* SPDX-License-Identifier: Apache-2.0 */
/*
 * update: new limits for a container that runs, is paused, or waits for start (FEATURES UPD-01 to
 * UPD-26). What holds afterwards is decided and checked as a document before anything is written;
 * then come the cgroup, the class of service and the state, and a failure takes back what was
 * before it. A later update stands on the values of this one (UPD-23).
 */
#include "oci-spec/update.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"
#include "cgroup/systemd.h"
#include "container/rdt.h"
#include "lifecycle/existing.h"
#include "lifecycle/lifecycle.h"

#include <stdio.h>
#include <string.h>

static int check_status (const struct existing *existing, const char *id, struct error *err)
{
    switch (existing->status) {
    case OCI_STATUS_CREATED:
    case OCI_STATUS_RUNNING:
    case OCI_STATUS_PAUSED:
        return 0;
    case OCI_STATUS_STOPPED:
        return existing_not_running (id, err);
    case OCI_STATUS_CREATING:
        break;
    }
    return error_set (err, "RT-UPDATE-STATE", 0, "container not running: %s is being created", id);
}

/* The rules of the document, over what would hold: they speak of all limits together. */
static int check_merged (struct arena *arena, const struct text *document, struct error *err)
{
    struct error wrong;

    if (oci_resources_parse (arena, "resources", text_string (document), document->length, NULL,
                             NULL, &wrong))
        return 0;
    error_set (err, wrong.code, 0, "%s", wrong.text);
    error_at (err, "/linux/resources%s", wrong.pointer);
    return wrong.hint[0] != '\0' ? error_hint (err, "%s", wrong.hint) : -1;
}

static bool is_same_rule (const struct oci_device_rule *a, const struct oci_device_rule *b)
{
    return a->allow == b->allow && a->type == b->type && a->access == b->access &&
           a->major.present == b->major.present && a->major.value == b->major.value &&
           a->minor.present == b->minor.present && a->minor.value == b->minor.value;
}

/* Engines send the whole of the container's resources, its device rules among them. */
static void compare_devices (const struct oci_resources *base, const struct oci_resources *change)
{
    size_t count = base ? base->devices.count : 0, same = 0;

    while (same < count && same < change->devices.count &&
           is_same_rule (&base->devices.items[same], &change->devices.items[same]))
        same++;
    if (change->devices.present && (same < count || same < change->devices.count))
        log_warning ("device rules stay as they are: update changes limits");
}

static bool is_set (struct oci_int64 value)
{
    return value.present && value.value != 0;
}

/* What is written: what was asked for, and what the kernel forgets or counts with it. */
static struct oci_resources to_write (struct arena *arena, const struct oci_resources *change,
                                      const struct oci_resources *merged)
{
    struct oci_resources result = *change;

    memset (&result.devices, 0, sizeof result.devices);
    if (change->memory) {
        result.memory = arena_alloc (arena, sizeof *result.memory);
        *result.memory = *change->memory;
        result.memory->check_before_update = merged->memory->check_before_update;
        if (is_set (change->memory->limit) || is_set (change->memory->swap)) {
            result.memory->limit = merged->memory->limit;
            result.memory->swap = merged->memory->swap;
        }
    }
    /* The shares of an idle cgroup are the default ones afterwards. */
    if (change->cpu && change->cpu->idle.present && change->cpu->idle.value == 0) {
        result.cpu = arena_alloc (arena, sizeof *result.cpu);
        *result.cpu = *change->cpu;
        result.cpu->shares = merged->cpu->shares;
    }
    return result;
}

/* systemd knows a quota only together with its period, and rounds it; the files hold the same. */
static struct oci_resources as_systemd_has_it (struct arena *arena,
                                               const struct oci_resources *wanted,
                                               const struct oci_resources *merged)
{
    struct oci_resources result = *wanted;
    const struct oci_cpu *cpu = wanted->cpu;

    if (cpu && (is_set (cpu->quota) || (cpu->period.present && cpu->period.value != 0))) {
        result.cpu = arena_alloc (arena, sizeof *result.cpu);
        *result.cpu = *cpu;
        result.cpu->quota = merged->cpu->quota;
        result.cpu->period = merged->cpu->period;
    }
    return *systemd_resources (arena, &result);
}

static struct oci_int64 or_none (struct oci_int64 before, struct oci_int64 changed)
{
    bool lifted = is_set (changed) && !is_set (before);

    return lifted ? (struct oci_int64){.present = true, .value = -1} : before;
}

/* What a unit is told again after a failure: the limits of before, and none where there were none.
 * Each section is that of before, or empty. */
static struct oci_resources of_before (struct arena *arena, const struct oci_resources *base,
                                       const struct oci_resources *wanted)
{
    struct oci_resources result = base ? *base : (struct oci_resources){0};

    memset (&result.devices, 0, sizeof result.devices);
    result.pids_limit = wanted->pids_limit.present && !result.pids_limit.present
                            ? (struct oci_int64){.present = true, .value = -1}
                            : result.pids_limit;
    if (wanted->memory) {
        const struct oci_memory none = {0}, *before = result.memory ? result.memory : &none;
        struct oci_memory *memory = arena_alloc (arena, sizeof *memory);
        *memory = *before;
        memory->limit = or_none (before->limit, wanted->memory->limit);
        memory->swap = or_none (before->swap, wanted->memory->swap);
        result.memory = memory;
    }
    if (wanted->cpu) {
        const struct oci_cpu none = {0}, *before = result.cpu ? result.cpu : &none;
        struct oci_cpu *cpu = arena_alloc (arena, sizeof *cpu);
        *cpu = *before;
        cpu->quota = or_none (before->quota, wanted->cpu->quota);
        if (wanted->cpu->shares.present && !before->shares.present)
            cpu->shares = (struct oci_uint64){.present = true, .value = 1024};
        result.cpu = cpu;
    }
    return result;
}

static int tell_systemd (const struct record *record, const struct oci_resources *resources,
                         struct error *err)
{
    return record->systemd_unit ? systemd_set (record->systemd_bus, record->systemd_unit,
                                               &record->cgroup, resources, err)
                                : 0;
}

/* A schema is one line of the class's schemata. */
static int check_schema (const char *schema, const char *start, const char *key, struct error *err)
{
    if (!schema || (text_starts_with (schema, start) && !strchr (schema, '\n')))
        return 0;
    error_set (err, "RT-RDT-SCHEMA", 0, "the schema must be one line%s%s%s",
               *start ? " that begins with \"" : "", start, *start ? "\"" : "");
    return error_at (err, "/linux/intelRdt/%s", key);
}

static int decide_rdt (const struct update_request *request, const struct oci_config *config,
                       struct arena *arena, struct rdt *rdt, struct error *err)
{
    if (!request->l3_cache_schema && !request->mem_bw_schema)
        return 0;
    if (check_schema (request->l3_cache_schema, "", "l3CacheSchema", err) < 0 ||
        check_schema (request->mem_bw_schema, "MB:", "memBwSchema", err) < 0)
        return -1;
    if (config->linux.intel_rdt) {
        rdt_plan (config->linux.intel_rdt, request->id, RDT_MOUNT, arena, rdt);
        return 0;
    }
    error_set (err, "RT-RDT-NONE", 0, "container %s has no class of service to change",
               request->id);
    return error_hint (err, "it was created without linux.intelRdt");
}

/* What has been done so far, and what takes it back. */
struct done {
    struct cgroup_undo *cgroup;
    const struct oci_resources *unit; /* what systemd held before; NULL = it was told nothing new */
    const char *schemata;             /* NULL = as they were */
};

static void take_back (const struct existing *existing, const struct rdt *rdt,
                       const struct done *done)
{
    struct error second = {0};
    char words[ERROR_WORDS];

    if (done->schemata)
        rdt_update_undo (rdt, done->schemata);
    if (done->unit && tell_systemd (&existing->record, done->unit, &second) < 0)
        log_warning ("systemd has limits of an update that failed: %s",
                     error_format (&second, words, sizeof words));
    (void)cgroup_update_undo (&existing->record.cgroup, done->cgroup);
}

/* All writes, the state's last: until it holds the new values nothing has happened. */
static int act (const struct update_request *request, struct existing *existing,
                const struct oci_resources *wanted, const struct oci_resources *before,
                const struct rdt *rdt, const struct text *document, struct error *err)
{
    struct done done = {0};

    if (cgroup_update (&existing->arena, &existing->record.cgroup, wanted, &done.cgroup, err) < 0)
        return -1;
    if (tell_systemd (&existing->record, wanted, err) == 0) {
        done.unit = before;
        if ((!rdt->config || rdt_update (rdt, request->l3_cache_schema, request->mem_bw_schema,
                                         &existing->arena, &done.schemata, err) == 0) &&
            record_write_resources (existing->directory, document->bytes, document->length, err) ==
                0)
            return 0;
    }
    take_back (existing, rdt, &done);
    return -1;
}

int lifecycle_update (const struct update_request *request, struct error *err)
{
    AUTO_EXISTING struct existing existing = EXISTING_INIT;
    AUTO_TEXT struct text document = {0};
    struct rdt rdt = {0};

    if (existing_open (&existing, request->globals, request->id, true, err) < 0 ||
        check_status (&existing, request->id, err) < 0)
        return -1;
    const struct oci_config *config = existing_config (&existing, err);
    if (!config)
        return -1;
    const struct oci_resources *base = config->linux.resources;
    const struct oci_resources *merged =
        oci_resources_merge (&existing.arena, base, request->resources);
    oci_resources_write (&document, merged);
    if (check_merged (&existing.arena, &document, err) < 0 ||
        decide_rdt (request, config, &existing.arena, &rdt, err) < 0)
        return -1;
    compare_devices (base, request->resources);
    struct oci_resources wanted = to_write (&existing.arena, request->resources, merged);
    const struct oci_resources before = of_before (&existing.arena, base, &wanted);
    if (existing.record.systemd_unit)
        wanted = as_systemd_has_it (&existing.arena, &wanted, merged);
    return act (request, &existing, &wanted, &before, &rdt, &document, err);
}
