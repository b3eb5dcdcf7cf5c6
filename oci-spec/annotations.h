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

/* The name of the cgroup below a systemd scope that the container lives in, on v2 (the default:
 * "container"); empty: none, it lives in the scope. */
#define OCI_ANNOTATION_SYSTEMD_SUBGROUP "run.oci.systemd.subgroup"

/* The name of one more cgroup, below the one that the container's limits are in and its cgroup
 * namespace shows as its root: the container's processes begin there. Only v2. */
#define OCI_ANNOTATION_DELEGATE_CGROUP "run.oci.delegate-cgroup"

/* Where hooks print to: appended to these files, made where they are missing. Absolute paths, which
 * do not end in a symbolic link. */
#define OCI_ANNOTATION_HOOKS_STDOUT "run.oci.hooks.stdout"
#define OCI_ANNOTATION_HOOKS_STDERR "run.oci.hooks.stderr"

/* The absolute path of a unix socket that gets a pidfd of the container's init. */
#define OCI_ANNOTATION_PIDFD_RECEIVER "run.oci.pidfd_receiver"

/* linux.seccomp.listenerPath, where the document has none. */
#define OCI_ANNOTATION_SECCOMP_RECEIVER "run.oci.seccomp.receiver"

/* Present, whatever it says: a name in linux.seccomp that libseccomp does not know is an error. */
#define OCI_ANNOTATION_SECCOMP_UNKNOWN "run.oci.seccomp_fail_unknown_syscall"

/* The BPF program to load, in base64, instead of what linux.seccomp says; of that only `flags`
 * count. It has no listener: where it notifies, the kernel says ENOSYS. */
#define OCI_ANNOTATION_SECCOMP_PROGRAM "run.oci.seccomp_bpf_data"

/* A file of options for CRIU, which overrule those of checkpoint and restore; empty: none, not even
 * that of the host. Written by runc's users, so it has no run.oci. before it. */
#define OCI_ANNOTATION_CRIU_CONFIG "org.criu.config"

/* What annotations say about sections becomes a part of those, before the rules are checked. */
void oci_annotations_apply (struct arena *arena, struct oci_config *config);

/* The value, or NULL where it is absent. */
const char *oci_annotation (const struct oci_config *config, const char *name);

#endif
