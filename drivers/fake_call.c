#include "drivers/fake_call.h"

#include "base/memory.h"
#include <ctype.h>
#include <inttypes.h>
#include <time.h>

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)tolower((unsigned char)c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static const char *decode(struct arena *arena, const char *text, size_t length, bool plus)
{
    char *out = arena_alloc(arena, length + 1);
    size_t used = 0;
    for (size_t i = 0; i < length; i++) {
        int high = text[i] == '%' && i + 2 < length ? hex_digit(text[i + 1]) : -1;
        int low = high >= 0 ? hex_digit(text[i + 2]) : -1;
        if (low >= 0) {
            out[used++] = (char)(high * 16 + low);
            i += 2;
        } else {
            out[used++] = plus && text[i] == '+' ? ' ' : text[i];
        }
    }
    return out;
}

/* "/v1.41/x" is "/x"; other paths stay. */
static const char *without_version(const char *path)
{
    if (path[0] != '/' || path[1] != 'v' || !isdigit((unsigned char)path[2]))
        return path;
    size_t length = 2 + strspn(path + 2, "0123456789.");
    return path[length] == '/' ? path + length : path;
}

static void parse_query(struct fake_call *call, const char *query)
{
    while (*query) {
        size_t length = strcspn(query, "&");
        const char *equals = memchr(query, '=', length);
        size_t key = equals ? (size_t)(equals - query) : length;
        call->query = arena_grow(call->arena, call->query, call->query_count, sizeof(*call->query));
        call->query[call->query_count++] = (struct fake_pair){
            decode(call->arena, query, key, true),
            equals ? decode(call->arena, equals + 1, length - key - 1, true) : "",
        };
        query += length;
        query += *query == '&';
    }
}

void fake_call_init(struct fake_call *call)
{
    const char *target = call->request->target;
    size_t length = strcspn(target, "?");
    const char *path = decode(call->arena, target, length, false);
    call->path = call->request->api_of ? path : without_version(path);
    parse_query(call, target[length] ? target + length + 1 : "");
}

const char *fake_call_query(const struct fake_call *call, const char *key)
{
    for (size_t i = 0; i < call->query_count; i++)
        if (strcmp(call->query[i].key, key) == 0)
            return call->query[i].value;
    return NULL;
}

bool fake_call_flag(const struct fake_call *call, const char *key)
{
    static const char *const falsehoods[] = {"", "0", "no", "false", "none"};
    const char *value = fake_call_query(call, key);
    for (size_t i = 0; value && i < COUNT_OF(falsehoods); i++)
        if (strcasecmp(value, falsehoods[i]) == 0)
            return false;
    return value != NULL;
}

json_t *fake_call_json(const struct fake_call *call)
{
    return call->request->body
               ? json_loadb(call->request->body, call->request->length, JSON_DECODE_ANY, NULL)
               : NULL;
}

void fake_call_status(struct fake_call *call, int status)
{
    call->reply->status = status;
}

void fake_call_text(struct fake_call *call, int status, const char *content_type, const char *text)
{
    call->reply->status = status;
    call->reply->content_type = content_type;
    text_add(&call->reply->body->text, text);
}

void fake_call_reply(struct fake_call *call, int status, json_t *value)
{
    cleanup_free char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
    fake_call_text(call, status, "application/json", text ? text : "null");
    text_add(&call->reply->body->text, "\n");
    json_decref(value);
}

void fake_call_error(struct fake_call *call, int status, const char *format, ...)
{
    struct text message;
    text_init(&message, 0);
    va_list arguments;
    va_start(arguments, format);
    text_add_list(&message, format, arguments);
    va_end(arguments);
    fake_call_reply(call, status, json_pack("{s:s}", "message", message.data));
    text_done(&message);
}

char *fake_new_id(struct fake_world *world)
{
    uint64_t a = prng_next(&world->prng), b = prng_next(&world->prng);
    uint64_t c = prng_next(&world->prng), d = prng_next(&world->prng);
    return memory_format("%016" PRIx64 "%016" PRIx64 "%016" PRIx64 "%016" PRIx64, a, b, c, d);
}

const char *fake_time(struct arena *arena, uint64_t at_ms)
{
    time_t seconds = (time_t)(at_ms / 1000);
    struct tm parts;
    if (at_ms == 0 || !gmtime_r(&seconds, &parts))
        return "0001-01-01T00:00:00Z";
    char text[32];
    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &parts);
    return arena_format(arena, "%s.%03u000000Z", text, (unsigned)(at_ms % 1000));
}

const char *fake_time_seconds(struct arena *arena, uint64_t at_ms)
{
    const char *text = fake_time(arena, at_ms);
    const char *point = strchr(text, '.');
    return point ? arena_format(arena, "%.*sZ", (int)(point - text), text) : text;
}

const char *fake_json_string(const json_t *object, const char *key)
{
    const char *value = json_string_value(json_object_get(object, key));
    return value ? value : "";
}

/* Counts values that match and that do not. */
static void filter_count(const json_t *filters, const char *key,
                         bool (*matches)(const void *context, const char *value),
                         const void *context, size_t *yes, size_t *no)
{
    json_t *values = json_object_get(filters, key), *item;
    const char *value;
    size_t i;
    *yes = *no = 0;
    json_array_foreach(values, i, item)
    {
        bool match = json_is_string(item) && matches(context, json_string_value(item));
        *(match ? yes : no) += 1;
    }
    json_object_foreach(values, value, item)
    {
        *(matches(context, value) ? yes : no) += 1;
    }
}

bool fake_filter_any(const json_t *filters, const char *key,
                     bool (*matches)(const void *context, const char *value), const void *context)
{
    size_t yes, no;
    filter_count(filters, key, matches, context, &yes, &no);
    return yes > 0 || no == 0;
}

bool fake_filter_all(const json_t *filters, const char *key,
                     bool (*matches)(const void *context, const char *value), const void *context)
{
    size_t yes, no;
    filter_count(filters, key, matches, context, &yes, &no);
    return no == 0;
}

bool fake_label_matches(const void *labels, const char *value)
{
    const char *equals = strchr(value, '=');
    if (!equals)
        return json_object_get(labels, value) != NULL;
    cleanup_free char *key = memory_string_n(value, (size_t)(equals - value));
    const char *have = json_string_value(json_object_get(labels, key));
    return have && strcmp(have, equals + 1) == 0;
}

json_t *fake_call_filters(struct fake_call *call, const char *const *known)
{
    const char *text = fake_call_query(call, "filters");
    json_t *filters = text && *text ? json_loads(text, 0, NULL) : json_object(), *value;
    if (!json_is_object(filters)) {
        fake_call_error(call, 500, "invalid character in filters");
        json_decref(filters);
        return NULL;
    }
    const char *key;
    json_object_foreach(filters, key, value)
    {
        size_t i = 0;
        while (known[i] && strcmp(known[i], key) != 0)
            i++;
        if (!known[i]) {
            fake_call_error(call, 400, "Invalid filter '%s'", key);
            json_decref(filters);
            return NULL;
        }
    }
    return filters;
}
