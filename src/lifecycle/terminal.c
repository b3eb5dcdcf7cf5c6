/* SPDX-License-Identifier: Apache-2.0 */
/*
 * terminal: see terminal.h.
 */
#include "lifecycle/terminal.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* A terminal that is not the controlling one of this process has no background for it (ENOTTY). */
static bool in_background (void)
{
    pid_t front = tcgetpgrp (STDIN_FILENO);
    return front >= 0 && front != getpgrp ();
}

static int set_modes (const struct termios *modes)
{
    int result;
    do
        result = tcsetattr (STDIN_FILENO, TCSANOW, modes);
    while (result < 0 && errno == EINTR);
    return result;
}

/* Between the question and the change rt can be put into the background; SIGTTOU must not stop it
 * there, with nobody left to tell the exit status. */
static void set_modes_in_front (const struct termios *modes)
{
    sigset_t stop, old;

    if (in_background ())
        return;
    (void)sigemptyset (&stop);
    (void)sigaddset (&stop, SIGTTOU);
    (void)sigprocmask (SIG_BLOCK, &stop, &old);
    (void)set_modes (modes);
    (void)sigprocmask (SIG_SETMASK, &old, NULL);
}

/* Stops a background process by SIGTTOU until it is in front, as any call that changes a terminal
 * does; but this one changes nothing, and what it would write later is not older than the stop. */
static int wait_for_front (void)
{
    if (in_background () && tcdrain (STDIN_FILENO) < 0)
        return -1;
    if (in_background ()) {
        errno = EIO;
        return -1;
    }
    return 0;
}

int terminal_set_raw (struct terminal *terminal)
{
    terminal->raw = false;
    if (!isatty (STDIN_FILENO))
        return 0;
    if (wait_for_front () < 0)
        return -1;
    if (tcgetattr (STDIN_FILENO, &terminal->before) < 0)
        return -1;
    terminal->during = terminal->before;
    cfmakeraw (&terminal->during);
    terminal->during.c_oflag |= OPOST;
    if (set_modes (&terminal->during) < 0)
        return -1;
    terminal->raw = true;
    return 0;
}

void terminal_resume (const struct terminal *terminal)
{
    if (terminal->raw)
        set_modes_in_front (&terminal->during);
}

void terminal_restore (struct terminal *terminal)
{
    if (terminal->raw)
        set_modes_in_front (&terminal->before);
    terminal->raw = false;
}

void terminal_copy_size (int ptmx)
{
    /* The size matters to what is shown, so standard output is asked first. */
    static const int streams[] = {STDOUT_FILENO, STDIN_FILENO, STDERR_FILENO};

    for (size_t i = 0; i < sizeof streams / sizeof streams[0]; i++) {
        struct winsize size;
        if (ioctl (streams[i], TIOCGWINSZ, &size) < 0)
            continue;
        if (size.ws_row > 0 || size.ws_col > 0)
            (void)ioctl (ptmx, TIOCSWINSZ, &size);
        return;
    }
}

int terminal_keep_newlines (int ptmx)
{
    struct termios modes;

    if (tcgetattr (ptmx, &modes) < 0)
        return -1;
    modes.c_oflag &= ~(tcflag_t)ONLCR;
    return tcsetattr (ptmx, TCSANOW, &modes);
}
