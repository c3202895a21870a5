#include "cli/footprint.h"

#include "base/memory.h"
#include "base/test.h"
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    PAGE = 4096,
    PAGES = 2048,
    BYTES = PAGE * PAGES,
    THIRD = 3 * PAGE,
    FIFTH = 5 * PAGE,
};

/* AddressSanitizer keeps what was freed. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED true
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define SANITIZED true
#endif
#ifndef SANITIZED
#define SANITIZED false
#endif

static bool is_there(const unsigned char *bytes, size_t page)
{
    /* An unmapped page of a file may well be in the page cache: pagemap tells of this process. */
    uint64_t entry = 0;
    FILE *pagemap = fopen("/proc/self/pagemap", "re");
    assert_non_null(pagemap);
    long at = (long)(((uintptr_t)bytes / PAGE + page) * sizeof(entry));
    assert_int_equal(fseek(pagemap, at, SEEK_SET), 0);
    assert_int_equal(fread(&entry, sizeof(entry), 1, pagemap), 1);
    fclose(pagemap);
    return entry >> 63;
}

static unsigned char *map_file(const char *path, int rights)
{
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    unsigned char *bytes = mmap(NULL, BYTES, rights, MAP_PRIVATE, fileno(file), 0);
    fclose(file);
    assert_true(bytes != MAP_FAILED);
    return bytes;
}

static char *make_file(void)
{
    char *path = memory_string("/tmp/footprint_XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    char page[PAGE];
    for (size_t i = 0; i < PAGES; i++) {
        memset(page, (int)('a' + i % 26), sizeof(page));
        assert_int_equal(write(fd, page, sizeof(page)), sizeof(page));
    }
    close(fd);
    return path;
}

static size_t count_there(const unsigned char *bytes)
{
    size_t count = 0;
    for (size_t i = 0; i < PAGES; i++)
        count += is_there(bytes, i);
    return count;
}

static void touch(const unsigned char *bytes)
{
    for (size_t i = 0; i < PAGES; i++)
        assert_int_equal(((const volatile unsigned char *)bytes)[i * PAGE], 'a' + i % 26);
}

static void shrink(void)
{
    struct footprint never = {0};
    footprint_shrink(&never);
}

static void test_gives_back_what_the_file_has(void **state)
{
    (void)state;
    cleanup_free char *path = make_file();
    unsigned char *bytes = map_file(path, PROT_READ);
    touch(bytes);
    assert_int_equal(count_there(bytes), PAGES);
    shrink();
    assert_int_equal(count_there(bytes), 0);
    touch(bytes); /* and it is the same when it comes back */
    munmap(bytes, BYTES);
    unlink(path);
}

static void test_waits_until_it_has_grown(void **state)
{
    (void)state;
    struct footprint footprint = {0};
    cleanup_free char *path = make_file();
    unsigned char *bytes = map_file(path, PROT_READ);
    touch(bytes);
    footprint_shrink(&footprint);
    assert_true(footprint.lean_bytes > 0);
    size_t lean = footprint.lean_bytes;
    assert_int_equal(bytes[0], 'a');
    footprint_shrink(&footprint);
    assert_true(is_there(bytes, 0));
    assert_int_equal(footprint.lean_bytes, lean);
    touch(bytes);
    footprint_shrink(&footprint);
    assert_int_equal(count_there(bytes), 0);
    munmap(bytes, BYTES);
    unlink(path);
}

/* As the loader does it with what it has bound. */
static void test_keeps_what_was_changed(void **state)
{
    (void)state;
    cleanup_free char *path = make_file();
    unsigned char *bound = map_file(path, PROT_READ | PROT_WRITE);
    unsigned char *open = map_file(path, PROT_READ | PROT_WRITE);
    bound[THIRD] = 'X';
    open[FIFTH] = 'Y';
    assert_int_equal(mprotect(bound, BYTES, PROT_READ), 0);
    shrink();
    assert_int_equal(bound[THIRD], 'X');
    assert_int_equal(open[FIFTH], 'Y');
    munmap(bound, BYTES);
    munmap(open, BYTES);
    unlink(path);
}

static void test_gives_back_free_heap(void **state)
{
    (void)state;
    if (SANITIZED)
        return;
    enum { BLOCKS = 512, BLOCK = 16 * 1024 };
    char *blocks[BLOCKS];
    for (size_t i = 0; i < BLOCKS; i++)
        blocks[i] = memset(memory_new(BLOCK), 1, BLOCK);
    char *above = memory_new(BLOCK); /* keeps the heap from shrinking by itself */
    for (size_t i = 0; i < BLOCKS; i++)
        free(blocks[i]);
    uintptr_t page = ((uintptr_t)blocks[BLOCKS / 2] + PAGE) / PAGE * PAGE;
    const unsigned char *middle = (const unsigned char *)page; /* NOLINT */
    assert_true(is_there(middle, 0));
    shrink();
    assert_false(is_there(middle, 0));
    free(above);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gives_back_what_the_file_has),
        cmocka_unit_test(test_waits_until_it_has_grown),
        cmocka_unit_test(test_keeps_what_was_changed),
        cmocka_unit_test(test_gives_back_free_heap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
