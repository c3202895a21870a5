/*
 * cluster_status.c - one cluster and one source as they are told: strings of their own, and
 * whether two of them look the same.
 */
#include "reconciler/fleet_status_parts.h"

#include "base/memory.h"
#include "base/plain.h"
#include "model/redact.h"

enum { WORD_BYTES_MAX = 512 };

/* Not in the middle of a character. */
static size_t cut(const char *string, size_t length, size_t limit)
{
    if (length <= limit)
        return length;
    while (limit && ((unsigned char)string[limit] & 0xc0) == 0x80)
        limit--;
    return limit;
}

char *status_word(const char *string)
{
    if (!string)
        return NULL;
    cleanup_text struct text plain;
    text_init(&plain, 0);
    plain_add(&plain, string);
    return memory_string_n(plain.data, cut(plain.data, plain.length, WORD_BYTES_MAX));
}

static void add_lines(struct text *plain, const char *string)
{
    while (*string && plain->length < STATUS_WORDS_MAX) {
        size_t length = strcspn(string, "\n");
        cleanup_free char *line = memory_string_n(string, length);
        if (plain->length)
            text_add(plain, "\n");
        plain_add(plain, line);
        string += length + (string[length] == '\n');
    }
}

char *status_words(const char *string)
{
    if (!string || !*string)
        return NULL;
    cleanup_text struct text open, plain;
    text_init(&open, 0);
    text_init(&plain, 0);
    redact_add(&open, string, strlen(string));
    add_lines(&plain, open.data);
    if (plain.length <= STATUS_WORDS_MAX)
        return text_take(&plain);
    return memory_string_n(plain.data, cut(plain.data, plain.length, STATUS_WORDS_MAX));
}

void status_put(char **slot, char *string)
{
    free(*slot);
    *slot = string;
}

/* --- Parts that are replaced as a whole. --- */

void cluster_status_drop_nodes(struct cluster_status *cluster)
{
    for (size_t i = 0; i < cluster->node_count; i++) {
        free(cluster->nodes[i].name);
        free(cluster->nodes[i].role);
        free(cluster->nodes[i].image);
        free(cluster->nodes[i].trouble);
    }
    free(TAKE(cluster->nodes));
    cluster->node_count = 0;
}

static void drop_one_running(struct status_running *running)
{
    free(running->subject);
    free(running->reason);
    free(running->step);
}

void cluster_status_drop_running(struct cluster_status *cluster)
{
    for (size_t i = 0; i < cluster->running_count; i++)
        drop_one_running(&cluster->running[i]);
    free(TAKE(cluster->running));
    cluster->running_count = 0;
}

void cluster_status_drop_refused(struct cluster_status *cluster)
{
    for (size_t i = 0; i < cluster->refused_count; i++) {
        free(cluster->refused[i].subject);
        free(cluster->refused[i].reason);
    }
    free(TAKE(cluster->refused));
    cluster->refused_count = cluster->refused_total = 0;
}

static void drop_cause(struct status_cause *cause)
{
    free(cause->id);
    free(cause->words);
    free(cause->cure);
    free(cause->source);
    free(cause->subject);
    free(cause->line);
}

void cluster_status_drop_failure(struct cluster_status *cluster)
{
    struct status_failure *failure = TAKE(cluster->failure);
    if (!failure)
        return;
    for (size_t i = 0; i < failure->cause_count; i++)
        drop_cause(&failure->causes[i]);
    free(failure->kind);
    free(failure->message);
    free(failure->what);
    free(failure->evidence);
    free(failure);
}

void cluster_status_done(struct cluster_status *cluster)
{
    cluster_status_drop_nodes(cluster);
    cluster_status_drop_running(cluster);
    cluster_status_drop_refused(cluster);
    cluster_status_drop_failure(cluster);
    free(cluster->name);
    free(cluster->version);
    free(cluster->held);
    free(cluster->note);
    free(cluster->message);
    free(cluster->revision);
    free(cluster->author);
}

/* --- Do two look the same? FNV-1a over all that is shown. --- */

static void mix(uint64_t *print, const void *bytes, size_t length)
{
    const unsigned char *byte = bytes;
    for (size_t i = 0; i < length; i++)
        *print = (*print ^ byte[i]) * UINT64_C(0x100000001b3);
}

static void mix_number(uint64_t *print, uint64_t number)
{
    mix(print, &number, sizeof(number));
}

static void mix_string(uint64_t *print, const char *string)
{
    mix_number(print, string != NULL);
    if (string)
        mix(print, string, strlen(string) + 1);
}

static void mix_nodes(uint64_t *print, const struct cluster_status *cluster)
{
    for (size_t i = 0; i < cluster->node_count; i++) {
        const struct status_node *node = &cluster->nodes[i];
        mix_string(print, node->name);
        mix_string(print, node->role);
        mix_string(print, node->image);
        mix_string(print, node->trouble);
        mix_number(print, node->status);
        mix_number(print, node->ready);
    }
}

static void mix_plan(uint64_t *print, const struct cluster_status *cluster)
{
    for (size_t i = 0; i < cluster->running_count; i++) {
        mix_number(print, cluster->running[i].kind);
        mix_string(print, cluster->running[i].subject);
        mix_string(print, cluster->running[i].step);
    }
    for (size_t i = 0; i < cluster->refused_count; i++) {
        mix_string(print, cluster->refused[i].subject);
        mix_string(print, cluster->refused[i].reason);
    }
    mix_number(print, cluster->done);
    mix_number(print, cluster->total);
    mix_number(print, cluster->refused_total);
}

static void mix_failure(uint64_t *print, const struct status_failure *failure)
{
    mix_number(print, failure != NULL);
    if (!failure)
        return;
    mix_string(print, failure->message);
    mix_number(print, failure->at_ms);
    mix_number(print, failure->next_at_ms);
    mix_number(print, failure->cause_count);
}

uint64_t cluster_status_print(const struct cluster_status *cluster)
{
    uint64_t print = UINT64_C(0xcbf29ce484222325);
    mix_string(&print, cluster->version);
    mix_string(&print, cluster->held);
    mix_string(&print, cluster->note);
    mix_string(&print, cluster->message);
    mix_string(&print, cluster->revision);
    mix_number(&print, cluster->phase);
    mix_number(&print, cluster->leaving);
    mix_number(&print, cluster->synced);
    mix_number(&print, cluster->ready);
    mix_number(&print, cluster->nodes_wanted);
    mix_nodes(&print, cluster);
    mix_plan(&print, cluster);
    mix_failure(&print, cluster->failure);
    return print;
}

uint64_t source_status_print(const struct source_status *source)
{
    uint64_t print = UINT64_C(0xcbf29ce484222325);
    mix_string(&print, source->kind);
    mix_string(&print, source->revision);
    mix_string(&print, source->author);
    mix_string(&print, source->subject);
    mix_string(&print, source->signer);
    mix_string(&print, source->pending);
    mix_string(&print, source->problem);
    mix_number(&print, source->checked_at_ms);
    mix_number(&print, source->next_at_ms);
    mix_number(&print, source->failures);
    return print;
}
