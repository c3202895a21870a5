/* kind get clusters, get nodes, get kubeconfig: upstream's commands, with its output. */
#include "cli/session.h"

#include "base/memory.h"
#include "drivers/docker.h"
#include "model/kubeconfig.h"
#include <string.h>

struct get_options {
    const char *name;
    bool all_clusters, internal;
};

static const char *cluster_name(const struct get_options *given)
{
    if (given->name && *given->name)
        return given->name;
    const char *named = getenv("KIND_CLUSTER_NAME");
    return named && *named ? named : "kind";
}

/* All clusters; with --fleet those of that fleet alone. */
static int list_with(struct session *session, const struct invocation *invocation,
                     struct arena *arena, struct fleet_state *fleet, struct error **err)
{
    struct fleet_state all;
    if (session_list(session, arena, &all, err))
        return -1;
    const struct common_options *common = &invocation->common;
    struct cluster_state *clusters = arena_array(arena, all.cluster_count, sizeof(*clusters));
    *fleet = (struct fleet_state){.clusters = clusters};
    for (size_t i = 0; i < all.cluster_count; i++)
        if (!common->fleet_given || cluster_state_owned(&all.clusters[i], common->fleet))
            clusters[fleet->cluster_count++] = all.clusters[i];
    return 0;
}

static int list(const struct invocation *invocation, struct arena *arena, struct fleet_state *fleet,
                struct error **err)
{
    struct session session;
    if (session_open(&session, invocation, SESSION_ANY_OWNER, err))
        return -1;
    int result = list_with(&session, invocation, arena, fleet, err);
    session_close(&session);
    return result;
}

static int run_clusters(const struct invocation *invocation, struct error **err)
{
    cleanup_arena struct arena *arena = arena_new();
    struct fleet_state fleet;
    if (list(invocation, arena, &fleet, err))
        return -1;
    for (size_t i = 0; i < fleet.cluster_count; i++)
        fprintf(invocation->results, "%s\n", fleet.clusters[i].name);
    if (!fleet.cluster_count)
        fprintf(invocation->talk, "No kind clusters found.\n");
    return 0;
}

const struct command command_get_clusters = {
    .path = "get clusters",
    .summary = "list clusters, whoever made them",
    .uses = USES_ENGINE | FILTERS_FLEET,
    .exits = EXITS_AS_UPSTREAM,
    .examples = (const char *const[]){"kind get clusters", "kind get clusters --fleet lab", NULL},
    .run = run_clusters,
};

/* Newest first, as the engine lists them. */
static int newest_first(const void *left, const void *right)
{
    const struct node_state *a = left, *b = right;
    if (a->created_at_s != b->created_at_s)
        return a->created_at_s > b->created_at_s ? -1 : 1;
    return strcmp(a->name, b->name);
}

static size_t collect_nodes(struct arena *arena, const struct fleet_state *fleet,
                            const char *cluster, struct node_state **nodes)
{
    size_t count = 0;
    for (size_t i = 0; i < fleet->cluster_count; i++) {
        const struct cluster_state *state = &fleet->clusters[i];
        if (cluster && strcmp(state->name, cluster) != 0)
            continue;
        for (size_t j = 0; j < state->node_count; j++) {
            *nodes = arena_grow(arena, *nodes, count, sizeof(**nodes));
            (*nodes)[count++] = state->nodes[j];
        }
    }
    return count;
}

static int run_nodes(const struct invocation *invocation, struct error **err)
{
    const struct get_options *given = invocation->options;
    cleanup_arena struct arena *arena = arena_new();
    struct fleet_state fleet;
    if (list(invocation, arena, &fleet, err))
        return -1;
    const char *cluster = given->all_clusters ? NULL : cluster_name(given);
    struct node_state *nodes = NULL;
    size_t count = collect_nodes(arena, &fleet, cluster, &nodes);
    if (count)
        qsort(nodes, count, sizeof(*nodes), newest_first);
    for (size_t i = 0; i < count; i++)
        fprintf(invocation->results, "%s\n", nodes[i].name);
    if (!count && cluster)
        fprintf(invocation->talk, "No kind nodes found for cluster \"%s\".\n", cluster);
    else if (!count)
        fprintf(invocation->talk, "No kind nodes found.\n");
    return 0;
}

