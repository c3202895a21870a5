#include "model/marks.h"

#include "base/memory.h"
#include "base/text.h"
#include "model/facet.h"
#include <stdlib.h>
#include <string.h>

enum { OWNER_MAX = 100 };

static const char no_record[] = "none";

enum mark_kind { MARK_FLAG, MARK_NUMBER, MARK_NAME };

/* One row a mark: a word, or a word, '-' and a number or name. */
static const struct mark_row {
    const char *word;
    size_t offset;
    enum mark_kind kind;
} mark_rows[] = {
    {"protect", offsetof(struct marks, protect), MARK_FLAG},
    {"allow-delete", offsetof(struct marks, allow_delete), MARK_FLAG},
    {"ttl", offsetof(struct marks, ttl_s), MARK_NUMBER},
    {"expires", offsetof(struct marks, expires_at_s), MARK_NUMBER},
    {"suspended", offsetof(struct marks, suspended), MARK_FLAG},
    {"stopped", offsetof(struct marks, stopped), MARK_FLAG},
    {"owner", offsetof(struct marks, owner), MARK_NAME},
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

bool marks_can_name(const char *fleet)
{
    size_t length = strlen(fleet);
    return length && length <= OWNER_MAX &&
           strspn(fleet, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") ==
               length;
}

static void print_mark(struct text *text, const struct mark_row *row, const struct marks *marks)
{
    uint64_t number = 0;
    bool set = false;
    const char *name = NULL;
    switch (row->kind) {
    case MARK_FLAG:
        memcpy(&set, slot_of(row, marks), sizeof(set));
        break;
    case MARK_NUMBER:
        memcpy(&number, slot_of(row, marks), sizeof(number));
        break;
    case MARK_NAME:
        memcpy(&name, slot_of(row, marks), sizeof(name));
        break;
    }
    if (number)
        text_add_format(text, "+%s-%llu", row->word, (unsigned long long)number);
    else if (name)
        text_add_format(text, "+%s-%s", row->word, name);
    else if (set)
        text_add_format(text, "+%s", row->word);
}

const char *marks_print(struct arena *arena, const char *digest, const struct marks *marks)
{
    cleanup_text struct text text;
    text_init(&text, 0);
    if (digest)
        text_add_format(&text, FACET_DIGEST_PREFIX "%s", digest);
    else
        text_add(&text, no_record);
    for (size_t i = 0; i < COUNT_OF(mark_rows); i++)
        print_mark(&text, &mark_rows[i], marks);
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

/* rest: what follows the word in the target. */
static bool take_mark(const struct mark_row *row, const char *rest, struct marks *marks)
{
    void *slot = (char *)marks + row->offset;
    const char *value = rest + 1;
    const bool set = true;
    uint64_t number;
    switch (row->kind) {
    case MARK_FLAG:
        if (*rest)
            return false;
        memcpy(slot, &set, sizeof(set));
        return true;
    case MARK_NUMBER:
        if (*rest != '-' || !read_number(value, &number))
            return false;
        memcpy(slot, &number, sizeof(number));
        return true;
    case MARK_NAME:
        if (*rest != '-' || !marks_can_name(value))
            return false;
        memcpy(slot, &value, sizeof(value));
        return true;
    }
    return false;
}

static bool take_word(const char *word, struct marks *marks)
{
    for (size_t i = 0; i < COUNT_OF(mark_rows); i++) {
        size_t length = strlen(mark_rows[i].word);
        if (strncmp(word, mark_rows[i].word, length) == 0 &&
            take_mark(&mark_rows[i], word + length, marks))
            return true;
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
