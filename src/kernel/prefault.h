/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prefault: what relocation writes to, at once instead of page by page. A static program that may
 * lie anywhere writes to all its tables of pointers before main (): fourteen pages, and on virtual
 * machines each page fault costs 4 microseconds. The kernel itself copies a page in a quarter of
 * that (MADV_POPULATE_WRITE, Linux 5.14; before that nothing happens, and nothing is lost). Of the
 * code only some pages are used, and those are cheaper one by one: this was measured.
 */
#ifndef RT_KERNEL_PREFAULT_H
#define RT_KERNEL_PREFAULT_H

/* Before libc has started. Static programs only. */
void prefault_data (void);

#endif
