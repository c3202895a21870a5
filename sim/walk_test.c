/*
 * Random walks: a fleet's file is changed again and again, to good texts and bad ones, and each
 * time the real chain (loader, rails, diff, cycle, engine, docker driver) works on the fake world,
 * while requests go wrong in every way, others meddle, and the process dies. Then all is calm, and
 * the world must become what is desired, and stay so. The rules of rules.h hold all the time.
 *
 * `walk_test SEED` plays one walk and tells it; SEEDS=n in the environment plays n of them.
 */
#include "base/memory.h"
#include "base/test.h"
#include "drivers/fake_look.h"
#include "sim/stage.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SEEDS = TEST_SANITIZED ? 60 : 300,
    CHANGES_MAX = 4,         /* of the file, in one walk */
    TROUBLED_MAX = 3,        /* processes that meet trouble, for each */
    CALM_MAX = 6,            /* processes until all is as desired */
    PER_MILLE_MAX = 60,      /* of the requests go wrong */
    VIOLATIONS_MAX = 10,     /* then it is enough */
    IDLE_MS_MAX = 60 * 1000, /* between two processes */
};

struct walk {
    struct stage stage;
    struct prng prng;
    struct stage_pass pass;
    size_t changes, processes;
};

struct sums {
    size_t walks, changes, processes, events, requests, violations;
    size_t troubles[TROUBLE_CLASSES];
};

static bool chance(struct walk *walk, unsigned percent)
{
    return prng_below(&walk->prng, 100) < percent;
}

/* --- others --- */

