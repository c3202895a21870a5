#include "drivers/stream.h"

#include "base/test.h"

#include "base/memory.h"

/* A frame header as a string literal: type and a length below 256. */
#define FRAME(type, length) type "\0\0\0\0\0\0" length

struct demuxed {
    const char *name, *bytes;
    size_t length, tail_bytes;
    const char *out, *err, *failure;
};

#define BYTES(string) string, sizeof(string) - 1
#define NOT_A_HEADER "output stream: not a frame header: "

static const struct demuxed demux_rows[] = {
    {"nothing", BYTES(""), 8, "", "", NULL},
    {"out", BYTES(FRAME("\1", "\5") "hello"), 8, "hello", "", NULL},
    {"both", BYTES(FRAME("\1", "\1") "a" FRAME("\2", "\2") "bc" FRAME("\1", "\1") "d"), 8, "ad",
     "bc", NULL},
    {"stdin is output, system error is not", BYTES(FRAME("\0", "\1") "a" FRAME("\3", "\1") "b"), 8,
     "a", "b", NULL},
    {"empty frames", BYTES(FRAME("\1", "\0") FRAME("\2", "\0") FRAME("\1", "\1") "a"), 8, "a", "",
     NULL},
    {"tail", BYTES(FRAME("\1", "\13") "0123456789\n"), 8, "456789\n", "", NULL},
    {"tail over frames", BYTES(FRAME("\1", "\6") "012345" FRAME("\1", "\5") "6789\n"), 8,
     "456789\n", "", NULL},
    {"tail of one", BYTES(FRAME("\1", "\3") "abc"), 1, "c", "", NULL},
    {"no tail", BYTES(FRAME("\1", "\3") "abc"), 0, "", "", NULL},
    {"header cut off", BYTES("\1\0\0\0\0\0\0"), 8, "", "", NULL},
    {"frame cut off", BYTES(FRAME("\1", "\5") "he"), 8, "he", "", NULL},
    {"unknown type", BYTES(FRAME("\4", "\1") "a"), 8, "", "", NOT_A_HEADER "04 00 00 00"},
    {"text", BYTES("OCI runtime exec failed"), 8, "", "", NOT_A_HEADER "4f 43 49 20"},
    {"text behind a frame", BYTES(FRAME("\1", "\1") "aOCI runtime"), 8, "a", "",
     NOT_A_HEADER "4f 43 49 20"},
};

/* Feeds first the bytes up to the cut, then the others. */
static void check_demux(const struct demuxed *row, size_t cut)
{
    struct demux demux;
    struct error *err = NULL;
    demux_init(&demux, row->tail_bytes);
    int status = demux_feed(&demux, row->bytes, cut, &err);
    if (status == 0)
        status = demux_feed(&demux, row->bytes + cut, row->length - cut, &err);
    assert_int_equal(status, row->failure ? -1 : 0);
    test_equal(err ? err->message : NULL, row->failure);
    test_equal(demux.out.data, row->out);
    test_equal(demux.err.data, row->err);
    error_free(err);
    demux_done(&demux);
}

static void demux_cut_anywhere(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(demux_rows); i++) {
        test_row(demux_rows[i].name);
        for (size_t cut = 0; cut <= demux_rows[i].length; cut++)
            check_demux(&demux_rows[i], cut);
    }
}

/* A length of four bytes, most of which never comes. */
static void demux_huge_frame(void **state)
{
    (void)state;
    static const char bytes[] = "\2\0\0\0\377\377\377\376end";
    struct demux demux;
    struct error *err = NULL;
    demux_init(&demux, 64);
    assert_int_equal(demux_feed(&demux, bytes, sizeof(bytes) - 1, &err), 0);
    test_equal(demux.err.data, "end");
    assert_int_equal(demux.left, UINT32_MAX - 1 - 3);
    demux_done(&demux);
}

static void demux_stays_failed(void **state)
{
    (void)state;
    struct demux demux;
    demux_init(&demux, 64);
    for (int i = 0; i < 2; i++) {
        cleanup_error struct error *err = NULL;
        assert_int_equal(demux_feed(&demux, "not a frame", 11, &err), -1);
        assert_int_equal(err->kind, ERROR_INVALID);
    }
    demux_done(&demux);
}

static const struct {
    const char *name, *bytes, *want; /* lines in brackets; at most 6 bytes each */
} line_rows[] = {
    {"nothing", "", ""},
    {"one", "a\n", "[a]"},
    {"two", "a\r\nb\n", "[a][b]"},
    {"empty lines", "\n\r\n\n", "[][][]"},
    {"last without end", "a\nb", "[a][b]"},
    {"carriage return inside", "a\rb\r\r\n", "[a\rb\r]"},
    {"carriage return at the very end", "a\r", "[a\r]"},
    {"just fits", "123456\n123456\r\n1", "[123456][123456][1]"},
    {"cut at the limit", "1234567\n12345678901234\r\nnext\n", "[123456][123456][next]"},
    {"cut before a carriage return", "12345\rxyz\n", "[12345\r]"},
    {"cut without end", "1234567890", "[123456]"},
};

static void collect(void *context, const char *line, size_t length)
{
    assert_int_equal(line[length], '\0');
    text_add_char(context, '[', 1);
    text_add_bytes(context, line, length);
    text_add_char(context, ']', 1);
}

static void check_lines(const char *bytes, const char *want, size_t cut)
{
    struct line_reader reader;
    struct text got cleanup_text;
    text_init(&got, 0);
    line_reader_init(&reader, 6, collect, &got);
    line_reader_feed(&reader, bytes, cut);
    line_reader_feed(&reader, bytes + cut, strlen(bytes) - cut);
    line_reader_end(&reader);
    line_reader_end(&reader); /* there is only one last line */
    test_equal(got.data, want);
    line_reader_done(&reader);
}

static void lines_cut_anywhere(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(line_rows); i++) {
        test_row(line_rows[i].name);
        for (size_t cut = 0; cut <= strlen(line_rows[i].bytes); cut++)
            check_lines(line_rows[i].bytes, line_rows[i].want, cut);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(demux_cut_anywhere),
        cmocka_unit_test(demux_huge_frame),
        cmocka_unit_test(demux_stays_failed),
        cmocka_unit_test(lines_cut_anywhere),
    };
    return cmocka_run_group_tests_name("stream", tests, NULL, NULL);
}
