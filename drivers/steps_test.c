/*
 * The interpreter of step tables over a scripted transport and a virtual clock. What rows and the
 * script do is written into a log, one word each, which the tests compare.
 */
#include "base/memory.h"
#include "base/test.h"
#include "base/text.h"
#include "drivers/fake_transport.h"
#include "drivers/steps.h"

struct story {
    struct flow flow; /* first: rows get it */
    struct op op;
    struct fake_transport transport;
    struct text log;
    const struct step *steps;
    const char
        *exec; /* what inspects say: '0' to '9' exit code, 'r' running, 'n' no code, '!' 404 */
    size_t inspects, endings, released;
    bool failing; /* requests below /bad fail */
};

static struct story *story_of(struct flow *flow)
{
    return (struct story *)(void *)flow;
}

static void say(struct story *story, const char *word)
{
    text_add_format(&story->log, "%s%s", story->log.length ? " " : "", word);
}

static void ended(struct op *op, struct error *failure)
{
    struct story *story = (struct story *)(void *)((char *)op - offsetof(struct story, op));
    story->endings++;
    assert_null(op->running);
    text_add_format(&story->log, "%s-> %s%s%s", story->log.length ? " " : "",
                    failure ? error_kind_name(failure->kind) : "ok", failure ? ": " : "",
                    failure ? failure->message : "");
    error_free(failure);
}

static void step_begins(struct op *op, const char *name)
{
    say((struct story *)(void *)((char *)op - offsetof(struct story, op)), name);
}

static void release(struct flow *flow)
{
    story_of(flow)->released++;
    arena_free(flow->arena);
}

/* A frame of an exec's stream. */
#define FRAME(kind, length, text) kind "\0\0\0\0\0\0" length text

static struct fake_answer inspected(struct story *story)
{
    static const char *const bodies[] = {
        "{\"Running\":false,\"ExitCode\":0}", "{\"Running\":false,\"ExitCode\":1}",
        "{\"Running\":false,\"ExitCode\":2}", "{\"Running\":true,\"ExitCode\":null}",
        "{\"Running\":false,\"ExitCode\":null}"};
    char what = story->exec[story->inspects];
    story->inspects += story->exec[story->inspects + 1] != '\0';
    if (what == '!')
        return (struct fake_answer){.status = 404, .body = "{\"message\":\"gone\"}"};
    return (struct fake_answer){.status = 200,
                                .body = bodies[what == 'r'   ? 3
                                               : what == 'n' ? 4
                                                             : what - '0']};
}

static bool is_path(const struct request *request, const char *path)
{
    return strcmp(request->url, path) == 0;
}

static bool answer_request(void *context, const struct request *request, struct fake_answer *answer)
{
    struct story *story = context;
    const char *path = strstr(request->url, "/v1") + 3;
    text_add_format(&story->log, " %s%s", request->method[0] == 'G' ? "" : request->method, path);
    *answer = (struct fake_answer){.status = 200, .body = path, .delay_ms = 10};
    if (strstr(path, "/bad"))
        *answer = (struct fake_answer){.failure = ERROR_UNAVAILABLE, .message = "no answer"};
    if (strstr(path, "/late"))
        answer->delay_ms = 1000000;
    if (is_path(request, "http://e/v1/containers/c/exec"))
        *answer = (struct fake_answer){.status = 201, .body = "{\"Id\":\"x\"}"};
    if (is_path(request, "http://e/v1/containers/gone/exec"))
        *answer = (struct fake_answer){.status = 404, .body = "{}"};
    if (is_path(request, "http://e/v1/containers/odd/exec"))
        *answer = (struct fake_answer){.status = 201, .body = "{\"Id\":7}"};
    if (is_path(request, "http://e/v1/exec/x/start"))
        *answer = (struct fake_answer){
            .status = 200,
            .body = FRAME("\1", "\3", "out") FRAME("\2", "\3", "err"),
            .length = 22,
        };
    if (is_path(request, "http://e/v1/exec/x/json"))
        *answer = inspected(story);
    return true;
}

/* --- rows --- */

