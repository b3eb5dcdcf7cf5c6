/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log: see log.h. Each message is one write, so that the lines of processes that share a log file
 * never mix.
 *
 *   text, to a file           2026-05-04T03:02:01.123456789Z error: MESSAGE
 *   text, to standard error   rt: error: MESSAGE
 *   json                      {"level":"error","msg":"MESSAGE","time":"...", ...}
 */
#include "log.h"

#include "cleanup.h"
#include "fdio.h"
#include "json_write.h"
#include "patience.h"
#include "timestamp.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

enum sink { SINK_STDERR, SINK_FILE, SINK_JOURNAL, SINK_SYSLOG };

static const char *const level_words[] = {
    [LOG_LEVEL_ERROR] = "error",
    [LOG_LEVEL_WARNING] = "warning",
    [LOG_LEVEL_DEBUG] = "debug",
};

static const int syslog_priorities[] = {
    [LOG_LEVEL_ERROR] = LOG_ERR,
    [LOG_LEVEL_WARNING] = LOG_WARNING,
    [LOG_LEVEL_DEBUG] = LOG_DEBUG,
};

/* One process, one log: the only global state of base/. */
static struct {
    enum sink sink;
    int fd; /* of a file, or of the journal's or syslog's socket */
    char ident[64];
    enum log_format format;
    enum log_level level;
    bool lost; /* its reader does not go on */
    void (*send) (void *context, enum log_level level, const char *text);
    void *context;
} log_state = {.fd = -1, .level = LOG_LEVEL_ERROR};

/* O_NONBLOCK: a pipe without a reader is an error at once; one whose reader sleeps is waited for in
 * put (). */
#define LOG_FLAGS (O_WRONLY | O_APPEND | O_NOCTTY | O_NONBLOCK)

/* Created with exactly 0644, whatever the caller's umask; an existing file keeps its mode. */
static int open_file (const char *path)
{
    int fd = open (path, LOG_FLAGS | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd >= 0) {
        (void)fchmod (fd, 0644);
        return fd;
    }
    return errno == EEXIST ? open (path, LOG_FLAGS | O_CREAT | O_CLOEXEC, 0644) : -1;
}

/* "journald:IDENT" is a backend with its argument, "/var/log/a:b" and "a.log" are paths. */
static size_t backend_length (const char *path)
{
    size_t length = 0;
    while (path[length] >= 'a' && path[length] <= 'z')
        length++;
    return length > 0 && path[length] == ':' ? length : 0;
}

static int open_sink (const char *path, enum sink *sink, int *fd, struct error *err)
{
    size_t backend = backend_length (path);
    const char *argument = backend > 0 ? path + backend + 1 : path;
    if (backend == 0 || text_starts_with (path, "file:")) {
        *fd = open_file (argument);
        if (*fd < 0) {
            bool unread = errno == ENXIO;
            error_set (err, "RT-LOG", errno, "open the log file `%s`", argument);
            return unread ? error_hint (err, "a pipe needs a reader, a socket cannot be one") : -1;
        }
        *sink = SINK_FILE;
        return 0;
    }
    if (text_starts_with (path, "journald:")) {
        *fd = fd_connect_unix ("/run/systemd/journal/socket", SOCK_DGRAM, err);
        *sink = SINK_JOURNAL;
        return *fd < 0 ? error_wrap (err, "--log %s", path) : 0;
    }
    if (text_starts_with (path, "syslog:")) {
        *fd = fd_connect_unix ("/dev/log", SOCK_DGRAM, err);
        *sink = SINK_SYSLOG;
        return *fd < 0 ? error_wrap (err, "--log %s", path) : 0;
    }
    error_set (err, "RT-LOG", 0, "unknown log backend `%.*s` in `--log %s`", (int)backend, path,
               path);
    return error_hint (err, "file:PATH, journald:IDENT and syslog:IDENT are known");
}

const char *log_file (const char *path)
{
    size_t backend = path ? backend_length (path) : 0;

    if (backend == 0)
        return path;
    return text_starts_with (path, "file:") ? path + backend + 1 : NULL;
}

int log_open (const char *path, enum log_format format, enum log_level level, struct error *err)
{
    enum sink sink = SINK_STDERR;
    int fd = -1;
    if (path && open_sink (path, &sink, &fd, err) < 0)
        return -1;

    drop_fd (&log_state.fd);
    log_state.fd = fd;
    log_state.sink = sink;
    log_state.format = format;
    log_state.level = level;
    if (sink == SINK_JOURNAL || sink == SINK_SYSLOG) {
        const char *ident = path + backend_length (path) + 1;
        (void)snprintf (log_state.ident, sizeof log_state.ident, "%s", *ident ? ident : "rt");
    }
    return 0;
}

bool log_enabled (enum log_level level)
{
    return level <= log_state.level;
}

void log_redirect (void (*send) (void *context, enum log_level level, const char *text),
                   void *context)
{
    log_state.send = send;
    log_state.context = context;
}

/* One message is one line, and no word of a hostile image reaches the terminal as a command. */
static void put_visible (struct text *line, const char *message)
{
    while (*message != '\0') {
        size_t shown = shown_length (message);
        if (shown > 0)
            text_add (line, message, shown);
        else
            text_printf (line, "\\x%02x", (unsigned char)*message);
        message += shown > 0 ? shown : 1;
    }
}

