#include "cli/watch_file.h"

#include "base/memory.h"
#include "base/plain.h"
#include "reconciler/lock.h"
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SUFFIX ".watch.json"

enum { FILE_BYTES_MAX = 256 * 1024, WORDS_BYTES_MAX = 16 * 1024, STAT_BYTES = 1024 };

/* When a process began, in ticks since the host did: a number that is given again has another. 0:
 * there is none. */
static long long birth_of(long pid)
{
    char path[64], buffer[STAT_BYTES];
    snprintf(path, sizeof(path), "/proc/%ld/stat", pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? -1 : read(fd, buffer, sizeof(buffer) - 1);
    if (fd >= 0)
        close(fd);
    if (length <= 0)
        return 0;
    buffer[length] = '\0';
    /* Its name may hold anything, but ends with the last parenthesis; the 20th field after that. */
    const char *at = strrchr(buffer, ')');
    for (unsigned field = 0; at && field < 20; field++)
        at = strchr(at + 1, ' ');
    return at ? strtoll(at + 1, NULL, 10) : 0;
}

/* Problems stand one a line; each is made plain. */
static json_t *words_json(const char *words)
{
    if (!words)
        return json_null();
    cleanup_text struct text plain;
    text_init(&plain, WORDS_BYTES_MAX);
    while (*words) {
        size_t length = strcspn(words, "\n");
        cleanup_free char *line = memory_string_n(words, length);
        if (plain.length)
            text_add(&plain, "\n");
        plain_add(&plain, line);
        words += length + (words[length] == '\n');
    }
    json_t *value = json_string(plain.data);
    return value ? value : json_string("(too long, and cut within a character)");
}

static json_t *source_json(const struct watched_source *source)
{
    return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:I, s:I, s:I}", "kind",
                     source->kind, "where", words_json(source->where), "revision",
                     words_json(source->revision), "author", words_json(source->author), "subject",
                     words_json(source->subject), "signer", words_json(source->signer), "pending",
                     words_json(source->pending), "problem", words_json(source->problem),
                     "changedAt", (json_int_t)source->changed_at_s, "refusedAt",
                     (json_int_t)source->refused_at_s, "revisedAt",
                     (json_int_t)source->revised_at_s, "nextAt", (json_int_t)source->next_at_s);
}

static json_t *sources_json(const struct watched *watched)
{
    json_t *list = json_array();
    json_array_append_new(list, source_json(&watched->source));
    if (watched->policy.kind)
        json_array_append_new(list, source_json(&watched->policy));
    return list;
}

static json_t *watched_json(const struct watched *watched)
{
    return json_pack("{s:i, s:I, s:o, s:I, s:b, s:o, s:o, s:o}", "pid", (int)watched->pid, "birth",
                     (json_int_t)birth_of(watched->pid), "command", words_json(watched->command),
                     "since", (json_int_t)watched->since_s, "engineThere", watched->engine_there,
                     "engineProblem", words_json(watched->engine_problem), "kubeconfigs",
                     words_json(watched->kubeconfigs), "sources", sources_json(watched));
}

static int write_all(int fd, const char *bytes)
{
    size_t length = strlen(bytes);
    while (length) {
        ssize_t written = write(fd, bytes, length);
        if (written < 0 && errno != EINTR)
            return -1;
        bytes += written > 0 ? written : 0;
        length -= written > 0 ? (size_t)written : 0;
    }
    return 0;
}

static int replace(const char *path, const char *bytes, struct error **err)
{
    cleanup_free char *beside = memory_format("%s.new", path);
    int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return error_set(err, ERROR_UNAVAILABLE, "write %s: %s", beside, strerror(errno));
    int failed = write_all(fd, bytes) ? errno : 0;
    if (close(fd) && !failed)
        failed = errno;
    if (!failed && rename(beside, path))
        failed = errno;
    if (!failed)
        return 0;
    (void)unlink(beside);
    return error_set(err, ERROR_UNAVAILABLE, "write %s: %s", path, strerror(failed));
}

int watch_file_write(const char *engine, const char *fleet, const struct watched *watched,
                     struct error **err)
{
    cleanup_free char *path = lock_beside(engine, fleet, SUFFIX, err);
    if (!path)
        return -1;
    json_t *object = watched_json(watched);
    char *bytes = json_dumps(object, JSON_INDENT(1));
    int result = bytes ? replace(path, bytes, err)
                       : error_set(err, ERROR_INTERNAL, "the watcher's state is no JSON");
    free(bytes);
    json_decref(object);
    return result;
}

void watch_file_remove(const char *engine, const char *fleet)
{
    cleanup_error struct error *err = NULL;
    cleanup_free char *path = lock_beside(engine, fleet, SUFFIX, &err);
    if (path)
        (void)unlink(path);
}

static const char *string_of(struct arena *arena, const json_t *object, const char *key)
{
    return arena_string(arena, json_string_value(json_object_get(object, key)));
}

static uint64_t number_of(const json_t *object, const char *key)
{
    return (uint64_t)json_integer_value(json_object_get(object, key));
}

static struct watched_source source_of(struct arena *arena, const json_t *source)
{
    return (struct watched_source){
        .kind = string_of(arena, source, "kind"),
        .where = string_of(arena, source, "where"),
        .revision = string_of(arena, source, "revision"),
        .author = string_of(arena, source, "author"),
        .subject = string_of(arena, source, "subject"),
        .signer = string_of(arena, source, "signer"),
        .pending = string_of(arena, source, "pending"),
        .problem = string_of(arena, source, "problem"),
        .changed_at_s = number_of(source, "changedAt"),
        .refused_at_s = number_of(source, "refusedAt"),
        .revised_at_s = number_of(source, "revisedAt"),
        .next_at_s = number_of(source, "nextAt"),
    };
}

static bool is_alive(const json_t *object)
{
    long long birth = json_integer_value(json_object_get(object, "birth"));
    return birth && birth == birth_of((long)number_of(object, "pid"));
}

bool watch_file_read(struct arena *arena, const char *engine, const char *fleet,
                     struct watched *watched)
{
    cleanup_error struct error *err = NULL;
    cleanup_free char *path = lock_beside(engine, fleet, SUFFIX, &err);
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : -1;
    struct stat info;
    json_t *object = NULL;
    if (fd >= 0 && fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && info.st_size < FILE_BYTES_MAX)
        object = json_loadfd(fd, 0, NULL);
    if (fd >= 0)
        close(fd);
    bool alive = object && is_alive(object);
    const json_t *sources = json_object_get(object, "sources");
    if (alive)
        *watched = (struct watched){
            .pid = (long)number_of(object, "pid"),
            .command = string_of(arena, object, "command"),
            .since_s = number_of(object, "since"),
            .engine_there = json_is_true(json_object_get(object, "engineThere")),
            .engine_problem = string_of(arena, object, "engineProblem"),
            .kubeconfigs = string_of(arena, object, "kubeconfigs"),
            .source = source_of(arena, json_array_get(sources, 0)),
            .policy = source_of(arena, json_array_get(sources, 1)),
        };
    json_decref(object);
    return alive;
}
