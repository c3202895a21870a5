/*
 * stream.h - parsers of what the engine sends piece by piece.
 *
 * Pure and incremental: pieces may be cut at any byte. Both are fuzzed.
 */
#ifndef DRIVERS_STREAM_H
#define DRIVERS_STREAM_H

#include "base/error.h"
#include "base/text.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Multiplexed output of exec and logs without a TTY: frames of an 8-byte
 * header [type,0,0,0,length big endian] and bytes. Collects stdout and stderr
 * up to a limit each, keeping the last bytes (the tail matters).
 */
struct demux {
    struct text out, err; /* tails: at most tail_bytes of each */
    size_t tail_bytes;
    unsigned char header[8];
    size_t header_length;
    uint32_t left;
    int type;
};

void demux_init(struct demux *demux, size_t tail_bytes);
void demux_done(struct demux *demux);

/* Feeds a piece. Fails (ERROR_INVALID) on a header no engine sends. */
int demux_feed(struct demux *demux, const char *bytes, size_t length, struct error **err);

/*
 * Lines of a stream (JSON messages of pulls and events, log lines): calls
 * on_line for each complete line without its "\r\n" or "\n". A line longer
 * than the limit is cut there and the rest of it dropped.
 */
struct line_reader {
    struct text line;
    size_t line_bytes_max;
    bool dropping;
    void (*on_line)(void *context, const char *line, size_t length);
    void *context;
};

void line_reader_init(struct line_reader *reader, size_t line_bytes_max,
                      void (*on_line)(void *context, const char *line, size_t length),
                      void *context);
void line_reader_feed(struct line_reader *reader, const char *bytes, size_t length);
void line_reader_end(struct line_reader *reader); /* what is left is a last line */
void line_reader_done(struct line_reader *reader);

#endif
