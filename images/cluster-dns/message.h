/*
 * message.h - DNS messages on the wire: reading a question, writing a reply.
 *
 * What is read comes from outside and may be anything; what does not parse is
 * refused as a whole. Names are text here, in lower case, without the last dot;
 * a byte that no name of a cluster can have becomes '?', which matches nothing.
 */
#ifndef CLUSTER_DNS_MESSAGE_H
#define CLUSTER_DNS_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "zone.h"

enum {
    MESSAGE_SIZE_MAX = 65535,
    MESSAGE_UDP_MIN = 512,  /* what everybody takes */
    MESSAGE_UDP_MAX = 4096, /* over the loopback, to dnsmasq */
    MESSAGE_NAME_SIZE = 256,
    MESSAGE_QUERY_MAX = 512, /* a header, a question and options */
};

enum message_rcode {
    MESSAGE_NOERROR = 0,
    MESSAGE_FORMERR = 1,
    MESSAGE_SERVFAIL = 2,
    MESSAGE_NXDOMAIN = 3,
    MESSAGE_NOTIMP = 4,
    MESSAGE_REFUSED = 5,
};

struct question {
    char name[MESSAGE_NAME_SIZE];
    uint16_t id, type;
    size_t end;      /* where the question ends in the message */
    size_t udp_size; /* how much its sender takes in one datagram */
    bool extended;   /* it has an OPT record, so the reply gets one */
    bool internet;   /* its class is IN */
    bool is_query;   /* not a reply, not an update or the like */
};

/* Returns -1 if it is not a message with just one question. */
int question_parse(const uint8_t *bytes, size_t size, struct question *question);

struct message {
    uint8_t bytes[MESSAGE_SIZE_MAX];
    size_t size, size_max;
    uint16_t answers, authorities;
    bool truncated;
    struct question question;
};

/* Starts the reply to a query, of at most size_max bytes. */
void message_begin(struct message *reply, const struct question *question, const uint8_t *query,
                   size_t size_max);

/* Adds a record to the answer; when it does not fit, the reply is truncated. */
void message_add(struct message *reply, const struct record *record, uint32_t ttl_s);

/* Adds the domain's SOA, by which a negative answer says how long it holds. */
void message_add_authority(struct message *reply, const char *domain);
void message_add_soa(struct message *reply, const char *domain);

/* Copies addresses and aliases out of another server's reply. Returns its rcode. */
enum message_rcode message_add_foreign(struct message *reply, const uint8_t *bytes, size_t size);

/* Fills in the header; the reply is ready to be sent. */
void message_end(struct message *reply, enum message_rcode rcode);

/* Writes a query for a name that takes large replies. Returns its size, 0 on a bad name. */
size_t message_query(uint8_t out[MESSAGE_QUERY_MAX], uint16_t id, const char *name, uint16_t type);

#endif
