#include "resolver.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../cluster-api/memory.h"
#include "answer.h"
#include "message.h"

enum {
    CLIENTS_MAX = 32,        /* TCP; dnsmasq itself keeps to 20 */
    PASSED_MAX = 256,        /* questions passed on at a time */
    DATAGRAMS_PER_TURN = 64, /* so that one flood does not starve the rest */
    CLIENT_TIMEOUT_MS = 10 * 1000,
    TRY_MS = 1000,     /* for one server outside */
    TRIES = 3,         /* then the client has lost patience anyway */
    ASK_MS = 4 * 1000, /* for dnsmasq, which has tries of its own */
    SEND_BUFFER = 256 * 1024,
};

struct client {
    int fd; /* -1: free */
    uint32_t generation;
    uint64_t deadline_ms;
    size_t size;
    uint8_t bytes[2 + MESSAGE_QUERY_MAX];
};

/* Where a reply goes: a TCP client, if it is still the same, or a UDP address. */
struct origin {
    struct client *client;
    uint32_t generation;
    struct sockaddr_in address;
};

struct passed {
    enum { PASSED_FREE, PASSED_ASKED, PASSED_RELAYED } kind;
    uint16_t id; /* as sent on */
    unsigned tries;
    uint64_t deadline_ms;
    struct origin origin;
    char name[MESSAGE_NAME_SIZE]; /* as sent on */
    size_t size;
    uint8_t query[MESSAGE_QUERY_MAX]; /* as it came */
};

struct resolver {
    struct loop *loop;
    const struct upstreams *upstreams;
    const struct zone *zone;
    struct sockaddr_in dnsmasq;
    int udp, tcp, out4, out6;
    struct client clients[CLIENTS_MAX];
    struct passed passed[PASSED_MAX];
    struct message reply;
    struct resolver_counts counts;
};

