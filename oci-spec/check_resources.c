/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check_resources: the rules of limits, for config.json and for the document of update. What a
 * hierarchy can do with them is decided in cgroup/.
 */
#include "oci-spec/check.h"

#include "base/text.h"

#include <string.h>

static void check_burst (const struct check *check, const void *section)
{
    const struct oci_resources *resources = section;
    const struct oci_cpu *cpu = resources->cpu;

    if (cpu && cpu->burst.present && cpu->quota.present && cpu->quota.value > 0 &&
        cpu->burst.value > (uint64_t)cpu->quota.value)
        check_fail (check, check_pointer (check, "/cpu/burst"),
                    "must not be larger than the quota");
}

static void check_cpuset (const struct check *check, const void *section)
{
    const struct oci_resources *resources = section;
    const struct oci_cpu *cpu = resources->cpu;

    /* The kernel reads more than lists (strides, "all"); only what would be a second line is
     * refused. */
    if (cpu && cpu->cpus && strchr (cpu->cpus, '\n'))
        check_fail (check, check_pointer (check, "/cpu/cpus"), "must be one line");
    if (cpu && cpu->mems && strchr (cpu->mems, '\n'))
        check_fail (check, check_pointer (check, "/cpu/mems"), "must be one line");
}

static void check_weight_devices (const struct check *check, const void *section)
{
    const struct oci_resources *resources = section;

    for (size_t i = 0; resources->block_io && i < resources->block_io->weight_device.count; i++) {
        const struct oci_device_weight *device = &resources->block_io->weight_device.items[i];
        if (!device->weight.present && !device->leaf_weight.present)
            check_fail (check, check_pointer (check, "/blockIO/weightDevice/%zu", i),
                        "needs a weight or a leafWeight");
    }
}

/* The size becomes part of a file's name. */
static bool is_page_size (const char *size)
{
    size_t digits = strspn (size, "0123456789");

    return digits > 0 && size[0] != '0' && size[digits] != '\0' && strchr ("KMG", size[digits]) &&
           text_equal (size + digits + 1, "B");
}

static void check_hugepages (const struct check *check, const void *section)
{
    const struct oci_resources *resources = section;

    for (size_t i = 0; i < resources->hugepage_limits.count; i++)
        if (!is_page_size (resources->hugepage_limits.items[i].page_size))
            check_fail (check, check_pointer (check, "/hugepageLimits/%zu/pageSize", i),
                        "must be a size like \"64KB\", \"2MB\" or \"1GB\", not \"%.40s\"",
                        resources->hugepage_limits.items[i].page_size);
}

static void check_network (const struct check *check, const void *section)
{
    const struct oci_resources *resources = section;

    for (size_t i = 0; resources->network && i < resources->network->priorities.count; i++) {
        const char *name = resources->network->priorities.items[i].name;
        if (strpbrk (name, " \t\n/") || strlen (name) > 15)
            check_fail (check, check_pointer (check, "/network/priorities/%zu/name", i),
                        "must be the name of a network device, not \"%.40s\"", name);
    }
}

static void check_rdma (const struct check *check, const void *section)
{
    const struct oci_resources *resources = section;

    for (size_t i = 0; i < resources->rdma.count; i++) {
        const struct oci_rdma *rdma = &resources->rdma.items[i];
        const char *pointer = check_pointer (check, "/rdma/%s", check_key (check, rdma->device));
        if (!rdma->hca_handles.present && !rdma->hca_objects.present)
            check_fail (check, pointer, "needs hcaHandles or hcaObjects");
        if (strpbrk (rdma->device, " \t\n/"))
            check_fail (check, pointer, "must be the name of an RDMA device");
    }
}

/* The files of the cgroup core are the runtime's: "cgroup.procs" moves any process of the host into
 * the container's cgroup, to be killed with it; only limits are not. */
static bool is_of_runtime (const char *key)
{
    return text_starts_with (key, "cgroup.") && !text_equal (key, "cgroup.max.depth") &&
           !text_equal (key, "cgroup.max.descendants") && !text_equal (key, "cgroup.pressure");
}

/* The key is the name of a file in the container's own directory of the cgroup hierarchy. */
static void check_unified (const struct check *check, const void *section)
{
    const struct oci_resources *resources = section;

    for (size_t i = 0; i < resources->unified.count; i++) {
        const char *key = resources->unified.items[i].key;
        const char *pointer = check_pointer (check, "/unified/%s", check_key (check, key));
        if (strpbrk (key, "/ \t\n") || key[0] == '.' || !strchr (key, '.'))
            check_fail (check, pointer,
                        "must be the name of a cgroup file like \"memory.high\", not \"%.60s\"",
                        key);
        else if (is_of_runtime (key))
            check_fail (
                check, pointer,
                "%.60s is the runtime's: it moves, stops or kills processes and is no limit", key);
    }
}

static const struct check_rule resources_rules[] = {
    {check_burst, "RT-CONFIG-CPU", {"/cpu"}},
    {check_cpuset, "RT-CONFIG-CPU", {"/cpu"}},
    {check_weight_devices, "RT-CONFIG-BLOCKIO", {"/blockIO"}},
    {check_hugepages, "RT-CONFIG-HUGETLB", {"/hugepageLimits"}},
    {check_network, "RT-CONFIG-NETWORK", {"/network"}},
    {check_rdma, "RT-CONFIG-RDMA", {"/rdma"}},
    {check_unified, "RT-CONFIG-UNIFIED", {"/unified"}},
};

void check_resources (struct findings *findings, const struct oci_resources *resources,
                      const char *prefix)
{
    CHECK_RUN (findings, prefix, resources, resources_rules);
}
