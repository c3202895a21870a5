/*
 * Making the nodes' network, and choosing addresses in it, against the fake world. The steps run
 * as the driver runs them; what they learned is looked at when they end.
 */
#include "base/memory.h"
#include "base/test.h"
#include "base/text.h"
#include "drivers/docker_flow.h"
#include "drivers/fake_lab.h"
#include <string.h>

#define CLUSTER(more) "kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\nname: a\n" more
#define DUAL "networking: {ipFamily: dual}\n"
#define SIX "networking: {ipFamily: ipv6}\n"
#define ULA "fc00:f853:ccd:e793::/64"

static struct error *make_network(struct fake_lab *lab)
{
    return fake_lab_apply(lab, fake_lab_spec(lab, CLUSTER("")), ACTION_NETWORK, "kind");
}

/* "subnet/range subnet mtu [probe]" of each network of this name, separated by "; ". */
static void print_networks(struct fake_lab *lab, const char *name, struct text *text)
{
    const char *answer = fake_lab_control(lab, "GET /networks", NULL);
    json_t *list = json_loads(answer, 0, NULL);
    size_t index, place;
    const json_t *network, *pool;
    json_array_foreach(list, index, network)
    {
        if (strcmp(json_string_value(json_object_get(network, "Name")), name) != 0)
            continue;
        text_add(text, text->length ? ";" : "");
        json_array_foreach(json_object_get(json_object_get(network, "IPAM"), "Config"), place, pool)
        {
            const char *range = json_string_value(json_object_get(pool, "IPRange"));
            text_add_format(text, "%s%s%s%s", text->length ? " " : "",
                            json_string_value(json_object_get(pool, "Subnet")), range ? ">" : "",
                            range ? range : "");
        }
        const json_t *mtu =
            json_object_get(json_object_get(network, "Options"), "com.docker.network.driver.mtu");
        text_add_format(text, " mtu %s", mtu ? json_string_value(mtu) : "-");
        if (json_object_size(json_object_get(network, "Labels")))
            text_add(text, " probe");
    }
    json_decref(list);
}

#define FAULT(match, message)                                                                      \
    "{\"action\":\"fail\",\"match\":\"" match "\",\"message\":\"" message "\"}"
#define OVERLAP "Pool overlaps with other one on this address space"
#define OURS4 "172.18.0.0/16>172.18.0.0/17 "

static const struct {
    const char *name, *fault; /* a fault, or a list of them; NULL: none */
    const char *want, *failure;
} make_rows[] = {
    {"well", NULL, OURS4 ULA " mtu 1500", NULL},
    {"IPv6 cannot be read",
     FAULT("POST /networks/create", "Cannot read IPv6 setup for bridge br-1"), OURS4 "mtu 1500",
     NULL},
    {"no ip6tables", FAULT("POST /networks/create", "Unable to enable NAT rule: ip6tables failed"),
     OURS4 "mtu 1500", NULL},
    {"overlap", FAULT("POST /networks/create", OVERLAP), OURS4 "fc00:8866:27d0:bd7e::/64 mtu 1500",
     NULL},
    {"overlap, in newer words", FAULT("POST /networks/create", "invalid pool request: " OVERLAP),
     OURS4 "fc00:8866:27d0:bd7e::/64 mtu 1500", NULL},
    {"overlap, four times",
     "{\"action\":\"fail\",\"match\":\"POST /networks/create\",\"count\":4,\"message\":\"" OVERLAP
     "\"}",
     OURS4 "fc00:3131:6ea8:d73a::/64 mtu 1500", NULL},
    {"overlap, five times",
     "{\"action\":\"fail\",\"match\":\"POST /networks/create\",\"count\":5,\"message\":\"" OVERLAP
     "\"}",
     "", "make the network: create the network: the engine says: " OVERLAP},
    {"overlap at the second creation",
     "{\"action\":\"fail\",\"match\":\"POST /networks/create\",\"at\":2,\"message\":\"" OVERLAP
     "\"}",
     OURS4 "fc00:8866:27d0:bd7e::/64 mtu 1500", NULL},
    {"the default network's MTU is not told", FAULT("GET /networks/bridge", "no"),
     OURS4 ULA " mtu -", NULL},
    {"the probe is in use", FAULT("DELETE /networks", "has active endpoints"),
     "172.18.0.0/16 " ULA " mtu - probe", NULL},
    {"another trouble", FAULT("POST /networks/create", "no space left"), "",
     "make the network: create the network: the engine says: no space left"},
};

