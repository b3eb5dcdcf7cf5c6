/* SPDX-License-Identifier: Apache-2.0 */
/*
 * globals: the options before the verb, and where the state of containers is kept.
 */
#ifndef RT_COMMANDS_GLOBALS_H
#define RT_COMMANDS_GLOBALS_H

#include "base/options.h"
#include "lifecycle/lifecycle.h"

struct global_options {
    const char *root;
    const char *log;
    const char *trace;
    int log_format;
    int log_level;
    bool debug;
    int rootless;
    int cgroup_manager;
    const char *timeout;
    const char *criu;
    bool version;
};

extern const struct options_table global_table;

/* --timeout, for all that follows. */
int globals_set_patience (const struct global_options *options, struct error *err);

int globals_open_log (const struct global_options *options, struct error *err);

/* What the verbs want to know of them. */
int globals_resolve (const struct global_options *options, struct arena *arena,
                     struct lifecycle_globals *globals, struct error *err);

/* For verbs that make a container: the default root below XDG_RUNTIME_DIR gets the sticky bit,
 * which keeps the periodic cleaners of that directory away. */
int globals_make_default_root (const char *state_root, struct error *err);

#endif
