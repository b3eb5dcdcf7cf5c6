/* SPDX-License-Identifier: Apache-2.0 */
/*
 * probe: what a container sees, told by the container itself.
 *
 * The only program of the test suite's root file system: static, no shell, no libc data files. It
 * runs operations in the order of its arguments, separated by ";". Most print one line of JSON,
 * {"op": ..., ...} with "errno" where the kernel refused; `echo` and `copy` write raw bytes.
 * It serves as a hook, too (`hook FILE`), inside and outside of containers.
 */
#include "probe.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

/* ---- operations; argv[0] is the operation's name ---- */

static int op_report (char **argv)
{
    open_line ("report");
    put_process (argv);
    close_line ();
    return 0;
}

/* hook FILE: reads standard input to its end, appends a report with it to FILE. */
static int op_hook (char **argv)
{
    size_t length = 0;
    char *state = slurp (0, &length);
    out = fopen (argv[1], "ae");
    if (!out) {
        fprintf (stderr, "hook: %s: %s\n", argv[1], strerror (errno));
        exit (90);
    }
    open_line ("hook");
    put_process (argv);
    key ("state");
    put_json (state ? state : "", length);
    close_line ();
    fclose (out);
    out = stdout;
    free (state);
    return 0;
}

static int op_read (char **argv)
{
    size_t length = 0;
    char *bytes = slurp_path (argv[1], &length);
    int saved = errno;
    open_line ("read");
    put_string ("path", argv[1]);
    if (bytes) {
        key ("data");
        put_json (bytes, length);
    } else {
        errno = saved;
        put_result (-1);
    }
    close_line ();
    free (bytes);
    return 0;
}

static int op_write (char **argv)
{
    int fd = open (argv[1], O_WRONLY | O_CLOEXEC | O_NOCTTY);
    long long ret = fd < 0 ? -1 : write (fd, argv[2], strlen (argv[2]));
    told ("write", argv[1], ret);
    if (fd >= 0)
        close (fd);
    return 0;
}

