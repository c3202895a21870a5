#include "reconciler/fleet_status.h"

#include "base/memory.h"
#include "reconciler/fleet_status_parts.h"
#include <assert.h>

/*
 * DESIGN: clusters and sources stand in one list in the order of their last
 * changes, events in a ring in the order of theirs; both have numbers from the
 * same counter. So what came after a number is the end of the list and the
 * end of the ring, and nothing needs to be remembered for any reader.
 */

const double status_bucket_limits_s[STATUS_BUCKETS] = {0.01, 0.05, 0.25, 1,  2.5, 5,
                                                       10,   20,   40,   80, 160, 320};

struct fleet_status *fleet_status_new(void)
{
    struct fleet_status *status = memory_new(sizeof(*status));
    status->events = memory_resize(NULL, STATUS_EVENTS_MAX, sizeof(*status->events));
    return status;
}

static void free_entry(struct cluster_entry *entry)
{
    cluster_status_done(&entry->shown);
    free(entry->failed_action);
    free(entry->plan_words);
    free(entry);
}

/* --- Sources: the strings of what was told are copies. --- */

static const char *copied(const char *string)
{
    return status_words(string);
}

static void free_const(const char *string)
{
    free(memory_take_slot(&string));
}

static void source_done(struct source_status *source)
{
    free_const(source->kind);
    free_const(source->where);
    free_const(source->revision);
    free_const(source->author);
    free_const(source->subject);
    free_const(source->signer);
    free_const(source->pending);
    free_const(source->problem);
}

static struct source_status source_copy(const struct source_status *source)
{
    struct source_status copy = *source;
    copy.kind = status_word(source->kind);
    copy.where = copied(source->where);
    /* Redacting would shorten them to eight digits; they are no secrets. */
    copy.revision = status_word(source->revision);
    copy.pending = status_word(source->pending);
    copy.author = copied(source->author);
    copy.subject = copied(source->subject);
    copy.signer = status_word(source->signer);
    copy.problem = copied(source->problem);
    return copy;
}

static void event_done(struct status_event *event)
{
    free(event->cluster);
    free(event->source);
    free(event->text);
}

void fleet_status_free(struct fleet_status *status)
{
    if (!status)
        return;
    for (size_t i = 0; i < status->cluster_count; i++)
        free_entry(status->clusters[i]);
    for (size_t i = 0; i < status->source_count; i++) {
        source_done(&status->sources[i]->shown.told);
        free(status->sources[i]);
    }
    for (size_t i = 0; i < status->event_count; i++)
        event_done(&status->events[(status->event_first + i) % STATUS_EVENTS_MAX]);
    free(status->events);
    free(status->clusters);
    free(status->sources);
    free(status);
}

/* --- Changes. --- */

static void unlink_thing(struct fleet_status *status, struct status_thing *thing)
{
    if (thing->older)
        thing->older->newer = thing->newer;
    else if (status->oldest == thing)
        status->oldest = thing->newer;
    if (thing->newer)
        thing->newer->older = thing->older;
    else if (status->newest == thing)
        status->newest = thing->older;
    thing->older = thing->newer = NULL;
}

static void number(struct fleet_status *status, struct status_thing *thing)
{
    unlink_thing(status, thing);
    thing->change = ++status->change;
    thing->older = status->newest;
    if (status->newest)
        status->newest->newer = thing;
    else
        status->oldest = thing;
    status->newest = thing;
}

void fleet_status_touch(struct fleet_status *status, struct cluster_entry *entry)
{
    uint64_t print = cluster_status_print(&entry->shown);
    if (entry->thing.change && print == entry->thing.print)
        return;
    entry->thing.print = print;
    number(status, &entry->thing);
    entry->shown.change = entry->thing.change;
}

void fleet_status_tell(struct fleet_status *status)
{
    if (status->told_change == status->change)
        return;
    status->told_change = status->change;
    if (status->changed)
        status->changed(status->changed_context);
}

void fleet_status_listen(struct fleet_status *status, void (*changed)(void *context), void *context)
{
    status->changed = changed;
    status->changed_context = context;
}

void fleet_status_note(struct fleet_status *status, uint64_t now_ms, enum status_level level,
                       const char *type, const char *cluster, const char *source, const char *text)
{
    size_t at = (status->event_first + status->event_count) % STATUS_EVENTS_MAX;
    if (status->event_count == STATUS_EVENTS_MAX) {
        status->horizon = status->events[at].change;
        event_done(&status->events[at]);
        status->event_first = (at + 1) % STATUS_EVENTS_MAX;
    } else {
        status->event_count++;
    }
    status->events[at] = (struct status_event){
        .change = ++status->change,
        .at_ms = now_ms,
        .level = level,
        .type = type,
        .cluster = memory_string(cluster),
        .source = status_words(source),
        .text = status_words(text),
    };
}

