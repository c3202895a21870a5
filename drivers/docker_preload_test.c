/* Images into a node's store, in the fake world: whence they come, and what can go wrong on the
 * way. */
#include "base/memory.h"
#include "base/test.h"
#include "drivers/archive.h"
#include "drivers/fake_ask.h"
#include "drivers/fake_lab.h"
#include <dirent.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>

#define CP "a-control-plane"
#define DIGEST "@sha256:aabfbaf916de1af22a1e0bf56307b9f775e8e8961a61a653c86e373320dbea2e"
#define STORE "/var/lib/containerd/fake-images/"

enum { PIECE_BYTES = 1000, SMALL_DISK_BYTES = 4000 };

static const char one_node[] = "kind: Cluster\n"
                               "apiVersion: kind.x-k8s.io/v1alpha4\n"
                               "name: a\n"
                               "nodes:\n"
                               "- role: control-plane\n"
                               "  image: kind.local/node:v1.20.2\n";

static const char *const here[] = {"app", "team/app:v2", "dig" DIGEST, NULL};
static const char *const registry[] = {"example.org/pulled:v1", NULL};
static const struct fake_settings settings = {.images = here, .registry = registry};

/* A lab with a node, and what its spec wants there: names, ended by NULL. */
struct bench {
    struct fake_lab lab;
    struct cluster_spec spec;
    const char *import; /* the last command that imports, as JSON, or NULL */
    const char *save;   /* the last request for an image's content, or NULL */
    const char *api_version, *image;
};

/* Looks at what passes by; as an engine of api_version it answers in the world's place. */
static bool watch(void *context, const struct request *request, struct fake_answer *answer)
{
    struct bench *bench = context;
    if (request->body && strstr(request->body, "\"import\""))
        bench->import = arena_string(bench->lab.arena, request->body);
    const char *save = strstr(request->url, "/images/get?");
    if (save)
        bench->save = arena_string(bench->lab.arena, request->url);
    if (!bench->api_version || !strstr(request->url, "/images/"))
        return false;
    *answer = (struct fake_answer){
        .status = save ? 500 : 200, .body = bench->image, .api_version = bench->api_version};
    return true;
}

static void want(struct bench *bench, const char *const *names)
{
    size_t count = 0;
    while (names[count])
        count++;
    bench->spec.preload = (struct string_list){.items = names, .count = count};
}

static void open_bench(struct bench *bench)
{
    *bench = (struct bench){0};
    fake_lab_open(&bench->lab, &settings);
    bench->spec = *fake_lab_spec(&bench->lab, one_node);
    assert_null(fake_lab_apply(&bench->lab, &bench->spec, ACTION_NETWORK, "kind"));
    assert_null(fake_lab_apply(&bench->lab, &bench->spec, ACTION_CREATE_NODE, CP));
    bench->lab.transport.piece_bytes = PIECE_BYTES;
    bench->lab.transport.script = watch;
    bench->lab.transport.script_context = bench;
}

static struct error *preload(struct bench *bench)
{
    return fake_lab_apply(&bench->lab, &bench->spec, ACTION_PRELOAD, CP);
}

/* Whether the node has a file, or a name in its store. */
static bool has(struct bench *bench, const char *path)
{
    json_t *state = json_loads(fake_lab_control(&bench->lab, "GET /_fake/state", NULL), 0, NULL);
    json_t *files =
        json_object_get(json_array_get(json_object_get(state, "containers"), 0), "files");
    const json_t *file;
    size_t i;
    bool found = false;
    json_array_foreach(files, i, file)
    {
        found |= strncmp(json_string_value(file), path, strlen(path)) == 0;
    }
    json_decref(state);
    return found;
}

static void well(struct bench *bench)
{
    struct error *failure = preload(bench);
    test_equal(failure ? failure->message : NULL, NULL);
    assert_false(has(bench, "/var/lib/kind-preload"));
}

static void badly(struct bench *bench, enum error_kind kind, const char *message)
{
    struct error *failure = preload(bench);
    test_equal(failure ? failure->message : NULL, message);
    if (failure)
        assert_int_equal(failure->kind, kind);
    error_free(failure);
    assert_false(has(bench, "/var/lib/kind-preload"));
}

static void brings_them(void **state)
{
    (void)state;
    static const struct {
        const char *name, *file;
    } rows[] = {
        {"app", "docker.io library app:latest"},
        {"team/app:v2", "docker.io team app:v2"},
        {"example.org/pulled:v1", "example.org pulled:v1"},
        {"dig" DIGEST, "docker.io library dig" DIGEST},
        {"dig:v1" DIGEST, "docker.io library dig" DIGEST},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].name);
        const char *const names[] = {rows[i].name, NULL};
        cleanup_free char *path = memory_format(STORE "%s", rows[i].file);
        struct bench bench;
        open_bench(&bench);
        want(&bench, names);
        well(&bench);
        assert_true(has(&bench, path));
        /* Again: the node is asked, and nobody else. */
        bench.save = NULL;
        size_t before = bench.lab.transport.requests;
        well(&bench);
        assert_null(bench.save);
        enum { FIND = 1, EXEC = 3, EXECS = 2 }; /* rm and ctr */
        assert_int_equal(bench.lab.transport.requests - before, FIND + EXECS * EXEC);
        fake_lab_close(&bench.lab);
    }
}

