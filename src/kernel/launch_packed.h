/* SPDX-License-Identifier: Apache-2.0 */
/*
 * launch_packed: what launch_make () packs and the launch uses: one mapping. Of launch.c and
 * launch_make.c only.
 */
#ifndef RT_KERNEL_LAUNCH_PACKED_H
#define RT_KERNEL_LAUNCH_PACKED_H

#include "kernel/launch.h"

#include <limits.h>
#include <linux/capability.h>
#include <linux/filter.h>

#if defined __SANITIZE_ADDRESS__
#define SANITIZED 1
#elif defined __has_feature
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif

#if (defined __x86_64__ || defined __aarch64__) && !defined SANITIZED
#define CAN_LEAVE 1
#else
#define CAN_LEAVE 0
#endif

#define STACK_SIZE 32768 /* before it is a stack, the text of /proc/self/maps is read into it */
#define RANGES_MAX 256
#define PID_DIGITS 10 /* of a number up to 4194304, with room */

struct range {
    uintptr_t start;
    size_t length;
};

/* The result of capset (2) as it wants it. */
struct capability_sets {
    struct __user_cap_header_struct header;
    struct __user_cap_data_struct data[2];
};

struct launch {
    unsigned char stack[STACK_SIZE] __attribute__ ((aligned (64)));
    struct launch_words words;
    char path[PATH_MAX];
    char **argv;
    char **envp;
    char *pid_digits; /* in envp; NULL = none */
    struct sock_filter *filter;
    struct sock_fprog program;
    uint32_t filter_flags;
    uint32_t door[DOOR_WORDS];
    struct capability_sets capabilities;
    bool sets_capabilities, birth, opens_procfs, session, terminal, gated;
    int line, gate, notify;
    char *gate_word, *gate_word_old;
    bool goes_unasked;
    size_t range_count;
    struct range ranges[RANGES_MAX];
};

#endif
