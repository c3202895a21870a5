#include "answer.h"

#include <string.h>

enum {
    /*
     * Nobody shall keep what the cluster says: the next answer may differ, and
     * asking again costs 50 us over the loopback. dnsmasq caches the rest.
     */
    TTL_S = 0,
    ALIASES_MAX = 8,
    TYPE_ANY = 255,
};

static bool is_reverse(const char *name)
{
    static const char *const tops[] = {".in-addr.arpa", ".ip6.arpa"};
    size_t length = strlen(name);
    for (size_t i = 0; i < sizeof(tops) / sizeof(tops[0]); i++) {
        size_t top_length = strlen(tops[i]);
        if (length >= top_length && strcmp(name + length - top_length, tops[i]) == 0)
            return true;
    }
    return false;
}

/* Adds those of the wanted type, starting elsewhere each time, to spread load. */
static void add_records(struct message *reply, const struct record *records, size_t count)
{
    unsigned wanted = reply->question.type;
    size_t first = 0;
    while (first < count && records[first].type != wanted)
        first++;
    size_t same = 0;
    while (first + same < count && records[first + same].type == wanted)
        same++;
    for (size_t i = 0; i < same; i++)
        message_add(reply, &records[first + (i + reply->question.id) % same], TTL_S);
    if (wanted == TYPE_ANY)
        for (size_t i = 0; i < count; i++)
            if (records[i].type != RECORD_NONE)
                message_add(reply, &records[i], TTL_S);
}

/* The alias among a name's records, unless it is what was asked for. */
static const struct record *find_alias(const struct message *reply, const struct record *records,
                                       size_t count)
{
    if (reply->question.type == RECORD_CNAME || reply->question.type == TYPE_ANY)
        return NULL;
    for (size_t i = 0; i < count; i++)
        if (records[i].type == RECORD_CNAME)
            return &records[i];
    return NULL;
}

static enum answer end_with(struct message *reply, const struct zone *zone,
                            enum message_rcode rcode)
{
    if (!reply->answers && zone && (rcode == MESSAGE_NOERROR || rcode == MESSAGE_NXDOMAIN))
        message_add_authority(reply, zone->domain);
    message_end(reply, rcode);
    return ANSWER_READY;
}

static enum answer answer_pod(const struct zone *zone, struct message *reply, char *name)
{
    char address[ZONE_ADDRESS_SIZE];
    enum record_type type = zone_pod_address(zone, name, address);
    struct record record = {.name = name, .type = type, .value = address};
    if (type == RECORD_NONE)
        return end_with(reply, zone, MESSAGE_NXDOMAIN);
    if (reply->question.type == (unsigned)type || reply->question.type == TYPE_ANY)
        message_add(reply, &record, TTL_S);
    return end_with(reply, zone, MESSAGE_NOERROR);
}

enum answer answer_make(const struct zone *zone, struct message *reply,
                        char target[MESSAGE_NAME_SIZE])
{
    char name[MESSAGE_NAME_SIZE];
    if (!reply->question.is_query)
        return end_with(reply, zone, MESSAGE_NOTIMP);
    if (!reply->question.internet)
        return end_with(reply, zone, MESSAGE_REFUSED);
    if (!zone)
        return end_with(reply, zone, MESSAGE_SERVFAIL);
    memcpy(name, reply->question.name, sizeof(name));
    if (reply->question.type == RECORD_SOA && strcmp(name, zone->domain) == 0)
        message_add_soa(reply, zone->domain);
    for (unsigned aliases = 0; aliases <= ALIASES_MAX; aliases++) {
        size_t count;
        const struct record *records = zone_find(zone, name, &count);
        const struct record *alias = find_alias(reply, records, count);
        if (records && !alias) {
            add_records(reply, records, count);
            return end_with(reply, zone, MESSAGE_NOERROR);
        }
        if (alias) {
            message_add(reply, alias, TTL_S);
            snprintf(name, sizeof(name), "%.255s", alias->value);
        } else if (zone_covers(zone, name)) {
            return answer_pod(zone, reply, name);
        } else if (aliases) {
            memcpy(target, name, sizeof(name));
            return ANSWER_ASK;
        } else {
            return is_reverse(name) ? ANSWER_RELAY : end_with(reply, zone, MESSAGE_REFUSED);
        }
    }
    return end_with(reply, zone, MESSAGE_SERVFAIL); /* aliases in a circle */
}
