#include "drivers/docker_etcd.h"

#include "base/memory.h"
#include <string.h>

/*
 * DESIGN: one row looks, decides, and takes one member away, again and again
 * until nothing is left to be taken away; so what an earlier try has done
 * already is simply seen. The etcd that is asked is that of a control plane
 * which is not the subject; where it does not answer the next one is asked.
 *
 * A member goes only while the others are a majority, with it and without it.
 * etcd would refuse some of these cases, too, but not all, and not in words.
 */
enum { ETCD_MS = 120 * 1000 };

#define ETCD_MANIFEST "/etc/kubernetes/manifests/etcd.yaml"

struct etcd {
    struct etcd_member *members;
    size_t count;
    const struct node_state *own; /* the subject's container, or NULL */
    /* Of the cluster's containers, by their place in df->seen. */
    bool *looked, *bare; /* for an etcd of its own; it has none */
    size_t looking;
};

static const char script[] =
    "pid=$(pgrep -xo etcd) || { echo 'etcd does not run here'; exit 3; }\n"
    "etcdctl() {\n"
    "    ETCDCTL_API=3 timeout 15 " ETCDCTL " --command-timeout=3s --dial-timeout=3s \"$@\"\n"
    "}\n"
    "case $1 in\n"
    "look) etcdctl member list && { etcdctl endpoint health --cluster || :; } ;;\n"
    "remove) etcdctl member remove \"$2\" ;;\n"
    "esac";

static void ask(struct flow *flow, const char *verb, const char *id)
{
    const char *const argv[] = {"sh", "-c", script, "etcd", verb, id, NULL};
    flow_exec(flow, docker_flow_of(flow)->speaker->id, argv);
}

/* --- what it says --- */

/* "https://172.18.0.2:2380,https://..." to "172.18.0.2", "https://[fd00::2]:2380" to "fd00::2". */
static const char *host_of(struct arena *arena, const char *url)
{
    const char *host = strstr(url, "://");
    host = host ? host + 3 : url;
    if (*host == '[')
        return arena_string_n(arena, host + 1, strcspn(host + 1, "]"));
    return arena_string_n(arena, host, strcspn(host, ":/,"));
}

/* "8e9e05c52164694d, started, a-control-plane, https://172.18.0.2:2380, ..." */
static bool parse_member(struct arena *arena, char *line, struct etcd_member *member)
{
    char *fields[5];
    for (size_t i = 0; i < COUNT_OF(fields); i++) {
        char *end = strstr(line, ", ");
        if (!end)
            return false;
        *end = '\0';
        fields[i] = line;
        line = end + 2;
    }
    bool known = strcmp(fields[1], "started") == 0 || strcmp(fields[1], "unstarted") == 0;
    *member = (struct etcd_member){.id = arena_string(arena, fields[0]),
                                   .name = arena_string(arena, fields[2]),
                                   .host = host_of(arena, fields[3]),
                                   .client = host_of(arena, fields[4])};
    return known && *member->id && strspn(member->id, "0123456789abcdef") == strlen(member->id);
}

/* "https://172.18.0.2:2379 is healthy: successfully committed proposal: took = 9.4ms" */
static void take_health(struct arena *arena, const char *line, struct etcd_member *members,
                        size_t count)
{
    if (!strstr(line, " is healthy: "))
        return;
    const char *host = host_of(arena, line);
    for (size_t i = 0; i < count; i++)
        if (strcmp(members[i].client, host) == 0)
            members[i].healthy = true;
}

int docker_etcd_parse(struct arena *arena, const char *said, size_t length,
                      struct etcd_member **members, size_t *count)
{
    char *rest = NULL, *copy = arena_string_n(arena, said, length);
    struct etcd_member *list = arena_array(arena, ETCD_MEMBERS_MAX, sizeof(*list));
    *count = 0;
    for (char *line = strtok_r(copy, "\r\n", &rest); line; line = strtok_r(NULL, "\r\n", &rest)) {
        take_health(arena, line, list, *count);
        if (strstr(line, "started, ") && *count < ETCD_MEMBERS_MAX)
            *count += parse_member(arena, line, &list[*count]);
    }
    *members = list;
    return *count ? 0 : -1;
}

