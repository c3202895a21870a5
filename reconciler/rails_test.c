#include "reconciler/rails.h"

#include "base/memory.h"
#include "base/test.h"
#include "base/text.h"
#include <string.h>

enum { CLUSTERS_MAX = 32 };

#define GONE "not in the sources any more"
#define LATER GONE "; stays for now: one pass deletes at most "

enum { MADE_S = 1767225600, HOUR_S = 3600, DAY_S = 86400 }; /* 2026-01-01 */
#define MADE "2026-01-01T00:00:00Z"

/*
 * desired: names. observed: names, with "!" made by upstream's kind, "@" by
 * another fleet, "?" partly ours, "0" without containers; "&" refused by a policy. Behind a name
 * may stand marks, in braces: what it says of itself, or what the source asks for; {unreadable}:
 * they are not known. All names in order; all were made on the first of January.
 */
static const struct {
    const char *name, *desired, *observed;
    const struct rails_options options;
    /* "NAME- reason" goes, "NAME= reason" stays, "NAME! reason" though it was to go, "NAME0" */
    const char *want;
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
     "a! not in what could be read of the sources; stays until all of them can be\n"},
    {"sources turned empty",
     "",
     "a b",
     {.prune = true, .sources_whole = true, .max_deletions = 9},
     "a! the sources are empty; --allow-empty would delete it\n"
     "b! the sources are empty; --allow-empty would delete it\n"},
    {"empty, and allowed",
     "",
     "a b",
     {.prune = true, .sources_whole = true, .allow_empty = true, .max_deletions = 9},
     "a- " GONE "\nb- " GONE "\n"},
    {"empty and allowed, but not whole",
     "",
     "a",
     {.prune = true, .allow_empty = true},
     "a! not in what could be read of the sources; stays until all of them can be\n"},
    {"one goes, by default",
     "d",
     "a b c d",
     {.prune = true, .sources_whole = true},
     "a- " GONE "\nb! " LATER "1\nc! " LATER "1\n"},
    {"two go, as told",
     "d",
     "a b c d",
     {.prune = true, .sources_whole = true, .max_deletions = 2},
     "a- " GONE "\nb- " GONE "\nc! " LATER "2\n"},
    {"a fifth of nine is one",
     "i",
     "a b c d e f g h i",
     {.prune = true, .sources_whole = true},
     "a- " GONE "\nb! " LATER "1\nc! " LATER "1\nd! " LATER "1\ne! " LATER "1\nf! " LATER "1\n"
     "g! " LATER "1\nh! " LATER "1\n"},
    {"a fifth of ten is two",
     "d e f g h i j",
     "a b c d e f g h i j",
     {.prune = true, .sources_whole = true},
     "a- " GONE "\nb- " GONE "\nc! " LATER "2\n"},
    {"strangers do not make the fleet larger",
     "c",
     "a b c d! e! f! g! h! i! j!",
     {.prune = true, .sources_whole = true},
     "a- " GONE "\nb! " LATER "1\n"},
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

    /* --- What a cluster says of itself. --- */
    {"a protected one stays",
     "b",
     "a{protect} b c",
     {.prune = true, .sources_whole = true},
     "a! " GONE "; stays: it is protected (take `protect: true` out of its source and apply that "
     "first)\nc- " GONE "\n"},
    {"a protected one does not count for the cap",
     "z",
     "a{protect} b c",
     {.prune = true, .sources_whole = true},
     "a! " GONE "; stays: it is protected (take `protect: true` out of its source and apply that "
     "first)\nb- " GONE "\nc! " LATER "1\n"},
    {"one that says nothing now stays",
     "b",
     "a{unreadable}",
     {.prune = true, .sources_whole = true},
     "a! " GONE "; stays: whether it is protected cannot be read now\n"},
    {"one of a later version stays",
     "b",
     "a{newer}",
     {.prune = true, .sources_whole = true},
     "a! " GONE "; stays: it is marked by a later version\n"},
    {"a suspended one stays",
     "b",
     "a{suspended}",
     {.prune = true, .sources_whole = true},
     "a! " GONE "; stays: it is suspended by hand; `kind resume` ends that\n"},
    {"a stopped one goes",
     "b",
     "a{stopped}",
     {.prune = true, .sources_whole = true},
     "a- " GONE "\n"},
    {"one with leave goes without prune",
     "b",
     "a{allow-delete} c",
     {.sources_whole = true},
     "a- " GONE "\nc= " GONE "; --prune would delete it\n"},
    {"one with leave and protected",
     "b",
     "a{allow-delete+protect}",
     {.sources_whole = true},
     "a! " GONE "; stays: it is protected (take `protect: true` out of its source and apply that "
     "first)\n"},
    {"one with leave, but the sources are empty",
     "",
     "a{allow-delete}",
     {.sources_whole = true},
     "a! the sources are empty; --allow-empty would delete it\n"},

    /* --- Time. --- */
    {"not over yet", "a{ttl-3600}", "a", {.sources_whole = true, .now_s = MADE_S + 3599}, ""},
    {"over, and named",
     "a{ttl-3600} b",
     "a b",
     {.sources_whole = true, .now_s = MADE_S + HOUR_S},
     "a- its ttl of 1h was over at 2026-01-01T01:00:00Z\n"},
    {"over, says a source that a policy refuses",
     "a&{ttl-3600} b",
     "a b",
     {.prune = true, .sources_whole = true, .now_s = MADE_S + 3600},
     ""},
    {"over, and without a clock", "a{ttl-3600}", "a", {.sources_whole = true}, ""},
    {"over, and not named any more",
     "b",
     "a{ttl-3600} b",
     {.sources_whole = true, .now_s = MADE_S + HOUR_S},
     "a- its ttl of 1h was over at 2026-01-01T01:00:00Z\n"},
    {"what the source says now counts",
     "a",
     "a{ttl-3600}",
     {.sources_whole = true, .now_s = MADE_S + HOUR_S},
     ""},
    {"the earlier of two ends",
     "a{ttl-7200+expires-1767229200} b{ttl-60+expires-1767229200}",
     "a b",
     {.sources_whole = true, .now_s = MADE_S + HOUR_S, .max_deletions = 2},
     "a- expired at 2026-01-01T01:00:00Z\nb- its ttl of 1m was over at 2026-01-01T00:01:00Z\n"},
    {"expired, and not there: not made",
     "a{expires-1767229200}",
     "",
     {.sources_whole = true, .now_s = MADE_S + HOUR_S},
     "a0 expired at 2026-01-01T01:00:00Z; not made again\n"},
    {"a ttl begins when it is made",
     "a{ttl-3600}",
     "",
     {.sources_whole = true, .now_s = MADE_S + HOUR_S},
     ""},
    {"over, and protected",
     "a{ttl-60+protect}",
     "a{protect}",
     {.sources_whole = true, .now_s = MADE_S + HOUR_S},
     "a! its ttl of 1m was over at 2026-01-01T00:01:00Z; stays: it is protected (take "
     "`protect: true` out of its source and apply that first)\n"},
    {"over, and protected until now",
     "a{ttl-60}",
     "a{protect}",
     {.sources_whole = true, .now_s = MADE_S + HOUR_S},
     "a! its ttl of 1m was over at 2026-01-01T00:01:00Z; stays for now: it was protected until "
     "this pass\n"},
    {"over, and suspended by its source",
     "a{ttl-60+suspended}",
     "a",
     {.sources_whole = true, .now_s = MADE_S + HOUR_S},
     "a! its ttl of 1m was over at 2026-01-01T00:01:00Z; stays: it is suspended by its source\n"},
    {"over counts for the cap as the rest does",
     "b{ttl-60}",
     "a b",
     {.sources_whole = true, .prune = true, .now_s = MADE_S + HOUR_S},
     "a- " GONE "\nb! its ttl of 1m was over at 2026-01-01T00:01:00Z; stays for now: one pass "
     "deletes at most 1\n"},
    {"over, and another's",
     "a{ttl-60}",
     "a!",
     {.sources_whole = true, .now_s = MADE_S + HOUR_S},
     ""},
    {"the clock is before it was made",
     "a{expires-1}",
     "a",
     {.sources_whole = true, .now_s = 10},
     "a! expired at 1970-01-01T00:00:01Z; the clock here says 1970-01-01T00:00:10Z, but it was "
     "made at " MADE ", so nothing ends by that clock\n"},
    {"the clock jumped ahead",
     "a{ttl-60} b",
     "a b{ttl-60} c{ttl-60}",
     {.sources_whole = true, .now_s = MADE_S + 31L * DAY_S},
     "a! its ttl of 1m was over at 2026-01-01T00:01:00Z; the clock here says "
     "2026-02-01T00:00:00Z, more than 30 days later, and may be wrong; `kind delete cluster` "
     "deletes it\n"
     "c= its ttl of 1m was over at 2026-01-01T00:01:00Z; the clock here says "
     "2026-02-01T00:00:00Z, more than 30 days later, and may be wrong; `kind delete cluster` "
     "deletes it\n"},
    {"the clock jumped ahead, and it is to be pruned",
     "b",
     "a{ttl-60}",
     {.sources_whole = true, .prune = true, .now_s = MADE_S + 31L * DAY_S},
     "a- " GONE "\n"},
};