static void makes_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(make_rows); i++) {
        test_row(make_rows[i].name);
        struct fake_lab lab;
        fake_lab_open(&lab, NULL);
        if (make_rows[i].fault)
            fake_lab_control(&lab, "POST /_fake/fault", make_rows[i].fault);
        struct error *failure = make_network(&lab);
        cleanup_text struct text got;
        text_init(&got, 0);
        print_networks(&lab, "kind", &got);
        test_equal(failure ? failure->message : NULL, make_rows[i].failure);
        test_equal(got.data, make_rows[i].want);
        error_free(failure);
        fake_lab_close(&lab);
    }
}

/* Networks that are there already, oldest first, and which are left. */
#define NETWORK(more) "{\"Name\":\"kind\"" more "}"
#define NAMED(option) ",\"Options\":{\"com.docker.network.driver.mtu\":\"" option "\"}"
#define PROBE ",\"Labels\":{\"fleet.kind/probe\":\"true\"}"

static const struct {
    const char *name, *networks[3];
    size_t used; /* which of them has a container, from 1; 0: none */
    const char *want;
} twin_rows[] = {
    {"one, whoever made it", {NETWORK(NAMED("1"))}, 0, "172.18.0.0/16 mtu 1"},
    {"a probe that was left behind", {NETWORK(PROBE)}, 0, OURS4 ULA " mtu 1500"},
    {"the used one stays", {NETWORK(NAMED("1")), NETWORK(NAMED("2"))}, 1, "172.18.0.0/16 mtu 1"},
    {"be it the younger", {NETWORK(NAMED("1")), NETWORK(NAMED("2"))}, 2, "172.19.0.0/16 mtu 2"},
    {"of three",
     {NETWORK(NAMED("1")), NETWORK(NAMED("2")), NETWORK(NAMED("3"))},
     2,
     "172.19.0.0/16 mtu 2"},
    {"a probe goes", {NETWORK(PROBE), NETWORK(NAMED("2"))}, 0, "172.19.0.0/16 mtu 2"},
    {"whichever is older", {NETWORK(NAMED("1")), NETWORK(PROBE)}, 0, "172.18.0.0/16 mtu 1"},
};

static void put_container(struct fake_lab *lab, const char *name, const char *endpoint)
{
    cleanup_free char *line = memory_format("POST /containers/create?name=%s", name);
    cleanup_free char *start = memory_format("POST /containers/%s/start", name);
    cleanup_free char *body = memory_format(
        "{\"Image\":\"kind.local/node:v1.20.2\",\"HostConfig\":{\"NetworkMode\":\"kind\"},"
        "\"NetworkingConfig\":{\"EndpointsConfig\":{\"kind\":{%s}}}}",
        endpoint);
    fake_lab_control(lab, line, body);
    fake_lab_control(lab, start, NULL);
}

/* A container in the network of this id: it is put into the default one and connected. */
static void use_network(struct fake_lab *lab, const char *id)
{
    cleanup_free char *connect = memory_format("POST /networks/%s/connect", id);
    fake_lab_control(lab, "POST /containers/create?name=user",
                     "{\"Image\":\"kind.local/node:v1.20.2\"}");
    fake_lab_control(lab, "POST /containers/user/start", NULL);
    fake_lab_control(lab, connect, "{\"Container\":\"user\"}");
}

static const char *id_of(struct fake_lab *lab, const char *answer)
{
    json_t *made = json_loads(answer, 0, NULL);
    const char *id = arena_string(lab->arena, json_string_value(json_object_get(made, "Id")));
    json_decref(made);
    return id;
}

static void leaves_one(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(twin_rows); i++) {
        test_row(twin_rows[i].name);
        struct fake_lab lab;
        fake_lab_open(&lab, NULL);
        for (size_t j = 0; j < COUNT_OF(twin_rows[i].networks) && twin_rows[i].networks[j]; j++) {
            const char *made =
                fake_lab_control(&lab, "POST /networks/create", twin_rows[i].networks[j]);
            if (j + 1 == twin_rows[i].used)
                use_network(&lab, id_of(&lab, made));
        }
        struct error *failure = make_network(&lab);
        test_equal(failure ? failure->message : NULL, NULL);
        cleanup_text struct text got;
        text_init(&got, 0);
        print_networks(&lab, "kind", &got);
        test_equal(got.data, twin_rows[i].want);
        fake_lab_close(&lab);
    }
}

/* Of twins that nobody uses the lower id stays. */
static void leaves_the_lower_id(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed < 9; seed++) {
        struct fake_lab lab;
        const struct fake_settings settings = {.seed = seed};
        fake_lab_open(&lab, &settings);
        const char *a = id_of(&lab, fake_lab_control(&lab, "POST /networks/create", NETWORK("")));
        const char *b = id_of(&lab, fake_lab_control(&lab, "POST /networks/create", NETWORK("")));
        assert_null(make_network(&lab));
        const char *left = id_of(&lab, fake_lab_control(&lab, "GET /networks/kind", NULL));
        test_equal(left, strcmp(a, b) < 0 ? a : b);
        fake_lab_close(&lab);
    }
}

