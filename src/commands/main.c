/* SPDX-License-Identifier: Apache-2.0 */
/*
 * main: the command line becomes one call of a verb. Errors are told here, once, and nowhere else
 * does the process end.
 */
#include "base/fdio.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "base/trace.h"
#include "build.h"
#include "command.h"
#include "globals.h"
#include "help.h"
#include "lifecycle/given.h"
#include "lifecycle/process_entry.h"

#include <errno.h>
#include <sys/utsname.h>
#include <unistd.h>

#define KERNEL_FLOOR_MAJOR 5
#define KERNEL_FLOOR_MINOR 10

/* In the order of the help. */
const struct command *const commands[] = {
    &command_run,
    &command_create,
    &command_start,
    &command_exec,
    &command_kill,
    &command_pause,
    &command_resume,
    &command_update,
    &command_checkpoint,
    &command_restore,
    &command_delete,
    &command_state,
    &command_ps,
    &command_events,
    &command_list,
    &command_spec,
    &command_features,
    &command_complete,
    NULL,
};

/* The command line, taken apart. `command` stays NULL for --version and the help of rt itself. */
struct call {
    char **argv; /* untouched: what rt is executed again with */
    struct global_options globals;
    const struct command *command;
    void *options;
    char **arguments;
    int count;
    bool help;
};

int command_print (const struct text *text, struct error *err)
{
    if (fd_write_all (STDOUT_FILENO, text_string (text), text->length) < 0)
        return error_set (err, "RT-OUTPUT", errno, "write to standard output");
    return 0;
}

const struct command *command_find (const char *name)
{
    for (const struct command *const *command = commands; *command; command++)
        if (text_equal ((*command)->name, name))
            return *command;
    return NULL;
}

static const struct command *find_command (const char *name, struct error *err)
{
    const char *names[LENGTH (commands)];
    size_t count = 0;
    const struct command *found = command_find (name);
    if (found)
        return found;
    for (const struct command *const *command = commands; *command; command++)
        if ((*command)->summary)
            names[count++] = (*command)->name;
    error_set (err, "RT-USAGE", 0, "unknown command `%s`", name);
    const char *nearest = options_nearest (name, names, count, sizeof names[0]);
    if (nearest)
        error_hint (err, "did you mean %s?", nearest);
    else
        error_hint (err, "see rt --help");
    return NULL;
}

static int check_count (const struct command *command, int count, struct error *err)
{
    if (count >= command->min && count <= command->max)
        return 0;
    char wanted[48];
    if (command->min == command->max)
        (void)snprintf (wanted, sizeof wanted, "exactly %d", command->min);
    else if (count < command->min)
        (void)snprintf (wanted, sizeof wanted, "at least %d", command->min);
    else
        (void)snprintf (wanted, sizeof wanted, "at most %d", command->max);
    AUTO_TEXT struct text usage = {0};
    help_usage (&usage, command);
    error_set (err, "RT-USAGE", 0, "rt %s: wrong number of arguments: %s wanted, %d given",
               command->name, wanted, count);
    return error_hint (err, "usage: %s", text_string (&usage));
}

/* Everything behind the verb. */
static int read_verb (struct call *call, struct arena *arena, struct error *err)
{
    const struct command *command = call->command;
    struct options_table table = {.owner = arena_printf (arena, "rt %s", command->name),
                                  .items = command->options,
                                  .count = command->option_count,
                                  .order = command->order,
                                  .outer = &global_table};
    call->options = arena_alloc (arena, command->options_size);
    int given = call->count - 1; /* without the verb itself */
    char **arguments = call->arguments + 1;
    int result = options_parse (&table, arena, call->options, given, arguments, &call->count, err);
    if (result < 0)
        return -1;
    call->arguments = arguments;
    call->help = result == OPTIONS_HELP;
    return call->help ? 0 : check_count (command, call->count, err);
}

static int read_call (struct call *call, struct arena *arena, int argc, char **argv,
                      struct error *err)
{
    size_t given = argc > 0 ? (size_t)argc - 1 : 0;
    call->argv = argv;
    call->arguments = arena_array (arena, given + 1, sizeof *call->arguments);
    if (given > 0)
        memcpy (call->arguments, argv + 1, given * sizeof *call->arguments);

