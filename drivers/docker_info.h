/*
 * docker_info.h - what the engine says of itself and its host, and what follows for nodes there.
 *
 * Parsing and judging are pure. Strings are in the arena.
 */
#ifndef DRIVERS_DOCKER_INFO_H
#define DRIVERS_DOCKER_INFO_H

#include "base/arena.h"
#include "base/error.h"
#include "drivers/steps.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct engine_info {
    const char *version; /* "20.10.24+dfsg1"; "" if it does not say */
    const char *os;      /* of containers: "linux" */
    bool rootless, userns_remap, cgroup_v2;
    bool memory_limit, pids_limit, cpu_shares; /* what it can limit */
    bool needs_dev_mapper;                     /* nodes must see the host's device mapper */
    int64_t memory_bytes;                      /* of the host; 0: not told */
    int32_t cpus;
    /* "lab1", "6.1.0-13-amd64", "/var/lib/docker"; "": not told */
    const char *host, *kernel, *data_folder;
};

/* A reply to GET /info; ERROR_UNAVAILABLE if it is none. */
int engine_info_parse(struct arena *arena, const char *body, size_t length,
                      struct engine_info *info, struct error **err);

/*
 * Whether nodes can run there; ERROR_INVALID says what is missing and what to
 * do. *warning (static text) is set if they can, but not for ever; else NULL.
 */
int engine_info_check(const struct engine_info *info, const char **warning, struct error **err);

/*
 * Whether a node of this Kubernetes version ("v1.20.2") can run there: a
 * rootless engine needs 1.22. A version that cannot be read is let pass.
 */
int engine_info_check_version(const struct engine_info *info, const char *version,
                              struct error **err);

/*
 * What goes into the creation of every container, load balancers included.
 * NULL for nothing, also when info is NULL, not known.
 */
const char *engine_info_bind(const struct engine_info *info);        /* in HostConfig.Binds */
const char *engine_info_device(const struct engine_info *info);      /* a path, with "rwm" */
const char *engine_info_userns_mode(const struct engine_info *info); /* HostConfig.UsernsMode */

/*
 * Row: asks the engine; the answer goes to docker_flow's `info`. Fails where
 * nodes cannot run. The row that warns also says the warning, as a note.
 */
enum step_status docker_read_info(struct flow *, const struct answer *, struct error **);
enum step_status docker_warn_info(struct flow *, const struct answer *, struct error **);

#define DOCKER_INFO                                                                                \
    {                                                                                              \
        .name = "check the engine", .run = docker_read_info, .timeout_ms = 10000                   \
    }
#define DOCKER_INFO_WARN                                                                           \
    {                                                                                              \
        .name = "check the engine", .run = docker_warn_info, .timeout_ms = 10000                   \
    }

#endif
