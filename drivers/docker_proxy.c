#include "drivers/docker_proxy.h"

#include "base/memory.h"
#include "base/text.h"
#include "drivers/client_config.h"
#include "drivers/docker_flow.h"
#include <string.h>

enum proxy_name { PROXY_HTTP, PROXY_HTTPS, PROXY_NO, PROXY_FTP, PROXY_ALL, PROXY_COUNT };

static const struct {
    const char *upper, *lower, *key; /* key: in docker's configuration */
} names[PROXY_COUNT] = {
    [PROXY_HTTP] = {"HTTP_PROXY", "http_proxy", "httpProxy"},
    [PROXY_HTTPS] = {"HTTPS_PROXY", "https_proxy", "httpsProxy"},
    [PROXY_NO] = {"NO_PROXY", "no_proxy", "noProxy"},
    [PROXY_FTP] = {"FTP_PROXY", "ftp_proxy", "ftpProxy"},
    [PROXY_ALL] = {"ALL_PROXY", "all_proxy", "allProxy"},
};

/* The values that are settled so far; NULL: not set. */
struct proxies {
    const char *values[PROXY_COUNT];
};

/* A value that is there; what is empty is not. */
static const char *filled(const char *value)
{
    return value && *value ? value : NULL;
}

static const char *configured(const json_t *section, enum proxy_name name)
{
    return filled(json_string_value(json_object_get(section, names[name].key)));
}

/* What is said for this engine, else for all; NULL if neither. */
static const json_t *section_of(const json_t *config, const char *engine)
{
    const json_t *proxies = json_object_get(config, "proxies");
    const json_t *section = json_object_get(proxies, engine);
    return section ? section : json_object_get(proxies, "default");
}

static bool any(const struct proxies *set)
{
    return set->values[PROXY_HTTP] || set->values[PROXY_HTTPS] || set->values[PROXY_NO];
}

static void take_environment(const struct proxy_input *input, struct proxies *set)
{
    for (enum proxy_name name = PROXY_HTTP; name <= PROXY_NO; name++) {
        const char *upper = filled(input->lookup(input->context, names[name].upper));
        set->values[name] =
            upper ? upper : filled(input->lookup(input->context, names[name].lower));
    }
}

static void take_configured(const json_t *section, struct proxies *set, enum proxy_name last)
{
    for (enum proxy_name name = PROXY_HTTP; name <= last; name++)
        if (!set->values[name])
            set->values[name] = configured(section, name);
}

/* Puts one more at the end of a comma list, unless it is empty. */
static void add(struct text *list, const char *item)
{
    if (!item || !*item)
        return;
    if (list->length)
        text_add(list, ",");
    text_add(list, item);
}

static void add_all(struct text *list, const struct string_list *items)
{
    for (size_t i = 0; i < items->count; i++)
        add(list, items->items[i]);
}

static const char *direct(struct arena *arena, const struct proxy_input *input,
                          const char *configured_list)
{
    static const char *const services[] = {".svc", ".svc.cluster", ".svc.cluster.local"};
    const struct string_list service_names = {services, COUNT_OF(services)};
    cleanup_text struct text list;
    text_init(&list, 0);
    add_all(&list, &input->network_subnets);
    add(&list, configured_list);
    add(&list, input->service_subnet);
    add(&list, input->pod_subnet);
    add_all(&list, &input->names);
    add_all(&list, &service_names);
    return arena_string(arena, list.data);
}

static void print(struct arena *arena, const struct proxies *set, struct string_list *environment)
{
    const char **items = arena_array(arena, (size_t)PROXY_COUNT * 2, sizeof(*items));
    size_t count = 0;
    for (size_t i = 0; i < PROXY_COUNT; i++) {
        if (!set->values[i])
            continue;
        items[count++] = arena_format(arena, "%s=%s", names[i].upper, set->values[i]);
        items[count++] = arena_format(arena, "%s=%s", names[i].lower, set->values[i]);
    }
    *environment = (struct string_list){items, count};
}

void proxy_environment(struct arena *arena, const struct proxy_input *input,
                       struct string_list *environment)
{
    json_t *config = input->client_config ? json_loads(input->client_config, 0, NULL) : NULL;
    const json_t *section = section_of(config, input->engine);
    struct proxies set = {{NULL}};
    take_environment(input, &set);
    /* Without a proxy a NO_PROXY of the environment still beats docker's. */
    if (!set.values[PROXY_HTTP] && !set.values[PROXY_HTTPS])
        take_configured(section, &set, PROXY_NO);
    if (any(&set))
        set.values[PROXY_NO] = direct(arena, input, set.values[PROXY_NO]);
    /* From here on as the docker client, which asks nobody. */
    take_configured(section, &set, PROXY_ALL);
    print(arena, &set, environment);
    json_decref(config);
}

/* --- for a container --- */

static const char *look_up(void *context, const char *name)
{
    (void)context;
    return getenv(name);
}

/*
 * The load balancer's name is among them even where there is none: it is the
 * cluster's endpoint, and a lone control plane answers to it.
 */
static struct string_list names_of(struct arena *arena, const struct cluster_spec *spec)
{
    const char **items = arena_array(arena, spec->node_count + 1, sizeof(*items));
    for (size_t i = 0; i < spec->node_count; i++)
        items[i] = spec->nodes[i].name;
    items[spec->node_count] = arena_format(arena, "%s" SPEC_BALANCER_SUFFIX, spec->name);
    return (struct string_list){items, spec->node_count + 1};
}

void docker_add_proxy(struct docker_flow *df, json_t *environment)
{
    const struct cluster_spec *spec = df->input.spec;
    cleanup_free char *config = client_config_text();
    const struct proxy_input input = {
        .lookup = look_up,
        .client_config = config,
        .engine = df->docker->endpoint.display,
        .service_subnet = spec->networking.service_subnet,
        .pod_subnet = spec->networking.pod_subnet,
        .network_subnets = df->network_subnets,
        .names = names_of(df->flow.arena, spec),
    };
    struct string_list list;
    proxy_environment(df->flow.arena, &input, &list);
    for (size_t i = 0; i < list.count; i++)
        json_array_append_new(environment, json_string(list.items[i]));
}
