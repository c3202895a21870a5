#include "cli/conditions.h"

#include "base/plain.h"
#include "base/text.h"
#include "cli/view.h"
#include <ctype.h>
#include <string.h>

/* A container that does not run, or NULL. */
static const struct node_state *who_stands_still(const struct cluster_state *state)
{
    for (size_t i = 0; i < state->node_count; i++)
        if (state->nodes[i].status != CONTAINER_RUNNING)
            return &state->nodes[i];
    return NULL;
}

static const char *standing_words(struct arena *arena, const struct node_state *node)
{
    return arena_format(arena, "%s is %s", node->name, container_status_name(node->status));
}

/* "inotify-instances" as "InotifyInstances". */
static const char *reason_of(struct arena *arena, const struct last_failure *last)
{
    if (!last->cause_count)
        return "ApplyFailed";
    char *name = arena_string(arena, last->causes[0].id), *to = name;
    bool begins = true;
    for (const char *from = name; *from; from++) {
        if (*from != '-')
            *to++ = (char)(begins ? toupper((unsigned char)*from) : *from);
        begins = *from == '-';
    }
    *to = '\0';
    return *name ? name : "ApplyFailed";
}

static struct condition synced(struct arena *arena, const struct cluster_state *state,
                               const struct last_failure *last)
{
    const struct node_state *still = who_stands_still(state);
    if (last)
        return (struct condition){SEEN_NO, reason_of(arena, last), last->message, last->first_at_s};
    if (state->recorded == SEEN_UNKNOWN)
        return (struct condition){SEEN_UNKNOWN, "RecordUnreadable",
                                  state->message ? state->message : "", 0};
    if (state->recorded == SEEN_NO)
        return (struct condition){SEEN_NO, "SetupUnfinished",
                                  "set-up is not finished; `kind apply` goes on with it", 0};
    if (still && !state->marks.stopped)
        return (struct condition){SEEN_NO, "ContainerNotRunning", standing_words(arena, still), 0};
    if (state->marks.suspended)
        return (struct condition){SEEN_UNKNOWN, "Suspended", "left alone until it is resumed", 0};
    return (struct condition){SEEN_YES, "AsApplied", "", 0};
}

static struct condition ready(struct arena *arena, const struct cluster_state *state)
{
    const struct node_state *still = who_stands_still(state);
    const char *message = state->message ? state->message : "";
    if (state->ready == SEEN_YES)
        return (struct condition){SEEN_YES, "NodesReady", "", 0};
    if (still && state->marks.stopped)
        return (struct condition){SEEN_NO, "Stopped", "it was stopped; `kind start` starts it", 0};
    if (still)
        return (struct condition){SEEN_NO, "ContainerNotRunning", standing_words(arena, still), 0};
    if (state->ready == SEEN_NO)
        return (struct condition){SEEN_NO, "NodesNotReady", message, 0};
    return (struct condition){SEEN_UNKNOWN, "NotAsked",
                              *message ? message : "the API was not asked", 0};
}

static struct condition stalled(struct arena *arena, const struct last_failure *last)
{
    if (!last)
        return (struct condition){SEEN_NO, "NoFailure", "", 0};
    if (!last->stalled)
        return (struct condition){SEEN_NO, "Retrying", last->message, 0};
    return (struct condition){SEEN_YES, reason_of(arena, last), last->message, last->at_s};
}

void conditions_of(struct arena *arena, const struct cluster_state *state, const char *looked,
                   const struct last_failure *last, struct condition *conditions)
{
    const struct condition blind = {SEEN_UNKNOWN, "LookFailed", looked, 0};
    conditions[CONDITION_SYNCED] = looked ? blind : synced(arena, state, last);
    conditions[CONDITION_READY] = looked ? blind : ready(arena, state);
    conditions[CONDITION_STALLED] = stalled(arena, last);
}

const char *condition_type_name(enum condition_type type)
{
    switch (type) {
    case CONDITION_SYNCED:
        return "Synced";
    case CONDITION_READY:
        return "Ready";
    case CONDITION_STALLED:
        return "Stalled";
    }
    return "";
}

static const char *status_name(enum seen status)
{
    switch (status) {
    case SEEN_UNKNOWN:
        return "Unknown";
    case SEEN_NO:
        return "False";
    case SEEN_YES:
        return "True";
    }
    return "";
}

static json_t *time_json(uint64_t unix_s)
{
    if (!unix_s)
        return json_null();
    cleanup_text struct text text;
    text_init(&text, 0);
    view_add_time(&text, unix_s);
    text_add(&text, "Z");
    return json_string(text.data);
}

json_t *conditions_json(const struct condition *conditions)
{
    json_t *list = json_array();
    for (enum condition_type type = CONDITION_SYNCED; type <= CONDITION_STALLED; type++) {
        cleanup_text struct text message;
        text_init(&message, 0);
        plain_add(&message, conditions[type].message);
        json_array_append_new(list,
                              json_pack("{s:s,s:s,s:s,s:s,s:o}", "type", condition_type_name(type),
                                        "status", status_name(conditions[type].status), "reason",
                                        conditions[type].reason, "message", message.data,
                                        "lastTransitionTime", time_json(conditions[type].since_s)));
    }
    return list;
}
