#include "drivers/docker_info.h"

#include "base/memory.h"
#include "drivers/docker_flow.h"
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* --- reading --- */

static const char *text_of(const json_t *info, const char *key)
{
    const char *text = json_string_value(json_object_get(info, key));
    return text ? text : "";
}

static bool is_true(const json_t *info, const char *key)
{
    return json_is_true(json_object_get(info, key));
}

/* Options are lists themselves: "name=seccomp,profile=default". */
static bool has_part(const char *option, const char *part)
{
    size_t length = strlen(part);
    for (const char *at = option; at; at = strchr(at, ',')) {
        at += *at == ',';
        if (strncmp(at, part, length) == 0 && (at[length] == '\0' || at[length] == ','))
            return true;
    }
    return false;
}

static bool has_security_option(const json_t *info, const char *part)
{
    const json_t *option;
    size_t index;
    json_array_foreach(json_object_get(info, "SecurityOptions"), index, option)
    {
        const char *text = json_string_value(option);
        if (text && has_part(text, part))
            return true;
    }
    return false;
}

/* The value of a pair in DriverStatus, which is a list of such; "" if there is none. */
static const char *driver_status(const json_t *info, const char *key)
{
    const json_t *pair;
    size_t index;
    json_array_foreach(json_object_get(info, "DriverStatus"), index, pair)
    {
        const char *name = json_string_value(json_array_get(pair, 0));
        const char *value = json_string_value(json_array_get(pair, 1));
        if (name && value && strcmp(name, key) == 0)
            return value;
    }
    return "";
}

static bool is_one_of(const char *word, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcasecmp(word, words[i]) == 0)
            return true;
    return false;
}

/* On these, kubelet looks for the device behind a file system, which may be a mapped one. */
static bool is_on_mapped_devices(const json_t *info)
{
    static const char *const drivers[] = {"btrfs", "zfs", "devicemapper"};
    static const char *const file_systems[] = {"btrfs", "zfs", "xfs"};
    return is_one_of(text_of(info, "Driver"), drivers, COUNT_OF(drivers)) ||
           is_one_of(driver_status(info, "Backing Filesystem"), file_systems,
                     COUNT_OF(file_systems));
}

int engine_info_parse(struct arena *arena, const char *body, size_t length,
                      struct engine_info *info, struct error **err)
{
    json_error_t where;
    json_t *root = json_loadb(body, length, 0, &where);
    if (!json_is_object(root)) {
        error_set(err, ERROR_UNAVAILABLE, "what the engine says of itself is no JSON object%s%s",
                  root ? "" : ": ", root ? "" : where.text);
        json_decref(root);
        return -1;
    }
    /* Without control groups of its own the engine claims to limit what it cannot. */
    bool limits = strcmp(text_of(root, "CgroupDriver"), "none") != 0;
    bool rootless = has_security_option(root, "name=rootless");
    json_int_t cpus = json_integer_value(json_object_get(root, "NCPU"));
    *info = (struct engine_info){
        .version = arena_string(arena, text_of(root, "ServerVersion")),
        .os = arena_string(arena, text_of(root, "OSType")),
        .rootless = rootless,
        .userns_remap = has_security_option(root, "name=userns"),
        .cgroup_v2 = strcmp(text_of(root, "CgroupVersion"), "2") == 0,
        .memory_limit = limits && is_true(root, "MemoryLimit"),
        .pids_limit = limits && is_true(root, "PidsLimit"),
        .cpu_shares = limits && is_true(root, "CPUShares"),
        .needs_dev_mapper = !rootless && is_on_mapped_devices(root),
        .memory_bytes = json_integer_value(json_object_get(root, "MemTotal")),
        .cpus = cpus > 0 && cpus < INT32_MAX ? (int32_t)cpus : 0,
        .host = arena_string(arena, text_of(root, "Name")),
        .kernel = arena_string(arena, text_of(root, "KernelVersion")),
        .data_folder = arena_string(arena, text_of(root, "DockerRootDir")),
    };
    json_decref(root);
    return 0;
}

