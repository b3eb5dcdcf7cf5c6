/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command line by its tables.
 */
#include "base/options.h"
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct sample {
    const char *bundle;
    bool all;
    bool quiet;
    int tty;
    uint64_t number;
    int format;
    int rootless;
    struct option_list env;
};

static const struct option rows[] = {
    OPTION_STRING ("bundle", "b", struct sample, bundle, "DIR", "the bundle"),
    OPTION_FLAG ("all", "aA", struct sample, all, "all"),
    OPTION_FLAG ("quiet", "q", struct sample, quiet, "quiet"),
    OPTION_SWITCH ("tty", "t", struct sample, tty, "tty"),
    OPTION_NUMBER ("number", "n", struct sample, number, 100, "N", "a number"),
    OPTION_WORD ("format", NULL, struct sample, format, "table|json", NULL, "format"),
    OPTION_WORD ("rootless", NULL, struct sample, rootless, "false|true|auto", "true", "rootless"),
    OPTION_LIST ("env", "e", struct sample, env, "NAME=VALUE", "environment"),
};

static struct arena arena;
static struct sample sample;
static struct error err;
static char *arguments[16];
static int positional;

/* Words are separated by blanks: no test needs one inside. */
static int parse_with (enum options_order order, const char *line)
{
    const struct options_table table = {
        .owner = "rt test", .items = rows, .count = sizeof rows / sizeof rows[0], .order = order};
    memset (&sample, 0, sizeof sample);
    memset (&err, 0, sizeof err);
    positional = -1;
    int count = 0;
    char *rest = arena_string (&arena, line);
    for (char *word; (word = strsep (&rest, " "));) {
        if (*word != '\0')
            arguments[count++] = word;
    }
    return options_parse (&table, &arena, &sample, count, arguments, &positional, &err);
}

static int parse (const char *line)
{
    return parse_with (OPTIONS_ANYWHERE, line);
}

/* rows: CLI-29 */
static void values_attached_or_apart (void **state)
{
    (void)state;
    static const char *const lines[] = {"--bundle /x id", "--bundle=/x id", "-b /x id",
                                        "-b/x id",        "-b=/x id",       "-bundle /x id",
                                        "-bundle=/x id"};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        assert_int_equal (parse (lines[i]), 0);
        assert_string_equal (sample.bundle, "/x");
        assert_int_equal (positional, 1);
        assert_string_equal (arguments[0], "id");
    }
    assert_int_equal (parse ("--bundle= id"), 0);
    assert_string_equal (sample.bundle, "");
    assert_int_equal (parse ("--bundle --all"), 0); /* whatever follows is the value */
    assert_string_equal (sample.bundle, "--all");
    assert_false (sample.all);
}

/* rows: CLI-30 */
static void flags_take_true_and_false (void **state)
{
    (void)state;
    assert_int_equal (parse ("--all"), 0);
    assert_true (sample.all);
    assert_int_equal (parse ("--all=true"), 0);
    assert_true (sample.all);
    assert_int_equal (parse ("--all --all=false"), 0);
    assert_false (sample.all);
    assert_int_equal (parse ("--all false"), 0); /* not a value: an argument */
    assert_true (sample.all);
    assert_int_equal (positional, 1);
    assert_int_equal (parse ("--all=maybe"), -1);
    assert_int_equal (parse ("-aq"), 0);
    assert_true (sample.all && sample.quiet);
    assert_int_equal (parse ("-A"), 0);
    assert_true (sample.all);
    assert_int_equal (parse ("-qb /x"), 0);
    assert_true (sample.quiet);
    assert_string_equal (sample.bundle, "/x");
    assert_int_equal (parse ("-qx"), -1);
}

/* rows: CLI-32 CLI-34 */
static void order (void **state)
{
    (void)state;
    assert_int_equal (parse ("id --all KILL"), 0);
    assert_true (sample.all);
    assert_int_equal (positional, 2);
    assert_string_equal (arguments[1], "KILL");

    assert_int_equal (parse_with (OPTIONS_FIRST, "--quiet id --all -- KILL"), 0);
    assert_true (sample.quiet);
    assert_false (sample.all);
    assert_int_equal (positional, 4);
    assert_string_equal (arguments[1], "--all");
    assert_string_equal (arguments[2], "--");

    assert_int_equal (parse ("-- --all -"), 0);
    assert_false (sample.all);
    assert_int_equal (positional, 2);
    assert_string_equal (arguments[0], "--all");
    assert_int_equal (parse ("- x"), 0);
    assert_int_equal (positional, 2);
}

