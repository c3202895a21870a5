/* What the engine and a cluster's API list, read; and how answers become errors. */
#include "base/memory.h"
#include "base/test.h"
#include "base/text.h"
#include "drivers/docker_flow.h"

#define CLUSTER "\"io.x-k8s.kind.cluster\":"
#define ROLE "\"io.x-k8s.kind.role\":"
#define OWNER "\"fleet.kind/owner\":"

/*
 * One line a node: cluster, name, role, status; then what is known of image,
 * owner, network and API.
 */
static void print_fleet(struct text *text, const struct fleet_state *fleet)
{
    for (size_t i = 0; i < fleet->cluster_count; i++) {
        for (size_t j = 0; j < fleet->clusters[i].node_count; j++) {
            const struct node_state *node = &fleet->clusters[i].nodes[j];
            text_add_format(text, "%s: %s [%s] %s", fleet->clusters[i].name, node->name, node->role,
                            container_status_name(node->status));
            if (*node->image)
                text_add_format(text, " of %s", node->image);
            if (node->owner)
                text_add_format(text, " by %s", node->owner);
            if (node->network)
                text_add_format(text, " in %s %s", node->network, node->ipv4 ? node->ipv4 : "-");
            if (node->api_port)
                text_add_format(text, " at %s:%u", node->api_host ? node->api_host : "-",
                                node->api_port);
            text_add(text, "\n");
        }
    }
}

static const struct {
    const char *name, *body, *want; /* or the error */
} rows[] = {
    {"nothing", "[]", ""},
    {"one",
     "[{\"Id\":\"1\",\"Names\":[\"/a-cp\"],\"Image\":\"i:1\",\"State\":\"running\","
     "\"Labels\":{" CLUSTER "\"a\"," ROLE "\"control-plane\"," OWNER "\"default\"},"
     "\"Ports\":[{\"PrivatePort\":80,\"PublicPort\":8080},{\"PrivatePort\":6443},"
     "{\"IP\":\"127.0.0.1\",\"PrivatePort\":6443,\"PublicPort\":4711}],"
     "\"NetworkSettings\":{\"Networks\":{\"kind\":{\"IPAddress\":\"172.18.0.2\"}}}}]",
     "a: a-cp [control-plane] running of i:1 by default in kind 172.18.0.2 at 127.0.0.1:4711\n"},
    {"sorted by cluster, then name",
     "[{\"Id\":\"3\",\"Names\":[\"/b\"],\"Labels\":{" CLUSTER "\"b\"}},"
     "{\"Id\":\"2\",\"Names\":[\"/z\"],\"Labels\":{" CLUSTER "\"a\"}},"
     "{\"Id\":\"1\",\"Names\":[\"/y\"],\"Labels\":{" CLUSTER "\"a\"}}]",
     "a: y [] dead\na: z [] dead\nb: b [] dead\n"},
    {"words of other engines",
     "[{\"Id\":\"1\",\"Names\":[\"c1\"],\"State\":\"configured\",\"Labels\":{" CLUSTER "\"a\"}},"
     "{\"Id\":\"1\",\"Names\":[\"c2\"],\"State\":\"stopped\",\"Labels\":{" CLUSTER "\"a\"}},"
     "{\"Id\":\"1\",\"Names\":[\"c3\"],\"State\":\"paused\",\"Labels\":{" CLUSTER "\"a\"}},"
     "{\"Id\":\"1\",\"Names\":[\"c4\"],\"State\":\"removing\",\"Labels\":{" CLUSTER "\"a\"}}]",
     "a: c1 [] created\na: c2 [] exited\na: c3 [] paused\na: c4 [] removing\n"},
    {"stopped: no address",
     "[{\"Id\":\"1\",\"Names\":[\"/a\"],\"State\":\"exited\",\"Labels\":{" CLUSTER "\"a\"},"
     "\"NetworkSettings\":{\"Networks\":{\"kind\":{\"IPAddress\":\"\"}}}}]",
     "a: a [] exited in kind -\n"},
    {"ports that are none",
     "[{\"Id\":\"1\",\"Names\":[\"/a\"],\"Labels\":{" CLUSTER "\"a\"},\"Ports\":["
     "{\"PrivatePort\":6443,\"PublicPort\":0},{\"PrivatePort\":6443,\"PublicPort\":-1},"
     "{\"PrivatePort\":6443,\"PublicPort\":65537},{\"PrivatePort\":\"6443\",\"PublicPort\":1}]}]",
     "a: a [] dead\n"},
    {"odd ones are passed over",
     "[null, 1, \"x\", [], {}, {\"Id\":\"1\"}, {\"Id\":\"1\",\"Names\":[\"/a\"]},"
     "{\"Id\":\"1\",\"Names\":[\"/a\"],\"Labels\":{" CLUSTER "\"\"}},"
     "{\"Id\":\"1\",\"Names\":[\"/a\"],\"Labels\":{" CLUSTER "7}},"
     "{\"Id\":\"\",\"Names\":[\"/a\"],\"Labels\":{" CLUSTER "\"a\"}},"
     "{\"Id\":\"1\",\"Names\":[],\"Labels\":{" CLUSTER "\"a\"}},"
     "{\"Id\":\"1\",\"Names\":[7],\"Labels\":{" CLUSTER "\"a\"}}]",
     ""},
    {"members of other types",
     "[{\"Id\":\"1\",\"Names\":[\"/a\"],\"Image\":1,\"State\":[],\"Created\":\"now\",\"Ports\":1,"
     "\"NetworkSettings\":{\"Networks\":[1]},\"Labels\":{" CLUSTER "\"a\"," ROLE "1," OWNER
     "null}}]",
     "a: a [] dead\n"},
    {"an object", "{\"message\":\"no\"}",
     "unavailable: the engine's list of containers is no JSON list: it does not begin with '['"},
    {"no JSON", "<html>",
     "unavailable: the engine's list of containers is no JSON list: it does not begin with '['"},
    {"cut off", "[{\"Id\":",
     "unavailable: the engine's list of containers is no JSON list: unexpected token near end of "
     "file"},
    {"empty", "",
     "unavailable: the engine's list of containers is no JSON list: it does not begin with '['"},
    {"twice", "[] []",
     "unavailable: the engine's list of containers is no JSON list: there is more behind it"},
};

