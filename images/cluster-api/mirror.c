#include "mirror.h"

#include <stdio.h>
#include <string.h>

#include "memory.h"

/*
 * DESIGN
 *   state      ended how                            next
 *   RESTING    (its time has come)                  LISTING, or WATCHING if the version holds
 *   LISTING    200, well-formed                     RESTING until now
 *   WATCHING   by the server, as agreed             RESTING until now
 *   WATCHING   410, or an ERROR event               RESTING until now, version forgotten
 *   any        otherwise                            RESTING until the backoff is over
 *
 * Connecting has a time limit that starts short and grows: before kube-proxy
 * has set up the service address, packets to it vanish, and the kernel's own
 * repetitions stay lost since connection tracking has seen the first one. Only
 * a new connection gets through.
 */
enum {
    LIST_SIZE_MAX = 64 * 1024 * 1024,
    EVENT_SIZE_MAX = 4 * 1024 * 1024, /* etcd refuses objects above 1.5 MiB */
    COMPLAINT_SIZE_MAX = 200,
    LIST_TIMEOUT_MS = 20 * 1000,
    WATCH_S = 240, /* then the server ends it, which shows that it lives */
    WATCH_SPREAD_S = 60,
    WATCH_GRACE_S = 15,
    CONNECT_MS_FIRST = 400,
    CONNECT_MS_MAX = 5000,
    BACKOFF_MS_FIRST = 50,
    BACKOFF_MS_MAX = 5000,
    SHORT_WATCH_MS = 1000, /* a watch that ends sooner, unused, is a failure */
    STEADY_MS = 10 * 1000,
    EXPIRED_MS = 100, /* before listing again */
};

enum answered { ANSWERED, ANSWERED_NOT };

enum mirror_state { MIRROR_RESTING, MIRROR_LISTING, MIRROR_WATCHING };

struct mirror {
    struct loop_transfer transfer; /* first: see loop.h */
    struct api *api;
    struct loop *loop;
    const char *path;
    void (*changed)(void *context);
    void *context;
    enum mirror_state state;
    CURL *request;
    struct curl_slist *headers;
    char *text; /* the list so far, or the watch's unfinished line */
    size_t size, capacity;
    json_t *objects;
    char version[64]; /* empty: list first */
    bool synced, expired, overflow, progress;
    bool annotations; /* they are kept */
    uint32_t failures;
    uint64_t due_at_ms, started_at_ms;
};

/* Doubles from first with every failure, up to max. */
static uint32_t grown_ms(uint32_t first_ms, uint32_t max_ms, uint32_t failures)
{
    uint64_t grown = (uint64_t)first_ms << (failures < 16 ? failures : 16);
    return grown < max_ms ? (uint32_t)grown : max_ms;
}

static void mirror_strip(const struct mirror *mirror, json_t *object)
{
    json_t *metadata = json_object_get(object, "metadata");
    json_object_del(metadata, "managedFields");
    if (!mirror->annotations)
        json_object_del(metadata, "annotations");
    json_object_del(json_object_get(object, "status"), "images");
}

/* "namespace/name", or NULL if it has no name. */
static const char *object_key(const json_t *object, char key[512])
{
    const json_t *metadata = json_object_get(object, "metadata");
    const char *space = json_string_value(json_object_get(metadata, "namespace"));
    const char *name = json_string_value(json_object_get(metadata, "name"));
    if (!name)
        return NULL;
    int length = snprintf(key, 512, "%s%s%s", space ? space : "", space ? "/" : "", name);
    return length < 512 ? key : NULL;
}

static void mirror_remember(struct mirror *mirror, const json_t *object)
{
    const json_t *metadata = json_object_get(object, "metadata");
    const char *version = json_string_value(json_object_get(metadata, "resourceVersion"));
    if (version && strlen(version) < sizeof(mirror->version))
        snprintf(mirror->version, sizeof(mirror->version), "%s", version);
}

static int mirror_take_list(struct mirror *mirror)
{
    json_error_t error;
    json_t *list = json_loadb(mirror->text, mirror->size, 0, &error);
    json_t *items = json_object_get(list, "items");
    json_t *objects = must(json_object());
    size_t i;
    json_t *item;
    json_array_foreach(items, i, item)
    {
        char key[512];
        mirror_strip(mirror, item);
        if (object_key(item, key))
            json_object_set(objects, key, item);
    }
    /* An empty collection's items may be null, but must be there. */
    int result = items ? 0 : -1;
    if (result == 0) {
        json_decref(mirror->objects);
        mirror->objects = json_incref(objects);
        mirror->version[0] = '\0';
        mirror_remember(mirror, list);
        mirror->synced = true;
    }
    json_decref(objects);
    json_decref(list);
    return result;
}

