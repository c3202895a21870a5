#include "drivers/steps.h"

#include "base/memory.h"
#include <assert.h>
#include <jansson.h>

/*
 * DESIGN: one function, advance(), runs rows until one waits. Every callback
 * (an answer, a pause that is over, a deadline) checks nothing but what it
 * came for and calls advance() or finish(). finish() is always the last thing
 * a callback does: the flow is gone after it.
 */
enum { EXEC_TAIL_BYTES = 16 * 1024, EXEC_INSPECTS_MAX = 200, CALL_MARGIN_MS = 1000 };

static void advance(struct flow *flow, const struct answer *answer);

static void stop_timer(struct flow *flow, struct transport_timer **timer)
{
    if (*timer)
        flow->transport->cancel_timer(flow->transport, *timer);
    *timer = NULL;
}

static void exec_done(struct flow *flow)
{
    if (flow->exec.stage != EXEC_NONE)
        demux_done(&flow->exec.demux);
    flow->exec.stage = EXEC_NONE;
}

/* Ends the flow; it must not be touched afterwards. */
static void finish(struct flow *flow, struct error *failure)
{
    if (flow->exchange)
        flow->transport->cancel(flow->transport, flow->exchange);
    flow->exchange = NULL;
    stop_timer(flow, &flow->pause);
    stop_timer(flow, &flow->deadline);
    exec_done(flow);
    error_free(flow->stream_failure);
    struct op *op = flow->op;
    op->running = NULL;
    flow->release(flow);
    op->ended(op, failure);
}

static void finish_canceled(struct flow *flow)
{
    struct error *canceled = NULL;
    error_set(&canceled, ERROR_CANCELED, "stopped before '%s'", flow->steps[flow->row].name);
    finish(flow, canceled);
}

static void deadline_passed(void *context)
{
    struct flow *flow = context;
    const struct step *step = &flow->steps[flow->row];
    flow->deadline = NULL;
    struct error *failure = NULL;
    error_set(&failure, ERROR_TIMEOUT, "%s: not done after %u s%s%s", step->name,
              step->timeout_ms / 1000, flow->waiting_for ? ": " : "",
              flow->waiting_for ? flow->waiting_for : "");
    finish(flow, failure);
}

static void pause_over(void *context)
{
    struct flow *flow = context;
    flow->pause = NULL;
    advance(flow, NULL);
}

static void pause_for(struct flow *flow, uint32_t delay_ms)
{
    flow->pause = flow->transport->after(flow->transport, delay_ms, pause_over, flow);
}

/* A row begins (not: is run again): its deadline starts, and it is told. */
static void begin_row(struct flow *flow)
{
    const struct step *step = &flow->steps[flow->row];
    stop_timer(flow, &flow->deadline);
    flow->tries = 0;
    flow->waiting_for = NULL;
    assert(step->timeout_ms);
    flow->deadline =
        flow->transport->after(flow->transport, step->timeout_ms, deadline_passed, flow);
    if (flow->op->step)
        flow->op->step(flow->op, step->name);
}

/* Runs the current row once; returns what it said. */
static enum step_status run_row(struct flow *flow, const struct answer *answer, struct error **err)
{
    const struct step *step = &flow->steps[flow->row];
    flow->turn = answer ? flow->turn + 1 : 0;
    flow->sent = false;
    enum step_status status = step->run(flow, answer, err);
    assert((status == STEP_FAILED) == (*err != NULL));
    assert((status == STEP_WAITING) == flow->sent);
    return status;
}

static void advance(struct flow *flow, const struct answer *answer)
{
    for (;; answer = NULL) {
        struct error *failure = NULL;
        if (!flow->steps[flow->row].name) {
            finish(flow, NULL);
            return;
        }
        if (!answer && flow->draining) {
            finish_canceled(flow);
            return;
        }
        if (!answer && flow->tries == 0)
            begin_row(flow);
        switch (run_row(flow, answer, &failure)) {
        case STEP_DONE:
            flow->row++;
            flow->tries = 0;
            break;
        case STEP_WAITING:
            return;
        case STEP_AGAIN:
            flow->tries++;
            pause_for(flow, flow->steps[flow->row].poll_ms);
            return;
        case STEP_FAILED:
            error_wrap(&failure, "%s", flow->steps[flow->row].name);
            finish(flow, failure);
            return;
        }
    }
}

