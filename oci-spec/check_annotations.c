/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check_annotations: rules about annotations. Unknown ones are nobody's business (config.md,
 * "Annotations"); but one that other runtimes obey, and that would make the container another one,
 * must not be taken for obeyed.
 */
#include "oci-spec/annotations.h"
#include "oci-spec/check.h"

#include "base/text.h"

#include <string.h>

static const struct {
    const char *name;
    const char *why;
} refused[] = {
    {"run.oci.handler", "asks for a handler, of which this runtime has none"},
    {"run.oci.seccomp.plugins", "is not supported: let an agent listen at seccomp.listenerPath"},
    {"run.oci.systemd.force_cgroup_v1",
     "is not supported: a container has the cgroup versions of the host"},
};

static const char *const paths[] = {
    OCI_ANNOTATION_CRIU_CONFIG, /* may be empty: none */
    OCI_ANNOTATION_HOOKS_STDOUT,   OCI_ANNOTATION_HOOKS_STDERR,
    OCI_ANNOTATION_PIDFD_RECEIVER, OCI_ANNOTATION_SECCOMP_RECEIVER,
};

#define LENGTH(array) (sizeof (array) / sizeof ((array)[0]))

static const char *pointer_to (const struct check *check, const char *name)
{
    return check_pointer (check, "/annotations/%s", name);
}

static void check_mount_context_type (const struct check *check, const struct oci_config *config)
{
    static const char *const types[] = {"context", "fscontext", "defcontext", "rootcontext"};
    const char *type = oci_annotation (config, OCI_ANNOTATION_MOUNT_CONTEXT_TYPE);

    for (size_t i = 0; type && i < LENGTH (types); i++)
        if (text_equal (type, types[i]))
            return;
    if (type)
        check_fail (check, pointer_to (check, OCI_ANNOTATION_MOUNT_CONTEXT_TYPE),
                    "must be context, fscontext, defcontext or rootcontext, not \"%.100s\"", type);
}

static void check_cgroup_names (const struct check *check, const struct oci_config *config)
{
    static const char *const names[] = {OCI_ANNOTATION_SYSTEMD_SUBGROUP,
                                        OCI_ANNOTATION_DELEGATE_CGROUP};

    for (size_t i = 0; i < LENGTH (names); i++) {
        const char *name = oci_annotation (config, names[i]);
        if (name && (name[0] == '.' || strpbrk (name, "/\n") || strlen (name) > 255))
            check_fail (check, pointer_to (check, names[i]),
                        "must be the name of one cgroup, not \"%.100s\"", name);
    }
}

void check_annotations (const struct check *check, const void *section)
{
    const struct oci_config *config = section;

    for (size_t i = 0; i < config->annotations.count; i++)
        if (config->annotations.items[i].key[0] == '\0')
            check_fail (check, "/annotations/", "an annotation's key must not be empty");
    for (size_t i = 0; i < LENGTH (refused); i++) {
        const char *value = oci_annotation (config, refused[i].name);
        if (value && value[0] != '\0')
            check_fail (check, pointer_to (check, refused[i].name), "%s", refused[i].why);
    }
    for (size_t i = 0; i < LENGTH (paths); i++) {
        const char *value = oci_annotation (config, paths[i]);
        bool none = value && value[0] == '\0' && text_equal (paths[i], OCI_ANNOTATION_CRIU_CONFIG);
        if (value && value[0] != '/' && !none)
            check_fail (check, pointer_to (check, paths[i]),
                        "must be an absolute path, not \"%.100s\"", value);
    }
    check_mount_context_type (check, config);
    check_cgroup_names (check, config);
}
