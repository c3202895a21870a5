/*
 * fleet_status_report.c - what a report of the engine means for a cluster, as it is told.
 */
#include "reconciler/fleet_status_parts.h"

#include "base/memory.h"

enum { EVIDENCE_LINES_MAX = 4, PLAN_WORDS_ACTIONS = 3 };

/* --- Words. --- */

static void add_action(struct text *text, const char *cluster, const struct action *action)
{
    text_add(text, action_kind_words(action->kind));
    if (strcmp(action->subject, cluster) != 0)
        text_add_format(text, " %s", action->subject);
}

static void add_seconds(struct text *text, uint64_t ms)
{
    if (ms < 60000)
        text_add_format(text, "%llu.%llu s", (unsigned long long)(ms / 1000),
                        (unsigned long long)(ms % 1000 / 100));
    else
        text_add_format(text, "%llu min %llu s", (unsigned long long)(ms / 60000),
                        (unsigned long long)(ms / 1000 % 60));
}

static void add_plan(struct text *text, const struct plan *plan)
{
    if (plan->count)
        text_add_format(text, "%zu to do: ", plan->count);
    for (size_t i = 0; i < plan->count && i < PLAN_WORDS_ACTIONS; i++) {
        text_add(text, i ? ", " : "");
        add_action(text, plan->cluster, &plan->actions[i]);
    }
    if (plan->count > PLAN_WORDS_ACTIONS)
        text_add(text, ", ...");
    for (size_t i = 0; i < plan->refused_count && i < PLAN_WORDS_ACTIONS; i++)
        text_add_format(text, "%s%s: %s", text->length ? "; " : "", plan->refused[i].subject,
                        plan->refused[i].reason);
    if (plan->held)
        text_add_format(text, "%s%s", text->length ? "; " : "", plan->held);
}

/* --- What was seen. --- */

static bool is_node(const struct node_state *node)
{
    bool balancer = node->role && strcmp(node->role, ROLE_BALANCER) == 0;
    return !balancer && !node_state_is_aside(node);
}

static void take_state(struct cluster_status *shown, const struct cluster_state *state)
{
    cluster_status_drop_nodes(shown);
    shown->nodes_seen = 0;
    shown->nodes = memory_resize(NULL, state->node_count + 1, sizeof(*shown->nodes));
    for (size_t i = 0; i < state->node_count; i++) {
        const struct node_state *node = &state->nodes[i];
        shown->nodes_seen += is_node(node);
        shown->nodes[shown->node_count++] = (struct status_node){
            .name = status_word(node->name),
            .role = status_word(node->role),
            .image = status_word(node->image),
            .trouble = status_words(node->trouble),
            .status = node->status,
            .ready = node->node_ready,
        };
    }
    shown->nodes_ready = state->ready_count;
    shown->ready = state->node_count ? state->ready : SEEN_NO;
    status_put(&shown->version, status_word(state->version));
    status_put(&shown->message, status_words(state->message));
}

static void take_plan(struct cluster_status *shown, const struct plan *plan)
{
    cluster_status_drop_refused(shown);
    size_t count =
        plan->refused_count < STATUS_REFUSED_MAX ? plan->refused_count : (size_t)STATUS_REFUSED_MAX;
    if (count)
        shown->refused = memory_resize(NULL, count, sizeof(*shown->refused));
    for (size_t i = 0; i < count; i++)
        shown->refused[i] = (struct status_refusal){
            .change = plan->refused[i].change,
            .subject = status_word(plan->refused[i].subject),
            .reason = status_words(plan->refused[i].reason),
        };
    shown->refused_count = count;
    shown->refused_total = plan->refused_count;
    status_put(&shown->held, status_words(plan->held));
}

/* --- Phases. --- */

static void enter(struct cluster_status *shown, enum status_phase phase, uint64_t now_ms)
{
    if (shown->phase != phase)
        shown->phase_at_ms = now_ms;
    shown->phase = phase;
    shown->stalled = phase == STATUS_STALLED ? SEEN_YES : SEEN_NO;
}

static enum seen settled_synced(const struct cluster_status *shown)
{
    if (shown->held)
        return SEEN_UNKNOWN;
    return shown->refused_total ? SEEN_NO : SEEN_YES;
}

static void begin_round(struct cluster_entry *entry, uint64_t now_ms)
{
    if (!entry->in_round)
        entry->round_began_ms = now_ms;
    entry->in_round = true;
    status_put(&entry->failed_action, NULL);
}

