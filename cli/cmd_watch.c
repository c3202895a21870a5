/* kind watch: make the engine hold what the sources say, and keep it so. */
#include "cli/converge.h"

#include "base/memory.h"
#include "cli/last_failure.h"
#include "cli/notify.h"
#include "cli/session_stay.h"
#include "cli/watch_file.h"
#include "cli/watch_log.h"
#include "cli/watch_service.h"
#include "reconciler/folder_source.h"
#include "reconciler/lock.h"
#include "reconciler/repo_poll.h"
#include "reconciler/watch.h"
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { RESCAN_MS = 60 * 1000, INTERVAL_MS = 60 * 1000 };

struct watch_command_options {
    struct converge_options converge; /* first: shared rows of the table fill it */
    uint64_t resync_ms, interval_ms;  /* 0: not given */
    int log_format;
    struct watch_service_options service;
};

static const struct option_spec options[] = {
    {.long_name = "prune",
     .help = "delete clusters of this fleet that the sources do not name",
     .kind = OPTION_FLAG,
     .offset = offsetof(struct converge_options, prune)},
    CONVERGE_RULES,
    {.long_name = "allow-empty",
     .help = "accept sources without any cluster (with --prune: delete the fleet)",
     .kind = OPTION_FLAG,
     .offset = offsetof(struct converge_options, allow_empty)},
    {.long_name = "allow",
     .argument = "CLASS",
     .help = "permit destructive changes: replace-nodes, recreate, delete",
     .kind = OPTION_SET,
     .offset = offsetof(struct converge_options, allow),
     .choices = converge_classes},
    {.long_name = "resync",
     .rare = true,
     .argument = "DURATION",
     .help = "look at each cluster at least so often (default 10m)",
     .kind = OPTION_DURATION,
     .offset = offsetof(struct watch_command_options, resync_ms)},
    {.long_name = "interval",
     .argument = "DURATION",
     .help = "ask the git repository so often whether its ref moved (default 1m)",
     .kind = OPTION_DURATION,
     .offset = offsetof(struct watch_command_options, interval_ms)},
    REPO_ROWS(struct converge_options, repo),
    {.long_name = "skip-preflight",
     .help = "make nodes even if a look at the host says that it cannot go well",
     .kind = OPTION_FLAG,
     .offset = offsetof(struct converge_options, skip_preflight)},
    {.long_name = "log-format",
     .argument = "FORMAT",
     .help = "write the log as text or as JSON lines: text, json",
     .kind = OPTION_CHOICE,
     .offset = offsetof(struct watch_command_options, log_format),
     .choices = watch_log_formats},
    WATCH_SERVICE_ROWS(struct watch_command_options, service),
    {0},
};

/* All that lives while a fleet is watched. */
struct station {
    const struct invocation *invocation;
    const struct watch_command_options *given;
    struct session *session;
    struct session_stay stay;
    struct watch *watch;
    struct folder_source *folder; /* one of the two */
    struct repo_poll *repo;
    const struct policy *policy; /* of --policy, or NULL */
    struct watch_log *log;
    struct watch_service *service;
    struct arena *words_arena; /* of what `watched` says of its source */
    struct watched watched;
    bool file_trouble_told, ready_told;
};

static uint64_t now_s(void)
{
    return (uint64_t)time(NULL);
}

/* --- What others are told. --- */

static void write_file(struct station *station)
{
    cleanup_error struct error *err = NULL;
    int result = watch_file_write(station->session->engine, station->invocation->common.fleet,
                                  &station->watched, &err);
    if (result && !station->file_trouble_told)
        watch_log_line(station->log, LOG_WARNING, "status", NULL,
                       "`kind status` cannot show this watcher: %s", err->message);
    station->file_trouble_told = result != 0;
}

/* One line for `systemctl status`. */
static void notify_status(struct station *station)
{
    const struct watched_source *source = &station->watched.source;
    cleanup_text struct text text;
    text_init(&text, 0);
    if (!station->watched.engine_there)
        text_add(&text, "STATUS=waits for the engine");
    else if (!source->revision)
        text_add(&text, "STATUS=waits for a source without errors");
    else
        text_add_format(&text, "STATUS=%zu clusters as of revision %s%s",
                        engine_count(watch_engine(station->watch)), source->revision,
                        source->problem ? "; a newer one is refused" : "");
    notify_send(text.data);
}

