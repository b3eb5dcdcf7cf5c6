/* SPDX-License-Identifier: Apache-2.0 */
/* external: see external.h. */
#include "lifecycle/external.h"

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/text.h"
#include "container/devices.h"
#include "container/mount_bind.h"
#include "container/mount_cgroup.h"
#include "kernel/inroot.h"
#include "kernel/ns.h"
#include "kernel/opener.h"
#include "kernel/procfd.h"
#include "oci-spec/names.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/mount.h>
#include <sched.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define NULL_DEVICE "/dev/null"

#define MOUNTINFO_MAX (64u << 20)

/* Namespaces that were joined: how they are named, or that they cannot be. */
static const struct {
    int type;
    const char *file;     /* in /proc/PID/ns */
    const char *inherits; /* the name of what is inherited at the restore */
    bool joins;           /* CRIU goes in by the path */
} kinds[] = {
    {CLONE_NEWNET, "net", "extRootNetNS", false},
    {CLONE_NEWPID, "pid", "extRootPidNS", false},
    {CLONE_NEWIPC, "ipc", NULL, true},
    {CLONE_NEWUTS, "uts", NULL, true},
    {CLONE_NEWTIME, "time", NULL, true},
};

/* "mnt[KEY]:VALUE": at a dump what is mounted at KEY is named VALUE, at a restore what is named KEY
 * is at VALUE now. */
static void add_external (struct arena *arena, struct criu_options *options, const char *name)
{
    size_t count = options->externals.count;

    if ((count & (count - 1)) == 0) { /* full: a power of two */
        const char **more = arena_array (arena, count ? 2 * count : 8, sizeof (*more));
        if (count > 0)
            memcpy (more, options->externals.items, count * sizeof (*more));
        options->externals.items = more;
    }
    options->externals.items[options->externals.count++] = name;
}

static void add_inherited (struct criu_options *options, const char *key, int fd)
{
    options->inherited.items[options->inherited.count++] = (struct criu_pair){.key = key, .fd = fd};
}

static void make_room (const struct oci_config *config, struct arena *arena,
                       struct criu_options *options)
{
    size_t count = config->linux.namespaces.count + 3;

    options->inherited.items = arena_array (arena, count, sizeof (struct criu_pair));
    options->joined.items = arena_array (arena, count, sizeof (struct criu_pair));
}

/* A bind of something that lies in the root file system itself is a part of it. */
static bool is_outside (const struct external *external, const struct oci_mount *mount,
                        char source[PATH_MAX])
{
    struct error ignored;

    return mount->bind && !mount->remount &&
           mount_bind_path (mount, external->bundle, source, &ignored) == 0 &&
           !mount_bind_below (source, external->rootfs_path);
}

/* Where a path of the container leads, as its own mount table says. NULL with errno. */
static const char *resolve (struct arena *arena, int root, const char *path, int flags)
{
    AUTO_FD int fd = inroot_open (root, path, O_PATH | flags);
    char link[32];
    char target[PATH_MAX];

    if (fd < 0)
        return NULL;
    (void)snprintf (link, sizeof (link), "self/fd/%d", fd);
    return procfd_link (link, target, sizeof (target)) < 0 ? NULL : arena_string (arena, target);
}

/* The next mount's point, as the table shows it, without its escapes. NULL at the end. */
static const char *next_point (const char **line, struct arena *arena)
{
    int begin = 0;
    int end = 0;

    if (sscanf (*line, "%*u %*u %*s %*s %n%*s%n", &begin, &end) < 0 || end == 0)
        return NULL;
    char *point = arena_copy (arena, *line + begin, (size_t)(end - begin));
    char *to = point;
    for (const char *from = point; *from; from++) {
        unsigned int byte;
        if (*from == '\\' && sscanf (from + 1, "%3o", &byte) == 1) {
            *to++ = (char)byte;
            from += 3;
        } else
            *to++ = *from;
    }
    *to = '\0';
    *line += strcspn (*line, "\n");
    *line += **line == '\n';
    return point;
}

