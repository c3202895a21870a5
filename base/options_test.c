#include "base/options.h"

#include "base/memory.h"
#include "base/test.h"
#include "base/text.h"

struct sample {
    bool flag, other;
    int count, choice;
    const char *string;
    struct option_strings list;
    uint64_t duration_ms, wait_ms;
    unsigned set;
    uint32_t number;
};

static const struct option_choice formats[] = {{"json", 1}, {"wide", 2}, {"name", 3}, {NULL, 0}};
static const struct option_choice classes[] = {
    {"live", 0}, {"replace-nodes", 2}, {"delete", 4}, {NULL, 0}};

#define FIELD(name) offsetof(struct sample, name)

static const struct option_spec specs[] = {
    {.short_name = 'a', .long_name = "all", .kind = OPTION_FLAG, .offset = FIELD(flag)},
    {.short_name = 'b', .long_name = "both", .kind = OPTION_FLAG, .offset = FIELD(other)},
    {.short_name = 'n',
     .long_name = "name",
     .argument = "NAME",
     .kind = OPTION_STRING,
     .offset = FIELD(string)},
    {.short_name = 'f',
     .long_name = "filename",
     .argument = "SOURCE",
     .kind = OPTION_STRINGS,
     .offset = FIELD(list)},
    {.long_name = "timeout",
     .argument = "DURATION",
     .kind = OPTION_DURATION,
     .offset = FIELD(duration_ms)},
    {.long_name = "number", .argument = "N", .kind = OPTION_NUMBER, .offset = FIELD(number)},
    {.long_name = "wait",
     .argument = "DURATION",
     .kind = OPTION_OPTIONAL_DURATION,
     .offset = FIELD(wait_ms),
     .fallback_ms = 300000},
    {.short_name = 'o',
     .long_name = "output",
     .kind = OPTION_CHOICE,
     .offset = FIELD(choice),
     .choices = formats},
    {.long_name = "allow",
     .argument = "CLASS",
     .kind = OPTION_SET,
     .offset = FIELD(set),
     .choices = classes},
    {0},
};

static const struct option_spec common_specs[] = {
    {.short_name = 'v',
     .long_name = "verbosity",
     .argument = "N",
     .kind = OPTION_COUNT,
     .offset = FIELD(count)},
    {0},
};

enum { WORDS_MAX = 100 };

/* Splits at spaces; the words are those of line. */
static int split(char *line, char **argv)
{
    int argc = 0;
    argv[argc++] = line;
    for (char *c = line; *c; c++)
        if (*c == ' ') {
            *c = '\0';
            argv[argc++] = c + 1;
        }
    argv[argc] = NULL;
    return argc;
}

static void print(const struct sample *sample, const char **words, size_t count, struct text *text)
{
    text_add(text, sample->flag ? "all " : "");
    text_add(text, sample->other ? "both " : "");
    if (sample->count)
        text_add_format(text, "v%d ", sample->count);
    if (sample->choice)
        text_add_format(text, "o%d ", sample->choice);
    if (sample->string)
        text_add_format(text, "n=%s ", sample->string);
    for (size_t i = 0; i < sample->list.count; i++)
        text_add_format(text, "f=%s ", sample->list.items[i]);
    if (sample->duration_ms)
        text_add_format(text, "t=%llu ", (unsigned long long)sample->duration_ms);
    if (sample->wait_ms)
        text_add_format(text, "w=%llu ", (unsigned long long)sample->wait_ms);
    if (sample->set)
        text_add_format(text, "set=%x ", sample->set);
    if (sample->number)
        text_add_format(text, "number=%u ", sample->number);
    for (size_t i = 0; i < count; i++)
        text_add_format(text, "[%s]", words[i]);
}

static void parse(const char *line, struct text *text)
{
    cleanup_free char *copy = memory_format("x %s", line);
    char *argv[WORDS_MAX];
    const char *words[WORDS_MAX];
    int argc = split(copy, argv);
    struct sample sample = {0};
    size_t count = 0;
    const struct option_table tables[] = {{specs, &sample}, {common_specs, &sample}};
    cleanup_error struct error *err = NULL;
    if (options_parse(tables, 2, argc, argv, words, &count, &err) == 0) {
        print(&sample, words, count, text);
    } else {
        assert_int_equal(err->kind, ERROR_INVALID);
        text_add_format(text, "! %s", err->message);
    }
}

