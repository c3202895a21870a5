/*
 * view_test.c - one scripted story through each renderer, with a fixed clock and screen.
 *
 * What the live view writes goes through a small terminal, so that the golden
 * file shows what a person sees, frame by frame.
 */
#include "cli/view.h"

#include "base/memory.h"
#include "base/test.h"

/* --- A terminal: just the sequences screen.c uses; anything else fails the test. --- */

enum { TERM_ROWS = 60, TERM_COLUMNS = 200, CELL_BYTES = 8 };

struct terminal {
    char cells[TERM_ROWS][TERM_COLUMNS][CELL_BYTES];
    size_t row, column, width;
    bool wrap;
};

static void terminal_init(struct terminal *terminal, size_t width)
{
    *terminal = (struct terminal){.width = width, .wrap = true};
}

static void clear_from(struct terminal *terminal, size_t row, size_t column)
{
    for (; column < TERM_COLUMNS; column++)
        terminal->cells[row][column][0] = '\0';
}

static void new_line(struct terminal *terminal)
{
    terminal->column = 0;
    terminal->row++;
    assert_in_range(terminal->row, 0, TERM_ROWS - 1);
}

static void put(struct terminal *terminal, const char *bytes, size_t length)
{
    if (terminal->column >= terminal->width) {
        assert_true(terminal->wrap); /* rows of the tree must never reach the edge */
        new_line(terminal);
    }
    char *cell = terminal->cells[terminal->row][terminal->column++];
    memcpy(cell, bytes, length);
    cell[length] = '\0';
}

/* After ESC [: returns how many bytes the sequence took. */
static size_t control(struct terminal *terminal, const char *bytes)
{
    size_t length = strspn(bytes, "?0123456789;");
    unsigned long number = strtoul(bytes, NULL, 10);
    switch (bytes[length]) {
    case 'A':
        assert_in_range(number, 1, terminal->row);
        terminal->row -= number;
        break;
    case 'K':
        clear_from(terminal, terminal->row, terminal->column);
        break;
    case 'J':
        clear_from(terminal, terminal->row, terminal->column);
        for (size_t row = terminal->row + 1; row < TERM_ROWS; row++)
            clear_from(terminal, row, 0);
        break;
    case 'h':
    case 'l':
        if (strncmp(bytes, "?7", length) == 0)
            terminal->wrap = bytes[length] == 'h';
        break;
    case 'm':
        break;
    default:
        fail_msg("a sequence that is not known: ESC [ %.10s", bytes);
    }
    return length + 1;
}

static void terminal_feed(struct terminal *terminal, const char *bytes)
{
    while (*bytes) {
        unsigned char first = (unsigned char)*bytes;
        size_t length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
        if (strncmp(bytes, "\033[", 2) == 0)
            length = 2 + control(terminal, bytes + 2);
        else if (first == '\r')
            terminal->column = 0;
        else if (first == '\n')
            new_line(terminal);
        else
            put(terminal, bytes, length);
        bytes += length;
    }
}

static void terminal_print(const struct terminal *terminal, struct text *text)
{
    for (size_t row = 0; row < terminal->row; row++) {
        size_t blank = 0;
        for (size_t column = 0; column < TERM_COLUMNS; column++) {
            const char *cell = terminal->cells[row][column];
            if (!*cell || *cell == ' ') {
                blank++;
                continue;
            }
            text_add_char(text, ' ', blank);
            text_add(text, cell);
            blank = 0;
        }
        text_add(text, "\n");
    }
}

/* --- The story: three clusters; one goes well, one fails, one goes. --- */

static struct error no_route = {ERROR_UNAVAILABLE,
                                (char *)(uintptr_t) "connect to 172.18.0.2:6443: no route to "
                                                    "host (bo\033[31mgus)"};
static struct error wrapped = {
    ERROR_UNAVAILABLE,
    (char *)(uintptr_t) "bootstrap nightly-control-plane: connect to 172.18.0.2:6443: no "
                        "route to host (bo\033[31mgus)"};

static const struct action create = {
    .kind = ACTION_CREATE_NODE, .subject = "ci-control-plane", .reason = "missing"};
static const struct action image = {
    .kind = ACTION_IMAGE, .subject = "default", .reason = "new cluster"};
