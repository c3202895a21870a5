#include "drivers/docker_proxy.h"

#include "base/memory.h"
#include "base/test.h"
#include "base/text.h"
#include "drivers/docker_flow.h"
#include <string.h>
#include <strings.h>

#define OWN "10.1.0.0/24,fc00::/64"
#define REST                                                                                       \
    "10.96.0.0/16,10.244.0.0/16,a-control-plane,a-external-load-balancer,.svc,"                    \
    ".svc.cluster,.svc.cluster.local"
#define PROXIES(more) "{\"auths\":{},\"proxies\":{" more "}}"
#define DEFAULT(more) PROXIES("\"default\":{" more "}")
#define HERE "\"unix:///engine\":"

static const struct {
    const char *name, *environment, *config;
    const char *want; /* upper case only; see below */
} rows[] = {
    {"nothing", "", NULL, ""},
    {"empty is not set", "HTTP_PROXY= https_proxy= NO_PROXY=", NULL, ""},
    {"HTTP", "HTTP_PROXY=h", NULL, "HTTP_PROXY=h NO_PROXY=" OWN "," REST},
    {"HTTP in lower case", "http_proxy=h", NULL, "HTTP_PROXY=h NO_PROXY=" OWN "," REST},
    {"upper case wins", "https_proxy=l HTTPS_PROXY=u", NULL,
     "HTTPS_PROXY=u NO_PROXY=" OWN "," REST},
    {"unless it is empty", "HTTPS_PROXY= https_proxy=l", NULL,
     "HTTPS_PROXY=l NO_PROXY=" OWN "," REST},
    {"a lone NO_PROXY counts", "NO_PROXY=x,y", NULL, "NO_PROXY=" OWN ",x,y," REST},
    {"all three", "HTTP_PROXY=h HTTPS_PROXY=s no_proxy=x", NULL,
     "HTTP_PROXY=h HTTPS_PROXY=s NO_PROXY=" OWN ",x," REST},
    {"others of the environment are nothing to us", "FTP_PROXY=f ALL_PROXY=a", NULL, ""},

    {"docker's default", "", DEFAULT("\"httpProxy\":\"h\",\"httpsProxy\":\"s\",\"noProxy\":\"x\""),
     "HTTP_PROXY=h HTTPS_PROXY=s NO_PROXY=" OWN ",x," REST},
    {"docker's noProxy alone", "", DEFAULT("\"noProxy\":\"x\""), "NO_PROXY=" OWN ",x," REST},
    {"docker's, for this engine", "",
     PROXIES("\"default\":{\"httpProxy\":\"d\",\"noProxy\":\"x\"}," HERE "{\"httpProxy\":\"h\"}"),
     "HTTP_PROXY=h NO_PROXY=" OWN "," REST},
    {"docker's, for this engine: none", "", PROXIES("\"default\":{\"httpProxy\":\"d\"}," HERE "{}"),
     ""},
    {"docker's, for another engine", "", PROXIES("\"tcp://other:2375\":{\"httpProxy\":\"d\"}"), ""},
    {"empty in docker's", "", DEFAULT("\"httpProxy\":\"\""), ""},

    {"a NO_PROXY beats docker's", "NO_PROXY=mine", DEFAULT("\"httpProxy\":\"h\",\"noProxy\":\"x\""),
     "HTTP_PROXY=h NO_PROXY=" OWN ",mine," REST},
    {"the environment's proxy beats docker's", "HTTP_PROXY=mine",
     DEFAULT("\"httpProxy\":\"h\",\"noProxy\":\"x\""), "HTTP_PROXY=mine NO_PROXY=" OWN "," REST},
    {"but docker adds what is missing", "HTTP_PROXY=mine",
     DEFAULT("\"httpProxy\":\"h\",\"httpsProxy\":\"s\""),
     "HTTP_PROXY=mine HTTPS_PROXY=s NO_PROXY=" OWN "," REST},

    {"docker gives these by itself", "", DEFAULT("\"ftpProxy\":\"f\",\"allProxy\":\"a\""),
     "FTP_PROXY=f ALL_PROXY=a"},
    {"beside ours", "HTTPS_PROXY=s", DEFAULT("\"ftpProxy\":\"f\""),
     "HTTPS_PROXY=s NO_PROXY=" OWN "," REST " FTP_PROXY=f"},

    {"no JSON", "", "{\"proxies\":", ""},
    {"no JSON, but an environment", "HTTP_PROXY=h", "<xml>", "HTTP_PROXY=h NO_PROXY=" OWN "," REST},
    {"a list", "", "[]", ""},
    {"members of other types", "", "{\"proxies\":[]}", ""},
    {"sections of other types", "", PROXIES("\"default\":7"), ""},
    {"values of other types", "", DEFAULT("\"httpProxy\":{},\"httpsProxy\":null,\"noProxy\":1"),
     ""},
};