#define TIMES .created_at_s = MADE_S
static const struct node_state ours[] = {
    {.name = "n", .owner = "lab", .created_at_s = MADE_S + DAY_S},
    {.name = "o", .owner = "lab", TIMES}};
static const struct node_state upstreams = {.name = "n", TIMES};
static const struct node_state anothers = {.name = "n", .owner = "ci", TIMES};
static const struct node_state mixed[] = {{.name = "n", .owner = "lab", TIMES},
                                          {.name = "o", TIMES}};

/* Stands for a spec that a policy refuses. */
static const struct node_state excessive = {.name = "n"};

static struct cluster_state read_cluster(struct arena *arena, const char *word, size_t length)
{
    struct cluster_state cluster = {.nodes = ours, .node_count = 2, .marked = SEEN_YES};
    char *copy = arena_string_n(arena, word, length);
    char *marks = strchr(copy, '{');
    if (marks) {
        *marks++ = '\0';
        marks[strlen(marks) - 1] = '\0';
        if (strcmp(marks, "unreadable") == 0)
            cluster.marked = SEEN_UNKNOWN;
        else
            (void)marks_parse(arena, arena_format(arena, "none+%s", marks), &cluster.marks);
    }
    switch (copy[strlen(copy) - 1]) {
    case '!':
        cluster.nodes = &upstreams;
        cluster.node_count = 1;
        break;
    case '@':
        cluster.nodes = &anothers;
        cluster.node_count = 1;
        break;
    case '&':
        cluster.nodes = &excessive;
        break;
    case '?':
        cluster.nodes = mixed;
        cluster.node_count = 2;
        break;
    case '0':
        cluster.node_count = 0;
        break;
    }
    cluster.name = arena_string_n(arena, copy, strcspn(copy, "!@?0&"));
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

static struct cluster_spec spec_of(const struct cluster_state *named)
{
    return (struct cluster_spec){.name = named->name,
                                 .refusal_count = named->nodes == &excessive,
                                 .protect = named->marks.protect,
                                 .suspend = named->marks.suspended,
                                 .ttl_s = named->marks.ttl_s,
                                 .expires_at_s = named->marks.expires_at_s};
}

/* The letters of the rows' wants. */
static char fate_of(const struct rails_verdict *verdict)
{
    return verdict->remove ? '-' : verdict->unmade ? '0' : verdict->asked ? '!' : '=';
}

/* Who was judged by its marks was looked at before. */
static void check_known(const struct fleet_spec *desired, const struct fleet_state *observed,
                        const struct rails_options *options, const struct rails_verdicts *verdicts)
{
    for (size_t i = 0; i < verdicts->count; i++) {
        const struct cluster_state *state = fleet_state_find(observed, verdicts->items[i].cluster);
        if (state && (verdicts->items[i].remove || strstr(verdicts->items[i].reason, "it is pro")))
            assert_true(rails_must_know(desired, state, options));
        assert_ptr_equal(rails_find(verdicts, verdicts->items[i].cluster), &verdicts->items[i]);
    }
    for (size_t i = 0; i < observed->cluster_count; i++)
        if (!cluster_state_owned(&observed->clusters[i], "lab"))
            assert_false(rails_must_know(desired, &observed->clusters[i], options));
    assert_null(rails_find(verdicts, "nobody"));
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
            specs[j] = spec_of(&named[j]);
        struct rails_options options = rows[i].options;
        options.fleet = "lab";
        struct rails_verdicts verdicts;
        rails_judge(arena, &desired, &observed, &options, &verdicts);
        cleanup_text struct text text;
        text_init(&text, 0);
        for (size_t j = 0; j < verdicts.count; j++)
            text_add_format(&text, "%s%c %s\n", verdicts.items[j].cluster,
                            fate_of(&verdicts.items[j]), verdicts.items[j].reason);
        test_equal(text.data, rows[i].want);
        check_known(&desired, &observed, &options, &verdicts);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows)};
    return cmocka_run_group_tests_name("rails", tests, NULL, NULL);
}
