#include "sim/rules.h"

#include "base/memory.h"
#include "drivers/fake_look.h"
#include "model/document.h"
#include "model/state.h"
#include <ctype.h>
#include <stdio.h>
#include <sys/stat.h>

enum { PENDING_MAX = 200, ID_LENGTH = 64, CLUSTERS = 3 };

static const char *const cluster_names[CLUSTERS] = {"a", "b", "c"};

void rules_expect(struct rules *rules, bool holds, const char *rule, const char *detail)
{
    if (holds)
        return;
    if (rules->broken++ == 0)
        printf("  broken rule: %s: %s\n  again: %s\n", rule, detail, rules->again);
}

/* --- secrets --- */

/* A bootstrap token has the form abcdef.0123456789abcdef. */
static bool has_token(const char *text)
{
    for (const char *dot = strchr(text, '.'); dot; dot = strchr(dot + 1, '.')) {
        size_t before = 0, after = 0;
        while (before < 7 && dot - before > text && isalnum((unsigned char)dot[-1 - (long)before]))
            before++;
        while (after < 17 && isalnum((unsigned char)dot[1 + after]))
            after++;
        if (before == 6 && after == 16)
            return true;
    }
    return false;
}

static bool has_secret(const char *text)
{
    return text &&
           (strstr(text, "PRIVATE KEY") || strstr(text, "client-key-data") || has_token(text));
}

/* --- requests --- */

bool rules_mutates(const struct request *request)
{
    return strcmp(request->method, "GET") != 0 && strcmp(request->method, "HEAD") != 0;
}

/* What follows the prefix in the path of a URL, up to the next slash or question mark; or NULL. */
static const char *part_after(const char *url, const char *prefix, char *part, size_t size)
{
    const char *at = strstr(url, prefix);
    if (!at)
        return NULL;
    at += strlen(prefix);
    snprintf(part, size, "%.*s", (int)strcspn(at, "/?"), at);
    return part;
}

static bool is_desired(const struct rules *rules, const char *cluster)
{
    return rules->fleet && fleet_spec_find(rules->fleet, cluster);
}

/* Its set-up was complete: one of its control planes has the record. */
static bool is_finished(struct fake_world *world, const char *cluster)
{
    const char *name;
    for (size_t i = 0; (name = fake_look_name(world, i)); i++) {
        const char *label = fake_look_label(world, name, LABEL_CLUSTER);
        if (label && strcmp(label, cluster) == 0 && fake_look_file(world, name, "/kind/fleet.json"))
            return true;
    }
    return false;
}

static void check_owner(struct rules *rules, const char *container, const char *url)
{
    const char *owner = fake_look_label(rules->world, container, LABEL_OWNER);
    rules_expect(rules, !owner || strcmp(owner, SIM_FLEET) == 0,
                 "nothing is done to containers of others", url);
}

/* The cluster of this name knows the node. */
static bool is_registered(struct fake_world *world, const char *cluster, const char *node)
{
    cleanup_free char *path = memory_format("/api/v1/nodes/%s", node);
    return fake_look_object_of(world, cluster, path) != NULL;
}

/*
 * The record tells of this very container, by its shape; what it does not know
 * was never finished, and may go at once.
 */
static bool is_recorded(struct fake_world *world, const char *cluster, const char *node)
{
    cleanup_arena struct arena *arena = arena_new();
    const char *record =
        fake_look_file(world, arena_format(arena, "%s-control-plane", cluster), "/kind/fleet.json");
    struct facet_list facets;
    struct error *err = NULL;
    if (!record || facet_record_parse(arena, record, strlen(record), &facets, &err)) {
        error_free(err);
        return false;
    }
    return strstr(record, arena_format(arena, "nodes[%s]", node)) &&
           strcmp(facet_shape(arena, &facets, node), fake_look_label(world, node, LABEL_SHAPE)) ==
               0;
}

static void check_deletion(struct rules *rules, const char *container, const char *url)
{
    const char *cluster = fake_look_label(rules->world, container, LABEL_CLUSTER);
    const char *role = fake_look_label(rules->world, container, LABEL_ROLE);
    if (!cluster)
        return;
    bool plane = strcmp(role, node_role_name(NODE_CONTROL_PLANE)) == 0;
    bool worker = strcmp(role, node_role_name(NODE_WORKER)) == 0;
    bool living =
        !rules->recreate && is_desired(rules, cluster) && is_finished(rules->world, cluster);
    rules_expect(
        rules,
        !plane || !living ||
            !fake_look_is_member(rules->world, cluster, fake_look_name_of(rules->world, container)),
        "no member of a finished cluster's etcd is lost without leave", url);
    rules_expect(
        rules,
        !worker || !living || strcmp(fake_look_state(rules->world, container), "running") != 0 ||
            !fake_look_registered(rules->world, container) ||
            !is_recorded(rules->world, cluster, fake_look_name_of(rules->world, container)) ||
            !is_registered(rules->world, cluster, fake_look_name_of(rules->world, container)),
        "no living worker goes before it was drained", url);
}

