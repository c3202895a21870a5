#include "cli/help.h"

#include "base/memory.h"
#include "cli/man.h"
#include "cli/table.h"

enum { INDENT = 2 };

void help_synopsis(struct text *text, const struct command *command)
{
    text_add_format(text, "kind %s", command->path);
    if (command->uses & USES_SOURCES)
        text_add(text, " -f SOURCE...");
    text_add(text, " [OPTIONS]");
    if (command->arguments)
        text_add_format(text, " %s", command->arguments);
}

static void add_value(struct text *text, const struct option_spec *spec)
{
    if (spec->argument) {
        text_add(text, spec->argument);
        return;
    }
    for (const struct option_choice *choice = spec->choices; choice && choice->name; choice++)
        text_add_format(text, "%s%s", choice == spec->choices ? "" : "|", choice->name);
}

void help_option_name(struct text *text, const struct option_spec *spec)
{
    if (spec->short_name)
        text_add_format(text, "-%c, ", spec->short_name);
    text_add_format(text, "--%s", spec->long_name);
    switch (spec->kind) {
    case OPTION_FLAG:
        return;
    case OPTION_COUNT:
    case OPTION_OPTIONAL_DURATION:
        text_add(text, "[=");
        add_value(text, spec);
        text_add(text, "]");
        return;
    case OPTION_NUMBER:
    case OPTION_STRING:
    case OPTION_STRINGS:
    case OPTION_DURATION:
    case OPTION_CHOICE:
    case OPTION_SET:
        text_add(text, " ");
        add_value(text, spec);
        return;
    }
}

/* Long names stand in one column, whether a short one is before them or not. */
static void add_options(struct table *table, const struct option_spec *spec)
{
    for (; spec && spec->long_name; spec++) {
        if (spec->rare)
            continue;
        cleanup_text struct text name;
        text_init(&name, 0);
        text_add(&name, spec->short_name ? "" : "    ");
        help_option_name(&name, spec);
        table_add(table, name.data);
        table_add(table, spec->help);
    }
}

static void print_options(struct text *text, const struct option_spec *own, unsigned uses)
{
    struct option_spec common[OPTIONS_MAX];
    command_common_rows(uses, common, COUNT_OF(common));
    cleanup_table struct table table;
    table_init(&table, 2);
    add_options(&table, own);
    add_options(&table, common);
    text_add(text, "\nOptions:\n");
    table_print(&table, INDENT, text);
}

static void print_lines(struct text *text, const char *head, const char *lines)
{
    text_add_format(text, "\n%s:\n", head);
    while (*lines) {
        size_t length = strcspn(lines, "\n");
        text_add_format(text, "  %.*s\n", (int)length, lines);
        lines += length + (lines[length] == '\n');
    }
}

/* Where the options are that are not here. */
static void print_rest(struct text *text, const struct command *command)
{
    size_t count = 0;
    for (const struct option_spec *spec = command->options; spec && spec->long_name; spec++)
        count += spec->rare;
    cleanup_free char *name = man_name(command);
    if (count)
        text_add_format(text, "\n'man %s' tells of %zu more options.\n", name, count);
}

void help_print_command(FILE *out, const struct command *command)
{
    cleanup_text struct text text;
    text_init(&text, 0);
    text_add(&text, "Usage: ");
    help_synopsis(&text, command);
    text_add_format(&text, "\n\n%s\n", command->summary);
    print_options(&text, command->options, command->uses);
    if (command->examples)
        text_add(&text, "\nExamples:\n");
    for (const char *const *example = command->examples; example && *example; example++)
        text_add_format(&text, "  %s\n", *example);
    print_lines(&text, "Exit codes", exit_policy_words(command->exits));
    print_rest(&text, command);
    fputs(text.data, out);
}

static void add_commands(struct table *table, const char *group)
{
    size_t length = group ? strlen(group) : 0;
    for (const struct command *const *command = commands; *command; command++) {
        const char *path = (*command)->path;
        if (group && (strncmp(path, group, length) != 0 || path[length] != ' '))
            continue;
        table_add(table, path);
        table_add(table, (*command)->summary);
    }
}

void help_print_group(FILE *out, const char *group)
{
    static const char *const examples[] = {"kind apply -f clusters.yaml", "kind diff -f lab/"};
    cleanup_text struct text text;
    text_init(&text, 0);
    cleanup_table struct table table;
    table_init(&table, 2);
    add_commands(&table, group);
    text_add_format(&text, "Usage: kind %s%sCOMMAND [OPTIONS]\n", group ? group : "",
                    group ? " " : "");
    if (!group)
        text_add(&text, "\nkeep Kubernetes clusters in containers as your files say\n");
    text_add(&text, "\nCommands:\n");
    table_print(&table, INDENT, &text);
    print_options(&text, NULL, group ? 0 : USES_NO_COMMAND);
    if (!group) {
        text_add(&text, "\nExamples:\n");
        for (size_t i = 0; i < COUNT_OF(examples); i++)
            text_add_format(&text, "  %s\n", examples[i]);
    }
    text_add(&text, "\n'kind COMMAND --help' tells more about one command.\n");
    fputs(text.data, out);
}
