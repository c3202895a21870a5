#include "reconciler/repo_reply.h"

#include "base/memory.h"
#include "base/plain.h"
#include "reconciler/repo_message.h"
#include <string.h>

enum { KINDS = ERROR_INTERNAL + 1, LINE_BYTES_MAX = 2000 };

/* Strangers wrote it: one printable line. */
static const char *plain_line(struct arena *arena, const struct repo_record *record)
{
    cleanup_text struct text line;
    text_init(&line, LINE_BYTES_MAX);
    plain_add(&line, arena_string_n(arena, record->value, record->length));
    return arena_string(arena, line.data);
}

static bool is_digits(const char *commit)
{
    return strlen(commit) == 40 && strspn(commit, "0123456789abcdef") == 40;
}

/* A name that is fit to be printed, and leads nowhere else. */
static const char *file_name(struct arena *arena, const struct repo_record *record)
{
    const char *plain = plain_line(arena, record), *name = record->value;
    return *name && strcmp(plain, name) == 0 ? plain : NULL;
}

static bool take_text(struct arena *arena, const struct repo_record *record, struct load_text *text)
{
    struct repo_record rest;
    if (!repo_record_split(record, &rest))
        return false;
    *text = (struct load_text){
        .file = file_name(arena, record),
        .bytes = arena_string_n(arena, rest.value, rest.length),
        .length = rest.length,
    };
    return text->file != NULL;
}

static bool add_text(struct arena *arena, struct repo_result *result,
                     const struct repo_record *record)
{
    struct source_texts *texts = &result->texts;
    if (texts->count == SOURCE_FILES_MAX)
        return false;
    texts->items = arena_grow(arena, texts->items, texts->count, sizeof(*texts->items));
    return take_text(arena, record, &texts->items[texts->count++]);
}

static bool add_file(struct arena *arena, struct repo_result *result,
                     const struct repo_record *record)
{
    if (result->file_count == SOURCE_FILES_MAX)
        return false;
    result->files = arena_grow(arena, result->files, result->file_count, sizeof(*result->files));
    struct repo_file *file = &result->files[result->file_count++];
    if (!take_text(arena, record, &file->text))
        return false;
    if (record->tag == REPO_ABSENT) {
        cleanup_text struct text line;
        text_init(&line, LINE_BYTES_MAX);
        plain_add(&line, file->text.bytes);
        file->problem = arena_string(arena, line.data);
    }
    return true;
}

static bool take_failure(struct arena *arena, const struct repo_record *record,
                         struct error **failure)
{
    struct repo_record rest;
    unsigned kind = record->length ? (unsigned)(record->value[0] - '0') : KINDS;
    if (!repo_record_split(record, &rest) || kind >= KINDS || *failure)
        return false;
    error_set(failure, (enum error_kind)kind, "%s", plain_line(arena, &rest));
    return true;
}

static bool take_record(struct arena *arena, const struct repo_record *record,
                        struct repo_result *result, struct error **failure)
{
    struct repo_revision *revision = &result->revision;
    uint64_t number = 0;
    switch ((int)record->tag) {
    case REPO_STAGE:
    case REPO_END:
        return true;
    case REPO_NOTE:
        result->note = plain_line(arena, record);
        return true;
    case REPO_COMMIT:
        revision->commit = plain_line(arena, record);
        return is_digits(revision->commit);
    case REPO_AUTHOR:
        revision->author = plain_line(arena, record);
        return true;
    case REPO_SUBJECT:
        revision->subject = plain_line(arena, record);
        return true;
    case REPO_TIME:
        revision->committed_at = repo_record_number(record, &number) ? (int64_t)number : 0;
        return true;
    case REPO_SIGNER:
        revision->signer = plain_line(arena, record);
        revision->verified = true;
        return true;
    case REPO_REWRITTEN:
        result->rewritten = true;
        return true;
    case REPO_UNCHANGED:
        result->unchanged = true;
        return true;
    case REPO_TEXT:
        return add_text(arena, result, record);
    case REPO_FILE:
    case REPO_ABSENT:
        return add_file(arena, result, record);
    case REPO_ERROR:
        return take_failure(arena, record, failure);
    }
    return false;
}

bool repo_reply_read(struct arena *arena, const char *bytes, size_t length, size_t limit,
                     struct repo_result *result, struct error **failure)
{
    struct repo_record record = {0};
    size_t offset = 0;
    result->revision.author = result->revision.subject = "";
    while (record.tag != REPO_END)
        if (repo_record_next(bytes, length, limit, &offset, &record) != REPO_READ ||
            !take_record(arena, &record, result, failure))
            return false;
    return *failure || result->revision.commit;
}
