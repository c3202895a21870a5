/*
 * storaged_test.c - which claims get a volume, which one, and how its folder goes.
 *
 * It includes what it tests, so that it compiles alone:
 *     cc storaged_test.c -ljansson -lcmocka
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "folder.c"
#include "patience.c"
#include "volume.c"

#include <limits.h>

static json_t *parse(const char *text)
{
    json_error_t error;
    json_t *json = json_loads(text, 0, &error);
    if (!json)
        fail_msg("%s: %s", error.text, text);
    return json;
}

#define CLASS                                                                                      \
    "{\"metadata\":{\"name\":\"standard\"},\"provisioner\":\"fleet.kind/local\","                  \
    "\"reclaimPolicy\":\"Delete\"}"
#define CHOSEN "\"volume.kubernetes.io/selected-node\":\"n1\""
#define HANDED "\"volume.beta.kubernetes.io/storage-provisioner\":\"fleet.kind/local\""
#define HANDED_NOW "\"volume.kubernetes.io/storage-provisioner\":\"fleet.kind/local\""
#define CLAIM_WITH(uid, annotations, more_metadata, more_spec)                                     \
    "{\"metadata\":{\"name\":\"data\",\"namespace\":\"shop\",\"uid\":\"" uid                       \
    "\",\"annotations\":{" annotations "}" more_metadata "},\"spec\":{"                            \
    "\"storageClassName\":\"standard\",\"resources\":{\"requests\":{\"storage\":\"1Gi\"}}"         \
    ",\"accessModes\":[\"ReadWriteOnce\"]" more_spec "}}"
#define CLAIM(annotations, more_spec) CLAIM_WITH("1-a", annotations, "", more_spec)

static void claims_want_volumes(void **state)
{
    (void)state;
    static const struct {
        const char *name, *claim, *class;
        enum volume_wish wish;
        const char *why; /* a word of it */
    } rows[] = {
        {"chosen and handed over", CLAIM(CHOSEN "," HANDED, ""), CLASS, VOLUME_WANTED, NULL},
        {"as newer clusters do it", CLAIM(CHOSEN "," HANDED_NOW, ""), CLASS, VOLUME_WANTED, NULL},
        {"an empty volume name", CLAIM(CHOSEN "," HANDED, ",\"volumeName\":\"\""), CLASS,
         VOLUME_WANTED, NULL},
        {"no node yet", CLAIM(HANDED, ""), CLASS, VOLUME_UNWANTED, NULL},
        {"another node", CLAIM("\"volume.kubernetes.io/selected-node\":\"n2\"," HANDED, ""), CLASS,
         VOLUME_UNWANTED, NULL},
        {"not handed over yet", CLAIM(CHOSEN, ""), CLASS, VOLUME_UNWANTED, NULL},
        {"handed to another",
         CLAIM(CHOSEN ",\"volume.kubernetes.io/storage-provisioner\":\"x\"," HANDED, ""), CLASS,
         VOLUME_UNWANTED, NULL},
        {"bound", CLAIM(CHOSEN "," HANDED, ",\"volumeName\":\"pvc-1-a\""), CLASS, VOLUME_UNWANTED,
         NULL},
        {"on its way out",
         CLAIM_WITH("1-a", CHOSEN "," HANDED, ",\"deletionTimestamp\":\"2020-01-01T00:00:00Z\"",
                    ""),
         CLASS, VOLUME_UNWANTED, NULL},
        {"another's class", CLAIM(CHOSEN "," HANDED, ""),
         "{\"metadata\":{\"name\":\"standard\"},\"provisioner\":\"rancher.io/local-path\"}",
         VOLUME_UNWANTED, NULL},
        {"no class", CLAIM(CHOSEN "," HANDED, ""), "null", VOLUME_UNWANTED, NULL},
        {"a uid that is a path", CLAIM_WITH("../etc", CHOSEN "," HANDED, "", ""), CLASS,
         VOLUME_UNWANTED, NULL},
        {"no uid", CLAIM_WITH("", CHOSEN "," HANDED, "", ""), CLASS, VOLUME_UNWANTED, NULL},
        {"not a claim at all", "[]", CLASS, VOLUME_UNWANTED, NULL},
        {"a disk", CLAIM(CHOSEN "," HANDED, ",\"volumeMode\":\"Block\""), CLASS, VOLUME_REFUSED,
         "Block"},
        {"a file system, said", CLAIM(CHOSEN "," HANDED, ",\"volumeMode\":\"Filesystem\""), CLASS,
         VOLUME_WANTED, NULL},
        {"a selector", CLAIM(CHOSEN "," HANDED, ",\"selector\":{}"), CLASS, VOLUME_REFUSED,
         "selector"},
        {"a copy", CLAIM(CHOSEN "," HANDED, ",\"dataSource\":{\"kind\":\"VolumeSnapshot\"}"), CLASS,
         VOLUME_REFUSED, "dataSource"},
        {"for many", CLAIM(CHOSEN "," HANDED, ",\"accessModes\":[\"ReadWriteMany\"]"), CLASS,
         VOLUME_REFUSED, "ReadWriteOnce"},
        {"for many readers",
         CLAIM(CHOSEN "," HANDED, ",\"accessModes\":[\"ReadWriteOnce\",\"ReadOnlyMany\"]"), CLASS,
         VOLUME_REFUSED, "ReadWriteOnce"},
        {"for one pod", CLAIM(CHOSEN "," HANDED, ",\"accessModes\":[\"ReadWriteOncePod\"]"), CLASS,
         VOLUME_WANTED, NULL},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        json_error_t error;
        json_t *claim = parse(rows[i].claim),
               *class = json_loads(rows[i].class, JSON_DECODE_ANY, &error);
        char name[VOLUME_NAME_SIZE] = "";
        const char *why = NULL;
        enum volume_wish wish = volume_wish(claim, class, "n1", name, &why);
        if (wish != rows[i].wish)
            fail_msg("%s: %d, not %d", rows[i].name, wish, rows[i].wish);
        if (rows[i].why && (!why || !strstr(why, rows[i].why)))
            fail_msg("%s: says %s", rows[i].name, why ? why : "nothing");
        if (wish != VOLUME_UNWANTED)
            assert_string_equal(name, "pvc-1-a");
        json_decref(class);
        json_decref(claim);
    }
}

