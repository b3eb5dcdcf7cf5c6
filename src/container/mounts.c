/* SPDX-License-Identifier: Apache-2.0 */
/* mounts: see mounts.h. */
#include "container/mounts.h"

#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"
#include "container/mount_bind.h"
#include "container/mount_cgroup.h"
#include "container/mount_idmapped.h"
#include "container/mount_sysfs.h"
#include "container/mount_tmpfs.h"
#include "kernel/inroot.h"
#include "oci-spec/annotations.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/mount.h>
#include <sched.h>
#include <string.h>
#include <sys/stat.h>

#define RDONLY ((uint64_t)MOUNT_ATTR_RDONLY)

/* The bind of the host's /sys or of another rt-made kind carries no type; this is what type means.
 */
static bool is_type (const struct oci_mount *mount, const char *type)
{
    return !mount->bind && mount->type && text_equal (mount->type, type);
}

static int mount_error (const struct oci_mount *mount, size_t index, int errnum,
                        const char *message, struct error *err)
{
    error_set (err, "RT-MOUNT", errnum, "error mounting \"%s\" to rootfs at \"%s\"%s%s",
               mount->source ? mount->source : (mount->type ? mount->type : "none"),
               mount->destination, message && message[0] ? ": " : "", message ? message : "");
    error_at (err, "/mounts/%zu", index);
    if (errnum == ENODEV && mount->type)
        return error_hint (err, "this kernel has no file system \"%s\"", mount->type);
    if (errnum == EPERM && is_type (mount, "proc"))
        return error_hint (err,
                           "in a user namespace proc needs a new pid namespace and a /proc of the "
                           "host with nothing mounted over it");
    return -1;
}

/*
 * Mounts that the container makes there are to be seen on the host: `rootfsPropagation` and the
 * mount both say shared. Only a copy that is made outside, before the namespace is cut off, is a
 * peer of the host's mount. The kernel lets no user namespace do so.
 */
static bool reaches_host (const struct mounts *mounts, const struct oci_mount *mount)
{
    unsigned long asked_for = 0;

    for (size_t i = 0; i < mount->propagation.count; i++)
        asked_for |= mount->propagation.items[i];
    return mount->bind && !mounts->userns && (asked_for & MS_SHARED) &&
           (mounts->config->linux.rootfs_propagation & MS_SHARED);
}

/* Ids can be mapped, and what the container's root cannot reach opened, only from outside. */
static int prepare_source (struct mounts *mounts, size_t index, struct error *err)
{
    const struct oci_mount *mount = &mounts->config->mounts.items[index];
    struct mountfd *source = &mounts->sources[index];
    bool idmapped = mount->idmap != OCI_IDMAP_NONE;
    bool shared = reaches_host (mounts, mount);
    char path[PATH_MAX];

    if (mount->remount || !(mounts->userns || idmapped || shared))
        return 0;
    if (!mount->bind)
        return idmapped ? mount_error (mount, index, 0, "only bind mounts can be id-mapped", err)
                        : 0;
    if (mount_bind_path (mount, mounts->bundle, path, err) < 0)
        return error_at (err, "/mounts/%zu/source", index);
    if (mount_bind_below (path, mounts->rootfs_path) && !idmapped)
        return 0;
    if (mount_bind_open (mount, path, source, err) < 0)
        return error_at (err, "/mounts/%zu/source", index);
    if (idmapped)
        return mount_idmapped_prepare (mount, index, &mounts->config->linux, source, err);
    if (source->by_mount && shared)
        return mount_error (mount, index, ENOSYS,
                            "cannot share its mounts with the host without open_tree", err);
    if (source->by_mount) {
        mountfd_close (source);
        *source = (struct mountfd)MOUNTFD_INIT; /* the inside tries by itself */
    }
    return 0;
}

bool mounts_show_cgroups (const struct oci_config *config)
{
    for (size_t i = 0; i < config->mounts.count; i++)
        if (is_type (&config->mounts.items[i], "cgroup"))
            return true;
    return false;
}