/* --- choosing --- */

static const struct step choice_steps[] = {
    DOCKER_REACH,
    {.name = "choose an address", .run = docker_choose_address, .timeout_ms = 10000},
    {0},
};

/* A flow of the row alone; what it learned is printed as it goes. */
struct choice {
    struct docker_flow df; /* must come first: the rows know it as theirs */
    struct op op;
    struct text learned;
    struct error *failure;
    bool ended;
};

static const char *or_dash(const char *text)
{
    return text ? text : "-";
}

static void print_choice(struct flow *flow)
{
    struct choice *choice = (struct choice *)(void *)flow;
    text_add_format(&choice->learned, "%s %s of", or_dash(choice->df.address),
                    or_dash(choice->df.address6));
    for (size_t i = 0; i < choice->df.network_subnets.count; i++)
        text_add_format(&choice->learned, " %s", choice->df.network_subnets.items[i]);
    text_done(&choice->df.tail);
    arena_free(flow->arena);
}

static void choice_ended(struct op *op, struct error *failure)
{
    struct choice *choice =
        (struct choice *)(void *)((char *)op - offsetof(struct choice, op)); /* our member */
    choice->failure = failure;
    choice->ended = true;
}

static void choose(struct fake_lab *lab, const char *yaml, const char *node, struct choice *choice)
{
    struct action *action = arena_alloc(lab->arena, sizeof(*action));
    *action = (struct action){.kind = ACTION_CREATE_NODE, .subject = node, .reason = "test"};
    *choice = (struct choice){
        .df = {.docker = (struct docker *)(void *)lab->driver,
               .input = {.cluster = "a", .spec = fake_lab_spec(lab, yaml), .action = action}},
        .op = {.ended = choice_ended},
    };
    choice->df.flow = (struct flow){
        .transport = &lab->transport.transport,
        .unix_path = "/engine",
        .op = &choice->op,
        .arena = arena_new(),
        .steps = choice_steps,
        .release = print_choice,
    };
    text_init(&choice->learned, 0);
    flow_begin(&choice->df.flow);
    while (!choice->ended && fake_transport_turn(&lab->transport))
        continue;
    assert_true(choice->ended);
}

#define OWN_NETWORK(pools)                                                                         \
    "{\"Name\":\"kind\",\"EnableIPv6\":true,\"IPAM\":{\"Config\":[" pools "]}}"
#define UPSTREAM OWN_NETWORK("{\"Subnet\":\"" ULA "\"}")
#define STRANGE OWN_NETWORK("{\"Subnet\":\"10.5.0.0/24\"},{\"Subnet\":\"fd00::/64\"}")
#define BOTH "172.18.0.0/16 " ULA
#define NO_SIX(family)                                                                             \
    "choose an address: network kind has no IPv6 subnet, which ipFamily " family                   \
    " needs; see that the engine's host has IPv6 and ip6tables, delete the clusters on this "      \
    "network, and then it (docker network rm kind): it is made anew"

static const struct {
    const char *name, *network; /* NULL: ours */
    const char *yaml, *node, *want, *failure;
} choice_rows[] = {
    {"IPv4", NULL, CLUSTER(""), "a-control-plane", "172.18.238.207 - of " BOTH, NULL},
    {"dual", NULL, CLUSTER(DUAL), "a-control-plane",
     "172.18.238.207 fc00:f853:ccd:e793:0:1:0:345a of " BOTH, NULL},
    {"IPv6", NULL, CLUSTER(SIX), "a-control-plane",
     "172.18.238.207 fc00:f853:ccd:e793:0:1:0:345a of " BOTH, NULL},
    {"upstream's network, IPv4", UPSTREAM, CLUSTER(""), "a-control-plane", "- - of " BOTH, NULL},
    {"upstream's network, dual", UPSTREAM, CLUSTER(DUAL), "a-control-plane",
     "- fc00:f853:ccd:e793:0:1:0:345a of " BOTH, NULL},
    {"a network of others, dual", STRANGE, CLUSTER(DUAL), "a-control-plane",
     "- - of 10.5.0.0/24 fd00::/64", NULL},
    {"no IPv6, and none needed", NETWORK(""), CLUSTER(""), "a-control-plane",
     "- - of 172.18.0.0/16", NULL},
    {"no IPv6, but dual", NETWORK(""), CLUSTER(DUAL), "a-control-plane", "- - of 172.18.0.0/16",
     NO_SIX("dual")},
    {"no IPv6, but IPv6", NETWORK(""), CLUSTER(SIX), "a-control-plane", "- - of 172.18.0.0/16",
     NO_SIX("ipv6")},
};

