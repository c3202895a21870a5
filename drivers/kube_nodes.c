/* What a cluster's API says of its nodes: which are Ready, and why others are not. */
#include "drivers/docker_flow.h"
#include "drivers/kube_settings.h"

#include <string.h>
#include <time.h>

const json_t *kube_ready_condition(const json_t *node)
{
    const json_t *conditions = json_object_get(json_object_get(node, "status"), "conditions");
    size_t index;
    const json_t *condition;
    json_array_foreach(conditions, index, condition)
    {
        const char *type = json_string_value(json_object_get(condition, "type"));
        if (type && strcmp(type, "Ready") == 0)
            return condition;
    }
    return NULL;
}

static bool condition_true(const json_t *condition)
{
    const char *status = json_string_value(json_object_get(condition, "status"));
    return status && strcmp(status, "True") == 0;
}

static const char *name_of(const json_t *node)
{
    const char *name =
        json_string_value(json_object_get(json_object_get(node, "metadata"), "name"));
    return name ? name : "?";
}

static const char *why_not_ready(struct arena *arena, const json_t *node)
{
    const json_t *condition = kube_ready_condition(node);
    const char *message = json_string_value(json_object_get(condition, "message"));
    return arena_format(arena, "node %s is not Ready: %s", name_of(node),
                        message ? message : "it has not reported yet");
}

long long kube_time(const char *text)
{
    struct tm parts = {0};
    long long seconds = strptime(text, "%Y-%m-%dT%H:%M:%S", &parts) ? timegm(&parts) : 0;
    return seconds > 0 ? seconds : 0;
}

static bool is_of(const struct cluster_spec *spec, const char *name)
{
    bool found = !spec;
    for (size_t i = 0; spec && i < spec->node_count; i++)
        found = found || strcmp(spec->nodes[i].name, name) == 0;
    return found;
}

void kube_expect_nodes(struct docker_flow *df, const struct cluster_state *state,
                       const struct cluster_spec *spec)
{
    df->nodes = arena_array(df->flow.arena, state->node_count, sizeof(*df->nodes));
    df->node_count = 0;
    for (size_t i = 0; i < state->node_count; i++)
        if (!docker_is_balancer(&state->nodes[i]) && !node_state_is_aside(&state->nodes[i]) &&
            is_of(spec, state->nodes[i].name))
            df->nodes[df->node_count++] = (struct kube_node){
                .name = state->nodes[i].name, .made_s = (long long)state->nodes[i].created_at_s};
}

static const json_t *find_node(const json_t *items, const char *name)
{
    size_t index;
    const json_t *node;
    json_array_foreach(items, index, node)
    {
        if (strcmp(name_of(node), name) == 0)
            return node;
    }
    return NULL;
}

/* Why a node that is expected does not count yet; NULL if it does. */
static const char *why_not_expected(struct arena *arena, const json_t *node,
                                    const struct kube_node *expected)
{
    if (!node)
        return arena_format(arena, "node %s has not registered", expected->name);
    const json_t *condition = kube_ready_condition(node);
    if (!condition_true(condition))
        return why_not_ready(arena, node);
    const char *told = json_string_value(json_object_get(condition, "lastHeartbeatTime"));
    if (expected->since_s && (!told || kube_time(told) < expected->since_s))
        return arena_format(arena, "node %s has not reported since it was started", expected->name);
    return NULL;
}

/*
 * A kubelet registers its Node, and from then on tells the Ready condition. One
 * that was last told before the container was made is another container's.
 */
static enum seen has_joined(const json_t *node, const struct kube_node *expected)
{
    const char *told =
        json_string_value(json_object_get(kube_ready_condition(node), "lastHeartbeatTime"));
    if (!told)
        return SEEN_NO;
    return kube_time(told) < expected->made_s ? SEEN_NO : SEEN_YES;
}

const char *kube_node_address(struct arena *arena, const json_t *node)
{
    size_t index;
    const json_t *entry;
    json_array_foreach(json_object_get(json_object_get(node, "status"), "addresses"), index, entry)
    {
        const char *type = json_string_value(json_object_get(entry, "type"));
        if (type && strcmp(type, "InternalIP") == 0)
            return arena_string(arena, json_string_value(json_object_get(entry, "address")));
    }
    return NULL;
}

static const char *string_of(const json_t *object, const char *key)
{
    const char *value = json_string_value(json_object_get(object, key));
    return value ? value : "";
}

/* What it was given up for; as long as it has not been Ready in between. */
static const char *why_given_up(struct arena *arena, const json_t *node, const json_t *ready)
{
    const json_t *annotations = json_object_get(json_object_get(node, "metadata"), "annotations");
    const char *text = string_of(annotations, KUBE_GIVEN_UP);
    const char *since = string_of(ready, "lastTransitionTime");
    size_t length = strlen(since);
    if (!length || strncmp(text, since, length) != 0 || text[length] != ' ')
        return NULL;
    return arena_string(arena, text + length + 1);
}

/* Of a node that joined once and is not Ready. */
static void find_trouble(struct arena *arena, const json_t *node, struct kube_node *expected)
{
    const json_t *ready = kube_ready_condition(node);
    const char *message = string_of(ready, "message");
    expected->silent = strcmp(string_of(ready, "status"), "Unknown") == 0;
    expected->trouble = *message ? arena_string(arena, message) : NULL;
    expected->given_up = why_given_up(arena, node, ready);
}

static void judge(struct arena *arena, const json_t *node, struct kube_node *expected,
                  struct kube_readiness *readiness)
{
    if (node && expected->spec)
        expected->drift = kube_settings_drift(arena, node, expected->spec);
    if (!node && expected->leaves)
        return; /* drained already, or it never joined: only its container is left */
    const char *why = why_not_expected(arena, node, expected);
    expected->joined = has_joined(node, expected);
    expected->ready = why ? SEEN_NO : SEEN_YES;
    expected->address = why ? NULL : kube_node_address(arena, node);
    if (expected->joined == SEEN_YES && !condition_true(kube_ready_condition(node)))
        find_trouble(arena, node, expected);
    readiness->total++;
    readiness->ready += !why;
    if (!readiness->message)
        readiness->message = why;
    const json_t *info = json_object_get(json_object_get(node, "status"), "nodeInfo");
    const char *kubelet = json_string_value(json_object_get(info, "kubeletVersion"));
    if (kubelet && *kubelet && !readiness->version)
        readiness->version = arena_string(arena, kubelet);
}

int kube_read_nodes(struct arena *arena, const char *body, size_t length,
                    struct kube_node *expected, size_t count, struct kube_readiness *readiness,
                    struct error **err)
{
    json_t *list = json_loadb(body, length, 0, NULL);
    const json_t *items = json_object_get(list, "items");
    if (!json_is_array(items)) {
        json_decref(list);
        return error_set(err, ERROR_UNAVAILABLE, "the cluster's answer is no list of nodes");
    }
    *readiness = (struct kube_readiness){0};
    for (size_t i = 0; i < count; i++)
        judge(arena, find_node(items, expected[i].name), &expected[i], readiness);
    json_decref(list);
    return 0;
}
