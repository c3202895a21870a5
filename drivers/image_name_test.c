#include "drivers/image_name.h"

#include "base/memory.h"
#include "base/test.h"

#define DIGEST "@sha256:aabfbaf916de1af22a1e0bf56307b9f775e8e8961a61a653c86e373320dbea2e"

static const struct {
    const char *name, *tagged, *full;
} rows[] = {
    {"app", "app:latest", "docker.io/library/app:latest"},
    {"app:v1", "app:v1", "docker.io/library/app:v1"},
    {"team/app", "team/app:latest", "docker.io/team/app:latest"},
    {"docker.io/app", "docker.io/app:latest", "docker.io/library/app:latest"},
    {"docker.io/team/app:v1", "docker.io/team/app:v1", "docker.io/team/app:v1"},
    {"localhost/app", "localhost/app:latest", "localhost/app:latest"},
    {"localhost:5000/app", "localhost:5000/app:latest", "localhost:5000/app:latest"},
    {"localhosts/app", "localhosts/app:latest", "docker.io/localhosts/app:latest"},
    {"example.org/team/app:v1", "example.org/team/app:v1", "example.org/team/app:v1"},
    {"kind.local/node:v1", "kind.local/node:v1", "kind.local/node:v1"},
    {"app" DIGEST, "app" DIGEST, "docker.io/library/app" DIGEST},
    {"app:v1" DIGEST, "app:v1" DIGEST, "docker.io/library/app" DIGEST},
    {"host:1/app" DIGEST, "host:1/app" DIGEST, "host:1/app" DIGEST},
};

static void names(void **state)
{
    (void)state;
    struct arena *arena = arena_new();
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].name);
        assert_true(image_name_is_plain(rows[i].name));
        test_equal(image_name_tagged(arena, rows[i].name), rows[i].tagged);
        test_equal(image_name_full(arena, rows[i].name), rows[i].full);
        test_equal(image_name_full(arena, rows[i].full), rows[i].full);
    }
    arena_free(arena);
}

static void strange(void **state)
{
    (void)state;
    static const char *const strangers[] = {"", "a b", "a?b", "a%2f", "\xc3\xa4", "a\"b", "a,b"};
    for (size_t i = 0; i < COUNT_OF(strangers); i++) {
        test_row(strangers[i]);
        assert_false(image_name_is_plain(strangers[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names),
        cmocka_unit_test(strange),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
