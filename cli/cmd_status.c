/* kind status: every cluster on the engine, on two axes: synced and ready. */
#include "cli/converge.h"

#include "base/memory.h"
#include "base/plain.h"
#include "cli/conditions.h"
#include "cli/table.h"
#include "cli/watch_file.h"
#include <string.h>
#include <time.h>

struct status_options {
    int output;
};

enum { STATUS_WIDE = VIEW_JSON + 1 };

static const struct option_choice outputs[] = {
    {"json", VIEW_JSON}, {"wide", STATUS_WIDE}, {NULL, 0}};

/* An age in its largest unit: "2d", "5h", "3m", "10s". */
static const char *age(struct arena *arena, uint64_t created_at_s)
{
    uint64_t now = (uint64_t)time(NULL);
    uint64_t seconds = now > created_at_s ? now - created_at_s : 0;
    if (seconds >= 2L * 86400)
        return arena_format(arena, "%llud", (unsigned long long)(seconds / 86400));
    if (seconds >= 2L * 3600)
        return arena_format(arena, "%lluh", (unsigned long long)(seconds / 3600));
    if (seconds >= 120)
        return arena_format(arena, "%llum", (unsigned long long)(seconds / 60));
    return arena_format(arena, "%llus", (unsigned long long)seconds);
}

static const char *seen_word(enum seen seen)
{
    switch (seen) {
    case SEEN_UNKNOWN:
        return "unknown";
    case SEEN_NO:
        return "no";
    case SEEN_YES:
        return "yes";
    }
    return "";
}

struct row {
    const char *cluster, *synced, *ready, *version, *age, *message;
    const char *owner, *created_at; /* owner NULL: another tool's */
    size_t nodes_ready, nodes;
    struct condition conditions[CONDITIONS];
    bool stopped, suspended, protected;
    const char *ends_at; /* NULL: never */
};

static const char *time_words(struct arena *arena, uint64_t unix_s)
{
    cleanup_text struct text text;
    text_init(&text, 0);
    view_add_time(&text, unix_s);
    text_add(&text, "Z");
    return arena_string(arena, text.data);
}

/* What somebody or something will do to it, or will not, by its marks; NULL: nothing special. */
static const char *life_words(struct arena *arena, const struct cluster_state *state)
{
    const struct marks *marks = &state->marks;
    uint64_t end = rails_end_s(rails_created_s(state), marks->ttl_s, marks->expires_at_s);
    cleanup_text struct text text;
    text_init(&text, 0);
    if (marks->stopped)
        text_add_format(&text, "stopped by hand; `kind start %s` ends that", state->name);
    if (marks->suspended)
        text_add_format(&text, "%ssuspended by hand; `kind resume %s` ends that",
                        text.length ? ", " : "", state->name);
    if (marks->protect)
        text_add(&text, text.length ? ", protected" : "protected");
    if (end)
        text_add_format(&text, "%sends at %s", text.length ? ", " : "", time_words(arena, end));
    return text.length ? arena_string(arena, text.data) : NULL;
}

/* What is wrong comes first; a container that stands still is not, where that was asked for. */
static const char *with_life(struct arena *arena, const struct cluster_state *state,
                             const char *message)
{
    const char *life = life_words(arena, state);
    if (!life || (message && !state->marks.stopped))
        return life ? arena_format(arena, "%s; %s", message, life) : message;
    return life;
}

static void take_life(struct arena *arena, const struct cluster_state *state, struct row *row)
{
    const struct marks *marks = &state->marks;
    uint64_t end = rails_end_s(rails_created_s(state), marks->ttl_s, marks->expires_at_s);
    row->stopped = marks->stopped;
    /* Nobody asks what was stopped: it is not Ready, and that is as it should be. */
    if (marks->stopped && state->ready == SEEN_UNKNOWN)
        row->ready = seen_word(SEEN_NO);
    row->suspended = marks->suspended;
    row->protected = marks->protect;
    row->ends_at = end ? time_words(arena, end) : NULL;
}

/* Without its sources at hand, synced means: ours, set up to the end, containers as they should be.
 */
static struct row row_of(struct arena *arena, const struct cluster_state *state, const char *fleet)
{
    bool ours = cluster_state_owned(state, fleet);
    struct row row = {
        .cluster = state->name,
        .synced = ours ? seen_word(state->recorded) : "-",
        .ready = ours ? seen_word(state->ready) : "-",
        .version = state->version ? state->version : "-",
        .age = age(arena, state->nodes[0].created_at_s),
        .owner = state->nodes[0].owner,
        .created_at = time_words(arena, state->nodes[0].created_at_s),
        .nodes_ready = state->ready_count,
        .nodes = view_node_count(state),
        .message = state->message,
    };
    for (size_t i = 0; i < state->node_count; i++)
        if (state->nodes[i].status != CONTAINER_RUNNING)
            row.message = arena_format(arena, "%s is %s", state->nodes[i].name,
                                       container_status_name(state->nodes[i].status));
    if (!ours)
        row.message = state->nodes[0].owner
                          ? arena_format(arena, "of fleet %s", state->nodes[0].owner)
                          : "made by another tool; left alone";
    else if (state->recorded == SEEN_NO && !row.message)
        row.message = "set-up is not finished; `kind apply` goes on with it";
    if (ours)
        row.message = with_life(arena, state, row.message);
    if (ours)
        take_life(arena, state, &row);
    return row;
}

