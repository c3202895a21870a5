/*
 * A lone control plane gives way to a new container, with the cluster's data.
 *
 * DESIGN: the old container is stopped and renamed, and then only read. What
 * is carried over is the data itself (etcd, volumes of the node) and the keys
 * that cannot be made again; everything that says how a control plane runs is
 * written anew by kubeadm, for the new version and address. All writes can be
 * done again. The record comes last: a new container that has it has all.
 * Folders go through a file without a name, since they may be large; keys stay
 * in memory.
 */
#include "drivers/docker_flow.h"

#include "base/memory.h"
#include "drivers/spool.h"
#include <assert.h>
#include <string.h>

enum {
    STOP_MS = 90 * 1000,
    STOP_GRACE_S = 20,
    FOLDER_MS = 30 * 60 * 1000,
    SILENCE_MS = 5 * 60 * 1000,
    KEYS = 8
};
static const uint64_t folder_bytes_max = UINT64_C(16) << 30;

/* docker_flow's `succession`, in its arena. */
struct succession {
    const struct node_state *carrier;
    bool done; /* the new container has the record */
    struct spool spool;
    struct error *trouble;
    void (*release)(struct flow *flow); /* of all that is not ours */
};

static struct succession *succession_of(struct flow *flow)
{
    return docker_flow_of(flow)->succession;
}

static void release(struct flow *flow)
{
    struct succession *succession = succession_of(flow);
    spool_close(&succession->spool);
    error_free(succession->trouble);
    succession->release(flow);
}

static const char *carrier_name(struct docker_flow *df)
{
    return arena_format(df->flow.arena, "%s" STATE_CARRIER_SUFFIX, df->input.action->subject);
}

static const struct node_state *seen_as(const struct docker_flow *df, const char *name)
{
    for (size_t i = 0; i < df->seen->node_count; i++)
        if (strcmp(df->seen->nodes[i].name, name) == 0)
            return &df->seen->nodes[i];
    return NULL;
}

/* The containers of both names, of which each may be missing. */
static enum step_status look(struct flow *flow, const struct answer *answer, struct error **err)
{
    struct docker_flow *df = docker_flow_of(flow);
    struct fleet_state fleet;
    enum step_status listed = docker_list_cluster(flow, answer, &fleet, err);
    if (listed != STEP_DONE)
        return listed;
    docker_take_seen(df, &fleet);
    struct succession *succession = arena_alloc(flow->arena, sizeof(*succession));
    *succession = (struct succession){.release = flow->release};
    df->succession = succession;
    flow->release = release;
    df->found = seen_as(df, df->input.action->subject);
    succession->carrier = seen_as(df, carrier_name(df));
    return STEP_DONE;
}

/* --- Setting aside. --- */

/* The one to be stopped: the carrier, else what is to become it. */
static enum step_status take_old(struct flow *flow, const struct answer *answer, struct error **err)
{
    (void)answer;
    struct docker_flow *df = docker_flow_of(flow);
    if (df->succession->carrier)
        df->found = df->succession->carrier;
    if (df->found)
        return docker_check_owner(flow, err);
    error_set(err, ERROR_CONFLICT, "the container %s is gone", df->input.action->subject);
    return STEP_FAILED;
}

static enum step_status stop(struct flow *flow, const struct answer *answer, struct error **err)
{
    struct docker_flow *df = docker_flow_of(flow);
    if (!answer) {
        const char *path =
            arena_format(flow->arena, "/containers/%s/stop?t=%d", df->found->id, (int)STOP_GRACE_S);
        flow_send_request(flow, path, (struct request){.method = "POST", .idle_ms = STOP_MS});
        return STEP_WAITING;
    }
    if (answer->status == 204 || answer->status == 304)
        return STEP_DONE;
    return docker_refused(flow, answer, "stop the container", err);
}

static enum step_status rename_it(struct flow *flow, const struct answer *answer,
                                  struct error **err)
{
    struct docker_flow *df = docker_flow_of(flow);
    if (df->succession->carrier)
        return STEP_DONE;
    if (!answer) {
        const char *base = arena_format(flow->arena, "/containers/%s/rename?name=", df->found->id);
        flow_send(flow, "POST", docker_path(flow, base, carrier_name(df)), NULL);
        return STEP_WAITING;
    }
    if (answer->status == 204)
        return STEP_DONE;
    return docker_refused(flow, answer, "set the container aside", err);
}

