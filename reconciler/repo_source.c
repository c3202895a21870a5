#include "reconciler/repo_source.h"

#include "base/memory.h"
#include "base/plain.h"
#include "model/path.h"
#include "reconciler/repo_message.h"
#include "reconciler/repo_mirror.h"
#include "reconciler/repo_reply.h"
#include "reconciler/repo_url.h"
#include "reconciler/repo_worker.h"
#include <assert.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

/*
 * DESIGN. The parent's half: it spawns, hands the request over, gathers the
 * reply within a limit, and kills when a deadline passes or nothing is heard
 * any more. The reply is foreign input: who made it had to do with strangers.
 * All handles are closed before the end is told.
 */

enum {
    TRANSFER_BYTES = 256 << 20,
    TOTAL_BYTES = 32 << 20,
    ENTRIES = 20000,
    STALL_MS = 30 * 1000,
    REPLY_BYTES_MORE = 4 << 20, /* names, stages, all that is no text */
    ENVIRONMENT_MAX = 16,
    LINE_BYTES_MAX = 2000,
};

enum { HANDLES = 5 };

struct repo_fetch {
    uv_loop_t *loop;
    struct arena *arena;
    repo_ended *ended;
    void *context;
    char *shown;
    uint32_t deadline_ms, stall_ms;
    uint64_t reply_limit;
    uv_process_t process;
    uv_pipe_t input, output;
    uv_timer_t deadline, stall;
    uv_write_t write;
    unsigned open; /* handles that are not closed yet */
    bool begun;    /* the process' handle is one */
    bool spawned, exited, drained, closing;
    int signal; /* that ended it */
    struct text request, reply;
    size_t offset; /* of the first record of the reply that is not looked at yet */
    bool complete; /* the last record has come */
    char *stage;
    struct error *failure;
};

/* --- names in a repository --- */

const char *repo_path_beside(struct arena *arena, const char *base, const char *path)
{
    const char *folder = path_folder(arena, base);
    if (*path == '/')
        return NULL;
    const char *joined =
        strcmp(folder, ".") == 0 ? path : arena_format(arena, "%s/%s", folder, path);
    unsigned depth = 0;
    for (const char *part = joined; *part;) {
        size_t length = strcspn(part, "/");
        if (length == 2 && strncmp(part, "..", 2) == 0) {
            if (depth-- == 0)
                return NULL;
        } else if (length && !(length == 1 && *part == '.')) {
            depth++;
        }
        part += length + (part[length] == '/');
    }
    return path_absolute(arena, "/", joined) + 1;
}

int repo_read_beside(void *context, struct arena *arena, const char *base, const char *path,
                     struct load_text *text, struct error **err)
{
    const struct repo_result *result = context;
    const char *file = repo_path_beside(arena, base, path);
    if (!file)
        return error_set(err, ERROR_INVALID, "%s is outside of the repository", path);
    for (size_t i = 0; i < result->file_count; i++) {
        const struct repo_file *found = &result->files[i];
        if (strcmp(found->text.file, file) != 0)
            continue;
        if (found->problem)
            return error_set(err, ERROR_INVALID, "%s", found->problem);
        *text = found->text;
        return 0;
    }
    return error_set(err, ERROR_INVALID, "%s: was not read from the repository", file);
}

/* --- the end --- */

static void tell_death(struct repo_fetch *fetch)
{
    const char *stage = fetch->stage ? fetch->stage : "beginning";
    if (fetch->signal == SIGXCPU)
        error_set(&fetch->failure, ERROR_UNAVAILABLE,
                  "%s: reading it takes more processor time than one repository may use (%s)",
                  fetch->shown, stage);
    else if (fetch->signal)
        error_set(&fetch->failure, ERROR_UNAVAILABLE,
                  "%s: the process that reads it was ended by signal %d (%s)", fetch->shown,
                  fetch->signal, stage);
    else
        error_set(&fetch->failure, ERROR_UNAVAILABLE,
                  "%s: the process that reads it ended without an answer (%s)", fetch->shown,
                  stage);
}

