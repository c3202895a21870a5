/* known_hosts_test.c - which keys a host may show, by OpenSSH's own files. */
#include "reconciler/known_hosts.h"

#include "base/base64.h"
#include "base/memory.h"
#include "base/test.h"

/* Made by ssh-keygen; the hashed names by its -H. */
#define ED "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKUnWMwH/lnaBk7zwGm+udd2+WYSNfISYuLBucSCDb9L"
#define ED_OTHER "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKUnWMwH/lnaBk7zwGm+udd2+WYSNfISYuLBucSCDb9M"
#define EC                                                                                         \
    "ecdsa-sha2-nistp256 "                                                                         \
    "AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBJe7RR9UlhoETwE4IkxTLFUrYZBOQkX3DW30YF"   \
    "etC1C+rqGlWdJc3/cvaqL+7qFwgvwCgVRQ594+ghPtDNswQV4="
#define HASHED "|1|I/ArnVGRCvcbdq6b17l/tm/6KcE=|lzHMiTvBnJSv9VJL7ujkZXBhdRc= "
#define HASHED_2222 "|1|C36JEsSm6rK25Uj+2YIsRy4LVY8=|X4Px5lBXQxXgXtvm0kBNL+qCrdE= "

static void decode(const char *line, struct text *key)
{
    text_init(key, 0);
    assert_true(base64_decode(strchr(line, ' ') + 1, key));
}

static void verdicts(void **state)
{
    (void)state;
    static const struct {
        const char *name, *text, *host;
        uint16_t port;
        const char *shown;
        enum known_verdict want;
    } rows[] = {
        {"plain", "git.lab " ED "\n", "git.lab", 0, ED, KNOWN_GOOD},
        {"port 22 is the usual one", "git.lab " ED "\n", "git.lab", 22, ED, KNOWN_GOOD},
        {"comment, blanks, CR", "# all\n\n  git.lab\t" ED " root@lab\r\n", "git.lab", 0, ED,
         KNOWN_GOOD},
        {"no newline at the end", "git.lab " ED, "git.lab", 0, ED, KNOWN_GOOD},
        {"another port", "git.lab " ED "\n", "git.lab", 2222, ED, KNOWN_NOT},
        {"port in the file", "[git.lab]:2222 " ED "\n", "git.lab", 2222, ED, KNOWN_GOOD},
        {"hashed", HASHED ED "\n", "git.lab", 0, ED, KNOWN_GOOD},
        {"hashed, another host", HASHED ED "\n", "git.lan", 0, ED, KNOWN_NOT},
        {"hashed with a port", HASHED_2222 ED "\n", "git.lab", 2222, ED, KNOWN_GOOD},
        {"hashed, cut off", "|1|abc " ED "\n", "git.lab", 0, ED, KNOWN_NOT},
        {"hashed, no base64", "|1|!!|?? " ED "\n", "git.lab", 0, ED, KNOWN_NOT},
        {"one of a list", "a,git.lab,10.0.0.1 " ED "\n", "git.lab", 0, ED, KNOWN_GOOD},
        {"a pattern", "*.lab " ED "\n", "git.lab", 0, ED, KNOWN_GOOD},
        {"a pattern that needs going back", "*g*t.l?b " ED "\n", "gigt.lab", 0, ED, KNOWN_GOOD},
        {"a pattern that ends", "git.lab* " ED "\n", "git.lab", 0, ED, KNOWN_GOOD},
        {"a pattern that does not fit", "*.lan " ED "\n", "git.lab", 0, ED, KNOWN_NOT},
        {"a pattern shorter than the name", "git " ED "\n", "git.lab", 0, ED, KNOWN_NOT},
        {"all but this one", "*.lab,!git.lab " ED "\n", "git.lab", 0, ED, KNOWN_NOT},
        {"nobody", "", "git.lab", 0, ED, KNOWN_NOT},
        {"changed", "git.lab " ED_OTHER "\n", "git.lab", 0, ED, KNOWN_CHANGED},
        {"one of two", "git.lab " ED_OTHER "\ngit.lab " ED "\n", "git.lab", 0, ED, KNOWN_GOOD},
        {"another type", "git.lab " EC "\n", "git.lab", 0, ED, KNOWN_OTHER},
        {"revoked", "git.lab " ED "\n@revoked * " ED "\n", "git.lab", 0, ED, KNOWN_REVOKED},
        {"another one revoked", "git.lab " ED "\n@revoked * " ED_OTHER "\n", "git.lab", 0, ED,
         KNOWN_GOOD},
        {"a revoked one is not trusted", "@revoked git.lab " ED_OTHER "\n", "git.lab", 0, ED,
         KNOWN_OTHER},
        {"an authority", "@cert-authority *.lab " ED "\n", "git.lab", 0, ED, KNOWN_NOT},
        {"no key", "git.lab ssh-ed25519\n", "git.lab", 0, ED, KNOWN_NOT},
        {"a key that is none", "git.lab ssh-ed25519 %%%%\n", "git.lab", 0, ED, KNOWN_NOT},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        cleanup_arena struct arena *arena = arena_new();
        cleanup_text struct text key;
        struct known_keys keys;
        test_row(rows[i].name);
        decode(rows[i].shown, &key);
        known_hosts_find(arena, rows[i].text, rows[i].host, rows[i].port, &keys);
        assert_int_equal(known_hosts_judge(&keys, key.data, key.length), rows[i].want);
    }
}

static void the_best(void **state)
{
    (void)state;
    static const struct {
        const char *text, *want;
    } rows[] = {
        {"h " EC "\nh " ED "\n", "ssh-ed25519"},
        {"h " EC "\n@revoked h " ED "\n", "ecdsa-sha2-nistp256"},
        {"h ssh-rsa AAAA\n", "ssh-rsa"},
        {"@revoked h " ED "\n", NULL},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        cleanup_arena struct arena *arena = arena_new();
        struct known_keys keys;
        test_row(rows[i].text);
        known_hosts_find(arena, rows[i].text, "h", 0, &keys);
        const struct known_key *best = known_hosts_best(&keys);
        assert_int_equal(best != NULL, rows[i].want != NULL);
        if (best)
            assert_string_equal(best->type, rows[i].want);
    }
}

static void bounds(void **state)
{
    (void)state;
    cleanup_arena struct arena *arena = arena_new();
    cleanup_text struct text text, key;
    struct known_keys keys;
    text_init(&text, 0);
    for (int i = 0; i < 3 * KNOWN_HOSTS_KEYS_MAX; i++)
        text_add(&text, "h " ED "\n");
    known_hosts_find(arena, text.data, "h", 0, &keys);
    assert_int_equal(keys.count, KNOWN_HOSTS_KEYS_MAX);
    decode(ED, &key);
    assert_string_equal(known_hosts_type(arena, key.data, key.length), "ssh-ed25519");
    assert_null(known_hosts_type(arena, "\0\0\0", 3));
    assert_null(known_hosts_type(arena, "\0\0\0\0a", 5));
    assert_null(known_hosts_type(arena, "\377\377\377\377a", 5));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(verdicts),
        cmocka_unit_test(the_best),
        cmocka_unit_test(bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
