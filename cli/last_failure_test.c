#include "cli/last_failure.h"

#include "base/memory.h"
#include "base/test.h"
#include <dirent.h>
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

static char home[] = "/tmp/kind-state-XXXXXX";
static const char engine[] = "unix:///run/e.sock";

static int make_home(void **state)
{
    (void)state;
    return mkdtemp(home) && setenv("XDG_STATE_HOME", home, 1) == 0 ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *is, int kind, struct FTW *place)
{
    (void)is, (void)kind, (void)place;
    return remove(path);
}

static int remove_home(void **state)
{
    (void)state;
    return nftw(home, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static size_t count_files(void)
{
    cleanup_free char *folder = memory_format("%s/kind/failures", home);
    DIR *files = opendir(folder);
    size_t count = 0;
    for (const struct dirent *entry; files && (entry = readdir(files));)
        count += *entry->d_name != '.';
    if (files)
        closedir(files);
    return count;
}

static void fails(const char *cluster, enum report_kind kind, const struct diagnosis *diagnosis,
                  uint64_t now_s)
{
    struct error *failure = NULL;
    error_set(&failure, ERROR_TIMEOUT,
              "a-worker: join node: --token abcdef.0123456789abcdef\nis bad");
    const struct report report = {.kind = kind,
                                  .cluster = cluster,
                                  .failure = failure,
                                  .diagnosis = diagnosis,
                                  .failures = 2,
                                  .wait_ms = 4000};
    last_failure_write(engine, &report, now_s);
    error_free(failure);
}

static void keeps_and_forgets(void **state)
{
    (void)state;
    cleanup_arena struct arena *arena = arena_new();
    struct last_failure last;
    assert_false(last_failure_read(arena, engine, "a", &last));
    last_failure_forget(engine, "a"); /* nothing is not even looked for */
    assert_int_equal(count_files(), 0);

    static const char journal[] = "line one\ninotify_init: too many open files\n";
    struct diagnosis *diagnosis = diagnosis_new();
    evidence_add(&diagnosis->evidence, EVIDENCE_KUBELET, "a-worker", journal, strlen(journal));
    diagnosis_conclude(diagnosis, "a", "a-worker");
    fails("a", REPORT_RETRY, diagnosis, 1000);
    assert_true(last_failure_read(arena, engine, "a", &last));
    assert_int_equal(last.first_at_s, 1000);
    assert_int_equal(last.at_s, 1000);
    assert_int_equal(last.next_at_s, 1005);
    assert_int_equal(last.failures, 2);
    assert_false(last.stalled);
    test_equal(last.kind, "timeout");
    test_equal(last.message, "a-worker: join node: --token (removed) is bad");
    assert_int_equal(last.cause_count, 1);
    test_equal(last.causes[0].id, "inotify-instances");
    test_equal(last.causes[0].source, "kubelet");
    test_equal(last.causes[0].subject, "a-worker");
    test_equal(last.causes[0].line, "inotify_init: too many open files");
    assert_int_equal(last.evidence_count, 1);
    test_equal(last.evidence[0].text, journal);

    /* The first of a row stays the first. */
    fails("a", REPORT_STALLED, NULL, 2000);
    assert_true(last_failure_read(arena, engine, "a", &last));
    assert_int_equal(last.first_at_s, 1000);
    assert_int_equal(last.at_s, 2000);
    assert_int_equal(last.next_at_s, 0);
    assert_true(last.stalled);
    assert_int_equal(last.cause_count, 0);

    /* Another engine's cluster of that name is another. */
    assert_false(last_failure_read(arena, "unix:///other", "a", &last));
    last_failure_forget("unix:///other", "a");
    assert_int_equal(count_files(), 1);
    last_failure_forget(engine, "a");
    assert_int_equal(count_files(), 0);
    diagnosis_free(diagnosis);
}

static void names_are_no_paths(void **state)
{
    (void)state;
    static const char *const names[] = {"", ".", "..", "../../x", "a/b", ".hidden", "a\nb"};
    cleanup_arena struct arena *arena = arena_new();
    struct last_failure last;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        test_row(names[i]);
        fails(names[i], REPORT_STALLED, NULL, 1);
        assert_int_equal(count_files(), 0);
        assert_false(last_failure_read(arena, engine, names[i], &last));
    }
}

static void there_are_not_too_many(void **state)
{
    (void)state;
    for (size_t i = 0; i < 210; i++) {
        cleanup_free char *name = memory_format("c%zu", i);
        fails(name, REPORT_STALLED, NULL, 1);
    }
    assert_int_equal(count_files(), 200);
}

/* What others could write to is not used. */
static void an_open_folder_is_none(void **state)
{
    (void)state;
    cleanup_free char *folder = memory_format("%s/kind/failures", home);
    cleanup_arena struct arena *arena = arena_new();
    struct last_failure last;
    fails("z", REPORT_STALLED, NULL, 1);
    assert_true(last_failure_read(arena, engine, "z", &last));
    assert_int_equal(chmod(folder, 0777), 0);
    assert_false(last_failure_read(arena, engine, "z", &last));
    assert_int_equal(chmod(folder, 0700), 0);
    assert_true(last_failure_read(arena, engine, "z", &last));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_and_forgets),
        cmocka_unit_test(names_are_no_paths),
        cmocka_unit_test(there_are_not_too_many),
        cmocka_unit_test(an_open_folder_is_none),
    };
    return cmocka_run_group_tests(tests, make_home, remove_home);
}