const struct step docker_set_aside_steps[] = {
    DOCKER_REACH,
    {.name = "look for the node", .run = look, .timeout_ms = DOCKER_REQUEST_MS},
    {.name = "check whose it is", .run = take_old, .timeout_ms = 1000},
    {.name = "stop the container", .run = stop, .timeout_ms = STOP_MS},
    {.name = "rename the container", .run = rename_it, .timeout_ms = DOCKER_REQUEST_MS},
    {0},
};

/* --- Carrying over. --- */

/* Both are ours, and nobody writes to the old one any more. */
static enum step_status check_both(struct flow *flow, const struct answer *answer,
                                   struct error **err)
{
    (void)answer;
    struct docker_flow *df = docker_flow_of(flow);
    const struct node_state *new_one = df->found, *carrier = df->succession->carrier;
    if (!new_one || !carrier) {
        error_set(err, ERROR_CONFLICT, "the container %s is gone",
                  new_one ? carrier_name(df) : df->input.action->subject);
        return STEP_FAILED;
    }
    df->found = carrier;
    enum step_status ours = docker_check_owner(flow, err);
    df->found = new_one;
    if (ours == STEP_FAILED || docker_check_owner(flow, err) == STEP_FAILED)
        return STEP_FAILED;
    if (carrier->status == CONTAINER_EXITED)
        return STEP_DONE;
    error_set(err, ERROR_CONFLICT, "container %s, whose data is to be carried over, is %s",
              carrier->name, container_status_name(carrier->status));
    return STEP_FAILED;
}

static enum step_status look_done(struct flow *flow, const struct answer *answer,
                                  struct error **err)
{
    struct docker_flow *df = docker_flow_of(flow);
    if (!answer) {
        docker_read_files(flow, df->found->id, "/kind/" FACET_RECORD_FILE);
        return STEP_WAITING;
    }
    if (docker_files(flow, answer, err))
        return STEP_FAILED;
    df->succession->done = archive_find(&df->files, FACET_RECORD_FILE) != NULL;
    return STEP_DONE;
}

struct folder {
    const char *parent, *name;
    bool needed;
};

static const struct folder etcd = {"/var/lib", "etcd", true};
static const struct folder volumes = {"/var", "local-path-provisioner", false};

static bool keep(void *context, const char *bytes, size_t length)
{
    struct succession *succession = succession_of(context);
    return spool_write(&succession->spool, bytes, length, &succession->trouble) == 0;
}

static size_t give(void *context, char *bytes, size_t room)
{
    return spool_read(&succession_of(context)->spool, bytes, room);
}

static enum step_status get_folder(struct flow *flow, const struct folder *folder,
                                   struct error **err)
{
    struct succession *succession = succession_of(flow);
    spool_close(&succession->spool);
    if (spool_open(&succession->spool, folder_bytes_max, err))
        return STEP_FAILED;
    const char *base =
        arena_format(flow->arena, "/containers/%s/archive?path=", succession->carrier->id);
    const char *path = arena_format(flow->arena, "%s/%s", folder->parent, folder->name);
    flow_send_request(
        flow, docker_path(flow, base, path),
        (struct request){
            .method = "GET", .idle_ms = SILENCE_MS, .on_data = keep, .one_shot = true});
    return STEP_WAITING;
}

static enum step_status put_folder(struct flow *flow, const struct folder *folder,
                                   struct error **err)
{
    struct docker_flow *df = docker_flow_of(flow);
    struct spool *spool = &df->succession->spool;
    if (spool_seal_tar(spool, err))
        return STEP_FAILED;
    const char *base = arena_format(flow->arena, "/containers/%s/archive?path=", df->found->id);
    flow_send_request(flow, docker_path(flow, base, folder->parent),
                      (struct request){.method = "PUT",
                                       .content_type = "application/x-tar",
                                       .body_length = (size_t)spool->tar_length,
                                       .read_body = give,
                                       .idle_ms = SILENCE_MS,
                                       .one_shot = true});
    return STEP_WAITING;
}

