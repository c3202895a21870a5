/* repo_worker_test.c - fetches by the real child, from repositories made here: limits, what is
 * unchanged, what was rewritten. */
#include "reconciler/repo_worker.h"

#include "base/memory.h"
#include "base/test.h"
#include "reconciler/repo_source.h"
#include <ftw.h>
#include <git2.h>
#include <signal.h>
#include <unistd.h>

static char home[] = "/tmp/kind-worker-XXXXXX";

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *at)
{
    (void)info;
    (void)kind;
    (void)at;
    return remove(path);
}

static int make_home(void **state)
{
    (void)state;
    return !mkdtemp(home) || git_libgit2_init() < 0;
}

static int remove_home(void **state)
{
    (void)state;
    git_libgit2_shutdown();
    return nftw(home, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* --- a repository --- */

struct repository {
    char *path;
    git_repository *git;
    git_index *index;
    char head[GIT_OID_HEXSZ + 1];
};

static void repository_init(struct repository *repository, const char *name)
{
    *repository = (struct repository){.path = memory_format("%s/%s.git", home, name)};
    assert_int_equal(git_repository_init(&repository->git, repository->path, 1), 0);
    assert_int_equal(git_index_new(&repository->index), 0);
}

static void repository_done(struct repository *repository)
{
    git_index_free(repository->index);
    git_repository_free(repository->git);
    free(repository->path);
}

static void add(struct repository *repository, const char *path, const void *bytes, size_t length)
{
    git_index_entry entry = {.mode = GIT_FILEMODE_BLOB, .path = path};
    assert_int_equal(git_blob_create_from_buffer(&entry.id, repository->git, bytes, length), 0);
    assert_int_equal(git_index_add(repository->index, &entry), 0);
}

/* A commit of all that was added; root: without ancestors, in place of all that was. */
static void commit(struct repository *repository, const char *subject, bool root)
{
    git_oid tree_id, id, before;
    git_tree *tree = NULL;
    git_commit *parent = NULL;
    git_signature *author = NULL;
    assert_int_equal(git_index_write_tree_to(&tree_id, repository->index, repository->git), 0);
    assert_int_equal(git_tree_lookup(&tree, repository->git, &tree_id), 0);
    assert_int_equal(git_signature_new(&author, "Ann", "ann@lab", 1700000000, 0), 0);
    if (!root && *repository->head) {
        git_oid_fromstr(&before, repository->head);
        assert_int_equal(git_commit_lookup(&parent, repository->git, &before), 0);
    }
    const git_commit *parents[] = {parent};
    assert_int_equal(git_commit_create(&id, repository->git, NULL, author, author, NULL, subject,
                                       tree, parent ? 1 : 0, parents),
                     0);
    git_reference *branch = NULL;
    assert_int_equal(
        git_reference_create(&branch, repository->git, "refs/heads/main", &id, 1, NULL), 0);
    assert_int_equal(git_repository_set_head(repository->git, "refs/heads/main"), 0);
    git_reference_free(branch);
    git_oid_tostr(repository->head, sizeof(repository->head), &id);
    git_signature_free(author);
    git_commit_free(parent);
    git_tree_free(tree);
}

/* --- a fetch --- */

struct got {
    struct arena *arena;
    struct repo_result result;
    struct error *failure;
    bool over;
};

static void ended(void *context, const struct repo_result *result, struct error *failure)
{
    struct got *got = context;
    if (result)
        got->result = *result;
    got->failure = failure;
    got->over = true;
}

static void got_done(struct got *got)
{
    error_free(got->failure);
    arena_free(got->arena);
}

static void fetch(const struct repository *repository, const struct repo_limits *limits,
                  const char *known, struct got *got)
{
    cleanup_free char *cache = memory_format("%s/cache", home);
    const struct repo_options options = {
        .url = repository->path,
        .cache = cache,
        .limits = limits ? *limits : (struct repo_limits){0},
    };
    uv_loop_t loop;
    uv_loop_init(&loop);
    *got = (struct got){.arena = arena_new()};
    repo_fetch_begin(&loop, &options, known, 30000, got->arena, ended, got);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_true(got->over);
    assert_int_equal(uv_loop_close(&loop), 0);
}

static void assert_failure(const struct got *got, const char *words)
{
    assert_non_null(got->failure);
    if (!strstr(got->failure->message, words))
        test_equal(got->failure->message, words);
}

static void what_changes(void **state)
{
    (void)state;
    struct repository lab;
    struct got got;
    char known[GIT_OID_HEXSZ + 1];
    repository_init(&lab, "lab");
    add(&lab, "ci.yaml", "a: 1\n", 5);
    commit(&lab, "begin\n\nmore words", false);

    test_row("the first time");
    fetch(&lab, NULL, NULL, &got);
    assert_null(got.failure);
    assert_false(got.result.unchanged);
    assert_false(got.result.rewritten);
    test_equal(got.result.revision.commit, lab.head);
    test_equal(got.result.revision.subject, "begin");
    assert_int_equal(got.result.revision.committed_at, 1700000000);
    assert_int_equal(got.result.texts.count, 1);
    got_done(&got);

    test_row("nothing new");
    memcpy(known, lab.head, sizeof(known));
    fetch(&lab, NULL, known, &got);
    assert_null(got.failure);
    assert_true(got.result.unchanged);
    test_equal(got.result.revision.commit, known);
    assert_int_equal(got.result.texts.count, 0);
    got_done(&got);

    test_row("one more");
    add(&lab, "ci.yaml", "a: 2\n", 5);
    commit(&lab, "more", false);
    fetch(&lab, NULL, known, &got);
    assert_null(got.failure);
    assert_false(got.result.unchanged || got.result.rewritten);
    test_equal(got.result.texts.items[0].bytes, "a: 2\n");
    got_done(&got);

    test_row("in place of all");
    memcpy(known, lab.head, sizeof(known));
    commit(&lab, "anew", true);
    fetch(&lab, NULL, known, &got);
    assert_null(got.failure);
    assert_true(got.result.rewritten);
    got_done(&got);

    test_row("refused, and by which revision");
    add(&lab, "a\033[2J.yaml", "a: 3\n", 5);
    commit(&lab, "odd \033[2J", false);
    fetch(&lab, NULL, known, &got);
    assert_failure(&got, "a?[2J.yaml: the name holds characters that do not print");
    test_equal(got.result.revision.commit, lab.head);
    test_equal(got.result.revision.subject, "odd ?[2J");
    got_done(&got);
    repository_done(&lab);
}

static void limits(void **state)
{
    (void)state;
    static char noise[3 << 20], part[512 * 1024];
    uint32_t seed = 1;
    for (size_t i = 0; i < sizeof(noise); i++)
        noise[i] = (char)((seed = seed * 1664525 + 1013904223) >> 24);
    struct repository lab;
    struct got got;
    memcpy(part, noise, sizeof(part));
    repository_init(&lab, "large");
    add(&lab, "a.yaml", part, sizeof(part));
    add(&lab, "b.yaml", noise, 1000);
    add(&lab, "c", noise, 1001);
    commit(&lab, "much", false);
    static const struct {
        const char *name;
        struct repo_limits limits;
        const char *words; /* NULL: it is read */
    } rows[] = {
        {"as it comes", {0}, NULL},
        {"texts", {.total_bytes = sizeof(part) + 999}, "all texts together are more than"},
        {"just so many", {.total_bytes = sizeof(part) + 1000}, NULL},
        {"entries", {.entries = 2}, "the repository: more than 2 files and folders"},
        {"just so many entries", {.entries = 3}, NULL},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].name);
        fetch(&lab, &rows[i].limits, NULL, &got);
        if (rows[i].words)
            assert_failure(&got, rows[i].words);
        else
            assert_null(got.failure);
        got_done(&got);
    }
    repository_done(&lab);

    /* What is there already need not come again. */
    test_row("transfer");
    repository_init(&lab, "larger");
    add(&lab, "a", noise, sizeof(noise));
    commit(&lab, "much", false);
    const struct repo_limits small = {.transfer_bytes = 1 << 20};
    fetch(&lab, &small, NULL, &got);
    assert_failure(&got, "the repository is too large: more than 1 MiB came over");
    got_done(&got);
    repository_done(&lab);
}

static void depth(void **state)
{
    (void)state;
    struct repository lab;
    struct got got;
    cleanup_text struct text path;
    text_init(&path, 0);
    for (int i = 0; i < SOURCE_DEPTH_MAX + 1; i++)
        text_add(&path, "d/");
    text_add(&path, "a.yaml");
    repository_init(&lab, "deep");
    add(&lab, path.data + 2, "a: 1\n", 5);
    commit(&lab, "just so deep", false);
    fetch(&lab, NULL, NULL, &got);
    assert_null(got.failure);
    got_done(&got);
    add(&lab, path.data, "a: 1\n", 5);
    commit(&lab, "too deep", false);
    fetch(&lab, NULL, NULL, &got);
    assert_failure(&got, "folders are nested deeper than 32");
    got_done(&got);
    repository_done(&lab);
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], REPO_WORKER_WORD) == 0)
        repo_worker_main(argc, argv);
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_changes),
        cmocka_unit_test(limits),
        cmocka_unit_test(depth),
    };
    return cmocka_run_group_tests(tests, make_home, remove_home);
}
