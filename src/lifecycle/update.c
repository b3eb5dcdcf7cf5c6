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

    if (change->memory) {
        result.memory = arena_alloc (arena, sizeof *result.memory);
        *result.memory = *change->memory;
        result.memory->check_before_update = merged->memory->check_before_update;
        if (is_set (change->memory->limit) || is_set (change->memory->swap)) {
            result.memory->limit = merged->memory->limit;
            result.memory->swap = merged->memory->swap;
        }
    }
    /* The shares of who was idle are the default ones afterwards. */
    if (change->cpu && change->cpu->idle.present && change->cpu->idle.value == 0) {
        result.cpu = arena_alloc (arena, sizeof *result.cpu);
        *result.cpu = *change->cpu;
        result.cpu->shares = merged->cpu->shares;
    }
    return result;
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

/* All writes, the state's last: until it holds the new values nothing has happened. */
static int act (const struct update_request *request, struct existing *existing,
                const struct oci_resources *wanted, const struct rdt *rdt,
                const struct text *document, struct error *err)
{
    const struct oci_map *paths = &existing->record.cgroup;
    struct cgroup_undo *undo;
    const char *schemata = NULL;

    if (cgroup_update (&existing->arena, paths, wanted, &undo, err) < 0)
        return -1;
    if (rdt->config && rdt_update (rdt, request->l3_cache_schema, request->mem_bw_schema,
                                   &existing->arena, &schemata, err) < 0) {
        (void)cgroup_update_undo (paths, undo);
        return -1;
    }
    if (record_write_resources (existing->directory, document->bytes, document->length, err) == 0)
        return 0;
    if (rdt->config)
        rdt_update_undo (rdt, schemata);
    (void)cgroup_update_undo (paths, undo);
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
    const struct oci_resources wanted = to_write (&existing.arena, request->resources, merged);
    return act (request, &existing, &wanted, &rdt, &document, err);
}
