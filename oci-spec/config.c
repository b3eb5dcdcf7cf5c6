/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config: see config.h. Text to tree, tree to structs, rules over the structs, and one telling of
 * all that was found wrong.
 */
#include "oci-spec/config.h"

#include "oci-spec/annotations.h"
#include "oci-spec/check.h"
#include "oci-spec/sections.h"

#include <sched.h>
#include <stdio.h>

static const struct decode_row root_rows[] = {
    ROW_STRING ("path", struct oci_root, path, REQUIRED),
    ROW_BOOL ("readonly", struct oci_root, readonly),
};
DECODE_TABLE (root_table, struct oci_root, root_rows);

static const struct decode_row hook_rows[] = {
    ROW_STRING ("path", struct oci_hook, path, REQUIRED),
    ROW_STRINGS ("args", struct oci_hook, args),
    ROW_STRINGS ("env", struct oci_hook, env),
    ROW_INTEGER ("timeout", struct oci_hook, timeout, 1, INT64_MAX),
};
DECODE_TABLE (hook_table, struct oci_hook, hook_rows);

#define ROW_HOOKS(key, kind) ROW_OBJECTS (key, struct oci_config, hooks[kind], hook_table)

static const struct decode_row hooks_rows[] = {
    ROW_HOOKS ("prestart", OCI_HOOK_PRESTART),
    ROW_HOOKS ("createRuntime", OCI_HOOK_CREATE_RUNTIME),
    ROW_HOOKS ("createContainer", OCI_HOOK_CREATE_CONTAINER),
    ROW_HOOKS ("startContainer", OCI_HOOK_START_CONTAINER),
    ROW_HOOKS ("poststart", OCI_HOOK_POSTSTART),
    ROW_HOOKS ("poststop", OCI_HOOK_POSTSTOP),
};
DECODE_TABLE (hooks_table, struct oci_config, hooks_rows);

static const struct decode_row config_rows[] = {
    ROW_STRING ("ociVersion", struct oci_config, oci_version, REQUIRED),
    ROW_OBJECT ("root", struct oci_config, root, root_table),
    ROW_OBJECTS ("mounts", struct oci_config, mounts, oci_mount_table),
    ROW_OBJECT ("process", struct oci_config, process, oci_process_table),
    ROW_STRING ("hostname", struct oci_config, hostname),
    ROW_STRING ("domainname", struct oci_config, domainname),
    ROW_SPREAD ("hooks", struct oci_config, hooks_table),
    ROW_MAP ("annotations", struct oci_config, annotations),
    ROW_EMBEDDED ("linux", struct oci_config, linux, oci_linux_table),
};
DECODE_TABLE_DEFINE (oci_config_table, config_rows, NULL);

/* The document as a struct of the table's kind; NULL where it is not even JSON (told and in `err`).
 */
static void *parse_document (struct findings *findings, const struct decode_table *table,
                             const char *text, size_t length, oci_report_fn *report, void *context,
                             struct error *err)
{
    const struct json *root = json_parse (findings->arena, findings->file, text, length, err);

    if (!root) {
        if (report)
            report (context, err);
        return NULL;
    }
    findings->root = root;
    void *document = arena_alloc (findings->arena, table->size);
    struct decoder decoder = {.arena = findings->arena, .findings = findings};
    struct place top = {.value = root};
    decode_object (&decoder, table, &top, document);
    return document;
}

struct oci_config *oci_config_parse (struct arena *arena, const char *file, const char *text,
                                     size_t length, oci_report_fn *report, void *context,
                                     struct error *err)
{
    struct findings findings = {.arena = arena, .file = file};
    struct oci_config *config =
        parse_document (&findings, &oci_config_table, text, length, report, context, err);

    if (!config)
        return NULL;
    oci_annotations_apply (arena, config);
    check_config (&findings, config);
    if (findings_tell (&findings, report, context, err) < 0)
        return NULL;
    config->text = text;
    config->text_length = length;
    config->file = file;
    return config;
}

struct oci_process *oci_process_parse (struct arena *arena, const char *file, const char *text,
                                       size_t length, oci_report_fn *report, void *context,
                                       struct error *err)
{
    struct findings findings = {.arena = arena, .file = file};
    struct oci_process *process =
        parse_document (&findings, &oci_process_table, text, length, report, context, err);

    if (!process)
        return NULL;
    check_process (&findings, process, "");
    return findings_tell (&findings, report, context, err) < 0 ? NULL : process;
}

struct oci_resources *oci_resources_parse (struct arena *arena, const char *file, const char *text,
                                           size_t length, oci_report_fn *report, void *context,
                                           struct error *err)
{
    struct findings findings = {.arena = arena, .file = file};
    struct oci_resources *resources =
        parse_document (&findings, &oci_resources_table, text, length, report, context, err);

    if (!resources)
        return NULL;
    check_resources (&findings, resources, "");
    return findings_tell (&findings, report, context, err) < 0 ? NULL : resources;
}

void oci_locate_error (const char *text, size_t length, struct error *err)
{
    AUTO_ARENA struct arena arena = ARENA_INIT;
    struct error ignored;
    const struct json *root = json_parse (&arena, err->file, text, length, &ignored);
    const struct json *value =
        root && err->pointer[0] != '\0' ? json_at (root, err->pointer) : NULL;

    if (!value)
        return;
    err->line = value->line;
    err->column = value->column;
}

const struct oci_namespace *oci_config_namespace (const struct oci_config *config, int type)
{
    for (size_t i = 0; i < config->linux.namespaces.count; i++)
        if (config->linux.namespaces.items[i].type == type)
            return &config->linux.namespaces.items[i];
    return NULL;
}

bool oci_config_own_mounts (const struct oci_config *config)
{
    const struct oci_namespace *mount = oci_config_namespace (config, CLONE_NEWNS);

    return mount && !mount->path;
}
