/* SPDX-License-Identifier: Apache-2.0 */
/*
 * restore: a start in which CRIU does what C does in another: it makes the namespaces, the mounts
 * and the processes from its images. What stands around them is as for every start: the record, the
 * cgroup, the limits, the hooks of the runtime, the terminal.
 *
 *      P                                   CRIU, a child in a mount namespace of its own
 *      -                                   ----
 *      decides, claims, makes the cgroup
 *      starts it, in that cgroup --------> the root file system becomes a mount point
 *                                          init, in its namespaces
 *      prestart, createRuntime   <-------- setup-namespaces
 *      takes the terminal        <-------- orphan-pts-master
 *                                          all processes, with their memory and rights
 *      limits; looks at their    <-------- pre-resume
 *      rights; `created`
 *                                --------> they run
 *      poststart
 */
#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/text.h"
#include "base/trace.h"
#include "criu/criu.h"
#include "kernel/mountfd.h"
#include "kernel/ns.h"
#include "kernel/nsroot.h"
#include "kernel/pidfd.h"
#include "kernel/procfd.h"
#include "lifecycle/external.h"
#include "lifecycle/foreground.h"
#include "lifecycle/grant.h"
#include "lifecycle/images.h"
#include "lifecycle/images_check.h"
#include "lifecycle/notify.h"
#include "lifecycle/pidfd_socket.h"
#include "lifecycle/ptmx.h"
#include "lifecycle/restored.h"
#include "lifecycle/running.h"
#include "lifecycle/start.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <termios.h>

#define LOG_FILE "restore.log"

/* One restore. */
struct restore {
    struct start start;
    const struct images_request *request;
    struct images images;
    struct criu_options options;
    struct images_access access;
    const char *streams[3];
    int terminal;  /* its outside; -1 = none */
    int cgroup_v2; /* -1 = none */
};

static void restore_release (struct restore *restore)
{
    /* The first three are the streams of rt itself. */
    for (size_t i = 0; i < restore->options.inherited.count; i++)
        if (restore->options.inherited.items[i].fd > STDERR_FILENO)
            drop_fd (&restore->options.inherited.items[i].fd);
    drop_fd (&restore->terminal);
    drop_fd (&restore->cgroup_v2);
    images_close (&restore->images);
    start_release (&restore->start);
}

/* The document's directories, as CRIU calls its hierarchies. */
static void name_cgroups (struct restore *restore)
{
    const struct oci_map *cgroup = &restore->start.record.cgroup;
    struct criu_options *options = &restore->options;

    options->cgroup_roots.items =
        arena_array (restore->start.arena, cgroup->count + 1, sizeof (struct criu_pair));
    for (size_t i = 0; i < cgroup->count; i++) {
        char *first = arena_string (restore->start.arena, cgroup->items[i].key);
        first[strcspn (first, ",")] = '\0'; /* one of "cpu,cpuacct" names both */
        options->cgroup_roots.items[options->cgroup_roots.count++] = (struct criu_pair){
            .key = first,
            .value = cgroup_path_below_mount (cgroup->items[i].key, cgroup->items[i].value)};
    }
}

static struct external external_of (const struct start *start)
{
    return (struct external){
        .config = start->config,
        .cgroup = &start->record.cgroup,
        .bundle = start->record.bundle,
        .rootfs_path = start->record.rootfs,
        .device_binds = images_device_binds (start->config),
    };
}

/* Nothing has happened yet, but that mount points in the root file system were made. */
static int decide (struct restore *restore, struct error *err)
{
    struct start *start = &restore->start;
    struct criu_options *options = &restore->options;

    if (start_decide (start, start->request->detach, err) < 0 ||
        images_ask (restore->request, err) < 0 ||
        images_open (restore->request, false, &restore->images, err) < 0)
        return -1;
    /* Its processes have the sockets that they had. */
    start->record.notify = false;
    images_options (restore->request, start->config, &restore->images, LOG_FILE, options);
    options->root = start->record.rootfs;
    options->sibling = true;
    if (images_config (start->config, start->record.bundle, start->record.rootfs, &restore->images,
                       start->arena, &options->config, err) < 0 ||
        images_check_files (&restore->images, err) < 0 ||
        images_read_streams (&restore->images, start->arena, restore->streams, err) < 0 ||
        hooks_output_open (start->config, &start->hooks_output, err) < 0 ||
        start_connect (start, err) < 0)
        return -1;
    const struct external external = external_of (start);
    return external_mount_points (&external, err);
}

