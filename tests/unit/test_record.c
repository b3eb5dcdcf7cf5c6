/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The record of a container: ids, the claim, the lock, the text and back.
 */
#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/text.h"
#include "state/record.h"
#include "state/record_json.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

static char base[] = "/tmp/rt-test-record-XXXXXX";
static char root[64];

/* rows: CRT-25 */
static void ids (void **state)
{
    (void)state;
    struct error err;
    static const char *const good[] = {"a",  "A-b_c.d+e", "0",  "_x",
                                       "+x", "a..b",      "a-", "3f4e5d6c7b8a"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_int_equal (record_check_id (good[i], &err), 0);

    static const char *const bad[] = {
        "",       ".",      "..",       "../x",    "a/b",   "/a",       "a/",
        "a/../b", "-x",     "--force",  ".hidden", "a b",   " a",       "a\n",
        "a\tb",   "a:b",    "a;b",      "$(id)",   "a*",    "a\\b",     "a\"b",
        "a@b",    "a%2f..", "\xc3\xa4", "a\xff",   "a\x7f", "a\x1b[2J", "a,b",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        memset (&err, 0, sizeof err);
        assert_int_equal (record_check_id (bad[i], &err), -1);
        assert_string_equal (err.code, "RT-STATE-ID");
        /* and it never becomes a part of a path */
        assert_int_equal (record_claim (root, bad[i], &err), -1);
        assert_int_equal (record_open (root, bad[i], true, &err), -1);
        assert_string_equal (err.code, "RT-STATE-ID");
    }
    char longest[257];
    memset (longest, 'a', 256);
    longest[255] = '\0';
    assert_int_equal (record_check_id (longest, &err), 0);
    longest[255] = 'a';
    longest[256] = '\0';
    assert_int_equal (record_check_id (longest, &err), -1);
}

static struct record sample (void)
{
    static struct oci_pair cgroup[] = {{"", "/sys/fs/cgroup/a"}, {"cpu,cpuacct", "/x\"y"}};
    static struct oci_pair annotations[] = {{"org.example/k", "v\nw"}, {"", "\xc3\xa4"}};
    return (struct record){
        .phase = RECORD_CREATED,
        .id = "box",
        .bundle = "/a \"b\"\\c",
        .rootfs = "/a/rootfs",
        .created = "2026-01-02T03:04:05.678901234Z",
        .owner = 4294967294u,
        .pid = 2147483647,
        .start_time = UINT64_MAX,
        .creator = 17,
        .creator_start_time = 18,
        .cgroup = {.count = 2, .items = cgroup, .present = true},
        .systemd = true,
        .systemd_unit = "rt-box.scope",
        .systemd_bus = "unix:path=/x",
        .terminal = false,
        .own_pid_namespace = true,
        .no_new_keyring = true,
        .annotations = {.count = 2, .items = annotations, .present = true},
    };
}

static void assert_maps_equal (const struct oci_map *a, const struct oci_map *b)
{
    assert_int_equal (a->count, b->count);
    for (size_t i = 0; i < a->count; i++) {
        assert_string_equal (a->items[i].key, b->items[i].key);
        assert_string_equal (a->items[i].value, b->items[i].value);
    }
}

static void assert_records_equal (const struct record *a, const struct record *b)
{
    assert_int_equal (a->phase, b->phase);
    assert_string_equal (a->id, b->id);
    assert_string_equal (a->bundle, b->bundle);
    assert_string_equal (a->rootfs, b->rootfs);
    assert_string_equal (a->created, b->created);
    assert_int_equal (a->owner, b->owner);
    assert_int_equal (a->pid, b->pid);
    assert_true (a->start_time == b->start_time);
    assert_int_equal (a->creator, b->creator);
    assert_true (a->creator_start_time == b->creator_start_time);
    assert_maps_equal (&a->cgroup, &b->cgroup);
    assert_int_equal (a->systemd, b->systemd);
    assert_string_equal (a->systemd_unit, b->systemd_unit);
    assert_string_equal (a->systemd_bus, b->systemd_bus);
    assert_int_equal (a->terminal, b->terminal);
    assert_int_equal (a->own_pid_namespace, b->own_pid_namespace);
    assert_int_equal (a->no_new_keyring, b->no_new_keyring);
    assert_maps_equal (&a->annotations, &b->annotations);
}

/* rows: VRB-11 */
static void round_trip (void **state)
{
    (void)state;
    AUTO_ARENA struct arena arena = ARENA_INIT;
    struct error err;
    struct record written = sample (), read;
    AUTO_FD int dir = record_claim (root, "box", &err);
    assert_true (dir >= 0);
    mode_t old = umask (0777);
    assert_int_equal (record_write (dir, &written, &err), 0);
    (void)umask (old);
    struct stat st;
    assert_int_equal (fstatat (dir, "record.json", &st, 0), 0);
    assert_int_equal (st.st_mode & 07777, 0600);
    assert_int_equal (fstatat (dir, "record.json.new", &st, 0), -1);
    assert_int_equal (record_read (dir, &arena, &read, &err), 0);
    assert_records_equal (&written, &read);

    written.phase = RECORD_CREATING;
    written.rootfs = NULL;
    written.annotations.count = 0;
    assert_int_equal (record_write (dir, &written, &err), 0);
    assert_int_equal (record_read (dir, &arena, &read, &err), 0);
    assert_int_equal (read.phase, RECORD_CREATING);
    assert_null (read.rootfs);
    assert_int_equal (read.annotations.count, 0);
    assert_int_equal (record_remove (root, "box", dir, &err), 0);
}

static int read_text (const char *text, struct error *err)
{
    AUTO_ARENA struct arena arena = ARENA_INIT;
    struct record record;
    memset (err, 0, sizeof *err);
    return record_from_json (&arena, text, strlen (text), &record, err);
}

static void other_versions_and_damage (void **state)
{
    (void)state;
    struct error err;
    struct record record = sample ();
    AUTO_TEXT struct text good = {0};
    record_to_json (&record, &good);
    assert_int_equal (read_text (good.bytes, &err), 0);

    /* A later version is read, unless it says that it must not be. */
    struct {
        const char *head, *code, *pointer;
    } heads[] = {
        {"\"version\": 2, \"floor\": 1, \"later\": {\"x\": [1]}", "", ""},
        {"\"version\": 7", "", ""},
        {"\"version\": 2, \"floor\": 2", "RT-STATE-VERSION", ""},
        {"\"version\": 1, \"floor\": 18446744073709551615", "RT-STATE-VERSION", ""},
        {"\"version\": 1, \"floor\": 0", "RT-STATE-DAMAGED", "/floor"},
        {"\"version\": 1, \"floor\": \"1\"", "RT-STATE-DAMAGED", "/floor"},
        {"\"version\": 0", "RT-STATE-DAMAGED", "/version"},
        {"\"version\": -1", "RT-STATE-DAMAGED", "/version"},
    };
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        char text[512];
        (void)snprintf (text, sizeof text,
                        "{%s, \"phase\": \"created\", \"id\": \"a\", \"bundle\": \"/b\", "
                        "\"pid\": 1, \"startTime\": 2}",
                        heads[i].head);
        assert_int_equal (read_text (text, &err), heads[i].code[0] ? -1 : 0);
        assert_string_equal (err.code, heads[i].code);
        assert_string_equal (err.pointer, heads[i].pointer);
    }
    assert_int_equal (read_text ("{}", &err), -1);
    assert_string_equal (err.code, "RT-STATE-DAMAGED");
    assert_int_equal (read_text ("", &err), -1);
    assert_string_equal (err.code, "RT-STATE-DAMAGED");
    assert_string_equal (err.file, "record.json");
    assert_int_equal (read_text ("{\"version\": 1, \"phase\": \"dancing\"}", &err), -1);
    assert_string_equal (err.pointer, "/phase");

    static const char *const swaps[][3] = {
        {"\"pid\": 2147483647", "\"pid\": 2147483648", "/pid"},
        {"\"pid\": 2147483647", "\"pid\": -1", "/pid"},
        {"\"pid\": 2147483647", "\"pid\": \"1\"", "/pid"},
        {"\"owner\": 4294967294", "\"owner\": 4294967296", "/owner"},
        {"\"id\": \"box\"", "\"id\": 1", "/id"},
        {"\"id\": \"box\"", "\"ix\": \"box\"", "/id"},
        {"\"systemd\": true", "\"systemd\": \"true\"", "/systemd"},
        {"\"cgroup\": {", "\"cgroup\": [], \"x\": {", "/cgroup"},
        {"\"/sys/fs/cgroup/a\"", "7", "/cgroup"},
    };
    for (size_t i = 0; i < sizeof swaps / sizeof swaps[0]; i++) {
        const char *at = strstr (good.bytes, swaps[i][0]);
        assert_non_null (at);
        AUTO_TEXT struct text changed = {0};
        text_add (&changed, good.bytes, (size_t)(at - good.bytes));
        text_puts (&changed, swaps[i][1]);
        text_puts (&changed, at + strlen (swaps[i][0]));
        assert_int_equal (read_text (changed.bytes, &err), -1);
        assert_string_equal (err.code, "RT-STATE-DAMAGED");
        assert_string_equal (err.pointer, swaps[i][2]);
    }
}

