/*
 * mirror_test.c - list and watch against a server that says what a row tells it.
 *
 * It includes what it tests, so that it compiles alone:
 *     cc mirror_test.c -ljansson -lcurl -lcmocka
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api.c"
#include "loop.c"
#include "mirror.c"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

enum { EXCHANGES_MAX = 8, PATIENCE_MS = 5000 };

/* What the server expects at the beginning of a request's target, and what it says then. */
struct exchange {
    const char *asked, *status, *body;
};

#define LIST(version, items)                                                                       \
    "{\"metadata\":{\"resourceVersion\":\"" version "\"},\"items\":[" items "]}"
#define THING(name, version)                                                                       \
    "{\"metadata\":{\"name\":\"" name "\",\"namespace\":\"a\",\"resourceVersion\":\"" version      \
    "\",\"managedFields\":[{\"manager\":\"x\"}],\"annotations\":{\"b\":\"c\"}}}"
#define EVENT(type, object) "{\"type\":\"" type "\",\"object\":" object "}\n"
#define FIRST_LIST "/things?resourceVersion=0"
#define WATCH "/things?watch=1&allowWatchBookmarks=true&resourceVersion="
#define OK "200 OK"

/* Each row ends with the mirror having these keys, joined by blanks, in any order of arrival. */
static const struct {
    const char *name;
    struct exchange exchanges[EXCHANGES_MAX];
    const char *keys;
} rows[] = {
    {"a list", {{FIRST_LIST, OK, LIST("5", THING("x", "1") "," THING("y", "2"))}}, "a/x a/y"},
    {"an empty list, then an addition",
     {{FIRST_LIST, OK, LIST("5", "")}, {WATCH "5", OK, EVENT("ADDED", THING("x", "6"))}},
     "a/x"},
    {"the next watch goes on from the last event",
     {{FIRST_LIST, OK, LIST("5", THING("x", "1"))},
      {WATCH "5", OK, EVENT("ADDED", THING("y", "6")) EVENT("DELETED", THING("x", "7"))},
      {WATCH "7", OK, EVENT("ADDED", THING("z", "8"))}},
     "a/y a/z"},
    {"a bookmark moves the version, and nothing else",
     {{FIRST_LIST, OK, LIST("5", THING("x", "1"))},
      {WATCH "5", OK, EVENT("BOOKMARK", "{\"metadata\":{\"resourceVersion\":\"9\"}}")},
      {WATCH "9", OK, EVENT("MODIFIED", THING("y", "10"))}},
     "a/x a/y"},
    {"refused at first",
     {{FIRST_LIST, "403 Forbidden", "{\"kind\":\"Status\"}"},
      {FIRST_LIST, "500 Broken", ""},
      {FIRST_LIST, OK, LIST("5", THING("x", "1"))}},
     "a/x"},
    {"not a list",
     {{FIRST_LIST, OK, "{\"kind\":\"Status\"}"},
      {FIRST_LIST, OK, "<html>"},
      {FIRST_LIST, OK, LIST("5", THING("x", "1"))}},
     "a/x"},
    {"the version has expired, said by status",
     {{FIRST_LIST, OK, LIST("5", THING("x", "1"))},
      {WATCH "5", "410 Gone", "{}"},
      {"/things", OK, LIST("20", THING("y", "15"))}},
     "a/y"},
    {"the version has expired, said by an event",
     {{FIRST_LIST, OK, LIST("5", THING("x", "1"))},
      {WATCH "5", OK, EVENT("ERROR", "{\"code\":410}")},
      {"/things", OK, LIST("20", THING("y", "15"))}},
     "a/y"},
    {"a malformed event: list again",
     {{FIRST_LIST, OK, LIST("5", THING("x", "1"))},
      {WATCH "5", OK, "{\"type\":\"ADDED\",\n"},
      {"/things", OK, LIST("20", THING("y", "15"))}},
     "a/y"},
    {"an event cut off is taken when it comes again",
     {{FIRST_LIST, OK, LIST("5", THING("x", "1"))},
      {WATCH "5", OK, "{\"type\":\"ADDED\",\"object\":"},
      {WATCH "5", OK, EVENT("ADDED", THING("y", "6"))}},
     "a/x a/y"},
};

static int open_server(char url[64])
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(listener >= 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(listener, 8), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &size), 0);
    snprintf(url, 64, "http://127.0.0.1:%u", ntohs(address.sin_port));
    return listener;
}

