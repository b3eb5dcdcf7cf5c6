/* SPDX-License-Identifier: Apache-2.0 */
/*
 * error: see error.h. Texts that do not fit are cut: a fixed size lets an error cross a socket
 * from a process that must not allocate any more.
 */
#include "error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define ERRNO_MAX 4095

/* Writes at the end of what is there already; what does not fit is cut. */
__attribute__ ((format (printf, 4, 5))) static void add (char *out, size_t size, size_t *length,
                                                         const char *format, ...)
{
    va_list args;
    va_start (args, format);
    int written = vsnprintf (out + *length, size - *length, format, args);
    va_end (args);
    if (written > 0)
        *length += (size_t)written;
    if (*length >= size)
        *length = size - 1;
}

/*
 * The words that are searched for, with every libc: musl has others. Docker and containerd tell the
 * exit codes 126 and 127 by them, as Go writes them: with a small letter in front.
 */
static const char *const errno_words[] = {
    [EPERM] = "operation not permitted",
    [ENOENT] = "no such file or directory",
    [ESRCH] = "no such process",
    [EINTR] = "interrupted system call",
    [EIO] = "input/output error",
    [ENXIO] = "no such device or address",
    [E2BIG] = "argument list too long",
    [ENOEXEC] = "exec format error",
    [EBADF] = "bad file descriptor",
    [ECHILD] = "no child processes",
    [EAGAIN] = "resource temporarily unavailable",
    [ENOMEM] = "cannot allocate memory",
    [EACCES] = "permission denied",
    [EFAULT] = "bad address",
    [ENOTBLK] = "block device required",
    [EBUSY] = "device or resource busy",
    [EEXIST] = "file exists",
    [EXDEV] = "invalid cross-device link",
    [ENODEV] = "no such device",
    [ENOTDIR] = "not a directory",
    [EISDIR] = "is a directory",
    [EINVAL] = "invalid argument",
    [ENFILE] = "too many open files in system",
    [EMFILE] = "too many open files",
    [ENOTTY] = "inappropriate ioctl for device",
    [ETXTBSY] = "text file busy",
    [EFBIG] = "file too large",
    [ENOSPC] = "no space left on device",
    [ESPIPE] = "illegal seek",
    [EROFS] = "read-only file system",
    [EMLINK] = "too many links",
    [EPIPE] = "broken pipe",
    [EDOM] = "numerical argument out of domain",
    [ERANGE] = "numerical result out of range",
    [EDEADLK] = "resource deadlock avoided",
    [ENAMETOOLONG] = "file name too long",
    [ENOLCK] = "no locks available",
    [ENOSYS] = "function not implemented",
    [ENOTEMPTY] = "directory not empty",
    [ELOOP] = "too many levels of symbolic links",
    [ENODATA] = "no data available",
    [ETIME] = "timer expired",
    [EPROTO] = "protocol error",
    [EBADMSG] = "bad message",
    [EOVERFLOW] = "value too large for defined data type",
    [EILSEQ] = "invalid or incomplete multibyte or wide character",
    [EUSERS] = "too many users",
    [ENOTSOCK] = "socket operation on non-socket",
    [EDESTADDRREQ] = "destination address required",
    [EMSGSIZE] = "message too long",
    [EPROTOTYPE] = "protocol wrong type for socket",
    [ENOPROTOOPT] = "protocol not available",
    [EPROTONOSUPPORT] = "protocol not supported",
    [EOPNOTSUPP] = "operation not supported",
    [EAFNOSUPPORT] = "address family not supported by protocol",
    [EADDRINUSE] = "address already in use",
    [EADDRNOTAVAIL] = "cannot assign requested address",
    [ENETDOWN] = "network is down",
    [ENETUNREACH] = "network is unreachable",
    [ECONNABORTED] = "software caused connection abort",
    [ECONNRESET] = "connection reset by peer",
    [ENOBUFS] = "no buffer space available",
    [EISCONN] = "transport endpoint is already connected",
    [ENOTCONN] = "transport endpoint is not connected",
    [ETIMEDOUT] = "connection timed out",
    [ECONNREFUSED] = "connection refused",
    [EHOSTDOWN] = "host is down",
    [EHOSTUNREACH] = "no route to host",
    [EALREADY] = "operation already in progress",
    [EINPROGRESS] = "operation now in progress",
    [ESTALE] = "stale file handle",
    [EDQUOT] = "disk quota exceeded",
    [ECANCELED] = "operation canceled",
    [ENOKEY] = "required key not available",
    [EKEYEXPIRED] = "key has expired",
    [EKEYREVOKED] = "key has been revoked",
    [EKEYREJECTED] = "key was rejected by service",
    [EOWNERDEAD] = "owner died",
    [EREMOTEIO] = "remote I/O error",
    [ELIBBAD] = "accessing a corrupted shared library",
};

