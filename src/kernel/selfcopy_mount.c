/* SPDX-License-Identifier: Apache-2.0 */
/* selfcopy_mount: see selfcopy_mount.h. Nothing of libc is called here, on purpose. */
#include "kernel/selfcopy_mount.h"

#include "kernel/rawcall.h"

#include <asm/statfs.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <stdbool.h>
#include <stddef.h>

#ifndef AT_EMPTY_PATH
#define AT_EMPTY_PATH 0x1000
#endif
#define ST_RDONLY 1 /* of libc's sys/statvfs.h, which brings another struct statfs */

static BEFORE_LIBC bool is_read_only (long fd)
{
    struct statfs fs;

    return raw_call (SYS_fstatfs, fd, (long)&fs, 0, 0, 0) == 0 && (fs.f_flags & ST_RDONLY) != 0;
}

/* A read-only clone of the file's mount, or a negative errno. Believes the mount, not the call:
 * what is executed must be what is_read_only () accepts, or rt would copy itself for ever. */
static BEFORE_LIBC long read_only_clone (long exe)
{
    struct mount_attr attr;
    long clone = raw_call (SYS_open_tree, exe, (long)"",
                           AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC, 0, 0);

    if (clone < 0)
        return clone;
    attr.attr_set = MOUNT_ATTR_RDONLY;
    attr.attr_clr = 0;
    attr.propagation = 0;
    attr.userns_fd = 0;
    long result =
        raw_call (SYS_mount_setattr, clone, (long)"", AT_EMPTY_PATH, (long)&attr, sizeof attr);
    if (result == 0 && is_read_only (clone))
        return clone;
    (void)raw_call (SYS_close, clone, 0, 0, 0, 0);
    return result < 0 ? result : -EROFS;
}

BEFORE_LIBC int selfcopy_by_mount (char *const argv[], char *const envp[])
{
    long exe = raw_call (SYS_openat, AT_FDCWD, (long)"/proc/self/exe", O_RDONLY | O_CLOEXEC, 0, 0);

    if (exe < 0)
        return (int)exe;
    bool done = is_read_only (exe);
    long clone = done ? 0 : read_only_clone (exe);
    (void)raw_call (SYS_close, exe, 0, 0, 0, 0);
    if (clone <= 0)
        return (int)clone;

    long result = raw_call (SYS_execveat, clone, (long)"", (long)argv, (long)envp, AT_EMPTY_PATH);
    (void)raw_call (SYS_close, clone, 0, 0, 0, 0);
    return (int)result;
}

#ifdef RT_EARLY_COPY
/* Is it a verb that puts rt where a container can see it? A container's name may be the same word:
 * then a copy is made in vain. */
static BEFORE_LIBC bool is_word (const char *given, const char *word)
{
    size_t at = 0;

    while (given[at] && given[at] == word[at])
        at++;
    return given[at] == word[at];
}

/* The initial stack: argc, the arguments, NULL, the environment, NULL (System V ABI, "Process
 * Initialization"). */
BEFORE_LIBC void selfcopy_before_libc (char **stack);
BEFORE_LIBC void selfcopy_before_libc (char **stack)
{
    char **argv = stack + 1;
    char **end = argv;
    bool asked = false;

    for (; *end; end++)
        asked =
            asked || is_word (*end, "run") || is_word (*end, "create") || is_word (*end, "exec");
    if (asked)
        (void)selfcopy_by_mount (argv, end + 1);
}

/* What _start expects of the kernel stays as it was: the stack, and the register that holds the
 * dynamic linker's exit function. */
#if defined __x86_64__
__asm__(".text\n"
        ".globl selfcopy_entry\n"
        ".type selfcopy_entry, @function\n"
        "selfcopy_entry:\n"
        "    endbr64\n"
        "    xorl %ebp, %ebp\n"
        "    movq %rsp, %rdi\n"
        "    movq %rsp, %r12\n"
        "    movq %rdx, %rbx\n"
        "    call selfcopy_before_libc\n"
        "    movq %rbx, %rdx\n"
        "    movq %r12, %rsp\n"
        "    jmp _start\n"
        ".size selfcopy_entry, . - selfcopy_entry\n");
#elif defined __aarch64__
__asm__(".text\n"
        ".globl selfcopy_entry\n"
        ".type selfcopy_entry, %function\n"
        "selfcopy_entry:\n"
        "    bti c\n"
        "    mov x29, #0\n"
        "    mov x30, #0\n"
        "    mov x19, x0\n"
        "    mov x20, sp\n"
        "    mov x0, sp\n"
        "    bl selfcopy_before_libc\n"
        "    mov x0, x19\n"
        "    mov sp, x20\n"
        "    b _start\n"
        ".size selfcopy_entry, . - selfcopy_entry\n");
#else
#error "no entry before libc for this processor: configure --disable-early-copy"
#endif
#endif