static const struct {
    const char *line, *want;
} rows[] = {
    {"one two", "[one][two]"},
    {"-a", "all "},
    {"--all -b", "all both "},
    {"-ab", "all both "},
    {"--all=false", ""},
    {"--all=true", "all "},
    {"--all=maybe", "! --all: \"maybe\" is neither true nor false"},
    {"one -a two -b three", "all both [one][two][three]"},
    {"one -- -a --bogus", "[one][-a][--bogus]"},
    {"-", "[-]"},
    {"-f -", "f=- "},
    {"-n x", "n=x "},
    {"-nx", "n=x "},
    {"-n=x", "n=x "},
    {"-n =x", "n==x "},
    {"--name x", "n=x "},
    {"--name=x", "n=x "},
    {"--name=", "n= "},
    {"--name==", "n== "},
    {"-an x y", "all n=x [y]"},
    {"--name --all", "n=--all "},
    {"--name a --name b", "n=b "},
    {"-f a -f b --filename=c", "f=a f=b f=c "},
    {"-v", "v1 "},
    {"-v -v", "v2 "},
    {"-vvv", "v3 "},
    {"-v 3", "v3 "},
    {"-v3", "v3 "},
    {"-v=3", "v3 "},
    {"-v12", "v12 "},
    {"-v 3 x", "v3 [x]"},
    {"-v x 3", "v1 [x][3]"},
    {"-av 2", "all v2 "},
    {"-va", "all v1 "},
    {"-vf x", "v1 f=x "},
    {"--verbosity", "v1 "},
    {"--verbosity=2", "v2 "},
    {"--verbosity 2", "v2 "},
    {"--verbosity=x", "! --verbosity: \"x\" is not a number"},
    {"-a3", "! unknown option -3"},
    {"-a=x", "! unknown option -="},
    {"--timeout 1m30s", "t=90000 "},
    {"--timeout=500ms", "t=500 "},
    {"--timeout 5", "! --timeout: missing unit in duration \"5\"; write for example 30s or 5m"},
    {"--timeout -5s", "! --timeout: duration \"-5s\" is negative"},
    {"--wait", "w=300000 "},
    {"--wait=5m", "w=300000 "},
    {"--wait=1h", "w=3600000 "},
    {"--wait 5m", "w=300000 [5m]"},
    {"--wait=", "! --wait: \"\" is not a duration such as 1m30s"},
    {"--number 7", "number=7 "},
    {"--number=10000", "number=10000 "},
    {"--number 0", "! --number: \"0\" is not a number from 1 to 10000"},
    {"--number 10001", "! --number: \"10001\" is not a number from 1 to 10000"},
    {"--number=-1", "! --number: \"-1\" is not a number from 1 to 10000"},
    {"--number=", "! --number: \"\" is not a number from 1 to 10000"},
    {"--number", "! option --number needs a value: --number N"},
    {"-o json", "o1 "},
    {"-owide", "o2 "},
    {"--output=name", "o3 "},
    {"-o yaml", "! --output: \"yaml\" is not one of json, wide or name"},
    {"--allow delete", "set=10 "},
    {"--allow live,delete", "set=11 "},
    {"--allow live --allow replace-nodes", "set=5 "},
    {"--allow live,,delete", "! --allow: \"\" is not one of live, replace-nodes or delete"},
    {"--allow recreate", "! --allow: \"recreate\" is not one of live, replace-nodes or delete"},
    {"--nmae x", "! unknown option --nmae, did you mean --name?"},
    {"--file x", "! unknown option --file, did you mean --filename?"},
    {"--fil=x", "! unknown option --fil, did you mean --filename?"},
    {"--xyzzy=1", "! unknown option --xyzzy"},
    {"-x", "! unknown option -x"},
    {"-ax", "! unknown option -x"},
    {"--name", "! option --name needs a value: --name NAME"},
    {"-n", "! option --name needs a value: --name NAME"},
    {"-o", "! option --output needs a value: --output VALUE"},
};

static void parses_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].line);
        cleanup_text struct text text;
        text_init(&text, 0);
        parse(rows[i].line, &text);
        test_equal(text.data, rows[i].want);
    }
}

static void bounds_a_list(void **state)
{
    (void)state;
    cleanup_text struct text line, text;
    text_init(&line, 0);
    text_init(&text, 0);
    for (int i = 0; i < OPTION_STRINGS_MAX + 1; i++)
        text_add(&line, i ? " -fx" : "-fx");
    parse(line.data, &text);
    test_equal(text.data, "! --filename: given more than 64 times");
}

/* The index of the first word, or the error. */
static void until_word(const char *line, enum options_unknown unknown, struct text *text)
{
    cleanup_free char *copy = memory_format("x %s", line);
    char *argv[WORDS_MAX];
    int argc = split(copy, argv);
    struct sample sample = {0};
    const struct option_table table = {specs, &sample};
    cleanup_error struct error *err = NULL;
    int at = options_parse_until_word(&table, 1, argc, argv, unknown, &err);
    if (at < 0)
        text_add_format(text, "! %s", err->message);
    else
        text_add_format(text, "%d of %d", at, argc);
}

static void stops_at_the_first_word(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        enum options_unknown unknown;
        const char *want;
    } stops[] = {
        {"get -a", OPTIONS_REFUSE_UNKNOWN, "1 of 3"},
        {"-a -n x get", OPTIONS_REFUSE_UNKNOWN, "4 of 5"},
        {"-a", OPTIONS_REFUSE_UNKNOWN, "2 of 2"},
        {"--bogus get", OPTIONS_REFUSE_UNKNOWN, "! unknown option --bogus"},
        {"-a --bogus get", OPTIONS_STOP_AT_UNKNOWN, "2 of 4"},
        {"--output=x", OPTIONS_STOP_AT_UNKNOWN,
         "! --output: \"x\" is not one of json, wide or name"},
    };
    for (size_t i = 0; i < COUNT_OF(stops); i++) {
        test_row(stops[i].line);
        cleanup_text struct text text;
        text_init(&text, 0);
        until_word(stops[i].line, stops[i].unknown, &text);
        test_equal(text.data, stops[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses_rows),
        cmocka_unit_test(bounds_a_list),
        cmocka_unit_test(stops_at_the_first_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
