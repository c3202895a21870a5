/* Whom a cure names: the node that failed, or one of the cluster that failed as a whole. */
#include "base/memory.h"
#include "base/test.h"
#include "model/diagnosis.h"
#include <string.h>

static void names_a_node(void **state)
{
    (void)state;
    static const struct {
        const char *name, *subject, *asked, *want;
    } rows[] = {
        {"a node failed", "a-worker", "a-worker", "a-worker"},
        {"the cluster failed, and a node was asked", "a", "a-control-plane", "a-control-plane"},
        {"the cluster failed, and nobody could be asked", "a", NULL, "a"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].name);
        static const char full[] = "kubelet has disk pressure";
        struct diagnosis *diagnosis = diagnosis_new();
        evidence_add(&diagnosis->evidence, EVIDENCE_FAILURE, "", full, strlen(full));
        if (rows[i].asked)
            evidence_add(&diagnosis->evidence, EVIDENCE_NODE, rows[i].asked, "all is well", 11);
        diagnosis_conclude(diagnosis, "a", rows[i].subject);
        const struct finding *cause = diagnosis_cause(diagnosis);
        assert_non_null(cause);
        assert_non_null(strstr(cause->cure, rows[i].want));
        assert_true(strcmp(rows[i].want, "a") == 0 || !strstr(cause->cure, "exec a "));
        diagnosis_free(diagnosis);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(names_a_node)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
