/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config.json's `linux` (without resources and seccomp), `mounts`, and what depends on namespaces.
 */
#include "document.h"
#include "oci-spec/sysctl.h"

#include <sched.h>
#include <sys/mount.h>
#include <time.h>

/* rows: NSP-01 DEV-08 DEV-11 NET-12 NET-13 UID-03 */
static void linux_is_read (void **state)
{
    static const char member[] =
        "\"namespaces\":[{\"type\":\"pid\",\"path\":\"/proc/1/ns/pid\"},{\"type\":\"network\","
        "\"path\":\"\"},{\"type\":\"user\"},{\"type\":\"time\"},{\"type\":\"mount\"}],"
        "\"uidMappings\":[{\"containerID\":0,\"hostID\":1000,\"size\":1},"
        "{\"containerID\":1,\"hostID\":100000,\"size\":65536}],"
        "\"gidMappings\":[{\"containerID\":0,\"hostID\":4294967294,\"size\":1}],"
        "\"timeOffsets\":{\"boottime\":{\"secs\":-5,\"nanosecs\":999999999},\"monotonic\":null},"
        "\"devices\":[{\"type\":\"u\",\"path\":\"/dev/fuse\",\"major\":10,\"minor\":229,"
        "\"fileMode\":8624,\"uid\":7,\"gid\":8},{\"type\":\"p\",\"path\":\"/dev/pipe/\"}],"
        "\"netDevices\":{\"eth0\":{\"name\":\"lan%d\"},\"eth1\":{\"name\":\"lan%d\"},\"ens5\":{}},"
        "\"cgroupsPath\":\"a.slice:p:n\",\"rootfsPropagation\":\"rslave\","
        "\"sysctl\":{\"net.ipv4.ip_forward\":\"1\",\"user/max_user_namespaces\":\"5\"},"
        "\"maskedPaths\":[\"/proc/kcore\"],\"readonlyPaths\":[],\"mountLabel\":\"l\","
        "\"intelRdt\":{\"closID\":\"/\",\"schemata\":[\"L3:0=f\"],\"enableMonitoring\":true},"
        "\"memoryPolicy\":{\"mode\":\"MPOL_BIND\",\"nodes\":\"0-1\","
        "\"flags\":[\"MPOL_F_STATIC_NODES\",\"MPOL_F_NUMA_BALANCING\"]},"
        "\"personality\":{\"domain\":\"LINUX32\",\"flags\":[]}";
    AUTO_ARENA struct arena arena = ARENA_INIT;
    const struct oci_config *config = accept (&arena, "", "", member);
    const struct oci_linux *section = &config->linux;

    (void)state;
    assert_int_equal (section->namespaces.count, 5);
    assert_int_equal (section->namespaces.items[0].type, CLONE_NEWPID);
    assert_string_equal (section->namespaces.items[0].path, "/proc/1/ns/pid");
    assert_null (oci_config_namespace (config, CLONE_NEWNET)->path);
    assert_null (oci_config_namespace (config, CLONE_NEWIPC));
    assert_int_equal (section->uid_mappings.items[1].host_id, 100000);
    assert_int_equal (section->uid_mappings.items[1].size, 65536);
    assert_int_equal (section->gid_mappings.items[0].host_id, 4294967294);
    assert_int_equal (section->time_offsets.count, 2);
    assert_int_equal (section->time_offsets.items[0].clock, CLOCK_BOOTTIME);
    assert_int_equal (section->time_offsets.items[0].secs, -5);
    assert_int_equal (section->time_offsets.items[0].nanosecs, 999999999);
    assert_int_equal (section->time_offsets.items[1].clock, CLOCK_MONOTONIC);
    assert_int_equal (section->devices.items[0].type, 'c');
    assert_int_equal (section->devices.items[0].file_mode, 0660);
    assert_int_equal (section->devices.items[0].minor, 229);
    assert_int_equal (section->devices.items[0].gid, 8);
    assert_int_equal (section->devices.items[1].type, 'p');
    assert_int_equal (section->devices.items[1].file_mode, 0666);
    assert_string_equal (section->net_devices.items[0].host_name, "eth0");
    assert_string_equal (section->net_devices.items[1].name, "lan%d");
    assert_null (section->net_devices.items[2].name);
    assert_int_equal (section->rootfs_propagation, MS_SLAVE | MS_REC);
    assert_int_equal (section->sysctl.count, 2);
    assert_string_equal (section->sysctl.items[0].value, "1");
    assert_int_equal (section->masked_paths.count, 1);
    assert_true (section->readonly_paths.present);
    assert_string_equal (section->intel_rdt->clos_id, "/");
    assert_true (section->intel_rdt->enable_monitoring);
    assert_int_equal (section->memory_policy->mode, 2);
    assert_int_equal (section->memory_policy->flags, 1 << 15 | 1 << 13);
    assert_int_equal (section->personality->domain, 8);
}