#define VOLUME(name, policy, node, path)                                                           \
    "{\"apiVersion\":\"v1\",\"kind\":\"PersistentVolume\",\"metadata\":{\"name\":\"" name          \
    "\",\"annotations\":{\"pv.kubernetes.io/provisioned-by\":\"fleet.kind/local\"}},\"spec\":{"    \
    "\"capacity\":{\"storage\":\"1Gi\"},\"accessModes\":[\"ReadWriteOnce\"],"                      \
    "\"persistentVolumeReclaimPolicy\":\"" policy "\",\"storageClassName\":\"standard\","          \
    "\"volumeMode\":\"Filesystem\",\"claimRef\":{\"apiVersion\":\"v1\",\"kind\":"                  \
    "\"PersistentVolumeClaim\",\"namespace\":\"shop\",\"name\":\"data\",\"uid\":\"1-a\"},"         \
    "\"hostPath\":{\"path\":\"" path "\",\"type\":\"DirectoryOrCreate\"},"                         \
    "\"nodeAffinity\":{\"required\":{\"nodeSelectorTerms\":[{\"matchExpressions\":[{\"key\":"      \
    "\"kubernetes.io/hostname\",\"operator\":\"In\",\"values\":[\"" node "\"]}]}]}}}}"
#define OURS VOLUME("pvc-1-a", "Delete", "n1", VOLUME_BASE "/pvc-1-a")

static void a_volume_is_its_claim_on_a_node(void **state)
{
    (void)state;
    static const char *const policies[] = {"\"Delete\"", "\"Retain\"", "null"};
    static const char *const volumes[] = {
        OURS, VOLUME("pvc-1-a", "Retain", "n1", VOLUME_BASE "/pvc-1-a"), OURS};
    json_t *claim = parse(CLAIM(CHOSEN "," HANDED, ""));
    for (size_t i = 0; i < sizeof(policies) / sizeof(policies[0]); i++) {
        json_error_t error;
        json_t *class = parse(CLASS), *want = parse(volumes[i]);
        json_object_set_new(class, "reclaimPolicy",
                            json_loads(policies[i], JSON_DECODE_ANY, &error));
        json_t *got = volume_object(claim, class, "n1");
        char *text = json_dumps(got, JSON_COMPACT);
        if (!json_equal(got, want))
            fail_msg("%s: got %s", policies[i], text);
        free(text);
        json_decref(got);
        json_decref(want);
        json_decref(class);
    }
    json_decref(claim);
}