static uint64_t end_round(struct cluster_entry *entry, uint64_t now_ms)
{
    uint64_t took_ms = entry->in_round ? now_ms - entry->round_began_ms : 0;
    entry->in_round = false;
    status_put(&entry->failed_action, NULL);
    entry->shown.rounds_total++;
    cluster_status_drop_running(&entry->shown);
    return took_ms;
}

/* The same plan is told once: after each failure there is one more like it. */
static void note_plan(struct fleet_status *status, struct cluster_entry *entry,
                      const struct report *report)
{
    cleanup_text struct text text;
    text_init(&text, STATUS_WORDS_MAX);
    add_plan(&text, report->plan);
    bool told = entry->plan_words && strcmp(entry->plan_words, text.data) == 0;
    bool held = !report->plan->count && !report->plan->refused_count; /* said when it is settled */
    if (!told && !held && text.length)
        fleet_status_note(status, report->now_ms,
                          report->plan->refused_count ? STATUS_BAD : STATUS_INFO, "planned",
                          entry->shown.name, NULL, text.data);
    status_put(&entry->plan_words, text_take(&text));
}

static void planned(struct fleet_status *status, struct cluster_entry *entry,
                    const struct report *report)
{
    struct cluster_status *shown = &entry->shown;
    begin_round(entry, report->now_ms);
    cluster_status_drop_running(shown);
    if (report->state)
        take_state(shown, report->state);
    if (!report->plan)
        return;
    take_plan(shown, report->plan);
    note_plan(status, entry, report);
    if (!report->plan->count)
        return;
    if (shown->phase != STATUS_WORKING && shown->phase != STATUS_RETRYING)
        shown->began_at_ms = report->now_ms;
    enter(shown, STATUS_WORKING, report->now_ms);
    shown->synced = SEEN_NO;
    shown->done = 0;
    shown->total = report->plan->count;
}

static struct status_running *find_running(struct cluster_status *shown,
                                           const struct action *action)
{
    for (size_t i = 0; i < shown->running_count; i++)
        if (shown->running[i].kind == action->kind &&
            strcmp(shown->running[i].subject, action->subject) == 0)
            return &shown->running[i];
    return NULL;
}

static void count_actions(struct cluster_status *shown, const struct report *report)
{
    shown->done = report->done;
    shown->total = report->total;
}

static void action_begins(struct cluster_entry *entry, const struct report *report)
{
    struct cluster_status *shown = &entry->shown;
    entry->acted = true;
    count_actions(shown, report);
    if (shown->running_count == STATUS_RUNNING_MAX || find_running(shown, report->action))
        return;
    shown->running =
        memory_resize(shown->running, shown->running_count + 1, sizeof(*shown->running));
    shown->running[shown->running_count++] = (struct status_running){
        .kind = report->action->kind,
        .subject = status_word(report->action->subject),
        .reason = status_word(report->action->reason),
        .began_at_ms = report->now_ms,
    };
}

static void action_steps(struct cluster_entry *entry, const struct report *report)
{
    struct status_running *running = find_running(&entry->shown, report->action);
    count_actions(&entry->shown, report);
    if (running)
        status_put(&running->step, status_word(report->step));
}

static void drop_running(struct cluster_status *shown, struct status_running *running)
{
    free(running->subject);
    free(running->reason);
    free(running->step);
    size_t at = (size_t)(running - shown->running);
    shown->running_count--;
    for (size_t i = at; i < shown->running_count; i++)
        shown->running[i] = shown->running[i + 1];
}

static void action_ends(struct fleet_status *status, struct cluster_entry *entry,
                        const struct report *report)
{
    struct cluster_status *shown = &entry->shown;
    struct status_running *running = find_running(shown, report->action);
    bool canceled = report->failure && report->failure->kind == ERROR_CANCELED;
    count_actions(shown, report);
    if (running)
        drop_running(shown, running);
    cleanup_text struct text text;
    text_init(&text, STATUS_WORDS_MAX);
    add_action(&text, shown->name, report->action);
    if (report->failure && !canceled && !entry->failed_action)
        status_put(&entry->failed_action, status_word(text.data));
    text_add(&text, report->failure ? ", after " : ", in ");
    add_seconds(&text, report->elapsed_ms);
    if (report->failure)
        text_add_format(&text, ": %s", report->failure->message);
    fleet_status_count_action(status, report->action->kind, report->failure != NULL,
                              report->elapsed_ms);
    fleet_status_note(status, report->now_ms,
                      report->failure && !canceled ? STATUS_BAD : STATUS_DETAIL, "action-ends",
                      shown->name, NULL, text.data);
}

