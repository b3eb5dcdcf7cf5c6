/* SPDX-License-Identifier: Apache-2.0 */
/*
 * treecopy: the content of one directory into another one, by descriptors: files, directories,
 * links, special files, with modes, owners and extended attributes. Never follows a link, never
 * crosses into another mount, be it one of the same file system: what is mounted there is left out.
 * Holes stay holes. Where files change places meanwhile, content, owner and mode are still of one.
 */
#ifndef RT_KERNEL_TREECOPY_H
#define RT_KERNEL_TREECOPY_H

/* `from` (O_PATH is enough) and `to` are directories; `to` is empty and rt's own. -1 with errno. */
int treecopy (int from, int to);

#endif
