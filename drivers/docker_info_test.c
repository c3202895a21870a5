#include "drivers/docker_info.h"

#include "base/memory.h"
#include "base/test.h"
#include "base/text.h"
#include "drivers/fake_lab.h"
#include <string.h>

/* As Docker 20.10 on Debian says it, without what nobody asks for. */
#define REAL                                                                                       \
    "{\"Containers\":3,\"Images\":4,\"Driver\":\"overlay2\",\"DriverStatus\":["                    \
    "[\"Backing Filesystem\",\"extfs\"],[\"Supports d_type\",\"true\"],"                           \
    "[\"Native Overlay Diff\",\"true\"],[\"userxattr\",\"false\"]],\"Plugins\":{\"Volume\":["      \
    "\"local\"],\"Authorization\":null},\"MemoryLimit\":true,\"SwapLimit\":true,"                  \
    "\"CpuCfsPeriod\":true,\"CpuCfsQuota\":true,\"CPUShares\":true,\"CPUSet\":true,"               \
    "\"PidsLimit\":true,\"IPv4Forwarding\":true,\"LoggingDriver\":\"json-file\","                  \
    "\"CgroupDriver\":\"cgroupfs\",\"CgroupVersion\":\"1\",\"OSType\":\"linux\","                  \
    "\"Architecture\":\"x86_64\",\"NCPU\":2,\"MemTotal\":25276510208,"                             \
    "\"GenericResources\":null,\"ServerVersion\":\"20.10.24+dfsg1\",\"SecurityOptions\":["         \
    "\"name=seccomp,profile=default\"],\"Warnings\":null}"
#define LIMITS "\"MemoryLimit\":true,\"PidsLimit\":true,\"CPUShares\":true,\"OSType\":\"linux\""
#define ROOTFUL(more) "{" LIMITS ",\"CgroupVersion\":\"2\",\"CgroupDriver\":\"systemd\"" more "}"
#define SECURITY(options) ",\"SecurityOptions\":[\"name=seccomp,profile=builtin\"," options "]"
#define ROOTLESS SECURITY("\"name=rootless\",\"name=cgroupns\"")
#define DRIVER(driver, pairs) ",\"Driver\":\"" driver "\",\"DriverStatus\":[" pairs "]"
#define ON(file_system) DRIVER("overlay2", "[\"Backing Filesystem\",\"" file_system "\"]")

#define BOOT "boot the host with cgroup v2 (kernel parameter systemd.unified_cgroup_hierarchy=1)"
#define OLD                                                                                        \
    "; warning: the engine's host uses cgroup v1, on which newer versions of Kubernetes do not "   \
    "start; " BOOT
#define ROOTLESS_OLD                                                                               \
    "invalid: the engine is rootless and its host uses cgroup v1, where nodes cannot run; " BOOT   \
    ", or use an engine that runs as root"
#define DELEGATE                                                                                   \
    ", without which nodes cannot run; let systemd delegate these controllers (Delegate=cpu "      \
    "cpuset io memory pids in /etc/systemd/system/user@.service.d/delegate.conf), log in again "   \
    "and restart the engine"

static const struct {
    const char *name, *body, *want;
} rows[] = {
    {"Docker 20.10", REAL, "20.10.24+dfsg1 linux v1 memory pids cpu 2 25276510208" OLD},
    {"with cgroup v2", ROOTFUL(""), " linux v2 memory pids cpu 0 0"},
    {"rootless", ROOTFUL(ROOTLESS), " linux rootless v2 memory pids cpu 0 0 device=/dev/fuse"},
    {"rootless on cgroup v1",
     "{" LIMITS ",\"CgroupVersion\":\"1\",\"CgroupDriver\":\"cgroupfs\"" ROOTLESS "}",
     ROOTLESS_OLD},
    {"rootless, version of cgroups not told", "{" LIMITS ROOTLESS "}", ROOTLESS_OLD},
    {"rootless, nothing delegated",
     "{" LIMITS ",\"CgroupVersion\":\"2\",\"CgroupDriver\":\"none\"" ROOTLESS "}",
     "invalid: the engine is rootless and may not limit memory pids cpu" DELEGATE},
    {"rootless, as systemd delegates by itself",
     "{\"MemoryLimit\":true,\"PidsLimit\":true,\"CPUShares\":false,\"CgroupVersion\":\"2\"" ROOTLESS
     "}",
     "invalid: the engine is rootless and may not limit cpu" DELEGATE},
    {"user namespaces", ROOTFUL(SECURITY("\"name=userns\"")),
     " linux userns v2 memory pids cpu 0 0 userns=host"},
    {"part of a list", ROOTFUL(SECURITY("\"name=selinux,name=userns\"")),
     " linux userns v2 memory pids cpu 0 0 userns=host"},
    {"not quite", ROOTFUL(SECURITY("\"name=usernsx\",\"myname=userns\",\"name=user\"")),
     " linux v2 memory pids cpu 0 0"},
    {"zfs", ROOTFUL(DRIVER("zfs", "[\"Zpool\",\"tank\"],[\"Zpool Health\",\"ONLINE\"]")),
     " linux v2 memory pids cpu 0 0 bind=/dev/mapper:/dev/mapper"},
    {"btrfs", ROOTFUL(DRIVER("btrfs", "[\"Build Version\",\"Btrfs v6.2\"]")),
     " linux v2 memory pids cpu 0 0 bind=/dev/mapper:/dev/mapper"},
    {"device mapper", ROOTFUL(DRIVER("devicemapper", "")),
     " linux v2 memory pids cpu 0 0 bind=/dev/mapper:/dev/mapper"},
    {"overlay on xfs", ROOTFUL(ON("xfs")),
     " linux v2 memory pids cpu 0 0 bind=/dev/mapper:/dev/mapper"},
    {"overlay on btrfs, in capitals", ROOTFUL(ON("BTRFS")),
     " linux v2 memory pids cpu 0 0 bind=/dev/mapper:/dev/mapper"},
    {"overlay on ext4", ROOTFUL(ON("extfs")), " linux v2 memory pids cpu 0 0"},
    {"containerd's images",
     ROOTFUL(DRIVER("overlayfs", "[\"driver-type\",\"io.containerd."
                                 "snapshotter.v1\"]")),
     " linux v2 memory pids cpu 0 0"},
    {"rootless on xfs: no mapped devices to see", ROOTFUL(ROOTLESS ON("xfs")),
     " linux rootless v2 memory pids cpu 0 0 device=/dev/fuse"},
    {"Windows", "{\"OSType\":\"windows\",\"CgroupVersion\":\"2\"}",
     "invalid: the engine runs containers of windows, and nodes are of Linux; switch it to Linux "
     "containers"},
    {"nothing", "{}", "  v1 0 0" OLD},
    {"members of other types",
     "{\"Driver\":1,\"DriverStatus\":[1,[],[1,2],[\"Backing Filesystem\"]],\"SecurityOptions\":[1],"
     "\"MemoryLimit\":\"true\",\"CgroupVersion\":2,\"NCPU\":\"4\",\"OSType\":[]}",
     "  v1 0 0" OLD},
    {"odd numbers", "{\"NCPU\":-1,\"CgroupVersion\":\"2\"}", "  v2 0 0"},
    {"a list", "[]", "unavailable: what the engine says of itself is no JSON object"},
    {"no JSON", "<html>",
     "unavailable: what the engine says of itself is no JSON object: '[' or '{' expected near "
     "'<'"},
};

