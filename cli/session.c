#include "cli/session.h"

#include "base/memory.h"
#include "drivers/http.h"
#include <assert.h>
#include <signal.h>
#include <string.h>

enum { TICK_MS = 100, LOOKS_PARALLEL = 16 };

static const char *network_of(const struct invocation *invocation)
{
    const char *named = getenv("KIND_EXPERIMENTAL_DOCKER_NETWORK");
    if (!named || !*named)
        return "kind";
    log_line(&invocation->log, LOG_WARNING, NULL,
             "using the network '%s' of KIND_EXPERIMENTAL_DOCKER_NETWORK", named);
    return named;
}

static const char *image_of_environment(void)
{
    const char *image = getenv("KIND_NODE_IMAGE");
    return image && *image ? image : NULL;
}

static void open_driver(struct session *session, const struct invocation *invocation,
                        struct endpoint *endpoint, enum session_rule rule)
{
    session->engine = memory_string(endpoint->display);
    if (uv_loop_init(&session->loop))
        abort();
    session->transport = http_open(&session->loop);
    struct docker_options options = {
        .fleet = invocation->common.fleet,
        .network = network_of(invocation),
        .default_image = image_of_environment(),
        .kubeconfig = &session->kubeconfig,
        .any_owner = rule == SESSION_ANY_OWNER,
    };
    session->driver = docker_open(session->transport, endpoint, &options);
}

/* Under systemd there is no user whose kubeconfig it could be. */
static void keep_own_kubeconfigs(struct session *session, const char *state)
{
    cleanup_free char *folder = memory_format("%.*s/kubeconfig", (int)strcspn(state, ":"), state);
    kubeconfig_paths_in(folder, &session->kubeconfig);
}

int session_open(struct session *session, const struct invocation *invocation,
                 enum session_rule rule, struct error **err)
{
    *session = (struct session){0};
    struct endpoint endpoint = {0};
    if (endpoint_find(invocation->common.engine, &endpoint, err))
        return -1;
    const char *state = getenv("STATE_DIRECTORY");
    bool service = state && *state == '/' && !invocation->common.kubeconfig;
    if (invocation->command->uses & USES_KUBECONFIG && service) {
        keep_own_kubeconfigs(session, state);
    } else if (invocation->command->uses & USES_KUBECONFIG &&
               kubeconfig_paths_find(invocation->common.kubeconfig, &session->kubeconfig, err)) {
        endpoint_done(&endpoint);
        return -1;
    }
    open_driver(session, invocation, &endpoint, rule);
    return 0;
}

void session_close(struct session *session)
{
    session->driver->vtable->close(session->driver);
    http_close(session->transport);
    uv_run(&session->loop, UV_RUN_DEFAULT);
    int busy = uv_loop_close(&session->loop);
    assert(busy == 0);
    (void)busy;
    kubeconfig_paths_done(&session->kubeconfig);
    free(session->engine);
}

/* An operation that is waited for. */
struct waiting {
    struct op op;
    struct error *failure;
    bool ended;
};

static void waited_for(struct op *op, struct error *failure)
{
    struct waiting *waiting = (struct waiting *)(void *)op;
    waiting->failure = failure;
    waiting->ended = true;
}

static int wait_for(struct session *session, struct waiting *waiting, struct error **err)
{
    while (!waiting->ended)
        uv_run(&session->loop, UV_RUN_ONCE);
    *err = waiting->failure;
    return waiting->failure ? -1 : 0;
}

int session_list(struct session *session, struct arena *arena, struct fleet_state *fleet,
                 struct error **err)
{
    struct waiting waiting = {.op = {.ended = waited_for}};
    session->driver->vtable->list(session->driver, &waiting.op, arena, fleet);
    return wait_for(session, &waiting, err);
}

/* Where one look at a time goes on. */
struct slot {
    struct waiting waiting;
    struct session_look *look; /* NULL: free */
};

static void begin_look(struct session *session, struct arena *arena, struct slot *slot,
                       struct session_look *look, bool marks_alone)
{
    struct driver *driver = session->driver;
    look->state = arena_alloc(arena, sizeof(*look->state));
    *slot = (struct slot){.waiting = {.op = {.ended = waited_for}}, .look = look};
    if (marks_alone)
        driver->vtable->look(driver, &slot->waiting.op, look->cluster, arena, look->state);
    else
        driver->vtable->observe(driver, &slot->waiting.op, look->cluster, NULL, arena, look->state);
}

/* True if a look has ended here. */
static bool end_look(struct slot *slot)
{
    if (!slot->look || !slot->waiting.ended)
        return false;
    slot->look->failure = slot->waiting.failure;
    slot->look = NULL;
    return true;
}

