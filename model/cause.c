#include "model/cause.h"

#include "base/memory.h"
#include "base/text.h"

bool cause_fits(const char *pattern, const char *line)
{
    char part[128];
    while (*pattern) {
        size_t length = strcspn(pattern, "*");
        if (length >= sizeof(part))
            return false;
        memcpy(part, pattern, length);
        part[length] = '\0';
        const char *found = strcasestr(line, part);
        if (!found)
            return false;
        line = found + length;
        pattern += length + (pattern[length] == '*');
    }
    return true;
}

static bool row_fits(const struct cause *cause, const char *line)
{
    if (cause->except && cause_fits(cause->except, line))
        return false;
    for (size_t i = 0; i < CAUSE_PATTERNS_MAX && cause->patterns[i]; i++)
        if (cause_fits(cause->patterns[i], line))
            return true;
    return false;
}

/* The last line that fits: the first ones are of a start that may have gone well. NULL: none. */
static const char *line_that_fits(struct arena *arena, const struct cause *cause, const char *text)
{
    const char *found = NULL;
    cleanup_text struct text line;
    text_init(&line, 0);
    for (const char *at = text; *at;) {
        size_t length = strcspn(at, "\n");
        text_clear(&line);
        text_add_bytes(&line, at, length);
        if (row_fits(cause, line.data))
            found = arena_string(arena, line.data);
        at += length + (at[length] == '\n');
    }
    return found;
}

/* The text with {node} and {cluster} filled in. */
static const char *fill(struct arena *arena, const char *text, const char *cluster,
                        const char *node)
{
    cleanup_text struct text filled;
    text_init(&filled, 0);
    while (*text) {
        if (strncmp(text, "{node}", 6) == 0) {
            text_add(&filled, node);
            text += 6;
        } else if (strncmp(text, "{cluster}", 9) == 0) {
            text_add(&filled, cluster);
            text += 9;
        } else {
            text_add_bytes(&filled, text++, 1);
        }
    }
    return arena_string(arena, filled.data);
}

static bool find_in(struct arena *arena, const struct cause *cause,
                    const struct evidence_item *item, const char *cluster, const char *node,
                    struct finding *finding)
{
    if (!(cause->where & 1u << item->source))
        return false;
    const char *line = line_that_fits(arena, cause, item->text);
    if (!line)
        return false;
    *finding = (struct finding){
        .id = cause->id,
        .words = fill(arena, cause->words, cluster, *item->subject ? item->subject : node),
        .cure = fill(arena, cause->cure, cluster, *item->subject ? item->subject : node),
        .source = item->source,
        .subject = item->subject,
        .line = line,
    };
    return true;
}

/* A line that a more special row has explained says nothing more. */
static bool is_explained(const struct findings *findings, const struct finding *finding)
{
    for (size_t i = 0; i < findings->count; i++)
        if (findings->items[i].source == finding->source &&
            strcmp(findings->items[i].subject, finding->subject) == 0 &&
            strcmp(findings->items[i].line, finding->line) == 0)
            return true;
    return false;
}

void causes_find(struct arena *arena, const struct evidence *evidence, const char *cluster,
                 const char *node, struct findings *findings)
{
    *findings = (struct findings){.count = 0};
    for (const struct cause *cause = causes; cause->id && findings->count < FINDINGS_MAX; cause++) {
        if (cause->phase && findings->count)
            break; /* phases are the last rows: something better is known */
        for (size_t i = 0; i < evidence->count; i++) {
            struct finding *finding = &findings->items[findings->count];
            if (!find_in(arena, cause, &evidence->items[i], cluster, node, finding) ||
                is_explained(findings, finding))
                continue;
            findings->count++;
            break;
        }
        if (cause->phase && findings->count)
            break;
    }
}
