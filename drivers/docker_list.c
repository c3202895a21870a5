/* Containers of clusters: the list, its parsing, and the node that an action is about. */
#include "drivers/docker_flow.h"

#include "drivers/json_list.h"
#include <stdlib.h>
#include <string.h>

static const char *get_string(struct arena *arena, const json_t *object, const char *key)
{
    const char *value = json_string_value(json_object_get(object, key));
    return value && *value ? arena_string(arena, value) : NULL;
}

static enum container_status status_of(const char *word)
{
    static const struct {
        const char *word;
        enum container_status status;
    } words[] = {
        {"created", CONTAINER_CREATED},       {"configured", CONTAINER_CREATED},
        {"initialized", CONTAINER_CREATED},   {"running", CONTAINER_RUNNING},
        {"stopping", CONTAINER_RUNNING},      {"paused", CONTAINER_PAUSED},
        {"restarting", CONTAINER_RESTARTING}, {"removing", CONTAINER_REMOVING},
        {"exited", CONTAINER_EXITED},         {"stopped", CONTAINER_EXITED},
    };
    for (size_t i = 0; word && i < sizeof(words) / sizeof(words[0]); i++)
        if (strcmp(word, words[i].word) == 0)
            return words[i].status;
    return CONTAINER_DEAD;
}

/* The published port of the API server, if the container runs. */
static void parse_ports(struct arena *arena, const json_t *ports, struct node_state *node)
{
    size_t index;
    const json_t *port;
    json_array_foreach(ports, index, port)
    {
        json_int_t public = json_integer_value(json_object_get(port, "PublicPort"));
        if (json_integer_value(json_object_get(port, "PrivatePort")) != 6443 || public <= 0 ||
            public > UINT16_MAX)
            continue;
        node->api_host = get_string(arena, port, "IP");
        node->api_port = (uint16_t) public;
        return;
    }
}

static void parse_networks(struct arena *arena, const json_t *networks, struct node_state *node)
{
    const char *name;
    json_t *network;
    json_object_foreach((json_t *)(uintptr_t)networks, name, network)
    {
        node->several_networks = json_object_size(networks) > 1;
        node->network = arena_string(arena, name);
        node->ipv4 = get_string(arena, network, "IPAddress");
        node->ipv6 = get_string(arena, network, "GlobalIPv6Address");
        node->loose = !get_string(arena, json_object_get(network, "IPAMConfig"), "IPv4Address");
        return;
    }
}

static bool is_carrier(const char *name, const char *role)
{
    size_t length = strlen(name), suffix = strlen(STATE_CARRIER_SUFFIX);
    return role && strcmp(role, node_role_name(NODE_CONTROL_PLANE)) == 0 && length > suffix &&
           strcmp(name + length - suffix, STATE_CARRIER_SUFFIX) == 0;
}

/* One element of the list; returns its cluster, or NULL for an odd one. */
static const char *parse_node(struct arena *arena, const json_t *item, struct node_state *node)
{
    const json_t *labels = json_object_get(item, "Labels");
    const char *cluster = get_string(arena, labels, LABEL_CLUSTER);
    const char *name = json_string_value(json_array_get(json_object_get(item, "Names"), 0));
    const char *id = get_string(arena, item, "Id");
    if (!cluster || !name || !id)
        return NULL;
    const char *role = get_string(arena, labels, LABEL_ROLE);
    const char *image = get_string(arena, item, "Image");
    *node = (struct node_state){
        .name = arena_string(arena, name + (*name == '/')),
        .id = id,
        .role = is_carrier(name, role) ? ROLE_CARRIER
                : role                 ? role
                                       : "",
        .image = image ? image : "",
        .owner = get_string(arena, labels, LABEL_OWNER),
        .shape = get_string(arena, labels, LABEL_SHAPE),
        .created_at_s = (uint64_t)json_integer_value(json_object_get(item, "Created")),
        .status = status_of(json_string_value(json_object_get(item, "State"))),
    };
    parse_ports(arena, json_object_get(item, "Ports"), node);
    const json_t *networks = json_object_get(json_object_get(item, "NetworkSettings"), "Networks");
    parse_networks(arena, networks, node);
    node->detached = node->status == CONTAINER_RUNNING && json_is_object(networks) &&
                     !json_object_size(networks);
    return cluster;
}

struct member {
    const char *cluster;
    struct node_state node;
};

static int member_order(const void *left, const void *right)
{
    const struct member *a = left, *b = right;
    int order = strcmp(a->cluster, b->cluster);
    return order ? order : strcmp(a->node.name, b->node.name);
}