/* CRIU does what the images say. The cgroups that the document names are there by now. */
static int check_images (struct restore *restore, struct error *err)
{
    struct start *start = &restore->start;
    const struct external external = external_of (start);
    const struct images_check check = {
        .images = &restore->images,
        .external = &external,
        .filter = &start->seccomp,
        .believe_cgroups = restore->options.cgroups != CRIU_CGROUPS_IGNORE,
    };

    trace_phase ("images");
    if (start->config->linux.seccomp &&
        seccomp_prepare (start->config->linux.seccomp, &start->seccomp, err) < 0)
        return -1;
    return images_check (&check, err);
}

/* What lies around the processes, and how it is called in the images. */
static int claim (struct restore *restore, struct error *err)
{
    struct start *start = &restore->start;
    const struct external external = external_of (start);

    if (start_claim (start, err) < 0 || start_place (start, err) < 0 ||
        cgroup_open_doors (&start->record.cgroup, &start->doors, err) < 0)
        return -1;
    restore->cgroup_v2 = cgroup_open_v2 (&start->record.cgroup);
    name_cgroups (restore);
    return external_of_restore (&external, restore->streams, start->arena, &restore->options, err);
}

static int is_same (int a, int b)
{
    struct stat first;
    struct stat second;

    return fstat (a, &first) == 0 && fstat (b, &second) == 0 && first.st_dev == second.st_dev &&
           first.st_ino == second.st_ino;
}

/* By this mount namespace; the same directory that was judged. */
static int reopen_images (struct restore *restore, struct error *err)
{
    AUTO_IMAGES struct images again = IMAGES_INIT;

    if (images_open (restore->request, false, &again, err) < 0)
        return -1;
    if (!is_same (again.images, restore->images.images))
        return error_set (err, "RT-IMAGES-OPEN", ESTALE, "the directory %s was exchanged meanwhile",
                          restore->request->images);
    drop_fd (&restore->images.images);
    drop_fd (&restore->images.work);
    restore->images.images = take_fd (&again.images);
    restore->images.work = take_fd (&again.work);
    return 0;
}

/* CRIU wants its root to be a mount, which is nobody else's business; and its directories in the
 * mount namespace where it works. */
