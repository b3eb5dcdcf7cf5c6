/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config.json's `linux.resources` (also as the document of update) and `linux.seccomp`.
 */
#include "document.h"
#include "oci-spec/seccomp_words.h"

static const char good_resources[] =
    "{\"devices\":[{\"allow\":false,\"access\":\"rwm\"},{\"allow\":true,\"type\":\"c\",\"major\":-"
    "1,"
    "\"minor\":5,\"access\":\"m\"},{\"allow\":true,\"type\":\"\",\"access\":\"\"}],"
    "\"memory\":{\"limit\":9223372036854775807,\"reservation\":0,\"swap\":-1,\"kernel\":-1,"
    "\"kernelTCP\":1,\"swappiness\":100,\"disableOOMKiller\":false,\"useHierarchy\":true,"
    "\"checkBeforeUpdate\":null},"
    "\"cpu\":{\"shares\":1024,\"quota\":-1,\"burst\":5,\"period\":18446744073709551615,"
    "\"realtimeRuntime\":1,\"realtimePeriod\":2,\"cpus\":\"2-3\",\"mems\":\"\",\"idle\":1},"
    "\"pids\":{\"limit\":0},"
    "\"blockIO\":{\"weight\":10,\"leafWeight\":65535,\"weightDevice\":[{\"major\":8,\"minor\":0,"
    "\"leafWeight\":1}],\"throttleReadBpsDevice\":[{\"major\":8,\"minor\":0,\"rate\":600}],"
    "\"throttleWriteBpsDevice\":[{\"major\":8,\"minor\":1,\"rate\":601}],"
    "\"throttleReadIOPSDevice\":[{\"major\":8,\"minor\":2,\"rate\":602}],"
    "\"throttleWriteIOPSDevice\":[{\"major\":8,\"minor\":3,\"rate\":603}]},"
    "\"hugepageLimits\":[{\"pageSize\":\"2MB\",\"limit\":18446744073709551615}],"
    "\"network\":{\"classID\":4294967295,\"priorities\":[{\"name\":\"eth0\",\"priority\":500}]},"
    "\"rdma\":{\"mlx5_1\":{\"hcaHandles\":3},\"mlx4_0\":{\"hcaObjects\":1000}},"
    "\"unified\":{\"memory.high\":\"5\",\"hugetlb.1GB.max\":\"\"}}";

/* rows: CRT-34 */
static void resources_are_read (void **state)
{
    AUTO_ARENA struct arena arena = ARENA_INIT;
    struct found found = {0};
    struct error err;
    const struct oci_resources *resources =
        oci_resources_parse (&arena, "resources.json", good_resources, strlen (good_resources),
                             note_finding, &found, &err);

    (void)state;
    assert_int_equal (found.count, 0);
    assert_non_null (resources);
    assert_int_equal (resources->devices.count, 3);
    assert_int_equal (resources->devices.items[0].type, 'a');
    assert_int_equal (resources->devices.items[0].access, 7);
    assert_false (resources->devices.items[0].major.present);
    assert_int_equal (resources->devices.items[1].type, 'c');
    assert_int_equal (resources->devices.items[1].major.value, -1);
    assert_int_equal (resources->devices.items[1].access, OCI_ACCESS_MKNOD);
    assert_int_equal (resources->devices.items[2].type, 'a');
    assert_int_equal (resources->devices.items[2].access, 0);
    assert_true (resources->memory->limit.value == INT64_MAX);
    assert_true (resources->memory->reservation.present);
    assert_int_equal (resources->memory->swap.value, -1);
    assert_true (resources->memory->use_hierarchy.value);
    assert_false (resources->memory->check_before_update.present);
    assert_true (resources->memory->disable_oom_killer.present);
    assert_true (resources->cpu->period.value == UINT64_MAX);
    assert_int_equal (resources->cpu->quota.value, -1);
    assert_string_equal (resources->cpu->cpus, "2-3");
    assert_null (resources->cpu->mems);
    assert_true (resources->pids_limit.present && resources->pids_limit.value == 0);
    assert_int_equal (resources->block_io->leaf_weight.value, 65535);
    assert_false (resources->block_io->weight_device.items[0].weight.present);
    assert_int_equal (resources->block_io->read_bps.items[0].rate, 600);
    assert_int_equal (resources->block_io->write_bps.items[0].rate, 601);
    assert_int_equal (resources->block_io->read_iops.items[0].rate, 602);
    assert_int_equal (resources->block_io->write_iops.items[0].rate, 603);
    assert_true (resources->hugepage_limits.items[0].limit == UINT64_MAX);
    assert_int_equal (resources->network->class_id.value, UINT32_MAX);
    assert_string_equal (resources->network->priorities.items[0].name, "eth0");
    assert_string_equal (resources->rdma.items[1].device, "mlx4_0");
    assert_false (resources->rdma.items[1].hca_handles.present);
    assert_string_equal (resources->unified.items[0].key, "memory.high");
    assert_null (oci_resources_parse (&arena, "resources.json", "{\"pids\":{\"limit\":-2}}", 21,
                                      note_finding, &found, &err));
    assert_string_equal (found.items[0].pointer, "/pids/limit");
    assert_string_equal (found.items[0].file, "resources.json");
}

