/*
 * Any bytes as what the process that reads a repository tells its parent: no crash, what comes in
 * two parts is read as what comes in one, and what is believed can be printed and leads nowhere.
 */
#include "base/memory.h"
#include "base/plain.h"
#include "reconciler/repo_message.h"
#include "reconciler/repo_reply.h"
#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LIMIT = 1 << 20 };

/* Records of the first `length` bytes, read again from where it stopped when all has come. */
static size_t read_in_two(const char *bytes, size_t length, size_t whole)
{
    struct repo_record record;
    size_t offset = 0, count = 0;
    while (repo_record_next(bytes, length, LIMIT, &offset, &record) == REPO_READ)
        count++;
    while (repo_record_next(bytes, whole, LIMIT, &offset, &record) == REPO_READ) {
        assert(offset <= whole && record.value + record.length == bytes + offset);
        count++;
    }
    return count;
}

static void check_line(const char *line)
{
    cleanup_text struct text plain;
    text_init(&plain, 0);
    plain_add(&plain, line);
    assert(strcmp(plain.data, line) == 0 && !strchr(line, '\n'));
}

static void check_revision(const struct repo_revision *revision)
{
    if (revision->commit)
        assert(strspn(revision->commit, "0123456789abcdef") == 40 &&
               strlen(revision->commit) == 40);
    check_line(revision->author);
    check_line(revision->subject);
    assert(revision->verified == (revision->signer != NULL));
    if (revision->signer)
        check_line(revision->signer);
}

static void check_text(const struct load_text *text)
{
    assert(text->file && *text->file && strlen(text->bytes) <= text->length);
    check_line(text->file);
    assert(text->bytes[text->length] == '\0');
}

static void check_result(struct arena *arena, const struct repo_result *result)
{
    check_revision(&result->revision);
    if (result->note)
        check_line(result->note);
    for (size_t i = 0; i < result->texts.count; i++)
        check_text(&result->texts.items[i]);
    for (size_t i = 0; i < result->file_count; i++) {
        check_text(&result->files[i].text);
        if (result->files[i].problem)
            check_line(result->files[i].problem);
        /* Whatever it is called, a name that a text gives leads to it or to nothing. */
        cleanup_error struct error *err = NULL;
        struct load_text found;
        if (repo_read_beside((void *)(uintptr_t)result, arena, "a/b.yaml",
                             result->files[i].text.file, &found, &err) == 0)
            check_text(&found);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cleanup_arena struct arena *arena = arena_new();
    cleanup_error struct error *failure = NULL;
    const char *bytes = arena_string_n(arena, size ? (const char *)data : "", size);
    struct repo_result result = {0};
    assert(read_in_two(bytes, size / 2, size) == read_in_two(bytes, size, size));
    if (!repo_reply_read(arena, bytes, size, LIMIT, &result, &failure))
        return 0;
    assert(failure || result.revision.commit);
    if (failure)
        check_line(failure->message);
    check_result(arena, &result);
    return 0;
}
