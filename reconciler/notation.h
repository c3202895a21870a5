/*
 * notation.h - specs and observed clusters in a few words, for tests.
 *
 * The cluster is called "a", our fleet "lab". Words are parted by blanks.
 *
 * A spec names nodes and what is not the default:
 *   cp w cp2         nodes a-control-plane, a-worker, a-control-plane2; lb: with a load
 *                    balancer, also before a single control plane
 *   ipv6 nocni       flags; also: dual, patch, patch6902, containerd,
 *                    containerd6902, nodepatch, nodepatch6902, preload, manifest,
 *                    later (a field that is not supported), suspend, protect,
 *                    mayreplace, mayrecreate, maydelete
 *   pod=10.8.0.0/16  values; also: svc, proxy, dns, image, label, taint, gate,
 *                    runtime, mount, publish, address, port, ttl, expires (seconds)
 * An observed cluster names containers and what is known of the whole:
 *   cp:running       a container and its status, made by us; also with :upstream
 *                    or :fleet=x (made by others), :adopted (by us, made by upstream),
 *                    :image=x, :role=x (what it says that it is), :misshapen (of another shape),
 *                    :anew (of the desired shape, not of the recorded one),
 *                    :drift (its labels are not the desired ones), :loose (its address
 *                    may change), :moved (it has changed),
 *                    :forgotten (the cluster does not know it), :joined (and is Ready),
 *                    :silent (its kubelet is), :ill (it is not Ready), :sick (nor says
 *                    why), :hopeless (silent, and was given up), :detached (in no network),
 *                    :unnamed (without the endpoint's name), :port=1 and :host=x (where it
 *                    publishes the API)
 *   recorded         also: unreadable; without either: the set-up is unfinished;
 *                    also: partial (not on the first control plane)
 *   ready unready kubeconfig nokubeconfig    unknown if not said; also: unwell
 *                    (the API answers: all are Ready that run)
 *   marks=protect+ttl-60   as in marks.h
 *   message=it_broke blanks as underscores
 */
#ifndef RECONCILER_NOTATION_H
#define RECONCILER_NOTATION_H

#include "base/arena.h"
#include "base/memory.h"
#include "base/test.h"
#include "model/spec.h"
#include "model/state.h"
#include <string.h>

#define NOTATION_FLEET "lab"

/* Splits at blanks: the next word, or NULL. */
static inline char *notation_word(struct arena *arena, const char **text)
{
    while (**text == ' ')
        ++*text;
    size_t length = strcspn(*text, " ");
    char *word = length ? arena_string_n(arena, *text, length) : NULL;
    *text += length;
    return word;
}

/* The value of "key=value", or NULL. */
static inline char *notation_value(char *word, const char *key)
{
    size_t length = strlen(key);
    return strncmp(word, key, length) == 0 && word[length] == '=' ? word + length + 1 : NULL;
}

/* "k:v" as a list of one pair. */
static inline struct pair_list notation_pair(struct arena *arena, char *text)
{
    struct pair *pair = arena_alloc(arena, sizeof(*pair));
    pair->value = text + strcspn(text, ":") + 1;
    pair->key = arena_string_n(arena, text, strcspn(text, ":"));
    return (struct pair_list){pair, 1};
}

static inline struct string_list notation_strings(struct arena *arena, const char *string)
{
    const char **items = arena_array(arena, 1, sizeof(*items));
    items[0] = string;
    return (struct string_list){items, 1};
}

static inline struct json6902_list notation_json6902(struct arena *arena)
{
    struct json6902_spec *patch = arena_alloc(arena, sizeof(*patch));
    *patch = (struct json6902_spec){.group = "g", .version = "v", .kind = "K", .patch = "[]"};
    return (struct json6902_list){patch, 1};
}

