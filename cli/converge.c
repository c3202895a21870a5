#include "cli/converge.h"

#include "base/memory.h"
#include "base/plain.h"
#include "cli/last_failure.h"
#include "cli/view.h"
#include "reconciler/lock.h"
#include "reconciler/source.h"
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LOCK_WAIT_MS = 300 * 1000, LOCK_POLL_MS = 100, ACTIONS_PARALLEL = 8, LOOKS_PARALLEL = 16 };
enum { COMMAND_BYTES_MAX = 200 };

const struct option_choice converge_classes[] = {
    {"replace-nodes", CHANGE_REPLACE},
    {"recreate", CHANGE_RECREATE},
    {"delete", CHANGE_DELETE},
    {NULL, 0},
};

/* Tells all problems; the sum of errors becomes the error. */
static int tell_problems(const struct invocation *invocation, struct problem_list *problems,
                         int result, struct error **err)
{
    problem_list_sort(problems);
    struct text text;
    text_init(&text, 0);
    problem_list_print(problems, &text);
    fputs(text.data, invocation->talk);
    text_done(&text);
    if (result == 0)
        return 0;
    return error_set(err, ERROR_INVALID, "%zu error%s in the sources; nothing was changed",
                     problems->errors, problems->errors == 1 ? "" : "s");
}

/* What is read, and by whom the files that it names are. */
struct reading {
    struct source_texts texts;
    struct load_options load;
    struct repo_result repo; /* of a repository */
};

static int read_folder(const struct invocation *invocation, const struct converge_options *options,
                       struct arena *arena, struct reading *reading, struct error **err)
{
    const struct option_strings *sources = &invocation->common.sources;
    cleanup_free char *folder = getcwd(NULL, 0);
    reading->load.base_folder = arena_string(arena, folder ? folder : "/");
    reading->load.read_file = source_read_beside;
    return source_read(arena, sources->items, sources->count, options->allow_empty, &reading->texts,
                       err);
}

static int read_repository(const struct invocation *invocation,
                           const struct converge_options *options, struct arena *arena,
                           struct reading *reading, struct error **err)
{
    struct repo_choice choice = options->repo;
    choice.options.allow_empty = options->allow_empty;
    if (repo_read_once(&choice, arena, &reading->repo, err))
        return -1;
    const struct repo_revision *revision = &reading->repo.revision;
    fprintf(invocation->talk, "commit %.10s (%s) by %s%s%s\n", revision->commit, revision->subject,
            revision->author, revision->verified ? ", signed by " : "",
            revision->verified ? revision->signer : "");
    if (reading->repo.note)
        log_line(&invocation->log, LOG_WARNING, NULL, "%s", reading->repo.note);
    reading->texts = reading->repo.texts;
    reading->load.base_folder = "/";
    reading->load.no_host_folder = true;
    reading->load.read_file = repo_read_beside;
    reading->load.read_context = &reading->repo;
    return 0;
}

static int read_sources(const struct invocation *invocation, const struct converge_options *options,
                        struct arena *arena, struct reading *reading, struct error **err)
{
    const char *repository = options->repo.options.url;
    size_t count = invocation->common.sources.count;
    if (repository && count)
        return error_set(err, ERROR_INVALID,
                         "-f and --git cannot be given together; files that a repository does not "
                         "hold are another run's, with a --fleet of its own");
    if (!repository && !count)
        return error_set(err, ERROR_INVALID,
                         "no source given: -f FILE, -f FOLDER, -f - or --git URL names what to %s",
                         invocation->command->path);
    return repository ? read_repository(invocation, options, arena, reading, err)
                      : read_folder(invocation, options, arena, reading, err);
}

int converge_load(const struct invocation *invocation, const struct converge_options *options,
                  struct arena *arena, struct fleet_spec *fleet, struct error **err)
{
    struct reading reading = {.load.allow_empty = options->allow_empty};
    if (read_sources(invocation, options, arena, &reading, err))
        return -1;
    struct problem_list problems;
    problem_list_init(&problems, arena);
    int result = 0;
    *fleet = (struct fleet_spec){0};
    if (reading.texts.count)
        result =
            load_fleet(reading.texts.items, reading.texts.count, &reading.load, fleet, &problems);
    if (result == 0 && options->repo.options.url)
        repo_check_trust(fleet, &problems);
    if (tell_problems(invocation, &problems, problems.errors ? -1 : result, err) == 0)
        return 0;
    if (options->repo.options.url)
        error_wrap(err, "commit %.10s", reading.repo.revision.commit);
    return -1;
}

