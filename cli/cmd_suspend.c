/* kind suspend: nothing is done to it until kind resume. */
#include "cli/wish.h"

static int run(const struct invocation *invocation, struct error **err)
{
    return wish_run(invocation, DIFF_SUSPEND, "is suspended", err);
}

const struct command command_suspend = {
    .path = "suspend",
    .summary = "leave clusters alone until they are resumed",
    .arguments = "CLUSTER...",
    .arguments_min = 1,
    .arguments_max = ARGUMENTS_ANY,
    .options_size = sizeof(struct wish_options),
    .uses = USES_FLEET | USES_ENGINE | USES_KUBECONFIG,
    .exits = EXITS_AS_OURS,
    .examples = (const char *const[]){"kind suspend ci", NULL},
    .description =
        (const char *const[]){
            "`kind apply` and `kind diff` then tell what differs, and change nothing, drift or "
            "not; nor is "
            "the cluster pruned, nor ended by its ttl. This is noted in the cluster itself. `kind "
            "delete "
            "cluster` deletes it all the same. A source says the same by `suspend: true`.",
            NULL},
    .run = run,
};