/* The first record of a cluster: by then all of it has joined. */
static void check_record(struct rules *rules, const char *container, const struct request *request)
{
    static const char link[] = "fleet.digest";
    const char *cluster = fake_look_label(rules->world, container, LABEL_CLUSTER);
    if (!cluster || strcmp(request->method, "PUT") != 0 || !request->body ||
        !memmem(request->body, request->body_length, link, strlen(link)) ||
        is_finished(rules->world, cluster))
        return;
    const struct cluster_spec *spec = fleet_spec_find(rules->fleet, cluster);
    for (size_t i = 0; spec && i < spec->node_count; i++)
        rules_expect(rules, is_registered(rules->world, cluster, spec->nodes[i].name),
                     "what is recorded has joined", spec->nodes[i].name);
}

static void check_container(struct rules *rules, const struct request *request)
{
    char id[200];
    if (strstr(request->url, "/containers/create") ||
        !part_after(request->url, "/containers/", id, sizeof(id)))
        return;
    rules_expect(rules, strlen(id) == ID_LENGTH, "containers are changed by their full id",
                 request->url);
    check_owner(rules, id, request->url);
    if (strcmp(request->method, "DELETE") == 0)
        check_deletion(rules, id, request->url);
    check_record(rules, id, request);
    if (strstr(request->url, "/exec") && request->body)
        rules_expect(rules, !has_secret(request->body), "no secret is a command's argument",
                     request->url);
}

static void check_network(struct rules *rules, const struct request *request)
{
    char id[200];
    if (strcmp(request->method, "DELETE") != 0 ||
        !part_after(request->url, "/networks/", id, sizeof(id)))
        return;
    const json_t *labels = fake_look_network(rules->world, id);
    rules_expect(rules,
                 json_object_get(labels, "fleet.kind/probe") ||
                     !fake_look_has_network(rules->world, id) || /* somebody was faster */
                     fake_look_networks(rules->world, "kind") != 1,
                 "the one network stays, and those of others do", request->url);
}

void rules_request(struct rules *rules, const struct request *request)
{
    rules_expect(rules, !rules->dead, "the dead ask for nothing", request->url);
    rules_expect(rules, rules->fleet != NULL, "nothing is asked without a good source",
                 request->url);
    rules_expect(rules, !has_secret(request->url), "no secret is part of a URL", request->url);
    if (!rules_mutates(request))
        return;
    char exec[200];
    if (!request->unix_path) {
        const char *server = fake_world_api_at(rules->world, fake_url_port(request->url));
        if (server)
            check_owner(rules, server, request->url);
    } else if (part_after(request->url, "/exec/", exec, sizeof(exec)) && strlen(exec) > 5) {
        const char *container = fake_look_exec(rules->world, exec);
        if (container)
            check_owner(rules, container, request->url);
    } else {
        check_container(rules, request);
        check_network(rules, request);
    }
}

bool rules_is_about(const struct rules *rules, const struct request *request, const char *cluster)
{
    cleanup_free char *filter = memory_format("kind.cluster%%3D%s%%22", cluster);
    cleanup_free char *made = memory_format("/containers/create?name=%s-", cluster);
    char id[200];
    const char *container = NULL;
    if (strstr(request->url, filter) || strstr(request->url, made))
        return true;
    if (!request->unix_path)
        container = fake_world_api_at(rules->world, fake_url_port(request->url));
    else if (part_after(request->url, "/exec/", id, sizeof(id)))
        container = fake_look_exec(rules->world, id);
    else
        container = part_after(request->url, "/containers/", id, sizeof(id));
    const char *label = container ? fake_look_label(rules->world, container, LABEL_CLUSTER) : NULL;
    return label && strcmp(label, cluster) == 0;
}

/* --- reports --- */