/* The list showed the cluster, but a look at it failed: that says nothing about the others. */
static struct row unknown_row(struct arena *arena, const struct cluster_state *listed,
                              const char *fleet, const struct error *failure)
{
    struct row row = row_of(arena, listed, fleet);
    cleanup_text struct text words, plain;
    text_init(&words, 0);
    text_init(&plain, 0);
    view_add_failure(&words, listed->name, failure->message);
    plain_add(&plain, words.data);
    row.synced = row.ready = seen_word(SEEN_UNKNOWN);
    row.message = arena_string(arena, plain.data);
    return row;
}

/* What the last apply failed with, if it did, goes before what can be seen now. */
static void add_failure(struct arena *arena, const char *engine, const struct cluster_state *state,
                        const struct error *looked, const char *fleet, struct row *row)
{
    struct last_failure last;
    bool ours = cluster_state_owned(state, fleet);
    bool failed = ours && last_failure_read(arena, engine, state->name, &last);
    conditions_of(arena, state, looked ? looked->message : NULL, failed ? &last : NULL,
                  row->conditions);
    if (!failed || looked)
        return;
    row->synced = seen_word(SEEN_NO);
    row->message =
        arena_format(arena, "%s%s; `kind explain %s` tells more", last.stalled ? "given up: " : "",
                     last.cause_count ? last.causes[0].words : last.message, state->name);
}

static const char *ready_word(const struct row *row)
{
    return row->stopped && strcmp(row->ready, seen_word(SEEN_NO)) == 0 ? "stopped" : row->ready;
}

/* All conditions, where one is not as it should be with its reason, and whose it is. */
static void print_wide(struct text *text, const struct row *rows, size_t count)
{
    struct table table;
    table_init(&table, 8);
    static const char *const head[] = {"CLUSTER", "SYNCED", "READY", "STALLED",
                                       "REASON",  "AGE",    "FLEET", "MESSAGE"};
    for (size_t i = 0; i < COUNT_OF(head); i++)
        table_add(&table, head[i]);
    for (size_t i = 0; i < count; i++) {
        const struct condition *conditions = rows[i].conditions;
        const struct condition *first =
            conditions[CONDITION_SYNCED].status != SEEN_YES  ? &conditions[CONDITION_SYNCED]
            : conditions[CONDITION_READY].status != SEEN_YES ? &conditions[CONDITION_READY]
                                                             : NULL;
        bool ours = strcmp(rows[i].ready, "-") != 0;
        table_add(&table, rows[i].cluster);
        table_add(&table, rows[i].synced);
        table_add(&table, ready_word(&rows[i]));
        table_add(&table, ours ? seen_word(conditions[CONDITION_STALLED].status) : "-");
        table_add(&table, ours && first ? first->reason : "-");
        table_add(&table, rows[i].age);
        table_add(&table, rows[i].owner ? rows[i].owner : "-");
        table_add(&table, rows[i].message);
    }
    table_print(&table, 0, text);
    table_done(&table);
}

static void print_table(struct text *text, const struct row *rows, size_t count)
{
    struct table table;
    table_init(&table, 7);
    static const char *const head[] = {"CLUSTER", "SYNCED", "READY",  "NODES",
                                       "VERSION", "AGE",    "MESSAGE"};
    for (size_t i = 0; i < COUNT_OF(head); i++)
        table_add(&table, head[i]);
    for (size_t i = 0; i < count; i++) {
        table_add(&table, rows[i].cluster);
        table_add(&table, rows[i].synced);
        table_add(&table, ready_word(&rows[i]));
        if (strcmp(rows[i].ready, "-") == 0)
            table_add_format(&table, "%zu", rows[i].nodes);
        else if (strcmp(rows[i].ready, seen_word(SEEN_UNKNOWN)) == 0)
            table_add_format(&table, "?/%zu", rows[i].nodes);
        else
            table_add_format(&table, "%zu/%zu", rows[i].nodes_ready, rows[i].nodes);
        table_add(&table, rows[i].version);
        table_add(&table, rows[i].age);
        table_add(&table, rows[i].message);
    }
    table_print(&table, 0, text);
    table_done(&table);
}

