#include "cli/status_json.h"

#include "base/memory.h"
#include "cli/view.h"

static uint64_t unix_ms_of(const struct status_clock *clock, uint64_t at_ms)
{
    return clock->unix_ms + at_ms - clock->now_ms;
}

double status_clock_unix_s(const struct status_clock *clock, uint64_t at_ms)
{
    return (double)unix_ms_of(clock, at_ms) / 1000;
}

json_t *status_json_time(uint64_t unix_ms)
{
    cleanup_text struct text text;
    text_init(&text, 0);
    view_add_time(&text, unix_ms / 1000);
    text_add_format(&text, ".%03uZ", (unsigned)(unix_ms % 1000));
    return json_string(text.data);
}

static void set(json_t *object, const char *key, json_t *value)
{
    json_object_set_new(object, key, value ? value : json_null());
}

static void set_string(json_t *object, const char *key, const char *string)
{
    set(object, key, string ? json_string(string) : NULL);
}

static void set_count(json_t *object, const char *key, uint64_t count)
{
    set(object, key, json_integer((json_int_t)count));
}

static void set_time(json_t *object, const char *key, const struct status_clock *clock,
                     uint64_t at_ms)
{
    set(object, key, at_ms ? status_json_time(unix_ms_of(clock, at_ms)) : NULL);
}

static void set_seen(json_t *object, const char *key, enum seen seen)
{
    set(object, key, seen == SEEN_UNKNOWN ? NULL : json_boolean(seen == SEEN_YES));
}

static json_t *nodes_json(const struct cluster_status *cluster)
{
    json_t *list = json_array();
    for (size_t i = 0; i < cluster->node_count; i++) {
        const struct status_node *node = &cluster->nodes[i];
        json_t *item = json_object();
        set_string(item, "name", node->name);
        set_string(item, "role", node->role);
        set_string(item, "image", node->image);
        set_string(item, "status", container_status_name(node->status));
        set_seen(item, "ready", node->ready);
        set_string(item, "trouble", node->trouble);
        json_array_append_new(list, item);
    }
    return list;
}

static json_t *running_json(const struct status_clock *clock, const struct cluster_status *cluster)
{
    json_t *list = json_array();
    for (size_t i = 0; i < cluster->running_count; i++) {
        const struct status_running *running = &cluster->running[i];
        json_t *item = json_object();
        set_string(item, "action", action_kind_name(running->kind));
        set_string(item, "words", action_kind_words(running->kind));
        set_string(item, "subject", running->subject);
        set_string(item, "reason", running->reason);
        set_string(item, "step", running->step);
        set_time(item, "beganAt", clock, running->began_at_ms);
        json_array_append_new(list, item);
    }
    return list;
}

static json_t *refused_json(const struct cluster_status *cluster)
{
    json_t *list = json_array();
    for (size_t i = 0; i < cluster->refused_count; i++) {
        json_t *item = json_object();
        set_string(item, "class", change_class_name(cluster->refused[i].change));
        set_string(item, "subject", cluster->refused[i].subject);
        set_string(item, "reason", cluster->refused[i].reason);
        json_array_append_new(list, item);
    }
    return list;
}

static json_t *causes_json(const struct status_failure *failure)
{
    json_t *list = json_array();
    for (size_t i = 0; i < failure->cause_count; i++) {
        const struct status_cause *cause = &failure->causes[i];
        json_t *item = json_object();
        set_string(item, "id", cause->id);
        set_string(item, "message", cause->words);
        set_string(item, "cure", cause->cure);
        set_string(item, "source", cause->source);
        set_string(item, "subject", cause->subject);
        set_string(item, "evidence", cause->line);
        json_array_append_new(list, item);
    }
    return list;
}

static json_t *failure_json(const struct status_clock *clock, const struct status_failure *failure)
{
    if (!failure)
        return NULL;
    json_t *object = json_object();
    set_string(object, "kind", failure->kind);
    set_string(object, "message", failure->message);
    set_string(object, "what", failure->what);
    set(object, "causes", causes_json(failure));
    set_string(object, "evidence", failure->evidence);
    set_count(object, "failures", failure->failures);
    set_time(object, "firstAt", clock, failure->first_at_ms);
    set_time(object, "at", clock, failure->at_ms);
    set_time(object, "nextAt", clock, failure->next_at_ms);
    return object;
}