/* rows: CLI-36 */
static void numbers (void **state)
{
    (void)state;
    assert_int_equal (parse ("--number 100"), 0);
    assert_int_equal (sample.number, 100);
    static const char *const wrong[] = {"--number 101", "--number=-1", "--number 1x",
                                        "--number=",    "-n0x1",       "--number"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal (parse (wrong[i]), -1);
        assert_int_equal (sample.number, 0);
        assert_non_null (strstr (err.text, "--number"));
    }
}

/* rows: CLI-10 CLI-19 */
static void words (void **state)
{
    (void)state;
    assert_int_equal (parse ("--format json"), 0);
    assert_int_equal (sample.format, 2);
    assert_int_equal (sample.rootless, 0);
    static const char *const wrong[] = {"--format js", "--format=jsonx",
                                        "--format=", "--format table|json", "--rootless=perhaps"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_int_equal (parse (wrong[i]), -1);

    assert_int_equal (parse ("--rootless id"), 0);
    assert_int_equal (sample.rootless, 2);
    assert_int_equal (positional, 1);
    assert_int_equal (parse ("--rootless auto id"), 0);
    assert_int_equal (sample.rootless, 3);
    assert_int_equal (positional, 1);
    assert_int_equal (parse ("--rootless"), 0);
    assert_int_equal (sample.rootless, 2);
}

/* rows: CLI-35 */
static void lists_keep_commas (void **state)
{
    (void)state;
    assert_int_equal (parse ("--env A=1,2 -e B= --env=C=3"), 0);
    assert_int_equal (sample.env.count, 3);
    assert_string_equal (sample.env.items[0], "A=1,2");
    assert_string_equal (sample.env.items[1], "B=");
    assert_string_equal (sample.env.items[2], "C=3");
}

/* rows: CLI-28 */
static void unknown_options (void **state)
{
    (void)state;
    assert_int_equal (parse ("--bundel=/x"), -1);
    assert_string_equal (err.text, "rt test: unknown option `--bundel=/x`");
    assert_string_equal (err.hint, "did you mean --bundle?");
    assert_int_equal (parse ("--entirely-else"), -1);
    assert_string_equal (err.hint, "see rt test --help");
    assert_int_equal (parse ("--bund /x"), -1); /* no abbreviations: they break with new options */
    assert_int_equal (parse ("-z"), -1);
    assert_int_equal (parse ("-bundel"), 0); /* letter b with its value */
    assert_int_equal (parse ("--"), 0);
    assert_int_equal (parse ("--=x"), -1);
}

/* rows: CLI-24 CLI-25 */
static void help (void **state)
{
    (void)state;
    static const char *const ways[] = {"--help", "-h", "-?", "--usage", "--all x --help"};
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++)
        assert_int_equal (parse (ways[i]), OPTIONS_HELP);
    assert_int_equal (parse ("-- --help"), 0);
    assert_int_equal (parse_with (OPTIONS_FIRST, "id --help"), 0);
    assert_int_equal (parse ("--bundle --help"), 0);
}

/* rows: EXE-09 */
static void switches_know_no_from_nothing (void **state)
{
    (void)state;
    assert_int_equal (parse ("x"), 0);
    assert_int_equal (sample.tty, 0);
    assert_int_equal (parse ("--tty=false"), 0);
    assert_int_equal (sample.tty, 1);
    assert_int_equal (parse ("-tq x"), 0);
    assert_int_equal (sample.tty, 2);
    assert_true (sample.quiet);
    assert_int_equal (positional, 1);
    assert_int_equal (parse ("--tty=x"), -1);
}

static int release (void **state)
{
    (void)state;
    arena_release (&arena);
    return 0;
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (values_attached_or_apart),
        cmocka_unit_test (flags_take_true_and_false),
        cmocka_unit_test (order),
        cmocka_unit_test (numbers),
        cmocka_unit_test (words),
        cmocka_unit_test (lists_keep_commas),
        cmocka_unit_test (unknown_options),
        cmocka_unit_test (help),
        cmocka_unit_test (switches_know_no_from_nothing),
    };
    return cmocka_run_group_tests (tests, NULL, release);
}
