/*
 * docker_flow.h - what the docker driver's step tables share. Private to drivers/docker*.c and
 * kube.c.
 */
#ifndef DRIVERS_DOCKER_FLOW_H
#define DRIVERS_DOCKER_FLOW_H

#include "drivers/archive.h"
#include "drivers/docker.h"
#include "drivers/port.h"
#include "drivers/steps.h"
#include "model/evidence.h"
#include "model/host_limits.h"
#include "model/kubeconfig.h"
#include <jansson.h>

/* The last full list; see docker.h. */
struct snapshot {
    struct arena *arena; /* NULL: none */
    struct fleet_state fleet;
    uint64_t taken_at_ms;
    bool *served; /* of each cluster: has it been looked at with this list? */
    bool *stale;  /* and: has something happened to it since? */
};

/* Containers that were told to have died, last: a ring. */
struct deaths {
    char *ids[32]; /* NULL: none, or it was started again */
    size_t next;
};
struct docker {
    struct driver driver;
    struct transport *transport;
    struct endpoint endpoint;
    struct transport_tls tls;
    struct docker_options options;
    char *base_url; /* with the negotiated version; NULL before the first answer */
    struct snapshot snapshot;
    struct kubeconfig_reader *kubeconfigs; /* what it has read goes with the last look */
    size_t looks;                          /* at clusters, that are under way */
    uint64_t happenings;                   /* that were told of so far */
    struct deaths deaths;
    bool skip_preflight;
};

/* What a node's pods get addresses from, one a family. */
struct pod_ranges {
    const char *items[2]; /* in the order of podSubnet; in the arena */
    size_t count;         /* 0: the cluster is to choose */
};

/* The working memory of one operation. Strings live in flow.arena. */
struct docker_flow {
    struct flow flow;
    struct docker *docker;
    struct apply_input input;

    /* Where a list or an observation goes. */
    struct arena *into;
    struct fleet_state *fleet;
    struct cluster_state *state;
    struct admin_access *admin;
    struct driver_ear ear;
    uint64_t happenings; /* when it was asked for a list */
    const char *cluster;

    /* docker_list.c: a list whose clusters are asked, one after the other, who adopted them. */
    struct cluster_state *listed; /* NULL: there is no list yet */
    size_t listed_count, asked;

    /* Learned on the way. */
    const struct cluster_state *seen; /* the cluster's containers, as listed last */
    const struct node_spec *node;     /* the subject, of input.spec; NULL: not one node */
    const struct node_state *found;   /* the subject's container */
    const struct node_state *speaker; /* the control plane whose API and files are asked */
    bool is_new;                      /* found was made just now */
    const char *image;                /* what the container is made of */
    const char *version;              /* Kubernetes version of the image: "v1.20.2" */
    const struct engine_info *info;   /* of the engine; NULL: not asked */

    const char *address, *address6;     /* fixed ones for a new container, or NULL */
    const char *network_id;             /* the network */
    const char *probe_id;               /* a network or container, made for a look at it */
    const char *subnet;                 /* IPv4, "172.18.0.0/16" */
    struct string_list network_subnets; /* all of the network */
    bool no_ipv6;                       /* the engine said so */
    bool network_raced;                 /* somebody else makes it, too */
    struct port_hold port_hold;         /* picked ports, until the container is made */

    /* Of the control plane that a new one succeeds: fixed addresses, the API's port; or none. */
    const char *inherited_address, *inherited_address6;
    int32_t inherited_port;

    struct archive_files files;      /* the last archive that was read */
    struct kubeconfig_access access; /* of the cluster's API, as admin */
    struct transport_tls access_tls;
    bool access_known;
    bool has_digest;       /* a record was there once */
    bool kubeconfig_fresh; /* the API was asked by the user's own entry */
    json_t *objects;       /* manifests to apply, or what else is gone through one by one */
    size_t next_object;
    json_t *resources;      /* discovered: "group/version" to a list of resources */
    unsigned apply_tries;   /* of the object that is next */
    size_t put_off;         /* objects of unknown kinds, since one was applied */
    uint64_t put_off_at_ms; /* when none but such were left */

    struct kube_node *nodes; /* that are to be Ready */
    size_t node_count;
    size_t next; /* of the nodes that a row takes one after the other */

