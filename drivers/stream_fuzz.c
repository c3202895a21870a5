/*
 * stream_fuzz.c - any bytes, cut anywhere: no crash, and the cuts make no difference.
 *
 * The first byte is the length of the pieces, the second the limit.
 */
#include "drivers/stream.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void join(void *context, const char *line, size_t length)
{
    text_add_bytes(context, line, length);
    text_add_char(context, '\n', 1);
}

static void read_lines(struct text *lines, size_t limit, const char *bytes, size_t length,
                       size_t piece)
{
    struct line_reader reader;
    line_reader_init(&reader, limit, join, lines);
    for (size_t at = 0; at < length; at += piece)
        line_reader_feed(&reader, bytes + at, length - at < piece ? length - at : piece);
    line_reader_end(&reader);
    line_reader_done(&reader);
}

static int read_frames(struct demux *demux, const char *bytes, size_t length, size_t piece)
{
    int status = 0;
    for (size_t at = 0; at < length && status == 0; at += piece) {
        cleanup_error struct error *err = NULL;
        size_t part = length - at < piece ? length - at : piece;
        status = demux_feed(demux, bytes + at, part, &err);
        assert((status == 0) == !err);
    }
    return status;
}

static void check_same(const struct text *left, const struct text *right)
{
    assert(left->length == right->length);
    assert(memcmp(left->data, right->data, left->length) == 0);
}

static void check_lines(const char *bytes, size_t length, size_t piece, size_t limit)
{
    struct text whole cleanup_text, pieces cleanup_text;
    text_init(&whole, 0);
    text_init(&pieces, 0);
    read_lines(&whole, limit, bytes, length, length ? length : 1);
    read_lines(&pieces, limit, bytes, length, piece);
    check_same(&whole, &pieces);
}

static void check_frames(const char *bytes, size_t length, size_t piece, size_t limit)
{
    struct demux whole, pieces;
    demux_init(&whole, limit);
    demux_init(&pieces, limit);
    int status = read_frames(&whole, bytes, length, length ? length : 1);
    assert(read_frames(&pieces, bytes, length, piece) == status);
    check_same(&whole.out, &pieces.out);
    check_same(&whole.err, &pieces.err);
    assert(whole.out.length <= limit && whole.err.length <= limit);
    demux_done(&whole);
    demux_done(&pieces);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    size_t piece = data[0] ? data[0] : 1, limit = data[1] ? data[1] : 1;
    const char *bytes = (const char *)data + 2;
    check_lines(bytes, size - 2, piece, limit);
    check_frames(bytes, size - 2, piece, limit);
    return 0;
}
