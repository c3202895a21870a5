/* Node images: which one a node is made of, and having it on the engine. */
#include "drivers/docker_flow.h"

#include "base/memory.h"
#include <string.h>

enum { PULL_IDLE_MS = 120 * 1000, PULL_ROW_MS = 30 * 60 * 1000, PULL_LINE_MAX = 64 * 1024 };

#define LOCAL_PREFIX "kind.local/"

/* NULL means that nothing names one: "default". */
static const char *wanted_image(const struct docker_flow *df)
{
    const struct docker_options *options = &df->docker->options;
    if (df->node)
        return df->node->image ? df->node->image : options->default_image;
    if (df->input.action->kind == ACTION_IMAGE && strcmp(df->input.action->subject, "default") != 0)
        return df->input.action->subject;
    return options->default_image;
}

static void inspect_image(struct flow *flow, const char *image)
{
    /* Slashes and colons of a reference are part of this path; nothing else can be in one. */
    flow_send(flow, "GET", arena_format(flow->arena, "/images/%s/json", image), NULL);
}

static void list_local_images(struct flow *flow)
{
    flow_send(
        flow, "GET",
        docker_path(flow, "/images/json?filters=", "{\"reference\":[\"" LOCAL_PREFIX "node\"]}"),
        NULL);
}

/*
 * The image of the list whose name begins so and whose tag is the highest
 * version, or NULL. Not the youngest: ours are made reproducibly, all at the
 * same moment.
 */
static const char *newest_of(struct flow *flow, const struct answer *answer, const char *prefix)
{
    json_t *list = json_loadb(answer->body, answer->length, 0, NULL);
    const char *newest = NULL;
    size_t index, number;
    const json_t *item, *name;
    json_array_foreach(list, index, item)
    {
        json_array_foreach(json_object_get(item, "RepoTags"), number, name)
        {
            const char *tag = json_string_value(name);
            if (tag && strncmp(tag, prefix, strlen(prefix)) == 0 &&
                (!newest || strverscmp(tag, newest) > 0))
                newest = tag;
        }
    }
    newest = arena_string(flow->arena, newest);
    json_decref(list);
    return newest;
}

enum step_status docker_choose_image(struct flow *flow, const struct answer *answer,
                                     struct error **err)
{
    struct docker_flow *df = docker_flow_of(flow);
    df->image = wanted_image(df);
    if (df->image)
        return STEP_DONE;
    switch (flow->turn) {
    case 0:
        inspect_image(flow, DOCKER_DEFAULT_IMAGE);
        return STEP_WAITING;
    case 1:
        if (answer->status == 200) {
            df->image = DOCKER_DEFAULT_IMAGE;
            return STEP_DONE;
        }
        list_local_images(flow);
        return STEP_WAITING;
    default:
        if (answer->status != 200)
            return docker_refused(flow, answer, "list images", err);
        df->image = newest_of(flow, answer, LOCAL_PREFIX "node:");
        if (!df->image)
            df->image = DOCKER_DEFAULT_IMAGE;
        return STEP_DONE;
    }
}

/* One JSON message of a pull; the last error counts. */
static void pull_line(void *context, const char *line, size_t length)
{
    struct docker_flow *df = context;
    json_t *message = json_loadb(line, length, 0, NULL);
    const json_t *detail = json_object_get(message, "errorDetail");
    const char *error = json_string_value(json_object_get(detail, "message"));
    if (!error)
        error = json_string_value(json_object_get(message, "error"));
    if (error)
        df->trouble = arena_string(df->flow.arena, error);
    json_decref(message);
}

static bool pull_data(void *context, const char *bytes, size_t length)
{
    struct docker_flow *df = docker_flow_of(context);
    line_reader_feed(&df->lines, bytes, length);
    return true;
}

void docker_pull(struct flow *flow, const char *image)
{
    struct docker_flow *df = docker_flow_of(flow);
    if (df->lines_open)
        line_reader_done(&df->lines);
    line_reader_init(&df->lines, PULL_LINE_MAX, pull_line, df);
    df->lines_open = true;
    df->trouble = NULL;
    /* Without a tag the engine would pull all of them. */
    const char *slash = strrchr(image, '/');
    bool bare = !strchr(slash ? slash : image, ':') && !strchr(image, '@');
    const char *reference = arena_format(flow->arena, "%s%s", image, bare ? ":latest" : "");
    struct request request = {
        .method = "POST",
        .idle_ms = PULL_IDLE_MS,
        .on_data = pull_data,
        .one_shot = true,
    };
    flow_send_request(flow, docker_path(flow, "/images/create?fromImage=", reference), request);
}

