#include "base/nearest.h"

#include "base/memory.h"
#include "base/test.h"

static const char *const names[] = {"apply",  "diff",        "status",    "get",
                                    "delete", "version",     "filename",  "fleet",
                                    "allow",  "allow-empty", "kubeconfig"};

static const struct {
    const char *word, *want;
} rows[] = {
    {"aply", "apply"},
    {"appyl", "apply"},
    {"dif", "diff"},
    {"stauts", "status"},
    {"statsu", "status"},
    {"gte", "get"},
    {"file", "filename"},
    {"alow", "allow"},
    {"kubconfig", "kubeconfig"},
    {"kubeconf", "kubeconfig"},
    {"xyz", NULL},
    {"", NULL},
    {"g", NULL},
    {"destroy", NULL},
    {"kindergarten", NULL},
    {"a-word-that-is-much-longer-than-any-that-kind-knows", NULL},
};

static void finds_what_was_meant(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].word);
        struct nearest nearest = {.word = rows[i].word};
        for (size_t j = 0; j < COUNT_OF(names); j++)
            nearest_offer(&nearest, names[j]);
        test_equal(nearest.best, rows[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(finds_what_was_meant)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