    const char *token;                       /* for one join: "abcdef.0123456789abcdef" */
    struct pod_ranges pod_ranges;            /* that the node gets before it registers */
    const struct archive_file *cni_template; /* NULL: the image has none, or it is not wanted */
    bool is_member;                          /* etcd counts it among its members */
    bool joined;                             /* its kubelet has its credentials */
    bool has_range;                          /* and its Node its pod range */

    struct line_reader lines; /* of logs and pulls */
    bool lines_open;
    struct text tail; /* last lines of a log, for errors */
    bool boot_seen;
    const char *trouble; /* what went wrong, kept for the error to come */

    const char **rules; /* docker_readdress.c: "old=new" */
    size_t rule_count;

    struct preload *preload;       /* docker_preload.c's own */
    struct drain *drain;           /* docker_drain.h's */
    struct revival *revival;       /* docker_revive.c's own */
    struct inventory *inventory;   /* kube_inventory.c's */
    struct sight *sight;           /* docker_evidence.c's */
    bool has_link;                 /* the link beside a record is there, with or without digest */
    struct succession *succession; /* docker_succession.c's */
    struct etcd *etcd;             /* docker_etcd.c's */
    struct portrait *portrait;     /* docker_adopt.c's */
    struct attachment *attachment; /* docker_alias.c's */
    struct stored *stored;         /* docker_stored.c's; NULL: kubeadm keeps nothing */
    struct saving *saving;         /* docker_save.c's */
};

static inline struct docker_flow *docker_flow_of(struct flow *flow)
{
    return (struct docker_flow *)(void *)flow;
}

/* Tables, one for each kind of operation. */
extern const struct step docker_list_steps[], docker_observe_steps[], docker_admin_steps[];
extern const struct step docker_network_steps[], docker_image_steps[];
extern const struct step docker_create_steps[], docker_start_steps[], docker_delete_steps[];
extern const struct step docker_bootstrap_steps[], docker_join_steps[];
extern const struct step docker_revive_steps[];
extern const struct step docker_balancer_steps[], docker_preload_steps[];
extern const struct step docker_look_steps[], docker_marks_steps[], docker_stop_steps[];
extern const struct step docker_follow_steps[];
extern const struct step docker_alias_steps[], docker_leave_steps[];
extern const struct step docker_manifests_steps[], docker_settings_steps[], docker_drain_steps[];
extern const struct step docker_reroute_steps[], docker_readdress_steps[];
extern const struct step docker_upload_config_steps[], docker_mark_steps[], docker_token_steps[];
extern const struct step docker_proxy_steps[], docker_dns_steps[], docker_cni_steps[];
extern const struct step docker_storage_steps[], docker_kubeconfig_steps[];
extern const struct step docker_evidence_steps[];
extern const struct step docker_check_version_steps[], docker_set_aside_steps[];
extern const struct step docker_carry_steps[], docker_save_steps[], docker_adopt_steps[];
extern const struct step docker_ready_steps[], docker_record_steps[], docker_forget_steps[];

/* Rows that many tables begin with. */
enum step_status docker_reach(struct flow *, const struct answer *,
                              struct error **); /* negotiate */
enum step_status docker_find_node(struct flow *, const struct answer *,
                                  struct error **); /* -> found */
enum step_status docker_read_access(struct flow *, const struct answer *,
                                    struct error **); /* -> access */
enum step_status docker_read_version(struct flow *, const struct answer *,
                                     struct error **); /* -> version */
enum step_status docker_read_progress(struct flow *, const struct answer *,
                                      struct error **); /* /etc/kubernetes -> files */
enum step_status docker_create(struct flow *, const struct answer *,
                               struct error **); /* -> found */
enum step_status docker_start_new(struct flow *, const struct answer *, struct error **);
enum step_status docker_start_found(struct flow *, const struct answer *, struct error **);
enum step_status docker_await_boot(struct flow *, const struct answer *, struct error **);
enum step_status docker_await_containerd(struct flow *, const struct answer *, struct error **);

/* For one request to the engine within an action: one that starts ten nodes at once answers late.
 */
enum { DOCKER_REQUEST_MS = 30 * 1000 };

#define DOCKER_REACH                                                                               \
    {                                                                                              \
        .name = "reach the engine", .run = docker_reach, .timeout_ms = 5000, .tolerant = true      \
    }
#define DOCKER_FIND                                                                                \
    {                                                                                              \
        .name = "find the node", .run = docker_find_node, .timeout_ms = DOCKER_REQUEST_MS          \
    }