bool converge_prunes(const struct converge_options *options)
{
    return options->prune || options->allow & 1u << CHANGE_DELETE;
}

void converge_take_rules(struct converge_options *options, const struct fleet_spec *fleet)
{
    options->prune = (options->prune || fleet->prune) && !options->no_prune;
    if (!options->max_deletions)
        options->max_deletions = (uint32_t)fleet->max_deletions;
    if (!options->concurrency)
        options->concurrency = (uint32_t)fleet->concurrency;
}

struct rails_options converge_rails(const struct invocation *invocation,
                                    const struct converge_options *options)
{
    return (struct rails_options){
        .fleet = invocation->common.fleet,
        .prune = converge_prunes(options),
        .allow_empty = options->allow_empty,
        .sources_whole = true,
        .max_deletions = options->max_deletions,
        .now_s = (uint64_t)time(NULL),
    };
}

void converge_know(struct session *session, struct arena *arena, const struct fleet_spec *desired,
                   const struct invocation *invocation, const struct converge_options *options,
                   struct fleet_state *observed)
{
    const struct rails_options rails = converge_rails(invocation, options);
    size_t count = 0;
    struct session_look *looks = arena_array(arena, observed->cluster_count, sizeof(*looks));
    struct cluster_state *clusters = arena_array(arena, observed->cluster_count, sizeof(*clusters));
    for (size_t i = 0; i < observed->cluster_count; i++) {
        clusters[i] = observed->clusters[i];
        if (rails_must_know(desired, &clusters[i], &rails))
            looks[count++].cluster = clusters[i].name;
    }
    session_look_at(session, arena, looks, count);
    for (size_t i = 0, next = 0; next < count; i++) {
        if (strcmp(clusters[i].name, looks[next].cluster) != 0)
            continue;
        if (!looks[next].failure) {
            clusters[i].marks = looks[next].state->marks;
            clusters[i].marked = looks[next].state->marked;
        }
        error_free(looks[next++].failure);
    }
    observed->clusters = clusters;
}

void converge_targets(struct arena *arena, const struct fleet_spec *desired,
                      const struct fleet_state *observed, const struct invocation *invocation,
                      const struct converge_options *options, struct converge_plan *plan)
{
    const struct rails_options rails = converge_rails(invocation, options);
    rails_judge(arena, desired, observed, &rails, &plan->verdicts);
    plan->targets =
        arena_array(arena, desired->cluster_count + plan->verdicts.count, sizeof(*plan->targets));
    plan->count = 0;
    for (size_t i = 0; i < desired->cluster_count; i++) {
        const struct cluster_spec *spec = &desired->clusters[i];
        const struct rails_verdict *verdict = rails_find(&plan->verdicts, spec->name);
        if (!verdict || (!verdict->remove && !verdict->unmade))
            plan->targets[plan->count++] = (struct converge_target){spec->name, spec, NULL};
    }
    for (size_t i = 0; i < plan->verdicts.count; i++) {
        const struct rails_verdict *verdict = &plan->verdicts.items[i];
        if (verdict->remove)
            plan->targets[plan->count++] =
                (struct converge_target){verdict->cluster, NULL, verdict->reason};
    }
}

static struct engine *make_engine(const struct engine_options *options, void *context)
{
    const struct converge_plan *plan = context;
    struct engine *engine = engine_new(options);
    for (size_t i = 0; i < plan->count; i++)
        engine_add_end(engine, plan->targets[i].name, plan->targets[i].desired,
                       plan->targets[i].end_reason);
    return engine;
}

static size_t clusters_parallel(void)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    return cores < 2 ? 2 : cores > 16 ? 16 : (size_t)cores;
}

static const char *network_of_environment(void)
{
    const char *network = getenv("KIND_EXPERIMENTAL_DOCKER_NETWORK");
    return network && *network ? network : "kind";
}

/* Who watches a run: the view, and the file of the last failure. */
struct watcher {
    struct view *view;
    const char *engine;
    bool keeps; /* failures are written down */
};

static void tick_view(void *context, uint64_t now_ms)
{
    view_tick(((struct watcher *)context)->view, now_ms);
}

