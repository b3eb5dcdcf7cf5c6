/* SPDX-License-Identifier: Apache-2.0 */
/*
 * features: see features.h.
 */
#include "oci-spec/features.h"

#include "base/json_write.h"
#include "oci-spec/annotations.h"
#include "oci-spec/names.h"
#include "oci-spec/state.h"

/* Annotations of config.json that change what rt does; a dot at the end means all that begin so. */
static const char *const unsafe_annotations[] = {
    "org.systemd.property.",           OCI_ANNOTATION_KEEP_GROUPS,
    OCI_ANNOTATION_MOUNT_CONTEXT_TYPE, OCI_ANNOTATION_HOOKS_STDOUT,
    OCI_ANNOTATION_HOOKS_STDERR,       OCI_ANNOTATION_PIDFD_RECEIVER,
    OCI_ANNOTATION_SECCOMP_RECEIVER,   OCI_ANNOTATION_SECCOMP_PROGRAM,
    OCI_ANNOTATION_SECCOMP_UNKNOWN,    OCI_ANNOTATION_SYSTEMD_SUBGROUP,
    OCI_ANNOTATION_DELEGATE_CGROUP,    OCI_ANNOTATION_CRIU_CONFIG,
};

static void write_names (struct json_writer *writer, const char *key, const struct oci_names *names)
{
    json_open (writer, key, '[');
    for (size_t i = 0; i < names->count; i++)
        json_string (writer, NULL, names->items[i].name);
    json_close (writer, ']');
}

/* The names of the bits of `mask`. */
static void write_flags (struct json_writer *writer, const char *key, const struct oci_names *names,
                         uint64_t mask)
{
    json_open (writer, key, '[');
    for (size_t i = 0; i < names->count; i++)
        if (names->items[i].value & mask)
            json_string (writer, NULL, names->items[i].name);
    json_close (writer, ']');
}

static void write_enabled (struct json_writer *writer, const char *key, bool enabled)
{
    json_open (writer, key, '{');
    json_bool (writer, "enabled", enabled);
    json_close (writer, '}');
}

static void write_mount_options (struct json_writer *writer)
{
    const char *word;

    json_open (writer, "mountOptions", '[');
    for (size_t i = 0; (word = oci_mount_option_at (i)); i++)
        json_string (writer, NULL, word);
    json_close (writer, ']');
}

static void write_cgroup (struct json_writer *writer, const struct oci_features *features)
{
    json_open (writer, "cgroup", '{');
    json_bool (writer, "v1", true);
    json_bool (writer, "v2", true);
    json_bool (writer, "systemd", features->systemd);
    json_bool (writer, "systemdUser", features->systemd_user);
    json_bool (writer, "rdma", features->rdma);
    json_close (writer, '}');
}

static void write_seccomp (struct json_writer *writer, const struct oci_features *features)
{
    json_open (writer, "seccomp", '{');
    json_bool (writer, "enabled", features->seccomp);
    if (features->seccomp) {
        write_names (writer, "actions", &oci_seccomp_actions);
        write_names (writer, "operators", &oci_seccomp_operators);
        write_names (writer, "archs", &oci_seccomp_archs);
        write_names (writer, "knownFlags", &oci_seccomp_flags);
        write_flags (writer, "supportedFlags", &oci_seccomp_flags,
                     features->seccomp_supported_flags);
    }
    json_close (writer, '}');
}

static void write_linux (struct json_writer *writer, const struct oci_features *features)
{
    json_open (writer, "linux", '{');
    write_names (writer, "namespaces", &oci_namespaces);
    write_names (writer, "capabilities", &oci_capability_names);
    write_cgroup (writer, features);
    write_seccomp (writer, features);
    write_enabled (writer, "apparmor", features->apparmor);
    write_enabled (writer, "selinux", features->selinux);
    json_open (writer, "intelRdt", '{');
    json_bool (writer, "enabled", features->intel_rdt);
    json_bool (writer, "schemata", features->intel_rdt);
    json_bool (writer, "monitoring", features->intel_rdt);
    json_close (writer, '}');
    json_open (writer, "memoryPolicy", '{');
    write_names (writer, "modes", &oci_memory_policy_modes);
    write_names (writer, "flags", &oci_memory_policy_flags);
    json_close (writer, '}');
    json_open (writer, "mountExtensions", '{');
    write_enabled (writer, "idmap", features->idmap);
    json_close (writer, '}');
    write_enabled (writer, "netDevices", features->net_devices);
    json_close (writer, '}');
}

static void write_annotations (struct json_writer *writer, const struct oci_features *features)
{
    json_open (writer, "annotations", '{');
    if (features->libseccomp_version)
        json_string (writer, "io.github.seccomp.libseccomp.version", features->libseccomp_version);
    if (features->checkpoint)
        json_string (writer, "org.opencontainers.runc.checkpoint.enabled", "true");
    if (features->version)
        json_string (writer, "rt.version", features->version);
    if (features->commit)
        json_string (writer, "rt.commit", features->commit);
    json_close (writer, '}');
}

void oci_features_write (struct text *out, const struct oci_features *features)
{
    struct json_writer writer = {.out = out, .pretty = true};

    json_open (&writer, NULL, '{');
    json_string (&writer, "ociVersionMin", "1.0.0");
    json_string (&writer, "ociVersionMax", OCI_VERSION);
    write_names (&writer, "hooks", &oci_hook_kinds);
    write_mount_options (&writer);
    write_linux (&writer, features);
    write_annotations (&writer, features);
    json_open (&writer, "potentiallyUnsafeConfigAnnotations", '[');
    for (size_t i = 0; i < sizeof (unsafe_annotations) / sizeof (*unsafe_annotations); i++)
        json_string (&writer, NULL, unsafe_annotations[i]);
    json_close (&writer, ']');
    json_close (&writer, '}');
    text_putc (out, '\n');
}
