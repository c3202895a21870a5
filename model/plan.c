#include "model/plan.h"

#include "base/memory.h"
#include <assert.h>
#include <stdarg.h>

/* One row a kind: its name for machines, its words for people. */
static const struct {
    const char *name, *words;
} kinds[ACTION_KINDS] = {
    [ACTION_NETWORK] = {"network", "network"},
    [ACTION_IMAGE] = {"image", "image"},
    [ACTION_CREATE_NODE] = {"create-node", "create node"},
    [ACTION_START_NODE] = {"start-node", "start node"},
    [ACTION_REVIVE] = {"revive", "revive node"},
    [ACTION_BALANCER] = {"balancer", "load balancer"},
    [ACTION_ENDPOINT] = {"endpoint", "move API endpoint"},
    [ACTION_PRELOAD] = {"preload", "preload images"},
    [ACTION_BOOTSTRAP] = {"bootstrap", "bootstrap"},
    [ACTION_UPLOAD_CONFIG] = {"upload-config", "upload configuration"},
    [ACTION_MARK_CONTROL_PLANE] = {"mark-control-plane", "mark control plane"},
    [ACTION_TOKEN] = {"token", "bootstrap token"},
    [ACTION_PROXY] = {"proxy", "kube-proxy"},
    [ACTION_DNS] = {"dns", "cluster DNS"},
    [ACTION_CNI] = {"cni", "CNI"},
    [ACTION_STORAGE] = {"storage", "storage class"},
    [ACTION_MANIFESTS] = {"manifests", "manifests"},
    [ACTION_JOIN] = {"join", "join node"},
    [ACTION_REROUTE] = {"reroute", "find moved etcd"},
    [ACTION_READDRESS] = {"readdress", "give new address"},
    [ACTION_NODE_SETTINGS] = {"node-settings", "node labels and taints"},
    [ACTION_KUBECONFIG] = {"kubeconfig", "write kubeconfig"},
    [ACTION_AWAIT_READY] = {"await-ready", "wait until Ready"},
    [ACTION_RECORD] = {"record", "record settings"},
    [ACTION_MARKS] = {"marks", "take note"},
    [ACTION_FORGET] = {"forget", "remove from kubeconfig"},
    [ACTION_DRAIN] = {"drain", "drain node"},
    [ACTION_STOP_NODE] = {"stop-node", "stop node"},
    [ACTION_LEAVE_ETCD] = {"leave-etcd", "leave etcd"},
    [ACTION_DELETE_NODE] = {"delete-node", "delete node"},
    [ACTION_CHECK_VERSION] = {"check-version", "check version"},
    [ACTION_SET_ASIDE] = {"set-aside", "set aside"},
    [ACTION_CARRY] = {"carry-data", "carry data"},
    [ACTION_SAVE_ETCD] = {"save-etcd", "save etcd"},
    [ACTION_ADOPT] = {"adopt", "adopt cluster"},
};

const char *action_kind_name(enum action_kind kind)
{
    return kinds[kind].name;
}

const char *action_kind_words(enum action_kind kind)
{
    return kinds[kind].words;
}

void plan_init(struct plan *plan, struct arena *arena, const char *cluster)
{
    *plan = (struct plan){.arena = arena, .cluster = arena_string(arena, cluster)};
}

size_t plan_add(struct plan *plan, enum action_kind kind, enum change_class change,
                const char *subject, const char *reason)
{
    plan->actions = arena_grow(plan->arena, plan->actions, plan->count, sizeof(*plan->actions));
    plan->actions[plan->count] = (struct action){
        .kind = kind,
        .change = change,
        .subject = arena_string(plan->arena, subject),
        .reason = arena_string(plan->arena, reason),
    };
    return plan->count++;
}

void plan_add_first(struct plan *plan, enum action_kind kind, enum change_class change,
                    const char *subject, const char *reason)
{
    plan_add(plan, kind, change, subject, reason);
    const struct action first = plan->actions[plan->count - 1];
    for (size_t i = plan->count - 1; i > 0; i--) {
        struct action *action = &plan->actions[i];
        *action = plan->actions[i - 1];
        uint16_t *after = arena_array(plan->arena, action->after_count, sizeof(*after));
        for (size_t j = 0; j < action->after_count; j++)
            after[j] = (uint16_t)(action->after[j] + 1);
        action->after = after;
    }
    plan->actions[0] = first;
}

void plan_after(struct plan *plan, size_t action, size_t earlier)
{
    assert(action < plan->count && earlier <= UINT16_MAX);
    struct action *waits = &plan->actions[action];
    uint16_t *after = arena_array(plan->arena, waits->after_count + 1, sizeof(*after));
    for (size_t i = 0; i < waits->after_count; i++)
        after[i] = waits->after[i];
    after[waits->after_count++] = (uint16_t)earlier;
    waits->after = after;
}