int mounts_prepare (struct mounts *mounts, struct arena *arena, struct error *err)
{
    size_t count = mounts->config->mounts.count;

    mounts->sources = arena_array (arena, count + 1, sizeof (struct mountfd));
    /* A cgroup mount has up to 33 mounts that may have to become read-only. */
    size_t readonly_max = count;
    for (size_t i = 0; i < count; i++) {
        mounts->sources[i].fd = -1;
        if (is_type (&mounts->config->mounts.items[i], "cgroup"))
            readonly_max += sizeof (((struct mount_cgroup_result *)0)->below) / sizeof (int);
    }
    mounts->readonly = arena_array (arena, readonly_max + 1, sizeof (struct mounts_readonly));
    for (size_t i = 0; i < count; i++)
        if (prepare_source (mounts, i, err) < 0)
            return -1;
    return 0;
}

int mounts_prepare_mqueue (struct mounts *mounts, struct error *err)
{
    for (size_t i = 0; i < mounts->config->mounts.count; i++) {
        const struct oci_mount *mount = &mounts->config->mounts.items[i];
        struct mountfd *made = &mounts->sources[i];
        if (!is_type (mount, "mqueue") || mount->remount)
            continue;
        if (mountfd_make (made, mount->type, mount->source, mount->data, 0,
                          mount->attr_set & ~RDONLY, NULL, 0) == 0 &&
            !made->by_mount)
            continue;
        if (!made->by_mount && errno != EPERM)
            return mount_error (mount, i, errno, NULL, err);
        *made = (struct mountfd)MOUNTFD_INIT;
    }
    return 0;
}

/* The directory or file to mount on, made where it is missing. */
static int open_target (const struct oci_mount *mount, size_t index, int root, bool file,
                        bool *made, struct error *err)
{
    const char *destination = mount->destination;
    int fd;

    if (is_type (mount, "proc") || is_type (mount, "sysfs")) {
        int any = inroot_make_dir (root, destination, 0755, made);
        drop_fd (&any);
        fd = inroot_open_plain (root, destination, O_PATH | O_DIRECTORY);
        if (fd < 0 && (errno == ELOOP || errno == ENOTDIR)) {
            error_set (err, "RT-MOUNT-PROC", 0,
                       "error mounting \"%s\" to rootfs at \"%s\": it must be mounted on ordinary "
                       "directory, not on a symbolic link",
                       mount->type, destination);
            return error_at (err, "/mounts/%zu/destination", index);
        }
    } else if (mount->dest_nofollow) {
        fd = inroot_open (root, destination, O_PATH | O_NOFOLLOW);
        if (fd < 0 && errno == ENOENT)
            fd = file ? inroot_make_file (root, destination, 0644)
                      : inroot_make_dir (root, destination, 0755, made);
    } else {
        fd = file ? inroot_make_file (root, destination, 0644)
                  : inroot_make_dir (root, destination, 0755, made);
    }
    if (fd < 0) {
        mount_error (mount, index, errno, "cannot make the mount point", err);
        return error_at (err, "/mounts/%zu/destination", index);
    }
    return fd;
}

/* Flags that can be set at once, and propagation; read-only is noted for the end. Owns *fd
 * afterwards. */
static int finish (struct mounts *mounts, size_t index, int *fd, bool attr_done, struct error *err)
{
    const struct oci_mount *mount = &mounts->config->mounts.items[index];

    if (!attr_done &&
        mountfd_setattr (*fd, mount->attr_set & ~RDONLY, mount->attr_clear, false) < 0) {
        mount_error (mount, index, errno, "cannot set its flags", err);
        return errno == EPERM
                   ? error_hint (err, "a flag that the source has is locked in this user "
                                      "namespace and cannot be cleared")
                   : -1;
    }
    if (mountfd_setattr (*fd, mount->rec_set & ~RDONLY, mount->rec_clear, true) < 0) {
        mount_error (mount, index, errno, "cannot set its recursive flags", err);
        return errno == ENOSYS ? error_hint (err, "recursive flags need mount_setattr, Linux 5.12")
                               : -1;
    }
    for (size_t i = 0; i < mount->propagation.count; i++)
        if (mountfd_propagate (*fd, mount->propagation.items[i]) < 0)
            return mount_error (mount, index, errno, "cannot set its propagation", err);
    if ((mount->attr_set | mount->rec_set) & RDONLY)
        mounts->readonly[mounts->readonly_count++] = (struct mounts_readonly){
            .fd = take_fd (fd), .recursive = (mount->rec_set & RDONLY) != 0, .index = index};
    return 0;
}