const char *docker_etcd_hold(struct arena *arena, const struct etcd_member *members, size_t count,
                             size_t victim)
{
    size_t healthy = 0, others = 0;
    for (size_t i = 0; i < count; i++) {
        healthy += members[i].healthy;
        others += i != victim && members[i].healthy;
    }
    bool decides_now = healthy > count / 2, decides_then = others > (count - 1) / 2;
    if (decides_now && decides_then)
        return NULL;
    return arena_format(arena,
                        "%zu of the %zu other members of etcd are healthy: without %s they would "
                        "have no majority",
                        others, count - 1, *members[victim].name ? members[victim].name : "it");
}

/* --- whose they are --- */

static bool has_address(const struct node_state *node, const char *host)
{
    return (node->ipv4 && strcmp(node->ipv4, host) == 0) ||
           (node->ipv6 && strcmp(node->ipv6, host) == 0);
}

static bool is_of(const struct etcd_member *member, const struct node_state *node)
{
    return *member->name ? strcmp(member->name, node->name) == 0 : has_address(node, member->host);
}

/* The place of its container; the count: that is gone. */
static size_t container_of(const struct docker_flow *df, const struct etcd_member *member)
{
    size_t i = 0;
    while (i < df->seen->node_count &&
           !(docker_is_control_plane(&df->seen->nodes[i]) && is_of(member, &df->seen->nodes[i])))
        i++;
    return i;
}

/* Its container is gone or was made anew, and its data with it: it never comes back. */
static bool is_stale(const struct docker_flow *df, const struct etcd_member *member)
{
    size_t i = container_of(df, member);
    return i == df->seen->node_count || df->etcd->bare[i];
}

static bool is_own(const struct docker_flow *df, const struct etcd_member *member)
{
    return df->etcd->own ? is_of(member, df->etcd->own)
                         : strcmp(member->name, df->input.action->subject) == 0;
}

static bool goes(const struct docker_flow *df, const struct etcd_member *member)
{
    bool leaves = df->input.action->kind == ACTION_LEAVE_ETCD;
    bool runs = !leaves && docker_has_file(df, "kubernetes/manifests/etcd.yaml");
    return is_stale(df, member) || (is_own(df, member) && !runs);
}

static void take_own(struct docker_flow *df)
{
    if (df->etcd)
        return;
    df->etcd = arena_alloc(df->flow.arena, sizeof(*df->etcd));
    df->etcd->looked = arena_array(df->flow.arena, df->seen->node_count + 1, sizeof(bool));
    df->etcd->bare = arena_array(df->flow.arena, df->seen->node_count + 1, sizeof(bool));
    for (size_t i = 0; i < df->seen->node_count; i++)
        if (strcmp(df->seen->nodes[i].name, df->input.action->subject) == 0)
            df->etcd->own = &df->seen->nodes[i];
}

/* Asks for the manifest of one that is not well: a container made anew has none. */
static bool look_closer(struct flow *flow)
{
    struct docker_flow *df = docker_flow_of(flow);
    struct etcd *etcd = df->etcd;
    for (size_t i = 0; i < etcd->count; i++) {
        size_t at = container_of(df, &etcd->members[i]);
        if (etcd->members[i].healthy || at == df->seen->node_count || etcd->looked[at] ||
            is_own(df, &etcd->members[i]))
            continue;
        etcd->looking = at;
        const char *base =
            arena_format(flow->arena, "/containers/%s/archive?path=", df->seen->nodes[at].id);
        flow_send(flow, "HEAD", docker_path(flow, base, ETCD_MANIFEST), NULL);
        return true;
    }
    return false;
}

/* What was looked at: takes a member away, or waits; STEP_DONE: none goes. */
static enum step_status judge(struct flow *flow)
{
    struct docker_flow *df = docker_flow_of(flow);
    struct etcd *etcd = df->etcd;
    df->is_member = false;
    if (look_closer(flow))
        return STEP_WAITING;
    const char *hold = NULL;
    for (size_t i = 0; i < etcd->count; i++)
        df->is_member = df->is_member || is_own(df, &etcd->members[i]);
    for (size_t i = 0; i < etcd->count; i++) {
        if (!goes(df, &etcd->members[i]))
            continue;
        hold = docker_etcd_hold(flow->arena, etcd->members, etcd->count, i);
        if (!hold) {
            ask(flow, "remove", etcd->members[i].id);
            return STEP_WAITING;
        }
        flow->waiting_for = hold;
    }
    return hold ? STEP_AGAIN : STEP_DONE;
}

