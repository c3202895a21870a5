/*
 * plan.h - what to do about the difference. Plain data, in one arena.
 *
 * Actions are in an order in which they could run one after the other; an
 * action only ever waits for earlier ones. What the user's spec or flags do
 * not allow is not an action but a refusal, in words.
 */
#ifndef MODEL_PLAN_H
#define MODEL_PLAN_H

#include "base/arena.h"
#include "base/error.h"
#include "base/text.h"
#include "model/facet.h"
#include "model/marks.h"
#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

enum action_kind {
    ACTION_NETWORK,       /* make sure of the network; subject: its name */
    ACTION_IMAGE,         /* make sure of a node image; subject: its name, or "default" */
    ACTION_CREATE_NODE,   /* container, started and booted; subject: node */
    ACTION_START_NODE,    /* start or unpause an existing container; subject: node */
    ACTION_REVIVE,        /* kubelet and containerd of a running node; subject: node */
    ACTION_BALANCER,      /* load balancer there, configured and running; subject: its container */
    ACTION_ENDPOINT,      /* the name of the API's endpoint: an alias of this control plane where it
                             is the only one that is wanted, else not; subject: node */
    ACTION_PRELOAD,       /* the wanted images into the node's store; subject: node */
    ACTION_BOOTSTRAP,     /* kubeadm phases until the API answers; subject: node */
    ACTION_UPLOAD_CONFIG, /* subject of this and the next: cluster */
    ACTION_MARK_CONTROL_PLANE,
    ACTION_TOKEN,
    ACTION_PROXY,
    ACTION_DNS,
    ACTION_CNI,
    ACTION_STORAGE,
    ACTION_MANIFESTS, /* the user's own */
    ACTION_JOIN,      /* kubeadm join; subject: node */
    ACTION_REROUTE,   /* lets it find moved members of etcd; subject of this and the next: node */
    ACTION_READDRESS, /* the address that it has now, in its files and certificates */
    ACTION_NODE_SETTINGS, /* the spec's labels and taints on the Node object; subject: node */
    ACTION_KUBECONFIG,    /* write the user's entry; subject of this and the next: cluster */
    ACTION_AWAIT_READY,   /* all nodes Ready, DNS up */
    ACTION_RECORD,        /* write /kind/fleet.json to all control planes: plan.record */
    ACTION_FORGET,        /* remove the user's kubeconfig entry */
    ACTION_MARKS,         /* write what the cluster knows of itself: plan.marks */
    ACTION_DRAIN,         /* cordon, evict the pods, delete the Node object; subject: node */
    ACTION_STOP_NODE,     /* its container stands still afterwards; subject: node */
    ACTION_LEAVE_ETCD,    /* etcd forgets the member of that name; subject: node */
    ACTION_DELETE_NODE,   /* container and its volumes; subject: node */
    ACTION_CHECK_VERSION, /* may the node be made of its new image? subject: node */
    ACTION_SET_ASIDE,     /* stop the control plane and name it as carrier; subject: node */
    ACTION_CARRY,         /* the carrier's data into the new container; subject: node */
    ACTION_SAVE_ETCD,     /* a snapshot of etcd, kept beside the subject: node */
    ACTION_ADOPT,         /* a cluster that another tool made becomes ours; subject: cluster */
};

enum { ACTION_KINDS = ACTION_ADOPT + 1, PLAN_ACTIONS_MAX = 512 };

struct action {
    enum action_kind kind;
    enum change_class change;
    const char *subject;
    const char *reason;    /* shown to the user: "missing", "image differs" */
    const uint16_t *after; /* indexes of earlier actions that must succeed first */
    size_t after_count;
};

struct refusal {
    enum change_class change;
    const char *subject; /* facet path or node */
    const char *reason;  /* "10.244.0.0/16 -> 10.8.0.0/16; refused: needs --allow recreate (all its
                            data would go)" */
};

struct plan {
    struct arena *arena;
    const char *cluster;
    struct action *actions;
    size_t count;
    struct refusal *refused;
    size_t refused_count;
    /*
     * What holds in the cluster when all actions are done, where the plan has
     * an ACTION_RECORD; else empty. What is refused keeps its old value.
     */
    struct facet_list record;
    struct marks marks; /* the same of its marks: what ACTION_MARKS and ACTION_RECORD write */
    /*
     * Why the cluster is left alone on purpose, in words, or NULL. Then there
     * is nothing to do, and that is as it should be.
     */
    const char *held;
};

const char *action_kind_name(enum action_kind kind);  /* "create-node": for JSON */
const char *action_kind_words(enum action_kind kind); /* "create node": for people */

void plan_init(struct plan *plan, struct arena *arena, const char *cluster);

/* Returns the new action's index; strings are copied. */
size_t plan_add(struct plan *plan, enum action_kind kind, enum change_class change,
                const char *subject, const char *reason);

/* The same before all others: their indexes, and those that they wait for, go up by one. */
void plan_add_first(struct plan *plan, enum action_kind kind, enum change_class change,
                    const char *subject, const char *reason);

/* action waits for earlier. */
void plan_after(struct plan *plan, size_t action, size_t earlier);

/* Drops all actions and refusals for this reason, in words that are copied. */
void plan_hold(struct plan *plan, const char *reason);

void plan_refuse(struct plan *plan, enum change_class change, const char *subject,
                 const char *format, ...) __attribute__((format(printf, 4, 5)));

/*
 * Asserted before anything runs: no action waits for itself or a later one,
 * one action per subject and kind, bounded count. ERROR_INTERNAL if broken.
 */
int plan_check(const struct plan *plan, struct error **err);

/* The most invasive class among the actions; CHANGE_LIVE for none. */
enum change_class plan_class(const struct plan *plan);

/*
 * For tests and logs: one line an action, in order, with the lines it waits
 * for (from 0) and its class unless that is live:
 *   create-node a-control-plane <- 0 1 (missing)
 *   delete-node a-worker [remove] (not in the spec)
 *   ! networking.podSubnet [recreate]: 10.244.0.0/16 -> 10.8.0.0/16; refused: ...
 *   = stopped by hand; `kind start a` ends that
 */
void plan_print(const struct plan *plan, struct text *text);

/* New reference:
 * {"cluster":..,"actions":[{"kind","subject","class","reason","after"}],"refused":[..],
 * "held":..}. */
json_t *plan_json(const struct plan *plan);

#endif
