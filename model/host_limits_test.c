#include "model/host_limits.h"

#include "base/memory.h"
#include "base/test.h"

#define GIB (INT64_C(1) << 30)
#define MIB (INT64_C(1) << 20)

static struct host_limits plenty(void)
{
    return (struct host_limits){
        .inotify_instances = {1024, 20},
        .inotify_watches = {524288, 100},
        .keys = {1000000, 200},
        .key_bytes = {25000000, 9000},
        .threads = {4194304, 300},
        .memory_bytes = 16 * GIB,
        .memory_free_bytes = 12 * GIB,
        .disk = "/var/lib/docker",
        .disk_bytes = 100 * GIB,
        .disk_free_bytes = 60 * GIB,
        .inodes_free = 1000000,
    };
}

static void few_instances(struct host_limits *limits)
{
    limits->inotify_instances = (struct host_quota){128, 100};
}
static void few_instances_unknown_use(struct host_limits *limits)
{
    limits->inotify_instances = (struct host_quota){16, HOST_UNKNOWN};
}
static void few_watches(struct host_limits *limits)
{
    limits->inotify_watches = (struct host_quota){8192, 8000};
}
static void few_keys(struct host_limits *limits)
{
    limits->keys = (struct host_quota){200, 180};
    limits->key_bytes = (struct host_quota){20000, 19000};
}
static void few_threads(struct host_limits *limits)
{
    limits->threads = (struct host_quota){512, 400};
}
static void little_memory(struct host_limits *limits)
{
    limits->memory_free_bytes = 700 * MIB;
}
static void little_disk(struct host_limits *limits)
{
    limits->disk_free_bytes = 2 * GIB;
}
static void no_disk(struct host_limits *limits)
{
    limits->disk_free_bytes = 1 * GIB - 1;
}
static void no_inodes(struct host_limits *limits)
{
    limits->inodes_free = 40;
}
static void nothing_known(struct host_limits *limits)
{
    *limits = host_limits_unknown;
}
static void as_is(struct host_limits *limits)
{
    (void)limits;
}

static const struct host_port port[] = {{"127.0.0.1", 6443, "nginx (process 7)"},
                                        {"0.0.0.0", 80, NULL}};

static void judges(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        void (*change)(struct host_limits *limits);
        size_t control_planes, workers, ports;
        const char *want; /* "! " before a refusal */
    } rows[] = {
        {"plenty", as_is, 3, 3, 0, ""},
        {"nothing known", nothing_known, 3, 3, 0, ""},
        {"nothing to make", few_instances, 0, 0, 0, ""},
        {"instances", few_instances, 1, 2, 0,
         "inotify instances: 100 of 128 are in use, 3 new nodes need about 42 more -> sysctl -w "
         "fs.inotify.max_user_instances=1024\n"},
        {"instances, just enough", few_instances, 1, 1, 0, ""},
        {"instances, use not known", few_instances_unknown_use, 1, 1, 0,
         "inotify instances: the limit is 16, 2 new nodes need about 28 more -> sysctl -w "
         "fs.inotify.max_user_instances=1024\n"},
        {"watches", few_watches, 1, 0, 0,
         "inotify watches: 8000 of 8192 are in use, 1 new node needs about 400 more -> sysctl -w "
         "fs.inotify.max_user_watches=524288\n"},
        {"keys", few_keys, 1, 0, 0,
         "kernel keys: 180 of 200 are in use, 1 new node needs about 30 more -> sysctl -w "
         "kernel.keys.maxkeys=20000\n"
         "bytes of kernel keys: 19000 of 20000 are in use, 1 new node needs about 1500 more -> "
         "sysctl -w kernel.keys.maxbytes=500000\n"},
        {"threads", few_threads, 0, 1, 0,
         "processes and threads: 400 of 512 are in use, 1 new node needs about 120 more -> sysctl "
         "-w kernel.pid_max=4194304; look at pids.max of the engine's cgroup\n"},
        {"memory", little_memory, 1, 1, 0,
         "memory: 700 MiB are free, 2 new nodes need about 840 MiB -> free -h; fewer nodes or "
         "clusters, or more memory\n"},
        {"memory for a control plane alone", little_memory, 1, 0, 0, ""},
        {"little disk", little_disk, 1, 0, 0,
         "disk: 2048 MiB are free at /var/lib/docker, 1 new node needs about 3072 MiB -> docker "
         "system df; docker system prune; docker volume prune\n"},
        {"no disk", no_disk, 0, 1, 0,
         "! disk: 1023 MiB are free at /var/lib/docker, 1 new node needs about 2560 MiB -> docker "
         "system df; docker system prune; docker volume prune\n"},
        {"no inodes", no_inodes, 0, 1, 0,
         "disk: 40 inodes are free at /var/lib/docker -> df -i; docker system prune\n"},
        {"ports", as_is, 1, 0, 2,
         "! host port 127.0.0.1:6443 is in use by nginx (process 7) -> stop what listens there, or "
         "change apiServerPort or extraPortMappings (0 picks a free port)\n"
         "! host port 0.0.0.0:80 is in use -> stop what listens there, or change apiServerPort or "
         "extraPortMappings (0 picks a free port)\n"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].name);
        cleanup_arena struct arena *arena = arena_new();
        struct host_limits limits = plenty();
        rows[i].change(&limits);
        struct host_need need = {.control_planes = rows[i].control_planes,
                                 .workers = rows[i].workers,
                                 .taken = port,
                                 .taken_count = rows[i].ports};
        struct host_problems problems;
        host_limits_judge(arena, &limits, &need, &problems);
        cleanup_text struct text text;
        text_init(&text, 0);
        for (size_t j = 0; j < problems.count; j++)
            text_add_format(&text, "%s%s -> %s\n", problems.items[j].certain ? "! " : "",
                            problems.items[j].what, problems.items[j].cure);
        test_equal(text.data, rows[i].want);
    }
}

static void prints(void **state)
{
    (void)state;
    cleanup_text struct text text;
    text_init(&text, 0);
    host_limits_print(&host_limits_unknown, &text);
    test_equal(text.data, "");
    struct host_limits limits = plenty();
    limits.inotify_instances = (struct host_quota){128, 127};
    limits.inotify_watches.used = HOST_UNKNOWN;
    limits.disk_free_bytes = 0;
    limits.inodes_free = 7;
    limits.memory_free_bytes = 0;
    host_limits_print(&limits, &text);
    test_equal(text.data, "inotify instances: 127 of 128 used, exhausted\n"
                          "inotify watches: at most 524288\n"
                          "kernel keys: 200 of 1000000 used\n"
                          "bytes of kernel keys: 9000 of 25000000 used\n"
                          "processes and threads: 300 of 4194304 used\n"
                          "memory of the host: 0 MiB free, exhausted\n"
                          "disk at /var/lib/docker: 0 MiB free, exhausted\n"
                          "inodes of the disk: 7 free, exhausted\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(judges),
        cmocka_unit_test(prints),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