/* Wherever the text is cut off, a member is as it was, or zero. */
static void parts_of_a_damaged_record (void **state)
{
    (void)state;
    AUTO_ARENA struct arena arena = ARENA_INIT;
    struct record record = sample (), parts;
    AUTO_TEXT struct text good = {0};
    size_t before = 0;

    record_to_json (&record, &good);
    for (size_t length = 0; length < good.length; length++) {
        record_parts_of_json (&arena, good.bytes, length, "box", &parts);
        size_t found = (parts.id != NULL) + (parts.bundle != NULL) + (parts.pid != 0) +
                       (parts.start_time != 0) + parts.cgroup.present +
                       (parts.systemd_unit != NULL) + parts.annotations.present;
        assert_true (found >= before);
        before = found;
        assert_int_equal (parts.phase, RECORD_CREATING);
        if (parts.bundle)
            assert_string_equal (parts.bundle, record.bundle);
        assert_true (parts.pid == 0 || parts.pid == record.pid);
        assert_true (parts.start_time == 0 || parts.start_time == record.start_time);
        assert_true (!parts.cgroup.present || parts.cgroup.count == record.cgroup.count);
    }
    assert_int_equal (before, 7);
    record_parts_of_json (&arena, good.bytes, good.length, "box", &parts);
    assert_true (parts.annotations.present);
    record_parts_of_json (&arena, good.bytes, good.length, "other", &parts);
    assert_null (parts.id);
    assert_int_equal (parts.pid, 0);

    static const char text[] =
        "{\"id\": \"box\", \"bundle\": 7, \"pid\": 9, \"startTime\": \"x\","
        "\"cgroup\": {\"\": \"/a\", \"b\": 3}, \"intelRdt\": \"a\\\",{\", \"notif";
    record_parts_of_json (&arena, text, strlen (text), "box", &parts);
    assert_null (parts.bundle);
    assert_int_equal (parts.pid, 9);
    assert_int_equal (parts.start_time, 0);
    assert_false (parts.cgroup.present);
    assert_string_equal (parts.intel_rdt, "a\",{");
}