static const struct action dns = {.kind = ACTION_DNS, .subject = "ci", .reason = "new cluster"};
static const struct action boot = {
    .kind = ACTION_BOOTSTRAP, .subject = "nightly-control-plane", .reason = "new cluster"};
static const struct action gone = {.kind = ACTION_DELETE_NODE,
                                   .change = CHANGE_DELETE,
                                   .subject = "old-worker",
                                   .reason = "not wanted any more"};

static struct refusal refused = {CHANGE_RECREATE, "networking.podSubnet",
                                 "10.244.0.0/16 -> 10.8.0.0/16; refused: needs --allow recreate"};
static struct action ci_actions[] = {
    {.kind = ACTION_IMAGE, .subject = "default", .reason = "new cluster"},
    {.kind = ACTION_CREATE_NODE, .subject = "ci-control-plane", .reason = "missing"},
    {.kind = ACTION_DNS, .subject = "ci", .reason = "new cluster"}};
static const struct plan ci_plan = {.cluster = "ci", .actions = ci_actions, .count = 3};
static const struct plan held_plan = {.cluster = "calm", .refused = &refused, .refused_count = 1};
static const struct plan empty_plan = {.cluster = "calm"};
static const struct cluster_spec spec = {.name = "ci"};
static const struct node_state nodes[] = {
    {.role = "control-plane"}, {.role = ROLE_BALANCER}, {.role = "worker"}, {.role = "worker"}};
static const struct cluster_state ready = {
    .name = "ci", .nodes = nodes, .node_count = 4, .ready = SEEN_YES, .version = "v1.20.2"};
static const struct cluster_state one = {
    .name = "calm", .nodes = nodes, .node_count = 1, .ready = SEEN_YES, .version = "v1.20.2"};
static const struct cluster_state no_state = {.name = "old"}, not_made = {.name = "docs"};

static const struct {
    uint64_t at_ms;
    struct report report;
} story[] = {
    {0, {.kind = REPORT_NOTE, .text = "fleet 'default' is free"}},
    {0, {.kind = REPORT_PLANNED, .cluster = "ci", .plan = &ci_plan, .total = 3, .desired = &spec}},
    {0,
     {.kind = REPORT_ACTION_BEGINS,
      .cluster = "ci",
      .action = &image,
      .total = 3,
      .desired = &spec}},
    {50,
     {.kind = REPORT_ACTION_ENDS,
      .cluster = "ci",
      .action = &image,
      .done = 1,
      .total = 3,
      .elapsed_ms = 50}},
    {60, {.kind = REPORT_ACTION_BEGINS, .cluster = "ci", .action = &create, .done = 1, .total = 3}},
    {100, {.kind = REPORT_PLANNED, .cluster = "nightly", .total = 11, .desired = &spec}},
    {100,
     {.kind = REPORT_ACTION_BEGINS, .cluster = "nightly", .action = &boot, .done = 7, .total = 11}},
    {150,
     {.kind = REPORT_STEP,
      .cluster = "ci",
      .action = &create,
      .step = "boot",
      .done = 1,
      .total = 3}},
    {200,
     {.kind = REPORT_STEP,
      .cluster = "nightly",
      .action = &boot,
      .step = "wait for the API\nserver",
      .done = 7,
      .total = 11}},
    {200, {.kind = REPORT_PLANNED, .cluster = "calm", .plan = &held_plan, .desired = &spec}},
    {210,
     {.kind = REPORT_SETTLED,
      .cluster = "calm",
      .plan = &held_plan,
      .state = &one,
      .desired = &spec,
      .elapsed_ms = 10}},
    {215,
     {.kind = REPORT_SETTLED,
      .cluster = "docs",
      .plan = &held_plan,
      .state = &not_made,
      .desired = &spec,
      .elapsed_ms = 10}},
    {220,
     {.kind = REPORT_NOTE,
      .cluster = "ci",
      .text = "using kind.local/node:v1.20.2, because the default image is not to be had"}},
    {2150,
     {.kind = REPORT_ACTION_ENDS,
      .cluster = "ci",
      .action = &create,
      .done = 2,
      .total = 3,
      .elapsed_ms = 2090}},
    {2150, {.kind = REPORT_ACTION_BEGINS, .cluster = "ci", .action = &dns, .done = 2, .total = 3}},
    {6100,
     {.kind = REPORT_ACTION_ENDS,
      .cluster = "nightly",
      .action = &boot,
      .failure = &no_route,
      .done = 7,
      .total = 11,
      .elapsed_ms = 6000}},
    {6100,
     {.kind = REPORT_RETRY,
      .cluster = "nightly",
      .failure = &wrapped,
      .wait_ms = 4000,
      .elapsed_ms = 6000}},
    {7000, {.kind = REPORT_PLANNED, .cluster = "old", .total = 2}},
    {7000, {.kind = REPORT_ACTION_BEGINS, .cluster = "old", .action = &gone, .total = 2}},
    {9000,
     {.kind = REPORT_ACTION_ENDS,
      .cluster = "old",
      .action = &gone,
      .done = 1,
      .total = 2,
      .elapsed_ms = 2000}},
    {9000,
     {.kind = REPORT_SETTLED,
      .cluster = "old",
      .plan = &empty_plan,
      .state = &no_state,
      .elapsed_ms = 2000}},
    {12400,
     {.kind = REPORT_ACTION_ENDS,
      .cluster = "ci",
      .action = &dns,
      .done = 3,
      .total = 3,
      .elapsed_ms = 10250}},
    {12400,
     {.kind = REPORT_SETTLED,
      .cluster = "ci",
      .plan = &empty_plan,
      .state = &ready,
      .desired = &spec,
      .elapsed_ms = 12400}},
    {125000,
     {.kind = REPORT_STALLED, .cluster = "nightly", .failure = &wrapped, .elapsed_ms = 124900}},
};

