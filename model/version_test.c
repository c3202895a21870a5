#include "model/version.h"

#include "base/test.h"

static void parse_accepts(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        unsigned major, minor, patch;
        size_t prerelease_length;
    } rows[] = {
        {"v1.20.2", 1, 20, 2, 0},         {"1.36.0", 1, 36, 0, 0},
        {"v1.36.0-alpha.0", 1, 36, 0, 7}, {"v1.25.0-alpha.0.557+38d5a5cd", 1, 25, 0, 11},
        {"v1.20.2+debian", 1, 20, 2, 0},  {"v1.37.0-rc.1-dirty", 1, 37, 0, 10},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        test_row(rows[i].text);
        struct version version;
        cleanup_error struct error *err = NULL;
        assert_int_equal(version_parse(rows[i].text, &version, &err), 0);
        assert_int_equal(version.major, rows[i].major);
        assert_int_equal(version.minor, rows[i].minor);
        assert_int_equal(version.patch, rows[i].patch);
        assert_int_equal(version.prerelease_length, rows[i].prerelease_length);
    }
}

static void parse_refuses(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "",         "v",         "latest",     "1.20",         "v1.20.",   "v1.20.2\n",
        "v1.020.2", "v1.20.2-",  "v1.20.2+",   "v1.20.2-a..b", "v1.20.2 ", "v-1.20.2",
        "vv1.20.2", "v1.20.2.3", "v1.20.2-a.", "v1.2000000.0",
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        test_row(rows[i]);
        struct version version = {.major = 77};
        cleanup_error struct error *err = NULL;
        assert_int_equal(version_parse(rows[i], &version, &err), -1);
        assert_int_equal(err->kind, ERROR_INVALID);
        assert_int_equal(version.major, 77);
    }
}

/* Each row is older than the next: the example of semver.org, then our thresholds. */
static void order_of_versions(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "v1.0.0-alpha",  "v1.0.0-alpha.1", "v1.0.0-alpha.beta", "v1.0.0-beta",
        "v1.0.0-beta.2", "v1.0.0-beta.11", "v1.0.0-rc.1",       "v1.0.0",
        "v1.0.1",        "v1.9.0",         "v1.10.0",           "v1.24.0-alpha.1.591",
        "v1.24.0",       "v2.0.0",
    };
    size_t count = sizeof(rows) / sizeof(rows[0]);
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < count; j++) {
            test_row(rows[i]);
            struct version a, b;
            cleanup_error struct error *err = NULL;
            assert_int_equal(version_parse(rows[i], &a, &err), 0);
            assert_int_equal(version_parse(rows[j], &b, &err), 0);
            int order = version_compare(&a, &b);
            assert_int_equal((order > 0) - (order < 0), (i > j) - (i < j));
        }
}

static void before_a_limit(void **state)
{
    (void)state;
    static const struct {
        const char *text, *limit;
        bool before, core_before;
    } rows[] = {
        {"v1.22.17", "v1.23.0", true, true},
        {"v1.23.0-rc.1", "v1.23.0", true, false},
        {"v1.23.0", "v1.23.0", false, false},
        {"v1.23.0+build", "v1.23.0", false, false},
        {"v1.24.0-alpha.1.590", "v1.24.0-alpha.1.591", true, false},
        {"v1.24.0-alpha.1.591", "v1.24.0-alpha.1.591", false, false},
        {"v1.24.0-alpha.1.1000", "v1.24.0-alpha.1.591", false, false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        test_row(rows[i].text);
        struct version version;
        cleanup_error struct error *err = NULL;
        assert_int_equal(version_parse(rows[i].text, &version, &err), 0);
        assert_int_equal(version_before(&version, rows[i].limit), rows[i].before);
        assert_int_equal(version_core_before(&version, rows[i].limit), rows[i].core_before);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parse_accepts),
        cmocka_unit_test(parse_refuses),
        cmocka_unit_test(order_of_versions),
        cmocka_unit_test(before_a_limit),
    };
    return cmocka_run_group_tests_name("version", tests, NULL, NULL);
}
