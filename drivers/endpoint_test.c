#include "drivers/endpoint.h"

#include "base/test.h"

#include "base/memory.h"
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* The docker client names a context's folder by the SHA-256 of its name. */
#define SHA_LAB "a51146d38077ff992eba84cf1d5e9b249073503eb74868699016153b031a38f7"
#define META "contexts/meta/" SHA_LAB "/meta.json"
#define TLS "contexts/tls/" SHA_LAB "/docker/"

/* A home for one row; HOME points to it, all docker variables are unset. */
struct home {
    char path[32];
};

static void home_open(struct home *home)
{
    static const char *const variables[] = {"DOCKER_HOST",   "DOCKER_CONTEXT",
                                            "DOCKER_CONFIG", "DOCKER_TLS_VERIFY",
                                            "DOCKER_TLS",    "DOCKER_CERT_PATH"};
    for (size_t i = 0; i < COUNT_OF(variables); i++)
        unsetenv(variables[i]);
    *home = (struct home){"/tmp/kind-home-XXXXXX"};
    assert_non_null(mkdtemp(home->path));
    setenv("HOME", home->path, 1);
}

static int remove_one(const char *path, const struct stat *stat, int type, struct FTW *walk)
{
    (void)stat, (void)type, (void)walk;
    return remove(path);
}

