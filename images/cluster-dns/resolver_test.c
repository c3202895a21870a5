/*
 * resolver_test.c - real sockets on the loopback, and servers outside that are
 * played by the test itself. Time is an argument, so nothing waits.
 *
 * It includes what it tests, so that it compiles alone:
 *     cc resolver_test.c -ljansson -lcurl -lcmocka -lresolv
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../cluster-api/loop.c"
#include "answer.c"
#include "message.c"
#include "resolver.c"
#include "upstream.c"
#include "zone.c"

enum { OUTSIDE_MAX = 2, TURNS = 50, TURN_MS = 20 };

struct stage {
    struct loop *loop;
    struct resolver *resolver;
    struct zone *zone;
    struct upstreams upstreams;
    int outside[OUTSIDE_MAX]; /* the servers outside */
    int dnsmasq, client;
    struct sockaddr_in address; /* of the resolver */
};

static int open_bound(struct sockaddr_in *address, int type)
{
    socklen_t size = sizeof(*address);
    struct timeval limit = {.tv_sec = 1};
    *address = loopback(0);
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)address, size), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)address, &size), 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)), 0);
    return fd;
}

static void stage_init(struct stage *stage)
{
    json_error_t error;
    json_t *services = json_loads(
        "{\"a/s\":{\"metadata\":{\"name\":\"s\",\"namespace\":\"a\"},\"spec\":{\"clusterIP\":"
        "\"10.96.0.1\"}},\"a/e\":{\"metadata\":{\"name\":\"e\",\"namespace\":\"a\"},\"spec\":{"
        "\"type\":\"ExternalName\",\"externalName\":\"db.example.org\"}}}",
        0, &error);
    struct sockaddr_in address, own;
    *stage = (struct stage){.loop = loop_new()};
    struct zone_view view = {.services = services};
    stage->zone = zone_new("cluster.local", &view);
    json_decref(services);
    for (size_t i = 0; i < OUTSIDE_MAX; i++) {
        stage->outside[i] = open_bound(&address, SOCK_DGRAM);
        struct upstream *server = &stage->upstreams.servers[stage->upstreams.count++];
        server->size = sizeof(address);
        memcpy(&server->address, &address, sizeof(address));
    }
    stage->dnsmasq = open_bound(&address, SOCK_DGRAM);
    /* A port that was free a moment ago. */
    close(open_bound(&own, SOCK_STREAM));
    struct resolver_ports ports = {.own = ntohs(own.sin_port), .dnsmasq = ntohs(address.sin_port)};
    stage->resolver = resolver_new(stage->loop, ports, &stage->upstreams);
    assert_non_null(stage->resolver);
    resolver_use(stage->resolver, stage->zone);
    stage->address = own;
    stage->client = open_bound(&own, SOCK_DGRAM);
    assert_int_equal(
        connect(stage->client, (struct sockaddr *)&stage->address, sizeof(stage->address)), 0);
}

static void stage_done(struct stage *stage)
{
    resolver_free(stage->resolver);
    zone_free(stage->zone);
    loop_free(stage->loop);
    for (size_t i = 0; i < OUTSIDE_MAX; i++)
        close(stage->outside[i]);
    close(stage->dnsmasq);
    close(stage->client);
}

/* Lets the resolver work until a socket has something to read. */
static bool turn_until_readable(struct stage *stage, int fd)
{
    for (int i = 0; i < TURNS; i++) {
        char byte;
        if (recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0)
            return true;
        loop_wait(stage->loop, loop_now_ms() + TURN_MS);
    }
    return false;
}

static void ask(struct stage *stage, const char *name, uint16_t type)
{
    uint8_t query[MESSAGE_QUERY_MAX];
    size_t size = message_query(query, 77, name, type);
    assert_int_equal(send(stage->client, query, size, 0), size);
}

/* What has come to a server outside is answered with an address or a name. */
static void answer_at(int fd, const char *name, enum record_type type, char *value)
{
    static struct message reply;
    uint8_t query[MESSAGE_QUERY_MAX];
    struct sockaddr_in from;
    socklen_t from_size = sizeof(from);
    struct question question;
    ssize_t size = recvfrom(fd, query, sizeof(query), 0, (struct sockaddr *)&from, &from_size);
    assert_true(size > 0);
    assert_int_equal(question_parse(query, (size_t)size, &question), 0);
    assert_string_equal(question.name, name);
    message_begin(&reply, &question, query, MESSAGE_UDP_MAX);
    message_add(&reply, &(struct record){question.name, type, 0, value}, 60);
    message_end(&reply, MESSAGE_NOERROR);
    (void)sendto(fd, reply.bytes, reply.size, 0, (struct sockaddr *)&from, from_size);
}

/* The client's reply must have this code, and this many records. */
static void expect_reply(struct stage *stage, unsigned rcode, unsigned answers)
{
    uint8_t bytes[MESSAGE_UDP_MAX];
    assert_true(turn_until_readable(stage, stage->client));
    ssize_t size = recv(stage->client, bytes, sizeof(bytes), 0);
    assert_true(size >= HEADER_SIZE);
    assert_int_equal(get16(bytes), 77);
    assert_int_equal(bytes[3] & 15, rcode);
    assert_int_equal(get16(bytes + 6), answers);
}

static void known_names_are_answered(void **state)
{
    (void)state;
    struct stage stage;
    stage_init(&stage);
    ask(&stage, "s.a.svc.cluster.local", RECORD_A);
    expect_reply(&stage, MESSAGE_NOERROR, 1);
    ask(&stage, "t.a.svc.cluster.local", RECORD_A);
    expect_reply(&stage, MESSAGE_NXDOMAIN, 0);
    stage_done(&stage);
}