json_t *status_json_cluster(const struct status_clock *clock, const struct cluster_status *cluster)
{
    json_t *object = json_object();
    set_string(object, "name", cluster->name);
    set_string(object, "phase", status_phase_name(cluster->phase));
    set(object, "leaving", json_boolean(cluster->leaving));
    set_seen(object, "synced", cluster->synced);
    set_seen(object, "ready", cluster->ready);
    set_seen(object, "stalled", cluster->stalled);
    set_string(object, "version", cluster->version);
    set_string(object, "message", cluster->message);
    set_string(object, "held", cluster->held);
    set_string(object, "note", cluster->note);
    set_count(object, "nodesWanted", cluster->nodes_wanted);
    set_count(object, "nodesSeen", cluster->nodes_seen);
    set_count(object, "nodesReady", cluster->nodes_ready);
    set(object, "nodes", nodes_json(cluster));
    set_count(object, "done", cluster->done);
    set_count(object, "total", cluster->total);
    set(object, "running", running_json(clock, cluster));
    set(object, "refused", refused_json(cluster));
    set_count(object, "refusedTotal", cluster->refused_total);
    set(object, "failure", failure_json(clock, cluster->failure));
    set_string(object, "revision", cluster->revision);
    set_string(object, "author", cluster->author);
    set_time(object, "beganAt", clock, cluster->began_at_ms);
    set_time(object, "phaseAt", clock, cluster->phase_at_ms);
    set_time(object, "settledAt", clock, cluster->settled_at_ms);
    set_count(object, "change", cluster->change);
    return object;
}

json_t *status_json_source(const struct status_clock *clock, const struct source_status *source)
{
    json_t *object = json_object();
    set_string(object, "kind", source->kind);
    set_string(object, "where", source->where);
    set_string(object, "revision", source->revision);
    set_string(object, "author", source->author);
    set_string(object, "subject", source->subject);
    set(object, "revisionAt",
        source->revision_at_s ? status_json_time(source->revision_at_s * 1000) : NULL);
    set_string(object, "signer", source->signer);
    set_string(object, "pending", source->pending);
    set_string(object, "problem", source->problem);
    set_time(object, "checkedAt", clock, source->checked_at_ms);
    set_time(object, "changedAt", clock, source->changed_at_ms);
    set_time(object, "nextAt", clock, source->next_at_ms);
    set_count(object, "failures", source->failures);
    set_count(object, "checks", source->checks_total);
    return object;
}

json_t *status_json_event(const struct status_clock *clock, const struct status_event *event)
{
    json_t *object = json_object();
    set_count(object, "id", event->change);
    set_time(object, "at", clock, event->at_ms);
    set_string(object, "level", status_level_name(event->level));
    set_string(object, "type", event->type);
    set_string(object, "cluster", event->cluster);
    set_string(object, "source", event->source);
    set_string(object, "text", event->text);
    return object;
}

json_t *status_json_fleet(const struct status_clock *clock, const char *fleet,
                          const struct fleet_status *status)
{
    const struct status_totals *totals = fleet_status_totals(status);
    json_t *object = json_object(), *sources = json_array(), *clusters = json_array();
    for (size_t i = 0; i < fleet_status_source_count(status); i++)
        json_array_append_new(sources,
                              status_json_source(clock, &fleet_status_source_at(status, i)->told));
    for (size_t i = 0; i < fleet_status_count(status); i++)
        json_array_append_new(clusters,
                              status_json_cluster(clock, fleet_status_cluster(status, i)));
    json_t *queue = json_object();
    set_count(queue, "depth", totals->queue_depth);
    set_count(queue, "working", totals->working);
    set_string(object, "fleet", fleet);
    set_string(object, "version", KIND_VERSION);
    set(object, "now", status_json_time(clock->unix_ms));
    set(object, "queue", queue);
    set(object, "sources", sources);
    set(object, "clusters", clusters);
    return object;
}
