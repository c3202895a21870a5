/*
 * spec_print.h - a spec as the v1alpha4 document that means it.
 *
 * Every field is written, defaults too, so that two specs are equal exactly
 * if their texts are. Loading the text gives an equal spec again. Names of
 * nodes, which follow from the rest, stand above them as comments.
 */
#ifndef MODEL_SPEC_PRINT_H
#define MODEL_SPEC_PRINT_H

#include "base/text.h"
#include "model/spec.h"

/* Appends one document, without "---". */
void spec_print(const struct cluster_spec *spec, struct text *text);

/* Appends all clusters, each begun by "---". */
void fleet_spec_print(const struct fleet_spec *fleet, struct text *text);

#endif
