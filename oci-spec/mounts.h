/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mounts: config.json's `mounts`, its option words already turned into the kernel's numbers
 * (config.md, "Mounts", "Linux mount options").
 *
 * Options are read left to right and the last word about a flag wins: a word that sets a bit takes
 * it from the clear mask and the other way round. Words that no table knows become `data` for the
 * file system.
 */
#ifndef OCI_SPEC_MOUNTS_H
#define OCI_SPEC_MOUNTS_H

#include "types.h"

enum oci_idmap { OCI_IDMAP_NONE, OCI_IDMAP, OCI_RIDMAP };

struct oci_mount {
    const char *destination; /* as written; relative ones are relative to "/" */
    const char *source;      /* NULL = absent; relative to the bundle for binds */
    const char *type;        /* NULL = absent */
    struct oci_strings options;

    uint64_t attr_set;   /* MOUNT_ATTR_*, this mount only. An atime word sets the mode bits here */
    uint64_t attr_clear; /* and MOUNT_ATTR__ATIME here (which clears before the mode is set) */
    uint64_t rec_set;    /* the same of the recursive words (rro, rnosuid ...) */
    uint64_t rec_clear;
    unsigned long sb_set; /* MS_SYNCHRONOUS, MS_DIRSYNC, MS_MANDLOCK, MS_LAZYTIME, MS_I_VERSION, */
    unsigned long sb_clear; /* MS_SILENT; and MS_RDONLY of `ro`/`rw` for a new superblock */
    OCI_ARRAY (unsigned long) propagation; /* MS_SHARED ... with MS_REC for the r* words */
    const char *data;                      /* "size=64m,mode=755"; NULL = none */

    bool bind;      /* bind or rbind given: the type has no meaning then */
    bool recursive; /* rbind */
    bool remount;
    bool tmpcopyup;
    bool copy_symlink;
    bool src_nofollow;
    bool dest_nofollow;
    enum oci_idmap idmap; /* by the words idmap/ridmap, or OCI_IDMAP by mappings alone */
    struct oci_id_mappings uid_mappings;
    struct oci_id_mappings gid_mappings;
};

/* What may lie over a procfs without taking anything away that rt or a security module relies on
 * (as runc has it); NULL behind the last one. */
const char *oci_mount_over_proc_at (size_t index);

#endif