static int apply_bind (struct mounts *mounts, size_t index, int root, struct error *err)
{
    const struct oci_mount *mount = &mounts->config->mounts.items[index];
    AUTO_MOUNTFD struct mountfd copy = mounts->sources[index];
    struct stat st;

    bool from_outside = copy.fd >= 0;
    mounts->sources[index] = (struct mountfd)MOUNTFD_INIT;
    if (mount->copy_symlink) {
        int done = mount_bind_copy_symlink (mount, mounts->bundle, root, err);
        if (done != 0)
            return done < 0 ? error_at (err, "/mounts/%zu", index) : 0;
    }
    if (copy.fd < 0) {
        char path[PATH_MAX];
        if (mount_bind_path (mount, mounts->bundle, path, err) < 0)
            return error_at (err, "/mounts/%zu/source", index);
        const char *rest = mount_bind_below (path, mounts->rootfs_path);
        if (rest ? mount_bind_open_inside (mount, root, rest, &copy, err) < 0
                 : mount_bind_open (mount, path, &copy, err) < 0)
            return error_at (err, "/mounts/%zu/source", index);
    }
    if (fstat (copy.fd, &st) < 0)
        return mount_error (mount, index, errno, "cannot stat the source", err);

    AUTO_FD int target = open_target (mount, index, root, !S_ISDIR (st.st_mode), NULL, err);
    if (target < 0)
        return -1;
    if (mountfd_attach (&copy, target, root, mount->destination) < 0)
        return mount_error (mount, index, errno, NULL, err);
    /* A copy that was made outside is still a peer of the host's mount. */
    if (from_outside && !reaches_host (mounts, mount) &&
        mountfd_propagate (copy.fd, mounts->propagation) < 0)
        return mount_error (mount, index, errno, "cannot cut its propagation to the host", err);
    if (mounts->userns && mount->recursive && (mount->attr_set & RDONLY) &&
        mount_sysfs_close (copy.fd, mount, root, err) < 0)
        return error_at (err, "/mounts/%zu", index);
    if (text_equal (mount->destination, "/dev"))
        mounts->dev_is_bind = true;
    return finish (mounts, index, &copy.fd, false, err);
}

/* What the host shows of its cgroups, for a container that may have none (UID-14, HDN-10): never
 * to be written to. */
static int apply_host_cgroups (struct mounts *mounts, size_t index, int root, int target,
                               struct error *err)
{
    const struct oci_mount *mount = &mounts->config->mounts.items[index];
    AUTO_MOUNTFD struct mountfd copy = MOUNTFD_INIT;

    if (mountfd_bind (&copy, AT_FDCWD, "/sys/fs/cgroup", MOUNTFD_RECURSIVE) < 0 ||
        mountfd_attach (&copy, target, root, mount->destination) < 0)
        return mount_error (mount, index, errno, "cannot bind the host's", err);
    if (mountfd_setattr (copy.fd, mount->attr_set | RDONLY, 0, true) < 0)
        return mount_error (mount, index, errno, "cannot make the host's read-only", err);
    log_debug ("mounts: no cgroup is the container's own: %s shows the host's", mount->destination);
    return 0;
}

/* Cgroups that are not the container's own are never its to write to. */
static int close_cgroups (const struct mount_cgroup_result *result, struct error *err)
{
    int failed = mountfd_setattr (result->top, RDONLY, 0, false);

    for (unsigned int i = 0; i < result->below_count && !failed; i++)
        failed = mountfd_setattr (result->below[i], RDONLY, 0, false);
    return failed ? error_set (err, "RT-MOUNT-CGROUP", errno, "cannot make the cgroups read-only")
                  : 0;
}

