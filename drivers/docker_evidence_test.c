/* What is collected after a failure, against the fake world. */
#include "base/memory.h"
#include "base/test.h"
#include "drivers/fake_life.h"
#include "model/cause.h"
#include <jansson.h>
#include <sys/utsname.h>

#define CP "a-control-plane"
#define WORKER "a-worker"
#define NODE "kind.local/node:v1.20.2"

static const char yaml[] = "kind: Cluster\n"
                           "apiVersion: kind.x-k8s.io/v1alpha4\n"
                           "name: a\n"
                           "nodes:\n"
                           "- role: control-plane\n"
                           "  image: " NODE "\n"
                           "- role: worker\n"
                           "  image: " NODE "\n";

static const struct life_row rows[] = {
    {ACTION_NETWORK, "kind", 0},
    {ACTION_IMAGE, NODE, 0},
    {ACTION_CREATE_NODE, CP, 0},
    {ACTION_CREATE_NODE, WORKER, 0},
};
static void check(struct fake_lab *lab, const struct life_row *row)
{
    (void)lab, (void)row;
}

static const struct fake_settings settings = {0};
static const struct fake_life life = {
    .settings = &settings, .yaml = yaml, .rows = rows, .row_count = COUNT_OF(rows), .check = check};

/* "failure, container a-worker, boot a-worker, ..." */
static const char *list(struct arena *arena, const struct evidence *evidence)
{
    cleanup_text struct text text;
    text_init(&text, 0);
    for (size_t i = 0; i < evidence->count; i++)
        text_add_format(&text, "%s%s%s%s", i ? ", " : "",
                        evidence_source_name(evidence->items[i].source),
                        *evidence->items[i].subject ? " " : "", evidence->items[i].subject);
    return arena_string(arena, text.data);
}

static const char *text_of(const struct evidence *evidence, enum evidence_source source)
{
    for (size_t i = 0; i < evidence->count; i++)
        if (evidence->items[i].source == source)
            return evidence->items[i].text;
    return "";
}

#define ALL_OF(node) "container " node ", boot " node ", kubelet " node ", containerd " node

/* Which nodes are looked at. */
static void looks_at(void **state)
{
    (void)state;
    static const struct {
        const char *name, *subject, *words, *want;
    } wants[] = {
        {"its subject", WORKER, "kubeadm join: no", "failure, " ALL_OF(WORKER)},
        {"no node", "kind", "make the network: no", "failure"},
        {"of the cluster: who speaks for it", "a", "apply: no", "failure, " ALL_OF(CP)},
        {"of the cluster: who is named", "a", "node " WORKER " is NotReady",
         "failure, " ALL_OF(WORKER)},
        {"not by a longer name", "a", "node " WORKER "2 and " WORKER "-x are NotReady",
         "failure, " ALL_OF(CP)},
        {"both", CP, WORKER ": no",
         "failure, container " CP ", container " WORKER ", boot " CP ", boot " WORKER
         ", kubelet " CP ", kubelet " WORKER ", containerd " CP ", containerd " WORKER},
    };
    struct fake_lab lab;
    const struct cluster_spec *spec = fake_life_open(&life, &lab, COUNT_OF(rows));
    for (size_t i = 0; i < COUNT_OF(wants); i++) {
        test_row(wants[i].name);
        struct evidence evidence = fake_lab_collect(&lab, spec, wants[i].subject, wants[i].words);
        test_equal(list(lab.arena, &evidence), wants[i].want);
        test_equal(evidence.items[0].text, arena_format(lab.arena, "%s\n", wants[i].words));
    }
    fake_lab_close(&lab);
}

/* Somebody put a container of theirs in its place: nothing is run in that. */
static void leaves_others_alone(void **state)
{
    (void)state;
    struct fake_lab lab;
    const struct cluster_spec *spec = fake_life_open(&life, &lab, COUNT_OF(rows));
    fake_lab_control(&lab, "DELETE /containers/" WORKER "?force=1", NULL);
    fake_lab_control(&lab, "POST /containers/create?name=" WORKER,
                     "{\"Image\":\"" NODE "\",\"Labels\":{\"io.x-k8s.kind.cluster\":\"a\","
                     "\"io.x-k8s.kind.role\":\"worker\",\"fleet.kind/owner\":\"other\"}}");
    fake_lab_control(&lab, "POST /containers/" WORKER "/start", NULL);
    struct evidence evidence = fake_lab_collect(&lab, spec, WORKER, "no");
    test_equal(list(lab.arena, &evidence), "failure");
    fake_lab_close(&lab);
}