static void put_error_keys (struct json_writer *writer, const struct error *err)
{
    json_string (writer, "code", err->code);
    if (err->phase[0] != '\0')
        json_string (writer, "phase", err->phase);
    if (err->errnum != 0)
        json_int (writer, "errno", err->errnum);
    if (err->file[0] != '\0' || err->pointer[0] != '\0')
        json_string (writer, "file", err->file[0] != '\0' ? err->file : "config.json");
    if (err->line != 0) {
        json_uint (writer, "line", err->line);
        json_uint (writer, "column", err->column);
    }
    if (err->pointer[0] != '\0')
        json_string (writer, "pointer", err->pointer);
    if (err->hint[0] != '\0')
        json_string (writer, "hint", err->hint);
}

/* A log whose reader does not go on is given up, and so is a line for a reader of standard error
 * when rt is to end. */
static void put (int fd, const struct text *line)
{
    bool own = fd == log_state.fd;

    if (own && log_state.lost)
        return;
    if (fd_write_within (fd, line->bytes, line->length, own ? patience_ms () : -1) < 0 && own)
        log_state.lost = errno == ETIMEDOUT;
}

static void write_json (enum log_level level, const char *message, const struct error *err)
{
    AUTO_TEXT struct text line = {0};
    char now[TIMESTAMP_SIZE];
    timestamp_now (now);
    struct json_writer writer = {.out = &line};
    json_open (&writer, NULL, '{');
    json_string (&writer, "level", level_words[level]);
    json_string (&writer, "msg", message);
    json_string (&writer, "time", now);
    if (err)
        put_error_keys (&writer, err);
    json_close (&writer, '}');
    text_putc (&line, '\n');
    put (log_state.sink == SINK_FILE ? log_state.fd : STDERR_FILENO, &line);
}

static void write_stderr (enum log_level level, const char *message)
{
    AUTO_TEXT struct text line = {0};
    text_printf (&line, "rt: %s: ", level_words[level]);
    put_visible (&line, message);
    text_putc (&line, '\n');
    put (STDERR_FILENO, &line);
}

static void write_file (enum log_level level, const char *message)
{
    AUTO_TEXT struct text line = {0};
    char now[TIMESTAMP_SIZE];
    timestamp_now (now);
    text_printf (&line, "%s %s: ", now, level_words[level]);
    put_visible (&line, message);
    text_putc (&line, '\n');
    put (log_state.fd, &line);
}

/* The journal's own protocol: one datagram of KEY=VALUE lines. */
static void write_journal (enum log_level level, const char *message, const struct error *err)
{
    AUTO_TEXT struct text entry = {0};
    text_printf (&entry, "PRIORITY=%d\nSYSLOG_IDENTIFIER=", syslog_priorities[level]);
    put_visible (&entry, log_state.ident);
    if (err)
        text_printf (&entry, "\nRT_CODE=%s", err->code);
    text_puts (&entry, "\nMESSAGE=");
    put_visible (&entry, message);
    text_putc (&entry, '\n');
    (void)fd_send (log_state.fd, entry.bytes, entry.length, NULL, 0);
}

/* RFC 3164, without the name of the host, as it is its own /dev/log. */
static void write_syslog (enum log_level level, const char *message)
{
    AUTO_TEXT struct text line = {0};
    time_t seconds = time (NULL);
    struct tm now;
    char when[32];
    if (!localtime_r (&seconds, &now) || strftime (when, sizeof when, "%b %e %T", &now) == 0)
        when[0] = '\0';
    text_printf (&line, "<%d>%s ", LOG_DAEMON | syslog_priorities[level], when);
    put_visible (&line, log_state.ident);
    text_printf (&line, "[%d]: ", (int)getpid ());
    put_visible (&line, message);
    (void)fd_send (log_state.fd, line.bytes, line.length, NULL, 0);
}

static void emit (enum log_level level, const char *message, const struct error *err)
{
    if (!log_enabled (level))
        return;
    int saved = errno;
    if (log_state.send)
        log_state.send (log_state.context, level, message);
    else if (log_state.sink == SINK_JOURNAL)
        write_journal (level, message, err);
    else if (log_state.sink == SINK_SYSLOG)
        write_syslog (level, message);
    else if (log_state.format == LOG_FORMAT_JSON)
        write_json (level, message, err);
    else if (log_state.sink == SINK_FILE)
        write_file (level, message);
    else
        write_stderr (level, message);
    errno = saved;
}

void log_text (enum log_level level, const char *text)
{
    emit (level, text, NULL);
}

__attribute__ ((format (printf, 2, 0))) static void emit_format (enum log_level level,
                                                                 const char *format, va_list args)
{
    if (!log_enabled (level))
        return;
    char message[4096];
    (void)vsnprintf (message, sizeof message, format, args);
    emit (level, message, NULL);
}

void log_warning (const char *format, ...)
{
    va_list args;
    va_start (args, format);
    emit_format (LOG_LEVEL_WARNING, format, args);
    va_end (args);
}

void log_debug (const char *format, ...)
{
    va_list args;
    va_start (args, format);
    emit_format (LOG_LEVEL_DEBUG, format, args);
    va_end (args);
}

void log_error_value (const struct error *err)
{
    char message[ERROR_WORDS];
    (void)error_format (err, message, sizeof message);
    emit (LOG_LEVEL_ERROR, message, err);
    if (log_state.sink != SINK_STDERR && !log_state.send)
        write_stderr (LOG_LEVEL_ERROR, message);
}
