/* SPDX-License-Identifier: Apache-2.0 */
/* build_id: see build_id.h. Nothing of libc is called here, on purpose. */
#include "kernel/build_id.h"

#include "kernel/rawcall.h"

#include <link.h>

/* Where the linker has put the ELF header. Hidden: its address is known before relocation. */
extern const unsigned char __ehdr_start[] __attribute__ ((visibility ("hidden")));

static BEFORE_LIBC size_t round_up (size_t size, size_t align)
{
    return (size + align - 1) / align * align;
}

/* The note of `size` bytes at most is whole, and a build id. *whole: what it takes up, 0 = it is
 * cut. */
static BEFORE_LIBC struct build_id read_note (const unsigned char *note, size_t size, size_t align,
                                              size_t *whole)
{
    const ElfW (Nhdr) *head = (const void *)note;
    struct build_id none = {0};

    *whole = 0;
    if (size < sizeof *head || head->n_namesz > size || head->n_descsz > size)
        return none;
    size_t at = round_up (sizeof *head + head->n_namesz, align);
    if (at > size || head->n_descsz > size - at)
        return none;
    *whole = round_up (at + head->n_descsz, align);
    const unsigned char *name = note + sizeof *head;
    if (head->n_type != NT_GNU_BUILD_ID || head->n_namesz != 4 || name[0] != 'G' ||
        name[1] != 'N' || name[2] != 'U' || name[3] != '\0')
        return none;
    return (struct build_id){.bytes = note + at, .length = head->n_descsz};
}

static BEFORE_LIBC struct build_id read_notes (const unsigned char *notes, size_t size,
                                               size_t align)
{
    struct build_id found = {0};

    for (size_t at = 0, whole = 1; at < size && whole > 0 && found.length == 0; at += whole)
        found = read_note (notes + at, size - at, align, &whole);
    return found;
}

BEFORE_LIBC struct build_id build_id_find (const unsigned char *image)
{
    const ElfW (Ehdr) *head = (const void *)image;
    const ElfW (Phdr) *segments = (const void *)(image + head->e_phoff);
    const ElfW (Phdr) *first = NULL;
    struct build_id found = {0};

    if (head->e_phentsize != sizeof *segments)
        return found;
    for (size_t i = 0; i < head->e_phnum && !first; i++)
        if (segments[i].p_type == PT_LOAD && segments[i].p_offset == 0)
            first = &segments[i];
    for (size_t i = 0; first && i < head->e_phnum && found.length == 0; i++) {
        const ElfW (Phdr) *segment = &segments[i];
        /* Its file offset is that from the image, as the first segment begins with the file. */
        if (segment->p_type == PT_NOTE && segment->p_offset < first->p_filesz &&
            segment->p_filesz <= first->p_filesz - segment->p_offset)
            found = read_notes (image + segment->p_offset, segment->p_filesz,
                                segment->p_align == 8 ? 8 : 4);
    }
    return found;
}

BEFORE_LIBC struct build_id build_id_own (void)
{
    return build_id_find (__ehdr_start);
}