/* --- Failures. --- */

static void take_causes(struct status_failure *failure, const struct diagnosis *diagnosis)
{
    for (size_t i = 0; i < diagnosis->findings.count; i++) {
        const struct finding *finding = &diagnosis->findings.items[i];
        failure->causes[failure->cause_count++] = (struct status_cause){
            .id = status_word(finding->id),
            .words = status_words(finding->words),
            .cure = status_words(finding->cure),
            .source = status_word(evidence_source_words(finding->source)),
            .subject = status_word(finding->subject),
            .line = status_words(finding->line),
        };
    }
}

/* Where no cause is known, the last words that speak of trouble. */
static char *trouble_of(const struct diagnosis *diagnosis)
{
    cleanup_arena struct arena *arena = arena_new();
    cleanup_text struct text text;
    text_init(&text, STATUS_WORDS_MAX);
    for (size_t i = 0; i < diagnosis->evidence.count; i++) {
        const struct evidence_item *item = &diagnosis->evidence.items[i];
        if (item->source == EVIDENCE_FAILURE)
            continue; /* said already */
        const char *trouble = evidence_trouble(arena, item->text, EVIDENCE_LINES_MAX);
        if (!*trouble)
            continue;
        text_add_format(&text, "%s%s%s%s:\n%s", text.length ? "\n" : "",
                        evidence_source_words(item->source), *item->subject ? " of " : "",
                        item->subject, trouble);
    }
    return status_words(text.data);
}

static void take_failure(struct cluster_entry *entry, const struct report *report)
{
    struct cluster_status *shown = &entry->shown;
    bool again = shown->failure && report->failures > 1;
    uint64_t first_at_ms = again ? shown->failure->first_at_ms : report->now_ms;
    cluster_status_drop_failure(shown);
    struct status_failure *failure = shown->failure = memory_new(sizeof(*failure));
    failure->what = memory_string(entry->failed_action);
    failure->failures = report->failures;
    failure->first_at_ms = first_at_ms;
    failure->at_ms = report->now_ms;
    failure->next_at_ms = report->kind == REPORT_RETRY ? report->now_ms + report->wait_ms : 0;
    if (report->failure) {
        failure->kind = status_word(error_kind_name(report->failure->kind));
        failure->message = status_words(report->failure->message);
    }
    if (report->diagnosis)
        take_causes(failure, report->diagnosis);
    if (report->diagnosis && !failure->cause_count)
        failure->evidence = trouble_of(report->diagnosis);
}

static void note_failure(struct fleet_status *status, const struct cluster_entry *entry,
                         const struct report *report)
{
    cleanup_text struct text text;
    text_init(&text, STATUS_WORDS_MAX);
    if (report->kind == REPORT_STALLED) {
        text_add(&text, "given up");
    } else {
        text_add(&text, "next try in ");
        add_seconds(&text, report->wait_ms);
    }
    if (report->failures > 1)
        text_add_format(&text, " (%u failures in a row)", report->failures);
    if (report->failure && !entry->failed_action)
        text_add_format(&text, ": %s", report->failure->message);
    fleet_status_note(status, report->now_ms, STATUS_BAD,
                      report->kind == REPORT_STALLED ? "stalled" : "retry", entry->shown.name, NULL,
                      text.data);
}

static void failed(struct fleet_status *status, struct cluster_entry *entry,
                   const struct report *report)
{
    struct cluster_status *shown = &entry->shown;
    bool stalled = report->kind == REPORT_STALLED;
    /* A look that failed says nothing of the cluster. */
    if (!entry->in_round)
        shown->ready = SEEN_UNKNOWN;
    shown->synced = entry->in_round || stalled ? SEEN_NO : SEEN_UNKNOWN;
    shown->failures_total++;
    take_failure(entry, report);
    note_failure(status, entry, report);
    uint64_t took_ms = end_round(entry, report->now_ms);
    enter(shown, stalled ? STATUS_STALLED : STATUS_RETRYING, report->now_ms);
    fleet_status_count_round(status, stalled ? STATUS_GIVEN_UP : STATUS_ERROR, took_ms);
}

/* --- The good end. --- */

static void add_settled(struct text *text, const struct cluster_status *shown)
{
    const char *word = shown->held                ? shown->held
                       : shown->ready == SEEN_YES ? "Ready"
                       : shown->nodes_seen == 0   ? "not made"
                       : shown->ready == SEEN_NO  ? "not Ready"
                                                  : "as described";
    text_add(text, word);
    if (shown->nodes_seen)
        text_add_format(text, ", %zu %s", shown->nodes_seen,
                        shown->nodes_seen == 1 ? "node" : "nodes");
    if (shown->refused_total)
        text_add_format(text, ", %zu refused", shown->refused_total);
}

