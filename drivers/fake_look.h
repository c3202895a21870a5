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

/* The content of a file as text, NULL if there is none. */
const char *fake_look_file(struct fake_world *world, const char *container, const char *path);

/* An object of the one cluster, by its path in the API: "/api/v1/nodes/a-worker"; or NULL. */
const json_t *fake_look_object(const struct fake_world *world, const char *path);

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
