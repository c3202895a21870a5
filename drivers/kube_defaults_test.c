#include "drivers/kube_defaults.h"

#include "base/memory.h"
#include "base/test.h"

/* clang-format off */
static const struct {
    const char *name, *object, *want;
} rows[] = {
    {"a service's ports", "{\"kind\":\"Service\",\"spec\":{\"ports\":[{\"port\":80},{\"port\":53,\"protocol\":\"UDP\"}]}}",
     "{\"kind\":\"Service\",\"spec\":{\"ports\":[{\"port\":80,\"protocol\":\"TCP\"},{\"port\":53,\"protocol\":\"UDP\"}]}}"},
    {"a pod's", "{\"kind\":\"Pod\",\"spec\":{\"containers\":[{\"ports\":[{\"containerPort\":1}]},{}],\"initContainers\":[{\"ports\":[{\"containerPort\":2}]}]}}",
     "{\"kind\":\"Pod\",\"spec\":{\"containers\":[{\"ports\":[{\"containerPort\":1,\"protocol\":\"TCP\"}]},{}],\"initContainers\":[{\"ports\":[{\"containerPort\":2,\"protocol\":\"TCP\"}]}]}}"},
    {"of a template", "{\"kind\":\"Deployment\",\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"ports\":[{\"containerPort\":1}]}]}}}}",
     "{\"kind\":\"Deployment\",\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"ports\":[{\"containerPort\":1,\"protocol\":\"TCP\"}]}]}}}}"},
    {"of a template in a template", "{\"kind\":\"CronJob\",\"spec\":{\"jobTemplate\":{\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"ports\":[{\"containerPort\":1}]}]}}}}}}",
     "{\"kind\":\"CronJob\",\"spec\":{\"jobTemplate\":{\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"ports\":[{\"containerPort\":1,\"protocol\":\"TCP\"}]}]}}}}}}"},
    {"nothing else", "{\"kind\":\"ConfigMap\",\"data\":{\"ports\":\"x\"}}", "{\"kind\":\"ConfigMap\",\"data\":{\"ports\":\"x\"}}"},
    {"odd ones are left", "{\"kind\":\"Service\",\"spec\":{\"ports\":[7]}}", "{\"kind\":\"Service\",\"spec\":{\"ports\":[7]}}"},
    {"without a kind", "{\"spec\":{\"ports\":[{}]}}", "{\"spec\":{\"ports\":[{}]}}"},
};
/* clang-format on */

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].name);
        json_t *object = json_loads(rows[i].object, 0, NULL);
        kube_set_defaults(object);
        cleanup_free char *got = json_dumps(object, JSON_COMPACT);
        json_decref(object);
        test_equal(got, rows[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows)};
    return cmocka_run_group_tests_name("kube_defaults", tests, NULL, NULL);
}
