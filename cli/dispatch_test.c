#include "cli/dispatch.h"

#include "base/memory.h"
#include "base/test.h"
#include "cli/command.h"

enum { WORDS_MAX = 20 };

struct outcome {
    int code;
    char *results, *talk;
};

static struct outcome run(const char *line)
{
    struct outcome outcome = {0};
    cleanup_free char *copy = memory_string(line);
    char *argv[WORDS_MAX + 1] = {NULL};
    int argc = 0;
    for (char *rest = copy, *word; (word = strsep(&rest, " ")) && argc < WORDS_MAX;)
        argv[argc++] = word;
    size_t results_size, talk_size;
    FILE *results = open_memstream(&outcome.results, &results_size);
    FILE *talk = open_memstream(&outcome.talk, &talk_size);
    outcome.code = dispatch(argc, argv, results, talk);
    fclose(results);
    fclose(talk);
    return outcome;
}

static void outcome_done(struct outcome *outcome)
{
    free(outcome->results);
    free(outcome->talk);
}

/* results: how stdout begins; "" means nothing at all. talk: all of stderr; NULL: any. */
static const struct {
    const char *line;
    int code;
    const char *results, *talk;
} rows[] = {
    {"kind", 0, "Usage: kind COMMAND", ""},
    {"kind -q", 0, "Usage: kind COMMAND", ""},
    {"kind --help", 0, "Usage: kind COMMAND", ""},
    {"kind help", 0, "Usage: kind COMMAND", ""},
    {"kind --version", 0, "kind version " KIND_VERSION "\n", ""},
    {"kind version", 0, "kind v" KIND_VERSION " ", ""},
    {"kind version -q", 0, KIND_VERSION "\n", ""},
    {"kind version --quiet", 0, KIND_VERSION "\n", ""},
    {"kind -q version", 0, KIND_VERSION "\n", ""},
    {"kind -qv version", 0, KIND_VERSION "\n", ""},
    {"kind -v 3 version", 0, "kind v", ""},
    {"kind version -h", 0, "Usage: kind version", ""},
    {"kind help version", 0, "Usage: kind version", ""},
    {"kind version --version", 1, "", "ERROR: kind version: unknown option --version\n"},
    {"kind version x", 1, "", "ERROR: kind version: unexpected argument \"x\"\n"},
    {"kind version --bogus", 1, "", "ERROR: kind version: unknown option --bogus\n"},
    {"kind version --bogus -q", 1, "", ""},
    {"kind -f x version", 1, "", "ERROR: kind version: option --filename has no use here\n"},
    {"kind version -f x", 1, "", "ERROR: kind version: unknown option -f\n"},
    {"kind -f", 1, "", "ERROR: option --filename needs a value: --filename SOURCE\n"},
    {"kind --bogus version", 1, "", "ERROR: unknown option --bogus\n"},
    {"kind versoin", 1, "", "ERROR: unknown command \"versoin\", did you mean kind version?\n"},
    {"kind create cluster --name x", 1, "",
     "ERROR: kind create cluster is not there yet in this version; use upstream's kind, clusters "
     "are seen by both\n"},
    {"kind export", 1, "",
     "ERROR: kind export is not there yet in this version; use upstream's kind, clusters are seen "
     "by both\n"},
    {"kind apply --wait 5m", 2, "",
     "ERROR: no source given: -f FILE, -f FOLDER, -f - or --git URL names what to apply\n"},
    {"kind apply --wait soon", 2, "", NULL},
    {"kind apply 5m", 2, "", "ERROR: kind apply: unexpected argument \"5m\"\n"},
    {"kind xyzzy", 1, "", "ERROR: unknown command \"xyzzy\"\n"},
    {"kind x\033y", 1, "", "ERROR: unknown command \"x?y\"\n"},
    {"kind completion", 1, "Usage: kind completion COMMAND", "ERROR: subcommand required\n"},
    {"kind completion -q", 1, "Usage: kind completion COMMAND", ""},
    {"kind completion -h", 0, "Usage: kind completion COMMAND", ""},
    {"kind help completion", 0, "Usage: kind completion COMMAND", ""},
    {"kind completion --bogus", 1, "Usage: kind completion COMMAND",
     "ERROR: subcommand required\n"},
    {"kind completion bahs", 1, "Usage: kind completion COMMAND",
     "ERROR: unknown command \"bahs\", did you mean kind completion bash?\n"},
    {"kind completion bash", 0, "# bash completion for kind\n", ""},
    {"kind completion -v zsh", 0, "#compdef kind\n", ""},
    {"kind completion fish", 0, "# fish completion for kind\n", ""},
    {"kind __complete vers", 0, "apply\t", ""},
};

static void dispatches_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].line);
        struct outcome outcome = run(rows[i].line);
        size_t length = strlen(rows[i].results);
        if (!length || strncmp(outcome.results, rows[i].results, length) != 0)
            test_equal(outcome.results, rows[i].results);
        if (rows[i].talk)
            test_equal(outcome.talk, rows[i].talk);
        assert_int_equal(outcome.code, rows[i].code);
        outcome_done(&outcome);
    }
}

/* Wrong usage ends before anything is connected, with the code of the command's policy. */
static void every_command_has_help_and_codes(void **state)
{
    (void)state;
    for (const struct command *const *command = commands; *command; command++) {
        test_row((*command)->path);
        cleanup_free char *help = memory_format("kind %s -h", (*command)->path);
        struct outcome outcome = run(help);
        assert_int_equal(outcome.code, 0);
        assert_non_null(strstr(outcome.results, (*command)->summary));
        test_equal(outcome.talk, "");
        outcome_done(&outcome);
        cleanup_free char *wrong = memory_format("kind %s --no-such-option", (*command)->path);
        outcome = run(wrong);
        assert_int_equal(outcome.code, (*command)->exits == EXITS_AS_UPSTREAM ? 1 : 2);
        test_equal(outcome.results, "");
        outcome_done(&outcome);
    }
}

static void maps_errors_to_codes(void **state)
{
    (void)state;
    static const struct command ours = {.exits = EXITS_AS_OURS},
                                upstream = {.exits = EXITS_AS_UPSTREAM},
                                diff = {.exits = EXITS_AS_DIFF};
    const struct error invalid = {.kind = ERROR_INVALID}, timeout = {.kind = ERROR_TIMEOUT};
    assert_int_equal(command_exit_code(&ours, &invalid), 2);
    assert_int_equal(command_exit_code(&ours, &timeout), 1);
    assert_int_equal(command_exit_code(&upstream, &invalid), 1);
    assert_int_equal(command_exit_code(&upstream, &timeout), 1);
    assert_int_equal(command_exit_code(&diff, &invalid), 2);
    assert_int_equal(command_exit_code(&diff, &timeout), 2);
    assert_int_equal(command_exit_code(NULL, &invalid), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dispatches_rows),
        cmocka_unit_test(every_command_has_help_and_codes),
        cmocka_unit_test(maps_errors_to_codes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
