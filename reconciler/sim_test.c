/*
 * Thousands of seeded lives of one cluster: diff and cycle together, in a
 * world where actions fail, lie and come late, containers stop, vanish and
 * appear, wishes change, and the process is stopped or dies. After each event
 * the rules of sim_rules.h are checked; at the end all is calm, and the world must
 * become what is desired (sim_end.h), or the plan must say why not.
 *
 * `sim_test SEED` plays one life and tells it; SEEDS=n in the environment
 * plays n of them.
 */
#include "reconciler/cycle.h"

#include "base/memory.h"
#include "base/test.h"
#include "reconciler/sim_end.h"
#include "reconciler/sim_rules.h"
#include <stdlib.h>
#include <string.h>

enum {
    SEEDS = TEST_SANITIZED ? 4000 : 20000,
    CHAOS_EVENTS_MAX = 100,
    CALM_EVENTS_MAX = 600,
    /* What chaos left, delete, create, mend; three control planes and two workers anew or gone. */
    CALM_ROUNDS_MAX = 24,
};

/* --- Between the cycle and the world. --- */

static void start_action(struct life *life, size_t index)
{
    const struct action *action = &cycle_plan(life->cycle)->actions[index];
    say(life, "    start %s %s", action_kind_name(action->kind), action->subject);
    check_start(life, action);
    if (life->running_count == life->options.parallel) {
        expect(life, false, "no more at once than allowed");
        return;
    }
    life->running[life->running_count++] = (struct operation){.action = index,
                                                              .kind = action->kind,
                                                              .change = action->change,
                                                              .subject = action->subject};
}

static void look(struct life *life)
{
    const struct sim_container *witness = sim_witness(&life->world);
    const struct sim_container *carrier = &life->world.nodes[SIM_CARRIER];
    life->complete = witness ? witness->recorded : NULL;
    if (!life->complete && carrier->there)
        life->complete = carrier->recorded;
    life->look = sim_look(&life->world, life->desired, life->nodes);
}

static void begin_look(struct life *life)
{
    expect(life, !life->observing && !life->running_count, "one round at a time");
    expect(life, !life->stops, "no look after a stop");
    life->observing = true;
    life->draining = false;
    life->meddled = false;
    memset(life->done, 0, sizeof(life->done));
    life->wake_at_ms = 0;
    look(life);
}

static void cancel(struct life *life, size_t index)
{
    expect(life, life->stops >= 2, "nothing is canceled before the second stop");
    for (size_t i = 0; i < life->running_count; i++) {
        if (life->running[i].action == index)
            life->running[i].canceled = true;
    }
}

static void carry_out(struct life *life, const struct effect *effect)
{
    expect(life, !life->stopped, "nothing comes after the end");
    switch (effect->kind) {
    case EFFECT_OBSERVE:
        begin_look(life);
        return;
    case EFFECT_START:
        start_action(life, effect->action);
        return;
    case EFFECT_CANCEL:
        cancel(life, effect->action);
        return;
    case EFFECT_WAKE_AT:
        expect(life, effect->wake_at_ms > life->now_ms, "a wake is in the future");
        life->wake_at_ms = effect->wake_at_ms;
        return;
    case EFFECT_SETTLED:
        expect(life, cycle_plan(life->cycle)->count == 0, "settled means nothing to do");
        life->settled = true;
        return;
    case EFFECT_FAILED:
        say(life, "    failed: %s", cycle_failure(life->cycle)->message);
        return;
    case EFFECT_STOPPED:
        expect(life, life->stops && !life->running_count, "it ends when all has ended");
        life->stopped = true;
        return;
    }
}

static void say_refusals(const struct life *life)
{
    const struct plan *plan = cycle_plan(life->cycle);
    for (size_t i = 0; plan && i < plan->refused_count; i++)
        say(life, "    ! %s: %s", plan->refused[i].subject, plan->refused[i].reason);
}

static void tell(struct life *life, struct event event)
{
    struct effects effects;
    event.now_ms = life->now_ms += 1 + prng_below(&life->prng, 500);
    life->settled = false;
    life->steps++;
    cycle_step(life->cycle, &event, &effects);
    for (size_t i = 0; i < effects.count; i++)
        carry_out(life, &effects.items[i]);
    expect(life, cycle_running(life->cycle) == life->running_count, "both count what runs alike");
    say(life, "    -> %s", cycle_state_name(cycle_state(life->cycle)));
}