#define USER_NS "\"namespaces\":[{\"type\":\"user\"}]"
#define MAPS(first) "[{\"containerID\":" first ",\"hostID\":5,\"size\":9}]"

/* rows: NSP-01 NSP-06 UID-03 UID-04 UID-05 UID-06 */
static void namespaces_are_checked (void **state)
{
    static const struct refusal refusals[] = {
        {"\"namespaces\":null", NULL, NULL},
        {"\"namespaces\":[{}]", "/linux/namespaces/0/type", "is required"},
        {"\"namespaces\":[{\"type\":\"net\"}]", "/linux/namespaces/0/type",
         "unknown namespace type \"net\""},
        {"\"namespaces\":[{\"type\":\"netwrok\"}]", "/linux/namespaces/0/type",
         "did you mean \"network\"?"},
        {"\"namespaces\":[{\"type\":\"zzz\"}]", "/linux/namespaces/0/type",
         "known: pid, network, mount, ipc, uts, user, cgroup, time"},
        {"\"namespaces\":[{\"type\":\"pid\",\"path\":\"x\"}]", "/linux/namespaces/0/path",
         "must be an absolute path"},
        {"\"namespaces\":[{\"type\":\"pid\"},{\"type\":\"ipc\"},{\"type\":\"pid\"}]",
         "/linux/namespaces/2", "the namespace type \"pid\" is listed twice"},
        {"\"uidMappings\":" MAPS ("0"), "/linux/uidMappings", "needs a user namespace"},
        {"\"gidMappings\":" MAPS ("0"), "/linux/gidMappings", "needs a user namespace"},
        {USER_NS ",\"uidMappings\":" MAPS ("0"), "/linux/gidMappings", "needs gid mappings"},
        {USER_NS ",\"gidMappings\":" MAPS ("0"), "/linux/uidMappings", "needs uid mappings"},
        {USER_NS ",\"uidMappings\":" MAPS ("0") ",\"gidMappings\":" MAPS ("0"), NULL, NULL},
        {USER_NS ",\"uidMappings\":" MAPS ("1") ",\"gidMappings\":" MAPS ("0"),
         "/linux/uidMappings", "container root uid is not mapped"},
        {USER_NS ",\"uidMappings\":" MAPS ("0") ",\"gidMappings\":" MAPS ("1"),
         "/linux/gidMappings", "container root gid is not mapped"},
        {"\"namespaces\":[{\"type\":\"user\",\"path\":\"/proc/1/ns/user\"}]", NULL, NULL},
        {USER_NS ",\"gidMappings\":" MAPS ("0") ",\"uidMappings\":[{\"containerID\":0,\"hostID\":0,"
                                                "\"size\":0}]",
         "/linux/uidMappings/0/size", "must be an integer from 1 to 4294967295, not 0"},
        {USER_NS ",\"gidMappings\":" MAPS ("0") ",\"uidMappings\":[{\"containerID\":0,\"hostID\":"
                                                "4294967290,\"size\":6}]",
         "/linux/uidMappings/0", "ends beyond the largest id"},
    };

    (void)state;
    CHECK_REFUSALS (LINUX, refusals);
}

