/*
 * command.h - what a command is, and what it is given when it runs.
 *
 * Every cmd_x.c exports one `const struct command command_x`: purpose, table
 * of options, description, run function. The table in command.c lists them;
 * dispatch, help, completion and manual pages come from there.
 */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include "base/error.h"
#include "base/log.h"
#include "base/options.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/*
 * What the program exits with. Upstream's commands know 0 and 1 alone, and so
 * do ours where upstream has the same. `diff` keeps 1 for "there are changes",
 * as kubectl's does. command_exit_code turns an error into the right one.
 */
enum exit_policy {
    EXITS_AS_OURS,     /* 0 done, 1 failed, 2 wrong usage or wrong input, 130 or 143 interrupted */
    EXITS_AS_UPSTREAM, /* 0 done, 1 for every failure */
    EXITS_AS_DIFF,     /* 0 nothing to do, 1 changes, 2 trouble */
};

/* Common options: -q, -v and -h fit every command, these only those that say so. */
enum common_use {
    USES_SOURCES = 1 << 0,    /* -f, --filename SOURCE */
    USES_FLEET = 1 << 1,      /* --fleet NAME */
    USES_ENGINE = 1 << 2,     /* --engine URL */
    USES_KUBECONFIG = 1 << 3, /* --kubeconfig PATH */
    USES_NO_COMMAND = 1 << 4, /* --version: of the program alone */
    FILTERS_FLEET = 1 << 5,   /* --fleet NAME, that alone: without it all are meant */
};

struct common_options {
    struct option_strings sources;
    const char *fleet; /* never NULL; "default" */
    bool fleet_given;
    const char *engine;     /* NULL: not given */
    const char *kubeconfig; /* NULL: not given */
    int verbosity;
    bool quiet, help, version;
};

enum { ARGUMENTS_ANY = 1 << 20 };

struct command;

struct invocation {
    const struct command *command; /* NULL while there is none yet */
    struct common_options common;
    void *options;                /* the command's own struct, filled */
    const char *const *arguments; /* words after the command */
    size_t argument_count;
    const char *const *line; /* the whole command line, as it was typed */
    size_t line_count;
    FILE *results; /* stdout: what was asked for */
    FILE *talk;    /* stderr, or nowhere with -q: what is worth knowing meanwhile */
    struct log log;
};

struct command {
    const char *path;      /* "get clusters" */
    const char *summary;   /* "list clusters": begins with a verb; no capital, no period */
    const char *arguments; /* "[CLUSTER]", or NULL */
    size_t arguments_min, arguments_max;
    const struct option_spec *options; /* ended by an empty row, or NULL */
    size_t options_size;               /* of the struct they fill */
    const void *options_default;       /* what it holds at first; NULL: zeros */
    unsigned uses;                     /* of enum common_use */
    enum exit_policy exits;
    const char *const *examples;    /* ended by NULL: "kind apply -f lab/" */
    const char *const *description; /* paragraphs for the manual page, ended by NULL; or NULL */
    /* The exit code, or -1 with *err set. Runs once; errors are printed by the caller. */
    int (*run)(const struct invocation *invocation, struct error **err);
};

/* All commands, sorted as help shows them; ended by NULL. */
extern const struct command *const commands[];

/* The command of this path ("get clusters"), or NULL. */
const struct command *command_find(const char *path);

/* Does any command's path begin with this word and a space? */
bool command_is_group(const char *word);

/* Is this how commands of upstream's begin that this program does not have: "create"? */
bool command_is_upstreams(const char *word);

/* What the program exits with after this error. command NULL: there was none to run. */
int command_exit_code(const struct command *command, const struct error *failure);

/* One line a code: "0  done\n1  failed\n". */
const char *exit_policy_words(enum exit_policy policy);

/* The rows of the common options that a command takes; at most OPTIONS_MAX, ended by an empty. */
void command_common_rows(unsigned uses, struct option_spec *rows, size_t size);

#endif
