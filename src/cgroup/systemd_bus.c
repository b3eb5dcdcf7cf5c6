/* SPDX-License-Identifier: Apache-2.0 */
/* systemd_bus: see systemd_bus.h. */
#include "cgroup/systemd_bus.h"

#include "base/cleanup.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "base/patience.h"
#include "base/text.h"
#include "cgroup/dbus.h"
#include "kernel/straggler.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>

#define DESTINATION "org.freedesktop.systemd1"
#define MANAGER_PATH "/org/freedesktop/systemd1"
#define MANAGER "org.freedesktop.systemd1.Manager"
#define PROPERTIES "org.freedesktop.DBus.Properties"
#define DBUS_ERRORS "org.freedesktop.DBus.Error."
#define NO_SUCH_UNIT "org.freedesktop.systemd1.NoSuchUnit"
#define UNIT_EXISTS "org.freedesktop.systemd1.UnitExists"

struct systemd_bus {
    struct dbus dbus;
    int timeout_ms;
};

void systemd_bus_release (struct systemd_bus **bus)
{
    if (!*bus)
        return;
    dbus_release (&(*bus)->dbus);
    free (*bus);
    *bus = NULL;
}

struct systemd_bus *systemd_bus_open (const char *address, int timeout_ms, struct error *err)
{
    AUTO_SYSTEMD_BUS struct systemd_bus *bus = calloc (1, sizeof *bus);

    if (!bus)
        memory_exhausted ();
    bus->timeout_ms = timeout_ms;
    bus->dbus = (struct dbus)DBUS_INIT;
    if (dbus_connect (&bus->dbus, address, timeout_ms) == 0)
        return take_pointer (&bus);
    if (errno == EINTR) {
        (void)interrupt_error (err);
        return NULL;
    }
    error_set (err, "RT-SYSTEMD-BUS", errno, "cannot connect to systemd's bus at %s", address);
    error_hint (err, "the systemd cgroup driver needs a host that runs systemd and D-Bus; else use "
                     "the cgroupfs driver");
    return NULL;
}

static struct dbus_value string (const char *text)
{
    return (struct dbus_value){.type = "s", .text = text};
}

static bool is_error (const struct dbus_message *answer, const char *name)
{
    return answer->kind == DBUS_ERROR && answer->error && text_equal (answer->error, name);
}

static bool is_bus_error (const struct dbus_message *answer, const char *name)
{
    return answer->kind == DBUS_ERROR && answer->error &&
           text_starts_with (answer->error, DBUS_ERRORS) &&
           text_equal (answer->error + strlen (DBUS_ERRORS), name);
}

/* What systemd says of an error, or its name. */
static const char *words_of (const struct dbus_message *answer)
{
    if (answer->count > 0 && answer->args[0].type[0] == 's')
        return answer->args[0].text;
    return answer->error ? answer->error : "an error without a name";
}