static void print_source(struct arena *arena, struct text *text,
                         const struct watched_source *source)
{
    bool signed_by = source->revision && source->signer;
    text_add_format(text, "  %s: ", source->where);
    if (source->revision)
        text_add_format(text, "revision %s%s%s%s%s%s in force since %s\n", source->revision,
                        source->author ? " by " : "", source->author ? source->author : "",
                        signed_by ? " (signed by " : "", signed_by ? source->signer : "",
                        signed_by ? ")" : "", time_words(arena, source->changed_at_s));
    else
        text_add(text, "no revision is in force yet\n");
    if (source->problem)
        text_add_format(text, "  refused: %s%s%s since %s\n", source->pending ? "revision " : "",
                        source->pending ? source->pending : "what is there",
                        source->pending ? "" : " now", time_words(arena, source->refused_at_s));
    for (const char *at = source->problem; at && *at;
         at += strcspn(at, "\n") + (strchr(at, '\n') != NULL))
        text_add_format(text, "    %.*s\n", (int)strcspn(at, "\n"), at);
    if (source->problem && source->next_at_s)
        text_add_format(text, "  is looked at again at %s\n", time_words(arena, source->next_at_s));
}

/* Who keeps the fleet as it is, by which sources, and what is wrong with those. */
static void print_watched(struct arena *arena, struct text *text, const struct watched *watched)
{
    text_add_format(text, "\nwatched by process %ld (%s) since %s\n", watched->pid,
                    watched->command, time_words(arena, watched->since_s));
    if (!watched->engine_there)
        text_add_format(text, "  engine: away%s%s\n", watched->engine_problem ? ": " : "",
                        watched->engine_problem ? watched->engine_problem : "");
    print_source(arena, text, &watched->source);
    if (watched->policy.kind)
        print_source(arena, text, &watched->policy);
}

static json_t *time_json(struct arena *arena, uint64_t unix_s)
{
    return unix_s ? json_string(time_words(arena, unix_s)) : json_null();
}

static json_t *source_json(struct arena *arena, const struct watched_source *source)
{
    return json_pack("{s:s, s:s, s:s?, s:s?, s:s?, s:s?, s:o, s:o, s:o, s:s?, s:s?, s:o}", "kind",
                     source->kind, "where", source->where, "revision", source->revision, "author",
                     source->author, "subject", source->subject, "signer", source->signer,
                     "revisionAt", time_json(arena, source->revised_at_s), "changedAt",
                     time_json(arena, source->changed_at_s), "nextAt",
                     time_json(arena, source->next_at_s), "pending", source->pending, "problem",
                     source->problem, "refusedAt", time_json(arena, source->refused_at_s));
}

static json_t *watched_json(struct arena *arena, const struct watched *watched)
{
    json_t *sources = json_array();
    json_array_append_new(sources, source_json(arena, &watched->source));
    if (watched->policy.kind)
        json_array_append_new(sources, source_json(arena, &watched->policy));
    return json_pack("{s:I, s:s, s:o, s:b, s:s?, s:o}", "pid", (json_int_t)watched->pid, "command",
                     watched->command, "since", time_json(arena, watched->since_s), "engineThere",
                     watched->engine_there, "engineProblem", watched->engine_problem, "sources",
                     sources);
}

static void print_json(struct arena *arena, struct text *text, const struct row *rows, size_t count,
                       const struct watched *watched)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(
            list,
            json_pack("{s:s,s:s?,s:s,s:s,s:s,s:i,s:i,s:s,s:s?,s:b,s:b,s:b,s:s?}", "name",
                      rows[i].cluster, "owner", rows[i].owner, "createdAt", rows[i].created_at,
                      "synced", rows[i].synced, "ready", rows[i].ready, "nodes", (int)rows[i].nodes,
                      "nodesReady", (int)rows[i].nodes_ready, "version", rows[i].version, "message",
                      rows[i].message, "stopped", rows[i].stopped, "suspended", rows[i].suspended,
                      "protected", rows[i].protected, "endsAt", rows[i].ends_at));
    for (size_t i = 0; i < count; i++)
        json_object_set_new(json_array_get(list, i), "conditions",
                            conditions_json(rows[i].conditions));
    json_t *all = json_pack("{s:o}", "clusters", list);
    if (watched)
        json_object_set_new(all, "watch", watched_json(arena, watched));
    char *line = json_dumps(all, JSON_COMPACT);
    text_add(text, line);
    text_add(text, "\n");
    free(line);
    json_decref(all);
}

struct table_rows {
    struct row *items;
    size_t count;
    struct fleet_state fleet; /* all that there is */
};

