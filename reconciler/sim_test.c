/*
 * Thousands of seeded lives of one cluster: diff and cycle together, in a
 * world where actions fail, lie and come late, containers stop, vanish and
 * appear, wishes change, and the process is stopped or dies. After each event
 * the rules of sim_life.h are checked; at the end all is calm, and the world must
 * become what is desired, or the plan must say why not.
 *
 * `sim_test SEED` plays one life and tells it; SEEDS=n in the environment
 * plays n of them.
 */
#include "reconciler/cycle.h"

#include "base/memory.h"
#include "base/test.h"
#include "reconciler/sim_life.h"
#include <stdlib.h>
#include <string.h>

enum {
    SEEDS = 20000,
    CHAOS_EVENTS_MAX = 60,
    CALM_EVENTS_MAX = 400,
    CALM_ROUNDS_MAX = 5, /* what chaos left, delete, create, mend, look */
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
    life->running[life->running_count++] =
        (struct operation){.action = index, .kind = action->kind, .subject = action->subject};
}

static void look(struct life *life)
{
    life->look = sim_look(&life->world, life->nodes);
}

static void begin_look(struct life *life)
{
    expect(life, !life->observing && !life->running_count, "one round at a time");
    expect(life, !life->stops, "no look after a stop");
    life->observing = true;
    life->draining = false;
    life->ended = 0;
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
    say(life, "observed, %s: %zu nodes, recorded %d", err ? "blind" : "well", life->look.node_count,
        (int)life->look.recorded);
    tell(life, (struct event){
                   .kind = EVENT_OBSERVED, .observed = err ? NULL : &life->look, .failure = err});
    error_free(err);
}

static size_t node_index(const char *name)
{
    for (size_t i = 0; i < SIM_NODES; i++) {
        if (strcmp(sim_names[i], name) == 0)
            return i;
    }
    return SIM_NODES;
}

/* The truth behind all looks: a finished set-up is not thrown away without leave. */
static void check_loss(struct life *life, size_t index)
{
    const struct sim_container *node = &life->world.nodes[index];
    expect(life,
           !sim_is_ours(node) || node->recorded == SIM_NOT_RECORDED ||
               !planned_variant(life)->text || life->options.policy.allow_recreate,
           "no finished cluster is lost without leave");
}

static const char *apply(struct life *life, const struct operation *operation)
{
    struct sim_world *world = &life->world;
    size_t index = node_index(operation->subject);
    if (operation->kind == ACTION_NETWORK)
        world->network = true;
    else if (operation->kind == ACTION_IMAGE)
        world->image = true;
    if (operation->kind == ACTION_NETWORK || operation->kind == ACTION_IMAGE)
        return "";
    if (operation->kind == ACTION_DELETE_NODE)
        check_loss(life, index);
    if (index < SIM_NODES)
        return sim_apply_to_node(world, operation->kind, index, life->planned_for,
                                 !planned_variant(life)->text && life->options.policy.any_owner);
    return sim_apply_to_cluster(world, operation->kind, life->planned_for);
}

/*
 * Says success and does nothing. Only where somebody looks again: what is
 * given to the API and the removal from the kubeconfig are taken on trust.
 */
