#include "cli/screen.h"

#include "base/memory.h"
#include "base/plain.h"
#include <sys/ioctl.h>

#define HIDE_CURSOR "\033[?25l"
#define SHOW_CURSOR "\033[?25h"
#define WRAP_OFF "\033[?7l"
#define WRAP_ON "\033[?7h"
#define CLEAR_REST_OF_LINE "\033[K"
#define CLEAR_BELOW "\033[J"

enum { HEIGHT_DEFAULT = 24 };

static void ask_size(struct screen *screen)
{
    struct winsize size = {0};
    if (screen->fixed) {
        screen->size = *screen->fixed;
        return;
    }
    bool known = ioctl(fileno(screen->out), TIOCGWINSZ, &size) == 0;
    screen->size.width = known && size.ws_col ? size.ws_col : SCREEN_EDGE;
    screen->size.height = known && size.ws_row ? size.ws_row : HEIGHT_DEFAULT;
    screen->size.color = getenv("NO_COLOR") == NULL; /* set is enough, even if empty */
}

void screen_init(struct screen *screen, FILE *out, const struct view_screen *fixed)
{
    *screen = (struct screen){.out = out, .fixed = fixed};
    text_init(&screen->lasting, 0);
    text_init(&screen->frame, 0);
    ask_size(screen);
}

void screen_done(struct screen *screen)
{
    if (screen->painted)
        fputs(SHOW_CURSOR, screen->out);
    fflush(screen->out);
    text_done(&screen->lasting);
    text_done(&screen->frame);
}

/* --- Rows. --- */

static void add_toned(const struct screen *screen, struct text *text, enum tone tone,
                      const char *string)
{
    static const char *const codes[] = {
        [TONE_PLAIN] = NULL,         [TONE_GOOD] = "\033[32m", [TONE_BAD] = "\033[31m",
        [TONE_WAITING] = "\033[33m", [TONE_FAINT] = "\033[2m",
    };
    bool toned = screen->size.color && codes[tone] && *string;
    text_add(text, toned ? codes[tone] : "");
    text_add(text, string);
    text_add(text, toned ? "\033[0m" : "");
}

/* The last cell stays free: some terminals wrap when it is written. */
static size_t row_limit(const struct screen *screen)
{
    return screen->size.width > 1 ? screen->size.width - 1 : 1;
}

void row_init(struct row *row, const struct screen *screen)
{
    *row = (struct row){.screen = screen};
    text_init(&row->text, 0);
}

void row_add_padded(struct row *row, enum tone tone, const char *string, size_t width)
{
    size_t left = row_limit(row->screen) - row->width;
    cleanup_text struct text cell;
    text_init(&cell, 0);
    plain_add_padded(&cell, string, width < left ? width : left);
    add_toned(row->screen, &row->text, tone, cell.data);
    row->width += width < left ? width : left;
}

void row_add(struct row *row, enum tone tone, const char *string)
{
    row_add_padded(row, tone, string, plain_width(string));
}

void row_add_right(struct row *row, enum tone tone, const char *string)
{
    size_t limit = row_limit(row->screen);
    size_t edge = limit < SCREEN_EDGE ? limit : SCREEN_EDGE;
    size_t taken = row->width + plain_width(string);
    row_add_padded(row, TONE_PLAIN, "", taken + 2 < edge ? edge - taken : 2);
    row_add(row, tone, string);
}

/* --- Frames. --- */

/* Rows the frame before takes on the screen as it is now. */
static size_t rows_to_go_up(const struct screen *screen)
{
    size_t rows = 0, width = screen->size.width ? screen->size.width : 1;
    for (size_t i = 0; i < screen->rows; i++)
        rows += screen->cells[i] ? (screen->cells[i] + width - 1) / width : 1;
    return rows;
}

size_t screen_begin(struct screen *screen)
{
    ask_size(screen);
    text_clear(&screen->frame);
    text_add(&screen->frame, screen->painted ? "" : HIDE_CURSOR);
    text_add(&screen->frame, WRAP_OFF "\r");
    size_t up = rows_to_go_up(screen);
    if (up)
        text_add_format(&screen->frame, "\033[%zuA", up);
    text_add_bytes(&screen->frame, screen->lasting.data, screen->lasting.length);
    text_clear(&screen->lasting);
    screen->rows = 0;
    size_t height = screen->size.height > 2 ? screen->size.height - 1 : 1;
    return height < SCREEN_ROWS_MAX ? height : SCREEN_ROWS_MAX;
}

void screen_add(struct screen *screen, struct row *row)
{
    if (screen->rows < SCREEN_ROWS_MAX) {
        text_add_bytes(&screen->frame, row->text.data, row->text.length);
        text_add(&screen->frame, CLEAR_REST_OF_LINE "\n");
        screen->cells[screen->rows++] = row->width;
    }
    text_done(&row->text);
}

void screen_end(struct screen *screen)
{
    text_add(&screen->frame, CLEAR_BELOW WRAP_ON);
    fwrite(screen->frame.data, 1, screen->frame.length, screen->out);
    fflush(screen->out);
    screen->painted = true;
}

void screen_keep(struct screen *screen, struct row *row)
{
    text_add_bytes(&screen->lasting, row->text.data, row->text.length);
    text_add(&screen->lasting, CLEAR_REST_OF_LINE "\n");
    text_done(&row->text);
}

/* Long words are wrapped by the terminal, not cut: they are to be read, and copied. */
void screen_keep_words(struct screen *screen, struct row *head, enum tone tone, const char *words)
{
    cleanup_text struct text plain;
    text_init(&plain, 0);
    plain_add(&plain, words);
    text_add(&head->text, WRAP_ON);
    add_toned(screen, &head->text, tone, plain.data);
    text_add(&head->text, WRAP_OFF);
    screen_keep(screen, head);
}
