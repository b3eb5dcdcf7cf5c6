/* SPDX-License-Identifier: Apache-2.0 */
/*
 * checkpoint: the processes of a running container become files, by CRIU. The container is deleted
 * then, or runs on.
 */
#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "base/text.h"
#include "base/trace.h"
#include "criu/criu.h"
#include "kernel/descendants.h"
#include "kernel/ns.h"
#include "kernel/pidfd.h"
#include "lifecycle/destroy.h"
#include "lifecycle/existing.h"
#include "lifecycle/external.h"
#include "lifecycle/given.h"
#include "lifecycle/images.h"
#include "oci-spec/state.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/stat.h>

#define LOG_FILE "dump.log"

/* One checkpoint. */
struct checkpoint {
    const struct checkpoint_request *request;
    struct existing container;
    struct images images;
    struct criu_options options;
    const char *streams[3];
    int status_fd;
};

static int check_status (const struct checkpoint *checkpoint, struct error *err)
{
    enum oci_status status = checkpoint->container.status;

    if (status == OCI_STATUS_RUNNING || status == OCI_STATUS_PAUSED)
        return 0;
    error_set (err, "RT-CHECKPOINT-STATE", 0, "cannot checkpoint: container not running: %s is %s",
               checkpoint->request->id, oci_status_word (status));
    return status == OCI_STATUS_CREATED ? error_hint (err, "rt start runs it") : -1;
}

static bool is_among (const struct descendants *processes, pid_t pid)
{
    for (size_t i = 0; i < processes->count; i++)
        if (processes->pids[i] == pid)
            return true;
    return false;
}

/* CRIU writes init and what descends from it; with that the pid namespace would end, and everybody
 * else in it without a word. */
