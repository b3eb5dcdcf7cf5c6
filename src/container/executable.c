/* SPDX-License-Identifier: Apache-2.0 */
/* executable: see executable.h. */
#include "container/executable.h"

#include "base/cleanup.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

/* 0, or why the caller may not run it: ENOENT, EACCES, ... */
static int check (const char *path)
{
    struct stat st;

    /* Not stat (): some libcs have an older call for it, which a container's filter may not know.
     */
    if (fstatat (AT_FDCWD, path, &st, AT_NO_AUTOMOUNT) < 0)
        return errno;
    /* No capability makes a file without any x bit run. */
    if (!S_ISREG (st.st_mode) || (st.st_mode & 0111) == 0)
        return EACCES;
    if (faccessat (AT_FDCWD, path, X_OK, AT_EACCESS) < 0 && errno == EACCES)
        return EACCES;
    return 0;
}

static int place (struct error *err)
{
    return error_at (err, "/process/args/0");
}

/* The next element of a PATH; *rest moves behind it and is NULL after the last one. */
static char *next_candidate (struct arena *arena, const char **rest, const char *name)
{
    const char *directory = *rest;
    size_t length = strcspn (directory, ":");

    *rest = directory[length] == ':' ? directory + length + 1 : NULL;
    if (length == 0)
        return arena_printf (arena, "./%s", name);
    return arena_printf (arena, "%.*s/%s", (int)length, directory, name);
}

/* "#!/usr/bin/env python3\n" */
static bool interpreter_of_script (const char *bytes, size_t length, char *interpreter, size_t size)
{
    size_t start = 2;

    while (start < length && (bytes[start] == ' ' || bytes[start] == '\t'))
        start++;
    size_t end = start;
    while (end < length && bytes[end] != '\n' && bytes[end] != ' ' && bytes[end] != '\t' &&
           bytes[end] != '\0')
        end++;
    if (end == start || end - start >= size)
        return false;
    memcpy (interpreter, bytes + start, end - start);
    interpreter[end - start] = '\0';
    return true;
}

/* The bytes that a program header of type PT_INTERP points at. */
static bool interpreter_at (const char *bytes, size_t length, uint64_t offset, uint64_t count,
                            char *interpreter, size_t size)
{
    if (count == 0 || count > size || offset > length || count > length - offset)
        return false;
    if (bytes[offset + count - 1] != '\0' || bytes[offset] == '\0')
        return false;
    memcpy (interpreter, bytes + offset, count);
    return true;
}

static bool interpreter_of_elf64 (const char *bytes, size_t length, char *interpreter, size_t size)
{
    Elf64_Ehdr header;
    Elf64_Phdr segment;

    if (length < sizeof (header))
        return false;
    memcpy (&header, bytes, sizeof (header));
    for (uint64_t i = 0; i < header.e_phnum; i++) {
        uint64_t at = header.e_phoff + i * sizeof (segment);
        if (at > length || length - at < sizeof (segment))
            return false;
        memcpy (&segment, bytes + at, sizeof (segment));
        if (segment.p_type == PT_INTERP)
            return interpreter_at (bytes, length, segment.p_offset, segment.p_filesz, interpreter,
                                   size);
    }
    return false;
}

static bool interpreter_of_elf32 (const char *bytes, size_t length, char *interpreter, size_t size)
{
    Elf32_Ehdr header;
    Elf32_Phdr segment;

    if (length < sizeof (header))
        return false;
    memcpy (&header, bytes, sizeof (header));
    for (uint64_t i = 0; i < header.e_phnum; i++) {
        uint64_t at = header.e_phoff + i * sizeof (segment);
        if (at > length || length - at < sizeof (segment))
            return false;
        memcpy (&segment, bytes + at, sizeof (segment));
        if (segment.p_type == PT_INTERP)
            return interpreter_at (bytes, length, segment.p_offset, segment.p_filesz, interpreter,
                                   size);
    }
    return false;
}

/* ELF of this machine's byte order? The other one cannot run here. */
static bool is_elf (const char *bytes, size_t length)
{
    const char order = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB;

    return length > EI_NIDENT && memcmp (bytes, ELFMAG, SELFMAG) == 0 && bytes[EI_DATA] == order;
}

bool executable_interpreter (const char *bytes, size_t length, char *interpreter, size_t size)
{
    if (length > 2 && bytes[0] == '#' && bytes[1] == '!')
        return interpreter_of_script (bytes, length, interpreter, size);
    if (!is_elf (bytes, length))
        return false;
    if (bytes[EI_CLASS] == ELFCLASS64)
        return interpreter_of_elf64 (bytes, length, interpreter, size);
    if (bytes[EI_CLASS] == ELFCLASS32)
        return interpreter_of_elf32 (bytes, length, interpreter, size);
    return false;
}

