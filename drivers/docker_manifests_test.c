/* The user's manifests in the fake world: what is applied, what is remembered, what goes again. */
#include "base/memory.h"
#include "base/test.h"
#include "drivers/fake_town.h"

#define LIST "/api/v1/namespaces/kube-system/configmaps/kind-manifests"
#define MAPS "/api/v1/namespaces/default/configmaps"

#define MAP(name) "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: " name "\n---\n"
#define SPACE "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: lab\n---\n"
#define IN_SPACE "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: in\n  namespace: lab\n---\n"
#define CRD                                                                                        \
    "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n"             \
    "  name: toys.ex.org\nspec:\n  group: ex.org\n  scope: Namespaced\n"                           \
    "  names: {plural: toys, kind: Toy}\n  versions:\n  - name: v1\n---\n"
#define TOY "apiVersion: ex.org/v1\nkind: Toy\nmetadata:\n  name: bear\n---\n"
#define TOYS "/apis/ex.org/v1/namespaces/default/toys"

enum { UNKNOWN_KIND_MS = 60 * 1000 };

static void want(struct fake_town *town, const char *text)
{
    struct manifest_spec *manifest = arena_alloc(town->lab.arena, sizeof(*manifest));
    *manifest = (struct manifest_spec){.path = "m.yaml", .text = text};
    town->spec.manifests = manifest;
    town->spec.manifest_count = text ? 1 : 0;
}

static void apply(struct fake_town *town, const char *text)
{
    want(town, text);
    fake_town_well(town, ACTION_MANIFESTS, "a");
}

static const char *list_of(struct fake_town *town)
{
    json_t *map = json_loads(fake_town_ask(town, "GET " LIST, NULL), 0, NULL);
    const char *text =
        arena_string(town->lab.arena,
                     json_string_value(json_object_get(json_object_get(map, "data"), "objects")));
    json_decref(map);
    return text;
}

static bool has(struct fake_town *town, const char *path)
{
    cleanup_free char *line = memory_format("GET %s", path);
    fake_town_ask(town, line, NULL);
    return town->status == 200;
}

static void remembers(void **state)
{
    (void)state;
    struct fake_town town;
    fake_town_open(&town);
    apply(&town, NULL);
    assert_false(has(&town, LIST)); /* nothing to remember */
    apply(&town, MAP("a") MAP("b") SPACE IN_SPACE);
    test_equal(list_of(&town), "v1 ConfigMap - a\nv1 ConfigMap - b\nv1 Namespace - lab\n"
                               "v1 ConfigMap lab in\n");
    apply(&town, MAP("b") MAP("c"));
    assert_false(has(&town, MAPS "/a"));
    assert_true(has(&town, MAPS "/b"));
    assert_true(has(&town, MAPS "/c"));
    assert_false(has(&town, "/api/v1/namespaces/lab"));
    test_equal(list_of(&town), "v1 ConfigMap - b\nv1 ConfigMap - c\n");
    apply(&town, NULL);
    assert_false(has(&town, MAPS "/b"));
    test_equal(list_of(&town), "");
    fake_town_close(&town);
}

/* Every way of saying it is the same object. */
static void keeps_what_is_said_otherwise(void **state)
{
    (void)state;
    struct fake_town town;
    fake_town_open(&town);
    apply(&town, MAP("a"));
    apply(&town, "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n  namespace: default\n");
    assert_true(has(&town, MAPS "/a"));
    test_equal(list_of(&town), "v1 ConfigMap default a\n");
    fake_town_close(&town);
}

static void waits_for_definitions(void **state)
{
    (void)state;
    struct fake_town town;
    fake_town_open(&town);
    apply(&town, TOY CRD MAP("a"));
    assert_true(has(&town, TOYS "/bear"));
    /* The definition goes, and with it the kind: what is left of it is passed over. */
    fake_town_ask(
        &town, "DELETE /apis/apiextensions.k8s.io/v1/customresourcedefinitions/toys.ex.org", NULL);
    apply(&town, MAP("a"));
    test_equal(list_of(&town), "v1 ConfigMap - a\n");
    want(&town, TOY MAP("b"));
    uint64_t begun_ms = town.lab.transport.now_ms;
    fake_town_badly(&town, ACTION_MANIFESTS, "a",
                    "apply the manifest: the cluster does not know ex.org/v1 Toy");
    assert_true(town.lab.transport.now_ms - begun_ms >= UNKNOWN_KIND_MS);
    assert_true(has(&town, MAPS "/b"));
    apply(&town, CRD TOY);
    assert_true(has(&town, TOYS "/bear"));
    fake_town_close(&town);
}

