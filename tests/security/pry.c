/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pry: see pry.h.
 *
 *   pry WORD=VALUE...      prints "up", tries until the file of `stop` appears, prints one line of
 * JSON
 *
 * The words are those of the table in `read_word`.
 */
#include "pry.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define AHEAD 6         /* numbers of processes that are asked for before they are there */
#define TARGETS 32      /* that live at the same time */
#define PASSES_MAX 4000 /* of a process that neither executes nor ends */
#define TOLD_OF_WAY 3
#define PROVEN 2000 /* hits after which the dear ways are left out */

struct task task = {.hold = "step", .uid = 0, .gid = 0};

static const char *const way_words[WAYS] = {
    "root", "cwd", "plant",  "fd",    "fdinfo", "exe",   "environ", "cmdline",
    "mem",  "vm",  "status", "label", "space",  "seize", "getfd",   "setns",
};

static struct {
    unsigned tried, got, hits;
} counts[WAYS];
static unsigned seen_count, early_count, look_count, held_count;
static char told[WAYS * TOLD_OF_WAY][400];
static unsigned told_count;

static bool seen[1 << 22];
static struct target targets[TARGETS];
static int last;

/* ---- counting and telling */

void tried (enum way way)
{
    counts[way].tried++;
}

void got (enum way way)
{
    counts[way].got++;
}

void count_held (void)
{
    held_count++;
}

bool is_proven (void)
{
    unsigned sum = 0;
    for (int way = 0; way < WAYS; way++)
        sum += counts[way].hits;
    return sum > PROVEN;
}

void hit (enum way way, const struct target *target, const char *format, ...)
{
    char detail[256];
    va_list arguments;

    if (counts[way].hits++ >= TOLD_OF_WAY)
        return;
    va_start (arguments, format);
    (void)vsnprintf (detail, sizeof detail, format, arguments);
    va_end (arguments);
    for (char *each = detail; *each; each++)
        if (*each < ' ' || *each > '~' || *each == '"' || *each == '\\')
            *each = '?';
    (void)snprintf (
        told[told_count++], sizeof *told,
        "{\"way\": \"%s\", \"pid\": %d, \"name\": \"%s\", \"executed\": %s, \"detail\": \"%s\"}",
        way_words[way], target->pid, target->name, target->executed ? "true" : "false", detail);
}

static void put_counts (const char *name, size_t offset)
{
    printf ("\"%s\": {", name);
    for (int way = 0; way < WAYS; way++)
        printf ("%s\"%s\": %u", way ? ", " : "", way_words[way],
                *(const unsigned *)((const char *)&counts[way] + offset));
    printf ("}, ");
}

static void tell (void)
{
    printf ("{\"seen\": %u, \"early\": %u, \"looks\": %u, \"held\": %u, ", seen_count, early_count,
            look_count, held_count);
    put_counts ("tried", offsetof (__typeof__ (counts[0]), tried));
    put_counts ("got", offsetof (__typeof__ (counts[0]), got));
    put_counts ("hits", offsetof (__typeof__ (counts[0]), hits));
    printf ("\"first\": [");
    for (unsigned i = 0; i < told_count; i++)
        printf ("%s%s", i ? ", " : "", told[i]);
    printf ("]}\n");
    (void)fflush (stdout);
}

/* ---- the processes */

bool must_stop (void)
{
    return access (task.stop, F_OK) == 0;
}

pid_t fork_unseen (void)
{
    pid_t child = fork ();
    if (child > 0 && child < (int)sizeof seen)
        seen[child] = true;
    if (child > last)
        last = child;
    return child;
}

