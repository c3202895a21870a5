#include "drivers/certificate.h"

#include "base/test.h"
#include "base/text.h"
#include "drivers/fake_pki.h"
#include <string.h>

static struct string_list addresses_of(struct arena *arena, const char *const *names)
{
    const struct fake_subject subject = {"etcd", NULL, true, names};
    struct fake_identity authority = fake_pki_authority("etcd-ca");
    struct fake_identity identity = fake_pki_sign(authority.certificate, authority.key, &subject);
    struct string_list list =
        certificate_addresses(arena, identity.certificate, strlen(identity.certificate));
    fake_identity_done(&identity);
    fake_identity_done(&authority);
    return list;
}

static void tells_addresses(void **state)
{
    (void)state;
    static const char *const names[] = {"localhost", "127.0.0.1", "::1", "node",
                                        "10.1.2.3",  "fc00::7",   NULL};
    cleanup_arena struct arena *arena = arena_new();
    struct string_list list = addresses_of(arena, names);
    assert_int_equal(list.count, 2);
    assert_true(certificate_names(&list, "10.1.2.3"));
    assert_true(certificate_names(&list, "fc00::7"));
    assert_false(certificate_names(&list, "10.1.2.30"));
    assert_false(certificate_names(&list, "127.0.0.1"));
    assert_false(certificate_names(&list, NULL));
}

static void is_bounded(void **state)
{
    (void)state;
    enum { MANY = 2 * CERTIFICATE_ADDRESSES_MAX };
    const char *names[MANY + 1] = {NULL};
    cleanup_arena struct arena *arena = arena_new();
    for (size_t i = 0; i < MANY; i++)
        names[i] = arena_format(arena, "10.0.0.%zu", i + 1);
    assert_int_equal(addresses_of(arena, names).count, CERTIFICATE_ADDRESSES_MAX);
}

static void tells_nothing_of_others(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "", "-----BEGIN CERTIFICATE-----\nbm9uZQ==\n-----END CERTIFICATE-----\n", "no certificate"};
    cleanup_arena struct arena *arena = arena_new();
    struct fake_identity authority = fake_pki_authority("without-names");
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert_int_equal(certificate_addresses(arena, texts[i], strlen(texts[i])).count, 0);
    assert_int_equal(certificate_addresses(arena, NULL, 0).count, 0);
    assert_int_equal(
        certificate_addresses(arena, authority.certificate, strlen(authority.certificate)).count,
        0);
    fake_identity_done(&authority);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_addresses),
        cmocka_unit_test(is_bounded),
        cmocka_unit_test(tells_nothing_of_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
