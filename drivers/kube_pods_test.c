/* What is read from a pod when its node is emptied. */
#include "drivers/kube_pods.h"

#include "base/memory.h"
#include "base/test.h"

#define OWNED(kind) "\"ownerReferences\":[{\"kind\":\"" kind "\",\"controller\":true}]"
/* Deleted at 10:00:00, with 30 s to end. */
#define DELETED "\"deletionTimestamp\":\"2026-11-21T10:00:30Z\",\"deletionGracePeriodSeconds\":30"
#define ENDED(at) "{\"state\":{\"terminated\":{\"finishedAt\":\"2026-11-21T" at "Z\"}}}"
#define RUNNING "{\"state\":{\"running\":{\"startedAt\":\"2026-11-21T09:00:00Z\"}}}"
#define WAITING "{\"state\":{\"waiting\":{\"reason\":\"CrashLoopBackOff\"}}}"
#define EMPTY "{\"state\":{\"terminated\":{\"finishedAt\":null}}}"
#define ONE "\"containers\":[{}]"
#define TWO "\"containers\":[{},{}]"
#define INIT ",\"initContainers\":[{}]"
#define DEBUG ",\"ephemeralContainers\":[{}]"

static void tells_fates(void **state)
{
    (void)state;
    static const struct {
        const char *name, *metadata, *spec, *status;
        enum pod_fate fate;
    } rows[] = {
        {"runs", "", ONE, "\"containerStatuses\":[" RUNNING "]", POD_EVICTED},
        {"of a DaemonSet", OWNED("DaemonSet"), ONE, "", POD_STAYS},
        {"of a DaemonSet, ended", OWNED("DaemonSet") "," DELETED, ONE,
         "\"containerStatuses\":[" ENDED("10:00:01") "]", POD_STAYS},
        {"a mirror", "\"annotations\":{\"kubernetes.io/config.mirror\":\"x\"}", ONE, "", POD_STAYS},
        {"finished", "", ONE, "\"phase\":\"Succeeded\"", POD_FINISHED},
        {"ended, but not deleted", "", ONE, "\"containerStatuses\":[" ENDED("10:00:01") "]",
         POD_EVICTED},
        {"deleted, runs", DELETED, ONE, "\"containerStatuses\":[" RUNNING "]", POD_ENDING},
        {"deleted, nothing told", DELETED, ONE, "", POD_ENDING},
        {"deleted, no containers", DELETED, "\"nodeName\":\"n\"", "", POD_ENDING},
        {"ended", DELETED, ONE, "\"containerStatuses\":[" ENDED("10:00:01") "]", POD_ENDED},
        {"ended at once", DELETED, ONE, "\"containerStatuses\":[" ENDED("10:00:00") "]", POD_ENDED},
        {"ended before, may run again", DELETED, ONE,
         "\"containerStatuses\":[" ENDED("09:59:59") "]", POD_ENDING},
        {"will be started again", DELETED, ONE, "\"containerStatuses\":[" WAITING "]", POD_ENDING},
        {"ended, nobody knows when", DELETED, ONE, "\"containerStatuses\":[" EMPTY "]", POD_ENDING},
        {"one of two", DELETED, TWO, "\"containerStatuses\":[" ENDED("10:00:01") "," RUNNING "]",
         POD_ENDING},
        {"one of two is told", DELETED, TWO, "\"containerStatuses\":[" ENDED("10:00:01") "]",
         POD_ENDING},
        {"both", DELETED, TWO,
         "\"containerStatuses\":[" ENDED("10:00:01") "," ENDED("10:00:09") "]", POD_ENDED},
        {"its first one is not told", DELETED, ONE INIT,
         "\"containerStatuses\":[" ENDED("10:00:01") "]", POD_ENDING},
        {"its first one runs", DELETED, ONE INIT,
         "\"containerStatuses\":[" ENDED("10:00:01") "],\"initContainerStatuses\":[" RUNNING "]",
         POD_ENDING},
        {"its first one ended long ago", DELETED, ONE INIT,
         "\"containerStatuses\":[" ENDED("10:00:01") "],\"initContainerStatuses\":[" ENDED(
             "09:00:00") "]",
         POD_ENDED},
        {"somebody looks into it", DELETED, ONE DEBUG,
         "\"containerStatuses\":[" ENDED("10:00:01") "],\"ephemeralContainerStatuses\":[" RUNNING
                                                     "]",
         POD_ENDING},
        {"finished before it was deleted", DELETED, ONE,
         "\"phase\":\"Succeeded\","
         "\"containerStatuses\":[" ENDED("09:00:00") "]",
         POD_ENDED},
        {"failed, but still runs", DELETED, ONE,
         "\"phase\":\"Failed\","
         "\"containerStatuses\":[" RUNNING "]",
         POD_ENDING},
        {"no word of when", "\"deletionTimestamp\":\"soon\"", ONE,
         "\"containerStatuses\":[" ENDED("10:00:01") "]", POD_ENDING},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].name);
        cleanup_free char *text = memory_format("{\"metadata\":{%s},\"spec\":{%s},\"status\":{%s}}",
                                                rows[i].metadata, rows[i].spec, rows[i].status);
        json_t *pod = json_loads(text, 0, NULL);
        assert_non_null(pod);
        assert_int_equal(kube_pod_fate(pod), rows[i].fate);
        json_decref(pod);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(tells_fates)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
