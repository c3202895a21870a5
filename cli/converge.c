#include "cli/converge.h"

#include "base/memory.h"
#include "base/plain.h"
#include "cli/last_failure.h"
#include "cli/view.h"
#include "reconciler/desired.h"
#include "reconciler/lock.h"
#include "reconciler/policy_file.h"
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

void converge_tell_problems(const struct invocation *invocation,
                            const struct problem_list *problems)
{
    cleanup_text struct text text;
    text_init(&text, 0);
    problem_list_print(problems, &text);
    fputs(text.data, invocation->talk);
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

/* The policy of this file, in the arena; NULL without a file. */
static int read_policy(const struct invocation *invocation, const char *file, struct arena *arena,
                       const struct policy **policy, struct error **err)
{
    struct problem_list problems;
    struct policy *given = arena_alloc(arena, sizeof(*given));
    problem_list_init(&problems, arena);
    *policy = NULL;
    if (!file)
        return 0;
    int result = policy_file_read(file, given, &problems, err);
    converge_tell_problems(invocation, &problems);
    if (result == 0)
        *policy = given;
    return result;
}

int converge_load(const struct invocation *invocation, const struct converge_options *options,
                  struct arena *arena, struct fleet_spec *fleet, struct error **err)
{
    struct reading reading = {.load.allow_empty = options->allow_empty};
    const struct policy *policy;
    if (read_policy(invocation, options->policy, arena, &policy, err) ||
        read_sources(invocation, options, arena, &reading, err))
        return -1;
    const bool repository = options->repo.options.url != NULL;
    const struct desired_rules rules = {.load = reading.load,
                                        .policy = policy,
                                        .origin = repository ? POLICY_GIT : POLICY_OWN_FILES};
    struct problem_list problems;
    problem_list_init(&problems, arena);
    int result = desired_load(&reading.texts, &rules, fleet, &problems, err);
    converge_tell_problems(invocation, &problems);
    if (result && repository)
        error_wrap(err, "commit %.10s", reading.repo.revision.commit);
    return result;
}

bool converge_prunes(const struct converge_options *options)
{
    return options->prune || options->allow & 1u << CHANGE_DELETE;
}

void converge_take_rules(struct converge_options *options, const struct fleet_spec *fleet)
{
    options->prune = (options->prune || fleet->prune) && !options->no_prune;
    options->typed.max_deletions = options->max_deletions;
    options->typed.concurrency = options->concurrency;
    if (!options->max_deletions)
        options->max_deletions = (uint32_t)fleet->max_deletions;
    if (!options->concurrency)
        options->concurrency = (uint32_t)fleet->concurrency;
}

void converge_as_typed(struct arena *arena, struct converge_options *options)
{
    const char **address = &options->repo.options.url;
    options->max_deletions = options->typed.max_deletions;
    options->concurrency = options->typed.concurrency;
    if (*address)
        *address = repo_address(arena, &options->repo);
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
    struct pass_unknown unknown;
    pass_must_know(arena, desired, observed, &rails, &unknown);
    struct session_look *looks = arena_array(arena, unknown.count, sizeof(*looks));
    for (size_t i = 0; i < unknown.count; i++)
        looks[i].cluster = observed->clusters[unknown.items[i]].name;
    session_look_at(session, arena, looks, unknown.count);
    for (size_t i = 0; i < unknown.count; i++) {
        if (!looks[i].failure)
            pass_take_marks(observed, unknown.items[i], looks[i].state);
        error_free(looks[i].failure);
    }
}

void converge_targets(struct arena *arena, const struct fleet_spec *desired,
                      const struct fleet_state *observed, const struct invocation *invocation,
                      const struct converge_options *options, struct pass_plan *plan)
{
    const struct rails_options rails = converge_rails(invocation, options);
    pass_plan_targets(arena, desired, observed, &rails, plan);
}

static struct engine *make_engine(const struct engine_options *options, void *context)
{
    const struct pass_plan *plan = context;
    struct engine *engine = engine_new(options);
    for (size_t i = 0; i < plan->count; i++)
        engine_add_end(engine, plan->targets[i].name, plan->targets[i].desired,
                       plan->targets[i].end_reason);
    return engine;
}

size_t converge_parallel(void)
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

struct cycle_options converge_cycle(const struct invocation *invocation,
                                    const struct converge_options *options)
{
    return (struct cycle_options){
        .policy =
            {
                .fleet = invocation->common.fleet,
                .network = network_of_environment(),
                .allow_replace = options->allow & 1u << CHANGE_REPLACE,
                .allow_recreate = options->allow & 1u << CHANGE_RECREATE,
                /* What the rails let through may go. */
                .allow_delete = true,
                .adopt = options->adopt,
                .unprotect = options->unprotect,
                .wish = options->wish,
            },
        .parallel = ACTIONS_PARALLEL,
        .seed = (uint64_t)time(NULL) ^ (uint64_t)getpid() << 32,
        .dry_run = options->dry_run,
    };
}

enum session_end converge_run(struct session *session, const struct invocation *invocation,
                              const struct converge_options *options, const struct pass_plan *plan,
                              enum session_rule rule, struct engine **engine)
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
        .cycle = converge_cycle(invocation, options),
        /* To look costs the machine little. */
        .clusters_parallel = options->dry_run       ? LOOKS_PARALLEL
                             : options->concurrency ? options->concurrency
                                                    : converge_parallel(),
        .report = watch,
        .report_context = &watcher,
    };
    engine_options.cycle.policy.any_owner = rule == SESSION_ANY_OWNER;
    struct session_run run = {
        .deadline_ms = options->wait_ms, .tick = tick_view, .context = &watcher};
    struct pass_plan copy = *plan;
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
char *converge_command_line(const struct invocation *invocation)
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
                  uint64_t wait_ms, struct lock *lock, struct error **err)
{
    cleanup_free char *command = converge_command_line(invocation);
    for (unsigned waited_ms = 0;; waited_ms += LOCK_POLL_MS) {
        cleanup_free char *holder = NULL;
        if (lock_try(session->engine, fleet, command, lock, &holder, err))
            return -1;
        if (lock->fd >= 0)
            return 0;
        if (waited_ms == 0)
            fprintf(invocation->talk, "fleet '%s' is being worked on by %s; waiting\n", fleet,
                    holder);
        if (waited_ms >= (wait_ms ? wait_ms : LOCK_WAIT_MS))
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
