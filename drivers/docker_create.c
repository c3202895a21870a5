/* A node's container: made, started, stopped ones started again, and deleted. */
#include "drivers/docker_flow.h"

#include "drivers/docker_info.h"
#include <string.h>

enum { CREATE_MS = 60 * 1000, START_MS = 60 * 1000, DELETE_MS = 120 * 1000 };

/* The name is taken: by a node of ours that another round made, or by a stranger? */
static enum step_status name_taken(struct flow *flow, const struct answer *answer,
                                   struct error **err)
{
    struct docker_flow *df = docker_flow_of(flow);
    json_t *seen = json_loadb(answer->body, answer->length, 0, NULL);
    const json_t *labels = json_object_get(json_object_get(seen, "Config"), "Labels");
    const char *owner = json_string_value(json_object_get(labels, LABEL_OWNER));
    const char *cluster = json_string_value(json_object_get(labels, LABEL_CLUSTER));
    bool ours = owner && cluster && strcmp(owner, df->docker->options.fleet) == 0 &&
                strcmp(cluster, df->cluster) == 0;
    json_decref(seen);
    if (ours)
        error_set(err, ERROR_CONFLICT, "container %s has appeared meanwhile",
                  df->input.action->subject);
    else
        error_set(err, ERROR_INVALID,
                  "the name %s is taken by a container that fleet '%s' did not make; it is left "
                  "alone: rename the cluster, or remove that container yourself",
                  df->input.action->subject, df->docker->options.fleet);
    return STEP_FAILED;
}

enum step_status docker_create(struct flow *flow, const struct answer *answer, struct error **err)
{
    struct docker_flow *df = docker_flow_of(flow);
    if (!answer) {
        char *body = docker_body(df, err);
        if (!body)
            return STEP_FAILED;
        port_release(&df->port_hold);
        const char *base = arena_format(flow->arena, "/containers/create?name=");
        flow_send(flow, "POST", docker_path(flow, base, df->input.action->subject), body);
        free(body);
        return STEP_WAITING;
    }
    if (flow->turn == 2)
        return name_taken(flow, answer, err);
    if (answer->status == 409) {
        flow_send(flow, "GET",
                  arena_format(flow->arena, "/containers/%s/json", df->input.action->subject),
                  NULL);
        return STEP_WAITING;
    }
    if (answer->status != 201)
        return docker_refused(flow, answer, "create the container", err);
    json_t *created = json_loadb(answer->body, answer->length, 0, NULL);
    struct node_state *made = arena_alloc(flow->arena, sizeof(*made));
    made->name = df->input.action->subject;
    made->id = arena_string(flow->arena, json_string_value(json_object_get(created, "Id")));
    json_decref(created);
    if (!made->id)
        return docker_refused(flow, answer, "create the container", err);
    df->found = made;
    df->is_new = true;
    return STEP_DONE;
}

static bool is_port_trouble(const char *message)
{
    return strstr(message, "port is already allocated") ||
           strstr(message, "address already in use");
}

static bool is_address_trouble(const char *message)
{
    return strstr(message, "Address already in use") != NULL;
}

/* What follows the last colon of a nested message. */
static const char *last_part(const char *message)
{
    const char *colon = strrchr(message, ':');
    return colon && colon[1] == ' ' ? colon + 2 : message;
}

/* "127.0.0.1:6443" out of the engine's words on a port that is taken; "" if they are others. */
static const char *port_of(struct flow *flow, const char *message)
{
    const char *begin = strstr(message, "Bind for "); /* by another container */
    if (begin) {
        begin += strlen("Bind for ");
        return arena_format(flow->arena, "%.*s ", (int)strcspn(begin, " "), begin);
    }
    begin = strstr(message, ": listen "); /* by a process: "listen tcp4 127.0.0.1:6443: bind" */
    begin = begin ? strchr(begin + strlen(": listen "), ' ') : NULL;
    const char *end = begin ? strstr(begin, ": bind:") : NULL;
    return end ? arena_format(flow->arena, "%.*s ", (int)(end - begin - 1), begin + 1) : "";
}

/* Why a container did not start, in words that say what to do. */
void docker_explain_start(struct flow *flow, const struct answer *answer, struct error **err)
{
    const char *message = docker_message(flow, answer);
    if (is_address_trouble(message))
        error_set(err, ERROR_CONFLICT, "start the container: the engine says: %s", message);
    else if (is_port_trouble(message))
        error_set(err, ERROR_UNAVAILABLE,
                  "host port %sis in use (the engine says: %s); stop what listens there, or change "
                  "apiServerPort or extraPortMappings (0 picks a free port)",
                  port_of(flow, message), last_part(message));
    else
        error_set(err, ERROR_UNAVAILABLE, "start the container: the engine says: %s", message);
}

