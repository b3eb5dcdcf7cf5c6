/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config.json's `process`, and exec's process.json.
 */
#include "document.h"

#include <linux/capability.h>
#include <sched.h>
#include <sys/resource.h>

/* rows: PRC-15 PRC-22 PRC-25 PRC-28 PRC-31 PRC-32 PRC-35 CAP-07 */
static void process_is_read (void **state)
{
    static const char member[] =
        "\"terminal\":true,\"consoleSize\":{\"height\":25,\"width\":70000},\"commandLine\":7,"
        "\"user\":{\"uid\":1,\"gid\":4294967294,\"umask\":4095,\"additionalGids\":[5,0],"
        "\"username\":[]},\"env\":[\"A=b\",\"C=\",\"D==\\n\"],"
        "\"capabilities\":{\"bounding\":[\"CAP_CHOWN\",\"CAP_CHECKPOINT_RESTORE\"],"
        "\"effective\":[\"CAP_KILL\",\"CAP_NEW\"],\"permitted\":[\"CAP_NEW\",\"cap_kill\"],"
        "\"inheritable\":[],\"ambient\":null},"
        "\"rlimits\":[{\"type\":\"RLIMIT_NOFILE\",\"soft\":1024,\"hard\":18446744073709551615}],"
        "\"noNewPrivileges\":false,\"apparmorProfile\":\"p\",\"selinuxLabel\":\"\","
        "\"oomScoreAdj\":-500,\"ioPriority\":{\"class\":\"IOPRIO_CLASS_IDLE\",\"priority\":4},"
        "\"scheduler\":{\"policy\":\"SCHED_BATCH\",\"nice\":-20,"
        "\"flags\":[\"SCHED_FLAG_RESET_ON_FORK\",\"SCHED_FLAG_UTIL_CLAMP_MAX\"]},"
        "\"execCPUAffinity\":{\"initial\":\"7\",\"final\":\"0-3,7\"}";
    AUTO_ARENA struct arena arena = ARENA_INIT;
    const struct oci_process *process = accept (&arena, "", member, "")->process;

    (void)state;
    assert_true (process->terminal);
    assert_int_equal (process->console_size->height, 25);
    assert_int_equal (process->console_size->width, 65535);
    assert_int_equal (process->user.uid, 1);
    assert_int_equal (process->user.gid, 4294967294);
    assert_int_equal (process->user.umask.value, 07777);
    assert_int_equal (process->user.additional_gids.count, 2);
    assert_int_equal (process->user.additional_gids.items[0], 5);
    assert_int_equal (process->env.count, 3);
    assert_string_equal (process->env.items[2], "D==\n");
    assert_int_equal (process->capabilities->bounding,
                      UINT64_C (1) << CAP_CHOWN | UINT64_C (1) << CAP_CHECKPOINT_RESTORE);
    assert_int_equal (process->capabilities->effective, UINT64_C (1) << CAP_KILL);
    assert_int_equal (process->capabilities->permitted, 0);
    assert_int_equal (process->capabilities->ambient, 0);
    assert_int_equal (process->capabilities->unknown.count, 2);
    assert_string_equal (process->capabilities->unknown.items[0], "CAP_NEW");
    assert_string_equal (process->capabilities->unknown.items[1], "cap_kill");
    assert_int_equal (process->rlimits.items[0].type, RLIMIT_NOFILE);
    assert_int_equal (process->rlimits.items[0].soft, 1024);
    assert_true (process->rlimits.items[0].hard == UINT64_MAX);
    assert_true (process->no_new_privileges.present && !process->no_new_privileges.value);
    assert_string_equal (process->apparmor_profile, "p");
    assert_null (process->selinux_label);
    assert_true (process->oom_score_adj.present && process->oom_score_adj.value == -500);
    assert_int_equal (process->io_priority->io_class, 3);
    assert_int_equal (process->io_priority->priority, 4);
    assert_int_equal (process->scheduler->policy, SCHED_BATCH);
    assert_int_equal (process->scheduler->nice.value, -20);
    assert_int_equal (process->scheduler->flags, 0x41);
    assert_string_equal (process->affinity_initial, "7");
    assert_string_equal (process->affinity_final, "0-3,7");
}

