/*
 * docker_info_fuzz.c - any bytes as what an engine says of itself and as the docker client's
 * configuration: no crash, and what is made of them can go into a container.
 */
#include "base/memory.h"
#include "drivers/docker_info.h"
#include "drivers/docker_proxy.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *nothing(void *context, const char *name)
{
    (void)context, (void)name;
    return NULL;
}

static void check_info(struct arena *arena, const char *bytes, size_t length)
{
    cleanup_error struct error *err = NULL;
    struct engine_info info;
    const char *warning = NULL;
    int result = engine_info_parse(arena, bytes, length, &info, &err);
    assert((result == 0) == !err);
    if (result != 0 || engine_info_check(&info, &warning, &err) != 0)
        return;
    assert(info.version && info.os && info.cpus >= 0);
    assert(!warning == info.cgroup_v2);
    assert(!engine_info_bind(&info) || !engine_info_device(&info));
}

static void check_proxies(struct arena *arena, const char *text)
{
    static const char *const names[] = {"node"};
    const struct proxy_input input = {
        .lookup = nothing,
        .client_config = text,
        .engine = "unix:///engine",
        .service_subnet = "10.96.0.0/16",
        .pod_subnet = "10.244.0.0/16",
        .names = {names, COUNT_OF(names)},
    };
    struct string_list list;
    proxy_environment(arena, &input, &list);
    assert(list.count % 2 == 0 && list.count <= 10);
    for (size_t i = 0; i < list.count; i++)
        assert(strstr(list.items[i], "_PROXY=") || strstr(list.items[i], "_proxy="));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena cleanup_arena = arena_new();
    check_info(arena, (const char *)data, size);
    check_proxies(arena, arena_string_n(arena, (const char *)data, size));
    return 0;
}