    int result = options_parse (&global_table, arena, &call->globals, (int)given, call->arguments,
                                &call->count, err);
    call->help = result == OPTIONS_HELP;
    if (result != 0 || call->globals.version)
        return result < 0 ? -1 : 0;
    if (call->count == 0) {
        error_set (err, "RT-USAGE", 0, "please specify a command");
        return error_hint (err, "see rt --help");
    }
    if (text_equal (call->arguments[0], "help")) {
        call->help = true;
        call->command = call->count > 1 ? find_command (call->arguments[1], err) : NULL;
        return call->count > 1 && !call->command ? -1 : 0;
    }
    call->command = find_command (call->arguments[0], err);
    return call->command ? read_verb (call, arena, err) : -1;
}

static int tell (const struct call *call, struct error *err)
{
    AUTO_TEXT struct text out = {0};
    if (call->help && call->command)
        help_command (&out, call->command);
    else if (call->help)
        help_overview (&out, &global_table, commands);
    else
        build_version (&out);
    return command_print (&out, err);
}

/* Before rt opens anything of its own. */
static int guard (const struct call *call, struct error *err)
{
    unsigned int preserved = 0;
    if (!call->command->inherits)
        return process_guard_fds (0, err);
    if (call->command->inherits (call->options, &preserved, err) < 0 ||
        process_guard_fds (preserved, err) < 0)
        return -1;
    return process_protect (call->argv, err);
}

static int run (int argc, char **argv, int *exit_status, struct error *err)
{
    AUTO_ARENA struct arena arena = ARENA_INIT;
    struct call call = {0};
    int result = read_call (&call, &arena, argc, argv, err);
    if (result == 0 && (call.help || call.globals.version))
        return tell (&call, err);
    if (result == 0)
        result = globals_set_patience (&call.globals, err);
    if (result == 0)
        result = guard (&call, err);

    /* The log opens for errors too; where even that fails, the first error is the one to tell. */
    struct error log_error = {0};
    if (globals_open_log (&call.globals, &log_error) < 0 && result == 0) {
        *err = log_error;
        return -1;
    }
    if (result == 0 && call.globals.trace)
        result = trace_open (call.globals.trace, call.command->name, err);
    struct lifecycle_globals globals = {0};
    if (result < 0 || globals_resolve (&call.globals, &arena, &globals, err) < 0)
        return -1;

    struct invocation invocation = {.globals = &globals,
                                    .root_is_default = call.globals.root == NULL,
                                    .arena = &arena,
                                    .options = call.options,
                                    .count = call.count,
                                    .arguments = call.arguments};
    trace_phase ("read");
    result = call.command->run (&invocation, err);
    trace_close ();
    *exit_status = invocation.exit_status;
    return result;
}

/* Where the kernel refused something, its age is the likely reason (PKG-07). The version alone is
 * no reason to refuse: distributions bring newer calls to older kernels. */
static void explain_old_kernel (struct error *err)
{
    struct utsname host;
    char *end = host.release;
    unsigned int parts[2] = {0};

    if (err->errnum == 0 || err->hint[0] || uname (&host) < 0)
        return;
    for (size_t i = 0; i < 2; i++, end += *end == '.')
        for (; *end >= '0' && *end <= '9'; end++)
            parts[i] = parts[i] * 10 + (unsigned int)(*end - '0');
    if (parts[0] < KERNEL_FLOOR_MAJOR ||
        (parts[0] == KERNEL_FLOOR_MAJOR && parts[1] < KERNEL_FLOOR_MINOR))
        (void)error_hint (err, "rt needs Linux %d.%d or later; this is %s", KERNEL_FLOOR_MAJOR,
                          KERNEL_FLOOR_MINOR, host.release);
}

int main (int argc, char **argv)
{
    struct error err = {0};
    int exit_status = 0;
    if (process_fill_standard () < 0)
        return 1; /* there is nowhere to say why */
    int failed = run (argc, argv, &exit_status, &err);
    given_end ();
    if (failed) {
        explain_old_kernel (&err);
        log_error_value (&err);
        interrupt_raise ();
        return err.exit_code != 0 ? err.exit_code : 1;
    }
    return exit_status;
}