/* Strings that must last until the next of their kind. */
static void keep_words(struct station *station)
{
    struct arena *arena = arena_new();
    struct watched_source *source = &station->watched.source;
    source->revision = arena_string(arena, source->revision);
    source->author = arena_string(arena, source->author);
    source->subject = arena_string(arena, source->subject);
    source->pending = arena_string(arena, source->pending);
    source->problem = arena_string(arena, source->problem);
    station->watched.engine_problem = arena_string(arena, station->watched.engine_problem);
    arena_free(station->words_arena);
    station->words_arena = arena;
    write_file(station);
    notify_status(station);
    watch_service_tell(station->service, &station->watched);
}

/* --- The sources. --- */

static void source_taken(void *context, struct desired *desired)
{
    struct station *station = context;
    struct watched_source *source = &station->watched.source;
    bool same = source->revision && strcmp(source->revision, desired->revision) == 0;
    if (!same)
        source->changed_at_s = now_s();
    source->revision = desired->revision;
    source->author = desired->author;
    source->subject = desired->subject;
    source->pending = source->problem = NULL;
    source->refused_at_s = 0;
    keep_words(station);
    if (*desired->warnings)
        watch_log_line(station->log, LOG_WARNING, "source", NULL, "%s", desired->warnings);
    watch_log_line(station->log, LOG_INFO, "source", NULL, "revision %s is in force: %zu cluster%s",
                   desired->revision, desired->fleet.cluster_count,
                   desired->fleet.cluster_count == 1 ? "" : "s");
    watch_service_desire(station->service, &desired->fleet);
    watch_take(station->watch, desired);
}

static void source_refused(void *context, const char *revision, const char *problem)
{
    struct station *station = context;
    struct watched_source *source = &station->watched.source;
    source->pending = revision;
    source->problem = problem;
    source->refused_at_s = now_s();
    keep_words(station);
    watch_log_line(station->log, LOG_ERROR, "source", NULL, "%s%s is refused, %s: %s",
                   revision ? "revision " : "what is there", revision ? revision : "",
                   station->watched.source.revision ? "what was in force stays in force"
                                                    : "nothing is in force",
                   problem);
}

static void source_looked(void *context, const char *problem)
{
    struct station *station = context;
    watch_service_looked(station->service, &station->watched, problem);
    if (problem || !station->watched.source.problem)
        return;
    station->watched.source.pending = station->watched.source.problem = NULL;
    station->watched.source.refused_at_s = 0;
    keep_words(station);
    watch_log_line(station->log, LOG_INFO, "source", NULL, "the sources are as in force again");
}

static void ask_source(struct station *station)
{
    if (station->folder)
        folder_source_poll(station->folder);
    if (station->repo)
        repo_poll_now(station->repo);
}

static void close_source(struct station *station)
{
    folder_source_close(station->folder);
    repo_poll_close(station->repo);
    station->folder = NULL;
    station->repo = NULL;
}

/* --- The watcher. --- */

static void tell_queue(struct station *station)
{
    size_t waiting, working;
    engine_count_work(watch_engine(station->watch), &waiting, &working);
    watch_service_queue(station->service, waiting, working);
}

static void reported(void *context, const struct report *report)
{
    struct station *station = context;
    const char *engine = station->session->engine;
    if (report->kind == REPORT_RETRY || report->kind == REPORT_STALLED)
        last_failure_write(engine, report, now_s());
    if (report->kind == REPORT_SETTLED)
        last_failure_forget(engine, report->cluster);
    watch_log_report(station->log, report);
    tell_queue(station);
    watch_service_report(station->service, report);
}

static void judged(void *context, const struct rails_verdict *verdict)
{
    struct station *station = context;
    watch_log_line(station->log, verdict->remove ? LOG_INFO : LOG_WARNING, "verdict",
                   verdict->cluster, "%s%s", verdict->remove ? "is to go: " : "", verdict->reason);
}

static void passed(void *context)
{
    struct station *station = context;
    notify_status(station);
    tell_queue(station);
    if (!station->ready_told)
        notify_send("READY=1");
    station->ready_told = true;
}

static void engine_told(void *context, const struct error *why)
{
    struct station *station = context;
    station->watched.engine_there = why == NULL;
    station->watched.engine_problem = why ? why->message : NULL;
    keep_words(station);
    if (why)
        watch_log_line(station->log, LOG_ERROR, "engine", NULL,
                       "the engine is away, nothing is begun until it is back: %s", why->message);
    else
        watch_log_line(station->log, LOG_INFO, "engine", NULL, "the engine %s answers",
                       station->session->engine);
}