static bool lies(struct life *life, enum action_kind kind)
{
    static const uint32_t seen_again = BIT(NETWORK) | BIT(IMAGE) | BIT(CREATE_NODE) |
                                       BIT(START_NODE) | BIT(BOOTSTRAP) | BIT(KUBECONFIG) |
                                       BIT(RECORD) | BIT(DELETE_NODE);
    return !life->calm && (seen_again & 1u << kind) && chance(life, 5);
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

/* Carries an operation out, or not, and says how it ended: NULL for well. */
static struct error *end_operation(struct life *life, const struct operation *operation)
{
    static const char *const failures[] = {"timeout", "unavailable", "conflict", "invalid"};
    if (operation->canceled && chance(life, 80))
        return error_named("canceled");
    if (lies(life, operation->kind))
        return NULL;
    if (!life->calm && chance(life, 10)) {
        if (chance(life, 30)) /* it was done, but nobody heard of it */
            (void)apply(life, operation);
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
        life->ended |= 1u << operation.kind;
    tell(life,
         (struct event){.kind = EVENT_ACTION_ENDED, .action = operation.action, .failure = err});
    error_free(err);
}

static void do_change_wish(struct life *life)
{
    life->desired = (int)prng_below(&life->prng, SIM_VARIANTS);
    const struct sim_variant *variant = &sim_variants[life->desired];
    say(life, "desired is now '%s'", variant->text ? variant->text : "nothing");
    cycle_set_desired(life->cycle, variant->spec);
    do_wake(life);
}

static const char *random_stranger(struct life *life)
{
    return chance(life, 50) ? NULL : "other";
}

/* Somebody else meddles with a container, or with the user's file. */
static void do_meddle(struct life *life)
{
    static const enum container_status statuses[] = {CONTAINER_EXITED, CONTAINER_EXITED,
                                                     CONTAINER_PAUSED, CONTAINER_DEAD};
    size_t index = prng_below(&life->prng, SIM_NODES);
    struct sim_container *node = &life->world.nodes[index];
    if (chance(life, 20))
        life->world.kubeconfig = 0;
    else if (!node->there && chance(life, 15))
        sim_create(&life->world, index, random_stranger(life), 0);
    else if (node->there && (!sim_is_ours(node) || chance(life, 30)))
        node->there = false;
    else
        node->status = statuses[prng_below(&life->prng, COUNT_OF(statuses))];
    say(life, "somebody meddles with %s", sim_names[index]);
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
    for (size_t i = 0; i < life->running_count; i++) {
        if (chance(life, 50))
            (void)apply(life, &life->running[i]);
    }
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
        else if (!do_next(life))
            do_crash(life);
    }
}

/* --- The end. --- */

static bool may_refuse(struct life *life)
{
    const struct sim_variant *variant = &sim_variants[life->desired];
    const struct diff_policy *policy = &life->options.policy;
    const struct sim_container *speaker = sim_speaker(&life->world);
    const struct sim_container *second = &life->world.nodes[1];
    if (sim_has_strangers(&life->world))
        return variant->text || !policy->any_owner;
    if (!variant->text)
        return !policy->allow_delete && !policy->any_owner;
    if (variant->unsupported)
        return true;
    if (!speaker)
        return false;
    bool recorded = speaker->recorded != SIM_NOT_RECORDED;
    if ((recorded || speaker->status == CONTAINER_DEAD) && !policy->allow_recreate)
        return true;
    if (speaker == second)
        return false;
    return second->there || (recorded && strcmp(sim_variants[speaker->recorded].shape,
                                                variant->shape) == 0); /* only labels differ */
}

static void check_world(struct life *life)
{
    const struct sim_variant *variant = &sim_variants[life->desired];
    const struct sim_container *node = &life->world.nodes[0];
    if (!variant->text) {
        for (size_t i = 0; i < SIM_NODES; i++)
            expect(life, !life->world.nodes[i].there, "what must not exist is gone");
        return;
    }
    expect(life, sim_is_ours(node) && sim_is_up(node), "the node is up");
    expect(life, node->recorded == life->desired, "the set-up is recorded as desired");
    expect(life, sim_is_ready(node) || variant->spec->networking.disable_default_cni,
           "it is Ready");
    expect(life, life->world.kubeconfig == node->id, "the kubeconfig leads there");
    expect(life, !life->world.nodes[1].there && !life->world.nodes[2].there, "no node too many");
}

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
    expect(life, life->settled, "it comes to rest");
    expect(life, cycle_rounds(life->cycle) - rounds <= CALM_ROUNDS_MAX, "it does so soon");
    if (life->broken)
        return;
    if (cycle_plan(life->cycle)->refused_count)
        expect(life, may_refuse(life), "what is refused is refused for a reason");
    else
        check_world(life);
    do_wake(life);
    do_next(life);
    expect(life, life->settled, "a second look finds nothing to do");
}

static void make_node(struct life *life, size_t index)
{
    const char *owner = chance(life, 85) ? NOTATION_FLEET : random_stranger(life);
    int variant = (int)prng_below(&life->prng, SIM_SUPPORTED);
    sim_create(&life->world, index, owner, variant);
    struct sim_container *node = &life->world.nodes[index];
    if (chance(life, 30))
        node->status = (enum container_status)prng_below(&life->prng, CONTAINER_PAUSED + 1);
    if (sim_is_control_plane(index) && sim_speaker(&life->world) == node && chance(life, 60)) {
        node->bootstrapped = true;
        node->addons = sim_variants[variant].spec->networking.disable_default_cni
                           ? BIT(DNS)
                           : BIT(CNI) | BIT(DNS);
        node->recorded = variant;
    }
}

static void make_world(struct life *life)
{
    static const unsigned odds[SIM_NODES] = {60, 5, 15};
    for (size_t i = 0; i < SIM_NODES; i++) {
        if (chance(life, odds[i]))
            make_node(life, i);
    }
}

/* One life; true if no rule was broken. */
static bool live(uint64_t seed, bool told, size_t *steps)
{
    struct life life = {.seed = seed, .prng = {.state = seed}, .told = told};
    life.desired = (int)prng_below(&life.prng, SIM_VARIANTS);
    life.options = (struct cycle_options){
        .policy = {.fleet = NOTATION_FLEET,
                   .network = "kind",
                   .allow_recreate = chance(&life, 40),
                   .allow_delete = chance(&life, 60),
                   .any_owner = chance(&life, 20)},
        .parallel = 1 + prng_below(&life.prng, 5),
        .resync_ms = chance(&life, 50) ? 1000 : 0,
    };
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
