/*
 * trouble.h - what goes wrong in a simulation, request by request, chosen by a seed.
 *
 * Each class is counted when it is met. What the engine's own host suffers
 * (a restart, a clock that jumps) and what the process does (it dies, it is
 * interrupted) is only chosen here: the stage lets it happen.
 */
#ifndef SIM_TROUBLE_H
#define SIM_TROUBLE_H

#include "base/prng.h"
#include "base/text.h"
#include "drivers/fake_transport.h"

enum trouble_class {
    TROUBLE_UNHEARD,      /* not applied, never answered */
    TROUBLE_UNANSWERED,   /* applied, never answered */
    TROUBLE_REFUSED,      /* no connection */
    TROUBLE_DROPPED,      /* applied, then the connection ends */
    TROUBLE_NOT_FOUND,    /* 404, not applied */
    TROUBLE_CONFLICT,     /* 409, not applied */
    TROUBLE_BROKEN,       /* 500, not applied */
    TROUBLE_BROKEN_AFTER, /* 500, applied */
    TROUBLE_FULL,         /* 500: no space left on device; not applied */
    TROUBLE_SLOW,         /* up to a minute */
    TROUBLE_GARBAGE,      /* an answer that is none */
    TROUBLE_CUT,          /* half of an answer */
    TROUBLE_STALE,        /* a list of before */
    TROUBLE_ENGINE,       /* the engine restarts, with all that runs on it */
    TROUBLE_CLOCK,        /* the machine slept: time jumps by up to an hour */
    TROUBLE_SWAP,         /* somebody puts a container of theirs in place of one of ours */
    TROUBLE_INTERRUPT,    /* SIGINT to the process, once or twice */
    TROUBLE_CRASH_BEFORE, /* the process dies, the request was not applied */
    TROUBLE_CRASH_AFTER,  /* the process dies, the request was applied */
    TROUBLE_CLASSES,
};

const char *trouble_name(enum trouble_class class);

enum { TROUBLE_LISTS = 4 };

struct trouble {
    struct prng prng;
    unsigned per_mille; /* of the requests; 0: all is calm */
    size_t *counts;     /* of each class, for as long as the program runs */
    /* Lists as they were told before, by their path. */
    struct {
        char *target;
        struct text body;
    } lists[TROUBLE_LISTS];
    size_t next_list;
};

void trouble_init(struct trouble *trouble, uint64_t seed, size_t *counts);
void trouble_done(struct trouble *trouble);

/*
 * What becomes of a request. The class that was met, or TROUBLE_CLASSES, goes
 * to *met.
 */
struct fake_trouble trouble_meet(struct trouble *trouble, struct fake_transport *transport,
                                 const struct request *request, enum trouble_class *met);

#endif