/* Whenever it has changed: it is complete, and nobody else can read it. */
static void check_kubeconfig(struct rules *rules)
{
    struct stat now;
    if (stat(rules->kubeconfig, &now) ||
        (now.st_ino == rules->seen_inode && (uint64_t)now.st_size == rules->seen_size))
        return;
    rules->seen_inode = now.st_ino;
    rules->seen_size = (uint64_t)now.st_size;
    rules_expect(rules, (now.st_mode & 0777) == 0600, "the kubeconfig is its owner's alone",
                 rules->kubeconfig);
    FILE *file = fopen(rules->kubeconfig, "r");
    cleanup_free char *bytes = memory_new((size_t)now.st_size + 1);
    size_t length = file ? fread(bytes, 1, (size_t)now.st_size, file) : 0;
    if (file)
        fclose(file);
    cleanup_arena struct arena *arena = arena_new();
    struct problem_list problems;
    problem_list_init(&problems, arena);
    json_t *documents = document_parse(rules->kubeconfig, bytes, length, &problems);
    json_t *config = json_array_get(documents, 0);
    rules_expect(rules,
                 problems.errors == 0 && json_array_size(documents) == 1 &&
                     json_is_string(json_object_get(config, "apiVersion")),
                 "the kubeconfig is a whole file", rules->kubeconfig);
    json_decref(documents);
}

static void begin_action(struct rules *rules, const char *name)
{
    char *slot = NULL;
    for (size_t i = 0; i < RULES_RUNNING_MAX; i++) {
        rules_expect(rules, strcmp(rules->running[i], name) != 0, "one writer for each subject",
                     name);
        slot = rules->running[i][0] ? slot : rules->running[i];
    }
    rules_expect(rules, slot != NULL, "no more at once than allowed", name);
    if (slot)
        snprintf(slot, sizeof(rules->running[0]), "%s", name);
}

static void end_action(struct rules *rules, const char *name)
{
    for (size_t i = 0; i < RULES_RUNNING_MAX; i++) {
        if (strcmp(rules->running[i], name) == 0) {
            rules->running[i][0] = '\0';
            return;
        }
    }
    rules_expect(rules, false, "what ends has begun", name);
}

static void check_words(struct rules *rules, const char *text)
{
    rules_expect(rules, !has_secret(text), "no secret is told", text ? text : "");
}

static void check_plan(struct rules *rules, const struct plan *plan)
{
    for (size_t i = 0; i < plan->count; i++)
        check_words(rules, plan->actions[i].reason);
    for (size_t i = 0; i < plan->refused_count; i++)
        check_words(rules, plan->refused[i].reason);
}

void rules_report(struct rules *rules, const struct report *report)
{
    check_words(rules, report->step);
    check_words(rules, report->text);
    check_words(rules, report->failure ? report->failure->message : NULL);
    check_words(rules, report->state ? report->state->message : NULL);
    if (report->kind == REPORT_PLANNED)
        check_plan(rules, report->plan);
    if (report->kind != REPORT_ACTION_BEGINS && report->kind != REPORT_ACTION_ENDS)
        return;
    cleanup_free char *name =
        memory_format("%s/%s/%s", report->cluster, action_kind_name(report->action->kind),
                      report->action->subject);
    if (report->kind == REPORT_ACTION_BEGINS)
        begin_action(rules, name);
    else
        end_action(rules, name);
    check_kubeconfig(rules);
}

void rules_born(struct rules *rules)
{
    memset(rules->running, 0, sizeof(rules->running));
    rules->dead = false;
}

/* --- after each event --- */

unsigned rules_quorum(const struct rules *rules)
{
    unsigned quorum = 0;
    for (unsigned i = 0; i < CLUSTERS; i++) {
        size_t running, all;
        if (fake_look_etcd(rules->world, cluster_names[i], &running, &all) && running > all / 2)
            quorum |= 1u << i;
    }
    return quorum;
}

/* A lone control plane that is made anew gives its data to the next one, and is away meanwhile. */
static bool is_handed_over(const struct rules *rules, const char *cluster)
{
    size_t running, all;
    return rules->replace && fake_look_etcd(rules->world, cluster, &running, &all) && all == 1;
}

static void check_quorum(struct rules *rules, unsigned before)
{
    unsigned lost = before & ~rules_quorum(rules);
    for (unsigned i = 0; i < CLUSTERS; i++)
        rules_expect(rules,
                     !(lost & 1u << i) || rules->recreate ||
                         is_handed_over(rules, cluster_names[i]) ||
                         !is_desired(rules, cluster_names[i]) ||
                         !is_finished(rules->world, cluster_names[i]),
                     "quorum is not lost by what we do", cluster_names[i]);
}

void rules_event(struct rules *rules, const struct fake_transport *transport, unsigned quorum)
{
    check_quorum(rules, quorum);
    rules_expect(rules, fake_transport_pending(transport) <= PENDING_MAX,
                 "what is under way is bounded", "requests and timers");
}
