/* repo_source_test.c - the parent's half: names, and a child that ends in every way it can. */
#include "reconciler/repo_source.h"

#include "base/memory.h"
#include "base/test.h"
#include "reconciler/repo_message.h"
#include "reconciler/repo_worker.h"
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#define COMMIT "0123456789abcdef0123456789abcdef01234567"

static void names(void **state)
{
    (void)state;
    static const struct {
        const char *base, *path, *want;
    } rows[] = {
        {"lab/ci.yaml", "app.yaml", "lab/app.yaml"},
        {"lab/ci.yaml", "./a//b/../app.yaml", "lab/a/app.yaml"},
        {"lab/ci.yaml", "../extra/app.yaml", "extra/app.yaml"},
        {"ci.yaml", "app.yaml", "app.yaml"},
        {"ci.yaml", "../app.yaml", NULL},
        {"lab/ci.yaml", "../../app.yaml", NULL},
        {"lab/ci.yaml", "../../lab/app.yaml", NULL},
        {"lab/ci.yaml", "/etc/shadow", NULL},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        cleanup_arena struct arena *arena = arena_new();
        test_row(rows[i].path);
        const char *got = repo_path_beside(arena, rows[i].base, rows[i].path);
        if (rows[i].want)
            test_equal(got, rows[i].want);
        else
            assert_null(got);
    }
}

