/* SPDX-License-Identifier: Apache-2.0 */
/*
 * annotations: those of config.json that change what rt does. The names are those that crun gave
 * them, since engines and users write them. All others are only carried along (config.md,
 * "Annotations").
 */
#ifndef OCI_SPEC_ANNOTATIONS_H
#define OCI_SPEC_ANNOTATIONS_H

#include "oci-spec/config.h"

/* What linux.mountLabel says about a new file system: context (the default), fscontext, defcontext
 * or rootcontext, see mount(8). */
#define OCI_ANNOTATION_MOUNT_CONTEXT_TYPE "run.oci.mount_context_type"

/* Present, whatever it says: the process keeps the additional groups of rt's caller. */
#define OCI_ANNOTATION_KEEP_GROUPS "run.oci.keep_original_groups"

/* The value, or NULL where it is absent. */
const char *oci_annotation (const struct oci_config *config, const char *name);

#endif
