/* Where a station's desired state comes from, and what is said of it. */
#include "cli/station.h"

#include "base/memory.h"
#include "cli/repo_once.h"
#include <string.h>
#include <unistd.h>

enum { RESCAN_MS = 60 * 1000, INTERVAL_MS = 60 * 1000 };

static void source_taken(void *context, struct desired *desired)
{
    struct station *station = context;
    struct watched_source *source = &station->watched.source;
    bool same = source->revision && strcmp(source->revision, desired->revision) == 0;
    if (!same)
        source->changed_at_s = station_now_s();
    source->revision = desired->revision;
    source->author = desired->author;
    source->subject = desired->subject;
    source->signer = desired->signer;
    source->revised_at_s = desired->revised_at_s;
    source->pending = source->problem = NULL;
    source->refused_at_s = 0;
    station_tell_source(station);
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
    source->refused_at_s = station_now_s();
    station_tell_source(station);
    watch_log_line(station->log, LOG_ERROR, "source", NULL, "%s%s is refused, %s: %s",
                   revision ? "revision " : "what is there", revision ? revision : "",
                   station->watched.source.revision ? "what was in force stays in force"
                                                    : "nothing is in force",
                   problem);
}

static void source_looked(void *context, const char *problem, uint64_t next_ms)
{
    struct station *station = context;
    struct watched_source *source = &station->watched.source;
    source->next_at_s = station_now_s() + next_ms / 1000;
    watch_service_looked(station->service, &station->watched, problem, next_ms);
    if (problem || !source->problem) {
        station_write_file(station);
        return;
    }
    source->pending = source->problem = NULL;
    source->refused_at_s = 0;
    station_tell_source(station);
    watch_log_line(station->log, LOG_INFO, "source", NULL, "the sources are as in force again");
}

static const struct source_listener listener = {
    .taken = source_taken, .refused = source_refused, .looked = source_looked};

static const char *join_sources(struct arena *arena, const struct option_strings *sources)
{
    cleanup_text struct text text;
    text_init(&text, 0);
    for (size_t i = 0; i < sources->count; i++)
        text_add_format(&text, "%s%s", i ? ", " : "", sources->items[i]);
    return arena_string(arena, text.data);
}

/* --- A folder. --- */

static void folder_changed(void *context)
{
    struct station *station = context;
    folder_source_poll(station->folder);
}

/* What only keeps changes from being seen at once is said once. */
static void tell_unwatched(struct station *station, const struct error *why)
{
    if (why && !station->folder_trouble_told)
        watch_log_line(station->log, LOG_WARNING, "source", NULL,
                       "changes of the files are seen every minute only: %s", why->message);
    station->folder_trouble_told = why != NULL;
}

static void folder_rescans(void *context)
{
    struct station *station = context;
    if (!station->folder_watch)
        return;
    folder_watch_renew(station->folder_watch);
    tell_unwatched(station, folder_watch_problem(station->folder_watch));
}

static void watch_folder(struct station *station, const struct option_strings *sources)
{
    cleanup_error struct error *err = NULL;
    if (folder_watch_open(&station->session->loop, sources->items, sources->count,
                          FOLDER_WATCH_SETTLE_MS, folder_changed, station, &station->folder_watch,
                          &err))
        tell_unwatched(station, err);
}

static void open_folder(struct station *station)
{
    const struct option_strings *sources = &station->invocation->common.sources;
    struct folder_source_options folder = {
        .paths = sources->items,
        .path_count = sources->count,
        .allow_empty = station->given->converge.allow_empty,
        .policy = station_policy_of(station),
        .rescan_ms = RESCAN_MS,
        .transport = station->session->transport,
        .listener = listener,
        .rescans = folder_rescans,
    };
    folder.listener.context = station;
    station->watched.source =
        (struct watched_source){.kind = "folder", .where = join_sources(station->words, sources)};
    station->folder = folder_source_open(&folder);
    watch_folder(station, sources);
}

/* --- A repository. --- */

static void open_repo(struct station *station)
{
    const struct repo_choice *choice = &station->given->converge.repo;
    cleanup_error struct error *none = NULL; /* it was checked */
    struct repo_poll_options repo = {
        .repo = choice->options,
        .deadline_ms = repo_deadline_ms(choice),
        .interval_ms = station->given->interval_ms ? station->given->interval_ms : INTERVAL_MS,
        .policy = station_policy_of(station),
        .seed = station_now_s() ^ (uint64_t)getpid() << 32,
        .loop = &station->session->loop,
        .transport = station->session->transport,
        .listener = listener,
    };
    repo.listener.context = station;
    repo.repo.allow_empty = station->given->converge.allow_empty;
    station->watched.source =
        (struct watched_source){.kind = "git", .where = repo_where(station->words, choice, &none)};
    station->repo = repo_poll_open(&repo);
}

void station_open_source(struct station *station)
{
    station->words = arena_new();
    if (station->given->converge.repo.options.url)
        open_repo(station);
    else
        open_folder(station);
}

void station_close_source(struct station *station)
{
    folder_watch_close(station->folder_watch);
    folder_source_close(station->folder);
    repo_poll_close(station->repo);
    station->folder = NULL;
    station->folder_watch = NULL;
    station->repo = NULL;
}

void station_judge_sources(struct station *station)
{
    const struct policy *policy = station_policy_of(station);
    if (station->folder)
        folder_source_judge_by(station->folder, policy);
    if (station->repo)
        repo_poll_judge_by(station->repo, policy);
}

void station_poll(void *context)
{
    struct station *station = context;
    if (station->folder)
        folder_source_poll(station->folder);
    if (station->repo)
        repo_poll_now(station->repo);
}