/* Answers one connection; false if something else was asked than expected. */
static bool serve_one(int listener, const struct exchange *exchange)
{
    char request[4096], reply[4096];
    size_t size = 0, asked = strlen(exchange->asked);
    int fd = accept(listener, NULL, NULL);
    do {
        ssize_t got = recv(fd, request + size, sizeof(request) - 1 - size, 0);
        if (got <= 0)
            return false;
        size += (size_t)got;
        request[size] = '\0';
    } while (!strstr(request, "\r\n\r\n"));
    int length = snprintf(reply, sizeof(reply), "HTTP/1.1 %s\r\nConnection: close\r\n\r\n%s",
                          exchange->status, exchange->body);
    bool expected = strncmp(request, "GET ", 4) == 0 &&
                    strncmp(request + 4, exchange->asked, asked) == 0 &&
                    strchr(" &", request[4 + asked]) != NULL;
    (void)!write(fd, reply, (size_t)length);
    close(fd);
    return expected;
}

/* In a child: goes through the exchanges, then ends, well or not. */
static int start_server(int listener, const struct exchange *exchanges)
{
    int pid = fork();
    if (pid != 0)
        return pid;
    for (size_t i = 0; i < EXCHANGES_MAX && exchanges[i].asked; i++)
        if (!serve_one(listener, &exchanges[i]))
            _exit((int)i + 1);
    _exit(0);
}

/* The keys in alphabetical order, for a comparison. */
static void print_keys(json_t *objects, char text[256])
{
    const char *known[] = {"a/x", "a/y", "a/z"};
    text[0] = '\0';
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (json_object_get(objects, known[i])) {
            size_t used = strlen(text);
            snprintf(text + used, 256 - used, "%s%s", used ? " " : "", known[i]);
        }
}

static void count_change(void *context)
{
    ++*(unsigned *)context;
}

static void run_row(size_t row)
{
    char url[64], keys[256] = "";
    unsigned changes = 0;
    struct api api;
    int listener = open_server(url);
    int server = start_server(listener, rows[row].exchanges);
    setenv("KUBE_API_URL", url, 1);
    assert_int_equal(api_init(&api), 0);
    struct loop *loop = loop_new();
    struct mirror *mirror = mirror_new(&api, loop, "/things", count_change, &changes);
    bool annotations = row % 2 == 1;
    if (annotations)
        mirror_keep_annotations(mirror);
    int status = -1;
    bool ended = false, same = false;
    for (uint64_t end_ms = loop_now_ms() + PATIENCE_MS; loop_now_ms() < end_ms;) {
        uint64_t now_ms = loop_now_ms(), next_ms = mirror_tick(mirror, now_ms);
        /* The server's end is no event of the loop. */
        loop_wait(loop, next_ms < now_ms + 20 ? next_ms : now_ms + 20);
        if (mirror_synced(mirror))
            print_keys(mirror_objects(mirror), keys);
        same = strcmp(keys, rows[row].keys) == 0;
        ended = ended || waitpid(server, &status, WNOHANG) == server;
        if (ended && (same || status != 0))
            break;
    }
    if (!ended)
        kill(server, SIGKILL);
    if (!ended || status != 0 || !same)
        fail_msg("%s: got \"%s\", server %s %d", rows[row].name, keys,
                 ended ? "ended with" : "still waits", ended ? WEXITSTATUS(status) : 0);
    assert_true(changes > 0);
    json_t *thing = json_object_get(mirror_objects(mirror), "a/x");
    json_t *metadata = json_object_get(thing, "metadata");
    assert_null(json_object_get(metadata, "managedFields"));
    assert_int_equal(json_object_get(metadata, "annotations") != NULL, metadata && annotations);
    mirror_free(mirror);
    loop_free(loop);
    api_done(&api);
    close(listener);
}

static void mirrors_follow(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        run_row(i);
}

static void the_api_is_found(void **state)
{
    (void)state;
    static const struct {
        const char *endpoint, *host, *port, *bases;
    } cases[] = {
        {NULL, NULL, NULL, ""},
        {NULL, "10.96.0.1", "443", "https://10.96.0.1:443 "},
        {NULL, "fd00::1", NULL, "https://[fd00::1]:443 "},
        {"lab:6443", "10.96.0.1", "443", "https://lab:6443 https://10.96.0.1:443 "},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct api api;
        char text[256] = "";
        unsetenv("KUBE_API_URL");
        setenv("CONTROL_PLANE_ENDPOINT", cases[i].endpoint ? cases[i].endpoint : "", 1);
        setenv("KUBERNETES_SERVICE_HOST", cases[i].host ? cases[i].host : "", 1);
        setenv("KUBERNETES_SERVICE_PORT", cases[i].port ? cases[i].port : "", 1);
        assert_int_equal(api_init(&api), *cases[i].bases ? 0 : -1);
        for (size_t j = 0; j < api.base_count; j++) {
            size_t used = strlen(text);
            snprintf(text + used, sizeof(text) - used, "%s ", api.bases[j]);
        }
        assert_string_equal(text, cases[i].bases);
        api_done(&api);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_api_is_found),
        cmocka_unit_test(mirrors_follow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
