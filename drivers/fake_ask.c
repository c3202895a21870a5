#include "drivers/fake_ask.h"

#include "base/memory.h"
#include <jansson.h>

enum { EXEC_MS = 100 }; /* more than any command of a test's world takes */

void fake_client_done(struct fake_client *client)
{
    free(TAKE(client->body));
}

static char *read_all(struct fake_client *client, struct fake_reply *reply)
{
    struct text text;
    text_init(&text, (size_t)1 << 30);
    uint64_t next_ms;
    text_add_bytes(&text, reply->body->text.data, reply->body->text.length);
    client->more = reply->stream &&
                   fake_stream_read(client->world, reply->stream, client->now_ms, &text, &next_ms);
    client->length = text.length;
    return text_take(&text);
}

const char *fake_ask_bytes(struct fake_client *client, const char *line, const char *content_type,
                           const void *body, size_t length)
{
    size_t split = strcspn(line, " ");
    cleanup_free char *method = memory_string_n(line, split);
    const struct fake_request request = {
        method, line + split + (line[split] == ' '), content_type, body, length, client->api_of};
    struct fake_reply reply;
    fake_world_handle(client->world, client->now_ms, &request, &reply);
    free(client->body);
    client->body = read_all(client, &reply);
    client->status = reply.ending == FAKE_ENDING_ANSWER ? reply.status : 0;
    fake_reply_done(&reply);
    return client->body;
}

const char *fake_ask(struct fake_client *client, const char *line, const char *body)
{
    return fake_ask_bytes(client, line, "application/json", body, body ? strlen(body) : 0);
}

/* {"Cmd": [...]} of words parted by blanks; caller frees. */
static char *exec_body(const char *command)
{
    json_t *words = json_array();
    while (*command) {
        size_t length = strcspn(command, " ");
        json_array_append_new(words, json_stringn(command, length));
        command += length + (command[length] == ' ');
    }
    json_t *body = json_pack("{s:b, s:b, s:o}", "AttachStdout", 1, "AttachStderr", 1, "Cmd", words);
    char *text = json_dumps(body, 0);
    json_decref(body);
    return text;
}

/* An integer or string of a reply's top level. */
static json_t *member(const char *body, const char *key)
{
    json_t *value = json_loads(body, 0, NULL);
    json_t *result = json_incref(json_object_get(value, key));
    json_decref(value);
    return result;
}

/* Reads what the command said, when it has ended. */
static void run(struct fake_client *client, const char *target)
{
    const struct fake_request request = {"POST", target, "application/json", "{}", 2, NULL};
    struct fake_reply reply;
    fake_world_handle(client->world, client->now_ms, &request, &reply);
    client->now_ms += EXEC_MS;
    free(client->body);
    client->body = read_all(client, &reply);
    client->status = reply.status;
    fake_reply_done(&reply);
}

int fake_exec(struct fake_client *client, const char *container, const char *command)
{
    cleanup_free char *body = exec_body(command);
    cleanup_free char *create = memory_format("POST /containers/%s/exec", container);
    json_t *id = member(fake_ask(client, create, body), "Id");
    if (!id)
        return -1;
    cleanup_free char *start = memory_format("/exec/%s/start", json_string_value(id));
    cleanup_free char *inspect = memory_format("GET /exec/%s/json", json_string_value(id));
    json_decref(id);
    run(client, start);
    char *output = TAKE(client->body);
    json_t *code = member(fake_ask(client, inspect, NULL), "ExitCode");
    int result = json_is_integer(code) ? (int)json_integer_value(code) : -1;
    json_decref(code);
    free(client->body);
    client->body = output;
    return result;
}