/* --- judging --- */

#define BOOT_WITH_CGROUP_V2                                                                        \
    "boot the host with cgroup v2 (kernel parameter systemd.unified_cgroup_hierarchy=1)"

static int check_rootless(const struct engine_info *info, struct error **err)
{
    if (!info->cgroup_v2)
        return error_set(err, ERROR_INVALID,
                         "the engine is rootless and its host uses cgroup v1, where nodes cannot "
                         "run; " BOOT_WITH_CGROUP_V2 ", or use an engine that runs as root");
    if (info->memory_limit && info->pids_limit && info->cpu_shares)
        return 0;
    return error_set(err, ERROR_INVALID,
                     "the engine is rootless and may not limit%s%s%s, without which nodes cannot "
                     "run; let systemd delegate these controllers (Delegate=cpu cpuset io memory "
                     "pids in /etc/systemd/system/user@.service.d/delegate.conf), log in again "
                     "and restart the engine",
                     info->memory_limit ? "" : " memory", info->pids_limit ? "" : " pids",
                     info->cpu_shares ? "" : " cpu");
}

int engine_info_check(const struct engine_info *info, const char **warning, struct error **err)
{
    if (*info->os && strcmp(info->os, "linux") != 0)
        return error_set(err, ERROR_INVALID,
                         "the engine runs containers of %s, and nodes are of Linux; switch it to "
                         "Linux containers",
                         info->os);
    if (info->rootless && check_rootless(info, err) != 0)
        return -1;
    *warning = info->cgroup_v2 ? NULL
                               : "the engine's host uses cgroup v1, on which newer versions of "
                                 "Kubernetes do not start; " BOOT_WITH_CGROUP_V2;
    return 0;
}

int engine_info_check_version(const struct engine_info *info, const char *version,
                              struct error **err)
{
    enum { MINOR_MIN = 22 }; /* the first whose kubelet runs in a user namespace */
    unsigned major, minor;
    if (!info->rootless || !version || sscanf(version, "v%3u.%3u", &major, &minor) != 2 ||
        major > 1 || minor >= MINOR_MIN)
        return 0;
    return error_set(err, ERROR_INVALID,
                     "Kubernetes %s cannot run on a rootless engine; take an image of v1.%d or "
                     "newer",
                     version, MINOR_MIN);
}

/* --- what follows for containers --- */

const char *engine_info_bind(const struct engine_info *info)
{
    return info && info->needs_dev_mapper ? "/dev/mapper:/dev/mapper" : NULL;
}

/* Without root, overlays in a node are mounted by fuse-overlayfs. */
const char *engine_info_device(const struct engine_info *info)
{
    return info && info->rootless ? "/dev/fuse" : NULL;
}

/* Privileged containers must not be remapped. */
const char *engine_info_userns_mode(const struct engine_info *info)
{
    return info && info->userns_remap ? "host" : NULL;
}

/* --- rows --- */

static enum step_status read_info(struct flow *flow, const struct answer *answer,
                                  const char **warning, struct error **err)
{
    if (!answer) {
        flow_send(flow, "GET", "/info", NULL);
        return STEP_WAITING;
    }
    if (answer->status != 200)
        return docker_refused(flow, answer, "ask what the engine is", err);
    struct engine_info *info = arena_alloc(flow->arena, sizeof(*info));
    if (engine_info_parse(flow->arena, answer->body, answer->length, info, err) != 0 ||
        engine_info_check(info, warning, err) != 0)
        return STEP_FAILED;
    docker_flow_of(flow)->info = info;
    return STEP_DONE;
}

enum step_status docker_read_info(struct flow *flow, const struct answer *answer,
                                  struct error **err)
{
    const char *warning = NULL;
    return read_info(flow, answer, &warning, err);
}

enum step_status docker_warn_info(struct flow *flow, const struct answer *answer,
                                  struct error **err)
{
    const char *warning = NULL;
    enum step_status status = read_info(flow, answer, &warning, err);
    if (warning)
        flow_note(flow, warning);
    return status;
}