static char *read_mountinfo (pid_t pid, struct error *err)
{
    char path[32];
    size_t length;

    (void)snprintf (path, sizeof (path), "%d/mountinfo", pid);
    AUTO_FD int fd = procfd_open (path, O_RDONLY);
    if (fd < 0) {
        error_set (err, "RT-CRIU-MOUNT", errno, "cannot read /proc/%s", path);
        return NULL;
    }
    return fd_read_all (fd, MOUNTINFO_MAX, &length, "mountinfo", err);
}

static bool is_destination (const struct oci_config *config, const char *path)
{
    for (size_t i = 0; i < config->mounts.count; i++)
        if (text_equal (config->mounts.items[i].destination, path))
            return true;
    return false;
}

/* What was mounted below the source of a recursive bind: a name of its own for each, its place
 * below the destination. `seen`: where the bind, or its source, is in this table of mounts. */
static void add_submounts (const struct external *external, const struct oci_mount *mount,
                           const char *seen, bool of_dump, const char *mountinfo,
                           struct arena *arena, struct criu_options *options)
{
    const char *point;

    if (!mount->recursive)
        return;
    while ((point = next_point (&mountinfo, arena)) != NULL) {
        const char *rest = mount_bind_below (point, seen);
        if (!rest || rest[strspn (rest, "/")] == '\0')
            continue;
        const char *name =
            arena_printf (arena, "%s/%s", mount->destination, rest + strspn (rest, "/"));
        if (is_destination (external->config, name))
            continue;
        add_external (arena, options,
                      of_dump ? arena_printf (arena, "mnt[%s]:%s", point, name)
                              : arena_printf (arena, "mnt[%s]:%s", name, point));
    }
}

/* The directories of the container's own cgroups, in each mount that shows them. */
static void add_cgroups (const struct external *external, const struct oci_mount *mount,
                         const char *point, bool of_dump, struct arena *arena,
                         struct criu_options *options)
{
    for (size_t i = 0; i < external->cgroup->count; i++) {
        const char *below = mount_cgroup_name (external->cgroup, i);
        const char *name =
            below ? arena_printf (arena, "%s/%s", mount->destination, below) : mount->destination;
        const char *at = below ? arena_printf (arena, "%s/%s", point, below) : point;
        add_external (
            arena, options,
            of_dump ? arena_printf (arena, "mnt[%s]:%s", at, name)
                    : arena_printf (arena, "mnt[%s]:%s", name, external->cgroup->items[i].value));
    }
}

static bool shows_cgroups (const struct oci_mount *mount)
{
    return !mount->bind && mount->type && text_equal (mount->type, "cgroup");
}

static int dump_mounts (const struct external *external, int root, const char *mountinfo,
                        struct arena *arena, struct criu_options *options, struct error *err)
{
    char source[PATH_MAX];

    for (size_t i = 0; i < external->config->mounts.count; i++) {
        const struct oci_mount *mount = &external->config->mounts.items[i];
        if (!is_outside (external, mount, source) && !shows_cgroups (mount))
            continue;
        const char *point =
            resolve (arena, root, mount->destination, mount->dest_nofollow ? O_NOFOLLOW : 0);
        if (!point) {
            error_set (err, "RT-CRIU-MOUNT", errno, "cannot find the mount at %s of the container",
                       mount->destination);
            return error_at (err, "/mounts/%zu/destination", i);
        }
        if (shows_cgroups (mount)) {
            add_cgroups (external, mount, point, true, arena, options);
            continue;
        }
        add_external (arena, options,
                      arena_printf (arena, "mnt[%s]:%s", point, mount->destination));
        add_submounts (external, mount, point, true, mountinfo, arena, options);
    }
    return 0;
}

static bool is_null (int root, const char *path)
{
    AUTO_FD int fd = inroot_open (root, path, O_PATH);
    struct stat st;

    return fd >= 0 && fstat (fd, &st) == 0 && S_ISCHR (st.st_mode) && st.st_rdev == makedev (1, 3);
}