static struct sockaddr_in loopback(uint16_t port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET,
        .sin_port = htons(port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
}

static void client_close(struct resolver *resolver, struct client *client)
{
    loop_remove(resolver->loop, client->fd);
    close(client->fd);
    client->fd = -1;
    client->generation++;
}

/* A reply that cannot be sent whole at once is dropped, as UDP would. */
static void send_bytes(struct resolver *resolver, const struct origin *origin, const uint8_t *bytes,
                       size_t size)
{
    if (!origin->client) {
        (void)sendto(resolver->udp, bytes, size, 0, (const struct sockaddr *)&origin->address,
                     sizeof(origin->address));
        return;
    }
    struct client *client = origin->client;
    if (client->fd < 0 || client->generation != origin->generation)
        return;
    uint8_t prefix[2] = {(uint8_t)(size >> 8), (uint8_t)size};
    if (send(client->fd, prefix, 2, MSG_MORE | MSG_NOSIGNAL) != 2 ||
        send(client->fd, bytes, size, MSG_NOSIGNAL) != (ssize_t)size)
        client_close(resolver, client);
}

static void send_reply(struct resolver *resolver, const struct origin *origin)
{
    resolver->counts.answered++;
    send_bytes(resolver, origin, resolver->reply.bytes, resolver->reply.size);
}

static int out_socket(const struct resolver *resolver, const struct upstream *server)
{
    return server->address.ss_family == AF_INET ? resolver->out4 : resolver->out6;
}

/* Sends a passed-on question (again); the reply comes to out_readable(). */
static void passed_send(struct resolver *resolver, struct passed *passed, uint64_t now_ms)
{
    uint8_t query[MESSAGE_QUERY_MAX];
    passed->id = (uint16_t)arc4random(); /* hard to guess */
    if (passed->kind == PASSED_ASKED) {
        struct question question;
        (void)question_parse(passed->query, passed->size, &question);
        size_t size = message_query(query, passed->id, passed->name, question.type);
        (void)sendto(resolver->out4, query, size, 0, (struct sockaddr *)&resolver->dnsmasq,
                     sizeof(resolver->dnsmasq));
        passed->deadline_ms = now_ms + ASK_MS;
        passed->tries = TRIES;
        return;
    }
    const struct upstreams *upstreams = resolver->upstreams;
    passed->deadline_ms = now_ms + TRY_MS;
    if (upstreams->count == 0) {
        passed->tries = TRIES;
        passed->deadline_ms = now_ms;
        return;
    }
    const struct upstream *server = &upstreams->servers[passed->tries++ % upstreams->count];
    memcpy(query, passed->query, passed->size);
    query[0] = (uint8_t)(passed->id >> 8);
    query[1] = (uint8_t)passed->id;
    /* One that cannot be reached (IPv4 from a pod without) is not waited for. */
    if (sendto(out_socket(resolver, server), query, passed->size, 0,
               (const struct sockaddr *)&server->address, server->size) < 0)
        passed->deadline_ms = now_ms;
}

static void begin_reply(struct resolver *resolver, const struct question *question,
                        const uint8_t *query, const struct origin *origin)
{
    message_begin(&resolver->reply, question, query,
                  origin->client ? (size_t)MESSAGE_SIZE_MAX : question->udp_size);
}

static void pass_on(struct resolver *resolver, const struct origin *origin, enum answer answer,
                    const char *name, const uint8_t *query, size_t size)
{
    for (size_t i = 0; i < PASSED_MAX; i++) {
        struct passed *passed = &resolver->passed[i];
        if (passed->kind != PASSED_FREE)
            continue;
        *passed = (struct passed){
            .kind = answer == ANSWER_ASK ? PASSED_ASKED : PASSED_RELAYED,
            .origin = *origin,
            .size = size,
        };
        snprintf(passed->name, sizeof(passed->name), "%s", name);
        memcpy(passed->query, query, size);
        passed_send(resolver, passed, loop_now_ms());
        resolver->counts.passed_on++;
        return;
    }
    message_end(&resolver->reply, MESSAGE_SERVFAIL);
    send_reply(resolver, origin);
}

static void handle_query(struct resolver *resolver, const struct origin *origin,
                         const uint8_t *query, size_t size)
{
    struct question question;
    char target[MESSAGE_NAME_SIZE];
    if (size > MESSAGE_QUERY_MAX || question_parse(query, size, &question) < 0)
        return;
    begin_reply(resolver, &question, query, origin);
    enum answer answer = answer_make(resolver->zone, &resolver->reply, target);
    switch (answer) {
    case ANSWER_READY:
        send_reply(resolver, origin);
        return;
    case ANSWER_ASK:
        pass_on(resolver, origin, answer, target, query, size);
        return;
    case ANSWER_RELAY:
        pass_on(resolver, origin, answer, question.name, query, size);
        return;
    }
}

/* The end of an ExternalName is known (or, with size 0, is not to be had). */
static void finish_asked(struct resolver *resolver, struct passed *passed, const uint8_t *bytes,
                         size_t size)
{
    struct question question;
    char target[MESSAGE_NAME_SIZE];
    (void)question_parse(passed->query, passed->size, &question);
    begin_reply(resolver, &question, passed->query, &passed->origin);
    /* The zone may have changed meanwhile; then its new answer is complete. */
    if (answer_make(resolver->zone, &resolver->reply, target) == ANSWER_ASK) {
        enum message_rcode rcode = MESSAGE_SERVFAIL;
        if (size)
            rcode = message_add_foreign(&resolver->reply, bytes, size);
        message_end(&resolver->reply, rcode);
    }
    send_reply(resolver, &passed->origin);
}

static void passed_finish(struct resolver *resolver, struct passed *passed, uint8_t *bytes,
                          size_t size)
{
    if (passed->kind == PASSED_ASKED) {
        finish_asked(resolver, passed, bytes, size);
    } else if (size) {
        memcpy(bytes, passed->query, 2); /* the id it came with */
        resolver->counts.answered++;
        send_bytes(resolver, &passed->origin, bytes, size);
    } else {
        struct question question;
        (void)question_parse(passed->query, passed->size, &question);
        begin_reply(resolver, &question, passed->query, &passed->origin);
        message_end(&resolver->reply, MESSAGE_SERVFAIL);
        send_reply(resolver, &passed->origin);
    }
    passed->kind = PASSED_FREE;
}

/* Only the server that was asked may answer. */
static bool passed_expects(const struct resolver *resolver, const struct passed *passed,
                           const struct sockaddr_storage *from)
{
    const struct upstreams *upstreams = resolver->upstreams;
    const void *expected = &resolver->dnsmasq;
    if (passed->kind == PASSED_RELAYED && (!upstreams->count || !passed->tries))
        return false;
    if (passed->kind == PASSED_RELAYED)
        expected = &upstreams->servers[(passed->tries - 1) % upstreams->count].address;
    if (from->ss_family == AF_INET) {
        const struct sockaddr_in *want = expected, *have = (const void *)from;
        return want->sin_family == AF_INET && want->sin_port == have->sin_port &&
               want->sin_addr.s_addr == have->sin_addr.s_addr;
    }
    const struct sockaddr_in6 *want = expected, *have = (const void *)from;
    return want->sin6_family == AF_INET6 && want->sin6_port == have->sin6_port &&
           memcmp(&want->sin6_addr, &have->sin6_addr, sizeof(want->sin6_addr)) == 0;
}

static void out_readable(void *context, int fd)
{
    struct resolver *resolver = context;
    uint8_t bytes[MESSAGE_UDP_MAX];
    for (int i = 0; i < DATAGRAMS_PER_TURN; i++) {
        struct sockaddr_storage from = {0};
        socklen_t from_size = sizeof(from);
        ssize_t size = recvfrom(fd, bytes, sizeof(bytes), 0, (struct sockaddr *)&from, &from_size);
        struct question question;
        if (size < 0)
            return;
        if (question_parse(bytes, (size_t)size, &question) < 0)
            continue;
        for (size_t j = 0; j < PASSED_MAX; j++) {
            struct passed *passed = &resolver->passed[j];
            if (passed->kind == PASSED_FREE || passed->id != question.id ||
                strcasecmp(passed->name, question.name) != 0 ||
                !passed_expects(resolver, passed, &from))
                continue;
            passed_finish(resolver, passed, bytes, (size_t)size);
            break;
        }
    }
}

static void udp_readable(void *context, int fd)
{
    struct resolver *resolver = context;
    uint8_t bytes[MESSAGE_UDP_MAX];
    for (int i = 0; i < DATAGRAMS_PER_TURN; i++) {
        struct origin origin = {0};
        socklen_t from_size = sizeof(origin.address);
        ssize_t size =
            recvfrom(fd, bytes, sizeof(bytes), 0, (struct sockaddr *)&origin.address, &from_size);
        if (size < 0)
            return;
        handle_query(resolver, &origin, bytes, (size_t)size);
    }
}

static void client_readable(void *context, int fd)
{
    struct resolver *resolver = context;
    struct client *client = resolver->clients;
    while (client->fd != fd)
        client++;
    ssize_t got = recv(fd, client->bytes + client->size, sizeof(client->bytes) - client->size, 0);
    if (got <= 0) {
        client_close(resolver, client);
        return;
    }
    client->size += (size_t)got;
    client->deadline_ms = loop_now_ms() + CLIENT_TIMEOUT_MS;
    uint32_t generation = client->generation;
    while (client->generation == generation && client->size >= 2) {
        size_t size = (size_t)client->bytes[0] << 8 | client->bytes[1];
        if (size > MESSAGE_QUERY_MAX) {
            client_close(resolver, client);
            return;
        }
        if (client->size < 2 + size)
            return;
        struct origin origin = {.client = client, .generation = generation};
        handle_query(resolver, &origin, client->bytes + 2, size);
        client->size -= 2 + size;
        memmove(client->bytes, client->bytes + 2 + size, client->size);
    }
}

static void tcp_readable(void *context, int listener)
{
    struct resolver *resolver = context;
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0)
        return;
    int send_buffer = SEND_BUFFER;
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &send_buffer, sizeof(send_buffer));
    for (size_t i = 0; i < CLIENTS_MAX; i++) {
        struct client *client = &resolver->clients[i];
        if (client->fd >= 0 || loop_add(resolver->loop, fd, client_readable, resolver) < 0)
            continue;
        client->fd = fd;
        client->size = 0;
        client->deadline_ms = loop_now_ms() + CLIENT_TIMEOUT_MS;
        return;
    }
    close(fd);
}

