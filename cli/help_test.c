/* help_test.c - the screens and pages people read, whole; UPDATE=1 writes them. */
#include "cli/help.h"

#include "base/memory.h"
#include "base/test.h"
#include "cli/man.h"
#include <ctype.h>

enum { SCREEN_WIDTH = 100, SCREEN_HEIGHT = 40 };

static char *screen_of(const struct command *command, const char *group)
{
    char *got = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&got, &size);
    if (command)
        help_print_command(out, command);
    else
        help_print_group(out, group);
    fclose(out);
    return got;
}

static void fits_a_screen(const char *help)
{
    size_t lines = 0;
    for (const char *line = help; *line; line += strcspn(line, "\n") + 1, lines++)
        assert_in_range(strcspn(line, "\n"), 0, SCREEN_WIDTH);
    assert_in_range(lines, 1, SCREEN_HEIGHT);
}

static void help_of_commands(void **state)
{
    (void)state;
    for (const struct command *const *command = commands; *command; command++) {
        test_row((*command)->path);
        cleanup_free char *help = screen_of(*command, NULL);
        cleanup_free char *name = man_name(*command);
        cleanup_free char *path = memory_format("cli/testdata/help/%s.txt", name);
        test_golden(help, path);
        fits_a_screen(help);
    }
}

static void help_of_groups(void **state)
{
    (void)state;
    test_row("kind");
    cleanup_free char *root = screen_of(NULL, NULL);
    test_golden(root, "cli/testdata/help/kind.txt");
    fits_a_screen(root);
    test_row("completion");
    cleanup_free char *group = screen_of(NULL, "completion");
    test_golden(group, "cli/testdata/help/group.txt");
}

static void check_words(const char *words)
{
    assert_true(words && islower((unsigned char)words[0]));
    assert_true(words[strlen(words) - 1] != '.');
}

/* The manners of 4.4: begins small, ends without a period, examples for everything. */
static void tables_keep_the_style(void **state)
{
    (void)state;
    for (const struct command *const *command = commands; *command; command++) {
        test_row((*command)->path);
        check_words((*command)->summary);
        assert_non_null((*command)->examples);
        assert_non_null((*command)->run);
        const struct option_spec *spec = (*command)->options;
        for (; spec && spec->long_name; spec++) {
            test_row(spec->long_name);
            check_words(spec->help);
            assert_true(spec->offset < (*command)->options_size);
        }
    }
}

static void manual_pages(void **state)
{
    (void)state;
    for (size_t i = 0; i == 0 || commands[i - 1]; i++) {
        const struct command *command = i ? commands[i - 1] : NULL;
        cleanup_text struct text page;
        text_init(&page, 0);
        man_page(&page, command);
        cleanup_free char *name = man_name(command);
        cleanup_free char *path = memory_format("docs/man/%s.1", name);
        test_row(path);
        test_golden(page.data, path);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(help_of_commands),
        cmocka_unit_test(help_of_groups),
        cmocka_unit_test(tables_keep_the_style),
        cmocka_unit_test(manual_pages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
