#include "cli/station.h"

#include "base/memory.h"
#include "cli/last_failure.h"
#include "cli/notify.h"
#include <string.h>
#include <time.h>
#include <unistd.h>

uint64_t station_now_s(void)
{
    return (uint64_t)time(NULL);
}

/* --- What others are told. --- */

void station_write_file(struct station *station)
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

static void tell_queue(struct station *station)
{
    size_t waiting, working;
    engine_count_work(watch_engine(station->watch), &waiting, &working);
    watch_service_queue(station->service, waiting, working);
}

static void queue_came_due(void *context)
{
    struct station *station = context;
    station->queue_timer = NULL;
    tell_queue(station);
}

/* A cluster tells of its round's end while it still has its place. */
static void tell_queue_soon(struct station *station)
{
    struct transport *transport = station->session->transport;
    if (!station->queue_timer)
        station->queue_timer = transport->after(transport, 0, queue_came_due, station);
}

static void keep_words(struct arena *arena, struct watched_source *source)
{
    source->where = arena_string(arena, source->where);
    source->revision = arena_string(arena, source->revision);
    source->author = arena_string(arena, source->author);
    source->subject = arena_string(arena, source->subject);
    source->signer = arena_string(arena, source->signer);
    source->pending = arena_string(arena, source->pending);
    source->problem = arena_string(arena, source->problem);
}

/* Strings that must last until the next of their kind. */
void station_tell_source(struct station *station)
{
    struct arena *arena = arena_new();
    keep_words(arena, &station->watched.source);
    keep_words(arena, &station->watched.policy);
    station->watched.engine_problem = arena_string(arena, station->watched.engine_problem);
    arena_free(station->words);
    station->words = arena;
    station_write_file(station);
    notify_status(station);
    watch_service_tell(station->service, &station->watched);
}

/* --- The watcher. --- */

static void reported(void *context, const struct report *report)
{
    struct station *station = context;
    const char *engine = station->session->engine;
    if (report->kind == REPORT_RETRY || report->kind == REPORT_STALLED)
        last_failure_write(engine, report, station_now_s());
    if (report->kind == REPORT_SETTLED)
        last_failure_forget(engine, report->cluster);
    watch_log_report(station->log, report);
    tell_queue_soon(station);
    watch_service_report(station->service, report);
}

static void judged(void *context, const struct rails_verdict *verdict)
{
    struct station *station = context;
    watch_log_line(station->log, verdict->remove ? LOG_INFO : LOG_WARNING, "verdict",
                   verdict->cluster, "%s%s", verdict->remove ? "is to go: " : "", verdict->reason);
}

/* Passes come every minute; the first one that finds all at rest comes after a fleet's first
 * rounds.
 */
static void shrink_at_rest(struct station *station)
{
    size_t waiting, working;
    engine_count_work(watch_engine(station->watch), &waiting, &working);
    if (!waiting && !working)
        footprint_shrink(&station->footprint);
}

static void passed(void *context)
{
    struct station *station = context;
    shrink_at_rest(station);
    tell_queue(station);
    notify_status(station);
    station->passed = true;
}

static void engine_told(void *context, const struct error *why)
{
    struct station *station = context;
    station->watched.engine_there = why == NULL;
    station->watched.engine_problem = why ? why->message : NULL;
    station_tell_source(station);
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
    station_policy_read(station);
    station_poll(station);
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
    station_close_source(station);
    watch_stop(station->watch);
}

/* --- From its beginning to its end. --- */

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
        .now_s = station_now_s,
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

const char *station_unready(void *context)
{
    const struct station *station = context;
    if (!station->watched.engine_there)
        return "the engine does not answer";
    if (!station->watched.source.revision)
        return "no source without errors was read yet";
    return station->passed ? NULL : "the first look at the fleet is not over yet";
}

static int open_service(struct station *station, struct error **err)
{
    const struct watch_service_setup setup = {
        .given = &station->given->service,
        .loop = &station->session->loop,
        .fleet = station->invocation->common.fleet,
        .engine = station->session->engine,
        .context = station,
        .poll_now = station_poll,
        .unready = station_unready,
    };
    if (watch_service_open(&setup, &station->service, err))
        return -1;
    if (station->service)
        watch_log_line(station->log, LOG_INFO, "status", NULL, "listening at http://%s/",
                       watch_service_address(station->service));
    return 0;
}

int station_open(struct station *station, struct error **err)
{
    if (open_service(station, err))
        return -1;
    station->watched.pid = getpid();
    station->watched.kubeconfigs = station->session->kubeconfig.folder;
    station->watched.since_s = station_now_s();
    station->stay = (struct session_stay){
        .session = station->session, .context = station, .asked = asked, .stopped = stopped};
    session_stay_open(&station->stay);
    open_watch(station);
    station_open_source(station);
    station_policy_tell(station);
    station_tell_source(station);
    watch_start(station->watch);
    notify_send("READY=1");
    return 0;
}

void station_close(struct station *station)
{
    struct transport *transport = station->session->transport;
    if (station->queue_timer)
        transport->cancel_timer(transport, station->queue_timer);
    station_close_source(station);
    session_stay_close(&station->stay);
    watch_free(station->watch);
    watch_service_close(station->service);
    watch_file_remove(station->session->engine, station->invocation->common.fleet);
    arena_free(station->words);
}