#define DOCKER_ACCESS                                                                              \
    {                                                                                              \
        .name = "read the admin credentials", .run = docker_read_access,                           \
        .timeout_ms = DOCKER_REQUEST_MS                                                            \
    }

/* docker_list.c: a reply to GET /containers/json as clusters, in arena. */
int docker_parse_list(struct arena *arena, const char *body, size_t length,
                      struct fleet_state *fleet, struct error **err);
/* Asks for the containers of the flow's cluster, then (STEP_DONE) hands out what was listed. */
enum step_status docker_list_cluster(struct flow *flow, const struct answer *answer,
                                     struct fleet_state *fleet, struct error **err);
/*
 * Does a list show as running what was told to have died? Docker 20.10 tells of
 * a death up to 200 ms before its lists know. The row that listed runs again
 * then, after DOCKER_BEHIND_MS; for two seconds, when the list is believed.
 */
enum { DOCKER_BEHIND_MS = 50 };
bool docker_is_behind(struct docker_flow *df, const struct fleet_state *listed);
void docker_forget_deaths(struct docker *docker);
/* The flow's cluster out of what was listed in its arena: df->seen and df->speaker. */
void docker_take_seen(struct docker_flow *df, const struct fleet_state *fleet);
/* By its label, unless whoever made it is meant. */
bool docker_is_ours(const struct docker_flow *df, const struct node_state *node);
/* The last check before anything is changed: is the found container ours? */
enum step_status docker_check_owner(struct flow *flow, struct error **err);
struct node_state docker_copy_node(struct arena *arena, const struct node_state *node);

/* The engine's {"message": ...} or the text itself, for an error; in the flow's arena. */
const char *docker_message(struct flow *flow, const struct answer *answer);

/* Sets *err from an answer that was not what we asked for; always returns STEP_FAILED. */
enum step_status docker_refused(struct flow *flow, const struct answer *answer, const char *what,
                                struct error **err);

/* A path with everything after the first '=' escaped: "…?filters=" and raw JSON. In the arena. */
const char *docker_path(struct flow *flow, const char *path, const char *raw_query_value);

/* docker_body.c: what the engine is to make for the subject; NULL if a port cannot be had. */
char *docker_body(struct docker_flow *df, struct error **err);

/* What will hold when the plan is done, by which nodes are told apart: input.record, or the spec.
 */
struct facet_list docker_facets(struct docker_flow *df);

/* docker_balancer.c: the command of the load balancer's container; NULL: its image knows. */
const char *docker_balancer_script(struct docker_flow *df);

/* docker_alias.c: row of an observation. */
enum step_status docker_look_named(struct flow *, const struct answer *, struct error **);

/* docker_setup.c: writes the record and the link beside it; marks may be NULL. */
int docker_send_record(struct docker_flow *df, const char *container_id,
                       const struct facet_list *facets, const struct marks *marks,
                       struct error **err);

/* docker_create.c: why a container did not start, in words that say what to do. */
void docker_explain_start(struct flow *flow, const struct answer *answer, struct error **err);

/* GET of a file or folder in a container; the answer goes to docker_files. */
void docker_read_files(struct flow *flow, const char *container_id, const char *path);

/* Unpacks an answer to docker_read_files into df->files; a 404 gives an empty list. */
int docker_files(struct flow *flow, const struct answer *answer, struct error **err);

/* docker_marks.c: asks for the link beside the record; the answer goes to docker_link_target. */
void docker_look_at_link(struct flow *flow, const char *container_id);
/* Its target, in arena; NULL if there is none. Engines tell it as a resolved path. */
const char *docker_link_target(struct arena *arena, const struct answer *answer);
/* A control plane whose files can be read, also if it stands still, but not if it is going. */
bool docker_is_readable(const struct node_state *node);

/* Asks for the found node's admin.conf, then (STEP_DONE) hands out what the answer holds. */
enum step_status docker_admin_conf(struct flow *flow, const struct answer *answer,
                                   const struct archive_file **file, struct error **err);

/* PUT of small files below path, which must exist. */
int docker_write_files(struct flow *flow, const char *container_id, const char *path,
                       const struct archive_file *files, size_t count, struct error **err);

/* The text with every occurrence of word replaced; in the arena. */
const char *docker_fill(struct flow *flow, const char *text, const char *word, const char *with);

