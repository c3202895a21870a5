/* What all step tables need to ask the engine and to read its answers. */
#include "drivers/docker_flow.h"

#include <string.h>

enum { MESSAGE_BYTES_MAX = 600, FILE_BYTES_MAX = 1024 * 1024 };

const char *docker_message(struct flow *flow, const struct answer *answer)
{
    if (answer->failure)
        return arena_string(flow->arena, answer->failure->message);
    json_t *body = json_loadb(answer->body, answer->length, 0, NULL);
    const char *message = json_string_value(json_object_get(body, "message"));
    if (!message)
        message = answer->body;
    size_t length = strnlen(message, MESSAGE_BYTES_MAX);
    while (length && (message[length - 1] == '\n' || message[length - 1] == '\r'))
        length--;
    const char *text = length ? arena_string_n(flow->arena, message, length)
                              : arena_format(flow->arena, "status %d", answer->status);
    json_decref(body);
    return text;
}

enum step_status docker_refused(struct flow *flow, const struct answer *answer, const char *what,
                                struct error **err)
{
    enum error_kind kind = ERROR_UNAVAILABLE;
    if (answer->status == 400 || answer->status == 401 || answer->status == 403)
        kind = ERROR_INVALID;
    else if (answer->status == 404 || answer->status == 409)
        kind = ERROR_CONFLICT;
    error_set(err, kind, "%s: the engine says: %s", what, docker_message(flow, answer));
    return STEP_FAILED;
}

static bool unreserved(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           strchr("-._~", c) != NULL;
}

const char *docker_path(struct flow *flow, const char *path, const char *raw_query_value)
{
    struct text text;
    text_init(&text, 0);
    text_add(&text, path);
    for (const char *c = raw_query_value; *c; c++) {
        if (unreserved(*c))
            text_add_bytes(&text, c, 1);
        else
            text_add_format(&text, "%%%02X", (unsigned)(unsigned char)*c);
    }
    const char *copy = arena_string(flow->arena, text.data);
    text_done(&text);
    return copy;
}

void docker_read_files(struct flow *flow, const char *container_id, const char *path)
{
    const char *base = arena_format(flow->arena, "/containers/%s/archive?path=", container_id);
    flow_send(flow, "GET", docker_path(flow, base, path), NULL);
}

int docker_files(struct flow *flow, const struct answer *answer, struct error **err)
{
    struct docker_flow *df = docker_flow_of(flow);
    df->files = (struct archive_files){0};
    if (answer->status == 404)
        return 0;
    if (answer->status != 200) {
        docker_refused(flow, answer, "read files of the node", err);
        return -1;
    }
    return archive_unpack(flow->arena, answer->body, answer->length, FILE_BYTES_MAX, &df->files,
                          err);
}

enum step_status docker_admin_conf(struct flow *flow, const struct answer *answer,
                                   const struct archive_file **file, struct error **err)
{
    struct docker_flow *df = docker_flow_of(flow);
    if (!answer) {
        if (!df->speaker) {
            error_set(err, ERROR_CONFLICT, "no control plane of %s is there", df->cluster);
            return STEP_FAILED;
        }
        docker_read_files(flow, df->speaker->id, "/etc/kubernetes/admin.conf");
        return STEP_WAITING;
    }
    if (docker_files(flow, answer, err))
        return STEP_FAILED;
    *file = archive_find(&df->files, "admin.conf");
    if (*file && (*file)->bytes)
        return STEP_DONE;
    /* The first by name may have been made anew, and not have joined yet. */
    const struct node_state *next = docker_next_speaker(df);
    if (next != df->speaker && flow->turn < df->seen->node_count) {
        df->found = df->found == df->speaker ? next : df->found;
        df->speaker = next;
        docker_read_files(flow, df->speaker->id, "/etc/kubernetes/admin.conf");
        return STEP_WAITING;
    }
    error_set(err, ERROR_CONFLICT, "%s has no admin.conf", df->speaker->name);
    return STEP_FAILED;
}

int docker_write_files(struct flow *flow, const char *container_id, const char *path,
                       const struct archive_file *files, size_t count, struct error **err)
{
    struct text tar;
    text_init(&tar, 0);
    int result = archive_pack(files, count, &tar, err);
    if (result == 0) {
        const char *base = arena_format(flow->arena, "/containers/%s/archive?path=", container_id);
        struct request request = {
            .method = "PUT",
            .content_type = "application/x-tar",
            .body = tar.data,
            .body_length = tar.length,
        };
        flow_send_request(flow, docker_path(flow, base, path), request);
    }
    text_done(&tar);
    return result;
}

const char *docker_fill(struct flow *flow, const char *text, const char *word, const char *with)
{
    struct text out;
    text_init(&out, 0);
    for (const char *found; (found = strstr(text, word)); text = found + strlen(word)) {
        text_add_bytes(&out, text, (size_t)(found - text));
        text_add(&out, with);
    }
    text_add(&out, text);
    const char *filled = arena_string(flow->arena, out.data);
    text_done(&out);
    return filled;
}