static void tell_end(struct repo_fetch *fetch)
{
    struct repo_result result = {0};
    struct error *failure = NULL;
    if (!fetch->failure && !fetch->complete)
        tell_death(fetch);
    if (!fetch->failure && !repo_reply_read(fetch->arena, fetch->reply.data, fetch->reply.length,
                                            fetch->reply_limit, &result, &failure)) {
        error_free(failure);
        failure = NULL;
        error_set(&fetch->failure, ERROR_INTERNAL,
                  "%s: the process that reads it gave an answer that makes no sense", fetch->shown);
    }
    if (fetch->failure) {
        error_free(failure);
        failure = TAKE(fetch->failure);
        result = (struct repo_result){0};
    }
    if (!failure && !result.unchanged)
        assert(result.revision.commit);
    fetch->ended(fetch->context, failure && !result.revision.commit ? NULL : &result, failure);
}

static void free_fetch(struct repo_fetch *fetch)
{
    text_done(&fetch->request);
    text_done(&fetch->reply);
    error_free(fetch->failure);
    free(fetch->shown);
    free(fetch->stage);
    free(fetch);
}

static void see_closed(uv_handle_t *handle)
{
    struct repo_fetch *fetch = handle->data;
    if (--fetch->open)
        return;
    tell_end(fetch);
    free_fetch(fetch);
}

static void close_handle(uv_handle_t *handle)
{
    if (!uv_is_closing(handle))
        uv_close(handle, see_closed);
}

static void close_all(struct repo_fetch *fetch)
{
    if (fetch->closing)
        return;
    fetch->closing = true;
    if (fetch->begun)
        close_handle((uv_handle_t *)&fetch->process);
    close_handle((uv_handle_t *)&fetch->input);
    close_handle((uv_handle_t *)&fetch->output);
    close_handle((uv_handle_t *)&fetch->deadline);
    close_handle((uv_handle_t *)&fetch->stall);
}

/* Both must have ended: what was written before the death is still to be read. */
static void close_when_over(struct repo_fetch *fetch)
{
    if (fetch->exited && fetch->drained)
        close_all(fetch);
}

/* The whole group: also what it runs to check a signature. */
static void kill_all(struct repo_fetch *fetch)
{
    if (fetch->spawned && !fetch->exited)
        (void)kill(-fetch->process.pid, SIGKILL);
}

/* --- what the loop tells --- */

static void see_exit(uv_process_t *process, int64_t status, int signal_number)
{
    struct repo_fetch *fetch = process->data;
    fetch->exited = true;
    (void)status;
    fetch->signal = signal_number;
    close_when_over(fetch);
}

static void see_deadline(uv_timer_t *timer)
{
    struct repo_fetch *fetch = timer->data;
    bool stalled = timer == &fetch->stall;
    uint32_t ms = stalled ? fetch->stall_ms : fetch->deadline_ms;
    if (!fetch->failure && !fetch->complete)
        error_set(&fetch->failure, ERROR_TIMEOUT, "%s: %s %u s; it was %s", fetch->shown,
                  stalled ? "nothing was heard for" : "not read within", (ms + 999) / 1000,
                  fetch->stage ? fetch->stage : "beginning");
    kill_all(fetch);
}

static void note_stage(struct repo_fetch *fetch, const struct repo_record *record)
{
    cleanup_free char *words = memory_string_n(record->value, record->length);
    cleanup_text struct text plain;
    text_init(&plain, LINE_BYTES_MAX);
    plain_add(&plain, words);
    free(fetch->stage);
    fetch->stage = text_take(&plain);
}

static void look_at_reply(struct repo_fetch *fetch)
{
    struct repo_record record;
    enum repo_reading reading = REPO_READ;
    while (!fetch->complete &&
           (reading = repo_record_next(fetch->reply.data, fetch->reply.length, fetch->reply_limit,
                                       &fetch->offset, &record)) == REPO_READ) {
        if (record.tag == REPO_STAGE)
            note_stage(fetch, &record);
        fetch->complete = record.tag == REPO_END;
    }
    if (reading == REPO_BROKEN || fetch->reply.overflow) {
        if (!fetch->failure)
            error_set(&fetch->failure, ERROR_INTERNAL,
                      "%s: the process that reads it gave an answer that makes no sense",
                      fetch->shown);
        kill_all(fetch);
    }
}

static void give_buffer(uv_handle_t *handle, size_t wanted, uv_buf_t *buffer)
{
    static char bytes[64 * 1024]; /* used and emptied within one callback */
    (void)handle;
    (void)wanted;
    *buffer = uv_buf_init(bytes, sizeof(bytes));
}

