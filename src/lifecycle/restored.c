/* SPDX-License-Identifier: Apache-2.0 */
/* restored: see restored.h. */
#include "lifecycle/restored.h"

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "kernel/descendants.h"
#include "kernel/inroot.h"
#include "kernel/ns.h"
#include "kernel/procfd.h"
#include "lifecycle/restored_view.h"
#include "lifecycle/verify.h"
#include "oci-spec/names.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#define STATUS_SIZE (1u << 20) /* of a process with 65536 groups */
#define HINT "these images are not of a container with this document"

/* A time namespace CRIU makes also where there was none. */
static bool is_compared (int type)
{
    return type != CLONE_NEWTIME;
}

/* By a process that may mount. */
static bool may_be_new (int type)
{
    return type == CLONE_NEWNS || type == CLONE_NEWNET;
}

/* What all threads are compared with. */
struct look {
    const struct restored *restored;
    struct arena *arena;
    char *status; /* STATUS_SIZE bytes */
    uint64_t
        own[VERIFY_NAMESPACES]; /* namespaces of rt; 0: not compared, or this kernel has none */
    uint64_t init[VERIFY_NAMESPACES];
    const struct restored_view *view; /* NULL: it has no mounts of its own */
};

__attribute__ ((format (printf, 3, 4))) static int
process_error (const char *pointer, struct error *err, const char *format, ...)
{
    char text[160];
    va_list arguments;

    va_start (arguments, format);
    (void)vsnprintf (text, sizeof (text), format, arguments);
    va_end (arguments);
    error_set (err, "RT-RESTORE-RIGHTS", 0, "a restored process %s", text);
    error_at (err, "%s", pointer);
    return error_hint (err, HINT);
}

static int unreadable (const char *path, struct error *err)
{
    return error_set (err, "RT-RESTORE-RIGHTS", errno, "cannot read /proc/%s", path);
}

/* "ipc:[4026531839]" of /proc/PATH/ns/ipc. */
static int read_namespace (const char *path, const char *file, uint64_t *inode, struct error *err)
{
    char name[96];
    char link[64];

    *inode = 0;
    (void)snprintf (name, sizeof (name), "%s/ns/%s", path, file);
    if (procfd_link (name, link, sizeof (link)) < 0)
        return errno == ENOENT && text_equal (path, "self") ? 0 : unreadable (name, err);
    const char *number = strchr (link, '[');
    if (number && sscanf (number, "[%" SCNu64, inode) == 1)
        return 0;
    errno = EPROTO;
    return unreadable (name, err);
}

static int read_namespaces (const char *path, uint64_t inodes[VERIFY_NAMESPACES], struct error *err)
{
    for (size_t i = 0; i < VERIFY_NAMESPACES; i++) {
        inodes[i] = 0;
        if (is_compared (verify_kinds[i].type) &&
            read_namespace (path, verify_kinds[i].file, &inodes[i], err) < 0)
            return -1;
    }
    return 0;
}

static int check_joined (size_t kind, const char *path, uint64_t inode, struct error *err)
{
    struct stat st;
    AUTO_FD int fd = ns_open (path);

    if (fd < 0 || fstat (fd, &st) < 0)
        return error_set (err, "RT-NS-OPEN", errno, "cannot open the namespace %s", path);
    return st.st_ino == inode
               ? 0
               : process_error ("/linux/namespaces", err, "is in another %s namespace than %s",
                                verify_kinds[kind].file, path);
}

static int check_namespaces (const struct look *look, const char *path, struct error *err)
{
    const struct oci_config *config = look->restored->config;
    uint64_t has[VERIFY_NAMESPACES];

    if (read_namespaces (path, has, err) < 0)
        return -1;
    for (size_t i = 0; i < VERIFY_NAMESPACES; i++) {
        const struct oci_namespace *asked = oci_config_namespace (config, verify_kinds[i].type);
        const char *name = oci_names_of (&oci_namespaces, (uint64_t)verify_kinds[i].type);
        bool free = may_be_new (verify_kinds[i].type) && restored_may_mount (config);
        if (look->own[i] == 0)
            continue;
        if (asked && !asked->path && has[i] == look->own[i])
            return process_error ("/linux/namespaces", err, "is in the host's %s namespace", name);
        if (free)
            continue;
        if (has[i] != look->init[i])
            return process_error ("/linux/namespaces", err,
                                  "is in another %s namespace than the others", name);
        if (asked && asked->path && check_joined (i, asked->path, has[i], err) < 0)
            return -1;
        /* CRIU itself works in a mount namespace of its own. */
        if (!asked && verify_kinds[i].type != CLONE_NEWNS && has[i] != look->own[i])
            return process_error ("/linux/namespaces", err, "is not in the host's %s namespace",
                                  name);
    }
    return 0;
}

