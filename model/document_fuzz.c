#include "base/memory.h"
#include "model/document.h"
#include <stdint.h>

/*
 * Any bytes: no crash, no leak; and what is read, printed and read again is
 * the same, also when printed once more.
 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static json_t *parse(struct arena *arena, const char *bytes, size_t length)
{
    struct problem_list problems;
    problem_list_init(&problems, arena);
    json_t *documents = document_parse("fuzz.yaml", bytes, length, &problems);
    if (!documents && problems.errors == 0)
        abort();
    return documents;
}

static void print(const json_t *documents, struct text *text)
{
    for (size_t i = 0; i < json_array_size(documents); i++) {
        text_add(text, "---\n");
        document_print(json_array_get(documents, i), text);
    }
}

/* What was read within the limits may pass them when aliases are written out. */
static bool within_limits(const struct text *text)
{
    return text->length <= TREE_BYTES_MAX / 4;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cleanup_arena struct arena *arena = arena_new();
    json_auto_t *documents = parse(arena, (const char *)data, size);
    if (!documents)
        return 0;
    cleanup_text struct text text, again;
    text_init(&text, 0);
    text_init(&again, 0);
    print(documents, &text);
    if (!within_limits(&text))
        return 0;
    json_auto_t *read = parse(arena, text.data, text.length);
    if (!read || !json_equal(documents, read))
        abort();
    print(read, &again);
    if (strcmp(text.data, again.data) != 0)
        abort();
    return 0;
}