#define NAME_ROW                                                                                   \
    {                                                                                              \
        .short_name = 'n', .long_name = "name", .argument = "CLUSTER",                             \
        .help = "choose the cluster (default kind, or KIND_CLUSTER_NAME)", .kind = OPTION_STRING,  \
        .offset = offsetof(struct get_options, name)                                               \
    }

static const struct option_spec nodes_options[] = {
    NAME_ROW,
    {.short_name = 'A',
     .long_name = "all-clusters",
     .help = "list the nodes of all clusters",
     .kind = OPTION_FLAG,
     .offset = offsetof(struct get_options, all_clusters)},
    {0},
};

const struct command command_get_nodes = {
    .path = "get nodes",
    .summary = "list the nodes of a cluster",
    .options = nodes_options,
    .options_size = sizeof(struct get_options),
    .uses = USES_ENGINE | FILTERS_FLEET,
    .exits = EXITS_AS_UPSTREAM,
    .examples = (const char *const[]){"kind get nodes --name ci", "kind get nodes -A", NULL},
    .run = run_nodes,
};

/* Upstream's words, and where to look. */
static int not_there(const struct invocation *invocation, const char *cluster, struct error **err)
{
    const struct common_options *common = &invocation->common;
    return error_set(err, ERROR_CONFLICT,
                     "could not locate any control plane nodes for cluster named '%s'%s%s%s; use "
                     "the --name option to select a different cluster (`kind get clusters` lists "
                     "them)",
                     cluster, common->fleet_given ? " of fleet '" : "",
                     common->fleet_given ? common->fleet : "", common->fleet_given ? "'" : "");
}

static int read_admin(struct session *session, const struct invocation *invocation,
                      const char *cluster, struct arena *arena, struct admin_access *admin,
                      struct error **err)
{
    struct fleet_state fleet;
    if (list_with(session, invocation, arena, &fleet, err))
        return -1;
    if (!fleet_state_find(&fleet, cluster))
        return not_there(invocation, cluster, err);
    return session_read_admin(session, cluster, arena, admin, err);
}

static int run_kubeconfig(const struct invocation *invocation, struct error **err)
{
    const struct get_options *given = invocation->options;
    const char *cluster = cluster_name(given);
    struct session session;
    if (session_open(&session, invocation, SESSION_ANY_OWNER, err))
        return -1;
    cleanup_arena struct arena *arena = arena_new();
    struct admin_access admin = {0};
    struct text text;
    text_init(&text, 0);
    int result = read_admin(&session, invocation, cluster, arena, &admin, err);
    if (result == 0)
        result = kubeconfig_from_admin(admin.admin_conf, cluster,
                                       given->internal ? NULL : admin.server, &text, err);
    if (result == 0)
        fprintf(invocation->results, "%s\n", text.data); /* one blank line after, as upstream */
    text_done(&text);
    session_close(&session);
    return result;
}

static const struct option_spec kubeconfig_options[] = {
    NAME_ROW,
    {.long_name = "internal",
     .help = "use the address inside the engine's network",
     .kind = OPTION_FLAG,
     .offset = offsetof(struct get_options, internal)},
    {0},
};

const struct command command_get_kubeconfig = {
    .path = "get kubeconfig",
    .summary = "print a cluster's kubeconfig",
    .options = kubeconfig_options,
    .options_size = sizeof(struct get_options),
    .uses = USES_ENGINE | FILTERS_FLEET,
    .exits = EXITS_AS_UPSTREAM,
    .examples = (const char *const[]){"kind get kubeconfig --name ci > ci.conf", NULL},
    .run = run_kubeconfig,
};
