/*
 * fake_town.h - a lab with a cluster "a" of one control plane and two workers that is Ready, and
 * its API at hand. For tests of what is done to a living cluster.
 */
#ifndef DRIVERS_FAKE_TOWN_H
#define DRIVERS_FAKE_TOWN_H

#include "drivers/fake_lab.h"
#include <jansson.h>

#define TOWN_CP "a-control-plane"
#define TOWN_WORKER "a-worker"
#define TOWN_WORKER2 "a-worker2"

struct fake_town {
    struct fake_lab lab;
    struct cluster_spec spec; /* to be changed at will; its nodes are `nodes` */
    struct node_spec nodes[3];
    int status; /* of the last answer */
};

void fake_town_open(struct fake_town *town);
void fake_town_close(struct fake_town *town);

/* One request to the cluster's API, "GET /api/v1/nodes"; the body in the lab's arena. */
const char *fake_town_ask(struct fake_town *town, const char *line, const char *json);

/* How many items of a list, "/api/v1/pods", hold the text; NULL: any. */
size_t fake_town_count(struct fake_town *town, const char *path, const char *text);

/* Applies an action, which must succeed, or fail with this message. */
void fake_town_well(struct fake_town *town, enum action_kind kind, const char *subject);
void fake_town_badly(struct fake_town *town, enum action_kind kind, const char *subject,
                     const char *message);

/*
 * Lets the action meet every fault at every request, and be drained and
 * canceled at every moment; after each it must succeed, `check` must hold, and
 * `renew` puts its work before it again.
 */
void fake_town_torment(struct fake_town *town, enum action_kind kind, const char *subject,
                       void (*check)(struct fake_town *town),
                       void (*renew)(struct fake_town *town));

#endif
