/*
 * storaged - a node's volumes: one process a node, each for its own node only.
 *
 * DESIGN
 *   a claim, bound for this node  --> folder --> PersistentVolume
 *   a volume of this node, given back        --> folder gone --> PersistentVolume gone
 *
 * Whatever changes, all is looked over again, and the first thing that is due
 * is done; its end makes us look again. Nothing is kept but mirrors of the API,
 * so it may end at any point: names are fixed, and what was half done is seen
 * as not done.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "../cluster-api/api.h"
#include "../cluster-api/loop.h"
#include "../cluster-api/memory.h"
#include "../cluster-api/mirror.h"
#include "folder.h"
#include "patience.h"
#include "request.h"
#include "volume.h"

enum {
    SEEN_MS = 5 * 1000,       /* what was made is in the mirror by then, usually in milliseconds */
    REFUSED_MS = 3600 * 1000, /* as long as the API keeps an Event */
    PATH_SIZE = 512,
};

/* What the request in flight is for, to be told of in the log. */
enum errand { ERRAND_MAKE, ERRAND_REMOVE, ERRAND_TELL };

struct storage {
    const char *node, *base;
    struct loop *loop;
    struct api api;
    struct mirror *claims, *volumes, *classes;
    struct request *request;
    struct patience patience;
    char name[VOLUME_NAME_SIZE]; /* of the volume that the request is about */
    enum errand errand;
    uint64_t due_at_ms;
    int signals;
    bool stopped;
};

static void trouble(struct storage *storage, const char *name, const char *what, const char *why)
{
    uint64_t now_ms = loop_now_ms();
    unsigned failures = patience_fail(&storage->patience, name, now_ms);
    (void)patience_over(&storage->patience, name, now_ms, &storage->due_at_ms);
    /* The first, then every eighth: a quarter of an hour when nothing helps. */
    if (failures % 8 == 1)
        loop_log("%s: %s: %s (failure %u, will try again)", name, what, why, failures);
}

static void send_errand(struct storage *storage, enum errand errand, const char *name,
                        const char *path, json_t *body)
{
    static const char *const methods[] = {
        [ERRAND_MAKE] = "POST",
        [ERRAND_REMOVE] = "DELETE",
        [ERRAND_TELL] = "POST",
    };
    storage->errand = errand;
    snprintf(storage->name, sizeof(storage->name), "%s", name);
    request_send(storage->request, methods[errand], path, body);
}

static void errand_ended(void *context, long status, const char *why)
{
    struct storage *storage = context;
    static const struct {
        const char *what, *done;
        long as_good; /* somebody was quicker, or we were before we started anew */
        uint64_t wait_ms;
    } errands[] = {
        [ERRAND_MAKE] = {"make the volume", "made", 409, SEEN_MS},
        [ERRAND_REMOVE] = {"delete the volume", "removed", 404, SEEN_MS},
        [ERRAND_TELL] = {"tell of the refusal", "refused", 409, REFUSED_MS},
    };
    storage->due_at_ms = loop_now_ms();
    if ((status < 200 || status > 299) && status != errands[storage->errand].as_good) {
        trouble(storage, storage->name, errands[storage->errand].what, why);
        return;
    }
    patience_wait(&storage->patience, storage->name, storage->due_at_ms,
                  errands[storage->errand].wait_ms);
    loop_log("%s: %s", storage->name, errands[storage->errand].done);
}

static void refuse_claim(struct storage *storage, const json_t *claim, const char *name,
                         const char *why)
{
    char path[PATH_SIZE], now[32];
    time_t seconds = time(NULL);
    struct tm utc;
    (void)strftime(now, sizeof(now), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&seconds, &utc));
    const json_t *metadata = json_object_get(claim, "metadata");
    snprintf(path, sizeof(path), "/api/v1/namespaces/%s/events",
             json_string_value(json_object_get(metadata, "namespace")));
    loop_log("%s: %s", name, why);
    send_errand(storage, ERRAND_TELL, name, path, volume_event(claim, storage->node, why, now));
}

/* Sends a request for the first claim that wants something; true if there was one. */
static bool serve_claim(struct storage *storage, uint64_t now_ms)
{
    const char *key;
    json_t *claim;
    json_object_foreach(mirror_objects(storage->claims), key, claim)
    {
        char name[VOLUME_NAME_SIZE];
        const char *why = NULL, *class_name = json_string_value(json_object_get(
                                    json_object_get(claim, "spec"), "storageClassName"));
        const json_t *class = json_object_get(mirror_objects(storage->classes), class_name);
        enum volume_wish wish = volume_wish(claim, class, storage->node, name, &why);
        if (wish == VOLUME_UNWANTED || json_object_get(mirror_objects(storage->volumes), name) ||
            !patience_over(&storage->patience, name, now_ms, &storage->due_at_ms))
            continue;
        if (wish == VOLUME_REFUSED) {
            refuse_claim(storage, claim, name, why);
            return true;
        }
        if (folder_make(storage->base, name) == 0) {
            send_errand(storage, ERRAND_MAKE, name, "/api/v1/persistentvolumes",
                        volume_object(claim, class, storage->node));
            return true;
        }
        trouble(storage, name, "make the folder", strerror(errno));
    }
    return false;
}

