/*
 * A process may die at any request. Each scenario is played once without that, and then once for
 * each of its requests, in which the process dies before it is applied, and once in which it dies
 * after, if it changes something. Those who come later must bring the world to the same state, and
 * then find nothing to do.
 *
 * `crash_test SCENARIO` plays one without a death and tells it, `crash_test SCENARIO all` all of
 * its deaths, `crash_test SCENARIO REQUEST before|after` that one, and tells it.
 */
#include "base/memory.h"
#include "base/test.h"
#include "drivers/fake_portrait.h"
#include "sim/stage.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    SEED = 7,
    PASSES_MAX = 5,
    LATER_MS = 60 * 1000,
    STRIDE = TEST_SANITIZED ? 29 : 6, /* every so many-th request is a point of the sample */
};

struct scenario {
    const char *name;
    const char *before;             /* the wish that holds first; NULL: nothing is there */
    const char *after;              /* the wish from then on; NULL: the same */
    void (*meddle)(struct stage *); /* in between; may be NULL */
    size_t half;                    /* what held first was cut short at this request */
    bool prune, replace, recreate;
};

/* --- what others do meanwhile --- */

static void remove_worker(struct stage *stage)
{
    stage_ask(stage, "DELETE /containers/a-worker?force=1&v=1", NULL);
}

static void stop_worker(struct stage *stage)
{
    stage_ask(stage, "POST /containers/a-worker/stop", NULL);
}

static void stop_all(struct stage *stage)
{
    stage_ask(stage, "POST /containers/a-control-plane/stop", NULL);
    stage_ask(stage, "POST /containers/a-worker/kill", NULL);
}

static void pause_plane(struct stage *stage)
{
    stage_ask(stage, "POST /containers/a-control-plane/pause", NULL);
}

static void remove_balancer(struct stage *stage)
{
    stage_ask(stage, "DELETE /containers/a-external-load-balancer?force=1&v=1", NULL);
}

static void remove_plane(struct stage *stage)
{
    stage_ask(stage, "DELETE /containers/a-control-plane2?force=1&v=1", NULL);
}

static void change_label(struct stage *stage)
{
    stage_ask_api(stage, "a-control-plane", "PATCH /api/v1/nodes/a-worker",
                  "{\"metadata\":{\"labels\":{\"tier\":\"hacked\"}}}");
}

static void lose_kubeconfig(struct stage *stage)
{
    remove(stage->items[0]);
}

static const struct scenario scenarios[] = {
    {.name = "create 1+0", .after = "a: cp"},
    {.name = "create 1+2", .after = "a: cp w w"},
    {.name = "create 3+1", .after = "a: cp cp cp w"},
    {.name = "create a fleet of two", .after = "a: cp, b: cp"},
    {.name = "create with labels and taints", .after = "a: cp w, labels"},
    {.name = "create with two families", .after = "a: cp, dual"},
    {.name = "create on IPv6", .after = "a: cp w, ipv6"},
    {.name = "create without a CNI", .after = "a: cp, no cni"},
    {.name = "delete", .before = "a: cp w", .after = "nothing", .prune = true},
    {.name = "prune one of two", .before = "a: cp, b: cp", .after = "b: cp", .prune = true},
    {.name = "add a cluster", .before = "a: cp", .after = "a: cp, b: cp"},
    {.name = "add a worker", .before = "a: cp w", .after = "a: cp w w"},
    {.name = "remove a worker", .before = "a: cp w w", .after = "a: cp w"},
    {.name = "replace a worker", .before = "a: cp w", .after = "a: cp w, ports", .replace = true},
    {.name = "change labels and taints",
     .before = "a: cp w, labels",
     .after = "a: cp w, other labels"},
    {.name = "change manifests", .before = "a: cp, manifest", .after = "a: cp, other manifest"},
    {.name = "preload", .before = "a: cp w", .after = "a: cp w, preload"},
    {.name = "recreate", .before = "a: cp", .after = "a: cp, other pods", .recreate = true},
    {.name = "a worker is removed", .before = "a: cp w", .meddle = remove_worker},
    {.name = "a worker stands still", .before = "a: cp w", .meddle = stop_worker},
    {.name = "all stand still", .before = "a: cp w", .meddle = stop_all},
    {.name = "a control plane is paused", .before = "a: cp w", .meddle = pause_plane},
    {.name = "the balancer is gone", .before = "a: cp cp cp", .meddle = remove_balancer},
    {.name = "one becomes three", .before = "a: cp", .after = "a: cp cp cp"},
    {.name = "three become one", .before = "a: cp cp cp", .after = "a: cp"},
    /* Without a CNI, whose pod ranges kube-controller-manager would give, which is not there. */
    {.name = "one of three is gone", .before = "a: cp cp cp, no cni", .meddle = remove_plane},
    {.name = "one of three is replaced",
     .before = "a: cp cp cp",
     .after = "a: cp cp cp, ports",
     .replace = true},
    {.name = "three are upgraded",
     .before = "a: cp cp cp w",
     .after = "a: cp cp cp w, upgraded",
     .replace = true},
    {.name = "one is upgraded", .before = "a: cp w", .after = "a: cp w, upgraded", .replace = true},
    {.name = "a label drifts", .before = "a: cp w, labels", .meddle = change_label},
    {.name = "the kubeconfig is lost", .before = "a: cp", .meddle = lose_kubeconfig},
    {.name = "cut short at the start", .before = "a: cp w", .half = 25},
    {.name = "cut short in the set-up", .before = "a: cp w", .half = 90},
    {.name = "cut short in the join", .before = "a: cp w", .half = 130},
};

