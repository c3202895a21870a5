#include "cli/complete.h"

#include "base/memory.h"
#include "cli/command.h"
#include <stdbool.h>
#include <string.h>

/* How far the words before the cursor have led. */
struct place {
    const char *group;             /* "get", while that is all that is known */
    const struct command *command; /* NULL: none yet */
    struct option_spec common[OPTIONS_MAX];
    const struct option_spec *due; /* the option whose value comes next */
    bool options_ended;            /* after "--" */
};

static void place_enter(struct place *place, const struct command *command)
{
    place->command = command;
    place->group = NULL;
    command_common_rows(command->uses, place->common, COUNT_OF(place->common));
}

static bool is_name(const struct option_spec *spec, const char *word, size_t length)
{
    if (length == 2 && word[0] == '-' && word[1] == spec->short_name)
        return true;
    return length > 2 && strncmp(word, "--", 2) == 0 && strlen(spec->long_name) == length - 2 &&
           memcmp(spec->long_name, word + 2, length - 2) == 0;
}

/* The option called so, "-f" or "--filename", or NULL. */
static const struct option_spec *find_option(const struct place *place, const char *word,
                                             size_t length)
{
    const struct option_spec *tables[] = {place->command ? place->command->options : NULL,
                                          place->common};
    for (size_t i = 0; i < COUNT_OF(tables); i++)
        for (const struct option_spec *spec = tables[i]; spec && spec->long_name; spec++)
            if (is_name(spec, word, length))
                return spec;
    return NULL;
}

static bool takes_word(const struct option_spec *spec)
{
    switch (spec->kind) {
    case OPTION_FLAG:
    case OPTION_COUNT:
    case OPTION_OPTIONAL_DURATION:
        return false;
    case OPTION_NUMBER:
    case OPTION_STRING:
    case OPTION_STRINGS:
    case OPTION_DURATION:
    case OPTION_CHOICE:
    case OPTION_SET:
        return true;
    }
    return false;
}

static void pass_word(struct place *place, const char *word)
{
    if (place->command || strcmp(word, "help") == 0)
        return;
    cleanup_free char *path = place->group ? memory_format("%s %s", place->group, word) : NULL;
    const struct command *command = command_find(path ? path : word);
    if (!place->group && command_is_group(word))
        place->group = word;
    else if (command)
        place_enter(place, command);
}

/* bash hands "--name=x" over as three words, the second being "=". */
static void pass(struct place *place, const char *word)
{
    if (strcmp(word, "=") == 0)
        return;
    if (place->due) {
        place->due = NULL;
    } else if (strcmp(word, "--") == 0) {
        place->options_ended = true;
    } else if (word[0] == '-' && !place->options_ended) {
        const struct option_spec *spec = find_option(place, word, strlen(word));
        place->due = spec && takes_word(spec) ? spec : NULL;
    } else {
        pass_word(place, word);
    }
}

/* --- What is offered. --- */

static void offer_values(struct text *text, const struct option_spec *spec, const char *before)
{
    static const char *const files[] = {"SOURCE", "PATH", "FILE", "FOLDER"};
    for (const struct option_choice *choice = spec->choices; choice && choice->name; choice++)
        text_add_format(text, "%s%s\n", before, choice->name);
    if (!spec->argument || spec->choices)
        return;
    for (size_t i = 0; i < COUNT_OF(files); i++)
        if (strcmp(spec->argument, files[i]) == 0)
            text_add(text, ":files\n");
    if (strcmp(spec->argument, "CLUSTER") == 0)
        text_add(text, ":clusters\n");
}

static void offer_options(struct text *text, const struct place *place)
{
    const struct option_spec *tables[] = {place->command ? place->command->options : NULL,
                                          place->common};
    for (size_t i = 0; i < COUNT_OF(tables); i++)
        for (const struct option_spec *spec = tables[i]; spec && spec->long_name; spec++) {
            if (spec->short_name)
                text_add_format(text, "-%c\t%s\n", spec->short_name, spec->help);
            text_add_format(text, "--%s\t%s\n", spec->long_name, spec->help);
        }
}

static bool is_in_group(const struct command *command, const char *group, size_t length)
{
    return strncmp(command->path, group, length) == 0 && command->path[length] == ' ';
}

/* A group is described by what is in it: "clusters, nodes, kubeconfig". */
static void add_group_words(struct text *text, const char *group, size_t length)
{
    const char *joint = "";
    for (const struct command *const *command = commands; *command; command++) {
        if (!is_in_group(*command, group, length))
            continue;
        text_add_format(text, "%s%s", joint, (*command)->path + length + 1);
        joint = ", ";
    }
}

