/* SPDX-License-Identifier: Apache-2.0 */
/*
 * images: the directories of a checkpoint, and what rt itself keeps there beside CRIU's files:
 *
 *   descriptors.json  the names of the standard streams (external.h), as runc and crun write it
 *
 * Images are what somebody else may have written: nothing in them decides about the container but
 * what CRIU makes of its own files. Those that decide about rights are judged first
 * (images_check.h), and the outcome before it runs on (restored.h). All else comes from the bundle.
 */
#ifndef RT_LIFECYCLE_IMAGES_H
#define RT_LIFECYCLE_IMAGES_H

#include "criu/criu.h"
#include "lifecycle/lifecycle.h"

#include <stdbool.h>
#include <sys/types.h>

struct images {
    int images; /* owned */
    int work;   /* owned; may be the same directory */
    int config; /* owned: the file of options for CRIU; -1 = none */
    const char *work_path;
    bool made;      /* the directory of the images is new */
    bool made_work; /* the same of another --work-path */
};

#define IMAGES_INIT                                                                                \
    {                                                                                              \
        .images = -1, .work = -1, .config = -1                                                     \
    }
#define AUTO_IMAGES __attribute__ ((cleanup (images_close)))
void images_close (struct images *images);

/* Pure. Are the container's nodes of /dev binds of the host's (devices.h)? */
bool images_device_binds (const struct oci_config *config);

/* The root of a user namespace opens some of the images, which are for the host's root alone: while
 * this is not undone, they belong to that root's group, which may read them, and nobody else may.
 */
struct images_access {
    int directory;
    struct images_before *before; /* in the arena */
    size_t count;
};
int images_let_read (const struct images *images, const struct oci_config *config,
                     struct arena *arena, struct images_access *access, struct error *err);
void images_undo_read (const struct images_access *access);

/* Before images_open: do the file systems of the directories answer? -1 with err where one does
 * not. */
int images_ask (const struct images_request *request, struct error *err);

/* `make`: for a checkpoint; a missing last component is made, the owner's alone (0700). Checks that
 * request->parent is there. Both directories must be the caller's and not be writable by others: in
 * another one files could be exchanged after they were judged. What already stands where CRIU and
 * rt are going to write, and is not a file for the owner alone, is removed: CRIU would write
 * through a link, and memory into a file that others may read. RT-IMAGES-*. */
int images_open (const struct images_request *request, bool make, struct images *images,
                 struct error *err);

/* After a checkpoint that failed: takes away the directories that images_open has made, with the
 * images in them. CRIU's log stays, and its directory with it. Never fails. */
void images_undo_make (const struct images_request *request, const struct images *images);

/* What is called as an image must be a regular file, in these images and in those that they build
 * upon: opening a FIFO would wait for ever. RT-IMAGES-FILE, RT-IMAGES-OWNER. */
int images_check_files (const struct images *images, struct error *err);

/* Opens a file of the images, which must be a regular one, the caller's, and not writable by
 * others. Never waits. -1 with err; *absent (may be NULL): true, and -1 without err, where there is
 * no such file. */
int images_open_file (const struct images *images, const char *name, bool *absent,
                      struct error *err);

/* The options that come from the command line, and the log's name. Where the document has hooks
 * that run before the container does, they are whose its own network namespace is (Docker's is), as
 * with
 * --empty-ns: what it has is not written, and made by them again. */
void images_options (const struct images_request *request, const struct oci_config *config,
                     const struct images *images, const char *log_file,
                     struct criu_options *options);

/* The file of options for CRIU: what the annotation org.criu.config says (empty: none), else the
 * first of those that the host may have. These options can run programs as root, and an annotation
 * may have come with an image. So it must be a regular file of root's, and every directory on its
 * absolute path root's alone; no link is followed, and neither the bundle nor the root file system
 * may lie on the way. It is opened once, images->config, and CRIU reads what was judged, by the
 * name that is put into *path (in the arena; NULL: none). RT-CRIU-CONFIG. */
int images_config (const struct oci_config *config, const char *bundle, const char *rootfs,
                   struct images *images, struct arena *arena, const char **path,
                   struct error *err);

int images_write_streams (const struct images *images, const char *const streams[3],
                          struct error *err);
/* "" for each where there is no such file. */
int images_read_streams (const struct images *images, struct arena *arena, const char *streams[3],
                         struct error *err);

#endif