/* --- one play --- */

struct play {
    const struct scenario *scenario;
    size_t die_at; /* 0: it lives */
    enum stage_side side;
    bool told;
    const char *want; /* the portrait without a death; NULL: this is that play */

    size_t stride; /* a copy of this process dies at every so many-th request; 0: at none */
    size_t offset;
    bool is_copy;
    size_t points, violations;
    struct text portrait;
};

static const char *side_name(enum stage_side side)
{
    return side == STAGE_BEFORE ? "before" : "after";
}

static bool is_cut_short(struct stage *stage, void *context, bool mutates, enum stage_side *side)
{
    (void)mutates;
    const struct scenario *scenario = context;
    *side = STAGE_AFTER;
    return stage->requests == scenario->half;
}

static enum stage_end apply(struct stage *stage, const struct scenario *scenario, const char *wish)
{
    const struct stage_pass pass = {
        .wish = wish_index(wish),
        .prune = scenario->prune,
        .allow_empty = true,
        .allow_replace = scenario->replace,
        .allow_recreate = scenario->recreate,
    };
    stage_count(stage);
    return stage_run(stage, &pass);
}

/* What the scenario begins with. */
static void prepare(struct stage *stage, const struct scenario *scenario)
{
    stage->fate_context = (void *)(uintptr_t)scenario;
    stage->fate = scenario->half ? is_cut_short : NULL;
    if (scenario->before) {
        enum stage_end end = apply(stage, scenario, scenario->before);
        rules_expect(&stage->rules, end == (scenario->half ? STAGE_DIED : STAGE_GOOD),
                     "what is there first is made, or half of it", scenario->name);
    }
    stage->fate = NULL;
    if (scenario->meddle)
        scenario->meddle(stage);
    stage->transport.now_ms += LATER_MS;
}

static bool is_point(struct stage *stage, void *context, bool mutates, enum stage_side *side)
{
    (void)mutates;
    const struct play *play = context;
    *side = play->side;
    return stage->requests == play->die_at;
}

/*
 * The point at which the process dies is met by a copy of this program, which
 * goes on from there with a kubeconfig of its own; the original goes on to the
 * next point. True in the copy. To the world it is all the same on which side
 * of a question somebody dies.
 */
static bool is_copied(struct stage *stage, void *context, bool mutates, enum stage_side *side)
{
    struct play *play = context;
    if ((stage->requests + play->offset) % play->stride != 0)
        return false;
    enum stage_side last = mutates ? STAGE_AFTER : STAGE_BEFORE;
    for (*side = STAGE_BEFORE; *side <= last; *side += 1, play->points++) {
        int status = -1;
        fflush(NULL);
        pid_t child = fork();
        if (child == 0) {
            play->is_copy = true;
            play->die_at = stage->requests;
            play->side = *side;
            stage_move_kubeconfig(stage);
            return true;
        }
        if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
            play->violations++;
    }
    return false;
}

static void come_to_rest(struct stage *stage, const struct scenario *scenario, const char *wish)
{
    enum stage_end end = STAGE_DIED;
    for (size_t i = 0; i < PASSES_MAX && end != STAGE_GOOD; i++)
        end = apply(stage, scenario, wish);
    rules_expect(&stage->rules, end == STAGE_GOOD, "those who come later finish it",
                 scenario->name);
    end = apply(stage, scenario, wish);
    rules_expect(&stage->rules, end == STAGE_GOOD && stage->mutations == 0,
                 "then nothing is left to do", scenario->name);
}

/* The first line in which two portraits differ. */
static void say_difference(const char *got, const char *want)
{
    while (*got && *want) {
        size_t one = strcspn(got, "\n"), other = strcspn(want, "\n");
        if (one != other || memcmp(got, want, one) != 0)
            break;
        got += one + (got[one] == '\n');
        want += other + (want[other] == '\n');
    }
    printf("  got:  %.*s\n  want: %.*s\n", (int)strcspn(got, "\n"), got, (int)strcspn(want, "\n"),
           want);
}