/* By whose word it is as it is: of the source that has changed last. */
static void take_revision(const struct fleet_status *status, struct cluster_status *shown)
{
    const struct source_status *latest = NULL;
    for (size_t i = 0; i < status->source_count; i++) {
        const struct source_status *source = &status->sources[i]->shown.told;
        if (source->revision && (!latest || source->changed_at_ms > latest->changed_at_ms))
            latest = source;
    }
    if (!latest)
        return;
    status_put(&shown->revision, memory_string(latest->revision));
    status_put(&shown->author, memory_string(latest->author));
}

static void note_settled(struct fleet_status *status, const struct cluster_entry *entry,
                         const struct report *report)
{
    const struct cluster_status *shown = &entry->shown;
    cleanup_text struct text text;
    text_init(&text, 0);
    add_settled(&text, shown);
    if (entry->acted && report->now_ms > shown->began_at_ms) {
        text_add(&text, ", in ");
        add_seconds(&text, report->now_ms - shown->began_at_ms);
    }
    fleet_status_note(status, report->now_ms,
                      shown->refused_total || shown->ready == SEEN_NO ? STATUS_INFO : STATUS_GOOD,
                      "settled", shown->name, NULL, text.data);
}

static void settled(struct fleet_status *status, struct cluster_entry *entry,
                    const struct report *report)
{
    struct cluster_status *shown = &entry->shown;
    enum status_phase before = shown->phase;
    enum seen ready_before = shown->ready;
    fleet_status_count_round(status, STATUS_SUCCESS, end_round(entry, report->now_ms));
    if (report->state)
        take_state(shown, report->state);
    cluster_status_drop_failure(shown);
    status_put(&shown->note, NULL);
    shown->synced = settled_synced(shown);
    shown->done = shown->total = 0;
    enter(shown, STATUS_SETTLED, report->now_ms);
    if (before != STATUS_SETTLED || ready_before != shown->ready || entry->acted) {
        note_settled(status, entry, report);
        shown->settled_at_ms = report->now_ms;
        take_revision(status, shown);
    }
    entry->acted = false;
}

static void gone(struct fleet_status *status, struct cluster_entry *entry,
                 const struct report *report)
{
    fleet_status_count_round(status, STATUS_SUCCESS, end_round(entry, report->now_ms));
    fleet_status_note(status, report->now_ms, STATUS_INFO, "gone", entry->shown.name, NULL,
                      "deleted");
    fleet_status_remove(status, entry);
}

static void noted(struct fleet_status *status, struct cluster_entry *entry,
                  const struct report *report)
{
    status_put(&entry->shown.note, status_words(report->text));
    fleet_status_note(status, report->now_ms, STATUS_INFO, "note", entry->shown.name, NULL,
                      report->text);
}

/* True if the cluster is not there any more. */
static bool take(struct fleet_status *status, struct cluster_entry *entry,
                 const struct report *report)
{
    switch (report->kind) {
    case REPORT_PLANNED:
        planned(status, entry, report);
        return false;
    case REPORT_ACTION_BEGINS:
        action_begins(entry, report);
        return false;
    case REPORT_STEP:
        action_steps(entry, report);
        return false;
    case REPORT_ACTION_ENDS:
        action_ends(status, entry, report);
        return false;
    case REPORT_RETRY:
    case REPORT_STALLED:
        failed(status, entry, report);
        return false;
    case REPORT_SETTLED:
        /* What must not be, and is protected or held, is still there. */
        if (!report->desired && (!report->state || !report->state->node_count)) {
            gone(status, entry, report);
            return true;
        }
        settled(status, entry, report);
        return false;
    case REPORT_NOTE:
        noted(status, entry, report);
        return false;
    }
    return false;
}

void fleet_status_report(void *context, const struct report *report)
{
    struct fleet_status *status = context;
    if (!report->cluster)
        return; /* a word of the program itself */
    struct cluster_entry *entry = fleet_status_entry(status, report->now_ms, report->cluster);
    entry->shown.leaving = report->desired == NULL;
    entry->shown.nodes_wanted = report->desired ? report->desired->node_count : 0;
    if (!take(status, entry, report))
        fleet_status_touch(status, entry);
    fleet_status_tell(status);
}