static enum step_status carry_folder(struct flow *flow, const struct answer *answer,
                                     struct error **err)
{
    const struct folder *folder = flow_row_data(flow);
    struct succession *succession = succession_of(flow);
    if (succession->done)
        return STEP_DONE;
    if (flow->turn == 0)
        return get_folder(flow, folder, err);
    if (flow->turn == 2) {
        spool_close(&succession->spool);
        return answer->status == 200 ? STEP_DONE
                                     : docker_refused(flow, answer, "carry the data over", err);
    }
    if (succession->trouble) {
        *err = TAKE(succession->trouble);
        return STEP_FAILED;
    }
    if (answer->status == 404 && !folder->needed)
        return STEP_DONE;
    if (answer->status != 200 || !succession->spool.length)
        return docker_refused(flow, answer, "read the data", err);
    return put_folder(flow, folder, err);
}

/* What the cluster's certificates and tokens hang on; the rest kubeadm makes of these. */
static const char *const keys[KEYS] = {
    "kubernetes/pki/ca.crt",
    "kubernetes/pki/ca.key",
    "kubernetes/pki/front-proxy-ca.crt",
    "kubernetes/pki/front-proxy-ca.key",
    "kubernetes/pki/sa.pub",
    "kubernetes/pki/sa.key",
    "kubernetes/pki/etcd/ca.crt",
    "kubernetes/pki/etcd/ca.key",
};

static int put_keys(struct docker_flow *df, struct error **err)
{
    struct archive_file files[3 + KEYS] = {
        {.path = "kubernetes/", .mode = 0755},
        {.path = "kubernetes/pki/", .mode = 0755},
        {.path = "kubernetes/pki/etcd/", .mode = 0755},
    };
    for (size_t i = 0; i < KEYS; i++) {
        const struct archive_file *file = archive_find(&df->files, keys[i]);
        if (!file || !file->bytes || !file->length)
            return error_set(err, ERROR_CONFLICT, "%s has no /etc/%s",
                             df->succession->carrier->name, keys[i]);
        files[3 + i] = *file;
    }
    return docker_write_files(&df->flow, df->found->id, "/etc", files, COUNT_OF(files), err);
}

static enum step_status carry_keys(struct flow *flow, const struct answer *answer,
                                   struct error **err)
{
    struct docker_flow *df = docker_flow_of(flow);
    if (df->succession->done)
        return STEP_DONE;
    switch (flow->turn) {
    case 0:
        docker_read_files(flow, df->succession->carrier->id, "/etc/kubernetes");
        return STEP_WAITING;
    case 1:
        return docker_files(flow, answer, err) || put_keys(df, err) ? STEP_FAILED : STEP_WAITING;
    default:
        return answer->status == 200 ? STEP_DONE
                                     : docker_refused(flow, answer, "carry the keys over", err);
    }
}

/* As it was, and without the digest beside it: the set-up is not finished yet. */
static enum step_status carry_record(struct flow *flow, const struct answer *answer,
                                     struct error **err)
{
    struct docker_flow *df = docker_flow_of(flow);
    if (df->succession->done)
        return STEP_DONE;
    if (flow->turn == 0) {
        docker_read_files(flow, df->succession->carrier->id, "/kind/" FACET_RECORD_FILE);
        return STEP_WAITING;
    }
    if (flow->turn == 2)
        return answer->status == 200 ? STEP_DONE
                                     : docker_refused(flow, answer, "carry the record over", err);
    if (docker_files(flow, answer, err))
        return STEP_FAILED;
    const struct archive_file *file = archive_find(&df->files, FACET_RECORD_FILE);
    if (!file || !file->bytes) {
        error_set(err, ERROR_CONFLICT, "%s has no /kind/" FACET_RECORD_FILE,
                  df->succession->carrier->name);
        return STEP_FAILED;
    }
    return docker_write_files(flow, df->found->id, "/kind", file, 1, err) ? STEP_FAILED
                                                                          : STEP_WAITING;
}

const struct step docker_carry_steps[] = {
    DOCKER_REACH,
    {.name = "look for both containers", .run = look, .timeout_ms = DOCKER_REQUEST_MS},
    {.name = "check whose they are", .run = check_both, .timeout_ms = 1000},
    {.name = "look for earlier progress", .run = look_done, .timeout_ms = DOCKER_REQUEST_MS},
    {.name = "carry etcd's data", .run = carry_folder, .timeout_ms = FOLDER_MS, .data = &etcd},
    {.name = "carry volumes", .run = carry_folder, .timeout_ms = FOLDER_MS, .data = &volumes},
    {.name = "carry keys", .run = carry_keys, .timeout_ms = 30000},
    {.name = "carry the record", .run = carry_record, .timeout_ms = DOCKER_REQUEST_MS},
    {0},
};

