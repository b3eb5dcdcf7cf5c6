/* SPDX-License-Identifier: Apache-2.0 */
/*
 * images: the directories of a checkpoint, and what rt itself keeps there beside CRIU's files:
 *
 *   descriptors.json  the names of the standard streams (external.h), as runc and crun write it
 *
 * Images are what somebody else may have written: nothing in them decides about the container but
 * what CRIU makes of its own files, and that is looked at before it runs on (restored.h). All else
 * comes from the bundle.
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
    const char *work_path;
};

#define IMAGES_INIT                                                                                \
    {                                                                                              \
        .images = -1, .work = -1                                                                   \
    }
#define AUTO_IMAGES __attribute__ ((cleanup (images_close)))
void images_close (struct images *images);

/* Pure. Are the container's nodes of /dev binds of the host's (devices.h)? */
bool images_device_binds (const struct oci_config *config);

/* The root of a user namespace has to find the images by their names, and opens those that it is
 * given: while this is not undone, the directory may be searched by everybody. What is in it may
 * not be read by them. */
struct images_mode {
    bool changed;
    mode_t before;
};
int images_let_search (const struct images *images, struct images_mode *mode, struct error *err);
void images_undo_search (const struct images *images, const struct images_mode *mode);

/* `make`: for a checkpoint; a missing last component is made, the owner's alone. Checks that
 * request->parent is there. RT-IMAGES-*. */
int images_open (const struct images_request *request, bool make, struct images *images,
                 struct error *err);

/* The options that come from the command line, and the log's name. Where the document has hooks
 * that run before the container does, they are whose its own network namespace is (Docker's is), as
 * with
 * --empty-ns: what it has is not written, and made by them again. */
void images_options (const struct images_request *request, const struct oci_config *config,
                     const struct images *images, const char *log_file,
                     struct criu_options *options);

/* The file of options for CRIU: what the annotation org.criu.config says (empty: none), else the
 * first of those that the host may have. NULL: none. RT-CRIU-CONFIG: one that is not there. */
int images_config (const struct oci_config *config, const char **path, struct error *err);

int images_write_streams (const struct images *images, const char *const streams[3],
                          struct error *err);
/* "" for each where there is no such file. */
int images_read_streams (const struct images *images, struct arena *arena, const char *streams[3],
                         struct error *err);

#endif
