#include "cli/complete.h"

#include "base/memory.h"
#include "base/test.h"
#include "cli/command.h"

enum { WORDS_MAX = 20 };

/* Candidates without their descriptions, joined by spaces. */
static char *candidates(const char *line)
{
    cleanup_free char *copy = memory_string(line);
    const char *words[WORDS_MAX];
    size_t count = 0;
    for (char *rest = copy, *word; (word = strsep(&rest, " ")) && count < WORDS_MAX;)
        words[count++] = word;
    cleanup_text struct text text, names;
    text_init(&text, 0);
    text_init(&names, 0);
    complete_words(&text, words, count);
    for (const char *at = text.data; *at; at += strcspn(at, "\n") + 1) {
        text_add_bytes(&names, at, strcspn(at, "\t\n"));
        text_add(&names, " ");
    }
    return text_take(&names);
}

/* A space before the cursor means that a new word begins. */
static const struct {
    const char *line;
    const char *has;   /* among the candidates */
    const char *lacks; /* not among them; or NULL */
} rows[] = {
    {"", "version ", "--help "},
    {"ver", "version ", NULL},
    {"-", "--version ", " version "},
    {"-v ", "version ", NULL},
    {"--fleet ", "", "version "},
    {"--fleet x ", "version ", NULL},
    {"-f ", ":files ", NULL},
    {"--filename=", ":files ", NULL},
    {"completion ", "bash zsh fish ", "version "},
    {"completion bash ", "", "bash "},
    {"completion bash -", "--quiet ", "--version "},
    {"help completion ", "bash ", NULL},
    {"get nodes -n ", ":clusters ", NULL},
    {"get nodes --name = ", ":clusters ", NULL},
    {"get nodes -", "--name ", "--filename "},
    {"status ", ":clusters ", NULL},
    {"status -- -", ":clusters ", "--quiet "},
    {"apply -o ", "json ", NULL},
    {"apply --output=", "--output=json ", NULL},
    {"apply --allow ", "recreate ", NULL},
    {"apply --wait ", "", "json "},
    {"nonsense ", "version ", NULL},
};

static void offers_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].line);
        cleanup_free char *got = candidates(rows[i].line);
        if (!strstr(got, rows[i].has) || (rows[i].lacks && strstr(got, rows[i].lacks)))
            test_equal(got, rows[i].has);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(offers_rows)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
