/* kind stop: its containers stand still until kind start. */
#include "cli/wish.h"

static int run(const struct invocation *invocation, struct error **err)
{
    return wish_run(invocation, DIFF_STOP, "is stopped", err);
}

static const struct option_spec options[] = {
    {.long_name = "wait",
     .argument = "DURATION",
     .help = "give up when not stopped after so long",
     .kind = OPTION_OPTIONAL_DURATION,
     .offset = offsetof(struct wish_options, wait_ms),
     .fallback_ms = 300000},
    {0},
};

const struct command command_stop = {
    .path = "stop",
    .summary = "stop the containers of clusters, and keep them stopped",
    .arguments = "CLUSTER...",
    .arguments_min = 1,
    .arguments_max = ARGUMENTS_ANY,
    .options = options,
    .options_size = sizeof(struct wish_options),
    .uses = USES_FLEET | USES_ENGINE | USES_KUBECONFIG,
    .exits = EXITS_AS_OURS,
    .examples = (const char *const[]){"kind stop ci", NULL},
    .description = (const char *const[]){"Workers are stopped first, then control planes, then the "
                                         "load balancer; each gets 30 seconds "
                                         "to end what runs in it. All data stays. That they were "
                                         "stopped is noted in the cluster itself "
                                         "before, so `kind apply` leaves them as they are until "
                                         "`kind start`. What somebody else stopped "
                                         "is drift, and started again.",
                                         NULL},
    .run = run,
};
