#include "sim/trouble.h"

#include "base/memory.h"
#include <string.h>

enum { SLOW_MS_MAX = 60 * 1000, KEPT_PERCENT = 20 /* of the lists */ };

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
    [TROUBLE_STALE] = {"stale", 0, {.status = 200}}, /* lists alone, by chances of their own */
    [TROUBLE_ENGINE] = {"engine-restart", 1, {.lost = true, .dropped = true}},
    [TROUBLE_CLOCK] = {"clock-jump", 3, {0}},
    [TROUBLE_SWAP] = {"swap", 3, {0}},
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

/* True if it is a list that is told as it was before. */
static bool is_stale(struct trouble *trouble, const struct fake_transport *transport,
                     const struct request *request, struct fake_trouble *effect)
{
    if (!is_list(request))
        return false;
    effect->body = known_list(trouble, request->url);
    bool stale = effect->body && prng_below(&trouble->prng, 1000) < 2UL * trouble->per_mille;
    if (!stale && prng_below(&trouble->prng, 100) < KEPT_PERCENT)
        keep_list(trouble, transport, request->url);
    return stale;
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
    struct fake_trouble effect = {0};
    *met = TROUBLE_CLASSES;
    if (trouble->per_mille == 0)
        return effect;
    effect = classes[TROUBLE_STALE].effect;
    if (is_stale(trouble, transport, request, &effect)) {
        *met = TROUBLE_STALE;
    } else if (prng_below(&trouble->prng, 1000) < trouble->per_mille) {
        *met = choose(trouble);
        effect = classes[*met].effect;
    } else {
        return (struct fake_trouble){0};
    }
    if (*met == TROUBLE_SLOW)
        effect.delay_ms = prng_below(&trouble->prng, SLOW_MS_MAX);
    trouble->counts[*met]++;
    return effect;
}