/* The same for the first volume that was given back. */
static bool serve_volume(struct storage *storage, uint64_t now_ms)
{
    const char *key;
    json_t *volume;
    json_object_foreach(mirror_objects(storage->volumes), key, volume)
    {
        char name[VOLUME_NAME_SIZE], path[PATH_SIZE];
        if (!volume_is_released(volume, storage->node, name) ||
            !patience_over(&storage->patience, name, now_ms, &storage->due_at_ms))
            continue;
        if (folder_remove(storage->base, name) == 0) {
            json_t *uid = json_object_get(json_object_get(volume, "metadata"), "uid");
            snprintf(path, sizeof(path), "/api/v1/persistentvolumes/%s", name);
            send_errand(storage, ERRAND_REMOVE, name, path,
                        must(json_pack("{s:{s:O}}", "preconditions", "uid", uid)));
            return true;
        }
        trouble(storage, name, "remove the folder", strerror(errno));
    }
    return false;
}

static uint64_t storage_tick(struct storage *storage, uint64_t now_ms)
{
    /* Without a full list of volumes nothing is known to be missing. */
    if (request_busy(storage->request) || !mirror_synced(storage->claims) ||
        !mirror_synced(storage->volumes) || !mirror_synced(storage->classes))
        return LOOP_NEVER;
    if (now_ms < storage->due_at_ms)
        return storage->due_at_ms;
    /* Comes down to the first time at which something is to be tried again. */
    storage->due_at_ms = LOOP_NEVER;
    /* What is sent is on its way within the same turn of the loop. */
    if (serve_claim(storage, now_ms) || serve_volume(storage, now_ms))
        return LOOP_NEVER;
    return storage->due_at_ms;
}

static void storage_changed(void *context)
{
    struct storage *storage = context;
    storage->due_at_ms = 0;
}

static void signal_arrived(void *context, int fd)
{
    struct storage *storage = context;
    struct signalfd_siginfo signal;
    if (read(fd, &signal, sizeof(signal)) == sizeof(signal))
        storage->stopped = true;
}

static struct mirror *storage_mirror(struct storage *storage, const char *path)
{
    struct mirror *mirror =
        mirror_new(&storage->api, storage->loop, path, storage_changed, storage);
    mirror_keep_annotations(mirror);
    return mirror;
}

static int storage_init(struct storage *storage, const char *base)
{
    *storage = (struct storage){.base = base, .node = getenv("NODE_NAME")};
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    if (!storage->node || !*storage->node) {
        loop_log("NODE_NAME is not set");
        return -1;
    }
    if (api_init(&storage->api) < 0) {
        loop_log("no API to be found: KUBERNETES_SERVICE_HOST is not set");
        return -1;
    }
    storage->loop = loop_new();
    storage->signals = signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
    (void)loop_add(storage->loop, storage->signals, signal_arrived, storage);
    storage->request = request_new(&storage->api, storage->loop, errand_ended, storage);
    storage->claims = storage_mirror(storage, "/api/v1/persistentvolumeclaims");
    storage->volumes = storage_mirror(storage, "/api/v1/persistentvolumes");
    storage->classes = storage_mirror(storage, "/apis/storage.k8s.io/v1/storageclasses");
    return 0;
}

static void storage_done(struct storage *storage)
{
    mirror_free(storage->claims);
    mirror_free(storage->volumes);
    mirror_free(storage->classes);
    request_free(storage->request);
    loop_free(storage->loop);
    api_done(&storage->api);
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* The option is for tests. */
static int read_options(int argc, char **argv, const char **base)
{
    static const struct option table[] = {{"base", required_argument, NULL, 'b'}, {0}};
    int option;
    *base = VOLUME_BASE;
    while ((option = getopt_long(argc, argv, "", table, NULL)) != -1) {
        if (option != 'b')
            return -1;
        *base = optarg;
    }
    return 0;
}

int main(int argc, char **argv)
{
    static struct storage storage;
    const char *base;
    if (read_options(argc, argv, &base) < 0) {
        fprintf(stderr, "usage: %s [--base FOLDER]\n", argv[0]);
        return 2;
    }
    curl_global_init(CURL_GLOBAL_DEFAULT);
    if (storage_init(&storage, base) < 0)
        return 1;
    while (!storage.stopped) {
        uint64_t now_ms = loop_now_ms();
        uint64_t next_ms = mirror_tick(storage.claims, now_ms);
        next_ms = earlier(next_ms, mirror_tick(storage.volumes, now_ms));
        next_ms = earlier(next_ms, mirror_tick(storage.classes, now_ms));
        next_ms = earlier(next_ms, storage_tick(&storage, now_ms));
        loop_wait(storage.loop, next_ms);
    }
    storage_done(&storage);
    curl_global_cleanup();
    return 0;
}