static int apply_cgroup (struct mounts *mounts, size_t index, int root, struct error *err)
{
    const struct oci_mount *mount = &mounts->config->mounts.items[index];
    struct mount_cgroup_result result;
    bool readonly = (mount->attr_set | mount->rec_set) & RDONLY;
    bool own = mounts->cgroup->count > 0;

    AUTO_FD int target = open_target (mount, index, root, false, NULL, err);
    if (target < 0)
        return -1;
    if (mounts->userns && mounts->cgroup->count == 0)
        return apply_host_cgroups (mounts, index, root, target, err);
    int failed = mount_cgroup_apply (mount, own ? mounts->cgroup : &mounts->callers_cgroup, root,
                                     target, &result, err);
    if (!failed && !own)
        failed = close_cgroups (&result, err);
    for (unsigned int i = 0; i < result.below_count; i++) {
        if (readonly && !failed)
            mounts->readonly[mounts->readonly_count++] =
                (struct mounts_readonly){.fd = result.below[i], .index = index};
        else
            (void)close (result.below[i]);
    }
    AUTO_FD int top = result.top;
    if (failed)
        return error_at (err, "/mounts/%zu", index);
    return finish (mounts, index, &top, true, err);
}

/* Makes and attaches. -1 with errno, and what the file system said about it. */
static int make_new (const struct oci_mount *mount, const char *data, int target, int root,
                     struct mountfd *made, char *message, size_t size, struct error *err)
{
    /* Only a disk may insist on a read-only superblock; for the others the mount's own flag says it
     * all, and can be set when everything below is made. */
    bool disk = mount->source && mount->source[0] == '/';
    unsigned long sb = mount->sb_set & ~(disk ? 0 : (unsigned long)MS_RDONLY);

    if (mountfd_make (made, mount->type, mount->source, data, sb, mount->attr_set & ~RDONLY,
                      message, size) < 0)
        return -1;
    if (mount->tmpcopyup && mount_tmpfs_copy_up (made, target, err) < 0)
        return -1;
    return mountfd_attach (made, target, root, mount->destination);
}

/*
 * In a user namespace the kernel refuses three things that documents ask for all the same:
 *   - a new sysfs, where the network namespace belongs to somebody else: the host's /sys takes its
 * place, without its cgroups (UID-18, MNT-57);
 *   - a new proc, where the pid namespace is the host's: the host's /proc shows the same (MNT-56);
 *   - devpts with a group that is not mapped: it goes without (MNT-59).
 * 1 where that was done, with *attr_done false where the flags are still to be set.
 */
static int make_instead (const struct mounts *mounts, const struct oci_mount *mount, char *data,
                         int target, int root, struct mountfd *made, int errnum, bool *attr_done,
                         struct error *err)
{
    bool proc = is_type (mount, "proc") && !oci_config_namespace (mounts->config, CLONE_NEWPID);

    mountfd_close (made);
    *made = (struct mountfd)MOUNTFD_INIT;
    if (errnum == EPERM && is_type (mount, "sysfs")) {
        *attr_done = false;
        return mountfd_bind (made, AT_FDCWD, "/sys", MOUNTFD_RECURSIVE) == 0 &&
               mountfd_attach (made, target, root, mount->destination) == 0 &&
               (!(mount->attr_set & RDONLY) ||
                mount_sysfs_close (made->fd, mount, root, err) == 0) &&
               mount_sysfs_cover_cgroups (mount, root, err) == 0;
    }
    if (errnum == EPERM && proc) {
        *attr_done = false;
        return mountfd_bind (made, AT_FDCWD, "/proc", MOUNTFD_RECURSIVE) == 0 &&
               mountfd_attach (made, target, root, mount->destination) == 0;
    }
    if (errnum == EINVAL && is_type (mount, "devpts") && mount_tmpfs_drop_word (data, "gid=")) {
        log_debug ("mounts: the group of devpts is not mapped, and was left out");
        return make_new (mount, data, target, root, made, NULL, 0, err) == 0;
    }
    return 0;
}