static int open_process (int pid)
{
    char path[32];
    (void)snprintf (path, sizeof path, "/proc/%d", pid);
    return open (path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

/* From here to the end of its first pass nothing is done but what it is there for. */
static bool is_for_ever (void)
{
    static const char *const holds[] = {"keep", "stop", "talk", "deafen"};
    bool found = false;

    for (size_t i = 0; i < sizeof holds / sizeof *holds; i++)
        found = found || strcmp (task.hold, holds[i]) == 0;
    return found;
}

static void meet (int pid)
{
    struct target *target = NULL;

    if (pid < 1 || pid >= (int)sizeof seen || seen[pid])
        return;
    int dir = open_process (pid);
    if (dir < 0)
        return;
    seen[pid] = true;
    if (pid > last)
        last = pid;
    for (int i = 0; i < TARGETS && !target; i++)
        if (targets[i].dir < 0)
            target = &targets[i];
    if (!target) {
        (void)close (dir);
        return;
    }
    /* Each begins at another place of the round: what comes first meets most. */
    *target = (struct target){.pid = pid, .dir = dir, .name = "?", .passes = seen_count / 2 % 8};
    seen_count++;
    if (is_for_ever ())
        return;
    if (strcmp (task.hold, "step") == 0 && seen_count % 2 == 0 && !is_proven ())
        take_hold (target);
    else if (strcmp (task.hold, "forge") == 0)
        take_voice (target);
    else
        look (target, false);
    look_count++;
    early_count += !target->executed;
}

static void meet_listed (void)
{
    DIR *dir = opendir ("/proc");
    for (struct dirent *each; dir && (each = readdir (dir));)
        meet (atoi (each->d_name));
    if (dir)
        (void)closedir (dir);
}

static void leave (struct target *target)
{
    (void)close (target->dir);
    target->dir = -1;
}

/* Once more at each that is still there. What has executed is looked at a little longer: then the
 * program shows what it was given in the end. */
static void look_again (void)
{
    for (int i = 0; i < TARGETS; i++) {
        struct target *target = &targets[i];
        if (target->dir < 0)
            continue;
        look (target, false);
        look_count++;
        target->passes += target->executed ? PASSES_MAX / 3 : 1;
        if (target->ended || target->passes > PASSES_MAX)
            leave (target);
    }
}

static void roam (void)
{
    for (unsigned round = 0; round % 16 || !must_stop (); round++) {
        if (round % 64 == 0)
            meet_listed ();
        for (int pid = last + 1, end = last + AHEAD; pid <= end; pid++)
            meet (pid);
        look_again ();
    }
}

/* The first that can be held before it has executed; then only the end is waited for. */
static void keep_one (void)
{
    for (unsigned round = 0; round % 16 || !must_stop (); round++) {
        if (round % 64 == 0)
            meet_listed ();
        for (int pid = last + 1, end = last + AHEAD; pid <= end; pid++)
            meet (pid);
        for (int i = 0; i < TARGETS; i++) {
            if (targets[i].dir < 0)
                continue;
            if (take_for_ever (&targets[i])) {
                printf ("held %d %s\n", targets[i].pid, targets[i].name);
                (void)fflush (stdout);
                for (; !must_stop (); (void)usleep (1000))
                    go_on_talking ();
                return;
            }
            leave (&targets[i]);
        }
    }
}

static void look_at_one (int pid)
{
    struct target *target = &targets[0];

    *target = (struct target){.pid = pid, .dir = open_process (pid), .name = "?"};
    if (target->dir < 0)
        return;
    seen_count++;
    do {
        look (target, true);
        if (strcmp (task.hold, "step") == 0 && look_count == 0)
            take_hold (target);
        look_count++;
        early_count += !target->executed;
    } while (look_count < 20 && !must_stop ());
}

/* ---- the words */

static void add_inode (struct inode *list, int *count, const char *value)
{
    unsigned long long dev, ino;
    struct stat st;

    if (*count >= MANY)
        exit (2);
    if (*value == '/' && stat (value, &st) == 0)
        list[(*count)++] = (struct inode){st.st_dev, st.st_ino};
    else if (sscanf (value, "%llu:%llu", &dev, &ino) == 2)
        list[(*count)++] = (struct inode){(dev_t)dev, (ino_t)ino};
    else
        exit (2);
}

static bool is_set (const char *name, const char *value)
{
    static const char *const sets[SETS] = {"inh", "prm", "eff", "bnd", "amb"};

    for (int i = 0; i < SETS; i++)
        if (strcmp (name, sets[i]) == 0) {
            task.sets[i] = strtoull (value, NULL, 16);
            return true;
        }
    return false;
}

static bool is_list (const char *name, const char *value)
{
    if (strcmp (name, "root") == 0)
        add_inode (task.roots, &task.root_count, value);
    else if (strcmp (name, "program") == 0)
        add_inode (task.programs, &task.program_count, value);
    else if (strcmp (name, "marker") == 0 && task.marker_count < MANY)
        task.markers[task.marker_count++] = value;
    else if (strcmp (name, "host") == 0 && task.host_space_count < MANY)
        task.host_spaces[task.host_space_count++] = value;
    else if (strcmp (name, "group") == 0 && task.group_count < MANY)
        task.groups[task.group_count++] = strtoull (value, NULL, 10);
    else
        return false;
    return true;
}

static void read_word (char *word)
{
    char *value = strchr (word, '=');
    const struct {
        const char *name;
        const char **text;
    } texts[] = {{"stop", &task.stop}, {"canary", &task.canary}, {"plant", &task.plant},
                 {"hold", &task.hold}, {"breed", &task.breed},   {"answer", &task.answer}};

    if (!value)
        exit (2);
    *value++ = '\0';
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (strcmp (word, texts[i].name) == 0) {
            *texts[i].text = value;
            return;
        }
    if (is_set (word, value) || is_list (word, value))
        return;
    if (strcmp (word, "spaces") == 0)
        task.own_spaces = strcmp (value, "own") == 0;
    else if (strcmp (word, "streams") == 0)
        task.terminal = strcmp (value, "tty") == 0;
    else if (strcmp (word, "uid") == 0)
        task.uid = strtoull (value, NULL, 10);
    else if (strcmp (word, "gid") == 0)
        task.gid = strtoull (value, NULL, 10);
    else if (strcmp (word, "nnp") == 0)
        task.no_new_privs = atoi (value);
    else if (strcmp (word, "seccomp") == 0)
        task.seccomp = atoi (value);
    else if (strcmp (word, "only") == 0)
        task.only = atoi (value);
    else
        exit (2);
}

/* What any process of the container may do: execute its program, NUMBER times. Nothing of it is a
 * hit. */
static int breed (long number, const char *stop)
{
    while (number-- > 0) {
        pid_t child = fork ();
        if (child == 0) {
            (void)usleep (5000);
            (void)execl ("/bin/probe", "probe", "exit", "0", NULL);
            _exit (1);
        }
        if (child < 0 || waitpid (child, NULL, 0) != child)
            return 1;
    }
    return creat (stop, 0600) < 0;
}

static void begin_to_breed (void)
{
    if (fork_unseen () == 0) {
        (void)execl ("/proc/self/exe", "pry", "breed", task.breed, task.stop, NULL);
        _exit (1);
    }
}

int main (int argc, char **argv)
{
    if (argc == 4 && strcmp (argv[1], "breed") == 0)
        return breed (atol (argv[2]), argv[3]);
    add_inode (task.roots, &task.root_count, "/");
    add_inode (task.programs, &task.program_count, "/proc/self/exe");
    for (int i = 1; i < argc; i++)
        read_word (argv[i]);
    if (!task.stop || !task.canary || !task.plant || access (task.canary, F_OK) == 0) {
        printf ("the host is in sight, or is not named\n");
        return 2;
    }
    for (int i = 0; i < TARGETS; i++)
        targets[i].dir = -1;
    /* Those that are there already are neighbours. */
    seen[getpid ()] = true;
    DIR *dir = opendir ("/proc");
    for (struct dirent *each; dir && (each = readdir (dir));) {
        int pid = atoi (each->d_name);
        if (pid > 0 && pid < (int)sizeof seen)
            seen[pid] = true;
        if (pid > last)
            last = pid;
    }
    if (!dir)
        return 2;
    (void)closedir (dir);
    printf ("up\n");
    (void)fflush (stdout);
    if (task.breed)
        begin_to_breed ();
    if (task.answer && task.only)
        return answer_at_gate (task.only);
    if (task.only)
        look_at_one (task.only);
    else if (is_for_ever ())
        keep_one ();
    else
        roam ();
    tell ();
    return 0;
}
