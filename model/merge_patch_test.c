#include "model/merge_patch.h"

#include "base/memory.h"
#include "base/test.h"

/* Rows are written with single quotes. */
static json_t *parse(const char *text)
{
    cleanup_free char *quoted = memory_string(text);
    for (char *c = quoted; *c; c++)
        if (*c == '\'')
            *c = '"';
    json_error_t problem;
    json_t *value = json_loads(quoted, JSON_DECODE_ANY, &problem);
    if (!value)
        fail_msg("%s: %s", text, problem.text);
    return value;
}

static void check_equal(const json_t *got, const char *want)
{
    json_auto_t *wanted = parse(want);
    cleanup_free char *got_text = json_dumps(got, JSON_ENCODE_ANY | JSON_COMPACT | JSON_SORT_KEYS);
    cleanup_free char *want_text =
        json_dumps(wanted, JSON_ENCODE_ANY | JSON_COMPACT | JSON_SORT_KEYS);
    test_equal(got_text, want_text);
}

static void rfc_7386_appendix(void **state)
{
    (void)state;
    static const struct {
        const char *target, *patch, *want;
    } rows[] = {
        {"{'a':'b'}", "{'a':'c'}", "{'a':'c'}"},
        {"{'a':'b'}", "{'b':'c'}", "{'a':'b','b':'c'}"},
        {"{'a':'b'}", "{'a':null}", "{}"},
        {"{'a':'b','b':'c'}", "{'a':null}", "{'b':'c'}"},
        {"{'a':['b']}", "{'a':'c'}", "{'a':'c'}"},
        {"{'a':'c'}", "{'a':['b']}", "{'a':['b']}"},
        {"{'a':{'b':'c'}}", "{'a':{'b':'d','c':null}}", "{'a':{'b':'d'}}"},
        {"{'a':[{'b':'c'}]}", "{'a':[1]}", "{'a':[1]}"},
        {"['a','b']", "['c','d']", "['c','d']"},
        {"{'a':'b'}", "['c']", "['c']"},
        {"{'a':'foo'}", "null", "null"},
        {"{'a':'foo'}", "'bar'", "'bar'"},
        {"{'e':null}", "{'a':1}", "{'e':null,'a':1}"},
        {"[1,2]", "{'a':'b','c':null}", "{'a':'b'}"},
        {"{}", "{'a':{'bb':{'ccc':null}}}", "{'a':{'bb':{}}}"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        cleanup_free char *name = memory_format("%s with %s", rows[i].target, rows[i].patch);
        test_row(name);
        json_auto_t *target = parse(rows[i].target), *patch = parse(rows[i].patch);
        json_auto_t *merged = merge_patch_apply(target, patch);
        check_equal(merged, rows[i].want);
        check_equal(target, rows[i].target);
        check_equal(patch, rows[i].patch);
    }
}

/* Upstream's deviation: a null in a list stays, a null in a map in a list does not. */
static void nulls_in_lists(void **state)
{
    (void)state;
    json_auto_t *target = parse("{}"), *patch = parse("{'a':[null,{'b':null,'c':[{'d':null}]}]}");
    json_auto_t *merged = merge_patch_apply(target, patch);
    check_equal(merged, "{'a':[null,{'c':[{}]}]}");
}

static void kubeadm_lists(void **state)
{
    (void)state;
    static const struct {
        const char *name, *version, *target, *patch, *want;
        size_t ignored;
    } rows[] = {
        {.name = "certSANs are added",
         .version = "g/v1beta3",
         .target = "{'apiServer':{'certSANs':['localhost','a'],'x':1}}",
         .patch = "{'apiServer':{'certSANs':['b','a','b'],'x':2}}",
         .want = "{'apiServer':{'certSANs':['localhost','a','b'],'x':2}}"},
        {.name = "certSANs where there are none",
         .version = "g/v1beta2",
         .target = "{}",
         .patch = "{'apiServer':{'certSANs':['a']}}",
         .want = "{'apiServer':{'certSANs':['a']}}"},
        {.name = "certSANs cannot be removed",
         .version = "g/v1beta3",
         .target = "{'certSANs':['a']}",
         .patch = "{'certSANs':null}",
         .want = "{'certSANs':['a']}",
         .ignored = 1},
        {.name = "certSANs go with what holds them",
         .version = "g/v1beta3",
         .target = "{'apiServer':{'certSANs':['a']}}",
         .patch = "{'apiServer':null}",
         .want = "{}"},
        {.name = "a map of arguments is an ordinary map",
         .version = "g/v1beta3",
         .target = "{'extraArgs':{'a':'1','b':'2'}}",
         .patch = "{'extraArgs':{'a':null,'c':'3'}}",
         .want = "{'extraArgs':{'b':'2','c':'3'}}"},
        {.name = "a list replaces a map before v1beta4",
         .version = "g/v1beta3",
         .target = "{'extraArgs':{'a':'1'}}",
         .patch = "{'extraArgs':[{'name':'c','value':'3'}]}",
         .want = "{'extraArgs':[{'name':'c','value':'3'}]}"},
        {.name = "by name",
         .version = "g/v1beta4",
         .target = "{'x':{'extraArgs':[{'name':'a','value':'1'},{'name':'b','value':'2'},"
                   "{'name':'c','value':'3'}]}}",
         .patch = "{'apiVersion':'g/v1beta4','x':{'extraArgs':[{'name':'d','value':'4'},"
                  "{'name':'b','value':null},{'name':'a','value':'9'},{'name':'c'},"
                  "{'name':'e','value':null}]}}",
         .want = "{'apiVersion':'g/v1beta4','x':{'extraArgs':[{'name':'a','value':'9'},"
                 "{'name':'d','value':'4'}]}}"},
        {.name = "the first of a name",
         .version = "g/v1beta4",
         .target = "{'extraArgs':[{'name':'a','value':'1'},{'name':'a','value':'2'}]}",
         .patch = "{'extraArgs':[{'name':'a','value':'9'}]}",
         .want = "{'extraArgs':[{'name':'a','value':'9'},{'name':'a','value':'2'}]}"},
        {.name = "items that are no arguments",
         .version = "g/v1beta4",
         .target = "{'extraArgs':['x',{'name':1}]}",
         .patch = "{'extraArgs':['y',{'value':'1'},{'name':2,'value':'2'}]}",
         .want = "{'extraArgs':['x',{'name':1}]}"},
        {.name = "kubeletExtraArgs where there is null",
         .version = "g/v1beta4",
         .target = "{'nodeRegistration':{'kubeletExtraArgs':null}}",
         .patch = "{'nodeRegistration':{'kubeletExtraArgs':[{'name':'v','value':'4'}]}}",
         .want = "{'nodeRegistration':{'kubeletExtraArgs':[{'name':'v','value':'4'}]}}"},
        {.name = "an old map without a version",
         .version = "g/v1beta4",
         .target = "{'extraArgs':[{'name':'b','value':'2'},{'name':'c','value':'3'}]}",
         .patch = "{'extraArgs':{'z':'1','b':null,'a':'5'}}",
         .want = "{'extraArgs':[{'name':'c','value':'3'},{'name':'z','value':'1'},"
                 "{'name':'a','value':'5'}]}"},
        {.name = "an old map with a version",
         .version = "g/v1beta4",
         .target = "{'extraArgs':[{'name':'b','value':'2'}]}",
         .patch = "{'apiVersion':'g/v1beta4','extraArgs':{'b':'3'}}",
         .want = "{'apiVersion':'g/v1beta4','extraArgs':[{'name':'b','value':'2'}]}",
         .ignored = 1},
        {.name = "arguments in what is new",
         .version = "g/v1beta4",
         .target = "{}",
         .patch = "{'etcd':{'local':{'extraArgs':{'a':'1'},'dataDir':'/x','y':null}}}",
         .want = "{'etcd':{'local':{'extraArgs':[{'name':'a','value':'1'}],'dataDir':'/x'}}}"},
        {.name = "a map over a scalar",
         .version = "g/v1beta4",
         .target = "{'a':1}",
         .patch = "{'a':{'certSANs':['x']}}",
         .want = "{'a':{'certSANs':['x']}}"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].name);
        json_auto_t *target = parse(rows[i].target), *patch = parse(rows[i].patch);
        size_t ignored;
        json_auto_t *merged = merge_patch_kubeadm(target, patch, rows[i].version, &ignored);
        check_equal(merged, rows[i].want);
        assert_int_equal(ignored, rows[i].ignored);
        check_equal(target, rows[i].target);
        check_equal(patch, rows[i].patch);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc_7386_appendix),
        cmocka_unit_test(nulls_in_lists),
        cmocka_unit_test(kubeadm_lists),
    };
    return cmocka_run_group_tests_name("merge_patch", tests, NULL, NULL);
}
