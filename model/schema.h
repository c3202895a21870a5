/*
 * schema.h - the formats of desired state as JSON Schema (draft 7), for editors.
 *
 * Printed from the tables that read them, so a field cannot be in one and not
 * in the other. A schema is somewhat stricter than the reader: it wants
 * true and false where a quoted "yes" would do, and whole numbers in decimal.
 * It cannot see what follows from several fields, as that a subnet is of the
 * cluster's family.
 */
#ifndef MODEL_SCHEMA_H
#define MODEL_SCHEMA_H

#include "base/text.h"

enum schema_format {
    SCHEMA_V1ALPHA4, /* kind.x-k8s.io/v1alpha4 Cluster */
    SCHEMA_FLEET,    /* fleet.kind/v1alpha1 Cluster and Fleet */
    SCHEMA_POLICY,   /* fleet.kind/v1alpha1 Policy, the file of --policy */
    SCHEMA_ANY, /* either of the first two: for files that hold both; refers to the two by their
                   names */
};

/* The file's name: "v1alpha4.json", "fleet.json", "policy.json", "any.json". */
const char *schema_file(enum schema_format format);

/* Appends the schema, with a newline at its end. */
void schema_print(enum schema_format format, struct text *text);

#endif