/* rows: CRT-32 CRT-34 */
static void resources_are_checked (void **state)
{
#define R(member) "\"resources\":{" member "}"
#define AT "/linux/resources"
    static const struct refusal refusals[] = {
        {"\"resources\":null", NULL, NULL},
        {"\"resources\":{\"memory\":{},\"cpu\":null,\"pids\":{},\"blockIO\":{}}", NULL, NULL},
        {R ("\"devices\":[{\"access\":\"r\"}]"), AT "/devices/0/allow", "is required"},
        {R ("\"devices\":[{\"allow\":1}]"), AT "/devices/0/allow", "must be a boolean"},
        {R ("\"devices\":[{\"allow\":true,\"type\":\"p\"}]"), AT "/devices/0/type", "not \"p\""},
        {R ("\"devices\":[{\"allow\":true,\"access\":\"rx\"}]"), AT "/devices/0/access",
         "letters r, w and m"},
        {R ("\"devices\":[{\"allow\":true,\"access\":7}]"), AT "/devices/0/access",
         "must be a string"},
        {R ("\"devices\":[{\"allow\":true,\"major\":-2}]"), AT "/devices/0/major",
         "must be an integer from -1 to 4294967295, not -2"},
        {R ("\"memory\":{\"limit\":-2}"), AT "/memory/limit", "must be an integer from -1"},
        {R ("\"memory\":{\"limit\":9223372036854775808}"), AT "/memory/limit",
         "to 9223372036854775807"},
        {R ("\"memory\":{\"limit\":\"1g\"}"), AT "/memory/limit", "not \"1g\""},
        {R ("\"memory\":{\"swappiness\":101}"), AT "/memory/swappiness", "from 0 to 100"},
        {R ("\"memory\":{\"swappiness\":18446744073709551615}"), NULL, NULL},
        {R ("\"memory\":{\"swappiness\":-1}"), AT "/memory/swappiness", "from 0 to 100"},
        {R ("\"cpu\":{\"shares\":-1}"), AT "/cpu/shares", "must be an integer from 0"},
        {R ("\"cpu\":{\"idle\":2}"), AT "/cpu/idle", "from 0 to 1"},
        {R ("\"cpu\":{\"quota\":100,\"burst\":100}"), NULL, NULL},
        {R ("\"cpu\":{\"quota\":100,\"burst\":101}"), AT "/cpu/burst", "larger than the quota"},
        {R ("\"cpu\":{\"quota\":-1,\"burst\":101}"), NULL, NULL},
        {R ("\"cpu\":{\"cpus\":\"0\\n1\"}"), AT "/cpu/cpus", "one line"},
        {R ("\"pids\":{\"limit\":1.0}"), AT "/pids/limit", "not 1.0"},
        {R ("\"blockIO\":{\"weight\":65536}"), AT "/blockIO/weight", "from 0 to 65535"},
        {R ("\"blockIO\":{\"weightDevice\":[{\"major\":8,\"minor\":0}]}"),
         AT "/blockIO/weightDevice/0", "needs a weight or a leafWeight"},
        {R ("\"blockIO\":{\"throttleReadBpsDevice\":[{\"major\":8,\"minor\":0}]}"),
         AT "/blockIO/throttleReadBpsDevice/0/rate", "is required"},
        {R ("\"blockIO\":{\"throttleReadBpsDevice\":[{\"major\":8,\"rate\":0}]}"),
         AT "/blockIO/throttleReadBpsDevice/0/minor", "is required"},
        {R ("\"hugepageLimits\":[{\"pageSize\":\"64kB\",\"limit\":1}]"),
         AT "/hugepageLimits/0/pageSize", "must be a size like"},
        {R ("\"hugepageLimits\":[{\"pageSize\":\"../../x\",\"limit\":1}]"),
         AT "/hugepageLimits/0/pageSize", "must be a size like"},
        {R ("\"hugepageLimits\":[{\"pageSize\":\"02MB\",\"limit\":1}]"),
         AT "/hugepageLimits/0/pageSize", "must be a size like"},
        {R ("\"hugepageLimits\":[{\"pageSize\":\"2MB/\",\"limit\":1}]"),
         AT "/hugepageLimits/0/pageSize", "must be a size like"},
        {R ("\"hugepageLimits\":[{\"pageSize\":\"2\",\"limit\":1}]"),
         AT "/hugepageLimits/0/pageSize", "must be a size like"},
        {R ("\"hugepageLimits\":[{\"limit\":1}]"), AT "/hugepageLimits/0/pageSize", "is required"},
        {R ("\"network\":{\"classID\":4294967296}"), AT "/network/classID", "to 4294967295"},
        {R ("\"network\":{\"priorities\":[{\"name\":\"a b\",\"priority\":1}]}"),
         AT "/network/priorities/0/name", "name of a network device"},
        {R ("\"rdma\":{\"a/b\":{\"hcaHandles\":1}}"), AT "/rdma/a~1b", "name of an RDMA device"},
        {R ("\"rdma\":{\"x\":{}}"), AT "/rdma/x", "needs hcaHandles or hcaObjects"},
        {R ("\"rdma\":{\"x\":{\"hcaHandles\":\"many\"}}"), AT "/rdma/x/hcaHandles",
         "must be an integer from 0 to 4294967295, not \"many\""},
        {R ("\"unified\":{\"../cgroup.procs\":\"1\"}"), AT "/unified/..~1cgroup.procs",
         "must be the name of a cgroup file"},
        {R ("\"unified\":{\"..\":\"1\"}"), AT "/unified/..", "must be the name"},
        {R ("\"unified\":{\"memory\":\"1\"}"), AT "/unified/memory", "must be the name"},
        {R ("\"unified\":{\"\":\"1\"}"), AT "/unified/", "must be the name"},
        {R ("\"unified\":{\"memory.high\":1}"), AT "/unified/memory.high", "must be a string"},
    };

    (void)state;
    CHECK_REFUSALS (LINUX, refusals);
}