static int apply_new (struct mounts *mounts, size_t index, int root, struct error *err)
{
    const struct oci_mount *mount = &mounts->config->mounts.items[index];
    const char *label = mounts->config->linux.mount_label;
    AUTO_MOUNTFD struct mountfd made = MOUNTFD_INIT;
    AUTO_FREE char *data = NULL;
    char message[256];
    bool attr_done = true;
    bool target_is_new;

    AUTO_FD int target = open_target (mount, index, root, false, &target_is_new, err);
    if (target < 0)
        return -1;
    data = mount_tmpfs_data (mount, target_is_new ? -1 : target, label,
                             oci_annotation (mounts->config, OCI_ANNOTATION_MOUNT_CONTEXT_TYPE));
    struct mountfd *brought = &mounts->sources[index];
    if (brought->fd >= 0) {
        made = *brought;
        *brought = (struct mountfd)MOUNTFD_INIT;
        if (mountfd_attach (&made, target, root, mount->destination) < 0)
            return mount_error (mount, index, errno, NULL, err);
    } else if (make_new (mount, data, target, root, &made, message, sizeof (message), err) < 0) {
        int saved = errno;
        if (error_is_set (err))
            return error_at (err, "/mounts/%zu", index);
        if (!mounts->userns ||
            !make_instead (mounts, mount, data, target, root, &made, saved, &attr_done, err))
            return error_is_set (err) ? error_at (err, "/mounts/%zu", index)
                                      : mount_error (mount, index, saved, message, err);
    }
    if (mount_tmpfs_set_label (mount, &made, label) < 0) {
        error_set (err, "RT-MOUNT-LABEL", errno, "cannot give \"%s\" the label \"%s\"",
                   mount->destination, label);
        return error_at (err, "/mounts/%zu", index);
    }
    return finish (mounts, index, &made.fd, attr_done, err);
}

static int apply_remount (const struct oci_mount *mount, size_t index, int root, struct error *err)
{
    AUTO_FD int target = inroot_open (root, mount->destination, O_PATH);

    if (target < 0 || mountfd_setattr (target, mount->attr_set, mount->attr_clear, false) < 0 ||
        mountfd_setattr (target, mount->rec_set, mount->rec_clear, true) < 0)
        return mount_error (mount, index, errno, "cannot remount", err);
    if (mount->data || mount->sb_set || mount->sb_clear)
        if (mountfd_reconfigure (target, mount->data, mount->sb_set) < 0)
            return mount_error (mount, index, errno, "cannot reconfigure the file system", err);
    return 0;
}

int mounts_apply (struct mounts *mounts, int root, struct error *err)
{
    for (size_t i = 0; i < mounts->config->mounts.count; i++) {
        const struct oci_mount *mount = &mounts->config->mounts.items[i];
        int failed;

        if (mount->remount)
            failed = apply_remount (mount, i, root, err);
        else if (mount->bind)
            failed = apply_bind (mounts, i, root, err);
        else if (is_type (mount, "cgroup"))
            failed = apply_cgroup (mounts, i, root, err);
        else
            failed = apply_new (mounts, i, root, err);
        if (failed)
            return -1;
    }
    return 0;
}

int mounts_apply_readonly (struct mounts *mounts, struct error *err)
{
    for (size_t i = 0; i < mounts->readonly_count; i++) {
        const struct mounts_readonly *late = &mounts->readonly[i];
        const struct oci_mount *mount = &mounts->config->mounts.items[late->index];
        if (mountfd_setattr (late->fd, RDONLY, 0, late->recursive) < 0)
            return mount_error (mount, late->index, errno, "cannot make it read-only", err);
    }
    return 0;
}

void mounts_release (struct mounts *mounts)
{
    for (size_t i = 0; mounts->sources && i < mounts->config->mounts.count; i++)
        mountfd_close (&mounts->sources[i]);
    for (size_t i = 0; i < mounts->readonly_count; i++)
        drop_fd (&mounts->readonly[i].fd);
    mounts->readonly_count = 0;
}
