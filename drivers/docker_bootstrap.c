/*
 * From a booted node to an API that answers.
 *
 * DESIGN: kubeadm's phases, in an order of our own: the kubelet is started as
 * early as it can be, since it needs seconds to come up, and finds the static
 * pods' manifests when they are written. (The components' kubeconfigs must be
 * there before: a static pod that mounts one which is not makes an empty file
 * of that name, which no later phase repairs.) Each row looks for its proof (a file
 * that the phase writes) in what /etc/kubernetes held when the story began,
 * so a round after a crash skips what is done. A phase that another process
 * left running holds its lock in the node; ours waits for it.
 */
#include "drivers/docker_flow.h"

#include "base/memory.h"
#include "drivers/docker_info.h"
#include "model/kubeadm.h"
#include <openssl/rand.h>
#include <string.h>

enum {
    PHASE_ARGUMENTS_MAX = 6,
    PHASE_MS = 120 * 1000,
    API_MS = 240 * 1000,
    TOKEN_LENGTH = 23, /* "abcdef.0123456789abcdef" */
    TOKEN_ID_LENGTH = 6,
};

struct phase {
    const char *arguments[PHASE_ARGUMENTS_MAX]; /* after "kubeadm init phase", ended by NULL */
    const char *proof;                          /* below /etc/kubernetes; NULL: run always */
    const char *beside;                         /* as well, where one does not suffice; or NULL */
};

static const struct phase phase_ca = {{"certs", "ca"}, "kubernetes/pki/ca.crt"};
static const struct phase phase_kubelet_conf = {{"kubeconfig", "kubelet"},
                                                "kubernetes/kubelet.conf"};
static const struct phase phase_kubelet = {{"kubelet-start"}, NULL};
/* Its last file, and the last that is not carried into the successor of a control plane. */
static const struct phase phase_certs = {
    {"certs", "all"}, "kubernetes/pki/sa.pub", "kubernetes/pki/apiserver-etcd-client.crt"};
static const struct phase phase_etcd = {{"etcd", "local"}, "kubernetes/manifests/etcd.yaml"};
static const struct phase phase_control_plane = {{"control-plane", "all"},
                                                 "kubernetes/manifests/kube-scheduler.yaml"};
static const struct phase phase_kubeconfigs = {{"kubeconfig", "all"}, "kubernetes/scheduler.conf"};
static const struct phase phase_upload = {{"upload-config", "all"}, NULL};
static const struct phase phase_mark = {{"mark-control-plane"}, NULL};
static const struct phase phase_token = {{"bootstrap-token"}, NULL};
static const struct phase phase_finalize = {{"kubelet-finalize", "all"}, NULL};
static const struct phase phase_proxy = {{"addon", "kube-proxy"}, NULL};
static const struct phase phase_dns = {{"addon", "coredns"}, NULL};

static void exec_phase(struct flow *flow, const struct phase *phase)
{
    struct docker_flow *df = docker_flow_of(flow);
    const char *lock = arena_format(flow->arena, "/run/kind-%s-%s.lock", phase->arguments[0],
                                    phase->arguments[1] ? phase->arguments[1] : "phase");
    const char *argv[8 + PHASE_ARGUMENTS_MAX] = {"flock",   "-w",   "100",  lock,
                                                 "kubeadm", "init", "phase"};
    size_t count = 7;
    for (size_t i = 0; i < PHASE_ARGUMENTS_MAX && phase->arguments[i]; i++)
        argv[count++] = phase->arguments[i];
    const char *config = "--config=/kind/kubeadm.conf";
    argv[count++] = config;
    flow_exec(flow, df->found->id, argv);
}

/*
 * What a failed kubeadm said last: its final lines, without the one on how to
 * get a stack trace. In the arena, on one line.
 */
const char *docker_last_words(struct flow *flow, const struct answer *answer)
{
    enum { LINES = 2 };
    const char *kept[LINES] = {"", ""};
    char *rest = NULL;
    char *copy = arena_string_n(flow->arena, answer->body, answer->length);
    for (char *line = strtok_r(copy, "\r\n", &rest); line; line = strtok_r(NULL, "\r\n", &rest)) {
        if (strspn(line, " \t") == strlen(line) || strstr(line, "To see the stack trace"))
            continue;
        kept[0] = kept[1];
        kept[1] = line;
    }
    return *kept[1] ? arena_format(flow->arena, "%s%s%s", kept[0], *kept[0] ? "; " : "", kept[1])
                    : "it said nothing";
}

