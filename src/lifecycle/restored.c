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

#define STATUS_SIZE 8192
#define HINT "these images are not of a container with this document"

/* What is asked of each thread. */
struct restored {
    const struct oci_config *config;
    const char *apparmor;
    const char *selinux;
    const char *user_namespace; /* that of init, as /proc names it */
};

/* Those that CRIU makes anew for each container; a time namespace it makes also where there was
 * none. */
static const struct {
    int type;
    const char *file;
} kinds[] = {
    {CLONE_NEWNS, "mnt"},        {CLONE_NEWPID, "pid"}, {CLONE_NEWNET, "net"},
    {CLONE_NEWIPC, "ipc"},       {CLONE_NEWUTS, "uts"}, {CLONE_NEWUSER, "user"},
    {CLONE_NEWCGROUP, "cgroup"},
};

/* The value behind "Name:\t". NULL where the kernel has no such line. */
static const char *line_of (const char *status, const char *name)
{
    size_t length = strlen (name);

    for (const char *line = status; *line; line += strcspn (line, "\n"), line += *line == '\n')
        if (strncmp (line, name, length) == 0 && line[length] == ':')
            return line + length + 1 + strspn (line + length + 1, "\t ");
    return NULL;
}

__attribute__ ((format (printf, 3, 4))) static int
rights_error (const char *pointer, struct error *err, const char *format, ...)
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

int restored_check_status (const struct oci_config *config, const char *status,
                           bool own_user_namespace, struct error *err)
{
    const struct oci_process *process = config->process;
    const char *bounding = line_of (status, "CapBnd");
    const char *privileges = line_of (status, "NoNewPrivs");
    const char *seccomp = line_of (status, "Seccomp");
    uint64_t allowed = process->capabilities ? process->capabilities->bounding : 0;
    uint64_t has;

    if (!own_user_namespace && process->capabilities &&
        (!bounding || (sscanf (bounding, "%" SCNx64, &has) != 1 || (has & ~allowed))))
        return rights_error ("/process/capabilities/bounding", err,
                             "has more capabilities in its bounding set");
    if (process->no_new_privileges.value && (!privileges || privileges[0] != '1'))
        return rights_error ("/process/noNewPrivileges", err, "may gain privileges");
    if (config->linux.seccomp && (!seccomp || seccomp[0] != '2'))
        return rights_error ("/linux/seccomp", err, "has no filter for its system calls");
    return 0;
}

/* "PROFILE (enforce)\n", or "LABEL" with a NUL behind it. */
int restored_check_label (const char *asked, const char *current, const char *pointer,
                          struct error *err)
{
    size_t length = asked ? strlen (asked) : 0;

    if (length == 0 || text_equal (asked, "unconfined"))
        return 0;
    if (strncmp (current, asked, length) == 0 &&
        (current[length] == '\0' || current[length] == '\n' || current[length] == ' '))
        return 0;
    return rights_error (pointer, err, "has the label `%.*s`", (int)strcspn (current, "\n"),
                         current);
}

/* One that is asked for is made, and is nobody else's. */
static int check_namespaces (const struct oci_config *config, pid_t pid, struct error *err)
{
    for (size_t i = 0; i < sizeof (kinds) / sizeof (kinds[0]); i++) {
        const struct oci_namespace *asked = oci_config_namespace (config, kinds[i].type);
        if (!asked || asked->path)
            continue;
        int shared = ns_is_shared (pid, kinds[i].file);
        if (shared < 0)
            return error_set (err, "RT-RESTORE-RIGHTS", errno, "cannot read /proc/%d/ns/%s", pid,
                              kinds[i].file);
        if (shared)
            return rights_error ("/linux/namespaces", err, "is in the host's %s namespace",
                                 oci_names_of (&oci_namespaces, (uint64_t)kinds[i].type));
    }
    return 0;
}

static int unreadable (const char *path, struct error *err)
{
    return error_set (err, "RT-RESTORE-RIGHTS", errno, "cannot read /proc/%s", path);
}

/* `path` is that of a thread. */
static int check_thread (const struct restored *restored, const char *path, struct error *err)
{
    char text[STATUS_SIZE];
    char link[64];
    char file[96];

    (void)snprintf (file, sizeof (file), "%s/ns/user", path);
    if (procfd_link (file, link, sizeof (link)) < 0)
        return unreadable (file, err);
    bool own_user_namespace = !text_equal (link, restored->user_namespace);
    (void)snprintf (file, sizeof (file), "%s/status", path);
    if (procfd_read (file, text, sizeof (text)) < 0)
        return unreadable (file, err);
    if (restored_check_status (restored->config, text, own_user_namespace, err) < 0)
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

static int check_process (const struct restored *restored, pid_t pid, struct arena *arena,
                          struct error *err)
{
    struct descendants threads;
    char path[48];

    if (descendants_threads (pid, arena, &threads, err) < 0)
        return -1;
    for (size_t i = 0; i < threads.count; i++) {
        (void)snprintf (path, sizeof (path), "%d/task/%d", pid, threads.pids[i]);
        if (check_thread (restored, path, err) < 0)
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

static int check_paths (const struct oci_config *config, pid_t init, struct error *err)
{
    const struct oci_strings *masked = &config->linux.masked_paths;
    const struct oci_strings *readonly = &config->linux.readonly_paths;
    AUTO_FD int root = ns_open_root (init);

    if (root < 0)
        return error_set (err, "RT-RESTORE-RIGHTS", errno, "cannot open the restored root");
    for (size_t i = 0; i < masked->count; i++) {
        AUTO_FD int fd = inroot_open (root, masked->items[i], O_PATH);
        if (fd >= 0 && !is_masked (fd))
            return path_error ("/linux/maskedPaths", i, masked->items[i], "is not masked", err);
    }
    for (size_t i = 0; i < readonly->count; i++) {
        AUTO_FD int fd = inroot_open (root, readonly->items[i], O_PATH);
        if (fd >= 0 && !is_read_only (fd))
            return path_error ("/linux/readonlyPaths", i, readonly->items[i], "can be written to",
                               err);
    }
    return config->root->readonly && !is_read_only (root)
               ? rights_error ("/root/readonly", err, "can write to its root file system")
               : 0;
}

int restored_check (const struct oci_config *config, const char *apparmor, const char *selinux,
                    pid_t init, struct error *err)
{
    AUTO_ARENA struct arena arena = ARENA_INIT;
    struct descendants processes;
    char user_namespace[64];
    char path[48];
    const struct restored restored = {.config = config,
                                      .apparmor = apparmor,
                                      .selinux = selinux,
                                      .user_namespace = user_namespace};

    (void)snprintf (path, sizeof (path), "%d/ns/user", init);
    if (procfd_link (path, user_namespace, sizeof (user_namespace)) < 0)
        return unreadable (path, err);
    if (check_namespaces (config, init, err) < 0 || check_paths (config, init, err) < 0 ||
        descendants_find (init, &arena, &processes, err) < 0)
        return -1;
    for (size_t i = 0; i < processes.count; i++)
        if (check_process (&restored, processes.pids[i], &arena, err) < 0)
            return -1;
    return 0;
}
