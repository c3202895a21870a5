/*
 * view_plan.c - plans as a table: the differences that matter to people, not every action.
 *
 *     ~ ci         + ci-worker3               live      add worker
 *                  ~ ci-worker                live      labels tier: web -> db
 *                  - ci-worker2               remove    drains it
 *     ~ nightly    ± nightly-worker           replace   image v1.20.2 -> v1.20.3
 *                  ! networking.podSubnet     recreate  10.244.0.0/16 -> 10.8.0.0/16; refused: ...
 *     - old        - 2 nodes                  delete    not wanted any more
 *     = kept       = cluster                  held      stopped by hand; `kind start kept` ends
 * that = 6 clusters in sync
 *
 * The actions of a set-up are one row, and so are the deletions of all nodes,
 * and all that is done to add a worker, or to take one away.
 */
#include "base/memory.h"
#include "base/options_given.h"
#include "base/shell_word.h"
#include "cli/table.h"
#include "cli/view.h"
#include "cli/view_result.h"
#include <assert.h>
#include <string.h>

#define SIGN_NEW "+"
#define SIGN_GONE "-"
#define SIGN_CHANGED "~"
#define SIGN_ANEW "\xc2\xb1" /* plus-minus: deleted and made again */
#define SIGN_REFUSED "!"
#define SIGN_UNKNOWN "?"
#define SIGN_HELD "="

enum { CHANGE_CLASSES = CHANGE_DELETE + 1, COLUMNS = 4 };

struct plan_table {
    struct table table;
    size_t changes[CHANGE_CLASSES], refused, held, unknown, in_sync;
    const struct engine_result *result; /* the cluster whose rows are written */
    const char *cluster;                /* its name; "" once it is written */
    const char *cluster_sign;
};

static size_t observed_containers(const struct engine_result *result)
{
    return result->state ? result->state->node_count : 0;
}

static size_t count_kind(const struct plan *plan, enum action_kind kind)
{
    size_t count = 0;
    for (size_t i = 0; i < plan->count; i++)
        count += plan->actions[i].kind == kind;
    return count;
}

static const struct action *first_of(const struct plan *plan, enum action_kind kind)
{
    for (size_t i = 0; i < plan->count; i++)
        if (plan->actions[i].kind == kind)
            return &plan->actions[i];
    return NULL;
}

static const char *cluster_sign(const struct engine_result *result)
{
    const struct plan *plan = result->plan;
    if (!plan)
        return SIGN_UNKNOWN;
    if (plan->count == 0)
        return SIGN_REFUSED;
    if (!result->desired)
        return SIGN_GONE;
    if (plan_class(plan) == CHANGE_RECREATE)
        return SIGN_ANEW;
    return observed_containers(result) ? SIGN_CHANGED : SIGN_NEW;
}

static void add_row(struct plan_table *table, const char *sign, const char *subject,
                    const char *class_name, const char *reason)
{
    if (*table->cluster)
        table_add_format(&table->table, "%s %s", table->cluster_sign, table->cluster);
    else
        table_add(&table->table, "");
    table->cluster = "";
    table_add_format(&table->table, "%s %s", sign, subject);
    table_add(&table->table, class_name);
    table_add(&table->table, reason);
}

static void add_change(struct plan_table *table, const char *sign, const char *subject,
                       const struct action *action, const char *after)
{
    assert(action);
    cleanup_text struct text reason;
    text_init(&reason, 0);
    text_add_format(&reason, "%s%s", action->reason ? action->reason : "", after);
    table->changes[action->change]++;
    add_row(table, sign, subject, change_class_name(action->change), reason.data);
}

static void add_nodes_change(struct plan_table *table, const char *sign, size_t count,
                             const struct action *action, const char *after)
{
    cleanup_text struct text subject;
    text_init(&subject, 0);
    text_add_format(&subject, "%zu %s", count, count == 1 ? "node" : "nodes");
    add_change(table, sign, subject.data, action, after);
}