/* rows: CRT-34 CRT-39 CRT-40 PRC-06 PRC-12 PRC-14 PRC-18 PRC-19 PRC-23 PRC-31 PRC-32 CAP-08 */
static void process_is_checked (void **state)
{
    static const struct refusal refusals[] = {
        {"\"args\":null", "/process/args", "args must not be empty"},
        {"\"args\":[]", "/process/args", "args must not be empty"},
        {"\"args\":\"sh\"", "/process/args", "must be an array, not a string"},
        {"\"args\":[\"sh\",1]", "/process/args/1", "must be a string, not a number"},
        {"\"cwd\":null", "/process/cwd", "is required"},
        {"\"cwd\":\"\"", "/process/cwd", "must not be empty"},
        {"\"cwd\":\"tmp\"", "/process/cwd", "must be an absolute path"},
        {"\"cwd\":\"./\"", "/process/cwd", "must be an absolute path"},
        {"\"terminal\":\"yes\"", "/process/terminal", "must be a boolean, not a string"},
        {"\"terminal\":null,\"consoleSize\":null,\"user\":null,\"env\":null", NULL, NULL},
        {"\"consoleSize\":{\"height\":1}", NULL, NULL},
        {"\"terminal\":false,\"consoleSize\":{\"height\":-1}", NULL, NULL},
        {"\"consoleSize\":{\"height\":1},\"terminal\":true", "/process/consoleSize/width",
         "is required"},
        {"\"terminal\":true,\"consoleSize\":{\"height\":-1,\"width\":1}",
         "/process/consoleSize/height", "must be an integer from 0"},
        {"\"env\":[\"A=b\",\"PATH\"]", "/process/env/1", "has no '='"},
        {"\"env\":[\"=x\"]", "/process/env/0", "has no name"},
        {"\"env\":[\"\"]", "/process/env/0", "has no '='"},
        {"\"env\":{\"A\":\"b\"}", "/process/env", "must be an array"},
        {"\"capabilities\":[\"CAP_KILL\"]", "/process/capabilities", "must be an object"},
        {"\"capabilities\":{\"bounding\":[5]}", "/process/capabilities/bounding/0",
         "must be a string"},
        {"\"rlimits\":[{\"type\":\"RLIMIT_FOO\",\"soft\":1,\"hard\":1}]", "/process/rlimits/0/type",
         "unknown rlimit type \"RLIMIT_FOO\""},
        {"\"rlimits\":[{\"soft\":1,\"hard\":1}]", "/process/rlimits/0/type", "is required"},
        {"\"rlimits\":[{\"type\":\"\",\"soft\":1,\"hard\":1}]", "/process/rlimits/0/type",
         "unknown rlimit type \"\""},
        {"\"rlimits\":[{\"type\":\"RLIMIT_CPU\",\"soft\":1}]", "/process/rlimits/0/hard",
         "is required"},
        {"\"rlimits\":[{\"type\":\"RLIMIT_CPU\",\"soft\":2,\"hard\":1}]", "/process/rlimits/0/soft",
         "must not be above the hard one"},
        {"\"rlimits\":[{\"type\":\"RLIMIT_CPU\",\"soft\":1,\"hard\":18446744073709551616}]",
         "/process/rlimits/0/hard", "must be an integer from 0 to 18446744073709551615"},
        {"\"rlimits\":[{\"type\":\"RLIMIT_CPU\",\"soft\":1,\"hard\":1},"
         "{\"type\":\"RLIMIT_CPU\",\"soft\":1,\"hard\":1}]",
         "/process/rlimits/1/type", "RLIMIT_CPU is listed twice"},
        {"\"noNewPrivileges\":\"true\"", "/process/noNewPrivileges", "must be a boolean"},
        {"\"oomScoreAdj\":1001", "/process/oomScoreAdj", "must be an integer from -1000 to 1000"},
        {"\"oomScoreAdj\":-1001", "/process/oomScoreAdj", "not -1001"},
        {"\"oomScoreAdj\":1000", NULL, NULL},
        {"\"ioPriority\":{\"priority\":1}", "/process/ioPriority/class", "is required"},
        {"\"ioPriority\":{\"class\":\"IOPRIO_CLASS_BE\"}", NULL, NULL},
        {"\"ioPriority\":{\"class\":\"IOPRIO_CLASS_BE\",\"priority\":8}",
         "/process/ioPriority/priority", "must be an integer from 0 to 7, not 8"},
        {"\"ioPriority\":{\"class\":\"BEST\",\"priority\":1}", "/process/ioPriority/class",
         "known: IOPRIO_CLASS_RT, IOPRIO_CLASS_BE, IOPRIO_CLASS_IDLE"},
        {"\"execCPUAffinity\":{\"initial\":\"\",\"final\":\"0\"}", NULL, NULL},
        {"\"execCPUAffinity\":{\"initial\":\"0-\"}", "/process/execCPUAffinity/initial",
         "must be a list of CPUs"},
        {"\"execCPUAffinity\":{\"final\":\"3-0\"}", "/process/execCPUAffinity/final",
         "must be a list of CPUs"},
        {"\"execCPUAffinity\":{\"final\":\"0,,1\"}", "/process/execCPUAffinity/final", "not"},
        {"\"execCPUAffinity\":{\"final\":\"0,\"}", "/process/execCPUAffinity/final", "not"},
        {"\"execCPUAffinity\":{\"final\":\"1-2-3\"}", "/process/execCPUAffinity/final", "not"},
        {"\"execCPUAffinity\":{\"final\":\"a\"}", "/process/execCPUAffinity/final", "not"},
        {"\"execCPUAffinity\":{\"final\":\"99999999999999999999\"}",
         "/process/execCPUAffinity/final", "not"},
        {"\"execCPUAffinity\":{\"final\":\"0 - 3, 5000-8191 ,7\"}", NULL, NULL},
    };

    (void)state;
    CHECK_REFUSALS (PROCESS, refusals);
}

