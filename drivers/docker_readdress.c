/*
 * A node has come back with another address than it was set up with.
 *
 * DESIGN: the entrypoint of node images puts right at boot what the node's own
 * files say of its own address, and makes the API server's certificate anew.
 * The rest is done here. Members of etcd know each other by URLs that are kept
 * in etcd itself, so several that moved have no quorum by which that could be
 * changed. First each is led to the others' new addresses by rules of its own
 * network (docker_reroute_steps); certificates need not change for that: who
 * calls an old address finds the member with that address in its certificate,
 * and who is called resolves the name in the caller's. Then there is a quorum,
 * and with nothing lost. Now etcd is told names instead of addresses, which
 * are right also after the next move; then the certificates are made anew,
 * the one that tells of the old address last, and the rules go.
 *
 * Each step may be done again. What is cut short shows in that certificate.
 */
#include "drivers/docker_address.h"

#include "base/memory.h"
#include "drivers/certificate.h"
#include <string.h>

enum {
    RULES_MAX = 64,
    BOOT_MS = 90 * 1000,
    ETCD_MS = 180 * 1000,
    CERTIFICATES_MS = 60 * 1000,
    KUBE_MS = 180 * 1000,
};

#define ETCD_CA "/etc/kubernetes/pki/etcd/ca.crt"
#define ETCD_CERTIFICATE "/etc/kubernetes/pki/etcd/server.crt"
#define ETCD_KEY "/etc/kubernetes/pki/etcd/server.key"
#define CHAIN "KIND-PEERS"

/* Arguments: OLD=NEW for each member that has moved. */
static const char reroute_script[] =
    "set -e\n"
    "for pair; do\n"
    "    old=${pair%=*} new=${pair#*=} run='iptables -w -t nat'\n"
    "    case $old in *:*) new=\"[$new]\" run='ip6tables -w -t nat' ;; esac\n"
    "    rule=\"" CHAIN " -d $old -p tcp --dport 2380 -j DNAT --to-destination $new:2380\"\n"
    "    $run -N " CHAIN " 2>/dev/null || true\n"
    "    $run -C OUTPUT -j " CHAIN " 2>/dev/null || $run -I OUTPUT -j " CHAIN "\n"
    "    $run -C $rule 2>/dev/null || $run -I $rule\n"
    "done\n";

/*
 * New certificates are made in a folder of their own, then moved. A move that
 * was cut short is finished before anything else: a certificate beside another
 * one's key serves nobody. The peers' comes last: by it the next look sees
 * that all is done.
 */
#define SETTLE                                                                                     \
    "old=/etc/kubernetes/pki new=/etc/kubernetes/pki.new\n"                                        \
    "settle() {\n"                                                                                 \
    "    [ -e $new/complete ] || return 0\n"                                                       \
    "    for name in apiserver etcd/server etcd/peer; do\n"                                        \
    "        [ ! -e $new/$name.key ] || mv $new/$name.key $old/$name.key\n"                        \
    "        [ ! -e $new/$name.crt ] || mv $new/$name.crt $old/$name.crt\n"                        \
    "    done\n"                                                                                   \
    "    rm -rf $new\n"                                                                            \
    "}\n"

/*
 * Arguments: the node's IPv4 and IPv6 address, one of which may be empty.
 * Kubelet's flags come last: by them it is seen what is left to do. (kubelet
 * passes over files that begin with a dot.)
 */