static int op_append (char **argv)
{
    int fd = open (argv[1], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    return fd < 0 || dprintf (fd, "%s\n", argv[2]) < 0 || close (fd);
}

static int op_create (char **argv)
{
    int fd = open (argv[1], O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    told ("create", argv[1], fd < 0 ? -1 : 0);
    if (fd >= 0)
        close (fd);
    return 0;
}

static int op_open (char **argv)
{
    int flags = strcmp (argv[2], "r") == 0   ? O_RDONLY
                : strcmp (argv[2], "w") == 0 ? O_WRONLY
                                             : O_RDWR;
    int fd = open (argv[1], flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    told ("open", argv[1], fd < 0 ? -1 : 0);
    if (fd >= 0)
        close (fd);
    return 0;
}

static int op_mkdir (char **argv)
{
    told ("mkdir", argv[1], mkdir (argv[1], 0777));
    return 0;
}

static int op_unlink (char **argv)
{
    told ("unlink", argv[1], unlink (argv[1]));
    return 0;
}

static int op_chdir (char **argv)
{
    told ("chdir", argv[1], chdir (argv[1]));
    return 0;
}

static int op_mknod (char **argv)
{
    mode_t kind = argv[2][0] == 'b' ? S_IFBLK : argv[2][0] == 'p' ? S_IFIFO : S_IFCHR;
    dev_t dev =
        argv[2][0] == 'p' ? 0 : makedev ((unsigned)number (argv[3]), (unsigned)number (argv[4]));
    told ("mknod", argv[1], mknod (argv[1], kind | 0666, dev));
    return 0;
}

static int op_mount (char **argv)
{
    told ("mount", argv[2], mount (argv[1], argv[2], argv[3], 0, NULL));
    return 0;
}

static int op_umount (char **argv)
{
    told ("umount", argv[1], umount2 (argv[1], MNT_DETACH));
    return 0;
}

static int op_ls (char **argv)
{
    DIR *dir = opendir (argv[1]);
    int saved = errno;
    open_line ("ls");
    put_string ("path", argv[1]);
    errno = saved;
    if (!dir) {
        put_result (-1);
        close_line ();
        return 0;
    }
    key ("names");
    fputc ('[', out);
    bool comma = false;
    for (struct dirent *e; (e = readdir (dir));) {
        if (strcmp (e->d_name, ".") == 0 || strcmp (e->d_name, "..") == 0)
            continue;
        fputs (comma ? ", " : "", out);
        put_json (e->d_name, strlen (e->d_name));
        comma = true;
    }
    fputc (']', out);
    closedir (dir);
    close_line ();
    return 0;
}

static int op_stat (char **argv)
{
    struct stat st;
    if (lstat (argv[1], &st) < 0) {
        told ("stat", argv[1], -1);
        return 0;
    }
    static const struct {
        mode_t mode;
        const char *word;
    } kinds[] = {{S_IFREG, "file"},  {S_IFDIR, "dir"},  {S_IFLNK, "link"},   {S_IFCHR, "char"},
                 {S_IFBLK, "block"}, {S_IFIFO, "fifo"}, {S_IFSOCK, "socket"}};
    open_line ("stat");
    put_string ("path", argv[1]);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if ((st.st_mode & S_IFMT) == kinds[i].mode)
            put_string ("type", kinds[i].word);
    put_number ("mode", st.st_mode & 07777);
    put_number ("uid", st.st_uid);
    put_number ("gid", st.st_gid);
    put_number ("size", st.st_size);
    put_number ("nlink", (long long)st.st_nlink);
    put_number ("ino", (long long)st.st_ino);
    put_number ("dev", (long long)st.st_dev);
    put_number ("major", major (st.st_rdev));
    put_number ("minor", minor (st.st_rdev));
    if (S_ISLNK (st.st_mode))
        put_link ("target", argv[1]);
    close_line ();
    return 0;
}

static int op_statfs (char **argv)
{
    struct statfs fs;
    if (statfs (argv[1], &fs) < 0) {
        told ("statfs", argv[1], -1);
        return 0;
    }
    open_line ("statfs");
    put_string ("path", argv[1]);
    put_number ("type", (long long)fs.f_type);
    put_number ("flags", (long long)fs.f_flags);
    put_number ("bytes", (long long)fs.f_blocks * fs.f_bsize);
    close_line ();
    return 0;
}

static int op_xattr (char **argv)
{
    char value[4096];
    ssize_t n = getxattr (argv[1], argv[2], value, sizeof value - 1);
    int saved = errno;
    open_line ("xattr");
    put_string ("path", argv[1]);
    errno = saved;
    if (n < 0) {
        put_result (-1);
    } else {
        key ("data");
        put_json (value, (size_t)n);
    }
    close_line ();
    return 0;
}

/* call NAME [number]...: one raw system call. */
static int op_call (char **argv)
{
    static const struct {
        const char *name;
        long number;
    } calls[] = {{"getpid", SYS_getpid},
                 {"getppid", SYS_getppid},
                 {"getuid", SYS_getuid},
                 {"mkdirat", SYS_mkdirat},
                 {"unshare", SYS_unshare},
                 {"personality", SYS_personality},
                 {"sethostname", SYS_sethostname},
                 {"keyctl", SYS_keyctl},
                 {"socket", SYS_socket},
                 {"setuid", SYS_setuid},
                 {"ptrace", SYS_ptrace},
                 {"bpf", SYS_bpf},
                 {"openat2", SYS_openat2},
                 {"clone3", SYS_clone3},
                 {"getcpu", SYS_getcpu},
                 {"sched_yield", SYS_sched_yield},
                 {"pidfd_open", SYS_pidfd_open},
                 {"getpriority", SYS_getpriority},
                 {"newest", 9999}};
    long words[6] = {0};
    for (int i = 0; i < 6 && argv[1 + i] && argv[2 + i]; i++)
        words[i] = (long)number (argv[2 + i]);
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        if (strcmp (calls[i].name, argv[1]) == 0) {
            errno = 0;
            told ("call", argv[1],
                  syscall (calls[i].number, words[0], words[1], words[2], words[3], words[4],
                           words[5]));
            return 0;
        }
    fprintf (stderr, "probe: no call %s\n", argv[1]);
    return 91;
}

static int op_tty (char **argv)
{
    (void)argv;
    struct winsize size = {0};
    struct termios mode = {0};
    struct stat st = {0};
    char name[256] = "";
    open_line ("tty");
    put_number ("isatty", isatty (0));
    put_number ("isatty1", isatty (1));
    put_number ("isatty2", isatty (2));
    ioctl (0, TIOCGWINSZ, &size);
    tcgetattr (0, &mode);
    ttyname_r (0, name, sizeof name);
    fstat (0, &st);
    put_string ("name", name);
    put_number ("rows", size.ws_row);
    put_number ("columns", size.ws_col);
    put_number ("onlcr", (mode.c_oflag & ONLCR) != 0);
    put_number ("foreground", tcgetpgrp (0));
    put_number ("uid", st.st_uid);
    put_number ("gid", st.st_gid);
    put_number ("mode", st.st_mode & 07777);
    int fd = open ("/dev/tty", O_RDWR | O_CLOEXEC);
    put_number ("controlling", fd >= 0);
    if (fd >= 0)
        close (fd);
    close_line ();
    return 0;
}

static int op_interface (char **argv)
{
    struct ifreq request = {0};
    int fd = socket (AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    snprintf (request.ifr_name, IFNAMSIZ, "%s", argv[1]);
    int ret = ioctl (fd, SIOCGIFFLAGS, &request);
    open_line ("interface");
    if (ret < 0)
        put_result (ret);
    else
        put_number ("up", (request.ifr_flags & IFF_UP) != 0);
    close_line ();
    close (fd);
    return 0;
}

static int op_keyring (char **argv)
{
    (void)argv;
    char text[512] = "";
    char label[512] = "";
    long ret =
        syscall (SYS_keyctl, KEYCTL_DESCRIBE, KEY_SPEC_SESSION_KEYRING, text, sizeof text - 1, 0);
    syscall (SYS_keyctl, KEYCTL_GET_SECURITY, KEY_SPEC_SESSION_KEYRING, label, sizeof label - 1, 0);
    long id = syscall (SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0, 0, 0);
    open_line ("keyring");
    if (ret < 0)
        put_result (ret);
    put_string ("describe", text);
    put_string ("label", label);
    put_number ("id", id);
    close_line ();
    return 0;
}

static int op_clock (char **argv)
{
    (void)argv;
    struct timespec monotonic, boottime;
    clock_gettime (CLOCK_MONOTONIC, &monotonic);
    clock_gettime (CLOCK_BOOTTIME, &boottime);
    open_line ("clock");
    put_number ("monotonic", monotonic.tv_sec);
    put_number ("boottime", boottime.tv_sec);
    close_line ();
    return 0;
}

/* bomb N: N processes, each of which makes another one in its place and ends, in sessions of their
 * own: whoever lists them and then kills what is on the list comes too late for some. They stay
 * below a limit, at which nobody could be made and all would stand still. After 30 s they end. */
static int op_bomb (char **argv)
{
    time_t last = time (NULL) + 30;
    signal (SIGCHLD, SIG_IGN);
    prctl (PR_SET_CHILD_SUBREAPER, 1);
    for (long long left = number (argv[1]); left > 0; left--) {
        if (fork () != 0)
            continue;
        while (time (NULL) < last) {
            pid_t pid = fork ();
            if (pid > 0)
                _exit (0);
            if (pid == 0)
                setsid ();
        }
        _exit (0);
    }
    for (;;)
        pause ();
}

static int op_memory (char **argv)
{
    size_t size = (size_t)number (argv[1]);
    char *bytes = mmap (NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (bytes != MAP_FAILED)
        memset (bytes, 1, size);
    told ("memory", argv[1], bytes == MAP_FAILED ? -1 : 0);
    return 0;
}

/* children N: makes N processes that wait for ever; says how many the kernel allowed. */
static int op_children (char **argv)
{
    long long made = 0;
    for (long long i = number (argv[1]); i > 0; i--) {
        pid_t pid = fork ();
        if (pid == 0)
            for (;;)
                pause ();
        if (pid < 0)
            break;
        made++;
    }
    told ("children", argv[1], made);
    return 0;
}

/* orphan: a process in a session of its own that waits for ever. */
static int op_orphan (char **argv)
{
    pid_t pid = fork ();
    if (pid == 0) {
        setsid ();
        for (;;)
            pause ();
    }
    told ("orphan", argv[0], pid);
    return 0;
}

static volatile sig_atomic_t caught[NSIG];
static void on_signal (int signal)
{
    char line[32];
    int n = snprintf (line, sizeof line, "signal %d\n", signal);
    if (write (1, line, (size_t)n) < 0)
        _exit (92);
    caught[signal] = 1;
}

/* trap N...: from now on these signals print a line. */
static int op_trap (char **argv)
{
    for (int i = 1; argv[i]; i++)
        signal ((int)number (argv[i]), on_signal);
    return 0;
}

static int op_pause (char **argv)
{
    (void)argv;
    while (pause () < 0) {
    }
    return 0;
}

/* until N: waits for a trapped signal N. */
static int op_until (char **argv)
{
    sigset_t set, old;
    sigfillset (&set);
    sigprocmask (SIG_BLOCK, &set, &old);
    while (!caught[number (argv[1])])
        sigsuspend (&old);
    sigprocmask (SIG_SETMASK, &old, NULL);
    return 0;
}

/* count N: a line for each signal N that comes. How far it is, only its memory knows. */
static int op_count (char **argv)
{
    sigset_t set;
    int signal;

    sigemptyset (&set);
    sigaddset (&set, (int)number (argv[1]));
    sigprocmask (SIG_BLOCK, &set, NULL);
    fprintf (out, "up\n");
    fflush (out);
    for (int count = 1; sigwait (&set, &signal) == 0; count++) {
        fprintf (out, "count %d\n", count);
        fflush (out);
    }
    return 1;
}

static int op_echo (char **argv)
{
    fprintf (out, "%s\n", argv[1]);
    fflush (out);
    return 0;
}

static int op_complain (char **argv)
{
    fprintf (stderr, "%s\n", argv[1]);
    return 0;
}

/* copy: standard input to standard output, to the end. */
static int op_copy (char **argv)
{
    (void)argv;
    char bytes[65536];
    for (ssize_t n; (n = read (0, bytes, sizeof bytes)) > 0;)
        if (write (1, bytes, (size_t)n) < 0)
            return 93;
    return 0;
}

/* flood N: N bytes to standard output. */
static int op_flood (char **argv)
{
    for (long long left = number (argv[1]); left > 0; left -= 64)
        fprintf (out, "%063d\n", 0);
    fflush (out);
    return 0;
}

/* await FIFO: waits until somebody opened the other end and closed it. */
static int op_await (char **argv)
{
    size_t length;
    free (slurp_path (argv[1], &length));
    return 0;
}

static int op_signal (char **argv)
{
    signal ((int)number (argv[1]), SIG_DFL);
    kill (getpid (), (int)number (argv[1]));
    return 0;
}

static int op_exec (char **argv)
{
    execv (argv[1], argv + 1);
    told ("exec", argv[1], -1);
    return 0;
}

static int op_exit (char **argv)
{
    fflush (out);
    exit ((int)number (argv[1]));
}

#define OP(name)                                                                                   \
    {                                                                                              \
#name, op_##name                                                                           \
    }
static const struct {
    const char *name;
    int (*run) (char **argv);
} operations[] = {
    OP (append),   OP (await),  OP (barrier),  OP (bomb),   OP (call),   OP (chdir),
    OP (children), OP (clock),  OP (complain), OP (copy),   OP (count),  OP (create),
    OP (echo),     OP (exec),   OP (exit),     OP (flood),  OP (hook),   OP (interface),
    OP (keyring),  OP (ls),     OP (memory),   OP (mkdir),  OP (mknod),  OP (mount),
    OP (notify),   OP (open),   OP (orphan),   OP (pause),  OP (raw),    OP (read),
    OP (report),   OP (signal), OP (size),     OP (stat),   OP (statfs), OP (stream),
    OP (take),     OP (trap),   OP (tty),      OP (umount), OP (unlink), OP (until),
    OP (write),    OP (xattr),
};

static int run_operation (char **argv)
{
    for (size_t i = 0; i < sizeof operations / sizeof *operations; i++)
        if (strcmp (operations[i].name, argv[0]) == 0)
            return operations[i].run (argv);
    fprintf (stderr, "probe: no operation %s\n", argv[0]);
    return 94;
}

int main (int argc, char **argv)
{
    int status = 0;
    out = stdout;
    for (int i = 1; i < argc && status == 0;) {
        int last = i;
        while (last < argc && strcmp (argv[last], ";") != 0)
            last++;
        argv[last] = NULL; /* argv[argc] is NULL already */
        if (argv[i])
            status = run_operation (argv + i);
        i = last + 1;
    }
    fflush (out);
    return status;
}
