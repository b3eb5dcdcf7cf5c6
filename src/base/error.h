/* SPDX-License-Identifier: Apache-2.0 */
/*
 * error: what went wrong, as a value.
 *
 * A struct error has a fixed size, is owned by the caller and is the last parameter of every
 * function that can fail. Such functions return 0 or -1 (a descriptor or -1, a pointer or NULL)
 * and leave their outputs untouched on failure. The error is made where the knowledge is and told
 * once, at the top, by commands/. It holds no pointers, so it can cross a socket as it is.
 */
#ifndef RT_BASE_ERROR_H
#define RT_BASE_ERROR_H

#include <stdbool.h>
#include <stdint.h>

struct error {
    char code[32];     /* stable, for programs: "RT-MOUNT-SOURCE" */
    char phase[24];    /* what rt was doing: "mounts", set by lifecycle/; may be empty */
    int errnum;        /* the kernel's errno, 0 where the kernel was not asked */
    int exit_code;     /* 0, or the exit status that the verb must end with */
    uint32_t line;     /* place in `file`; 0 = not (yet) known */
    uint32_t column;   /* 1-based, in bytes */
    char file[64];     /* "config.json", "process.json"; empty = config.json where pointer is set */
    char pointer[192]; /* JSON pointer into the document: "/mounts/3/options/0"; may be empty */
    char text[1024];   /* one line: the thing, what was tried; without strerror */
    char hint[320];    /* what to do about it; may be empty */
};

/* Fills `err` anew (phase and place are cleared) and returns -1. errnum 0 = no kernel word. */
int error_set (struct error *err, const char *code, int errnum, const char *format, ...)
    __attribute__ ((format (printf, 4, 5), cold));

/* Puts "context: " before the text. Returns -1. */
int error_wrap (struct error *err, const char *format, ...)
    __attribute__ ((format (printf, 2, 3), cold));

/* Names the property that asked for it, as a JSON pointer. An existing pointer stays: the place
 * nearest to the knowledge wins. Line and column are found later, by config_locate_error ().
 * Returns -1. */
int error_at (struct error *err, const char *pointer_format, ...)
    __attribute__ ((format (printf, 2, 3), cold));

/* Makes a struct error that came from outside safe to use: texts end, numbers are in their range,
 * and the exit status is the verb's own. */
void error_bound (struct error *err);

/* Sets the hint. Returns -1. */
int error_hint (struct error *err, const char *format, ...)
    __attribute__ ((format (printf, 2, 3), cold));

/* True if `err` was filled. A zeroed struct error is "no error". */
static inline bool error_is_set (const struct error *err)
{
    return err->text[0] != '\0';
}

/* The whole message on one line, as a person and an engine read it:
 * "TEXT: strerror (FILE:LINE:COLUMN POINTER; HINT)". `out` is always terminated, and returned. */
#define ERROR_WORDS 2048

/* Words of a hostile image or id on a terminal: each byte of a control character (C0, DEL, C1), and
 * each byte that is no part of a character in UTF-8, becomes `?`. `text` ends with NUL at `length`.
 */
void hide_controls (char *text, unsigned long length);

/* What an errno means, in glibc's words with a small letter in front, with every libc. */
const char *error_words (int errnum);

/* The length of the character at `text` in UTF-8, if it is one that may be shown; 0: a control
 * character, or no character. `text` ends with NUL. */
unsigned long shown_length (const char *text);

const char *error_format (const struct error *err, char *out, unsigned long size);

#endif