/*
 * The node that holds cluster-wide steps: the first running control plane by
 * name, else the first of them, or NULL.
 */
const struct node_state *docker_speaker(const struct cluster_state *state);

/* Another control plane that runs and is not the action's subject; df->speaker if there is none. */
const struct node_state *docker_next_speaker(const struct docker_flow *df);

/* Where the API is published for users: the load balancer, else the speaker; or NULL. */
const struct node_state *docker_entrance(const struct cluster_state *state);

bool docker_is_control_plane(const struct node_state *node);
bool docker_is_balancer(const struct node_state *node);

/* docker_succession.c: what a new control plane has from the one set aside for it. */
enum step_status docker_inherit(struct flow *, const struct answer *, struct error **);
/* May the found container go? Of a carrier its successor must be finished. */
enum step_status docker_check_succeeded(struct flow *, const struct answer *, struct error **);

/* docker_image.c: the image in df->image for what the spec says, by looking only. */
enum step_status docker_choose_image(struct flow *, const struct answer *, struct error **);
/* The load balancer's: Envoy as upstream has it or our haproxy, what is there; else it is pulled.
 */
enum step_status docker_balancer_image(struct flow *, const struct answer *, struct error **);

/* docker_image.c: asks for a pull; the answer is for `lines` first, what went wrong is `trouble`.
 */
void docker_pull(struct flow *flow, const char *image);

/* docker_bootstrap.c: the last lines that a failed command said, on one line; in the arena. */
const char *docker_last_words(struct flow *flow, const struct answer *answer);

/* One note a line. */
void docker_note_lines(struct flow *flow, const char *lines);

/* docker_containerd.c: row of a new node. */
enum step_status docker_patch_containerd(struct flow *, const struct answer *, struct error **);

/* An empty file proves nothing: mounts make them. */
bool docker_has_file(const struct docker_flow *df, const char *path);

/* kubeadm's form of a token, from the system's randomness; in the arena. */
const char *docker_new_token(struct flow *flow, struct error **err);

/* The name:port by which nodes reach the API, of a load balancer or of the only control plane. */
const char *docker_endpoint(struct docker_flow *df);

/* Writes the node's kubeadm.conf and the folder of static pods; ca_hash may be NULL. */
int docker_write_config(struct docker_flow *df, const char *ca_hash, struct error **err);

/*
 * docker_pods.c: the pod ranges of this number, one a family, as
 * kube-controller-manager would give them; none where it is not that simple,
 * or not ours to give. It accepts what a node has already, and before it gives
 * anything it waits 10 s (Kubernetes 1.20).
 */
struct pod_ranges docker_pod_ranges(struct flow *flow, unsigned number);

/* "podCIDR":…,"podCIDRs":[…] as members of a Node's spec; "" for none. */
const char *docker_ranges_json(struct flow *flow, const struct pod_ranges *ranges);

/*
 * Our node image brings a CNI configuration for a node whose pod range is
 * known beforehand: kubelet finds it when it starts, so the node registers as
 * Ready and pods are scheduled at once. The CNI's own program takes over when
 * it runs. Other images have none, which is fine.
 */
enum step_status docker_read_cni(struct flow *, const struct answer *, struct error **);
enum step_status docker_place_cni(struct flow *, const struct answer *, struct error **);
int docker_put_cni(struct flow *flow, const struct archive_file *template,
                   const struct pod_ranges *ranges, struct error **err);

/* Rows of what follows the bootstrap. */
enum step_status docker_await_size(struct flow *, const struct answer *, struct error **);
enum step_status docker_open_for_pods(struct flow *, const struct answer *, struct error **);
enum step_status docker_quicken_dns(struct flow *, const struct answer *, struct error **);

/*
 * docker_stored.c: rows of a join. What kubeadm keeps in the cluster is made to
 * fit a control plane of another version; kube_apply_objects is in between.
 */
enum step_status docker_look_stored(struct flow *, const struct answer *, struct error **);
enum step_status docker_look_kubelet_config(struct flow *, const struct answer *, struct error **);
enum step_status docker_tell_version(struct flow *, const struct answer *, struct error **);

/* docker_network.c: a fixed address for df->node in df->address, or NULL. */
enum step_status docker_choose_address(struct flow *, const struct answer *, struct error **);

/* kube.c: one request to the cluster's API with df->access. path begins with '/'. */
void kube_send(struct flow *flow, const char *method, const char *path, const char *content_type,
               const char *body);
