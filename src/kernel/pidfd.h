/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pidfd: a process that cannot be mistaken for another one. Linux 5.3; the floor of rt is 5.10.
 */
#ifndef RT_KERNEL_PIDFD_H
#define RT_KERNEL_PIDFD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Opens the process if it is alive and is the one that started at `start_time` (clock ticks since
 * boot, field 22 of /proc/PID/stat). -1 with ESRCH if it is gone, a zombie or another one. */
int pidfd_open_exact (pid_t pid, uint64_t start_time);

/* The start time of a process; -1 with errno. *state is its letter (R, S, D, T, Z, X); may be NULL.
 */
int pidfd_start_time (pid_t pid, uint64_t *start_time, char *state);

/* A child of the calling process, by its number. Close-on-exec; -1 with errno. */
int pidfd_open_child (pid_t pid);

/* What has this number at the moment, be it what it may: look afterwards, and only then believe
 * that it is what was meant. ESRCH: no process has it. Close-on-exec; -1 with errno. */
int pidfd_open_number (pid_t pid);

/* SIGKILL has killed the process, or is on its way to it. False for one that has ended otherwise,
 * or that is not there. */
bool pidfd_is_doomed (pid_t pid);

/* Does the pidfd stand for the process with this number, which has not been reaped? Then the number
 * has not been given to another one. 1 yes, 0 no, -1 with errno: it could not be looked at. */
int pidfd_holds (int pidfd, pid_t pid);

/* Has the process executed a program since its birth? 1 yes, 0 not yet, -1 with errno: ESRCH where
 * it has been reaped. By the kernel's own mark, which fork sets and execve takes away when there is
 * no way back (PF_FORKNOEXEC); also of a zombie. */
int pidfd_has_executed (pid_t pid, int pidfd);

/* Has it ended, or begun to (PF_EXITING), after which it is in no cgroup and has no namespaces any
 * more, a moment before it is dead? 1 yes, 0 no, -1 with errno. */
int pidfd_is_ending (pid_t pid, int pidfd);

/* To this process and to no other one. Where pidfd_send_signal is missing or denied there is no
 * such call, and only the number of a child of rt's own is safe: it is not given again before rt
 * has reaped it. Anything else then fails with ENOSYS, and nothing is sent. -1 with errno. */
int pidfd_signal (int pidfd, int signal);

/* By its number, but only to a child of the calling process that has not been reaped; else ESRCH.
 */
int pidfd_signal_child (pid_t pid, int signal);

/* The process id that a pidfd stands for, in this pid namespace; -1 with errno, which is ESRCH if
 * it is gone. */
pid_t pidfd_pid (int pidfd);

/* Waits until the process is dead, or until `timeout_ms` (-1 = no limit) is over: 1 dead, 0 not
 * yet, -1 errno. Does not reap. */
int pidfd_wait_dead (int pidfd, int timeout_ms);

#endif