/* It only looks: nothing but commands that read is sent. */
static void changes_nothing(void **state)
{
    (void)state;
    struct fake_lab lab;
    const struct cluster_spec *spec = fake_life_open(&life, &lab, COUNT_OF(rows));
    fake_lab_collect(&lab, spec, CP, "no");
    json_t *requests = json_loads(fake_lab_control(&lab, "GET /_fake/requests", NULL), 0, NULL),
           *request;
    size_t i;
    assert_true(json_array_size(requests) > 5);
    json_array_foreach(requests, i, request)
    {
        const char *method = json_string_value(json_object_get(request, "method"));
        const char *path = json_string_value(json_object_get(request, "path"));
        test_row(path);
        assert_true(strcmp(method, "GET") == 0 || strstr(path, "/exec"));
    }
    json_decref(requests);
    fake_lab_close(&lab);
}

static void finds_what_was_logged(void **state)
{
    (void)state;
    struct fake_lab lab;
    const struct cluster_spec *spec = fake_life_open(&life, &lab, COUNT_OF(rows));
    fake_lab_control(&lab, "POST /_fake/journal",
                     "{\"kubelet\": \"F1 inotify_init: too many open files\\n"
                     "using token abcdef.0123456789abcdef\\n\"}");
    struct evidence evidence = fake_lab_collect(&lab, spec, WORKER, "boot: not done after 90 s");
    test_equal(text_of(&evidence, EVIDENCE_KUBELET),
               "F1 inotify_init: too many open files\nusing token abcdef.(removed)\n");
    struct findings findings;
    causes_find(lab.arena, &evidence, "a", WORKER, &findings);
    test_equal(findings.items[0].id, "inotify-instances");

    /* One that has ended says so, and is asked no more. */
    fake_lab_control(&lab, "POST /_fake/exit?container=" WORKER "&code=137", "{}");
    evidence = fake_lab_collect(&lab, spec, WORKER, "no");
    test_equal(list(lab.arena, &evidence), "failure, container " WORKER ", boot " WORKER);
    assert_non_null(strstr(text_of(&evidence, EVIDENCE_CONTAINER), "is exited, exit code 137\n"));
    fake_lab_close(&lab);
}

/* Whatever goes wrong while looking, it ends, and what was had is kept. */
static void survives(void **state)
{
    (void)state;
    static const char *const faults[] = {"fail", "drop", "garbage", "drop-after"};
    struct fake_lab lab;
    const struct cluster_spec *spec = fake_life_open(&life, &lab, COUNT_OF(rows));
    for (size_t i = 0; i < COUNT_OF(faults); i++) {
        for (unsigned at = 1; at <= 18; at++) {
            cleanup_free char *order = memory_format(
                "{\"where\": \"any\", \"action\": \"%s\", \"at\": %u}", faults[i], at);
            test_row(order);
            fake_lab_control(&lab, "POST /_fake/fault", order);
            struct evidence evidence = fake_lab_collect(&lab, spec, CP, "it said so");
            fake_lab_control(&lab, "POST /_fake/clear", "{}");
            assert_true(evidence.count > 0);
            test_equal(evidence.items[0].text, "it said so\n");
        }
    }
    fake_lab_close(&lab);
}

/* Limits are read where the engine shares our kernel and speaks by a socket of this host. */
static void reads_limits_of_this_host(void **state)
{
    (void)state;
    struct fake_lab lab;
    const struct cluster_spec *spec = fake_life_open(&life, &lab, COUNT_OF(rows));
    struct utsname name;
    uname(&name);
    fake_lab_control(&lab, "POST /_fake/info", "{\"KernelVersion\": \"0.1\"}");
    struct evidence evidence = fake_lab_collect(&lab, spec, CP, "no");
    test_equal(text_of(&evidence, EVIDENCE_HOST), "");
    fake_lab_control(
        &lab, "POST /_fake/info",
        arena_format(lab.arena,
                     "{\"KernelVersion\": \"%s\", \"Name\": \"%s\", \"DockerRootDir\": \"/tmp\"}",
                     name.release, name.nodename));
    evidence = fake_lab_collect(&lab, spec, CP, "no");
    assert_non_null(strstr(text_of(&evidence, EVIDENCE_HOST), "inotify instances: "));
    assert_non_null(strstr(text_of(&evidence, EVIDENCE_HOST), "disk at /tmp: "));
    fake_lab_close(&lab);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(looks_at),        cmocka_unit_test(leaves_others_alone),
        cmocka_unit_test(changes_nothing), cmocka_unit_test(finds_what_was_logged),
        cmocka_unit_test(survives),        cmocka_unit_test(reads_limits_of_this_host),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