static void dump_masks (const struct external *external, int root, struct arena *arena,
                        struct criu_options *options)
{
    const struct oci_strings *masked = &external->config->linux.masked_paths;

    for (size_t i = 0; i < masked->count; i++) {
        const char *point =
            is_null (root, masked->items[i]) ? resolve (arena, root, masked->items[i], 0) : NULL;
        if (point)
            add_external (arena, options,
                          arena_printf (arena, "mnt[%s]:%s", point, masked->items[i]));
    }
}

/* Of a node that was made, nothing is mounted there, and the name of no use. */
static void add_devices (const struct external *external, struct arena *arena,
                         struct criu_options *options)
{
    const struct oci_linux *linux = &external->config->linux;

    if (!external->device_binds)
        return;
    for (size_t i = 0; i < DEVICES_DEFAULT_COUNT; i++)
        add_external (
            arena, options,
            arena_printf (arena, "mnt[%s]:%s", devices_default[i].path, devices_default[i].path));
    for (size_t i = 0; i < linux->devices.count; i++)
        add_external (arena, options,
                      arena_printf (arena, "mnt[%s]:%s", linux->devices.items[i].path,
                                    linux->devices.items[i].path));
}

static int find_kind (const struct oci_config *config, size_t index, size_t *kind,
                      struct error *err)
{
    const struct oci_namespace *ns = &config->linux.namespaces.items[index];

    for (*kind = 0; *kind < sizeof (kinds) / sizeof (kinds[0]); ++*kind)
        if (kinds[*kind].type == ns->type)
            return 0;
    error_set (err, "RT-CRIU-NAMESPACE", 0,
               "CRIU cannot restore a container in the %s namespace of somebody else",
               oci_names_of (&oci_namespaces, (uint64_t)ns->type));
    return error_at (err, "/linux/namespaces/%zu/path", index);
}

/* "net[4026532451]:extRootNetNS" */
static int dump_namespaces (const struct external *external, pid_t pid, struct arena *arena,
                            struct criu_options *options, struct error *err)
{
    const struct oci_config *config = external->config;

    for (size_t i = 0; i < config->linux.namespaces.count; i++) {
        char path[48];
        char link[64];
        size_t kind;
        if (!config->linux.namespaces.items[i].path)
            continue;
        if (find_kind (config, i, &kind, err) < 0)
            return -1;
        if (!kinds[kind].inherits)
            continue;
        (void)snprintf (path, sizeof (path), "%d/ns/%s", pid, kinds[kind].file);
        if (procfd_link (path, link, sizeof (link)) < 0)
            return error_set (err, "RT-CRIU-NAMESPACE", errno, "cannot read /proc/%s", path);
        const char *inode = strchr (link, '[');
        if (inode)
            add_external (
                arena, options,
                arena_printf (arena, "%s%s:%s", kinds[kind].file, inode, kinds[kind].inherits));
    }
    return 0;
}

static int mount_of (pid_t pid, int fd, uint64_t *id)
{
    char path[48];

    (void)snprintf (path, sizeof (path), "%d/fdinfo/%d", pid, fd);
    return procfd_mount (path, id);
}

static bool has_mount (const char *mountinfo, uint64_t id)
{
    for (const char *line = mountinfo; *line; line += strcspn (line, "\n"), line += *line == '\n') {
        unsigned int found;
        if (sscanf (line, "%u ", &found) == 1 && found == id)
            return true;
    }
    return false;
}

static const char *name_stream (pid_t pid, int fd, const char *mountinfo, struct arena *arena)
{
    char path[48];
    char link[PATH_MAX];
    struct stat st;
    uint64_t mount;

    (void)snprintf (path, sizeof (path), "%d/fd/%d", pid, fd);
    if (procfd_link (path, link, sizeof (link)) < 0)
        return ""; /* it has closed it */
    if (link[0] != '/' || mount_of (pid, fd, &mount) < 0 || has_mount (mountinfo, mount) ||
        fstatat (procfd_root (), path, &st, 0) < 0 || !S_ISREG (st.st_mode))
        return arena_string (arena, link);
    return arena_printf (arena, "file[%x:%lx]", (unsigned int)mount, (unsigned long)st.st_ino);
}