/* More than one question can hold. */
static void many(void **state)
{
    (void)state;
    enum { COUNT = 70 };
    const char *names[COUNT + 1] = {NULL};
    struct bench bench;
    open_bench(&bench);
    for (size_t i = 0; i < COUNT; i++) {
        names[i] = arena_format(bench.lab.arena, "many:v%zu", i);
        fake_lab_control(
            &bench.lab, arena_format(bench.lab.arena, "POST /images/app/tag?repo=many&tag=v%zu", i),
            NULL);
    }
    want(&bench, names);
    well(&bench);
    bench.save = NULL;
    well(&bench);
    assert_null(bench.save);
    fake_lab_close(&bench.lab);
}

static void says_what_is_wrong(void **state)
{
    (void)state;
    static const struct {
        const char *name, *fault;
        enum error_kind kind;
        const char *message;
    } rows[] = {
        {"nowhere:v1", NULL, ERROR_UNAVAILABLE,
         "bring the images: image nowhere:v1 is not on this engine and cannot be pulled (manifest "
         "for nowhere:v1 not found: manifest unknown: manifest unknown); `docker pull` or build "
         "it, or take it out of preload"},
        {"a b", NULL, ERROR_INVALID, "read the names: 'a b' is no name of an image"},
        {"app", "{\"action\": \"garbage\", \"match\": \"/images/get\"}", ERROR_UNAVAILABLE,
         "bring the images: import app:latest: ctr failed with exit code 1: ctr: unrecognized "
         "image format"},
        {"app", "{\"action\": \"fail\", \"match\": \"/images/get\", \"message\": \"no\"}",
         ERROR_UNAVAILABLE, "bring the images: save app:latest: the engine says: no"},
        {"app",
         "{\"action\": \"fail\", \"match\": \"PUT \", \"message\": \"no space left on device\"}",
         ERROR_UNAVAILABLE,
         "bring the images: copy app:latest: the engine says: no space left on device"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].message);
        const char *const names[] = {rows[i].name, NULL};
        struct bench bench;
        open_bench(&bench);
        want(&bench, names);
        if (rows[i].fault)
            fake_lab_control(&bench.lab, "POST /_fake/fault", rows[i].fault);
        badly(&bench, rows[i].kind, rows[i].message);
        if (rows[i].fault)
            well(&bench);
        fake_lab_close(&bench.lab);
    }
}

/* A file that cannot grow, as on a full disk. */
static void full_disk(void **state)
{
    (void)state;
    static const char *const names[] = {"app", NULL};
    struct rlimit limit, small;
    struct bench bench;
    open_bench(&bench);
    want(&bench, names);
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &limit);
    small = (struct rlimit){SMALL_DISK_BYTES, limit.rlim_max};
    setenv("TMPDIR", "/tmp", 1);
    setrlimit(RLIMIT_FSIZE, &small);
    struct error *failure = preload(&bench);
    setrlimit(RLIMIT_FSIZE, &limit);
    test_equal(failure->message, "bring the images: save app:latest: no room left in /tmp after 0 "
                                 "MiB; make some, or set TMPDIR to a folder that has more");
    error_free(failure);
    setenv("TMPDIR", "/tmp/there-is-none", 1);
    badly(&bench, ERROR_UNAVAILABLE,
          "bring the images: no file can be made in /tmp/there-is-none: No such file or directory; "
          "set TMPDIR to a folder where it can");
    unsetenv("TMPDIR");
    well(&bench);
    fake_lab_close(&bench.lab);
}

/* What the commands and requests say. */
static void asks_for_the_right_thing(void **state)
{
    (void)state;
    static const struct {
        const char *config, *snapshotter;
    } rows[] = {
        {"[plugins.\"io.containerd.grpc.v1.cri\".containerd]\n snapshotter = \"native\"\n",
         "native"},
        {"[plugins.'io.containerd.cri.v1.images']\n snapshotter = 'x' # y\n", "x"},
        {"[a]\n[plugins.\"io.containerd.grpc.v1.cri\".containerd.b]\n snapshotter = \"c\"\n", NULL},
        {"snapshotter = \"c\"\n[plugins.\"io.containerd.cri.v1.images\"]\nsnapshotters = 1\n",
         NULL},
        {"", NULL},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].config);
        static const char *const names[] = {"app", NULL};
        struct bench bench;
        open_bench(&bench);
        want(&bench, names);
        struct fake_client client = {.world = bench.lab.world,
                                     .now_ms = bench.lab.transport.now_ms};
        struct text tar;
        struct error *err = NULL;
        const struct archive_file file = {"config.toml", rows[i].config, strlen(rows[i].config),
                                          0644};
        text_init(&tar, 0);
        assert_int_equal(archive_pack(&file, 1, &tar, &err), 0);
        fake_ask_bytes(&client, "PUT /containers/" CP "/archive?path=/etc/containerd", NULL,
                       tar.data, tar.length);
        assert_int_equal(client.status, 200);
        fake_client_done(&client);
        text_done(&tar);
        well(&bench);
        cleanup_free char *option =
            memory_format("--snapshotter=%s\"", rows[i].snapshotter ? rows[i].snapshotter : "");
        assert_int_equal(strstr(bench.import, rows[i].snapshotter ? option : "--snapshotter") !=
                             NULL,
                         rows[i].snapshotter != NULL);
        assert_null(strstr(bench.import, "--all-platforms"));
        test_equal(strstr(bench.save, "/v1."), "/v1.41/images/get?names=app%3Alatest");
        fake_lab_close(&bench.lab);
    }
}