const char *error_words (int errnum)
{
    size_t count = sizeof errno_words / sizeof errno_words[0];
    const char *words = errnum > 0 && (size_t)errnum < count ? errno_words[errnum] : NULL;

    return words ? words : strerror (errnum);
}

static void add_errno (char *out, size_t size, size_t *length, int errnum)
{
    add (out, size, length, ": %s", error_words (errnum));
}

int error_set (struct error *err, const char *code, int errnum, const char *format, ...)
{
    /* Not straight into err->text: an argument may be a part of the very error that is replaced. */
    char text[sizeof err->text];
    va_list args;
    va_start (args, format);
    (void)vsnprintf (text, sizeof text, format, args);
    va_end (args);

    memset (err, 0, sizeof *err);
    (void)snprintf (err->code, sizeof err->code, "%s", code);
    err->errnum = errnum;
    memcpy (err->text, text, sizeof text);
    return -1;
}

int error_wrap (struct error *err, const char *format, ...)
{
    char text[sizeof err->text];
    va_list args;
    va_start (args, format);
    (void)vsnprintf (text, sizeof text, format, args);
    va_end (args);

    size_t length = strlen (text);
    add (text, sizeof text, &length, ": %s", err->text);
    memcpy (err->text, text, sizeof text);
    return -1;
}

int error_at (struct error *err, const char *pointer_format, ...)
{
    if (err->pointer[0] == '\0') {
        va_list args;
        va_start (args, pointer_format);
        (void)vsnprintf (err->pointer, sizeof err->pointer, pointer_format, args);
        va_end (args);
    }
    return -1;
}

void error_bound (struct error *err)
{
    err->code[sizeof err->code - 1] = '\0';
    err->phase[sizeof err->phase - 1] = '\0';
    err->file[sizeof err->file - 1] = '\0';
    err->pointer[sizeof err->pointer - 1] = '\0';
    err->text[sizeof err->text - 1] = '\0';
    err->hint[sizeof err->hint - 1] = '\0';
    if (err->errnum < 0 || err->errnum > ERRNO_MAX)
        err->errnum = 0;
    err->exit_code = 0;
    err->line = err->column = 0;
    if (err->text[0] == '\0')
        (void)error_set (err, "RT-ERROR", 0, "an error without words");
}

int error_hint (struct error *err, const char *format, ...)
{
    va_list args;
    va_start (args, format);
    (void)vsnprintf (err->hint, sizeof err->hint, format, args);
    va_end (args);
    return -1;
}

/* The strings end with NUL, which ends a cut character, too. */
unsigned long shown_length (const char *text)
{
    const unsigned char *bytes = (const unsigned char *)text;
    unsigned char first = bytes[0];
    size_t length = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;

    if (first < 0x20 || first == 0x7f || first > 0xf4 || (first == 0xc2 && bytes[1] < 0xa0))
        return 0;
    for (size_t i = 1; i < length; i++)
        if ((bytes[i] & 0xc0) != 0x80)
            return 0;
    return length;
}

void hide_controls (char *text, unsigned long length)
{
    for (size_t i = 0; i < length;) {
        size_t shown = shown_length (text + i);
        if (shown == 0)
            text[i] = '?';
        i += shown ? shown : 1;
    }
}

const char *error_format (const struct error *err, char *out, unsigned long size)
{
    if (size == 0)
        return out;
    size_t length = 0;
    out[0] = '\0';
    add (out, size, &length, "%s", err->text);
    if (err->errnum != 0)
        add_errno (out, size, &length, err->errnum);

    bool place = err->file[0] != '\0' || err->pointer[0] != '\0';
    size_t pointer_length = strlen (err->pointer);
    bool told = strncmp (err->text, err->pointer, pointer_length) == 0;
    if (place) {
        add (out, size, &length, " (%s", err->file[0] != '\0' ? err->file : "config.json");
        if (err->line != 0)
            add (out, size, &length, ":%u:%u", err->line, err->column);
        if (pointer_length > 0 && !told)
            add (out, size, &length, " %s", err->pointer);
    }
    if (err->hint[0] != '\0')
        add (out, size, &length, "%s%s", place ? "; " : " (", err->hint);
    if (place || err->hint[0] != '\0')
        add (out, size, &length, ")");

    hide_controls (out, length);
    return out;
}
