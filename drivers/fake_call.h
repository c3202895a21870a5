/*
 * fake_call.h - one request while it is handled: its parts, and its reply in the making.
 *
 * Handlers have the shape `void noun_verb(struct fake_call *call)` and end by
 * one of the fake_call_reply functions. What is taken apart lives in the
 * call's arena, which goes when the request has been handled.
 */
#ifndef DRIVERS_FAKE_CALL_H
#define DRIVERS_FAKE_CALL_H

#include "drivers/fake_state.h"

struct fake_pair {
    const char *key, *value;
};

struct fake_call {
    struct fake_world *world;
    uint64_t now_ms;
    const struct fake_request *request;
    struct fake_reply *reply;
    struct arena *arena;
    const char *path;    /* decoded, without API version and query */
    const char *subject; /* what the route's wildcard stands for, or NULL */
    struct fake_pair *query;
    size_t query_count;
};

typedef void fake_handler(struct fake_call *call);

/* Takes the target apart: version prefix, path, query. */
void fake_call_init(struct fake_call *call);

/* A parameter of the query, or NULL. */
const char *fake_call_query(const struct fake_call *call, const char *key);
/* Go's idea of a true parameter: there, and none of "", "0", "no", "false", "none". */
bool fake_call_flag(const struct fake_call *call, const char *key);
/* The body as JSON (own reference), or NULL. */
json_t *fake_call_json(const struct fake_call *call);

void fake_call_status(struct fake_call *call, int status);
void fake_call_text(struct fake_call *call, int status, const char *content_type, const char *text);
/* Steals value. */
void fake_call_reply(struct fake_call *call, int status, json_t *value);
/* {"message": ...} */
void fake_call_error(struct fake_call *call, int status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* 64 hex digits, new string. */
char *fake_new_id(struct fake_world *world);
/* "2021-01-02T03:04:05.678000000Z" of a time, in the arena; 0 gives Go's zero time. */
const char *fake_time(struct arena *arena, uint64_t at_ms);
/* Without a fraction, as Kubernetes writes it. */
const char *fake_time_seconds(struct arena *arena, uint64_t at_ms);

/* The string of a key, or "". */
const char *fake_json_string(const json_t *object, const char *key);

/*
 * Filters of lists and events: {"label":["a=b"]} or {"label":{"a=b":true}}.
 * True when key is not filtered, or one of its values matches.
 */
bool fake_filter_any(const json_t *filters, const char *key,
                     bool (*matches)(const void *context, const char *value), const void *context);
/* True when all values of key match; labels work so. */
bool fake_filter_all(const json_t *filters, const char *key,
                     bool (*matches)(const void *context, const char *value), const void *context);
/* "key" or "key=value" against an object of labels. */
bool fake_label_matches(const void *labels, const char *value);
/* The filters of the query (own reference; {} if none), or NULL after replying with an error. */
json_t *fake_call_filters(struct fake_call *call, const char *const *known);

#endif
