/*
 * stage.h - a world, and the process that works in it: the engine over the docker driver over a
 * transport without sockets, under a virtual clock. The process may die at any request; the world
 * stays, and the next process finds it.
 */
#ifndef SIM_STAGE_H
#define SIM_STAGE_H

#include "drivers/docker.h"
#include "reconciler/engine.h"
#include "sim/rules.h"
#include "sim/trouble.h"
#include "sim/wishes.h"

/* Where a process dies. */
enum stage_side { STAGE_BEFORE, STAGE_AFTER }; /* the request takes effect */

struct stage {
    struct fake_world *world;
    struct fake_transport transport;
    struct prng order;
    char *items[1]; /* the kubeconfig */
    struct kubeconfig_paths paths;
    struct docker_options options;
    struct rules rules;
    struct trouble trouble;
    bool told; /* print what happens */

    /* The process. */
    struct driver *driver;
    struct engine *engine;
    bool over, dies;
    bool suffers; /* in this event, from what is no deed of the process */
    unsigned interrupts;
    bool lost_plane;            /* somebody else took a control plane away */
    uint64_t engine_back_at_ms; /* nobody answers at the engine's socket before */
    const char *blocked;        /* a cluster about which no request is ever answered; NULL: none */
    void (*heard)(void *context, const struct report *report); /* what is reported; may be NULL */
    void *heard_context;

    size_t requests, mutations; /* since stage_count */
    /* Asked at each request whether the process dies there, and on which side; may be NULL. */
    bool (*fate)(struct stage *stage, void *context, bool mutates, enum stage_side *side);
    void *fate_context;
    size_t events; /* in all */
};

struct stage_options {
    uint64_t seed;
    size_t *counts;    /* of troubles met, TROUBLE_CLASSES of them */
    const char *again; /* the command that plays this once more; must last */
    bool told;
};

void stage_open(struct stage *stage, const struct stage_options *options);
void stage_close(struct stage *stage);

void stage_say(const struct stage *stage, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* One request by somebody else, as of fake_ask.h: "POST /containers/x/stop". Its status. */
int stage_ask(struct stage *stage, const char *line, const char *json);
/* The same to the API of a node. */
int stage_ask_api(struct stage *stage, const char *node, const char *line, const char *json);

/* A container of ours, by chance; or NULL. */
const char *stage_any_node(struct stage *stage, struct prng *prng);
/* Somebody else removes a container. */
void stage_remove(struct stage *stage, const char *name);
/* What others put into clusters of ours goes again. */
void stage_remove_strangers(struct stage *stage);

/* How one invocation of `kind apply` came to its end. */
enum stage_end {
    STAGE_GOOD,    /* all is as desired, nothing was refused */
    STAGE_REFUSED, /* all that is left is refused */
    STAGE_FAILED,  /* something stalled, or nothing could be listed */
    STAGE_STOPPED, /* interrupted */
    STAGE_DIED,
    STAGE_INVALID, /* the source is no good: nothing was begun */
};

struct stage_pass {
    size_t wish;
    bool prune, allow_empty, allow_replace, allow_recreate;
};

enum stage_end stage_run(struct stage *stage, const struct stage_pass *pass);

/* For a copy of this program: the kubeconfig is another file from here on, of the same content. */
void stage_move_kubeconfig(struct stage *stage);

/* Requests are counted from here. */
void stage_count(struct stage *stage);

#endif