bool docker_has_file(const struct docker_flow *df, const char *path)
{
    const struct archive_file *file = archive_find(&df->files, path);
    return file && file->length > 0;
}

static enum step_status run_phase(struct flow *flow, const struct answer *answer,
                                  struct error **err)
{
    const struct phase *phase = flow_row_data(flow);
    if (!answer) {
        const struct docker_flow *df = docker_flow_of(flow);
        if (phase->proof && docker_has_file(df, phase->proof) &&
            (!phase->beside || docker_has_file(df, phase->beside)))
            return STEP_DONE;
        exec_phase(flow, phase);
        return STEP_WAITING;
    }
    if (answer->exit_code == 0)
        return STEP_DONE;
    error_set(err, ERROR_UNAVAILABLE, "kubeadm failed with exit code %d: %s", answer->exit_code,
              docker_last_words(flow, answer));
    return STEP_FAILED;
}

enum step_status docker_read_version(struct flow *flow, const struct answer *answer,
                                     struct error **err)
{
    struct docker_flow *df = docker_flow_of(flow);
    if (!answer) {
        docker_read_files(flow, df->found->id, "/kind/version");
        return STEP_WAITING;
    }
    if (docker_files(flow, answer, err))
        return STEP_FAILED;
    const struct archive_file *file = archive_find(&df->files, "version");
    if (!file || !file->bytes || !file->length) {
        error_set(err, ERROR_INVALID, "image of %s is no kind node image: it has no /kind/version",
                  df->found->name);
        return STEP_FAILED;
    }
    df->version = arena_string_n(flow->arena, file->bytes, strcspn(file->bytes, "\r\n \t"));
    return engine_info_check_version(df->info, df->version, err) ? STEP_FAILED : STEP_DONE;
}

/* What an earlier try has left, by which phases are skipped. */
enum step_status docker_read_progress(struct flow *flow, const struct answer *answer,
                                      struct error **err)
{
    if (!answer) {
        docker_read_files(flow, docker_flow_of(flow)->found->id, "/etc/kubernetes");
        return STEP_WAITING;
    }
    return docker_files(flow, answer, err) ? STEP_FAILED : STEP_DONE;
}

const char *docker_new_token(struct flow *flow, struct error **err)
{
    static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz0123456789";
    unsigned char bytes[TOKEN_LENGTH];
    if (RAND_bytes(bytes, sizeof(bytes)) != 1) {
        error_set(err, ERROR_INTERNAL, "the system has no random numbers");
        return NULL;
    }
    char *token = arena_alloc(flow->arena, TOKEN_LENGTH + 1);
    for (size_t i = 0; i < TOKEN_LENGTH; i++)
        token[i] = alphabet[bytes[i] % (sizeof(alphabet) - 1)];
    token[TOKEN_ID_LENGTH] = '.';
    return token;
}

const char *docker_endpoint(struct docker_flow *df)
{
    /* Upstream's certificates of a lone control plane know its own name alone. */
    if (df->speaker && !df->speaker->shape && !df->input.spec->balancer)
        return arena_format(df->flow.arena, "%s:6443", df->speaker->name);
    return arena_format(df->flow.arena, "%s" SPEC_BALANCER_SUFFIX ":6443", df->cluster);
}

