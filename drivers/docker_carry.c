/*
 * One image from the engine into a node.
 *
 * It goes from the engine into a file here, whole, since the engine wants to
 * know the length of what it is given, and from there into a folder of the
 * node, where containerd's own program imports it. What a crash leaves in the
 * node the next try removes.
 */
#include "drivers/docker_preload.h"

#include "base/memory.h"
#include "drivers/image_name.h"
#include <assert.h>
#include <string.h>

enum {
    /* The engine may write gigabytes to its own disk before the first byte comes. */
    SILENCE_MS = 5 * 60 * 1000,
    PLATFORM_API_MINOR = 48, /* from this API on one platform of an image can be saved */
};
static const uint64_t image_bytes_max = UINT64_C(16) << 30;

/* Not in /tmp or /run, which are memory, and where the engine cannot write. */
#define NODE_PARENT "/var/lib"
#define NODE_FOLDER "kind-preload"
#define NODE_FILE "image.tar"
#define NODE_PATH NODE_PARENT "/" NODE_FOLDER

static void remove_folder(struct flow *flow)
{
    const char *const argv[] = {"rm", "-rf", NODE_PATH, NULL};
    flow_exec(flow, docker_flow_of(flow)->found->id, argv);
}

static enum step_status removed(struct flow *flow, const struct answer *answer, struct error **err)
{
    if (answer->exit_code == 0)
        return STEP_DONE;
    error_set(err, ERROR_UNAVAILABLE, "remove %s: %s", NODE_PATH, docker_last_words(flow, answer));
    return STEP_FAILED;
}

enum step_status docker_carry_remove(struct flow *flow, const struct answer *answer,
                                     struct error **err)
{
    if (answer)
        return removed(flow, answer, err);
    remove_folder(flow);
    return STEP_WAITING;
}

/* What a deadline will quote. */
static void enter(struct flow *flow, enum stage stage, const char *doing)
{
    struct preload *preload = preload_of(flow);
    preload->stage = stage;
    flow->waiting_for = arena_format(flow->arena, "%s %s", doing, preload->name);
}

static void inspect(struct flow *flow, enum stage stage)
{
    enter(flow, stage, "look for");
    flow_send(flow, "GET", arena_format(flow->arena, "/images/%s/json", preload_of(flow)->name),
              NULL);
}

static enum step_status cannot_be_had(struct flow *flow, const char *why, struct error **err)
{
    const struct preload *preload = preload_of(flow);
    error_set(err, ERROR_UNAVAILABLE,
              "image %s is not on this engine and cannot be pulled (%s); `docker pull` or build "
              "it, or take it out of preload",
              preload->missing[preload->next], why);
    return STEP_FAILED;
}

static bool keep(void *context, const char *bytes, size_t length)
{
    struct preload *preload = preload_of(context);
    return spool_write(&preload->spool, bytes, length, &preload->trouble) == 0;
}

/*
 * An image for several platforms is saved with the lists of them all, but the
 * engine has the content of one: the import would miss the others'. So that
 * one is named, where the engine can be told.
 */
static const char *platform_of(struct flow *flow, const struct answer *answer)
{
    const char *minor = answer->api_version ? strchr(answer->api_version, '.') : NULL;
    if (!minor || strtol(minor + 1, NULL, 10) < PLATFORM_API_MINOR)
        return NULL;
    json_t *image = json_loadb(answer->body, answer->length, 0, NULL);
    const char *variant = json_string_value(json_object_get(image, "Variant"));
    json_t *platform = json_pack("{s:O,s:O,s:s*}", "os", json_object_get(image, "Os"),
                                 "architecture", json_object_get(image, "Architecture"), "variant",
                                 variant && *variant ? variant : NULL);
    char *text = platform ? json_dumps(platform, JSON_COMPACT) : NULL;
    const char *copy = arena_string(flow->arena, text);
    free(text);
    json_decref(platform);
    json_decref(image);
    return copy;
}

static enum step_status save(struct flow *flow, struct error **err)
{
    struct docker_flow *df = docker_flow_of(flow);
    struct preload *preload = df->preload;
    enter(flow, STAGE_SAVE, "save");
    spool_close(&preload->spool);
    if (spool_open(&preload->spool, image_bytes_max, err))
        return STEP_FAILED;
    struct request request = {
        .method = "GET",
        .idle_ms = SILENCE_MS,
        .on_data = keep,
        .one_shot = true,
    };
    const char *path = docker_path(flow, "/images/get?names=", preload->name);
    if (preload->platform) {
        path =
            docker_path(flow, arena_format(flow->arena, "%s&platform=", path), preload->platform);
        request.url = arena_format(flow->arena, "%s/v1.%d%s", df->docker->endpoint.base_url,
                                   PLATFORM_API_MINOR, path);
        request.unix_path = flow->unix_path;
        request.tls = flow->engine_tls;
    }
    flow_send_request(flow, path, request);
    return STEP_WAITING;
}

static enum step_status after_look(struct flow *flow, const struct answer *answer,
                                   struct error **err)
{
    struct preload *preload = preload_of(flow);
    if (!answer->failure && answer->status == 200) {
        preload->platform = platform_of(flow, answer);
        return save(flow, err);
    }
    if (answer->failure || answer->status != 404)
        return docker_refused(flow, answer, flow->waiting_for, err);
    if (preload->stage == STAGE_LOOK_AGAIN)
        return cannot_be_had(flow, "it was pulled, and is not there", err);
    enter(flow, STAGE_PULL, "pull");
    docker_pull(flow, preload->name);
    return STEP_WAITING;
}

