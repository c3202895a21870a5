#include "drivers/network_address.h"

#include "base/memory.h"
#include "base/test.h"
#include "base/text.h"
#include <string.h>

/* Upstream's own, so that both programs find and make the same networks. */
static void subnets_of_upstream(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int32_t attempt;
        const char *want;
    } rows[] = {
        {"kind", 0, "fc00:f853:ccd:e793::/64"},  {"kind", 1, "fc00:8866:27d0:bd7e::/64"},
        {"kind", 2, "fc00:ddd9:fcae:c61c::/64"}, {"kind", 3, "fc00:aa7c:42e1:abd3::/64"},
        {"kind", 4, "fc00:3131:6ea8:d73a::/64"},
    };
    struct arena *arena cleanup_arena = arena_new();
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].want);
        test_equal(network_ula(arena, rows[i].name, rows[i].attempt), rows[i].want);
    }
}

static json_t *parse(const char *text)
{
    json_t *value = json_loads(text, 0, NULL);
    assert_non_null(value);
    return value;
}

#define POOLS(pools) "{\"Name\":\"kind\",\"IPAM\":{\"Config\":[" pools "]}}"
#define SUBNET(subnet) "{\"Subnet\":\"" subnet "\"}"
#define RANGE(subnet, range) "{\"Subnet\":\"" subnet "\",\"IPRange\":\"" range "\"}"

static const struct {
    const char *name, *network, *want; /* all subnets; the first of each kind; the shared one */
} network_rows[] = {
    {"none", POOLS(""), ": - - -"},
    {"no IPAM", "{}", ": - - -"},
    {"no network", "null", ": - - -"},
    {"the engine's choice", POOLS(SUBNET("172.18.0.0/16")), "172.18.0.0/16: 172.18.0.0/16 - -"},
    {"ours", POOLS(RANGE("10.1.0.0/24", "10.1.0.0/25") "," SUBNET("fc00::/64")),
     "10.1.0.0/24,fc00::/64: 10.1.0.0/24 fc00::/64 10.1.0.0/24"},
    {"IPv6 first, several of each",
     POOLS(SUBNET("fc00::/64") "," SUBNET("10.2.0.0/16") "," RANGE("10.1.0.0/24", "10.1.0.0/25")),
     "fc00::/64,10.2.0.0/16,10.1.0.0/24: 10.2.0.0/16 fc00::/64 10.1.0.0/24"},
    {"the engine hands out the upper half", POOLS(RANGE("10.1.0.0/24", "10.1.0.128/25")),
     "10.1.0.0/24: 10.1.0.0/24 - -"},
    {"or a quarter", POOLS(RANGE("10.1.0.0/24", "10.1.0.0/26")), "10.1.0.0/24: 10.1.0.0/24 - -"},
    {"too small", POOLS(RANGE("10.1.0.0/29", "10.1.0.0/30")), "10.1.0.0/29: 10.1.0.0/29 - -"},
    {"odd ones", POOLS("1,[],{},{\"Subnet\":7}," SUBNET("") "," SUBNET("x")), "x: x - -"},
};

static const char *or_dash(const char *text)
{
    return text ? text : "-";
}

static void subnets_of_networks(void **state)
{
    (void)state;
    struct arena *arena cleanup_arena = arena_new();
    for (size_t i = 0; i < COUNT_OF(network_rows); i++) {
        test_row(network_rows[i].name);
        json_t *network = json_loads(network_rows[i].network, JSON_DECODE_ANY, NULL);
        struct string_list subnets = network_subnets(arena, network);
        cleanup_text struct text got;
        text_init(&got, 0);
        for (size_t j = 0; j < subnets.count; j++)
            text_add_format(&got, "%s%s", j ? "," : "", subnets.items[j]);
        text_add_format(&got, ": %s %s %s", or_dash(network_subnet4(&subnets)),
                        or_dash(network_subnet6(&subnets)),
                        or_dash(network_shared(arena, network)));
        test_equal(got.data, network_rows[i].want);
        json_decref(network);
    }
}

static void halves(void **state)
{
    (void)state;
    static const struct {
        const char *subnet, *want;
    } rows[] = {
        {"172.18.0.0/16", "172.18.0.0/17"},
        {"10.0.0.0/8", "10.0.0.0/9"},
        {"10.1.2.0/28", "10.1.2.0/29"},
        {"10.1.2.0/29", NULL},
        {"10.1.2.0/33", NULL},
        {"10.1.2.0", NULL},
        {"10.1.2.0/24x", NULL},
        {"10.1.2/24", NULL},
        {"fc00::/64", NULL},
        {"", NULL},
    };
    struct arena *arena cleanup_arena = arena_new();
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].subnet);
        test_equal(network_engine_half(arena, rows[i].subnet), rows[i].want);
    }
}

