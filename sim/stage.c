#include "sim/stage.h"

#include "base/memory.h"
#include "cli/converge.h"
#include "drivers/fake_ask.h"
#include "drivers/fake_look.h"
#include "drivers/fake_pki.h"
#include <assert.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    EVENTS_MAX = 200 * 1000,    /* of one process */
    REQUESTS_MAX = 20 * 1000,   /* of one process */
    JUMP_MS_MAX = 3600 * 1000,  /* of the clock */
    ABSENCE_MS_MAX = 30 * 1000, /* of the engine while it restarts */
    PARALLEL_MAX = 8,
};

void stage_say(const struct stage *stage, const char *format, ...)
{
    if (!stage->told)
        return;
    va_list arguments;
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    putchar('\n');
}

/* --- the world --- */

int stage_ask(struct stage *stage, const char *line, const char *json)
{
    struct fake_client client = {.world = stage->world, .now_ms = stage->transport.now_ms};
    fake_ask(&client, line, json);
    int status = client.status;
    fake_client_done(&client);
    return status;
}

int stage_ask_api(struct stage *stage, const char *node, const char *line, const char *json)
{
    struct fake_client client = {.world = stage->world,
                                 .now_ms = stage->transport.now_ms,
                                 .api_of = fake_look_id(stage->world, node)};
    if (!client.api_of)
        return 404;
    fake_ask_bytes(&client, line, "application/merge-patch+json", json, strlen(json));
    int status = client.status;
    fake_client_done(&client);
    return status;
}

static int ask_about(struct stage *stage, const char *format, const char *name)
{
    cleanup_free char *line = memory_format("POST /containers/%s/%s", name, format);
    return stage_ask(stage, line, NULL);
}

/* The engine goes, and comes back with all that ran. */
static void restart_engine(struct stage *stage)
{
    enum { RUNNING_MAX = 64 };
    const char *names[RUNNING_MAX];
    size_t count = 0;
    const char *name;
    for (size_t i = 0; (name = fake_look_name(stage->world, i)); i++)
        if (strcmp(fake_look_state(stage->world, name), "running") == 0 && count < RUNNING_MAX)
            names[count++] = name;
    for (size_t i = 0; i < count; i++)
        ask_about(stage, "stop", names[i]);
    while (count > 0) {
        size_t pick = prng_below(&stage->order, count);
        ask_about(stage, "start", names[pick]);
        names[pick] = names[--count];
    }
    stage->engine_back_at_ms = stage->transport.now_ms + prng_below(&stage->order, ABSENCE_MS_MAX);
    stage_say(stage, "    the engine restarts");
}

const char *stage_any_node(struct stage *stage, struct prng *prng)
{
    const char *name, *picked = NULL;
    size_t seen = 0;
    for (size_t i = 0; (name = fake_look_name(stage->world, i)); i++) {
        const char *owner = fake_look_label(stage->world, name, LABEL_OWNER);
        if (strcmp(owner, SIM_FLEET) == 0 && prng_below(prng, ++seen) == 0)
            picked = name;
    }
    return picked;
}

void stage_remove(struct stage *stage, const char *name)
{
    cleanup_free char *line = memory_format("DELETE /containers/%s?force=1&v=1", name);
    stage->lost_plane |=
        strcmp(fake_look_label(stage->world, name, LABEL_ROLE), "control-plane") == 0;
    stage_ask(stage, line, NULL);
}

/* One of ours goes, and somebody else's of that name and for that cluster comes. */
static void swap(struct stage *stage)
{
    const char *found = stage_any_node(stage, &stage->order);
    if (!found)
        return;
    cleanup_free char *name = memory_string(found);
    cleanup_free char *body =
        memory_format("{\"Image\": \"kind.local/node:v1.20.2\", \"Labels\": {\"" LABEL_CLUSTER
                      "\": \"%s\", \"" LABEL_ROLE "\": \"%s\", \"" LABEL_OWNER "\": \"other\"}}",
                      fake_look_label(stage->world, name, LABEL_CLUSTER),
                      fake_look_label(stage->world, name, LABEL_ROLE));
    cleanup_free char *create = memory_format("POST /containers/create?name=%s", name);
    stage_say(stage, "    somebody swaps %s for a container of theirs", name);
    stage_remove(stage, name);
    stage_ask(stage, create, body);
    ask_about(stage, "start", name);
}

