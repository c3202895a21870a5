/* kind explain: why a cluster is not as it should be, and what helps. */
#include "cli/conditions.h"
#include "cli/converge.h"
#include "cli/explanation.h"

#include "base/memory.h"
#include "cli/last_failure.h"
#include "reconciler/lock.h"
#include <string.h>
#include <time.h>

struct explain_options {
    int output;
};

/* The look, and where that shows trouble also what there is to be seen of it. */
static void look_live(struct session *session, struct arena *arena,
                      const struct invocation *invocation, struct explanation *about,
                      struct diagnosis *diagnosis)
{
    struct session_look look = {.cluster = about->cluster};
    session_observe(session, arena, &look, 1);
    if (look.failure)
        about->looked = arena_string(arena, look.failure->message);
    else
        about->state = look.state;
    error_free(look.failure);
    if (look.state->node_count)
        about->owned = cluster_state_owned(look.state, invocation->common.fleet);
    const char *trouble = explanation_trouble(arena, about);
    if (!trouble || !about->owned)
        return;
    session_collect(session, about->cluster, trouble, diagnosis);
    diagnosis_conclude(diagnosis, about->cluster, about->cluster);
    struct last_failure *live = arena_alloc(arena, sizeof(*live));
    last_failure_take(live, diagnosis);
    about->live = live;
}

/* Who works on the fleet now: "process 4711 (kind apply -f lab/)"; or NULL. */
static const char *who_works(struct arena *arena, const struct session *session,
                             const struct invocation *invocation)
{
    struct lock lock = {.fd = -1};
    struct error *unlocked = NULL;
    cleanup_free char *holder = NULL;
    if (lock_try(session->engine, invocation->common.fleet, "kind explain", &lock, &holder,
                 &unlocked))
        error_free(unlocked);
    lock_release(&lock);
    return arena_string(arena, holder);
}

static int explain(struct session *session, const struct invocation *invocation,
                   struct arena *arena, struct diagnosis *diagnosis, struct error **err)
{
    const struct explain_options *given = invocation->options;
    struct fleet_state fleet;
    struct last_failure last;
    struct explanation about = {.cluster = invocation->arguments[0], .now_s = (uint64_t)time(NULL)};
    if (session_list(session, arena, &fleet, err))
        return -1;
    if (last_failure_read(arena, session->engine, about.cluster, &last))
        about.last = &last;
    about.listed = fleet_state_find(&fleet, about.cluster);
    if (!about.listed && !about.last)
        return error_set(err, ERROR_CONFLICT,
                         "there is no cluster '%s' on this engine, and no failure of one is "
                         "remembered; `kind get clusters` lists them",
                         about.cluster);
    if (about.listed)
        look_live(session, arena, invocation, &about, diagnosis);
    about.worker = who_works(arena, session, invocation);
    cleanup_text struct text text;
    text_init(&text, 0);
    if (given->output == VIEW_JSON)
        explanation_json(arena, &about, &text);
    else
        explanation_print(arena, &about, &text);
    fputs(text.data, invocation->results);
    return 0;
}

static int run(const struct invocation *invocation, struct error **err)
{
    cleanup_arena struct arena *arena = arena_new();
    struct session session;
    if (session_open(&session, invocation, SESSION_OWN_ONLY, err))
        return -1;
    struct diagnosis *diagnosis = diagnosis_new();
    int result = explain(&session, invocation, arena, diagnosis, err);
    diagnosis_free(diagnosis);
    session_close(&session);
    return result;
}

static const struct option_spec options[] = {
    {.short_name = 'o',
     .long_name = "output",
     .argument = "FORMAT",
     .help = "print JSON: json",
     .kind = OPTION_CHOICE,
     .offset = offsetof(struct explain_options, output),
     .choices = view_outputs},
    {0},
};

const struct command command_explain = {
    .path = "explain",
    .summary = "say why a cluster is not well, and what helps",
    .arguments = "CLUSTER",
    .arguments_min = 1,
    .arguments_max = 1,
    .options = options,
    .options_size = sizeof(struct explain_options),
    .uses = USES_FLEET | USES_ENGINE | USES_KUBECONFIG,
    .exits = EXITS_AS_OURS,
    .examples = (const char *const[]){"kind explain ci", "kind explain ci -o json", NULL},
    .description =
        (const char *const[]){
            "Looks at the cluster now: its containers, its API, and where it is not well the "
            "journals in its nodes and the limits of the host. If the last apply failed, what was "
            "found right then is told, too. Evidence is held against a catalogue of known causes; "
            "each names a command that helps, or what to change.",
            "The last failure of each cluster is kept in $XDG_STATE_HOME/kind/failures (else "
            "/var/lib/kind/failures for root, else ~/.local/state/kind/failures) until the cluster "
            "is as described, or gone. It is an aid only, and holds no secrets.",
            NULL},
    .run = run,
};
