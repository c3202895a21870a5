#include "cli/man.h"

#include "base/memory.h"
#include "cli/help.h"
#include "cli/view.h"
#include <ctype.h>

static const struct {
    const char *name, *meaning;
} variables[] = {
    {"DOCKER_HOST, DOCKER_CONTEXT, DOCKER_CONFIG, DOCKER_CERT_PATH, DOCKER_TLS_VERIFY",
     "which engine to talk to, and how, as docker has it"},
    {"KIND_CLUSTER_NAME", "the cluster that commands with --name mean without it"},
    {"KIND_NODE_IMAGE", "the image of nodes whose cluster does not name one"},
    {"KIND_EXPERIMENTAL_DOCKER_NETWORK", "the network of new nodes instead of \"kind\""},
    {"KUBECONFIG", "the kubeconfig to write entries to, or several, separated by colons"},
    {"KIND_EXPERIMENTAL_CONTAINERD_SNAPSHOTTER", "the snapshotter of new nodes"},
    {"HTTP_PROXY, HTTPS_PROXY, NO_PROXY",
     "proxies for new nodes, also in lower case; else those of docker's config.json"},
    {"TMPDIR", "where images to preload lie on their way, up to 16 GiB each (default: /var/tmp)"},
    {"NO_COLOR", "if set, no colours on a terminal"},
};

/* Text as troff reads it: no escapes, no requests, hyphens that can be copied. */
static void add_plain(struct text *text, const char *string)
{
    for (const char *c = string; *c; c++) {
        if (*c == '\\')
            text_add(text, "\\e");
        else if (*c == '-')
            text_add(text, "\\-");
        else if ((*c == '.' || *c == '\'') && c == string)
            text_add_format(text, "\\&%c", *c);
        else
            text_add_char(text, *c, 1);
    }
}

static void add_section(struct text *text, const char *name)
{
    text_add_format(text, ".SH %s\n", name);
}

/* A tagged paragraph: the tag in bold. */
static void add_item(struct text *text, const char *tag, const char *words)
{
    text_add(text, ".TP\n.B ");
    add_plain(text, tag);
    text_add(text, "\n");
    add_plain(text, words);
    text_add(text, "\n");
}

static void add_options(struct text *text, const struct option_spec *spec)
{
    for (; spec && spec->long_name; spec++) {
        cleanup_text struct text name;
        text_init(&name, 0);
        help_option_name(&name, spec);
        add_item(text, name.data, spec->help);
    }
}

static void add_exit_codes(struct text *text, enum exit_policy policy)
{
    add_section(text, "EXIT STATUS");
    for (const char *line = exit_policy_words(policy); *line; line += strcspn(line, "\n") + 1) {
        cleanup_free char *words = memory_string_n(line, strcspn(line, "\n"));
        char *meaning = words + strcspn(words, " ");
        *meaning++ = '\0';
        add_item(text, words, meaning + strspn(meaning, " "));
    }
}

static void add_examples(struct text *text, const char *const *examples)
{
    if (!examples)
        return;
    add_section(text, "EXAMPLES");
    text_add(text, ".nf\n");
    for (; *examples; examples++) {
        add_plain(text, *examples);
        text_add(text, "\n");
    }
    text_add(text, ".fi\n");
}

static void add_head(struct text *text, const char *name, const char *summary)
{
    text_add(text, ".\\\" Made from the program's own tables; see cli/man.h.\n.TH ");
    for (const char *c = name; *c; c++)
        text_add_char(text, (char)toupper((unsigned char)*c), 1);
    text_add(text, " 1 \"\" \"kind\" \"kind\"\n");
    add_section(text, "NAME");
    add_plain(text, name);
    text_add(text, " \\- ");
    add_plain(text, summary);
    text_add(text, "\n");
    add_section(text, "SYNOPSIS");
    text_add(text, ".B ");
}

char *man_name(const struct command *command)
{
    char *name = command ? memory_format("kind-%s", command->path) : memory_string("kind");
    for (char *c = name; *c; c++)
        if (*c == ' ')
            *c = '-';
    return name;
}

static void add_command_page(struct text *text, const struct command *command)
{
    cleanup_free char *name = man_name(command);
    add_head(text, name, command->summary);
    cleanup_text struct text synopsis;
    text_init(&synopsis, 0);
    help_synopsis(&synopsis, command);
    add_plain(text, synopsis.data);
    text_add(text, "\n");
    if (command->description)
        add_section(text, "DESCRIPTION");
    for (const char *const *words = command->description; words && *words; words++) {
        text_add(text, words == command->description ? "" : ".PP\n");
        add_plain(text, *words);
        text_add(text, "\n");
    }
    struct option_spec common[OPTIONS_MAX];
    command_common_rows(command->uses, common, COUNT_OF(common));
    add_section(text, "OPTIONS");
    add_options(text, command->options);
    add_options(text, common);
    add_exit_codes(text, command->exits);
    add_examples(text, command->examples);
    add_section(text, "SEE ALSO");
    text_add(text, ".BR kind (1)\n");
}

static void add_commands(struct text *text)
{
    add_section(text, "COMMANDS");
    for (const struct command *const *command = commands; *command; command++) {
        cleanup_text struct text tag;
        text_init(&tag, 0);
        text_add_format(&tag, "kind %s", (*command)->path);
        add_item(text, tag.data, (*command)->summary);
    }
}

static void add_events(struct text *text)
{
    add_section(text, "JSON EVENTS");
    add_plain(text, "With -o json a command that works on clusters prints an object a line. Names "
                    "may be added later, never changed. Every event has type, time (of day, in "
                    "UTC), time_ms (a clock that only runs forward), elapsed_ms (since work on the "
                    "cluster began; in "
                    "action-ends, since the action did) and cluster, null for words of the "
                    "program itself. diff and apply --dry-run print the result alone. "
                    "The types, and what else they have:");
    text_add(text, "\n");
    for (const struct view_event *event = view_events; event->type; event++)
        add_item(text, event->type, event->fields);
    add_item(text, "result",
             "the last line: clusters, each with outcome, plan, state, failure; "
             "and unwanted, each with removed and reason");
}

static void add_program_page(struct text *text)
{
    add_head(text, "kind", "keep Kubernetes clusters in containers as your files say");
    add_plain(text, "kind COMMAND [OPTIONS]");
    text_add(text, "\n");
    add_section(text, "DESCRIPTION");
    add_plain(text, "Reads files that say which test clusters a machine should hold, looks at the "
                    "containers that are there, and makes the one like the other. Each command "
                    "has a page of its own, kind-apply(1) and so on.");
    text_add(text, "\n");
    add_commands(text);
    struct option_spec common[OPTIONS_MAX];
    command_common_rows(~0u, common, COUNT_OF(common));
    add_section(text, "OPTIONS");
    add_plain(text, "They may stand before or after the command; not every command has a use for "
                    "each.");
    text_add(text, "\n");
    add_options(text, common);
    add_section(text, "ENVIRONMENT");
    for (size_t i = 0; i < COUNT_OF(variables); i++)
        add_item(text, variables[i].name, variables[i].meaning);
    add_events(text);
    add_section(text, "SEE ALSO");
    for (const struct command *const *command = commands; *command; command++) {
        cleanup_free char *name = man_name(*command);
        text_add_format(text, ".BR %s (1)%s\n", name, command[1] ? "," : "");
    }
}

void man_page(struct text *text, const struct command *command)
{
    if (command)
        add_command_page(text, command);
    else
        add_program_page(text);
}