/* rows: CRT-34 PRC-12 PRC-13 PRC-14 */
static void user_is_checked (void **state)
{
    static const struct refusal refusals[] = {
        {"\"user\":{\"gid\":0}", NULL, NULL},
        {"\"user\":{\"uid\":0}", NULL, NULL},
        {"\"user\":{}", NULL, NULL},
        {"\"user\":{\"uid\":4294967295,\"gid\":0}", "/process/user/uid",
         "must be an integer from 0 to 4294967294, not 4294967295"},
        {"\"user\":{\"uid\":0,\"gid\":4294967295}", "/process/user/gid", "not 4294967295"},
        {"\"user\":{\"uid\":4294967296,\"gid\":0}", "/process/user/uid", "not 4294967296"},
        {"\"user\":{\"uid\":-1,\"gid\":0}", "/process/user/uid", "not -1"},
        {"\"user\":{\"uid\":2147483648,\"gid\":4294967294}", NULL, NULL},
        {"\"user\":{\"uid\":1.5,\"gid\":0}", "/process/user/uid", "not 1.5"},
        {"\"user\":{\"uid\":1e10,\"gid\":0}", "/process/user/uid", "not 1e10"},
        {"\"user\":{\"uid\":1e1,\"gid\":0}", "/process/user/uid", "not 1e1"},
        {"\"user\":{\"uid\":1.0,\"gid\":0}", "/process/user/uid", "not 1.0"},
        {"\"user\":{\"uid\":\"0\",\"gid\":0}", "/process/user/uid", "not \"0\""},
        {"\"user\":{\"uid\":18446744073709551616,\"gid\":0}", "/process/user/uid", "not 184467"},
        {"\"user\":{\"uid\":0,\"gid\":0,\"umask\":4096}", "/process/user/umask",
         "must be an integer from 0 to 4095"},
        {"\"user\":{\"uid\":0,\"gid\":0,\"additionalGids\":[1,4294967295]}",
         "/process/user/additionalGids/1", "must be an integer from 0 to 4294967294"},
        {"\"user\":{\"uid\":0,\"gid\":0,\"additionalGids\":[null]}",
         "/process/user/additionalGids/0", "not null"},
    };

    (void)state;
    CHECK_REFUSALS (PROCESS, refusals);
}