static void lists_of_containers(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].name);
        struct arena *arena cleanup_arena = arena_new();
        cleanup_error struct error *err = NULL;
        struct fleet_state fleet;
        cleanup_text struct text got;
        text_init(&got, 0);
        if (docker_parse_list(arena, rows[i].body, strlen(rows[i].body), &fleet, &err))
            text_add_format(&got, "%s: %s", error_kind_name(err->kind), err->message);
        else
            print_fleet(&got, &fleet);
        test_equal(got.data, rows[i].want);
    }
}

#define CONDITION(status, message)                                                                 \
    "{\"conditions\":[{\"type\":\"MemoryPressure\",\"status\":\"True\"},"                          \
    "{\"type\":\"Ready\",\"status\":\"" status "\"" message "}]}"

#define NODE(name, status) "{\"metadata\":{\"name\":\"" name "\"},\"status\":" status "}"
#define READY CONDITION("True", "")
#define UNREADY CONDITION("False", ",\"message\":\"no network\"")
#define SILENT CONDITION("Unknown", "")
#define TOLD(second) CONDITION("True", ",\"lastHeartbeatTime\":\"2026-11-21T00:00:" second "Z\"")

/* Two nodes are expected to be Ready: a, since 2026-11-21T00:00:10Z, and b, since ever. */
static const struct {
    const char *name, *body, *want;
} node_rows[] = {
    {"no nodes yet", "{\"items\":[]}", "0/2 node a has not registered"},
    {"both are Ready, and one that nobody expects is not",
     "{\"items\":[" NODE("b", READY) "," NODE("c", SILENT) "," NODE("a", TOLD("10")) "]}", "2/2"},
    {"not Ready, and why", "{\"items\":[" NODE("a", TOLD("11")) "," NODE("b", UNREADY) "]}",
     "1/2 node b is not Ready: no network"},
    {"not reported yet", "{\"items\":[" NODE("a", TOLD("11")) "," NODE("b", "{}") "]}",
     "1/2 node b is not Ready: it has not reported yet"},
    {"what was said before the start does not count",
     "{\"items\":[" NODE("a", TOLD("09")) "," NODE("b", READY) "]}",
     "1/2 node a has not reported since it was started"},
    {"nor what has no time", "{\"items\":[" NODE("a", READY) "," NODE("b", READY) "]}",
     "1/2 node a has not reported since it was started"},
    {"odd items", "{\"items\":[1,{\"metadata\":[],\"status\":{\"conditions\":{}}}]}",
     "0/2 node a has not registered"},
    {"a status instead", "{\"kind\":\"Status\"}", "the cluster's answer is no list of nodes"},
    {"items of another type", "{\"items\":{}}", "the cluster's answer is no list of nodes"},
    {"no JSON", "Unauthorized", "the cluster's answer is no list of nodes"},
};