static int mount_root (struct restore *restore, struct error *err)
{
    const char *rootfs = restore->start.record.rootfs;
    AUTO_MOUNTFD struct mountfd tree = MOUNTFD_INIT;
    AUTO_FD int cwd = open (".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    bool below;

    if (cwd < 0 || ns_unshare (CLONE_NEWNS) < 0)
        return error_set (err, "RT-RESTORE", errno, "cannot make a mount namespace for criu");
    if (nsroot_propagate (MS_REC | MS_SLAVE, &below, err) < 0)
        return -1;
    if (below)
        return error_set (err, "RT-RESTORE", 0,
                          "rt runs below a chroot: what criu restores there could leave it");
    if (fchdir (cwd) < 0 || mountfd_bind (&tree, AT_FDCWD, rootfs, MOUNTFD_RECURSIVE) < 0)
        return error_set (err, "RT-RESTORE", errno, "cannot make a mount namespace for criu");
    AUTO_FD int target = open (rootfs, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (target < 0 || mountfd_attach (&tree, target, AT_FDCWD, rootfs) < 0)
        return error_set (err, "RT-RESTORE", errno, "cannot mount the root file system %s", rootfs);
    if (reopen_images (restore, err) < 0)
        return -1;
    return restore->start.plan.userns
               ? images_let_read (&restore->images, restore->start.config, restore->start.arena,
                                  &restore->access, err)
               : 0;
}

/* In the child. What CRIU makes is born where CRIU is. */
static int enter (void *context)
{
    struct restore *restore = context;
    struct start *start = &restore->start;
    struct error err = {0};

    if (restore->cgroup_v2 >= 0 && fd_write_file_at (restore->cgroup_v2, "cgroup.procs", "0") < 0)
        return -1;
    if (cgroup_enter (&start->doors, &err) < 0) {
        errno = err.errnum;
        return -1;
    }
    /* CRIU makes one only together with the cgroups that are in its images. */
    return restore->options.cgroups == CRIU_CGROUPS_IGNORE &&
                   oci_config_namespace (start->config, CLONE_NEWCGROUP)
               ? ns_unshare (CLONE_NEWCGROUP)
               : 0;
}

/* What every start does in a network namespace that it has made; CRIU leaves an empty one as it is.
 */
static int furnish_network (pid_t pid, struct error *err)
{
    AUTO_FD int own = ns_open_own ("net");
    AUTO_FD int network = ns_open_process (pid, "net");

    if (own < 0 || network < 0 || ns_join (network, CLONE_NEWNET) < 0)
        return error_set (err, "RT-RESTORE", errno, "cannot enter the restored network namespace");
    int failed = ns_loopback_up ();
    if (failed)
        error_set (err, "RT-NET-LOOPBACK", errno, "cannot bring up the interface lo");
    if (ns_join (own, CLONE_NEWNET) < 0 && !failed)
        failed = error_set (err, "RT-RESTORE", errno, "cannot return to rt's network namespace");
    return failed;
}

/* From here on delete --force finds it. */
static int meet_init (struct restore *restore, pid_t pid, struct error *err)
{
    struct start *start = &restore->start;

    start->record.pid = pid;
    if (pidfd_start_time (pid, &start->record.start_time, NULL) < 0)
        return error_set (err, "RT-RESTORE", errno, "the restored init died at birth");
    if (record_write (start->directory, &start->record, err) < 0 ||
        ((restore->options.empty_ns & start->plan.make & CLONE_NEWNET) &&
         furnish_network (pid, err) < 0))
        return -1;
    return start_run_hooks (start, err);
}

static int take_terminal (struct restore *restore, int *fd, struct error *err)
{
    if (!restore->start.config->process->terminal)
        return error_set (err, "RT-RESTORE-TERMINAL", 0,
                          "the images have a terminal, and the document none");
    drop_fd (&restore->terminal);
    restore->terminal = take_fd (fd);
    return 0;
}

/* CRIU has set its modes and its size by now. */
static int give_terminal (struct restore *restore, struct error *err)
{
    struct start *start = &restore->start;
    unsigned int number;
    char name[32];

    if (restore->terminal < 0)
        return start->config->process->terminal
                   ? error_set (err, "RT-RESTORE-TERMINAL", 0,
                                "the document has a terminal, and the images none")
                   : 0;
    if (ioctl (restore->terminal, TIOCGPTN, &number) < 0)
        return error_set (err, "RT-TERMINAL", errno, "the restored terminal has no number");
    (void)snprintf (name, sizeof (name), "/dev/pts/%u", number);
    return ptmx_take (&restore->terminal, name, &start->console_socket, &start->ptmx, err);
}

static const char *label (const char *asked, const char *kind, const char *of_document)
{
    size_t length = strlen (kind);

    return asked && strncmp (asked, kind, length) == 0 && asked[length] == ':' ? asked + length + 1
                                                                               : of_document;
}

/* How many this process itself has: what it makes has them, too. */
static int count_filters (uint32_t *count, struct error *err)
{
    char text[4096];

    *count = 0;
    if (procfd_read ("self/status", text, sizeof (text)) < 0)
        return error_set (err, "RT-RESTORE", errno, "cannot read /proc/self/status");
    const char *line = strstr (text, "\nSeccomp_filters:");
    if (line)
        (void)sscanf (line, "\nSeccomp_filters: %u", count);
    return 0;
}

static int check_rights (struct restore *restore, struct error *err)
{
    struct start *start = &restore->start;
    struct procdir_root root = {.inode = 0};
    const struct oci_process *process = start->config->process;
    const char *asked = restore->request->lsm_profile;
    const struct external external = external_of (start);
    struct restored restored = {
        .config = start->config,
        .external = &external,
        .apparmor = label (asked, "apparmor", process->apparmor_profile),
        .selinux = label (asked, "selinux", process->selinux_label),
    };

    if (count_filters (&restored.filters, err) < 0 ||
        restored_check (&restored, start->record.pid, &root, err) < 0)
        return -1;
    start_note_root (start, &root);
    return 0;
}

/* All is there and nothing runs: the container becomes one, for everybody to see. */
static int commit (struct restore *restore, struct error *err)
{
    struct start *start = &restore->start;

    trace_phase ("commit");
    start->pidfd = pidfd_open_exact (start->record.pid, start->record.start_time);
    if (start->pidfd < 0)
        return error_set (err, "RT-RESTORE", errno, "cannot open the restored init");
    if (start_limit (start, err) < 0 ||
        systemd_settle (&start->unit, &start->record.cgroup, start->config->linux.resources, err) <
            0 ||
        (start->rdt.config && rdt_grant (&start->rdt, start->record.pid, err) < 0) ||
        check_rights (restore, err) < 0 || give_terminal (restore, err) < 0)
        return -1;
    return start_publish (start, err);
}

static int hear (void *context, struct criu_news *news, struct error *err)
{
    struct restore *restore = context;

    if (text_equal (news->script, CRIU_NAMESPACES))
        return meet_init (restore, news->pid, err);
    if (text_equal (news->script, CRIU_ORPHAN) && news->fd >= 0)
        return take_terminal (restore, &news->fd, err);
    if (text_equal (news->script, CRIU_PRE_RESUME)) {
        if (commit (restore, err) == 0)
            return 0;
        /* CRIU lets them run all the same. */
        struct error ignored;
        (void)cgroup_kill (&restore->start.record.cgroup, &ignored);
        if (restore->start.pidfd >= 0)
            (void)pidfd_signal (restore->start.pidfd, SIGKILL);
        return -1;
    }
    return 0;
}

static int make_processes (struct restore *restore, struct error *err)
{
    struct criu_options *options = &restore->options;
    int fds[NAMESPACES_MAX];
    size_t count = 0;

    for (size_t i = 0; i < options->inherited.count && count < NAMESPACES_MAX; i++)
        if (options->inherited.items[i].fd > STDERR_FILENO)
            fds[count++] = options->inherited.items[i].fd;
    const struct criu_start how = {
        .enter = enter, .context = restore, .fds = fds, .fd_count = count};
    AUTO_CRIU struct criu criu = CRIU_INIT;
    AUTO_FD int own = ns_open_own ("mnt");
    if (own < 0)
        return error_set (err, "RT-RESTORE", errno, "cannot open rt's own mount namespace");
    trace_phase ("restore");
    int failed = mount_root (restore, err);
    options->images = restore->images.images;
    options->work = restore->images.work;
    criu.work = restore->images.work;
    criu.work_path = restore->images.work_path;
    criu.log_file = LOG_FILE;
    if (!failed)
        failed = criu_begin (&criu, &how, err);
    /* Hooks and all else are the host's. */
    if (ns_join (own, CLONE_NEWNS) < 0 && !failed)
        failed = error_set (err, "RT-RESTORE", errno, "cannot return to the mount namespace of rt");
    if (!failed)
        failed = criu_do (&criu, CRIU_RESTORE, options, hear, restore, NULL, err);
    images_undo_read (&restore->access);
    images_close (&restore->images); /* they hold the mounts */
    return failed;
}

static int restore_until_running (struct restore *restore, struct error *err)
{
    struct start *start = &restore->start;

    trace_phase ("decide");
    if (decide (restore, err) < 0)
        return -1;
    trace_phase ("claim");
    if (claim (restore, err) < 0 || check_images (restore, err) < 0 ||
        make_processes (restore, err) < 0 ||
        running_hooks (start->config, &start->record, err) < 0) {
        start_undo (start);
        return -1;
    }
    return 0;
}

int lifecycle_restore (const struct create_request *request, const struct images_request *images,
                       int *status, struct error *err)
{
    AUTO_NOTIFY struct notify notify = NOTIFY_INIT;
    AUTO_ARENA struct arena arena = ARENA_INIT;
    struct restore restore = {
        .request = images, .images = IMAGES_INIT, .terminal = -1, .cgroup_v2 = -1};

    if (!request->detach && foreground_prepare (!request->no_subreaper, err) < 0)
        return -1;
    start_init (&restore.start, request, &arena, false);
    int failed = restore_until_running (&restore, err);
    *status = 0;
    if (!failed)
        failed = start_stay (&restore.start, &notify, status, err);
    else
        images_undo_make (images, &restore.images);
    restore_release (&restore);
    return failed;
}
