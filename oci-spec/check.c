/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check: see check.h. Here are the list for a whole config.json and its rules above `linux`.
 */
#include "oci-spec/check.h"

#include "base/text.h"

#include <ctype.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

/* utsname's fields have 65 bytes. */
#define UTS_NAME_MAX 64

void check_fail (const struct check *check, const char *pointer, const char *format, ...)
{
    va_list args;

    va_start (args, format);
    findings_add_at (check->findings, check->code, pointer, format, args);
    va_end (args);
}

const char *check_pointer (const struct check *check, const char *format, ...)
{
    char below[POINTER_SIZE];
    va_list args;

    va_start (args, format);
    (void)vsnprintf (below, sizeof (below), format, args);
    va_end (args);
    /* A pointer is cut where an error has no room for more of it. */
    return arena_printf (check->findings->arena, "%s%.*s", check->prefix,
                         (int)(POINTER_SIZE - 1 - strlen (check->prefix)), below);
}

const char *check_key (const struct check *check, const char *key)
{
    size_t length = strnlen (key, POINTER_SIZE);
    char *escaped = arena_alloc (check->findings->arena, 2 * length + 1);
    char *end = escaped;

    for (size_t i = 0; i < length; i++) {
        if (key[i] == '~' || key[i] == '/') {
            *end++ = '~';
            *end++ = key[i] == '~' ? '0' : '1';
        } else
            *end++ = key[i];
    }
    return escaped;
}

/* Is anything that the rule reads known to be wrong? Looked up before any rule has run: rules do
 * not silence each other. */
static bool reads_wrong (const struct findings *findings, const char *prefix,
                         const struct check_rule *rule)
{
    char pointer[POINTER_SIZE];

    for (size_t i = 0; i < CHECK_READS && rule->reads[i]; i++) {
        (void)snprintf (pointer, sizeof (pointer), "%s%s", prefix, rule->reads[i]);
        if (findings_touch (findings, pointer))
            return true;
    }
    return false;
}

void check_run (struct findings *findings, const char *prefix, const void *section,
                const struct check_rule *rules, size_t count)
{
    bool skip[CHECK_RULES_MAX] = {false};

    for (size_t i = 0; i < count; i++)
        skip[i] = reads_wrong (findings, prefix, &rules[i]);
    for (size_t i = 0; i < count; i++) {
        struct check check = {.findings = findings, .prefix = prefix, .code = rules[i].code};
        if (!skip[i])
            rules[i].run (&check, section);
    }
}

/* ---- rules ---- */

/* "12" or "0": digits without a leading zero. Returns what follows them, NULL where there are none.
 */
static const char *version_number (const char *text)
{
    size_t digits = strspn (text, "0123456789");

    return digits == 0 || (digits > 1 && text[0] == '0') ? NULL : text + digits;
}

/* MAJOR.MINOR.PATCH[-PRERELEASE][+BUILD] of Semantic Versioning 2.0.0. */
static bool is_semantic_version (const char *text)
{
    static const char letters[] =
        "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-.";

    for (int part = 0; part < 3; part++) {
        if (part > 0 && *text++ != '.')
            return false;
        text = version_number (text);
        if (!text)
            return false;
    }
    for (const char *mark = "-+"; *mark; mark++) {
        if (*text != *mark)
            continue;
        size_t length = strspn (text + 1, letters);
        if (length == 0)
            return false;
        text += 1 + length;
    }
    return *text == '\0';
}

static void check_version (const struct check *check, const void *section)
{
    const struct oci_config *config = section;

    if (!is_semantic_version (config->oci_version))
        check_fail (check, "/ociVersion",
                    "must be a semantic version like \"1.2.0\", not \"%.40s\"",
                    config->oci_version);
    else if (!text_starts_with (config->oci_version, "1."))
        check_fail (check, "/ociVersion",
                    "unsupported version \"%.40s\"; versions 1.x are supported",
                    config->oci_version);
}

static void check_root (const struct check *check, const void *section)
{
    const struct oci_config *config = section;

    if (!config->root)
        check_fail (check, "/root", "is required: the container needs a root file system");
}

static void check_process_present (const struct check *check, const void *section)
{
    const struct oci_config *config = section;

    if (!config->process)
        check_fail (check, "/process", "\"process\" property must be set");
}

