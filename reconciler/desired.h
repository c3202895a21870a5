/*
 * desired.h - a revision of desired state: what the sources said at one time, read and checked
 * whole.
 *
 * There is either all of it or none: a source that cannot be read, or a text
 * with any error in it, makes no revision. Who stands by keeps the last good one.
 */
#ifndef RECONCILER_DESIRED_H
#define RECONCILER_DESIRED_H

#include "model/load.h"
#include "model/policy.h"
#include "reconciler/source.h"

struct desired {
    struct arena *arena; /* has all that follows */
    struct fleet_spec fleet;
    const char *revision;         /* "3f2a9c01b7de", or a commit's */
    const char *author, *subject; /* NULL: not known */
    const char *signer;           /* NULL: nobody, or nobody asked */
    uint64_t revised_at_s;        /* Unix time; 0: not known */
    const char *warnings;         /* "file:line:column: warning: ...\n"; "" where there are none */
};

void desired_free(struct desired *desired); /* NULL is fine */

/*
 * Texts to a fleet. Problems are sorted, of errors and warnings; -1 if there
 * was any error, with the sum of them as *err (ERROR_INVALID).
 */
struct desired_rules {
    struct load_options load;
    /* What the clusters may ask for: each is refused alone, see policy_file.h. */
    const struct policy *policy; /* NULL: the default of where they are from */
    enum policy_origin origin;
};
int desired_load(const struct source_texts *texts, const struct desired_rules *rules,
                 struct fleet_spec *fleet, struct problem_list *problems, struct error **err);

/*
 * The same for who keeps it: a revision of its own, without the texts, with
 * fleet and warnings filled in. NULL where there was any error: *problem (the
 * caller frees) has them all, one a line. Scratch is for work in between.
 */
struct desired *desired_of(struct arena *scratch, const struct source_texts *texts,
                           const struct desired_rules *rules, char **problem);

/*
 * The same revision before another policy (NULL: as in desired_rules), without a look at its
 * sources. A new one; what was given stays as it is.
 */
struct desired *desired_judge_again(const struct desired *desired, const struct policy *policy,
                                    enum policy_origin origin);

#endif
