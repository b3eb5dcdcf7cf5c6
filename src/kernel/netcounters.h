/* SPDX-License-Identifier: Apache-2.0 */
/*
 * netcounters: what went through the interfaces of a process's network namespace
 * (/proc/PID/net/dev).
 */
#ifndef RT_KERNEL_NETCOUNTERS_H
#define RT_KERNEL_NETCOUNTERS_H

#include "base/arena.h"

#include <stdint.h>
#include <sys/types.h>

struct netcounter {
    const char *name;
    uint64_t rx_bytes, rx_packets, rx_errors, rx_dropped;
    uint64_t tx_bytes, tx_packets, tx_errors, tx_dropped;
};

struct netcounters {
    struct netcounter *items;
    size_t count;
};

/* The text of /proc/PID/net/dev; lines that are not understood are passed over. Pure. */
void netcounters_parse (struct arena *arena, const char *text, struct netcounters *counters);

/* 1; 0 where the process is gone, or is in the network namespace of rt itself; -1 with errno. */
int netcounters_read (struct arena *arena, pid_t pid, struct netcounters *counters);

#endif