static const char files_script[] =
    "set -e\n" SETTLE "settle\n"
    "flags=/var/lib/kubelet/kubeadm-flags.env\n"
    "[ -e $flags ] || exit 0\n"
    "for was in $(sed -n 's/.*--node-ip=\\([0-9A-Fa-f.:,]*\\).*/\\1/p' $flags | tr , ' '); do\n"
    "    is=$1\n"
    "    case $was in *:*) is=$2 ;; esac\n"
    "    if [ -z \"$is\" ] || [ \"$was\" = \"$is\" ]; then continue; fi\n"
    "    pattern=$(printf %s \"$was\" | sed 's/\\./\\\\./g')\n"
    "    for file in /etc/kubernetes/manifests/*.yaml /etc/kubernetes/*.conf /kind/kubeadm.conf "
    "$flags; do\n"
    "        grep -qw -- \"$pattern\" $file 2>/dev/null || continue\n"
    "        copy=${file%/*}/.${file##*/}.new\n"
    "        cp -p $file $copy\n"
    "        sed \"s#\\b$pattern\\b#$is#g\" $file >$copy\n"
    "        mv $copy $file\n"
    "        case $file in\n"
    "            */controller-manager.conf) pkill -f '^kube-controller-manager ' || true ;;\n"
    "            */scheduler.conf) pkill -f '^kube-scheduler ' || true ;;\n"
    "        esac\n"
    "    done\n"
    "done\n"
    "flag=$(sed -n 's/.*\\(--node-ip=[0-9A-Fa-f.:,]*\\).*/\\1/p' $flags)\n"
    "pid=$(systemctl show -p MainPID --value kubelet.service)\n"
    "if [ -n \"$flag\" ] && [ \"${pid:-0}\" != 0 ] &&\n"
    "    ! tr '\\0' '\\n' </proc/$pid/cmdline | grep -qxF -- \"$flag\"; then\n"
    "    systemctl restart kubelet.service\n"
    "fi\n";

/* Arguments: the phases of kubeadm for what is to be made anew. */
static const char certificates_script[] =
    "set -e\n" SETTLE "settle\n"
    "rm -rf $new\n"
    "mkdir -m 700 $new $new/etcd\n"
    "cp -p $old/ca.* $new/\n"
    "cp -p $old/etcd/ca.* $new/etcd/ 2>/dev/null || true\n"
    "sed -e '/^certificatesDir:/d' -e \"s#^kind: ClusterConfiguration\\$#&\\ncertificatesDir: "
    "$new#\" /kind/kubeadm.conf >$new/kubeadm.conf\n"
    "for phase; do kubeadm init phase certs $phase --config $new/kubeadm.conf; done\n"
    ": >$new/complete\n"
    "settle\n"
    "for run in iptables ip6tables; do\n"
    "    run=\"$run -w -t nat\"\n"
    "    $run -D OUTPUT -j " CHAIN " 2>/dev/null || continue\n"
    "    $run -F " CHAIN " && $run -X " CHAIN "\n"
    "done\n";

/*
 * Argument: a static pod's program. kubelet waits longer and longer, up to
 * five minutes, before it starts again what keeps failing; a new kubelet
 * starts it at once.
 */
static const char wake_script[] =
    "pgrep -x \"$1\" >/dev/null || systemctl restart kubelet.service\n";

static enum step_status said_no(struct flow *flow, const struct answer *answer, struct error **err)
{
    if (answer->exit_code == 0)
        return STEP_DONE;
    error_set(err, ERROR_UNAVAILABLE, "the node says, with exit code %d: %s", answer->exit_code,
              docker_last_words(flow, answer));
    return STEP_FAILED;
}

/* --- To the others. --- */

static void add_rules(struct docker_flow *df, const struct node_state *peer,
                      const struct answer *answer)
{
    struct error *unreadable = NULL;
    if (docker_files(&df->flow, answer, &unreadable)) {
        error_free(unreadable);
        return;
    }
    struct string_list told = docker_address_told(df, peer);
    if (docker_address_moved(&told, peer) != SEEN_YES)
        return;
    for (size_t i = 0; i < told.count && df->rule_count < RULES_MAX; i++) {
        const char *now = strchr(told.items[i], ':') ? peer->ipv6 : peer->ipv4;
        if (now)
            df->rules[df->rule_count++] = arena_format(df->flow.arena, "%s=%s", told.items[i], now);
    }
}