static enum step_status image_missing(struct flow *flow, const char *image, const char *why,
                                      struct error **err)
{
    (void)flow;
    if (strncmp(image, LOCAL_PREFIX, strlen(LOCAL_PREFIX)) == 0)
        error_set(err, ERROR_INVALID,
                  "image %s is not on this engine; `make node-image` makes it, or name another one",
                  image);
    else
        error_set(err, ERROR_UNAVAILABLE,
                  "image %s is not on this engine and cannot be pulled (%s); name another one with "
                  "`image:` or KIND_NODE_IMAGE, or make one with `make node-image`",
                  image, why);
    return STEP_FAILED;
}

/* After a failed pull of the built-in default: is there one that was made here? */
static enum step_status fall_back(struct flow *flow, const struct answer *answer,
                                  struct error **err)
{
    struct docker_flow *df = docker_flow_of(flow);
    const char *local =
        answer->status == 200 ? newest_of(flow, answer, LOCAL_PREFIX "node:") : NULL;
    if (!local)
        return image_missing(flow, DOCKER_DEFAULT_IMAGE, df->trouble, err);
    flow_note(flow,
              arena_format(flow->arena,
                           "using %s: the default image is neither here nor to be pulled", local));
    return STEP_DONE;
}

/* Looks (turn 1), pulls (turn 2), and for the default falls back (turn 3). */
static enum step_status have_image(struct flow *flow, const struct answer *answer,
                                   struct error **err)
{
    struct docker_flow *df = docker_flow_of(flow);
    const char *named = wanted_image(df);
    const char *image = named ? named : DOCKER_DEFAULT_IMAGE;
    switch (flow->turn) {
    case 0:
        inspect_image(flow, image);
        return STEP_WAITING;
    case 1:
        if (!answer->failure && answer->status == 200)
            return STEP_DONE;
        if (answer->failure || answer->status != 404)
            return docker_refused(flow, answer, "look for the image", err);
        if (strncmp(image, LOCAL_PREFIX, strlen(LOCAL_PREFIX)) == 0)
            return image_missing(flow, image, "", err);
        docker_pull(flow, image);
        return STEP_WAITING;
    case 2:
        line_reader_end(&df->lines);
        if (!answer->failure && answer->status == 200 && !df->trouble)
            return STEP_DONE;
        if (!df->trouble)
            df->trouble = docker_message(flow, answer);
        if (named)
            return image_missing(flow, image, df->trouble, err);
        list_local_images(flow);
        return STEP_WAITING;
    default:
        return fall_back(flow, answer, err);
    }
}

const struct step docker_image_steps[] = {
    DOCKER_REACH,
    {.name = "get the image", .run = have_image, .timeout_ms = PULL_ROW_MS, .tolerant = true},
    {0},
};

/* Looks (turn 1), pulls if there is none of either (turn 2). */
enum step_status docker_balancer_image(struct flow *flow, const struct answer *answer,
                                       struct error **err)
{
    struct docker_flow *df = docker_flow_of(flow);
    if (df->found) /* it is there, and stays what it is */
        return STEP_DONE;
    switch (flow->turn) {
    case 0:
        flow_send(flow, "GET",
                  docker_path(flow, "/images/json?filters=",
                              "{\"reference\":[\"" DOCKER_ENVOY_IMAGE "\",\"" LOCAL_PREFIX
                              "haproxy\"]}"),
                  NULL);
        return STEP_WAITING;
    case 1:
        if (answer->failure || answer->status != 200)
            return docker_refused(flow, answer, "list images", err);
        df->image = newest_of(flow, answer, DOCKER_ENVOY_IMAGE);
        if (!df->image)
            df->image = newest_of(flow, answer, LOCAL_PREFIX "haproxy:");
        if (df->image)
            return STEP_DONE;
        df->image = DOCKER_ENVOY_IMAGE;
        docker_pull(flow, df->image);
        return STEP_WAITING;
    default:
        line_reader_end(&df->lines);
        if (!answer->failure && answer->status == 200 && !df->trouble)
            return STEP_DONE;
        error_set(err, ERROR_UNAVAILABLE,
                  "no image for the load balancer is on this engine, and %s cannot be pulled (%s); "
                  "`make node-image` makes one",
                  df->image, df->trouble ? df->trouble : docker_message(flow, answer));
        return STEP_FAILED;
    }
}
