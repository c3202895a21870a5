/* Addresses to listen at, and Hosts that are this machine's own. */
#include "cli/listen_address.h"

#include "base/memory.h"
#include "base/test.h"
#include <unistd.h>

static void test_parse(void **state)
{
    static const struct {
        const char *text;
        bool good, loopback;
    } rows[] = {
        {"127.0.0.1:9440", true, true},
        {"127.9.9.9:0", true, true},
        {"localhost:1", true, true},
        {"[::1]:9440", true, true},
        {":9440", true, false},
        {"0.0.0.0:9440", true, false},
        {"[::]:9440", true, false},
        {"10.0.0.1:80", true, false},
        {"9440", false, false},
        {"", false, false},
        {"127.0.0.1", false, false},
        {"127.0.0.1:", false, false},
        {"::1:9440", false, false},
        {"[::1]", false, false},
        {"[::1:9440", false, false},
        {"host.example:1", false, false},
        {"127.0.0.1:65536", false, false},
        {"127.0.0.1:-1", false, false},
        {"127.0.0.1:+1", false, false},
        {"127.0.0.1:1x", false, false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        cleanup_error struct error *failure = NULL;
        struct listen_address address;
        test_row(rows[i].text);
        assert_int_equal(listen_address_parse(rows[i].text, &address, &failure) == 0, rows[i].good);
        if (rows[i].good)
            assert_int_equal(address.loopback, rows[i].loopback);
        else
            assert_int_equal(failure->kind, ERROR_INVALID);
    }
}

static void test_host(void **state)
{
    static const struct {
        const char *host;
        bool own;
    } rows[] = {
        {"localhost", true},
        {"LOCALHOST:9440", true},
        {"127.0.0.1:9440", true},
        {"127.0.0.1", true},
        {"127.1.2.3", true},
        {"[::1]", true},
        {"[::1]:80", true},
        {"evil.example", false},
        {"localhost.evil.example", false},
        {"evil.example:9440", false},
        {"127.0.0.1.evil.example", false},
        {"10.0.0.1", false},
        {"", false},
        {":", false},
        {":9440", false},
        {"[", false},
        {"[]", false},
        {"[]:1", false},
        {"::1", false},
        {"localhost:", false},
        {"localhost:x", false},
        {"localhost@evil", false},
        {"0.0.0.0", false},
        {"[::]", false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].host);
        assert_int_equal(listen_address_is_own_host(rows[i].host), rows[i].own);
    }
}

static void test_open(void **state)
{
    cleanup_error struct error *failure = NULL;
    struct listen_address address;
    cleanup_free char *name = NULL;
    cleanup_free char *second = NULL;
    (void)state;
    assert_int_equal(listen_address_parse("127.0.0.1:0", &address, &failure), 0);
    int fd = listen_address_open(&address, &name, &failure);
    assert_true(fd >= 0);
    assert_int_equal(listen_address_parse(name, &address, &failure), 0);
    assert_int_equal(listen_address_open(&address, &second, &failure), -1);
    assert_int_equal(failure->kind, ERROR_UNAVAILABLE);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_host),
        cmocka_unit_test(test_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
