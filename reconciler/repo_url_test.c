/* repo_url_test.c - addresses of repositories, as people write them. */
#include "reconciler/repo_url.h"

#include "base/memory.h"
#include "base/test.h"

static const char *const scheme_names[] = {"local", "http", "https", "ssh"};

static void addresses(void **state)
{
    (void)state;
    /* want: "scheme host port user text shown", or "! what the error says" */
    static const struct {
        const char *written, *want;
    } rows[] = {
        {"file:///srv/lab.git", "local - 0 - /srv/lab.git /srv/lab.git"},
        {"file:///srv/a%20b", "local - 0 - /srv/a b /srv/a b"},
        {"/srv/x/../lab.git/", "local - 0 - /srv/lab.git /srv/lab.git"},
        {"lab.git", "local - 0 - /here/lab.git /here/lab.git"},
        {"./a:b", "local - 0 - /here/a:b /here/a:b"},
        {"https://git.lab/a.git", "https git.lab 0 - https://git.lab/a.git https://git.lab/a.git"},
        {"https://me@git.lab:8443/a", "https git.lab 8443 me https://me@git.lab:8443/a "
                                      "https://git.lab:8443/a"},
        {"http://[::1]:80/a", "http ::1 80 - http://[::1]:80/a http://[::1]:80/a"},
        {"ssh://git@git.lab/a", "ssh git.lab 0 git ssh://git@git.lab/a ssh://git@git.lab/a"},
        {"ssh://git.lab:2222/~me/a", "ssh git.lab 2222 - ssh://git.lab:2222/~me/a "
                                     "ssh://git.lab:2222/~me/a"},
        {"git@git.lab:a/b.git", "ssh git.lab 0 git git@git.lab:a/b.git git@git.lab:a/b.git"},
        {"git.lab:a", "ssh git.lab 0 - git.lab:a git.lab:a"},
        {"", "! empty"},
        {"https://git.lab/a b", "! blanks"},
        {"ssh://git.lab/a'b", "! quotes"},
        {"https://me:secret@git.lab/a", "! --git-token-file"},
        {"git://git.lab/a", "! only file://"},
        {"ext::sh -c id", "! blanks"},
        {"ext::id", "! only file://"},
        {"https://git.lab", "! names no repository"},
        {"https://git.lab/", "! names no repository"},
        {"https://git.lab/a?b", "! names no repository"},
        {"https:///a", "! names no host"},
        {"https://git.lab:0/a", "! names no host"},
        {"https://git.lab:65536/a", "! names no host"},
        {"https://git.lab:12x/a", "! names no host"},
        {"ssh://-oProxyCommand=id/a", "! names no host"},
        {"-oProxyCommand=id:a", "! user@host:path"},
        {"git@host:", "! user@host:path"},
        {"file://host/a", "! address of a folder"},
        {"file:///srv/%00", "! address of a folder"},
        {"file:///srv/%4", "! address of a folder"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        cleanup_arena struct arena *arena = arena_new();
        cleanup_error struct error *err = NULL;
        struct repo_url url;
        test_row(rows[i].written);
        if (repo_url_read(arena, rows[i].written, "/here", &url, &err)) {
            assert_int_equal(rows[i].want[0], '!');
            assert_non_null(strstr(err->message, rows[i].want + 2));
            assert_null(strstr(err->message, "secret"));
            assert_int_equal(err->kind, ERROR_INVALID);
            continue;
        }
        const char *got = arena_format(arena, "%s %s %u %s %s %s", scheme_names[url.scheme],
                                       url.host ? url.host : "-", url.port,
                                       url.user ? url.user : "-", url.text, url.shown);
        assert_string_equal(got, rows[i].want);
    }
}

static void loopback(void **state)
{
    (void)state;
    static const struct {
        const char *host;
        bool want;
    } rows[] = {
        {"localhost", true}, {"127.0.0.1", true},         {"127.9.9.9", true}, {"::1", true},
        {"git.lab", false},  {"127.evil.example", false}, {"::2", false},      {NULL, true},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct repo_url url = {.host = rows[i].host};
        test_row(rows[i].host ? rows[i].host : "local");
        assert_int_equal(repo_url_is_loopback(&url), rows[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses),
        cmocka_unit_test(loopback),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