/* The first bytes of the file, if the caller may read it. */
static size_t read_start (const char *path, char *bytes, size_t size)
{
    struct stat st;
    AUTO_FD int fd = open (path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

    if (fd < 0 || fstat (fd, &st) < 0 || !S_ISREG (st.st_mode))
        return 0;
    ssize_t length = pread (fd, bytes, size, 0);
    return length > 0 ? (size_t)length : 0;
}

static const char *machine_name (unsigned int machine)
{
    switch (machine) {
    case EM_386:
        return "i386";
    case EM_X86_64:
        return "x86_64";
    case EM_ARM:
        return "arm";
    case EM_AARCH64:
        return "aarch64";
    case EM_PPC64:
        return "ppc64";
    case EM_S390:
        return "s390x";
    case EM_RISCV:
        return "riscv64";
    default:
        return NULL;
    }
}

/* Image of another architecture is the usual reason. */
static void explain_format (const char *bytes, size_t length, struct error *err)
{
    uint16_t machine;

    if (length == 0)
        (void)error_hint (err, "the file is empty or may not be read");
    else if (is_elf (bytes, length) && length >= sizeof (Elf32_Ehdr)) {
        memcpy (&machine, bytes + offsetof (Elf32_Ehdr, e_machine), sizeof (machine));
        const char *name = machine_name (machine);
        (void)error_hint (err, "it is a program for %s%s", name ? name : "another processor",
                          name ? "; is the image built for this machine?" : "");
    } else if (bytes[0] != '#' || length < 2 || bytes[1] != '!')
        (void)error_hint (err, "it is no ELF file, and a script needs \"#!/bin/sh\" or the like in "
                               "its first line");
}

/* By its first bytes; false where they tell nothing. */
static bool explain_bytes (int errnum, const char *bytes, size_t length, struct error *err)
{
    char interpreter[256];

    if (errnum == ENOEXEC) {
        explain_format (bytes, length, err);
        return true;
    }
    if (errnum == ENOSYS) {
        (void)error_hint (err, "a seccomp filter answers so, as one does whose agent has ended");
        return true;
    }
    if (errnum == E2BIG) {
        (void)error_hint (err, "process.args and process.env together are too long; see also "
                               "RLIMIT_STACK");
        return true;
    }
    if (length == 0 || !executable_interpreter (bytes, length, interpreter, sizeof (interpreter)))
        return false;
    (void)error_hint (err, "the file is there; its interpreter %s is not, or may not be run",
                      interpreter);
    return true;
}

static void explain (int errnum, const char *path, struct error *err)
{
    char bytes[4096];
    struct stat st;
    struct statvfs fs;
    size_t length = 0;

    if (errnum == ENOENT || errnum == ENOEXEC || errnum == EACCES || errnum == ENOTDIR)
        length = read_start (path, bytes, sizeof (bytes));
    if (explain_bytes (errnum, bytes, length, err) || errnum != EACCES)
        return;
    if (stat (path, &st) == 0 && S_ISDIR (st.st_mode))
        (void)error_hint (err, "it is a directory");
    else if (statvfs (path, &fs) == 0 && (fs.f_flag & ST_NOEXEC))
        (void)error_hint (err, "it lies on a mount with noexec");
    else if (stat (path, &st) == 0)
        (void)error_hint (err, "its mode is %04o, its owner %u:%u", st.st_mode & 07777u, st.st_uid,
                          st.st_gid);
}

static const char *code_of (int errnum)
{
    switch (errnum) {
    case ENOENT:
    case ENOTDIR:
        return "RT-EXEC-MISSING";
    case EACCES:
    case EPERM:
        return "RT-EXEC-DENIED";
    case ENOEXEC:
        return "RT-EXEC-FORMAT";
    default:
        return "RT-EXEC-FAILED";
    }
}

/* It is looked for inside only. */
static int executable_error (int errnum, const char *path, struct error *err)
{
    error_set (err, code_of (errnum), errnum, "exec: \"%s\"", path);
    explain (errnum, path, err);
    return place (err);
}

int executable_explain (int errnum, const char *path, const char *bytes, size_t length,
                        struct error *err)
{
    error_set (err, code_of (errnum), errnum, "exec: \"%s\"", path);
    (void)explain_bytes (errnum, bytes, length, err);
    return place (err);
}

static int find_in_path (struct arena *arena, const char *name, const char *search, char **path,
                         struct error *err)
{
    const char *rest = search[0] != '\0' && name[0] != '\0' ? search : NULL;
    const char *denied = NULL;

    while (rest) {
        char *candidate = next_candidate (arena, &rest, name);
        int errnum = check (candidate);
        if (errnum == 0) {
            *path = candidate;
            return 0;
        }
        if (errnum == EACCES && !denied)
            denied = candidate;
    }
    /* What engines read is the same in both cases; what people read is not. */
    error_set (err, "RT-EXEC-MISSING", 0, "exec: \"%s\": executable file not found in $PATH", name);
    if (denied)
        error_hint (err, "%s may not be executed", denied);
    else if (search[0] == '\0')
        error_hint (err, "PATH of process.env is absent or empty");
    return place (err);
}

static const char *path_of (const struct oci_strings *env)
{
    for (size_t i = env->count; i-- > 0;)
        if (strncmp (env->items[i], "PATH=", 5) == 0)
            return env->items[i] + 5;
    return "";
}

int executable_find (struct arena *arena, const char *arg0, const struct oci_strings *env,
                     char **path, struct error *err)
{
    if (!strchr (arg0, '/'))
        return find_in_path (arena, arg0, path_of (env), path, err);
    int errnum = check (arg0);
    if (errnum != 0)
        return executable_error (errnum, arg0, err);
    *path = arena_string (arena, arg0);
    return 0;
}