static bool is_peer(const struct docker_flow *df, const struct node_state *node)
{
    return docker_is_control_plane(node) && node->status == CONTAINER_RUNNING && node->owner &&
           strcmp(node->id, df->found->id) != 0;
}

static enum step_status read_peers(struct flow *flow, const struct answer *answer,
                                   struct error **err)
{
    (void)err;
    struct docker_flow *df = docker_flow_of(flow);
    if (answer) {
        add_rules(df, &df->seen->nodes[df->next++], answer);
    } else {
        df->rules = arena_array(flow->arena, RULES_MAX, sizeof(*df->rules));
        df->rule_count = df->next = 0;
    }
    while (df->next < df->seen->node_count && !is_peer(df, &df->seen->nodes[df->next]))
        df->next++;
    if (df->next == df->seen->node_count)
        return STEP_DONE;
    const struct node_state *peer = &df->seen->nodes[df->next];
    docker_read_files(flow, peer->id, docker_address_witness(peer));
    return STEP_WAITING;
}

static enum step_status place_rules(struct flow *flow, const struct answer *answer,
                                    struct error **err)
{
    struct docker_flow *df = docker_flow_of(flow);
    if (answer)
        return said_no(flow, answer, err);
    if (!df->rule_count)
        return STEP_DONE;
    const char *argv[5 + RULES_MAX] = {"sh", "-c", reroute_script, "kind-reroute"};
    for (size_t i = 0; i < df->rule_count; i++)
        argv[4 + i] = df->rules[i];
    flow_exec(flow, df->found->id, argv);
    return STEP_WAITING;
}

static enum step_status wake(struct flow *flow, const struct answer *answer, struct error **err)
{
    const struct docker_flow *df = docker_flow_of(flow);
    const char *argv[] = {"sh", "-c", wake_script, "kind-wake", flow_row_data(flow), NULL};
    if (answer)
        return said_no(flow, answer, err);
    if (!docker_is_control_plane(df->found))
        return STEP_DONE;
    flow_exec(flow, df->found->id, argv);
    return STEP_WAITING;
}

#define BOOTED                                                                                     \
    {.name = "wait until it has booted",                                                           \
     .run = docker_await_boot,                                                                     \
     .timeout_ms = BOOT_MS,                                                                        \
     .poll_ms = 200},                                                                              \
    {                                                                                              \
        .name = "wait for containerd", .run = docker_await_containerd, .timeout_ms = BOOT_MS,      \
        .poll_ms = 100                                                                             \
    }

const struct step docker_reroute_steps[] = {
    DOCKER_REACH,
    DOCKER_FIND,
    BOOTED,
    {.name = "read who has moved", .run = read_peers, .timeout_ms = 30000},
    {.name = "lead to those who have moved", .run = place_rules, .timeout_ms = 30000},
    {.name = "wake etcd", .run = wake, .timeout_ms = 30000, .data = "etcd"},
    {0},
};

/* --- Its own. --- */

static bool has_etcd(const struct docker_flow *df)
{
    return docker_is_control_plane(df->found) &&
           docker_has_file(df, "kubernetes/manifests/etcd.yaml");
}

static enum step_status mend_files(struct flow *flow, const struct answer *answer,
                                   struct error **err)
{
    const struct docker_flow *df = docker_flow_of(flow);
    if (answer)
        return said_no(flow, answer, err);
    const char *argv[] = {"sh",
                          "-c",
                          files_script,
                          "kind-files",
                          df->found->ipv4 ? df->found->ipv4 : "",
                          df->found->ipv6 ? df->found->ipv6 : "",
                          NULL};
    flow_exec(flow, df->found->id, argv);
    return STEP_WAITING;
}