static void uts_names_are_checked (void **state)
{
#define UTS "\"linux\":{\"namespaces\":[{\"type\":\"uts\"}]}"
#define NAME64 "aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbccccccccccccccccdddddddddddddddd"
    static const struct refusal refusals[] = {
        {"\"hostname\":\"" NAME64 "\"," UTS, NULL, NULL},
        {"\"hostname\":\"" NAME64 "e\"," UTS, "/hostname", "must not be longer than 64 bytes"},
        {"\"domainname\":\"" NAME64 "e\"," UTS, "/domainname", "must not be longer than 64"},
        {"\"hostname\":\"x\"", "/hostname", "needs a uts namespace"},
        {"\"domainname\":\"x\"", "/domainname", "needs a uts namespace"},
        {"\"hostname\":\"\",\"domainname\":null", NULL, NULL},
    };

    (void)state;
    CHECK_REFUSALS (ABOVE, refusals);
}

/* rows: DEV-08 DEV-09 DEV-10 DEV-11 */
static void devices_are_checked (void **state)
{
#define DEVICE(rest) "\"devices\":[{\"path\":\"/dev/x\"," rest "}]"
    static const struct refusal refusals[] = {
        {DEVICE ("\"type\":\"c\",\"major\":1,\"minor\":3"), NULL, NULL},
        {DEVICE ("\"type\":\"b\",\"major\":4095,\"minor\":1048575"), NULL, NULL},
        {DEVICE ("\"type\":\"p\""), NULL, NULL},
        {DEVICE ("\"type\":\"c\",\"major\":1"), "/linux/devices/0/minor",
         "is required for a device of type \"c\""},
        {DEVICE ("\"type\":\"u\",\"minor\":1,\"major\":null"), "/linux/devices/0/major",
         "is required"},
        {DEVICE ("\"type\":\"a\""), "/linux/devices/0/type", "not \"a\""},
        {DEVICE ("\"type\":\"cc\""), "/linux/devices/0/type", "not \"cc\""},
        {DEVICE ("\"type\":\"\""), "/linux/devices/0/type", "not \"\""},
        {DEVICE ("\"type\":7"), "/linux/devices/0/type", "not a number"},
        {DEVICE ("\"major\":1,\"minor\":3"), "/linux/devices/0/type", "is required"},
        {DEVICE ("\"type\":\"c\",\"major\":4096,\"minor\":3"), "/linux/devices/0/major",
         "must be an integer from 0 to 4095"},
        {DEVICE ("\"type\":\"c\",\"major\":-1,\"minor\":3"), "/linux/devices/0/major", "not -1"},
        {DEVICE ("\"type\":\"p\",\"fileMode\":65536"), "/linux/devices/0/fileMode", "not 65536"},
        {DEVICE ("\"type\":\"p\",\"fileMode\":4534"), NULL, NULL},
        {DEVICE ("\"type\":\"p\",\"fileMode\":8630"), "/linux/devices/0/fileMode", "another type"},
        {DEVICE ("\"type\":\"p\",\"fileMode\":-1"), "/linux/devices/0/fileMode", "not -1"},
        {DEVICE ("\"type\":\"p\",\"uid\":4294967295"), "/linux/devices/0/uid", "not 4294967295"},
        {DEVICE ("\"type\":\"p\",\"gid\":4294967295"), "/linux/devices/0/gid", "not 4294967295"},
        {"\"devices\":[{\"type\":\"p\",\"path\":\"dev/x\"}]", "/linux/devices/0/path",
         "must be an absolute path"},
        {"\"devices\":[{\"type\":\"p\"}]", "/linux/devices/0/path", "is required"},
    };

    (void)state;
    CHECK_REFUSALS (LINUX, refusals);
}