static void external_names_are_followed(void **state)
{
    (void)state;
    struct stage stage;
    char address[] = "192.0.2.1";
    stage_init(&stage);
    ask(&stage, "e.a.svc.cluster.local", RECORD_A);
    assert_true(turn_until_readable(&stage, stage.dnsmasq));
    answer_at(stage.dnsmasq, "db.example.org", RECORD_A, address);
    expect_reply(&stage, MESSAGE_NOERROR, 2);
    /* Nobody answers: the alias alone, as a failure. */
    ask(&stage, "e.a.svc.cluster.local", RECORD_A);
    assert_true(turn_until_readable(&stage, stage.dnsmasq));
    (void)resolver_tick(stage.resolver, loop_now_ms() + ASK_MS);
    expect_reply(&stage, MESSAGE_SERVFAIL, 1);
    assert_int_equal(resolver_counts(stage.resolver).timed_out, 1);
    stage_done(&stage);
}

static void foreign_addresses_are_relayed(void **state)
{
    (void)state;
    struct stage stage;
    char host[] = "host.example.org";
    const char *name = "9.2.0.192.in-addr.arpa";
    stage_init(&stage);
    ask(&stage, name, RECORD_PTR);
    assert_true(turn_until_readable(&stage, stage.outside[0]));
    answer_at(stage.outside[0], name, RECORD_PTR, host);
    expect_reply(&stage, MESSAGE_NOERROR, 1);
    /* The first is silent: the second is asked, and only it may answer then. */
    ask(&stage, name, RECORD_PTR);
    assert_true(turn_until_readable(&stage, stage.outside[0]));
    (void)resolver_tick(stage.resolver, loop_now_ms() + TRY_MS);
    assert_true(turn_until_readable(&stage, stage.outside[1]));
    answer_at(stage.outside[0], name, RECORD_PTR, host);
    assert_false(turn_until_readable(&stage, stage.client));
    answer_at(stage.outside[1], name, RECORD_PTR, host);
    expect_reply(&stage, MESSAGE_NOERROR, 1);
    /* All are silent. */
    ask(&stage, name, RECORD_PTR);
    assert_true(turn_until_readable(&stage, stage.outside[0]));
    for (int i = 1; i <= TRIES; i++)
        (void)resolver_tick(stage.resolver, loop_now_ms() + (uint64_t)i * 2 * TRY_MS);
    expect_reply(&stage, MESSAGE_SERVFAIL, 0);
    stage_done(&stage);
}

static void questions_come_over_tcp_too(void **state)
{
    (void)state;
    struct stage stage;
    uint8_t bytes[2 * (2 + MESSAGE_QUERY_MAX)], reply[2 + MESSAGE_UDP_MAX];
    struct sockaddr_in own;
    stage_init(&stage);
    int fd = open_bound(&own, SOCK_STREAM);
    assert_int_equal(connect(fd, (struct sockaddr *)&stage.address, sizeof(stage.address)), 0);
    /* Two questions; the first arrives in two pieces, the second with its end. */
    size_t size = message_query(bytes + 2, 1, "s.a.svc.cluster.local", RECORD_A);
    bytes[0] = (uint8_t)(size >> 8);
    bytes[1] = (uint8_t)size;
    memcpy(bytes + 2 + size, bytes, 2 + size);
    assert_int_equal(send(fd, bytes, 5, 0), 5);
    for (int i = 0; i < 3; i++)
        loop_wait(stage.loop, loop_now_ms() + 1);
    assert_int_equal(send(fd, bytes + 5, 2 * (2 + size) - 5, 0), 2 * (2 + size) - 5);
    for (int i = 0; i < 2; i++) {
        assert_true(turn_until_readable(&stage, fd));
        assert_int_equal(recv(fd, reply, 2, MSG_WAITALL), 2);
        size_t length = (size_t)(reply[0] << 8 | reply[1]);
        assert_int_equal(recv(fd, reply, length, MSG_WAITALL), length);
        assert_int_equal(get16(reply + 6), 1);
    }
    /* One that says it will be too long is sent away. */
    assert_int_equal(send(fd, "\xff\xff", 2, 0), 2);
    for (int i = 0; i < 3; i++)
        loop_wait(stage.loop, loop_now_ms() + 1);
    assert_int_equal(recv(fd, reply, 1, 0), 0);
    close(fd);
    stage_done(&stage);
}

static void resolv_conf_is_read(void **state)
{
    (void)state;
    char path[] = "/tmp/resolver_test.XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_true(dprintf(fd, "# nameserver 192.0.2.9\nsearch a b\nnameserver 192.0.2.1\n"
                            "  nameserver\t2001:db8::1\nnameserver 127.0.0.11\nnameserver ::1\n"
                            "nameserver x\nnameserver 192.0.2.2 # second\n") > 0);
    close(fd);
    struct upstreams upstreams;
    upstreams_read(&upstreams, path);
    unlink(path);
    assert_int_equal(upstreams.count, 3);
    assert_string_equal(upstreams.servers[0].text, "192.0.2.1");
    assert_string_equal(upstreams.servers[1].text, "2001:db8::1");
    assert_string_equal(upstreams.servers[2].text, "192.0.2.2");
    upstreams_read(&upstreams, path);
    assert_int_equal(upstreams.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_names_are_answered),
        cmocka_unit_test(external_names_are_followed),
        cmocka_unit_test(foreign_addresses_are_relayed),
        cmocka_unit_test(questions_come_over_tcp_too),
        cmocka_unit_test(resolv_conf_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
