/* The engine's side of the fake world: a story of requests, and what each is answered. */
#include "base/memory.h"
#include "base/test.h"
#include "drivers/archive.h"
#include "drivers/fake_ask.h"
#include <string.h>

#define NODE "{\"Image\":\"kind.local/node:v1.20.2\",\"Tty\":true,\"Labels\":{\"a\":\"b\"}"
#define ON_NET ",\"HostConfig\":{\"NetworkMode\":\"net\""
#define ON_HALF(address)                                                                           \
    ",\"HostConfig\":{\"NetworkMode\":\"half\"},\"NetworkingConfig\":{\"EndpointsConfig\":{"       \
    "\"half\":{\"IPAMConfig\":{\"IPv6Address\":\"" address "\"}}}}}"
#define PORT ",\"PortBindings\":{\"6443/tcp\":[{\"HostIp\":\"127.0.0.1\",\"HostPort\":\"36443\"}]}"

struct row {
    const char *line, *body;
    int status;
    const char *contains; /* in the reply; NULL: anything */
};

static void tell(struct fake_client *client, const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        test_row(rows[i].line);
        const char *body = fake_ask(client, rows[i].line, rows[i].body);
        if (client->status != rows[i].status ||
            (rows[i].contains && !strstr(body, rows[i].contains)))
            fail_msg("row %zu, %s: got %d %s, want %d %s", i, rows[i].line, client->status, body,
                     rows[i].status, rows[i].contains ? rows[i].contains : "");
        client->now_ms += 10;
    }
}

#define TELL(rows)                                                                                 \
    do {                                                                                           \
        struct fake_client client = {.world = fake_world_new(NULL), .now_ms = 1000};               \
        tell(&client, rows, COUNT_OF(rows));                                                       \
        fake_client_done(&client);                                                                 \
        fake_world_free(client.world);                                                             \
    } while (0)

static void engine(void **state)
{
    static const struct row rows[] = {
        {"HEAD /_ping", NULL, 200, "OK"},
        {"GET /v1.41/version", NULL, 200, "\"ApiVersion\":\"1.41\""},
        {"GET /v1.44/version", NULL, 400, "client version 1.44 is too new"},
        {"GET /info", NULL, 200, "\"CgroupVersion\":\"2\""},
        {"POST /_fake/info", "{\"CgroupVersion\":\"1\"}", 204, NULL},
        {"GET /info", NULL, 200, "\"CgroupVersion\":\"1\""},
        {"GET /nothing", NULL, 404, "page not found"},
        {"GET /volumes", NULL, 200, "\"Volumes\":[]"},
    };
    (void)state;
    TELL(rows);
}

static void container_life(void **state)
{
    static const struct row rows[] = {
        {"POST /containers/create?name=x1", "{\"Image\":\"nope\"}", 404,
         "No such image: nope:latest"},
        {"POST /containers/create?name=-", NODE "}", 400, "Invalid container name"},
        {"POST /containers/create?name=x1", NODE ",\"Volumes\":{\"/var\":{}}}", 201, "\"Id\":"},
        {"POST /containers/create?name=x1", NODE "}", 409,
         "Conflict. The container name \\\"/x1\\\""},
        {"GET /containers/json", NULL, 200, "[]"},
        {"GET /containers/json?all=1", NULL, 200, "\"State\":\"created\""},
        {"GET /volumes", NULL, 200, "\"Driver\":\"local\""},
        {"POST /containers/x1/kill", NULL, 409, "is not running"},
        {"POST /containers/x1/exec", "{\"Cmd\":[\"true\"]}", 409, "is not running"},
        {"POST /containers/x1/start", NULL, 204, NULL},
        {"POST /containers/x1/start", NULL, 304, NULL},
        {"GET /containers/x1/logs?stdout=1", NULL, 200, "detected cgroup v1\r\n"},
        {"GET /containers/x1/logs?stdout=1&tail=1", NULL, 200, "Multi-User System"},
        {"GET /containers/x1/logs", NULL, 400, "at least one stream"},
        {"GET /containers/x1/json", NULL, 200, "\"Running\":true"},
        {"GET /containers/x1/json", NULL, 200, "\"StartedAt\":\"1970-01-01T00:00:01.090000000Z\""},
        {"POST /containers/x1/pause", NULL, 204, NULL},
        {"POST /containers/x1/exec", "{\"Cmd\":[\"true\"]}", 409, "is paused"},
        {"POST /containers/x1/unpause", NULL, 204, NULL},
        {"POST /containers/x1/unpause", NULL, 500, "is not paused"},
        {"DELETE /containers/x1", NULL, 409, "You cannot remove a running container"},
        {"POST /containers/x1/restart", NULL, 204, NULL},
        {"POST /containers/x1/kill?signal=SIGUSR1", NULL, 204, NULL},
        {"GET /containers/json", NULL, 200, "\"State\":\"running\""},
        {"POST /containers/x1/stop?t=1", NULL, 204, NULL},
        {"POST /containers/x1/stop", NULL, 304, NULL},
        {"GET /containers/json?all=1", NULL, 200, "Exited (130)"},
        {"POST /containers/x1/wait", NULL, 200, "\"StatusCode\":130"},
        {"DELETE /containers/x1?v=1", NULL, 204, NULL},
        {"DELETE /containers/x1", NULL, 404, "No such container: x1"},
        {"GET /volumes", NULL, 200, "\"Volumes\":[]"},
        {"GET /events?since=0&until=1", NULL, 200, ""},
    };
    (void)state;
    TELL(rows);
}

