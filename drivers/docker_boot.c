/* Waiting for a node to boot, by its log, and for containerd in it. */
#include "drivers/docker_flow.h"

#include <string.h>

enum { LOG_LINE_MAX = 4096, LOG_TAIL_MAX = 2000 };

/*
 * Before these lines no command may enter the container: systemd must have
 * emptied the root cgroup first (cgroup v2). Upstream waits for the same.
 */
static bool line_says_booted(const char *line)
{
    const char *reached = strstr(line, "Reached target ");
    return (reached && strstr(reached, "Multi-User System")) || strstr(line, "detected cgroup v1");
}

static void log_line(void *context, const char *line, size_t length)
{
    struct docker_flow *df = context;
    if (line_says_booted(line))
        df->boot_seen = true;
    if (df->tail.length + length > LOG_TAIL_MAX)
        text_clear(&df->tail);
    text_add_bytes(&df->tail, line, length < LOG_TAIL_MAX ? length : LOG_TAIL_MAX);
    text_add(&df->tail, "\n");
}

static bool log_data(void *context, const char *bytes, size_t length)
{
    struct docker_flow *df = docker_flow_of(context);
    line_reader_feed(&df->lines, bytes, length);
    return !df->boot_seen;
}

/* "2026-11-21T03:08:26.123Z" as Unix seconds; 0 when it cannot be read (then all lines count). */
long long docker_started_at(const char *body, size_t length)
{
    json_t *seen = json_loadb(body, length, 0, NULL);
    const char *text =
        json_string_value(json_object_get(json_object_get(seen, "State"), "StartedAt"));
    long long seconds = text ? kube_time(text) : 0;
    json_decref(seen);
    return seconds > 0 ? seconds : 0;
}

static void follow_log(struct flow *flow, long long since)
{
    struct docker_flow *df = docker_flow_of(flow);
    if (df->lines_open)
        line_reader_done(&df->lines);
    line_reader_init(&df->lines, LOG_LINE_MAX, log_line, df);
    df->lines_open = true;
    df->boot_seen = false;
    text_clear(&df->tail);
    const char *path =
        arena_format(flow->arena, "/containers/%s/logs?follow=1&stdout=1&stderr=1&since=%lld",
                     df->found->id, since);
    struct request request = {.method = "GET", .on_data = log_data, .one_shot = true};
    flow_send_request(flow, path, request);
}

/* The last line that says something, for the error. */
static const char *last_line(struct flow *flow, const char *text)
{
    const char *end = text + strlen(text);
    while (end > text && (end[-1] == '\n' || end[-1] == '\r' || end[-1] == ' '))
        end--;
    const char *begin = end;
    while (begin > text && begin[-1] != '\n')
        begin--;
    return end > begin ? arena_string_n(flow->arena, begin, (size_t)(end - begin)) : "nothing";
}

enum step_status docker_await_boot(struct flow *flow, const struct answer *answer,
                                   struct error **err)
{
    struct docker_flow *df = docker_flow_of(flow);
    if (!answer) {
        flow_send(flow, "GET", arena_format(flow->arena, "/containers/%s/json", df->found->id),
                  NULL);
        return STEP_WAITING;
    }
    if (flow->turn == 1) {
        if (answer->status != 200)
            return docker_refused(flow, answer, "look at the container", err);
        flow->waiting_for = "no line of its log says that it has booted; too low limits of the "
                            "host are the usual cause (sysctl fs.inotify.max_user_instances)";
        follow_log(flow, docker_started_at(answer->body, answer->length));
        return STEP_WAITING;
    }
    if (answer->status != 200)
        return docker_refused(flow, answer, "read the node's log", err);
    line_reader_end(&df->lines);
    if (df->boot_seen)
        return STEP_DONE;
    error_set(err, ERROR_UNAVAILABLE, "the node stopped while booting; the last it said was: %s",
              last_line(flow, df->tail.data));
    return STEP_FAILED;
}

enum step_status docker_await_containerd(struct flow *flow, const struct answer *answer,
                                         struct error **err)
{
    (void)err;
    static const char *const argv[] = {"systemctl", "start", "containerd.service", NULL};
    if (!answer) {
        flow_exec(flow, docker_flow_of(flow)->found->id, argv);
        return STEP_WAITING;
    }
    if (answer->exit_code == 0)
        return STEP_DONE;
    /* On cgroup v1 commands may come before systemd listens. */
    flow->waiting_for = last_line(flow, answer->body);
    return STEP_AGAIN;
}
