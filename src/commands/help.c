/* SPDX-License-Identifier: Apache-2.0 */
/*
 * help: see help.h.
 */
#include "help.h"

#define LINE_WIDTH 80
#define TEXT_COLUMN 26

static void put_spaces (struct text *out, size_t count)
{
    while (count-- > 0)
        text_putc (out, ' ');
}

/* Words, broken between TEXT_COLUMN and LINE_WIDTH; the first line begins at `column` already. */
static void put_wrapped (struct text *out, size_t column, const char *words)
{
    if (column + 2 > TEXT_COLUMN) {
        text_putc (out, '\n');
        column = 0;
    }
    put_spaces (out, TEXT_COLUMN - column);
    column = TEXT_COLUMN;
    while (*words != '\0') {
        size_t length = strcspn (words, " ");
        if (column > TEXT_COLUMN && column + 1 + length > LINE_WIDTH) {
            text_putc (out, '\n');
            put_spaces (out, TEXT_COLUMN);
            column = TEXT_COLUMN;
        } else if (column > TEXT_COLUMN) {
            text_putc (out, ' ');
            column++;
        }
        text_add (out, words, length);
        column += length;
        words += length;
        words += strspn (words, " ");
    }
    text_putc (out, '\n');
}

static void put_option (struct text *out, const struct option *option)
{
    if (!option->help)
        return;
    AUTO_TEXT struct text head = {0};
    if (option->letters)
        text_printf (&head, "  -%c, --%s", option->letters[0], option->name);
    else
        text_printf (&head, "      --%s", option->name);
    if (option->implied)
        text_printf (&head, "[=%s]", option->argument);
    else if (option->argument)
        text_printf (&head, " %s", option->argument);
    text_puts (out, text_string (&head));
    put_wrapped (out, head.length, option->help);
}

static void put_options (struct text *out, const struct option *options, size_t count)
{
    for (size_t i = 0; i < count; i++)
        put_option (out, &options[i]);
    static const struct option help = {.name = "help", .letters = "h", .help = "print this help"};
    put_option (out, &help);
}

void help_usage (struct text *out, const struct command *command)
{
    text_printf (out, "rt %s%s%s%s", command->name, command->option_count > 0 ? " [OPTIONS]" : "",
                 command->arguments[0] != '\0' ? " " : "", command->arguments);
}

void help_overview (struct text *out, const struct options_table *globals,
                    const struct command *const *command)
{
    text_puts (out, "Usage: rt [GLOBAL OPTIONS] COMMAND [OPTIONS] [ARGUMENTS]\n\n"
                    "Runs containers as the Open Container Initiative specifies them.\n\n"
                    "Commands:\n");
    for (; *command; command++) {
        if (!(*command)->summary)
            continue;
        text_printf (out, "  %s", (*command)->name);
        put_wrapped (out, 2 + strlen ((*command)->name), (*command)->summary);
    }
    text_puts (out, "\nGlobal options:\n");
    put_options (out, globals->items, globals->count);
    text_puts (out, "\n`rt COMMAND --help` tells more about a command.\n");
}

void help_command (struct text *out, const struct command *command)
{
    text_puts (out, "Usage: ");
    help_usage (out, command);
    if (command->summary)
        text_printf (out, "\n\n%s.\n", command->summary);
    if (command->details)
        text_printf (out, "\n%s\n", command->details);
    text_puts (out, "\nOptions:\n");
    put_options (out, command->options, command->option_count);
}
