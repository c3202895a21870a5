/*
 * load_old.h - formats that upstream's kind no longer reads, as the clusters of today.
 *
 * Each is a set of tables over the structs of v1alpha4. What has no
 * counterpart is an error at its place; that a format is old is one warning a
 * document, at its apiVersion, with what to write instead.
 */
#ifndef MODEL_LOAD_OLD_H
#define MODEL_LOAD_OLD_H

#include "model/load_fields.h"

enum old_format { OLD_V1ALPHA3, OLD_V1ALPHA2, OLD_V1ALPHA1 };

/* Fills in *spec, complete also where problems were reported; at is the whole document. */
void load_old_cluster(struct loader *loader, const struct cursor *at, enum old_format format,
                      struct cluster_spec *spec);

#endif