/* CRIU looks for "mnt[PLACE]:" at the beginning of a name, and takes the rest for the value. A
 * place of the image that has these letters in it names another one, with a value of the image's
 * choice (CVE-2026-119101, -115520). */
static int check_names (const struct criu_options *options, struct error *err)
{
    for (size_t i = 0; i < options->externals.count; i++) {
        const char *name = options->externals.items[i];
        const char *end = strstr (name, "]:");
        if (!text_starts_with (name, "mnt[") || (end && !strstr (end + 1, "]:")))
            continue;
        return error_set (err, "RT-CRIU-MOUNT", 0,
                          "criu cannot be told of a mount with \"]:\" in its path: %s", name);
    }
    return 0;
}

int external_of_dump (const struct external *external, pid_t pid, int root, struct arena *arena,
                      struct criu_options *options, const char *streams[3], struct error *err)
{
    AUTO_FREE char *mountinfo = read_mountinfo (pid, err);

    make_room (external->config, arena, options);
    if (!mountinfo || dump_mounts (external, root, mountinfo, arena, options, err) < 0 ||
        dump_namespaces (external, pid, arena, options, err) < 0)
        return -1;
    dump_masks (external, root, arena, options);
    add_devices (external, arena, options);
    for (int i = 0; i < 3; i++) {
        streams[i] = name_stream (pid, i, mountinfo, arena);
        if (text_starts_with (streams[i], "file["))
            add_external (arena, options, streams[i]);
    }
    return check_names (options, err);
}

static int restore_namespaces (const struct external *external, struct criu_options *options,
                               struct error *err)
{
    const struct oci_config *config = external->config;

    for (size_t i = 0; i < config->linux.namespaces.count; i++) {
        const char *path = config->linux.namespaces.items[i].path;
        size_t kind;
        if (!path)
            continue;
        if (find_kind (config, i, &kind, err) < 0)
            return -1;
        if (kinds[kind].joins) {
            options->joined.items[options->joined.count++] =
                (struct criu_pair){.key = kinds[kind].file, .value = path};
            continue;
        }
        int fd = ns_open (path);
        if (fd < 0) {
            error_set (err, "RT-NS-OPEN", errno, "cannot open the namespace %s", path);
            return error_at (err, "/linux/namespaces/%zu/path", i);
        }
        add_inherited (options, kinds[kind].inherits, fd);
    }
    return 0;
}

int external_of_restore (const struct external *external, const char *const streams[3],
                         struct arena *arena, struct criu_options *options, struct error *err)
{
    const struct oci_config *config = external->config;
    const struct oci_strings *masked = &config->linux.masked_paths;
    AUTO_FREE char *mountinfo = read_mountinfo (getpid (), err);
    char source[PATH_MAX];

    if (!mountinfo)
        return -1;
    make_room (config, arena, options);
    for (size_t i = 0; i < config->mounts.count; i++) {
        const struct oci_mount *mount = &config->mounts.items[i];
        if (shows_cgroups (mount))
            add_cgroups (external, mount, NULL, false, arena, options);
        if (!is_outside (external, mount, source))
            continue;
        add_external (arena, options,
                      arena_printf (arena, "mnt[%s]:%s", mount->destination, source));
        add_submounts (external, mount, source, false, mountinfo, arena, options);
    }
    for (size_t i = 0; i < masked->count; i++)
        add_external (arena, options,
                      arena_printf (arena, "mnt[%s]:%s", masked->items[i], NULL_DEVICE));
    add_devices (external, arena, options);
    for (int i = 0; i < 3; i++) {
        bool again = (i > 0 && text_equal (streams[i], streams[0])) ||
                     (i > 1 && text_equal (streams[i], streams[1]));
        if (!again &&
            (text_starts_with (streams[i], "pipe:") || text_starts_with (streams[i], "file[")))
            add_inherited (options, streams[i], i);
    }
    return check_names (options, err) < 0 ? -1 : restore_namespaces (external, options, err);
}

