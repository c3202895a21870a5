/*
 * docker_preload.h - images on their way from the engine into a node. Private to
 * docker_preload.c, which knows which, and docker_carry.c, which knows how.
 */
#ifndef DRIVERS_DOCKER_PRELOAD_H
#define DRIVERS_DOCKER_PRELOAD_H

#include "drivers/docker_flow.h"
#include "drivers/spool.h"

enum stage {
    STAGE_LOOK,
    STAGE_PULL,
    STAGE_LOOK_AGAIN,
    STAGE_SAVE,
    STAGE_PUT,
    STAGE_IMPORT,
    STAGE_CLEAN
};

/* In the flow's arena, as docker_flow's `preload`. */
struct preload {
    struct string_list wanted; /* as the user wrote them */
    size_t looked;             /* of wanted */
    const char **missing;
    size_t missing_count;
    size_t next;             /* of missing */
    const char *snapshotter; /* NULL: containerd's default */

    /* of the image on its way */
    enum stage stage;
    const char *name;     /* with a tag */
    const char *platform; /* JSON; NULL: cannot be named, or need not be */
    struct spool spool;
    struct error *trouble; /* told when the node has been cleaned */

    void (*release)(struct flow *flow); /* of all that is not ours */
};

static inline struct preload *preload_of(struct flow *flow)
{
    return docker_flow_of(flow)->preload;
}

/* Row: brings the next of `missing`, and is run again while there are more. */
enum step_status docker_carry(struct flow *, const struct answer *, struct error **);

/* Row: removes from the node what a try that was cut short has left. */
enum step_status docker_carry_remove(struct flow *, const struct answer *, struct error **);

#endif