/* --- Events. --- */

static void do_wake(struct life *life)
{
    say(life, "wake");
    life->draining = life->draining || life->running_count > 0;
    tell(life, (struct event){.kind = EVENT_WAKE});
}

static void do_stop(struct life *life)
{
    say(life, "stop");
    life->stops++;
    life->observing = false;
    tell(life, (struct event){.kind = EVENT_STOP});
}

/* As it was seen, and what of it nobody sees. */
static void say_node(const struct life *life, const struct node_state *node)
{
    size_t index = sim_index(node->name);
    const struct sim_container *truth = &life->world.nodes[index];
    bool member = sim_is_control_plane(index) && sim_is_member(&life->world, index);
    say(life, "    %s is %s%s%s%s%s", node->name, container_status_name(node->status),
        truth->detached ? ", detached" : "", member ? ", a member" : "",
        sim_has_joined(&life->world, index) ? ", has joined" : "", truth->alias ? ", named" : "");
}

static void do_observed(struct life *life)
{
    struct error *err = NULL;
    life->observing = false;
    life->planned_for = life->desired;
    if (!life->calm && chance(life, 10))
        error_set(&err, chance(life, 10) ? ERROR_INVALID : ERROR_UNAVAILABLE, "blind");
    else if (!life->calm && chance(life, 10) && saw_control_plane(life))
        life->look.recorded = SEEN_UNKNOWN; /* the container is there, but cannot be read */
    else if (life->calm || chance(life, 80))
        look(life); /* else what is told was true when the look began */
    say(life, "observed, %s: recorded %d, ready %d", err ? "blind" : "well",
        (int)life->look.recorded, (int)life->look.ready);
    for (size_t i = 0; i < life->look.node_count; i++)
        say_node(life, &life->look.nodes[i]);
    tell(life, (struct event){
                   .kind = EVENT_OBSERVED, .observed = err ? NULL : &life->look, .failure = err});
    say_refusals(life);
    error_free(err);
}

static const char *apply_now(struct life *life, const struct operation *operation)
{
    struct sim_world *world = &life->world;
    size_t index = sim_index(operation->subject);
    bool had_quorum = sim_has_quorum(world);
    if (operation->kind == ACTION_NETWORK)
        world->network = true;
    else if (operation->kind == ACTION_IMAGE)
        world->image = true;
    if (operation->kind == ACTION_NETWORK || operation->kind == ACTION_IMAGE)
        return "";
    if (operation->kind == ACTION_DELETE_NODE)
        check_loss(life, index);
    if (operation->kind == ACTION_DELETE_NODE && index == SIM_CARRIER)
        check_carrier(life);
    if (operation->kind == ACTION_RECORD)
        check_truth(life);
    const struct facet_list *record = &cycle_plan(life->cycle)->record;
    if (index < SIM_NODES) {
        const char *result =
            sim_apply_to_node(world, operation->kind, index, life->planned_for, record,
                              !planned_variant(life)->text && life->options.policy.any_owner,
                              operation->change >= CHANGE_RECREATE);
        check_quorum(life, had_quorum && operation->kind != ACTION_SET_ASIDE);
        /* As long as something is refused nobody can be given what comes with an image. */
        if (operation->kind == ACTION_JOIN && sim_is_control_plane(index) &&
            cycle_plan(life->cycle)->refused_count)
            world->proxy = NULL;
        return result;
    }
    return sim_apply_to_cluster(world, operation->kind, life->planned_for, record);
}

static const char *apply(struct life *life, const struct operation *operation)
{
    const char *result = apply_now(life, operation);
    if (life->planned_for != life->desired)
        sim_doubt(&life->world);
    return result;
}

/*
 * Says success and does nothing. Only where somebody looks again: what is
 * given to the API and the removal from the kubeconfig are taken on trust.
 */
static bool lies(struct life *life, enum action_kind kind)
{
    static const uint64_t seen_again = BIT(NETWORK) | BIT(IMAGE) | BIT(CREATE_NODE) |
                                       BIT(START_NODE) | BIT(REVIVE) | BIT(BALANCER) |
                                       BIT(BOOTSTRAP) | BIT(KUBECONFIG) | BIT(RECORD) |
                                       BIT(DELETE_NODE) | BIT(READDRESS);
    return !life->calm && (seen_again & UINT64_C(1) << kind) && chance(life, 5);
}

