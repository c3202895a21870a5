/*
 * repo_poll.h - a git repository that is asked again and again whether its ref moved.
 *
 * Each look is one fetch (repo_source.h), every interval_ms with jitter, more and more seldom, up
 * to five minutes, while it fails, and at once when somebody asks. A new commit that is good is
 * handed over whole; one that cannot be used is told once, with the reason, and looked at again
 * with the next poll: what it lacked may be put right on this host, too.
 */
#ifndef RECONCILER_REPO_POLL_H
#define RECONCILER_REPO_POLL_H

#include "base/prng.h"
#include "reconciler/folder_source.h"
#include "reconciler/repo_source.h"

struct repo_poll_options {
    struct repo_options repo; /* its strings must last */
    uint32_t deadline_ms;     /* of one fetch */
    uint64_t interval_ms;
    uint64_t seed;
    const struct policy *policy; /* of what the clusters may ask for; NULL: the default for git */
    uv_loop_t *loop;
    struct transport *transport; /* its timers */
    struct source_listener listener;
};

struct repo_poll;

/* The first look begins from the loop, at once. */
struct repo_poll *repo_poll_open(const struct repo_poll_options *options);

/* A fetch that is under way is killed; the loop must run once more for its end. NULL is fine. */
void repo_poll_close(struct repo_poll *poll);

/* Somebody says that the ref moved: look, after the fetch that is under way if there is one. */
void repo_poll_now(struct repo_poll *poll);

/* What is read from now on is before this policy; what was handed over is the listener's. */
void repo_poll_judge_by(struct repo_poll *poll, const struct policy *policy);

/* How long until the next look: the interval, or longer after failures in a row. Pure. */
uint64_t repo_poll_pause_ms(uint64_t interval_ms, unsigned failures, struct prng *prng);

#endif