static void compare(struct stage *stage, const struct play *play)
{
    bool same = strcmp(play->portrait.data, play->want) == 0;
    rules_expect(&stage->rules, same, "it comes to the same as without a death",
                 play->scenario->name);
    if (!same)
        say_difference(play->portrait.data, play->want);
}

static void play(struct play *play)
{
    const struct scenario *scenario = play->scenario;
    const char *wish = scenario->after ? scenario->after : scenario->before;
    size_t counts[TROUBLE_CLASSES] = {0};
    char again[300] = "";
    struct stage stage;
    const struct stage_options options = {
        .seed = SEED, .counts = counts, .again = again, .told = play->told};
    stage_open(&stage, &options);
    prepare(&stage, scenario);
    stage.fate = play->stride ? is_copied : play->die_at ? is_point : NULL;
    stage.fate_context = play;
    enum stage_end end = apply(&stage, scenario, wish);
    snprintf(again, sizeof(again), "%s '%s' %zu %s", program_invocation_name, scenario->name,
             play->die_at, side_name(play->side));
    stage.fate = NULL;
    rules_expect(&stage.rules, end == (play->die_at ? STAGE_DIED : STAGE_GOOD),
                 "it goes well by itself", scenario->name);
    come_to_rest(&stage, scenario, wish);
    text_clear(&play->portrait);
    fake_portrait(stage.world, &play->portrait);
    if (play->want)
        compare(&stage, play);
    play->violations += stage.rules.broken;
    stage_close(&stage);
    if (!play->is_copy)
        return;
    fflush(NULL);
    _exit(play->violations ? EXIT_FAILURE : EXIT_SUCCESS);
}

static void test_scenario(const struct scenario *scenario, size_t stride, size_t *points,
                          size_t *violations)
{
    struct play clean = {.scenario = scenario};
    struct play dying = {
        .scenario = scenario, .stride = stride, .offset = (size_t)(scenario - scenarios)};
    text_init(&clean.portrait, 0);
    text_init(&dying.portrait, 0);
    play(&clean);
    dying.want = clean.portrait.data;
    play(&dying);
    *points += dying.points;
    *violations += clean.violations + dying.violations;
    text_done(&clean.portrait);
    text_done(&dying.portrait);
}

static void test_scenarios(void **state)
{
    (void)state;
    size_t points = 0, violations = 0, stride = getenv("POINTS") ? 1 : STRIDE;
    for (size_t i = 0; i < COUNT_OF(scenarios); i++)
        test_scenario(&scenarios[i], stride, &points, &violations);
    printf("SIM crash scenarios=%zu points=%zu%s violations=%zu\n", COUNT_OF(scenarios), points,
           stride == 1 ? "" : " (a sample)", violations);
    assert_int_equal(violations, 0);
}

static const struct scenario *find(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(scenarios); i++)
        if (strcmp(scenarios[i].name, name) == 0)
            return &scenarios[i];
    return NULL;
}

static int list_scenarios(void)
{
    for (size_t i = 0; i < COUNT_OF(scenarios); i++)
        printf("%s\n", scenarios[i].name);
    return EXIT_FAILURE;
}

/* SCENARIO; SCENARIO all; SCENARIO REQUEST before|after. */
static int play_one(int count, char **words)
{
    const struct scenario *scenario = find(words[1]);
    if (!scenario)
        return list_scenarios();
    struct play clean = {.scenario = scenario, .told = count == 2};
    size_t points = 0, violations = 0;
    if (count == 3) {
        test_scenario(scenario, 1, &points, &violations);
        printf("SIM crash points=%zu violations=%zu\n", points, violations);
        return violations ? EXIT_FAILURE : EXIT_SUCCESS;
    }
    text_init(&clean.portrait, 0);
    play(&clean);
    violations = clean.violations;
    if (count > 3) {
        struct play dying = {
            .scenario = scenario,
            .die_at = strtoul(words[2], NULL, 10),
            .side = strcmp(words[3], "after") == 0 ? STAGE_AFTER : STAGE_BEFORE,
            .told = true,
            .want = clean.portrait.data,
        };
        text_init(&dying.portrait, 0);
        play(&dying);
        violations += dying.violations;
        text_done(&dying.portrait);
    }
    text_done(&clean.portrait);
    return violations ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    if (argc > 1)
        return play_one(argc, argv);
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_scenarios)};
    return cmocka_run_group_tests_name("crash", tests, NULL, NULL);
}