/* A new cluster, or the rest of a set-up. */
static void add_setup(struct plan_table *table)
{
    const struct engine_result *result = table->result;
    const struct action *bootstrap = first_of(result->plan, ACTION_BOOTSTRAP);
    if (bootstrap && result->state->recorded == SEEN_YES)
        add_change(table, SIGN_ANEW, bootstrap->subject, bootstrap,
                   "; the API is away meanwhile, its data stays");
    else if (!observed_containers(result) && result->desired)
        add_nodes_change(table, SIGN_NEW, result->desired->node_count, bootstrap, "");
    else
        add_change(table, SIGN_CHANGED, "set-up", bootstrap, "");
}

/* All nodes go, at the end of the cluster or so that it can be made anew. */
static void add_end(struct plan_table *table)
{
    const struct engine_result *result = table->result;
    const struct action *action = first_of(result->plan, ACTION_DELETE_NODE);
    const char *sign = result->desired ? SIGN_ANEW : SIGN_GONE;
    const char *after = action->change <= CHANGE_REMOVE ? "" : "; all its data goes";
    size_t nodes = view_node_count(result->state);
    if (nodes)
        add_nodes_change(table, sign, nodes, action, after);
    else
        add_change(table, sign, action->subject, action, after);
}

static const char *action_sign(const struct action *action)
{
    /* What is wanted comes back in the next round. */
    if (action->kind == ACTION_DELETE_NODE || action->kind == ACTION_DRAIN)
        return action->change == CHANGE_REMOVE ? SIGN_GONE : SIGN_ANEW;
    return SIGN_CHANGED;
}

static bool is_control_plane(const struct cluster_spec *spec, const char *node)
{
    for (size_t i = 0; spec && spec->nodes && i < spec->node_count; i++)
        if (spec->nodes[i].role == NODE_CONTROL_PLANE && strcmp(spec->nodes[i].name, node) == 0)
            return true;
    return false;
}

/* "exited" and the like: the reason is how its container was found. */
static bool is_still(const struct action *action)
{
    for (int status = CONTAINER_CREATED; status <= CONTAINER_DEAD; status++)
        if (action->reason &&
            strcmp(action->reason, container_status_name((enum container_status)status)) == 0)
            return true;
    return false;
}

static void add_action(struct plan_table *table, const struct action *action)
{
    bool own = strcmp(action->subject, table->result->cluster) == 0;
    const char *subject = own ? action_kind_words(action->kind) : action->subject;
    bool starts =
        action->kind == ACTION_START_NODE || (action->kind == ACTION_BALANCER && is_still(action));
    bool missing = action->reason && strcmp(action->reason, "missing") == 0;
    if (action->kind == ACTION_CREATE_NODE) {
        table->changes[action->change]++;
        add_row(table, SIGN_NEW, subject, change_class_name(action->change),
                is_control_plane(table->result->desired, subject) ? "add control plane"
                                                                  : "add worker");
    } else if (action->kind == ACTION_DRAIN && action->change == CHANGE_REMOVE) {
        table->changes[action->change]++;
        add_row(table, SIGN_GONE, subject, change_class_name(action->change), "drains it");
    } else if (missing) {
        add_change(table, SIGN_NEW, subject, action, "");
    } else {
        add_change(table, action_sign(action), subject, action, starts ? "; is started" : "");
    }
}

static bool is_planned(const struct plan *plan, enum action_kind kind, const char *subject)
{
    for (size_t i = 0; i < plan->count; i++)
        if (plan->actions[i].kind == kind && strcmp(plan->actions[i].subject, subject) == 0)
            return true;
    return false;
}

/* The old container of what has a row as the new one. */
static bool is_carrier(const char *name)
{
    size_t length = strlen(name), suffix = strlen(STATE_CARRIER_SUFFIX);
    return length > suffix && strcmp(name + length - suffix, STATE_CARRIER_SUFFIX) == 0;
}

