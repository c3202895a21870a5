#include "model/upgrade.h"

#include "base/memory.h"
#include "base/test.h"
#include <string.h>

static void test_image_versions(void **unused)
{
    (void)unused;
    static const struct {
        const char *image, *version;
    } rows[] = {
        {"kindest/node:v1.20.2", "v1.20.2"},
        {"kindest/node:v1.20.2@sha256:0123", "v1.20.2"},
        {"kind.local/node:1.20.2", "v1.20.2"},
        {"host:5000/node:v1.21.0-rc.1", "v1.21.0-rc.1"},
        {"host:5000/node", NULL},
        {"node", NULL},
        {"node@sha256:0123", NULL},
        {"node:latest", NULL},
        {"node:v1.20", NULL},
        {"default", NULL},
        {NULL, NULL},
    };
    cleanup_arena struct arena *arena = arena_new();
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].image ? rows[i].image : "none");
        const char *got = upgrade_image_version(arena, rows[i].image);
        test_equal(got ? got : "none", rows[i].version ? rows[i].version : "none");
    }
}

static void test_refusals(void **unused)
{
    (void)unused;
    static const struct {
        const char *name;
        struct upgrade upgrade;
        const char *part; /* of the refusal; NULL: it is allowed */
    } rows[] = {
        {"the same", {NODE_CONTROL_PLANE, "v1.20.2", "v1.20.2", NULL}, NULL},
        {"a patch", {NODE_CONTROL_PLANE, "v1.20.2", "v1.20.3", NULL}, NULL},
        {"several patches", {NODE_CONTROL_PLANE, "v1.20.2", "v1.20.15", NULL}, NULL},
        {"from a pre-release", {NODE_CONTROL_PLANE, "v1.21.0-rc.1", "v1.21.0", NULL}, NULL},
        {"a minor version", {NODE_CONTROL_PLANE, "v1.20.2", "v1.21.0", NULL}, NULL},
        {"two minor versions",
         {NODE_CONTROL_PLANE, "v1.20.2", "v1.22.0", NULL},
         "v1.20.2 -> v1.22.0 skips a minor version, which Kubernetes does not support; go to v1.21 "
         "first"},
        {"another world", {NODE_CONTROL_PLANE, "v1.20.2", "v2.0.0", NULL}, "skips a minor version"},
        {"a patch down",
         {NODE_CONTROL_PLANE, "v1.20.3", "v1.20.2", NULL},
         "v1.20.3 -> v1.20.2 is a downgrade, which Kubernetes does not support; keep v1.20.3, or "
         "make the cluster anew with --allow recreate"},
        {"a minor version down",
         {NODE_CONTROL_PLANE, "v1.21.0", "v1.20.9", NULL},
         "is a downgrade"},
        {"to a pre-release",
         {NODE_CONTROL_PLANE, "v1.21.0", "v1.21.0-rc.1", NULL},
         "is a downgrade"},
        {"beside one that is as old", {NODE_CONTROL_PLANE, "v1.20.2", "v1.21.0", "v1.20.2"}, NULL},
        {"beside one that is upgraded",
         {NODE_CONTROL_PLANE, "v1.20.2", "v1.21.0", "v1.21.0"},
         NULL},
        {"beside one that is older",
         {NODE_CONTROL_PLANE, "v1.21.0", "v1.22.0", "v1.20.2"},
         "v1.22.0 is more than one minor version newer than another control plane's v1.20.2, which "
         "Kubernetes does not support; upgrade that one first"},
        {"from what is not known", {NODE_CONTROL_PLANE, NULL, "v1.20.2", NULL}, NULL},
        {"to what is not known", {NODE_CONTROL_PLANE, "v1.20.2", NULL, NULL}, NULL},
        {"from what is no version", {NODE_CONTROL_PLANE, "v1", "v1.20.2", NULL}, NULL},
        {"a worker follows", {NODE_WORKER, "v1.20.2", "v1.20.3", "v1.20.3"}, NULL},
        {"a worker may stay older", {NODE_WORKER, "v1.19.1", "v1.19.2", "v1.20.3"}, NULL},
        {"a worker goes down",
         {NODE_WORKER, "v1.20.3", "v1.20.2", NULL},
         "v1.20.3 -> v1.20.2 is a downgrade, which Kubernetes does not support; keep v1.20.3, or "
         "take the node out of the spec and add it again"},
        {"by two minor versions", {NODE_WORKER, NULL, "v1.18.0", "v1.20.3"}, NULL},
        {"not by three",
         {NODE_WORKER, NULL, "v1.17.9", "v1.20.3"},
         "v1.17.9 is more than 2 minor versions older than the control planes' v1.20.3; take a "
         "newer image for it"},
        {"by three since 1.28", {NODE_WORKER, NULL, "v1.25.0", "v1.28.0"}, NULL},
        {"not by four", {NODE_WORKER, NULL, "v1.24.0", "v1.28.0"}, "more than 3 minor versions"},
        {"not of another world", {NODE_WORKER, NULL, "v1.99.0", "v2.0.0"}, "more than"},
        {"a worker is not newer",
         {NODE_WORKER, "v1.20.2", "v1.20.3", "v1.20.2"},
         "v1.20.3 is newer than the control planes' v1.20.2, which Kubernetes does not support; "
         "upgrade the control planes first"},
        {"than what is not known", {NODE_WORKER, "v1.20.2", "v1.20.3", NULL}, NULL},
        {"a worker of which nothing is known", {NODE_WORKER, NULL, NULL, "v1.20.3"}, NULL},
    };
    cleanup_arena struct arena *arena = arena_new();
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].name);
        const char *got = upgrade_refusal(arena, &rows[i].upgrade);
        if (!rows[i].part)
            test_equal(got ? got : "allowed", "allowed");
        else
            assert_non_null(got ? strstr(got, rows[i].part) : NULL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_image_versions),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests_name("upgrade", tests, NULL, NULL);
}