static void refuses(void **state)
{
    (void)state;
    struct fake_town town;
    fake_town_open(&town);
    want(&town, MAP("\"a b\""));
    fake_town_badly(&town, ACTION_MANIFESTS, "a",
                    "read the list of earlier ones: a manifest has no good apiVersion, kind, "
                    "namespace or name: ConfigMap a b");
    want(&town, "apiVersion: v1\nkind: ConfigMap\nmetadata: {generateName: x}\n");
    fake_town_badly(&town, ACTION_MANIFESTS, "a",
                    "read the list of earlier ones: a manifest has no good apiVersion, kind, "
                    "namespace or name: ConfigMap ?");
    cleanup_text struct text text;
    text_init(&text, 0);
    enum { MANY = 900 };
    for (int i = 0; i < MANY; i++)
        text_add_format(&text, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: m%0100d}\n---\n",
                        i);
    want(&town, text.data);
    fake_town_badly(&town, ACTION_MANIFESTS, "a",
                    "read the list of earlier ones: the manifests hold 900 objects, and a list of "
                    "them has more than 64 KiB");
    fake_town_close(&town);
}

/* Lines that others wrote lead nowhere. */
static void bears_odd_lists(void **state)
{
    (void)state;
    struct fake_town town;
    fake_town_open(&town);
    fake_town_ask(&town, "POST /api/v1/namespaces/kube-system/configmaps",
                  "{\"metadata\":{\"name\":\"kind-manifests\"},\"data\":{\"objects\":\"\\nx\\nv1 "
                  "ConfigMap .. ../x\\nv1 ConfigMap - a b\\nno/such/group Kind - x\\n"
                  "no.such/v1 Kind - x\\nv1 Kind - x\\nv1 ConfigMap - none\"}}");
    assert_int_equal(town.status, 201);
    apply(&town, MAP("a"));
    test_equal(list_of(&town), "v1 ConfigMap - a\n");
    fake_town_close(&town);
}

static void is_settled(struct fake_town *town)
{
    assert_false(has(town, MAPS "/a"));
    assert_true(has(town, MAPS "/b"));
    assert_true(has(town, TOYS "/bear"));
    assert_false(has(town, "/api/v1/namespaces/lab"));
    assert_int_equal(fake_town_count(town, "/api/v1/configmaps", "\"name\":\"in\""), 0);
    test_equal(list_of(town), "ex.org/v1 Toy - bear\n"
                              "apiextensions.k8s.io/v1 CustomResourceDefinition - toys.ex.org\n"
                              "v1 ConfigMap - b\n");
}

static void unsettle(struct fake_town *town)
{
    apply(town, NULL);
    apply(town, MAP("a") SPACE IN_SPACE);
    want(town, TOY CRD MAP("b"));
}

/* Whatever is cut short: what was applied by then has a line, so it can go again. */
static void is_tormented(void **state)
{
    (void)state;
    struct fake_town town;
    fake_town_open(&town);
    unsettle(&town);
    fake_town_torment(&town, ACTION_MANIFESTS, "a", is_settled, unsettle);
    fake_town_close(&town);
}

/* Cut short at any request, and then nothing is wanted any more: nothing is left. */
static void loses_nothing(void **state)
{
    (void)state;
    struct fake_town town;
    fake_town_open(&town);
    bool stopped = true;
    for (size_t turns = 0; stopped; turns++) {
        bool ended = false;
        unsettle(&town);
        error_free(fake_lab_interrupt(&town.lab, &town.spec, ACTION_MANIFESTS, "a", FAKE_CANCEL,
                                      turns, &ended));
        stopped = !ended;
        apply(&town, NULL);
        assert_false(has(&town, MAPS "/a"));
        assert_false(has(&town, MAPS "/b"));
        assert_false(has(&town, TOYS "/bear"));
        assert_false(has(&town, "/api/v1/namespaces/lab"));
        test_equal(list_of(&town), "");
    }
    fake_town_close(&town);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(remembers),
        cmocka_unit_test(keeps_what_is_said_otherwise),
        cmocka_unit_test(waits_for_definitions),
        cmocka_unit_test(refuses),
        cmocka_unit_test(bears_odd_lists),
        cmocka_unit_test(is_tormented),
        cmocka_unit_test(loses_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
