#include "reconciler/policy_file.h"

#include "base/real_path.h"
#include "model/load_policy.h"
#include "reconciler/source.h"

int policy_file_read(const char *path, struct policy *policy, struct problem_list *problems,
                     struct error **err)
{
    struct load_text text;
    size_t errors = problems->errors;
    if (source_read_beside(NULL, problems->arena, "<stdin>", path, &text, err))
        return error_wrap(err, "policy");
    if (load_policy(&text, policy, problems))
        return error_set(err, ERROR_INVALID, "%zu error%s in the policy %s; nothing was changed",
                         problems->errors - errors, problems->errors - errors == 1 ? "" : "s",
                         path);
    return 0;
}

static const char *resolve(void *context, struct arena *arena, const char *path)
{
    (void)context;
    return real_path(arena, path);
}

void policy_apply(struct arena *arena, const struct policy *policy, enum policy_origin origin,
                  struct fleet_spec *fleet)
{
    const struct policy_judge judge = {.origin = origin, .resolve = resolve};
    if (!policy && origin == POLICY_GIT)
        policy = policy_default(origin);
    if (policy)
        policy_judge(arena, policy, &judge, fleet);
    if (fleet->policy)
        policy_judge(arena, fleet->policy, &judge, fleet);
}