static void mirror_take_event(struct mirror *mirror, const char *line, size_t size)
{
    json_error_t error;
    json_t *event = json_loadb(line, size, 0, &error);
    json_t *object = json_object_get(event, "object");
    const char *type = json_string_value(json_object_get(event, "type"));
    char key[512];
    if (!type || !object || strcmp(type, "ERROR") == 0) {
        mirror->expired = true;
    } else if (strcmp(type, "BOOKMARK") == 0) {
        mirror_remember(mirror, object);
    } else if (object_key(object, key)) {
        mirror_remember(mirror, object);
        mirror_strip(mirror, object);
        if (strcmp(type, "DELETED") == 0)
            json_object_del(mirror->objects, key);
        else
            json_object_set(mirror->objects, key, object);
        mirror->changed(mirror->context);
    }
    mirror->progress = true;
    json_decref(event);
}

/* Takes whole lines out of the text; a started one stays. */
static void mirror_take_lines(struct mirror *mirror)
{
    size_t taken = 0;
    const char *end;
    while ((end = memchr(mirror->text + taken, '\n', mirror->size - taken)) != NULL) {
        size_t size = (size_t)(end - mirror->text) - taken;
        if (size)
            mirror_take_event(mirror, mirror->text + taken, size);
        taken += size + 1;
    }
    memmove(mirror->text, mirror->text + taken, mirror->size - taken);
    mirror->size -= taken;
}

static size_t receive(char *data, size_t unit, size_t count, void *context)
{
    struct mirror *mirror = context;
    size_t size = unit * count;
    long status = 0;
    curl_easy_getinfo(mirror->request, CURLINFO_RESPONSE_CODE, &status);
    size_t max = status != 200                     ? COMPLAINT_SIZE_MAX
                 : mirror->state == MIRROR_LISTING ? LIST_SIZE_MAX
                                                   : EVENT_SIZE_MAX;
    if (mirror->size + size > max) {
        mirror->overflow = true;
        return 0;
    }
    if (mirror->size + size > mirror->capacity) {
        mirror->capacity = (mirror->size + size) * 2;
        mirror->text = must(realloc(mirror->text, mirror->capacity));
    }
    memcpy(mirror->text + mirror->size, data, size);
    mirror->size += size;
    if (status == 200 && mirror->state == MIRROR_WATCHING)
        mirror_take_lines(mirror);
    return size;
}

static void mirror_rest(struct mirror *mirror)
{
    curl_multi_remove_handle(loop_transfers(mirror->loop), mirror->request);
    curl_slist_free_all(mirror->headers);
    mirror->headers = NULL;
    mirror->state = MIRROR_RESTING;
}

static void mirror_fail(struct mirror *mirror, const char *why, enum answered answered)
{
    uint64_t now_ms = loop_now_ms();
    /* One that had worked for a while is not the next of a row of failures. */
    if (mirror->progress || now_ms - mirror->started_at_ms > STEADY_MS)
        mirror->failures = 0;
    mirror->failures++;
    /* The first few are normal while a cluster starts: say the first, then every eighth. */
    if (mirror->failures % 8 == 1)
        loop_log("%s %s%s: %s (failure %u, will try again)", mirror->version[0] ? "watch" : "list",
                 mirror->api->bases[mirror->api->current], mirror->path, why, mirror->failures);
    if (answered == ANSWERED_NOT)
        api_pass_over(mirror->api);
    /* From its start on: who has waited for a connection need not wait again. */
    uint64_t earliest_ms = now_ms + BACKOFF_MS_FIRST;
    mirror->due_at_ms =
        mirror->started_at_ms + grown_ms(BACKOFF_MS_FIRST, BACKOFF_MS_MAX, mirror->failures);
    if (mirror->due_at_ms < earliest_ms)
        mirror->due_at_ms = earliest_ms;
}

/* What a finished transfer means, as a word; NULL: all is well. */
static const char *mirror_judge(struct mirror *mirror, CURLcode result, long status)
{
    if (mirror->overflow)
        return "the answer is too large";
    if (status == 410) {
        mirror->expired = true;
        return NULL;
    }
    if (status != 0 && status != 200)
        return status == 401 || status == 403 ? "not allowed (yet)" : "unexpected HTTP status";
    if (result != CURLE_OK)
        return curl_easy_strerror(result);
    if (mirror->state == MIRROR_LISTING)
        return mirror_take_list(mirror) < 0 ? "not a list" : NULL;
    if (!mirror->progress && loop_now_ms() - mirror->started_at_ms < SHORT_WATCH_MS)
        return "the watch ended at once";
    return NULL;
}