static bool wanted(const struct invocation *invocation, const char *cluster)
{
    for (size_t i = 0; i < invocation->argument_count; i++)
        if (strcmp(invocation->arguments[i], cluster) == 0)
            return true;
    return invocation->argument_count == 0;
}

/* Which clusters to look at. */
static struct session_look *choose(const struct invocation *invocation, struct arena *arena,
                                   const struct fleet_state *fleet, size_t *ret_count)
{
    struct session_look *looks = arena_array(arena, fleet->cluster_count, sizeof(*looks));
    size_t count = 0;
    for (size_t i = 0; i < fleet->cluster_count; i++)
        if (wanted(invocation, fleet->clusters[i].name))
            looks[count++].cluster = fleet->clusters[i].name;
    *ret_count = count;
    return looks;
}

static int look(const struct invocation *invocation, struct session *session, struct arena *arena,
                struct table_rows *rows, struct error **err)
{
    const char *own = invocation->common.fleet;
    struct fleet_state *fleet = &rows->fleet;
    if (session_list(session, arena, fleet, err))
        return -1;
    size_t count;
    struct session_look *looks = choose(invocation, arena, fleet, &count);
    session_observe(session, arena, looks, count);
    rows->items = arena_array(arena, count, sizeof(*rows->items));
    for (size_t i = 0; i < count; i++) {
        const struct session_look *one = &looks[i];
        const struct cluster_state *state =
            one->failure ? fleet_state_find(fleet, one->cluster) : one->state;
        if (state->node_count) { /* else it went meanwhile */
            struct row *row = &rows->items[rows->count++];
            *row = one->failure ? unknown_row(arena, state, own, one->failure)
                                : row_of(arena, state, own);
            add_failure(arena, session->engine, state, one->failure, own, row);
        }
        error_free(one->failure);
    }
    return 0;
}

/* Names that were asked for and are not there; they do not keep the others from being shown. */
static int check_names(const struct invocation *invocation, const struct fleet_state *fleet,
                       struct error **err)
{
    cleanup_text struct text absent;
    text_init(&absent, 0);
    for (size_t i = 0; i < invocation->argument_count; i++)
        if (!fleet_state_find(fleet, invocation->arguments[i]))
            text_add_format(&absent, "%s'%s'", absent.length ? ", " : "", invocation->arguments[i]);
    if (!absent.length)
        return 0;
    return error_set(err, ERROR_CONFLICT,
                     "there is no cluster %s on this engine; `kind get clusters` lists them",
                     absent.data);
}

static int run(const struct invocation *invocation, struct error **err)
{
    const struct status_options *given = invocation->options;
    cleanup_arena struct arena *arena = arena_new();
    struct session session;
    if (session_open(&session, invocation, SESSION_OWN_ONLY, err))
        return -1;
    struct table_rows rows = {0};
    struct watched watched;
    bool is_watched = watch_file_read(arena, session.engine, invocation->common.fleet, &watched);
    if (is_watched && watched.kubeconfigs && !invocation->common.kubeconfig) {
        kubeconfig_paths_done(&session.kubeconfig);
        kubeconfig_paths_in(watched.kubeconfigs, &session.kubeconfig);
    }
    int result = look(invocation, &session, arena, &rows, err);
    if (result == 0) {
        struct text text;
        text_init(&text, 0);
        if (given->output == VIEW_JSON)
            print_json(arena, &text, rows.items, rows.count, is_watched ? &watched : NULL);
        else if (rows.count && given->output == STATUS_WIDE)
            print_wide(&text, rows.items, rows.count);
        else if (rows.count)
            print_table(&text, rows.items, rows.count);
        else if (!invocation->argument_count)
            fprintf(invocation->talk, "There are no clusters on this engine.\n");
        if (is_watched && given->output != VIEW_JSON && !invocation->argument_count)
            print_watched(arena, &text, &watched);
        fputs(text.data, invocation->results);
        text_done(&text);
        result = check_names(invocation, &rows.fleet, err);
    }
    session_close(&session);
    return result;
}

static const struct option_spec options[] = {
    {.short_name = 'o',
     .long_name = "output",
     .argument = "FORMAT",
     .help = "print JSON with conditions, or more columns: json, wide",
     .kind = OPTION_CHOICE,
     .offset = offsetof(struct status_options, output),
     .choices = outputs},
    {0},
};

const struct command command_status = {
    .path = "status",
    .summary = "show clusters and whether they are synced and ready",
    .arguments = "[CLUSTER...]",
    .arguments_max = ARGUMENTS_ANY,
    .options = options,
    .options_size = sizeof(struct status_options),
    .uses = USES_FLEET | USES_ENGINE | USES_KUBECONFIG,
    .exits = EXITS_AS_OURS,
    .examples = (const char *const[]){"kind status", "kind status ci -o json", NULL},
    .run = run,
};