/* rows: CRT-24 ENG-15 ENG-18 VRB-25 */
static void claim_open_remove (void **state)
{
    (void)state;
    struct error err;
    struct stat st;
    assert_int_equal (record_open (root, "one", false, &err), -1);
    assert_string_equal (err.code, "RT-STATE-MISSING");
    assert_non_null (strstr (err.text, "does not exist"));

    mode_t old = umask (0);
    AUTO_FD int dir = record_claim (root, "one", &err);
    (void)umask (old);
    assert_true (dir >= 0);
    assert_int_equal (fstat (dir, &st), 0);
    assert_int_equal (st.st_mode & 07777, 0700);
    assert_int_equal (stat (root, &st), 0);
    assert_int_equal (st.st_mode & 07777, 0700);
    assert_true ((fcntl (dir, F_GETFD) & FD_CLOEXEC) != 0);

    assert_int_equal (record_claim (root, "one", &err), -1);
    assert_string_equal (err.code, "RT-STATE-EXISTS");
    assert_non_null (strstr (err.text, "already exists"));

    AUTO_ARENA struct arena arena = ARENA_INIT;
    struct record record;
    AUTO_FD int other = record_open (root, "one", false, &err); /* readers need no lock */
    assert_true (other >= 0);
    assert_int_equal (record_read (other, &arena, &record, &err), -1);
    assert_string_equal (err.code, "RT-STATE-HALF");
    assert_int_equal (record_remove (root, "one", dir, &err), 0);
    assert_int_equal (record_read (other, &arena, &record, &err), -1);
    assert_string_equal (err.code, "RT-STATE-MISSING");
    assert_int_equal (record_open (root, "one", false, &err), -1);

    AUTO_FD int again = record_claim (root, "one", &err);
    assert_true (again >= 0);
    assert_int_equal (record_remove (root, "one", again, &err), 0);
}