static enum step_status done(struct flow *flow, const struct answer *answer, struct error **err)
{
    (void)flow, (void)answer, (void)err;
    return STEP_DONE;
}

static enum step_status fails(struct flow *flow, const struct answer *answer, struct error **err)
{
    (void)flow, (void)answer;
    error_set(err, ERROR_CONFLICT, "it must");
    return STEP_FAILED;
}

/* Asks for the path that is the row's data, `turns` times. */
static enum step_status asks(struct flow *flow, const struct answer *answer, struct error **err)
{
    (void)err;
    if (answer && answer->failure)
        say(story_of(flow), "(heard)");
    if (flow->turn == 2 || (answer && answer->failure))
        return STEP_DONE;
    flow_send(flow, "GET", flow_row_data(flow), NULL);
    return STEP_WAITING;
}

/* Not true before the third look. */
static enum step_status polls(struct flow *flow, const struct answer *answer, struct error **err)
{
    (void)err;
    if (!answer) {
        flow_send(flow, "GET", "/poll", NULL);
        return STEP_WAITING;
    }
    flow->waiting_for = "the third";
    return flow->tries < 2 ? STEP_AGAIN : STEP_DONE;
}

static enum step_status never(struct flow *flow, const struct answer *answer, struct error **err)
{
    (void)answer, (void)err;
    flow->waiting_for = "what never comes";
    return STEP_AGAIN;
}

static enum step_status runs(struct flow *flow, const struct answer *answer, struct error **err)
{
    (void)err;
    static const char *const argv[] = {"true", NULL};
    if (!answer) {
        flow_exec(flow, flow_row_data(flow), argv);
        return STEP_WAITING;
    }
    if (answer->failure)
        text_add(&story_of(flow)->log, " (heard)");
    else
        text_add_format(&story_of(flow)->log, " (%.*s %d)", (int)answer->length, answer->body,
                        answer->exit_code);
    return STEP_DONE;
}

static const struct step simple[] = {{"one", done, 1000}, {"two", done, 1000}, {0}};
static const struct step failing[] = {{"one", done, 1000}, {"two", fails, 1000}, {0}};
static const struct step asking[] = {
    {"ask", asks, 1000, .data = "/a"}, {"more", asks, 1000, .data = "/b"}, {0}};
static const struct step refused[] = {{"ask", asks, 1000, .data = "/bad"}, {0}};
static const struct step tolerant[] = {
    {"ask", asks, 1000, .data = "/bad", .tolerant = true}, {"more", asks, 1000, .data = "/b"}, {0}};
static const struct step polling[] = {{"poll", polls, 1000, .poll_ms = 100}, {0}};
static const struct step slow[] = {{"poll", polls, 150, .poll_ms = 100}, {0}};
static const struct step hopeless[] = {{"wait", never, 5000, .poll_ms = 100}, {0}};
static const struct step late[] = {{"ask", asks, 2000, .data = "/late"}, {0}};
static const struct step running[] = {{"run", runs, 60000, .data = "c"}, {0}};
static const struct step gone[] = {{"run", runs, 60000, .data = "gone"}, {0}};
static const struct step odd[] = {{"run", runs, 60000, .data = "odd"}, {0}};
static const struct step gone_tolerant[] = {{"run", runs, 60000, .data = "gone", .tolerant = true},
                                            {0}};
static const struct step all[] = {
    {"one", done, 1000},
    {"ask", asks, 1000, .data = "/a"},
    {"poll", polls, 1000, .poll_ms = 100},
    {"run", runs, 60000, .data = "c"},
    {"ask", asks, 1000, .data = "/bad", .tolerant = true},
    {0},
};

#define EXEC "POST/containers/c/exec POST/exec/x/start"
#define LOOK " /exec/x/json"
#define UNKNOWN "-> conflict: run: the command's exit code is not known: "

