#include "cli/dispatch.h"

#include "base/duration.h"
#include "base/memory.h"
#include "base/nearest.h"
#include "cli/command.h"
#include "cli/complete.h"
#include "cli/help.h"
#include "cli/view.h"

/*
 * The life of a command line:
 *
 *   prescan_quiet   -q anywhere silences even the errors of parsing
 *   find_command    common options, then a word or two that name the command
 *   parse_rest      common and own options, the command's arguments
 *   run             the command, or its help
 */
struct line {
    int argc;
    char **argv;
    int at;            /* what is before is understood */
    const char *group; /* "get", while that is all of a path that is known */
    bool help_word;    /* "kind help ..." */
    struct option_spec common_rows[OPTIONS_MAX];
    const char **words;
    void *options;
    struct invocation invocation;
};

static bool prescan_quiet(int argc, char **argv)
{
    static const char *const spellings[] = {"-q", "--quiet", "--quiet=true"};
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        for (size_t j = 0; j < COUNT_OF(spellings); j++)
            if (strcmp(argv[i], spellings[j]) == 0)
                return true;
    return false;
}

/* Every common option may stand before the command; whether it fits is checked later. */
static void line_init(struct line *line, int argc, char **argv)
{
    *line = (struct line){.argc = argc, .argv = argv};
    line->words = memory_new((size_t)argc * sizeof(*line->words));
    command_common_rows(~0u, line->common_rows, COUNT_OF(line->common_rows));
}

static void line_done(struct line *line)
{
    free(line->words);
    free(line->options);
}

/* Reads options up to the next word, which *ret_word is then; NULL if there is none. */
static int next_word(struct line *line, enum options_unknown unknown, const char **ret_word,
                     struct error **err)
{
    struct option_table table = {line->common_rows, &line->invocation.common};
    int passed = options_parse_until_word(&table, 1, line->argc - line->at, line->argv + line->at,
                                          unknown, err);
    if (passed < 0)
        return -1;
    line->at += passed;
    bool is_word = line->at < line->argc && line->argv[line->at][0] != '-';
    *ret_word = is_word ? line->argv[line->at] : NULL;
    return 0;
}

/* What may stand at this place: the first words of all paths, or the second ones of a group's. */
static int unknown_command(const char *group, const char *typed, struct error **err)
{
    struct nearest nearest = {.word = typed};
    size_t skip = group ? strlen(group) + 1 : 0;
    char names[32][32];
    size_t count = 0;
    for (const struct command *const *command = commands; *command && count < 32; command++) {
        const char *path = (*command)->path;
        if (group && (strncmp(path, group, skip - 1) != 0 || path[skip - 1] != ' '))
            continue;
        snprintf(names[count], sizeof(names[count]), "%.*s", (int)strcspn(path + skip, " "),
                 path + skip);
        nearest_offer(&nearest, names[count++]);
    }
    error_set(err, ERROR_INVALID, "unknown command \"%s\"", typed);
    if (!nearest.best)
        return -1;
    cleanup_error struct error *plain = *err;
    *err = NULL;
    return error_set(err, ERROR_INVALID, "%s, did you mean kind%s%s %s?", plain->message,
                     group ? " " : "", group ? group : "", nearest.best);
}

/* What people know from upstream's program: not a mistake of theirs, and there is a way. */
static int not_there_yet(const struct line *line, const char *word, struct error **err)
{
    bool more = line->at + 1 < line->argc && line->argv[line->at + 1][0] != '-';
    return error_set(err, ERROR_INVALID,
                     "kind %s%s%s is not there yet in this version; use upstream's kind, clusters "
                     "are seen by both",
                     word, more ? " " : "", more ? line->argv[line->at + 1] : "");
}

