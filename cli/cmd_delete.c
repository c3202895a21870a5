/* kind delete cluster, delete clusters: upstream's commands; whoever made the cluster. */
#include "cli/converge.h"

#include "base/memory.h"
#include "drivers/kubeconfig_file.h"
#include "reconciler/lock.h"
#include <string.h>

struct delete_options {
    const char *name;
    bool all, protected;
};

/* What there is, what of it is to go, and the fleets whose work that is. */
struct deletion {
    struct session session;
    struct arena *arena;
    struct fleet_state there;
    struct pass_plan plan;
    const char **fleets; /* sorted: who takes several locks takes them in one order */
    struct lock *locks;
    size_t fleet_count;
};

static int forget(struct deletion *deletion, const char *cluster, bool *changed, struct error **err)
{
    return kubeconfig_file_remove(&deletion->session.kubeconfig, cluster, changed, err);
}

/* A cluster that is gone already; its entry may have been left behind. */
static int say_absent(const struct invocation *invocation, struct deletion *deletion,
                      const char *cluster, struct error **err)
{
    bool changed = false;
    if (forget(deletion, cluster, &changed, err))
        return -1;
    fprintf(invocation->talk, "There is no cluster \"%s\"%s.\n", cluster,
            changed ? "; its entry in the kubeconfig is removed" : "");
    return 0;
}

static int add_target(const struct invocation *invocation, struct deletion *deletion,
                      const char *cluster, struct error **err)
{
    struct pass_plan *plan = &deletion->plan;
    if (!fleet_state_find(&deletion->there, cluster))
        return say_absent(invocation, deletion, cluster, err);
    plan->targets = arena_grow(deletion->arena, plan->targets, plan->count, sizeof(*plan->targets));
    plan->targets[plan->count++] = (struct pass_target){.name = cluster};
    return 0;
}

static int by_name(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

/* The fleet that a cluster's containers name; where none does, that of --fleet. */
static const char *owner_of(const struct cluster_state *state, const char *fallback)
{
    for (size_t i = 0; i < state->node_count; i++)
        if (state->nodes[i].owner)
            return state->nodes[i].owner;
    return fallback;
}

static void find_fleets(const struct invocation *invocation, struct deletion *deletion)
{
    size_t count = deletion->plan.count, kept = 0;
    const char **fleets = arena_array(deletion->arena, count, sizeof(*fleets));
    for (size_t i = 0; i < count; i++)
        fleets[i] = owner_of(fleet_state_find(&deletion->there, deletion->plan.targets[i].name),
                             invocation->common.fleet);
    if (count)
        qsort(fleets, count, sizeof(*fleets), by_name);
    for (size_t i = 0; i < count; i++)
        if (!kept || strcmp(fleets[kept - 1], fleets[i]) != 0)
            fleets[kept++] = fleets[i];
    deletion->fleets = fleets;
    deletion->fleet_count = kept;
}

static int take_locks(const struct invocation *invocation, struct deletion *deletion,
                      struct error **err)
{
    deletion->locks = arena_array(deletion->arena, deletion->fleet_count, sizeof(struct lock));
    for (size_t i = 0; i < deletion->fleet_count; i++)
        deletion->locks[i].fd = -1;
    for (size_t i = 0; i < deletion->fleet_count; i++)
        if (converge_lock(&deletion->session, invocation, deletion->fleets[i], 0,
                          &deletion->locks[i], err))
            return -1;
    return 0;
}

/* Deletes all targets, and entries that were there without the engine's knowing. */
static int delete_targets(const struct invocation *invocation, struct deletion *deletion,
                          struct error **err)
{
    const struct delete_options *said = invocation->options;
    struct converge_options given = {.unprotect = said->protected};
    struct engine *engine = NULL;
    converge_run(&deletion->session, invocation, &given, &deletion->plan, SESSION_ANY_OWNER,
                 &engine);
    int result = 0;
    for (size_t i = 0; i < deletion->plan.count && result == 0; i++) {
        struct engine_result one = engine_result(engine, i);
        bool changed = false;
        if (one.outcome != ENGINE_SETTLED)
            result = error_set(err, ERROR_UNAVAILABLE, "cluster %s: %s", one.cluster,
                               one.failure ? one.failure->message : "interrupted");
        else if (one.plan && one.plan->refused_count)
            result = error_set(err, ERROR_CONFLICT, "cluster %s: %s", one.cluster,
                               one.plan->refused[0].reason);
        else
            result = forget(deletion, one.cluster, &changed, err);
    }
    engine_free(engine);
    return result;
}

/* Names: of all clusters, or as given. */
static int delete_names(const struct invocation *invocation, struct deletion *deletion,
                        const char *const *names, size_t count, struct error **err)
{
    for (size_t i = 0; i < count; i++)
        if (add_target(invocation, deletion, names[i], err))
            return -1;
    if (!deletion->plan.count)
        return 0;
    find_fleets(invocation, deletion);
    int result = take_locks(invocation, deletion, err);
    for (size_t i = 0; i < deletion->plan.count && result == 0; i++)
        fprintf(invocation->talk, "Deleting cluster \"%s\" ...\n", deletion->plan.targets[i].name);
    if (result == 0)
        result = delete_targets(invocation, deletion, err);
    for (size_t i = 0; i < deletion->fleet_count; i++)
        lock_release(&deletion->locks[i]);
    return result;
}

static const char **all_names(struct deletion *deletion)
{
    size_t count = deletion->there.cluster_count;
    const char **names = arena_array(deletion->arena, count, sizeof(*names));
    for (size_t i = 0; i < count; i++)
        names[i] = deletion->there.clusters[i].name;
    return names;
}

/* names NULL: all that there are. */
static int delete_clusters(const struct invocation *invocation, const char *const *names,
                           size_t count, struct error **err)
{
    cleanup_arena struct arena *arena = arena_new();
    struct deletion deletion = {.arena = arena};
    if (session_open(&deletion.session, invocation, SESSION_ANY_OWNER, err))
        return -1;
    int result = session_list(&deletion.session, arena, &deletion.there, err);
    if (result == 0 && !names && !deletion.there.cluster_count)
        fprintf(invocation->talk, "There are no clusters on this engine.\n");
    if (result == 0)
        result = delete_names(invocation, &deletion, names ? names : all_names(&deletion),
                              names ? count : deletion.there.cluster_count, err);
    session_close(&deletion.session);
    return result;
}

static int run_cluster(const struct invocation *invocation, struct error **err)
{
    const struct delete_options *given = invocation->options;
    const char *named = getenv("KIND_CLUSTER_NAME");
    const char *name = given->name && *given->name ? given->name : named && *named ? named : "kind";
    return delete_clusters(invocation, &name, 1, err);
}

#define PROTECTED                                                                                  \
    {                                                                                              \
        .long_name = "protected", .help = "delete also what is protected", .kind = OPTION_FLAG,    \
        .offset = offsetof(struct delete_options, protected)                                       \
    }

static const struct option_spec cluster_options[] = {
    PROTECTED,
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

static int run_clusters(const struct invocation *invocation, struct error **err)
{
    const struct delete_options *given = invocation->options;
    if (!given->all && !invocation->argument_count)
        return error_set(err, ERROR_INVALID, "no cluster names provided");
    return delete_clusters(invocation, given->all ? NULL : invocation->arguments,
                           invocation->argument_count, err);
}

static const struct option_spec clusters_options[] = {
    PROTECTED,
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
