/* One look at one cluster: its containers, its record, and what its API says. */
#include "drivers/docker_address.h"
#include "drivers/docker_flow.h"

#include "base/memory.h"
#include <string.h>

/*
 * How long a list stays good for others who look, unless something was changed; and for the first
 * look at each cluster that it shows, so that one list serves a fleet of any size.
 */
enum { SNAPSHOT_MS = 1000, SNAPSHOT_FIRST_MS = 60 * 1000 };

static bool snapshot_fresh(struct docker_flow *df)
{
    struct snapshot *snapshot = &df->docker->snapshot;
    if (!snapshot->arena)
        return false;
    const struct cluster_state *seen = fleet_state_find(&snapshot->fleet, df->cluster);
    bool *served = seen ? &snapshot->served[seen - snapshot->fleet.clusters] : NULL;
    if (seen && snapshot->stale[seen - snapshot->fleet.clusters])
        return false;
    uint64_t age_ms = df->flow.transport->now_ms(df->flow.transport) - snapshot->taken_at_ms;
    bool first = served && !*served;
    if (served)
        *served = true;
    return age_ms <= (first ? SNAPSHOT_FIRST_MS : SNAPSHOT_MS);
}

static void take_nodes(struct docker_flow *df, const struct fleet_state *fleet)
{
    const struct cluster_state *seen = fleet_state_find(fleet, df->cluster);
    *df->state = (struct cluster_state){
        .name = arena_string(df->into, df->cluster),
        .observed_at_ms = df->flow.transport->now_ms(df->flow.transport),
    };
    if (!seen)
        return;
    struct node_state *nodes = arena_array(df->into, seen->node_count, sizeof(*nodes));
    for (size_t i = 0; i < seen->node_count; i++)
        nodes[i] = docker_copy_node(df->into, &seen->nodes[i]);
    df->state->nodes = nodes;
    df->state->node_count = seen->node_count;
}

static enum step_status list_one(struct flow *flow, const struct answer *answer, struct error **err)
{
    struct docker_flow *df = docker_flow_of(flow);
    if (!answer && snapshot_fresh(df)) {
        take_nodes(df, &df->docker->snapshot.fleet);
        return STEP_DONE;
    }
    struct fleet_state fleet;
    enum step_status listed = docker_list_cluster(flow, answer, &fleet, err);
    if (listed != STEP_DONE)
        return listed;
    if (docker_is_behind(df, &fleet))
        return STEP_AGAIN;
    take_nodes(df, &fleet);
    return STEP_DONE;
}

/* The node whose files and API speak for the cluster, if it is one of ours. */
static const struct node_state *speaker(const struct docker_flow *df)
{
    const struct node_state *node = docker_speaker(df->state);
    return node && node->owner ? node : NULL;
}

static void parse_record(struct docker_flow *df, const struct node_state *node)
{
    const struct archive_file *file = archive_find(&df->files, FACET_RECORD_FILE);
    if (!file && df->has_digest) {
        df->state->message =
            arena_format(df->into, "%s has no /kind/fleet.json beside its digest", node->name);
        return; /* unknown: it was complete once */
    }
    if (!file) {
        df->state->recorded = SEEN_NO;
        return;
    }
    /* There is one, so the set-up was complete once: what it says is unknown, not absent. */
    struct error *broken = NULL;
    df->state->recorded = SEEN_YES;
    if (!file->bytes)
        error_set(&broken, ERROR_INVALID, "it is too long");
    else if (facet_record_parse(df->into, file->bytes, file->length, &df->state->applied, &broken))
        df->state->applied = (struct facet_list){0};
    if (!broken)
        return;
    df->state->recorded = SEEN_UNKNOWN;
    df->state->message =
        arena_format(df->into, "/kind/fleet.json of %s: %s", node->name, broken->message);
    error_free(broken);
}

/*
 * The control plane that is asked for the record: the first by name, which
 * gets it last. Where that has none, because it was made anew, the others are
 * asked: the record is the last thing of a set-up, so it was complete.
 */
