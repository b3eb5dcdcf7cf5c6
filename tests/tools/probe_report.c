/* SPDX-License-Identifier: Apache-2.0 */
/*
 * probe_report: the probe's JSON and its report of the whole process (see probe.c).
 */
#include "probe.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

FILE *out;

long long number (const char *text)
{
    long long value = 0;
    bool minus = *text == '-';
    int base = strchr (text, 'x') ? 16 : (text[0] == '0' ? 8 : 10);
    for (text += minus; *text; text++) {
        if (*text == 'x')
            continue;
        int digit = *text >= 'a' ? *text - 'a' + 10 : *text - '0';
        value = value * base + digit;
    }
    return minus ? -value : value;
}

void put_json (const char *bytes, size_t length)
{
    fputc ('"', out);
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)bytes[i];
        if (c == '"' || c == '\\')
            fprintf (out, "\\%c", c);
        else if (c < 0x20 || c >= 0x7f) /* bytes as Latin-1 */
            fprintf (out, "\\u%04x", c);
        else
            fputc (c, out);
    }
    fputc ('"', out);
}

void open_line (const char *op)
{
    fputs ("{\"op\": ", out);
    put_json (op, strlen (op));
}

void key (const char *name)
{
    fprintf (out, ", \"%s\": ", name);
}

void put_string (const char *name, const char *value)
{
    key (name);
    put_json (value, strlen (value));
}

void put_number (const char *name, long long value)
{
    key (name);
    fprintf (out, "%lld", value);
}

void close_line (void)
{
    fputs ("}\n", out);
    fflush (out);
}

/* ret < 0: the kernel's word; else nothing but the number. */
void put_result (long long ret)
{
    if (ret < 0)
        put_string ("errno", strerrorname_np (errno) ? strerrorname_np (errno) : "?");
    else
        put_number ("ret", ret);
}

void told (const char *op, const char *path, long long ret)
{
    int saved = errno;
    open_line (op);
    put_string ("path", path);
    errno = saved;
    put_result (ret);
    close_line ();
}

char *slurp (int fd, size_t *length)
{
    size_t size = 1 << 16, used = 0;
    char *bytes = malloc (size);
    for (;;) {
        ssize_t n = read (fd, bytes + used, size - used - 1);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            free (bytes);
            return NULL;
        }
        used += (size_t)n;
        if (n == 0)
            break;
        if (used == size - 1)
            bytes = realloc (bytes, size *= 2);
    }
    bytes[used] = '\0';
    *length = used;
    return bytes;
}

