/*
 * spec_copy.h - a spec that outlives the sources that it was read from.
 */
#ifndef MODEL_SPEC_COPY_H
#define MODEL_SPEC_COPY_H

#include "base/arena.h"
#include "model/spec.h"

/* Everything it points to is in the arena. Places are kept. */
struct cluster_spec *spec_copy(struct arena *arena, const struct cluster_spec *spec);

/* Do they ask for the same, and does a policy allow the same of it? Where they stand in which file
 * does not count. */
bool spec_equal(const struct cluster_spec *left, const struct cluster_spec *right);

#endif