/* The same by another address of the same API. */
void kube_send_to(struct flow *flow, const char *server, const char *method, const char *path,
                  const char *content_type, const char *body);
/* kube_token.c: deletes a bootstrap token; text begins with it, "abcdef.0123456789abcdef". */
void kube_drop_token(struct flow *flow, const char *text);
/* Rows: df->token made known to the cluster, and signed by it, so that a node can join with it. */
enum step_status kube_add_token(struct flow *, const struct answer *, struct error **);
enum step_status kube_await_token(struct flow *, const struct answer *, struct error **);
enum step_status kube_remove_token(struct flow *, const struct answer *, struct error **);
/* "sha256:…" of the CA's public key, kubeadm's caCertHashes; NULL if it cannot be read. */
const char *kube_ca_hash(struct arena *arena, const char *ca_pem);
/* Rows: apply df->objects server-side, one after the other. */
enum step_status kube_apply_objects(struct flow *, const struct answer *, struct error **);
/*
 * kube_inventory.c: rows around kube_apply_objects, which remember what was
 * applied, and delete what df->objects no longer holds.
 */
enum step_status kube_read_inventory(struct flow *, const struct answer *, struct error **);
enum step_status kube_add_inventory(struct flow *, const struct answer *, struct error **);
enum step_status kube_prune_objects(struct flow *, const struct answer *, struct error **);
enum step_status kube_keep_inventory(struct flow *, const struct answer *, struct error **);
/* "https://127.0.0.1:34567": where the API of this node is reached from here; in arena. */
const char *docker_api_server(struct arena *arena, const struct node_state *node);
/* The same of the entrance, for users; NULL if nothing is published. In the flow's arena. */
const char *docker_user_server(struct docker_flow *df, struct error **err);

/* "2026-11-21T03:08:26Z" (fractions are passed over) as Unix seconds; 0 if it is none. */
long long kube_time(const char *text);

/* docker_evidence.c: a look after this failure, into *evidence; both must last until its end. */
void docker_begin_sight(struct docker_flow *df, const struct error *failure,
                        struct evidence *evidence);

/* docker_preflight.c: this host's limits, if the engine runs on it; else false. */
bool docker_read_host(const struct docker_flow *df, const struct engine_info *info,
                      struct host_limits *limits);
/* Row: do the nodes that are to be made fit on the host? */
enum step_status docker_check_host(struct flow *, const struct answer *, struct error **);

/* docker_boot.c: when the container of an inspect was started, Unix seconds; 0 if not known. */
long long docker_started_at(const char *body, size_t length);

/* kube_nodes.c: a node that is to be Ready, and to have said so since then (0: ever). */
struct kube_node {
    const char *name;
    long long since_s;
    const struct node_spec *spec; /* of it; NULL: not known, or nobody asks */
    bool leaves;                  /* it is known not to be wanted: it need not be registered */
    long long made_s;             /* when its container was made; 0: not known */
    /* Filled by kube_read_nodes, as node_state's. */
    const char *drift;
    enum seen joined, ready;
    const char *address; /* its first internal one, if it is Ready */
    bool silent;
    const char *trouble, *given_up;
};

/*
 * On a Node: why docker_revive.c gave it up, behind the time since when it had
 * not been Ready. When it was Ready in between, it counts no more.
 */
#define KUBE_GIVEN_UP "fleet.kind/given-up"

/* The Ready condition of a Node: a borrowed object, or NULL. */
const json_t *kube_ready_condition(const json_t *node);

/*
 * All nodes that are seen, but no load balancer, and with a spec none that it
 * does not have; in the flow's arena, as df->nodes.
 */
void kube_expect_nodes(struct docker_flow *df, const struct cluster_state *state,
                       const struct cluster_spec *spec);

/* The first internal address of a Node object, or NULL. */
const char *kube_node_address(struct arena *arena, const json_t *node);

struct kube_readiness {
    size_t ready, total;
    const char *version, *message; /* message: who is not Ready, and why; NULL: all are */
};

/*
 * Reads a NodeList, in arena: what it says of the nodes that are expected; of
 * others there may be leftovers. What a node said before its container was
 * started again is of no worth. -1 if it is no list.
 */
int kube_read_nodes(struct arena *arena, const char *body, size_t length,
                    struct kube_node *expected, size_t count, struct kube_readiness *readiness,
                    struct error **err);

#endif