/* rows: SEC-01 SEC-02 SEC-05 SEC-06 SEC-08 SEC-10 SEC-12 SEC-15 SEC-16 */
static void seccomp_is_read (void **state)
{
    static const char member[] =
        "\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":38,"
        "\"architectures\":[\"SCMP_ARCH_X86_64\",\"SCMP_ARCH_SHEB\"],"
        "\"flags\":[\"SECCOMP_FILTER_FLAG_LOG\",\"SECCOMP_FILTER_FLAG_TSYNC\"],"
        "\"listenerPath\":\"/run/s\",\"listenerMetadata\":\"m\","
        "\"syscalls\":[{\"names\":[\"getcwd\",\"no_such_call\"],\"action\":\"SCMP_ACT_ALLOW\"},"
        "{\"names\":[\"clone\"],\"action\":\"SCMP_ACT_TRACE\",\"errnoRet\":65535,"
        "\"args\":[{\"index\":5,\"value\":18446744073709551615,\"valueTwo\":1,"
        "\"op\":\"SCMP_CMP_MASKED_EQ\"}]},{\"names\":[\"mkdir\"],\"action\":\"SCMP_ACT_NOTIFY\","
        "\"args\":null}]}";
    AUTO_ARENA struct arena arena = ARENA_INIT;
    const struct oci_seccomp *seccomp = accept (&arena, "", "", member)->linux.seccomp;

    (void)state;
    assert_int_equal (seccomp->default_action, SCMP_ACT_ERRNO (0));
    assert_int_equal (seccomp->default_errno_ret.value, 38);
    assert_int_equal (seccomp->architectures.count, 2);
    assert_int_equal (seccomp->architectures.items[0], SCMP_ARCH_X86_64);
    assert_int_equal (seccomp->flags, 3);
    assert_true (seccomp->flags_present);
    assert_string_equal (seccomp->listener_path, "/run/s");
    assert_string_equal (seccomp->listener_metadata, "m");
    assert_int_equal (seccomp->syscalls.count, 3);
    assert_string_equal (seccomp->syscalls.items[0].names.items[1], "no_such_call");
    assert_false (seccomp->syscalls.items[0].errno_ret.present);
    assert_int_equal (seccomp->syscalls.items[1].errno_ret.value, 65535);
    const struct oci_seccomp_arg *arg = &seccomp->syscalls.items[1].args.items[0];
    assert_int_equal (arg->index, 5);
    assert_true (arg->value == UINT64_MAX);
    assert_int_equal (arg->value_two, 1);
    assert_int_equal (arg->op, SCMP_CMP_MASKED_EQ);
    assert_int_equal (seccomp->syscalls.items[2].action, SCMP_ACT_NOTIFY);

    seccomp =
        accept (&arena, "", "", "\"seccomp\":{\"defaultAction\":\"SCMP_ACT_KILL\",\"flags\":[]}")
            ->linux.seccomp;
    assert_true (seccomp->flags_present && seccomp->flags == 0);
    seccomp =
        accept (&arena, "", "", "\"seccomp\":{\"defaultAction\":\"SCMP_ACT_KILL\"}")->linux.seccomp;
    assert_false (seccomp->flags_present);
}