static void config_is_kept (void **state)
{
    (void)state;
    struct error err;
    AUTO_FD int dir = record_claim (root, "conf", &err);
    size_t length = 0;
    assert_int_equal (record_write_config (dir, "{ }\n", 4, &err), 0);
    AUTO_FREE char *text = record_read_config (dir, &length, &err);
    assert_int_equal (length, 4);
    assert_string_equal (text, "{ }\n");
    assert_int_equal (record_remove (root, "conf", dir, &err), 0);
    assert_null (record_read_config (dir, &length, &err));
}

/* A symbolic link in the state root leads nowhere. */
static void links_are_not_followed (void **state)
{
    (void)state;
    struct error err;
    char path[128];
    AUTO_FD int made = record_claim (root, "real", &err);
    assert_true (made >= 0);
    (void)snprintf (path, sizeof path, "%s/link", root);
    assert_int_equal (symlink ("real", path), 0);
    assert_int_equal (record_open (root, "link", true, &err), -1);
    assert_int_equal (record_claim (root, "link", &err), -1);
    assert_int_equal (unlink (path), 0);
    assert_int_equal (record_remove (root, "real", made, &err), 0);
}

/* A child that waits for the lock of `id` and exits with 1 where it got the directory, 2 where
 * there is none any more. */
static pid_t wait_for_lock (const char *id)
{
    pid_t pid = fork ();
    assert_true (pid >= 0);
    if (pid > 0)
        return pid;
    struct error err;
    struct stat st;
    int dir = record_open (root, id, true, &err);
    if (dir >= 0 && (fstat (dir, &st) < 0 || st.st_nlink == 0))
        _exit (4); /* the lock of a directory that is gone */
    _exit (dir >= 0 ? 1 : text_equal (err.code, "RT-STATE-MISSING") ? 2 : 3);
}

/* Until the kernel lists the process as one that waits for a lock, which it must do before it ends.
 */
static void until_blocked (pid_t pid)
{
    char needle[32], locks[65536];
    siginfo_t ended = {0};
    (void)snprintf (needle, sizeof needle, " %d ", (int)pid);
    for (;;) {
        assert_int_equal (waitid (P_PID, (id_t)pid, &ended, WEXITED | WNOHANG | WNOWAIT), 0);
        assert_int_equal (ended.si_pid, 0);
        AUTO_FILE FILE *file = fopen ("/proc/locks", "re");
        size_t n = fread (locks, 1, sizeof locks - 1, file);
        locks[n] = '\0';
        for (char *line = locks, *next; line; line = next) {
            next = strchr (line, '\n');
            if (next)
                *next++ = '\0';
            if (strstr (line, "->") && strstr (line, needle))
                return;
        }
    }
}