/* The mount of the document that an earlier one of its paths lies below, the last of them: what
 * shows there is that mount's. NULL: the root file system. *rest: the path below it. */
static const struct oci_mount *find_cover (const struct oci_config *config, size_t index,
                                           const char **rest)
{
    const char *path = config->mounts.items[index].destination;
    const struct oci_mount *cover = NULL;

    *rest = path;
    for (size_t i = 0; i < index; i++) {
        const struct oci_mount *above = &config->mounts.items[i];
        const char *below = above->remount ? NULL : mount_bind_below (path, above->destination);
        if (!below)
            continue;
        cover = above;
        *rest = below;
    }
    return cover;
}

/* Where a mount point is to be made, below `rootfs` or in the source of the bind that covers it. -1
 * with errno; 0 there: nothing has to be made. A tmpfs comes back with what was in it, and in a
 * volume that is read-only for the container nothing is made for it. */
static int open_place (const struct external *external, int rootfs, size_t index, const char **rest)
{
    const struct oci_mount *cover = find_cover (external->config, index, rest);
    const struct oci_mount *mount = &external->config->mounts.items[index];
    char source[PATH_MAX];

    errno = 0;
    if (cover && is_outside (external, cover, source))
        return ((cover->attr_set | cover->rec_set) & MOUNT_ATTR_RDONLY)
                   ? -1
                   : open (source, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (cover && !cover->bind)
        return -1;
    *rest = mount->destination;
    return fcntl (rootfs, F_DUPFD_CLOEXEC, 0);
}

static int make_point (const struct external *external, int rootfs, size_t index, struct error *err)
{
    const struct oci_mount *mount = &external->config->mounts.items[index];
    char source[PATH_MAX];
    struct stat st;
    const char *rest;

    AUTO_FD int place = open_place (external, rootfs, index, &rest);
    if (place < 0 && errno == 0)
        return 0;
    bool file =
        is_outside (external, mount, source) && stat (source, &st) == 0 && !S_ISDIR (st.st_mode);
    AUTO_FD int made = place < 0 ? -1
                       : file    ? inroot_make_file (place, rest, 0644)
                                 : inroot_make_dir (place, rest, 0755, NULL);
    if (made >= 0)
        return 0;
    error_set (err, "RT-CRIU-MOUNT", errno, "cannot make the mount point %s", mount->destination);
    return error_at (err, "/mounts/%zu/destination", index);
}

/* CRIU opens them, too. */
static int ask (const struct external *external, struct error *err)
{
    const struct oci_config *config = external->config;
    char source[PATH_MAX];

    if (opener_ask (external->rootfs_path, O_DIRECTORY, err) < 0)
        return error_at (err, "/root/path");
    for (size_t i = 0; i < config->mounts.count; i++)
        if (is_outside (external, &config->mounts.items[i], source) &&
            opener_ask (source, 0, err) < 0)
            return error_at (err, "/mounts/%zu/source", i);
    return 0;
}

int external_mount_points (const struct external *external, struct error *err)
{
    const struct oci_config *config = external->config;

    if (ask (external, err) < 0)
        return -1;
    AUTO_FD int root = open (external->rootfs_path, O_PATH | O_DIRECTORY | O_CLOEXEC);

    if (root < 0) {
        error_set (err, "RT-ROOTFS", errno, "cannot open the root file system %s",
                   external->rootfs_path);
        return error_at (err, "/root/path");
    }
    /* Where CRIU puts the old root while it changes to this one, which may be read-only then. */
    AUTO_FD int tmp = inroot_make_dir (root, "/tmp", 01777, NULL);
    if (tmp < 0)
        return error_set (err, "RT-CRIU-MOUNT", errno, "cannot make /tmp");
    for (size_t i = 0; i < config->mounts.count; i++)
        if (!config->mounts.items[i].remount && make_point (external, root, i, err) < 0)
            return -1;
    return 0;
}
