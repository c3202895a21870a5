#include "reconciler/repo_poll.h"

#include "base/memory.h"
#include "base/text.h"
#include "reconciler/backoff.h"
#include "reconciler/watch_schedule.h"
#include <string.h>

struct repo_poll {
    struct repo_poll_options options;
    struct prng prng;
    struct transport_timer *timer; /* of the next look; NULL: one is under way */
    struct repo_fetch *fetch;      /* that look; NULL: none is */
    struct arena *arena;           /* of that */
    bool again;                    /* asked for meanwhile */
    bool telling;                  /* a listener is being told, who may close it */
    bool closed;                   /* and freed when neither is any more */
    char *commit;                  /* in force, or NULL */
    char *problem;                 /* told last, or NULL */
    unsigned failures;             /* in a row, to get an answer */
    uint64_t pause_ms;             /* from the last look to the next */
};

uint64_t repo_poll_pause_ms(uint64_t interval_ms, unsigned failures, struct prng *prng)
{
    uint64_t pause_ms = watch_jitter_ms(interval_ms, prng);
    uint64_t backoff_ms = failures ? backoff_delay_ms(failures, prng) : 0;
    return backoff_ms > pause_ms ? backoff_ms : pause_ms;
}

/* --- What is told. --- */

static void tell_refused(struct repo_poll *poll, const char *revision, const char *problem)
{
    const struct source_listener *listener = &poll->options.listener;
    bool again = poll->problem && strcmp(poll->problem, problem) == 0;
    if (!again) {
        free(poll->problem);
        poll->problem = memory_string(problem);
        listener->refused(listener->context, revision, problem);
    }
    if (!poll->closed)
        listener->looked(listener->context, problem, poll->pause_ms);
}

static void tell_good(struct repo_poll *poll)
{
    const struct source_listener *listener = &poll->options.listener;
    free(poll->problem);
    poll->problem = NULL;
    listener->looked(listener->context, NULL, poll->pause_ms);
}

/* Warnings, and what else is worth a line: of the fetch, and of history that was replaced. */
static const char *notes(struct arena *arena, const struct repo_result *result,
                         const struct problem_list *problems)
{
    cleanup_text struct text text;
    text_init(&text, 0);
    problem_list_print(problems, &text);
    if (result->note)
        text_add_format(&text, "%s\n", result->note);
    if (result->rewritten)
        text_add_format(&text,
                        "commit %.10s does not build on the one before: history was "
                        "replaced\n",
                        result->revision.commit);
    return arena_string(arena, text.data);
}

/* --- One look. --- */

/* All of it takes effect, or nothing. Takes the arena over. */
static void load(struct repo_poll *poll, struct arena *arena, struct repo_result *result)
{
    const struct repo_revision *revision = &result->revision;
    const struct desired_rules rules = {
        .load = {.base_folder = "/",
                 .no_host_folder = true,
                 .allow_empty = poll->options.repo.allow_empty,
                 .read_file = repo_read_beside,
                 .read_context = result},
        .policy = poll->options.policy,
        .origin = POLICY_GIT,
    };
    struct desired *desired = arena_alloc(arena, sizeof(*desired));
    struct problem_list problems;
    cleanup_error struct error *err = NULL;
    problem_list_init(&problems, arena);
    bool broken = desired_load(&result->texts, &rules, &desired->fleet, &problems, &err) != 0;
    desired->arena = arena;
    desired->revision = revision->commit;
    desired->author = revision->author;
    desired->subject = revision->subject;
    desired->signer = revision->signer;
    desired->revised_at_s = (uint64_t)revision->committed_at;
    desired->warnings = notes(arena, result, &problems);
    if (broken) {
        tell_refused(poll, revision->commit, desired->warnings);
        arena_free(arena);
        return;
    }
    free(poll->commit);
    poll->commit = memory_string(revision->commit);
    tell_good(poll);
    if (poll->closed)
        arena_free(arena);
    else
        poll->options.listener.taken(poll->options.listener.context, desired);
}

static void free_poll(struct repo_poll *poll)
{
    arena_free(poll->arena);
    free(poll->commit);
    free(poll->problem);
    free(poll);
}

static void look(void *context);

static void look_again_in(struct repo_poll *poll, uint64_t delay_ms)
{
    struct transport *transport = poll->options.transport;
    if (poll->timer)
        transport->cancel_timer(transport, poll->timer);
    poll->timer = transport->after(transport, delay_ms, look, poll);
}

static void take_result(struct repo_poll *poll, const struct repo_result *got,
                        const struct error *failure)
{
    struct arena *arena = TAKE(poll->arena);
    if (failure) {
        /* A commit that was read, but may not be used, is an answer. */
        poll->failures = got ? 0 : poll->failures + 1;
        tell_refused(poll, got ? got->revision.commit : NULL, failure->message);
        arena_free(arena);
        return;
    }
    poll->failures = 0;
    if (got->unchanged) {
        tell_good(poll);
        arena_free(arena);
        return;
    }
    struct repo_result *result = arena_alloc(arena, sizeof(*result));
    *result = *got;
    load(poll, arena, result);
}

static void ended(void *context, const struct repo_result *result, struct error *failure)
{
    struct repo_poll *poll = context;
    poll->fetch = NULL;
    if (!poll->closed) {
        unsigned failures = !failure || result ? 0 : poll->failures + 1;
        poll->pause_ms = repo_poll_pause_ms(poll->options.interval_ms, failures, &poll->prng);
        if (poll->again)
            poll->pause_ms = 0;
        look_again_in(poll, poll->pause_ms);
        poll->again = false;
        poll->telling = true;
        take_result(poll, result, failure);
        poll->telling = false;
    }
    error_free(failure);
    if (poll->closed)
        free_poll(poll);
}

static void look(void *context)
{
    struct repo_poll *poll = context;
    const struct repo_poll_options *options = &poll->options;
    poll->timer = NULL;
    poll->arena = arena_new();
    poll->fetch = repo_fetch_begin(options->loop, &options->repo, poll->commit,
                                   options->deadline_ms, poll->arena, ended, poll);
}

struct repo_poll *repo_poll_open(const struct repo_poll_options *options)
{
    struct repo_poll *poll = memory_new(sizeof(*poll));
    poll->options = *options;
    poll->prng.state = options->seed;
    look_again_in(poll, 0);
    return poll;
}

void repo_poll_now(struct repo_poll *poll)
{
    if (poll->fetch)
        poll->again = true;
    else
        look_again_in(poll, 0);
}

void repo_poll_judge_by(struct repo_poll *poll, const struct policy *policy)
{
    poll->options.policy = policy;
}

void repo_poll_close(struct repo_poll *poll)
{
    if (!poll)
        return;
    struct transport *transport = poll->options.transport;
    if (poll->timer)
        transport->cancel_timer(transport, poll->timer);
    poll->timer = NULL;
    poll->closed = true;
    if (poll->fetch)
        repo_fetch_cancel(poll->fetch);
    else if (!poll->telling)
        free_poll(poll);
}
