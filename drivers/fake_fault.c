#include "drivers/fake_fault.h"

#include "base/memory.h"

enum spoil { SPOIL_NOTHING, SPOIL_STATUS, SPOIL_GARBAGE };

static const struct {
    const char *name;
    bool applied;
    enum spoil spoil;
    enum fake_ending ending;
} actions[] = {
    {"fail", false, SPOIL_STATUS, FAKE_ENDING_ANSWER},
    {"fail-after", true, SPOIL_STATUS, FAKE_ENDING_ANSWER},
    {"drop", false, SPOIL_NOTHING, FAKE_ENDING_DROP},
    {"drop-after", true, SPOIL_NOTHING, FAKE_ENDING_DROP},
    {"garbage", true, SPOIL_GARBAGE, FAKE_ENDING_ANSWER},
    {"delay", true, SPOIL_NOTHING, FAKE_ENDING_ANSWER},
    {"kill-before", false, SPOIL_NOTHING, FAKE_ENDING_KILL},
    {"kill", true, SPOIL_NOTHING, FAKE_ENDING_KILL},
    {"kill-after", true, SPOIL_NOTHING, FAKE_ENDING_KILL_AFTER},
};

/* The row of a fault's action; COUNT_OF(actions) if there is none. */
static size_t find_action(const json_t *fault)
{
    size_t i = 0;
    while (i < COUNT_OF(actions) && strcmp(actions[i].name, fake_json_string(fault, "action")) != 0)
        i++;
    return i;
}

static json_int_t number(const json_t *fault, const char *key, json_int_t otherwise)
{
    json_t *value = json_object_get(fault, key);
    return value ? json_integer_value(value) : otherwise;
}

bool fake_fault_add(struct fake_world *world, const json_t *fault)
{
    if (find_action(fault) == COUNT_OF(actions))
        return false;
    json_t *copy = json_deep_copy(fault);
    json_object_set_new(copy, "seen", json_integer(0));
    json_array_append_new(world->faults, copy);
    return true;
}

static bool looks_at(const struct fake_call *call, const json_t *fault, bool mutating)
{
    const char *where = fake_json_string(fault, "where"), *match = fake_json_string(fault, "match");
    const char *here = call->request->api_of ? "kube" : "engine";
    const char *line = arena_format(call->arena, "%s %s", call->request->method, call->path);
    if (strcmp(*where ? where : "engine", here) != 0 && strcmp(where, "any") != 0)
        return false;
    return strstr(line, match) && (mutating || !json_is_true(json_object_get(fault, "mutating")));
}

const json_t *fake_fault_meet(struct fake_call *call, bool mutating)
{
    const json_t *met = NULL;
    json_t *fault;
    size_t i;
    json_array_foreach(call->world->faults, i, fault)
    {
        if (!looks_at(call, fault, mutating))
            continue;
        json_int_t seen = number(fault, "seen", 0) + 1, at = number(fault, "at", 1);
        json_object_set_new(fault, "seen", json_integer(seen));
        if (seen >= at && seen < at + number(fault, "count", 1))
            met = fault;
    }
    return met;
}

bool fake_fault_lets_apply(const json_t *fault)
{
    return !fault || actions[find_action(fault)].applied;
}

static void clear(struct fake_reply *reply)
{
    fake_bytes_unref(reply->body);
    reply->body = fake_bytes_new();
    fake_stream_free(reply->stream);
    reply->stream = NULL;
    reply->hijacked = false;
}

void fake_fault_spoil(struct fake_call *call, const json_t *fault)
{
    size_t row = find_action(fault);
    call->reply->ending = actions[row].ending;
    call->reply->delay_ms = (uint64_t)number(fault, "delay_ms", 0);
    if (actions[row].spoil == SPOIL_NOTHING)
        return;
    clear(call->reply);
    const char *message = fake_json_string(fault, "message");
    if (actions[row].spoil == SPOIL_STATUS)
        fake_call_error(call, (int)number(fault, "status", 500), "%s",
                        *message ? message : "a fault that was ordered");
    else
        fake_call_text(call, call->reply->status, "application/json", "{\"Id\":\"4f2c, [[\x01");
}
