/*
 * host_limits.h - what the engine's host has left, and whether new nodes fit.
 *
 * Plain data, read elsewhere (drivers/host_read.h); judging is pure. What is
 * not known is HOST_UNKNOWN and never a problem.
 */
#ifndef MODEL_HOST_LIMITS_H
#define MODEL_HOST_LIMITS_H

#include "base/arena.h"
#include "base/text.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HOST_UNKNOWN INT64_C(-1)

/* A limit and how much of it is in use. */
struct host_quota {
    int64_t max, used;
};

struct host_limits {
    /* Of the user that nodes run as: root, but for a rootless engine. */
    struct host_quota inotify_instances, inotify_watches;
    struct host_quota keys, key_bytes;
    struct host_quota threads; /* the least of pid_max, threads-max and the cgroup's pids.max */
    int64_t memory_bytes, memory_free_bytes; /* the least of the host's and the cgroup's */
    const char *disk;                        /* folder of the engine's data; NULL: not known */
    int64_t disk_bytes, disk_free_bytes, inodes_free;
};

/* All unknown. */
extern const struct host_limits host_limits_unknown;

/* A port of the host that the cluster asks for, and that cannot be had. */
struct host_port {
    const char *address; /* "127.0.0.1" */
    int32_t port;
    const char *holder; /* "nginx (process 812)"; NULL: not known */
};

/* What is to be made. */
struct host_need {
    size_t control_planes, workers;
    const struct host_port *taken; /* ports found taken */
    size_t taken_count;
};

struct host_problem {
    bool certain;     /* it cannot go well: a refusal, not a warning */
    const char *what; /* "inotify instances: 120 of 128 are in use, 2 nodes need about 28" */
    const char *cure; /* a command */
};

enum { HOST_PROBLEMS_MAX = 24 };

struct host_problems {
    struct host_problem items[HOST_PROBLEMS_MAX];
    size_t count;
};

void host_limits_judge(struct arena *arena, const struct host_limits *limits,
                       const struct host_need *need, struct host_problems *problems);

/*
 * As evidence, a line each: "inotify instances: 127 of 128 used, exhausted". What is nearly used up
 * is said to be exhausted.
 */
void host_limits_print(const struct host_limits *limits, struct text *text);

#endif
