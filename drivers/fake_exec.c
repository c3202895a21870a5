#include "drivers/fake_exec.h"

#include "base/memory.h"
#include "drivers/fake_command.h"
#include "drivers/fake_container.h"
#include "drivers/fake_stream.h"

static bool may_exec(struct fake_call *call, const struct fake_container *container)
{
    if (container->run == FAKE_PAUSED)
        fake_call_error(call, 409, "Container %s is paused, unpause the container before exec",
                        call->subject);
    else if (container->run != FAKE_RUNNING)
        fake_call_error(call, 409, "Container %s is not running", container->id);
    return container->run == FAKE_RUNNING;
}

void fake_exec_create(struct fake_call *call)
{
    struct fake_container *container = fake_container_of(call, call->subject);
    if (!container || !may_exec(call, container))
        return;
    json_t *body = fake_call_json(call);
    if (json_array_size(json_object_get(body, "Cmd")) == 0) {
        fake_call_error(call, 400, "No exec command specified");
        json_decref(body);
        return;
    }
    struct fake_exec *exec = memory_new(sizeof(*exec));
    exec->id = fake_new_id(call->world);
    exec->container_id = memory_string(container->id);
    exec->request = body;
    HASH_ADD_KEYPTR(hh, call->world->execs, exec->id, strlen(exec->id), exec);
    fake_call_reply(call, 201, json_pack("{s:s}", "Id", exec->id));
}

/* They are forgotten when their container ends. */
static struct fake_exec *find(struct fake_call *call, struct fake_container **container)
{
    struct fake_exec *exec;
    HASH_FIND_STR(call->world->execs, call->subject, exec);
    *container = exec ? fake_container_find(call->world, exec->container_id) : NULL;
    if (*container && ((*container)->run == FAKE_RUNNING || (*container)->run == FAKE_PAUSED))
        return exec;
    fake_call_error(call, 404, "No such exec instance: %s", call->subject);
    return NULL;
}

static const char *const *arguments(struct arena *arena, json_t *command)
{
    size_t count = json_array_size(command);
    const char **list = arena_array(arena, count + 1, sizeof(*list));
    for (size_t i = 0; i < count; i++) {
        const char *word = json_string_value(json_array_get(command, i));
        list[i] = word ? word : "";
    }
    return list;
}

/* A frame of the multiplexed stream: 1 is stdout, 2 stderr. */
static void add_frame(struct text *stream, char type, const struct text *bytes)
{
    size_t length = bytes->length;
    const char header[8] = {
        type,        0, 0, 0, (char)(length >> 24), (char)(length >> 16), (char)(length >> 8),
        (char)length};
    if (length == 0)
        return;
    text_add_bytes(stream, header, sizeof(header));
    text_add_bytes(stream, bytes->data, length);
}

/* By then the engine has begun its stream of bytes: the refusal is in it. */
static void refuse_again(struct fake_call *call, const struct fake_exec *exec)
{
    struct text line, stream;
    text_init(&line, 0);
    text_init(&stream, 0);
    text_add_format(&line, "Error: Exec command %s has already run\r\n", exec->id);
    add_frame(&stream, 1, &line);
    fake_call_text(call, 200, "application/vnd.docker.raw-stream", "");
    call->reply->hijacked = true;
    call->reply->stream = fake_stream_text(&stream, call->now_ms);
    text_done(&stream);
    text_done(&line);
}

static void run(struct fake_call *call, struct fake_exec *exec, struct fake_container *container,
                struct text *stream)
{
    struct text out, err;
    text_init(&out, 0);
    text_init(&err, 0);
    struct fake_command command = {
        .call = call,
        .container = container,
        .arguments = arguments(call->arena, json_object_get(exec->request, "Cmd")),
        .out = &out,
        .err = &err,
    };
    exec->started = true;
    exec->exit_code = fake_command_run(&command);
    exec->ended_at_ms = call->now_ms + call->world->settings.exec_ms + command.more_ms;
    bool terminal = json_is_true(json_object_get(exec->request, "Tty"));
    if (terminal) {
        text_add_bytes(stream, out.data, out.length);
        text_add_bytes(stream, err.data, err.length);
    } else {
        add_frame(stream, 1, &out);
        add_frame(stream, 2, &err);
    }
    text_done(&out);
    text_done(&err);
}

void fake_exec_start(struct fake_call *call)
{
    struct fake_container *container;
    struct fake_exec *exec = find(call, &container);
    if (!exec || !may_exec(call, container))
        return;
    if (exec->started) {
        refuse_again(call, exec);
        return;
    }
    json_t *body = fake_call_json(call);
    bool detached = json_is_true(json_object_get(body, "Detach"));
    json_decref(body);
    struct text stream;
    text_init(&stream, 0);
    run(call, exec, container, &stream);
    if (detached) {
        fake_call_status(call, 200);
    } else {
        fake_call_text(call, 200, "application/vnd.docker.raw-stream", "");
        call->reply->hijacked = true;
        call->reply->stream = fake_stream_text(&stream, exec->ended_at_ms);
    }
    text_done(&stream);
}

void fake_exec_inspect(struct fake_call *call)
{
    struct fake_container *container;
    struct fake_exec *exec = find(call, &container);
    if (!exec)
        return;
    bool running = exec->started && call->now_ms < exec->ended_at_ms;
    bool ended = exec->started && !running;
    json_t *command = json_object_get(exec->request, "Cmd");
    fake_call_reply(call, 200,
                    json_pack("{s:s, s:b, s:o, s:s, s:i, s:{s:b, s:O?}}", "ID", exec->id, "Running",
                              running, "ExitCode",
                              ended ? json_integer(exec->exit_code) : json_null(), "ContainerID",
                              exec->container_id, "Pid", 4300, "ProcessConfig", "tty", 0,
                              "arguments", command));
}

void fake_execs_free(struct fake_world *world)
{
    struct fake_exec *exec, *next;
    HASH_ITER(hh, world->execs, exec, next)
    {
        HASH_DEL(world->execs, exec);
        json_decref(exec->request);
        free(exec->container_id);
        free(exec->id);
        free(exec);
    }
}
