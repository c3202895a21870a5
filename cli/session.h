/*
 * session.h - one invocation's connection to an engine: loop, transport, driver.
 *
 * Opened by commands that talk to an engine, and only then: nothing is
 * connected before the first operation. Which kubeconfig to use is found out
 * for commands that use one (USES_KUBECONFIG); others need not have any.
 */
#ifndef CLI_SESSION_H
#define CLI_SESSION_H

#include "cli/command.h"
#include "drivers/docker.h"
#include "drivers/driver.h"
#include "model/diagnosis.h"
#include "reconciler/engine.h"
#include <uv.h>

enum session_rule {
    SESSION_OWN_ONLY,  /* act on what carries our fleet's label */
    SESSION_ANY_OWNER, /* upstream's imperative commands: on what carries the cluster's label */
};

struct session {
    uv_loop_t loop;
    struct transport *transport;
    struct driver *driver;
    struct kubeconfig_paths kubeconfig;
    char *engine; /* "unix:///var/run/docker.sock", for messages and the lock */
    uv_signal_t interrupt, terminate;
    struct engine *running; /* what a signal stops */
    unsigned signals;
    int first_signal; /* SIGINT or SIGTERM; 0: none came */
};

int session_open(struct session *session, const struct invocation *invocation,
                 enum session_rule rule, struct error **err);
void session_close(struct session *session);

/* Runs the loop until the operation has ended. */
int session_list(struct session *session, struct arena *arena, struct fleet_state *fleet,
                 struct error **err);

/* One look at a cluster, and how it ended. */
struct session_look {
    const char *cluster;
    struct cluster_state *state; /* in the arena; says something only without a failure */
    struct error *failure;       /* NULL: it went well; the caller's */
};

/* The same, at containers and marks alone. */
void session_look_at(struct session *session, struct arena *arena, struct session_look *looks,
                     size_t count);

/* Looks at all of them, several at a time. A look that fails keeps no other from going on. */
void session_observe(struct session *session, struct arena *arena, struct session_look *looks,
                     size_t count);

int session_read_admin(struct session *session, const char *cluster, struct arena *arena,
                       struct admin_access *admin, struct error **err);

/*
 * What there is to be seen of a cluster that is not well: as after an action
 * that failed with these words. Into the evidence of diagnosis, which is not
 * concluded yet.
 */
void session_collect(struct session *session, const char *cluster, const char *words,
                     struct diagnosis *diagnosis);

/*
 * Runs the engine to its end. SIGINT and SIGTERM let running steps end; a
 * second one cancels them. deadline_ms 0: none. tick is called every tenth of
 * a second if given.
 */
struct session_run {
    uint64_t deadline_ms;
    void (*tick)(void *context, uint64_t now_ms);
    void *context;
};
enum session_end { SESSION_FINISHED, SESSION_INTERRUPTED, SESSION_DEADLINE };
enum session_end session_run(struct session *session, struct engine_options *options,
                             struct engine *(*make)(const struct engine_options *, void *),
                             void *make_context, const struct session_run *run,
                             struct engine **engine);

#endif
