#include "message.h"

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <ctype.h>
#include <string.h>
#include <strings.h>

enum {
    HEADER_SIZE = 12,
    OPT_SIZE = 11,
    TYPE_OPT = 41,
    CLASS_IN = 1,
    NAME_AT_QUESTION = 0xc000 | HEADER_SIZE, /* "the name there", in two bytes */
};

static uint16_t get16(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

static uint8_t *put16(uint8_t *at, unsigned value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
    return at + 2;
}

static uint8_t *put32(uint8_t *at, uint32_t value)
{
    return put16(put16(at, value >> 16), value & 0xffff);
}

/* Reads a name without pointers, as a question has it; 0: malformed. */
static size_t read_name(const uint8_t *bytes, size_t size, size_t at, char out[MESSAGE_NAME_SIZE])
{
    size_t used = 0;
    while (at < size && bytes[at] != 0) {
        size_t length = bytes[at++];
        if (length > 63 || at + length > size || used + length + 1 >= MESSAGE_NAME_SIZE)
            return 0;
        if (used)
            out[used++] = '.';
        for (size_t i = 0; i < length; i++) {
            uint8_t byte = bytes[at++];
            bool plain = isalnum(byte) || byte == '-' || byte == '_';
            out[used++] = plain ? (char)tolower(byte) : '?';
        }
    }
    out[used] = '\0';
    return at < size ? at + 1 : 0;
}

/* Writes a name as labels; NULL: it is no name, or does not fit. */
static uint8_t *put_name(uint8_t *at, const uint8_t *end, const char *name)
{
    size_t left = strlen(name);
    if (left + 2 > 255 || at + left + 2 > end)
        return NULL;
    while (*name) {
        size_t length = strcspn(name, ".");
        if (length == 0 || length > 63)
            return NULL;
        *at++ = (uint8_t)length;
        memcpy(at, name, length);
        at += length;
        name += length + (name[length] == '.');
    }
    *at++ = 0;
    return at;
}

/* The OPT record among the additional ones, if the first of them is one. */
static void read_options(const uint8_t *bytes, size_t size, struct question *question)
{
    size_t at = question->end;
    question->udp_size = MESSAGE_UDP_MIN;
    if (get16(bytes + 6) || get16(bytes + 8) || !get16(bytes + 10) || at + OPT_SIZE > size ||
        bytes[at] != 0 || get16(bytes + at + 1) != TYPE_OPT)
        return;
    question->extended = true;
    question->udp_size = get16(bytes + at + 3);
    if (question->udp_size < MESSAGE_UDP_MIN)
        question->udp_size = MESSAGE_UDP_MIN;
    if (question->udp_size > MESSAGE_UDP_MAX)
        question->udp_size = MESSAGE_UDP_MAX;
}

int question_parse(const uint8_t *bytes, size_t size, struct question *question)
{
    *question = (struct question){0};
    if (size < HEADER_SIZE || get16(bytes + 4) != 1)
        return -1;
    size_t at = read_name(bytes, size, HEADER_SIZE, question->name);
    if (!at || at + 4 > size)
        return -1;
    question->id = get16(bytes);
    question->is_query = (bytes[2] & 0xf8) == 0; /* neither QR nor an opcode */
    question->type = get16(bytes + at);
    question->internet = get16(bytes + at + 2) == CLASS_IN;
    question->end = at + 4;
    read_options(bytes, size, question);
    return 0;
}

void message_begin(struct message *reply, const struct question *question, const uint8_t *query,
                   size_t size_max)
{
    reply->question = *question;
    reply->answers = reply->authorities = 0;
    reply->truncated = false;
    reply->size_max = size_max - (question->extended ? OPT_SIZE : 0);
    memcpy(reply->bytes, query, question->end);
    reply->size = question->end;
}

/* Writes a record's data; NULL if it does not fit or is malformed. */
static uint8_t *put_data(uint8_t *at, const uint8_t *end, const struct record *record)
{
    size_t length = record->value ? strlen(record->value) : 0;
    switch (record->type) {
    case RECORD_A:
        return at + 4 <= end && inet_pton(AF_INET, record->value, at) == 1 ? at + 4 : NULL;
    case RECORD_AAAA:
        return at + 16 <= end && inet_pton(AF_INET6, record->value, at) == 1 ? at + 16 : NULL;
    case RECORD_CNAME:
    case RECORD_PTR:
        return put_name(at, end, record->value);
    case RECORD_SRV:
        if (at + 6 > end)
            return NULL;
        at = put16(put16(put16(at, 0), 100), record->port); /* priority, weight as CoreDNS has */
        return put_name(at, end, record->value);
    case RECORD_TXT:
        if (length > 255 || at + length + 1 > end)
            return NULL;
        *at++ = (uint8_t)length;
        memcpy(at, record->value, length);
        return at + length;
    case RECORD_SOA: {
        char name[MESSAGE_NAME_SIZE + 16];
        snprintf(name, sizeof(name), "ns.dns.%s", record->value);
        if ((at = put_name(at, end, name)) == NULL)
            return NULL;
        snprintf(name, sizeof(name), "hostmaster.%s", record->value);
        if ((at = put_name(at, end, name)) == NULL || at + 20 > end)
            return NULL;
        /* serial, refresh, retry, expire; the last: negative answers are not to be kept */
        return put32(put32(put32(put32(put32(at, 1), 7200), 1800), 86400), 0);
    }
    case RECORD_NONE:
        break;
    }
    return NULL;
}

static bool put_record(struct message *reply, const struct record *record, uint32_t ttl_s)
{
    uint8_t *at = reply->bytes + reply->size;
    const uint8_t *end = reply->bytes + reply->size_max;
    if (strcasecmp(record->name, reply->question.name) == 0 && at + 2 <= end)
        at = put16(at, NAME_AT_QUESTION);
    else
        at = put_name(at, end, record->name);
    if (!at || at + 10 > end)
        return false;
    uint8_t *size_at = put32(put16(put16(at, record->type), CLASS_IN), ttl_s);
    uint8_t *data = size_at + 2;
    uint8_t *data_end = put_data(data, end, record);
    if (!data_end)
        return false;
    put16(size_at, (unsigned)(data_end - data));
    reply->size = (size_t)(data_end - reply->bytes);
    return true;
}

void message_add(struct message *reply, const struct record *record, uint32_t ttl_s)
{
    /* Nothing after the first that does not fit: a resolver asks again over TCP. */
    if (reply->truncated || reply->answers == UINT16_MAX)
        return;
    if (put_record(reply, record, ttl_s))
        reply->answers++;
    else
        reply->truncated = true;
}

static struct record soa_of(char *domain)
{
    return (struct record){.name = domain, .type = RECORD_SOA, .value = domain};
}

void message_add_soa(struct message *reply, const char *domain)
{
    char name[MESSAGE_NAME_SIZE];
    snprintf(name, sizeof(name), "%s", domain);
    struct record soa = soa_of(name);
    message_add(reply, &soa, 0);
}

void message_add_authority(struct message *reply, const char *domain)
{
    char name[MESSAGE_NAME_SIZE];
    snprintf(name, sizeof(name), "%s", domain);
    struct record soa = soa_of(name);
    if (put_record(reply, &soa, 0))
        reply->authorities++;
}

/* One record of another server, its compressed names written out. */
static void add_foreign_record(struct message *reply, const ns_msg *foreign, const ns_rr *rr)
{
    char owner[MESSAGE_NAME_SIZE], value[NS_MAXDNAME];
    struct record record = {.name = owner, .type = RECORD_NONE, .value = value};
    const uint8_t *data = ns_rr_rdata(*rr);
    snprintf(owner, sizeof(owner), "%.255s", ns_rr_name(*rr));
    if (ns_rr_type(*rr) == ns_t_a && ns_rr_rdlen(*rr) == 4) {
        record.type = RECORD_A;
        inet_ntop(AF_INET, data, value, sizeof(value));
    } else if (ns_rr_type(*rr) == ns_t_aaaa && ns_rr_rdlen(*rr) == 16) {
        record.type = RECORD_AAAA;
        inet_ntop(AF_INET6, data, value, sizeof(value));
    } else if (ns_rr_type(*rr) == ns_t_cname &&
               ns_name_uncompress(ns_msg_base(*foreign), ns_msg_end(*foreign), data, value,
                                  sizeof(value)) > 0) {
        record.type = RECORD_CNAME;
    }
    if (record.type != RECORD_NONE)
        message_add(reply, &record, ns_rr_ttl(*rr));
}

enum message_rcode message_add_foreign(struct message *reply, const uint8_t *bytes, size_t size)
{
    ns_msg foreign;
    if (size > MESSAGE_SIZE_MAX || ns_initparse(bytes, (int)size, &foreign) < 0)
        return MESSAGE_SERVFAIL;
    for (int i = 0; i < ns_msg_count(foreign, ns_s_an); i++) {
        ns_rr rr;
        if (ns_parserr(&foreign, ns_s_an, i, &rr) < 0)
            return MESSAGE_SERVFAIL;
        add_foreign_record(reply, &foreign, &rr);
    }
    return (enum message_rcode)ns_msg_getflag(foreign, ns_f_rcode);
}

static uint8_t *put_options(uint8_t *at)
{
    *at++ = 0;
    at = put16(put16(at, TYPE_OPT), MESSAGE_UDP_MAX);
    return put16(put32(at, 0), 0);
}

void message_end(struct message *reply, enum message_rcode rcode)
{
    uint8_t *header = reply->bytes;
    /* A reply (0x80), by who should know (0x04), to one who wants recursion or not (kept). */
    header[2] = (uint8_t)(0x84 | (header[2] & 0x01) | (reply->truncated ? 0x02 : 0));
    header[3] = (uint8_t)(0x80 | (unsigned)rcode);
    put16(header + 4, 1);
    put16(header + 6, reply->answers);
    put16(header + 8, reply->authorities);
    put16(header + 10, reply->question.extended);
    if (reply->question.extended)
        reply->size = (size_t)(put_options(header + reply->size) - header);
}

size_t message_query(uint8_t out[MESSAGE_QUERY_MAX], uint16_t id, const char *name, uint16_t type)
{
    memset(out, 0, HEADER_SIZE);
    put16(out, id);
    out[2] = 0x01; /* recursion desired */
    put16(out + 4, 1);
    put16(out + 10, 1);
    uint8_t *at = put_name(out + HEADER_SIZE, out + MESSAGE_QUERY_MAX - 4 - OPT_SIZE, name);
    if (!at)
        return 0;
    at = put_options(put16(put16(at, type), CLASS_IN));
    return (size_t)(at - out);
}