/* rows: NET-12 NET-13 NET-16 */
static void net_devices_are_checked (void **state)
{
#define NETDEVICES(rest) "\"namespaces\":[{\"type\":\"network\"}],\"netDevices\":{" rest "}"
    static const struct refusal refusals[] = {
        {NETDEVICES ("\"eth0\":{},\"eth1\":{\"name\":\"\"}"), NULL, NULL},
        {"\"netDevices\":{\"eth0\":{}}", "/linux/netDevices", "needs a network namespace"},
        {"\"netDevices\":{}", NULL, NULL},
        {NETDEVICES ("\"eth0\":7"), "/linux/netDevices/eth0", "must be an object"},
        {NETDEVICES ("\"eth0\":{\"name\":23}"), "/linux/netDevices/eth0/name", "must be a string"},
        {NETDEVICES ("\"\":{}"), "/linux/netDevices/", "must not be empty"},
        {NETDEVICES ("\"a/b\":{}"), "/linux/netDevices/a~1b", "not a valid name"},
        {NETDEVICES ("\"..\":{}"), "/linux/netDevices/..", "not a valid name"},
        {NETDEVICES ("\"eth%d\":{}"), "/linux/netDevices/eth%d", "not a valid name"},
        {NETDEVICES ("\"eth0\":{\"name\":\"fifteen-letters\"}"), NULL, NULL},
        {NETDEVICES ("\"eth0\":{\"name\":\"sixteen--letters\"}"), "/linux/netDevices/eth0",
         "not a valid name"},
        {NETDEVICES ("\"eth0\":{\"name\":\"a:b\"}"), "/linux/netDevices/eth0", "not a valid name"},
        {NETDEVICES ("\"eth0\":{\"name\":\"a b\"}"), "/linux/netDevices/eth0", "not a valid name"},
        {NETDEVICES ("\"eth0\":{\"name\":\".\"}"), "/linux/netDevices/eth0", "not a valid name"},
        {NETDEVICES ("\"eth0\":{\"name\":\"lan%d\"}"), NULL, NULL},
        {NETDEVICES ("\"eth0\":{\"name\":\"lan%s\"}"), "/linux/netDevices/eth0",
         "not a valid name"},
        {NETDEVICES ("\"eth0\":{\"name\":\"%d%d\"}"), "/linux/netDevices/eth0", "not a valid name"},
        {NETDEVICES ("\"eth0\":{\"name\":\"lan\"},\"eth1\":{\"name\":\"lan\"}"),
         "/linux/netDevices/eth1", "\"lan\" is used twice"},
        {NETDEVICES ("\"eth0\":{\"name\":\"eth1\"},\"eth1\":{}"), "/linux/netDevices/eth1",
         "\"eth1\" is used twice"},
        {NETDEVICES ("\"eth0\":{\"name\":\"eth1\"},\"eth1\":{\"name\":\"eth0\"}"), NULL, NULL},
    };

    (void)state;
    CHECK_REFUSALS (LINUX, refusals);
}

#define ALL_NS                                                                                     \
    "\"namespaces\":[{\"type\":\"network\"},{\"type\":\"ipc\",\"path\":\"/"                        \
    "n\"},{\"type\":\"uts\"}],"
#define SYSCTL(key) ALL_NS "\"sysctl\":{\"" key "\":\"1\"}"
#define SYSCTL_ALONE(key) "\"sysctl\":{\"" key "\":\"1\"}"