/* The name of the container that a word stands for, or NULL. */
static inline const char *notation_node(const char *word)
{
    static const struct {
        const char *word, *name;
    } nodes[] = {{"cp", "a-control-plane"},
                 {"cp2", "a-control-plane2"},
                 {"cp3", "a-control-plane3"},
                 {"w", "a-worker"},
                 {"w2", "a-worker2"},
                 {"w10", "a-worker10"},
                 {"before", "a-control-plane" STATE_CARRIER_SUFFIX},
                 {"probe", "a-control-plane" STATE_PROBE_SUFFIX},
                 {"lb", "a-external-load-balancer"}};
    for (size_t i = 0; i < COUNT_OF(nodes); i++) {
        if (strcmp(word, nodes[i].word) == 0)
            return nodes[i].name;
    }
    return NULL;
}

static inline void notation_manifest(struct arena *arena, struct cluster_spec *spec)
{
    struct manifest_spec *manifest = arena_alloc(arena, sizeof(*manifest));
    *manifest = (struct manifest_spec){.path = "app.yaml", .text = "kind: List"};
    spec->manifests = manifest;
    spec->manifest_count = 1;
}

static inline void notation_refusal(struct arena *arena, struct cluster_spec *spec)
{
    struct spec_refusal *refusal = arena_alloc(arena, sizeof(*refusal));
    *refusal = (struct spec_refusal){
        .subject = spec->name,
        .rule = "hostPaths",
        .reason = "mounts / of the host; refused by hostPaths of policy.yaml",
    };
    spec->refusals = refusal;
    spec->refusal_count = 1;
}

static inline bool notation_spec_flag(struct arena *arena, struct cluster_spec *spec,
                                      struct node_spec *node, const char *word)
{
    if (strcmp(word, "ipv6") == 0)
        spec->networking.family = IP_FAMILY_IPV6;
    else if (strcmp(word, "dual") == 0)
        spec->networking.family = IP_FAMILY_DUAL;
    else if (strcmp(word, "nocni") == 0)
        spec->networking.disable_default_cni = true;
    else if (strcmp(word, "patch") == 0)
        spec->kubeadm_patches = notation_strings(arena, "kind: ClusterConfiguration");
    else if (strcmp(word, "patch6902") == 0)
        spec->kubeadm_patches_6902 = notation_json6902(arena);
    else if (strcmp(word, "containerd") == 0)
        spec->containerd_patches = notation_strings(arena, "version = 2");
    else if (strcmp(word, "containerd6902") == 0)
        spec->containerd_patches_6902 = notation_strings(arena, "[]");
    else if (strcmp(word, "preload") == 0)
        spec->preload = notation_strings(arena, "busybox:v1");
    else if (strcmp(word, "manifest") == 0)
        notation_manifest(arena, spec);
    else if (strcmp(word, "later") == 0)
        spec->unsupported = notation_strings(arena, "spec.ttl");
    else if (strcmp(word, "refused") == 0)
        notation_refusal(arena, spec);
    else if (strcmp(word, "suspend") == 0)
        spec->suspend = true;
    else if (strcmp(word, "protect") == 0)
        spec->protect = true;
    else if (strcmp(word, "mayreplace") == 0)
        spec->allow_replace = true;
    else if (strcmp(word, "mayrecreate") == 0)
        spec->allow_recreate = true;
    else if (strcmp(word, "maydelete") == 0)
        spec->allow_delete = true;
    else if (strcmp(word, "nodepatch") == 0)
        node->kubeadm_patches = notation_strings(arena, "kind: InitConfiguration");
    else if (strcmp(word, "nodepatch6902") == 0)
        node->kubeadm_patches_6902 = notation_json6902(arena);
    else
        return false;
    return true;
}

/* "key:effect" */
static inline void notation_taint(struct arena *arena, struct node_spec *node, char *text)
{
    struct taint_spec *taint = arena_alloc(arena, sizeof(*taint));
    *taint = (struct taint_spec){.key = arena_string_n(arena, text, strcspn(text, ":")),
                                 .value = "",
                                 .effect = text + strcspn(text, ":") + 1};
    node->taints = taint;
    node->taint_count = 1;
}

