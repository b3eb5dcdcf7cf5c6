/* SPDX-License-Identifier: Apache-2.0 */
/* netcounters: see netcounters.h. */
#include "kernel/netcounters.h"

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/text.h"
#include "kernel/procfd.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#define NET_DEV_MAX (1u << 20)
#define COLUMNS 12

/* "  eth0: 1 2 ...": eight numbers received, then eight sent. */
static bool parse_line (struct arena *arena, const char *line, size_t length,
                        struct netcounter *counter)
{
    char *copy = arena_copy (arena, line, length);
    char *colon = strrchr (copy, ':'); /* a name may have one, for an alias */
    uint64_t values[COLUMNS];

    if (!colon)
        return false;
    *colon = '\0';
    char *word = colon + 1;
    for (size_t i = 0; i < COLUMNS; i++) {
        word += strspn (word, " ");
        char *end = word + strcspn (word, " ");
        bool last = *end == '\0';
        *end = '\0';
        if (text_to_uint64 (word, UINT64_MAX, &values[i]) < 0 || (last && i + 1 < COLUMNS))
            return false;
        word = end + 1;
    }
    *counter = (struct netcounter){copy + strspn (copy, " "),
                                   values[0],
                                   values[1],
                                   values[2],
                                   values[3],
                                   values[8],
                                   values[9],
                                   values[10],
                                   values[11]};
    return true;
}

void netcounters_parse (struct arena *arena, const char *text, struct netcounters *counters)
{
    size_t lines = 0;

    for (const char *at = text; (at = strchr (at, '\n')); at++)
        lines++;
    struct netcounters found = {.items = arena_array (arena, lines + 1, sizeof *found.items)};
    while (*text) {
        size_t length = strcspn (text, "\n");
        if (parse_line (arena, text, length, &found.items[found.count]))
            found.count++;
        text += length + (text[length] == '\n');
    }
    *counters = found;
}

/* The name of the namespace, "net:[4026531840]"; empty where the process is gone. */
static void namespace_of (const char *process, char *name, size_t size)
{
    AUTO_FD int proc = procfd_open (process, O_PATH | O_DIRECTORY);
    ssize_t length = proc < 0 ? -1 : readlinkat (proc, "ns/net", name, size - 1);

    name[length < 0 ? 0 : length] = '\0';
}

int netcounters_read (struct arena *arena, pid_t pid, struct netcounters *counters)
{
    char process[32], path[64], ours[64], theirs[64];
    struct error failure = {0};

    (void)snprintf (process, sizeof process, "%d/.", (int)pid);
    (void)snprintf (path, sizeof path, "%d/net/dev", (int)pid);
    namespace_of ("self/.", ours, sizeof ours);
    namespace_of (process, theirs, sizeof theirs);
    if (*ours == '\0' || *theirs == '\0' || text_equal (ours, theirs))
        return 0;
    AUTO_FD int fd = procfd_open (path, O_RDONLY);
    if (fd < 0)
        return errno == ENOENT || errno == ESRCH || errno == EINVAL ? 0 : -1;
    AUTO_FREE char *text = fd_read_all (fd, NET_DEV_MAX, NULL, path, &failure);
    if (!text) {
        errno = failure.errnum;
        return errno == ESRCH ? 0 : -1;
    }
    netcounters_parse (arena, text, counters);
    return 1;
}