static void a_refusal_is_told_once(void **state)
{
    (void)state;
    json_t *claim = parse(CLAIM(CHOSEN "," HANDED, ""));
    json_t *event = volume_event(claim, "n1", "because", "2020-01-01T00:00:00Z");
    /* Its name is the claim's, so that telling it twice is a conflict. */
    assert_string_equal(text_at(event, "metadata", "name"), "pvc-1-a");
    assert_string_equal(text_at(event, "metadata", "namespace"), "shop");
    assert_string_equal(text_at(event, "involvedObject", "name"), "data");
    assert_string_equal(json_string_value(json_object_get(event, "message")), "because");
    json_decref(event);
    json_decref(claim);
}

static void only_what_is_surely_ours_is_cleared_away(void **state)
{
    (void)state;
    static const struct {
        const char *name, *volume, *phase;
        bool released;
    } rows[] = {
        {"given back", OURS, "Released", true},
        {"in use", OURS, "Bound", false},
        {"new", OURS, "Available", false},
        {"kept", VOLUME("pvc-1-a", "Retain", "n1", VOLUME_BASE "/pvc-1-a"), "Released", false},
        {"another node's", VOLUME("pvc-1-a", "Delete", "n2", VOLUME_BASE "/pvc-1-a"), "Released",
         false},
        {"another name", VOLUME("pvc-2", "Delete", "n1", VOLUME_BASE "/pvc-2"), "Released", false},
        {"another path", VOLUME("pvc-1-a", "Delete", "n1", "/etc"), "Released", false},
        {"a path that leads out", VOLUME("pvc-1-a", "Delete", "n1", VOLUME_BASE "/pvc-1-a/.."),
         "Released", false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char name[VOLUME_NAME_SIZE];
        json_t *volume = parse(rows[i].volume);
        json_object_set_new(volume, "status", json_pack("{s:s}", "phase", rows[i].phase));
        if (volume_is_released(volume, "n1", name) != rows[i].released)
            fail_msg("%s: %s", rows[i].name, rows[i].released ? "left" : "taken");
        json_object_set_new(json_object_get(volume, "metadata"), "annotations", json_object());
        assert_false(volume_is_released(volume, "n1", name));
        json_decref(volume);
    }
}

static void failures_take_longer_every_time(void **state)
{
    (void)state;
    static struct patience patience;
    uint64_t next_ms = UINT64_MAX;
    assert_true(patience_over(&patience, "a", 0, &next_ms));
    static const uint64_t waits_ms[] = {1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000};
    uint64_t now_ms = 500;
    for (size_t i = 0; i < sizeof(waits_ms) / sizeof(waits_ms[0]); i++) {
        assert_int_equal(patience_fail(&patience, "a", now_ms), i + 1);
        next_ms = UINT64_MAX;
        assert_false(patience_over(&patience, "a", now_ms + waits_ms[i] - 1, &next_ms));
        assert_int_equal(next_ms, now_ms + waits_ms[i]);
        now_ms = next_ms;
        assert_true(patience_over(&patience, "a", now_ms, &next_ms));
    }
    patience_wait(&patience, "a", now_ms, 10);
    assert_int_equal(patience_fail(&patience, "a", now_ms), 1);
    /* More names than there is room for push out those that end first, and nothing else. */
    patience_wait(&patience, "long", now_ms, 1000000);
    for (unsigned i = 0; i < 2 * PATIENCE_MAX; i++) {
        char name[VOLUME_NAME_SIZE];
        snprintf(name, sizeof(name), "n%u", i);
        patience_wait(&patience, name, now_ms, 2000 + i);
    }
    assert_false(patience_over(&patience, "long", now_ms, &next_ms));
    assert_true(patience_over(&patience, "n0", now_ms, &next_ms));
}

/* A folder for a test, with a file beside the volume that must survive. */
static void base_make(char base[64])
{
    snprintf(base, 64, "/tmp/storaged_test.XXXXXX");
    assert_non_null(mkdtemp(base));
    char path[128];
    snprintf(path, sizeof(path), "%s/keep", base);
    int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    close(fd);
}

/* Nothing but the file is left, and it is: then both go. */
static void base_check(const char *base)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/keep", base);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(base), 0);
}