static void see_output(uv_stream_t *stream, ssize_t length, const uv_buf_t *buffer)
{
    struct repo_fetch *fetch = stream->data;
    if (length < 0) {
        uv_read_stop(stream);
        fetch->drained = true;
        close_when_over(fetch);
        return;
    }
    text_add_bytes(&fetch->reply, buffer->base, (size_t)length);
    uv_timer_again(&fetch->stall);
    look_at_reply(fetch);
}

/* The request went out, or nobody read it: its end shows that soon enough. */
static void see_written(uv_write_t *write, int status)
{
    struct repo_fetch *fetch = write->data;
    (void)status;
    close_handle((uv_handle_t *)&fetch->input);
}

/* --- beginning --- */

static const char *in_home(struct arena *arena, const char *file)
{
    const char *home = getenv("HOME");
    return home && *home == '/' ? arena_format(arena, "%s/.ssh/%s", home, file) : NULL;
}

static uint64_t or_usual(uint64_t given, uint64_t usual)
{
    return given ? given : usual;
}

static void write_request(struct repo_fetch *fetch, const struct repo_options *options,
                          const struct repo_url *url, const char *cache, const char *known)
{
    struct arena *arena = fetch->arena;
    struct text *request = &fetch->request;
    cleanup_free char *folder = getcwd(NULL, 0);
    const char *key = options->ssh_key, *hosts = options->known_hosts;
    if (url->scheme == REPO_SSH) {
        key = key ? key : in_home(arena, "id_ed25519");
        hosts = hosts ? hosts : in_home(arena, "known_hosts");
    }
    const struct {
        enum repo_tag tag;
        const char *file;
    } files[] = {
        {REPO_CACHE, cache},
        {REPO_CA_FILE, options->ca_file},
        {REPO_TOKEN_FILE, options->token_file},
        {REPO_SSH_KEY, key},
        {REPO_KNOWN_HOSTS, hosts},
        {REPO_VERIFY_KEYS, options->verify_keys},
    };
    repo_record_add_string(request, REPO_URL, url->text);
    repo_record_add_string(request, REPO_REF, options->ref);
    repo_record_add_string(request, REPO_PATH, options->path);
    for (size_t i = 0; i < COUNT_OF(files); i++)
        if (files[i].file)
            repo_record_add_string(request, files[i].tag,
                                   path_absolute(arena, folder ? folder : "/", files[i].file));
    repo_record_add_string(request, REPO_KNOWN, known);
    if (options->allow_empty)
        repo_record_add_string(request, REPO_ALLOW_EMPTY, "");
    const struct repo_limits *limits = &options->limits;
    repo_record_add_number(request, REPO_TRANSFER_LIMIT,
                           or_usual(limits->transfer_bytes, TRANSFER_BYTES));
    repo_record_add_number(request, REPO_TOTAL_LIMIT, or_usual(limits->total_bytes, TOTAL_BYTES));
    repo_record_add_number(request, REPO_ENTRY_LIMIT, or_usual(limits->entries, ENTRIES));
    /* Before its own deadline, so that it can say what it waited for. */
    uint64_t patience_ms =
        fetch->deadline_ms < fetch->stall_ms ? fetch->deadline_ms : fetch->stall_ms;
    repo_record_add_number(request, REPO_PATIENCE, patience_ms / 10 * 9);
    repo_record_add_string(request, REPO_END, "");
}

/* Of all that we were given, what it needs: none of our secrets, nor what could steer libraries. */
static char **make_environment(struct arena *arena)
{
    static const char *const names[] = {
        "http_proxy", "https_proxy", "HTTPS_PROXY",  "HTTP_PROXY",    "no_proxy",
        "NO_PROXY",   "TZ",          "ASAN_OPTIONS", "UBSAN_OPTIONS",
    };
    char **environment = arena_array(arena, ENVIRONMENT_MAX, sizeof(*environment));
    size_t count = 0;
    environment[count++] = arena_string(arena, "PATH=/usr/bin:/bin");
    environment[count++] = arena_string(arena, "HOME=/nonexistent");
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        const char *value = getenv(names[i]);
        if (value)
            environment[count++] = arena_format(arena, "%s=%s", names[i], value);
    }
    return environment;
}