static int exit_code (pid_t pid)
{
    int status;
    assert_int_equal (waitpid (pid, &status, 0), pid);
    return WIFEXITED (status) ? WEXITSTATUS (status) : -1;
}

static void lock_waits_and_sees_a_removal (void **state)
{
    (void)state;
    struct error err;
    AUTO_FD int dir = record_claim (root, "lock", &err);
    pid_t first = wait_for_lock ("lock");
    until_blocked (first);
    assert_int_equal (flock (dir, LOCK_UN), 0);
    assert_int_equal (exit_code (first), 1);

    assert_int_equal (flock (dir, LOCK_EX), 0);
    pid_t second = wait_for_lock ("lock");
    until_blocked (second);
    assert_int_equal (record_remove (root, "lock", dir, &err), 0);
    assert_int_equal (flock (dir, LOCK_UN), 0);
    assert_int_equal (exit_code (second), 2);

    AUTO_FD int old = record_claim (root, "lock", &err);
    pid_t third = wait_for_lock ("lock");
    until_blocked (third);
    assert_int_equal (record_remove (root, "lock", old, &err), 0);
    AUTO_FD int new = record_claim (root, "lock", &err);
    assert_true (new >= 0);
    assert_int_equal (flock (old, LOCK_UN), 0);
    until_blocked (third); /* again, at the new one */
    assert_int_equal (flock (new, LOCK_UN), 0);
    assert_int_equal (exit_code (third), 1);
    assert_int_equal (flock (new, LOCK_EX), 0);
    assert_int_equal (record_remove (root, "lock", new, &err), 0);
}

/* rows: CRT-26. Who finds a directory without record waits for the other steps of its claim,
 * however long they take, but for nobody where its creator is dead. */