static int open_socket(int family, int type, const struct sockaddr_in *address)
{
    int fd = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int on = 1;
    if (fd >= 0 && address &&
        (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
         bind(fd, (const struct sockaddr *)address, sizeof(*address)) < 0 ||
         (type == SOCK_STREAM && listen(fd, CLIENTS_MAX) < 0))) {
        int saved = errno;
        close(fd);
        errno = saved;
        return -1;
    }
    return fd;
}

struct resolver *resolver_new(struct loop *loop, struct resolver_ports ports,
                              const struct upstreams *upstreams)
{
    struct resolver *resolver = must(calloc(1, sizeof(*resolver)));
    struct sockaddr_in own = loopback(ports.own);
    resolver->loop = loop;
    resolver->upstreams = upstreams;
    resolver->dnsmasq = loopback(ports.dnsmasq);
    for (size_t i = 0; i < CLIENTS_MAX; i++)
        resolver->clients[i].fd = -1;
    resolver->udp = open_socket(AF_INET, SOCK_DGRAM, &own);
    resolver->tcp = open_socket(AF_INET, SOCK_STREAM, &own);
    resolver->out4 = open_socket(AF_INET, SOCK_DGRAM, NULL);
    resolver->out6 = open_socket(AF_INET6, SOCK_DGRAM, NULL); /* none: no IPv6 here */
    if (resolver->udp < 0 || resolver->tcp < 0 || resolver->out4 < 0) {
        resolver_free(resolver);
        return NULL;
    }
    (void)loop_add(loop, resolver->udp, udp_readable, resolver);
    (void)loop_add(loop, resolver->tcp, tcp_readable, resolver);
    (void)loop_add(loop, resolver->out4, out_readable, resolver);
    if (resolver->out6 >= 0)
        (void)loop_add(loop, resolver->out6, out_readable, resolver);
    return resolver;
}

