/* SPDX-License-Identifier: Apache-2.0 */
/* last_words: see last_words.h. */
#include "criu/last_words.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define FIRST_LINES 3

/* Failures come at the end of a log, which may be long; its first bytes are of no interest then. */
#define LOG_TAIL (256 << 10)

/* "(00.012) Error (criu/mount.c:12): mnt: words": the words, or NULL. Lines of restored processes
 * have their pid before "Error". */
static const char *words_of (const char *line, size_t length, size_t *words_length)
{
    static const char mark[] = "Error (";
    const char *error = memmem (line, length, mark, sizeof (mark) - 1);
    const char *end = line + length;
    const char *words = error ? memmem (error, (size_t)(end - error), "): ", 3) : NULL;

    /* A limit of its own that it could not raise, and did without. */
    if (!words || memmem (words, (size_t)(end - words), "rlimit: ", 8))
        return NULL;
    words += 3;
    while (words < end && *words == ' ')
        words++;
    *words_length = (size_t)(end - words);
    return words;
}

void last_words_find (const char *log, struct text *words)
{
    const char *last = NULL;
    size_t last_length = 0;
    int count = 0;

    for (const char *line = log; *line; line += strcspn (line, "\n"), line += *line == '\n') {
        size_t length;
        const char *found = words_of (line, strcspn (line, "\n"), &length);
        if (!found)
            continue;
        if (count++ >= FIRST_LINES) {
            last = found;
            last_length = length;
            continue;
        }
        if (words->length > 0)
            text_puts (words, "; ");
        text_add (words, found, length);
    }
    if (last) {
        text_puts (words, count > FIRST_LINES + 1 ? "; ...; " : "; ");
        text_add (words, last, last_length);
    }
}

static char *read_tail (int work, const char *name)
{
    AUTO_FD int fd = openat (work, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    AUTO_FREE char *bytes = calloc (1, LOG_TAIL + 1);
    struct stat st;
    size_t length = 0;

    if (fd < 0 || !bytes || fstat (fd, &st) < 0)
        return NULL;
    off_t at = st.st_size > LOG_TAIL ? st.st_size - LOG_TAIL : 0;
    ssize_t got;
    while ((got = pread (fd, bytes + length, LOG_TAIL - length, at + (off_t)length)) > 0)
        length += (size_t)got;
    return take_pointer (&bytes);
}

int last_words_explain (int work, const char *work_path, const char *log_file,
                        const char *otherwise, struct error *err)
{
    AUTO_FREE char *log = read_tail (work, log_file);
    AUTO_TEXT struct text words = {0};
    size_t used = strlen (err->text);

    if (log)
        last_words_find (log, &words);
    if (words.length == 0)
        text_puts (&words, otherwise);
    if (words.length > 0)
        (void)snprintf (err->text + used, sizeof (err->text) - used, ": %s", text_string (&words));
    return log ? error_hint (err, "see %s/%s", work_path, log_file) : -1;
}
