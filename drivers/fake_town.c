#include "drivers/fake_town.h"

#include "base/memory.h"
#include "base/test.h"
#include "drivers/fake_ask.h"
#include <stdio.h>

static const char description[] = "kind: Cluster\n"
                                  "apiVersion: kind.x-k8s.io/v1alpha4\n"
                                  "name: a\n"
                                  "nodes:\n"
                                  "- role: control-plane\n"
                                  "- role: worker\n"
                                  "- role: worker\n";

void fake_town_well(struct fake_town *town, enum action_kind kind, const char *subject)
{
    struct error *failure = fake_lab_apply(&town->lab, &town->spec, kind, subject);
    test_equal(failure ? failure->message : NULL, NULL);
}

void fake_town_badly(struct fake_town *town, enum action_kind kind, const char *subject,
                     const char *message)
{
    struct error *failure = fake_lab_apply(&town->lab, &town->spec, kind, subject);
    test_equal(failure ? failure->message : NULL, message);
    error_free(failure);
}

void fake_town_open(struct fake_town *town)
{
    static const struct {
        enum action_kind kind;
        const char *subject;
    } life[] = {
        {ACTION_NETWORK, "kind"},
        {ACTION_CREATE_NODE, TOWN_CP},
        {ACTION_CREATE_NODE, TOWN_WORKER},
        {ACTION_CREATE_NODE, TOWN_WORKER2},
        {ACTION_BOOTSTRAP, TOWN_CP},
        {ACTION_UPLOAD_CONFIG, "a"},
        {ACTION_MARK_CONTROL_PLANE, "a"},
        {ACTION_TOKEN, "a"},
        {ACTION_PROXY, "a"},
        {ACTION_DNS, "a"},
        {ACTION_CNI, "a"},
        {ACTION_JOIN, TOWN_WORKER},
        {ACTION_JOIN, TOWN_WORKER2},
        {ACTION_KUBECONFIG, "a"},
        {ACTION_AWAIT_READY, "a"},
        {ACTION_RECORD, "a"},
    };
    *town = (struct fake_town){0};
    fake_lab_open(&town->lab, NULL);
    town->spec = *fake_lab_spec(&town->lab, description);
    assert_int_equal(town->spec.node_count, COUNT_OF(town->nodes));
    for (size_t i = 0; i < COUNT_OF(town->nodes); i++)
        town->nodes[i] = town->spec.nodes[i];
    town->spec.nodes = town->nodes;
    for (size_t i = 0; i < COUNT_OF(life); i++)
        fake_town_well(town, life[i].kind, life[i].subject);
}

void fake_town_close(struct fake_town *town)
{
    fake_lab_close(&town->lab);
}

const char *fake_town_ask(struct fake_town *town, const char *line, const char *json)
{
    struct fake_client client = {
        .world = town->lab.world, .now_ms = town->lab.transport.now_ms, .api_of = TOWN_CP};
    const char *answer = arena_string(town->lab.arena, fake_ask(&client, line, json));
    town->status = client.status;
    fake_client_done(&client);
    return answer;
}

size_t fake_town_count(struct fake_town *town, const char *path, const char *text)
{
    cleanup_free char *line = memory_format("GET %s", path);
    json_t *list = json_loads(fake_town_ask(town, line, NULL), 0, NULL);
    size_t i, count = 0;
    const json_t *item;
    json_array_foreach(json_object_get(list, "items"), i, item)
    {
        cleanup_free char *dump = json_dumps(item, JSON_COMPACT);
        count += !text || strstr(dump, text);
    }
    json_decref(list);
    return count;
}

/* --- torment --- */

enum { REQUESTS_MAX = 300, TURNS_MAX = 2000 };

struct torment {
    struct fake_town *town;
    enum action_kind kind;
    const char *subject;
    void (*check)(struct fake_town *town);
    void (*renew)(struct fake_town *town);
};

/* Names the row; the text stays until the next. */
static void name_row(const char *what, size_t number)
{
    static char row[60];
    snprintf(row, sizeof(row), "%s at %zu", what, number);
    test_row(row);
}

static void do_again(const struct torment *torment)
{
    fake_town_well(torment->town, torment->kind, torment->subject);
    torment->check(torment->town);
    torment->renew(torment->town);
}

/* One fault at the Nth request, then once more without. False: there was no Nth. */
static bool meet(const struct torment *torment, const char *fault, unsigned at)
{
    struct fake_lab *lab = &torment->town->lab;
    cleanup_free char *order =
        memory_format("{\"action\": \"%s\", \"at\": %u, \"where\": \"any\"}", fault, at);
    fake_lab_control(lab, "POST /_fake/reset-log", NULL);
    fake_lab_control(lab, "POST /_fake/fault", order);
    size_t before = lab->transport.requests;
    struct error *failure =
        fake_lab_apply(lab, &torment->town->spec, torment->kind, torment->subject);
    bool met = lab->transport.requests - before >= at;
    if (failure) {
        assert_true(met);
        assert_int_not_equal(failure->kind, ERROR_INTERNAL);
        assert_int_not_equal(failure->kind, ERROR_CANCELED);
        assert_non_null(strstr(failure->message, ": "));
        error_free(failure);
    }
    fake_lab_control(lab, "POST /_fake/clear", NULL);
    test_equal(strstr(fake_lab_control(lab, "GET /_fake/requests", NULL), "(null)"), NULL);
    do_again(torment);
    return met;
}

/* Stopped after so many turns, then done. False: it had ended by then. */
static bool stop(const struct torment *torment, enum fake_interrupt how, size_t turns)
{
    bool ended = false;
    struct error *failure = fake_lab_interrupt(&torment->town->lab, &torment->town->spec,
                                               torment->kind, torment->subject, how, turns, &ended);
    if (failure)
        assert_int_equal(failure->kind, ERROR_CANCELED);
    assert_true(how == FAKE_DRAIN || ended == !failure);
    error_free(failure);
    do_again(torment);
    return !ended;
}

void fake_town_torment(struct fake_town *town, enum action_kind kind, const char *subject,
                       void (*check)(struct fake_town *town), void (*renew)(struct fake_town *town))
{
    static const char *const faults[] = {"fail", "drop-after", "garbage", "fail-after", "drop"};
    static const char *const words[] = {"drained", "canceled"};
    const struct torment torment = {town, kind, subject, check, renew};
    for (size_t i = 0; i < COUNT_OF(faults); i++) {
        bool met = true;
        for (unsigned at = 1; met; at++) {
            name_row(faults[i], at);
            assert_true(at < REQUESTS_MAX);
            met = meet(&torment, faults[i], at);
        }
    }
    for (enum fake_interrupt how = FAKE_DRAIN; how <= FAKE_CANCEL; how++) {
        bool stopped = true;
        for (size_t turns = 0; stopped; turns++) {
            name_row(words[how], turns);
            assert_true(turns < TURNS_MAX);
            stopped = stop(&torment, how, turns);
        }
    }
    test_row("");
}
