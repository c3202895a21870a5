/* kind completion bash|zsh|fish: a script for the shell, on stdout. */
#include "cli/command.h"
#include "cli/complete.h"

extern const struct command command_completion_bash, command_completion_zsh,
    command_completion_fish;

static int print(const struct invocation *invocation, void (*complete)(struct text *text))
{
    cleanup_text struct text script;
    text_init(&script, 0);
    complete(&script);
    fputs(script.data, invocation->results);
    return 0;
}

static int run_bash(const struct invocation *invocation, struct error **err)
{
    (void)err;
    return print(invocation, complete_bash);
}

static int run_zsh(const struct invocation *invocation, struct error **err)
{
    (void)err;
    return print(invocation, complete_zsh);
}

static int run_fish(const struct invocation *invocation, struct error **err)
{
    (void)err;
    return print(invocation, complete_fish);
}

const struct command command_completion_bash = {
    .path = "completion bash",
    .summary = "print a completion script for bash",
    .exits = EXITS_AS_UPSTREAM,
    .examples = (const char *const[]){"source <(kind completion bash)",
                                      "kind completion bash > /etc/bash_completion.d/kind", NULL},
    .run = run_bash,
};

const struct command command_completion_zsh = {
    .path = "completion zsh",
    .summary = "print a completion script for zsh",
    .exits = EXITS_AS_UPSTREAM,
    .examples = (const char *const[]){"source <(kind completion zsh)",
                                      "kind completion zsh > ~/.zfunc/_kind", NULL},
    .run = run_zsh,
};

const struct command command_completion_fish = {
    .path = "completion fish",
    .summary = "print a completion script for fish",
    .exits = EXITS_AS_UPSTREAM,
    .examples =
        (const char *const[]){"kind completion fish | source",
                              "kind completion fish > ~/.config/fish/completions/kind.fish", NULL},
    .run = run_fish,
};
