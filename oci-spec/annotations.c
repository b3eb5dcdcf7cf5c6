/* SPDX-License-Identifier: Apache-2.0 */
/* annotations: see annotations.h. */
#include "oci-spec/annotations.h"

#include "base/text.h"
#include "oci-spec/seccomp_words.h"

const char *oci_annotation (const struct oci_config *config, const char *name)
{
    for (size_t i = 0; i < config->annotations.count; i++)
        if (text_equal (config->annotations.items[i].key, name))
            return config->annotations.items[i].value;
    return NULL;
}

void oci_annotations_apply (struct arena *arena, struct oci_config *config)
{
    const char *program = oci_annotation (config, OCI_ANNOTATION_SECCOMP_PROGRAM);

    if (program && !config->linux.seccomp) {
        config->linux.seccomp = arena_alloc (arena, sizeof (*config->linux.seccomp));
        config->linux.seccomp->default_action = SCMP_ACT_ALLOW;
        config->linux.seccomp->of_annotation = true;
    }
    struct oci_seccomp *seccomp = config->linux.seccomp;
    if (!seccomp)
        return;
    seccomp->program = program;
    seccomp->unknown_is_error = oci_annotation (config, OCI_ANNOTATION_SECCOMP_UNKNOWN) != NULL;
    if (!seccomp->listener_path)
        seccomp->listener_path = oci_annotation (config, OCI_ANNOTATION_SECCOMP_RECEIVER);
}
