#include "model/diagnosis.h"

#include "base/memory.h"
#include <string.h>

struct diagnosis *diagnosis_new(void)
{
    struct diagnosis *diagnosis = memory_new(sizeof(*diagnosis));
    diagnosis->arena = arena_new();
    evidence_init(&diagnosis->evidence, diagnosis->arena);
    return diagnosis;
}

void diagnosis_free(struct diagnosis *diagnosis)
{
    if (diagnosis)
        arena_free(diagnosis->arena);
    free(diagnosis);
}

void diagnosis_add_failure(struct diagnosis *diagnosis, const struct error *failure)
{
    evidence_add(&diagnosis->evidence, EVIDENCE_FAILURE, "", failure->message,
                 strlen(failure->message));
}

/* What failed for the whole cluster can be looked into at the first node that was asked. */
static const char *node_of(const struct diagnosis *diagnosis, const char *cluster,
                           const char *subject)
{
    for (size_t i = 0; strcmp(subject, cluster) == 0 && i < diagnosis->evidence.count; i++)
        if (*diagnosis->evidence.items[i].subject)
            return diagnosis->evidence.items[i].subject;
    return subject;
}

void diagnosis_conclude(struct diagnosis *diagnosis, const char *cluster, const char *subject)
{
    causes_find(diagnosis->arena, &diagnosis->evidence, cluster,
                node_of(diagnosis, cluster, subject), &diagnosis->findings);
}

const struct finding *diagnosis_cause(const struct diagnosis *diagnosis)
{
    return diagnosis && diagnosis->findings.count ? &diagnosis->findings.items[0] : NULL;
}