static int spawn(struct repo_fetch *fetch)
{
    struct arena *arena = fetch->arena;
    char *words[] = {
        arena_string(arena, "kind"),
        arena_string(arena, REPO_WORKER_WORD),
        arena_format(arena, "%d", (int)getpid()),
        NULL,
    };
    uv_stdio_container_t streams[] = {
        {.flags = UV_CREATE_PIPE | UV_READABLE_PIPE, .data.stream = (uv_stream_t *)&fetch->input},
        {.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)&fetch->output},
        {.flags = UV_INHERIT_FD, .data.fd = STDERR_FILENO},
    };
    const uv_process_options_t options = {
        .exit_cb = see_exit,
        .file = "/proc/self/exe",
        .args = words,
        .env = make_environment(arena),
        /* A group of its own: it is killed as one, and no Ctrl-C comes to it before us. */
        .flags = UV_PROCESS_DETACHED,
        .stdio_count = COUNT_OF(streams),
        .stdio = streams,
    };
    fetch->begun = true;
    fetch->open++;
    int code = uv_spawn(fetch->loop, &fetch->process, &options);
    if (code == 0) {
        fetch->spawned = true;
        return 0;
    }
    return error_set(&fetch->failure, ERROR_UNAVAILABLE,
                     "%s: the process that reads it cannot be started: %s", fetch->shown,
                     uv_strerror(code));
}

static void init_handles(struct repo_fetch *fetch)
{
    fetch->open = HANDLES - 1;
    uv_pipe_init(fetch->loop, &fetch->input, 0);
    uv_pipe_init(fetch->loop, &fetch->output, 0);
    uv_timer_init(fetch->loop, &fetch->deadline);
    uv_timer_init(fetch->loop, &fetch->stall);
    fetch->process.data = fetch->input.data = fetch->output.data = fetch;
    fetch->deadline.data = fetch->stall.data = fetch->write.data = fetch;
}

static int begin(struct repo_fetch *fetch, const struct repo_options *options, const char *known)
{
    struct repo_url url;
    cleanup_free char *folder = getcwd(NULL, 0);
    struct error **err = &fetch->failure;
    if (repo_url_read(fetch->arena, options->url, folder ? folder : "/", &url, err))
        return -1;
    free(fetch->shown);
    fetch->shown = memory_string(url.shown);
    const char *cache = repo_mirror_cache(fetch->arena, options->cache, err);
    if (!cache)
        return -1;
    write_request(fetch, options, &url, cache, known);
    if (spawn(fetch))
        return -1;
    uv_buf_t buffer = uv_buf_init(fetch->request.data, (unsigned)fetch->request.length);
    uv_read_start((uv_stream_t *)&fetch->output, give_buffer, see_output);
    uv_write(&fetch->write, (uv_stream_t *)&fetch->input, &buffer, 1, see_written);
    uv_timer_start(&fetch->deadline, see_deadline, fetch->deadline_ms, 0);
    uv_timer_start(&fetch->stall, see_deadline, fetch->stall_ms, fetch->stall_ms);
    return 0;
}

struct repo_fetch *repo_fetch_begin(uv_loop_t *loop, const struct repo_options *options,
                                    const char *known_commit, uint32_t deadline_ms,
                                    struct arena *arena, repo_ended *ended, void *context)
{
    struct repo_fetch *fetch = memory_new(sizeof(*fetch));
    fetch->loop = loop;
    fetch->arena = arena;
    fetch->ended = ended;
    fetch->context = context;
    fetch->shown = memory_string("repository");
    fetch->deadline_ms = deadline_ms;
    fetch->stall_ms = (uint32_t)or_usual(options->limits.stall_ms, STALL_MS);
    fetch->reply_limit = or_usual(options->limits.total_bytes, TOTAL_BYTES) + REPLY_BYTES_MORE;
    text_init(&fetch->request, 0);
    text_init(&fetch->reply, fetch->reply_limit);
    init_handles(fetch);
    if (begin(fetch, options, known_commit))
        close_all(fetch);
    return fetch;
}

void repo_fetch_cancel(struct repo_fetch *fetch)
{
    if (!fetch->failure)
        error_set(&fetch->failure, ERROR_CANCELED, "%s: canceled", fetch->shown);
    kill_all(fetch);
}