/* An engine that can be asked for one platform is asked for that of the image. */
static void names_the_platform(void **state)
{
    (void)state;
    static const struct {
        const char *api_version, *image, *save;
    } rows[] = {
        {"1.47", "{\"Os\":\"linux\",\"Architecture\":\"arm64\"}",
         "/v1.41/images/get?names=app%3Alatest"},
        {"1.48", "{\"Os\":\"linux\",\"Architecture\":\"arm64\"}",
         "/v1.48/images/"
         "get?names=app%3Alatest&platform=%7B%22os%22%3A%22linux%22%2C%22architecture%22%3A%"
         "22arm64%22%7D"},
        {"1.52", "{\"Os\":\"linux\",\"Architecture\":\"arm\",\"Variant\":\"v7\"}",
         "/v1.48/images/"
         "get?names=app%3Alatest&platform=%7B%22os%22%3A%22linux%22%2C%22architecture%22%3A%22arm%"
         "22%2C%22variant%22%3A%22v7%22%7D"},
        {"1.52", "{}", "/v1.41/images/get?names=app%3Alatest"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].image);
        static const char *const names[] = {"app", NULL};
        struct bench bench;
        open_bench(&bench);
        want(&bench, names);
        bench.api_version = rows[i].api_version;
        bench.image = rows[i].image;
        error_free(preload(&bench));
        test_equal(strstr(bench.save, "/v1."), rows[i].save);
        fake_lab_close(&bench.lab);
    }
}

static size_t open_files(void)
{
    size_t count = 0;
    DIR *folder = opendir("/proc/self/fd");
    while (readdir(folder))
        count++;
    closedir(folder);
    return count;
}

static const char *const both[] = {"app", "example.org/pulled:v1", NULL};

static void renew(struct bench *bench)
{
    assert_null(fake_lab_apply(&bench->lab, &bench->spec, ACTION_DELETE_NODE, CP));
    assert_null(fake_lab_apply(&bench->lab, &bench->spec, ACTION_CREATE_NODE, CP));
}

static void meets_every_fault(void **state)
{
    (void)state;
    static const char *const faults[] = {"fail", "drop-after", "garbage", "fail-after", "drop"};
    struct bench bench;
    open_bench(&bench);
    want(&bench, both);
    size_t files = open_files();
    for (size_t i = 0; i < COUNT_OF(faults); i++) {
        bool met = true;
        for (unsigned at = 1; met; at++) {
            char row[40];
            snprintf(row, sizeof(row), "%s at %u", faults[i], at);
            test_row(row);
            assert_true(at < 200);
            cleanup_free char *fault =
                memory_format("{\"action\": \"%s\", \"at\": %u}", faults[i], at);
            fake_lab_control(&bench.lab, "POST /_fake/fault", fault);
            size_t before = bench.lab.transport.requests;
            struct error *failure = preload(&bench);
            met = bench.lab.transport.requests - before >= at;
            assert_true(met || !failure);
            if (failure)
                assert_int_not_equal(failure->kind, ERROR_INTERNAL);
            error_free(failure);
            fake_lab_control(&bench.lab, "POST /_fake/clear", NULL);
            assert_int_equal(open_files(), files);
            well(&bench);
            renew(&bench);
        }
    }
    fake_lab_close(&bench.lab);
}

static void stops_at_every_moment(void **state)
{
    (void)state;
    struct bench bench;
    open_bench(&bench);
    want(&bench, both);
    size_t files = open_files();
    for (enum fake_interrupt how = FAKE_DRAIN; how <= FAKE_CANCEL; how++) {
        bool ended = false;
        for (size_t turns = 0; !ended; turns++) {
            struct error *failure =
                fake_lab_interrupt(&bench.lab, &bench.spec, ACTION_PRELOAD, CP, how, turns, &ended);
            assert_true(!failure || failure->kind == ERROR_CANCELED);
            error_free(failure);
            assert_int_equal(open_files(), files);
            well(&bench);
            renew(&bench);
        }
    }
    fake_lab_close(&bench.lab);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(brings_them),
        cmocka_unit_test(many),
        cmocka_unit_test(says_what_is_wrong),
        cmocka_unit_test(full_disk),
        cmocka_unit_test(asks_for_the_right_thing),
        cmocka_unit_test(names_the_platform),
        cmocka_unit_test(meets_every_fault),
        cmocka_unit_test(stops_at_every_moment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
