/* SPDX-License-Identifier: Apache-2.0 */
/*
 * probe_stream: bytes that can be told from all others, for tests that none is lost: a block of
 * numbers from a seed, over and over. Its length is a prime, so that no buffer's length fits into
 * it.
 */
#include "probe.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

enum { BLOCK = 65521 };

static unsigned char block[2 * BLOCK];
static unsigned int chance;

static unsigned int draw (void)
{
    chance = chance * 1103515245 + 12345;
    return chance >> 16;
}

static void fill_block (unsigned int seed)
{
    chance = seed;
    for (size_t i = 0; i < BLOCK; i++)
        block[i] = block[i + BLOCK] = (unsigned char)draw ();
}

int op_raw (char **argv)
{
    struct termios modes;

    (void)argv;
    if (tcgetattr (0, &modes) < 0)
        return 92;
    cfmakeraw (&modes);
    return tcsetattr (0, TCSANOW, &modes) < 0 ? 92 : 0;
}

int op_stream (char **argv)
{
    long long total = number (argv[2]);
    size_t most = (size_t)number (argv[3]);

    fill_block ((unsigned int)number (argv[1]));
    for (long long done = 0; done < total;) {
        size_t size = 1 + draw () % most;
        if ((long long)size > total - done)
            size = (size_t)(total - done);
        ssize_t written = write (1, block + done % BLOCK, size);
        if (written < 0)
            return 93;
        done += written;
    }
    return 0;
}

int op_take (char **argv)
{
    static unsigned char bytes[BLOCK];
    long long total = number (argv[2]), done = 0;
    size_t most = (size_t)number (argv[3]);

    fill_block ((unsigned int)number (argv[1]));
    while (done < total) {
        size_t size = 1 + draw () % most;
        if ((long long)size > total - done)
            size = (size_t)(total - done);
        ssize_t length = read (0, bytes, size);
        if (length <= 0)
            return 91;
        if (memcmp (bytes, block + done % BLOCK, (size_t)length) != 0)
            return 90;
        done += length;
    }
    return 0;
}

int op_size (char **argv)
{
    struct winsize size;
    sigset_t change;

    sigemptyset (&change);
    sigaddset (&change, SIGWINCH);
    sigprocmask (SIG_BLOCK, &change, NULL);
    while (ioctl (0, TIOCGWINSZ, &size) == 0 &&
           (size.ws_row != number (argv[1]) || size.ws_col != number (argv[2])))
        sigwaitinfo (&change, NULL);
    return 0;
}
