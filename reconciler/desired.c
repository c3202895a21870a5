#include "reconciler/desired.h"

#include "reconciler/policy_file.h"

void desired_free(struct desired *desired)
{
    if (desired)
        arena_free(desired->arena); /* it lives there itself */
}

int desired_load(const struct source_texts *texts, const struct desired_rules *rules,
                 struct fleet_spec *fleet, struct problem_list *problems, struct error **err)
{
    int result = 0;
    *fleet = (struct fleet_spec){0};
    if (texts->count)
        result = load_fleet(texts->items, texts->count, &rules->load, fleet, problems);
    if (result == 0)
        policy_apply(problems->arena, rules->policy, rules->origin, fleet);
    problem_list_sort(problems);
    if (result == 0)
        return 0;
    return error_set(err, ERROR_INVALID, "%zu error%s in the sources; nothing was changed",
                     problems->errors, problems->errors == 1 ? "" : "s");
}
