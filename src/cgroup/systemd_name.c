/* SPDX-License-Identifier: Apache-2.0 */
/* systemd_name: see systemd_name.h. */
#include "cgroup/systemd_name.h"

#include "base/text.h"

#include <string.h>

#define UNIT_NAME_MAX 255
#define SLICE ".slice"

static bool ends_with (const char *name, const char *suffix)
{
    size_t length = strlen (name), wanted = strlen (suffix);

    return length >= wanted && text_equal (name + length - wanted, suffix);
}

static int refuse (struct error *err, const char *what, const char *name, const char *why)
{
    error_set (err, "RT-SYSTEMD-NAME", 0, "%s '%s' %s", what, name, why);
    return error_at (err, "/linux/cgroupsPath");
}

/* systemd.unit(5): ASCII letters, digits, and these. */
static bool is_unit_letter (char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr (":-_.\\@", c));
}

static int check_unit (const char *unit, struct error *err)
{
    if (strlen (unit) > UNIT_NAME_MAX)
        return refuse (err, "unit name", unit, "is longer than 255 letters");
    for (const char *c = unit; *c; c++)
        if (!is_unit_letter (*c))
            return refuse (err, "unit name", unit,
                           "has a letter that systemd does not take (systemd.unit(5))");
    return 0;
}

int systemd_slice_path (struct arena *arena, const char *slice, const char **path,
                        struct error *err)
{
    if (strchr (slice, '/'))
        return refuse (err, "slice", slice, "is a path; a slice is a name, like machine.slice");
    if (!ends_with (slice, SLICE) || strlen (slice) == strlen (SLICE))
        return refuse (err, "slice", slice, "is not a name that ends in .slice");
    if (check_unit (slice, err) < 0)
        return -1;
    if (text_equal (slice, "-.slice")) {
        *path = "";
        return 0;
    }
    size_t length = strlen (slice) - strlen (SLICE);
    if (slice[0] == '-' || slice[length - 1] == '-')
        return refuse (err, "slice", slice, "begins or ends with '-'");
    const char *made = "";
    for (size_t i = 1; i <= length; i++) {
        if (i < length && slice[i] != '-')
            continue;
        if (i < length && slice[i + 1] == '-')
            return refuse (err, "slice", slice, "has a level without a name: '--'");
        made = arena_printf (arena, "%s/%.*s" SLICE, made, (int)i, slice);
    }
    *path = made;
    return 0;
}

/* The one letter of an id that no unit may have, as systemd-escape(1) writes it. */
static const char *escape_id (struct arena *arena, const char *id)
{
    AUTO_TEXT struct text text = {0};

    for (; *id; id++) {
        if (*id == '+')
            text_puts (&text, "\\x2b");
        else
            text_putc (&text, *id);
    }
    return arena_string (arena, text_string (&text));
}

static int split (struct arena *arena, const char *asked, const char *parts[3], struct error *err)
{
    char *copy = arena_string (arena, asked);
    size_t count = 0;

    for (char *at = copy; at; count++) {
        char *colon = strchr (at, ':');
        if (count < 3)
            parts[count] = at;
        if (colon)
            *colon++ = '\0';
        at = colon;
    }
    if (count == 3)
        return 0;
    refuse (err, "cgroupsPath", asked,
            "is not of the form slice:prefix:name, which the systemd cgroup driver needs");
    return error_hint (err, "such as \"system.slice:rt:name\"; or use the cgroupfs driver");
}

int systemd_name_make (struct arena *arena, const char *cgroups_path, const char *id,
                       bool user_manager, struct systemd_name *name, struct error *err)
{
    const char *parts[3] = {"", "rt", id};
    const char *ignored;

    if (cgroups_path && split (arena, cgroups_path, parts, err) < 0)
        return -1;
    if (!cgroups_path)
        parts[2] = escape_id (arena, id);
    if (parts[2][0] == '\0')
        return refuse (err, "cgroupsPath", cgroups_path, "has no name behind the second colon");

    struct systemd_name made = {.slice = parts[0]};
    if (parts[0][0] == '\0')
        made.slice = user_manager ? "user.slice" : "system.slice";
    if (systemd_slice_path (arena, made.slice, &ignored, err) < 0)
        return -1;
    if (cgroups_path && ends_with (parts[2], SLICE)) {
        made = (struct systemd_name){.unit = parts[2], .is_slice = true};
        if (text_equal (made.unit, "-.slice"))
            return refuse (err, "slice", made.unit, "is the whole machine");
        if (systemd_slice_path (arena, made.unit, &ignored, err) < 0)
            return -1;
    } else {
        made.unit =
            arena_printf (arena, "%s%s%s.scope", parts[1], parts[1][0] ? "-" : "", parts[2]);
    }
    if (check_unit (made.unit, err) < 0)
        return -1;
    *name = made;
    return 0;
}
