/* kubeadm's configuration in the cluster, for another version. */
#include "model/kubeadm_stored.h"

#include "base/memory.h"
#include "base/test.h"

#define STORED(VERSION, REGISTRY)                                                                  \
    "apiServer:\n  extraArgs:\n    kubernetesVersion: no\n"                                        \
    "apiVersion: kubeadm.k8s.io/v1beta2\n"                                                         \
    "dns:\n  imageRepository: k8s.gcr.io\n"                                                        \
    "imageRepository: " REGISTRY "\n"                                                              \
    "kind: ClusterConfiguration\n"                                                                 \
    "kubernetesVersion: " VERSION "\n"                                                             \
    "networking: {}\n"

static const struct {
    const char *name, *stored, *version, *says, *result;
} rows[] = {
    {"a patch", STORED("v1.20.2", "k8s.gcr.io"), "v1.20.3", "v1.20.2",
     STORED("v1.20.3", "k8s.gcr.io")},
    {"the same", STORED("v1.20.2", "k8s.gcr.io"), "v1.20.2", "v1.20.2", NULL},
    {"back, for one that is older", STORED("v1.20.3", "k8s.gcr.io"), "v1.20.2", "v1.20.3",
     STORED("v1.20.2", "k8s.gcr.io")},
    {"images have moved", STORED("v1.24.9", "k8s.gcr.io"), "v1.25.0", "v1.24.9",
     STORED("v1.25.0", "registry.k8s.io")},
    {"the images are the user's", STORED("v1.24.9", "k8s.gcr.io.local"), "v1.25.0", "v1.24.9",
     STORED("v1.25.0", "k8s.gcr.io.local")},
    {"in quotes, and without an end", "kubernetesVersion: \"v1.20.2\"", "v1.20.3", "v1.20.2",
     "kubernetesVersion: v1.20.3"},
    {"it does not say", "kind: ClusterConfiguration\n", "v1.20.3", NULL, NULL},
    {"nothing", "", "v1.20.3", NULL, NULL},
    {"no version", STORED("v1.20.2", "k8s.gcr.io"), "latest", "v1.20.2", NULL},
};

static void rewrites(void **state)
{
    (void)state;
    cleanup_arena struct arena *arena = arena_new();
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].name);
        test_equal(kubeadm_stored_version(arena, rows[i].stored), rows[i].says);
        test_equal(kubeadm_stored_for(arena, rows[i].stored, rows[i].version), rows[i].result);
    }
}

static void names_kubelets_configuration(void **state)
{
    (void)state;
    static const struct {
        const char *version, *name;
    } names[] = {
        {"v1.20.3", "kubelet-config-1.20"},
        {"v1.23.17", "kubelet-config-1.23"},
        {"v1.24.0", "kubelet-config"},
        {"v1.31.1", "kubelet-config"},
        {"latest", NULL},
    };
    cleanup_arena struct arena *arena = arena_new();
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        test_row(names[i].version);
        test_equal(kubeadm_stored_kubelet_name(arena, names[i].version), names[i].name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rewrites),
        cmocka_unit_test(names_kubelets_configuration),
    };
    return cmocka_run_group_tests_name("kubeadm_stored", tests, NULL, NULL);
}
