/*
 * fake_lab.h - a fake world, the transport over it and the docker driver above, in one process
 * and without sockets; with a folder of its own for the user's kubeconfig. For tests.
 */
#ifndef DRIVERS_FAKE_LAB_H
#define DRIVERS_FAKE_LAB_H

#include "drivers/docker.h"
#include "drivers/fake_transport.h"

struct fake_lab {
    struct fake_world *world;
    struct fake_transport transport;
    struct driver *driver;
    struct arena *arena; /* of the descriptions and whatever the test keeps */
    struct kubeconfig_paths paths;
    char *items[1]; /* of paths */
    char folder[32];
    struct docker_options options;
    const char *steps; /* of the last operation: "reach the engine, find the node", in the arena */
    const char *notes; /* what it noted, likewise */
    /* What actions are given to know, unless it is NULL. */
    const struct cluster_state *observed;
    const struct facet_list *record;
    const struct marks *marks;
};

void fake_lab_open(struct fake_lab *lab, const struct fake_settings *settings);
void fake_lab_close(struct fake_lab *lab);

/* The first cluster of a description, in the lab's arena; it must be a good one. */
const struct cluster_spec *fake_lab_spec(struct fake_lab *lab, const char *yaml);

/* Orders a fault, or asks anything else of the control paths: "POST /_fake/fault". The arena's. */
const char *fake_lab_control(struct fake_lab *lab, const char *line, const char *json);

/* Runs one operation to its end; its failure (the caller frees), or NULL. */
struct error *fake_lab_apply(struct fake_lab *lab, const struct cluster_spec *spec,
                             enum action_kind kind, const char *subject);
struct error *fake_lab_observe(struct fake_lab *lab, const char *cluster,
                               const struct cluster_spec *desired, struct cluster_state *state);

/* What is collected after this action has failed with these words; the evidence is in the arena. */
struct evidence fake_lab_collect(struct fake_lab *lab, const struct cluster_spec *spec,
                                 const char *subject, const char *words);

/*
 * As fake_lab_apply, interrupted after so many turns: drained or canceled.
 * *ended_in_time tells whether it had ended by then.
 */
enum fake_interrupt { FAKE_DRAIN, FAKE_CANCEL };
struct error *fake_lab_interrupt(struct fake_lab *lab, const struct cluster_spec *spec,
                                 enum action_kind kind, const char *subject,
                                 enum fake_interrupt how, size_t turns, bool *ended_in_time);

#endif
