#include "model/evidence.h"

#include "base/memory.h"
#include "base/plain.h"
#include "base/text.h"
#include "model/redact.h"
#include <stdbool.h>

enum { LINE_CELLS_MAX = 400 };

void evidence_init(struct evidence *evidence, struct arena *arena)
{
    *evidence = (struct evidence){.arena = arena};
}

/* A terminal's own words: "\x1b[0;32m", "\x1b[K", "\x1bM". How long; 0: none begins here. */
static size_t escape_length(const char *at, const char *end)
{
    if (at == end || *at != '\x1b')
        return 0;
    const char *from = at++;
    if (at < end && *at == '[')
        for (at++; at < end && !(*at >= '@' && *at <= '~');)
            at++;
    return (size_t)(at < end ? at + 1 - from : end - from);
}

/* Without escapes, and without the carriage returns among them. */
static void add_unescaped(struct text *text, const char *bytes, size_t length)
{
    for (const char *at = bytes, *end = bytes + length; at < end;) {
        size_t escape = escape_length(at, end);
        if (!escape && *at != '\r')
            text_add_bytes(text, at, 1);
        at += escape ? escape : 1;
    }
}

/* Line by line made plain. */
static const char *plain_lines(struct arena *arena, const char *bytes, size_t length)
{
    cleanup_text struct text lines, one;
    text_init(&lines, EVIDENCE_ITEM_BYTES_MAX + LINE_CELLS_MAX);
    text_init(&one, 0);
    for (const char *at = bytes, *end = bytes + length; at < end;) {
        const char *line_end = memchr(at, '\n', (size_t)(end - at));
        size_t size = (size_t)((line_end ? line_end : end) - at);
        text_clear(&one);
        add_unescaped(&one, at, strnlen(at, size));
        if (one.length) {
            plain_add_cut(&lines, one.data, LINE_CELLS_MAX);
            text_add(&lines, "\n");
        }
        at += size + (line_end != NULL);
    }
    return arena_string(arena, lines.data);
}

void evidence_add(struct evidence *evidence, enum evidence_source source, const char *subject,
                  const char *bytes, size_t length)
{
    if (evidence->count == EVIDENCE_ITEMS_MAX)
        return;
    if (length > EVIDENCE_ITEM_BYTES_MAX) {
        bytes += length - EVIDENCE_ITEM_BYTES_MAX;
        length = EVIDENCE_ITEM_BYTES_MAX;
    }
    cleanup_text struct text clean;
    text_init(&clean, 0);
    redact_add(&clean, bytes, length);
    const char *text = plain_lines(evidence->arena, clean.data, clean.length);
    if (*text)
        evidence->items[evidence->count++] = (struct evidence_item){
            .source = source,
            .subject = arena_string(evidence->arena, subject),
            .text = text,
        };
}

static const struct {
    const char *name, *words;
} sources[] = {
    [EVIDENCE_FAILURE] = {"failure", "error"},
    [EVIDENCE_CONTAINER] = {"container", "container"},
    [EVIDENCE_BOOT] = {"boot", "boot log"},
    [EVIDENCE_KUBELET] = {"kubelet", "kubelet"},
    [EVIDENCE_CONTAINERD] = {"containerd", "containerd"},
    [EVIDENCE_PODS] = {"pods", "pods of kube-system"},
    [EVIDENCE_NODE] = {"node", "units and disk"},
    [EVIDENCE_HOST] = {"host", "host"},
};

const char *evidence_source_name(enum evidence_source source)
{
    return sources[source].name;
}

const char *evidence_source_words(enum evidence_source source)
{
    return sources[source].words;
}

/* --- Which lines are worth keeping. --- */

static bool speaks_of_trouble(const char *line, size_t length)
{
    static const char *const words[] = {
        "error",    "fail",   "fatal",  "panic",   "denied",  "refused",
        "unable",   "cannot", "can't",  "invalid", "not ",    "no space",
        "too many", "oom",    "killed", "exited",  "unknown", "exhausted",
    };
    cleanup_free char *copy = memory_string_n(line, length);
    for (size_t i = 0; i < COUNT_OF(words); i++)
        if (strcasestr(copy, words[i]))
            return true;
    return false;
}

struct line {
    const char *at;
    size_t length;
    bool kept;
};

static size_t split(struct arena *arena, const char *text, struct line **ret_lines)
{
    struct line *lines = NULL;
    size_t count = 0;
    for (const char *at = text; *at;) {
        size_t length = strcspn(at, "\n");
        lines = arena_grow(arena, lines, count, sizeof(*lines));
        lines[count++] = (struct line){.at = at, .length = length};
        at += length + (at[length] == '\n');
    }
    *ret_lines = lines;
    return count;
}

/* The last of those of a sort, as many as there is room for. */
static size_t keep(struct line *lines, size_t count, bool trouble, size_t room)
{
    for (size_t i = count; i > 0 && room; i--) {
        struct line *line = &lines[i - 1];
        if (line->kept || speaks_of_trouble(line->at, line->length) != trouble)
            continue;
        line->kept = true;
        room--;
    }
    return room;
}

static const char *kept_lines(struct arena *arena, const struct line *lines, size_t count)
{
    cleanup_text struct text kept;
    text_init(&kept, 0);
    for (size_t i = 0; i < count; i++) {
        if (!lines[i].kept)
            continue;
        text_add_bytes(&kept, lines[i].at, lines[i].length);
        text_add(&kept, "\n");
    }
    return arena_string(arena, kept.data);
}

const char *evidence_digest(struct arena *arena, const char *text, size_t lines_max)
{
    struct line *lines;
    size_t count = split(arena, text, &lines);
    keep(lines, count, false, keep(lines, count, true, lines_max));
    return kept_lines(arena, lines, count);
}

const char *evidence_trouble(struct arena *arena, const char *text, size_t lines_max)
{
    struct line *lines;
    size_t count = split(arena, text, &lines);
    keep(lines, count, true, lines_max);
    return kept_lines(arena, lines, count);
}