struct stage {
    struct view *view;
    FILE *out;
    char *bytes;
    size_t size;
};

/* 2026-03-01, noon; a quarter of a second later each time. */
static uint64_t wall_ms(void)
{
    static uint64_t now_ms = 1772366400000;
    return now_ms += 250;
}

static void stage_open(struct stage *stage, int output, int verbosity,
                       const struct view_screen *screen)
{
    *stage = (struct stage){0};
    stage->out = open_memstream(&stage->bytes, &stage->size);
    struct view_options options = {
        .output = output,
        .verbosity = verbosity,
        .talk = stage->out,
        .results = stage->out,
        .screen = screen,
        .wall_ms = wall_ms,
    };
    stage->view = view_open(&options);
}

static void stage_tell(struct stage *stage, size_t index)
{
    struct report report = story[index].report;
    report.now_ms = 1000000 + story[index].at_ms;
    view_report(stage->view, &report);
    fflush(stage->out);
}

static void stage_close(struct stage *stage)
{
    view_close(stage->view);
    fclose(stage->out);
}

static void play(int output, int verbosity, const char *golden)
{
    struct stage stage;
    test_row(golden);
    stage_open(&stage, output, verbosity, NULL);
    for (size_t i = 0; i < COUNT_OF(story); i++)
        stage_tell(&stage, i);
    stage_close(&stage);
    assert_null(strchr(stage.bytes, '\033'));
    test_golden(stage.bytes, golden);
    free(stage.bytes);
}

static void lines_tell_the_story(void **state)
{
    (void)state;
    play(VIEW_TEXT, 0, "cli/testdata/view/lines.txt");
    play(VIEW_TEXT, 1, "cli/testdata/view/lines-verbose.txt");
}

static void json_tells_the_story(void **state)
{
    (void)state;
    play(VIEW_JSON, 0, "cli/testdata/view/json.txt");
}

/* What the terminal shows after all that was written so far. */
static char *look(const struct stage *stage, const struct view_screen *screen)
{
    struct terminal terminal;
    cleanup_text struct text text;
    text_init(&text, 0);
    terminal_init(&terminal, screen->width);
    terminal_feed(&terminal, stage->bytes);
    assert_int_equal(terminal.column, 0);
    assert_true(terminal.wrap);
    terminal_print(&terminal, &text);
    return text_take(&text);
}

