#include "drivers/fake_lab.h"

#include "base/memory.h"
#include "drivers/fake_ask.h"
#include "model/load.h"
#include <assert.h>
#include <stdio.h>
#include <unistd.h>

enum { TURNS_MAX = 200000 };

void fake_lab_open(struct fake_lab *lab, const struct fake_settings *settings)
{
    *lab = (struct fake_lab){.folder = "/tmp/kind-lab-XXXXXX"};
    if (!mkdtemp(lab->folder))
        abort();
    lab->world = fake_world_new(settings);
    lab->arena = arena_new();
    fake_transport_init(&lab->transport, lab->world);
    lab->items[0] = memory_format("%s/kubeconfig", lab->folder);
    lab->paths = (struct kubeconfig_paths){.items = lab->items, .count = 1};
    lab->options =
        (struct docker_options){.fleet = "default", .network = "kind", .kubeconfig = &lab->paths};
    struct endpoint endpoint = {
        .origin = memory_string("the test"),
        .display = memory_string("unix:///engine"),
        .unix_path = memory_string("/engine"),
        .base_url = memory_string("http://localhost"),
        .local = true,
    };
    lab->driver = docker_open(&lab->transport.transport, &endpoint, &lab->options);
}

void fake_lab_close(struct fake_lab *lab)
{
    assert(fake_transport_idle(&lab->transport));
    lab->driver->vtable->close(lab->driver);
    fake_transport_done(&lab->transport);
    fake_world_free(lab->world);
    (void)unlink(lab->items[0]);
    (void)rmdir(lab->folder);
    free(lab->items[0]);
    arena_free(lab->arena);
}

const struct cluster_spec *fake_lab_spec(struct fake_lab *lab, const char *yaml)
{
    struct fleet_spec fleet;
    struct problem_list problems;
    const struct load_text text = {"test.yaml", yaml, strlen(yaml)};
    const struct load_options options = {.base_folder = "/"};
    problem_list_init(&problems, lab->arena);
    if (load_fleet(&text, 1, &options, &fleet, &problems) || fleet.cluster_count == 0)
        abort();
    return fleet.clusters;
}

const char *fake_lab_control(struct fake_lab *lab, const char *line, const char *json)
{
    struct fake_client client = {.world = lab->world, .now_ms = lab->transport.now_ms};
    const char *answer = arena_string(lab->arena, fake_ask(&client, line, json));
    assert(client.status < 300);
    fake_client_done(&client);
    return answer;
}

/* --- one operation --- */

struct waiting {
    struct op op;
    struct fake_lab *lab;
    struct error *failure;
    size_t endings;
};

static void ended(struct op *op, struct error *failure)
{
    struct waiting *waiting = (struct waiting *)(void *)op;
    assert(waiting->endings == 0);
    waiting->endings++;
    waiting->failure = failure;
}

static void step_begins(struct op *op, const char *name)
{
    struct fake_lab *lab = ((struct waiting *)(void *)op)->lab;
    lab->steps = arena_format(lab->arena, "%s%s%s", lab->steps, *lab->steps ? ", " : "", name);
}

static void noted(struct op *op, const char *text)
{
    struct fake_lab *lab = ((struct waiting *)(void *)op)->lab;
    lab->notes = arena_format(lab->arena, "%s%s%s", lab->notes, *lab->notes ? ", " : "", text);
}

static void begin(struct waiting *waiting, struct fake_lab *lab)
{
    *waiting =
        (struct waiting){.op = {.ended = ended, .step = step_begins, .note = noted}, .lab = lab};
    lab->steps = lab->notes = "";
}

/* Up to so many turns, or its end. */
static void run(struct waiting *waiting, size_t turns)
{
    while (waiting->endings == 0 && turns-- > 0)
        if (!fake_transport_turn(&waiting->lab->transport))
            return;
}

static struct error *finish(struct waiting *waiting)
{
    run(waiting, TURNS_MAX);
    assert(waiting->endings == 1);
    assert(fake_transport_idle(&waiting->lab->transport));
    return waiting->failure;
}

struct error *fake_lab_observe(struct fake_lab *lab, const char *cluster,
                               const struct cluster_spec *desired, struct cluster_state *state)
{
    struct waiting waiting;
    begin(&waiting, lab);
    lab->driver->vtable->observe(lab->driver, &waiting.op, cluster, desired, lab->arena, state);
    return finish(&waiting);
}

/* The action and the input, in the arena: they must last until the end. */
static void begin_apply(struct waiting *waiting, struct fake_lab *lab,
                        const struct cluster_spec *spec, enum action_kind kind, const char *subject)
{
    struct action *action = arena_alloc(lab->arena, sizeof(*action));
    struct apply_input *input = arena_alloc(lab->arena, sizeof(*input));
    *action = (struct action){.kind = kind, .subject = subject, .reason = "test"};
    *input = (struct apply_input){.cluster = spec->name,
                                  .spec = spec,
                                  .observed = lab->observed,
                                  .action = action,
                                  .record = lab->record,
                                  .marks = lab->marks};
    begin(waiting, lab);
    lab->driver->vtable->apply(lab->driver, &waiting->op, input);
}

struct error *fake_lab_apply(struct fake_lab *lab, const struct cluster_spec *spec,
                             enum action_kind kind, const char *subject)
{
    struct waiting waiting;
    begin_apply(&waiting, lab, spec, kind, subject);
    return finish(&waiting);
}

struct evidence fake_lab_collect(struct fake_lab *lab, const struct cluster_spec *spec,
                                 const char *subject, const char *words)
{
    const struct action action = {.kind = ACTION_BOOTSTRAP, .subject = subject, .reason = "test"};
    const struct apply_input input = {.cluster = spec->name, .spec = spec, .action = &action};
    struct evidence evidence;
    struct error *failure = NULL;
    struct waiting waiting;
    error_set(&failure, ERROR_UNAVAILABLE, "%s", words);
    evidence_init(&evidence, lab->arena);
    begin(&waiting, lab);
    lab->driver->vtable->collect(lab->driver, &waiting.op, &input, failure, &evidence);
    error_free(finish(&waiting));
    error_free(failure);
    return evidence;
}

struct error *fake_lab_interrupt(struct fake_lab *lab, const struct cluster_spec *spec,
                                 enum action_kind kind, const char *subject,
                                 enum fake_interrupt how, size_t turns, bool *ended_in_time)
{
    struct waiting waiting;
    begin_apply(&waiting, lab, spec, kind, subject);
    run(&waiting, turns);
    *ended_in_time = waiting.endings > 0;
    if (!*ended_in_time && how == FAKE_DRAIN)
        lab->driver->vtable->drain(lab->driver, &waiting.op);
    else if (!*ended_in_time)
        lab->driver->vtable->cancel(lab->driver, &waiting.op);
    assert(how == FAKE_DRAIN || waiting.endings == 1);
    return finish(&waiting);
}