void stage_remove_strangers(struct stage *stage)
{
    const char *name;
    for (size_t i = 0; (name = fake_look_name(stage->world, i));) {
        const char *cluster = fake_look_label(stage->world, name, LABEL_CLUSTER);
        const char *owner = fake_look_label(stage->world, name, LABEL_OWNER);
        bool theirs = strcmp(owner, SIM_FLEET) != 0 && strlen(cluster) == 1 && *cluster <= 'c';
        if (!theirs || !*cluster) {
            i++;
            continue;
        }
        cleanup_free char *line = memory_format("DELETE /containers/%s?force=1&v=1", name);
        stage_ask(stage, line, NULL);
    }
}

/* --- between process and world --- */

static void take_effect(struct stage *stage, enum trouble_class class)
{
    stage->suffers = class == TROUBLE_ENGINE || class == TROUBLE_SWAP;
    if (class == TROUBLE_SWAP)
        swap(stage);
    if (class == TROUBLE_ENGINE)
        restart_engine(stage);
    if (class == TROUBLE_CLOCK)
        stage->transport.now_ms += prng_below(&stage->order, JUMP_MS_MAX);
    if (class == TROUBLE_INTERRUPT)
        stage->interrupts += 1 + (unsigned)prng_below(&stage->order, 2);
    stage->dies |= class == TROUBLE_CRASH_BEFORE || class == TROUBLE_CRASH_AFTER;
}

static struct fake_trouble meddle(void *context, const struct request *request)
{
    struct stage *stage = context;
    stage->requests++;
    bool mutates = rules_mutates(request);
    stage->mutations += mutates;
    rules_request(&stage->rules, request);
    enum stage_side side;
    if (stage->fate && stage->fate(stage, stage->fate_context, mutates, &side)) {
        stage->dies = true;
        stage_say(stage, "    %zu %s %s -> dies %s it", stage->requests, request->method,
                  request->url, side == STAGE_BEFORE ? "before" : "after");
        return (struct fake_trouble){.lost = side == STAGE_BEFORE, .unanswered = true};
    }
    if (request->unix_path && stage->transport.now_ms < stage->engine_back_at_ms)
        return (struct fake_trouble){.lost = true, .dropped = true};
    if (stage->blocked && rules_is_about(&stage->rules, request, stage->blocked))
        return (struct fake_trouble){.lost = true, .unanswered = true};
    enum trouble_class class;
    struct fake_trouble trouble = trouble_meet(&stage->trouble, &stage->transport, request, &class);
    stage_say(stage, "    %zu %s %s%s%s", stage->requests, request->method, request->url,
              class == TROUBLE_CLASSES ? "" : " -> ",
              class == TROUBLE_CLASSES ? "" : trouble_name(class));
    take_effect(stage, class);
    return trouble;
}

static void report(void *context, const struct report *report)
{
    struct stage *stage = context;
    rules_report(&stage->rules, report);
    if (stage->heard)
        stage->heard(stage->heard_context, report);
    if (report->kind == REPORT_ACTION_BEGINS)
        stage_say(stage, "  %s: %s %s (%s)", report->cluster,
                  action_kind_words(report->action->kind), report->action->subject,
                  report->action->reason);
    else if (report->failure)
        stage_say(stage, "  %s: %s", report->cluster, report->failure->message);
}

/* --- the process --- */

static void be_born(struct stage *stage)
{
    struct endpoint endpoint = {
        .origin = memory_string("the test"),
        .display = memory_string("unix:///engine"),
        .unix_path = memory_string("/engine"),
        .base_url = memory_string("http://localhost"),
        .local = true,
    };
    stage->driver = docker_open(&stage->transport.transport, &endpoint, &stage->options);
    stage->over = stage->dies = false;
    stage->interrupts = 0;
    rules_born(&stage->rules);
}

static void be_gone(struct stage *stage)
{
    stage->rules.dead = true;
    engine_free(TAKE(stage->engine));
    stage->driver->vtable->close(TAKE(stage->driver));
    rules_expect(&stage->rules, fake_transport_idle(&stage->transport),
                 "nothing is left behind in the process", "requests or timers");
    fake_transport_done(&stage->transport);
    stage->rules.fleet = NULL;
}

/* One event; false: nothing will ever happen. */
static bool turn(struct stage *stage)
{
    unsigned quorum = rules_quorum(&stage->rules);
    stage->suffers = false;
    if (!fake_transport_turn(&stage->transport))
        return false;
    stage->events++;
    rules_event(&stage->rules, &stage->transport, stage->suffers ? 0 : quorum);
    return true;
}

