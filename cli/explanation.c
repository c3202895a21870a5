#include "cli/explanation.h"

#include "base/memory.h"
#include "base/plain.h"
#include "cli/conditions.h"
#include "cli/view.h"
#include <jansson.h>

enum { LINES_EACH = 3 };

const char *explanation_trouble(struct arena *arena, const struct explanation *about)
{
    if (about->looked)
        return about->looked;
    if (!about->state || !about->state->node_count)
        return NULL;
    struct condition conditions[CONDITIONS];
    conditions_of(arena, about->state, NULL, NULL, conditions);
    const struct condition *ready = &conditions[CONDITION_READY];
    const struct condition *synced = &conditions[CONDITION_SYNCED];
    if (ready->status == SEEN_NO)
        return ready->message;
    if (synced->status != SEEN_YES)
        return synced->message;
    return ready->status == SEEN_YES ? NULL : ready->message;
}

/* Is what is found now another cause than what was found when it failed? */
static bool is_other_cause(const struct explanation *about)
{
    const struct last_failure *live = about->live, *last = about->last;
    return live && live->cause_count &&
           (!last || !last->cause_count || strcmp(live->causes[0].id, last->causes[0].id) != 0);
}

/* What is told of: found now if that has a cause of its own, else found when it failed. */
static const struct last_failure *findings_of(const struct explanation *about)
{
    return is_other_cause(about) || !about->last ? about->live : about->last;
}

/* Is it all well, as far as can be seen and is remembered? */
static bool is_well(struct arena *arena, const struct explanation *about)
{
    return about->listed && about->owned && !about->last && !explanation_trouble(arena, about);
}

static const char *headline_word(struct arena *arena, const struct explanation *about)
{
    if (!about->listed)
        return "is not there";
    if (about->looked)
        return "cannot be looked at";
    if (!about->owned)
        return "is not of this fleet";
    if (about->state && about->state->ready == SEEN_YES)
        return is_well(arena, about) ? "is Ready" : "is Ready, but not as described";
    return "is not Ready";
}

static const char *what_of(struct arena *arena, const struct explanation *about)
{
    const char *trouble = explanation_trouble(arena, about);
    if (about->last && !(trouble && is_other_cause(about)))
        return about->last->message;
    return trouble ? trouble : "";
}

static const char *next_of(struct arena *arena, const struct explanation *about)
{
    const struct last_failure *last = about->last;
    if (about->worker && last && last->next_at_s > about->now_s)
        return arena_format(arena, "%s tries again in %llu s", about->worker,
                            (unsigned long long)(last->next_at_s - about->now_s));
    if (about->worker)
        return arena_format(arena, "%s is at work on its fleet", about->worker);
    if (is_well(arena, about))
        return "";
    if (last && last->stalled)
        return arena_format(arena,
                            "given up after %u %s in a row; when it is mended, `kind apply` "
                            "tries again",
                            last->failures, last->failures == 1 ? "failure" : "failures");
    return about->listed && !about->owned ? "" : "`kind apply` goes on from what is there";
}

static void add_row(struct text *text, const char *label, const char *words)
{
    if (!*words)
        return;
    text_add_format(text, "  %-9s ", label);
    plain_add(text, words);
    text_add(text, "\n");
}

static const char *evidence_words(struct arena *arena, const struct last_cause *cause)
{
    const char *joint = *cause->subject ? " of " : "";
    return arena_format(arena, "%s%s%s: %s", cause->source, joint, cause->subject, cause->line);
}

static void print_lines(struct arena *arena, const struct last_evidence *item, const char *lines,
                        struct text *text)
{
    while (*lines) {
        int length = (int)strcspn(lines, "\n");
        add_row(text, "evidence",
                arena_format(arena, "%s of %s: %.*s", item->source, item->subject, length, lines));
        lines += length;
        lines += *lines == '\n';
    }
}

/* Where nothing is known: what of all of it speaks of trouble, but not what was told already. */
static void print_evidence(struct arena *arena, const struct last_failure *found, struct text *text)
{
    const char *failure = evidence_source_words(EVIDENCE_FAILURE);
    const char *host = evidence_source_words(EVIDENCE_HOST);
    for (size_t i = 0; i < found->evidence_count; i++) {
        const struct last_evidence *item = &found->evidence[i];
        if (strcmp(item->source, failure) == 0 || strcmp(item->source, host) == 0)
            continue;
        const char *lines = evidence_trouble(arena, item->text, LINES_EACH);
        print_lines(arena, item, lines ? lines : "", text);
    }
}

