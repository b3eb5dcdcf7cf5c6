/* SPDX-License-Identifier: Apache-2.0 */
/*
 * floor: the least that the kernel must do for the container of `rt spec`, and nothing else.
 *
 * bench.py divides every runtime's time by this program's. So it reads no configuration, keeps no
 * state, checks no path and speaks with nobody: what is left is the price of the namespaces, the
 * cgroup, the mounts and the exec, which no runtime can go below. It trusts its root file system,
 * which a runtime must not; never use it for anything but timing.
 *
 * The device program is left out on purpose: it can be pinned once and then costs next to nothing.
 *
 *     floor run ROOTFS CGROUP2-DIR [CGROUP1-DIR ...]    /bin/true, between mkdir and rmdir
 *     floor create ROOTFS GATE PID-FILE CGROUP2-DIR [...]    /bin/sleep, waiting at a FIFO
 *     floor start GATE    opens it
 *     floor kill PID
 *     floor delete GATE CGROUP2-DIR [...]
 *     floor exec PID CGROUP2-DIR    /bin/true in what create has made
 *     floor empty    nothing: the price of a static program
 *
 * ROOTFS holds /bin/true, /bin/sleep, /proc, /dev and /sys.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#define COUNT(array) (sizeof (array) / sizeof *(array))
#define KEYCTL_JOIN_SESSION_KEYRING 1

static const unsigned long OFF_LIMITS = MS_NOSUID | MS_NOEXEC | MS_NODEV;

/* Every call goes through here: a floor that silently skips work is no floor. */
static long must (long result, const char *call)
{
    if (result < 0) {
        fprintf (stderr, "floor: %s: %s\n", call, strerror (errno));
        _exit (125);
    }
    return result;
}
#define MUST(call) must ((call), #call)

/* A new cpuset of v1 is empty and takes no process before it has its parent's processors and
 * memory. */
static void fill_cpuset (int dir_fd, const char *name)
{
    char parent[32], value[4096];

    snprintf (parent, sizeof parent, "../%s", name);
    int from = openat (dir_fd, parent, O_RDONLY | O_CLOEXEC);
    if (from < 0 && errno == ENOENT)
        return;
    must (from, parent);
    int to = (int)MUST (openat (dir_fd, name, O_WRONLY | O_CLOEXEC));
    ssize_t length = MUST (read (from, value, sizeof value));
    MUST (write (to, value, (size_t)length));
    close (to);
    close (from);
}

static void make_cgroups (const char *const dirs[])
{
    for (int i = 0; dirs[i]; i++)
        MUST (mkdir (dirs[i], 0755));
    for (int i = 1; dirs[i]; i++) {
        int fd = (int)MUST (open (dirs[i], O_PATH | O_DIRECTORY | O_CLOEXEC));
        fill_cpuset (fd, "cpuset.cpus");
        fill_cpuset (fd, "cpuset.mems");
        close (fd);
    }
}

static void enter_cgroup1 (const char *dir)
{
    int dir_fd = (int)MUST (open (dir, O_PATH | O_DIRECTORY | O_CLOEXEC));
    int fd = (int)MUST (openat (dir_fd, "cgroup.procs", O_WRONLY | O_CLOEXEC));

    MUST (write (fd, "0", 1));
    close (fd);
    close (dir_fd);
}

static void loopback_up (void)
{
    struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
    int fd = (int)MUST (socket (AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));

    MUST (ioctl (fd, SIOCSIFFLAGS, &lo));
    close (fd);
}

/* The working directory becomes the container's root, mounted read-only before anything lies on it.
 */
