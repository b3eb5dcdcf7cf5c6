/* SPDX-License-Identifier: Apache-2.0 */
/* selfcopy_mount: see selfcopy_mount.h. Nothing of libc is called here, on purpose. */
#include "kernel/selfcopy_mount.h"

#include "kernel/build_id.h"
#include "kernel/rawcall.h"

#include <asm/statfs.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <linux/stat.h>
#include <stddef.h>
#include <stdint.h>

#ifndef AT_EMPTY_PATH
#define AT_EMPTY_PATH 0x1000
#endif
#define ST_RDONLY 1 /* of libc's sys/statvfs.h, which brings another struct statfs */
#define PERMISSIONS 07777
#define FIRST_USER_NAMESPACE 0xeffffffdu /* PROC_USER_INIT_INO of the kernel's linux/proc_ns.h */

/* Keeps the compiler from making a call of memcpy or strlen out of a loop. */
#define PLAIN_LOOP() __asm__ volatile("" ::: "memory")

struct line {
    char *text;
    size_t size;
    size_t length;
};

static BEFORE_LIBC void add_char (struct line *line, char c)
{
    if (line->length + 1 < line->size)
        line->text[line->length] = c;
    line->length++;
}

static BEFORE_LIBC void add_text (struct line *line, const char *text)
{
    for (; *text; text++) {
        PLAIN_LOOP ();
        add_char (line, *text);
    }
}

static BEFORE_LIBC void add_digit (struct line *line, int digit)
{
    add_char (line, (char)(digit < 10 ? '0' + digit : 'a' + digit - 10));
}

static BEFORE_LIBC void add_number (struct line *line, uint64_t number)
{
    int shift = 60;

    while (shift > 0 && number >> shift == 0)
        shift -= 4;
    for (; shift >= 0; shift -= 4) {
        PLAIN_LOOP ();
        add_digit (line, (int)(number >> shift & 15));
    }
    add_char (line, '-');
}

/* Of a longer one than linkers make, what is as good as all of it. */
static BEFORE_LIBC void add_build_id (struct line *line, struct build_id id)
{
    for (size_t i = 0; i < id.length && i < SELFCOPY_ID_MAX; i++) {
        PLAIN_LOOP ();
        add_digit (line, id.bytes[i] >> 4);
        add_digit (line, id.bytes[i] & 15);
    }
}

/* False where it was cut. */
static BEFORE_LIBC bool end_line (struct line *line)
{
    bool whole = line->length < line->size;

    line->text[whole ? line->length : 0] = '\0';
    return whole;
}

static BEFORE_LIBC long look (long fd, struct statx *st)
{
    long result = raw_call (SYS_statx, fd, (long)"", AT_EMPTY_PATH, STATX_BASIC_STATS, (long)st);

    if (result < 0)
        return result;
    return (st->stx_mask & STATX_BASIC_STATS) == STATX_BASIC_STATS ? 0 : -ENODATA;
}

static BEFORE_LIBC bool is_regular (const struct statx *st)
{
    return (st->stx_mode & S_IFMT) == S_IFREG;
}

static BEFORE_LIBC bool is_own (const struct statx *st)
{
    return st->stx_uid == (uint32_t)raw_call (SYS_geteuid, 0, 0, 0, 0, 0);
}

static BEFORE_LIBC bool is_read_only (long fd)
{
    struct statfs fs;

    return raw_call (SYS_fstatfs, fd, (long)&fs, 0, 0, 0) == 0 && (fs.f_flags & ST_RDONLY) != 0;
}

BEFORE_LIBC bool selfcopy_is_copy (int fd)
{
    struct statx st;

    return look (fd, &st) == 0 && is_regular (&st) &&
           (st.stx_mode & PERMISSIONS) == SELFCOPY_MODE && is_own (&st) && is_read_only (fd);
}

/* The value of XDG_RUNTIME_DIR; NULL without. */
static BEFORE_LIBC const char *runtime_directory (char *const envp[])
{
    for (; *envp; envp++) {
        const char *name = "XDG_RUNTIME_DIR=";
        const char *entry = *envp;

        for (; *name && *name == *entry; name++, entry++)
            PLAIN_LOOP ();
        if (!*name)
            return *entry == '/' ? entry : NULL;
    }
    return NULL;
}

/* Not where that cannot be seen. */
static BEFORE_LIBC bool is_below_user_namespace (void)
{
    struct statx st;

    return raw_call (SYS_statx, AT_FDCWD, (long)"/proc/self/ns/user", 0, STATX_INO, (long)&st) ==
               0 &&
           st.stx_ino != FIRST_USER_NAMESPACE;
}

static BEFORE_LIBC int name_place (const struct statx *st, char *const envp[], int number,
                                   struct selfcopy_place *place)
{
    struct line base = {.text = place->base, .size = sizeof place->base};
    struct line key = {.text = place->key, .size = sizeof place->key};
    const char *above = number == 0 ? "/run" : runtime_directory (envp);

    /* An ordinary user can clone no mount, and has a copy in memory. */
    if (!above || number > 1 || raw_call (SYS_geteuid, 0, 0, 0, 0, 0) != 0)
        return -ENOENT;
    /* Of the host's root (su, sudo -E) it may be another user's: a FUSE file system there says what
     * that user likes, also of owners and modes. */
    if (number == 1 && !is_below_user_namespace ())
        return -ENOENT;
    add_text (&base, above);
    add_text (&base, "/rt-program");
    add_number (&key, st->stx_dev_major);
    add_number (&key, st->stx_dev_minor);
    add_number (&key, st->stx_ino);
    add_number (&key, st->stx_size);
    add_number (&key, (uint64_t)st->stx_mtime.tv_sec);
    add_number (&key, st->stx_mtime.tv_nsec);
    add_number (&key, (uint64_t)st->stx_ctime.tv_sec);
    add_number (&key, st->stx_ctime.tv_nsec);
    add_build_id (&key, build_id_own ());
    return end_line (&base) && end_line (&key) ? 0 : -ENOENT;
}