/* Each report, and a tick a tenth of a second later; frames that differ from the one before. */
static void play_live(const struct view_screen *screen, struct text *frames)
{
    struct stage stage;
    stage_open(&stage, VIEW_TEXT, 0, screen);
    char *last = memory_string("");
    for (size_t i = 0; i < COUNT_OF(story); i++) {
        stage_tell(&stage, i);
        view_tick(stage.view, 1000000 + story[i].at_ms + VIEW_TICK_MS);
        char *frame = look(&stage, screen);
        if (strcmp(frame, last) != 0)
            text_add_format(frames, "--- %llu ms\n%s", (unsigned long long)story[i].at_ms, frame);
        free(last);
        last = frame;
    }
    free(last);
    stage_close(&stage);
    cleanup_free char *end = look(&stage, screen);
    text_add_format(frames, "--- end\n%s", end);
    assert_non_null(strstr(stage.bytes, "\033[?25h"));
    free(stage.bytes);
}

static void live_tells_the_story(void **state)
{
    (void)state;
    static const struct {
        struct view_screen screen;
        const char *golden;
    } screens[] = {
        {{100, 30, true}, "cli/testdata/view/live.txt"},
        {{40, 30, false}, "cli/testdata/view/live-narrow.txt"},
        {{100, 3, false}, "cli/testdata/view/live-low.txt"},
    };
    for (size_t i = 0; i < COUNT_OF(screens); i++) {
        test_row(screens[i].golden);
        cleanup_text struct text frames;
        text_init(&frames, 0);
        play_live(&screens[i].screen, &frames);
        test_golden(frames.data, screens[i].golden);
    }
}

/* However often it is told and ticked within a tenth of a second, it paints once. */
static void live_paints_at_most_ten_times_a_second(void **state)
{
    (void)state;
    static const struct view_screen screen = {80, 24, false};
    struct stage stage;
    stage_open(&stage, VIEW_TEXT, 0, &screen);
    stage_tell(&stage, 1);
    size_t size = stage.size;
    for (uint64_t ms = 1; ms < VIEW_TICK_MS; ms++) {
        stage_tell(&stage, 2);
        view_tick(stage.view, 1000000 + ms);
        fflush(stage.out);
        assert_int_equal(stage.size, size);
    }
    view_tick(stage.view, 1000000 + VIEW_TICK_MS);
    fflush(stage.out);
    assert_true(stage.size > size);
    stage_close(&stage);
    free(stage.bytes);
}

static void failures_say_each_thing_once(void **state)
{
    (void)state;
    static const struct {
        const char *said, *message, *want;
    } rows[] = {
        {NULL, "one word", "one word"},
        {NULL, "reach the engine: no engine answers at unix:///x: connect /x: refused",
         "no engine answers at unix:///x: connect /x: refused"},
        {NULL, "reach the engine: connection closed", "reach the engine: connection closed"},
        {"write kubeconfig", "write the kubeconfig: make folder /x: denied",
         "make folder /x: denied"},
        {"ci", "ci: write kubeconfig: write the kubeconfig: lock /x: denied",
         "write kubeconfig: lock /x: denied"},
        {"ci", "ci-worker: bootstrap: wait for the API: not done after 240 s",
         "ci-worker: bootstrap: wait for the API: not done after 240 s"},
        {"create node", "create the container: the engine says: no such node",
         "create the container: the engine says: no such node"},
        {"boot", "boot", "boot"},
        {NULL, ": x", ": x"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].message);
        cleanup_text struct text text;
        text_init(&text, 0);
        view_add_failure(&text, rows[i].said, rows[i].message);
        test_equal(text.data, rows[i].want);
    }
}

static void a_quiet_view_says_nothing(void **state)
{
    (void)state;
    char *bytes = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&bytes, &size);
    struct view_options options = {.quiet = true, .talk = out, .results = out};
    struct view *view = view_open(&options);
    view_report(view, &story[0].report);
    view_tick(view, 5);
    view_close(view);
    view_close(NULL);
    fclose(out);
    test_equal(bytes, "");
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_tell_the_story),
        cmocka_unit_test(json_tells_the_story),
        cmocka_unit_test(live_tells_the_story),
        cmocka_unit_test(live_paints_at_most_ten_times_a_second),
        cmocka_unit_test(failures_say_each_thing_once),
        cmocka_unit_test(a_quiet_view_says_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