static struct error *error_named(const char *name)
{
    struct error *err = NULL;
    enum error_kind kind = ERROR_INVALID;
    while (strcmp(name, error_kind_name(kind)) != 0)
        kind++;
    error_set(&err, kind, "%s", name);
    return err;
}

/* It was done, or half, or not at all, and nobody hears of it. */
static void do_unheard(struct life *life, const struct operation *operation)
{
    size_t index = sim_index(operation->subject);
    if (chance(life, 60))
        return;
    if (operation->kind == ACTION_ENDPOINT && sim_runs(&life->world.nodes[index]) &&
        chance(life, 50))
        life->world.nodes[index].detached = true; /* and not connected again */
    else if (operation->kind == ACTION_RECORD && chance(life, 50))
        sim_record(&life->world, &cycle_plan(life->cycle)->record,
                   prng_below(&life->prng, SIM_PLANES));
    else
        (void)apply(life, operation);
}

/* Carries an operation out, or not, and says how it ended: NULL for well. */
static struct error *end_operation(struct life *life, const struct operation *operation)
{
    static const char *const failures[] = {"timeout", "unavailable", "conflict", "invalid"};
    if (operation->canceled && chance(life, 80))
        return error_named("canceled");
    if (lies(life, operation->kind))
        return NULL;
    if (!life->calm && chance(life, 10)) {
        do_unheard(life, operation);
        return error_named(failures[prng_below(&life->prng, COUNT_OF(failures))]);
    }
    const char *result = apply(life, operation);
    return *result ? error_named(result) : NULL;
}

static void do_end(struct life *life)
{
    size_t pick = prng_below(&life->prng, life->running_count);
    struct operation operation = life->running[pick];
    struct error *err = end_operation(life, &operation);
    say(life, "ended %s %s: %s", action_kind_name(operation.kind), operation.subject,
        err ? err->message : "well");
    life->running[pick] = life->running[--life->running_count];
    if (err)
        life->draining = true;
    else
        life->done[operation.action] = true;
    tell(life,
         (struct event){.kind = EVENT_ACTION_ENDED, .action = operation.action, .failure = err});
    error_free(err);
}

static const char *sim_wish(const struct life *life)
{
    const char *text = sim_variants[life->desired].text;
    return text ? text : "nothing";
}

static void do_change_wish(struct life *life)
{
    sim_doubt(&life->world);
    life->desired = (int)prng_below(&life->prng, SIM_VARIANTS);
    say(life, "desired is now '%s'", sim_wish(life));
    cycle_set_desired(life->cycle, sim_variants[life->desired].spec);
    do_wake(life);
}

static const char *random_stranger(struct life *life)
{
    return chance(life, 50) ? NULL : "other";
}

/* Its kubelet ends; that of a worker may never come back. */
static void silence(struct life *life, size_t index)
{
    struct sim_container *node = &life->world.nodes[index];
    node->silent = true;
    node->broken = node->broken || (sim_is_worker(index) && chance(life, 30));
}

/* Somebody else meddles with a container, or with the user's file. */
static void do_meddle(struct life *life)
{
    static const enum container_status statuses[] = {CONTAINER_EXITED, CONTAINER_EXITED,
                                                     CONTAINER_PAUSED, CONTAINER_DEAD};
    size_t index = prng_below(&life->prng, SIM_NODES);
    struct sim_container *node = &life->world.nodes[index];
    life->meddled = true;
    if (chance(life, 20) || (index == SIM_CARRIER && !node->there))
        life->world.kubeconfig = 0;
    else if (!node->there && chance(life, 15))
        sim_create(&life->world, index, random_stranger(life), 0, sim_variants[0].shapes[index]);
    else if (node->there && index != SIM_CARRIER && (!sim_is_ours(node) || chance(life, 30)))
        node->there = false;
    else if (sim_runs(node) && node->joined && chance(life, 40))
        silence(life, index);
    else if (node->status != CONTAINER_DEAD)
        node->status = statuses[prng_below(&life->prng, COUNT_OF(statuses))];
    if (node->there && node->status == CONTAINER_EXITED)
        sim_move(&life->world, index);
    say(life, "somebody meddles with %s", sim_names[index]);
}