/* Sorted members to clusters; nodes of one cluster become one array. */
static void group_members(struct arena *arena, const struct member *members, size_t count,
                          struct fleet_state *fleet)
{
    struct cluster_state *clusters = arena_array(arena, count, sizeof(*clusters));
    struct node_state *nodes = arena_array(arena, count, sizeof(*nodes));
    size_t cluster_count = 0;
    for (size_t i = 0; i < count; i++) {
        nodes[i] = members[i].node;
        if (i == 0 || strcmp(members[i].cluster, members[i - 1].cluster) != 0)
            clusters[cluster_count++] =
                (struct cluster_state){.name = members[i].cluster, .nodes = &nodes[i]};
        clusters[cluster_count - 1].node_count++;
    }
    *fleet = (struct fleet_state){.clusters = clusters, .cluster_count = cluster_count};
}

int docker_parse_list(struct arena *arena, const char *body, size_t length,
                      struct fleet_state *fleet, struct error **err)
{
    struct json_list list = {.at = body, .end = body + length};
    struct member *members = NULL, member;
    cleanup_error struct error *odd = NULL;
    size_t count = 0;
    for (json_t *item; json_list_next(&list, &item, &odd); json_decref(item)) {
        member.cluster = parse_node(arena, item, &member.node);
        if (!member.cluster)
            continue;
        members = arena_grow(arena, members, count, sizeof(*members));
        members[count++] = member;
    }
    if (odd)
        return error_set(err, ERROR_UNAVAILABLE,
                         "the engine's list of containers is no JSON list: %s", odd->message);
    if (count)
        qsort(members, count, sizeof(*members), member_order);
    group_members(arena, members, count, fleet);
    return 0;
}

struct node_state docker_copy_node(struct arena *arena, const struct node_state *node)
{
    struct node_state copy = *node;
    copy.name = arena_string(arena, node->name);
    copy.id = arena_string(arena, node->id);
    copy.role = arena_string(arena, node->role);
    copy.image = arena_string(arena, node->image);
    copy.owner = arena_string(arena, node->owner);
    copy.shape = arena_string(arena, node->shape);
    copy.network = arena_string(arena, node->network);
    copy.ipv4 = arena_string(arena, node->ipv4);
    copy.ipv6 = arena_string(arena, node->ipv6);
    copy.api_host = arena_string(arena, node->api_host);
    return copy;
}

bool docker_is_control_plane(const struct node_state *node)
{
    return strcmp(node->role, node_role_name(NODE_CONTROL_PLANE)) == 0;
}

bool docker_is_balancer(const struct node_state *node)
{
    return strcmp(node->role, ROLE_BALANCER) == 0;
}

const struct node_state *docker_speaker(const struct cluster_state *state)
{
    const struct node_state *first = NULL;
    for (size_t i = 0; i < state->node_count; i++) {
        const struct node_state *node = &state->nodes[i];
        if (!docker_is_control_plane(node))
            continue;
        if (node->status == CONTAINER_RUNNING)
            return node;
        first = first ? first : node;
    }
    return first;
}

const struct node_state *docker_entrance(const struct cluster_state *state)
{
    for (size_t i = 0; i < state->node_count; i++)
        if (docker_is_balancer(&state->nodes[i]))
            return &state->nodes[i];
    return docker_speaker(state);
}

static void copy_clusters(struct arena *arena, const struct fleet_state *from,
                          struct fleet_state *to)
{
    struct cluster_state *clusters = arena_array(arena, from->cluster_count, sizeof(*clusters));
    for (size_t i = 0; i < from->cluster_count; i++) {
        const struct cluster_state *cluster = &from->clusters[i];
        struct node_state *nodes = arena_array(arena, cluster->node_count, sizeof(*nodes));
        for (size_t j = 0; j < cluster->node_count; j++)
            nodes[j] = docker_copy_node(arena, &cluster->nodes[j]);
        clusters[i] = *cluster;
        clusters[i].name = arena_string(arena, cluster->name);
        clusters[i].nodes = nodes;
    }
    *to = (struct fleet_state){.clusters = clusters, .cluster_count = from->cluster_count};
}

/* --- Clusters that were adopted. --- */

/* The control plane that can tell whose its cluster is, where containers do not; or NULL. */
static const struct node_state *whom_to_ask(const struct docker_flow *df,
                                            const struct cluster_state *cluster)
{
    bool unlabelled = false;
    for (size_t i = 0; i < cluster->node_count; i++)
        unlabelled = unlabelled || !cluster->nodes[i].owner;
    for (size_t i = 0; unlabelled && !df->docker->options.any_owner && i < cluster->node_count; i++)
        if (docker_is_readable(&cluster->nodes[i]))
            return &cluster->nodes[i];
    return NULL;
}

