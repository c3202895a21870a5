/*
 * fake_life.h - the life of a cluster in a lab, one action after the other: each meets faults at
 * its requests, is stopped on its way, and must do its work when it is asked again. For tests.
 */
#ifndef DRIVERS_FAKE_LIFE_H
#define DRIVERS_FAKE_LIFE_H

#include "drivers/fake_lab.h"

/*
 * One action. Its stride, if it is not 0, is for what takes long: each kind of
 * fault is met by every so many-th request only, but each request still meets
 * some fault; and it is drained at every so many-th moment, canceled twice as
 * often.
 */
struct life_row {
    enum action_kind kind;
    const char *subject;
    unsigned stride;
};

struct fake_life {
    const struct fake_settings *settings;
    const char *yaml;
    void (*prepare)(struct cluster_spec *spec); /* what yaml cannot say; may be NULL */
    const struct life_row *rows;                /* in an order of plan.h */
    size_t row_count;
    /* Fails the test if the world is not as it has to be now that the row was done. */
    void (*check)(struct fake_lab *lab, const struct life_row *row);
    /* So that the action has all of its work to do once more. */
    void (*undo)(struct fake_lab *lab, const struct cluster_spec *spec, const struct life_row *row);
};

/* A lab in which the first so many rows have been done, and its spec. */
const struct cluster_spec *fake_life_open(const struct fake_life *life, struct fake_lab *lab,
                                          size_t rows);

/* Does it, and fails the test if that fails. */
void fake_life_do(struct fake_lab *lab, const struct cluster_spec *spec, enum action_kind kind,
                  const char *subject);

/* Does all that sets up the cluster of a spec, in the order of plan.h, before this kind of action.
 */
void fake_life_until(struct fake_lab *lab, const struct cluster_spec *spec, enum action_kind kind);

/* One fault at each request of each action. */
void fake_life_meets_every_fault(const struct fake_life *life);

/* Drained and canceled at each moment of each action. */
void fake_life_stops_at_every_moment(const struct fake_life *life);

#endif