/* rows: NET-05 NET-06 NET-07 NET-08 NET-09 NET-11 */
static void sysctls_are_checked (void **state)
{
    static const struct refusal refusals[] = {
        {SYSCTL ("net.ipv4.ip_forward"), NULL, NULL},
        {SYSCTL ("net/ipv4/conf/eth0.100/forwarding"), NULL, NULL},
        {SYSCTL ("net.ipv4.conf.eth0/100.forwarding"), NULL, NULL},
        {SYSCTL ("kernel.shm_rmid_forced"), NULL, NULL},
        {SYSCTL ("kernel/sem"), NULL, NULL},
        {SYSCTL ("fs.mqueue.msg_max"), NULL, NULL},
        {SYSCTL ("kernel.domainname"), NULL, NULL},
        {SYSCTL ("kernel.hostname"), "/linux/sysctl/kernel.hostname",
         "not allowed, use the property hostname"},
        {SYSCTL ("kernel/hostname"), "/linux/sysctl/kernel~1hostname", "not allowed"},
        {SYSCTL ("kernel.core_pattern"), "/linux/sysctl/kernel.core_pattern",
         "is not in a separate kernel namespace"},
        {SYSCTL ("kernel.msgmaxx"), "/linux/sysctl/kernel.msgmaxx", "separate kernel namespace"},
        {SYSCTL ("kernel.msgmax.x"), "/linux/sysctl/kernel.msgmax.x", "separate kernel namespace"},
        {SYSCTL ("vm.swappiness"), "/linux/sysctl/vm.swappiness", "separate kernel namespace"},
        {SYSCTL ("fs.mqueue"), "/linux/sysctl/fs.mqueue", "separate kernel namespace"},
        {SYSCTL ("net"), "/linux/sysctl/net", "separate kernel namespace"},
        {SYSCTL ("user.max_user_namespaces"), "/linux/sysctl/user.max_user_namespaces",
         "it needs a namespace of type \"user\""},
        {SYSCTL_ALONE ("net.core.somaxconn"), "/linux/sysctl/net.core.somaxconn",
         "it needs a namespace of type \"network\""},
        {SYSCTL_ALONE ("kernel.sem"), "/linux/sysctl/kernel.sem", "of type \"ipc\""},
        {SYSCTL_ALONE ("kernel.domainname"), "/linux/sysctl/kernel.domainname", "type \"uts\""},
        {SYSCTL (""), "/linux/sysctl/", "not a valid name"},
        {SYSCTL ("net/../kernel/core_pattern"), "/linux/sysctl/net~1..~1kernel~1core_pattern",
         "not a valid name"},
        {SYSCTL ("net.//.kernel"), "/linux/sysctl/net.~1~1.kernel", "not a valid name"},
        {SYSCTL ("net..ipv4"), "/linux/sysctl/net..ipv4", "not a valid name"},
        {SYSCTL ("net.ipv4."), "/linux/sysctl/net.ipv4.", "not a valid name"},
        {SYSCTL ("/net/ipv4"), "/linux/sysctl/~1net~1ipv4", "not a valid name"},
        {SYSCTL ("net.a\\nb"), "/linux/sysctl/net.a\nb", "not a valid name"},
        {SYSCTL ("net.a b"), "/linux/sysctl/net.a b", "not a valid name"},
        {ALL_NS "\"sysctl\":{\"net.x\":\"1\\nkernel.core_pattern=|x\"}", "/linux/sysctl/net.x",
         "must be one line"},
        {ALL_NS "\"sysctl\":{\"net.x\":1}", "/linux/sysctl/net.x", "must be a string"},
        {ALL_NS "\"sysctl\":[]", "/linux/sysctl", "must be an object"},
    };

    (void)state;
    CHECK_REFUSALS (LINUX, refusals);
}

/* rows: NET-07 */
static void domainname_may_not_contradict (void **state)
{
#define DOMAIN(value)                                                                              \
    "\"domainname\":\"a.b\",\"linux\":{\"namespaces\":[{\"type\":\"uts\"}],"                       \
    "\"sysctl\":{\"kernel.domainname\":\"" value "\"}}"
    static const struct refusal refusals[] = {
        {DOMAIN ("a.b"), NULL, NULL},
        {DOMAIN ("c.d"), "/linux/sysctl/kernel.domainname", "contradicts the property domainname"},
    };

    (void)state;
    CHECK_REFUSALS (ABOVE, refusals);
}

/* rows: NET-05 NET-11 */
static void sysctl_paths_are_made (void **state)
{
    static const struct {
        const char *name, *path;
    } cases[] = {
        {"net.ipv4.ip_forward", "net/ipv4/ip_forward"},
        {"net/ipv4/conf/eth0.100/forwarding", "net/ipv4/conf/eth0.100/forwarding"},
        {"net.ipv4.conf.eth0/100.forwarding", "net/ipv4/conf/eth0.100/forwarding"},
        {"kernel", "kernel"},
        {"net/./x", NULL},
        {"net/../x", NULL},
        {"net.//.x", NULL}, /* would be net/../x */
        {"", NULL},
        {".", NULL},
        {"/", NULL},
        {"a\x7f", NULL},
    };
    char path[SYSCTL_PATH_SIZE];
    char longest[SYSCTL_PATH_SIZE + 1];

    (void)state;
    for (size_t i = 0; i < sizeof (cases) / sizeof (*cases); i++) {
        assert_int_equal (oci_sysctl_path (cases[i].name, path), cases[i].path != NULL);
        if (cases[i].path)
            assert_string_equal (path, cases[i].path);
    }
    memset (longest, 'a', sizeof (longest));
    longest[SYSCTL_PATH_SIZE] = '\0';
    assert_false (oci_sysctl_path (longest, path));
    longest[SYSCTL_PATH_SIZE - 1] = '\0';
    assert_true (oci_sysctl_path (longest, path));
    assert_string_equal (path, longest);
}