static void dropped(void *context, const char *cluster)
{
    struct station *station = context;
    watch_log_forget(station->log, cluster);
    watch_service_drop(station->service, cluster);
}

static void finished(void *context)
{
    struct station *station = context;
    session_stay_end(&station->stay);
}

/* --- Signals. --- */

static void asked(void *context)
{
    struct station *station = context;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    cleanup_free char *message = memory_format("RELOADING=1\nMONOTONIC_USEC=%llu",
                                               (unsigned long long)now.tv_sec * 1000000 +
                                                   (unsigned long long)now.tv_nsec / 1000);
    notify_send(message);
    watch_log_line(station->log, LOG_INFO, "signal", NULL, "asked to look at everything again");
    ask_source(station);
    watch_look(station->watch);
    notify_send("READY=1");
}

static void stopped(void *context)
{
    struct station *station = context;
    bool first = station->session->signals == 1;
    notify_send("STOPPING=1");
    watch_log_line(station->log, LOG_INFO, "signal", NULL,
                   first ? "stopping: running steps end first; a second signal cancels them"
                         : "canceling what still runs");
    close_source(station);
    watch_stop(station->watch);
}

/* --- The service. --- */

static void poll_now(void *context)
{
    ask_source(context);
}

static const char *unready(void *context)
{
    const struct station *station = context;
    if (station->ready_told)
        return NULL;
    if (!station->watched.source.revision)
        return "no revision of the sources is in force yet";
    return station->watched.engine_there ? "the first pass is not over yet"
                                         : "the engine does not answer";
}

static int open_service(struct station *station, struct error **err)
{
    const struct watch_service_setup setup = {
        .given = &station->given->service,
        .loop = &station->session->loop,
        .fleet = station->invocation->common.fleet,
        .engine = station->session->engine,
        .context = station,
        .poll_now = poll_now,
        .unready = unready,
    };
    if (watch_service_open(&setup, &station->service, err))
        return -1;
    if (station->service)
        watch_log_line(station->log, LOG_INFO, "status", NULL, "listening at http://%s/",
                       watch_service_address(station->service));
    return 0;
}

/* --- The command. --- */

static const char *join_sources(struct arena *arena, const struct option_strings *sources)
{
    cleanup_text struct text text;
    text_init(&text, 0);
    for (size_t i = 0; i < sources->count; i++)
        text_add_format(&text, "%s%s", i ? ", " : "", sources->items[i]);
    return arena_string(arena, text.data);
}

static struct watched_source name_source(struct arena *arena, const struct invocation *invocation)
{
    const struct watch_command_options *given = invocation->options;
    cleanup_error struct error *none = NULL; /* it was checked */
    if (given->converge.repo.options.url)
        return (struct watched_source){.kind = "git",
                                       .where = repo_where(arena, &given->converge.repo, &none)};
    return (struct watched_source){.kind = "folder",
                                   .where = join_sources(arena, &invocation->common.sources)};
}

static void open_watch(struct station *station)
{
    const struct invocation *invocation = station->invocation;
    const struct converge_options *given = &station->given->converge;
    struct watch_options watch = {
        .driver = station->session->driver,
        .transport = station->session->transport,
        .cycle = converge_cycle(invocation, given),
        .rails = converge_rails(invocation, given),
        .no_prune = given->no_prune,
        .clusters_parallel = given->concurrency,
        .clusters_default = converge_parallel(),
        .now_s = now_s,
        .context = station,
        .report = reported,
        .judged = judged,
        .passed = passed,
        .engine_told = engine_told,
        .dropped = dropped,
        .finished = finished,
    };
    watch.cycle.resync_ms = station->given->resync_ms;
    watch.rails.prune = watch.rails.prune && !given->no_prune;
    watch.seed = watch.cycle.seed;
    station->watch = watch_new(&watch);
}

static void open_folder(struct station *station, const struct source_listener *listener)
{
    const struct option_strings *sources = &station->invocation->common.sources;
    const struct folder_source_options folder = {
        .paths = sources->items,
        .path_count = sources->count,
        .allow_empty = station->given->converge.allow_empty,
        .policy = station->policy,
        .rescan_ms = RESCAN_MS,
        .transport = station->session->transport,
        .listener = *listener,
    };
    station->folder = folder_source_open(&folder);
}

