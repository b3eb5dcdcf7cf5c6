/* SPDX-License-Identifier: Apache-2.0 */
/* mounts: see mounts.h. */
#include "container/mounts.h"

#include "base/cleanup.h"
#include "base/log.h"
#include "container/mount_bind.h"
#include "container/mount_cgroup.h"
#include "container/mount_error.h"
#include "container/mount_idmapped.h"
#include "container/mount_sysfs.h"
#include "container/mount_target.h"
#include "container/mount_tmpfs.h"
#include "kernel/inroot.h"
#include "kernel/ns.h"
#include "kernel/procfd.h"
#include "oci-spec/annotations.h"
#include "oci-spec/mount_options.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/mount.h>
#include <sched.h>
#include <string.h>
#include <sys/stat.h>

#define RDONLY ((uint64_t)MOUNT_ATTR_RDONLY)

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

/* What the inside opens: a process of the container that is held could not be taken away. */
static int ask_source (const struct mounts *mounts, size_t index, struct error *err)
{
    const struct oci_mount *mount = &mounts->config->mounts.items[index];
    char path[PATH_MAX];

    if (mount_bind_path (mount, mounts->bundle, path, err) < 0)
        return error_at (err, "/mounts/%zu/source", index);
    if (mount_bind_below (path, mounts->rootfs_path))
        return 0;
    return mount_bind_ask (mount, path, err) < 0 ? error_at (err, "/mounts/%zu/source", index) : 0;
}

/* Ids can be mapped, and what the container's root cannot reach opened, only from outside. */
static int prepare_source (struct mounts *mounts, size_t index, struct error *err)
{
    const struct oci_mount *mount = &mounts->config->mounts.items[index];
    struct mountfd *source = &mounts->sources[index];
    bool idmapped = mount->idmap != OCI_IDMAP_NONE;
    bool shared = reaches_host (mounts, mount);
    char path[PATH_MAX];

    if (mount->remount)
        return 0;
    if (!(mounts->userns || idmapped || shared))
        return mount->bind ? ask_source (mounts, index, err) : 0;
    if (!mount->bind)
        return idmapped ? mount_error (mount, index, 0, "only bind mounts can be id-mapped", err)
                        : 0;
    if (mount_bind_path (mount, mounts->bundle, path, err) < 0)
        return error_at (err, "/mounts/%zu/source", index);
    bool below = mount_bind_below (path, mounts->rootfs_path) != NULL;
    if (idmapped) {
        mounts->mappings[index] = mount_idmapped_open (mount, index, &mounts->config->linux, err);
        if (mounts->mappings[index] < 0)
            return -1;
    }
    /* An earlier mount may be what is there. */
    if (below)
        return 0;
    if (mount_bind_open_outside (mount, path, shared ? 0 : mounts->propagation, source, err) < 0)
        return error_at (err, "/mounts/%zu/source", index);
    if (idmapped)
        return mountfd_idmap (source, mounts->mappings[index], mount->idmap == OCI_RIDMAP) < 0
                   ? mount_idmapped_failed (mount, index, errno, err)
                   : 0;
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
        if (mount_is_type (&config->mounts.items[i], "cgroup"))
            return true;
    return false;
}

/* The queues of the host are no container's that cannot even mount them. */
static int check_queues (const struct mounts *mounts, size_t index, struct error *err)
{
    const struct oci_mount *mount = &mounts->config->mounts.items[index];
    const struct oci_namespace *ipc = oci_config_namespace (mounts->config, CLONE_NEWIPC);

    if (!mount_is_type (mount, "mqueue") || mount->remount ||
        !oci_config_namespace (mounts->config, CLONE_NEWUSER))
        return 0;
    int hosts = !ipc ? 1 : (ipc->path ? ns_is_own (ipc->path, "ipc") : 0);
    if (hosts < 0)
        return mount_error (mount, index, errno, "cannot see which ipc namespace it shows", err);
    if (!hosts)
        return 0;
    mount_error (mount, index, EPERM, "the ipc namespace, and with it the queues, are the host's",
                 err);
    return error_hint (err, "in a user namespace it needs an ipc namespace of the container's");
}

/* Those whose source lies below the root are copied by the inside. */
static int begin_idmapper (struct mounts *mounts, struct error *err)
{
    unsigned int left = 0;

    for (size_t i = 0; i < mounts->config->mounts.count; i++)
        left += mounts->mappings[i] >= 0 && mounts->sources[i].fd < 0;
    if (left == 0 || idmapper_begin (&mounts->idmapper, left) == 0)
        return 0;
    return error_set (err, "RT-MOUNT-IDMAP", errno, "cannot begin the process that maps ids");
}