/* Looks, takes one away, and looks again. */
static enum step_status take_away(struct flow *flow, const struct answer *answer,
                                  struct error **err)
{
    struct docker_flow *df = docker_flow_of(flow);
    struct etcd *etcd = df->etcd;
    if (!docker_is_ours(df, df->speaker)) {
        df->speaker = docker_next_speaker(df);
        if (!docker_is_ours(df, df->speaker)) {
            error_set(err, ERROR_INVALID, "container %s was not made by fleet '%s'; left alone",
                      df->speaker->name, df->docker->options.fleet);
            return STEP_FAILED;
        }
    }
    if (!answer) {
        etcd->looking = df->seen->node_count;
        ask(flow, "look", NULL);
        return STEP_WAITING;
    }
    if (flow->turn > 1 && etcd->looking < df->seen->node_count) {
        size_t at = etcd->looking;
        etcd->looking = df->seen->node_count;
        flow->waiting_for = docker_message(flow, answer);
        if (answer->failure || (answer->status != 200 && answer->status != 404))
            return STEP_AGAIN;
        etcd->looked[at] = true;
        etcd->bare[at] = answer->status == 404;
        return judge(flow);
    }
    bool well = !answer->failure && answer->exit_code == 0;
    if (well && flow->turn == 1 &&
        docker_etcd_parse(flow->arena, answer->body, answer->length, &etcd->members,
                          &etcd->count) == 0)
        return judge(flow);
    if (!well || flow->turn == 1) { /* else one was taken away */
        flow->waiting_for = arena_format(flow->arena, "etcd of %s: %s", df->speaker->name,
                                         answer->failure ? answer->failure->message
                                                         : docker_last_words(flow, answer));
        df->speaker = docker_next_speaker(df);
    }
    return STEP_AGAIN;
}

enum step_status docker_etcd_join(struct flow *flow, const struct answer *answer,
                                  struct error **err)
{
    struct docker_flow *df = docker_flow_of(flow);
    if (df->node->role != NODE_CONTROL_PLANE)
        return STEP_DONE;
    take_own(df);
    enum step_status status = take_away(flow, answer, err);
    if (status != STEP_DONE || df->is_member)
        return status;
    for (size_t i = 0; i < df->etcd->count; i++) {
        if (df->etcd->members[i].healthy)
            continue;
        flow->waiting_for =
            arena_format(flow->arena, "etcd of %s is not healthy", df->etcd->members[i].name);
        return STEP_AGAIN;
    }
    return STEP_DONE;
}

/* --- leaving --- */

static enum step_status look_container(struct flow *flow, const struct answer *answer,
                                       struct error **err)
{
    (void)answer;
    struct docker_flow *df = docker_flow_of(flow);
    take_own(df);
    if (!df->etcd->own)
        return STEP_DONE;
    df->found = df->etcd->own;
    return docker_check_owner(flow, err);
}

static enum step_status leave(struct flow *flow, const struct answer *answer, struct error **err)
{
    return take_away(flow, answer, err);
}

/*
 * Its etcd would be started again and again, in vain. And without the manifest
 * a join knows that it has to begin anew, should the container be kept.
 */
static enum step_status stop_own(struct flow *flow, const struct answer *answer, struct error **err)
{
    static const char *const argv[] = {"rm", "-f", ETCD_MANIFEST, NULL};
    (void)err;
    const struct node_state *own = docker_flow_of(flow)->etcd->own;
    if (!own || own->status != CONTAINER_RUNNING)
        return STEP_DONE;
    if (!answer) {
        flow_exec(flow, own->id, argv);
        return STEP_WAITING;
    }
    if (!answer->failure && answer->exit_code == 0)
        return STEP_DONE;
    flow->waiting_for = docker_message(flow, answer);
    return STEP_AGAIN;
}

const struct step docker_leave_steps[] = {
    DOCKER_REACH,
    DOCKER_FIND,
    {.name = "look at its container", .run = look_container, .timeout_ms = 1000},
    {.name = "take it away from etcd",
     .run = leave,
     .timeout_ms = ETCD_MS,
     .poll_ms = 500,
     .tolerant = true},
    {.name = "stop its etcd",
     .run = stop_own,
     .timeout_ms = 30000,
     .poll_ms = 500,
     .tolerant = true},
    {0},
};
