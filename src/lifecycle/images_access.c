/* SPDX-License-Identifier: Apache-2.0 */
/* images_access: the images, for the root of a user namespace; see images.h. */
#include "lifecycle/images.h"

#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct images_before {
    const char *name;
    gid_t gid;
    mode_t mode;
};

static bool is_image (const char *name)
{
    size_t length = strlen (name);

    return length > 4 && text_equal (name + length - 4, ".img");
}

static int find_root (const struct oci_config *config, gid_t *gid, struct error *err)
{
    const struct oci_id_mappings *maps = &config->linux.gid_mappings;

    for (size_t i = 0; i < maps->count; i++)
        if (maps->items[i].container_id == 0 && maps->items[i].size > 0) {
            *gid = maps->items[i].host_id;
            return 0;
        }
    error_set (err, "RT-IMAGES-ACCESS", 0,
               "the user namespace has no group 0, which could read the images");
    return error_at (err, "/linux/gidMappings");
}

/* The directory is the caller's alone, so what the name means does not change. */
static int let_read (struct images_access *access, const char *name, gid_t gid, mode_t more,
                     struct error *err)
{
    struct images_before *before = &access->before[access->count];
    struct stat st;

    if (fstatat (access->directory, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return error_set (err, "RT-IMAGES-ACCESS", errno, "cannot stat the image %s", name);
    *before = (struct images_before){.name = name, .gid = st.st_gid, .mode = st.st_mode & 07777};
    if (fchownat (access->directory, name, (uid_t)-1, gid, AT_SYMLINK_NOFOLLOW) < 0)
        return error_set (err, "RT-IMAGES-ACCESS", errno,
                          "cannot give the image %s to the container's root", name);
    access->count++;
    if (fchmodat (access->directory, name, (before->mode & ~(mode_t)S_IRWXG) | more, 0) < 0)
        return error_set (err, "RT-IMAGES-ACCESS", errno,
                          "cannot let the container's root read the image %s", name);
    return 0;
}

int images_let_read (const struct images *images, const struct oci_config *config,
                     struct arena *arena, struct images_access *access, struct error *err)
{
    int fd = openat (images->images, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    AUTO_DIR DIR *listing = fd < 0 ? NULL : fdopendir (fd);
    const struct dirent *entry;
    const char **names;
    size_t count = 0;
    size_t room = 1;
    gid_t gid = 0;

    if (!listing)
        return error_set (err, "RT-IMAGES-ACCESS", errno,
                          "cannot list the directory of the images");
    if (find_root (config, &gid, err) < 0)
        return -1;
    while (readdir (listing))
        room++;
    rewinddir (listing);
    names = arena_array (arena, room, sizeof (*names));
    while ((entry = readdir (listing)) != NULL && count < room)
        if (is_image (entry->d_name))
            names[count++] = arena_string (arena, entry->d_name);
    *access = (struct images_access){
        .directory = images->images,
        .before = arena_array (arena, room + 1, sizeof (struct images_before))};
    int failed = let_read (access, ".", gid, S_IXGRP, err);
    for (size_t i = 0; !failed && i < count; i++)
        failed = let_read (access, names[i], gid, S_IRGRP, err);
    if (failed)
        images_undo_read (access);
    return failed;
}

void images_undo_read (const struct images_access *access)
{
    for (size_t i = access->count; i-- > 0;) {
        const struct images_before *before = &access->before[i];
        if (fchmodat (access->directory, before->name, before->mode & ~(mode_t)S_IRWXG, 0) < 0 ||
            fchownat (access->directory, before->name, (uid_t)-1, before->gid,
                      AT_SYMLINK_NOFOLLOW) < 0 ||
            fchmodat (access->directory, before->name, before->mode, 0) < 0)
            log_warning ("the container's root can still read the image %s: %s", before->name,
                         error_words (errno));
    }
}
