#include "model/marks.h"

#include "base/memory.h"
#include "base/text.h"
#include "model/facet.h"
#include <stdlib.h>
#include <string.h>

static const char no_record[] = "none";

/* One row a mark: a word, or a word, '-' and a number. */
static const struct mark_row {
    const char *word;
    size_t offset;
    bool number;
} mark_rows[] = {
    {"protect", offsetof(struct marks, protect), false},
    {"allow-delete", offsetof(struct marks, allow_delete), false},
    {"ttl", offsetof(struct marks, ttl_s), true},
    {"expires", offsetof(struct marks, expires_at_s), true},
    {"suspended", offsetof(struct marks, suspended), false},
    {"stopped", offsetof(struct marks, stopped), false},
};

static const void *slot_of(const struct mark_row *row, const struct marks *marks)
{
    return (const char *)marks + row->offset;
}

void marks_take(struct marks *marks, const struct cluster_spec *spec)
{
    marks->protect = spec->protect;
    marks->allow_delete = spec->allow_delete;
    marks->ttl_s = spec->ttl_s;
    marks->expires_at_s = spec->expires_at_s;
}

bool marks_agree(const struct marks *marks, const struct cluster_spec *spec)
{
    return marks->protect == spec->protect && marks->allow_delete == spec->allow_delete &&
           marks->ttl_s == spec->ttl_s && marks->expires_at_s == spec->expires_at_s;
}

const char *marks_print(struct arena *arena, const char *digest, const struct marks *marks)
{
    cleanup_text struct text text;
    text_init(&text, 0);
    if (digest)
        text_add_format(&text, FACET_DIGEST_PREFIX "%s", digest);
    else
        text_add(&text, no_record);
    for (size_t i = 0; i < COUNT_OF(mark_rows); i++) {
        const struct mark_row *row = &mark_rows[i];
        uint64_t number = 0;
        bool set = false;
        if (row->number)
            memcpy(&number, slot_of(row, marks), sizeof(number));
        else
            memcpy(&set, slot_of(row, marks), sizeof(set));
        if (number)
            text_add_format(&text, "+%s-%llu", row->word, (unsigned long long)number);
        else if (set)
            text_add_format(&text, "+%s", row->word);
    }
    return arena_string(arena, text.data);
}

/* A number without signs or blanks, larger than 0. */
static bool read_number(const char *text, uint64_t *ret_number)
{
    enum { DIGITS_MAX = 12 };
    size_t length = strlen(text);
    if (!length || length > DIGITS_MAX || strspn(text, "0123456789") != length)
        return false;
    *ret_number = strtoull(text, NULL, 10);
    return *ret_number > 0;
}

static bool take_word(const char *word, struct marks *marks)
{
    for (size_t i = 0; i < COUNT_OF(mark_rows); i++) {
        const struct mark_row *row = &mark_rows[i];
        size_t length = strlen(row->word);
        const bool set = true;
        uint64_t number;
        if (strncmp(word, row->word, length) != 0)
            continue;
        if (row->number && word[length] == '-' && read_number(word + length + 1, &number)) {
            memcpy((char *)marks + row->offset, &number, sizeof(number));
            return true;
        }
        if (!row->number && !word[length]) {
            memcpy((char *)marks + row->offset, &set, sizeof(set));
            return true;
        }
    }
    return false;
}

const char *marks_parse(struct arena *arena, const char *target, struct marks *marks)
{
    *marks = (struct marks){0};
    char *rest = arena_string_n(arena, target, strnlen(target, MARKS_TARGET_MAX));
    const char *digest = strsep(&rest, "+");
    for (const char *word; (word = strsep(&rest, "+"));)
        if (!take_word(word, marks) && !marks->unknown)
            marks->unknown = word;
    size_t prefix = strlen(FACET_DIGEST_PREFIX);
    return strncmp(digest, FACET_DIGEST_PREFIX, prefix) == 0 && digest[prefix] ? digest + prefix
                                                                               : NULL;
}
