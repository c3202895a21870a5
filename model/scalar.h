/*
 * scalar.h - what a plain YAML scalar means, by the two rules that upstream mixes.
 *
 * Configuration is read by typed fields: yaml.v3 into Go structs
 * (kind-contract: "scalar coercion"). Patches, kubeconfigs and manifests are
 * read untyped by YAML 1.1 rules (yaml.v2): y, n, yes, no, on, off are
 * booleans, 0x10 and 010 numbers, 1e3 a float; base 60 never.
 */
#ifndef MODEL_SCALAR_H
#define MODEL_SCALAR_H

#include "model/tree.h"
#include <stdbool.h>
#include <stdint.h>

/* Typed reads for configuration fields: false if the scalar is not of the type. */
bool scalar_bool(const struct tree *scalar, bool *value);
bool scalar_int32(const struct tree *scalar, int32_t *value);

enum scalar_type { SCALAR_NULL, SCALAR_BOOL, SCALAR_INT, SCALAR_FLOAT, SCALAR_STRING };

struct scalar_value {
    enum scalar_type type;
    bool boolean;
    int64_t integer;
    double number;
};

/* The untyped meaning by YAML 1.1; integers beyond int64 are floats. */
struct scalar_value scalar_resolve(const struct tree *scalar);

#endif
