/* kind resume: what kind suspend held goes on. */
#include "cli/wish.h"

static int run(const struct invocation *invocation, struct error **err)
{
    return wish_run(invocation, DIFF_RESUME, "is resumed", err);
}

const struct command command_resume = {
    .path = "resume",
    .summary = "end what kind suspend began",
    .arguments = "CLUSTER...",
    .arguments_min = 1,
    .arguments_max = ARGUMENTS_ANY,
    .options_size = sizeof(struct wish_options),
    .uses = USES_FLEET | USES_ENGINE | USES_KUBECONFIG,
    .exits = EXITS_AS_OURS,
    .examples = (const char *const[]){"kind resume ci", NULL},
    .description = (const char *const[]){"The next `kind apply` does what was left undone. A "
                                         "cluster whose source says `suspend: true` "
                                         "stays suspended.",
                                         NULL},
    .run = run,
};