static void who_looks_waits_for_a_claim (void **state)
{
    (void)state;
    AUTO_ARENA struct arena arena = ARENA_INIT;
    struct record record = sample ();
    struct error err;
    AUTO_FD int claims = open (root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    AUTO_FD int found = -1;

    assert_int_equal (flock (claims, LOCK_SH | LOCK_NB), 0);
    assert_int_equal (mkdirat (claims, "slow", 0700), 0);
    pid_t pid = fork ();
    if (pid == 0)
        _exit (record_look (root, "slow", &arena, &record, &found, &err) == 0 ? 0 : 1);
    until_blocked (pid);
    AUTO_FD int dir = openat (claims, "slow", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal (flock (dir, LOCK_EX), 0);
    assert_int_equal (flock (claims, LOCK_UN), 0);
    assert_int_equal (record_write (dir, &record, &err), 0);
    assert_int_equal (flock (dir, LOCK_UN), 0);
    assert_int_equal (exit_code (pid), 0);

    assert_int_equal (unlinkat (dir, "record.json", 0), 0);
    assert_int_equal (record_look (root, "slow", &arena, &record, &found, &err), -1);
    assert_string_equal (err.code, "RT-STATE-HALF");
    assert_int_equal (record_is_cut_off (root, dir, &err), 1);
    assert_int_equal (flock (found, LOCK_EX | LOCK_NB), -1);
    assert_int_equal (record_remove (root, "slow", dir, &err), 0);
}

/* rows: CRT-26. A claim tells that it has begun before it makes anything. */
static void a_claim_can_be_waited_for (void **state)
{
    (void)state;
    struct error err;
    AUTO_FD int root_lock = open (root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    assert_int_equal (flock (root_lock, LOCK_EX | LOCK_NB), 0);
    pid_t pid = fork ();
    if (pid == 0)
        _exit (record_claim (root, "late", &err) >= 0 ? 0 : 1);
    until_blocked (pid);
    assert_int_equal (faccessat (root_lock, "late", F_OK, 0), -1);
    assert_int_equal (flock (root_lock, LOCK_UN), 0);
    assert_int_equal (exit_code (pid), 0);
    AUTO_FD int dir = record_open (root, "late", true, &err);
    assert_int_equal (record_remove (root, "late", dir, &err), 0);
}

/* rows: CRT-26 */
static void one_of_many_wins (void **state)
{
    (void)state;
    enum { MANY = 16 };
    pid_t pids[MANY];
    int won = 0;
    for (int i = 0; i < MANY; i++) {
        pids[i] = fork ();
        if (pids[i] == 0) {
            struct error err;
            int dir = record_claim (root, "race", &err);
            _exit (dir >= 0 ? 0 : text_equal (err.code, "RT-STATE-EXISTS") ? 1 : 2);
        }
    }
    for (int i = 0; i < MANY; i++) {
        int code = exit_code (pids[i]);
        assert_in_range (code, 0, 1);
        won += code == 0;
    }
    assert_int_equal (won, 1);
    struct error err;
    AUTO_FD int dir = record_open (root, "race", true, &err);
    assert_int_equal (record_remove (root, "race", dir, &err), 0);
}

/* rows: VRB-16 VRB-20 */
static void list (void **state)
{
    (void)state;
    AUTO_ARENA struct arena arena = ARENA_INIT;
    struct error err;
    struct oci_strings names = {0};
    assert_int_equal (record_list ("/tmp/rt-test-nothing-here", &arena, &names, &err), 0);
    assert_int_equal (names.count, 0);
    assert_null (names.items[0]);

    char id[16];
    for (int i = 39; i >= 0; i--) {
        (void)snprintf (id, sizeof id, "c%02d", i);
        AUTO_FD int dir = record_claim (root, id, &err);
        assert_true (dir >= 0);
    }
    char file[128], hidden[128];
    (void)snprintf (file, sizeof file, "%s/file", root);
    (void)snprintf (hidden, sizeof hidden, "%s/.hidden", root);
    (void)close (open (file, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    assert_int_equal (mkdir (hidden, 0700), 0);

    assert_int_equal (record_list (root, &arena, &names, &err), 0);
    assert_int_equal (names.count, 40);
    for (int i = 0; i < 40; i++) {
        (void)snprintf (id, sizeof id, "c%02d", i);
        assert_string_equal (names.items[i], id);
        AUTO_FD int dir = record_open (root, id, true, &err);
        assert_int_equal (record_remove (root, id, dir, &err), 0);
    }
    assert_null (names.items[40]);
    assert_int_equal (record_list (file, &arena, &names, &err), -1);
    assert_int_equal (err.errnum, ENOTDIR);
    assert_int_equal (unlink (file), 0);
    assert_int_equal (rmdir (hidden), 0);
}

static int make_base (void **state)
{
    (void)state;
    if (!mkdtemp (base))
        return -1;
    (void)snprintf (root, sizeof root, "%s/not/yet", base); /* parents are made */
    return 0;
}

static int remove_base (void **state)
{
    (void)state;
    char parent[64];
    (void)snprintf (parent, sizeof parent, "%s/not", base);
    return rmdir (root) < 0 || rmdir (parent) < 0 || rmdir (base) < 0 ? -1 : 0;
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (ids),
        cmocka_unit_test (round_trip),
        cmocka_unit_test (other_versions_and_damage),
        cmocka_unit_test (parts_of_a_damaged_record),
        cmocka_unit_test (claim_open_remove),
        cmocka_unit_test (config_is_kept),
        cmocka_unit_test (links_are_not_followed),
        cmocka_unit_test (lock_waits_and_sees_a_removal),
        cmocka_unit_test (who_looks_waits_for_a_claim),
        cmocka_unit_test (a_claim_can_be_waited_for),
        cmocka_unit_test (one_of_many_wins),
        cmocka_unit_test (list),
    };
    return cmocka_run_group_tests (tests, make_base, remove_base);
}
