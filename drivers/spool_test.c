#include "drivers/spool.h"

#include "base/memory.h"
#include "base/test.h"
#include "drivers/archive.h"
#include <stdio.h>

enum { LIMIT_BYTES = 1 << 20 };

static struct spool opened(void)
{
    struct spool spool = {0};
    struct error *err = NULL;
    assert_int_equal(spool_open(&spool, LIMIT_BYTES, &err), 0);
    return spool;
}

/* What goes in comes out, as a tar that others understand. */
static void lengths(void **state)
{
    (void)state;
    static const size_t rows[] = {0, 1, 511, 512, 513, 100000, LIMIT_BYTES};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char row[24];
        snprintf(row, sizeof(row), "%zu bytes", rows[i]);
        test_row(row);
        struct error *err = NULL;
        struct spool spool = opened();
        cleanup_free char *bytes = memory_new(rows[i] + 1);
        memset(bytes, 'x', rows[i]);
        for (size_t at = 0, piece; at < rows[i]; at += piece) {
            piece = rows[i] - at < 7777 ? rows[i] - at : 7777;
            assert_int_equal(spool_write(&spool, bytes + at, piece, &err), 0);
        }
        assert_int_equal(spool_seal(&spool, "folder", "file", &err), 0);
        struct text tar;
        text_init(&tar, 0);
        char piece[1000];
        size_t length;
        while ((length = spool_read(&spool, piece, sizeof(piece))) > 0)
            text_add_bytes(&tar, piece, length);
        assert_int_equal(tar.length, spool.tar_length);
        struct archive_files files;
        struct arena *arena = arena_new();
        assert_int_equal(archive_unpack(arena, tar.data, tar.length, LIMIT_BYTES, &files, &err), 0);
        assert_int_equal(files.count, 2);
        test_equal(files.items[0].path, "folder/");
        test_equal(files.items[1].path, "folder/file");
        assert_int_equal(files.items[1].length, rows[i]);
        assert_memory_equal(files.items[1].bytes ? files.items[1].bytes : "", bytes, rows[i]);
        arena_free(arena);
        text_done(&tar);
        spool_close(&spool);
        spool_close(&spool);
    }
}

/* The length in the header of what is too long to be here: the file has holes. */
static void huge(void **state)
{
    (void)state;
    static const uint64_t rows[] = {UINT64_C(0x1ffffffff), UINT64_C(0x200000000),
                                    UINT64_C(0x3ffffffff)};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct error *err = NULL;
        struct spool spool = opened();
        spool.length = rows[i];
        assert_int_equal(spool_seal(&spool, "folder", "file", &err), 0);
        char head[1024];
        assert_int_equal(spool_read(&spool, head, sizeof(head)), sizeof(head));
        uint64_t size = 0;
        const unsigned char *field = (const unsigned char *)head + 512 + 124;
        if (field[0] == 0x80)
            for (size_t j = 1; j < 12; j++)
                size = size << 8 | field[j];
        else
            size = strtoull((const char *)field, NULL, 8);
        assert_int_equal(size, rows[i]);
        spool_close(&spool);
    }
}

static void limit(void **state)
{
    (void)state;
    struct error *err = NULL;
    struct spool spool = opened();
    cleanup_free char *bytes = memory_new(LIMIT_BYTES);
    assert_int_equal(spool_write(&spool, bytes, LIMIT_BYTES, &err), 0);
    assert_int_equal(spool_write(&spool, bytes, 1, &err), -1);
    test_equal(err->message, "it is longer than 1 MiB");
    assert_int_equal(err->kind, ERROR_INVALID);
    error_free(err);
    spool_close(&spool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lengths),
        cmocka_unit_test(huge),
        cmocka_unit_test(limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
