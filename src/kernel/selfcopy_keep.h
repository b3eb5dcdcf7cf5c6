/* SPDX-License-Identifier: Apache-2.0 */
/*
 * selfcopy_keep: makes the copy of rt's program that is kept (selfcopy_mount.h says where): once
 * for each program, as a copy at each start would be dearer than all of the rest.
 *
 * It lies in a directory of mode 0700 of rt's own, has the mark, the size and the time of the
 * program, and one name, which it gets when it is whole: several rt that make it at once replace
 * each other's, and are all right. The four newest are kept: what is older, or was begun and left,
 * goes when another one is made. What still runs from one does not notice.
 */
#ifndef RT_KERNEL_SELFCOPY_KEEP_H
#define RT_KERNEL_SELFCOPY_KEEP_H

/* `exe` is the program, opened for reading; envp as for selfcopy_place (). What is in the copy's
 * place, be it what it may, is replaced. 0, or -1 with errno: nothing is left. */
int selfcopy_keep (int exe, char *const envp[]);

/* All of `exe` into `copy`, also where RLIMIT_FSIZE is lower: it is raised meanwhile. 0 or -1 with
 * errno: EFBIG where it may not be raised so far. */
int selfcopy_fill (int exe, int copy);

#endif
