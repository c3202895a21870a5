#include "drivers/stream.h"

#include "base/memory.h"

enum { FRAME_STDIN, FRAME_STDOUT, FRAME_STDERR, FRAME_SYSTEM_ERROR };

void demux_init(struct demux *demux, size_t tail_bytes)
{
    *demux = (struct demux){.tail_bytes = tail_bytes};
    text_init(&demux->out, tail_bytes);
    text_init(&demux->err, tail_bytes);
}

void demux_done(struct demux *demux)
{
    text_done(&demux->out);
    text_done(&demux->err);
}

/* A quarter at a time, so that a long output in tiny pieces is not moved at each of them. */
static void drop_front(struct text *tail, size_t tail_bytes)
{
    size_t drop = tail_bytes / 4 ? tail_bytes / 4 : 1;
    memmove(tail->data, tail->data + drop, tail->length - drop + 1);
    tail->length -= drop;
}

/* What is kept depends on the bytes alone, not on how they were cut into pieces. */
static void tail_add(struct text *tail, size_t tail_bytes, const char *bytes, size_t length)
{
    while (tail_bytes && length) {
        if (tail->length == tail_bytes)
            drop_front(tail, tail_bytes);
        size_t room = tail_bytes - tail->length;
        size_t part = length < room ? length : room;
        text_add_bytes(tail, bytes, part);
        bytes += part;
        length -= part;
    }
}

/* The engine's own client shows frames of stdin, too: as output. */
static struct text *tail_of(struct demux *demux)
{
    return demux->type == FRAME_STDIN || demux->type == FRAME_STDOUT ? &demux->out : &demux->err;
}

static int parse_header(struct demux *demux, struct error **err)
{
    const unsigned char *header = demux->header;
    if (header[0] > FRAME_SYSTEM_ERROR || header[1] || header[2] || header[3])
        return error_set(err, ERROR_INVALID,
                         "output stream: not a frame header: %02x %02x %02x %02x", header[0],
                         header[1], header[2], header[3]);
    demux->type = header[0];
    demux->left = (uint32_t)header[4] << 24 | (uint32_t)header[5] << 16 | (uint32_t)header[6] << 8 |
                  (uint32_t)header[7];
    demux->header_length = 0;
    return 0;
}

int demux_feed(struct demux *demux, const char *bytes, size_t length, struct error **err)
{
    while (length) {
        size_t part;
        if (demux->left) {
            part = length < demux->left ? length : demux->left;
            tail_add(tail_of(demux), demux->tail_bytes, bytes, part);
            demux->left -= (uint32_t)part;
        } else {
            size_t missing = sizeof(demux->header) - demux->header_length;
            part = length < missing ? length : missing;
            memcpy(demux->header + demux->header_length, bytes, part);
            demux->header_length += part;
        }
        bytes += part;
        length -= part;
        if (demux->header_length == sizeof(demux->header) && parse_header(demux, err) != 0)
            return -1;
    }
    return 0;
}

void line_reader_init(struct line_reader *reader, size_t line_bytes_max,
                      void (*on_line)(void *context, const char *line, size_t length),
                      void *context)
{
    *reader = (struct line_reader){
        .line_bytes_max = line_bytes_max, .on_line = on_line, .context = context};
    text_init(&reader->line, line_bytes_max);
}

void line_reader_done(struct line_reader *reader)
{
    text_done(&reader->line);
}

static void add_to_line(struct line_reader *reader, const char *bytes, size_t length)
{
    text_add_bytes(&reader->line, bytes, length);
    reader->dropping = reader->line.overflow;
}

/* The text's own NUL ends the line, which is why a '\r' is overwritten. */
static void finish_line(struct line_reader *reader)
{
    struct text *line = &reader->line;
    if (!reader->dropping && line->length && line->data[line->length - 1] == '\r')
        line->data[--line->length] = '\0';
    reader->on_line(reader->context, line->data, line->length);
    text_clear(line);
    reader->dropping = false;
}

void line_reader_feed(struct line_reader *reader, const char *bytes, size_t length)
{
    while (length) {
        const char *newline = memchr(bytes, '\n', length);
        size_t part = newline ? (size_t)(newline - bytes) : length;
        add_to_line(reader, bytes, part);
        if (newline) {
            finish_line(reader);
            part++;
        }
        bytes += part;
        length -= part;
    }
}

void line_reader_end(struct line_reader *reader)
{
    if (!reader->line.length)
        return;
    reader->on_line(reader->context, reader->line.data, reader->line.length);
    text_clear(&reader->line);
    reader->dropping = false;
}