/* `path` is that of a thread. */
static int check_thread (const struct look *look, const char *path, struct error *err)
{
    const struct restored *restored = look->restored;
    char text[4096];
    char file[96];

    (void)snprintf (file, sizeof (file), "%s/status", path);
    if (procfd_read (file, look->status, STATUS_SIZE) < 0)
        return unreadable (file, err);
    int found = restored_check_status (restored->config, look->status, restored->filters, err);
    if (found != 0)
        return found == RESTORED_DEAD ? 0 : -1;
    if (check_namespaces (look, path, err) < 0 ||
        (look->view &&
         restored_view_check (look->view, path, restored_may_chroot (restored->config), err) < 0))
        return -1;
    if (!restored->apparmor && !restored->selinux)
        return 0;
    (void)snprintf (file, sizeof (file), "%s/attr/current", path);
    if (procfd_read (file, text, sizeof (text)) < 0)
        return unreadable (file, err);
    return restored_check_label (restored->apparmor, text, "/process/apparmorProfile", err) < 0
               ? -1
               : restored_check_label (restored->selinux, text, "/process/selinuxLabel", err);
}

static int check_process (const struct look *look, pid_t pid, struct error *err)
{
    struct descendants threads;
    char path[48];

    if (descendants_threads (pid, look->arena, &threads, err) < 0)
        return -1;
    for (size_t i = 0; i < threads.count; i++) {
        (void)snprintf (path, sizeof (path), "%d/task/%d", pid, threads.pids[i]);
        if (check_thread (look, path, err) < 0)
            return -1;
    }
    return 0;
}

static int path_error (const char *list, size_t index, const char *path, const char *text,
                       struct error *err)
{
    error_set (err, "RT-RESTORE-RIGHTS", 0, "%s of a restored container %s", path, text);
    error_at (err, "%s/%zu", list, index);
    return error_hint (err, HINT);
}

/* maskpaths.h says how; what is not there needs none. */
static bool is_masked (int fd)
{
    struct stat st;
    struct statfs fs;

    if (fstat (fd, &st) < 0 || fstatfs (fd, &fs) < 0)
        return false;
    return S_ISDIR (st.st_mode) ? fs.f_type == TMPFS_MAGIC && (fs.f_flags & ST_RDONLY)
                                : S_ISCHR (st.st_mode) && st.st_rdev == makedev (1, 3);
}

static bool is_read_only (int fd)
{
    struct statfs fs;

    return fstatfs (fd, &fs) == 0 && (fs.f_flags & ST_RDONLY);
}

static int check_paths (const struct oci_config *config, int root, struct error *err)
{
    const struct oci_strings *masked = &config->linux.masked_paths;
    const struct oci_strings *readonly = &config->linux.readonly_paths;

    for (size_t i = 0; i < masked->count; i++) {
        AUTO_FD int fd = inroot_open (root, masked->items[i], O_PATH);
        if (fd < 0 && errno != ENOENT && errno != ENOTDIR)
            return path_error ("/linux/maskedPaths", i, masked->items[i], "cannot be looked at",
                               err);
        if (fd >= 0 && !is_masked (fd))
            return path_error ("/linux/maskedPaths", i, masked->items[i], "is not masked", err);
    }
    for (size_t i = 0; i < readonly->count; i++) {
        AUTO_FD int fd = inroot_open (root, readonly->items[i], O_PATH);
        if (fd < 0 && errno != ENOENT && errno != ENOTDIR)
            return path_error ("/linux/readonlyPaths", i, readonly->items[i], "cannot be looked at",
                               err);
        if (fd >= 0 && !is_read_only (fd))
            return path_error ("/linux/readonlyPaths", i, readonly->items[i], "can be written to",
                               err);
    }
    return config->root->readonly && !is_read_only (root)
               ? process_error ("/root/readonly", err, "can write to its root file system")
               : 0;
}

/* The mounts that init sees, and those of each further mount namespace. */
static int check_mounts (const struct look *look, struct restored_view *view, pid_t init,
                         struct error *err)
{
    const struct restored *restored = look->restored;
    struct mount_wanteds wanted;

    if (restored_view_open (view, init, look->arena, err) < 0 ||
        mount_table_want (restored->external, view->root, &view->host, true, look->arena, &wanted,
                          err) < 0)
        return -1;
    return mount_table_compare (&view->mounts, &wanted, &view->host,
                                restored_may_mount (restored->config), err) < 0
               ? -1
               : check_paths (restored->config, view->root, err);
}

static int check_all (struct look *look, struct restored_view *view, pid_t init, struct error *err)
{
    struct descendants processes;
    char path[48];

    (void)snprintf (path, sizeof (path), "%d", init);
    if (read_namespaces ("self", look->own, err) < 0 ||
        read_namespaces (path, look->init, err) < 0 ||
        descendants_find (init, look->arena, &processes, err) < 0)
        return -1;
    if (oci_config_own_mounts (look->restored->config)) {
        if (check_mounts (look, view, init, err) < 0)
            return -1;
        look->view = view;
    }
    for (size_t i = 0; i < processes.count; i++)
        if (check_process (look, processes.pids[i], err) < 0)
            return -1;
    return 0;
}

int restored_check (const struct restored *restored, pid_t init, struct procdir_root *root,
                    struct error *err)
{
    AUTO_ARENA struct arena arena = ARENA_INIT;
    AUTO_VIEW struct restored_view view = RESTORED_VIEW_INIT;
    AUTO_FREE char *status = malloc (STATUS_SIZE);
    struct look look = {.restored = restored, .arena = &arena, .status = status};

    if (!status)
        memory_exhausted ();
    if (check_all (&look, &view, init, err) < 0)
        return -1;
    if (view.root >= 0 && procdir_root_of (view.root, root) < 0)
        return error_set (err, "RT-RESTORE-RIGHTS", errno, "cannot look at the container's root");
    return 0;
}