static void beside(void **state)
{
    (void)state;
    struct repo_file files[] = {
        {.text = {.file = "lab/app.yaml", .bytes = "a", .length = 1}},
        {.text = {.file = "lab/link.yaml"}, .problem = "lab/link.yaml is a symbolic link"},
    };
    struct repo_result result = {.files = files, .file_count = COUNT_OF(files)};
    static const struct {
        const char *path, *want;
    } rows[] = {
        {"app.yaml", NULL},
        {"link.yaml", "lab/link.yaml is a symbolic link"},
        {"none.yaml", "lab/none.yaml: was not read from the repository"},
        {"../../x", "../../x is outside of the repository"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        cleanup_arena struct arena *arena = arena_new();
        cleanup_error struct error *err = NULL;
        struct load_text text = {0};
        test_row(rows[i].path);
        int code = repo_read_beside(&result, arena, "lab/ci.yaml", rows[i].path, &text, &err);
        assert_int_equal(code, rows[i].want ? -1 : 0);
        if (rows[i].want)
            test_equal(err->message, rows[i].want);
        else
            assert_string_equal(text.file, "lab/app.yaml");
    }
}

/* --- children: this same program, doing what the address says --- */

static void add_good(struct text *reply)
{
    repo_record_add_string(reply, REPO_STAGE, "reading");
    repo_record_add_string(reply, REPO_COMMIT, COMMIT);
    repo_record_add_string(reply, REPO_AUTHOR, "Ann\033[2J");
    repo_record_add_string(reply, REPO_SUBJECT, "begin");
    repo_record_add_string(reply, REPO_TIME, "1700000000");
    repo_record_add_pair(reply, REPO_TEXT, "lab/ci.yaml", "a: 1\n", 5);
    repo_record_add_pair(reply, REPO_FILE, "lab/app.yaml", "b", 1);
    repo_record_add_pair(reply, REPO_ABSENT, "lab/none.yaml", "not there", 9);
}

static void say(const struct text *reply)
{
    for (size_t sent = 0; sent < reply->length;) {
        ssize_t length = write(STDOUT_FILENO, reply->data + sent, reply->length - sent);
        if (length < 0)
            _exit(1);
        sent += (size_t)length;
    }
}

static int act(const char *part)
{
    cleanup_text struct text reply;
    text_init(&reply, 0);
    if (strcmp(part, "silent") == 0)
        pause();
    if (strcmp(part, "stuck") == 0) {
        repo_record_add_string(&reply, REPO_STAGE, "connecting to\ngit.lab");
        say(&reply);
        pause();
    }
    if (strcmp(part, "crash") == 0)
        raise(SIGKILL);
    if (strcmp(part, "busy") == 0)
        raise(SIGXCPU);
    if (strcmp(part, "flood") == 0)
        for (;;) {
            repo_record_add_pair(&reply, REPO_TEXT, "x.yaml", part, 5);
            if (reply.length > 60000) {
                say(&reply);
                text_clear(&reply);
            }
        }
    if (strcmp(part, "babble") == 0)
        text_add(&reply, "GET / HTTP/1.1\r\n");
    if (strcmp(part, "nothing") != 0 && strcmp(part, "babble") != 0)
        add_good(&reply);
    if (strcmp(part, "odd-commit") == 0)
        repo_record_add_string(&reply, REPO_COMMIT, "main");
    if (strcmp(part, "odd-name") == 0)
        repo_record_add_pair(&reply, REPO_TEXT, "a\033.yaml", "", 0);
    if (strcmp(part, "refused") == 0)
        repo_record_add_pair(&reply, REPO_ERROR, "0", "it is not signed", 16);
    if (strcmp(part, "odd-error") == 0)
        repo_record_add_pair(&reply, REPO_ERROR, "9", "what", 4);
    if (strcmp(part, "cut") != 0 && strcmp(part, "nothing") != 0)
        repo_record_add_string(&reply, REPO_END, "");
    say(&reply);
    return 0;
}

/* The request's first record is the address. */
static int child_main(void)
{
    char input[16 * 1024];
    size_t length = 0, offset = 0;
    for (ssize_t got; (got = read(STDIN_FILENO, input + length, sizeof(input) - length)) > 0;)
        length += (size_t)got;
    struct repo_record record;
    if (repo_record_next(input, length, sizeof(input), &offset, &record) != REPO_READ)
        return 1;
    cleanup_free char *url = memory_string_n(record.value, record.length);
    return act(strrchr(url, '/') + 1);
}

/* --- the parent --- */

struct ending {
    struct repo_result result;
    struct error *failure;
    int times;
    bool has_result;
};

static void ended(void *context, const struct repo_result *result, struct error *failure)
{
    struct ending *ending = context;
    ending->times++;
    ending->has_result = result != NULL;
    if (result)
        ending->result = *result;
    ending->failure = failure;
}

struct run {
    uv_loop_t loop;
    struct arena *arena;
    struct ending ending;
    struct repo_options options;
};

static struct repo_fetch *begin(struct run *run, const char *part, uint32_t deadline_ms)
{
    *run = (struct run){.arena = arena_new()};
    run->options.url = arena_format(run->arena, "/nowhere/%s", part);
    run->options.cache = "/nowhere";
    /* Others are as slow as the machine is; one that is stuck must come so far first. */
    if (strcmp(part, "silent") == 0)
        run->options.limits.stall_ms = 300;
    else if (strcmp(part, "stuck") == 0)
        run->options.limits.stall_ms = 3000;
    run->options.limits.total_bytes = 1 << 20;
    uv_loop_init(&run->loop);
    struct repo_fetch *fetch = repo_fetch_begin(&run->loop, &run->options, NULL, deadline_ms,
                                                run->arena, ended, &run->ending);
    assert_int_equal(run->ending.times, 0);
    return fetch;
}

static void end(struct run *run)
{
    uv_run(&run->loop, UV_RUN_DEFAULT);
    assert_int_equal(run->ending.times, 1);
    assert_int_equal(uv_loop_close(&run->loop), 0);
}

static void done(struct run *run)
{
    error_free(run->ending.failure);
    arena_free(run->arena);
}

static void endings(void **state)
{
    (void)state;
    static const struct {
        const char *part;
        enum error_kind kind;
        const char *words; /* NULL: it goes well */
        bool names_revision;
    } rows[] = {
        {"good", 0, NULL, true},
        {"refused", ERROR_INVALID, "it is not signed", true},
        {"silent", ERROR_TIMEOUT, "nothing was heard for 1 s; it was beginning", false},
        {"stuck", ERROR_TIMEOUT, "it was connecting to git.lab", false},
        {"crash", ERROR_UNAVAILABLE, "ended by signal 9", false},
        {"busy", ERROR_UNAVAILABLE, "processor time", false},
        {"nothing", ERROR_UNAVAILABLE, "ended without an answer", false},
        {"cut", ERROR_UNAVAILABLE, "ended without an answer (reading)", false},
        {"babble", ERROR_INTERNAL, "makes no sense", false},
        {"flood", ERROR_INTERNAL, "makes no sense", false},
        {"odd-commit", ERROR_INTERNAL, "makes no sense", false},
        {"odd-name", ERROR_INTERNAL, "makes no sense", false},
        {"odd-error", ERROR_INTERNAL, "makes no sense", false},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct run run;
        test_row(rows[i].part);
        begin(&run, rows[i].part, 20000);
        end(&run);
        assert_int_equal(run.ending.failure != NULL, rows[i].words != NULL);
        assert_int_equal(run.ending.has_result, rows[i].names_revision);
        if (rows[i].names_revision)
            test_equal(run.ending.result.revision.commit, COMMIT);
        if (rows[i].words) {
            assert_int_equal(run.ending.failure->kind, rows[i].kind);
            if (!strstr(run.ending.failure->message, rows[i].words))
                test_equal(run.ending.failure->message, rows[i].words);
        }
        done(&run);
    }
}

static void what_is_read(void **state)
{
    (void)state;
    struct run run;
    begin(&run, "good", 20000);
    end(&run);
    const struct repo_result *result = &run.ending.result;
    assert_null(run.ending.failure);
    test_equal(result->revision.author, "Ann?[2J");
    test_equal(result->revision.subject, "begin");
    assert_int_equal(result->revision.committed_at, 1700000000);
    assert_false(result->revision.verified);
    assert_int_equal(result->texts.count, 1);
    test_equal(result->texts.items[0].file, "lab/ci.yaml");
    test_equal(result->texts.items[0].bytes, "a: 1\n");
    assert_int_equal(result->file_count, 2);
    test_equal(result->files[1].problem, "not there");
    done(&run);
}

static void deadline(void **state)
{
    (void)state;
    struct run run;
    begin(&run, "silent", 100);
    end(&run);
    assert_int_equal(run.ending.failure->kind, ERROR_TIMEOUT);
    assert_non_null(strstr(run.ending.failure->message, "not read within 1 s"));
    done(&run);
}

static void canceled(void **state)
{
    (void)state;
    struct run run;
    repo_fetch_cancel(begin(&run, "silent", 20000));
    end(&run);
    assert_int_equal(run.ending.failure->kind, ERROR_CANCELED);
    done(&run);
}

static void no_such_address(void **state)
{
    (void)state;
    struct run run = {.arena = arena_new(), .options = {.url = "git://lab/x", .cache = "/x"}};
    uv_loop_init(&run.loop);
    repo_fetch_begin(&run.loop, &run.options, NULL, 1000, run.arena, ended, &run.ending);
    assert_int_equal(run.ending.times, 0);
    end(&run);
    assert_int_equal(run.ending.failure->kind, ERROR_INVALID);
    done(&run);
}

int main(int argc, char **argv)
{
    /* A crash that is wanted leaves no core. */
    const struct rlimit none = {0};
    setrlimit(RLIMIT_CORE, &none);
    signal(SIGPIPE, SIG_IGN);
    if (argc > 1 && strcmp(argv[1], REPO_WORKER_WORD) == 0)
        return child_main();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names),           cmocka_unit_test(beside),   cmocka_unit_test(endings),
        cmocka_unit_test(what_is_read),    cmocka_unit_test(deadline), cmocka_unit_test(canceled),
        cmocka_unit_test(no_such_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
