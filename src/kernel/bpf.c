/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bpf: the few commands of bpf(2) that a device filter needs.
 *
 * union bpf_attr is passed whole and zeroed each time: some kernels (6.17 to 7.1) write to the end
 * of what BPF_PROG_QUERY knows, however short the caller said it is.
 */
#include "kernel/bpf.h"

#include "base/cleanup.h"

#include <stdint.h>
#include <sys/resource.h>
#include <sys/syscall.h>

/* The end of the query fields of the newest kernel that is known (revision, Linux 6.6). */
_Static_assert(sizeof (union bpf_attr) >= 64, "linux/bpf.h is too old for BPF_PROG_QUERY");

enum { PROGRAMS_MAX = 64 }; /* the kernel's own limit for one cgroup */

static int bpf (enum bpf_cmd command, union bpf_attr *attr)
{
    return (int)syscall (SYS_bpf, command, attr, sizeof *attr);
}

static uint64_t address (const void *pointer)
{
    return (uint64_t)(uintptr_t)pointer;
}

static int load (const struct bpf_insn *program, size_t count)
{
    union bpf_attr attr;

    memset (&attr, 0, sizeof attr);
    attr.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
    attr.insns = address (program);
    attr.insn_cnt = (uint32_t)count;
    attr.license = address ("Apache-2.0");
    return bpf (BPF_PROG_LOAD, &attr);
}

int bpf_device_load (const struct bpf_insn *program, size_t count)
{
    struct rlimit old, unlimited = {RLIM_INFINITY, RLIM_INFINITY};
    int fd = load (program, count);

    if (fd >= 0 || errno != EPERM)
        return fd;
    if (getrlimit (RLIMIT_MEMLOCK, &old) < 0 || setrlimit (RLIMIT_MEMLOCK, &unlimited) < 0) {
        errno = EPERM;
        return -1;
    }
    fd = load (program, count);
    int saved = errno;
    (void)setrlimit (RLIMIT_MEMLOCK, &old); /* the container would inherit it */
    errno = saved;
    return fd;
}

static int query (int cgroup, uint32_t ids[PROGRAMS_MAX], uint32_t *count)
{
    union bpf_attr attr;

    memset (&attr, 0, sizeof attr);
    attr.query.target_fd = (uint32_t)cgroup;
    attr.query.attach_type = BPF_CGROUP_DEVICE;
    attr.query.prog_ids = address (ids);
    attr.query.prog_cnt = PROGRAMS_MAX;
    if (bpf (BPF_PROG_QUERY, &attr) < 0)
        return -1;
    *count = attr.query.prog_cnt;
    return 0;
}

static int open_by_id (uint32_t id)
{
    union bpf_attr attr;

    memset (&attr, 0, sizeof attr);
    attr.prog_id = id;
    return bpf (BPF_PROG_GET_FD_BY_ID, &attr);
}

static int attach (int cgroup, int program, int replaced)
{
    union bpf_attr attr;

    memset (&attr, 0, sizeof attr);
    attr.target_fd = (uint32_t)cgroup;
    attr.attach_bpf_fd = (uint32_t)program;
    attr.attach_type = BPF_CGROUP_DEVICE;
    attr.attach_flags = BPF_F_ALLOW_MULTI;
    if (replaced >= 0) {
        attr.attach_flags |= BPF_F_REPLACE;
        attr.replace_bpf_fd = (uint32_t)replaced;
    }
    return bpf (BPF_PROG_ATTACH, &attr);
}

static int detach (int cgroup, uint32_t id)
{
    AUTO_FD int program = open_by_id (id);
    union bpf_attr attr;

    if (program < 0)
        return errno == ENOENT ? 0 : -1;
    memset (&attr, 0, sizeof attr);
    attr.target_fd = (uint32_t)cgroup;
    attr.attach_bpf_fd = (uint32_t)program;
    attr.attach_type = BPF_CGROUP_DEVICE;
    return bpf (BPF_PROG_DETACH, &attr) < 0 && errno != ENOENT ? -1 : 0;
}

int bpf_device_replace (int cgroup, int program)
{
    uint32_t ids[PROGRAMS_MAX], count = 0;

    if (query (cgroup, ids, &count) < 0)
        return -1;
    if (count == 1) {
        AUTO_FD int old = open_by_id (ids[0]);
        if (old >= 0)
            return attach (cgroup, program, old);
        if (errno != ENOENT)
            return -1;
    }
    if (attach (cgroup, program, -1) < 0)
        return -1;
    for (uint32_t i = 0; i < count; i++)
        if (detach (cgroup, ids[i]) < 0)
            return -1;
    return 0;
}

int bpf_device_clear (int cgroup)
{
    uint32_t ids[PROGRAMS_MAX], count = 0;

    if (query (cgroup, ids, &count) < 0)
        return -1;
    for (uint32_t i = 0; i < count; i++)
        if (detach (cgroup, ids[i]) < 0)
            return -1;
    return 0;
}