void flow_begin(struct flow *flow)
{
    flow->op->running = flow;
    pause_for(flow, 0);
}

void flow_drain(struct flow *flow)
{
    flow->draining = true;
    /* A row that only polls would go on for minutes: it ends now. */
    if (flow->pause && flow->tries && flow->exec.stage == EXEC_NONE) {
        stop_timer(flow, &flow->pause);
        pause_for(flow, 0);
    }
}

void flow_cancel(struct flow *flow)
{
    struct error *canceled = NULL;
    error_set(&canceled, ERROR_CANCELED, "canceled");
    finish(flow, canceled);
}

void flow_note(struct flow *flow, const char *text)
{
    if (flow->op->note)
        flow->op->note(flow->op, text);
}

/* An exchange failed: the row hears of it if it is tolerant, else the flow ends. */
static void answer_failed(struct flow *flow, struct error *failure)
{
    exec_done(flow);
    if (flow->steps[flow->row].tolerant) {
        struct answer answer = {.body = "", .failure = failure};
        advance(flow, &answer);
        error_free(failure);
        return;
    }
    error_wrap(&failure, "%s", flow->steps[flow->row].name);
    finish(flow, failure);
}

static void exec_continue(struct flow *flow, const struct reply *reply);

static void exchange_over(void *context, const struct reply *reply, struct error *failure)
{
    struct flow *flow = context;
    flow->exchange = NULL;
    if (!failure && flow->stream_failure) {
        failure = flow->stream_failure;
        flow->stream_failure = NULL;
    }
    if (failure) {
        answer_failed(flow, failure);
        return;
    }
    if (flow->exec.stage != EXEC_NONE) {
        exec_continue(flow, reply);
        return;
    }
    struct answer answer = {
        .status = reply->status,
        .body = reply->body,
        .length = reply->length,
        .api_version = reply->api_version,
        .path_stat = reply->path_stat,
        .stopped = reply->stopped,
    };
    advance(flow, &answer);
}

void flow_send_request(struct flow *flow, const char *path, struct request request)
{
    assert(!flow->exchange);
    cleanup_free char *url = NULL;
    if (!request.url) {
        url = memory_format("%s%s", flow->base_url, path);
        request.url = url;
        request.unix_path = flow->unix_path;
        request.tls = flow->engine_tls;
    }
    if (!request.timeout_ms && !request.idle_ms)
        request.timeout_ms = flow->steps[flow->row].timeout_ms + CALL_MARGIN_MS;
    flow->sent = true;
    flow->exchange = flow->transport->send(flow->transport, &request, exchange_over, flow);
}

void flow_send(struct flow *flow, const char *method, const char *path, const char *json)
{
    struct request request = {
        .method = method,
        .content_type = json ? "application/json" : NULL,
        .body = json,
        .body_length = json ? strlen(json) : 0,
    };
    flow_send_request(flow, path, request);
}

static bool exec_data(void *context, const char *bytes, size_t length)
{
    struct flow *flow = context;
    return demux_feed(&flow->exec.demux, bytes, length, &flow->stream_failure) == 0;
}

static char *exec_body(const char *const *argv)
{
    json_t *command = json_array();
    for (size_t i = 0; argv[i]; i++)
        json_array_append_new(command, json_string(argv[i]));
    json_t *body = json_pack("{s:b,s:b,s:b,s:b,s:o}", "AttachStdout", 1, "AttachStderr", 1, "Tty",
                             0, "Privileged", 1, "Cmd", command);
    char *text = json_dumps(body, JSON_COMPACT);
    json_decref(body);
    return text;
}

void flow_exec(struct flow *flow, const char *container_id, const char *const *argv)
{
    flow->exec = (struct exec_run){.stage = EXEC_CREATE};
    demux_init(&flow->exec.demux, EXEC_TAIL_BYTES);
    cleanup_free char *body = exec_body(argv);
    cleanup_free char *path = memory_format("/containers/%s/exec", container_id);
    flow_send(flow, "POST", path, body);
}

