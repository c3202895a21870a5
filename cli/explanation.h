/*
 * explanation.h - what `kind explain` says, from what was seen and remembered. Pure.
 *
 *     nightly is not Ready, for 4 min 10 s
 *       what      nightly-worker: join node: kubeadm join: not done after 300 s
 *       cause     the host's inotify instances are used up
 *       evidence  kubelet of nightly-worker: inotify_init: too many open files
 *       cure      sysctl -w fs.inotify.max_user_instances=1024
 *       next      given up after 3 tries; `kind apply` tries again
 */
#ifndef CLI_EXPLANATION_H
#define CLI_EXPLANATION_H

#include "base/arena.h"
#include "base/text.h"
#include "cli/last_failure.h"
#include "model/state.h"
#include <stdbool.h>
#include <stdint.h>

struct explanation {
    const char *cluster;
    const struct cluster_state *listed; /* NULL: it is not there */
    const struct cluster_state *state;  /* as seen now; NULL: not there, or the look failed */
    const char *looked;                 /* why the look failed, or NULL */
    bool owned;
    const struct last_failure *live; /* what was found now; NULL: nothing was looked for */
    const struct last_failure *last; /* what is remembered, or NULL */
    const char *worker;              /* who works on the fleet now, or NULL */
    uint64_t now_s;
};

/* What is not well now, in words; NULL: nothing that can be seen. */
const char *explanation_trouble(struct arena *arena, const struct explanation *about);

void explanation_print(struct arena *arena, const struct explanation *about, struct text *text);
void explanation_json(struct arena *arena, const struct explanation *about, struct text *text);

#endif