/* The line, after making sure that each variable comes in both spellings. */
static void print(struct text *text, const struct string_list *list)
{
    assert_int_equal(list->count % 2, 0);
    for (size_t i = 0; i < list->count; i += 2) {
        const char *upper = list->items[i], *lower = list->items[i + 1];
        size_t name = strcspn(upper, "=");
        assert_int_equal(strncasecmp(upper, lower, name), 0);
        assert_int_not_equal(strncmp(upper, lower, name), 0);
        test_equal(lower + name, upper + name);
        text_add_format(text, "%s%s", i ? " " : "", upper);
    }
}

static const char *const cleared[] = {"HTTP_PROXY",  "http_proxy", "HTTPS_PROXY",
                                      "https_proxy", "NO_PROXY",   "no_proxy"};
static const char *const subnets[] = {"10.1.0.0/24", "fc00::/64"};
static const char *const names[] = {"a-control-plane", "a-external-load-balancer"};

/* An environment in a line: "HTTP_PROXY=a NO_PROXY=b"; values are in the arena. */
struct environment {
    struct arena *arena;
    const char *line;
};

static const char *look_up(void *context, const char *name)
{
    const struct environment *environment = context;
    size_t length = strlen(name);
    for (const char *at = environment->line; *at; at += strspn(at, " ")) {
        size_t word = strcspn(at, " ");
        if (strncmp(at, name, length) == 0 && at[length] == '=')
            return arena_string_n(environment->arena, at + length + 1, word - length - 1);
        at += word;
    }
    return NULL;
}

static void rules(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].name);
        struct arena *arena cleanup_arena = arena_new();
        struct environment environment = {arena, rows[i].environment};
        const struct proxy_input input = {
            .lookup = look_up,
            .context = &environment,
            .client_config = rows[i].config,
            .engine = "unix:///engine",
            .service_subnet = "10.96.0.0/16",
            .pod_subnet = "10.244.0.0/16",
            .network_subnets = {subnets, COUNT_OF(subnets)},
            .names = {names, COUNT_OF(names)},
        };
        struct string_list list;
        cleanup_text struct text got;
        text_init(&got, 0);
        proxy_environment(arena, &input, &list);
        print(&got, &list);
        test_equal(got.data, rows[i].want);
    }
}

/* For a container: from the real environment, and with the load balancer's name in any case. */
static void goes_into_containers(void **state)
{
    (void)state;
    const struct node_spec nodes[] = {{.name = "a-control-plane"}};
    const struct cluster_spec spec = {
        .name = "a",
        .nodes = nodes,
        .node_count = 1,
        .networking = {.service_subnet = "10.96.0.0/16", .pod_subnet = "10.244.0.0/16"},
    };
    char display[] = "unix:///engine";
    struct docker docker = {.endpoint = {.display = display}};
    struct arena *arena cleanup_arena = arena_new();
    struct docker_flow df = {
        .flow = {.arena = arena},
        .docker = &docker,
        .input = {.spec = &spec},
        .network_subnets = {subnets, COUNT_OF(subnets)},
    };
    for (size_t i = 0; i < COUNT_OF(cleared); i++)
        unsetenv(cleared[i]);
    setenv("DOCKER_CONFIG", "/nowhere", 1);
    json_t *environment = json_pack("[s]", "A=b");
    docker_add_proxy(&df, environment);
    assert_int_equal(json_array_size(environment), 1);
    setenv("https_proxy", "s", 1);
    docker_add_proxy(&df, environment);
    assert_int_equal(json_array_size(environment), 5);
    test_equal(json_string_value(json_array_get(environment, 1)), "HTTPS_PROXY=s");
    test_equal(json_string_value(json_array_get(environment, 4)), "no_proxy=" OWN "," REST);
    json_decref(environment);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules),
        cmocka_unit_test(goes_into_containers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
