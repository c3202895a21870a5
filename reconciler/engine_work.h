/*
 * engine_work.h - one cluster as the engine has it. Private to reconciler/engine*.c.
 */
#ifndef RECONCILER_ENGINE_WORK_H
#define RECONCILER_ENGINE_WORK_H

#include "reconciler/engine.h"

/*
 * What a cluster should be. Operations that run, and what was seen, borrow from
 * it, so it stays until the last of them has gone.
 */
struct wish {
    unsigned holders;
    struct arena *arena; /* NULL: what follows is the caller's */
    const struct cluster_spec *desired;
    const char *end_reason;
};

struct wish *wish_hold(struct wish *wish);
void wish_release(struct wish *wish); /* NULL is fine */

struct work;

struct running {
    struct op op;
    struct work *work;
    size_t action;
    uint64_t began_at_ms, elapsed_ms; /* elapsed_ms: when it had failed */
    bool busy;
    struct apply_input input;
    struct error *failure; /* whose evidence is being collected, by the same op */
    struct diagnosis *diagnosis;
};

struct work {
    struct engine *engine;
    const char *name;
    struct wish *wish;                  /* in force; its desired is this: */
    const struct cluster_spec *desired; /* NULL: must not exist */
    struct cycle *cycle;
    struct op observe;
    struct arena *seen_arena,
        *old_arena; /* of the last look; of the one before, until the cycle has moved on */
    struct wish *seen_wish, *old_wish; /* that those looks borrow from */
    struct cluster_state *seen;
    struct running running[CYCLE_PARALLEL_MAX];
    struct transport_timer *wake;
    enum engine_outcome outcome;
    uint64_t began_at_ms;
    size_t done;                 /* actions of this round that ended well */
    bool begun;                  /* and so counted in engine->active */
    bool waiting_told;           /* that it waits for another */
    struct error *vainly;        /* why it was never begun: what it waits for will not be Ready */
    struct diagnosis *diagnosis; /* of the round's first failure; NULL: there was none */

    /* Of an engine that stays alone. */
    char *own_name;
    struct wish *next;           /* takes effect when the round that runs has drained; or NULL */
    enum engine_priority wanted; /* a round is; ENGINE_NO_WAKE: none */
    uint64_t wanted_at;          /* in which order */
    uint64_t failed_at_ms;
    bool leaving;         /* to be forgotten when its round has drained */
    bool upheld, settled; /* as desired and Ready at the last look; once, since it is there */
    uint64_t seen_print;  /* of its containers then; 0: none were seen */
};

struct engine {
    struct engine_options options;
    struct work **works; /* sorted by name where the engine stays */
    size_t count, next, active;
    unsigned stops;
    bool finished_told;

    /* Of an engine that stays alone. */
    struct transport_timer *pump;
    uint64_t wanted_last;
    bool held;
};

uint64_t engine_now_ms(const struct engine *engine);
void engine_tell(struct work *work, struct report report);
void engine_step(struct work *work, struct event event);
void engine_wake_at(struct work *work, uint64_t at_ms);
void engine_conclude(struct work *work, enum engine_outcome outcome);
struct work *engine_new_work(struct engine *engine, const char *name, struct wish *wish);
void engine_free_work(struct work *work);

void engine_observe(struct work *work);

/* engine_queue.c: who may begin. */
void engine_begin(struct work *work);
void engine_begin_next(struct engine *engine);
void engine_finish(struct engine *engine); /* if nothing runs any more */
void engine_tell_waiting(struct work *work, const char *name);
const struct work *engine_find_work(const struct engine *engine, const char *name);
bool engine_is_ready(const struct work *work);

/* engine_standing.c: an engine that stays. */
void engine_came_due(struct work *work);                          /* a retry, or another look */
void engine_rest(struct work *work, enum engine_outcome outcome); /* its round is over */
void engine_take_next(struct work *work);   /* the newest wish is in force from here on */
bool engine_leaves(struct work *work);      /* true: it was to be forgotten, and is gone */
bool engine_looks_again(struct work *work); /* true: what was seen is of no use any more */

#endif