static inline void notation_mount(struct arena *arena, struct node_spec *node, char *text)
{
    struct mount_spec *mount = arena_alloc(arena, sizeof(*mount));
    mount->host_path = arena_string_n(arena, text, strcspn(text, ":"));
    mount->container_path = text + strcspn(text, ":") + 1;
    node->mounts = mount;
    node->mount_count = 1;
}

static inline void notation_publish(struct arena *arena, struct node_spec *node, char *text)
{
    struct port_spec *port = arena_alloc(arena, sizeof(*port));
    port->listen_address = "0.0.0.0";
    port->host_port = (int32_t)strtol(text, NULL, 10);
    port->container_port = (int32_t)strtol(text + strcspn(text, ":") + 1, NULL, 10);
    node->ports = port;
    node->port_count = 1;
}

static inline enum proxy_mode notation_proxy(const char *name)
{
    static const enum proxy_mode modes[] = {PROXY_IPTABLES, PROXY_IPVS, PROXY_NFTABLES, PROXY_NONE};
    for (size_t i = 0; i < COUNT_OF(modes); i++) {
        if (strcmp(name, proxy_mode_name(modes[i])) == 0)
            return modes[i];
    }
    fail_msg("no proxy mode: %s", name);
    return PROXY_NONE;
}

static inline bool notation_spec_value(struct arena *arena, struct cluster_spec *spec,
                                       struct node_spec *node, char *word)
{
    struct networking_spec *networking = &spec->networking;
    char *value;
    if ((value = notation_value(word, "pod"))) {
        networking->pod_subnet = value;
    } else if ((value = notation_value(word, "svc"))) {
        networking->service_subnet = value;
    } else if ((value = notation_value(word, "proxy"))) {
        networking->proxy_mode = notation_proxy(value);
    } else if ((value = notation_value(word, "dns"))) {
        networking->dns_search_set = true;
        networking->dns_search = notation_strings(arena, value);
    } else if ((value = notation_value(word, "address"))) {
        networking->api_server_address = value;
    } else if ((value = notation_value(word, "port"))) {
        networking->api_server_port = (int32_t)strtol(value, NULL, 10);
    } else if ((value = notation_value(word, "ttl"))) {
        spec->ttl_s = strtoull(value, NULL, 10);
    } else if ((value = notation_value(word, "expires"))) {
        spec->expires_at_s = strtoull(value, NULL, 10);
    } else if ((value = notation_value(word, "gate"))) {
        spec->feature_gates = notation_pair(arena, value);
    } else if ((value = notation_value(word, "runtime"))) {
        spec->runtime_config = notation_pair(arena, value);
    } else if ((value = notation_value(word, "image"))) {
        node->image = value;
    } else if ((value = notation_value(word, "label"))) {
        node->labels = notation_pair(arena, value);
    } else if ((value = notation_value(word, "taint"))) {
        notation_taint(arena, node, value);
    } else if ((value = notation_value(word, "mount"))) {
        notation_mount(arena, node, value);
    } else if ((value = notation_value(word, "publish"))) {
        notation_publish(arena, node, value);
    } else {
        return false;
    }
    return true;
}

