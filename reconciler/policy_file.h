/*
 * policy_file.h - a policy from the host's own file, and what it allows on this host.
 *
 * The I/O beside model/policy.h: it reads the file, and follows the links of host paths.
 */
#ifndef RECONCILER_POLICY_FILE_H
#define RECONCILER_POLICY_FILE_H

#include "base/error.h"
#include "model/policy.h"

/*
 * Reads a Policy into *policy, in the arena of problems. What is wrong with the text is added to
 * problems, and summed up in *err (ERROR_INVALID), as is a file that cannot be read.
 */
int policy_file_read(const char *path, struct policy *policy, struct problem_list *problems,
                     struct error **err);

/*
 * The same, with a name for what the file holds, that is another one whenever it is: *ret_revision,
 * in the arena of problems, also where the text is wrong; NULL where there is none.
 */
int policy_file_look(const char *path, struct policy *policy, const char **ret_revision,
                     struct problem_list *problems, struct error **err);

/*
 * Judges the clusters of the fleet by the policy, or by the default of their origin where it is
 * NULL, and by the Fleet's own, which can only refuse more. A cluster that is refused keeps its
 * place in the fleet, so that nobody takes it for one that left the sources.
 */
void policy_apply(struct arena *arena, const struct policy *policy, enum policy_origin origin,
                  struct fleet_spec *fleet);

#endif
