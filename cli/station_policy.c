/* The policy that a station's sources are before, and what is said of it. */
#include "cli/station.h"

#include "base/memory.h"
#include "reconciler/policy_file.h"
#include <string.h>

struct station_policy {
    const char *file;
    struct arena *arena; /* of what is in force */
    struct policy policy;
    const char *revision;
    uint64_t read_at_s;
};

int station_policy_open(const struct invocation *invocation, const char *file,
                        struct station_policy **ret_policy, struct error **err)
{
    *ret_policy = NULL;
    if (!file)
        return 0;
    struct station_policy *policy = memory_new(sizeof(*policy));
    struct problem_list problems;
    policy->file = file;
    policy->arena = arena_new();
    policy->read_at_s = station_now_s();
    problem_list_init(&problems, policy->arena);
    int result = policy_file_look(file, &policy->policy, &policy->revision, &problems, err);
    converge_tell_problems(invocation, &problems);
    if (result)
        station_policy_close(policy);
    else
        *ret_policy = policy;
    return result;
}

void station_policy_close(struct station_policy *policy)
{
    if (!policy)
        return;
    arena_free(policy->arena);
    free(policy);
}

const struct policy *station_policy_of(const struct station *station)
{
    return station->policy ? &station->policy->policy : NULL;
}

void station_policy_tell(struct station *station)
{
    const struct station_policy *policy = station->policy;
    struct watched_source *told = &station->watched.policy;
    if (!policy)
        return;
    *told = (struct watched_source){
        .kind = "policy",
        .where = policy->file,
        .revision = policy->revision,
        .changed_at_s = policy->read_at_s,
    };
}

/* The revision in force is not read again: its source may be away, or hold a newer one that is
 * refused. */
static void judge_again(struct station *station)
{
    const struct desired *desired = watch_desired(station->watch);
    bool repository = station->given->converge.repo.options.url != NULL;
    station_judge_sources(station);
    if (desired)
        watch_take(station->watch, desired_judge_again(desired, station_policy_of(station),
                                                       repository ? POLICY_GIT : POLICY_OWN_FILES));
}

static void take(struct station *station, struct arena *arena, const struct policy *policy,
                 const char *revision)
{
    struct station_policy *own = station->policy;
    bool same = strcmp(own->revision, revision) == 0, well = !station->watched.policy.problem;
    struct arena *old = own->arena;
    own->arena = arena;
    own->policy = *policy;
    own->revision = revision;
    own->read_at_s = same ? own->read_at_s : station_now_s();
    judge_again(station);
    station_policy_tell(station);
    station_tell_source(station);
    arena_free(old);
    if (!same || !well)
        watch_log_line(station->log, LOG_INFO, "source", NULL,
                       "the policy %s is in force as it is now", own->file);
}

static void refuse(struct station *station, const char *revision, const char *problem)
{
    struct watched_source *told = &station->watched.policy;
    bool again = told->problem && strcmp(told->problem, problem) == 0;
    if (again)
        return;
    told->refused_at_s = station_now_s();
    told->pending = revision;
    told->problem = problem;
    watch_log_line(station->log, LOG_ERROR, "source", NULL,
                   "the policy %s is refused, what was in force stays in force: %s",
                   station->policy->file, problem);
    station_tell_source(station);
}

void station_policy_read(struct station *station)
{
    if (!station->policy)
        return;
    struct arena *arena = arena_new();
    struct problem_list problems;
    struct policy policy;
    const char *revision;
    cleanup_error struct error *err = NULL;
    cleanup_text struct text words;
    text_init(&words, 0);
    problem_list_init(&problems, arena);
    if (policy_file_look(station->policy->file, &policy, &revision, &problems, &err) == 0) {
        take(station, arena, &policy, revision);
        return;
    }
    problem_list_print(&problems, &words);
    refuse(station, revision, words.length ? words.data : err->message);
    arena_free(arena);
}