static void mirror_ended(struct loop_transfer *transfer, CURLcode result)
{
    /* transfer is the first member of its mirror. */
    struct mirror *mirror = (void *)transfer;
    long status = 0;
    curl_easy_getinfo(mirror->request, CURLINFO_RESPONSE_CODE, &status);
    bool listed = mirror->state == MIRROR_LISTING;
    const char *trouble = mirror_judge(mirror, result, status);
    mirror_rest(mirror);
    if (trouble) {
        mirror_fail(mirror, trouble, status ? ANSWERED : ANSWERED_NOT);
        return;
    }
    mirror->due_at_ms = loop_now_ms();
    if (mirror->expired) {
        /* Not at once: a server that keeps saying so must not be flooded. */
        mirror->version[0] = '\0';
        mirror->due_at_ms += EXPIRED_MS;
        return;
    }
    mirror->failures = 0;
    if (listed)
        mirror->changed(mirror->context);
}

static void mirror_start(struct mirror *mirror, uint64_t now_ms)
{
    bool watching = mirror->version[0] != '\0';
    long watch_s = WATCH_S + (long)arc4random_uniform(WATCH_SPREAD_S);
    char query[512];
    if (watching)
        snprintf(query, sizeof(query),
                 "%s?watch=1&allowWatchBookmarks=true&resourceVersion=%s&timeoutSeconds=%ld",
                 mirror->path, mirror->version, watch_s);
    else /* version 0: from the server's memory, unless that turned out to be too old */
        snprintf(query, sizeof(query), "%s%s", mirror->path,
                 mirror->expired ? "" : "?resourceVersion=0");
    curl_easy_reset(mirror->request);
    api_address(mirror->api, mirror->request, query, &mirror->headers);
    curl_easy_setopt(mirror->request, CURLOPT_WRITEFUNCTION, receive);
    curl_easy_setopt(mirror->request, CURLOPT_WRITEDATA, mirror);
    curl_easy_setopt(mirror->request, CURLOPT_PRIVATE, &mirror->transfer);
    curl_easy_setopt(mirror->request, CURLOPT_CONNECTTIMEOUT_MS,
                     (long)grown_ms(CONNECT_MS_FIRST, CONNECT_MS_MAX, mirror->failures));
    curl_easy_setopt(mirror->request, CURLOPT_TIMEOUT_MS,
                     watching ? (watch_s + WATCH_GRACE_S) * 1000 : (long)LIST_TIMEOUT_MS);
    mirror->size = 0;
    mirror->expired = mirror->overflow = mirror->progress = false;
    mirror->started_at_ms = now_ms;
    mirror->state = watching ? MIRROR_WATCHING : MIRROR_LISTING;
    curl_multi_add_handle(loop_transfers(mirror->loop), mirror->request);
}

struct mirror *mirror_new(struct api *api, struct loop *loop, const char *path,
                          void (*changed)(void *context), void *context)
{
    struct mirror *mirror = must(calloc(1, sizeof(*mirror)));
    mirror->transfer.ended = mirror_ended;
    mirror->api = api;
    mirror->loop = loop;
    mirror->path = path;
    mirror->changed = changed;
    mirror->context = context;
    mirror->request = must(curl_easy_init());
    mirror->objects = must(json_object());
    return mirror;
}

void mirror_free(struct mirror *mirror)
{
    if (!mirror)
        return;
    mirror_rest(mirror);
    curl_easy_cleanup(mirror->request);
    json_decref(mirror->objects);
    free(mirror->text);
    free(mirror);
}

void mirror_keep_annotations(struct mirror *mirror)
{
    mirror->annotations = true;
}

uint64_t mirror_tick(struct mirror *mirror, uint64_t now_ms)
{
    if (mirror->state == MIRROR_RESTING && now_ms >= mirror->due_at_ms)
        mirror_start(mirror, now_ms);
    return mirror->state == MIRROR_RESTING ? mirror->due_at_ms : LOOP_NEVER;
}

bool mirror_synced(const struct mirror *mirror)
{
    return mirror->synced;
}

json_t *mirror_objects(const struct mirror *mirror)
{
    return mirror->objects;
}