static void lists_of_nodes(void **state)
{
    (void)state;
    struct kube_node expected[] = {{"a", kube_time("2026-11-21T00:00:10Z")}, {"b", 0}};
    for (size_t i = 0; i < COUNT_OF(node_rows); i++) {
        test_row(node_rows[i].name);
        struct arena *arena cleanup_arena = arena_new();
        cleanup_error struct error *err = NULL;
        struct kube_readiness seen;
        const char *body = node_rows[i].body;
        cleanup_free char *got = NULL;
        if (kube_read_nodes(arena, body, strlen(body), expected, COUNT_OF(expected), &seen, &err))
            got = memory_string(err->message);
        else
            got = memory_format("%zu/%zu%s%s", seen.ready, seen.total, seen.message ? " " : "",
                                seen.message ? seen.message : "");
        test_equal(got, node_rows[i].want);
    }
}

/* Of a container that was made at 2026-11-21T00:00:10Z. */
static const struct {
    const char *name, *body;
    enum seen joined, ready;
} joined_rows[] = {
    {"nobody", "[]", SEEN_NO, SEEN_NO},
    {"announced, but no kubelet has registered", "[" NODE("a", "{}") "]", SEEN_NO, SEEN_NO},
    {"the Node of an older container", "[" NODE("a", TOLD("09")) "]", SEEN_NO, SEEN_YES},
    {"its own", "[" NODE("a", TOLD("10")) "]", SEEN_YES, SEEN_YES},
    {"its own, and not Ready",
     "[" NODE("a", CONDITION("Unknown", ",\"lastHeartbeatTime\":\"2026-11-21T00:00:11Z\"")) "]",
     SEEN_YES, SEEN_NO},
};

static void joined_nodes(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(joined_rows); i++) {
        test_row(joined_rows[i].name);
        struct arena *arena cleanup_arena = arena_new();
        struct kube_node expected = {.name = "a", .made_s = kube_time("2026-11-21T00:00:10Z")};
        struct kube_readiness seen;
        cleanup_free char *body = memory_format("{\"items\":%s}", joined_rows[i].body);
        assert_int_equal(kube_read_nodes(arena, body, strlen(body), &expected, 1, &seen, NULL), 0);
        assert_int_equal(expected.joined, joined_rows[i].joined);
        assert_int_equal(expected.ready, joined_rows[i].ready);
    }
}

/* Ranges as kube-controller-manager gives them: one /24 or /64 after the other. */
static const struct {
    const char *subnet;
    unsigned number;
    const char *want;
} range_rows[] = {
    {"10.244.0.0/16", 0, "\"podCIDR\":\"10.244.0.0/24\",\"podCIDRs\":[\"10.244.0.0/24\"]"},
    {"10.244.0.0/16", 255, "\"podCIDR\":\"10.244.255.0/24\",\"podCIDRs\":[\"10.244.255.0/24\"]"},
    {"10.244.0.0/16", 256, ""},
    {"10.244.7.3/22", 1, "\"podCIDR\":\"10.244.5.0/24\",\"podCIDRs\":[\"10.244.5.0/24\"]"},
    {"10.0.0.0/8", 300, "\"podCIDR\":\"10.1.44.0/24\",\"podCIDRs\":[\"10.1.44.0/24\"]"},
    {"10.244.0.0/25", 0, ""},
    {"nonsense", 0, ""},
    {"fd00:10:244::/56", 2,
     "\"podCIDR\":\"fd00:10:244:2::/64\",\"podCIDRs\":[\"fd00:10:244:2::/64\"]"},
    {"fd00:10:244::/56", 256, ""},
    {"fd00:10:244:ff80::/64", 0,
     "\"podCIDR\":\"fd00:10:244:ff80::/64\",\"podCIDRs\":[\"fd00:10:244:ff80::/64\"]"},
    {"fd00:10:244::/112", 0, ""},
    {"10.244.0.0/16,fd00:10:244::/56", 3,
     "\"podCIDR\":\"10.244.3.0/24\",\"podCIDRs\":[\"10.244.3.0/24\",\"fd00:10:244:3::/64\"]"},
    {"fd00:10:244::/56,10.244.0.0/16", 0,
     "\"podCIDR\":\"fd00:10:244::/64\",\"podCIDRs\":[\"fd00:10:244::/64\",\"10.244.0.0/24\"]"},
    {"10.244.0.0/24,fd00:10:244::/56", 1, ""},
};

