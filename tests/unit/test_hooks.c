/* SPDX-License-Identifier: Apache-2.0 */
/* hooks: what a hook gets, what is told of one that fails, and that none can hold rt. */
#include "container/hooks.h"

#include "in_child.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/log.h"

static char directory[] = "/tmp/test_hooks.XXXXXX";
static char warning[2048];

static void remember (void *context, enum log_level level, const char *text)
{
    (void)context;
    if (level == LOG_LEVEL_WARNING)
        (void)snprintf (warning, sizeof (warning), "%s", text);
}

static int enter (void **state)
{
    (void)state;
    struct error err;
    if (log_open (NULL, LOG_FORMAT_TEXT, LOG_LEVEL_WARNING, &err) < 0)
        return -1;
    log_redirect (remember, NULL);
    return mkdtemp (directory) ? chdir (directory) : -1;
}

static int leave (void **state)
{
    (void)state;
    (void)unlink ("out");
    return chdir ("/") < 0 ? -1 : rmdir (directory);
}

static const char *read_out (void)
{
    static char bytes[1 << 16];
    int fd = open ("out", O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? -1 : read (fd, bytes, sizeof (bytes) - 1);

    if (fd >= 0)
        close (fd);
    bytes[length < 0 ? 0 : length] = '\0';
    return bytes;
}

/* A hook that is a line of shell. */
#define SHELL(line)                                                                                \
    {                                                                                              \
        .path = "/bin/sh", .args = {                                                               \
            .count = 3,                                                                            \
            .items = (char *[]){(char *)"sh", (char *)"-c", (char *)(line), NULL},                 \
            .present = true                                                                        \
        }                                                                                          \
    }

static const struct hooks_context context = {.state = "{\"id\":\"x\"}", .default_timeout_ms = -1};

static int run_with (struct oci_hook *items, size_t count, enum oci_hook_kind kind,
                     const struct hooks_context *with, struct error *err)
{
    struct oci_hooks hooks = {.count = count, .items = items, .present = true};

    memset (err, 0, sizeof (*err));
    (void)unlink ("out");
    return hooks_run (&hooks, kind, with, err);
}

static void succeed (struct oci_hook hook, const struct hooks_context *with)
{
    struct error err;

    if (run_with (&hook, 1, OCI_HOOK_CREATE_RUNTIME, with, &err) < 0)
        fail_msg ("%s", err.text);
}

static void fail_with (struct oci_hook hook, const char *code, const char *text)
{
    struct error err;

    assert_int_equal (run_with (&hook, 1, OCI_HOOK_CREATE_RUNTIME, &context, &err), -1);
    assert_string_equal (err.code, code);
    assert_string_equal (err.pointer, "/hooks/createRuntime/0");
    assert_string_equal (err.text, text);
}

/* rows: HKS-13 */
static void state_is_on_standard_input (void **state)
{
    (void)state;
    struct oci_hook hook = SHELL ("/bin/cat > out; echo end >> out");

    succeed (hook, &context);
    assert_string_equal (read_out (), "{\"id\":\"x\"}end\n");
}

/* rows: HKS-13 HKS-14 */
static void a_large_state_arrives_whole_or_is_left_alone (void **state)
{
    (void)state;
    enum { SIZE = 3 << 20 };
    char *large = malloc (SIZE + 1);
    struct hooks_context with = {.state = large, .default_timeout_ms = 60000};
    struct oci_hook reader = SHELL ("/usr/bin/wc -c > out");
    struct oci_hook deaf = SHELL ("exit 0");
    struct oci_hook closer = SHELL ("exec < /dev/null; exit 0");
    struct oci_hook half = SHELL ("/usr/bin/head -c 70000 | /usr/bin/wc -c > out");

    memset (large, 'x', SIZE);
    large[SIZE] = '\0';
    succeed (reader, &with);
    assert_string_equal (read_out (), "3145728\n");
    succeed (deaf, &with);
    succeed (closer, &with);
    succeed (half, &with);
    assert_string_equal (read_out (), "70000\n");
    free (large);
}

/* rows: HKS-09 */
static void arguments_are_as_given (void **state)
{
    (void)state;
    struct oci_hook named = {
        .path = "/bin/sh",
        .args = {.count = 5,
                 .items = (char *[]){"zero", "-c", "echo \"$0,$1\" > out", "a b", "c", NULL},
                 .present = true},
    };
    struct oci_hook none = {.path = "/bin/true"};

    succeed (named, &context);
    assert_string_equal (read_out (), "a b,c\n");
    succeed (none, &context);
}

/* rows: HKS-10 HKS-11 */
static void environment_is_exactly_that_of_the_hook (void **state)
{
    (void)state;
    struct oci_strings fallback = {
        .count = 1, .items = (char *[]){"FROM=context", NULL}, .present = true};
    struct hooks_context with = context;
    struct oci_hook hook = SHELL ("/usr/bin/tr '\\0' '\\n' < /proc/self/environ > out; "
                                  "echo \"<$FROM$SECRET>\" >> out");
    struct error err;

    (void)setenv ("SECRET", "of rt", 1);
    succeed (hook, &context);
    assert_non_null (strstr (read_out (), "<of rt>"));
    assert_int_equal (run_with (&hook, 1, OCI_HOOK_CREATE_CONTAINER, &context, &err), 0);
    assert_non_null (strstr (read_out (), "<>"));
    assert_null (strstr (read_out (), "of rt"));
    with.env = &fallback;
    succeed (hook, &with);
    assert_non_null (strstr (read_out (), "<context>"));
    hook.env =
        (struct oci_strings){.count = 1, .items = (char *[]){"FROM=hook", NULL}, .present = true};
    succeed (hook, &with);
    assert_non_null (strstr (read_out (), "<hook>"));
    /* empty, but present */
    hook.env = (struct oci_strings){.present = true};
    succeed (hook, &with);
    assert_non_null (strstr (read_out (), "<>"));
    (void)unsetenv ("SECRET");
}

/* rows: HKS-25 */
static void only_three_descriptors_are_open (void **state)
{
    (void)state;
    struct oci_hook hook = SHELL ("i=0; while [ $i -lt 100 ]; do [ -e /proc/$$/fd/$i ] && "
                                  "echo -n \"$i \" >&2; i=$((i + 1)); done; exit 1");
    int leak = fcntl (STDERR_FILENO, F_DUPFD, 50); /* without close-on-exec */

    assert_true (leak >= 50);
    fail_with (hook, "RT-HOOK-FAILED",
               "error running createRuntime hook #0 (/bin/sh): exit status 1: 0 1 2");
    close (leak);
}

/* rows: HKS-18 */
static void the_directory_is_the_contexts (void **state)
{
    (void)state;
    struct hooks_context with = context;
    char out[128];
    struct oci_hook hook = SHELL (out);

    (void)snprintf (out, sizeof (out), "pwd > %s/out", directory);
    with.cwd = "/usr";
    succeed (hook, &with);
    assert_string_equal (read_out (), "/usr\n");

    struct error err;
    with.cwd = "/no/such/directory";
    assert_int_equal (run_with (&hook, 1, OCI_HOOK_POSTSTART, &with, &err), -1);
    assert_string_equal (err.code, "RT-HOOK-START");
    assert_int_equal (err.errnum, ENOENT);
    assert_non_null (strstr (err.text, "cannot change to /no/such/directory"));
}

/* rows: HKS-19 HKS-24 */
static void failures_are_told_with_the_last_words (void **state)
{
    (void)state;
    struct oci_hook quiet = SHELL ("exit 3");
    struct oci_hook loud = SHELL ("echo first; echo 'the \tlast\033' >&2; exit 4");
    struct oci_hook killed = SHELL ("kill -9 $$");

    fail_with (quiet, "RT-HOOK-FAILED",
               "error running createRuntime hook #0 (/bin/sh): exit status 3");
    fail_with (loud, "RT-HOOK-FAILED",
               "error running createRuntime hook #0 (/bin/sh): exit status 4: first the  last");
    fail_with (killed, "RT-HOOK-FAILED",
               "error running createRuntime hook #0 (/bin/sh): killed by signal 9 (SIGKILL)");
}

/* rows: HKS-33 */
static void a_missing_hook_is_named (void **state)
{
    (void)state;
    struct oci_hook hook = {.path = "/no/such/hook"};
    struct error err;

    fail_with (hook, "RT-HOOK-START",
               "error running createRuntime hook #0 (/no/such/hook): exec /no/such/hook");
    (void)run_with (&hook, 1, OCI_HOOK_CREATE_RUNTIME, &context, &err);
    assert_int_equal (err.errnum, ENOENT);
    hook.path = "/etc/passwd";
    (void)run_with (&hook, 1, OCI_HOOK_CREATE_RUNTIME, &context, &err);
    assert_int_equal (err.errnum, EACCES);
}

/* rows: HKS-24 */
static void megabytes_of_output_do_not_hold_it (void **state)
{
    (void)state;
    struct oci_hook hook =
        SHELL ("/usr/bin/head -c 20000000 /dev/zero | /usr/bin/tr '\\0' x; echo; echo END; exit 1");
    struct error err;

    assert_int_equal (run_with (&hook, 1, OCI_HOOK_CREATE_RUNTIME, &context, &err), -1);
    size_t length = strlen (err.text);
    assert_string_equal (err.text + length - 5, "x END");
    assert_true (length < sizeof (err.text) - 1);
}

/* rows: HKS-12 */
static void time_is_limited (void **state)
{
    (void)state;
    struct oci_hook hook = SHELL ("echo waiting; /bin/sleep 1000");
    struct oci_hook stubborn = SHELL ("trap '' TERM INT HUP; while :; do :; done");

    hook.timeout = (struct oci_int64){.present = true, .value = 1};
    fail_with (hook, "RT-HOOK-TIMEOUT",
               "error running createRuntime hook #0 (/bin/sh): timeout of 1 s expired: waiting");
    stubborn.timeout = hook.timeout;
    fail_with (stubborn, "RT-HOOK-TIMEOUT",
               "error running createRuntime hook #0 (/bin/sh): timeout of 1 s expired");

    struct hooks_context with = {.state = "{}", .default_timeout_ms = 100};
    struct error err;
    hook.timeout.present = false;
    assert_int_equal (run_with (&hook, 1, OCI_HOOK_POSTSTART, &with, &err), -1);
    assert_non_null (strstr (err.text, "timeout of 0.1 s expired"));

    /* its children, too: nobody has the lock any more */
    struct oci_hook family = SHELL ("exec 9> out; /usr/bin/flock 9; /bin/sleep 1000 & wait");
    assert_int_equal (run_with (&family, 1, OCI_HOOK_POSTSTART, &with, &err), -1);
    struct oci_hook probe = SHELL ("/usr/bin/flock -w 20 out /bin/true");
    struct oci_hooks probes = {.count = 1, .items = &probe};
    assert_int_equal (hooks_run (&probes, OCI_HOOK_POSTSTART, &context, &err), 0);
}

/* rows: HKS-12 */
static void a_very_long_time_is_no_trouble (void **state)
{
    (void)state;
    struct oci_hook hook = SHELL ("exit 0");

    hook.timeout = (struct oci_int64){.present = true, .value = INT64_MAX};
    succeed (hook, &context);
    hook.timeout.value = INT32_MAX;
    succeed (hook, &context);
}

/* A daemon that keeps the pipe does not keep rt. */
static void a_daemon_left_behind_does_not_hold_it (void **state)
{
    (void)state;
    struct hooks_context with = {.state = "{}", .default_timeout_ms = 20000};
    struct oci_hook hook = SHELL ("/bin/sleep 1000 & echo $! > out; exit 0");
    char command[64];

    succeed (hook, &with);
    (void)snprintf (command, sizeof (command), "kill %.20s", read_out ());
    struct oci_hook kill = SHELL (command);
    succeed (kill, &with);
}

/* rows: HKS-07 HKS-22 */
static void order_and_the_first_failure (void **state)
{
    (void)state;
    struct oci_hook hooks[] = {
        SHELL ("echo 0 >> out"),
        SHELL ("echo 1 >> out; exit 1"),
        SHELL ("echo 2 >> out"),
    };
    struct error err;

    assert_int_equal (run_with (hooks, 3, OCI_HOOK_PRESTART, &context, &err), -1);
    assert_string_equal (read_out (), "0\n1\n");
    assert_string_equal (err.text, "error running prestart hook #1 (/bin/sh): exit status 1");
    assert_string_equal (err.pointer, "/hooks/prestart/1");

    warning[0] = '\0';
    assert_int_equal (run_with (hooks, 3, OCI_HOOK_POSTSTOP, &context, &err), 0);
    assert_string_equal (read_out (), "0\n1\n2\n");
    assert_non_null (strstr (warning, "error running poststop hook #1 (/bin/sh): exit status 1"));
    assert_false (error_is_set (&err));
}

/* SIGPIPE, SIGTERM and SIGUSR1 as a program expects them. */
static void signals_are_as_usual (void **state)
{
    (void)state;
    struct oci_hook hook = SHELL ("while read key value; do case $key in SigBlk:|SigIgn:) "
                                  "echo $value;; esac; done < /proc/self/status > out");
    sigset_t some;
    sigset_t before;

    (void)signal (SIGUSR1, SIG_IGN);
    (void)signal (SIGPIPE, SIG_IGN);
    (void)sigemptyset (&some);
    (void)sigaddset (&some, SIGTERM);
    (void)sigprocmask (SIG_BLOCK, &some, &before);
    succeed (hook, &context);
    assert_string_equal (read_out (), "0000000000000000\n0000000000000000\n");
    (void)sigprocmask (SIG_SETMASK, &before, NULL);
    (void)signal (SIGUSR1, SIG_DFL);
    (void)signal (SIGPIPE, SIG_DFL);
}

static int with_closed_stdio (void)
{
    struct oci_hook hook = SHELL ("/bin/cat > out; echo words >&2; exit 5");
    struct error err;

    for (int fd = 0; fd < 3; fd++)
        (void)close (fd);
    CHECK (run_with (&hook, 1, OCI_HOOK_POSTSTART, &context, &err) == -1);
    CHECK (strstr (err.text, "exit status 5: words") != NULL);
    CHECK (strcmp (read_out (), context.state) == 0);
    return 0;
}

/* rows: HKS-24 HKS-25 */
static void closed_standard_descriptors_are_no_trouble (void **state)
{
    (void)state;
    assert_int_equal (in_child (with_closed_stdio), 0);
}

/* The hook writes its pid, then waits for ever; rt is killed; the lock that the hook holds is free
 * again. */
static int die_during_hook (void)
{
    struct oci_hook hook =
        SHELL ("exec 9> lock; /usr/bin/flock 9; kill -9 $PPID; exec /bin/sleep 1000");
    struct error err;

    (void)run_with (&hook, 1, OCI_HOOK_POSTSTART, &context, &err);
    return __LINE__;
}

static void a_hook_dies_with_rt (void **state)
{
    (void)state;
    struct oci_hook probe = SHELL ("/usr/bin/flock -w 20 lock /bin/true");

    assert_int_equal (in_child (die_during_hook), 1000 + SIGKILL);
    succeed (probe, &context);
    (void)unlink ("lock");
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (state_is_on_standard_input),
        cmocka_unit_test (a_large_state_arrives_whole_or_is_left_alone),
        cmocka_unit_test (arguments_are_as_given),
        cmocka_unit_test (environment_is_exactly_that_of_the_hook),
        cmocka_unit_test (only_three_descriptors_are_open),
        cmocka_unit_test (the_directory_is_the_contexts),
        cmocka_unit_test (failures_are_told_with_the_last_words),
        cmocka_unit_test (a_missing_hook_is_named),
        cmocka_unit_test (megabytes_of_output_do_not_hold_it),
        cmocka_unit_test (time_is_limited),
        cmocka_unit_test (a_very_long_time_is_no_trouble),
        cmocka_unit_test (a_daemon_left_behind_does_not_hold_it),
        cmocka_unit_test (order_and_the_first_failure),
        cmocka_unit_test (signals_are_as_usual),
        cmocka_unit_test (closed_standard_descriptors_are_no_trouble),
        cmocka_unit_test (a_hook_dies_with_rt),
    };

    return cmocka_run_group_tests (tests, enter, leave);
}
