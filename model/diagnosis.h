/*
 * diagnosis.h - a failure: what was seen after it, and what that means.
 */
#ifndef MODEL_DIAGNOSIS_H
#define MODEL_DIAGNOSIS_H

#include "base/error.h"
#include "model/cause.h"
#include "model/evidence.h"

struct diagnosis {
    struct arena *arena; /* of all of it */
    struct evidence evidence;
    struct findings findings; /* empty until diagnosis_conclude */
};

struct diagnosis *diagnosis_new(void);
void diagnosis_free(struct diagnosis *diagnosis); /* NULL is fine */

/* Where nothing was collected, what the failure says is all the evidence. */
void diagnosis_add_failure(struct diagnosis *diagnosis, const struct error *failure);

/* subject: what the failed action was about, a node most often. */
void diagnosis_conclude(struct diagnosis *diagnosis, const char *cluster, const char *subject);

/* What is held to be the cause, or NULL. */
const struct finding *diagnosis_cause(const struct diagnosis *diagnosis);

#endif
