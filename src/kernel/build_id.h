/* SPDX-License-Identifier: Apache-2.0 */
/*
 * build_id: the note by which one program is told from another of the same name, size and time: the
 * linker's digest of what it has linked (ld --build-id).
 *
 * It is looked for in memory, through the program headers (System V ABI, "Note Section"), without a
 * system call and without libc: selfcopy_mount.h asks before that begins.
 */
#ifndef RT_KERNEL_BUILD_ID_H
#define RT_KERNEL_BUILD_ID_H

#include <stddef.h>

struct build_id {
    const unsigned char *bytes; /* in the image */
    size_t length;              /* 0: there is none */
};

/* Of the program that runs. */
struct build_id build_id_own (void);

/* `image` is an ELF header of this machine's kind, with the segment that begins with it, as the
 * kernel maps it. A note outside of that segment is not found. */
struct build_id build_id_find (const unsigned char *image);

#endif
