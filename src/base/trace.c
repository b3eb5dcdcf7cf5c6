/* SPDX-License-Identifier: Apache-2.0 */
/* trace: see trace.h. */
#include "base/trace.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum row { ROW_CALLED = 1, ROW_CONTAINER };

static struct {
    int fd; /* 0 = off: nobody's file, as the standard streams are open when main begins */
    int pid;
    enum row row;
    const char *phase;
    uint64_t begin;
} trace;

static uint64_t now (void)
{
    struct timespec at;

    (void)clock_gettime (CLOCK_MONOTONIC, &at);
    return (uint64_t)at.tv_sec * 1000000000U + (uint64_t)at.tv_nsec;
}

/* A trace that cannot be written is no reason to fail. */
static __attribute__ ((format (printf, 1, 2))) void put (const char *format, ...)
{
    char line[256];
    va_list args;

    va_start (args, format);
    int length = vsnprintf (line, sizeof line, format, args);
    va_end (args);
    if (length > 0 && (size_t)length < sizeof line)
        (void)!write (trace.fd, line, (size_t)length);
}

static void put_name (const char *what, enum row row, const char *name)
{
    put ("{\"ph\":\"M\",\"name\":\"%s\",\"pid\":%d,\"tid\":%d,\"args\":{\"name\":\"%s\"}},\n", what,
         trace.pid, (int)row, name);
}

int trace_open (const char *path, const char *verb, struct error *err)
{
    AUTO_FD int fd = open (
        path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_NOCTTY | O_NONBLOCK | O_CLOEXEC, 0644);

    if (fd < 0)
        return error_set (err, "RT-TRACE", errno, "open %s for the trace", path);
    trace.fd = take_fd (&fd);
    trace.pid = (int)getpid ();
    trace.row = ROW_CALLED;
    put ("[\n");
    put ("{\"ph\":\"M\",\"name\":\"process_name\",\"pid\":%d,\"args\":{\"name\":\"rt %s\"}},\n",
         trace.pid, verb);
    put_name ("thread_name", ROW_CALLED, "rt");
    put_name ("thread_name", ROW_CONTAINER, "in the container");
    return 0;
}

void trace_phase (const char *name)
{
    if (trace.fd == 0)
        return;
    uint64_t at = now ();
    if (trace.phase)
        put ("{\"ph\":\"X\",\"name\":\"%s\",\"pid\":%d,\"tid\":%d,\"ts\":%.3f,\"dur\":%.3f},\n",
             trace.phase, trace.pid, (int)trace.row, (double)trace.begin / 1000,
             (double)(at - trace.begin) / 1000);
    trace.phase = name;
    trace.begin = name ? now () : 0; /* without what the writing took */
}

void trace_child (void)
{
    trace.row = ROW_CONTAINER;
    trace.phase = NULL;
}

static void end (void)
{
    (void)close (trace.fd);
    trace.fd = 0;
}

void trace_leave (void)
{
    if (trace.fd == 0)
        return;
    trace_phase (NULL);
    end ();
}

void trace_close (void)
{
    if (trace.fd == 0)
        return;
    trace_phase (NULL);
    /* What the last of an array's lines needs is that no comma follows. */
    put ("{\"ph\":\"i\",\"name\":\"end\",\"s\":\"p\",\"pid\":%d,\"tid\":%d,\"ts\":%.3f}\n]\n",
         trace.pid, (int)ROW_CALLED, (double)now () / 1000);
    end ();
}
