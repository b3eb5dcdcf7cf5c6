/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stats_parse: the texts of the kernel's files, taken apart. Private to cgroup/. Pure.
 *
 * Each takes the whole text of a file and fills what `place` points to. 0, or -1 where a number is
 * none; names and lines that are not known are passed over, since kernels get new ones.
 */
#ifndef RT_CGROUP_STATS_PARSE_H
#define RT_CGROUP_STATS_PARSE_H

#include "cgroup/stats.h"

typedef int stats_parser (struct arena *arena, const char *text, void *place);

/* One number, or "max", which is UINT64_MAX. uint64_t. */
stats_parser stats_parse_number;
/* The same, but "max" is 0. uint64_t. */
stats_parser stats_parse_pids_limit;
/* int64_t. */
stats_parser stats_parse_signed;
/* Numbers on one line. struct stats_numbers. */
stats_parser stats_parse_numbers;
/* "0-3,7"; nothing at all is an empty list. struct stats_numbers. */
stats_parser stats_parse_list;
/* Lines of "name number". struct stats_names. */
stats_parser stats_parse_names;
/* "some avg10=0.00 avg60=0.00 avg300=0.00 total=0", "full ...". struct stats_pressure. */
stats_parser stats_parse_pressure;
/* "8:0 Read 4096", "8:0 12". What is there already stays. struct stats_ios. */
stats_parser stats_parse_blkio;
/* "8:0 rbytes=1 wbytes=2 rios=3 ...". struct stats_ios[STATS_IO_KINDS]. */
stats_parser stats_parse_io;
/* "mlx4_0 hca_handle=2 hca_object=max". struct stats_rdmas. */
stats_parser stats_parse_rdma;
/* "system 12", "user 4" in hundredths of a second; no more than the first is struct stats_cpu. */
stats_parser stats_parse_cpuacct;
/* "cpu user system" and then a line for each. struct stats_cpu. */
stats_parser stats_parse_cpuacct_all;
/* cpu.stat of v1 and of v2. struct stats_cpu. */
stats_parser stats_parse_cpu_v1;
stats_parser stats_parse_cpu_v2;

/* The number behind `name` in lines of "name number": 1 found, 0 not there, -1 no number. */
int stats_find (const char *text, const char *name, uint64_t *value);

/* A file of a controller ("" for v2), and where its content goes. */
struct stats_file {
    const char *controller;
    const char *name;
    stats_parser *parse;
    size_t offset; /* in struct cgroup_stats */
};

struct stats_files {
    const struct stats_file *items;
    size_t count;
    /* The parts of the names of hugetlb's files: "hugetlb.2MB" USAGE; and the failures, in lines
     * of names (v2) or alone. */
    const char *hugetlb, *usage, *max, *failures;
};

extern const struct stats_files stats_files_v1, stats_files_v2;

/* One file's text by its row; fills err. `path` is for words only. */
int stats_parse_file (struct arena *arena, const struct stats_file *file, const char *path,
                      const char *text, struct cgroup_stats *stats, struct error *err);

/* What follows from other numbers: cache, and on v2 memory and swap together. After all files. */
void stats_complete (struct cgroup_stats *stats, bool memory_v2);

#endif