/* A node that is asked to wait boots when it is told to. */
static void hold(void **state)
{
    static const struct row rows[] = {
        {"POST /containers/create?name=x1", NODE ",\"Env\":[\"KIND_HOLD=1\"]}", 201, NULL},
        {"POST /containers/x1/start", NULL, 204, NULL},
        {"GET /containers/x1/logs?stdout=1&tail=1", NULL, 200, "holding before init"},
        {"POST /containers/x1/kill?signal=SIGUSR1", NULL, 204, NULL},
        {"GET /containers/x1/logs?stdout=1&tail=1", NULL, 200, "Multi-User System"},
        {"POST /containers/x1/restart", NULL, 204, NULL},
        {"GET /containers/x1/logs?stdout=1&tail=1", NULL, 200, "Multi-User System"},
    };
    (void)state;
    TELL(rows);
}

static void filters(void **state)
{
    static const struct row rows[] = {
        {"POST /containers/create?name=ab", NODE "}", 201, NULL},
        {"GET /containers/json?all=1&filters=%7B%22label%22%3A%5B%22a%22%5D%7D", NULL, 200, "/ab"},
        {"GET /containers/json?all=1&filters={\"label\":{\"a=b\":true}}", NULL, 200, "/ab"},
        {"GET /containers/json?all=1&filters={\"label\":[\"a=c\"]}", NULL, 200, "[]"},
        {"GET /containers/json?all=1&filters={\"name\":[\"^/ab$\"]}", NULL, 200, "/ab"},
        {"GET /containers/json?all=1&filters={\"name\":[\"^b\"]}", NULL, 200, "[]"},
        {"GET /containers/json?filters={\"status\":[\"created\"]}", NULL, 200, "/ab"},
        {"GET /containers/json?all=1&filters={\"network\":[\"bridge\"]}", NULL, 200, "/ab"},
        {"GET /containers/json?filters={\"bogus\":[\"x\"]}", NULL, 400, "Invalid filter 'bogus'"},
        {"GET /containers/json?filters=nonsense", NULL, 500, NULL},
        {"GET /networks?filters={\"name\":[\"^bridge$\"]}", NULL, 200, "\"bridge\""},
        {"GET /networks?filters={\"name\":{\"^kind$\":true}}", NULL, 200, "[]"},
    };
    (void)state;
    TELL(rows);
}