/* rows: RDT-05 */
static void other_properties_are_checked (void **state)
{
    static const struct refusal refusals[] = {
        {"\"maskedPaths\":[\"/proc/kcore\"]", "/linux/maskedPaths", "needs a mount namespace"},
        {"\"readonlyPaths\":[\"/proc/sys\"]", "/linux/readonlyPaths", "needs a mount namespace"},
        {"\"maskedPaths\":[],\"readonlyPaths\":null", NULL, NULL},
        /* Gone from the specification, and so unknown. */
        {"\"intelRdt\":{\"enableCMT\":true,\"enableMBM\":true}", NULL, NULL},
        {"\"namespaces\":[{\"type\":\"mount\"}],\"maskedPaths\":[\"/a\",\"b\"]",
         "/linux/maskedPaths/1", "must be an absolute path, not \"b\""},
        {"\"namespaces\":[{\"type\":\"mount\"}],\"readonlyPaths\":[\"\"]", "/linux/readonlyPaths/0",
         "must be an absolute path"},
        {"\"timeOffsets\":{\"boottime\":{\"secs\":1}}", "/linux/timeOffsets",
         "needs a new time namespace"},
        {"\"namespaces\":[{\"type\":\"time\",\"path\":\"/t\"}],\"timeOffsets\":{\"boottime\":{}}",
         "/linux/timeOffsets", "needs a new time namespace"},
        {"\"namespaces\":[{\"type\":\"time\"}],\"timeOffsets\":{\"realtime\":{}}",
         "/linux/timeOffsets/realtime", "unknown clock \"realtime\""},
        {"\"namespaces\":[{\"type\":\"time\"}],\"timeOffsets\":{\"boottime\":{\"nanosecs\":"
         "1000000000}}",
         "/linux/timeOffsets/boottime/nanosecs", "must be an integer from 0 to 999999999"},
        {"\"namespaces\":[{\"type\":\"time\"}],\"timeOffsets\":{\"boottime\":{\"secs\":"
         "9223372036854775808}}",
         "/linux/timeOffsets/boottime/secs",
         "must be an integer from -9223372036854775808 to 9223372036854775807"},
        {"\"cgroupsPath\":\"/a/../../b\"", "/linux/cgroupsPath", "must not lead upwards"},
        {"\"cgroupsPath\":\"..\"", "/linux/cgroupsPath", "must not lead upwards"},
        {"\"cgroupsPath\":\"/a..b/..c/d..\"", NULL, NULL},
        {"\"rootfsPropagation\":\"\"", NULL, NULL},
        {"\"rootfsPropagation\":\"sharde\"", "/linux/rootfsPropagation",
         "unknown propagation \"sharde\", did you mean"},
        {"\"intelRdt\":{\"closID\":\"../x\"}", "/linux/intelRdt/closID", "one directory"},
        {"\"intelRdt\":{\"closID\":\"..\"}", "/linux/intelRdt/closID", "one directory"},
        {"\"intelRdt\":{\"schemata\":[\"a\\nb\"]}", "/linux/intelRdt/schemata/0", "one line"},
        {"\"intelRdt\":{\"memBwSchema\":\"0=1\"}", "/linux/intelRdt/memBwSchema", "\"MB:\""},
        {"\"intelRdt\":{\"l3CacheSchema\":\"L3:\\n\"}", "/linux/intelRdt/l3CacheSchema",
         "one line"},
        {"\"memoryPolicy\":{}", "/linux/memoryPolicy/mode", "is required"},
        {"\"memoryPolicy\":{\"mode\":\"MPOL_BIND\"}", "/linux/memoryPolicy/nodes",
         "must be set with MPOL_BIND"},
        {"\"memoryPolicy\":{\"mode\":\"MPOL_LOCAL\",\"nodes\":\"0\"}", "/linux/memoryPolicy/nodes",
         "must not be set with MPOL_LOCAL"},
        {"\"memoryPolicy\":{\"mode\":\"MPOL_BIND\",\"nodes\":\"x\"}", "/linux/memoryPolicy/nodes",
         "must be a list of memory nodes"},
        {"\"memoryPolicy\":{\"mode\":\"MPOL_BINDD\",\"nodes\":\"0\"}", "/linux/memoryPolicy/mode",
         "did you mean \"MPOL_BIND\"?"},
        {"\"personality\":{}", "/linux/personality/domain", "is required"},
        {"\"personality\":{\"domain\":\"LINUX\",\"flags\":[\"X\"]}", "/linux/personality/flags",
         "must be empty"},
    };

    (void)state;
    CHECK_REFUSALS (LINUX, refusals);
}