static void ranges_of_pods(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(range_rows); i++) {
        struct arena *arena cleanup_arena = arena_new();
        const struct cluster_spec spec = {.networking.pod_subnet = range_rows[i].subnet};
        struct docker_flow df = {.flow.arena = arena, .input.spec = &spec};
        test_row(range_rows[i].subnet);
        struct pod_ranges ranges = docker_pod_ranges(&df.flow, range_rows[i].number);
        test_equal(docker_ranges_json(&df.flow, &ranges), range_rows[i].want);
    }
}

static const struct {
    const char *host, *want;
} server_rows[] = {
    {NULL, "https://127.0.0.1:4711"},      {"0.0.0.0", "https://127.0.0.1:4711"},
    {"10.1.2.3", "https://10.1.2.3:4711"}, {"::", "https://[::1]:4711"},
    {"fd00::1", "https://[fd00::1]:4711"},
};

static void where_the_api_is(void **state)
{
    (void)state;
    struct arena *arena cleanup_arena = arena_new();
    for (size_t i = 0; i < COUNT_OF(server_rows); i++) {
        const struct node_state node = {.api_host = server_rows[i].host, .api_port = 4711};
        test_row(server_rows[i].want);
        test_equal(docker_api_server(arena, &node), server_rows[i].want);
    }
}

static const struct {
    int status;
    const char *body, *want;
} refusal_rows[] = {
    {500, "{\"message\":\"out of disk\"}", "unavailable: try: the engine says: out of disk"},
    {404, "{\"message\":\"No such container\"}",
     "conflict: try: the engine says: No such container"},
    {409, "{\"message\":\"in use\"}", "conflict: try: the engine says: in use"},
    {400, "bad\r\n", "invalid: try: the engine says: bad"},
    {403, "", "invalid: try: the engine says: status 403"},
    {503, "{\"message\":7}", "unavailable: try: the engine says: {\"message\":7}"},
};

static void refusals(void **state)
{
    (void)state;
    struct arena *arena cleanup_arena = arena_new();
    for (size_t i = 0; i < COUNT_OF(refusal_rows); i++) {
        struct flow flow = {.arena = arena};
        const char *body = refusal_rows[i].body;
        const struct answer answer = {refusal_rows[i].status, body, strlen(body), .exit_code = 0};
        cleanup_error struct error *err = NULL;
        test_row(refusal_rows[i].want);
        assert_int_equal(docker_refused(&flow, &answer, "try", &err), STEP_FAILED);
        cleanup_free char *got = memory_format("%s: %s", error_kind_name(err->kind), err->message);
        test_equal(got, refusal_rows[i].want);
    }
    struct flow flow = {.arena = arena};
    test_equal(docker_path(&flow, "/x?filters=", "{\"a\":[\"b=c d\"]}"),
               "/x?filters=%7B%22a%22%3A%5B%22b%3Dc%20d%22%5D%7D");
    test_equal(docker_fill(&flow, "a {{x}} b {{x}}", "{{x}}", "1"), "a 1 b 1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_of_containers), cmocka_unit_test(lists_of_nodes),
        cmocka_unit_test(joined_nodes),        cmocka_unit_test(ranges_of_pods),
        cmocka_unit_test(where_the_api_is),    cmocka_unit_test(refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
