/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bitlist: the kernel's way to write a set of processors or memory nodes, "0-3,7", as a bit mask of
 * any size (cpuset(7), "List format"). Pure.
 */
#ifndef RT_KERNEL_BITLIST_H
#define RT_KERNEL_BITLIST_H

#include <stddef.h>

/* Far above what any kernel is built for (8192); only keeps "4294967295" from taking 512 MiB. */
#define BITLIST_MAX 65536

struct bitlist {
    unsigned long *words; /* to be freed; NULL = empty */
    size_t bits;          /* a multiple of the bits of a word */
};

#define AUTO_BITLIST __attribute__ ((cleanup (bitlist_release)))
void bitlist_release (struct bitlist *list);

/* 0, or -1 with errno: EINVAL (not a list; nothing at all, "3-1"), ERANGE (from BITLIST_MAX on),
 * ENOMEM. Spaces around numbers are fine, as they are for the kernel. */
int bitlist_parse (const char *text, struct bitlist *list);

#endif