static void check_namespaces (const struct check *check, const void *section)
{
    const struct oci_config *config = section;
    int seen = 0;

    for (size_t i = 0; i < config->linux.namespaces.count; i++) {
        const struct oci_namespace *namespace = &config->linux.namespaces.items[i];
        if (seen & namespace->type)
            check_fail (check, check_pointer (check, "/linux/namespaces/%zu", i),
                        "the namespace type \"%s\" is listed twice",
                        oci_names_of (&oci_namespaces, (uint64_t) namespace->type));
        seen |= namespace->type;
        if (namespace->path && namespace->path[0] != '/')
            check_fail (check, check_pointer (check, "/linux/namespaces/%zu/path", i),
                        "must be an absolute path, not \"%.100s\"", namespace->path);
    }
}

static void check_uts_name (const struct check *check, const struct oci_config *config,
                            const char *property, const char *name)
{
    if (!name)
        return;
    if (!oci_config_namespace (config, CLONE_NEWUTS))
        check_fail (check, property, "needs a uts namespace, or it would be the host's");
    if (strlen (name) > UTS_NAME_MAX)
        check_fail (check, property, "must not be longer than %d bytes, not %zu", UTS_NAME_MAX,
                    strlen (name));
}

static void check_uts_names (const struct check *check, const void *section)
{
    const struct oci_config *config = section;

    check_uts_name (check, config, "/hostname", config->hostname);
    check_uts_name (check, config, "/domainname", config->domainname);
}

static void check_hooks (const struct check *check, const void *section)
{
    const struct oci_config *config = section;

    for (int kind = 0; kind < OCI_HOOK_KINDS; kind++)
        for (size_t i = 0; i < config->hooks[kind].count; i++)
            if (config->hooks[kind].items[i].path[0] != '/')
                check_fail (check,
                            check_pointer (check, "/hooks/%s/%zu/path",
                                           oci_names_of (&oci_hook_kinds, (uint64_t)kind), i),
                            "must be an absolute path, not \"%.100s\"",
                            config->hooks[kind].items[i].path);
}

static const struct check_rule config_rules[] = {
    {check_version, "RT-CONFIG-VERSION", {"/ociVersion"}},
    {check_root, "RT-CONFIG-REQUIRED", {"/root"}},
    {check_process_present, "RT-CONFIG-REQUIRED", {"/process"}},
    {check_namespaces, "RT-CONFIG-NAMESPACE", {"/linux/namespaces"}},
    {check_maps_without_userns,
     "RT-CONFIG-USERNS",
     {"/linux/namespaces", "/linux/uidMappings", "/linux/gidMappings"}},
    {check_userns_maps,
     "RT-CONFIG-USERNS",
     {"/linux/namespaces", "/linux/uidMappings", "/linux/gidMappings"}},
    {check_mapped_user,
     "RT-CONFIG-USERNS",
     {"/linux/namespaces", "/linux/uidMappings", "/linux/gidMappings", "/process/user"}},
    {check_uts_names, "RT-CONFIG-UTS", {"/hostname", "/domainname", "/linux/namespaces"}},
    {check_mounts,
     "RT-CONFIG-MOUNT",
     {"/mounts", "/linux/namespaces", "/linux/uidMappings", "/linux/gidMappings"}},
    {check_time_offsets, "RT-CONFIG-TIMENS", {"/linux/timeOffsets", "/linux/namespaces"}},
    {check_devices, "RT-CONFIG-DEVICE", {"/linux/devices"}},
    {check_net_devices, "RT-CONFIG-NETDEVICE", {"/linux/netDevices", "/linux/namespaces"}},
    {check_cgroups_path, "RT-CONFIG-CGROUP", {"/linux/cgroupsPath"}},
    {check_sysctl, "RT-CONFIG-SYSCTL", {"/linux/sysctl", "/linux/namespaces", "/domainname"}},
    {check_restricted_paths,
     "RT-CONFIG-PATH",
     {"/linux/maskedPaths", "/linux/readonlyPaths", "/linux/namespaces"}},
    {check_seccomp, "RT-CONFIG-SECCOMP", {"/linux/seccomp"}},
    {check_intel_rdt, "RT-CONFIG-RDT", {"/linux/intelRdt"}},
    {check_memory_policy, "RT-CONFIG-MEMPOLICY", {"/linux/memoryPolicy"}},
    {check_hooks, "RT-CONFIG-HOOK", {"/hooks"}},
    {check_annotations, "RT-CONFIG-ANNOTATION", {"/annotations"}},
};

void check_config (struct findings *findings, const struct oci_config *config)
{
    /* The sections' own lists first: they look only at what the decoder found wrong. */
    if (config->process)
        check_process (findings, config->process, "/process");
    if (config->linux.resources)
        check_resources (findings, config->linux.resources, "/linux/resources");
    CHECK_RUN (findings, "", config, config_rules);
}