void docker_note_lines(struct flow *flow, const char *lines)
{
    char *rest = NULL, *copy = arena_string(flow->arena, lines);
    for (char *line = strtok_r(copy, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
        flow_note(flow, line);
}

/* What concerns the whole cluster is said once, with the first node; others tell of their own. */
static void note_unmatched(struct docker_flow *df, const char *lines)
{
    static const char of_node[] = "nodes[";
    char *rest = NULL, *copy = arena_string(df->flow.arena, lines);
    bool all = df->input.action->kind == ACTION_BOOTSTRAP;
    for (char *line = strtok_r(copy, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
        if (all || strncmp(line, of_node, strlen(of_node)) == 0)
            flow_note(&df->flow, line);
}

static int print_config(struct docker_flow *df, const char *ca_hash, struct text *text,
                        struct error **err)
{
    struct kubeadm_input input = {
        .spec = df->input.spec,
        .node = df->node,
        .kubernetes_version = df->version,
        .endpoint = docker_endpoint(df),
        .ipv4 = df->found->ipv4,
        .ipv6 = df->found->ipv6,
        .provider = "docker",
        .token = df->token,
        .ca_hash = ca_hash,
        .rootless = df->info->rootless,
        .host_memory_bytes = df->info->memory_bytes,
        .host_cpu_milli = df->info->cpus * 1000,
        .fast_status = true,
        .own_pod_ranges = df->cni_template,
    };
    struct text unmatched;
    text_init(&unmatched, 0);
    int result = kubeadm_config(&input, text, &unmatched, err);
    if (result == 0)
        note_unmatched(df, unmatched.data);
    text_done(&unmatched);
    return result;
}

int docker_write_config(struct docker_flow *df, const char *ca_hash, struct error **err)
{
    struct text text;
    text_init(&text, 0);
    int result = print_config(df, ca_hash, &text, err);
    if (result == 0) {
        const struct archive_file files[] = {
            {.path = "etc/kubernetes/", .mode = 0755},
            {.path = "etc/kubernetes/manifests/", .mode = 0755},
            {.path = "kind/kubeadm.conf", .bytes = text.data, .length = text.length, .mode = 0600},
        };
        result = docker_write_files(&df->flow, df->found->id, "/", files, COUNT_OF(files), err);
    }
    text_done(&text);
    return result;
}

static enum step_status write_config(struct flow *flow, const struct answer *answer,
                                     struct error **err)
{
    struct docker_flow *df = docker_flow_of(flow);
    if (answer)
        return answer->status == 200 ? STEP_DONE
                                     : docker_refused(flow, answer, "write kubeadm.conf", err);
    df->token = docker_new_token(flow, err);
    return df->token && docker_write_config(df, NULL, err) == 0 ? STEP_WAITING : STEP_FAILED;
}

enum step_status docker_read_access(struct flow *flow, const struct answer *answer,
                                    struct error **err)
{
    struct docker_flow *df = docker_flow_of(flow);
    const struct archive_file *file;
    enum step_status read = docker_admin_conf(flow, answer, &file, err);
    if (read != STEP_DONE)
        return read;
    const char *server = docker_api_server(flow->arena, df->speaker);
    struct text renamed;
    text_init(&renamed, 0);
    bool found = false;
    int result = kubeconfig_from_admin(file->bytes, df->cluster, server, &renamed, err);
    if (result == 0)
        result =
            kubeconfig_access("admin.conf", renamed.data, df->cluster, &df->access, &found, err);
    text_done(&renamed);
    if (result == 0 && !found)
        result =
            error_set(err, ERROR_CONFLICT, "admin.conf of %s is not complete", df->speaker->name);
    df->access_known = result == 0;
    return result == 0 ? STEP_DONE : STEP_FAILED;
}

static enum step_status await_api(struct flow *flow, const struct answer *answer,
                                  struct error **err)
{
    (void)err;
    if (!answer) {
        kube_send(flow, "GET", "/healthz", NULL, NULL);
        return STEP_WAITING;
    }
    if (!answer->failure && answer->status == 200)
        return STEP_DONE;
    flow->waiting_for = arena_format(flow->arena, "/healthz: %s", docker_message(flow, answer));
    return STEP_AGAIN;
}

/*
 * The components' kubeconfigs lead through the load balancer, which has to see
 * the first API before anything that uses them can work.
 */
static enum step_status await_balancer(struct flow *flow, const struct answer *answer,
                                       struct error **err)
{
    (void)err;
    struct docker_flow *df = docker_flow_of(flow);
    if (!df->input.spec->balancer)
        return STEP_DONE;
    if (!answer) {
        const char *server = docker_api_server(flow->arena, docker_entrance(df->seen));
        kube_send_to(flow, server, "GET", "/healthz", NULL, NULL);
        return STEP_WAITING;
    }
    if (!answer->failure && answer->status == 200)
        return STEP_DONE;
    flow->waiting_for = arena_format(flow->arena, "/healthz: %s", docker_message(flow, answer));
    return STEP_AGAIN;
}

/*
 * The token that comes with the configuration serves nobody: each join has one
 * of its own.
 */
static enum step_status drop_token(struct flow *flow, const struct answer *answer,
                                   struct error **err)
{
    struct docker_flow *df = docker_flow_of(flow);
    if (flow->turn == 0) {
        docker_read_files(flow, df->found->id, "/kind/kubeadm.conf");
        return STEP_WAITING;
    }
    if (flow->turn == 1) {
        if (docker_files(flow, answer, err))
            return STEP_FAILED;
        const struct archive_file *file = archive_find(&df->files, "kubeadm.conf");
        const char *token = file && file->bytes ? strstr(file->bytes, "token: ") : NULL;
        if (!token)
            return STEP_DONE;
        kube_drop_token(flow, token + strlen("token: "));
        return STEP_WAITING;
    }
    if (!answer->failure && (answer->status == 200 || answer->status == 404))
        return STEP_DONE;
    flow->waiting_for = docker_message(flow, answer);
    return STEP_AGAIN;
}

#define PHASE(what, which)                                                                         \
    {                                                                                              \
        .name = what, .run = run_phase, .timeout_ms = PHASE_MS, .data = &(which)                   \
    }

const struct step docker_bootstrap_steps[] = {
    DOCKER_REACH,
    DOCKER_INFO,
    DOCKER_FIND,
    {.name = "read the Kubernetes version",
     .run = docker_read_version,
     .timeout_ms = DOCKER_REQUEST_MS},
    {.name = "read the CNI's file", .run = docker_read_cni, .timeout_ms = DOCKER_REQUEST_MS},
    {.name = "place the CNI's file", .run = docker_place_cni, .timeout_ms = DOCKER_REQUEST_MS},
    {.name = "look for earlier progress",
     .run = docker_read_progress,
     .timeout_ms = DOCKER_REQUEST_MS},
    {.name = "patch containerd", .run = docker_patch_containerd, .timeout_ms = 60000},
    {.name = "write kubeadm.conf", .run = write_config, .timeout_ms = DOCKER_REQUEST_MS},
    PHASE("certificate authority", phase_ca),
    PHASE("kubelet's credentials", phase_kubelet_conf),
    PHASE("start kubelet", phase_kubelet),
    PHASE("certificates", phase_certs),
    PHASE("credentials", phase_kubeconfigs),
    PHASE("etcd", phase_etcd),
    PHASE("control plane", phase_control_plane),
    DOCKER_ACCESS,
    {.name = "wait for the API",
     .run = await_api,
     .timeout_ms = API_MS,
     .poll_ms = 100,
     .tolerant = true},
    {.name = "wait for the load balancer",
     .run = await_balancer,
     .timeout_ms = API_MS,
     .poll_ms = 100,
     .tolerant = true},
    {0},
};

/* The same rows serve the steps that come after the API answers, side by side. */
const struct step docker_upload_config_steps[] = {
    DOCKER_REACH,
    DOCKER_FIND,
    PHASE("upload the configuration", phase_upload),
    {0},
};

const struct step docker_token_steps[] = {
    DOCKER_REACH,
    DOCKER_FIND,
    PHASE("bootstrap token", phase_token),
    DOCKER_ACCESS,
    {.name = "remove the token",
     .run = drop_token,
     .timeout_ms = 30000,
     .poll_ms = 200,
     .tolerant = true},
    {0},
};

const struct step docker_proxy_steps[] = {
    DOCKER_REACH,
    DOCKER_FIND,
    PHASE("kube-proxy", phase_proxy),
    {0},
};

const struct step docker_dns_steps[] = {
    DOCKER_REACH,
    DOCKER_FIND,
    PHASE("cluster DNS", phase_dns),
    DOCKER_ACCESS,
    {.name = "let it report Ready sooner",
     .run = docker_quicken_dns,
     .timeout_ms = 30000,
     .poll_ms = 200,
     .tolerant = true},
    {0},
};

const struct step docker_mark_steps[] = {
    DOCKER_REACH,
    DOCKER_FIND,
    PHASE("mark the control plane", phase_mark),
    DOCKER_ACCESS,
    {.name = "open the node for pods",
     .run = docker_open_for_pods,
     .timeout_ms = 60000,
     .poll_ms = 200,
     .tolerant = true},
    {.name = "wait until the node knows its size",
     .run = docker_await_size,
     .timeout_ms = 60000,
     .poll_ms = 100,
     .tolerant = true},
    PHASE("finish kubelet's credentials", phase_finalize),
    {0},
};