/* --- Clusters. --- */

/* Where the name is or would be. */
static size_t place_of(const struct fleet_status *status, const char *name)
{
    size_t low = 0, high = status->cluster_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(status->clusters[middle]->shown.name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct cluster_entry *find_entry(const struct fleet_status *status, const char *name)
{
    size_t at = place_of(status, name);
    bool there = at < status->cluster_count && strcmp(status->clusters[at]->shown.name, name) == 0;
    return there ? status->clusters[at] : NULL;
}

struct cluster_entry *fleet_status_entry(struct fleet_status *status, uint64_t now_ms,
                                         const char *name)
{
    struct cluster_entry *entry = find_entry(status, name);
    if (entry)
        return entry;
    size_t at = place_of(status, name);
    entry = memory_new(sizeof(*entry));
    entry->shown.name = memory_string(name);
    entry->shown.phase_at_ms = now_ms;
    status->clusters =
        memory_resize(status->clusters, status->cluster_count + 1, sizeof(struct cluster_entry *));
    for (size_t i = status->cluster_count++; i > at; i--)
        status->clusters[i] = status->clusters[i - 1];
    status->clusters[at] = entry;
    return entry;
}

void fleet_status_remove(struct fleet_status *status, struct cluster_entry *entry)
{
    size_t at = place_of(status, entry->shown.name);
    assert(at < status->cluster_count && status->clusters[at] == entry);
    status->cluster_count--;
    for (size_t i = at; i < status->cluster_count; i++)
        status->clusters[i] = status->clusters[i + 1];
    unlink_thing(status, &entry->thing);
    free_entry(entry);
}

void fleet_status_desire(struct fleet_status *status, uint64_t now_ms, const char *cluster,
                         const struct cluster_spec *desired)
{
    struct cluster_entry *entry = fleet_status_entry(status, now_ms, cluster);
    entry->shown.leaving = desired == NULL;
    entry->shown.nodes_wanted = desired ? desired->node_count : 0;
    fleet_status_touch(status, entry);
    fleet_status_tell(status);
}

void fleet_status_forget(struct fleet_status *status, uint64_t now_ms, const char *cluster)
{
    struct cluster_entry *entry = find_entry(status, cluster);
    if (!entry)
        return;
    fleet_status_note(status, now_ms, STATUS_INFO, "gone", cluster, NULL, "no cluster of ours");
    fleet_status_remove(status, entry);
    fleet_status_tell(status);
}

/* --- What the sources say. --- */

static struct source_entry *source_entry(struct fleet_status *status, const char *where)
{
    cleanup_free char *shown = status_words(where);
    for (size_t i = 0; i < status->source_count; i++)
        if (shown && strcmp(status->sources[i]->shown.told.where, shown) == 0)
            return status->sources[i];
    struct source_entry *entry = memory_new(sizeof(*entry));
    entry->thing.is_source = true;
    status->sources =
        memory_resize(status->sources, status->source_count + 1, sizeof(struct source_entry *));
    status->sources[status->source_count++] = entry;
    return entry;
}

static bool same(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static void note_revision(struct fleet_status *status, uint64_t now_ms,
                          const struct source_status *now)
{
    cleanup_text struct text text;
    text_init(&text, 0);
    text_add_format(&text, "revision %.12s is in force", now->revision);
    if (now->author)
        text_add_format(&text, ", by %s", now->author);
    if (now->subject)
        text_add_format(&text, ": %s", now->subject);
    fleet_status_note(status, now_ms, STATUS_INFO, "source", NULL, now->where, text.data);
}

static void note_problem(struct fleet_status *status, uint64_t now_ms,
                         const struct source_status *now)
{
    cleanup_text struct text text;
    text_init(&text, 0);
    if (now->pending)
        text_add_format(&text, "revision %.12s is refused: ", now->pending);
    text_add(&text, now->problem);
    fleet_status_note(status, now_ms, STATUS_BAD, "source", NULL, now->where, text.data);
}

/* What of the news is an event. */
static void note_source(struct fleet_status *status, uint64_t now_ms,
                        const struct source_status *before, const struct source_status *now)
{
    if (now->revision && !same(before->revision, now->revision))
        note_revision(status, now_ms, now);
    if (now->problem &&
        (!same(before->problem, now->problem) || !same(before->pending, now->pending)))
        note_problem(status, now_ms, now);
    if (!now->problem && before->problem)
        fleet_status_note(status, now_ms, STATUS_GOOD, "source", NULL, now->where, "well again");
}

void fleet_status_source(struct fleet_status *status, uint64_t now_ms,
                         const struct source_status *source)
{
    struct source_entry *entry = source_entry(status, source->where);
    struct source_status before = entry->shown.told;
    entry->shown.told = source_copy(source);
    note_source(status, now_ms, &before, &entry->shown.told);
    source_done(&before);
    uint64_t print = source_status_print(&entry->shown.told);
    if (!entry->thing.change || print != entry->thing.print) {
        entry->thing.print = print;
        number(status, &entry->thing);
        entry->shown.change = entry->thing.change;
    }
    fleet_status_tell(status);
}

void fleet_status_engine(struct fleet_status *status, uint64_t now_ms, const char *where,
                         const char *problem)
{
    const struct source_status engine = {.kind = STATUS_ENGINE, .where = where, .problem = problem};
    fleet_status_source(status, now_ms, &engine);
}

/* --- Counting. --- */

void fleet_status_queue(struct fleet_status *status, size_t depth, size_t working)
{
    status->totals.queue_depth = depth;
    status->totals.working = working;
}

static void count_in(struct status_histogram *histogram, uint64_t ms)
{
    double seconds = (double)ms / 1000;
    histogram->count++;
    histogram->sum_s += seconds;
    for (size_t i = 0; i < STATUS_BUCKETS; i++)
        if (seconds <= status_bucket_limits_s[i]) {
            histogram->buckets[i]++;
            return;
        }
}

void fleet_status_count_round(struct fleet_status *status, enum status_result result,
                              uint64_t took_ms)
{
    status->totals.rounds[result]++;
    count_in(&status->totals.round_seconds, took_ms);
}

void fleet_status_count_action(struct fleet_status *status, enum action_kind kind, bool failed,
                               uint64_t took_ms)
{
    status->totals.action_failures[kind] += failed;
    count_in(&status->totals.action_seconds[kind], took_ms);
}

/* --- Reading. --- */

size_t fleet_status_count(const struct fleet_status *status)
{
    return status->cluster_count;
}

const struct cluster_status *fleet_status_cluster(const struct fleet_status *status, size_t index)
{
    return &status->clusters[index]->shown;
}

const struct cluster_status *fleet_status_find(const struct fleet_status *status, const char *name)
{
    struct cluster_entry *entry = find_entry(status, name);
    return entry ? &entry->shown : NULL;
}

size_t fleet_status_source_count(const struct fleet_status *status)
{
    return status->source_count;
}

const struct status_source *fleet_status_source_at(const struct fleet_status *status, size_t index)
{
    return &status->sources[index]->shown;
}

const struct status_totals *fleet_status_totals(const struct fleet_status *status)
{
    return &status->totals;
}

uint64_t fleet_status_change(const struct fleet_status *status)
{
    return status->change;
}

uint64_t fleet_status_horizon(const struct fleet_status *status)
{
    return status->horizon;
}

/* The first of the list that changed after this number. */
static const struct status_thing *thing_after(const struct fleet_status *status, uint64_t change)
{
    const struct status_thing *found = NULL;
    for (const struct status_thing *thing = status->newest; thing && thing->change > change;
         thing = thing->older)
        found = thing;
    return found;
}

/* Numbers in the ring only grow. */
static const struct status_event *event_after(const struct fleet_status *status, uint64_t change)
{
    size_t low = 0, high = status->event_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (status->events[(status->event_first + middle) % STATUS_EVENTS_MAX].change <= change)
            low = middle + 1;
        else
            high = middle;
    }
    return low < status->event_count
               ? &status->events[(status->event_first + low) % STATUS_EVENTS_MAX]
               : NULL;
}

struct status_news fleet_status_after(const struct fleet_status *status, uint64_t change)
{
    const struct status_thing *thing = thing_after(status, change);
    const struct status_event *event = event_after(status, change);
    if (event && (!thing || event->change < thing->change))
        return (struct status_news){.change = event->change, .event = event};
    if (!thing)
        return (struct status_news){0};
    if (thing->is_source)
        return (struct status_news){.change = thing->change,
                                    .source =
                                        &((const struct source_entry *)(const void *)thing)->shown};
    return (struct status_news){.change = thing->change,
                                .cluster =
                                    &((const struct cluster_entry *)(const void *)thing)->shown};
}

const char *status_phase_name(enum status_phase phase)
{
    static const char *const names[] = {
        [STATUS_PENDING] = "pending", [STATUS_WORKING] = "working", [STATUS_RETRYING] = "retrying",
        [STATUS_STALLED] = "stalled", [STATUS_SETTLED] = "settled",
    };
    return names[phase];
}

const char *status_level_name(enum status_level level)
{
    static const char *const names[] = {
        [STATUS_DETAIL] = "detail",
        [STATUS_INFO] = "info",
        [STATUS_GOOD] = "good",
        [STATUS_BAD] = "bad",
    };
    return names[level];
}

const char *status_result_name(enum status_result result)
{
    static const char *const names[] = {
        [STATUS_SUCCESS] = "success",
        [STATUS_ERROR] = "error",
        [STATUS_GIVEN_UP] = "stalled",
    };
    return names[result];
}