#define MOUNT(rest) "\"mounts\":[{\"destination\":\"/d\"" rest "}]"
#define IDS "[{\"containerID\":0,\"hostID\":1,\"size\":1}]"

#define AT(destination)                                                                            \
    "\"mounts\":[{\"destination\":\"" destination "\",\"type\":\"tmpfs\",\"source\":\"t\"}]"

/* rows: MNT-05 MNT-06 MNT-08 MNT-23 MNT-24 MNT-61 */
static void mounts_are_checked (void **state)
{
    static const struct refusal refusals[] = {
        {MOUNT (",\"type\":\"proc\""), NULL, NULL},
        {"\"mounts\":[{\"destination\":\"d\",\"type\":\"proc\"}]", NULL, NULL},
        {"\"mounts\":[{\"type\":\"proc\"}]", "/mounts/0/destination", "is required"},
        {"\"mounts\":[{\"destination\":\"\",\"type\":\"proc\"}]", "/mounts/0/destination",
         "must not be empty"},
        {MOUNT (""), "/mounts/0/type", "is required without the option bind or rbind"},
        {MOUNT (",\"type\":\"\",\"options\":[\"ro\"]"), "/mounts/0/type", "is required without"},
        {MOUNT (",\"type\":\"none\",\"source\":\"/s\""), "/mounts/0/type",
         "needs the option bind or rbind"},
        {MOUNT (",\"type\":\"none\",\"source\":\"/s\",\"options\":[\"rbind\"]"), NULL, NULL},
        {MOUNT (",\"source\":\"/s\",\"options\":[\"bind\"]"), NULL, NULL},
        {MOUNT (",\"type\":\"bind\",\"source\":\"/s\""), NULL, NULL},
        {MOUNT (",\"type\":\"bind\",\"source\":\"/s\",\"options\":[\"rbind\",\"ro\"]"), NULL, NULL},
        {MOUNT (",\"type\":\"ext4\",\"source\":\"/s\",\"options\":[\"bind\"]"), NULL, NULL},
        {MOUNT (",\"type\":\"bind\""), "/mounts/0/source", "is required for a bind mount"},
        {MOUNT (",\"options\":[\"remount\",\"ro\"]"), NULL, NULL},
        {AT ("/"), "/mounts/0/destination", "the root itself"},
        {AT ("//./etc/.."), "/mounts/0/destination", "the root itself"},
        {AT ("."), "/mounts/0/destination", "the root itself"},
        {"\"mounts\":[{\"destination\":\"/\",\"options\":[\"remount\",\"ro\"]}]", NULL, NULL},
        {AT ("//proc/./self/"), "/mounts/0/destination", "inside /proc"},
        {AT ("proc"), "/mounts/0/destination", "only a procfs"},
        {AT ("/etc/../proc/meminfo"), NULL, NULL},
        {AT ("/proc2"), NULL, NULL},
        {MOUNT (",\"type\":\"cgroup\",\"options\":[\"ro\",\"nosuid\",\"rprivate\"]"), NULL, NULL},
        {MOUNT (",\"type\":\"cgroup\",\"options\":[\"ro\",\"nonsense\"]"), "/mounts/0/options",
         "invalid argument: \"nonsense\" has no effect"},
        {MOUNT (",\"options\":[\"remount\",\"bind\",\"ro\"]"), NULL, NULL},
        {MOUNT (",\"source\":\"/s\",\"options\":[\"bind\",\"size=5\",\"mode=7\"]"),
         "/mounts/0/options",
         "bind mounts cannot have any filesystem-specific options applied: \"size=5,mode=7\""},
        {MOUNT (",\"type\":\"tmpfs\",\"options\":\"ro\""), "/mounts/0/options", "must be an array"},
        {MOUNT (",\"type\":\"tmpfs\",\"options\":[\"ro\",7]"), "/mounts/0/options/1",
         "must be a string"},
        {MOUNT (",\"source\":\"/s\",\"options\":[\"bind\"],\"uidMappings\":" IDS),
         "/mounts/0/gidMappings", "is required along with uidMappings"},
        {MOUNT (",\"source\":\"/s\",\"options\":[\"bind\"],\"gidMappings\":" IDS),
         "/mounts/0/uidMappings", "is required along with gidMappings"},
        {MOUNT (",\"source\":\"/s\",\"options\":[\"bind\"],\"uidMappings\":" IDS
                ",\"gidMappings\":" IDS),
         NULL, NULL},
        {MOUNT (",\"source\":\"/s\",\"options\":[\"bind\",\"idmap\"]"), "/mounts/0/options",
         "or a user namespace"},
        {MOUNT (",\"source\":\"/s\",\"options\":[\"bind\"],\"gidMappings\":" IDS
                ",\"uidMappings\":[{\"containerID\":4294967295,\"hostID\":1,\"size\":1}]"),
         "/mounts/0/uidMappings/0", "ends beyond the largest id"},
        {MOUNT (
             ",\"source\":\"/s\",\"options\":[\"bind\",\"ridmap\"]") ",\"linux\":{\"namespaces\":[{"
                                                                     "\"type\":\"user\",\"path\":"
                                                                     "\"/u\"}]}",
         NULL, NULL},
    };

    (void)state;
    CHECK_REFUSALS (ABOVE, refusals);
}

