/* SPDX-License-Identifier: Apache-2.0 */
/*
 * document: see document.h.
 */
#include "document.h"

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "lifecycle/given.h"
#include "oci-spec/json.h"

#include <string.h>

/* A pipe is what a shell makes of <(COMMAND); fd_read_all does not wait for its writer for ever. */
const char *document_read (struct arena *arena, const char *path, const char *hint, size_t *length,
                           struct error *err)
{
    AUTO_FD int fd = given_open_document (path, JSON_SIZE_MAX, hint, err);
    if (fd < 0)
        return NULL;
    AUTO_FREE char *bytes = fd_read_all (fd, JSON_SIZE_MAX, length, path, err);
    return bytes ? arena_copy (arena, bytes, *length) : NULL;
}

const char *document_name (const char *path)
{
    const char *slash = strrchr (path, '/');
    return slash ? slash + 1 : path;
}

void findings_gather (void *context, const struct error *finding)
{
    struct findings *findings = context;
    if (findings->count++ == 0)
        return;
    char line[2048];
    error_format (finding, line, sizeof line);
    text_add (&findings->others, line, strlen (line) + 1);
}

void findings_tell_others (const struct findings *findings)
{
    const char *line = text_string (&findings->others);
    for (size_t i = 1; i < findings->count; i++) {
        log_text (LOG_LEVEL_ERROR, line);
        line += strlen (line) + 1;
    }
}

void findings_release (struct findings *findings)
{
    text_release (&findings->others);
}
