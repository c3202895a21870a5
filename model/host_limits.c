#include "model/host_limits.h"

#include "base/memory.h"

/*
 * What a node uses, measured on Kubernetes 1.20 a few seconds after Ready and
 * rounded up, since newer ones watch more: a control plane had 12 inotify
 * instances, 277 watches, 191 threads and 490 MiB, a worker 11, 150, 79 and
 * 90 MiB; each took 23 keys of 1100 bytes.
 */
static const struct cost {
    int64_t instances, watches, threads, memory_bytes, keys, key_bytes;
} control_plane_cost = {14, 400, 250, INT64_C(640) << 20, 30, 1500},
  worker_cost = {14, 250, 120, INT64_C(200) << 20, 30, 1500};

static const int64_t mib = INT64_C(1) << 20, gib = INT64_C(1) << 30;

enum { EXHAUSTED_PERCENT = 95 };

#define NO_QUOTA                                                                                   \
    {                                                                                              \
        HOST_UNKNOWN, HOST_UNKNOWN                                                                 \
    }

const struct host_limits host_limits_unknown = {
    .inotify_instances = NO_QUOTA,
    .inotify_watches = NO_QUOTA,
    .keys = NO_QUOTA,
    .key_bytes = NO_QUOTA,
    .threads = NO_QUOTA,
    .memory_bytes = HOST_UNKNOWN,
    .memory_free_bytes = HOST_UNKNOWN,
    .disk_bytes = HOST_UNKNOWN,
    .disk_free_bytes = HOST_UNKNOWN,
    .inodes_free = HOST_UNKNOWN,
};

static int64_t total(const struct host_need *need, int64_t of_control_plane, int64_t of_worker)
{
    return (int64_t)need->control_planes * of_control_plane + (int64_t)need->workers * of_worker;
}

static void add(struct host_problems *problems, struct host_problem problem)
{
    if (problems->count < HOST_PROBLEMS_MAX)
        problems->items[problems->count++] = problem;
}

/* "1 node needs", "3 nodes need" */
static const char *who_needs(struct arena *arena, const struct host_need *need)
{
    size_t nodes = need->control_planes + need->workers;
    return arena_format(arena, "%zu new node%s", nodes, nodes == 1 ? " needs" : "s need");
}

/* Use that is not known counts as none: then the limit alone must do. */
static void judge_quota(struct arena *arena, const struct host_quota *quota, const char *what,
                        int64_t wanted, const char *cure, const struct host_need *need,
                        struct host_problems *problems)
{
    int64_t used = quota->used == HOST_UNKNOWN ? 0 : quota->used;
    if (quota->max == HOST_UNKNOWN || used + wanted <= quota->max)
        return;
    const char *said =
        quota->used == HOST_UNKNOWN
            ? arena_format(arena, "%s: the limit is %lld", what, (long long)quota->max)
            : arena_format(arena, "%s: %lld of %lld are in use", what, (long long)quota->used,
                           (long long)quota->max);
    add(problems,
        (struct host_problem){.what = arena_format(arena, "%s, %s about %lld more", said,
                                                   who_needs(arena, need), (long long)wanted),
                              .cure = cure});
}

static void judge_memory(struct arena *arena, const struct host_limits *limits,
                         const struct host_need *need, struct host_problems *problems)
{
    int64_t wanted = total(need, control_plane_cost.memory_bytes, worker_cost.memory_bytes);
    if (limits->memory_free_bytes == HOST_UNKNOWN || wanted <= limits->memory_free_bytes)
        return;
    add(problems, (struct host_problem){
                      .what = arena_format(arena, "memory: %lld MiB are free, %s about %lld MiB",
                                           (long long)(limits->memory_free_bytes / mib),
                                           who_needs(arena, need), (long long)(wanted / mib)),
                      .cure = "free -h; fewer nodes or clusters, or more memory"});
}

/* Below the first nothing starts; the second is what pods and images are likely to want. */
static void judge_disk(struct arena *arena, const struct host_limits *limits,
                       const struct host_need *need, struct host_problems *problems)
{
    int64_t wanted = 2 * gib + total(need, gib, gib / 2);
    if (limits->disk_free_bytes != HOST_UNKNOWN && limits->disk_free_bytes < wanted)
        add(problems,
            (struct host_problem){
                .certain = limits->disk_free_bytes < gib,
                .what = arena_format(arena, "disk: %lld MiB are free at %s, %s about %lld MiB",
                                     (long long)(limits->disk_free_bytes / mib), limits->disk,
                                     who_needs(arena, need), (long long)(wanted / mib)),
                .cure = "docker system df; docker system prune; docker volume prune"});
    if (limits->inodes_free != HOST_UNKNOWN && limits->inodes_free < 5000 * total(need, 1, 1))
        add(problems, (struct host_problem){
                          .what = arena_format(arena, "disk: %lld inodes are free at %s",
                                               (long long)limits->inodes_free, limits->disk),
                          .cure = "df -i; docker system prune"});
}

