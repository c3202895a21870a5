/*
 * steps.h - how a driver tells a story of several requests: a table of steps, and its interpreter.
 *
 * A row's `run` is called with answer NULL when it begins. It returns
 * STEP_DONE, STEP_FAILED, or STEP_WAITING after it has sent one request
 * (flow_send, flow_exec); the answer resumes the same row, which may send
 * another: `turn` counts the answers. STEP_AGAIN starts the row afresh after
 * poll_ms. A row that has not ended after timeout_ms fails with
 * ERROR_TIMEOUT, which names it and quotes `waiting_for` if the row set it.
 *
 * A request that fails ends the flow, unless the row is `tolerant`: then the
 * row is resumed with an answer whose failure is set.
 */
#ifndef DRIVERS_STEPS_H
#define DRIVERS_STEPS_H

#include "base/arena.h"
#include "base/error.h"
#include "drivers/driver.h"
#include "drivers/stream.h"
#include "drivers/transport.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum step_status { STEP_DONE, STEP_WAITING, STEP_AGAIN, STEP_FAILED };

/* What a row is resumed with. Strings are valid during the call only. */
struct answer {
    int status; /* of HTTP; 200 for a command that ran */
    const char *body;
    size_t length;
    const char *api_version, *path_stat; /* headers, or NULL */
    bool stopped;                        /* on_data ended the exchange */
    int exit_code;                       /* flow_exec only */
    const struct error *failure;         /* tolerant rows only; NULL: it was answered */
};

struct flow;

struct step {
    const char *name; /* shown as progress, and as error context */
    enum step_status (*run)(struct flow *flow, const struct answer *answer, struct error **err);
    uint32_t timeout_ms, poll_ms;
    bool tolerant;
    const void *data; /* of the row, for functions that serve several; see flow_row_data */
};

/* A running exec: create, start, inspect. */
struct exec_run {
    enum { EXEC_NONE, EXEC_CREATE, EXEC_START, EXEC_INSPECT } stage;
    char id[80];
    struct demux demux;
    unsigned polls;
};

/*
 * One running story. Drivers embed it as the first member of their own flow
 * structure, which `release` frees. Strings that must last live in `arena`.
 */
struct flow {
    struct transport *transport;
    const char *unix_path; /* of the engine */
    const char *base_url;  /* with version: "http://localhost/v1.41" */
    const struct transport_tls *engine_tls;
    struct op *op;
    struct arena *arena;
    const struct step *steps; /* ended by a row without a name */
    size_t row;
    unsigned turn;           /* answers seen in this run of the row */
    unsigned tries;          /* how often the row was run again */
    const char *waiting_for; /* set by rows that poll: "node is NotReady: ..."; in the arena */
    void (*release)(struct flow *flow);

    /* the interpreter's */
    struct exchange *exchange;
    struct transport_timer *pause, *deadline;
    struct exec_run exec;
    struct error *stream_failure;
    bool draining, ended_early, sent;
};

/*
 * Begins the flow at its first row; the op ends when the last row is done, or
 * with the failure of one, wrapped in the row's name.
 */
void flow_begin(struct flow *flow);
void flow_drain(struct flow *flow);
void flow_cancel(struct flow *flow);

/* The data of the row that is running. */
static inline const void *flow_row_data(const struct flow *flow)
{
    return flow->steps[flow->row].data;
}

/* The op's note callback, if it has one. */
void flow_note(struct flow *flow, const char *text);

/*
 * Sends a request to the engine: path is below the versioned base
 * ("/containers/json?all=1"); json may be NULL. One at a time.
 */
void flow_send(struct flow *flow, const char *method, const char *path, const char *json);

/* As flow_send, with everything settable; url NULL and unix_path NULL mean the engine's. */
void flow_send_request(struct flow *flow, const char *path, struct request request);

/*
 * Runs a command in a container by the engine's exec API, as root, and
 * answers with its exit code and the tail of its output (stderr after
 * stdout). argv ends with NULL. A command whose exit code the engine no
 * longer knows is a failure (ERROR_CONFLICT): look again.
 */
void flow_exec(struct flow *flow, const char *container_id, const char *const *argv);

#endif