/* What cannot be read names nobody: then it is nobody's of us. */
static void take_adopter(struct arena *arena, const struct answer *answer,
                         struct cluster_state *cluster)
{
    struct marks marks = {0};
    const char *target = docker_link_target(arena, answer);
    if (target)
        (void)marks_parse(arena, target, &marks);
    if (!marks.owner)
        return;
    struct node_state *nodes = arena_array(arena, cluster->node_count, sizeof(*nodes));
    for (size_t i = 0; i < cluster->node_count; i++) {
        nodes[i] = cluster->nodes[i];
        nodes[i].owner = nodes[i].owner ? nodes[i].owner : marks.owner;
    }
    cluster->nodes = nodes;
}

static void begin_asking(struct docker_flow *df, struct arena *arena,
                         const struct fleet_state *fleet)
{
    df->listed = arena_array(arena, fleet->cluster_count, sizeof(*df->listed));
    df->listed_count = fleet->cluster_count;
    for (size_t i = 0; i < fleet->cluster_count; i++)
        df->listed[i] = fleet->clusters[i];
    df->asked = 0;
}

/*
 * Labels cannot be given later, so a note in the cluster tells who adopted it
 * (marks.h). Only clusters with containers that have no owner are asked; answer
 * NULL: none has been yet. STEP_DONE: *fleet is all that was listed.
 */
static enum step_status ask_adopters(struct flow *flow, const struct answer *answer,
                                     struct arena *arena, struct fleet_state *fleet)
{
    struct docker_flow *df = docker_flow_of(flow);
    for (; df->asked < df->listed_count; df->asked++) {
        const struct node_state *node = whom_to_ask(df, &df->listed[df->asked]);
        if (!node)
            continue;
        if (!answer) {
            docker_look_at_link(flow, node->id);
            return STEP_WAITING;
        }
        take_adopter(arena, answer, &df->listed[df->asked]);
        answer = NULL;
    }
    *fleet = (struct fleet_state){.clusters = df->listed, .cluster_count = df->listed_count};
    df->listed = NULL;
    return STEP_DONE;
}

/* --- Lists. --- */

static int take_list(struct docker_flow *df, const struct answer *answer, struct error **err)
{
    struct snapshot *snapshot = &df->docker->snapshot;
    if (answer->status != 200) {
        (void)docker_refused(&df->flow, answer, "list containers", err);
        return -1;
    }
    arena_free(snapshot->arena);
    *snapshot = (struct snapshot){0};
    struct fleet_state fleet = {0};
    if (docker_parse_list(df->into, answer->body, answer->length, &fleet, err))
        return -1; /* nothing was seen: that is no empty fleet for those who look next */
    begin_asking(df, df->into, &fleet);
    return 0;
}

/* For those who look next; unless something was told meanwhile, which it may not know. */
static void keep_list(struct docker_flow *df)
{
    struct snapshot *snapshot = &df->docker->snapshot;
    if (df->happenings != df->docker->happenings)
        return;
    arena_free(snapshot->arena); /* another's, who has listed at the same time */
    snapshot->arena = arena_new();
    copy_clusters(snapshot->arena, df->fleet, &snapshot->fleet);
    snapshot->served = arena_array(snapshot->arena, df->fleet->cluster_count, sizeof(bool));
    snapshot->stale = arena_array(snapshot->arena, df->fleet->cluster_count, sizeof(bool));
    snapshot->taken_at_ms = df->flow.transport->now_ms(df->flow.transport);
}

/* Lists all clusters and keeps the list. */
static enum step_status list_all(struct flow *flow, const struct answer *answer, struct error **err)
{
    struct docker_flow *df = docker_flow_of(flow);
    if (!answer) {
        df->happenings = df->docker->happenings;
        df->listed = NULL;
        flow_send_request(
            flow,
            docker_path(flow,
                        "/containers/json?all=1&filters=", "{\"label\":[\"" LABEL_CLUSTER "\"]}"),
            (struct request){.method = "GET", .reply_bytes_max = (size_t)256 * 1024 * 1024});
        return STEP_WAITING;
    }
    if (!df->listed) {
        if (take_list(df, answer, err))
            return STEP_FAILED;
        answer = NULL;
    }
    if (ask_adopters(flow, answer, df->into, df->fleet) != STEP_DONE)
        return STEP_WAITING;
    if (docker_is_behind(df, df->fleet))
        return STEP_AGAIN;
    keep_list(df);
    return STEP_DONE;
}

const struct step docker_list_steps[] = {
    DOCKER_REACH,
    {.name = "list containers", .run = list_all, .timeout_ms = 30000, .poll_ms = DOCKER_BEHIND_MS},
    {0},
};

