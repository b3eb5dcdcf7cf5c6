/* SPDX-License-Identifier: Apache-2.0 */
/* launch_make: packs what the launch needs; see launch.h. */
#include "base/cleanup.h"
#include "kernel/launch_packed.h"
#include "kernel/procfd.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

/* What is behind the structure: taken from front to back. */
struct room {
    unsigned char *next;
};

static void *take (struct room *room, const void *bytes, size_t length)
{
    void *place = room->next;

    memcpy (place, bytes, length);
    room->next += (length + 15) & ~(size_t)15;
    return place;
}

static size_t padded (size_t length)
{
    return (length + 15) & ~(size_t)15;
}

static bool is_listen_pid (const char *entry)
{
    return strncmp (entry, "LISTEN_PID=", strlen ("LISTEN_PID=")) == 0;
}

static size_t size_of_list (char *const *list, bool tells_pid, size_t *count)
{
    size_t size = 0;

    for (*count = 0; list[*count]; (*count)++)
        size += padded (strlen (list[*count]) + 1 + (tells_pid ? PID_DIGITS : 0));
    return size + padded ((*count + 1) * sizeof (char *));
}

static char **take_list (struct room *room, char *const *list, size_t count)
{
    char **copy = (char **)(void *)room->next;

    room->next += padded ((count + 1) * sizeof (char *));
    for (size_t i = 0; i < count; i++)
        copy[i] = take (room, list[i], strlen (list[i]) + 1);
    copy[count] = NULL;
    return copy;
}

/* The environment, where the entry LISTEN_PID= has room for its digits. */
static char **take_environment (struct room *room, const struct launch_request *request,
                                size_t count, char **digits)
{
    char **copy = (char **)(void *)room->next;

    *digits = NULL;
    room->next += padded ((count + 1) * sizeof (char *));
    for (size_t i = 0; i < count; i++) {
        const char *entry = request->envp[i];
        copy[i] = take (room, entry, strlen (entry) + 1);
        if (!request->tells_pid || !is_listen_pid (entry))
            continue;
        *digits = copy[i] + strlen ("LISTEN_PID=");
        room->next += padded (PID_DIGITS);
    }
    copy[count] = NULL;
    return copy;
}

#if CAN_LEAVE
static int note (struct launch *launch, uintptr_t start, uintptr_t stop)
{
    if (start >= stop)
        return 0;
    if (launch->range_count == RANGES_MAX) {
        errno = E2BIG;
        return -1;
    }
    launch->ranges[launch->range_count++] = (struct range){start, stop - start};
    return 0;
}

static uintptr_t take_hex (const char **text)
{
    static const char digits[] = "0123456789abcdef";
    uintptr_t value = 0;

    for (const char *at; **text && (at = strchr (digits, **text)); (*text)++)
        value = value << 4 | (uintptr_t)(at - digits);
    return value;
}

/* "7ffc1000-7ffc3000 rw-p 00000000 00:00 0   [stack]": all that can be written, which is all that
 * this process has ever written to. The packed mapping stays, which may be told of together with
 * its neighbours. */
static int note_ranges (struct launch *launch, size_t size, const char *text)
{
    uintptr_t own = (uintptr_t)launch;

    while (*text) {
        const char *after = text;
        uintptr_t start = take_hex (&after);
        uintptr_t stop = *after == '-' ? (after++, take_hex (&after)) : 0;
        const char *next = strchr (after, '\n');
        if (stop <= start || after[0] != ' ' || !after[1] || !next) {
            errno = EPROTO;
            return -1;
        }
        if (after[2] == 'w' && (note (launch, start, stop < own ? stop : own) < 0 ||
                                note (launch, start > own + size ? start : own + size, stop) < 0))
            return -1;
        text = next + 1;
    }
    return 0;
}

/* The text is read into what will be the stack: memory that is not there before is not told of. */
static int read_ranges (struct launch *launch, size_t size)
{
    char *text = (char *)launch->stack;
    size_t length = 0;
    ssize_t more = 1;

    AUTO_FD int maps = procfd_open ("self/maps", O_RDONLY);
    if (maps < 0)
        return -1;
    while (more > 0 && length < STACK_SIZE - 1) {
        more = read (maps, text + length, STACK_SIZE - 1 - length);
        if (more < 0 && errno != EINTR)
            return -1;
        length += more > 0 ? (size_t)more : 0;
        more = more < 0 ? 1 : more;
    }
    if (more > 0) {
        errno = E2BIG;
        return -1;
    }
    text[length] = '\0';
    return note_ranges (launch, size, text);
}

#endif

static void pack_capabilities (struct capability_sets *sets, const struct launch_request *request)
{
    sets->header.version = _LINUX_CAPABILITY_VERSION_3;
    for (unsigned int i = 0; i < 2; i++)
        sets->data[i] = (struct __user_cap_data_struct){
            .effective = (uint32_t)(request->effective >> 32 * i),
            .permitted = (uint32_t)(request->permitted >> 32 * i),
            .inheritable = (uint32_t)(request->inheritable >> 32 * i),
        };
}

static void pack (struct launch *launch, const struct launch_request *request, size_t argc,
                  size_t envc)
{
    struct room room = {.next = (unsigned char *)launch + padded (sizeof (*launch))};

    launch->words = request->words;
    launch->argv = take_list (&room, request->argv, argc);
    launch->envp = take_environment (&room, request, envc, &launch->pid_digits);
    launch->gate_word = take (&room, request->gate_word, strlen (request->gate_word) + 1);
    launch->gate_word_old =
        take (&room, request->gate_word_old, strlen (request->gate_word_old) + 1);
    if (request->filter) {
        launch->filter =
            take (&room, request->filter, request->filter_count * sizeof (struct sock_filter));
        launch->program = (struct sock_fprog){request->filter_count, launch->filter};
        launch->filter_flags = request->filter_flags;
        memcpy (launch->door, request->door, sizeof (launch->door));
    }
    pack_capabilities (&launch->capabilities, request);
    launch->sets_capabilities = request->sets_capabilities;
    launch->birth = request->birth;
    launch->opens_procfs = request->opens_procfs;
    launch->session = request->session;
    launch->terminal = request->terminal;
    launch->line = request->line;
    launch->gated = request->gated;
    launch->gate = request->gate;
    launch->notify = request->notify;
}

struct launch *launch_make (const struct launch_request *request)
{
    size_t argc, envc;
    size_t size = padded (sizeof (struct launch)) + size_of_list (request->argv, false, &argc) +
                  size_of_list (request->envp, request->tells_pid, &envc) +
                  padded (strlen (request->gate_word) + 1) +
                  padded (strlen (request->gate_word_old) + 1) +
                  padded (request->filter_count * sizeof (struct sock_filter));
    const size_t page = (size_t)sysconf (_SC_PAGESIZE);

    size = (size + page - 1) / page * page;
    struct launch *launch =
        mmap (NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (launch == MAP_FAILED)
        return NULL;
    pack (launch, request, argc, envc);
#if CAN_LEAVE
    if (request->leaves && read_ranges (launch, size) < 0) {
        int saved = errno;
        (void)munmap (launch, size);
        errno = saved;
        return NULL;
    }
#endif
    return launch;
}
