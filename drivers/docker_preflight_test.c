/* The check before nodes are made, against the fake world and the ports of this host. */
#include "base/memory.h"
#include "base/test.h"
#include "drivers/fake_life.h"
#include "drivers/fake_look.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <unistd.h>

#define CP "a-control-plane"
#define NODE "kind.local/node:v1.20.2"

static const struct fake_settings settings = {0};

static int listen_somewhere(int *fd)
{
    struct sockaddr_in where = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(where);
    *fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(*fd, (struct sockaddr *)&where, length), 0);
    assert_int_equal(listen(*fd, 1), 0);
    assert_int_equal(getsockname(*fd, (struct sockaddr *)&where, &length), 0);
    return ntohs(where.sin_port);
}

static const struct cluster_spec *spec_with(struct fake_lab *lab, int api_port, int host_port)
{
    return fake_lab_spec(lab, arena_format(lab->arena,
                                           "kind: Cluster\n"
                                           "apiVersion: kind.x-k8s.io/v1alpha4\n"
                                           "name: a\n"
                                           "networking:\n"
                                           "  apiServerPort: %d\n"
                                           "nodes:\n"
                                           "- role: control-plane\n"
                                           "  image: " NODE "\n"
                                           "  extraPortMappings:\n"
                                           "  - {containerPort: 80, hostPort: %d, "
                                           "listenAddress: 127.0.0.1}\n",
                                           api_port, host_port));
}

static void say_host(struct fake_lab *lab, const char *kernel)
{
    struct utsname self;
    uname(&self);
    fake_lab_control(lab, "POST /_fake/info",
                     arena_format(lab->arena,
                                  "{\"KernelVersion\": \"%s\", \"Name\": \"%s\", "
                                  "\"DockerRootDir\": \"/nowhere\"}",
                                  kernel ? kernel : self.release, self.nodename));
}

/* What the action says, without which process holds the port; "" if it goes well. */
static const char *network_says(struct fake_lab *lab, const struct cluster_spec *spec)
{
    struct error *failure = fake_lab_apply(lab, spec, ACTION_NETWORK, "kind");
    const char *said = failure ? arena_string(lab->arena, failure->message) : "";
    if (failure)
        assert_int_equal(failure->kind, ERROR_INVALID);
    error_free(failure);
    return said;
}

static void ports_that_are_taken(void **state)
{
    (void)state;
    struct fake_lab lab;
    int fd, port = listen_somewhere(&fd);
    fake_lab_open(&lab, &settings);
    const char *in_use =
        arena_format(lab.arena, "check the host: host port 127.0.0.1:%d is in use", port);
    const struct cluster_spec *api = spec_with(&lab, port, 0), *mapping = spec_with(&lab, 0, port);

    /* Of an engine elsewhere nothing is known. */
    test_equal(network_says(&lab, api), "");
    say_host(&lab, "0.1-another");
    test_equal(network_says(&lab, api), "");

    say_host(&lab, NULL);
    fake_lab_control(&lab, "POST /_fake/reset-log", NULL);
    assert_non_null(strstr(network_says(&lab, api), in_use));
    assert_non_null(strstr(network_says(&lab, api), "apiServerPort"));
    assert_non_null(strstr(network_says(&lab, api), "--skip-preflight"));
    assert_non_null(strstr(network_says(&lab, mapping), in_use));
    test_equal(network_says(&lab, spec_with(&lab, 0, 0)), "");

    /* Its own node has the port: there is nothing to be made. */
    static const struct node_state nodes[] = {{.name = CP}};
    static const struct cluster_state there = {.name = "a", .nodes = nodes, .node_count = 1};
    lab.observed = &there;
    test_equal(network_says(&lab, api), "");
    lab.observed = NULL;

    /* Who insists is warned. */
    docker_skip_preflight(lab.driver);
    test_equal(network_says(&lab, api), "");
    assert_non_null(strstr(lab.notes, "warning: host port 127.0.0.1:"));
    close(fd);
    network_says(&lab, api);
    assert_null(strstr(lab.notes, "host port"));
    fake_lab_close(&lab);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ports_that_are_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
