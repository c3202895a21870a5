/*
 * screen.h - the last rows of a terminal, repainted in place, and lines above them that stay.
 *
 * A frame: screen_begin, screen_add for each row, screen_end, which writes it
 * at once over the frame before. Below the last row the cursor waits at the
 * beginning of a line. The terminal is asked for its size at each frame, so
 * no signal handler is needed; a terminal that became narrower has wrapped
 * the rows of the frame before, and that is counted in.
 */
#ifndef CLI_SCREEN_H
#define CLI_SCREEN_H

#include "base/text.h"
#include "cli/view.h"

enum { SCREEN_ROWS_MAX = 200, SCREEN_EDGE = 80 /* wider is harder to read along */ };

/* Colours only say again what the words say. */
enum tone { TONE_PLAIN, TONE_GOOD, TONE_BAD, TONE_WAITING, TONE_FAINT };

struct screen {
    FILE *out;
    const struct view_screen *fixed; /* NULL: ask the terminal */
    struct view_screen size;
    struct text lasting, frame;
    size_t cells[SCREEN_ROWS_MAX]; /* of each row of the frame */
    size_t rows;
    bool painted;
};

void screen_init(struct screen *screen, FILE *out, const struct view_screen *fixed);

/* Shows the cursor again; the last frame stays. */
void screen_done(struct screen *screen);

/* One row, cut to the width of the screen. What is added is made plain. */
struct row {
    const struct screen *screen;
    struct text text;
    size_t width;
};
void row_init(struct row *row, const struct screen *screen);
void row_add(struct row *row, enum tone tone, const char *string);
void row_add_padded(struct row *row, enum tone tone, const char *string, size_t width);
void row_add_right(struct row *row, enum tone tone, const char *string); /* to the right edge */

/* Begins a frame; returns how many rows fit. */
size_t screen_begin(struct screen *screen);
void screen_add(struct screen *screen, struct row *row); /* takes the row's text */
void screen_end(struct screen *screen);

/* Lines above the tree from the next frame on: a row; or words of any length, after a head. */
void screen_keep(struct screen *screen, struct row *row);
void screen_keep_words(struct screen *screen, struct row *head, enum tone tone, const char *words);

#endif
