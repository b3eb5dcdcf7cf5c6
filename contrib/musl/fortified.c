/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fortified: what glibc calls the checked twins of some functions, for a build with musl (configure
 * --with-musl). The static archives of yajl, libseccomp and libcap are a distribution's, compiled
 * with _FORTIFY_SOURCE, and call these; all else that they call is C's or POSIX's. Sizes that do
 * not fit end the process, as glibc's do.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *__memcpy_chk (void *to, const void *from, size_t length, size_t room);
int __snprintf_chk (char *to, size_t size, int flag, size_t room, const char *format, ...)
    __attribute__ ((format (printf, 5, 6)));
int __sprintf_chk (char *to, int flag, size_t room, const char *format, ...)
    __attribute__ ((format (printf, 4, 5)));
int __asprintf_chk (char **to, int flag, const char *format, ...)
    __attribute__ ((format (printf, 3, 4)));
int __fprintf_chk (FILE *to, int flag, const char *format, ...)
    __attribute__ ((format (printf, 3, 4)));

void *__memcpy_chk (void *to, const void *from, size_t length, size_t room)
{
    if (length > room)
        abort ();
    return memcpy (to, from, length);
}

int __snprintf_chk (char *to, size_t size, int flag, size_t room, const char *format, ...)
{
    va_list arguments;

    (void)flag;
    if (size > room)
        abort ();
    va_start (arguments, format);
    int length = vsnprintf (to, size, format, arguments);
    va_end (arguments);
    return length;
}

int __sprintf_chk (char *to, int flag, size_t room, const char *format, ...)
{
    va_list arguments;

    (void)flag;
    va_start (arguments, format);
    int length = vsnprintf (to, room, format, arguments);
    va_end (arguments);
    if (length >= 0 && (size_t)length >= room)
        abort ();
    return length;
}

int __asprintf_chk (char **to, int flag, const char *format, ...)
{
    va_list arguments;

    (void)flag;
    va_start (arguments, format);
    int length = vasprintf (to, format, arguments);
    va_end (arguments);
    return length;
}

int __fprintf_chk (FILE *to, int flag, const char *format, ...)
{
    va_list arguments;

    (void)flag;
    va_start (arguments, format);
    int length = vfprintf (to, format, arguments);
    va_end (arguments);
    return length;
}