void plan_hold(struct plan *plan, const char *reason)
{
    plan->count = plan->refused_count = 0;
    plan->record = (struct facet_list){NULL, 0};
    plan->held = arena_string(plan->arena, reason);
}

void plan_refuse(struct plan *plan, enum change_class change, const char *subject,
                 const char *format, ...)
{
    cleanup_text struct text reason;
    text_init(&reason, 0);
    va_list arguments;
    va_start(arguments, format);
    text_add_list(&reason, format, arguments);
    va_end(arguments);
    plan->refused =
        arena_grow(plan->arena, plan->refused, plan->refused_count, sizeof(*plan->refused));
    plan->refused[plan->refused_count++] = (struct refusal){
        .change = change,
        .subject = arena_string(plan->arena, subject),
        .reason = arena_string(plan->arena, reason.data),
    };
}

/* Index of an earlier action of the same kind and subject, or `index` itself. */
static size_t find_twin(const struct plan *plan, size_t index)
{
    const struct action *action = &plan->actions[index];
    size_t i = 0;
    while (i < index && (plan->actions[i].kind != action->kind ||
                         strcmp(plan->actions[i].subject, action->subject) != 0))
        i++;
    return i;
}

static int check_action(const struct plan *plan, size_t index, struct error **err)
{
    const struct action *action = &plan->actions[index];
    if ((unsigned)action->kind >= ACTION_KINDS || !action->subject)
        return error_set(err, ERROR_INTERNAL, "has no kind or no subject");
    for (size_t i = 0; i < action->after_count; i++) {
        if (action->after[i] >= index)
            return error_set(err, ERROR_INTERNAL, "waits for %u, which is not earlier",
                             (unsigned)action->after[i]);
    }
    size_t twin = find_twin(plan, index);
    if (twin < index)
        return error_set(err, ERROR_INTERNAL, "is %s %s as %zu is", action_kind_name(action->kind),
                         action->subject, twin);
    return 0;
}

int plan_check(const struct plan *plan, struct error **err)
{
    if (plan->count > PLAN_ACTIONS_MAX)
        return error_set(err, ERROR_INTERNAL, "plan of %s: %zu actions, more than %d",
                         plan->cluster, plan->count, PLAN_ACTIONS_MAX);
    for (size_t i = 0; i < plan->count; i++) {
        if (check_action(plan, i, err) < 0)
            return error_wrap(err, "plan of %s: action %zu", plan->cluster, i);
    }
    return 0;
}

enum change_class plan_class(const struct plan *plan)
{
    enum change_class most = CHANGE_LIVE;
    for (size_t i = 0; i < plan->count; i++) {
        if (plan->actions[i].change > most)
            most = plan->actions[i].change;
    }
    return most;
}

static void print_action(const struct action *action, struct text *text)
{
    text_add_format(text, "%s %s", action_kind_name(action->kind), action->subject);
    if (action->change != CHANGE_LIVE)
        text_add_format(text, " [%s]", change_class_name(action->change));
    for (size_t i = 0; i < action->after_count; i++)
        text_add_format(text, "%s %u", i ? "" : " <-", (unsigned)action->after[i]);
    if (action->reason)
        text_add_format(text, " (%s)", action->reason);
    text_add(text, "\n");
}

void plan_print(const struct plan *plan, struct text *text)
{
    for (size_t i = 0; i < plan->count; i++)
        print_action(&plan->actions[i], text);
    for (size_t i = 0; i < plan->refused_count; i++) {
        const struct refusal *refusal = &plan->refused[i];
        text_add_format(text, "! %s [%s]: %s\n", refusal->subject,
                        change_class_name(refusal->change), refusal->reason);
    }
    if (plan->held)
        text_add_format(text, "= %s\n", plan->held);
}

static json_t *action_json(const struct action *action)
{
    json_t *after = json_array();
    for (size_t i = 0; i < action->after_count; i++)
        json_array_append_new(after, json_integer(action->after[i]));
    return json_pack("{s:s, s:s, s:s, s:s?, s:o}", "kind", action_kind_name(action->kind),
                     "subject", action->subject, "class", change_class_name(action->change),
                     "reason", action->reason, "after", after);
}

json_t *plan_json(const struct plan *plan)
{
    json_t *actions = json_array(), *refused = json_array();
    for (size_t i = 0; i < plan->count; i++)
        json_array_append_new(actions, action_json(&plan->actions[i]));
    for (size_t i = 0; i < plan->refused_count; i++) {
        const struct refusal *refusal = &plan->refused[i];
        json_array_append_new(refused, json_pack("{s:s, s:s, s:s}", "subject", refusal->subject,
                                                 "class", change_class_name(refusal->change),
                                                 "reason", refusal->reason));
    }
    return json_pack("{s:s, s:o, s:o, s:s?}", "cluster", plan->cluster, "actions", actions,
                     "refused", refused, "held", plan->held);
}
