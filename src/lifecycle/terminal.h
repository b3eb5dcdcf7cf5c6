/* SPDX-License-Identifier: Apache-2.0 */
/*
 * terminal: the caller's own terminal, where there is one among descriptors 0, 1 and 2, and what
 * of it the container's terminal takes over.
 */
#ifndef RT_LIFECYCLE_TERMINAL_H
#define RT_LIFECYCLE_TERMINAL_H

#include <stdbool.h>
#include <termios.h>

struct terminal {
    bool raw; /* standard input is in raw mode by us */
    struct termios before;
    struct termios during;
};

/* Puts standard input into raw mode, if it is a terminal: each key is a byte for the container,
 * ^C and ^Z too. Output processing stays on (TTY-11). From the background this stops rt by SIGTTOU,
 * as it stops any program, until the caller's shell brings it to the front. 0, or -1 with errno
 * where the terminal refuses. */
int terminal_set_raw (struct terminal *terminal);

/* After SIGCONT: the shell may have changed the modes meanwhile. Nothing in the background. */
void terminal_resume (const struct terminal *terminal);

/* The modes as they were. In the background the modes are the shell's, and stay. */
void terminal_restore (struct terminal *terminal);

/* Gives the caller's window size to the container's terminal; nothing where the caller has no
 * terminal or one without a size. */
void terminal_copy_size (int ptmx);

/* Switches off NL to CR NL in the container's terminal: the caller's does that already.
 * 0, or -1 with errno. */
int terminal_keep_newlines (int ptmx);

#endif