/* The engine is restarted: what ran runs again, mostly, each with an address that was free then. */
static void do_restart(struct life *life)
{
    say(life, "the engine restarts%s", life->world.loose ? ", addresses change" : "");
    life->meddled = true;
    for (size_t i = 0; i < SIM_NODES; i++) {
        struct sim_container *node = &life->world.nodes[i];
        if (!sim_runs(node))
            continue;
        node->rerouted = false;
        if (chance(life, 80))
            sim_move(&life->world, i);
        if (chance(life, 10))
            node->status = CONTAINER_EXITED;
    }
}

static void be_born(struct life *life)
{
    life->options.seed = prng_next(&life->prng);
    life->cycle = cycle_new("a", sim_variants[life->desired].spec, &life->options);
    life->observing = life->stopped = life->draining = false;
    life->running_count = life->stops = 0;
    life->wake_at_ms = 0;
    do_wake(life);
}

/* The process dies; what ran is done, or not, and nobody hears of it. */
static void do_crash(struct life *life)
{
    say(life, "crash");
    for (size_t i = 0; i < life->running_count; i++)
        do_unheard(life, &life->running[i]);
    cycle_free(life->cycle);
    be_born(life);
}

/* What happens by itself. False if nothing would. */
static bool do_next(struct life *life)
{
    if (life->observing)
        do_observed(life);
    else if (life->running_count)
        do_end(life);
    else if (life->wake_at_ms && !life->stopped)
        do_wake(life);
    else
        return false;
    return true;
}

static void be_chaotic(struct life *life)
{
    size_t events = prng_below(&life->prng, CHAOS_EVENTS_MAX);
    for (size_t i = 0; i < events && !life->broken; i++) {
        uint64_t dice = prng_below(&life->prng, 100);
        if (dice < 5)
            do_meddle(life);
        else if (dice < 9)
            do_wake(life);
        else if (dice < 11)
            do_change_wish(life);
        else if (dice < 12)
            do_crash(life);
        else if (dice < 13 || (life->stops == 1 && dice < 30))
            do_stop(life);
        else if (dice < 15)
            do_restart(life);
        else if (!do_next(life))
            do_crash(life);
    }
}

/* --- The end. --- */

/* Everything goes well from here on: it must come to rest, and stay so when looked at again. */
static void be_calm(struct life *life)
{
    life->calm = true;
    say(life, "calm from here");
    if (life->stopped || life->stops)
        do_crash(life);
    unsigned rounds = cycle_rounds(life->cycle);
    do_wake(life);
    for (size_t i = 0; i < CALM_EVENTS_MAX && !life->settled && !life->broken; i++) {
        if (!do_next(life))
            do_wake(life);
    }
    if (!life->settled && is_beyond_help(life))
        return; /* nothing but a failure can be told */
    expect(life, life->settled, "it comes to rest");
    expect(life, cycle_rounds(life->cycle) - rounds <= CALM_ROUNDS_MAX, "it does so soon");
    if (life->broken)
        return;
    if (cycle_plan(life->cycle)->refused_count)
        expect(life, may_refuse(life), "what is refused is refused for a reason");
    else if (!is_beyond_help(life))
        check_world(life);
    do_wake(life);
    do_next(life);
    expect(life, life->settled, "a second look finds nothing to do");
}

/* A node of a cluster that was made before: of one variant, mostly ours, and mostly finished. */
static void make_node(struct life *life, size_t index, int variant)
{
    sim_create(&life->world, index, chance(life, 97) ? NOTATION_FLEET : random_stranger(life),
               variant, sim_variants[variant].shapes[index]);
    struct sim_container *node = &life->world.nodes[index];
    if (chance(life, 15))
        node->status = (enum container_status)prng_below(&life->prng, CONTAINER_PAUSED + 1);
}

