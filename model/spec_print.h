/*
 * spec_print.h - a spec as the document that means it.
 *
 * Every field is written, defaults too, so that two specs are equal exactly
 * if their texts are. Loading the text gives an equal spec again, where
 * manifests are found. It is a v1alpha4 document, or, where that cannot say
 * all, a fleet.kind one. Names of nodes, which mostly follow from the rest,
 * stand above them as comments; so do fields that have no effect yet, since
 * what they say is not kept.
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