void resolver_free(struct resolver *resolver)
{
    if (!resolver)
        return;
    for (size_t i = 0; i < CLIENTS_MAX; i++)
        if (resolver->clients[i].fd >= 0)
            client_close(resolver, &resolver->clients[i]);
    const int sockets[] = {resolver->udp, resolver->tcp, resolver->out4, resolver->out6};
    for (size_t i = 0; i < sizeof(sockets) / sizeof(sockets[0]); i++)
        if (sockets[i] >= 0) {
            loop_remove(resolver->loop, sockets[i]);
            close(sockets[i]);
        }
    free(resolver);
}

void resolver_use(struct resolver *resolver, const struct zone *zone)
{
    resolver->zone = zone;
}

uint64_t resolver_tick(struct resolver *resolver, uint64_t now_ms)
{
    uint64_t next_ms = LOOP_NEVER;
    for (size_t i = 0; i < PASSED_MAX; i++) {
        struct passed *passed = &resolver->passed[i];
        if (passed->kind != PASSED_FREE && passed->deadline_ms <= now_ms) {
            if (passed->tries < TRIES) {
                passed_send(resolver, passed, now_ms);
            } else {
                resolver->counts.timed_out++;
                passed_finish(resolver, passed, NULL, 0);
            }
        }
        if (passed->kind != PASSED_FREE && passed->deadline_ms < next_ms)
            next_ms = passed->deadline_ms;
    }
    for (size_t i = 0; i < CLIENTS_MAX; i++) {
        struct client *client = &resolver->clients[i];
        if (client->fd >= 0 && client->deadline_ms <= now_ms)
            client_close(resolver, client);
        if (client->fd >= 0 && client->deadline_ms < next_ms)
            next_ms = client->deadline_ms;
    }
    return next_ms;
}

struct resolver_counts resolver_counts(const struct resolver *resolver)
{
    return resolver->counts;
}
