/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log: the one sink for messages. Two formats: text and JSON lines ("level", "msg", "time" first).
 *
 * Only commands/ tells errors (log_error_value). Everything else may warn or debug. After the clone
 * the child's messages go through log_redirect (): the channel carries them to the parent, which
 * logs them, so the child needs no descriptor of the log file.
 */
#ifndef RT_BASE_LOG_H
#define RT_BASE_LOG_H

#include "error.h"

#include <stdbool.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_DEBUG };
enum log_format { LOG_FORMAT_TEXT, LOG_FORMAT_JSON };

/* Opens `path` (created 0644, append, close-on-exec), or a backend: "file:PATH", "journald:IDENT",
 * "syslog:IDENT"; NULL = standard error. Replaces an earlier sink. Level and format hold for what
 * follows. */
int log_open (const char *path, enum log_format format, enum log_level level, struct error *err);

/* The file that log_open () opens for it; NULL: none, or what it refuses. */
const char *log_file (const char *path);

/* Is this level written at all? For messages that are expensive to make. */
bool log_enabled (enum log_level level);

/* From now on each message goes to `send` instead of the sink (child side). NULL ends that. */
void log_redirect (void (*send) (void *context, enum log_level level, const char *text),
                   void *context);

/* A message that already has its words (what arrived from the child). */
void log_text (enum log_level level, const char *text);

void log_warning (const char *format, ...) __attribute__ ((format (printf, 1, 2)));
void log_debug (const char *format, ...) __attribute__ ((format (printf, 1, 2)));

/* Tells an error once: to the sink, and to standard error too where the sink is a file
 * (FEATURES CLI-12). In JSON, code, phase, errno, place and hint are keys of their own. */
void log_error_value (const struct error *err);

#endif
