/*
 * DESIGN: an event says "look" and no more. Most only start the timer, after which `changed` reads
 * all. Those that may have changed what is to be watched (a folder or a link came, went or moved,
 * events were lost) also have the set of watches built anew first, right before `changed`: what
 * happened before that look is read, what happens after it is told.
 */
#include "reconciler/folder_watch.h"

#include "base/memory.h"
#include "reconciler/folder_walk.h"
#include <errno.h>
#include <stdalign.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    BUFFER_BYTES = 32 * 1024,
    READS_AT_ONCE = 16, /* then others on the loop have their turn */
};

struct folder_watch {
    struct folder_set set;
    uv_loop_t *loop;
    uv_poll_t poll;
    uv_timer_t timer;
    unsigned handles; /* open ones; the last one to close frees this */
    char **paths;
    size_t path_count;
    uint32_t settle_ms;
    void (*changed)(void *context);
    void *context;
    bool pending, outdated; /* changed is due; the set is to be built anew */
    uint64_t first_at_ms;   /* of the events that are pending */
};

static void build(struct folder_watch *watch)
{
    watch->outdated = false;
    folder_set_begin(&watch->set);
    for (size_t i = 0; i < watch->path_count; i++)
        folder_walk_path(&watch->set, watch->paths[i]);
    folder_set_end(&watch->set);
}

static void settled(uv_timer_t *timer);

/* Something happened: changed is due. */
static void wait_to_settle(struct folder_watch *watch)
{
    uint64_t now_ms = uv_now(watch->loop), due_ms = now_ms + watch->settle_ms;
    if (!watch->pending)
        watch->first_at_ms = now_ms;
    watch->pending = true;
    uint64_t latest_ms = watch->first_at_ms + FOLDER_WATCH_LATEST_MS;
    if (due_ms > latest_ms)
        due_ms = latest_ms;
    uv_timer_start(&watch->timer, settled, due_ms > now_ms ? due_ms - now_ms : 0, 0);
}

/* The set moved while it was built: another look is needed, and soon. */
static void build_again_if_moved(struct folder_watch *watch)
{
    if (!watch->set.moved)
        return;
    watch->outdated = true;
    wait_to_settle(watch);
}

static void settled(uv_timer_t *timer)
{
    struct folder_watch *watch = timer->data;
    watch->pending = false;
    if (watch->outdated) {
        build(watch);
        build_again_if_moved(watch);
    }
    watch->changed(watch->context);
}

/* An entry that is there, but has nothing in it yet: it will be closed, and that is told. */
static bool is_begun(const struct stat *info)
{
    return S_ISREG(info->st_mode) && info->st_size == 0 && info->st_nlink == 1;
}

/* An entry that came into a folder. True if it wakes. */
static bool take_new(struct folder_watch *watch, const struct folder *folder,
                     const struct inotify_event *event)
{
    cleanup_free char *path = memory_format("%s/%s", folder->path, event->name);
    struct stat info;
    if (lstat(path, &info))
        return true;
    if (S_ISLNK(info.st_mode))
        watch->outdated = true;
    if (S_ISDIR(info.st_mode) && folder->entries) {
        /* At once, so that what is copied into it is waited for as well. */
        watch->outdated = true;
        folder_walk_tree(&watch->set, path, folder->depth + 1);
    }
    return !(event->mask & IN_CREATE) || !is_begun(&info);
}

/* An event of an entry. True if it wakes. */
static bool take_entry(struct folder_watch *watch, const struct folder *folder,
                       const struct inotify_event *event)
{
    bool named = folder_has_name(folder, event->name);
    if (!named && (!folder->entries || folder_walk_passes_over(event->name)))
        return false;
    if (named || event->mask & IN_ISDIR)
        watch->outdated = true;
    if (event->mask & (IN_CREATE | IN_MOVED_TO))
        return take_new(watch, folder, event);
    return true;
}

/* True if it wakes. */
static bool take(struct folder_watch *watch, const struct inotify_event *event)
{
    if (event->mask & IN_Q_OVERFLOW)
        return watch->outdated = true;
    const struct folder *folder = folder_set_find(&watch->set, event->wd);
    if (!folder)
        return false; /* given up meanwhile */
    if (event->mask & IN_IGNORED)
        folder_set_drop(&watch->set, event->wd);
    else if (event->len)
        return take_entry(watch, folder, event);
    return watch->outdated = true;
}

/* Reads what there is, up to a measure. True if something of it wakes. */
static bool take_all(struct folder_watch *watch)
{
    alignas(struct inotify_event) char buffer[BUFFER_BYTES];
    bool wakes = false;
    for (unsigned i = 0; i < READS_AT_ONCE; i++) {
        ssize_t length = read(watch->set.fd, buffer, sizeof(buffer));
        if (length <= 0)
            break;
        for (const char *at = buffer; at < buffer + length;) {
            const struct inotify_event *event = (const void *)at;
            wakes |= take(watch, event);
            at += sizeof(*event) + event->len;
        }
    }
    return wakes;
}

static void events_came(uv_poll_t *poll, int status, int events)
{
    (void)events;
    struct folder_watch *watch = poll->data;
    if (status < 0 || take_all(watch))
        wait_to_settle(watch);
}

static void add_paths(struct folder_watch *watch, const char *const *paths, size_t count)
{
    watch->paths = memory_resize(NULL, count, sizeof(*watch->paths));
    for (size_t i = 0; i < count; i++)
        if (strcmp(paths[i], "-") != 0)
            watch->paths[watch->path_count++] = memory_string(paths[i]);
}

static void free_watch(struct folder_watch *watch)
{
    for (size_t i = 0; i < watch->path_count; i++)
        free(watch->paths[i]);
    free(watch->paths);
    folder_set_done(&watch->set);
    free(watch);
}

static void handle_closed(uv_handle_t *handle)
{
    struct folder_watch *watch = handle->data;
    if (--watch->handles == 0)
        free_watch(watch);
}

int folder_watch_open(uv_loop_t *loop, const char *const *paths, size_t count, uint32_t settle_ms,
                      void (*changed)(void *context), void *context, struct folder_watch **watch,
                      struct error **err)
{
    struct folder_watch *made = memory_new(sizeof(*made));
    if (folder_set_open(&made->set, err)) {
        free(made);
        return -1;
    }
    int code = uv_poll_init(loop, &made->poll, made->set.fd);
    if (code) {
        free_watch(made);
        return error_set(err, ERROR_UNAVAILABLE, "watch folders: %s", uv_strerror(code));
    }
    uv_timer_init(loop, &made->timer);
    made->handles = 2;
    made->poll.data = made->timer.data = made;
    made->loop = loop;
    made->settle_ms = settle_ms;
    made->changed = changed;
    made->context = context;
    add_paths(made, paths, count);
    uv_poll_start(&made->poll, UV_READABLE, events_came);
    build(made);
    build_again_if_moved(made);
    *watch = made;
    return 0;
}

void folder_watch_close(struct folder_watch *watch)
{
    if (!watch)
        return;
    uv_close((uv_handle_t *)&watch->poll, handle_closed);
    uv_close((uv_handle_t *)&watch->timer, handle_closed);
}

void folder_watch_renew(struct folder_watch *watch)
{
    build(watch);
    build_again_if_moved(watch);
}

const struct error *folder_watch_problem(const struct folder_watch *watch)
{
    return watch->set.problem;
}