static void judge_ports(struct arena *arena, const struct host_need *need,
                        struct host_problems *problems)
{
    for (size_t i = 0; i < need->taken_count; i++) {
        const struct host_port *port = &need->taken[i];
        add(problems,
            (struct host_problem){
                .certain = true,
                .what =
                    arena_format(arena, "host port %s:%d is in use%s%s", port->address, port->port,
                                 port->holder ? " by " : "", port->holder ? port->holder : ""),
                .cure = "stop what listens there, or change apiServerPort or extraPortMappings (0 "
                        "picks a free port)"});
    }
}

void host_limits_judge(struct arena *arena, const struct host_limits *limits,
                       const struct host_need *need, struct host_problems *problems)
{
    *problems = (struct host_problems){.count = 0};
    judge_ports(arena, need, problems);
    if (!need->control_planes && !need->workers)
        return;
    const struct cost *first = &control_plane_cost, *other = &worker_cost;
    judge_disk(arena, limits, need, problems);
    judge_quota(arena, &limits->inotify_instances, "inotify instances",
                total(need, first->instances, other->instances),
                "sysctl -w fs.inotify.max_user_instances=1024", need, problems);
    judge_quota(arena, &limits->inotify_watches, "inotify watches",
                total(need, first->watches, other->watches),
                "sysctl -w fs.inotify.max_user_watches=524288", need, problems);
    judge_quota(arena, &limits->keys, "kernel keys", total(need, first->keys, other->keys),
                "sysctl -w kernel.keys.maxkeys=20000", need, problems);
    judge_quota(arena, &limits->key_bytes, "bytes of kernel keys",
                total(need, first->key_bytes, other->key_bytes),
                "sysctl -w kernel.keys.maxbytes=500000", need, problems);
    judge_quota(arena, &limits->threads, "processes and threads",
                total(need, first->threads, other->threads),
                "sysctl -w kernel.pid_max=4194304; look at pids.max of the engine's cgroup", need,
                problems);
    judge_memory(arena, limits, need, problems);
}

/* --- as evidence --- */

static void print_quota(const struct host_quota *quota, const char *what, struct text *text)
{
    if (quota->max == HOST_UNKNOWN)
        return;
    if (quota->used == HOST_UNKNOWN) {
        text_add_format(text, "%s: at most %lld\n", what, (long long)quota->max);
        return;
    }
    bool exhausted = quota->used >= quota->max / 100 * EXHAUSTED_PERCENT +
                                        quota->max % 100 * EXHAUSTED_PERCENT / 100;
    text_add_format(text, "%s: %lld of %lld used%s\n", what, (long long)quota->used,
                    (long long)quota->max, exhausted ? ", exhausted" : "");
}

void host_limits_print(const struct host_limits *limits, struct text *text)
{
    print_quota(&limits->inotify_instances, "inotify instances", text);
    print_quota(&limits->inotify_watches, "inotify watches", text);
    print_quota(&limits->keys, "kernel keys", text);
    print_quota(&limits->key_bytes, "bytes of kernel keys", text);
    print_quota(&limits->threads, "processes and threads", text);
    if (limits->memory_free_bytes != HOST_UNKNOWN)
        text_add_format(text, "memory of the host: %lld MiB free%s\n",
                        (long long)(limits->memory_free_bytes / mib),
                        limits->memory_free_bytes < 64 * mib ? ", exhausted" : "");
    if (limits->disk_free_bytes != HOST_UNKNOWN)
        text_add_format(text, "disk at %s: %lld MiB free%s\n", limits->disk,
                        (long long)(limits->disk_free_bytes / mib),
                        limits->disk_free_bytes < 256 * mib ? ", exhausted" : "");
    if (limits->inodes_free != HOST_UNKNOWN)
        text_add_format(text, "inodes of the disk: %lld free%s\n", (long long)limits->inodes_free,
                        limits->inodes_free < 100 ? ", exhausted" : "");
}