/* rows: SEC-01 SEC-02 SEC-03 SEC-05 SEC-06 SEC-10 SEC-12 SEC-15 SEC-16 */
static void seccomp_is_checked (void **state)
{
#define SECCOMP(rest) "\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ALLOW\"," rest "}"
#define CALL(rest) SECCOMP ("\"syscalls\":[{\"names\":[\"read\"]," rest "}]")
#define ARG(rest) CALL ("\"action\":\"SCMP_ACT_LOG\",\"args\":[{" rest "}]")
    static const struct refusal refusals[] = {
        {"\"seccomp\":null", NULL, NULL},
        {"\"seccomp\":{}", "/linux/seccomp/defaultAction", "is required"},
        {"\"seccomp\":{\"defaultAction\":\"\"}", "/linux/seccomp/defaultAction",
         "unknown seccomp action \"\""},
        {"\"seccomp\":{\"defaultAction\":\"ALLOW\"}", "/linux/seccomp/defaultAction",
         "unknown seccomp action \"ALLOW\""},
        {SECCOMP ("\"defaultErrnoRet\":1"), "/linux/seccomp/defaultErrnoRet",
         "goes only with SCMP_ACT_ERRNO and SCMP_ACT_TRACE, not SCMP_ACT_ALLOW"},
        {"\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":4095}", NULL, NULL},
        {"\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":4096}",
         "/linux/seccomp/defaultErrnoRet", "from 0 to 4095 with SCMP_ACT_ERRNO"},
        {"\"seccomp\":{\"defaultAction\":\"SCMP_ACT_TRACE\",\"defaultErrnoRet\":65536}",
         "/linux/seccomp/defaultErrnoRet", "from 0 to 65535"},
        {"\"seccomp\":{\"defaultAction\":\"SCMP_ACT_NOTIFY\",\"listenerPath\":\"/s\"}", NULL, NULL},
        {"\"seccomp\":{\"defaultAction\":\"SCMP_ACT_NOTIFY\"}", "/linux/seccomp/listenerPath",
         "is required with SCMP_ACT_NOTIFY"},
        {SECCOMP ("\"architectures\":[\"SCMP_ARCH_X86\",\"\"]"), "/linux/seccomp/architectures/1",
         "unknown seccomp architecture \"\""},
        {SECCOMP ("\"architectures\":[\"SCMP_ARCH_VAX\"]"), "/linux/seccomp/architectures/0",
         "unknown seccomp architecture"},
        {SECCOMP ("\"flags\":[\"SECCOMP_FILTER_FLAG_NEW_LISTENER\"]"), "/linux/seccomp/flags/0",
         "unknown seccomp flag"},
        {SECCOMP ("\"listenerMetadata\":\"x\""), "/linux/seccomp/listenerMetadata",
         "must not be set without listenerPath"},
        {SECCOMP ("\"listenerPath\":\"/s\""), NULL, NULL},
        {SECCOMP ("\"syscalls\":[{\"action\":\"SCMP_ACT_LOG\"}]"),
         "/linux/seccomp/syscalls/0/names", "is required"},
        {SECCOMP ("\"syscalls\":[{\"names\":[],\"action\":\"SCMP_ACT_LOG\"}]"),
         "/linux/seccomp/syscalls/0/names", "must not be empty"},
        {CALL ("\"args\":[]"), "/linux/seccomp/syscalls/0/action", "is required"},
        {CALL ("\"action\":\"SCMP_ACT_NOTIFY\""), "/linux/seccomp/listenerPath",
         "is required with SCMP_ACT_NOTIFY"},
        {CALL ("\"action\":\"SCMP_ACT_ALLOW\",\"errnoRet\":1"),
         "/linux/seccomp/syscalls/0/errnoRet", "goes only with"},
        {CALL ("\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":0"), NULL, NULL},
        {CALL ("\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":-1"),
         "/linux/seccomp/syscalls/0/errnoRet", "not -1"},
        {ARG ("\"index\":6,\"value\":0,\"op\":\"SCMP_CMP_EQ\""),
         "/linux/seccomp/syscalls/0/args/0/index", "from 0 to 5"},
        {ARG ("\"value\":0,\"op\":\"SCMP_CMP_EQ\""), "/linux/seccomp/syscalls/0/args/0/index",
         "is required"},
        {ARG ("\"index\":0,\"op\":\"SCMP_CMP_EQ\""), "/linux/seccomp/syscalls/0/args/0/value",
         "is required"},
        {ARG ("\"index\":0,\"value\":0"), "/linux/seccomp/syscalls/0/args/0/op", "is required"},
        {ARG ("\"index\":0,\"value\":0,\"op\":\"SCMP_CMP_EG\""),
         "/linux/seccomp/syscalls/0/args/0/op", "did you mean \"SCMP_CMP_"},
        {ARG ("\"index\":0,\"value\":-1,\"op\":\"SCMP_CMP_EQ\""),
         "/linux/seccomp/syscalls/0/args/0/value", "not -1"},
    };

    (void)state;
    CHECK_REFUSALS (LINUX, refusals);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (resources_are_read),
        cmocka_unit_test (resources_are_checked),
        cmocka_unit_test (seccomp_is_read),
        cmocka_unit_test (seccomp_is_checked),
    };

    return cmocka_run_group_tests (tests, NULL, NULL);
}
