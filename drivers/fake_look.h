/*
 * fake_look.h - what is in a fake world, for tests: without asking, so that nothing is logged or
 * brought up to date by it.
 *
 * What is handed out is the world's, and good until the world changes.
 */
#ifndef DRIVERS_FAKE_LOOK_H
#define DRIVERS_FAKE_LOOK_H

#include "drivers/fake_world.h"
#include <jansson.h>

size_t fake_look_containers(const struct fake_world *world);

/* The body by which it was made, or NULL. */
const json_t *fake_look_container(struct fake_world *world, const char *name);

/* The value of a label of a container (by id, name, prefix of an id), "" without it, NULL without
 * container. */
const char *fake_look_label(struct fake_world *world, const char *container, const char *key);

/* Has this very container's kubelet registered, and does it run? */
bool fake_look_registered(struct fake_world *world, const char *container);

/* Its name, or NULL. */
const char *fake_look_name_of(struct fake_world *world, const char *container);

/* Its full id, or NULL; its state, "running". */
const char *fake_look_id(struct fake_world *world, const char *container);
const char *fake_look_state(struct fake_world *world, const char *container);

/* The name of the Nth container, in the order in which they were made; NULL: there are fewer. */
const char *fake_look_name(const struct fake_world *world, size_t index);

/* The id of the container that an exec belongs to, or NULL. */
const char *fake_look_exec(const struct fake_world *world, const char *exec);
size_t fake_look_execs(const struct fake_world *world);

/* The labels of a network (by id or name); NULL if there is none, or it has none. */
const json_t *fake_look_network(struct fake_world *world, const char *network);
bool fake_look_has_network(struct fake_world *world, const char *network); /* id or name */
size_t fake_look_networks(const struct fake_world *world, const char *name);

/*
 * How many of etcd's members run, and how many there are, in the cluster of
 * this name with the most that run. False: there is no such cluster.
 */
bool fake_look_etcd(struct fake_world *world, const char *cluster, size_t *running, size_t *all);

/* The content of a file as text, NULL if there is none. */
const char *fake_look_file(struct fake_world *world, const char *container, const char *path);

/* How many files of a container begin so. */
size_t fake_look_files(struct fake_world *world, const char *container, const char *prefix);

/* An object of the one cluster, by its path in the API: "/api/v1/nodes/a-worker"; or NULL. */
const json_t *fake_look_object(const struct fake_world *world, const char *path);

/* The same of the cluster of this name, if it has any. */
const json_t *fake_look_object_of(const struct fake_world *world, const char *cluster,
                                  const char *path);

/*
 * Does etcd of the cluster of this name count the node among its members, and does the container of
 * that name hold the member's data? One made anew does not, whatever etcd still believes.
 */
bool fake_look_is_member(struct fake_world *world, const char *cluster, const char *node);

/* How many objects have a path that begins so, and the path of one of them (NULL: none). */
size_t fake_look_objects(const struct fake_world *world, const char *prefix);
const char *fake_look_path(const struct fake_world *world, const char *prefix);

/* The names of etcd's members in the one cluster; NULL without one. */
const json_t *fake_look_members(const struct fake_world *world);

/* How often a request was made whose "METHOD /path" contains this, since the log was reset. */
size_t fake_look_requests(const struct fake_world *world, const char *match);

/* How often a command was started whose words, parted by blanks, contain this. */
size_t fake_look_commands(const struct fake_world *world, const char *match);

#endif