/* rows: PRC-25 PRC-26 PRC-27 PRC-28 PRC-29 */
static void scheduler_is_checked (void **state)
{
#define SCHEDULER(policy, rest) "\"scheduler\":{\"policy\":\"" policy "\"" rest "}"
    static const struct refusal refusals[] = {
        {"\"scheduler\":{}", "/process/scheduler/policy", "is required"},
        {SCHEDULER ("SCHED_FAST", ""), "/process/scheduler/policy",
         "unknown scheduling policy \"SCHED_FAST\", did you mean"},
        {SCHEDULER ("SCHED_OTHER", ",\"nice\":19"), NULL, NULL},
        {SCHEDULER ("SCHED_OTHER", ",\"nice\":20"), "/process/scheduler/nice", "from -20 to 19"},
        {SCHEDULER ("SCHED_BATCH", ",\"nice\":-21"), "/process/scheduler/nice", "from -20 to 19"},
        {SCHEDULER ("SCHED_FIFO", ",\"priority\":1,\"nice\":1"), NULL, NULL},
        {SCHEDULER ("SCHED_FIFO", ",\"priority\":1,\"nice\":0"), NULL, NULL},
        {SCHEDULER ("SCHED_IDLE", ",\"nice\":5"), NULL, NULL},
        {SCHEDULER ("SCHED_IDLE", ",\"nice\":20"), "/process/scheduler/nice", "from -20 to 19"},
        {SCHEDULER ("SCHED_FIFO", ",\"priority\":99"), NULL, NULL},
        {SCHEDULER ("SCHED_FIFO", ",\"priority\":100"), "/process/scheduler/priority",
         "from 1 to 99"},
        {SCHEDULER ("SCHED_RR", ""), "/process/scheduler/priority", "from 1 to 99"},
        {SCHEDULER ("SCHED_OTHER", ",\"priority\":3"), "/process/scheduler/priority", "only with"},
        {SCHEDULER ("SCHED_OTHER", ",\"priority\":9999999999"), "/process/scheduler/priority",
         "must be an integer from -2147483648 to 2147483647"},
        {SCHEDULER ("SCHED_OTHER", ",\"flags\":[\"SCHED_FLAG_X\"]"), "/process/scheduler/flags/0",
         "unknown scheduling flag"},
        {SCHEDULER ("SCHED_OTHER", ",\"flags\":\"SCHED_FLAG_RECLAIM\""), "/process/scheduler/flags",
         "must be an array"},
        {SCHEDULER ("SCHED_DEADLINE", ",\"runtime\":1,\"deadline\":2,\"period\":3"), NULL, NULL},
        {SCHEDULER ("SCHED_DEADLINE", ",\"runtime\":2,\"deadline\":2"), NULL, NULL},
        {SCHEDULER ("SCHED_DEADLINE", ",\"deadline\":2,\"period\":3"), "/process/scheduler/runtime",
         "must be set"},
        {SCHEDULER ("SCHED_DEADLINE", ",\"runtime\":2"), "/process/scheduler/deadline",
         "must be set"},
        {SCHEDULER ("SCHED_DEADLINE", ",\"runtime\":3,\"deadline\":2"),
         "/process/scheduler/runtime", "must not be longer than the deadline"},
        {SCHEDULER ("SCHED_DEADLINE", ",\"runtime\":1,\"deadline\":4,\"period\":3"),
         "/process/scheduler/deadline", "must not be longer than the period"},
        {SCHEDULER ("SCHED_OTHER", ",\"runtime\":1"), "/process/scheduler/runtime", "only with"},
        {SCHEDULER ("SCHED_OTHER", ",\"deadline\":1"), "/process/scheduler/deadline", "only with"},
        {SCHEDULER ("SCHED_OTHER", ",\"period\":1"), "/process/scheduler/period", "only with"},
    };

    (void)state;
    CHECK_REFUSALS (PROCESS, refusals);
}

/* Whatever is wrong with env, no byte of it is repeated. */
/* rows: HDN-19 */
static void env_is_never_told (void **state)
{
    static const char *const members[] = {
        "\"env\":[\"hunter2\"]",   "\"env\":[\"=hunter2\"]", "\"env\":\"A=hunter2\"",
        "\"env\":[[\"hunter2\"]]", "\"env\":[777222]",       "\"env\":{\"hunter2\":\"hunter2\"}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof (members) / sizeof (*members); i++) {
        AUTO_ARENA struct arena arena = ARENA_INIT;
        AUTO_TEXT struct text text = {0};
        struct found found;
        char message[4096];
        assert_null (parse_config (&arena, document (&text, "", members[i], ""), &found));
        error_format (&found.items[0], message, sizeof (message));
        assert_null (strstr (message, "hunter2"));
        assert_null (strstr (message, "777222"));
    }
}

/* rows: PRC-06 CRT-34 */
static void process_json_is_read (void **state)
{
    static const char good[] = "{\"cwd\":\"/\",\"args\":[\"id\"],\"user\":{\"uid\":3,\"gid\":4}}";
    static const char bad[] = "{\"cwd\":\"/\",\"args\":[],\n\"env\":[\"X\"],\"rlimits\":5}";
    AUTO_ARENA struct arena arena = ARENA_INIT;
    struct found found = {0};
    struct error err;

    (void)state;
    struct oci_process *process =
        oci_process_parse (&arena, "process.json", good, strlen (good), note_finding, &found, &err);
    assert_non_null (process);
    assert_int_equal (process->user.gid, 4);
    assert_int_equal (found.count, 0);
    assert_null (
        oci_process_parse (&arena, "process.json", bad, strlen (bad), note_finding, &found, &err));
    assert_int_equal (found.count, 3);
    assert_string_equal (found.items[0].pointer, "/args");
    assert_string_equal (found.items[0].file, "process.json");
    assert_string_equal (found.items[1].pointer, "/env/0");
    assert_int_equal (found.items[1].line, 2);
    assert_string_equal (found.items[2].pointer, "/rlimits");
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (process_is_read),   cmocka_unit_test (process_is_checked),
        cmocka_unit_test (user_is_checked),   cmocka_unit_test (scheduler_is_checked),
        cmocka_unit_test (env_is_never_told), cmocka_unit_test (process_json_is_read),
    };

    return cmocka_run_group_tests (tests, NULL, NULL);
}
