#include "model/scalar.h"

#include "base/memory.h"
#include "base/test.h"
#include <math.h>

static struct tree plain(const char *text)
{
    return (struct tree){.kind = TREE_SCALAR, .scalar = text, .plain = true};
}

static void booleans(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool plain;
        const char *tag, *want;
    } rows[] = {
        {"true", true, NULL, "true"},
        {"True", true, NULL, "true"},
        {"FALSE", true, NULL, "false"},
        {"tRUE", true, NULL, "none"},
        {"y", true, NULL, "true"},
        {"Yes", true, NULL, "true"},
        {"ON", true, NULL, "true"},
        {"n", true, NULL, "false"},
        {"no", true, NULL, "false"},
        {"Off", true, NULL, "false"},
        {"yes", false, NULL, "true"},
        {"off", false, NULL, "false"},
        {"true", false, NULL, "none"},
        {"false", false, NULL, "none"},
        {"yEs", true, NULL, "none"},
        {"1", true, NULL, "none"},
        {"0", true, NULL, "none"},
        {"maybe", true, NULL, "none"},
        {"true", true, "tag:yaml.org,2002:str", "none"},
        {"yes", true, "tag:yaml.org,2002:str", "true"},
        {"true", false, "tag:yaml.org,2002:bool", "true"},
        {"~", true, NULL, "none"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].text);
        struct tree scalar = {.kind = TREE_SCALAR,
                              .scalar = rows[i].text,
                              .plain = rows[i].plain,
                              .tag = rows[i].tag};
        bool value = false;
        bool found = scalar_bool(&scalar, &value);
        test_equal(!found ? "none" : value ? "true" : "false", rows[i].want);
    }
}

static void integers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool plain;
        const char *tag, *want;
    } rows[] = {
        {"0", true, NULL, "0"},
        {"-1", true, NULL, "-1"},
        {"+7", true, NULL, "7"},
        {"8080", true, NULL, "8080"},
        {"8_080", true, NULL, "8080"},
        {"0x1F90", true, NULL, "8080"},
        {"0X1f90", true, NULL, "8080"},
        {"-0x10", true, NULL, "-16"},
        {"0o17620", true, NULL, "8080"},
        {"017620", true, NULL, "8080"},
        {"0b101", true, NULL, "5"},
        {"-0b101", true, NULL, "-5"},
        {"08", true, NULL, "8"}, /* no octal, but a float */
        {"8080.7", true, NULL, "8080"},
        {"-0.9", true, NULL, "0"},
        {"8e3", true, NULL, "8000"},
        {".5", true, NULL, "0"},
        {"2147483647", true, NULL, "2147483647"},
        {"2147483647.9", true, NULL, "2147483647"},
        {"-2147483648", true, NULL, "-2147483648"},
        {"2147483648", true, NULL, "none"},
        {"-2147483649", true, NULL, "none"},
        {"99999999999999999999", true, NULL, "none"},
        {".inf", true, NULL, "none"},
        {"-.inf", true, NULL, "none"},
        {".nan", true, NULL, "none"},
        {"0x", true, NULL, "none"},
        {"0x0x1", true, NULL, "none"},
        {"-", true, NULL, "none"},
        {"1 ", true, NULL, "none"},
        {"1:30", true, NULL, "none"},
        {"_1", true, NULL, "none"},
        {"", true, NULL, "none"},
        {"true", true, NULL, "none"},
        {"6443", false, NULL, "none"},
        {"6443", false, "tag:yaml.org,2002:int", "6443"},
        {"6443", true, "tag:yaml.org,2002:str", "none"},
        {"6443", true, "tag:yaml.org,2002:float", "6443"},
        {"6443.5", true, "tag:yaml.org,2002:int", "none"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].text);
        struct tree scalar = {.kind = TREE_SCALAR,
                              .scalar = rows[i].text,
                              .plain = rows[i].plain,
                              .tag = rows[i].tag};
        int32_t value = 77;
        bool found = scalar_int32(&scalar, &value);
        cleanup_free char *got = found ? memory_format("%d", value) : memory_string("none");
        test_equal(got, rows[i].want);
        assert_true(found || value == 77);
    }
}

static void collections_are_no_scalars(void **state)
{
    (void)state;
    const struct tree list = {.kind = TREE_LIST};
    bool boolean;
    int32_t integer;
    assert_false(scalar_bool(&list, &boolean));
    assert_false(scalar_int32(&list, &integer));
}

static char *describe(struct scalar_value value)
{
    switch (value.type) {
    case SCALAR_NULL:
        return memory_string("null");
    case SCALAR_BOOL:
        return memory_string(value.boolean ? "bool true" : "bool false");
    case SCALAR_INT:
        return memory_format("int %lld", (long long)value.integer);
    case SCALAR_FLOAT:
        return memory_format("float %g", value.number);
    case SCALAR_STRING:
        return memory_string("string");
    }
    return NULL;
}

static void resolves_by_yaml_1_1(void **state)
{
    (void)state;
    static const struct {
        const char *text, *want;
    } rows[] = {
        {"", "null"},
        {"~", "null"},
        {"Null", "null"},
        {"nil", "string"},
        {"y", "bool true"},
        {"NO", "bool false"},
        {"On", "bool true"},
        {"oN", "string"},
        {"TRUE", "bool true"},
        {"0", "int 0"},
        {"010", "int 8"},
        {"0o10", "int 8"},
        {"0x10", "int 16"},
        {"0b11", "int 3"},
        {"1_000", "int 1000"},
        {"9223372036854775807", "int 9223372036854775807"},
        {"-9223372036854775808", "int -9223372036854775808"},
        {"9223372036854775808", "float 9.22337e+18"},
        {"-9223372036854775809", "float -9.22337e+18"},
        {"0xFFFFFFFFFFFFFFFF", "float 1.84467e+19"},
        {"0x1FFFFFFFFFFFFFFFF", "string"},
        {"1e3", "float 1000"},
        {"1.", "float 1"},
        {".5", "float 0.5"},
        {"-.5e-1", "float -0.05"},
        {"+1_0.5", "float 10.5"},
        {".", "string"},
        {"1e", "string"},
        {"1e999", "string"},
        {"1e-999", "float 0"},
        {".inf", "float inf"},
        {"-.INF", "float -inf"},
        {"1.2.3", "string"},
        {"12:30:45", "string"},
        {"2024-01-31", "string"},
        {"infinity", "string"},
        {"nan", "string"},
        {"0x1p3", "string"},
        {"=", "string"},
        {"v1.20", "string"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].text);
        struct tree scalar = plain(rows[i].text);
        cleanup_free char *got = describe(scalar_resolve(&scalar));
        test_equal(got, rows[i].want);
        scalar.plain = false;
        assert_int_equal(scalar_resolve(&scalar).type, SCALAR_STRING);
    }
    struct tree scalar = plain(".NaN");
    assert_true(isnan(scalar_resolve(&scalar).number));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(booleans),
        cmocka_unit_test(integers),
        cmocka_unit_test(collections_are_no_scalars),
        cmocka_unit_test(resolves_by_yaml_1_1),
    };
    return cmocka_run_group_tests_name("scalar", tests, NULL, NULL);
}