static void networks(void **state)
{
    static const struct row rows[] = {
        {"POST /networks/create",
         "{\"Name\":\"net\",\"CheckDuplicate\":true,\"EnableIPv6\":true,\"IPAM\":{\"Config\":["
         "{\"Subnet\":\"10.9.0.0/16\"},{\"Subnet\":\"fc00:1::/64\"}]}}",
         201, "\"Warning\":\"\""},
        {"POST /networks/create", "{\"Name\":\"net\",\"CheckDuplicate\":true}", 409,
         "network with name net already exists"},
        {"POST /networks/create",
         "{\"Name\":\"n2\",\"IPAM\":{\"Config\":[{\"Subnet\":\"10.9.1.0/24\"}]}}", 403,
         "Pool overlaps with other one on this address space"},
        {"POST /networks/create", "{\"Name\":\"n3\"}", 201, NULL},
        {"GET /networks/n3", NULL, 200, "172.18.0.0/16"},
        {"POST /networks/create",
         "{\"Name\":\"half\",\"EnableIPv6\":true,\"IPAM\":{\"Config\":["
         "{\"Subnet\":\"10.8.0.0/24\",\"IPRange\":\"10.8.0.0/25\"},{\"Subnet\":\"fc00:2::/64\"}]}}",
         201, NULL},
        {"GET /networks/half", NULL, 200, "\"IPRange\":\"10.8.0.0/25\""},
        {"POST /containers/create?name=h1", NODE ON_HALF("fc00:2::1:0:7"), 201, NULL},
        {"POST /containers/create?name=h2", NODE ON_HALF("fc00:2::1:0:7"), 201, NULL},
        {"POST /containers/create?name=h3", NODE ON_HALF("fc00:3::1:0:7"), 201, NULL},
        {"POST /containers/h1/start", NULL, 204, NULL},
        {"POST /containers/h2/start", NULL, 403, "Address already in use"},
        {"POST /containers/h3/start", NULL, 400, "Invalid address fc00:3::1:0:7"},
        {"GET /containers/h1/json", NULL, 200, "\"GlobalIPv6Address\":\"fc00:2::1:0:7\""},
        {"GET /containers/h2/json", NULL, 200, "\"IPv6Address\":\"fc00:2::1:0:7\""},
        {"GET /networks/n4", NULL, 404, "network n4 not found"},
        {"POST /containers/create?name=c1", NODE ON_NET PORT "}}", 201, NULL},
        {"POST /containers/create?name=c2",
         NODE ON_NET "},\"NetworkingConfig\":{\"EndpointsConfig\":{\"net\":{\"Aliases\":[\"lb\"],"
                     "\"IPAMConfig\":{\"IPv4Address\":\"10.9.0.9\"}}}}}",
         201, NULL},
        {"POST /containers/create?name=c3", NODE ON_NET PORT "}}", 201, NULL},
        {"POST /containers/create?name=c4", NODE ",\"HostConfig\":{\"NetworkMode\":\"gone\"}}", 201,
         NULL},
        {"POST /containers/c1/start", NULL, 204, NULL},
        {"POST /containers/c2/start", NULL, 204, NULL},
        {"POST /containers/c3/start", NULL, 500, "port is already allocated"},
        {"POST /containers/c4/start", NULL, 404, "network gone not found"},
        {"GET /containers/c3/json", NULL, 200, "\"Status\":\"created\""},
        {"GET /containers/c1/json", NULL, 200, "\"HostPort\":\"36443\""},
        {"GET /containers/c1/json", NULL, 200, "\"IPAddress\":\"10.9.0.2\""},
        {"GET /containers/c1/json", NULL, 200, "\"GlobalIPv6Address\":\"fc00:1::2\""},
        {"GET /containers/c2/json", NULL, 200, "\"IPAddress\":\"10.9.0.9\""},
        {"GET /containers/c2/json", NULL, 200, "\"Aliases\":[\"lb\","},
        {"GET /networks/net", NULL, 200, "10.9.0.9/16"},
        {"DELETE /networks/net", NULL, 403, "has active endpoints"},
        {"DELETE /networks/bridge", NULL, 403, "pre-defined network"},
        {"POST /networks/n3/connect", "{\"Container\":\"c1\"}", 200, NULL},
        {"GET /networks/n3", NULL, 200, "172.18.0.2/16"},
        {"POST /networks/n3/disconnect", "{\"Container\":\"c1\"}", 200, NULL},
        {"DELETE /networks/n3", NULL, 204, NULL},
        {"POST /containers/c1/stop", NULL, 204, NULL},
        {"POST /containers/c3/start", NULL, 204, NULL},
        {"GET /containers/c3/json", NULL, 200, "\"IPAddress\":\"10.9.0.2\""},
    };
    (void)state;
    TELL(rows);
}

static void images(void **state)
{
    static const char *const registry[] = {"docker.io/library/busybox:1", NULL};
    static const struct row rows[] = {
        {"GET /images/kind.local/node:v1.20.2/json", NULL, 200, "sha256:"},
        {"GET /images/busybox:1/json", NULL, 404, "No such image: busybox:1"},
        {"POST /images/create?fromImage=busybox&tag=1", NULL, 200, "Downloaded newer image"},
        {"GET /images/docker.io/library/busybox:1/json", NULL, 200, "busybox:1"},
        {"POST /images/create?fromImage=other&tag=2", NULL, 200,
         "\"errorDetail\":{\"message\":\"manifest for"},
        {"POST /images/busybox:1/tag?repo=mine&tag=3", NULL, 201, NULL},
        {"GET /images/json?filters={\"reference\":[\"mine\"]}", NULL, 200, "mine:3"},
        {"DELETE /images/mine:3", NULL, 200, "Untagged"},
        {"GET /images/mine:3/json", NULL, 404, NULL},
    };
    (void)state;
    const struct fake_settings settings = {.registry = registry};
    struct fake_client client = {.world = fake_world_new(&settings), .now_ms = 1000};
    tell(&client, rows, COUNT_OF(rows));
    fake_client_done(&client);
    fake_world_free(client.world);
}