static void mounts_are_read (void **state)
{
    static const char member[] =
        "\"mounts\":[{\"destination\":\"/t\",\"type\":\"tmpfs\",\"source\":\"t\","
        "\"options\":[\"nosuid\",\"size=1m\",\"rslave\"]},{\"destination\":\"/b\",\"type\":"
        "\"bind\",\"source\":\"/s\",\"options\":[\"rro\"],\"uidMappings\":" IDS
        ",\"gidMappings\":" IDS "}]";
    AUTO_ARENA struct arena arena = ARENA_INIT;
    const struct oci_config *config = accept (&arena, member, "", "");

    (void)state;
    assert_int_equal (config->mounts.count, 2);
    assert_string_equal (config->mounts.items[0].data, "size=1m");
    assert_string_equal (config->mounts.items[0].options.items[1], "size=1m");
    assert_int_equal (config->mounts.items[0].attr_set, MOUNT_ATTR_NOSUID);
    assert_int_equal (config->mounts.items[0].propagation.items[0], MS_SLAVE | MS_REC);
    assert_false (config->mounts.items[0].bind);
    assert_true (config->mounts.items[1].bind);
    assert_int_equal (config->mounts.items[1].rec_set, MOUNT_ATTR_RDONLY);
    assert_int_equal (config->mounts.items[1].idmap, OCI_IDMAP);
    assert_int_equal (config->mounts.items[1].gid_mappings.items[0].host_id, 1);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (linux_is_read),
        cmocka_unit_test (namespaces_are_checked),
        cmocka_unit_test (uts_names_are_checked),
        cmocka_unit_test (devices_are_checked),
        cmocka_unit_test (net_devices_are_checked),
        cmocka_unit_test (sysctls_are_checked),
        cmocka_unit_test (sysctl_paths_are_made),
        cmocka_unit_test (domainname_may_not_contradict),
        cmocka_unit_test (mounts_are_checked),
        cmocka_unit_test (mounts_are_read),
        cmocka_unit_test (other_properties_are_checked),
    };

    return cmocka_run_group_tests (tests, NULL, NULL);
}
