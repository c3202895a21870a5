/*
 * wishes.h - what may be desired of the world of a simulation: fleets of small clusters as texts,
 * good ones and bad ones, read by the real loader.
 */
#ifndef SIM_WISHES_H
#define SIM_WISHES_H

#include "model/spec.h"
#include <stdbool.h>
#include <stddef.h>

struct wish {
    const char *name; /* "a: cp w" */
    const char *text; /* of the only source */
    bool invalid;     /* the loader must refuse it */
    bool empty;       /* without any cluster */
};

/* Node images and others that are on the engine of every world; ended by NULL. */
extern const char *const wish_node_images[], *const wish_images[];

size_t wish_count(void);
const struct wish *wish_at(size_t index);
/* The wish of this name, or its number; they must exist. */
size_t wish_index(const char *name);

/*
 * The fleet that the loader makes of it; NULL if it refuses the text. Loaded once, and kept as
 * long as the process lives.
 */
const struct fleet_spec *wish_fleet(size_t index);

#endif