static void print_causes(struct arena *arena, const struct last_failure *found, struct text *text)
{
    for (size_t i = 0; i < found->cause_count; i++) {
        add_row(text, i ? "or" : "cause", found->causes[i].words);
        add_row(text, "evidence", evidence_words(arena, &found->causes[i]));
        add_row(text, "cure", found->causes[i].cure);
    }
    if (found->cause_count)
        return;
    add_row(text, "cause", "not known: nothing in the catalogue fits");
    print_evidence(arena, found, text);
}

static void print_headline(struct arena *arena, const struct explanation *about, struct text *text)
{
    plain_add(text, about->cluster);
    text_add_format(text, " %s", headline_word(arena, about));
    if (is_well(arena, about))
        text_add_format(text, ": %zu %s%s%s, nothing to explain", view_node_count(about->state),
                        view_node_count(about->state) == 1 ? "node" : "nodes",
                        about->state->version ? ", " : "",
                        about->state->version ? about->state->version : "");
    if (about->last && about->last->first_at_s && about->last->first_at_s <= about->now_s) {
        text_add(text, about->listed ? ", for " : "; an apply failed ");
        view_add_seconds(text, (about->now_s - about->last->first_at_s) * 1000);
        text_add(text, about->listed ? "" : " ago");
    }
    text_add(text, "\n");
}

void explanation_print(struct arena *arena, const struct explanation *about, struct text *text)
{
    print_headline(arena, about, text);
    if (about->listed && !about->owned && !about->looked) {
        add_row(text, "what", "another tool or fleet made it; it is left alone");
        return;
    }
    const struct last_failure *found = findings_of(about);
    if (!is_well(arena, about)) {
        add_row(text, "what", what_of(arena, about));
        if (found)
            print_causes(arena, found, text);
    }
    add_row(text, "next", next_of(arena, about));
}

/* --- JSON --- */

static json_t *plain_json(const char *string)
{
    cleanup_text struct text plain;
    text_init(&plain, 0);
    plain_add(&plain, string);
    return json_string(plain.data);
}

static json_t *causes_json(const struct last_failure *found)
{
    json_t *list = json_array();
    for (size_t i = 0; found && i < found->cause_count; i++) {
        const struct last_cause *cause = &found->causes[i];
        json_array_append_new(list, json_pack("{s:s,s:o,s:o,s:s,s:o,s:o}", "id", cause->id, "cause",
                                              plain_json(cause->words), "cure",
                                              plain_json(cause->cure), "source", cause->source,
                                              "subject", plain_json(cause->subject), "line",
                                              plain_json(cause->line)));
    }
    return list;
}

static json_t *lines_json(struct arena *arena, const char *text)
{
    json_t *list = json_array();
    const char *lines = evidence_digest(arena, text, LAST_FAILURE_LINES_MAX);
    for (const char *at = lines; *at; at += strcspn(at, "\n") + 1)
        json_array_append_new(list, plain_json(arena_string_n(arena, at, strcspn(at, "\n"))));
    return list;
}

static json_t *evidence_json(struct arena *arena, const struct last_failure *found)
{
    json_t *list = json_array();
    for (size_t i = 0; found && i < found->evidence_count; i++) {
        const struct last_evidence *item = &found->evidence[i];
        json_array_append_new(list, json_pack("{s:s,s:o,s:o}", "source", item->source, "subject",
                                              plain_json(item->subject), "lines",
                                              lines_json(arena, item->text)));
    }
    return list;
}

void explanation_json(struct arena *arena, const struct explanation *about, struct text *text)
{
    struct condition conditions[CONDITIONS];
    const struct cluster_state none = {.name = about->cluster, .recorded = SEEN_NO};
    conditions_of(arena,
                  about->state    ? about->state
                  : about->listed ? about->listed
                                  : &none,
                  about->looked, about->last, conditions);
    const struct last_failure *found = findings_of(about);
    json_t *json =
        json_pack("{s:o,s:b,s:b,s:b,s:o,s:o,s:o,s:o,s:o}", "name", plain_json(about->cluster),
                  "there", about->listed != NULL, "owned", about->owned, "well",
                  is_well(arena, about), "what", plain_json(what_of(arena, about)), "conditions",
                  conditions_json(conditions), "causes", causes_json(found), "evidence",
                  evidence_json(arena, found), "next", plain_json(next_of(arena, about)));
    char *line = json_dumps(json, JSON_COMPACT);
    json_decref(json);
    text_add(text, line ? line : "{}");
    text_add(text, "\n");
    free(line);
}