static void files(void **state)
{
    (void)state;
    const struct archive_file entries[] = {{"a/", NULL, 0, 0755}, {"a/b", "text", 4, 0600}};
    struct fake_client client = {.world = fake_world_new(NULL), .now_ms = 1000};
    struct error *err = NULL;
    struct text tar;
    text_init(&tar, 0);
    fake_ask(&client, "POST /containers/create?name=x1", NODE "}");
    assert_int_equal(archive_pack(entries, 2, &tar, &err), 0);
    fake_ask_bytes(&client, "PUT /containers/x1/archive?path=/kind", NULL, tar.data, tar.length);
    assert_int_equal(client.status, 200);
    fake_ask_bytes(&client, "PUT /containers/x1/archive?path=/none", NULL, tar.data, tar.length);
    assert_int_equal(client.status, 404);
    fake_ask(&client, "HEAD /containers/x1/archive?path=/kind/a/b", NULL);
    assert_int_equal(client.status, 200);
    assert_string_equal(fake_ask(&client, "GET /containers/x1/archive?path=/kind/a", NULL), "a/");
    fake_ask(&client, "GET /containers/x1/archive?path=/kind/c", NULL);
    assert_int_equal(client.status, 404);
    fake_ask(&client, "POST /containers/x1/start", NULL);
    assert_int_equal(fake_exec(&client, "x1", "cat /kind/a/b"), 0);
    assert_memory_equal(client.body, "\1\0\0\0\0\0\0\4text", 12);
    text_done(&tar);
    fake_client_done(&client);
    fake_world_free(client.world);
}

static void faults(void **state)
{
    static const struct row rows[] = {
        {"POST /_fake/fault", "{\"action\":\"nonsense\"}", 400, NULL},
        {"POST /_fake/fault", "[{\"action\":\"fail\",\"at\":2,\"match\":\"/info\",\"status\":503}]",
         204, NULL},
        {"GET /info", NULL, 200, NULL},
        {"GET /info", NULL, 503, "ordered"},
        {"GET /info", NULL, 200, NULL},
        {"POST /_fake/fault", "{\"action\":\"fail-after\",\"mutating\":true}", 204, NULL},
        {"GET /info", NULL, 200, NULL},
        {"POST /containers/create?name=x1", NODE "}", 500, "ordered"},
        {"GET /containers/x1/json", NULL, 200, NULL},
        {"POST /_fake/fault", "{\"action\":\"drop\"}", 204, NULL},
        {"DELETE /containers/x1", NULL, 0, NULL},
        {"POST /_fake/fault", "{\"action\":\"garbage\"}", 204, NULL},
        {"GET /containers/x1/json", NULL, 200, "{\"Id\":\"4f2c, [["},
        {"POST /_fake/fault", "{\"action\":\"kill\"}", 204, NULL},
        {"DELETE /containers/x1", NULL, 0, NULL},
        {"GET /containers/x1/json", NULL, 404, NULL},
        {"GET /_fake/requests", NULL, 200, "\"number\":10"},
        {"POST /_fake/reset-log", NULL, 204, NULL},
        {"GET /_fake/requests", NULL, 200, "[]"},
    };
    (void)state;
    TELL(rows);
}

static void population(void **state)
{
    static const struct row rows[] = {
        {"POST /_fake/populate?clusters=3&nodes=2",
         "{\"labels\":{\"owner\":\"me\",\"of\":\"%s\"},\"files\":{\"/kind/fleet.json\":\"x %s\"}}",
         204, NULL},
        {"GET /containers/json?filters={\"label\":[\"owner=me\",\"of=c0003\"]}", NULL, 200,
         "c0003-worker"},
        {"GET /containers/c0002-control-plane/archive?path=/kind/fleet.json", NULL, 200,
         "fleet.json"},
        {"POST /_fake/populate?clusters=1", NULL, 409, "there already"},
        {"GET /_fake/state", NULL, 200, "c0003-worker"},
    };
    (void)state;
    TELL(rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(engine),   cmocka_unit_test(container_life), cmocka_unit_test(filters),
        cmocka_unit_test(networks), cmocka_unit_test(images),         cmocka_unit_test(files),
        cmocka_unit_test(faults),   cmocka_unit_test(population),     cmocka_unit_test(hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