static void exec_fail(struct flow *flow, enum error_kind kind, const char *what, const char *detail)
{
    struct error *failure = NULL;
    error_set(&failure, kind, "%s: %s", what, detail);
    answer_failed(flow, failure);
}

static void exec_start(struct flow *flow, const struct reply *reply)
{
    json_t *created = json_loadb(reply->body, reply->length, 0, NULL);
    const char *id = json_string_value(json_object_get(created, "Id"));
    bool valid = reply->status == 201 && id && strlen(id) < sizeof(flow->exec.id);
    if (valid)
        memcpy(flow->exec.id, id, strlen(id) + 1);
    json_decref(created);
    if (!valid) {
        /* 404: container gone; 409: it does not run. Both: look again. */
        exec_fail(flow,
                  reply->status == 404 || reply->status == 409 ? ERROR_CONFLICT : ERROR_UNAVAILABLE,
                  "the engine did not run the command", reply->body);
        return;
    }
    flow->exec.stage = EXEC_START;
    cleanup_free char *path = memory_format("/exec/%s/start", flow->exec.id);
    struct request request = {
        .method = "POST",
        .content_type = "application/json",
        .body = "{\"Detach\":false,\"Tty\":false}",
        .body_length = strlen("{\"Detach\":false,\"Tty\":false}"),
        .on_data = exec_data,
        .one_shot = true,
    };
    flow_send_request(flow, path, request);
}

static void exec_inspect(struct flow *flow)
{
    flow->exec.stage = EXEC_INSPECT;
    cleanup_free char *path = memory_format("/exec/%s/json", flow->exec.id);
    flow_send(flow, "GET", path, NULL);
}

static void exec_inspect_again(void *context)
{
    struct flow *flow = context;
    flow->pause = NULL;
    exec_inspect(flow);
}

/* The command has ended: hands its output and exit code to the row. */
static void exec_end(struct flow *flow, int exit_code)
{
    struct text output;
    text_init(&output, 0);
    text_add_bytes(&output, flow->exec.demux.out.data, flow->exec.demux.out.length);
    text_add_bytes(&output, flow->exec.demux.err.data, flow->exec.demux.err.length);
    exec_done(flow);
    struct answer answer = {
        .status = 200,
        .body = output.data,
        .length = output.length,
        .exit_code = exit_code,
    };
    advance(flow, &answer);
    text_done(&output);
}

static void exec_look(struct flow *flow, const struct reply *reply)
{
    json_t *seen = json_loadb(reply->body, reply->length, 0, NULL);
    json_t *running = json_object_get(seen, "Running");
    json_t *code = json_object_get(seen, "ExitCode");
    bool known = reply->status == 200 && json_is_boolean(running);
    bool ended = known && json_is_false(running) && json_is_integer(code);
    int exit_code = ended ? (int)json_integer_value(code) : -1;
    json_decref(seen);
    if (ended) {
        exec_end(flow, exit_code);
    } else if (known && flow->exec.polls++ < EXEC_INSPECTS_MAX) {
        /* The stream may end a moment before the engine has the exit code. */
        uint32_t delay_ms = flow->exec.polls < 5 ? 5U << flow->exec.polls : 200;
        flow->pause = flow->transport->after(flow->transport, delay_ms, exec_inspect_again, flow);
    } else {
        exec_fail(flow, ERROR_CONFLICT, "the command's exit code is not known", reply->body);
    }
}

static void exec_continue(struct flow *flow, const struct reply *reply)
{
    switch (flow->exec.stage) {
    case EXEC_CREATE:
        exec_start(flow, reply);
        return;
    case EXEC_START:
        if (reply->status >= 300)
            exec_fail(flow, ERROR_CONFLICT, "the engine did not start the command", reply->body);
        else
            exec_inspect(flow);
        return;
    case EXEC_INSPECT:
        exec_look(flow, reply);
        return;
    case EXEC_NONE:
        break;
    }
    assert(false);
}
