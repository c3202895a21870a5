/*
 * Who answers to the name of the API's endpoint: a control plane that is the
 * only one has it as an alias, a load balancer as its own name.
 *
 * An engine gives aliases only to a container that it connects. So a running
 * one is disconnected and connected again, with the address that it has; its
 * sockets outlast the second or two that it takes, and its published ports come
 * back. The address is written down in the container before, since the engine
 * forgets it: cut short in between, the next try finds it there.
 */
#include "drivers/docker_flow.h"

#include "base/memory.h"
#include <string.h>

#define ADDRESS_FILE "endpoint.json"

struct attachment {
    const char *network;     /* id; NULL: it is in none of ours */
    const char *ipv4, *ipv6; /* that it was given; NULL: the engine chose one, and may again */
    bool has_alias;
};

static const char *text_of(struct arena *arena, const json_t *object, const char *key)
{
    const char *value = json_string_value(json_object_get(object, key));
    return value && *value ? arena_string(arena, value) : NULL;
}

static const char *alias_of(struct docker_flow *df)
{
    return arena_format(df->flow.arena, "%s" SPEC_BALANCER_SUFFIX, df->cluster);
}

static bool wants_alias(const struct docker_flow *df)
{
    return !df->input.spec->balancer;
}

static bool has_alias(struct docker_flow *df, const json_t *endpoint)
{
    const char *alias = alias_of(df);
    size_t index;
    const json_t *item;
    json_array_foreach(json_object_get(endpoint, "Aliases"), index, item)
    {
        const char *has = json_string_value(item);
        if (has && strcmp(has, alias) == 0)
            return true;
    }
    return false;
}

/*
 * Row of an observation: where the cluster is not well and no load balancer
 * answers to the name, does the control plane that speaks? What cannot be seen
 * changes nothing.
 */
enum step_status docker_look_named(struct flow *flow, const struct answer *answer,
                                   struct error **err)
{
    (void)err;
    struct docker_flow *df = docker_flow_of(flow);
    const struct node_state *speaker = docker_speaker(df->state);
    const struct node_state *entrance = docker_entrance(df->state);
    if (df->state->recorded != SEEN_YES || df->state->ready != SEEN_NO || !speaker ||
        entrance != speaker || speaker->status != CONTAINER_RUNNING)
        return STEP_DONE;
    if (!answer) {
        flow_send(flow, "GET", arena_format(flow->arena, "/containers/%s/json", speaker->id), NULL);
        return STEP_WAITING;
    }
    json_t *container = json_loadb(answer->body, answer->length, 0, NULL);
    const json_t *endpoint =
        json_object_get(json_object_get(json_object_get(container, "NetworkSettings"), "Networks"),
                        df->docker->options.network);
    struct node_state *nodes = arena_array(df->into, df->state->node_count, sizeof(*nodes));
    for (size_t i = 0; i < df->state->node_count; i++)
        nodes[i] = df->state->nodes[i];
    if (!answer->failure && endpoint)
        nodes[speaker - df->state->nodes].named = has_alias(df, endpoint) ? SEEN_YES : SEEN_NO;
    df->state->nodes = nodes;
    json_decref(container);
    return STEP_DONE;
}

static enum step_status look(struct flow *flow, const struct answer *answer, struct error **err)
{
    struct docker_flow *df = docker_flow_of(flow);
    if (!answer) {
        flow_send(flow, "GET", arena_format(flow->arena, "/containers/%s/json", df->found->id),
                  NULL);
        return STEP_WAITING;
    }
    json_t *container = json_loadb(answer->body, answer->length, 0, NULL);
    const json_t *networks =
        json_object_get(json_object_get(container, "NetworkSettings"), "Networks");
    const json_t *endpoint = json_object_get(networks, df->docker->options.network);
    struct attachment *attachment = arena_alloc(flow->arena, sizeof(*attachment));
    const json_t *fixed = json_object_get(endpoint, "IPAMConfig");
    attachment->network = text_of(flow->arena, endpoint, "NetworkID");
    attachment->ipv4 = text_of(flow->arena, fixed, "IPv4Address");
    attachment->ipv6 = text_of(flow->arena, fixed, "IPv6Address");
    attachment->has_alias = has_alias(df, endpoint);
    bool known = answer->status == 200 && json_is_object(networks);
    json_decref(container);
    df->attachment = attachment;
    return known ? STEP_DONE : docker_refused(flow, answer, "look at the container", err);
}

static bool is_done(const struct docker_flow *df)
{
    return df->attachment->network && df->attachment->has_alias == wants_alias(df);
}