static void home_close(const struct home *home)
{
    assert_int_equal(nftw(home->path, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

/* Writes a file below .docker and makes the folders above it. */
static void put(const struct home *home, const char *name, const char *content)
{
    cleanup_free char *path = memory_format("%s/.docker/%s", home->path, name);
    for (char *slash = path + strlen(home->path) + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        mkdir(path, 0700);
        *slash = '/';
    }
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(content, file);
    fclose(file);
}

/* "ORIGIN DISPLAY BASE_URL local|remote", then what there is of TLS. */
static char *describe(const struct endpoint *endpoint)
{
    assert_true(!endpoint->unix_path == (strstr(endpoint->display, "unix://") == NULL));
    if (endpoint->unix_path)
        test_equal(endpoint->unix_path, endpoint->display + strlen("unix://"));
    return memory_format("%s: %s %s %s%s%s%s%s", endpoint->origin, endpoint->display,
                         endpoint->base_url, endpoint->local ? "local" : "remote",
                         endpoint->ca ? " ca=" : "", endpoint->ca ? endpoint->ca : "",
                         endpoint->certificate ? " client=" : "",
                         endpoint->certificate ? endpoint->certificate : "");
}

/* The message with the home's path written as "~". */
static char *shorten(const char *message, const struct home *home)
{
    const char *found = strstr(message, home->path);
    if (!found)
        return memory_string(message);
    return memory_format("%.*s~%s", (int)(found - message), message, found + strlen(home->path));
}

static void check(const struct home *home, const char *engine, const char *want,
                  const char *failure)
{
    struct endpoint endpoint = {0};
    cleanup_error struct error *err = NULL;
    int status = endpoint_find(engine, &endpoint, &err);
    cleanup_free char *got = status == 0 ? describe(&endpoint) : NULL;
    cleanup_free char *message = err ? shorten(err->message, home) : NULL;
    test_equal(message, failure);
    test_equal(got, want);
    assert_int_equal(status, failure ? -1 : 0);
    endpoint_done(&endpoint);
}

#define DEFAULT_WANT "default: unix:///var/run/docker.sock http://localhost local"
#define LAB(host) "{\"Name\":\"lab\",\"Endpoints\":{\"docker\":{\"Host\":\"" host "\"}}}"
#define CURRENT "{\"currentContext\":\"lab\"}"
#define LAB_WANT "context lab: tcp://10.0.0.1:2375 http://10.0.0.1:2375 remote"
#define PATH_108                                                                                   \
    "/123456789012345678901234567890123456789012345678901234567890123456789012345678901234567"     \
    "89012345678901234567"

static const struct {
    const char *name, *engine;
    const char *host, *context; /* DOCKER_HOST, DOCKER_CONTEXT */
    const char *config, *meta;  /* config.json, meta.json of the context lab */
    const char *want, *failure;
} rows[] = {
    {"nothing set", .want = DEFAULT_WANT},
    {"empty is not set", "", "", "", "{}", .want = DEFAULT_WANT},
    {"--engine first", "unix:///a", "unix:///b", "lab", CURRENT, LAB("tcp://10.0.0.1:2375"),
     "--engine: unix:///a http://localhost local", NULL},
    {"then DOCKER_HOST", NULL, "unix:///b", "lab", CURRENT, LAB("tcp://10.0.0.1:2375"),
     "DOCKER_HOST: unix:///b http://localhost local", NULL},
    {"then DOCKER_CONTEXT", NULL, NULL, "lab", "{\"currentContext\":\"other\"}",
     LAB("tcp://10.0.0.1:2375"), LAB_WANT, NULL},
    {"then the current context", .config = CURRENT, .meta = LAB("tcp://10.0.0.1:2375"),
     .want = LAB_WANT},
    {"default by name", .context = "default", .config = CURRENT, .want = DEFAULT_WANT},
    {"default as current", .config = "{\"currentContext\":\"default\"}", .want = DEFAULT_WANT},
    {"context with a socket", .context = "lab", .meta = LAB("unix:///run/user/1000/docker.sock"),
     .want = "context lab: unix:///run/user/1000/docker.sock http://localhost local"},
    {"bare address", "10.0.0.1:4000",
     .want = "--engine: tcp://10.0.0.1:4000 http://10.0.0.1:4000 remote"},
    {"no port", "tcp://lab.example",
     .want = "--engine: tcp://lab.example:2375 http://lab.example:2375 remote"},
    {"path", "tcp://lab:1/engine/",
     .want = "--engine: tcp://lab:1/engine http://lab:1/engine remote"},
    {"IPv6", "tcp://[fd00::1]",
     .want = "--engine: tcp://[fd00::1]:2375 http://[fd00::1]:2375 remote"},
    {"this machine", "tcp://localhost:2375",
     .want = "--engine: tcp://localhost:2375 http://localhost:2375 local"},
    {"no such context", .context = "nowhere",
     .failure = "context nowhere: there is no such context; `docker context ls` lists them"},
    {"context without an engine", .context = "lab", .meta = "{\"Endpoints\":{}}",
     .failure = "context lab: it names no docker engine"},
    {"context without verification", .context = "lab",
     .meta = "{\"Endpoints\":{\"docker\":{\"Host\":\"tcp://a:1\",\"SkipTLSVerify\":true}}}",
     .failure = "context lab: SkipTLSVerify is not supported; give the context the engine's CA "
                "certificate with `docker context update`"},
    {"broken meta.json", .context = "lab", .meta = "{",
     .failure = "context lab: ~/.docker/" META ":1:1: string or '}' expected near end of file"},
    {"broken config.json", .config = "{\n\"a\" 1}",
     .failure = "~/.docker/config.json:2:5: ':' expected near '1'"},
    {"ssh", .host = "ssh://me@lab",
     .failure = "DOCKER_HOST: ssh://me@lab: ssh is not supported; forward the socket with `ssh -L "
                "/tmp/engine.sock:/var/run/docker.sock me@lab` and use unix:///tmp/engine.sock"},
    {"ssh in a context", .context = "lab", .meta = LAB("ssh://lab"),
     .failure = "context lab: ssh://lab: ssh is not supported; forward the socket with `ssh -L "
                "/tmp/engine.sock:/var/run/docker.sock lab` and use unix:///tmp/engine.sock"},
    {"pipe of Windows", "npipe:////./pipe/docker_engine",
     .failure = "--engine: npipe:////./pipe/docker_engine: use unix:///PATH or tcp://HOST:PORT"},
    {"path as engine", "/var/run/docker.sock",
     .failure = "--engine: /var/run/docker.sock: use unix:///PATH or tcp://HOST:PORT"},
    {"relative path", "unix://docker.sock",
     .failure = "--engine: unix://docker.sock: the path must begin with a slash"},
    {"long path", "unix://" PATH_108,
     .failure =
         "--engine: unix://" PATH_108 ": the path is longer than a socket's may be (107 bytes)"},
    {"no host", "tcp://:2375", .failure = "--engine: tcp://:2375: must be tcp://HOST:PORT"},
    {"no port behind the colon",
     "tcp://a:", .failure = "--engine: tcp://a:: must be tcp://HOST:PORT"},
    {"port in words", "tcp://a:http", .failure = "--engine: tcp://a:http: must be tcp://HOST:PORT"},
    {"user", "tcp://me@a:1", .failure = "--engine: tcp://me@a:1: must be tcp://HOST:PORT"},
    {"open bracket", "tcp://[::1", .failure = "--engine: tcp://[::1: must be tcp://HOST:PORT"},
    {"query", "tcp://a:1/?x", .failure = "--engine: tcp://a:1/?x: must be tcp://HOST:PORT"},
};

static void choices(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].name);
        struct home home;
        home_open(&home);
        if (rows[i].host)
            setenv("DOCKER_HOST", rows[i].host, 1);
        if (rows[i].context)
            setenv("DOCKER_CONTEXT", rows[i].context, 1);
        if (rows[i].config)
            put(&home, "config.json", rows[i].config);
        if (rows[i].meta)
            put(&home, META, rows[i].meta);
        check(&home, rows[i].engine, rows[i].want, rows[i].failure);
        home_close(&home);
    }
}