/* A new container that cannot start is removed again: it holds nothing, and its port was wrong. */
enum step_status docker_start_new(struct flow *flow, const struct answer *answer,
                                  struct error **err)
{
    struct docker_flow *df = docker_flow_of(flow);
    if (!answer) {
        flow_send(flow, "POST", arena_format(flow->arena, "/containers/%s/start", df->found->id),
                  NULL);
        return STEP_WAITING;
    }
    if (flow->turn == 2) {
        error_set(err, ERROR_UNAVAILABLE, "%s", df->trouble);
        return STEP_FAILED;
    }
    if (answer->status == 204 || answer->status == 304)
        return STEP_DONE;
    struct error *why = NULL;
    docker_explain_start(flow, answer, &why);
    df->trouble = arena_string(flow->arena, why->message);
    error_free(why);
    flow_send(flow, "DELETE",
              arena_format(flow->arena, "/containers/%s?force=1&v=1", df->found->id), NULL);
    return STEP_WAITING;
}

#define DOCKER_BOOT                                                                                \
    {.name = "boot", .run = docker_await_boot, .timeout_ms = 90000, .poll_ms = 200},               \
    {                                                                                              \
        .name = "wait for containerd", .run = docker_await_containerd, .timeout_ms = 90000,        \
        .poll_ms = 100                                                                             \
    }

const struct step docker_create_steps[] = {
    DOCKER_REACH,
    DOCKER_INFO,
    {.name = "choose the image", .run = docker_choose_image, .timeout_ms = DOCKER_REQUEST_MS},
    {.name = "look for one set aside", .run = docker_inherit, .timeout_ms = DOCKER_REQUEST_MS},
    {.name = "choose an address", .run = docker_choose_address, .timeout_ms = DOCKER_REQUEST_MS},
    {.name = "create the container", .run = docker_create, .timeout_ms = CREATE_MS},
    {.name = "start the container", .run = docker_start_new, .timeout_ms = START_MS},
    DOCKER_BOOT,
    {.name = "patch containerd", .run = docker_patch_containerd, .timeout_ms = 60000},
    {0},
};

enum step_status docker_start_found(struct flow *flow, const struct answer *answer,
                                    struct error **err)
{
    struct docker_flow *df = docker_flow_of(flow);
    bool paused = df->found->status == CONTAINER_PAUSED;
    if (!answer) {
        flow_send(flow, "POST",
                  arena_format(flow->arena, "/containers/%s/%s", df->found->id,
                               paused ? "unpause" : "start"),
                  NULL);
        return STEP_WAITING;
    }
    if (answer->status == 204 || answer->status == 304)
        return STEP_DONE;
    docker_explain_start(flow, answer, err);
    return STEP_FAILED;
}

const struct step docker_start_steps[] = {
    DOCKER_REACH,
    DOCKER_FIND,
    {.name = "start the container", .run = docker_start_found, .timeout_ms = START_MS},
    DOCKER_BOOT,
    {0},
};

/* Deletes and makes sure: the engine may say yes before the container is gone. */
static enum step_status delete_container(struct flow *flow, const struct answer *answer,
                                         struct error **err)
{
    struct docker_flow *df = docker_flow_of(flow);
    if (!df->found)
        return STEP_DONE;
    if (!answer) {
        flow_send(flow, "DELETE",
                  arena_format(flow->arena, "/containers/%s?force=1&v=1", df->found->id), NULL);
        return STEP_WAITING;
    }
    if (answer->status == 204 || answer->status == 404)
        return STEP_DONE;
    flow->waiting_for = docker_message(flow, answer);
    if (answer->status == 409)
        return STEP_AGAIN; /* somebody else's removal is in progress */
    return docker_refused(flow, answer, "delete the container", err);
}

const struct step docker_delete_steps[] = {
    DOCKER_REACH,
    DOCKER_FIND,
    {.name = "look who has its data",
     .run = docker_check_succeeded,
     .timeout_ms = DOCKER_REQUEST_MS},
    {.name = "delete the container",
     .run = delete_container,
     .timeout_ms = DELETE_MS,
     .poll_ms = 200},
    {0},
};