static const struct node_state *readable_after(const struct docker_flow *df,
                                               const struct node_state *last)
{
    for (size_t i = last ? (size_t)(last - df->state->nodes) + 1 : 0; i < df->state->node_count;
         i++)
        if (df->state->nodes[i].owner && docker_is_readable(&df->state->nodes[i]))
            return &df->state->nodes[i];
    return NULL;
}

/* Of a control plane that is being replaced the record is in the old container, then in both. */
static const struct node_state *carrier(const struct docker_flow *df)
{
    for (size_t i = 0; i < df->state->node_count; i++) {
        const struct node_state *node = &df->state->nodes[i];
        if (node_state_is_carrier(node) && node->owner)
            return node;
    }
    return NULL;
}

/*
 * With a digest it says that the set-up was complete, and maybe that nothing
 * differs; marks may stand there alone.
 */
static void understand_link(struct docker_flow *df, const char *target)
{
    const char *digest = marks_parse(df->into, target, &df->state->marks);
    df->has_digest = digest != NULL;
    if (!digest)
        return;
    df->state->carried = df->state->succeeded = true;
    if (!df->input.spec) {
        df->state->recorded = SEEN_YES;
        return;
    }
    struct facet_list facets;
    spec_facets(df->into, df->input.spec, &facets);
    if (strcmp(digest, facet_digest(df->flow.arena, &facets)) != 0)
        return; /* the record says what was applied instead */
    df->state->recorded = SEEN_YES;
    df->state->applied = facets;
}

static enum step_status look_digest(struct flow *flow, const struct answer *answer,
                                    struct error **err)
{
    struct docker_flow *df = docker_flow_of(flow);
    if (!answer) {
        df->state->recorded = df->state->node_count ? SEEN_UNKNOWN : SEEN_NO;
        df->state->marked = readable_after(df, NULL) ? SEEN_YES : SEEN_NO;
        df->found = NULL;
    } else if (answer->status != 200 && answer->status != 404) {
        return docker_refused(flow, answer, "look at the record", err);
    }
    const char *target = answer ? docker_link_target(flow->arena, answer) : NULL;
    df->has_link = target != NULL;
    if (target)
        understand_link(df, target);
    if (df->has_digest) {
        df->state->record_partial = df->found != readable_after(df, NULL);
        return STEP_DONE;
    }
    df->found = readable_after(df, df->found);
    if (!df->found)
        return STEP_DONE;
    docker_look_at_link(flow, df->found->id);
    return STEP_WAITING;
}

/* Of the one that has the link, which is written beside it; else of the first. */
static enum step_status read_record(struct flow *flow, const struct answer *answer,
                                    struct error **err)
{
    struct docker_flow *df = docker_flow_of(flow);
    const struct node_state *node = df->found ? df->found : readable_after(df, NULL);
    if (!node || df->state->recorded == SEEN_YES)
        return STEP_DONE;
    if (!answer) {
        docker_read_files(flow, node->id, "/kind/" FACET_RECORD_FILE);
        return STEP_WAITING;
    }
    if (answer->status == 404 && strstr(answer->body, "No such container")) {
        /* It went a moment ago: what it held is not known, and others may hold it, too. */
        error_set(err, ERROR_CONFLICT, "the container of %s is gone", node->name);
        return STEP_FAILED;
    }
    if (docker_files(flow, answer, err))
        return STEP_FAILED;
    parse_record(df, node);
    df->state->carried = df->state->recorded != SEEN_NO;
    return STEP_DONE;
}

/* Its marks hold until the new one has some, and its record until that has one. */
static enum step_status read_carried_record(struct flow *flow, const struct answer *answer,
                                            struct error **err)
{
    struct docker_flow *df = docker_flow_of(flow);
    const struct node_state *old = carrier(df);
    if (!old || df->state->succeeded)
        return STEP_DONE;
    if (flow->turn == 0) {
        const char *base = arena_format(flow->arena, "/containers/%s/archive?path=", old->id);
        flow_send(flow, "HEAD", docker_path(flow, base, "/kind/" FACET_DIGEST_LINK), NULL);
        return STEP_WAITING;
    }
    if (flow->turn == 1) {
        const char *target = docker_link_target(flow->arena, answer);
        if (target && !df->has_link)
            (void)marks_parse(df->into, target, &df->state->marks);
        if (df->state->carried)
            return STEP_DONE;
        docker_read_files(flow, old->id, "/kind/" FACET_RECORD_FILE);
        return STEP_WAITING;
    }
    if (docker_files(flow, answer, err))
        return STEP_FAILED;
    df->has_digest = false;
    parse_record(df, old);
    return STEP_DONE;
}

