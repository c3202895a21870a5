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
#include "model/kubeconfig.h"
#include <jansson.h>

/* The last full list; see docker.h. */
struct snapshot {
    struct arena *arena; /* NULL: none */
    struct fleet_state fleet;
    uint64_t taken_at_ms;
};

struct docker {
    struct driver driver;
    struct transport *transport;
    struct endpoint endpoint;
    struct transport_tls tls;
    struct docker_options options;
    char *base_url; /* with the negotiated version; NULL before the first answer */
    struct snapshot snapshot;
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
    const char *cluster;

    /* Learned on the way. */
    const struct node_spec *node;      /* the subject, of input.spec */
    const struct node_state *found;    /* the subject's container */
    const char *image;                 /* what the node is made of */
    const char *version;               /* Kubernetes version of the image: "v1.20.2" */
    const char *address;               /* fixed IPv4 address for a new container, or NULL */
    const char *network_id, *probe_id; /* the network; one made to learn a free subnet */
    const char *subnet;                /* IPv4, "172.18.0.0/16" */
    struct archive_files files;        /* the last archive that was read */
    struct kubeconfig_access access;   /* of the cluster's API, as admin */
    struct transport_tls access_tls;
    bool access_known;
    json_t *objects; /* manifests to apply */
    size_t next_object;
    json_t *resources;        /* discovered: "group/version" to a list of resources */
    struct line_reader lines; /* of logs and pulls */
    bool lines_open;
    struct text tail; /* last lines of a log, for errors */
    bool boot_seen;
    long long started_at_s;     /* of the container, by the engine's clock */
    const char *trouble;        /* what went wrong, kept for the error to come */
    bool no_ipv6;               /* the engine said so */
    struct port_hold port_hold; /* picked ports, until the container is made */
    bool kubeconfig_fresh;      /* the API was asked by the user's own entry */
};

static inline struct docker_flow *docker_flow_of(struct flow *flow)
{
    return (struct docker_flow *)(void *)flow;
}

/* Tables, one for each kind of operation. */
extern const struct step docker_list_steps[], docker_observe_steps[], docker_admin_steps[];
extern const struct step docker_network_steps[], docker_image_steps[];
extern const struct step docker_create_steps[], docker_start_steps[], docker_delete_steps[];
extern const struct step docker_bootstrap_steps[];
extern const struct step docker_upload_config_steps[], docker_mark_steps[], docker_token_steps[];
extern const struct step docker_proxy_steps[], docker_dns_steps[], docker_cni_steps[];
extern const struct step docker_storage_steps[], docker_kubeconfig_steps[];
extern const struct step docker_ready_steps[], docker_record_steps[], docker_forget_steps[];

/* Rows that many tables begin with. */
enum step_status docker_reach(struct flow *, const struct answer *,
                              struct error **); /* negotiate */
enum step_status docker_find_node(struct flow *, const struct answer *,
                                  struct error **); /* -> found */
enum step_status docker_read_access(struct flow *, const struct answer *,
                                    struct error **); /* -> access */
enum step_status docker_await_boot(struct flow *, const struct answer *, struct error **);
enum step_status docker_await_containerd(struct flow *, const struct answer *, struct error **);

#define DOCKER_REACH                                                                               \
    {                                                                                              \
        .name = "reach the engine", .run = docker_reach, .timeout_ms = 5000, .tolerant = true      \
    }
#define DOCKER_FIND                                                                                \
    {                                                                                              \
        .name = "find the node", .run = docker_find_node, .timeout_ms = 10000                      \
    }
#define DOCKER_ACCESS                                                                              \
    {                                                                                              \
        .name = "read the admin credentials", .run = docker_read_access, .timeout_ms = 10000       \
    }

/* docker_list.c: a reply to GET /containers/json as clusters, in arena. */
int docker_parse_list(struct arena *arena, const char *body, size_t length,
                      struct fleet_state *fleet, struct error **err);
/* Asks for the containers of the flow's cluster, then (STEP_DONE) hands out what was listed. */
enum step_status docker_list_cluster(struct flow *flow, const struct answer *answer,
                                     struct fleet_state *fleet, struct error **err);
struct node_state docker_copy_node(struct arena *arena, const struct node_state *node);

/* The engine's {"message": ...} or the text itself, for an error; in the flow's arena. */
const char *docker_message(struct flow *flow, const struct answer *answer);

/* Sets *err from an answer that was not what we asked for; always returns STEP_FAILED. */
enum step_status docker_refused(struct flow *flow, const struct answer *answer, const char *what,
                                struct error **err);

/* A path with everything after the first '=' escaped: "…?filters=" and raw JSON. In the arena. */
const char *docker_path(struct flow *flow, const char *path, const char *raw_query_value);

/* GET of a file or folder in a container; the answer goes to docker_files. */
void docker_read_files(struct flow *flow, const char *container_id, const char *path);

/* Unpacks an answer to docker_read_files into df->files; a 404 gives an empty list. */
int docker_files(struct flow *flow, const struct answer *answer, struct error **err);

/* Asks for the found node's admin.conf, then (STEP_DONE) hands out what the answer holds. */
enum step_status docker_admin_conf(struct flow *flow, const struct answer *answer,
                                   const struct archive_file **file, struct error **err);

/* PUT of small files below path, which must exist. */
int docker_write_files(struct flow *flow, const char *container_id, const char *path,
                       const struct archive_file *files, size_t count, struct error **err);

/* The text with every occurrence of word replaced; in the arena. */
const char *docker_fill(struct flow *flow, const char *text, const char *word, const char *with);

/* The node that holds cluster-wide steps: the first control plane by name, or NULL. */
const struct node_state *docker_first_control_plane(const struct cluster_state *state);

/* docker_image.c: the image in df->image for what the spec says, by looking only. */
enum step_status docker_choose_image(struct flow *, const struct answer *, struct error **);

/* docker_pods.c: rows of the bootstrap and of what follows it. */
enum step_status docker_place_cni(struct flow *, const struct answer *, struct error **);
enum step_status docker_open_for_pods(struct flow *, const struct answer *, struct error **);
enum step_status docker_quicken_dns(struct flow *, const struct answer *, struct error **);

/* docker_network.c: a fixed address for df->node in df->address, or NULL. */
enum step_status docker_choose_address(struct flow *, const struct answer *, struct error **);

/* kube.c: one request to the cluster's API with df->access. path begins with '/'. */
void kube_send(struct flow *flow, const char *method, const char *path, const char *content_type,
               const char *body);
/* Rows: apply df->objects server-side, one after the other. */
enum step_status kube_apply_objects(struct flow *, const struct answer *, struct error **);
/* "https://127.0.0.1:34567": where the API of this node is reached from here; in arena. */
const char *docker_api_server(struct arena *arena, const struct node_state *node);

/* "2026-11-21T03:08:26Z" (fractions are passed over) as Unix seconds; 0 if it is none. */
long long kube_time(const char *text);

/*
 * Have all nodes of a NodeList told their condition since then? What a node
 * said before its container was started again is of no worth.
 */
bool kube_told_since(const char *body, size_t length, long long since_s);

/* docker_boot.c: when the container of an inspect was started, Unix seconds; 0 if not known. */
long long docker_started_at(const char *body, size_t length);

/* Counts Ready nodes of a NodeList; -1 if it is none. *message says who is not, in arena. */
int kube_count_ready(struct arena *arena, const char *body, size_t length, size_t *ready,
                     size_t *total, const char **version, const char **message, struct error **err);

#endif