static const struct {
    const char *name;
    const struct step *steps;
    const char *exec, *want;
} rows[] = {
    {"rows in order", simple, "", "one two -> ok"},
    {"a row fails", failing, "", "one two -> conflict: two: it must"},
    {"turns", asking, "", "ask /a /a more /b /b -> ok"},
    {"no answer", refused, "", "ask /bad -> unavailable: ask: /engine: no answer"},
    {"no answer, tolerant", tolerant, "", "ask /bad (heard) more /b /b -> ok"},
    {"polls", polling, "", "poll /poll /poll /poll -> ok"},
    {"deadline between polls", slow, "",
     "poll /poll /poll -> timeout: poll: not done after 0 s: the third"},
    {"deadline names what was waited for", hopeless, "",
     "wait -> timeout: wait: not done after 5 s: what never comes"},
    {"deadline in a request", late, "", "ask /late -> timeout: ask: not done after 2 s"},
    {"a command", running, "0", "run " EXEC LOOK " (outerr 0) -> ok"},
    {"a command that fails", running, "2", "run " EXEC LOOK " (outerr 2) -> ok"},
    {"the stream ends before the code is known", running, "rrr1",
     "run " EXEC LOOK LOOK LOOK LOOK " (outerr 1) -> ok"},
    {"ended, but no code yet", running, "nn0", "run " EXEC LOOK LOOK LOOK " (outerr 0) -> ok"},
    {"the engine forgot it", running, "!", "run " EXEC LOOK " " UNKNOWN "{\"message\":\"gone\"}"},
    {"the container is gone", gone, "",
     "run POST/containers/gone/exec -> conflict: run: the engine did not run the command: {}"},
    {"the container is gone, tolerant", gone_tolerant, "",
     "run POST/containers/gone/exec (heard) -> ok"},
    {"an odd id", odd, "",
     "run POST/containers/odd/exec -> unavailable: run: the engine did not run the command: "
     "{\"Id\":7}"},
    {"all", all, "r1",
     "one ask /a /a poll /poll /poll /poll run " EXEC LOOK LOOK
     " (outerr 1) ask /bad (heard) -> ok"},
};

static void begin(struct story *story, const struct step *steps, const char *exec)
{
    *story = (struct story){.exec = exec, .steps = steps};
    text_init(&story->log, 0);
    fake_transport_init(&story->transport, NULL);
    story->transport.script = answer_request;
    story->transport.script_context = story;
    story->op = (struct op){.ended = ended, .step = step_begins};
    story->flow = (struct flow){
        .transport = &story->transport.transport,
        .unix_path = "/engine",
        .base_url = "http://e/v1",
        .op = &story->op,
        .arena = arena_new(),
        .steps = steps,
        .release = release,
    };
    flow_begin(&story->flow);
    assert_int_equal(story->endings, 0); /* never before the call has returned */
}

static void end(struct story *story)
{
    for (size_t turns = 0; fake_transport_turn(&story->transport); turns++)
        assert_true(turns < 10000);
    assert_int_equal(story->endings, 1);
    assert_int_equal(story->released, 1);
    assert_true(fake_transport_idle(&story->transport));
    text_done(&story->log);
}

static void tells_stories(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        for (size_t piece = 0; piece < 3; piece++) {
            struct story story;
            test_row(rows[i].name);
            begin(&story, rows[i].steps, rows[i].exec);
            story.transport.piece_bytes = piece;
            while (fake_transport_turn(&story.transport))
                ;
            test_equal(story.log.data, rows[i].want);
            end(&story);
        }
    }
}

/* A command that runs for ever is asked for no more than so often, then it is a failure. */
static void inspects_are_bounded(void **state)
{
    (void)state;
    static const struct step patient[] = {{"run", runs, 24 * 3600 * 1000, .data = "c"}, {0}};
    struct story story;
    begin(&story, patient, "r");
    while (fake_transport_turn(&story.transport))
        ;
    assert_non_null(strstr(story.log.data, UNKNOWN));
    assert_true(story.transport.requests < 300);
    end(&story);
}

enum interrupt { DRAIN, CANCEL, DRAIN_THEN_CANCEL };

