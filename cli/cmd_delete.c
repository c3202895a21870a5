/* kind delete cluster, delete clusters: upstream's commands; whoever made the cluster. */
#include "cli/converge.h"

#include "base/memory.h"
#include "drivers/kubeconfig_file.h"
#include "reconciler/lock.h"
#include <string.h>

struct delete_options {
    const char *name;
    bool all;
};

/* Deletes all targets; the entries of clusters that are gone already go too. */
static int delete_targets(const struct invocation *invocation, struct session *session,
                          const struct converge_plan *plan, struct error **err)
{
    struct converge_options given = {0};
    struct engine *engine = NULL;
    enum session_end end =
        converge_run(session, invocation, &given, plan, SESSION_ANY_OWNER, &engine);
    int result = 0;
    for (size_t i = 0; i < plan->count && result == 0; i++) {
        struct engine_result one = engine_result(engine, i);
        bool changed = false;
        if (one.outcome != ENGINE_SETTLED)
            result = error_set(err, ERROR_UNAVAILABLE, "cluster %s: %s", one.cluster,
                               one.failure ? one.failure->message : "interrupted");
        else
            result = kubeconfig_file_remove(&session->kubeconfig, one.cluster, &changed, err);
    }
    (void)end;
    engine_free(engine);
    return result;
}

static int with_session(const struct invocation *invocation, struct converge_plan *plan,
                        struct session *session, struct error **err)
{
    struct lock lock = {.fd = -1};
    int result = converge_lock(session, invocation, &lock, err);
    if (result == 0)
        result = delete_targets(invocation, session, plan, err);
    lock_release(&lock);
    return result;
}

static int run_cluster(const struct invocation *invocation, struct error **err)
{
    const struct delete_options *given = invocation->options;
    const char *named = getenv("KIND_CLUSTER_NAME");
    const char *name = given->name && *given->name ? given->name : named && *named ? named : "kind";
    struct converge_target target = {.name = name};
    struct converge_plan plan = {.targets = &target, .count = 1};
    struct session session;
    if (session_open(&session, invocation, SESSION_ANY_OWNER, err))
        return -1;
    fprintf(invocation->talk, "Deleting cluster \"%s\" ...\n", name);
    int result = with_session(invocation, &plan, &session, err);
    session_close(&session);
    return result;
}

static const struct option_spec cluster_options[] = {
    {.short_name = 'n',
     .long_name = "name",
     .argument = "CLUSTER",
     .help = "choose the cluster (default kind, or KIND_CLUSTER_NAME)",
     .kind = OPTION_STRING,
     .offset = offsetof(struct delete_options, name)},
    {0},
};

const struct command command_delete_cluster = {
    .path = "delete cluster",
    .summary = "delete a cluster, whoever made it",
    .options = cluster_options,
    .options_size = sizeof(struct delete_options),
    .uses = USES_ENGINE | USES_KUBECONFIG | USES_FLEET,
    .exits = EXITS_AS_UPSTREAM,
    .examples = (const char *const[]){"kind delete cluster --name ci", NULL},
    .run = run_cluster,
};

static int choose_targets(const struct invocation *invocation, struct session *session,
                          struct arena *arena, struct converge_plan *plan, struct error **err)
{
    const struct delete_options *given = invocation->options;
    if (!given->all && !invocation->argument_count)
        return error_set(err, ERROR_INVALID, "no cluster names provided");
    struct fleet_state fleet = {0};
    if (given->all && session_list(session, arena, &fleet, err))
        return -1;
    size_t count = given->all ? fleet.cluster_count : invocation->argument_count;
    plan->targets = arena_array(arena, count, sizeof(*plan->targets));
    plan->count = count;
    for (size_t i = 0; i < count; i++)
        plan->targets[i].name = given->all ? fleet.clusters[i].name : invocation->arguments[i];
    return 0;
}

static int run_clusters(const struct invocation *invocation, struct error **err)
{
    cleanup_arena struct arena *arena = arena_new();
    struct converge_plan plan = {0};
    struct session session;
    if (session_open(&session, invocation, SESSION_ANY_OWNER, err))
        return -1;
    int result = choose_targets(invocation, &session, arena, &plan, err);
    if (result == 0)
        result = with_session(invocation, &plan, &session, err);
    session_close(&session);
    return result;
}

static const struct option_spec clusters_options[] = {
    {.short_name = 'A',
     .long_name = "all",
     .help = "delete all clusters on the engine",
     .kind = OPTION_FLAG,
     .offset = offsetof(struct delete_options, all)},
    {0},
};

const struct command command_delete_clusters = {
    .path = "delete clusters",
    .summary = "delete several clusters, whoever made them",
    .arguments = "[CLUSTER...]",
    .arguments_max = ARGUMENTS_ANY,
    .options = clusters_options,
    .options_size = sizeof(struct delete_options),
    .uses = USES_ENGINE | USES_KUBECONFIG | USES_FLEET,
    .exits = EXITS_AS_UPSTREAM,
    .examples =
        (const char *const[]){"kind delete clusters ci nightly", "kind delete clusters -A", NULL},
    .run = run_clusters,
};