/* Is it only there for the sake of what has a row already? */
static bool is_in_passing(const struct plan *plan, const struct action *action)
{
    bool grows = first_of(plan, ACTION_CREATE_NODE);
    bool waits = first_of(plan, ACTION_AWAIT_READY);
    switch (action->kind) {
    case ACTION_NETWORK:
    case ACTION_IMAGE:
    case ACTION_REROUTE:
    case ACTION_CHECK_VERSION:
    case ACTION_SET_ASIDE:
    case ACTION_CARRY:
    case ACTION_SAVE_ETCD:
        return true;
    case ACTION_RECORD:
        return plan->count > 1;
    case ACTION_PRELOAD:
    case ACTION_NODE_SETTINGS:
        return is_planned(plan, ACTION_JOIN, action->subject);
    case ACTION_DELETE_NODE:
        return is_planned(plan, ACTION_DRAIN, action->subject) ||
               (first_of(plan, ACTION_BOOTSTRAP) && is_carrier(action->subject));
    case ACTION_DRAIN:
        return is_planned(plan, ACTION_CREATE_NODE, action->subject);
    case ACTION_LEAVE_ETCD:
        return is_planned(plan, ACTION_DRAIN, action->subject) ||
               is_planned(plan, ACTION_CREATE_NODE, action->subject);
    case ACTION_UPLOAD_CONFIG:
    case ACTION_TOKEN:
    case ACTION_PROXY:
    case ACTION_DNS:
    case ACTION_CNI:
    case ACTION_STORAGE:
        return first_of(plan, ACTION_JOIN);
    case ACTION_JOIN:
        return grows || waits;
    case ACTION_AWAIT_READY:
        return grows;
    case ACTION_ADOPT:
    case ACTION_CREATE_NODE:
    case ACTION_START_NODE:
    case ACTION_REVIVE:
    case ACTION_BALANCER:
    case ACTION_ENDPOINT:
    case ACTION_BOOTSTRAP:
    case ACTION_MARK_CONTROL_PLANE:
    case ACTION_MANIFESTS:
    case ACTION_READDRESS:
    case ACTION_KUBECONFIG:
    case ACTION_MARKS:
    case ACTION_FORGET:
    case ACTION_STOP_NODE:
        return false;
    }
    return false;
}

static void add_actions(struct plan_table *table)
{
    const struct plan *plan = table->result->plan;
    size_t deleted = count_kind(plan, ACTION_DELETE_NODE);
    bool setup = first_of(plan, ACTION_BOOTSTRAP) != NULL;
    bool ends = !setup && deleted && deleted == observed_containers(table->result);
    if (setup)
        add_setup(table);
    if (ends)
        add_end(table);
    for (size_t i = 0; i < plan->count; i++) {
        const struct action *action = &plan->actions[i];
        bool deletes = action->kind == ACTION_DELETE_NODE;
        bool told = (deletes ? ends : setup) || is_in_passing(plan, action);
        if (!told && !(ends && action->kind == ACTION_FORGET))
            add_action(table, action);
    }
}

static void add_refusals(struct plan_table *table)
{
    const struct plan *plan = table->result->plan;
    for (size_t i = 0; i < plan->refused_count; i++) {
        const struct refusal *refusal = &plan->refused[i];
        bool own = strcmp(refusal->subject, table->result->cluster) == 0;
        add_row(table, SIGN_REFUSED, own ? "cluster" : refusal->subject,
                change_class_name(refusal->change), refusal->reason);
        table->refused++;
    }
}

/* What is done waits for them; whether they are Ready then, nobody knows yet. */
static void add_dependencies(struct plan_table *table)
{
    const struct cluster_spec *desired = table->result->desired;
    for (size_t i = 0; table->result->plan->count && desired && i < desired->dependency_count; i++)
        add_row(table, SIGN_HELD, desired->depends_on[i].name, "first",
                "is waited for until it is Ready");
}

static void add_result(struct plan_table *table, const struct engine_result *result)
{
    table->result = result;
    table->cluster = result->cluster;
    table->cluster_sign = cluster_sign(result);
    if (!result->plan) {
        cleanup_text struct text cause;
        text_init(&cause, 0);
        view_add_failure(&cause, result->cluster,
                         result->failure ? result->failure->message : "not looked at");
        add_row(table, SIGN_UNKNOWN, "cluster", "", cause.data);
        table->unknown++;
        return;
    }
    if (result->plan->held) {
        table->cluster_sign = SIGN_HELD;
        add_row(table, SIGN_HELD, "cluster", "held", result->plan->held);
        table->held++;
        return;
    }
    if (!result->plan->count && !result->plan->refused_count) {
        table->in_sync++;
        return;
    }
    add_actions(table);
    add_dependencies(table);
    add_refusals(table);
}

