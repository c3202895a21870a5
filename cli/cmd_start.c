/* kind start: what kind stop stopped runs again. */
#include "cli/wish.h"

static int run(const struct invocation *invocation, struct error **err)
{
    return wish_run(invocation, DIFF_START, WISH_READY, err);
}

static const struct option_spec options[] = {
    {.long_name = "wait",
     .argument = "DURATION",
     .help = "give up when not Ready after so long",
     .kind = OPTION_OPTIONAL_DURATION,
     .offset = offsetof(struct wish_options, wait_ms),
     .fallback_ms = 300000},
    {0},
};

const struct command command_start = {
    .path = "start",
    .summary = "start clusters that were stopped, and wait until they are Ready",
    .arguments = "CLUSTER...",
    .arguments_min = 1,
    .arguments_max = ARGUMENTS_ANY,
    .options = options,
    .options_size = sizeof(struct wish_options),
    .uses = USES_FLEET | USES_ENGINE | USES_KUBECONFIG,
    .exits = EXITS_AS_OURS,
    .examples = (const char *const[]){"kind start ci", NULL},
    .description =
        (const char *const[]){
            "Starts every container of the cluster that stands still, and waits until all nodes "
            "are Ready "
            "and cluster DNS answers. No source is needed: nothing is made or changed.",
            NULL},
    .run = run,
};
