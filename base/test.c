#include "base/test.h"

#include "base/memory.h"
#include "base/text.h"
#include <stdio.h>

static const char *current_row = "";

void test_row(const char *name)
{
    current_row = name;
}

void test_equal_at(const char *got, const char *want, const char *file, int line)
{
    if (got && want && strcmp(got, want) == 0)
        return;
    if (got == want)
        return;
    fprintf(stderr, "%s:%d: %s: got\n\"%s\"\nwant\n\"%s\"\n", file, line, current_row,
            got ? got : "(null)", want ? want : "(null)");
    _fail(file, line);
}

static char *golden_path(const char *path)
{
    const char *root = getenv("KIND_TESTDATA");
    return root ? memory_format("%s/%s", root, path) : memory_string(path);
}

static char *read_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return NULL;
    struct text text;
    text_init(&text, 0);
    char buffer[4096];
    size_t length;
    while ((length = fread(buffer, 1, sizeof(buffer), file)) > 0)
        text_add_bytes(&text, buffer, length);
    fclose(file);
    return text_take(&text);
}

char *test_read_file(const char *path)
{
    cleanup_free char *full = golden_path(path);
    char *content = read_file(full);
    if (!content) {
        fprintf(stderr, "%s: cannot read %s\n", current_row, full);
        fail();
    }
    return content;
}

void test_golden_at(const char *got, const char *path, const char *file, int line)
{
    cleanup_free char *full = golden_path(path);
    if (getenv("UPDATE")) {
        FILE *golden = fopen(full, "wb");
        if (!golden || fputs(got, golden) < 0 || fclose(golden) != 0)
            fail_msg("cannot write %s", full);
        return;
    }
    cleanup_free char *want = read_file(full);
    if (!want) {
        fprintf(stderr, "%s:%d: no golden file %s (UPDATE=1 writes it)\n", file, line, full);
        _fail(file, line);
    }
    test_equal_at(got, want, file, line);
}
