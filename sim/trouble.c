#include "sim/trouble.h"

#include "base/memory.h"
#include <string.h>

enum { SLOW_MS_MAX = 60 * 1000 };

static const char full[] = "{\"message\":\"write /var/lib/docker/tmp: no space left on device\"}";

static const struct {
    const char *name;
    unsigned weight;
    struct fake_trouble effect;
} classes[TROUBLE_CLASSES] = {
    [TROUBLE_UNHEARD] = {"unheard", 4, {.lost = true, .unanswered = true}},
    [TROUBLE_UNANSWERED] = {"unanswered", 4, {.unanswered = true}},
    [TROUBLE_REFUSED] = {"refused", 4, {.lost = true, .dropped = true}},
    [TROUBLE_DROPPED] = {"dropped", 8, {.dropped = true}},
    [TROUBLE_NOT_FOUND] = {"404",
                           6,
                           {.lost = true,
                            .status = 404,
                            .body = "{\"message\":\"No such container: it went a moment ago\"}"}},
    [TROUBLE_CONFLICT] = {"409",
                          6,
                          {.lost = true,
                           .status = 409,
                           .body = "{\"message\":\"Conflict: it is not running\"}"}},
    [TROUBLE_BROKEN] = {"500",
                        6,
                        {.lost = true, .status = 500, .body = "{\"message\":\"server error\"}"}},
    [TROUBLE_BROKEN_AFTER] =
        {"500-after", 6, {.status = 500, .body = "{\"message\":\"context deadline exceeded\"}"}},
    [TROUBLE_FULL] = {"enospc", 4, {.lost = true, .status = 500, .body = full}},
    [TROUBLE_SLOW] = {"slow", 8, {0}},
    [TROUBLE_GARBAGE] = {"garbage", 6, {.status = 200, .body = "{\"Id\":\"4f2c, [[\x01"}},
    [TROUBLE_CUT] = {"cut", 6, {.cut = true}},
    [TROUBLE_STALE] = {"stale", 20, {.status = 200}},
    [TROUBLE_ENGINE] = {"engine-restart", 1, {.lost = true, .dropped = true}},
    [TROUBLE_CLOCK] = {"clock-jump", 3, {0}},
    [TROUBLE_INTERRUPT] = {"interrupt", 3, {0}},
    [TROUBLE_CRASH_BEFORE] = {"crash-before", 8, {.lost = true, .unanswered = true}},
    [TROUBLE_CRASH_AFTER] = {"crash-after", 8, {.unanswered = true}},
};

const char *trouble_name(enum trouble_class class)
{
    return classes[class].name;
}

void trouble_init(struct trouble *trouble, uint64_t seed, size_t *counts)
{
    *trouble = (struct trouble){.prng = {.state = seed}, .counts = counts};
    for (size_t i = 0; i < TROUBLE_LISTS; i++)
        text_init(&trouble->lists[i].body, 0);
}

void trouble_done(struct trouble *trouble)
{
    for (size_t i = 0; i < TROUBLE_LISTS; i++) {
        free(trouble->lists[i].target);
        text_done(&trouble->lists[i].body);
    }
}

/* --- lists of before --- */

static bool is_list(const struct request *request)
{
    return strcmp(request->method, "GET") == 0 && request->unix_path &&
           strstr(request->url, "/containers/json");
}

static const char *known_list(const struct trouble *trouble, const char *url)
{
    for (size_t i = 0; i < TROUBLE_LISTS; i++)
        if (trouble->lists[i].target && strcmp(trouble->lists[i].target, url) == 0)
            return trouble->lists[i].body.data;
    return NULL;
}

/* Keeps what the world would say now. */
static void keep_list(struct trouble *trouble, const struct fake_transport *transport,
                      const char *url)
{
    const char *target = strchr(strstr(url, "://") + 3, '/');
    const struct fake_request request = {"GET", target, NULL, "", 0, NULL};
    struct fake_reply reply;
    size_t slot = trouble->next_list++ % TROUBLE_LISTS;
    fake_world_handle(transport->world, transport->now_ms, &request, &reply);
    free(trouble->lists[slot].target);
    trouble->lists[slot].target = memory_string(url);
    text_clear(&trouble->lists[slot].body);
    text_add(&trouble->lists[slot].body, reply.body->text.data);
    fake_reply_done(&reply);
}

/* --- choice --- */

static enum trouble_class choose(struct trouble *trouble)
{
    unsigned sum = 0;
    for (size_t i = 0; i < TROUBLE_CLASSES; i++)
        sum += classes[i].weight;
    uint64_t dice = prng_below(&trouble->prng, sum);
    enum trouble_class class = 0;
    while (dice >= classes[class].weight)
        dice -= classes[class ++].weight;
    return class;
}

struct fake_trouble trouble_meet(struct trouble *trouble, struct fake_transport *transport,
                                 const struct request *request, enum trouble_class *met)
{
    *met = TROUBLE_CLASSES;
    if (prng_below(&trouble->prng, 1000) >= trouble->per_mille)
        return (struct fake_trouble){0};
    enum trouble_class class = choose(trouble);
    struct fake_trouble effect = classes[class].effect;
    if (class == TROUBLE_STALE && !is_list(request))
        return (struct fake_trouble){0};
    if (class == TROUBLE_STALE && !(effect.body = known_list(trouble, request->url))) {
        keep_list(trouble, transport, request->url);
        return (struct fake_trouble){0};
    }
    if (class == TROUBLE_SLOW)
        effect.delay_ms = prng_below(&trouble->prng, SLOW_MS_MAX);
    trouble->counts[class]++;
    *met = class;
    return effect;
}