static void add_named(struct text *text, const char *name, const char *value)
{
    if (value)
        text_add_format(text, " %s=%s", name, value);
}

static void print_info(struct text *text, const struct engine_info *info)
{
    text_add_format(text, "%s %s%s%s %s%s%s%s %d %lld", info->version, info->os,
                    info->rootless ? " rootless" : "", info->userns_remap ? " userns" : "",
                    info->cgroup_v2 ? "v2" : "v1", info->memory_limit ? " memory" : "",
                    info->pids_limit ? " pids" : "", info->cpu_shares ? " cpu" : "", info->cpus,
                    (long long)info->memory_bytes);
    add_named(text, "bind", engine_info_bind(info));
    add_named(text, "device", engine_info_device(info));
    add_named(text, "userns", engine_info_userns_mode(info));
}

static void engines(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].name);
        struct arena *arena cleanup_arena = arena_new();
        cleanup_error struct error *err = NULL;
        struct engine_info info;
        const char *warning = "not set";
        cleanup_text struct text got;
        text_init(&got, 0);
        if (engine_info_parse(arena, rows[i].body, strlen(rows[i].body), &info, &err) != 0 ||
            engine_info_check(&info, &warning, &err) != 0) {
            text_add_format(&got, "%s: %s", error_kind_name(err->kind), err->message);
            test_equal(warning, "not set");
        } else {
            print_info(&got, &info);
            text_add_format(&got, "%s%s", warning ? "; warning: " : "", warning ? warning : "");
        }
        test_equal(got.data, rows[i].want);
    }
    assert_null(engine_info_bind(NULL));
    assert_null(engine_info_device(NULL));
    assert_null(engine_info_userns_mode(NULL));
}

static void versions(void **state)
{
    (void)state;
    static const struct {
        const char *version;
        bool rootless, refused;
    } version_rows[] = {
        {"v1.20.2", false, false}, {"v1.20.2", true, true},       {"v1.21.14", true, true},
        {"v1.22.0", true, false},  {"v1.37.0-rc.1", true, false}, {"v2.0.0", true, false},
        {NULL, true, false},       {"odd", true, false},          {"", true, false},
    };
    for (size_t i = 0; i < COUNT_OF(version_rows); i++) {
        cleanup_error struct error *err = NULL;
        const struct engine_info info = {.os = "linux", .rootless = version_rows[i].rootless};
        const char *version = version_rows[i].version;
        cleanup_free char *want = version_rows[i].refused
                                      ? memory_format("Kubernetes %s cannot run on a rootless "
                                                      "engine; take an image of v1.22 or newer",
                                                      version)
                                      : NULL;
        test_row(version);
        assert_int_equal(engine_info_check_version(&info, version, &err), want ? -1 : 0);
        test_equal(err ? err->message : NULL, want);
    }
}

/* The first action of a cluster asks, and a cluster is not begun where its nodes could not run. */
static void is_asked_first(void **state)
{
    (void)state;
    static const char yaml[] = "kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\nname: a\n";
    static const struct {
        const char *info, *failure;
    } row_bodies[] = {
        {"{}", NULL},
        {"{\"SecurityOptions\":[\"name=rootless\"]}", NULL},
        {"{\"CgroupDriver\":\"none\"}",
         "check the engine: the engine is rootless and may not limit memory pids cpu" DELEGATE},
    };
    struct fake_lab lab;
    fake_lab_open(&lab, NULL);
    const struct cluster_spec *spec = fake_lab_spec(&lab, yaml);
    for (size_t i = 0; i < COUNT_OF(row_bodies); i++) {
        test_row(row_bodies[i].info);
        fake_lab_control(&lab, "POST /_fake/info", row_bodies[i].info);
        struct error *failure = fake_lab_apply(&lab, spec, ACTION_NETWORK, "kind");
        test_equal(failure ? failure->message : NULL, row_bodies[i].failure);
        error_free(failure);
    }
    fake_lab_close(&lab);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(engines),
        cmocka_unit_test(versions),
        cmocka_unit_test(is_asked_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