static int check_strangers (struct existing *container, struct error *err)
{
    const struct record *record = &container->record;
    struct descendants processes;
    pid_t *pids;
    size_t count;

    if (record->cgroup.count == 0)
        return 0;
    if (cgroup_processes (&container->arena, &record->cgroup, &pids, &count, err) < 0 ||
        descendants_find (record->pid, &container->arena, &processes, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        uint64_t start;
        char state;
        if (is_among (&processes, pids[i]) || pidfd_start_time (pids[i], &start, &state) < 0 ||
            state == 'Z' || state == 'X')
            continue;
        error_set (err, "RT-CHECKPOINT-STRANGER", 0,
                   "cannot checkpoint container %s: its process %d does not descend from its init",
                   record->id, pids[i]);
        return error_hint (err, "rt exec has made it: let it end first");
    }
    return 0;
}

/* Before rt opens anything for this command. */
static int check_status_fd (int fd, struct error *err)
{
    if (fd < 0)
        return 0;
    int mode = fcntl (fd, F_GETFL);
    if (mode < 0)
        return error_set (err, "RT-CHECKPOINT-STATUS", errno, "--status-fd %d", fd);
    return (mode & O_ACCMODE) == O_RDONLY
               ? error_set (err, "RT-CHECKPOINT-STATUS", 0, "--status-fd %d is not writable", fd)
               : 0;
}

/* The caller waits for this byte with its `criu lazy-pages`. */
static int tell_ready (int *fd, struct error *err)
{
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    struct sigaction before;

    if (*fd < 0)
        return 0;
    (void)sigaction (SIGPIPE, &ignore, &before);
    int failed = fd_write_all (*fd, "", 1);
    int errnum = errno;
    (void)sigaction (SIGPIPE, &before, NULL);
    if (failed)
        return error_set (err, "RT-CHECKPOINT-STATUS", errnum, "cannot write to --status-fd %d",
                          *fd);
    drop_fd (fd);
    return 0;
}

static int hear (void *context, struct criu_news *news, struct error *err)
{
    struct checkpoint *checkpoint = context;

    return text_equal (news->script, CRIU_READY) ? tell_ready (&checkpoint->status_fd, err) : 0;
}

/* What is found out before CRIU touches the container. */
static int decide (struct checkpoint *checkpoint, struct error *err)
{
    const struct checkpoint_request *request = checkpoint->request;
    struct existing *container = &checkpoint->container;
    const struct record *record = &container->record;
    struct criu_options *options = &checkpoint->options;

    if (check_status_fd (checkpoint->status_fd, err) < 0 ||
        existing_open (container, request->globals, request->id, true, err) < 0 ||
        check_status (checkpoint, err) < 0 ||
        cgroup_check_freezable (&container->record.cgroup, err) < 0)
        return -1;
    if (!request->leave_running && !request->pre_dump && check_strangers (container, err) < 0)
        return -1;
    const struct oci_config *config = existing_config (container, err);
    if (!config || images_ask (&request->images, err) < 0 ||
        images_open (&request->images, true, &checkpoint->images, err) < 0)
        return -1;
    images_options (&request->images, config, &checkpoint->images, LOG_FILE, options);
    if (images_config (config, record->bundle, record->rootfs, &checkpoint->images,
                       &container->arena, &options->config, err) < 0)
        return -1;
    options->pid = record->pid;
    options->root = record->rootfs;
    options->freezer = cgroup_path_freezer (&record->cgroup);
    options->leave_running = request->leave_running || request->pre_dump;
    options->track_memory = request->pre_dump || request->images.parent;

    const struct external external = {
        .config = config,
        .cgroup = &record->cgroup,
        .bundle = record->bundle,
        .rootfs_path = record->rootfs,
        .device_binds = images_device_binds (config),
    };
    AUTO_FD int root = ns_open_root (record->pid);
    if (root < 0)
        return error_set (err, "RT-CHECKPOINT", errno, "cannot open the root of container %s",
                          request->id);
    return external_of_dump (&external, record->pid, root, &container->arena, options,
                             checkpoint->streams, err);
}

/* A CRIU that was stopped in its work leaves them frozen. */
static void let_run (const struct existing *container)
{
    struct error err = {0};
    char words[ERROR_WORDS];

    if (container->frozen)
        return;
    int frozen = cgroup_frozen (&container->record.cgroup, &err);
    if (frozen < 0 || (frozen == 1 && cgroup_freeze (&container->record.cgroup, false, &err) < 0))
        log_warning ("%s", error_format (&err, words, sizeof words));
}

/* In the child. The images have the memory of the processes, with all secrets in it. */
static int enter (void *context)
{
    (void)context;
    (void)umask (077);
    return 0;
}

static int dump (struct checkpoint *checkpoint, struct error *err)
{
    const struct criu_start start = {.enter = enter};
    AUTO_CRIU struct criu criu = CRIU_INIT;
    enum criu_task task = checkpoint->request->pre_dump ? CRIU_PRE_DUMP : CRIU_DUMP;

    given_end ();
    /* A CRIU that is cut off would leave the container frozen. */
    if (interrupt_hold (err) < 0)
        return -1;
    criu.work = checkpoint->images.work;
    criu.work_path = checkpoint->images.work_path;
    criu.log_file = LOG_FILE;
    if (criu_begin (&criu, &start, err) < 0 ||
        (task == CRIU_DUMP &&
         images_write_streams (&checkpoint->images, checkpoint->streams, err) < 0))
        return -1;
    trace_phase ("dump");
    if (criu_do (&criu, task, &checkpoint->options, hear, checkpoint, NULL, err) == 0)
        return 0;
    criu_end (&criu);
    let_run (&checkpoint->container);
    return -1;
}

int lifecycle_checkpoint (const struct checkpoint_request *request, struct error *err)
{
    struct checkpoint checkpoint = {.request = request,
                                    .status_fd = request->status_fd,
                                    .container = EXISTING_INIT,
                                    .images = IMAGES_INIT};
    struct existing *container = &checkpoint.container;

    trace_phase ("decide");
    bool dumped = decide (&checkpoint, err) == 0 && dump (&checkpoint, err) == 0;
    int failed = dumped ? 0 : -1;
    trace_phase ("delete");
    if (!failed && !request->leave_running && !request->pre_dump)
        failed =
            destroy (request->globals->state_root, container->directory, &container->record, err);
    if (!dumped)
        images_undo_make (&request->images, &checkpoint.images);
    images_close (&checkpoint.images);
    existing_release (container);
    return failed;
}