static bool api_published(const struct docker_flow *df)
{
    const struct node_state *node = docker_entrance(df->state);
    return df->state->recorded == SEEN_YES && speaker(df) && node->status == CONTAINER_RUNNING &&
           node->api_port;
}

/* The user's own entry: is it there, and for the port that is published now? */
static enum step_status look_kubeconfig(struct flow *flow, const struct answer *answer,
                                        struct error **err)
{
    (void)answer, (void)err;
    struct docker_flow *df = docker_flow_of(flow);
    if (!api_published(df))
        return STEP_DONE;
    struct error *unreadable = NULL;
    bool found = false;
    if (kubeconfig_file_access(df->docker->kubeconfigs, df->docker->options.kubeconfig, df->cluster,
                               &df->access, &found, &unreadable)) {
        df->state->message = arena_string(df->into, unreadable->message);
        error_free(unreadable);
        return STEP_DONE; /* unknown: an unreadable file is not rewritten */
    }
    df->access_known = found;
    const char *server = docker_api_server(flow->arena, docker_entrance(df->state));
    bool current = found && strcmp(df->access.server, server) == 0;
    df->state->kubeconfig = current ? SEEN_YES : SEEN_NO;
    df->kubeconfig_fresh = current;
    return STEP_DONE;
}

/* The cluster notices after 40 s that a node is gone; the engine knows at once. */
static const char *who_stands_still(struct docker_flow *df)
{
    for (size_t i = 0; i < df->state->node_count; i++) {
        const struct node_state *node = &df->state->nodes[i];
        if (node->status != CONTAINER_RUNNING && !node_state_is_aside(node))
            return arena_format(df->into, "container %s is %s", node->name,
                                container_status_name(node->status));
    }
    return NULL;
}

static const struct node_spec *spec_of(const struct docker_flow *df, const char *name)
{
    for (size_t i = 0; df->input.spec && i < df->input.spec->node_count; i++)
        if (strcmp(df->input.spec->nodes[i].name, name) == 0)
            return &df->input.spec->nodes[i];
    return NULL;
}

/* It says that it is well, and has an address that its container does not have. */
static bool tells_other_address(const struct kube_node *asked, const struct node_state *node)
{
    const struct string_list told = {&asked->address, 1};
    return asked->address && node->status == CONTAINER_RUNNING &&
           docker_address_moved(&told, node) == SEEN_YES;
}

/* What their Nodes tell, into the state of the nodes, which are others from here on. */
static void take_word(struct docker_flow *df)
{
    struct node_state *nodes = arena_array(df->into, df->state->node_count, sizeof(*nodes));
    for (size_t i = 0, asked = 0; i < df->state->node_count; i++) {
        nodes[i] = df->state->nodes[i];
        if (asked >= df->node_count || strcmp(df->nodes[asked].name, nodes[i].name) != 0)
            continue;
        const struct kube_node *told = &df->nodes[asked++];
        nodes[i].drift = told->drift;
        nodes[i].joined = told->joined;
        nodes[i].node_ready = told->ready;
        nodes[i].silent = told->silent;
        nodes[i].trouble = told->trouble;
        nodes[i].given_up = told->given_up;
        if (tells_other_address(told, &nodes[i]))
            nodes[i].moved = SEEN_YES;
    }
    df->state->nodes = nodes;
}