/* False if it had ended before. */
static bool interrupted(const struct step *steps, const char *exec, enum interrupt how,
                        size_t moment)
{
    struct story story;
    begin(&story, steps, exec);
    while (moment-- && fake_transport_turn(&story.transport))
        ;
    bool running_yet = story.endings == 0;
    size_t requests = story.transport.requests;
    if (running_yet && how != CANCEL)
        flow_drain(&story.flow);
    if (running_yet && how != DRAIN)
        flow_cancel(&story.flow);
    assert_true(how == DRAIN || story.endings == 1);
    while (fake_transport_turn(&story.transport))
        ;
    if (running_yet && how != DRAIN) {
        assert_int_equal(story.transport.requests, requests);
        assert_non_null(strstr(story.log.data, "-> canceled: canceled"));
    } else if (running_yet) {
        bool canceled = strstr(story.log.data, "-> canceled: stopped before '") != NULL;
        assert_true(canceled || strstr(story.log.data, "-> "));
    }
    end(&story);
    return running_yet;
}

static void interrupted_at_every_moment(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].name);
        for (enum interrupt how = DRAIN; how <= DRAIN_THEN_CANCEL; how++)
            for (size_t moment = 0; interrupted(rows[i].steps, rows[i].exec, how, moment);)
                assert_true(++moment < 1000);
    }
}

/* Draining lets a step end that has begun, but not one that only polls. */
static void drains(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        const struct step *steps;
        const char *until, *want; /* drained once the log says so */
    } drain_rows[] = {
        {"a step with requests", asking, "ask /a", "ask /a /a -> canceled: stopped before 'more'"},
        {"the last step", asking, "ask /a /a more /b", "ask /a /a more /b /b -> ok"},
        {"a poll", polling, "poll /poll", "poll /poll -> canceled: stopped before 'poll'"},
        {"a command", running, "run POST/containers/c/exec",
         "run " EXEC LOOK LOOK " (outerr 0) -> ok"},
        {"a command without its code", running, "run " EXEC LOOK,
         "run " EXEC LOOK LOOK " (outerr 0) -> ok"},
    };
    for (size_t i = 0; i < COUNT_OF(drain_rows); i++) {
        struct story story;
        test_row(drain_rows[i].name);
        begin(&story, drain_rows[i].steps, "r0");
        while (strcmp(story.log.data, drain_rows[i].until) != 0)
            assert_true(fake_transport_turn(&story.transport));
        flow_drain(&story.flow);
        while (fake_transport_turn(&story.transport))
            ;
        test_equal(story.log.data, drain_rows[i].want);
        end(&story);
    }
}

/* A stream that is not framed ends the command with what was wrong. */
static bool answer_oddly(void *context, const struct request *request, struct fake_answer *answer)
{
    bool known = answer_request(context, request, answer);
    if (is_path(request, "http://e/v1/exec/x/start"))
        *answer = (struct fake_answer){.status = 200, .body = "\7 this is no frame at all"};
    return known;
}

static bool answer_refusing(void *context, const struct request *request,
                            struct fake_answer *answer)
{
    bool known = answer_request(context, request, answer);
    if (is_path(request, "http://e/v1/exec/x/start"))
        *answer = (struct fake_answer){.status = 409, .body = "paused"};
    return known;
}

static void commands_that_do_not_start(void **state)
{
    (void)state;
    static const struct {
        fake_script *script;
        const char *want;
    } odd_rows[] = {
        {answer_oddly, "-> invalid: run: output stream: not a frame header"},
        {answer_refusing, "-> conflict: run: the engine did not start the command: paused"},
    };
    for (size_t i = 0; i < COUNT_OF(odd_rows); i++) {
        struct story story;
        begin(&story, running, "0");
        story.transport.script = odd_rows[i].script;
        while (fake_transport_turn(&story.transport))
            ;
        if (!strstr(story.log.data, odd_rows[i].want))
            test_equal(story.log.data, odd_rows[i].want);
        end(&story);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_stories),
        cmocka_unit_test(inspects_are_bounded),
        cmocka_unit_test(interrupted_at_every_moment),
        cmocka_unit_test(drains),
        cmocka_unit_test(commands_that_do_not_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
