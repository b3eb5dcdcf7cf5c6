/* SPDX-License-Identifier: Apache-2.0 */
/* subids: see subids.h. */
#include "container/subids.h"

#include "base/cleanup.h"
#include "base/error.h"
#include "base/fdio.h"
#include "base/text.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#define FILE_LIMIT ((size_t)16 << 20)
#define RANGES_MAX 339 /* the kernel takes 340 lines of a map */

struct fields {
    const char *start[3];
    size_t length[3];
};

/* The first three fields of the line at *line, which moves on to the next; false: it has fewer. */
static bool read_line (const char **line, struct fields *fields)
{
    size_t rest = strcspn (*line, "\n");
    const char *at = *line;
    size_t count = 0;

    *line += rest + ((*line)[rest] == '\n');
    for (; count < 3; count++) {
        fields->start[count] = at;
        fields->length[count] = strcspn (at, ":\n");
        at += fields->length[count];
        if (*at != ':')
            return count == 2;
        at++;
    }
    return true;
}

static bool is_word (const struct fields *fields, size_t index, const char *word)
{
    return word && strlen (word) == fields->length[index] &&
           strncmp (fields->start[index], word, fields->length[index]) == 0;
}

static bool is_number (const struct fields *fields, size_t index, uint64_t *number)
{
    char word[16];

    if (fields->length[index] >= sizeof (word))
        return false;
    memcpy (word, fields->start[index], fields->length[index]);
    word[fields->length[index]] = '\0';
    return text_to_uint64 (word, UINT32_MAX, number) == 0;
}

const char *subids_name (struct arena *arena, const char *passwd, uid_t uid)
{
    struct fields fields;
    uint64_t number;

    while (*passwd)
        if (read_line (&passwd, &fields) && fields.length[0] > 0 &&
            is_number (&fields, 2, &number) && number == uid)
            return arena_copy (arena, fields.start[0], fields.length[0]);
    return NULL;
}

void subids_map (struct arena *arena, const char *text, const char *name, uid_t uid, uint32_t own,
                 struct oci_id_mappings *mappings)
{
    struct oci_id_mapping *items = arena_array (arena, RANGES_MAX + 1, sizeof (*items));
    size_t count = 0;
    uint64_t next = 1;

    items[count++] = (struct oci_id_mapping){.container_id = 0, .host_id = own, .size = 1};
    while (*text && count <= RANGES_MAX) {
        struct fields fields;
        uint64_t number;
        uint64_t first;
        uint64_t size;
        if (!read_line (&text, &fields) || !is_number (&fields, 1, &first) ||
            !is_number (&fields, 2, &size) || size == 0 || first + size > UINT32_MAX ||
            next + size > UINT32_MAX)
            continue;
        if (!is_word (&fields, 0, name) && !(is_number (&fields, 0, &number) && number == uid))
            continue;
        items[count++] = (struct oci_id_mapping){
            .container_id = (uint32_t)next, .host_id = (uint32_t)first, .size = (uint32_t)size};
        next += size;
    }
    *mappings = (struct oci_id_mappings){.count = count, .items = items, .present = true};
}

/* "" where it cannot be read: then it says nothing of this user. */
static const char *read_file (struct arena *arena, const char *path)
{
    AUTO_FD int fd = open (path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    struct error ignored;
    size_t length;
    AUTO_FREE char *text = fd < 0 ? NULL : fd_read_all (fd, FILE_LIMIT, &length, path, &ignored);

    return text ? arena_copy (arena, text, length) : "";
}

static bool is_in_path (const char *path, const char *tool)
{
    char candidate[PATH_MAX];

    while (path && *path) {
        size_t length = strcspn (path, ":");
        int size = snprintf (candidate, sizeof (candidate), "%.*s/%s", (int)length, path, tool);
        if (length > 0 && size < PATH_MAX && access (candidate, X_OK) == 0)
            return true;
        path += length + (path[length] == ':');
    }
    return false;
}

void subids_prepare (struct arena *arena, const char *path, struct oci_id_mappings *uids,
                     struct oci_id_mappings *gids)
{
    uid_t uid = geteuid ();
    bool tools = is_in_path (path, "newuidmap") && is_in_path (path, "newgidmap");
    const char *name = tools ? subids_name (arena, read_file (arena, "/etc/passwd"), uid) : NULL;

    subids_map (arena, tools ? read_file (arena, "/etc/subuid") : "", name, uid, uid, uids);
    subids_map (arena, tools ? read_file (arena, "/etc/subgid") : "", name, uid, getegid (), gids);
}