/* Which container the action is about: its subject, or the one that speaks for the cluster. */
static const struct node_state *pick(struct docker_flow *df, const struct cluster_state *cluster)
{
    enum action_kind kind = df->input.action->kind;
    bool by_name = df->node || kind == ACTION_DELETE_NODE || kind == ACTION_START_NODE ||
                   kind == ACTION_REVIVE || kind == ACTION_REROUTE || kind == ACTION_READDRESS ||
                   kind == ACTION_STOP_NODE || kind == ACTION_ENDPOINT;
    /* A node leaves whether or not its container is there: the others do it. */
    if (!by_name || kind == ACTION_DRAIN || kind == ACTION_LEAVE_ETCD || kind == ACTION_SAVE_ETCD)
        return df->speaker;
    for (size_t i = 0; i < cluster->node_count; i++)
        if (strcmp(cluster->nodes[i].name, df->input.action->subject) == 0)
            return &cluster->nodes[i];
    return NULL;
}

enum step_status docker_list_cluster(struct flow *flow, const struct answer *answer,
                                     struct fleet_state *fleet, struct error **err)
{
    struct docker_flow *df = docker_flow_of(flow);
    if (!answer) {
        const char *filter =
            arena_format(flow->arena, "{\"label\":[\"" LABEL_CLUSTER "=%s\"]}", df->cluster);
        df->listed = NULL;
        flow_send(flow, "GET", docker_path(flow, "/containers/json?all=1&filters=", filter), NULL);
        return STEP_WAITING;
    }
    if (df->listed)
        return ask_adopters(flow, answer, flow->arena, fleet);
    if (answer->status != 200)
        return docker_refused(flow, answer, "list containers", err);
    struct fleet_state listed = {0};
    if (docker_parse_list(flow->arena, answer->body, answer->length, &listed, err))
        return STEP_FAILED;
    begin_asking(df, flow->arena, &listed);
    return ask_adopters(flow, NULL, flow->arena, fleet);
}

/* A node that comes or goes does not speak for the cluster, if another can. */
static bool speaks_by_others(const struct docker_flow *df)
{
    enum action_kind kind = df->input.action->kind;
    return df->speaker && strcmp(df->speaker->name, df->input.action->subject) == 0 &&
           (kind == ACTION_JOIN || kind == ACTION_DRAIN || kind == ACTION_LEAVE_ETCD ||
            kind == ACTION_SAVE_ETCD);
}

const struct node_state *docker_next_speaker(const struct docker_flow *df)
{
    const struct node_state *first = NULL;
    bool passed = false;
    for (size_t i = 0; i < df->seen->node_count; i++) {
        const struct node_state *node = &df->seen->nodes[i];
        bool speaks = docker_is_control_plane(node) && node->status == CONTAINER_RUNNING &&
                      docker_is_ours(df, node) &&
                      strcmp(node->name, df->input.action->subject) != 0;
        if (speaks && passed)
            return node;
        if (speaks && !first)
            first = node;
        passed = passed || node == df->speaker;
    }
    return first ? first : df->speaker;
}

void docker_take_seen(struct docker_flow *df, const struct fleet_state *fleet)
{
    const struct cluster_state *cluster = fleet_state_find(fleet, df->cluster);
    struct cluster_state *seen = arena_alloc(df->flow.arena, sizeof(*seen));
    if (cluster)
        *seen = *cluster;
    df->seen = seen;
    df->speaker = docker_speaker(seen);
    if (speaks_by_others(df))
        df->speaker = docker_next_speaker(df);
}

bool docker_is_ours(const struct docker_flow *df, const struct node_state *node)
{
    const struct docker_options *options = &df->docker->options;
    return options->any_owner || (node->owner && strcmp(node->owner, options->fleet) == 0);
}

enum step_status docker_check_owner(struct flow *flow, struct error **err)
{
    const struct docker_flow *df = docker_flow_of(flow);
    if (docker_is_ours(df, df->found))
        return STEP_DONE;
    error_set(err, ERROR_INVALID, "container %s was not made by fleet '%s'; left alone",
              df->found->name, df->docker->options.fleet);
    return STEP_FAILED;
}

enum step_status docker_find_node(struct flow *flow, const struct answer *answer,
                                  struct error **err)
{
    struct docker_flow *df = docker_flow_of(flow);
    struct fleet_state fleet;
    enum step_status listed = docker_list_cluster(flow, answer, &fleet, err);
    if (listed != STEP_DONE)
        return listed;
    docker_take_seen(df, &fleet);
    df->found = pick(df, df->seen);
    if (!df->found && df->input.action->kind == ACTION_DELETE_NODE)
        return STEP_DONE; /* gone already */
    if (!df->found) {
        error_set(err, ERROR_CONFLICT, "the container of %s is gone", df->cluster);
        return STEP_FAILED;
    }
    return docker_check_owner(flow, err);
}