/* First words, or those of a group; commands of one group stand together in the table. */
static void offer_commands(struct text *text, const char *group)
{
    size_t skip = group ? strlen(group) + 1 : 0, last_length = 0;
    const char *last = "";
    for (const struct command *const *command = commands; *command; command++) {
        if (group && !is_in_group(*command, group, skip - 1))
            continue;
        const char *name = (*command)->path + skip;
        size_t length = strcspn(name, " ");
        bool seen = length == last_length && memcmp(name, last, length) == 0;
        last = name;
        last_length = length;
        if (seen)
            continue;
        text_add_format(text, "%.*s\t", (int)length, name);
        if (name[length])
            add_group_words(text, name, length);
        else
            text_add(text, (*command)->summary);
        text_add(text, "\n");
    }
}

static void offer_words(struct text *text, const struct place *place)
{
    const char *arguments = place->command ? place->command->arguments : NULL;
    if (!place->command)
        offer_commands(text, place->group);
    else if (arguments && strstr(arguments, "CLUSTER"))
        text_add(text, ":clusters\n");
    else if (arguments)
        text_add(text, ":files\n");
}

void complete_words(struct text *text, const char *const *words, size_t count)
{
    struct place place = {0};
    command_common_rows(~0u, place.common, COUNT_OF(place.common));
    for (size_t i = 0; i + 1 < count; i++)
        pass(&place, words[i]);
    const char *current = count ? words[count - 1] : "";
    size_t name_length = strcspn(current, "=");
    if (place.due) {
        offer_values(text, place.due, strcmp(current, "=") == 0 ? "=" : "");
    } else if (current[0] == '-' && !place.options_ended && current[name_length]) {
        const struct option_spec *spec = find_option(&place, current, name_length);
        cleanup_free char *before = memory_string_n(current, name_length + 1);
        if (spec)
            offer_values(text, spec, before);
    } else if (current[0] == '-' && !place.options_ended) {
        offer_options(text, &place);
    } else {
        offer_words(text, &place);
    }
}

/* --- The scripts. --- */

void complete_bash(struct text *text)
{
    text_add(text, "# bash completion for kind\n"
                   "_kind()\n"
                   "{\n"
                   "    local word=${COMP_WORDS[COMP_CWORD]} line list=()\n"
                   "    [ \"$word\" = = ] && word=\n"
                   "    COMPREPLY=()\n"
                   "    while IFS= read -r line; do\n"
                   "        case $line in\n"
                   "        :files) compopt -o filenames; mapfile -t -O ${#COMPREPLY[@]} "
                   "COMPREPLY < <(compgen -f -- \"$word\") ;;\n"
                   "        :clusters) mapfile -t -O ${#list[@]} list < <(kind get clusters "
                   "2>/dev/null) ;;\n"
                   "        *) line=${line%%$'\\t'*}; list+=(\"${line#=}\") ;;\n"
                   "        esac\n"
                   "    done < <(kind __complete \"${COMP_WORDS[@]:1:COMP_CWORD}\" 2>/dev/null)\n"
                   "    for line in \"${list[@]}\"; do\n"
                   "        [[ $line == \"$word\"* ]] && COMPREPLY+=(\"$line\")\n"
                   "    done\n"
                   "}\n"
                   "complete -F _kind kind\n");
}

void complete_zsh(struct text *text)
{
    text_add(text, "#compdef kind\n"
                   "_kind()\n"
                   "{\n"
                   "    local line word\n"
                   "    local -a list\n"
                   "    for line in \"${(@f)$(kind __complete \"${(@)words[2,CURRENT]}\" "
                   "2>/dev/null)}\"; do\n"
                   "        case $line in\n"
                   "        '') ;;\n"
                   "        :files) _files ;;\n"
                   "        :clusters) list+=(${(f)\"$(kind get clusters 2>/dev/null)\"}) ;;\n"
                   "        *$'\\t'*) word=${line%%$'\\t'*}; "
                   "list+=(\"${word//:/\\\\:}:${line#*$'\\t'}\") ;;\n"
                   "        *) list+=(\"${line//:/\\\\:}\") ;;\n"
                   "        esac\n"
                   "    done\n"
                   "    (( ${#list} )) && _describe -V kind list\n"
                   "}\n"
                   "if [ \"${funcstack[1]}\" = _kind ]; then\n"
                   "    _kind \"$@\"\n"
                   "else\n"
                   "    compdef _kind kind\n"
                   "fi\n");
}

void complete_fish(struct text *text)
{
    text_add(text, "# fish completion for kind\n"
                   "function __kind_complete\n"
                   "    set -l words (commandline -opc) (commandline -ct)\n"
                   "    for line in (kind __complete $words[2..-1] 2>/dev/null)\n"
                   "        switch $line\n"
                   "            case :files\n"
                   "                __fish_complete_path (commandline -ct)\n"
                   "            case :clusters\n"
                   "                kind get clusters 2>/dev/null\n"
                   "            case '*'\n"
                   "                echo $line\n"
                   "        end\n"
                   "    end\n"
                   "end\n"
                   "complete -c kind -f -k -a '(__kind_complete)'\n");
}