static void finish(struct life *life, int variant)
{
    struct sim_world *world = &life->world;
    world->network = world->image = true;
    world->cluster =
        world->nodes[sim_index(spec_first_control_plane(sim_variants[variant].spec)->name)].id;
    world->built = world->manifests = variant;
    world->proxy =
        sim_image(world, sim_index(spec_first_control_plane(sim_variants[variant].spec)->name));
    world->addons = UINT64_MAX;
    if (sim_variants[variant].spec->networking.disable_default_cni)
        world->addons &= ~BIT(CNI);
    for (size_t i = 0; i < SIM_NODES; i++) {
        struct sim_container *node = &world->nodes[i];
        node->joined = node->there && i != SIM_BALANCER ? world->cluster : 0;
        if (i < SIM_PLANES && node->there)
            world->members[i] = node->id;
        if (i < SIM_PLANES && node->there)
            node->recorded = &sim_variants[variant].facets;
        node->own_record = node->recorded;
        node->settings = variant;
        node->preloaded = sim_variants[variant].spec->preload.count;
        node->pods = node->joined && !sim_is_control_plane(i);
    }
}

/* As upstream's kind would have made it: without our labels, and without a record. */
static void disown(struct life *life)
{
    for (size_t i = 0; i < SIM_NODES; i++) {
        struct sim_container *node = &life->world.nodes[i];
        node->owner = NULL;
        node->recorded = NULL;
        node->own_record = false;
    }
}

static void make_world(struct life *life)
{
    if (chance(life, 30))
        return;
    int variant = (int)prng_below(&life->prng, SIM_SUPPORTED);
    bool upstream = life->options.policy.adopt && chance(life, 30);
    if (upstream)
        life->desired = variant = SIM_ADOPTABLE;
    bool finished = upstream || chance(life, 60);
    for (size_t i = 0; i < SIM_NODES; i++) {
        if (i == SIM_CARRIER)
            continue; /* nobody else names a container so */
        if (sim_variants[variant].wants[i] ? finished || chance(life, 80) : chance(life, 3))
            make_node(life, i, variant);
    }
    if (finished)
        finish(life, variant);
    if (upstream)
        disown(life);
}

/* One life; true if no rule was broken. */
static bool live(uint64_t seed, bool told, size_t *steps)
{
    cleanup_arena struct arena *arena = arena_new();
    struct life life = {
        .seed = seed, .prng = {.state = seed}, .told = told, .world = {.arena = arena}};
    life.desired = (int)prng_below(&life.prng, SIM_VARIANTS);
    life.options = (struct cycle_options){
        .policy = {.fleet = NOTATION_FLEET,
                   .network = "kind",
                   .allow_replace = chance(&life, 50),
                   .allow_recreate = chance(&life, 40),
                   .allow_delete = chance(&life, 60),
                   .any_owner = chance(&life, 20),
                   .adopt = chance(&life, 30)},
        .parallel = 1 + prng_below(&life.prng, 5),
        .resync_ms = chance(&life, 50) ? 1000 : 0,
    };
    life.world.loose = chance(&life, 30);
    say(&life, "desired is '%s'", sim_wish(&life));
    make_world(&life);
    be_born(&life);
    be_chaotic(&life);
    if (!life.broken)
        be_calm(&life);
    cycle_free(life.cycle);
    *steps += life.steps;
    return !life.broken;
}

static void test_lives(void **state)
{
    size_t steps = 0, violations = 0;
    const char *wish = getenv("SEEDS");
    uint64_t seeds = wish ? strtoull(wish, NULL, 10) : SEEDS;
    for (uint64_t seed = 1; seed <= seeds; seed++) {
        if (live(seed, false, &steps))
            continue;
        printf("  again: %s %llu\n", *(char **)*state, (unsigned long long)seed);
        if (++violations == 10)
            break;
    }
    printf("SIM seeds=%llu steps=%zu violations=%zu\n", (unsigned long long)seeds, steps,
           violations);
    assert_int_equal(violations, 0);
}

int main(int argc, char **argv)
{
    cleanup_arena struct arena *arena = arena_new();
    sim_prepare(arena);
    if (argc > 1) {
        size_t steps = 0;
        return live(strtoull(argv[1], NULL, 10), true, &steps) ? EXIT_SUCCESS : EXIT_FAILURE;
    }
    const struct CMUnitTest tests[] = {cmocka_unit_test_prestate(test_lives, argv)};
    return cmocka_run_group_tests_name("sim", tests, NULL, NULL);
}