static void understand_nodes(struct docker_flow *df, const struct answer *answer)
{
    struct kube_readiness readiness;
    struct error *odd = NULL;
    kube_expect_nodes(df, df->state, NULL);
    for (size_t i = 0; i < df->node_count; i++) {
        df->nodes[i].spec = spec_of(df, df->nodes[i].name);
        df->nodes[i].leaves = df->input.spec && !df->nodes[i].spec;
    }
    if (kube_read_nodes(df->into, answer->body, answer->length, df->nodes, df->node_count,
                        &readiness, &odd)) {
        df->state->message = arena_string(df->into, odd->message);
        error_free(odd);
        return;
    }
    take_word(df);
    const char *still = who_stands_still(df);
    if (still)
        readiness.message = still;
    df->state->ready_count = readiness.ready;
    df->state->version = readiness.version;
    df->state->ready = !readiness.message && readiness.total > 0 ? SEEN_YES : SEEN_NO;
    df->state->message = readiness.message;
}

/* The API does not let us in with the user's entry: it is of an older cluster of that name. */
static bool entry_is_stale(const struct answer *answer)
{
    if (answer->failure)
        return answer->failure->kind == ERROR_INVALID; /* the certificate is another's */
    return answer->status == 401 || answer->status == 403;
}

static enum step_status ask_api(struct flow *flow, const struct answer *answer, struct error **err)
{
    (void)err;
    struct docker_flow *df = docker_flow_of(flow);
    if (!api_published(df) || !df->access_known)
        return STEP_DONE;
    if (!answer) {
        if (!df->kubeconfig_fresh)
            return STEP_DONE;
        kube_send(flow, "GET", "/api/v1/nodes?resourceVersion=0", NULL, NULL);
        return STEP_WAITING;
    }
    if (entry_is_stale(answer)) {
        df->state->kubeconfig = SEEN_NO;
        df->kubeconfig_fresh = false;
    } else if (answer->failure) {
        df->state->ready = SEEN_NO;
        df->state->message =
            arena_format(df->into, "the API does not answer: %s", answer->failure->message);
    } else if (answer->status != 200) {
        df->state->ready = SEEN_NO;
        df->state->message =
            arena_format(df->into, "the API answers with status %d", answer->status);
    } else {
        understand_nodes(df, answer);
    }
    return STEP_DONE;
}

const struct step docker_observe_steps[] = {
    DOCKER_REACH,
    {.name = "list containers", .run = list_one, .timeout_ms = 30000, .poll_ms = DOCKER_BEHIND_MS},
    {.name = "look at the record", .run = look_digest, .timeout_ms = 10000},
    {.name = "read the record", .run = read_record, .timeout_ms = 10000},
    {.name = "read the record set aside", .run = read_carried_record, .timeout_ms = 10000},
    {.name = "read the kubeconfig", .run = look_kubeconfig, .timeout_ms = 10000},
    {.name = "ask the cluster", .run = ask_api, .timeout_ms = 15000, .tolerant = true},
    {.name = "look at the addresses",
     .run = docker_look_addresses,
     .timeout_ms = 30000,
     .tolerant = true},
    {.name = "look at its names", .run = docker_look_named, .timeout_ms = 10000, .tolerant = true},
    {0},
};

const struct step docker_look_steps[] = {
    DOCKER_REACH,
    {.name = "list containers", .run = list_one, .timeout_ms = 30000, .poll_ms = DOCKER_BEHIND_MS},
    {.name = "look at the record", .run = look_digest, .timeout_ms = 10000},
    {0},
};

static enum step_status take_admin(struct flow *flow, const struct answer *answer,
                                   struct error **err)
{
    struct docker_flow *df = docker_flow_of(flow);
    const struct archive_file *file;
    enum step_status read = docker_admin_conf(flow, answer, &file, err);
    if (read != STEP_DONE)
        return read;
    const char *server = docker_user_server(df, err);
    if (!server)
        return STEP_FAILED;
    df->admin->admin_conf = arena_string_n(df->into, file->bytes, file->length);
    df->admin->server = arena_string(df->into, server);
    return STEP_DONE;
}

const struct step docker_admin_steps[] = {
    DOCKER_REACH,
    DOCKER_FIND,
    {.name = "read the admin credentials", .run = take_admin, .timeout_ms = 10000},
    {0},
};