static void chooses(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(choice_rows); i++) {
        test_row(choice_rows[i].name);
        struct fake_lab lab;
        struct choice choice;
        fake_lab_open(&lab, NULL);
        if (choice_rows[i].network)
            fake_lab_control(&lab, "POST /networks/create", choice_rows[i].network);
        else
            assert_null(make_network(&lab));
        choose(&lab, choice_rows[i].yaml, choice_rows[i].node, &choice);
        test_equal(choice.failure ? choice.failure->message : NULL, choice_rows[i].failure);
        test_equal(choice.learned.data, choice_rows[i].want);
        text_done(&choice.learned);
        error_free(choice.failure);
        fake_lab_close(&lab);
    }
}

/* What is chosen is what the engine gives, and nobody gets it twice, also while it is stopped. */
static void chooses_what_is_free(void **state)
{
    (void)state;
    struct fake_lab lab;
    struct choice choice;
    fake_lab_open(&lab, NULL);
    assert_null(make_network(&lab));
    put_container(&lab, "one",
                  "\"IPAMConfig\":{\"IPv4Address\":\"172.18.238.207\","
                  "\"IPv6Address\":\"fc00:f853:ccd:e793:0:1:0:345a\"}");
    fake_lab_control(&lab, "POST /containers/one/stop", NULL);
    choose(&lab, CLUSTER(DUAL), "a-control-plane", &choice);
    test_equal(choice.learned.data, "172.18.238.208 fc00:f853:ccd:e793:0:1:0:345b of " BOTH);
    text_done(&choice.learned);
    assert_null(choice.failure);
    fake_lab_close(&lab);
}

/* A name with a dot is no pattern: its neighbours are left alone. */
static void takes_names_as_they_are(void **state)
{
    (void)state;
    struct fake_lab lab;
    fake_lab_open(&lab, NULL);
    ((struct docker *)(void *)lab.driver)->options.network = "k.d";
    fake_lab_control(&lab, "POST /networks/create", "{\"Name\":\"kid\"}");
    assert_null(make_network(&lab));
    assert_null(make_network(&lab));
    cleanup_text struct text got;
    text_init(&got, 0);
    print_networks(&lab, "k.d", &got);
    assert_non_null(strstr(got.data, "172.19.0.0/16>172.19.0.0/17 fc00:"));
    assert_null(strchr(got.data, ';'));
    fake_lab_close(&lab);
}

struct maker {
    struct op op;
    bool ended, failed;
};

static void made(struct op *op, struct error *failure)
{
    struct maker *maker = (struct maker *)(void *)op;
    maker->ended = true;
    maker->failed = failure != NULL;
    error_free(failure);
}

/* Set-ups of two clusters at once, however their requests mix: one network, with addresses to fix.
 */
static void makes_one_for_two(void **state)
{
    (void)state;
    static const struct cluster_spec specs[] = {{.name = "a"}, {.name = "b"}};
    static const struct action action = {.kind = ACTION_NETWORK, .subject = "kind"};
    for (uint64_t seed = 1; seed <= 50; seed++) {
        struct fake_lab lab;
        struct prng order = {.state = seed};
        struct maker makers[2] = {{.op = {.ended = made}}, {.op = {.ended = made}}};
        struct apply_input inputs[2];
        fake_lab_open(&lab, NULL);
        lab.transport.order = &order;
        for (size_t i = 0; i < 2; i++) {
            inputs[i] = (struct apply_input){
                .cluster = specs[i].name, .spec = &specs[i], .action = &action};
            lab.driver->vtable->apply(lab.driver, &makers[i].op, &inputs[i]);
        }
        while (!makers[0].ended || !makers[1].ended)
            assert_true(fake_transport_turn(&lab.transport));
        assert_false(makers[0].failed || makers[1].failed);
        cleanup_text struct text got;
        text_init(&got, 0);
        print_networks(&lab, "kind", &got);
        test_equal(got.data, OURS4 ULA " mtu 1500");
        fake_lab_close(&lab);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(makes_one_for_two),
        cmocka_unit_test(makes_it),
        cmocka_unit_test(leaves_one),
        cmocka_unit_test(leaves_the_lower_id),
        cmocka_unit_test(chooses),
        cmocka_unit_test(chooses_what_is_free),
        cmocka_unit_test(takes_names_as_they_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
