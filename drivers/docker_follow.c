/* What happens to containers, as the engine tells it while it happens: GET /events. */
#include "drivers/docker_flow.h"

#include "base/memory.h"
#include <string.h>

enum {
    BEHIND_TRIES = 2000 / DOCKER_BEHIND_MS,
    LINE_MAX = 64 * 1024,
    /* A day; then it is asked anew, which costs nothing. A dead peer is found by TCP or by the next
     * list. */
    FOLLOW_MS = 24 * 3600 * 1000,
};

/* What was listed says nothing of this cluster any more. */
static void spoil_snapshot(struct docker *docker, const char *cluster)
{
    struct snapshot *snapshot = &docker->snapshot;
    docker->happenings++;
    if (!snapshot->arena)
        return;
    const struct cluster_state *seen = fleet_state_find(&snapshot->fleet, cluster);
    if (seen) {
        snapshot->stale[seen - snapshot->fleet.clusters] = true;
        return;
    }
    arena_free(snapshot->arena);
    *snapshot = (struct snapshot){0};
}

/* --- What the engine's lists do not know yet. --- */

void docker_forget_deaths(struct docker *docker)
{
    for (size_t i = 0; i < COUNT_OF(docker->deaths.ids); i++)
        free(TAKE(docker->deaths.ids[i]));
}

static size_t death_of(const struct docker *docker, const char *id)
{
    size_t i = 0;
    while (i < COUNT_OF(docker->deaths.ids) &&
           (!docker->deaths.ids[i] || strcmp(docker->deaths.ids[i], id) != 0))
        i++;
    return i;
}

static void note_life(struct docker *docker, const char *id, const char *action)
{
    struct deaths *deaths = &docker->deaths;
    size_t known = death_of(docker, id);
    bool died = strcmp(action, "die") == 0;
    if (known < COUNT_OF(deaths->ids) && strcmp(action, "start") == 0)
        free(TAKE(deaths->ids[known]));
    if (!died || known < COUNT_OF(deaths->ids))
        return;
    free(deaths->ids[deaths->next]);
    deaths->ids[deaths->next] = memory_string(id);
    deaths->next = (deaths->next + 1) % COUNT_OF(deaths->ids);
}

bool docker_is_behind(struct docker_flow *df, const struct fleet_state *listed)
{
    struct docker *docker = df->docker;
    bool patient = df->flow.tries < BEHIND_TRIES, behind = false;
    for (size_t i = 0; i < listed->cluster_count; i++)
        for (size_t j = 0; j < listed->clusters[i].node_count; j++) {
            const struct node_state *node = &listed->clusters[i].nodes[j];
            size_t death = death_of(docker, node->id);
            if (node->status != CONTAINER_RUNNING || death == COUNT_OF(docker->deaths.ids))
                continue;
            behind = true;
            if (!patient)
                free(TAKE(docker->deaths.ids[death]));
        }
    return behind && patient;
}

static void event_line(void *context, const char *line, size_t length)
{
    struct docker_flow *df = context;
    json_t *event = json_loadb(line, length, 0, NULL);
    const json_t *attributes = json_object_get(json_object_get(event, "Actor"), "Attributes");
    const char *cluster = json_string_value(json_object_get(attributes, LABEL_CLUSTER));
    const char *action = json_string_value(json_object_get(event, "Action"));
    const char *id = json_string_value(json_object_get(json_object_get(event, "Actor"), "ID"));
    if (cluster && action) {
        note_life(df->docker, id ? id : "", action);
        spoil_snapshot(df->docker, cluster);
        df->ear.happened(df->ear.context, cluster, action);
    }
    json_decref(event);
}

static bool event_data(void *context, const char *bytes, size_t length)
{
    struct docker_flow *df = docker_flow_of(context);
    line_reader_feed(&df->lines, bytes, length);
    return true;
}

/* What was listed before may have missed something. */
static void events_open(void *context)
{
    const struct docker_flow *df = docker_flow_of(context);
    arena_free(df->docker->snapshot.arena);
    df->docker->snapshot = (struct snapshot){0};
    df->docker->happenings++;
    docker_forget_deaths(df->docker);
    df->ear.opened(df->ear.context);
}

static const char *filters_of(struct docker_flow *df)
{
    json_t *events = json_array();
    for (const char *const *action = df->ear.actions; *action; action++)
        json_array_append_new(events, json_string(*action));
    json_t *filters = json_pack("{s:[s], s:[s], s:o}", "type", "container", "label", LABEL_CLUSTER,
                                "event", events);
    char *text = json_dumps(filters, JSON_COMPACT);
    const char *copy = arena_string(df->flow.arena, text);
    free(text);
    json_decref(filters);
    return copy;
}

static enum step_status follow(struct flow *flow, const struct answer *answer, struct error **err)
{
    struct docker_flow *df = docker_flow_of(flow);
    if (answer)
        return answer->status == 200 ? STEP_DONE
                                     : docker_refused(flow, answer, "tell of its events", err);
    line_reader_init(&df->lines, LINE_MAX, event_line, df);
    df->lines_open = true;
    flow_send_request(flow, docker_path(flow, "/events?filters=", filters_of(df)),
                      (struct request){.method = "GET",
                                       .idle_ms = FOLLOW_MS,
                                       .on_data = event_data,
                                       .on_head = events_open,
                                       .one_shot = true});
    return STEP_WAITING;
}

const struct step docker_follow_steps[] = {
    DOCKER_REACH,
    {.name = "follow the engine's events", .run = follow, .timeout_ms = FOLLOW_MS},
    {0},
};