static void enter_rootfs (const char *rootfs)
{
    struct mount_attr readonly = {.attr_set = MOUNT_ATTR_RDONLY};

    MUST (mount (NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
    int fd = (int)MUST (open_tree (AT_FDCWD, rootfs, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
    MUST (mount_setattr (fd, "", AT_EMPTY_PATH, &readonly, sizeof readonly));
    MUST (move_mount (fd, "", AT_FDCWD, rootfs, MOVE_MOUNT_F_EMPTY_PATH));
    MUST (fchdir (fd));
    close (fd);
}

/* A bind of the host's mount: a new cgroup2 mount would wait 10 ms for a grace period. */
static void mount_cgroup (const char *const dirs[])
{
    struct mount_attr attr = {.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID |
                                          MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NODEV};
    char target[64] = "sys/fs/cgroup";

    /* Hybrid: a small tmpfs with one directory for each hierarchy. */
    if (dirs[1])
        MUST (mount ("tmpfs", target, "tmpfs", OFF_LIMITS, "mode=755"));
    for (int i = 0; dirs[i]; i++) {
        if (dirs[1]) {
            snprintf (target, sizeof target, "sys/fs/cgroup/%d", i);
            MUST (mkdir (target, 0755));
        }
        int fd = (int)MUST (open_tree (AT_FDCWD, dirs[i], OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
        MUST (mount_setattr (fd, "", AT_EMPTY_PATH, &attr, sizeof attr));
        MUST (move_mount (fd, "", AT_FDCWD, target, MOVE_MOUNT_F_EMPTY_PATH));
        close (fd);
    }
}

static void mount_filesystems (const char *const cgroups[])
{
    MUST (mount ("proc", "proc", "proc", 0, NULL));
    MUST (mount ("tmpfs", "dev", "tmpfs", MS_NOSUID | MS_STRICTATIME, "mode=755,size=65536k"));
    MUST (mkdir ("dev/pts", 0755));
    MUST (mkdir ("dev/shm", 0755));
    MUST (mkdir ("dev/mqueue", 0755));
    MUST (mount ("devpts", "dev/pts", "devpts", MS_NOSUID | MS_NOEXEC,
                 "newinstance,ptmxmode=0666,mode=0620,gid=5"));
    MUST (mount ("shm", "dev/shm", "tmpfs", OFF_LIMITS, "mode=1777,size=65536k"));
    MUST (mount ("mqueue", "dev/mqueue", "mqueue", OFF_LIMITS, NULL));
    MUST (mount ("sysfs", "sys", "sysfs", OFF_LIMITS | MS_RDONLY, NULL));
    mount_cgroup (cgroups);
}

static void make_devices (void)
{
    static const struct {
        const char *path;
        unsigned int major, minor;
    } nodes[] = {{"dev/null", 1, 3},   {"dev/zero", 1, 5},    {"dev/full", 1, 7},
                 {"dev/random", 1, 8}, {"dev/urandom", 1, 9}, {"dev/tty", 5, 0}};
    static const struct {
        const char *target, *path;
    } links[] = {{"/proc/self/fd", "dev/fd"},       {"/proc/self/fd/0", "dev/stdin"},
                 {"/proc/self/fd/1", "dev/stdout"}, {"/proc/self/fd/2", "dev/stderr"},
                 {"/proc/kcore", "dev/core"},       {"pts/ptmx", "dev/ptmx"}};

    for (size_t i = 0; i < COUNT (nodes); i++)
        MUST (mknod (nodes[i].path, S_IFCHR | 0666, makedev (nodes[i].major, nodes[i].minor)));
    for (size_t i = 0; i < COUNT (links); i++)
        MUST (symlink (links[i].target, links[i].path));
}

/* Lays a copy of a detached mount over a path, or does nothing where the path does not exist. */
static void cover (int tree, const char *path)
{
    int copy =
        (int)MUST (open_tree (tree, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));

    if (move_mount (copy, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH) < 0 && errno != ENOENT)
        must (-1, path);
    close (copy);
}

static void mask_paths (void)
{
    static const char *const paths[] = {
        "proc/acpi",          "proc/asound",     "proc/kcore",       "proc/keys",
        "proc/latency_stats", "proc/timer_list", "proc/timer_stats", "proc/sched_debug",
        "sys/firmware",       "proc/scsi",
    };
    struct stat st;

    int null = (int)MUST (open ("dev/null", O_PATH | O_CLOEXEC));
    int config = (int)MUST (fsopen ("tmpfs", FSOPEN_CLOEXEC));
    MUST (fsconfig (config, FSCONFIG_SET_FLAG, "ro", NULL, 0));
    MUST (fsconfig (config, FSCONFIG_CMD_CREATE, NULL, NULL, 0));
    int empty = (int)MUST (fsmount (config, FSMOUNT_CLOEXEC, MOUNT_ATTR_RDONLY));
    for (size_t i = 0; i < COUNT (paths); i++)
        if (stat (paths[i], &st) == 0)
            cover (S_ISDIR (st.st_mode) ? empty : null, paths[i]);
    close (empty);
    close (config);
    close (null);
}

static void readonly_paths (void)
{
    static const char *const paths[] = {"proc/bus", "proc/fs", "proc/irq", "proc/sys",
                                        "proc/sysrq-trigger"};
    struct mount_attr readonly = {.attr_set = MOUNT_ATTR_RDONLY};

    for (size_t i = 0; i < COUNT (paths); i++) {
        int fd = open_tree (AT_FDCWD, paths[i], OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
        if (fd < 0 && errno == ENOENT)
            continue;
        must (fd, paths[i]);
        MUST (mount_setattr (fd, "", AT_EMPTY_PATH, &readonly, sizeof readonly));
        MUST (move_mount (fd, "", AT_FDCWD, paths[i], MOVE_MOUNT_F_EMPTY_PATH));
        close (fd);
    }
}

static void drop_privileges (void)
{
    static const unsigned int kept[] = {CAP_AUDIT_WRITE, CAP_KILL, CAP_NET_BIND_SERVICE};
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {{0}};
    const struct rlimit files = {1024, 1024};
    unsigned int keep = 0;

    for (size_t i = 0; i < COUNT (kept); i++)
        keep |= 1U << kept[i];
    MUST (setrlimit (RLIMIT_NOFILE, &files));
    for (unsigned int cap = 0; cap <= CAP_LAST_CAP; cap++)
        if (cap >= 32 || !(keep & 1U << cap))
            MUST (prctl (PR_CAPBSET_DROP, cap, 0, 0, 0));
    MUST (setgroups (0, NULL));
    MUST (setresgid (0, 0, 0));
    MUST (setresuid (0, 0, 0));
    data[0].effective = data[0].permitted = data[0].inheritable = keep;
    MUST (syscall (SYS_capset, &header, data));
    for (size_t i = 0; i < COUNT (kept); i++)
        MUST (prctl (PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, kept[i], 0, 0));
    MUST (prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
}

static void execute (char *const argv[])
{
    static char *const envp[] = {
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm", NULL};

    MUST (execve (argv[0], argv, envp));
}

static void build_container (const char *rootfs, const char *const cgroups[])
{
    for (int i = 1; cgroups[i]; i++)
        enter_cgroup1 (cgroups[i]);
    MUST (unshare (CLONE_NEWCGROUP)); /* not by clone3: it would take the parent's cgroup as root */
    MUST (setsid ());
    MUST (syscall (SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, "_floor"));
    loopback_up ();
    MUST (sethostname ("floor", 5));
    umask (0);
    enter_rootfs (rootfs);
    mount_filesystems (cgroups);
    make_devices ();
    mask_paths ();
    readonly_paths ();
    MUST (syscall (SYS_pivot_root, ".", "."));
    MUST (umount2 (".", MNT_DETACH));
    MUST (chdir ("/"));
    umask (022);
    drop_privileges ();
}

/* 0 in the container's process, which is in its namespaces and cgroup. */
static pid_t clone_into (unsigned long long namespaces, const char *cgroup)
{
    int fd = (int)MUST (open (cgroup, O_PATH | O_DIRECTORY | O_CLOEXEC));
    struct clone_args args = {.flags = namespaces | CLONE_INTO_CGROUP,
                              .exit_signal = SIGCHLD,
                              .cgroup = (unsigned int)fd};
    pid_t pid = (pid_t)MUST (syscall (SYS_clone3, &args, sizeof args));

    close (fd);
    return pid;
}

static const unsigned long long NAMESPACES =
    CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNS;

static int wait_for (pid_t pid)
{
    int status;

    MUST (waitpid (pid, &status, 0));
    return WIFEXITED (status) ? WEXITSTATUS (status) : 128 + WTERMSIG (status);
}

static int run (char *words[])
{
    static char *const argv[] = {"/bin/true", NULL};
    const char *const *cgroups = (const char *const *)words + 1;

    make_cgroups (cgroups);
    pid_t pid = clone_into (NAMESPACES, cgroups[0]);
    if (pid == 0) {
        build_container (words[0], cgroups);
        execute (argv);
    }
    int status = wait_for (pid);
    for (int i = 0; cgroups[i]; i++)
        MUST (rmdir (cgroups[i]));
    return status;
}

static int create (char *words[])
{
    static char *const argv[] = {"/bin/sleep", "1000", NULL};
    const char *const *cgroups = (const char *const *)words + 3;
    char letter;
    int ready[2];

    MUST (mkfifo (words[1], 0600));
    int gate = (int)MUST (open (words[1], O_RDWR | O_CLOEXEC));
    MUST (pipe2 (ready, O_CLOEXEC));
    make_cgroups (cgroups);
    pid_t pid = clone_into (NAMESPACES, cgroups[0]);
    if (pid == 0) {
        build_container (words[0], cgroups);
        MUST (write (ready[1], "r", 1));
        MUST (read (gate, &letter, 1));
        execute (argv);
    }
    MUST (read (ready[0], &letter, 1));
    int file = (int)MUST (open (words[2], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
    MUST (dprintf (file, "%d", pid));
    close (file);
    return 0;
}

static int start (char *words[])
{
    int gate = (int)MUST (open (words[0], O_WRONLY | O_NONBLOCK | O_CLOEXEC));

    MUST (write (gate, "s", 1));
    return 0;
}

static int kill_it (char *words[])
{
    MUST (kill (atoi (words[0]), SIGKILL));
    return 0;
}

static int delete (char *words[])
{
    MUST (unlink (words[0]));
    for (int i = 1; words[i]; i++)
        MUST (rmdir (words[i]));
    return 0;
}

static int exec (char *words[])
{
    static char *const argv[] = {"/bin/true", NULL};
    int pidfd = (int)MUST (syscall (SYS_pidfd_open, atoi (words[0]), 0));

    MUST (setns (pidfd, CLONE_NEWPID));
    pid_t pid = clone_into (0, words[1]);
    if (pid == 0) {
        MUST (setns (pidfd,
                     CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP));
        MUST (setsid ());
        drop_privileges ();
        execute (argv);
    }
    return wait_for (pid);
}

static int empty (char *words[])
{
    (void)words;
    return 0;
}

int main (int argc, char *argv[])
{
    static const struct {
        const char *name;
        int least;
        int (*act) (char *words[]);
    } modes[] = {{"run", 2, run},      {"create", 4, create}, {"start", 1, start},
                 {"kill", 1, kill_it}, {"delete", 2, delete}, {"exec", 2, exec},
                 {"empty", 0, empty}};

    for (size_t i = 0; argc > 1 && i < COUNT (modes); i++)
        if (strcmp (argv[1], modes[i].name) == 0 && argc - 2 >= modes[i].least)
            return modes[i].act (argv + 2);
    fprintf (stderr, "floor: see the head of floor.c for how to call it\n");
    return 125;
}