#define IN(network, members) "{\"NetworkSettings\":{\"Networks\":{\"" network "\":{" members "}}}}"
#define HOLDS4(address) IN("kind", "\"IPAddress\":\"" address "\"")
#define FIXED4(address) IN("kind", "\"IPAMConfig\":{\"IPv4Address\":\"" address "\"}")
#define HOLDS6(address) IN("kind", "\"GlobalIPv6Address\":\"" address "\"")
#define FIXED6(address) IN("kind", "\"IPAMConfig\":{\"IPv6Address\":\"" address "\"}")

static const struct {
    const char *name, *subnet, *containers, *node, *want;
} choice_rows[] = {
    {"alone", "10.1.0.0/24", "[]", "a-control-plane", "10.1.0.134"},
    {"the same again", "10.1.0.0/24", "[]", "a-control-plane", "10.1.0.134"},
    {"another node", "10.1.0.0/24", "[]", "a-worker", "10.1.0.248"},
    {"a larger network", "172.18.0.0/16", "[]", "a-control-plane", "172.18.238.207"},
    {"held by another", "10.1.0.0/24", "[" HOLDS4("10.1.0.134") "]", "a-control-plane",
     "10.1.0.135"},
    {"kept for a stopped one", "10.1.0.0/24", "[" FIXED4("10.1.0.134") "," HOLDS4("10.1.0.135") "]",
     "a-control-plane", "10.1.0.136"},
    {"held elsewhere", "10.1.0.0/24", "[" IN("other", "\"IPAddress\":\"10.1.0.134\"") "]",
     "a-control-plane", "10.1.0.134"},
    {"odd containers", "10.1.0.0/24",
     "[1,{},{\"NetworkSettings\":[]}," IN("kind", "\"IPAddress\":7,\"IPAMConfig\":null") "]",
     "a-control-plane", "10.1.0.134"},
    {"one left of 7", "10.1.0.0/28",
     "[" HOLDS4("10.1.0.8") "," HOLDS4("10.1.0.9") "," HOLDS4("10.1.0.10") "," HOLDS4(
         "10.1.0.11") "," HOLDS4("10.1.0.13") "," HOLDS4("10.1.0.14") "]",
     "a", "10.1.0.12"},
    {"full", "10.1.0.0/28",
     "[" HOLDS4("10.1.0.8") "," HOLDS4("10.1.0.9") "," HOLDS4("10.1.0.10") "," HOLDS4(
         "10.1.0.11") "," HOLDS4("10.1.0.12") "," HOLDS4("10.1.0.13") "," HOLDS4("10.1.0.14") "]",
     "a", NULL},
    {"too small", "10.1.0.0/29", "[]", "a", NULL},
    {"IPv6", "fc00:f853:ccd:e793::/64", "[]", "a-control-plane", "fc00:f853:ccd:e793:0:1:0:345a"},
    {"IPv6 of a later attempt", "fc00:3131:6ea8:d73a::/64", "[]", "a-control-plane",
     "fc00:3131:6ea8:d73a:0:1:0:345a"},
    {"IPv6, written otherwise", "FC00:F853:0CCD:E793:0:0:0:0/64",
     "[" HOLDS6("fc00:f853:0ccd:e793:0000:0001:0:345a") "]", "a-control-plane",
     "fc00:f853:ccd:e793:0:1:0:345b"},
    {"IPv6, kept for a stopped one", "fc00:f853:ccd:e793::/64",
     "[" FIXED6("fc00:f853:ccd:e793:0:1:0:345a") "]", "a-control-plane",
     "fc00:f853:ccd:e793:0:1:0:345b"},
    {"IPv6, no subnet of upstream's", "fd00::/64", "[]", "a-control-plane", NULL},
    {"IPv6, wider", "fc00:f853:ccd:e793::/48", "[]", "a-control-plane", NULL},
};

static void chooses(void **state)
{
    (void)state;
    struct arena *arena cleanup_arena = arena_new();
    for (size_t i = 0; i < COUNT_OF(choice_rows); i++) {
        test_row(choice_rows[i].name);
        json_t *containers = parse(choice_rows[i].containers);
        const struct network_members members = {containers, "kind"};
        const char *subnet = choice_rows[i].subnet, *node = choice_rows[i].node;
        const struct string_list subnets = {&subnet, 1};
        test_equal(strchr(subnet, ':') ? network_choose6(arena, &subnets, &members, node)
                                       : network_choose4(arena, subnet, &members, node),
                   choice_rows[i].want);
        json_decref(containers);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(subnets_of_upstream),
        cmocka_unit_test(subnets_of_networks),
        cmocka_unit_test(halves),
        cmocka_unit_test(chooses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