/* What belongs to a node goes to the one named last. NULL text: NULL. */
static inline const struct cluster_spec *notation_spec(struct arena *arena, const char *text)
{
    if (!text)
        return NULL;
    struct cluster_spec *spec = arena_alloc(arena, sizeof(*spec));
    struct node_spec *nodes = arena_array(arena, 8, sizeof(*nodes));
    *spec = (struct cluster_spec){.name = "a", .nodes = nodes};
    spec->networking = (struct networking_spec){.api_server_address = "127.0.0.1",
                                                .pod_subnet = "10.244.0.0/16",
                                                .service_subnet = "10.96.0.0/16"};
    for (char *word; (word = notation_word(arena, &text));) {
        if (strcmp(word, "lb") == 0) {
            spec->balancer = notation_node("lb");
            continue;
        }
        if (notation_node(word)) {
            struct node_spec *node = &nodes[spec->node_count++];
            node->name = notation_node(word);
            node->role = word[0] == 'c' ? NODE_CONTROL_PLANE : NODE_WORKER;
            if (spec_role_count(spec, NODE_CONTROL_PLANE) > 1)
                spec->balancer = notation_node("lb");
            continue;
        }
        struct node_spec *node = &nodes[spec->node_count - 1];
        if (!notation_spec_flag(arena, spec, node, word) &&
            !notation_spec_value(arena, spec, node, word))
            fail_msg("spec: what is '%s'?", word);
    }
    return spec;
}

static inline enum container_status notation_status(const char *name)
{
    for (int status = CONTAINER_CREATED; status <= CONTAINER_DEAD; status++) {
        if (strcmp(name, container_status_name((enum container_status)status)) == 0)
            return (enum container_status)status;
    }
    fail_msg("no status: %s", name);
    return CONTAINER_DEAD;
}

