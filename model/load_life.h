/*
 * load_life.h - what a fleet.kind Cluster says of its life: when it ends, what may be done to it,
 * what it waits for.
 */
#ifndef MODEL_LOAD_LIFE_H
#define MODEL_LOAD_LIFE_H

#include "model/load_fields.h"

enum { LOAD_DEPENDENCIES_MAX = 100, LOAD_COUNT_MAX = 10000 };

/* Its rows are offsets into a struct cluster_spec; based on v1alpha4's cluster_shape_table. */
extern const struct field_table life_table;

extern const struct field_type type_count; /* uint32_t, 1 to LOAD_COUNT_MAX */

#endif
