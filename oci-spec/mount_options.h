/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mount_options: the words of mounts[].options. The only place that reads them.
 */
#ifndef OCI_SPEC_MOUNT_OPTIONS_H
#define OCI_SPEC_MOUNT_OPTIONS_H

#include "base/arena.h"
#include "oci-spec/mounts.h"

/* Turns mount->options into the other members of `mount`. Cannot fail: what is no known word is for
 * the file system (mount->data). */
void mount_options_read (struct arena *arena, struct oci_mount *mount);

/* Takes a word like "idmap=uids=0-1000-1#@1-5-10;gids=0-1000-1" (crun's; "ridmap=" for all mounts
 * below): ranges of first id on the disk, first id on the host, how many; "@" before a range: not
 * an id of the host, but of the container. False: it is no such word, or one that is wrong. */
bool mount_idmap_read (struct arena *arena, const char *word, struct oci_mount *mount);

/* Where the word that starts so ("gid=") stands in mount->data; NULL: it has none. */
const char *mount_options_find (const struct oci_mount *mount, const char *start);

/* Takes that word out of mount->data. */
void mount_options_drop (struct arena *arena, struct oci_mount *mount, const char *start);

#endif
