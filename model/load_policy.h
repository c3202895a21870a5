/*
 * load_policy.h - the `Policy` of `fleet.kind/v1alpha1`, as a file of its own or within a Fleet.
 *
 * What it does not mention is as in its `base`, which is the restrictive one if it says nothing.
 */
#ifndef MODEL_LOAD_POLICY_H
#define MODEL_LOAD_POLICY_H

#include "model/load_fields.h"
#include "model/policy.h"

/* The whole document, and its spec. */
extern const struct field_table policy_table, policy_spec_table;

/* A spec of a policy, called so in refusals; complete also where problems were reported. */
const struct policy *load_policy_spec(struct loader *loader, const struct cursor *at,
                                      const char *name);

/*
 * Reads a text that holds one Policy and nothing else into *policy, in the arena of problems.
 * Returns -1 if there was any error.
 */
int load_policy(const struct load_text *text, struct policy *policy, struct problem_list *problems);

#endif