static enum step_status after_pull(struct flow *flow, const struct answer *answer,
                                   struct error **err)
{
    struct docker_flow *df = docker_flow_of(flow);
    line_reader_end(&df->lines);
    if (answer->failure || answer->status != 200 || df->trouble)
        return cannot_be_had(flow, df->trouble ? df->trouble : docker_message(flow, answer), err);
    inspect(flow, STAGE_LOOK_AGAIN);
    return STEP_WAITING;
}

static size_t give(void *context, char *bytes, size_t room)
{
    return spool_read(&preload_of(context)->spool, bytes, room);
}

static enum step_status after_save(struct flow *flow, const struct answer *answer,
                                   struct error **err)
{
    struct docker_flow *df = docker_flow_of(flow);
    struct preload *preload = df->preload;
    if (preload->trouble) {
        *err = TAKE(preload->trouble);
        error_wrap(err, "%s", flow->waiting_for);
        return STEP_FAILED;
    }
    if (answer->failure || answer->status != 200)
        return docker_refused(flow, answer, flow->waiting_for, err);
    if (spool_seal(&preload->spool, NODE_FOLDER, NODE_FILE, err))
        return STEP_FAILED;
    enter(flow, STAGE_PUT, "copy");
    struct request request = {
        .method = "PUT",
        .content_type = "application/x-tar",
        .body_length = (size_t)preload->spool.tar_length,
        .read_body = give,
        .idle_ms = SILENCE_MS,
        .one_shot = true,
    };
    const char *base = arena_format(flow->arena, "/containers/%s/archive?path=", df->found->id);
    flow_send_request(flow, docker_path(flow, base, NODE_PARENT), request);
    return STEP_WAITING;
}

/* Whatever came of it, the file in the node goes. */
static enum step_status clean(struct flow *flow)
{
    enter(flow, STAGE_CLEAN, "clean up after");
    remove_folder(flow);
    return STEP_WAITING;
}

/*
 * What was saved by a digest has no name in it, so that its list of platforms
 * is given one. All platforms are asked for where there is just one, which
 * need not be the node's own.
 */
static void import(struct flow *flow)
{
    struct docker_flow *df = docker_flow_of(flow);
    const struct preload *preload = df->preload;
    const char *argv[10] = {"ctr", "--namespace=k8s.io", "images", "import", "--digests"};
    size_t count = 5;
    if (preload->platform)
        argv[count++] = "--all-platforms";
    if (preload->snapshotter)
        argv[count++] = arena_format(flow->arena, "--snapshotter=%s", preload->snapshotter);
    if (strchr(preload->name, '@'))
        argv[count++] = arena_format(flow->arena, "--index-name=%s",
                                     image_name_full(flow->arena, preload->name));
    argv[count++] = NODE_PATH "/" NODE_FILE;
    assert(count < COUNT_OF(argv));
    enter(flow, STAGE_IMPORT, "import");
    flow_exec(flow, df->found->id, argv);
}

static enum step_status after_put(struct flow *flow, const struct answer *answer,
                                  struct error **err)
{
    (void)err;
    struct preload *preload = preload_of(flow);
    spool_close(&preload->spool);
    if (answer->failure || answer->status != 200) {
        docker_refused(flow, answer, flow->waiting_for, &preload->trouble);
        return clean(flow);
    }
    import(flow);
    return STEP_WAITING;
}

static enum step_status after_import(struct flow *flow, const struct answer *answer,
                                     struct error **err)
{
    (void)err;
    struct preload *preload = preload_of(flow);
    if (answer->failure)
        docker_refused(flow, answer, flow->waiting_for, &preload->trouble);
    else if (answer->exit_code != 0)
        error_set(&preload->trouble, ERROR_UNAVAILABLE, "%s: ctr failed with exit code %d: %s",
                  flow->waiting_for, answer->exit_code, docker_last_words(flow, answer));
    return clean(flow);
}

/* Not believed lightly: what is left behind here may be gigabytes. */
static enum step_status after_clean(struct flow *flow, const struct answer *answer,
                                    struct error **err)
{
    struct preload *preload = preload_of(flow);
    if (preload->trouble) {
        *err = TAKE(preload->trouble);
        return STEP_FAILED;
    }
    if (answer->failure)
        return docker_refused(flow, answer, flow->waiting_for, err);
    if (removed(flow, answer, err) == STEP_FAILED)
        return STEP_FAILED;
    preload->next++;
    return STEP_AGAIN;
}

enum step_status docker_carry(struct flow *flow, const struct answer *answer, struct error **err)
{
    struct preload *preload = preload_of(flow);
    if (!answer) {
        if (preload->next == preload->missing_count)
            return STEP_DONE;
        preload->name = image_name_tagged(flow->arena, preload->missing[preload->next]);
        inspect(flow, STAGE_LOOK);
        return STEP_WAITING;
    }
    switch (preload->stage) {
    case STAGE_LOOK:
    case STAGE_LOOK_AGAIN:
        return after_look(flow, answer, err);
    case STAGE_PULL:
        return after_pull(flow, answer, err);
    case STAGE_SAVE:
        return after_save(flow, answer, err);
    case STAGE_PUT:
        return after_put(flow, answer, err);
    case STAGE_IMPORT:
        return after_import(flow, answer, err);
    case STAGE_CLEAN:
        return after_clean(flow, answer, err);
    }
    assert(false);
}
