/* SPDX-License-Identifier: Apache-2.0 */
/*
 * probe: lines of JSON about this process and what it tries (see probe.c).
 */
#ifndef RT_TESTS_PROBE_H
#define RT_TESTS_PROBE_H

#include <stddef.h>
#include <stdio.h>

/* Where the lines go: standard output, or a hook's file. */
extern FILE *out;

/* Decimal, 0octal or 0xhex; the arguments come from the test, so nothing is checked. */
long long number (const char *text);

void put_json (const char *bytes, size_t length);
void open_line (const char *op);
void key (const char *name);
void put_string (const char *name, const char *value);
void put_number (const char *name, long long value);
void put_link (const char *name, const char *path);
/* "errno": the kernel's word where ret < 0, else "ret". */
void put_result (long long ret);
void close_line (void);
/* A whole line for an operation on a path. */
void told (const char *op, const char *path, long long ret);

/* Everything to read, terminated; NULL with errno. */
char *slurp (int fd, size_t *length);
char *slurp_path (const char *path, size_t *length);

/* raw: the terminal at 0 carries bytes as they are.
 * stream SEED SIZE MOST: bytes to standard output, at most MOST at a time.
 * take SEED SIZE MOST: those bytes from standard input, or 90 (others), 91 (an end).
 * size ROWS COLUMNS: waits until the terminal at 0 is of that size. */
int op_raw (char **argv);
int op_stream (char **argv);
int op_take (char **argv);
int op_size (char **argv);
/* probe_notify.c */
int op_notify (char **argv);
int op_barrier (char **argv);

/* All that a process can say about itself. */
void put_process (char **argv);

#endif