static void look_at_all(struct session *session, struct arena *arena, struct session_look *looks,
                        size_t count, bool marks_alone)
{
    struct slot slots[LOOKS_PARALLEL] = {0};
    size_t begun = 0, ended = 0;
    for (;;) {
        for (size_t i = 0; i < LOOKS_PARALLEL; i++) {
            ended += end_look(&slots[i]);
            if (!slots[i].look && begun < count)
                begin_look(session, arena, &slots[i], &looks[begun++], marks_alone);
        }
        if (ended == count)
            return;
        uv_run(&session->loop, UV_RUN_ONCE);
    }
}

void session_look_at(struct session *session, struct arena *arena, struct session_look *looks,
                     size_t count)
{
    look_at_all(session, arena, looks, count, true);
}

void session_observe(struct session *session, struct arena *arena, struct session_look *looks,
                     size_t count)
{
    look_at_all(session, arena, looks, count, false);
}

int session_read_admin(struct session *session, const char *cluster, struct arena *arena,
                       struct admin_access *admin, struct error **err)
{
    struct waiting waiting = {.op = {.ended = waited_for}};
    session->driver->vtable->read_admin(session->driver, &waiting.op, cluster, arena, admin);
    return wait_for(session, &waiting, err);
}

void session_collect(struct session *session, const char *cluster, const char *words,
                     struct diagnosis *diagnosis)
{
    const struct action action = {.kind = ACTION_AWAIT_READY, .subject = cluster, .reason = ""};
    const struct apply_input input = {.cluster = cluster, .action = &action};
    struct waiting waiting = {.op = {.ended = waited_for}};
    struct error *failure = NULL, *partly = NULL;
    error_set(&failure, ERROR_UNAVAILABLE, "%s", words);
    session->driver->vtable->collect(session->driver, &waiting.op, &input, failure,
                                     &diagnosis->evidence);
    (void)wait_for(session, &waiting, &partly); /* what was had is there */
    error_free(partly);
    error_free(failure);
}

static void signal_came(uv_signal_t *handle, int number)
{
    struct session *session = handle->data;
    if (!session->signals++)
        session->first_signal = number;
    if (session->running)
        engine_stop(session->running);
}

static void watch_signal(struct session *session, uv_signal_t *handle, int number)
{
    uv_signal_init(&session->loop, handle);
    handle->data = session;
    uv_signal_start(handle, signal_came, number);
    uv_unref((uv_handle_t *)handle);
}

/* Timers of one run. */
struct run_state {
    struct session *session;
    const struct session_run *run;
    uv_timer_t tick, deadline;
    bool finished, late;
};

static void tick_came(uv_timer_t *timer)
{
    struct run_state *state = timer->data;
    state->run->tick(state->run->context, uv_now(&state->session->loop));
}

static void deadline_came(uv_timer_t *timer)
{
    struct run_state *state = timer->data;
    state->late = true;
    engine_stop(state->session->running);
    engine_stop(state->session->running);
}

static void run_finished(void *context)
{
    struct run_state *state = context;
    state->finished = true;
}

static void start_timers(struct run_state *state)
{
    uv_loop_t *loop = &state->session->loop;
    uv_timer_init(loop, &state->tick);
    uv_timer_init(loop, &state->deadline);
    state->tick.data = state->deadline.data = state;
    if (state->run->tick)
        uv_timer_start(&state->tick, tick_came, TICK_MS, TICK_MS);
    if (state->run->deadline_ms)
        uv_timer_start(&state->deadline, deadline_came, state->run->deadline_ms, 0);
}

static void close_handles(struct run_state *state)
{
    struct session *session = state->session;
    uv_close((uv_handle_t *)&state->tick, NULL);
    uv_close((uv_handle_t *)&state->deadline, NULL);
    uv_close((uv_handle_t *)&session->interrupt, NULL);
    uv_close((uv_handle_t *)&session->terminate, NULL);
    uv_run(&session->loop, UV_RUN_NOWAIT);
}

enum session_end session_run(struct session *session, struct engine_options *options,
                             struct engine *(*make)(const struct engine_options *, void *),
                             void *make_context, const struct session_run *run,
                             struct engine **engine)
{
    struct run_state state = {.session = session, .run = run};
    uv_update_time(&session->loop); /* it may have been long ago: a lock was waited for */
    options->driver = session->driver;
    options->transport = session->transport;
    options->finished = run_finished;
    options->finished_context = &state;
    *engine = session->running = make(options, make_context);
    session->signals = 0;
    watch_signal(session, &session->interrupt, SIGINT);
    watch_signal(session, &session->terminate, SIGTERM);
    start_timers(&state);
    engine_start(*engine);
    while (!state.finished)
        uv_run(&session->loop, UV_RUN_ONCE);
    session->running = NULL;
    options->finished_context = NULL;
    close_handles(&state);
    return session->signals ? SESSION_INTERRUPTED
           : state.late     ? SESSION_DEADLINE
                            : SESSION_FINISHED;
}
