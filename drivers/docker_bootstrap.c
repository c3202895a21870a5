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
#include "model/kubeadm.h"
#include <openssl/rand.h>
#include <string.h>

enum { PHASE_ARGUMENTS_MAX = 6, PHASE_MS = 120 * 1000, API_MS = 240 * 1000 };

struct phase {
    const char *arguments[PHASE_ARGUMENTS_MAX]; /* after "kubeadm init phase", ended by NULL */
    const char *proof;                          /* below /etc/kubernetes; NULL: run always */
};

static const struct phase phase_ca = {{"certs", "ca"}, "kubernetes/pki/ca.crt"};
static const struct phase phase_kubelet_conf = {{"kubeconfig", "kubelet"},
                                                "kubernetes/kubelet.conf"};
static const struct phase phase_kubelet = {{"kubelet-start"}, NULL};
static const struct phase phase_certs = {{"certs", "all"},
                                         "kubernetes/pki/sa.pub"}; /* its last file */
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
static const char *last_words(struct flow *flow, const struct answer *answer)
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

/* An empty file proves nothing: mounts make them. */
static bool proven(struct docker_flow *df, const char *path)
{
    const struct archive_file *file = path ? archive_find(&df->files, path) : NULL;
    return file && file->length > 0;
}

static enum step_status run_phase(struct flow *flow, const struct answer *answer,
                                  struct error **err)
{
    const struct phase *phase = flow_row_data(flow);
    if (!answer) {
        if (proven(docker_flow_of(flow), phase->proof))
            return STEP_DONE;
        exec_phase(flow, phase);
        return STEP_WAITING;
    }
    if (answer->exit_code == 0)
        return STEP_DONE;
    error_set(err, ERROR_UNAVAILABLE, "kubeadm failed with exit code %d: %s", answer->exit_code,
              last_words(flow, answer));
    return STEP_FAILED;
}

static enum step_status read_version(struct flow *flow, const struct answer *answer,
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
    return STEP_DONE;
}

/* What an earlier try has left, by which phases are skipped. */
static enum step_status read_progress(struct flow *flow, const struct answer *answer,
                                      struct error **err)
{
    if (!answer) {
        docker_read_files(flow, docker_flow_of(flow)->found->id, "/etc/kubernetes");
        return STEP_WAITING;
    }
    return docker_files(flow, answer, err) ? STEP_FAILED : STEP_DONE;
}

/* A token in kubeadm's form, "abcdef.0123456789abcdef", from the system's randomness. */
static int make_token(char token[24], struct error **err)
{
    static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz0123456789";
    unsigned char bytes[23];
    if (RAND_bytes(bytes, sizeof(bytes)) != 1)
        return error_set(err, ERROR_INTERNAL, "the system has no random numbers");
    for (size_t i = 0; i < sizeof(bytes); i++)
        token[i] = alphabet[bytes[i] % (sizeof(alphabet) - 1)];
    token[6] = '.';
    token[23] = '\0';
    return 0;
}

static int print_config(struct docker_flow *df, struct text *text, struct error **err)
{
    char token[24];
    if (make_token(token, err))
        return -1;
    struct kubeadm_input input = {
        .spec = df->input.spec,
        .node = df->node,
        .kubernetes_version = df->version,
        .endpoint = arena_format(df->flow.arena, "%s-external-load-balancer:6443", df->cluster),
        .ipv4 = df->found->ipv4,
        .provider = "docker",
        .token = token,
        .fast_status = true,
    };
    return kubeadm_config(&input, text, err);
}

/* The configuration, and the folder that kubelet watches for static pods. */
static enum step_status write_config(struct flow *flow, const struct answer *answer,
                                     struct error **err)
{
    struct docker_flow *df = docker_flow_of(flow);
    if (answer)
        return answer->status == 200 ? STEP_DONE
                                     : docker_refused(flow, answer, "write kubeadm.conf", err);
    struct text text;
    text_init(&text, 0);
    enum step_status status = STEP_FAILED;
    if (print_config(df, &text, err) == 0) {
        const struct archive_file files[] = {
            {.path = "etc/kubernetes/", .mode = 0755},
            {.path = "etc/kubernetes/manifests/", .mode = 0755},
            {.path = "kind/kubeadm.conf", .bytes = text.data, .length = text.length, .mode = 0600},
        };
        if (docker_write_files(flow, df->found->id, "/", files, COUNT_OF(files), err) == 0)
            status = STEP_WAITING;
    }
    text_done(&text);
    return status;
}

enum step_status docker_read_access(struct flow *flow, const struct answer *answer,
                                    struct error **err)
{
    struct docker_flow *df = docker_flow_of(flow);
    const struct archive_file *file;
    enum step_status read = docker_admin_conf(flow, answer, &file, err);
    if (read != STEP_DONE)
        return read;
    const char *server = docker_api_server(flow->arena, df->found);
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
            error_set(err, ERROR_CONFLICT, "admin.conf of %s is not complete", df->found->name);
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

#define PHASE(what, which)                                                                         \
    {                                                                                              \
        .name = what, .run = run_phase, .timeout_ms = PHASE_MS, .data = &(which)                   \
    }

const struct step docker_bootstrap_steps[] = {
    DOCKER_REACH,
    DOCKER_FIND,
    {.name = "read the Kubernetes version", .run = read_version, .timeout_ms = 10000},
    {.name = "place the CNI's file", .run = docker_place_cni, .timeout_ms = 10000},
    {.name = "look for earlier progress", .run = read_progress, .timeout_ms = 10000},
    {.name = "write kubeadm.conf", .run = write_config, .timeout_ms = 10000},
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
    PHASE("finish kubelet's credentials", phase_finalize),
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
    {0},
};
