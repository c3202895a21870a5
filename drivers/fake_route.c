#include "drivers/fake_route.h"

#include "base/memory.h"
#include "drivers/fake_archive.h"
#include "drivers/fake_container.h"
#include "drivers/fake_event.h"
#include "drivers/fake_exec.h"
#include "drivers/fake_image.h"
#include "drivers/fake_network.h"

static void ping(struct fake_call *call)
{
    fake_call_text(call, 200, "text/plain; charset=utf-8", "OK");
}

static void version(struct fake_call *call)
{
    fake_call_reply(call, 200,
                    json_pack("{s:{s:s}, s:s, s:s, s:s, s:s, s:s, s:s}", "Platform", "Name", "",
                              "Version", "20.10.24+dfsg1", "ApiVersion", "1.41", "MinAPIVersion",
                              "1.12", "Os", "linux", "Arch", "amd64", "KernelVersion", "6.1.0"));
}

static size_t running(struct fake_world *world)
{
    size_t count = 0;
    for (struct fake_container *container = world->containers; container;
         container = container->by_id.next)
        count += container->run == FAKE_RUNNING;
    return count;
}

static void info(struct fake_call *call)
{
    json_t *value = json_pack(
        "{s:s, s:I, s:I, s:I, s:s, s:[[s, s]], s:b, s:b, s:b, s:s, s:s, s:[s], s:s, s:s, s:s, s:i, "
        "s:I}",
        "ID", "FAKE", "Containers", (json_int_t)HASH_CNT(by_id, call->world->containers),
        "ContainersRunning", (json_int_t)running(call->world), "Images",
        (json_int_t)HASH_COUNT(call->world->images), "Driver", "overlay2", "DriverStatus",
        "Backing Filesystem", "extfs", "MemoryLimit", 1, "PidsLimit", 1, "CPUShares", 1,
        "CgroupDriver", "systemd", "CgroupVersion", "2", "SecurityOptions",
        "name=seccomp,profile=default", "OperatingSystem", "Debian GNU/Linux 12 (bookworm)",
        "ServerVersion", "20.10.24+dfsg1", "Architecture", "x86_64", "NCPU", 4, "MemTotal",
        (json_int_t)8 << 30);
    json_object_set_new(value, "OSType", json_string("linux"));
    json_object_set_new(value, "Name", json_string("fake"));
    json_object_update(value, call->world->info);
    fake_call_reply(call, 200, value);
}

/* One '*' stands for a path part, in "/images" paths also for several. */
static const struct {
    const char *method, *pattern;
    fake_handler *run;
} routes[] = {
    {"GET", "/_ping", ping},
    {"HEAD", "/_ping", ping},
    {"GET", "/version", version},
    {"GET", "/info", info},
    {"GET", "/events", fake_event_stream},
    {"GET", "/volumes", fake_volume_list},
    {"GET", "/containers/json", fake_container_list},
    {"POST", "/containers/create", fake_container_create},
    {"GET", "/containers/*/json", fake_container_inspect},
    {"GET", "/containers/*/logs", fake_container_logs},
    {"GET", "/containers/*/archive", fake_archive_get},
    {"HEAD", "/containers/*/archive", fake_archive_head},
    {"PUT", "/containers/*/archive", fake_archive_put},
    {"POST", "/containers/*/start", fake_container_start},
    {"POST", "/containers/*/stop", fake_container_stop},
    {"POST", "/containers/*/restart", fake_container_restart},
    {"POST", "/containers/*/rename", fake_container_rename},
    {"POST", "/containers/*/kill", fake_container_kill},
    {"POST", "/containers/*/pause", fake_container_pause},
    {"POST", "/containers/*/unpause", fake_container_unpause},
    {"POST", "/containers/*/wait", fake_container_wait},
    {"POST", "/containers/*/exec", fake_exec_create},
    {"DELETE", "/containers/*", fake_container_remove},
    {"POST", "/exec/*/start", fake_exec_start},
    {"GET", "/exec/*/json", fake_exec_inspect},
    {"GET", "/networks", fake_network_list},
    {"POST", "/networks/create", fake_network_create},
    {"GET", "/networks/*", fake_network_inspect},
    {"DELETE", "/networks/*", fake_network_remove},
    {"POST", "/networks/*/connect", fake_network_connect},
    {"POST", "/networks/*/disconnect", fake_network_disconnect},
    {"GET", "/images/json", fake_image_list},
    {"GET", "/images/get", fake_image_save},
    {"POST", "/images/create", fake_image_pull},
    {"POST", "/images/load", fake_image_load},
    {"GET", "/images/*/json", fake_image_inspect},
    {"POST", "/images/*/tag", fake_image_tag},
    {"DELETE", "/images/*", fake_image_remove},
};

/* True if the path fits; *subject becomes what '*' stands for, in the arena. */
static bool fits(struct arena *arena, const char *pattern, const char *path, const char **subject)
{
    const char *star = strchr(pattern, '*');
    if (!star)
        return strcmp(pattern, path) == 0;
    size_t before = (size_t)(star - pattern), after = strlen(star + 1), length = strlen(path);
    if (length <= before + after || strncmp(pattern, path, before) != 0 ||
        strcmp(path + length - after, star + 1) != 0)
        return false;
    *subject = arena_string_n(arena, path + before, length - before - after);
    return !strchr(*subject, '/') || strncmp(pattern, "/images/", 8) == 0;
}

static bool version_is_served(struct fake_call *call)
{
    const char *target = call->request->target;
    if (strncmp(target, "/v1.", 4) != 0)
        return true;
    unsigned long minor = strtoul(target + 4, NULL, 10);
    if (minor > 41)
        fake_call_error(call, 400,
                        "client version 1.%lu is too new. Maximum supported API version is 1.41",
                        minor);
    else if (minor < 12)
        fake_call_text(call, 400, "text/plain; charset=utf-8",
                       "client version is too old. Minimum supported API version is 1.12, please "
                       "upgrade your client to a newer version\n");
    return minor <= 41 && minor >= 12;
}

void fake_route_run(struct fake_call *call)
{
    if (!version_is_served(call))
        return;
    for (size_t i = 0; i < COUNT_OF(routes); i++) {
        if (strcmp(routes[i].method, call->request->method) == 0 &&
            fits(call->arena, routes[i].pattern, call->path, &call->subject)) {
            routes[i].run(call);
            return;
        }
    }
    fake_call_error(call, 404, "page not found");
}