static void watch(void *context, const struct report *report)
{
    const struct watcher *watcher = context;
    bool failed = report->kind == REPORT_RETRY || report->kind == REPORT_STALLED;
    if (watcher->keeps && failed)
        last_failure_write(watcher->engine, report, (uint64_t)time(NULL));
    if (watcher->keeps && report->kind == REPORT_SETTLED)
        last_failure_forget(watcher->engine, report->cluster);
    view_report(watcher->view, report);
}

enum session_end converge_run(struct session *session, const struct invocation *invocation,
                              const struct converge_options *options,
                              const struct converge_plan *plan, enum session_rule rule,
                              struct engine **engine)
{
    struct view_options looks = {
        /* The plans are all that a look alone tells: one document. */
        .output = options->dry_run ? VIEW_TEXT : options->output,
        .quiet = invocation->common.quiet || options->dry_run,
        .verbosity = invocation->common.verbosity,
        .talk = invocation->talk,
        .results = invocation->results,
    };
    struct watcher watcher = {
        .view = view_open(&looks), .engine = session->engine, .keeps = !options->dry_run};
    struct engine_options engine_options = {
        .cycle =
            {
                .policy =
                    {
                        .fleet = invocation->common.fleet,
                        .network = network_of_environment(),
                        .allow_replace = options->allow & 1u << CHANGE_REPLACE,
                        .allow_recreate = options->allow & 1u << CHANGE_RECREATE,
                        /* What the rails let through may go. */
                        .allow_delete = true,
                        .any_owner = rule == SESSION_ANY_OWNER,
                        .unprotect = options->unprotect,
                        .wish = options->wish,
                    },
                .parallel = ACTIONS_PARALLEL,
                .seed = (uint64_t)time(NULL) ^ (uint64_t)getpid() << 32,
                .dry_run = options->dry_run,
            },
        /* To look costs the machine little. */
        .clusters_parallel = options->dry_run       ? LOOKS_PARALLEL
                             : options->concurrency ? options->concurrency
                                                    : clusters_parallel(),
        .report = watch,
        .report_context = &watcher,
    };
    struct session_run run = {
        .deadline_ms = options->wait_ms, .tick = tick_view, .context = &watcher};
    struct converge_plan copy = *plan;
    enum session_end end = session_run(session, &engine_options, make_engine, &copy, &run, engine);
    view_close(watcher.view);
    return end;
}

static void pause_ms(unsigned ms)
{
    struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    nanosleep(&pause, NULL);
}

/* What was typed, for those who wait for us: on one line, and not without end. */
static char *command_line(const struct invocation *invocation)
{
    cleanup_text struct text typed, line;
    text_init(&typed, 0);
    text_init(&line, 0);
    for (size_t i = 1; i < invocation->line_count; i++)
        text_add_format(&typed, " %s", invocation->line[i]);
    text_add(&line, "kind");
    plain_add(&line, typed.data);
    size_t length = line.length < COMMAND_BYTES_MAX ? line.length : COMMAND_BYTES_MAX;
    while (length < line.length && ((unsigned char)line.data[length] & 0xc0) == 0x80)
        length--; /* not in the middle of a character */
    return memory_string_n(line.data, length);
}

int converge_lock(struct session *session, const struct invocation *invocation, const char *fleet,
                  struct lock *lock, struct error **err)
{
    cleanup_free char *command = command_line(invocation);
    for (unsigned waited_ms = 0;; waited_ms += LOCK_POLL_MS) {
        cleanup_free char *holder = NULL;
        if (lock_try(session->engine, fleet, command, lock, &holder, err))
            return -1;
        if (lock->fd >= 0)
            return 0;
        if (waited_ms == 0)
            fprintf(invocation->talk, "fleet '%s' is being worked on by %s; waiting\n", fleet,
                    holder);
        if (waited_ms >= LOCK_WAIT_MS)
            return error_set(err, ERROR_TIMEOUT, "fleet '%s' is still being worked on by %s", fleet,
                             holder);
        pause_ms(LOCK_POLL_MS);
    }
}

bool converge_good(const struct engine *engine)
{
    for (size_t i = 0; i < engine_count(engine); i++) {
        struct engine_result result = engine_result(engine, i);
        if (result.outcome != ENGINE_SETTLED || (result.plan && result.plan->refused_count))
            return false;
    }
    return true;
}