int mounts_prepare (struct mounts *mounts, struct arena *arena, struct error *err)
{
    size_t count = mounts->config->mounts.count;

    mounts->sources = arena_array (arena, count + 1, sizeof (struct mountfd));
    mounts->mappings = arena_array (arena, count + 1, sizeof (*mounts->mappings));
    mounts->idmapper = (struct idmapper)IDMAPPER_INIT;
    for (size_t i = 0; i < count; i++) {
        mounts->sources[i].fd = -1;
        mounts->mappings[i] = -1;
    }
    mounts->readonly = arena_array (arena, count + 1, sizeof (struct mounts_readonly));
    mounts->own.items = arena_array (arena, count + 1, sizeof (*mounts->own.items));
    for (size_t i = 0; i < count; i++)
        if (check_queues (mounts, i, err) < 0 || prepare_source (mounts, i, err) < 0)
            return -1;
    return begin_idmapper (mounts, err);
}

int mounts_prepare_mqueue (struct mounts *mounts, struct error *err)
{
    for (size_t i = 0; i < mounts->config->mounts.count; i++) {
        const struct oci_mount *mount = &mounts->config->mounts.items[i];
        struct mountfd *made = &mounts->sources[i];
        if (!mount_is_type (mount, "mqueue") || mount->remount)
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

/* Rt makes things in it when all mounts are there, and they are the container's alone. */
static bool is_scratch (const struct oci_mount *mount)
{
    return mount_is_type (mount, "tmpfs") || mount_is_type (mount, "ramfs") ||
           mount_is_type (mount, "devpts");
}

static int note_own (struct mounts *mounts, int fd, struct error *err)
{
    uint64_t id;

    if (mountfd_id (fd, &id) < 0)
        return error_set (err, "RT-MOUNT", errno, "cannot see the id of a mount");
    mounts->own.items[mounts->own.count++] = id;
    return 0;
}

enum { FLAGS_DONE = 1, READONLY_LATE = 2 };

/* Flags and propagation; read-only is noted for the end where `how` says so. Owns *fd then. */
static int finish (struct mounts *mounts, size_t index, int *fd, int how, struct error *err)
{
    const struct oci_mount *mount = &mounts->config->mounts.items[index];
    bool readonly = (mount->attr_set | mount->rec_set) & RDONLY;
    uint64_t now = how & READONLY_LATE ? ~RDONLY : ~(uint64_t)0;
    uint64_t left = how & FLAGS_DONE ? RDONLY : ~(uint64_t)0;

    if (mountfd_setattr (*fd, mount->attr_set & now & left,
                         how & FLAGS_DONE ? 0 : mount->attr_clear, false) < 0) {
        mount_error (mount, index, errno, "cannot set its flags", err);
        return errno == EPERM
                   ? error_hint (err, "a flag that the source has is locked in this user "
                                      "namespace and cannot be cleared")
                   : -1;
    }
    if (mountfd_setattr (*fd, mount->rec_set & now, mount->rec_clear, true) < 0) {
        mount_error (mount, index, errno, "cannot set its recursive flags", err);
        return errno == ENOSYS ? error_hint (err, "recursive flags need mount_setattr, Linux 5.12")
                               : -1;
    }
    for (size_t i = 0; i < mount->propagation.count; i++)
        if (mountfd_propagate (*fd, mount->propagation.items[i]) < 0)
            return mount_error (mount, index, errno, "cannot set its propagation", err);
    if (readonly && (how & READONLY_LATE))
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
        if (mounts->mappings[index] >= 0 &&
            idmapper_map (&mounts->idmapper, &copy, mounts->mappings[index],
                          mount->idmap == OCI_RIDMAP) < 0)
            return mount_idmapped_failed (mount, index, errno, err);
    }
    if (fstat (copy.fd, &st) < 0)
        return mount_error (mount, index, errno, "cannot stat the source", err);

    struct mount_target place = {.file = !S_ISDIR (st.st_mode),
                                 .real_proc = procfd_is_procfs_root (copy.fd) == 1};
    AUTO_FD int target = mount_target_open (mount, index, root, &place, err);
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
    return finish (mounts, index, &copy.fd, 0, err);
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

/* With all that is mounted below its top. */
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

    struct mount_target place = {0};
    AUTO_FD int target = mount_target_open (mount, index, root, &place, err);
    if (target < 0)
        return -1;
    if (mounts->userns && mounts->cgroup->count == 0)
        return apply_host_cgroups (mounts, index, root, target, err);
    int failed = mount_cgroup_apply (mount, own ? mounts->cgroup : &mounts->callers_cgroup, root,
                                     target, &result, err);
    /* Cgroups that are not the container's own are never its to write to. */
    if (!failed && (readonly || !own))
        failed = close_cgroups (&result, err);
    for (unsigned int i = 0; i < result.below_count; i++)
        (void)close (result.below[i]);
    AUTO_FD int top = result.top;
    if (failed)
        return error_at (err, "/mounts/%zu", index);
    return finish (mounts, index, &top, FLAGS_DONE, err);
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

/* The options that a bind in the place of the mount would leave out; NULL: there are none. */
static const char *lost_options (const struct oci_mount *mount)
{
    const unsigned long kept = MS_RDONLY | MS_SILENT | MS_I_VERSION;

    if (mount->data)
        return mount->data;
    return mount->sb_set & ~kept ? "an option of the file system" : NULL;
}

static int bind_hosts (const struct oci_mount *mount, size_t index, const char *path,
                       const char *namespace, int target, int root, struct mountfd *made,
                       struct error *err)
{
    const char *lost = lost_options (mount);

    mountfd_close (made);
    *made = (struct mountfd)MOUNTFD_INIT;
    if (lost) {
        mount_error (mount, index, EPERM, "the kernel lets no user namespace make it", err);
        return error_hint (err,
                           "the host's can be bound in its place, but \"%.60s\" has no effect on "
                           "it: leave that out, or give the container a %s namespace",
                           lost, namespace);
    }
    if (mountfd_bind (made, AT_FDCWD, path, MOUNTFD_RECURSIVE) < 0 ||
        mountfd_attach (made, target, root, mount->destination) < 0)
        return mount_error (mount, index, errno, "cannot bind the host's in its place", err);
    return 0;
}

/*
 * In a user namespace the kernel refuses two things that documents ask for all the same:
 *   - a new sysfs, where the network namespace belongs to another user namespace: the host's /sys
 * takes its place, without its cgroups (UID-18, MNT-57);
 *   - a new proc, where the pid namespace is the host's: the host's /proc shows the same (MNT-56).
 * 1 where that was done, 0 where it is no such mount, -1.
 */
static int make_instead (const struct mounts *mounts, size_t index, int target, int root,
                         struct mountfd *made, int errnum, struct error *err)
{
    const struct oci_mount *mount = &mounts->config->mounts.items[index];

    if (!mounts->userns || errnum != EPERM)
        return 0;
    if (mount_is_type (mount, "proc") && !oci_config_namespace (mounts->config, CLONE_NEWPID))
        return bind_hosts (mount, index, "/proc", "pid", target, root, made, err) < 0 ? -1 : 1;
    if (!mount_is_type (mount, "sysfs"))
        return 0;
    if (bind_hosts (mount, index, "/sys", "network", target, root, made, err) < 0)
        return -1;
    if ((mount->attr_set & RDONLY) && mount_sysfs_close (made->fd, mount, root, err) < 0)
        return error_at (err, "/mounts/%zu", index);
    return mount_sysfs_cover_cgroups (mount, root, err) < 0 ? error_at (err, "/mounts/%zu", index)
                                                            : 1;
}

/* The kernel has refused it. */
static int cannot_make_new (const struct mounts *mounts, size_t index, int errnum,
                            const char *message, struct error *err)
{
    const struct oci_mount *mount = &mounts->config->mounts.items[index];

    mount_error (mount, index, errnum, message, err);
    if (errnum == EINVAL && mounts->userns && mount_options_find (mount, "gid="))
        return error_hint (err, "gid= takes only a group that the user namespace maps");
    return -1;
}

static int apply_new (struct mounts *mounts, size_t index, int root, struct error *err)
{
    const struct oci_mount *mount = &mounts->config->mounts.items[index];
    const char *label = mounts->config->linux.mount_label;
    AUTO_MOUNTFD struct mountfd made = MOUNTFD_INIT;
    AUTO_FREE char *data = NULL;
    char message[256];
    int bound = 0;
    made.pid_ns = mounts->pid_ns;
    struct mount_target place = {.real_proc = mount_is_type (mount, "proc")};

    AUTO_FD int target = mount_target_open (mount, index, root, &place, err);
    if (target < 0)
        return -1;
    data = mount_tmpfs_data (mount, place.made ? -1 : target, label,
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
        bound = make_instead (mounts, index, target, root, &made, saved, err);
        if (bound < 0)
            return -1;
        if (!bound)
            return cannot_make_new (mounts, index, saved, message, err);
    }
    if (mount_tmpfs_set_label (mount, &made, label) < 0) {
        error_set (err, "RT-MOUNT-LABEL", errno, "cannot give \"%s\" the label \"%s\"",
                   mount->destination, label);
        return error_at (err, "/mounts/%zu", index);
    }
    /* Each devtmpfs shows the nodes of the host. */
    if (!bound && !mount_is_type (mount, "devtmpfs") && note_own (mounts, made.fd, err) < 0)
        return error_at (err, "/mounts/%zu", index);
    return finish (mounts, index, &made.fd,
                   (bound ? 0 : FLAGS_DONE) | (is_scratch (mount) ? READONLY_LATE : 0), err);
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
    if (note_own (mounts, root, err) < 0)
        return -1;
    for (size_t i = 0; i < mounts->config->mounts.count; i++) {
        const struct oci_mount *mount = &mounts->config->mounts.items[i];
        int failed;

        if (mount->remount)
            failed = apply_remount (mount, i, root, err);
        else if (mount->bind)
            failed = apply_bind (mounts, i, root, err);
        else if (mount_is_type (mount, "cgroup"))
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
    if (!mounts->sources)
        return;
    for (size_t i = 0; i < mounts->config->mounts.count; i++) {
        mountfd_close (&mounts->sources[i]);
        drop_fd (&mounts->mappings[i]);
    }
    idmapper_end (&mounts->idmapper);
    for (size_t i = 0; i < mounts->readonly_count; i++)
        drop_fd (&mounts->readonly[i].fd);
    mounts->readonly_count = 0;
}