/* --- What the new container has from the old one: the way to it. --- */

static const char *fixed_address(struct docker_flow *df, const json_t *container, const char *key)
{
    const json_t *networks =
        json_object_get(json_object_get(container, "NetworkSettings"), "Networks");
    const json_t *endpoint = json_object_get(networks, df->docker->options.network);
    const char *address =
        json_string_value(json_object_get(json_object_get(endpoint, "IPAMConfig"), key));
    return address && *address ? arena_string(df->flow.arena, address) : NULL;
}

/* Where the engine was told to publish the API; 0: nowhere, or where it likes. */
static int32_t told_port(const json_t *container)
{
    const json_t *bindings =
        json_object_get(json_object_get(container, "HostConfig"), "PortBindings");
    const json_t *first = json_array_get(json_object_get(bindings, "6443/tcp"), 0);
    const char *port = json_string_value(json_object_get(first, "HostPort"));
    return port ? (int32_t)strtol(port, NULL, 10) : 0;
}

static bool is_ours(const struct docker_flow *df, const json_t *container)
{
    const json_t *labels = json_object_get(json_object_get(container, "Config"), "Labels");
    const char *owner = json_string_value(json_object_get(labels, LABEL_OWNER));
    const char *cluster = json_string_value(json_object_get(labels, LABEL_CLUSTER));
    return owner && cluster && strcmp(owner, df->docker->options.fleet) == 0 &&
           strcmp(cluster, df->cluster) == 0;
}

enum step_status docker_inherit(struct flow *flow, const struct answer *answer, struct error **err)
{
    struct docker_flow *df = docker_flow_of(flow);
    if (df->node->role != NODE_CONTROL_PLANE || df->input.spec->balancer)
        return STEP_DONE;
    if (!answer) {
        flow_send(flow, "GET", arena_format(flow->arena, "/containers/%s/json", carrier_name(df)),
                  NULL);
        return STEP_WAITING;
    }
    if (answer->status == 404)
        return STEP_DONE;
    if (answer->status != 200)
        return docker_refused(flow, answer, "look for a control plane set aside", err);
    json_t *container = json_loadb(answer->body, answer->length, 0, NULL);
    if (is_ours(df, container)) {
        df->inherited_address = fixed_address(df, container, "IPv4Address");
        df->inherited_address6 = fixed_address(df, container, "IPv6Address");
        df->inherited_port = told_port(container);
    }
    json_decref(container);
    return STEP_DONE;
}

/* --- The end of a carrier. --- */

/* The new container's name: the carrier's without what tells it. */
static const struct node_state *successor(const struct docker_flow *df)
{
    size_t suffix = strlen(STATE_CARRIER_SUFFIX), length = strlen(df->found->name);
    return seen_as(df, arena_string_n(df->flow.arena, df->found->name, length - suffix));
}

/* Its data goes with it: only once the new container has a record of its own. */
enum step_status docker_check_succeeded(struct flow *flow, const struct answer *answer,
                                        struct error **err)
{
    struct docker_flow *df = docker_flow_of(flow);
    bool all_go = !df->input.spec || df->input.action->change >= CHANGE_RECREATE;
    if (!df->found || !node_state_is_carrier(df->found) || all_go)
        return STEP_DONE;
    const struct node_state *heir = successor(df);
    if (heir && !answer) {
        const char *base = arena_format(flow->arena, "/containers/%s/archive?path=", heir->id);
        flow_send(flow, "HEAD", docker_path(flow, base, "/kind/" FACET_DIGEST_LINK), NULL);
        return STEP_WAITING;
    }
    const char *target = heir ? docker_link_target(flow->arena, answer) : NULL;
    struct marks marks;
    if (target && marks_parse(flow->arena, target, &marks))
        return STEP_DONE;
    error_set(err, ERROR_CONFLICT, "container %s holds data that no other is known to have",
              df->found->name);
    return STEP_FAILED;
}