char *slurp_path (const char *path, size_t *length)
{
    int fd = open (path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return NULL;
    char *bytes = slurp (fd, length);
    int saved = errno;
    close (fd);
    errno = saved;
    return bytes;
}

/* ---- report: the whole process ---- */

void put_link (const char *name, const char *path)
{
    char target[4096];
    ssize_t n = readlink (path, target, sizeof target);
    key (name);
    if (n < 0)
        fputs ("null", out);
    else
        put_json (target, (size_t)n);
}

static void put_fds (void)
{
    key ("fds");
    fputc ('{', out);
    DIR *dir = opendir ("/proc/self/fd");
    bool comma = false;
    for (struct dirent *e; dir && (e = readdir (dir));) {
        char path[64], target[4096];
        if (e->d_name[0] == '.' || number (e->d_name) == dirfd (dir) ||
            (out != stdout && number (e->d_name) == fileno (out)))
            continue;
        snprintf (path, sizeof path, "/proc/self/fd/%.20s", e->d_name);
        ssize_t n = readlink (path, target, sizeof target);
        fprintf (out, "%s\"%s\": ", comma ? ", " : "", e->d_name);
        put_json (target, n < 0 ? 0 : (size_t)n);
        comma = true;
    }
    if (dir)
        closedir (dir);
    fputc ('}', out);
}

static void put_limits (void)
{
    static const char *const names[] = {
        "CPU",     "FSIZE", "DATA",  "STACK",      "CORE",     "RSS",  "NPROC",  "NOFILE",
        "MEMLOCK", "AS",    "LOCKS", "SIGPENDING", "MSGQUEUE", "NICE", "RTPRIO", "RTTIME"};
    key ("rlimits");
    for (int i = 0; i < 16; i++) {
        struct rlimit limit = {0};
        getrlimit (i, &limit);
        fprintf (out, "%s\"%s\": [%llu, %llu]", i ? ", " : "{", names[i],
                 (unsigned long long)limit.rlim_cur, (unsigned long long)limit.rlim_max);
    }
    fputc ('}', out);
}

static void put_namespaces (void)
{
    static const char *const names[] = {"cgroup", "ipc",  "mnt", "net", "pid",
                                        "time",   "user", "uts", NULL};
    key ("namespaces");
    fputs ("{\"\": 0", out);
    for (int i = 0; names[i]; i++) {
        char path[64];
        struct stat st;
        snprintf (path, sizeof path, "/proc/self/ns/%s", names[i]);
        if (stat (path, &st) == 0)
            fprintf (out, ", \"%s\": %llu", names[i], (unsigned long long)st.st_ino);
    }
    fputc ('}', out);
}

static void put_status (void)
{
    size_t length;
    char *status = slurp_path ("/proc/self/status", &length);
    char *save = NULL;
    key ("status");
    fputs ("{\"\": \"\"", out);
    for (char *line = status ? strtok_r (status, "\n", &save) : NULL; line;
         line = strtok_r (NULL, "\n", &save)) {
        char *value = strchr (line, ':');
        if (!value)
            continue;
        *value++ = '\0';
        value += strspn (value, " \t");
        fprintf (out, ", \"%s\": ", line);
        put_json (value, strlen (value));
    }
    fputc ('}', out);
    free (status);
}

static void put_list (const char *name, char *const *items)
{
    key (name);
    fputc ('[', out);
    for (int i = 0; items[i]; i++) {
        fputs (i ? ", " : "", out);
        put_json (items[i], strlen (items[i]));
    }
    fputc (']', out);
}

extern char **environ;

void put_process (char **argv)
{
    mode_t mask = umask (0);
    umask (mask);
    char cwd[8192];
    struct utsname uts;
    struct sched_param param = {0};
    cpu_set_t cpus;
    gid_t groups[4096];
    int count = getgroups (4096, groups);

    put_number ("pid", getpid ());
    put_number ("ppid", getppid ());
    put_number ("pgid", getpgid (0));
    put_number ("sid", getsid (0));
    put_number ("umask", mask);
    put_string ("cwd", getcwd (cwd, sizeof cwd) ? cwd : "");
    put_list ("argv", argv);
    put_list ("env", environ);
    put_fds ();
    put_limits ();
    put_namespaces ();
    put_status ();
    key ("groups");
    fputc ('[', out);
    for (int i = 0; i < count; i++)
        fprintf (out, "%s%u", i ? ", " : "", groups[i]);
    fputc (']', out);
    uname (&uts);
    put_string ("hostname", uts.nodename);
    put_string ("domainname", uts.domainname);
    put_number ("nnp", prctl (PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
    put_number ("securebits", prctl (PR_GET_SECUREBITS));
    put_number ("dumpable", prctl (PR_GET_DUMPABLE));
    put_number ("pdeathsig", ({
                    int signal = 0;
                    prctl (PR_GET_PDEATHSIG, &signal);
                    signal;
                }));
    put_number ("personality", personality (0xffffffff));
    put_number ("policy", sched_getscheduler (0));
    sched_getparam (0, &param);
    put_number ("priority", param.sched_priority);
    errno = 0;
    put_number ("nice", getpriority (PRIO_PROCESS, 0));
    put_number ("ioprio", syscall (SYS_ioprio_get, 1, 0));
    sched_getaffinity (0, sizeof cpus, &cpus);
    put_number ("cpus", CPU_COUNT (&cpus));
    size_t length = 0;
    char *score = slurp_path ("/proc/self/oom_score_adj", &length);
    put_number ("oom_score_adj", score ? number (strtok (score, "\n")) : -9999);
    free (score);
    put_link ("exe", "/proc/self/exe");
    put_link ("root", "/proc/self/root");
}