/* What is wanted no more but stays: those that go are among the results. */
static void add_verdict(struct plan_table *table, const struct rails_verdict *verdict)
{
    if (verdict->remove || !verdict->asked)
        return;
    table->cluster = verdict->cluster;
    if (verdict->unmade) {
        table->cluster_sign = SIGN_HELD;
        add_row(table, SIGN_HELD, "cluster", "held", verdict->reason);
        table->held++;
        return;
    }
    table->cluster_sign = SIGN_REFUSED;
    add_row(table, SIGN_REFUSED, "cluster", change_class_name(CHANGE_DELETE), verdict->reason);
    table->refused++;
}

static void add_sum(struct text *text, const struct plan_table *table)
{
    const char *joint = "";
    for (enum change_class change = CHANGE_LIVE; change <= CHANGE_DELETE; change++) {
        if (!table->changes[change])
            continue;
        text_add_format(text, "%s%zu %s", joint, table->changes[change], change_class_name(change));
        joint = ", ";
    }
    if (table->refused)
        text_add_format(text, "%s%zu refused", joint, table->refused);
    if (table->refused)
        joint = ", ";
    if (table->held)
        text_add_format(text, "%s%zu held", joint, table->held);
    if (table->held)
        joint = ", ";
    if (table->unknown)
        text_add_format(text, "%s%zu unknown", joint, table->unknown);
    text_add(text, ".");
}

/* An option that was given, to be given again. */
static void add_given(struct text *text, const char *option, const char *value)
{
    if (!value)
        return;
    text_add_format(text, " %s ", option);
    shell_word_add(text, value);
}

/* What has been shown decides what may be done, and how it is told is of no account. */
static const char *const not_repeated[] = {"prune", "allow", "output", "dry-run", "wait", NULL};

/* Exactly what is shown as a change would then happen; what is refused would not. */
static void add_advice(struct text *text, const struct plan_table *table,
                       const struct view_results *results)
{
    const struct common_options *common = results->common;
    static const char *const flags[CHANGE_CLASSES] = {
        [CHANGE_REPLACE] = " --allow replace-nodes",
        [CHANGE_RECREATE] = " --allow recreate",
        [CHANGE_DELETE] = " --prune",
    };
    bool any = false;
    for (size_t i = 0; i < CHANGE_CLASSES; i++)
        any = any || table->changes[i];
    if (!any || !common)
        return;
    text_add(text, "  Apply with: kind apply");
    for (size_t i = 0; i < common->sources.count; i++)
        add_given(text, "-f", common->sources.items[i]);
    if (common->fleet && strcmp(common->fleet, "default") != 0)
        add_given(text, "--fleet", common->fleet);
    add_given(text, "--engine", common->engine);
    add_given(text, "--kubeconfig", common->kubeconfig);
    for (size_t i = 0; i < CHANGE_CLASSES; i++)
        if (table->changes[i] && flags[i] && (i != CHANGE_DELETE || results->prune))
            text_add(text, flags[i]);
    if (results->given)
        options_add_given(text, results->given, not_repeated);
}

void view_results_plans(struct text *text, const struct view_results *results)
{
    struct plan_table table = {0};
    table_init(&table.table, COLUMNS);
    for (size_t i = 0; i < results->count; i++)
        add_result(&table, &results->items[i]);
    for (size_t i = 0; results->verdicts && i < results->verdicts->count; i++)
        add_verdict(&table, &results->verdicts->items[i]);
    table_print(&table.table, 0, text);
    if (table.in_sync || !table.table.cell_count)
        text_add_format(text, "= %zu %s in sync\n", table.in_sync,
                        table.in_sync == 1 ? "cluster" : "clusters");
    view_results_others(text, results);
    if (table.table.cell_count) {
        add_sum(text, &table);
        add_advice(text, &table, results);
        text_add(text, "\n");
    }
    table_done(&table.table);
}
