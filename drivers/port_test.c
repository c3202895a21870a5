#include "drivers/port.h"

#include "base/memory.h"
#include "base/test.h"
#include "model/spec.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

static void picks_free_ports(void **state)
{
    (void)state;
    cleanup_error struct error *err = NULL;
    struct port_hold hold = {0};
    int32_t ports[8];
    for (size_t i = 0; i < COUNT_OF(ports); i++) {
        assert_int_equal(port_pick(&hold, i % 2 ? "127.0.0.1" : "0.0.0.0", &ports[i], &err), 0);
        assert_in_range(ports[i], 1024, 65535);
        for (size_t j = 0; j < i; j++)
            assert_int_not_equal(ports[i], ports[j]); /* held until released */
    }
    port_release(&hold);
    port_release(&hold);
    assert_int_equal(hold.count, 0);
}

/* Once released the engine can bind it. */
static void lets_go(void **state)
{
    (void)state;
    cleanup_error struct error *err = NULL;
    struct port_hold hold = {0};
    int32_t port;
    assert_int_equal(port_pick(&hold, "127.0.0.1", &port, &err), 0);
    struct sockaddr_in where = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    inet_pton(AF_INET, "127.0.0.1", &where.sin_addr);
    int other = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(other, (struct sockaddr *)&where, sizeof(where)), -1);
    port_release(&hold);
    assert_int_equal(bind(other, (struct sockaddr *)&where, sizeof(where)), 0);
    close(other);
}

static void says_what_is_wrong(void **state)
{
    (void)state;
    static const struct {
        const char *address, *want;
    } rows[] = {
        {"localhost", "'localhost' is no IP address to listen on"},
        {"", "'' is no IP address to listen on"},
        {"192.0.2.1", "no free port on 192.0.2.1: Cannot assign requested address"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        cleanup_error struct error *err = NULL;
        struct port_hold hold = {0};
        int32_t port = 7;
        test_row(rows[i].address);
        assert_int_equal(port_pick(&hold, rows[i].address, &port, &err), -1);
        test_equal(err->message, rows[i].want);
        assert_int_equal(port, 7);
        assert_int_equal(hold.count, 0);
    }
}

static void holds_so_many(void **state)
{
    (void)state;
    cleanup_error struct error *err = NULL;
    struct port_hold hold = {0};
    int32_t port;
    for (size_t i = 0; i < COUNT_OF(hold.sockets); i++)
        assert_int_equal(port_pick(&hold, "127.0.0.1", &port, &err), 0);
    assert_int_equal(port_pick(&hold, "127.0.0.1", &port, &err), -1);
    test_equal(err->message, "more than 64 ports to pick for one node");
    port_release(&hold);
}

static int family_of(int fd)
{
    struct sockaddr_storage where = {0};
    socklen_t length = sizeof(where);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&where, &length), 0);
    return where.ss_family;
}

static void settles_what_is_asked_for(void **state)
{
    (void)state;
    static const struct {
        const char *name, *address;
        enum port_host host;
        int32_t asked, want; /* -1: any that is picked */
        const char *failure;
    } rows[] = {
        {"a number stays", "127.0.0.1", PORT_HOST_THIS, 6443, 6443, NULL},
        {"even where nobody can listen", "192.0.2.1", PORT_HOST_THIS, 6443, 6443, NULL},
        {"the engine picks", "127.0.0.1", PORT_HOST_THIS, PORT_ENGINE_PICKS, 0, NULL},
        {"the engine picks elsewhere", "192.0.2.1", PORT_HOST_OTHER, PORT_ENGINE_PICKS, 0, NULL},
        {"picked", "127.0.0.1", PORT_HOST_THIS, PORT_PICK, -1, NULL},
        {"picked on IPv6", "::1", PORT_HOST_THIS, PORT_PICK, -1, NULL},
        {"picked on all of IPv6", "::", PORT_HOST_THIS, PORT_PICK, -1, NULL},
        {"no address of ours", "192.0.2.1", PORT_HOST_THIS, PORT_PICK, 0,
         "no free port on 192.0.2.1: Cannot assign requested address"},
        {"but one of the engine's", "192.0.2.1", PORT_HOST_OTHER, PORT_PICK, -1, NULL},
        {"one of the engine's in IPv6", "2001:db8::1", PORT_HOST_OTHER, PORT_PICK, -1, NULL},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        cleanup_error struct error *err = NULL;
        struct port_hold hold = {0};
        int32_t port = rows[i].asked;
        test_row(rows[i].name);
        int result = port_settle(&hold, rows[i].host, rows[i].address, &port, &err);
        test_equal(err ? err->message : NULL, rows[i].failure);
        assert_int_equal(result, rows[i].failure ? -1 : 0);
        if (rows[i].want == -1)
            assert_in_range(port, 1024, 65535);
        else
            assert_int_equal(port, rows[i].want);
        bool six = rows[i].host == PORT_HOST_THIS && strchr(rows[i].address, ':');
        if (hold.count)
            assert_int_equal(family_of(hold.sockets[0]), six ? AF_INET6 : AF_INET);
        assert_int_equal(hold.count, rows[i].want == -1 ? 1 : 0);
        port_release(&hold);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(picks_free_ports),          cmocka_unit_test(lets_go),
        cmocka_unit_test(says_what_is_wrong),        cmocka_unit_test(holds_so_many),
        cmocka_unit_test(settles_what_is_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