BEFORE_LIBC int selfcopy_place (int exe, char *const envp[], int number,
                                struct selfcopy_place *place)
{
    struct statx st;
    long result = look (exe, &st);

    return result < 0 ? (int)result : name_place (&st, envp, number, place);
}

/* The copy is what selfcopy_keep () has left: one name, and the size and time of the program. What
 * was written to since then has another time. */
static BEFORE_LIBC bool is_kept (long copy, const struct statx *program, const struct statx *base)
{
    struct statx st;

    return look (copy, &st) == 0 && is_regular (&st) && is_own (&st) &&
           (st.stx_mode & PERMISSIONS) == SELFCOPY_MODE && st.stx_nlink == 1 &&
           st.stx_dev_major == base->stx_dev_major && st.stx_dev_minor == base->stx_dev_minor &&
           st.stx_size == program->stx_size && st.stx_mtime.tv_sec == program->stx_mtime.tv_sec &&
           st.stx_mtime.tv_nsec == program->stx_mtime.tv_nsec;
}

static BEFORE_LIBC long open_directory (long above, const char *name)
{
    return raw_call (SYS_openat, above, (long)name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
                     0, 0);
}

/* O_NONBLOCK: a container that has held the copy open may have left a lease, for which opening
 * would wait 45 s. It cannot get one as long as this descriptor is open. */
static BEFORE_LIBC long open_in (long base, const struct selfcopy_place *place,
                                 const struct statx *program)
{
    struct statx st;

    if (look (base, &st) < 0 || !is_own (&st) ||
        (st.stx_mode & PERMISSIONS) != SELFCOPY_DIRECTORY_MODE)
        return -ENOENT;
    long directory = open_directory (base, place->key);
    if (directory < 0)
        return -ENOENT;
    long copy = raw_call (SYS_openat, directory, (long)SELFCOPY_FILE,
                          O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0, 0);
    (void)raw_call (SYS_close, directory, 0, 0, 0, 0);
    if (copy < 0 || is_kept (copy, program, &st))
        return copy < 0 ? -ENOENT : copy;
    (void)raw_call (SYS_close, copy, 0, 0, 0, 0);
    return -ENOENT;
}

static BEFORE_LIBC long open_kept (long exe, char *const envp[])
{
    struct selfcopy_place place;
    struct statx program;
    long copy = -ENOENT;

    if (look (exe, &program) < 0)
        return -ENOENT;
    for (int i = 0; copy < 0 && i < 2; i++) {
        if (name_place (&program, envp, i, &place) < 0)
            continue;
        long base = open_directory (AT_FDCWD, place.base);
        if (base < 0)
            continue;
        copy = open_in (base, &place, &program);
        (void)raw_call (SYS_close, base, 0, 0, 0, 0);
    }
    return copy;
}

/* A read-only clone of the file's mount, or a negative errno. Believes the mount, not the call:
 * what is executed must be what selfcopy_is_copy () accepts, or rt would copy itself for ever. The
 * mount is rt's alone: that the one below forbids programs (Debian's /run) is meant for others. */
static BEFORE_LIBC long read_only_clone (long copy)
{
    struct mount_attr attr;
    long clone = raw_call (SYS_open_tree, copy, (long)"",
                           AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC, 0, 0);

    if (clone < 0)
        return clone;
    attr.attr_set = MOUNT_ATTR_RDONLY;
    attr.attr_clr = MOUNT_ATTR_NOEXEC;
    attr.propagation = 0;
    attr.userns_fd = 0;
    long result =
        raw_call (SYS_mount_setattr, clone, (long)"", AT_EMPTY_PATH, (long)&attr, sizeof attr);
    if (result == 0 && selfcopy_is_copy ((int)clone))
        return clone;
    (void)raw_call (SYS_close, clone, 0, 0, 0, 0);
    return result < 0 ? result : -EROFS;
}

BEFORE_LIBC int selfcopy_by_mount (char *const argv[], char *const envp[])
{
    long exe = raw_call (SYS_openat, AT_FDCWD, (long)"/proc/self/exe", O_RDONLY | O_CLOEXEC, 0, 0);

    if (exe < 0)
        return (int)exe;
    bool done = selfcopy_is_copy ((int)exe);
    long copy = done ? 0 : open_kept (exe, envp);
    (void)raw_call (SYS_close, exe, 0, 0, 0, 0);
    if (done || copy < 0)
        return (int)copy;
    long clone = read_only_clone (copy);
    long result = clone;
    if (clone >= 0) {
        result = raw_call (SYS_execveat, clone, (long)"", (long)argv, (long)envp, AT_EMPTY_PATH);
        (void)raw_call (SYS_close, clone, 0, 0, 0, 0);
    }
    (void)raw_call (SYS_close, copy, 0, 0, 0, 0);
    return result == -ENOENT ? -EIO : (int)result;
}

/* Set before libc, which does not touch it. */
static bool was_copy;

bool selfcopy_was_copy (void)
{
    return was_copy;
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
        was_copy = selfcopy_by_mount (argv, end + 1) == 0;
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