static void a_folder_is_for_everybody(void **state)
{
    (void)state;
    char base[64];
    struct stat status;
    base_make(base);
    mode_t mask = umask(077);
    assert_int_equal(folder_make(base, "v"), 0);
    assert_int_equal(folder_make(base, "v"), 0);
    umask(mask);
    int parent = open_base(base);
    assert_int_equal(fstatat(parent, "v", &status, AT_SYMLINK_NOFOLLOW), 0);
    assert_int_equal(status.st_mode & 07777, 0777);
    assert_int_equal(folder_remove(base, "v"), 0);
    assert_int_equal(folder_remove(base, "v"), 0);
    /* A link in its place is not followed, neither way. */
    assert_int_equal(symlinkat("keep", parent, "w"), 0);
    assert_int_equal(folder_make(base, "w"), -1);
    assert_int_equal(folder_remove(base, "w"), -1);
    assert_int_equal(unlinkat(parent, "w", 0), 0);
    close(parent);
    base_check(base);
    assert_int_equal(folder_make("/nonexistent", "v"), -1);
    assert_int_equal(folder_remove("/nonexistent", "v"), -1);
}

static int make_file(int folder, const char *name, mode_t mode)
{
    int fd = openat(folder, name, O_CREAT | O_WRONLY | O_CLOEXEC, mode);
    return fd < 0 ? -1 : close(fd);
}

static void links_are_not_followed(void **state)
{
    (void)state;
    char base[64];
    base_make(base);
    int parent = open_base(base);
    assert_int_equal(folder_make(base, "v"), 0);
    int folder = openat(parent, "v", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(make_file(folder, "file", 0), 0);
    assert_int_equal(make_file(folder, ".removed-0", 0600), 0);
    assert_int_equal(symlinkat("..", folder, "out"), 0);
    assert_int_equal(symlinkat("../keep", folder, "keep"), 0);
    assert_int_equal(symlinkat("nowhere", folder, "dangling"), 0);
    assert_int_equal(mkdirat(folder, "a", 0700), 0);
    assert_int_equal(mkdirat(folder, "a/b", 0700), 0);
    assert_int_equal(symlinkat("../../..", folder, "a/b/out"), 0);
    assert_int_equal(mkdirat(folder, ".removed-1", 0700), 0);
    assert_int_equal(make_file(folder, ".removed-1/x", 0600), 0);
    assert_int_equal(mkfifoat(folder, "a/pipe", 0600), 0);
    close(folder);
    assert_int_equal(folder_remove(base, "v"), 0);
    close(parent);
    base_check(base);
}

static void depth_does_not_matter(void **state)
{
    (void)state;
    enum { LEVELS = 1500, SIDE = 3 }; /* far beyond PATH_MAX, and beyond what may be open at once */
    char base[64];
    base_make(base);
    int parent = open_base(base);
    assert_int_equal(folder_make(base, "v"), 0);
    int folder = openat(parent, "v", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (int i = 0; i < LEVELS; i++) {
        char name[NAME_MAX];
        for (int j = 0; j < SIDE; j++) {
            snprintf(name, sizeof(name), "side-%d", j);
            assert_int_equal(mkdirat(folder, name, 0700), 0);
        }
        assert_int_equal(make_file(folder, "file", 0600), 0);
        assert_int_equal(mkdirat(folder, "down", 0700), 0);
        int next = openat(folder, "down", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        assert_true(next >= 0);
        close(folder);
        folder = next;
    }
    close(folder);
    assert_int_equal(folder_remove(base, "v"), 0);
    close(parent);
    base_check(base);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(claims_want_volumes),
        cmocka_unit_test(a_volume_is_its_claim_on_a_node),
        cmocka_unit_test(a_refusal_is_told_once),
        cmocka_unit_test(only_what_is_surely_ours_is_cleared_away),
        cmocka_unit_test(failures_take_longer_every_time),
        cmocka_unit_test(a_folder_is_for_everybody),
        cmocka_unit_test(links_are_not_followed),
        cmocka_unit_test(depth_does_not_matter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