static void finished(void *context)
{
    struct stage *stage = context;
    stage->over = true;
}

/*
 * No more than the memory of the process goes: what runs is canceled without a
 * word to the world.
 */
static void die(struct stage *stage)
{
    stage->rules.dead = true;
    engine_stop(stage->engine);
    engine_stop(stage->engine);
    while (!stage->over && fake_transport_turn(&stage->transport))
        ;
}

static void run_engine(struct stage *stage)
{
    size_t stops = 0;
    engine_start(stage->engine);
    for (size_t i = 0; !stage->over && !stage->dies; i++) {
        bool moved = turn(stage);
        rules_expect(&stage->rules, moved && i < EVENTS_MAX && stage->requests < REQUESTS_MAX,
                     "it comes to an end", "a process");
        if (!moved || i >= EVENTS_MAX || stage->requests >= REQUESTS_MAX)
            stage->dies = true;
        for (; stops < stage->interrupts && stops < 2; stops++)
            engine_stop(stage->engine);
    }
    if (stage->dies)
        die(stage);
}

struct listing {
    struct op op;
    bool ended, good;
};

static void listed(struct op *op, struct error *failure)
{
    struct listing *listing = (struct listing *)(void *)op;
    listing->ended = true;
    listing->good = !failure;
    error_free(failure);
}

/* Runs until the operation has ended, or the process has died. */
static bool wait_for(struct stage *stage, struct listing *listing)
{
    while (!listing->ended && !stage->dies && turn(stage))
        ;
    if (!listing->ended) {
        stage->rules.dead = true;
        stage->driver->vtable->cancel(stage->driver, &listing->op);
    }
    return listing->good;
}

/* What the rails must know of clusters before they judge: one look at each, one after the other. */
static void know(struct stage *stage, struct arena *arena, const struct fleet_spec *fleet,
                 const struct rails_options *rails, struct fleet_state *observed)
{
    struct cluster_state *clusters = arena_array(arena, observed->cluster_count, sizeof(*clusters));
    for (size_t i = 0; i < observed->cluster_count; i++) {
        struct listing listing = {.op = {.ended = listed}};
        struct cluster_state seen = {.name = NULL};
        clusters[i] = observed->clusters[i];
        if (stage->dies || !rails_must_know(fleet, &clusters[i], rails))
            continue;
        stage->driver->vtable->look(stage->driver, &listing.op, clusters[i].name, arena, &seen);
        if (!wait_for(stage, &listing))
            continue;
        clusters[i].marks = seen.marks;
        clusters[i].marked = seen.marked;
    }
    observed->clusters = clusters;
}

/* False: nothing could be listed, or it died meanwhile. */
static bool list(struct stage *stage, struct arena *arena, struct fleet_state *fleet)
{
    struct listing listing = {.op = {.ended = listed}};
    stage->driver->vtable->list(stage->driver, &listing.op, arena, fleet);
    return wait_for(stage, &listing);
}

static struct engine *make_engine(struct stage *stage, const struct stage_pass *pass,
                                  const struct pass_plan *plan)
{
    const struct engine_options options = {
        .driver = stage->driver,
        .transport = &stage->transport.transport,
        .cycle = {.policy = {.fleet = SIM_FLEET,
                             .network = "kind",
                             .allow_replace = pass->allow_replace,
                             .allow_recreate = pass->allow_recreate,
                             .allow_delete = true},
                  .parallel = PARALLEL_MAX,
                  .seed = prng_next(&stage->order)},
        .clusters_parallel = 2,
        .report = report,
        .report_context = stage,
        .finished = finished,
        .finished_context = stage,
    };
    struct engine *engine = engine_new(&options);
    for (size_t i = 0; i < plan->count; i++)
        engine_add_end(engine, plan->targets[i].name, plan->targets[i].desired,
                       plan->targets[i].end_reason);
    return engine;
}

static enum stage_end end_of(const struct stage *stage)
{
    enum stage_end end = STAGE_GOOD;
    for (size_t i = 0; i < engine_count(stage->engine); i++) {
        struct engine_result result = engine_result(stage->engine, i);
        enum stage_end own = result.outcome == ENGINE_STOPPED            ? STAGE_STOPPED
                             : result.outcome != ENGINE_SETTLED          ? STAGE_FAILED
                             : result.plan && result.plan->refused_count ? STAGE_REFUSED
                                                                         : STAGE_GOOD;
        for (size_t j = 0; result.plan && j < result.plan->refused_count; j++)
            stage_say(stage, "  %s ! %s: %s", result.cluster, result.plan->refused[j].subject,
                      result.plan->refused[j].reason);
        end = own > end ? own : end;
    }
    return stage->dies ? STAGE_DIED : end;
}

