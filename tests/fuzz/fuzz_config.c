/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as config.json, as exec's process.json and as the resources of update.
 *
 *   fuzz_config -max_len=20000 tests/fuzz/corpus/config
 *
 * Beside what the sanitizers see it holds the parsers to their contract: an error if and only if
 * nothing is returned, each finding with a text on one line, its place findable again.
 */
#include "base/arena.h"
#include "base/text.h"
#include "oci-spec/config.h"
#include "oci-spec/sysctl.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput (const uint8_t *bytes, size_t size);

static void must (bool holds)
{
    if (!holds)
        abort ();
}

struct told {
    const char *text;
    size_t length;
    size_t count;
};

static void look_at (void *context, const struct error *finding)
{
    struct told *told = context;
    struct error again = *finding;
    char line[4096];

    error_format (finding, line, sizeof (line));
    must (error_is_set (finding) && finding->code[0] != '\0' && !strchr (line, '\n'));
    must (text_equal (finding->file, "x.json"));
    if (told->count++ < 3)
        oci_locate_error (told->text, told->length, &again);
}

/* Reads what a user of the structs reads. */
static void use_config (const struct oci_config *config)
{
    char path[SYSCTL_PATH_SIZE];
    size_t letters = 0;

    must (config->root && config->root->path && config->process && config->oci_version);
    must (config->process->args.count > 0 && config->process->cwd[0] == '/');
    must (!config->process->args.items[config->process->args.count]);
    for (size_t i = 0; i < config->process->env.count; i++)
        must (strchr (config->process->env.items[i], '=') != NULL);
    for (size_t i = 0; i < config->mounts.count; i++) {
        const struct oci_mount *mount = &config->mounts.items[i];
        must (mount->destination[0] != '\0' && (mount->type || mount->bind || mount->remount));
        must ((mount->attr_set & mount->attr_clear & ~UINT64_C (0x70)) == 0);
        letters += mount->data ? strlen (mount->data) : 0;
    }
    for (size_t i = 0; i < config->linux.sysctl.count; i++) {
        must (oci_sysctl_path (config->linux.sysctl.items[i].key, path));
        must (!strstr (path, "../") && path[0] != '/');
    }
    must (letters <= config->text_length * 6);
}

int LLVMFuzzerTestOneInput (const uint8_t *bytes, size_t size)
{
    AUTO_ARENA struct arena arena = ARENA_INIT;
    struct error err = {0};
    char *text = malloc (size + 1);

    must (text != NULL);
    memcpy (text, bytes, size);
    text[size] = '\0';
    struct told told = {.text = text, .length = size};

    const struct oci_config *config =
        oci_config_parse (&arena, "x.json", text, size, look_at, &told, &err);
    must ((config == NULL) == error_is_set (&err) && (config == NULL) == (told.count > 0));
    if (config)
        use_config (config);

    err.text[0] = '\0';
    const struct oci_process *process =
        oci_process_parse (&arena, "x.json", text, size, look_at, &told, &err);
    must ((process == NULL) == error_is_set (&err));

    err.text[0] = '\0';
    const struct oci_resources *resources =
        oci_resources_parse (&arena, "x.json", text, size, look_at, &told, &err);
    must ((resources == NULL) == error_is_set (&err));
    free (text);
    return 0;
}