static int find_in_group(struct line *line, const char *group, struct error **err)
{
    int after_group = line->at;
    const char *word;
    if (next_word(line, OPTIONS_STOP_AT_UNKNOWN, &word, err) < 0)
        return -1;
    cleanup_free char *path = memory_format("%s %s", group, word ? word : "");
    line->invocation.command = command_find(path);
    if (line->invocation.command)
        return 0;
    line->at = after_group;
    line->invocation.command = command_find(group);
    line->group = group;
    if (line->invocation.command || !word)
        return 0;
    return unknown_command(group, word, err);
}

static int find_command(struct line *line, struct error **err)
{
    const char *word;
    if (next_word(line, OPTIONS_REFUSE_UNKNOWN, &word, err) < 0)
        return -1;
    if (word && strcmp(word, "help") == 0) {
        line->help_word = true;
        if (next_word(line, OPTIONS_REFUSE_UNKNOWN, &word, err) < 0)
            return -1;
    }
    if (!word)
        return 0;
    if (command_is_group(word))
        return find_in_group(line, word, err);
    if (command_is_upstreams(word))
        return not_there_yet(line, word, err);
    line->invocation.command = command_find(word);
    return line->invocation.command ? 0 : unknown_command(NULL, word, err);
}

/* A common option before a command that has no use for it must not just be forgotten. */
static int check_uses(const struct invocation *invocation, struct error **err)
{
    const struct common_options *common = &invocation->common;
    const struct {
        const char *name;
        unsigned use;
        bool given;
    } rows[] = {
        {"filename", USES_SOURCES, common->sources.count > 0},
        {"fleet", USES_FLEET | FILTERS_FLEET, common->fleet != NULL},
        {"engine", USES_ENGINE, common->engine != NULL},
        {"kubeconfig", USES_KUBECONFIG, common->kubeconfig != NULL},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (rows[i].given && !(invocation->command->uses & rows[i].use))
            return error_set(err, ERROR_INVALID, "option --%s has no use here", rows[i].name);
    return 0;
}

/* "--wait": an option whose value may be left out, as it stands before a word. */
static const struct option_spec *find_open(const struct command *command, const char *before)
{
    const struct option_spec *spec = command->options;
    for (; spec && spec->long_name; spec++)
        if (spec->kind == OPTION_OPTIONAL_DURATION && strncmp(before, "--", 2) == 0 &&
            strcmp(before + 2, spec->long_name) == 0)
            return spec;
    return NULL;
}

/*
 * "--wait 5m" is how upstream's users write it, and a command that takes no
 * words can mean nothing else. What is no duration gets a hint.
 */
static int take_durations(struct line *line, struct error **err)
{
    struct invocation *invocation = &line->invocation;
    size_t kept = 0;
    for (size_t i = 0; i < invocation->argument_count; i++) {
        const char *word = line->words[i];
        const struct option_spec *spec = NULL;
        for (int at = line->at + 2; at < line->argc && !spec; at++)
            if (line->argv[at] == word)
                spec = find_open(invocation->command, line->argv[at - 1]);
        if (!spec) {
            line->words[kept++] = word;
            continue;
        }
        uint64_t *field = (uint64_t *)(void *)((char *)line->options + spec->offset);
        if (duration_parse(word, field, err) < 0)
            return error_wrap(err, "--%s=%s", spec->long_name, word);
    }
    invocation->argument_count = kept;
    return 0;
}

static int check_arguments(const struct invocation *invocation, struct error **err)
{
    const struct command *command = invocation->command;
    if (invocation->argument_count > command->arguments_max)
        return error_set(err, ERROR_INVALID, "unexpected argument \"%s\"",
                         invocation->arguments[command->arguments_max]);
    if (invocation->argument_count < command->arguments_min)
        return error_set(err, ERROR_INVALID, "an argument is missing: kind %s %s", command->path,
                         command->arguments ? command->arguments : "ARGUMENT");
    return 0;
}

static int parse_rest(struct line *line, struct error **err)
{
    struct invocation *invocation = &line->invocation;
    const struct command *command = invocation->command;
    struct option_spec common_rows[OPTIONS_MAX];
    command_common_rows(command->uses, common_rows, COUNT_OF(common_rows));
    line->options = memory_new(command->options_size);
    if (command->options_default)
        memcpy(line->options, command->options_default, command->options_size);
    const struct option_table tables[] = {{command->options, line->options},
                                          {common_rows, &invocation->common}};
    if (options_parse(tables, COUNT_OF(tables), line->argc - line->at, line->argv + line->at,
                      line->words, &invocation->argument_count, err) < 0)
        return -1;
    invocation->options = line->options;
    invocation->arguments = line->words;
    if (invocation->common.help || line->help_word)
        return 0;
    if (check_uses(invocation, err) < 0)
        return -1;
    if (!command->arguments_max && take_durations(line, err) < 0)
        return -1;
    if (check_arguments(invocation, err) < 0)
        return -1;
    invocation->common.fleet_given = invocation->common.fleet != NULL;
    if (!invocation->common.fleet_given)
        invocation->common.fleet = "default";
    return 0;
}

/* What is asked for without naming a command. */
static int run_without_command(const struct line *line, struct error **err)
{
    const struct invocation *invocation = &line->invocation;
    if (invocation->common.version) {
        fprintf(invocation->results, "kind version %s\n", KIND_VERSION);
        return 0;
    }
    help_print_group(invocation->results, line->group);
    if (!line->group || invocation->common.help || line->help_word)
        return 0;
    return error_set(err, ERROR_INVALID, "subcommand required");
}

static int run(struct line *line, struct error **err)
{
    struct invocation *invocation = &line->invocation;
    if (find_command(line, err) < 0) {
        if (line->group)
            help_print_group(invocation->results, line->group);
        return -1;
    }
    if (!invocation->command || invocation->common.version)
        return run_without_command(line, err);
    if (parse_rest(line, err) < 0)
        return error_wrap(err, "kind %s", invocation->command->path);
    if (invocation->common.help || line->help_word) {
        help_print_command(invocation->results, invocation->command);
        return 0;
    }
    invocation->log.verbosity = invocation->common.verbosity;
    return invocation->command->run(invocation, err);
}

/* -q hides everything but results, as upstream's does. */
static void silence(struct invocation *invocation, FILE *nowhere)
{
    invocation->common.quiet = true;
    invocation->talk = nowhere;
    invocation->log.stream = NULL;
}

/* Results first: where both streams end in one file, an error stands after what it sums up. */
static void tell_failure(const struct invocation *invocation, const struct error *failure)
{
    fflush(invocation->results);
    if (failure->kind == ERROR_CANCELED)
        return;
    cleanup_text struct text words;
    text_init(&words, 0);
    view_add_failure(&words, NULL, failure->message);
    log_line(&invocation->log, LOG_ERROR, NULL, "%s", words.data);
}

/* The other half of the completion scripts: the words of a line that is being written. */
static int complete(int count, char **words, FILE *results)
{
    cleanup_text struct text candidates;
    text_init(&candidates, 0);
    complete_words(&candidates, (const char *const *)words, (size_t)count);
    fputs(candidates.data, results);
    return 0;
}

int dispatch(int argc, char **argv, FILE *results, FILE *talk)
{
    if (argc > 1 && strcmp(argv[1], "__complete") == 0)
        return complete(argc - 2, argv + 2, results);
    struct line line;
    line_init(&line, argc, argv);
    line.invocation.line = (const char *const *)argv;
    line.invocation.line_count = (size_t)argc;
    line.invocation.results = results;
    line.invocation.talk = talk;
    line.invocation.log.stream = talk;
    FILE *nowhere = prescan_quiet(argc, argv) ? fopen("/dev/null", "we") : NULL;
    if (nowhere)
        silence(&line.invocation, nowhere);
    cleanup_error struct error *failure = NULL;
    int code = run(&line, &failure);
    if (code < 0) {
        tell_failure(&line.invocation, failure);
        code = command_exit_code(line.invocation.command, failure);
    }
    if (nowhere)
        fclose(nowhere);
    line_done(&line);
    return code;
}
