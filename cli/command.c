#include "cli/command.h"

#include "base/memory.h"

extern const struct command command_apply, command_diff, command_status, command_explain,
    command_stop, command_start, command_suspend, command_resume, command_get_clusters,
    command_get_nodes, command_get_kubeconfig, command_delete_cluster, command_delete_clusters,
    command_completion_bash, command_completion_zsh, command_completion_fish, command_version,
    command_watch;

const struct command *const commands[] = {
    &command_apply,
    &command_diff,
    &command_watch,
    &command_status,
    &command_explain,
    &command_stop,
    &command_start,
    &command_suspend,
    &command_resume,
    &command_get_clusters,
    &command_get_nodes,
    &command_get_kubeconfig,
    &command_delete_cluster,
    &command_delete_clusters,
    &command_completion_bash,
    &command_completion_zsh,
    &command_completion_fish,
    &command_version,
    NULL,
};

const struct command *command_find(const char *path)
{
    for (const struct command *const *command = commands; *command; command++)
        if (strcmp((*command)->path, path) == 0)
            return *command;
    return NULL;
}

bool command_is_group(const char *word)
{
    size_t length = strlen(word);
    for (const struct command *const *command = commands; *command; command++)
        if (strncmp((*command)->path, word, length) == 0 && (*command)->path[length] == ' ')
            return true;
    return false;
}

bool command_is_upstreams(const char *word)
{
    static const char *const words[] = {"create", "export", "load", "build"};
    for (size_t i = 0; i < COUNT_OF(words); i++)
        if (strcmp(words[i], word) == 0)
            return true;
    return false;
}

/* Outside of any command upstream's rule holds: 1, whatever was wrong. */
int command_exit_code(const struct command *command, const struct error *failure)
{
    switch (command ? command->exits : EXITS_AS_UPSTREAM) {
    case EXITS_AS_OURS:
        return failure->kind == ERROR_INVALID ? 2 : 1;
    case EXITS_AS_UPSTREAM:
        return 1;
    case EXITS_AS_DIFF:
        return 2;
    }
    return 1;
}

const char *exit_policy_words(enum exit_policy policy)
{
    switch (policy) {
    case EXITS_AS_OURS:
        return "0  done\n1  failed\n2  wrong usage or wrong input\n"
               "130  interrupted by Ctrl-C; 143 by SIGTERM\n";
    case EXITS_AS_UPSTREAM:
        return "0  done\n1  failed\n";
    case EXITS_AS_DIFF:
        return "0  nothing to do\n1  there are changes\n"
               "2  wrong input, or the changes could not be told\n";
    }
    return "";
}

#define COMMON(field) offsetof(struct common_options, field)

/* uses 0: fits every command. */
static const struct {
    unsigned uses;
    struct option_spec spec;
} common_rows[] = {
    {USES_SOURCES,
     {.short_name = 'f',
      .long_name = "filename",
      .argument = "SOURCE",
      .help = "read desired state from a file, a folder or - (repeatable)",
      .kind = OPTION_STRINGS,
      .offset = COMMON(sources)}},
    {USES_FLEET,
     {.long_name = "fleet",
      .argument = "NAME",
      .help = "act for this fleet (default: default)",
      .kind = OPTION_STRING,
      .offset = COMMON(fleet)}},
    {FILTERS_FLEET,
     {.long_name = "fleet",
      .argument = "NAME",
      .help = "show only what is of this fleet (default: all)",
      .kind = OPTION_STRING,
      .offset = COMMON(fleet)}},
    {USES_ENGINE,
     {.long_name = "engine",
      .argument = "URL",
      .help = "talk to this engine (default: DOCKER_HOST, docker's context, its socket)",
      .kind = OPTION_STRING,
      .offset = COMMON(engine)}},
    {USES_KUBECONFIG,
     {.long_name = "kubeconfig",
      .argument = "PATH",
      .help = "use this kubeconfig (default: KUBECONFIG, ~/.kube/config)",
      .kind = OPTION_STRING,
      .offset = COMMON(kubeconfig)}},
    {USES_NO_COMMAND,
     {.long_name = "version",
      .help = "print the version",
      .kind = OPTION_FLAG,
      .offset = COMMON(version)}},
    {0,
     {.short_name = 'q',
      .long_name = "quiet",
      .help = "print results only, not even errors",
      .kind = OPTION_FLAG,
      .offset = COMMON(quiet)}},
    {0,
     {.short_name = 'v',
      .long_name = "verbosity",
      .argument = "N",
      .help = "say more, the higher N; -v alone adds 1",
      .kind = OPTION_COUNT,
      .offset = COMMON(verbosity)}},
    {0,
     {.short_name = 'h',
      .long_name = "help",
      .help = "show this help",
      .kind = OPTION_FLAG,
      .offset = COMMON(help)}},
};

static bool has_row(const struct option_spec *rows, size_t count, const char *long_name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(rows[i].long_name, long_name) == 0)
            return true;
    return false;
}

/* An option that means two things is told as what it means first. */
void command_common_rows(unsigned uses, struct option_spec *rows, size_t size)
{
    size_t count = 0;
    for (size_t i = 0; i < COUNT_OF(common_rows) && count + 1 < size; i++) {
        bool fits = !common_rows[i].uses || (common_rows[i].uses & uses);
        if (fits && !has_row(rows, count, common_rows[i].spec.long_name))
            rows[count++] = common_rows[i].spec;
    }
    rows[count] = (struct option_spec){0};
}
