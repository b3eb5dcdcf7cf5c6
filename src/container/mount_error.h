/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mount_error: the words for a mount that failed. Of mounts.c and its parts only.
 */
#ifndef RT_CONTAINER_MOUNT_ERROR_H
#define RT_CONTAINER_MOUNT_ERROR_H

#include "base/error.h"
#include "oci-spec/mounts.h"

#include <stdbool.h>
#include <stddef.h>

/* A bind has no type that counts; this is what type means of all others. */
bool mount_is_type (const struct oci_mount *mount, const char *type);

/* "error mounting SOURCE to rootfs at DESTINATION: MESSAGE", at /mounts/INDEX. `errnum` of the call
 * that failed, or 0; `message` may be NULL or "". -1. */
int mount_error (const struct oci_mount *mount, size_t index, int errnum, const char *message,
                 struct error *err);

#endif