/* The bus is a process, too. Systemd itself is behind it. */
static int hint_silence (const struct systemd_bus *bus, struct error *err)
{
    struct ucred peer = {0};
    socklen_t size = sizeof peer;
    AUTO_TEXT struct text who = {0};

    if (getsockopt (bus->dbus.fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.pid > 0 &&
        straggler_describe (peer.pid, &who))
        return error_hint (err,
                           "the bus is process %s; systemd may be stuck: see `systemctl status` "
                           "and the journal",
                           text_string (&who));
    return error_hint (err, "systemd may be stuck: see `systemctl status` and the journal");
}

/* No answer at all. */
static int explain_silence (const struct systemd_bus *bus, int errnum, const char *what,
                            const char *unit, struct error *err)
{
    if (errnum == EINTR)
        return interrupt_error (err);
    if (errnum == ETIMEDOUT) {
        /* Of --timeout it is what was left. */
        error_set (err, "RT-SYSTEMD-TIMEOUT", 0, "%s %s: no answer from systemd in %g s", what,
                   unit, patience_asked_ms () > 0 ? patience_seconds () : bus->timeout_ms / 1000.0);
        return hint_silence (bus, err);
    }
    error_set (err, "RT-SYSTEMD-LOST", errnum, "%s %s: the connection to systemd's bus broke", what,
               unit);
    return error_hint (err, "the bus or systemd may just have restarted: try again");
}

static int explain_error (const struct systemd_bus *bus, const struct dbus_message *answer,
                          const char *what, const char *unit, struct error *err)
{
    if (is_bus_error (answer, "NoReply") || is_bus_error (answer, "Timeout"))
        return explain_silence (bus, ETIMEDOUT, what, unit, err);
    error_set (err, "RT-SYSTEMD-CALL", 0, "%s %s: %s", what, unit, words_of (answer));
    if (is_bus_error (answer, "ServiceUnknown") || is_bus_error (answer, "NameHasNoOwner"))
        return error_hint (err, "systemd is not on this bus: is it what runs this host?");
    if (is_bus_error (answer, "AccessDenied") ||
        is_bus_error (answer, "InteractiveAuthorizationRequired"))
        return error_hint (err, "without root, units are made by the user's own systemd: is "
                                "XDG_RUNTIME_DIR or DBUS_SESSION_BUS_ADDRESS set?");
    return -1;
}

/* Calls the manager; whatever it answers is in *answer. */
static int call (struct systemd_bus *bus, const char *member, struct dbus_value *args, size_t count,
                 struct dbus_message *answer)
{
    struct dbus_message message = {.kind = DBUS_CALL,
                                   .path = MANAGER_PATH,
                                   .interface = MANAGER,
                                   .member = member,
                                   .destination = DESTINATION,
                                   .args = args,
                                   .count = count};

    return dbus_call (&bus->dbus, &message, answer);
}

/* The same, where anything but a good answer is an error: "WHAT UNIT: ...". */
static int call_well (struct systemd_bus *bus, const char *member, struct dbus_value *args,
                      size_t count, const char *what, const char *unit, struct dbus_message *answer,
                      struct error *err)
{
    if (call (bus, member, args, count, answer) < 0)
        return explain_silence (bus, errno, what, unit, err);
    return answer->kind == DBUS_RETURN ? 0 : explain_error (bus, answer, what, unit, err);
}

/* a(sv) */
static struct dbus_value list_of (struct systemd_bus *bus, const struct unit_properties *properties)
{
    struct arena *arena = &bus->dbus.arena;
    struct dbus_value list = {.type = "a(sv)", .count = properties->count};

    list.items = arena_array (arena, properties->count + 1, sizeof *list.items);
    for (size_t i = 0; i < properties->count; i++) {
        struct dbus_value *pair = arena_array (arena, 3, sizeof *pair);
        pair[0] = string (properties->items[i].name);
        pair[1] = (struct dbus_value){.type = "v", .items = &pair[2], .count = 1};
        pair[2] = properties->items[i].value;
        list.items[i] = (struct dbus_value){.type = "(sv)", .items = pair, .count = 2};
    }
    return list;
}

/* Before a job begins. Nobody waits for the answers: the bus takes messages in their order. */
static int watch_jobs (struct systemd_bus *bus, struct error *err)
{
    struct dbus_value rule = string ("type='signal',sender='" DESTINATION "',path='" MANAGER_PATH
                                     "',interface='" MANAGER "',member='JobRemoved'");
    struct dbus_message match = {.kind = DBUS_CALL,
                                 .flags = DBUS_NO_REPLY,
                                 .path = "/org/freedesktop/DBus",
                                 .interface = "org.freedesktop.DBus",
                                 .member = "AddMatch",
                                 .destination = "org.freedesktop.DBus",
                                 .args = &rule,
                                 .count = 1};
    struct dbus_message subscribe = {.kind = DBUS_CALL,
                                     .flags = DBUS_NO_REPLY,
                                     .path = MANAGER_PATH,
                                     .interface = MANAGER,
                                     .member = "Subscribe",
                                     .destination = DESTINATION};

    if (dbus_send (&bus->dbus, &match) && dbus_send (&bus->dbus, &subscribe))
        return 0;
    return explain_silence (bus, errno, "watch", "systemd's jobs", err);
}

/* "JobRemoved" of this job, from whom the job is: its result. */
static const char *job_result (const struct dbus_message *signal,
                               const struct dbus_message *started)
{
    const struct dbus_value *args = signal->args;

    if (signal->kind != DBUS_SIGNAL || !signal->member ||
        !text_equal (signal->member, "JobRemoved") || signal->count < 4 || args[1].type[0] != 'o' ||
        args[3].type[0] != 's')
        return NULL;
    if (!signal->sender || !started->sender || !text_equal (signal->sender, started->sender))
        return NULL;
    return text_equal (args[1].text, started->args[0].text) ? args[3].text : NULL;
}

/* The answer names a job: waits for its end. */
static int await_job (struct systemd_bus *bus, const char *what, const char *unit,
                      const struct dbus_message *started, struct error *err)
{
    struct dbus_message message;
    const char *result = NULL;

    if (started->count < 1 || started->args[0].type[0] != 'o')
        return error_set (err, "RT-SYSTEMD-CALL", EPROTO, "%s %s: systemd named no job", what,
                          unit);
    while (!result) {
        if (dbus_receive (&bus->dbus, &message) < 0)
            return explain_silence (bus, errno, what, unit, err);
        result = job_result (&message, started);
    }
    if (text_equal (result, "done"))
        return 0;
    error_set (err, "RT-SYSTEMD-JOB", 0, "%s %s: systemd's job ended '%s'", what, unit, result);
    return error_hint (err, "`systemctl status %.80s` and the journal say why", unit);
}

/* Makes systemd forget that the unit failed; nobody minds where it had not. */
static void reset_failed (struct systemd_bus *bus, const char *unit)
{
    struct dbus_value name = string (unit);
    struct dbus_message ignored;

    (void)call (bus, "ResetFailedUnit", &name, 1, &ignored);
}

/* "Cannot set property X, or unknown property.": drops X if it is rt's own and can be missed, as
 * the limits are written to files, too. */
static bool drop_unknown (struct unit_properties *properties, const struct dbus_message *answer)
{
    static const char prefix[] = "Cannot set property ";
    const char *name = words_of (answer);

    if (!text_starts_with (name, prefix))
        return false;
    name += strlen (prefix);
    size_t length = strcspn (name, ", ");
    for (size_t i = 0; i < properties->count; i++) {
        struct unit_property *property = &properties->items[i];
        if (strlen (property->name) != length || memcmp (property->name, name, length) != 0)
            continue;
        if (property->by_user || text_equal (property->name, "PIDs") ||
            text_equal (property->name, "Delegate"))
            return false;
        log_debug ("this systemd does not know the property %s", property->name);
        memmove (property, property + 1, (properties->count - i - 1) * sizeof *property);
        properties->count--;
        return true;
    }
    return false;
}

int systemd_bus_start (struct systemd_bus *bus, const char *unit,
                       struct unit_properties *properties, struct error *err)
{
    static const char what[] = "start unit";
    struct dbus_message answer;
    bool forgot = false;

    if (watch_jobs (bus, err) < 0)
        return -1;
    for (;;) {
        struct dbus_value args[] = {
            string (unit), string ("fail"), list_of (bus, properties), {.type = "a(sa(sv))"}};
        if (call (bus, "StartTransientUnit", args, 4, &answer) < 0)
            return explain_silence (bus, errno, what, unit, err);
        if (answer.kind == DBUS_RETURN)
            break;
        if (is_error (&answer, UNIT_EXISTS) && !forgot) {
            reset_failed (bus, unit);
            forgot = true;
            continue;
        }
        if (drop_unknown (properties, &answer))
            continue;
        explain_error (bus, &answer, what, unit, err);
        return is_error (&answer, UNIT_EXISTS)
                   ? error_hint (err,
                                 "a unit of this name lives: another container's, or "
                                 "somebody's; `systemctl status %.80s`",
                                 unit)
                   : -1;
    }
    if (await_job (bus, what, unit, &answer, err) == 0)
        return 0;
    if (text_equal (err->code, "RT-SYSTEMD-JOB"))
        reset_failed (bus, unit);
    return -1;
}

int systemd_bus_set (struct systemd_bus *bus, const char *unit,
                     const struct unit_properties *properties, struct error *err)
{
    struct dbus_value args[] = {
        string (unit), {.type = "b", .number = 1}, list_of (bus, properties)};
    struct dbus_message answer;

    return properties->count == 0 ? 0
                                  : call_well (bus, "SetUnitProperties", args, 3,
                                               "set the limits of unit", unit, &answer, err);
}

/* A property of type s of an object; lives as long as the connection. */
static const char *get_string (struct systemd_bus *bus, const char *path, const char *interface,
                               const char *name, struct error *err)
{
    struct dbus_value args[] = {string (interface), string (name)};
    struct dbus_message answer;
    struct dbus_message get = {.kind = DBUS_CALL,
                               .path = path,
                               .interface = PROPERTIES,
                               .member = "Get",
                               .destination = DESTINATION,
                               .args = args,
                               .count = 2};

    if (dbus_call (&bus->dbus, &get, &answer) < 0) {
        explain_silence (bus, errno, "ask systemd for", name, err);
        return NULL;
    }
    if (answer.kind != DBUS_RETURN) {
        explain_error (bus, &answer, "ask systemd for", name, err);
        return NULL;
    }
    if (answer.count == 1 && answer.args[0].type[0] == 'v' &&
        answer.args[0].items[0].type[0] == 's')
        return answer.args[0].items[0].text;
    error_set (err, "RT-SYSTEMD-CALL", EPROTO, "ask systemd for %s: it is no string", name);
    return NULL;
}

int systemd_bus_version (struct systemd_bus *bus, int *version, struct error *err)
{
    const char *text = get_string (bus, MANAGER_PATH, MANAGER, "Version", err);

    if (!text)
        return -1;
    *version = systemd_version_parse (text);
    return 0;
}

/* The object of a unit, with its name in letters that a path may have: "a.scope" is "a_2escope". */
static const char *object_of (struct arena *arena, const char *unit)
{
    AUTO_TEXT struct text path = {0};

    text_puts (&path, MANAGER_PATH "/unit/");
    for (const char *c = unit; *c; c++) {
        bool digit = *c >= '0' && *c <= '9';
        if ((digit && c > unit) || (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z'))
            text_putc (&path, *c);
        else
            text_printf (&path, "_%02x", (unsigned char)*c);
    }
    return arena_string (arena, text_string (&path));
}

const char *systemd_bus_control_group (struct systemd_bus *bus, const char *unit,
                                       struct arena *arena, struct error *err)
{
    const char *dot = strrchr (unit, '.');
    bool is_slice = dot && text_equal (dot, ".slice");
    const char *group =
        get_string (bus, object_of (arena, unit),
                    is_slice ? DESTINATION ".Slice" : DESTINATION ".Scope", "ControlGroup", err);

    if (!group)
        return NULL;
    if (group[0] == '/' && group[1])
        return arena_string (arena, group);
    error_set (err, "RT-SYSTEMD-CGROUP", 0, "unit %s has no cgroup of its own (\"%s\")", unit,
               group);
    return NULL;
}

const char *systemd_bus_description (struct systemd_bus *bus, const char *unit, struct error *err)
{
    return get_string (bus, object_of (&bus->dbus.arena, unit), DESTINATION ".Unit", "Description",
                       err);
}

int systemd_bus_attach (struct systemd_bus *bus, const char *unit, const char *below, pid_t pid,
                        struct error *err)
{
    struct dbus_value number = {.type = "u", .number = (uint64_t)pid};
    struct dbus_value args[] = {
        string (unit), string (below), {.type = "au", .items = &number, .count = 1}};
    struct dbus_message answer;

    return call_well (bus, "AttachProcessesToUnit", args, 3, "move a process into unit", unit,
                      &answer, err);
}

int systemd_bus_stop (struct systemd_bus *bus, const char *unit, struct error *err)
{
    struct dbus_value stop[] = {string (unit), string ("replace")};
    struct dbus_value kill[] = {string (unit), string ("all"), {.type = "i", .integer = SIGKILL}};
    struct dbus_message answer;

    if (watch_jobs (bus, err) < 0)
        return -1;
    /* Whatever the answer is, that to the next call tells the same better. */
    (void)call (bus, "KillUnit", kill, 3, &answer);
    if (call (bus, "StopUnit", stop, 2, &answer) < 0)
        return explain_silence (bus, errno, "stop unit", unit, err);
    if (is_error (&answer, NO_SUCH_UNIT))
        return 0;
    if (answer.kind != DBUS_RETURN)
        return explain_error (bus, &answer, "stop unit", unit, err);
    int failed = await_job (bus, "stop unit", unit, &answer, err);
    reset_failed (bus, unit);
    return failed;
}