/* etcd by its JSON gateway, with its own certificate as a client's. */
static void ask_etcd(struct docker_flow *df, const char *path, const char *body)
{
    const char *argv[] = {"curl",
                          "-sS",
                          "--fail",
                          "--max-time",
                          "5",
                          "--cacert",
                          ETCD_CA,
                          "--cert",
                          ETCD_CERTIFICATE,
                          "--key",
                          ETCD_KEY,
                          "--data",
                          body,
                          arena_format(df->flow.arena, "https://localhost:2379/v3/%s", path),
                          NULL};
    flow_exec(&df->flow, df->found->id, argv);
}

static bool is_of_cluster(const struct docker_flow *df, const char *name)
{
    for (size_t i = 0; i < df->seen->node_count; i++)
        if (docker_is_control_plane(&df->seen->nodes[i]) &&
            strcmp(df->seen->nodes[i].name, name) == 0)
            return true;
    return false;
}

/* The change for the first member that is not known by its name; NULL: all are. */
static const char *next_update(struct docker_flow *df, const json_t *members)
{
    size_t i;
    const json_t *member;
    json_array_foreach(members, i, member)
    {
        const char *name = json_string_value(json_object_get(member, "name"));
        const char *id = json_string_value(json_object_get(member, "ID"));
        const json_t *urls = json_object_get(member, "peerURLs");
        const char *has = json_string_value(json_array_get(urls, 0));
        if (!name || !id || !is_of_cluster(df, name))
            continue;
        const char *url = arena_format(df->flow.arena, "https://%s:2380", name);
        if (json_array_size(urls) == 1 && has && strcmp(has, url) == 0)
            continue;
        json_t *update = json_pack("{s:s,s:[s]}", "ID", id, "peerURLs", url);
        cleanup_free char *text = json_dumps(update, JSON_COMPACT);
        json_decref(update);
        return arena_string(df->flow.arena, text);
    }
    return NULL;
}

/*
 * Names are right after each start, where addresses are not: the certificates
 * hold them, and the engine's DNS knows them. Lists, and changes, until there
 * is nothing to change.
 */
static enum step_status name_members(struct flow *flow, const struct answer *answer,
                                     struct error **err)
{
    (void)err;
    struct docker_flow *df = docker_flow_of(flow);
    if (!has_etcd(df))
        return STEP_DONE;
    if (!answer) {
        ask_etcd(df, "cluster/member/list", "{}");
        return STEP_WAITING;
    }
    if (answer->failure || answer->exit_code != 0) {
        flow->waiting_for = arena_format(flow->arena, "etcd does not answer: %s",
                                         answer->failure ? docker_message(flow, answer)
                                                         : docker_last_words(flow, answer));
        return STEP_AGAIN;
    }
    json_t *reply = json_loadb(answer->body, answer->length, JSON_DISABLE_EOF_CHECK, NULL);
    const json_t *members = json_object_get(reply, "members");
    const char *update = next_update(df, members);
    bool is_list = json_array_size(members) > 0;
    json_decref(reply);
    if (!is_list) {
        flow->waiting_for = "etcd's answer is no list of members";
        return STEP_AGAIN;
    }
    if (!update)
        return STEP_DONE;
    ask_etcd(df, "cluster/member/update", update);
    return STEP_WAITING;
}

static bool knows_address(struct docker_flow *df, const char *path)
{
    const struct archive_file *file = archive_find(&df->files, path);
    if (!file || !file->bytes)
        return false;
    struct string_list told = certificate_addresses(df->flow.arena, file->bytes, file->length);
    return certificate_names(&told, df->found->ipv4) || certificate_names(&told, df->found->ipv6);
}

