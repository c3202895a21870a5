/*
 * rules.h - what must hold in a simulation at every request, after every event, and at the end.
 *
 * A rule that is broken is printed with the command that plays the same again, and counted; the
 * play goes on to its end where it can.
 */
#ifndef SIM_RULES_H
#define SIM_RULES_H

#include "drivers/fake_transport.h"
#include "model/spec.h"
#include "reconciler/report.h"
#include <stdbool.h>
#include <stddef.h>

#define SIM_FLEET "default"

enum { RULES_RUNNING_MAX = 64 };

struct rules {
    struct fake_world *world;
    const char *kubeconfig;         /* path */
    const struct fleet_spec *fleet; /* desired by the process that runs; NULL: none runs */
    bool recreate;                  /* it may throw away finished clusters */
    bool replace;                   /* it may make their nodes anew */
    bool dead;                      /* nobody is left who could ask for anything */
    const char *again;              /* how to play this once more */
    size_t broken;

    /* Actions under way, as they were reported: "a/create-node/a-worker". */
    char running[RULES_RUNNING_MAX][160];
    /* Of the kubeconfig, as it was looked at last. */
    uint64_t seen_inode, seen_size;
};

void rules_expect(struct rules *rules, bool holds, const char *rule, const char *detail);

/* Who is meant by a request, before it takes effect: its owner, and whether it may go. */
void rules_request(struct rules *rules, const struct request *request);
bool rules_mutates(const struct request *request);

/* Is it about this cluster: one of its containers, a list of them, its API? */
bool rules_is_about(const struct rules *rules, const struct request *request, const char *cluster);

/* What is said to the user. */
void rules_report(struct rules *rules, const struct report *report);

/* After each event; quorum is that of before it, by rules_quorum. */
void rules_event(struct rules *rules, const struct fake_transport *transport, unsigned quorum);
/* A bit for each of the clusters a, b, ... whose etcd has a majority. */
unsigned rules_quorum(const struct rules *rules);

/* A process is born; what the one before reported is void. */
void rules_born(struct rules *rules);

#endif
