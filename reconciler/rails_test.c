#include "reconciler/rails.h"

#include "base/memory.h"
#include "base/test.h"
#include "base/text.h"
#include <string.h>

enum { CLUSTERS_MAX = 32 };

#define GONE "not in the sources any more"
#define LATER GONE "; stays for now: one pass deletes at most "

/*
 * desired: names. observed: names, with "!" made by upstream's kind, "@" by
 * another fleet, "?" partly ours, "0" without containers. All names in order.
 */
static const struct {
    const char *name, *desired, *observed;
    const struct rails_options options;
    const char *want; /* "NAME- reason" goes, "NAME= reason" stays */
} rows[] = {
    {"all is wanted", "a b", "a b", {.prune = true, .sources_whole = true}, ""},
    {"not yet made", "a b", "", {.prune = true, .sources_whole = true}, ""},
    {"one left", "b", "a b", {.prune = true, .sources_whole = true}, "a- " GONE "\n"},
    {"one left, no prune",
     "b",
     "a b",
     {.sources_whole = true},
     "a= " GONE "; --prune would delete it\n"},
    {"a source is broken",
     "b",
     "a b",
     {.prune = true, .allow_empty = true, .max_deletions = 9},
     "a= not in what could be read of the sources; stays until all of them can be\n"},
    {"sources turned empty",
     "",
     "a b",
     {.prune = true, .sources_whole = true, .max_deletions = 9},
     "a= the sources are empty; --allow-empty would delete it\n"
     "b= the sources are empty; --allow-empty would delete it\n"},
    {"empty, and allowed",
     "",
     "a b",
     {.prune = true, .sources_whole = true, .allow_empty = true, .max_deletions = 9},
     "a- " GONE "\nb- " GONE "\n"},
    {"empty and allowed, but not whole",
     "",
     "a",
     {.prune = true, .allow_empty = true},
     "a= not in what could be read of the sources; stays until all of them can be\n"},
    {"one goes, by default",
     "d",
     "a b c d",
     {.prune = true, .sources_whole = true},
     "a- " GONE "\nb= " LATER "1\nc= " LATER "1\n"},
    {"two go, as told",
     "d",
     "a b c d",
     {.prune = true, .sources_whole = true, .max_deletions = 2},
     "a- " GONE "\nb- " GONE "\nc= " LATER "2\n"},
    {"a fifth of nine is one",
     "i",
     "a b c d e f g h i",
     {.prune = true, .sources_whole = true},
     "a- " GONE "\nb= " LATER "1\nc= " LATER "1\nd= " LATER "1\ne= " LATER "1\nf= " LATER "1\n"
     "g= " LATER "1\nh= " LATER "1\n"},
    {"a fifth of ten is two",
     "d e f g h i j",
     "a b c d e f g h i j",
     {.prune = true, .sources_whole = true},
     "a- " GONE "\nb- " GONE "\nc= " LATER "2\n"},
    {"strangers do not make the fleet larger",
     "c",
     "a b c d! e! f! g! h! i! j!",
     {.prune = true, .sources_whole = true},
     "a- " GONE "\nb= " LATER "1\n"},
    {"strangers are no candidates",
     "z",
     "a! b@ c?",
     {.prune = true, .sources_whole = true, .max_deletions = 9},
     ""},
    {"what has no container is no candidate",
     "z",
     "a0",
     {.prune = true, .sources_whole = true, .max_deletions = 9},
     ""},
};

static const struct node_state ours = {.name = "n", .owner = "lab"};
static const struct node_state upstreams = {.name = "n"};
static const struct node_state anothers = {.name = "n", .owner = "ci"};
static const struct node_state mixed[] = {{.name = "n", .owner = "lab"}, {.name = "o"}};

static struct cluster_state read_cluster(struct arena *arena, const char *word, size_t length)
{
    struct cluster_state cluster = {.nodes = &ours, .node_count = 1};
    switch (word[length - 1]) {
    case '!':
        cluster.nodes = &upstreams;
        break;
    case '@':
        cluster.nodes = &anothers;
        break;
    case '?':
        cluster.nodes = mixed;
        cluster.node_count = 2;
        break;
    case '0':
        cluster.node_count = 0;
        break;
    }
    cluster.name = arena_string_n(arena, word, strcspn(word, "!@?0 "));
    return cluster;
}

/* Reads words into clusters; returns their number. */
static size_t read_clusters(struct arena *arena, const char *words, struct cluster_state *clusters)
{
    size_t count = 0;
    while (*words) {
        size_t length = strcspn(words, " ");
        assert_true(count < CLUSTERS_MAX);
        clusters[count++] = read_cluster(arena, words, length);
        words += length + (words[length] == ' ');
    }
    return count;
}

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].name);
        cleanup_arena struct arena *arena = arena_new();
        struct cluster_state seen[CLUSTERS_MAX], named[CLUSTERS_MAX];
        struct cluster_spec specs[CLUSTERS_MAX] = {{.name = NULL}};
        const struct fleet_state observed = {seen, read_clusters(arena, rows[i].observed, seen)};
        const struct fleet_spec desired = {specs, read_clusters(arena, rows[i].desired, named)};
        for (size_t j = 0; j < desired.cluster_count; j++)
            specs[j].name = named[j].name;
        struct rails_options options = rows[i].options;
        options.fleet = "lab";
        struct rails_verdicts verdicts;
        rails_prune(arena, &desired, &observed, &options, &verdicts);
        cleanup_text struct text text;
        text_init(&text, 0);
        for (size_t j = 0; j < verdicts.count; j++)
            text_add_format(&text, "%s%s %s\n", verdicts.items[j].cluster,
                            verdicts.items[j].remove ? "-" : "=", verdicts.items[j].reason);
        test_equal(text.data, rows[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows)};
    return cmocka_run_group_tests_name("rails", tests, NULL, NULL);
}
