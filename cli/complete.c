#include "cli/complete.h"

#include "base/memory.h"
#include "cli/command.h"
#include <stdbool.h>
#include <string.h>

/*
 * DESIGN: all three scripts do the same. They walk the words before the
 * cursor to find the command ("get nodes"); then the word just before says
 * whether a value is due; else they offer options after "-", and commands or
 * arguments otherwise.
 */
enum value { VALUE_NONE, VALUE_ANY, VALUE_FILE, VALUE_CLUSTER, VALUE_CHOICE };

static bool names_cluster(const char *argument)
{
    return argument && strstr(argument, "CLUSTER");
}

/* What stands in the next word after this option. */
static enum value value_of(const struct option_spec *spec)
{
    static const char *const files[] = {"SOURCE", "PATH", "FILE", "FOLDER"};
    switch (spec->kind) {
    case OPTION_FLAG:
    case OPTION_COUNT:
    case OPTION_OPTIONAL_DURATION:
        return VALUE_NONE;
    case OPTION_CHOICE:
    case OPTION_SET:
        return VALUE_CHOICE;
    case OPTION_DURATION:
    case OPTION_STRING:
    case OPTION_STRINGS:
        break;
    }
    for (size_t i = 0; spec->argument && i < COUNT_OF(files); i++)
        if (strcmp(spec->argument, files[i]) == 0)
            return VALUE_FILE;
    return names_cluster(spec->argument) ? VALUE_CLUSTER : VALUE_ANY;
}

static void add_choices(struct text *text, const struct option_spec *spec)
{
    for (const struct option_choice *choice = spec->choices; choice->name; choice++)
        text_add_format(text, "%s%s", choice == spec->choices ? "" : " ", choice->name);
}

/* Inside single quotes of a POSIX shell; fish wants escape "\\'". */
static void add_quoted(struct text *text, const char *string, const char *escape)
{
    text_add(text, "'");
    for (; *string; string++)
        if (*string == '\'')
            text_add(text, escape);
        else
            text_add_bytes(text, string, 1);
    text_add(text, "'");
}

#define POSIX_ESCAPE "'\\''"
#define FISH_ESCAPE "\\'"

/* --- What may be offered at a place. --- */

/* Calls once for every part of a path below group (NULL: first words), each name once. */
struct part {
    const char *group, *name;
    size_t name_length;
    const struct command *command; /* NULL: a group */
};
typedef void part_told(struct text *text, const struct part *part);

static bool part_init(struct part *part, const struct command *command, const char *group)
{
    size_t skip = group ? strlen(group) + 1 : 0;
    if (group && (strncmp(command->path, group, skip - 1) != 0 || command->path[skip - 1] != ' '))
        return false;
    *part = (struct part){.group = group, .name = command->path + skip};
    part->name_length = strcspn(part->name, " ");
    part->command = part->name[part->name_length] ? NULL : command;
    return true;
}

static void each_part(struct text *text, const char *group, part_told *told)
{
    struct part part, last = {.name = ""};
    for (const struct command *const *command = commands; *command; command++) {
        if (!part_init(&part, *command, group))
            continue;
        /* Commands of a group stand together in the table. */
        if (part.name_length != last.name_length ||
            memcmp(part.name, last.name, part.name_length) != 0)
            told(text, &part);
        last = part;
    }
}

/* Every group's name, to be freed; the table has few. */
static void each_group(struct text *text, void (*told)(struct text *text, const char *group))
{
    const char *last = "";
    size_t last_length = 0;
    for (const struct command *const *command = commands; *command; command++) {
        const char *path = (*command)->path;
        size_t length = strcspn(path, " ");
        if (!path[length] || (length == last_length && memcmp(path, last, length) == 0))
            continue;
        cleanup_free char *group = memory_string_n(path, length);
        told(text, group);
        last = path;
        last_length = length;
    }
}

typedef void option_told(struct text *text, const struct option_spec *spec);

static void each_option(struct text *text, const struct command *command, option_told *told)
{
    struct option_spec common[OPTIONS_MAX];
    command_common_rows(command ? command->uses : USES_NO_COMMAND, common, COUNT_OF(common));
    const struct option_spec *tables[] = {command ? command->options : NULL, common};
    for (size_t i = 0; i < COUNT_OF(tables); i++)
        for (const struct option_spec *spec = tables[i]; spec && spec->long_name; spec++)
            told(text, spec);
}

static const char *part_help(const struct part *part)
{
    return part->command ? part->command->summary : "show its commands";
}

/* --- Pieces that bash and zsh share. --- */

static void path_pattern(struct text *text, const struct part *part)
{
    text_add_format(text, "        %s:%.*s) at=%s%s%.*s ;;\n", part->group ? part->group : "",
                    (int)part->name_length, part->name, part->group ? part->group : "",
                    part->group ? "_" : "", (int)part->name_length, part->name);
}

static void group_patterns(struct text *text, const char *group)
{
    each_part(text, group, path_pattern);
}

static void add_option_pattern(struct text *text, const struct option_spec *spec)
{
    if (spec->short_name)
        text_add_format(text, "-%c | ", spec->short_name);
    text_add_format(text, "--%s", spec->long_name);
}

/* "get_nodes" for "get nodes": what the scripts call the place. */
static void add_place(struct text *text, const char *path)
{
    for (; *path; path++)
        text_add_char(text, *path == ' ' ? '_' : *path, 1);
}

static void add_values(struct text *text, const char *place, const struct option_spec *spec,
                       const char *const templates[VALUE_CHOICE + 1])
{
    enum value value = value_of(spec);
    if (value == VALUE_NONE)
        return;
    const char *joint = "    ";
    if (spec->short_name) {
        text_add_format(text, "    %s:-%c", place, spec->short_name);
        joint = " | ";
    }
    text_add_format(text, "%s%s:--%s) ", joint, place, spec->long_name);
    text_add(text, templates[value]);
    if (value == VALUE_CHOICE)
        add_choices(text, spec);
    text_add(text, "; return ;;\n");
}

/* The case arms "place:option) offer values ;;" of every command. */
static void add_all_values(struct text *text, const char *const templates[VALUE_CHOICE + 1])
{
    struct option_spec common[OPTIONS_MAX];
    for (const struct command *const *command = commands; *command; command++) {
        cleanup_text struct text place;
        text_init(&place, 0);
        add_place(&place, (*command)->path);
        command_common_rows((*command)->uses, common, COUNT_OF(common));
        const struct option_spec *tables[] = {(*command)->options, common};
        for (size_t i = 0; i < COUNT_OF(tables); i++)
            for (const struct option_spec *spec = tables[i]; spec && spec->long_name; spec++)
                add_values(text, place.data, spec, templates);
    }
}
