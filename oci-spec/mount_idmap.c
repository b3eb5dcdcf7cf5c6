/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mount_idmap: mappings that an engine writes into a mount's options: see mount_options.h.
 */
#include "oci-spec/mount_options.h"

#include "base/text.h"

#include <string.h>

/* The number at *at, which moves behind it and the character `end` (or the end of the ranges). */
static bool read_number (const char **at, char end, uint32_t *number)
{
    char word[16];
    size_t length = strspn (*at, "0123456789");
    uint64_t value;

    if (length >= sizeof (word))
        return false;
    memcpy (word, *at, length);
    word[length] = '\0';
    *at += length;
    if (text_to_uint64 (word, UINT32_MAX, &value) < 0)
        return false;
    *number = (uint32_t)value;
    if (end == '\0')
        return **at == '#' || **at == ';' || **at == '\0';
    return *(*at)++ == end;
}

/* "0-1000-1#@1-5-10", up to a semicolon. */
static bool read_ranges (struct arena *arena, const char **at, struct oci_id_mappings *mappings)
{
    size_t count = 1;

    for (const char *c = *at; *c && *c != ';'; c++)
        count += *c == '#';
    mappings->items = arena_array (arena, count, sizeof (*mappings->items));
    mappings->count = count;
    mappings->present = true;
    for (size_t i = 0; i < count; i++) {
        struct oci_id_mapping *one = &mappings->items[i];
        one->relative = **at == '@';
        *at += one->relative;
        if (!read_number (at, '-', &one->container_id) || !read_number (at, '-', &one->host_id) ||
            !read_number (at, '\0', &one->size) || one->size == 0)
            return false;
        if (i + 1 < count && *(*at)++ != '#')
            return false;
    }
    return true;
}

bool mount_idmap_read (struct arena *arena, const char *word, struct oci_mount *mount)
{
    struct oci_id_mappings uids = {0};
    struct oci_id_mappings gids = {0};
    bool recursive = text_starts_with (word, "ridmap=");

    if (!recursive && !text_starts_with (word, "idmap="))
        return false;
    for (const char *at = strchr (word, '=') + 1;; at++) {
        bool user = text_starts_with (at, "uids=");
        struct oci_id_mappings *one = user ? &uids : &gids;
        if ((!user && !text_starts_with (at, "gids=")) || one->present)
            return false;
        at += strlen ("uids=");
        if (!read_ranges (arena, &at, one))
            return false;
        if (*at == '\0')
            break;
    }
    if (!uids.present || !gids.present)
        return false;
    mount->idmap = recursive ? OCI_RIDMAP : OCI_IDMAP;
    mount->uid_mappings = uids;
    mount->gid_mappings = gids;
    return true;
}