/* What is there before us and is none of our business. */
static void make_strangers(struct walk *walk)
{
    static const struct {
        const char *name, *labels;
    } rows[] = {
        {"db", "{}"},
        {"u-control-plane",
         "{\"io.x-k8s.kind.cluster\": \"u\", \"io.x-k8s.kind.role\": \"control-plane\"}"},
        {"z-control-plane", "{\"io.x-k8s.kind.cluster\": \"z\", \"io.x-k8s.kind.role\": "
                            "\"control-plane\", \"fleet.kind/owner\": \"other\"}"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        cleanup_free char *create = memory_format("POST /containers/create?name=%s", rows[i].name);
        cleanup_free char *start = memory_format("POST /containers/%s/start", rows[i].name);
        cleanup_free char *body = memory_format(
            "{\"Image\": \"kind.local/node:v1.20.2\", \"Labels\": %s}", rows[i].labels);
        stage_ask(&walk->stage, create, body);
        stage_ask(&walk->stage, start, NULL);
    }
    if (chance(walk, 20))
        stage_ask(&walk->stage, "POST /networks/create",
                  "{\"Name\": \"kind\", \"EnableIPv6\": true, \"IPAM\": {\"Config\": "
                  "[{\"Subnet\": \"fc00:f853:ccd:e793::/64\"}]}}");
}

static void check_strangers(struct walk *walk)
{
    static const char *const names[] = {"db", "u-control-plane", "z-control-plane"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        const char *state = fake_look_state(walk->stage.world, names[i]);
        rules_expect(&walk->stage.rules, state && strcmp(state, "running") == 0,
                     "what others have stays as it is", names[i]);
    }
}

/* By kubectl. */
static void change_label(struct walk *walk)
{
    static const char *const bodies[] = {"{\"metadata\":{\"labels\":{\"tier\":\"hacked\"}}}",
                                         "{\"metadata\":{\"labels\":{\"tier\":null}}}",
                                         "{\"spec\":{\"taints\":null}}"};
    const char *body = bodies[prng_below(&walk->prng, COUNT_OF(bodies))];
    stage_say(&walk->stage, "somebody changes node a-worker: %s", body);
    stage_ask_api(&walk->stage, "a-control-plane", "PATCH /api/v1/nodes/a-worker", body);
}

/* Somebody stops, pauses or removes a node, changes its labels, or forgets the kubeconfig. */
static void meddle(struct walk *walk)
{
    static const char *const deeds[] = {"POST /containers/%s/stop", "POST /containers/%s/kill",
                                        "POST /containers/%s/pause"};
    const char *name = stage_any_node(&walk->stage, &walk->prng);
    size_t deed = prng_below(&walk->prng, COUNT_OF(deeds) + 3);
    if (deed == COUNT_OF(deeds) + 2) {
        change_label(walk);
    } else if (deed == COUNT_OF(deeds) + 1 && name) {
        stage_say(&walk->stage, "somebody removes %s", name);
        stage_remove(&walk->stage, name);
    } else if (deed == COUNT_OF(deeds)) {
        stage_say(&walk->stage, "somebody removes the kubeconfig");
        remove(walk->stage.items[0]);
    } else if (deed < COUNT_OF(deeds) && name) {
        size_t verb = strcspn(deeds[deed], "%");
        cleanup_free char *line =
            memory_format("%.*s%s%s", (int)verb, deeds[deed], name, deeds[deed] + verb + 2);
        stage_say(&walk->stage, "somebody asks for %s", line);
        stage_ask(&walk->stage, line, NULL);
    }
}

/* --- the walk --- */

static enum stage_end apply(struct walk *walk)
{
    stage_count(&walk->stage);
    walk->stage.transport.now_ms += prng_below(&walk->prng, IDLE_MS_MAX);
    walk->processes++;
    return stage_run(&walk->stage, &walk->pass);
}

static void change_wish(struct walk *walk)
{
    walk->changes++;
    walk->pass = (struct stage_pass){
        .wish = prng_below(&walk->prng, wish_count()),
        .prune = chance(walk, 70),
        .allow_empty = chance(walk, 70),
        .allow_replace = chance(walk, 60),
        .allow_recreate = chance(walk, 50),
    };
}

static void be_troubled(struct walk *walk)
{
    size_t processes = prng_below(&walk->prng, TROUBLED_MAX + 1);
    for (size_t i = 0; i < processes && !walk->stage.rules.broken; i++) {
        if (chance(walk, 15))
            meddle(walk);
        walk->stage.trouble.per_mille = 1 + (unsigned)prng_below(&walk->prng, PER_MILLE_MAX);
        apply(walk);
        walk->stage.trouble.per_mille = 0;
    }
}

/* Containers of a desired cluster: each node of the spec, and its balancer; all run. */
static size_t check_cluster(struct walk *walk, const struct cluster_spec *spec)
{
    struct rules *rules = &walk->stage.rules;
    size_t count = spec->node_count + (spec->balancer != NULL);
    for (size_t i = 0; i < count; i++) {
        const char *name = i < spec->node_count ? spec->nodes[i].name : spec->balancer;
        const char *state = fake_look_state(walk->stage.world, name);
        rules_expect(rules, state && strcmp(state, "running") == 0, "what is desired runs", name);
    }
    size_t running, all;
    bool there = fake_look_etcd(walk->stage.world, spec->name, &running, &all);
    rules_expect(rules, there && running == all && all == spec_role_count(spec, NODE_CONTROL_PLANE),
                 "etcd has its members, and no others", spec->name);
    return count;
}

static void check_world(struct walk *walk)
{
    const struct fleet_spec *fleet = wish_fleet(walk->pass.wish);
    size_t wanted = 0, have = 0;
    const char *name;
    for (size_t i = 0; i < fleet->cluster_count; i++)
        wanted += check_cluster(walk, &fleet->clusters[i]);
    for (size_t i = 0; (name = fake_look_name(walk->stage.world, i)); i++) {
        const char *owner = fake_look_label(walk->stage.world, name, LABEL_OWNER);
        const char *cluster = fake_look_label(walk->stage.world, name, LABEL_CLUSTER);
        bool left = !fleet_spec_find(fleet, cluster);
        have += strcmp(owner, SIM_FLEET) == 0 && !left;
    }
    rules_expect(&walk->stage.rules, have == wanted, "no container is one too many",
                 wish_at(walk->pass.wish)->name);
    rules_expect(&walk->stage.rules, fake_look_networks(walk->stage.world, "kind") <= 1,
                 "there is one network", "kind");
}

/*
 * From here on all goes well. More than one process may be needed: what was
 * cut short is mended, one pass deletes a few clusters only, and of several
 * workers one at a time is replaced.
 */
static void be_calm(struct walk *walk)
{
    struct rules *rules = &walk->stage.rules;
    const char *name = wish_at(walk->pass.wish)->name;
    enum stage_end end = STAGE_FAILED;
    bool rests = false;
    stage_say(&walk->stage, "calm");
    stage_remove_strangers(&walk->stage);
    walk->stage.transport.now_ms += IDLE_MS_MAX;
    for (size_t i = 0; i < CALM_MAX && !rests; i++) {
        end = apply(walk);
        rests = walk->stage.mutations == 0 && end != STAGE_FAILED;
    }
    if (!wish_fleet(walk->pass.wish))
        rules_expect(rules, end == STAGE_INVALID && walk->stage.requests == 0,
                     "nothing is done for a bad source", name);
    else if (!walk->stage.lost_plane)
        rules_expect(rules, rests, "it comes to rest, and a look finds nothing to do", name);
    if (rests && end == STAGE_GOOD)
        check_world(walk);
}

static bool play(uint64_t seed, bool told, struct sums *sums)
{
    char again[200];
    struct walk walk = {.prng = {.state = seed}};
    snprintf(again, sizeof(again), "%s %llu", program_invocation_name, (unsigned long long)seed);
    const struct stage_options options = {
        .seed = prng_next(&walk.prng), .counts = sums->troubles, .again = again, .told = told};
    stage_open(&walk.stage, &options);
    make_strangers(&walk);
    size_t changes = 1 + prng_below(&walk.prng, CHANGES_MAX);
    for (size_t i = 0; i < changes && !walk.stage.rules.broken; i++) {
        change_wish(&walk);
        be_troubled(&walk);
        if (!walk.stage.rules.broken && chance(&walk, 60))
            be_calm(&walk);
    }
    if (!walk.stage.rules.broken)
        be_calm(&walk);
    check_strangers(&walk);
    bool good = walk.stage.rules.broken == 0;
    sums->walks++;
    sums->changes += walk.changes;
    sums->processes += walk.processes;
    sums->events += walk.stage.events;
    sums->violations += !good;
    stage_close(&walk.stage);
    return good;
}

static void print_sums(const struct sums *sums)
{
    printf("SIM walks=%zu changes=%zu processes=%zu events=%zu faults{", sums->walks, sums->changes,
           sums->processes, sums->events);
    for (size_t i = 0; i < TROUBLE_CLASSES; i++)
        printf("%s%s=%zu", i ? " " : "", trouble_name((enum trouble_class)i), sums->troubles[i]);
    printf("} violations=%zu\n", sums->violations);
}

static void test_walks(void **state)
{
    (void)state;
    setvbuf(stdout, NULL, _IOLBF, 0);
    const char *wish = getenv("SEEDS");
    uint64_t seeds = wish ? strtoull(wish, NULL, 10) : SEEDS;
    struct sums sums = {0};
    for (uint64_t seed = 1; seed <= seeds && sums.violations < VIOLATIONS_MAX; seed++)
        (void)play(seed, false, &sums);
    print_sums(&sums);
    assert_int_equal(sums.violations, 0);
}

int main(int argc, char **argv)
{
    struct sums sums = {0};
    if (argc > 1)
        return play(strtoull(argv[1], NULL, 10), true, &sums) ? EXIT_SUCCESS : EXIT_FAILURE;
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_walks)};
    return cmocka_run_group_tests_name("walks", tests, NULL, NULL);
}