static void open_repository(struct station *station, const struct source_listener *listener)
{
    const struct watch_command_options *given = station->given;
    struct repo_poll_options repo = {
        .repo = given->converge.repo.options,
        .deadline_ms = repo_deadline_ms(&given->converge.repo),
        .interval_ms = given->interval_ms ? given->interval_ms : INTERVAL_MS,
        .policy = station->policy,
        .seed = now_s() ^ (uint64_t)getpid() << 32,
        .loop = &station->session->loop,
        .transport = station->session->transport,
        .listener = *listener,
    };
    repo.repo.allow_empty = given->converge.allow_empty;
    station->repo = repo_poll_open(&repo);
}

static void open_source(struct station *station)
{
    const struct source_listener listener = {.context = station,
                                             .taken = source_taken,
                                             .refused = source_refused,
                                             .looked = source_looked};
    if (station->given->converge.repo.options.url)
        open_repository(station, &listener);
    else
        open_folder(station, &listener);
}

static int watch_fleet(struct station *station, struct error **err)
{
    if (open_service(station, err))
        return -1;
    station->stay = (struct session_stay){
        .session = station->session, .context = station, .asked = asked, .stopped = stopped};
    session_stay_open(&station->stay);
    open_watch(station);
    open_source(station);
    write_file(station);
    watch_start(station->watch);
    session_stay_run(&station->stay);
    session_stay_close(&station->stay);
    close_source(station);
    watch_free(station->watch);
    watch_service_close(station->service);
    watch_file_remove(station->session->engine, station->invocation->common.fleet);
    return 128 + station->session->first_signal;
}

/* What is wrong with the address shows at once, and not in the log alone. */
static int check_repository(const struct invocation *invocation, struct error **err)
{
    const struct watch_command_options *given = invocation->options;
    cleanup_arena struct arena *arena = arena_new();
    if (invocation->common.sources.count)
        return error_set(err, ERROR_INVALID,
                         "-f and --git cannot be given together; a fleet has one source");
    return repo_where(arena, &given->converge.repo, err) ? 0 : -1;
}

static int check_sources(const struct invocation *invocation, struct error **err)
{
    const struct watch_command_options *given = invocation->options;
    const struct option_strings *sources = &invocation->common.sources;
    if (given->converge.repo.options.url)
        return check_repository(invocation, err);
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
                                  const struct watch_command_options *given)
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

static int run(const struct invocation *invocation, struct error **err)
{
    const struct watch_command_options *given = invocation->options;
    struct session session;
    struct lock lock = {.fd = -1};
    cleanup_arena struct arena *arena = arena_new();
    const struct policy *policy;
    if (check_sources(invocation, err) ||
        converge_policy(invocation, given->converge.policy, arena, &policy, err) ||
        session_open(&session, invocation, SESSION_OWN_ONLY, err))
        return -1;
    if (given->converge.skip_preflight)
        docker_skip_preflight(session.driver);
    cleanup_free char *command = converge_command_line(invocation);
    struct station station = {
        .invocation = invocation,
        .given = given,
        .session = &session,
        .policy = policy,
        .log = open_log(invocation, given),
        .watched = {.pid = getpid(),
                    .command = command,
                    .since_s = now_s(),
                    .source = name_source(arena, invocation)},
    };
    int result = converge_lock(&session, invocation, invocation->common.fleet, 0, &lock, err);
    if (result == 0)
        result = watch_fleet(&station, err);
    lock_release(&lock);
    watch_log_free(station.log);
    arena_free(station.words_arena);
    session_close(&session);
    return result;
}

const struct command command_watch = {
    .path = "watch",
    .summary = "make the clusters of the sources so, and keep them so",
    .options = options,
    .options_size = sizeof(struct watch_command_options),
    .uses = USES_SOURCES | USES_FLEET | USES_ENGINE | USES_KUBECONFIG,
    .exits = EXITS_AS_OURS,
    .examples = (const char *const[]){"kind watch -f lab/",
                                      "kind watch --git https://git.lab/clusters.git --path lab "
                                      "--prune",
                                      NULL},
    .description =
        (const char *const[]){
            "Does what apply does, again and again: when a file of the sources changes, when the "
            "engine tells of a container, and from time to time. It runs until a signal ends it; "
            "one watcher at a time watches a fleet of one engine, and `kind apply` waits for it.",
            "Sources are read and checked whole. While a file is broken, or cannot be read, what "
            "was in force stays in force: nothing is changed and nothing deleted because of it. "
            "`kind status` shows the revision in force, a newer one that is refused, and why.",
            "SIGHUP reads the sources again, looks at all clusters, and tries again what was given "
            "up. SIGINT and SIGTERM let running steps end; a second one cancels them. What was "
            "begun is kept, and the next run goes on from there.",
            repo_words, NULL},
    .run = run,
};
