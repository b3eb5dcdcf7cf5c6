/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loading a device program on a kernel before 5.11, which charges it to RLIMIT_MEMLOCK and says
 * EPERM where that is too little. The kernel is played by this program.
 */
#include "kernel/bpf.h"

#include "base/cleanup.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include <cmocka.h>

static struct {
    struct rlimit memlock;
    rlim_t needed;
    bool may_raise;
    unsigned loads;
} kernel;

int getrlimit (__rlimit_resource_t resource, struct rlimit *limit)
{
    if (resource != RLIMIT_MEMLOCK) /* a sanitizer asks for its own ends */
        return prlimit (0, resource, NULL, limit);
    *limit = kernel.memlock;
    return 0;
}

int setrlimit (__rlimit_resource_t resource, const struct rlimit *limit)
{
    if (resource != RLIMIT_MEMLOCK)
        return prlimit (0, resource, limit, NULL);
    if (limit->rlim_max > kernel.memlock.rlim_max && !kernel.may_raise) {
        errno = EPERM;
        return -1;
    }
    kernel.memlock = *limit;
    return 0;
}

long syscall (long number, ...)
{
    long words[6];
    va_list rest;

    va_start (rest, number);
    for (size_t i = 0; i < 6; i++)
        words[i] = va_arg (rest, long);
    va_end (rest);
    if (number == SYS_bpf && words[0] == BPF_PROG_LOAD) {
        kernel.loads++;
        if (kernel.memlock.rlim_cur >= kernel.needed)
            return open ("/dev/null", O_RDONLY | O_CLOEXEC);
        errno = EPERM;
        return -1;
    }
    long (*next) (long, ...);
    *(void **)&next = dlsym (RTLD_NEXT, "syscall");
    return next (number, words[0], words[1], words[2], words[3], words[4], words[5]);
}

static const struct bpf_insn program[] = {
    {.code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = 1},
    {.code = BPF_JMP | BPF_EXIT},
};

static int load (rlim_t limit, rlim_t needed, bool may_raise)
{
    kernel.memlock = (struct rlimit){limit, limit};
    kernel.needed = needed;
    kernel.may_raise = may_raise;
    kernel.loads = 0;
    errno = 0;
    return bpf_device_load (program, sizeof program / sizeof program[0]);
}

/* rows: CGD-10 */
static void memlock_is_raised_for_the_moment (void **state)
{
    (void)state;
    AUTO_FD int enough = load (65536, 4096, true);
    assert_true (enough >= 0);
    assert_int_equal (kernel.loads, 1);

    AUTO_FD int raised = load (65536, RLIM_INFINITY, true);
    assert_true (raised >= 0);
    assert_int_equal (kernel.loads, 2);
    assert_int_equal (kernel.memlock.rlim_cur, 65536); /* the container would inherit it */
    assert_int_equal (kernel.memlock.rlim_max, 65536);
}

/* rows: CGD-10 CGD-11 */
static void where_it_may_not_be_raised_the_load_fails (void **state)
{
    (void)state;
    assert_int_equal (load (65536, RLIM_INFINITY, false), -1);
    assert_int_equal (errno, EPERM);
    assert_int_equal (kernel.memlock.rlim_cur, 65536);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (memlock_is_raised_for_the_moment),
        cmocka_unit_test (where_it_may_not_be_raised_the_load_fails),
    };

    return cmocka_run_group_tests (tests, NULL, NULL);
}
