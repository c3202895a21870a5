/* kind watch: make the engine hold what the sources say, and keep it so. */
#include "cli/station.h"

#include "base/memory.h"
#include "reconciler/lock.h"
#include <string.h>

static const struct option_spec options[] = {
    CONVERGE_LEAVE,
    CONVERGE_RULES,
    REPO_ROWS(struct converge_options, repo),
    {.long_name = "interval",
     .argument = "DURATION",
     .help = "ask the repository so often (default 1m)",
     .kind = OPTION_DURATION,
     .offset = offsetof(struct station_options, interval_ms)},
    {.long_name = "resync",
     .rare = true,
     .argument = "DURATION",
     .help = "look at each cluster at least so often (default 10m)",
     .kind = OPTION_DURATION,
     .offset = offsetof(struct station_options, resync_ms)},
    {.long_name = "log-format",
     .argument = "FORMAT",
     .help = "write the log as text or as JSON lines: text, json",
     .kind = OPTION_CHOICE,
     .offset = offsetof(struct station_options, log_format),
     .choices = watch_log_formats},
    WATCH_SERVICE_ROWS(struct station_options, service),
    {0},
};

/* What is wrong with the address shows at once, and not in the log alone. */
static int check_repository(const struct repo_choice *choice, struct error **err)
{
    cleanup_arena struct arena *arena = arena_new();
    return repo_where(arena, choice, err) ? 0 : -1;
}

static int check_sources(const struct invocation *invocation, struct error **err)
{
    const struct option_strings *sources = &invocation->common.sources;
    const struct station_options *given = invocation->options;
    const struct repo_choice *choice = &given->converge.repo;
    if (choice->options.url && sources->count)
        return error_set(err, ERROR_INVALID,
                         "-f and --git cannot be given together; a fleet has one source");
    if (choice->options.url)
        return check_repository(choice, err);
    if (!sources->count)
        return error_set(err, ERROR_INVALID,
                         "no source given: -f FILE, -f FOLDER or --git URL names what to watch");
    for (size_t i = 0; i < sources->count; i++)
        if (strcmp(sources->items[i], "-") == 0)
            return error_set(err, ERROR_INVALID,
                             "standard input can be read once only: watch a file or a folder");
    return 0;
}

static struct watch_log *open_log(const struct invocation *invocation,
                                  const struct station_options *given)
{
    const char *journal = getenv("JOURNAL_STREAM");
    const struct watch_log_options log = {
        .stream = invocation->common.quiet ? NULL : invocation->talk,
        .format = given->log_format,
        .verbosity = invocation->common.verbosity,
        .journal = journal && *journal,
    };
    return watch_log_new(&log);
}

static int watch_fleet(struct station *station, struct error **err)
{
    if (station_open(station, err))
        return -1;
    session_stay_run(&station->stay);
    station_close(station);
    return 128 + station->session->first_signal;
}

static int run(const struct invocation *invocation, struct error **err)
{
    const struct station_options *given = invocation->options;
    struct session session;
    struct lock lock = {.fd = -1};
    struct station_policy *policy;
    if (check_sources(invocation, err) ||
        station_policy_open(invocation, given->converge.policy, &policy, err))
        return -1;
    if (session_open(&session, invocation, SESSION_OWN_ONLY, err)) {
        station_policy_close(policy);
        return -1;
    }
    if (given->converge.skip_preflight)
        docker_skip_preflight(session.driver);
    cleanup_free char *command = converge_command_line(invocation);
    struct station station = {
        .invocation = invocation,
        .given = given,
        .session = &session,
        .policy = policy,
        .log = open_log(invocation, given),
        .watched = {.command = command},
    };
    int result = converge_lock(&session, invocation, invocation->common.fleet, 0, &lock, err);
    if (result == 0)
        result = watch_fleet(&station, err);
    lock_release(&lock);
    watch_log_free(station.log);
    station_policy_close(policy);
    session_close(&session);
    return result;
}

const struct command command_watch = {
    .path = "watch",
    .summary = "make the clusters of the sources so, and keep them so",
    .options = options,
    .options_size = sizeof(struct station_options),
    .uses = USES_SOURCES | USES_FLEET | USES_ENGINE | USES_KUBECONFIG,
    .exits = EXITS_AS_OURS,
    .examples =
        (const char *const[]){"kind watch -f lab/",
                              "kind watch --git https://git.lab/fleet.git --path lab/", NULL},
    .description =
        (const char *const[]){
            "Does what apply does, again and again: when a file of the sources changes, when the "
            "engine tells of a container, and from time to time. It runs until a signal ends it; "
            "one watcher at a time watches a fleet of one engine, and `kind apply` waits for it.",
            "Sources are read and checked whole. While a file is broken, or cannot be read, what "
            "was in force stays in force: nothing is changed and nothing deleted because of it. "
            "`kind status` shows the revision in force, a newer one that is refused, and why.",
            "SIGHUP reads policy and sources again, looks at all clusters, and tries again what "
            "was given "
            "up. SIGINT and SIGTERM let running steps end; a second one cancels them. What was "
            "begun is kept, and the next run goes on from there.",
            repo_words, NULL},
    .run = run,
};