enum stage_end stage_run(struct stage *stage, const struct stage_pass *pass)
{
    static const char *const words[] = {"good", "refused", "failed", "stopped", "died", "invalid"};
    const struct fleet_spec *fleet = wish_fleet(pass->wish);
    enum stage_end end = STAGE_INVALID;
    stage_say(stage, "apply '%s'%s%s", wish_at(pass->wish)->name, pass->prune ? " --prune" : "",
              pass->allow_recreate ? " --allow recreate" : "");
    stage->rules.fleet = fleet;
    stage->rules.recreate = pass->allow_recreate;
    stage->rules.replace = pass->allow_replace;
    if (fleet) {
        cleanup_arena struct arena *arena = arena_new();
        struct fleet_state observed;
        be_born(stage);
        bool good = list(stage, arena, &observed);
        const struct invocation invocation = {.common = {.fleet = SIM_FLEET}};
        const struct converge_options options = {.prune = pass->prune,
                                                 .allow_empty = pass->allow_empty};
        const struct rails_options rails = converge_rails(&invocation, &options);
        if (good && !stage->dies)
            know(stage, arena, fleet, &rails, &observed);
        end = stage->dies ? STAGE_DIED : STAGE_FAILED;
        if (good && !stage->dies) {
            struct pass_plan plan;
            converge_targets(arena, fleet, &observed, &invocation, &options, &plan);
            stage->engine = make_engine(stage, pass, &plan);
            run_engine(stage);
            end = end_of(stage);
        }
        be_gone(stage);
    }
    stage_say(stage, "  -> %s, %zu requests, %zu of them change something", words[end],
              stage->requests, stage->mutations);
    return end;
}

void stage_count(struct stage *stage)
{
    stage->requests = stage->mutations = 0;
}

/* --- the stage --- */

static char made[40];

static void remove_folder(void)
{
    (void)rmdir(made);
}

/* In memory if there is such a place: every kubeconfig is written through to the disk. */
static const char *folder(void)
{
    if (*made)
        return made;
    snprintf(made, sizeof(made), "/dev/shm/kind-sim-XXXXXX");
    if (!mkdtemp(made)) {
        snprintf(made, sizeof(made), "/tmp/kind-sim-XXXXXX");
        if (!mkdtemp(made))
            abort();
    }
    (void)atexit(remove_folder);
    return made;
}

void stage_move_kubeconfig(struct stage *stage)
{
    char *path = memory_format("%s.%d", stage->items[0], (int)getpid());
    FILE *from = fopen(stage->items[0], "r");
    int to = from ? open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600) : -1;
    char bytes[4096];
    size_t length;
    while (from && (length = fread(bytes, 1, sizeof(bytes), from)) > 0)
        if (write(to, bytes, length) != (ssize_t)length)
            abort();
    if (from) {
        fclose(from);
        close(to);
    }
    free(stage->items[0]);
    stage->items[0] = path;
    stage->rules.kubeconfig = path;
}

void stage_open(struct stage *stage, const struct stage_options *options)
{
    const struct fake_settings settings = {
        .seed = options->seed,
        .quiet = true,
        .node_images = wish_node_images,
        .images = wish_images,
    };
    fake_pki_repeat();
    *stage = (struct stage){.order = {.state = options->seed}, .told = options->told};
    stage->world = fake_world_new(&settings);
    fake_transport_init(&stage->transport, stage->world);
    stage->transport.order = &stage->order;
    stage->transport.meddler = meddle;
    stage->transport.meddler_context = stage;
    stage->items[0] = memory_format("%s/kubeconfig", folder());
    stage->paths = (struct kubeconfig_paths){.items = stage->items, .count = 1};
    stage->options =
        (struct docker_options){.fleet = SIM_FLEET, .network = "kind", .kubeconfig = &stage->paths};
    stage->rules = (struct rules){
        .world = stage->world, .kubeconfig = stage->items[0], .again = options->again};
    trouble_init(&stage->trouble, options->seed ^ 0x5eed, options->counts);
}

void stage_close(struct stage *stage)
{
    trouble_done(&stage->trouble);
    fake_transport_done(&stage->transport);
    fake_world_free(stage->world);
    (void)unlink(stage->items[0]);
    free(stage->items[0]);
}
