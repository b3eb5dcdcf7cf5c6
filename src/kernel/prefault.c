/* SPDX-License-Identifier: Apache-2.0 */
/* prefault: see prefault.h. Nothing of libc is called here, on purpose. */
#include "kernel/prefault.h"

#include "kernel/rawcall.h"

#include <link.h>
#include <stddef.h>
#include <stdint.h>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif
/* Where pages are larger the call fails for its addresses. */
#define PAGE 4096u

/* Where the linker has put the ELF header. Hidden: its address is known before relocation. */
extern const unsigned char __ehdr_start[] __attribute__ ((visibility ("hidden")));

/* What the file has of the segment that is written to; the rest of it is zero until it is used. */
BEFORE_LIBC void prefault_data (void)
{
    const ElfW (Ehdr) *head = (const void *)__ehdr_start;
    const ElfW (Phdr) *headers = (const void *)(__ehdr_start + head->e_phoff);

    for (size_t i = 0; i < head->e_phnum; i++) {
        const ElfW (Phdr) *header = &headers[i];
        if (header->p_type != PT_LOAD || !(header->p_flags & PF_W))
            continue;
        uintptr_t start = (uintptr_t)__ehdr_start + header->p_vaddr;
        uintptr_t first = start / PAGE * PAGE;
        uintptr_t end = (start + header->p_filesz + PAGE - 1) / PAGE * PAGE;
        (void)raw_call (SYS_madvise, (long)first, (long)(end - first), MADV_POPULATE_WRITE, 0, 0);
    }
}