/* etcd reads them at each greeting, and the API server once a minute: neither is restarted. */
static enum step_status make_certificates(struct flow *flow, const struct answer *answer,
                                          struct error **err)
{
    static const struct {
        const char *phase, *path;
        bool of_etcd;
    } rows[] = {
        {"apiserver", "kubernetes/pki/apiserver.crt", false},
        {"etcd-server", "kubernetes/pki/etcd/server.crt", true},
        {"etcd-peer", "kubernetes/pki/etcd/peer.crt", true},
    };
    struct docker_flow *df = docker_flow_of(flow);
    if (answer)
        return said_no(flow, answer, err);
    if (!docker_is_control_plane(df->found))
        return STEP_DONE;
    const char *argv[5 + COUNT_OF(rows)] = {"sh", "-c", certificates_script, "kind-certificates"};
    size_t count = 4;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (!knows_address(df, rows[i].path) && (!rows[i].of_etcd || has_etcd(df)))
            argv[count++] = rows[i].phase;
    flow_exec(flow, df->found->id, argv);
    return STEP_WAITING;
}

static enum step_status read_own(struct flow *flow, const struct answer *answer, struct error **err)
{
    if (!docker_is_control_plane(docker_flow_of(flow)->found))
        return STEP_DONE;
    return docker_read_progress(flow, answer, err);
}

static enum step_status await_own_api(struct flow *flow, const struct answer *answer,
                                      struct error **err)
{
    (void)err;
    struct docker_flow *df = docker_flow_of(flow);
    if (!docker_is_control_plane(df->found) || !df->found->api_port)
        return STEP_DONE;
    if (!answer) {
        kube_send_to(flow, docker_api_server(flow->arena, df->found), "GET", "/healthz", NULL,
                     NULL);
        return STEP_WAITING;
    }
    if (!answer->failure && answer->status == 200)
        return STEP_DONE;
    flow->waiting_for = arena_format(flow->arena, "/healthz: %s", docker_message(flow, answer));
    return STEP_AGAIN;
}

/* By what the cluster knows of it others find their way: routes of pods, and kubelet's API. */
static enum step_status await_address(struct flow *flow, const struct answer *answer,
                                      struct error **err)
{
    (void)err;
    struct docker_flow *df = docker_flow_of(flow);
    if (!answer) {
        kube_send(flow, "GET", arena_format(flow->arena, "/api/v1/nodes/%s", df->found->name), NULL,
                  NULL);
        return STEP_WAITING;
    }
    if (!answer->failure && answer->status == 404)
        return STEP_DONE; /* it has not joined, or was removed: that is another story */
    if (answer->failure || answer->status != 200) {
        flow->waiting_for = docker_message(flow, answer);
        return STEP_AGAIN;
    }
    json_t *node = json_loadb(answer->body, answer->length, 0, NULL);
    const char *told = kube_node_address(flow->arena, node);
    json_decref(node);
    if (told && ((df->found->ipv4 && strcmp(told, df->found->ipv4) == 0) ||
                 (df->found->ipv6 && strcmp(told, df->found->ipv6) == 0)))
        return STEP_DONE;
    flow->waiting_for =
        arena_format(flow->arena, "the cluster still knows it by %s", told ? told : "no address");
    return STEP_AGAIN;
}

#define ASK(what, how, limit_ms)                                                                   \
    {                                                                                              \
        .name = what, .run = how, .timeout_ms = (limit_ms), .poll_ms = 250, .tolerant = true       \
    }

const struct step docker_readdress_steps[] = {
    DOCKER_REACH,
    DOCKER_FIND,
    BOOTED,
    {.name = "put its files right", .run = mend_files, .timeout_ms = 60000},
    {.name = "look for what else is wrong", .run = read_own, .timeout_ms = DOCKER_REQUEST_MS},
    {.name = "wake etcd", .run = wake, .timeout_ms = 30000, .data = "etcd"},
    ASK("tell etcd its members' names", name_members, ETCD_MS),
    {.name = "make its certificates anew", .run = make_certificates, .timeout_ms = CERTIFICATES_MS},
    {.name = "wake the API server", .run = wake, .timeout_ms = 30000, .data = "kube-apiserver"},
    DOCKER_ACCESS,
    ASK("wait for its API", await_own_api, KUBE_MS),
    ASK("wait for its address", await_address, KUBE_MS),
    {0},
};