/* As IPAMConfig has them. */
static json_t *addresses(const struct attachment *attachment)
{
    json_t *fixed = json_object();
    if (attachment->ipv4)
        json_object_set_new(fixed, "IPv4Address", json_string(attachment->ipv4));
    if (attachment->ipv6)
        json_object_set_new(fixed, "IPv6Address", json_string(attachment->ipv6));
    return fixed;
}

static enum step_status keep_address(struct flow *flow, const struct answer *answer,
                                     struct error **err)
{
    struct docker_flow *df = docker_flow_of(flow);
    if (answer)
        return answer->status == 200 ? STEP_DONE
                                     : docker_refused(flow, answer, "write its address", err);
    if (is_done(df) || !df->attachment->network)
        return STEP_DONE;
    json_t *fixed = addresses(df->attachment);
    cleanup_free char *text = json_dumps(fixed, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(fixed);
    const struct archive_file file = {
        .path = ADDRESS_FILE, .bytes = text, .length = strlen(text), .mode = 0644};
    return docker_write_files(flow, df->found->id, "/kind", &file, 1, err) ? STEP_FAILED
                                                                           : STEP_WAITING;
}

/* The address that an earlier try wrote down, and did not give back. */
static enum step_status recall_address(struct flow *flow, const struct answer *answer,
                                       struct error **err)
{
    struct docker_flow *df = docker_flow_of(flow);
    if (is_done(df) || df->attachment->network)
        return STEP_DONE;
    if (!answer) {
        docker_read_files(flow, df->found->id, "/kind/" ADDRESS_FILE);
        return STEP_WAITING;
    }
    if (docker_files(flow, answer, err))
        return STEP_FAILED;
    const struct archive_file *file = archive_find(&df->files, ADDRESS_FILE);
    json_t *fixed =
        file && file->bytes ? json_loadb(file->bytes, file->length, 0, NULL) : json_object();
    df->attachment->ipv4 = text_of(flow->arena, fixed, "IPv4Address");
    df->attachment->ipv6 = text_of(flow->arena, fixed, "IPv6Address");
    json_decref(fixed);
    return STEP_DONE;
}

static enum step_status disconnect(struct flow *flow, const struct answer *answer,
                                   struct error **err)
{
    struct docker_flow *df = docker_flow_of(flow);
    if (answer)
        return answer->status == 200 || answer->status == 404
                   ? STEP_DONE
                   : docker_refused(flow, answer, "disconnect the container", err);
    if (is_done(df) || !df->attachment->network)
        return STEP_DONE;
    json_t *body = json_pack("{s:s}", "Container", df->found->id);
    cleanup_free char *text = json_dumps(body, JSON_COMPACT);
    json_decref(body);
    flow_send(flow, "POST",
              arena_format(flow->arena, "/networks/%s/disconnect", df->attachment->network), text);
    return STEP_WAITING;
}

static enum step_status connect(struct flow *flow, const struct answer *answer, struct error **err)
{
    struct docker_flow *df = docker_flow_of(flow);
    if (answer)
        return answer->status == 200
                   ? STEP_DONE
                   : docker_refused(flow, answer, "connect the container again", err);
    if (is_done(df))
        return STEP_DONE;
    const char *network =
        df->attachment->network ? df->attachment->network : df->docker->options.network;
    json_t *aliases = json_array();
    if (wants_alias(df))
        json_array_append_new(aliases, json_string(alias_of(df)));
    json_t *body = json_pack("{s:s, s:{s:o, s:o}}", "Container", df->found->id, "EndpointConfig",
                             "IPAMConfig", addresses(df->attachment), "Aliases", aliases);
    cleanup_free char *text = json_dumps(body, JSON_COMPACT);
    json_decref(body);
    flow_send(flow, "POST", arena_format(flow->arena, "/networks/%s/connect", network), text);
    return STEP_WAITING;
}

const struct step docker_alias_steps[] = {
    DOCKER_REACH,
    DOCKER_FIND,
    {.name = "look at its names", .run = look, .timeout_ms = DOCKER_REQUEST_MS},
    {.name = "write its address down", .run = keep_address, .timeout_ms = DOCKER_REQUEST_MS},
    {.name = "recall its address", .run = recall_address, .timeout_ms = DOCKER_REQUEST_MS},
    {.name = "disconnect it", .run = disconnect, .timeout_ms = 30000},
    {.name = "connect it again", .run = connect, .timeout_ms = 30000},
    {0},
};