static void longest_path(void **state)
{
    (void)state;
    struct home home;
    home_open(&home);
    cleanup_free char *engine = memory_string_n("unix://" PATH_108, 7 + 107);
    cleanup_free char *want = memory_format("--engine: %s http://localhost local", engine);
    check(&home, engine, want, NULL);
    home_close(&home);
}

static void moved_configuration(void **state)
{
    (void)state;
    struct home home;
    home_open(&home);
    cleanup_free char *folder = memory_format("%s/.docker/elsewhere", home.path);
    setenv("DOCKER_CONFIG", folder, 1);
    put(&home, "elsewhere/config.json", CURRENT);
    put(&home, "elsewhere/" META, LAB("tcp://10.0.0.1:2375"));
    check(&home, NULL, LAB_WANT, NULL);
    home_close(&home);
}

static void tls_of_a_context(void **state)
{
    (void)state;
    struct home home;
    home_open(&home);
    setenv("DOCKER_CONTEXT", "lab", 1);
    setenv("DOCKER_TLS_VERIFY", "1", 1); /* does not matter to contexts */
    put(&home, META, LAB("tcp://lab"));
    check(&home, NULL, "context lab: tcp://lab:2375 http://lab:2375 remote", NULL);
    put(&home, TLS "ca.pem", "CA");
    check(&home, NULL, "context lab: tcp://lab:2376 https://lab:2376 remote ca=CA", NULL);
    put(&home, TLS "cert.pem", "ME");
    check(&home, NULL, NULL,
          "context lab: ~/.docker/contexts/tls/" SHA_LAB
          "/docker: cert.pem and key.pem must come together");
    put(&home, TLS "key.pem", "KEY");
    check(&home, NULL, "context lab: tcp://lab:2376 https://lab:2376 remote ca=CA client=ME", NULL);
    home_close(&home);
}

static void tls_of_the_environment(void **state)
{
    (void)state;
    struct home home;
    home_open(&home);
    setenv("DOCKER_HOST", "tcp://lab:2376", 1);
    setenv("DOCKER_TLS_VERIFY", "1", 1);
    check(&home, NULL, NULL,
          "DOCKER_HOST: DOCKER_TLS_VERIFY: no ~/.docker/ca.pem; set DOCKER_CERT_PATH to the folder "
          "with ca.pem, cert.pem and key.pem");
    put(&home, "ca.pem", "CA");
    check(&home, NULL, "DOCKER_HOST: tcp://lab:2376 https://lab:2376 remote ca=CA", NULL);
    cleanup_free char *folder = memory_format("%s/.docker/certs", home.path);
    setenv("DOCKER_CERT_PATH", folder, 1);
    put(&home, "certs/ca.pem", "OTHER");
    check(&home, NULL, "DOCKER_HOST: tcp://lab:2376 https://lab:2376 remote ca=OTHER", NULL);
    check(&home, "unix:///a", "--engine: unix:///a http://localhost local", NULL);
    home_close(&home);
}

static void loopback(void **state)
{
    (void)state;
    static const struct {
        const char *url;
        bool loopback;
    } urls[] = {
        {"http://localhost", true},
        {"https://LOCALHOST:6443/x", true},
        {"http://127.0.0.1:2375", true},
        {"http://127.9.9.9/", true},
        {"http://[::1]:2375", true},
        {"http://10.0.0.1", false},
        {"http://127.evil.example", false},
        {"http://localhost.example", false},
        {"http://[::2]", false},
        {"http://1127.0.0.1", false},
    };
    for (size_t i = 0; i < COUNT_OF(urls); i++) {
        test_row(urls[i].url);
        assert_int_equal(endpoint_is_loopback(urls[i].url), urls[i].loopback);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(choices),
        cmocka_unit_test(longest_path),
        cmocka_unit_test(moved_configuration),
        cmocka_unit_test(tls_of_a_context),
        cmocka_unit_test(tls_of_the_environment),
        cmocka_unit_test(loopback),
    };
    return cmocka_run_group_tests_name("endpoint", tests, NULL, NULL);
}
