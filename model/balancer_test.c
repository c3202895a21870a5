#include "model/balancer.h"

#include "base/memory.h"
#include "base/test.h"

/*
 * Golden files are testdata/balancer/PROGRAM-FAMILY-BACKENDS.EXTENSION; those
 * of haproxy are also what the test against a real engine feeds it.
 */

/* Out of order, as an engine may list them; a cluster of N has the last N. */
static const char *const control_planes[] = {"lab-control-plane5", "lab-control-plane4",
                                             "lab-control-plane3", "lab-control-plane2",
                                             "lab-control-plane"};

static struct balancer_input input_of(enum ip_family family, size_t backends)
{
    return (struct balancer_input){
        .cluster = "lab",
        .name = "lab-external-load-balancer",
        .family = family,
        .backends = control_planes + COUNT_OF(control_planes) - backends,
        .backend_count = backends,
    };
}

/* `families` and `counts` say how many of each make a difference. */
static const struct {
    const char *name, *extension;
    void (*write)(const struct balancer_input *, struct text *);
    int families;
    size_t counts;
} files[] = {
    {"haproxy", "cfg", balancer_haproxy, 3, 3},
    {"envoy-cds", "yaml", balancer_envoy_cds, 3, 3},
    {"envoy-lds", "yaml", balancer_envoy_lds, 3, 1},
    {"envoy-script", "txt", balancer_envoy_script, 1, 1},
};

static void check_golden(size_t file, enum ip_family family, size_t backends)
{
    cleanup_free char *path =
        memory_format("model/testdata/balancer/%s-%s-%zu.%s", files[file].name,
                      ip_family_name(family), backends, files[file].extension);
    test_row(path);
    struct balancer_input input = input_of(family, backends);
    cleanup_text struct text text;
    text_init(&text, 0);
    files[file].write(&input, &text);
    test_golden(text.data, path);
}

static void golden_files(void **state)
{
    (void)state;
    static const size_t counts[] = {1, 3, 5};
    for (size_t f = 0; f < COUNT_OF(files); f++)
        for (int family = 0; family < files[f].families; family++)
            for (size_t c = 0; c < files[f].counts; c++)
                check_golden(f, (enum ip_family)family, counts[c]);
}

/* What an image has before it is told its backends. */
static void image_default(void **state)
{
    (void)state;
    struct balancer_input input = input_of(IP_FAMILY_IPV4, 0);
    cleanup_text struct text text;
    text_init(&text, 0);
    balancer_haproxy(&input, &text);
    test_golden(text.data, "images/balancer/haproxy.cfg");
}

/* Envoy reacts to what is moved into place, and clusters come before the listener that names them.
 */
static void envoy_activation(void **state)
{
    (void)state;
    test_equal(balancer_envoy_activation,
               "chmod 666 /home/envoy/cds.yaml.tmp /home/envoy/lds.yaml.tmp && "
               "mv /home/envoy/cds.yaml.tmp /home/envoy/cds.yaml && "
               "mv /home/envoy/lds.yaml.tmp /home/envoy/lds.yaml");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_files),
        cmocka_unit_test(image_default),
        cmocka_unit_test(envoy_activation),
    };
    return cmocka_run_group_tests_name("balancer", tests, NULL, NULL);
}