static inline bool notation_health(struct node_state *node, const char *word)
{
    static const struct {
        const char *word;
        enum seen ready;
        bool silent;
        const char *trouble, *given_up;
    } rows[] = {
        {"joined", SEEN_YES, false, NULL, NULL},
        {"ill", SEEN_NO, false, "container runtime is down", NULL},
        {"sick", SEEN_NO, false, NULL, NULL},
        {"silent", SEEN_NO, true, "Kubelet stopped posting node status.", NULL},
        {"hopeless", SEEN_NO, true, "Kubelet stopped posting node status.", "kubelet is failed"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (strcmp(rows[i].word, word) != 0)
            continue;
        node->joined = SEEN_YES;
        node->node_ready = rows[i].ready;
        node->silent = rows[i].silent;
        node->trouble = rows[i].trouble;
        node->given_up = rows[i].given_up;
        return true;
    }
    return false;
}

static inline const char *notation_role(const char *word)
{
    static const struct {
        const char *word, *role;
    } roles[] = {{"lb", ROLE_BALANCER}, {"before", ROLE_CARRIER}, {"probe", ROLE_PROBE}};
    for (size_t i = 0; i < COUNT_OF(roles); i++) {
        if (strcmp(word, roles[i].word) == 0)
            return roles[i].role;
    }
    return *word == 'c' ? "control-plane" : "worker";
}

/* "cp:running:fleet=x" */
static inline struct node_state notation_container(struct arena *arena,
                                                   const struct facet_list *desired,
                                                   const struct facet_list *made, char *word)
{
    char *rest = word;
    char *part = strsep(&rest, ":");
    struct node_state node = {
        .name = notation_node(part),
        .role = notation_role(part),
        .id = "0123456789abcdef",
        .image = "",
        .owner = NOTATION_FLEET,
        .status = notation_status(strsep(&rest, ":")),
    };
    node.shape = facet_shape(arena, made, node.name);
    while ((part = strsep(&rest, ":"))) {
        if (strcmp(part, "upstream") == 0)
            node.owner = node.shape = NULL;
        else if (strcmp(part, "adopted") == 0)
            node.shape = NULL;
        else if (notation_value(part, "image"))
            node.image = notation_value(part, "image");
        else if (notation_value(part, "role"))
            node.role = notation_value(part, "role");
        else if (strcmp(part, "misshapen") == 0)
            node.shape = "other";
        else if (strcmp(part, "drift") == 0)
            node.drift = "label tier is missing";
        else if (strcmp(part, "forgotten") == 0)
            node.joined = SEEN_NO;
        else if (strcmp(part, "loose") == 0)
            node.loose = true;
        else if (strcmp(part, "moved") == 0)
            node.moved = SEEN_YES;
        else if (notation_health(&node, part))
            continue;
        else if (strcmp(part, "detached") == 0)
            node.detached = true;
        else if (strcmp(part, "unnamed") == 0)
            node.named = SEEN_NO;
        else if (notation_value(part, "port"))
            node.api_port = (uint16_t)strtol(notation_value(part, "port"), NULL, 10);
        else if (notation_value(part, "host"))
            node.api_host = notation_value(part, "host");
        else if (strcmp(part, "anew") == 0)
            node.shape = facet_shape(arena, desired, node.name);
        else if (!(node.owner = notation_value(part, "fleet")))
            fail_msg("container: what is '%s'?", part);
    }
    return node;
}

static inline bool notation_state_word(struct cluster_state *state, const struct facet_list *made,
                                       char *word)
{
    if (strcmp(word, "recorded") == 0) {
        state->recorded = SEEN_YES;
        state->applied = *made;
    } else if (strcmp(word, "unreadable") == 0) {
        state->recorded = SEEN_UNKNOWN;
    } else if (strcmp(word, "partial") == 0) {
        state->record_partial = true;
    } else if (strcmp(word, "carried") == 0) {
        state->carried = true;
    } else if (strcmp(word, "succeeded") == 0) {
        state->carried = state->succeeded = true;
    } else if (strcmp(word, "answers") == 0) {
        state->version = "v1.20.2";
    } else if (strcmp(word, "ready") == 0) {
        state->ready = SEEN_YES;
        state->version = "v1.20.2";
    } else if (strcmp(word, "unready") == 0) {
        state->ready = SEEN_NO;
    } else if (strcmp(word, "unwell") == 0) {
        state->ready = SEEN_NO;
        state->version = "v1.20.2";
    } else if (strcmp(word, "kubeconfig") == 0) {
        state->kubeconfig = SEEN_YES;
    } else if (strcmp(word, "nokubeconfig") == 0) {
        state->kubeconfig = SEEN_NO;
    } else if (notation_value(word, "message")) {
        for (char *c = word; *c; c++)
            *c = *c == '_' ? ' ' : *c;
        state->message = notation_value(word, "message");
    } else {
        return false;
    }
    return true;
}

/* made: the spec by which it was made, for shapes and the record; desired: what :anew means. */
static inline struct cluster_state notation_state_beside(struct arena *arena,
                                                         const struct cluster_spec *desired,
                                                         const struct cluster_spec *made,
                                                         const char *text)
{
    struct facet_list facets = {0}, wanted = {0};
    if (made)
        spec_facets(arena, made, &facets);
    if (desired)
        spec_facets(arena, desired, &wanted);
    struct node_state *nodes = arena_array(arena, 8, sizeof(*nodes));
    struct cluster_state state = {.name = "a", .nodes = nodes, .recorded = SEEN_NO};
    for (char *word; (word = notation_word(arena, &text));) {
        if (notation_value(word, "marks")) {
            (void)marks_parse(arena, arena_format(arena, "none+%s", notation_value(word, "marks")),
                              &state.marks);
            state.marked = SEEN_YES;
        } else if (strchr(word, ':') &&
                   (!strchr(word, '=') || strchr(word, ':') < strchr(word, '=')))
            nodes[state.node_count++] = notation_container(arena, &wanted, &facets, word);
        else if (!notation_state_word(&state, &facets, word))
            fail_msg("state: what is '%s'?", word);
    }
    for (size_t i = 0; state.version && i < state.node_count; i++) {
        bool runs = nodes[i].status == CONTAINER_RUNNING;
        if (nodes[i].joined == SEEN_UNKNOWN && runs)
            nodes[i].joined = nodes[i].node_ready = SEEN_YES;
        state.ready_count += strcmp(nodes[i].role, ROLE_BALANCER) != 0 && runs;
    }
    return state;
}

static inline struct cluster_state notation_state(struct arena *arena,
                                                  const struct cluster_spec *made, const char *text)
{
    return notation_state_beside(arena, made, made, text);
}

#endif
