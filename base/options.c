#include "base/options.h"

#include "base/duration.h"
#include "base/memory.h"
#include "base/nearest.h"
#include <assert.h>
#include <ctype.h>
#include <getopt.h>
#include <limits.h>

/* Values getopt_long returns for long options lie above every character. */
enum { LONG_BASE = 256, WORD_CODE = 1, SHORT_NAMES_MAX = 2 + 2 * OPTIONS_MAX + 12 };

struct parser {
    const struct option_spec *specs[OPTIONS_MAX];
    void *targets[OPTIONS_MAX];
    size_t count;
    struct option longs[OPTIONS_MAX + 1];
    char shorts[SHORT_NAMES_MAX];
    size_t shorts_length;
    int argc;
    char **argv;
    int at;          /* index of the word getopt is reading */
    size_t counting; /* 1 + index of the COUNT option whose digits may follow in the cluster */
    bool counting_digits;
    bool unknown; /* the error is about an option no table has */
};

static bool wants_value(enum option_kind kind)
{
    return kind != OPTION_FLAG && kind != OPTION_COUNT && kind != OPTION_OPTIONAL_DURATION;
}

static void add_short(struct parser *parser, char c)
{
    if (parser->shorts_length + 1 < sizeof(parser->shorts))
        parser->shorts[parser->shorts_length++] = c;
}

static void add_spec(struct parser *parser, const struct option_spec *spec, void *target)
{
    size_t index = parser->count++;
    parser->specs[index] = spec;
    parser->targets[index] = target;
    parser->longs[index] = (struct option){
        .name = spec->long_name,
        .has_arg = wants_value(spec->kind) ? required_argument : optional_argument,
        .val = LONG_BASE + (int)index,
    };
    if (spec->short_name) {
        add_short(parser, spec->short_name);
        if (wants_value(spec->kind))
            add_short(parser, ':');
    }
    /* "-v3" and "-v=3": digits are let through here and checked in take_digit. */
    for (const char *c = spec->kind == OPTION_COUNT ? "=0123456789" : ""; *c; c++)
        add_short(parser, *c);
}

/* order: '-' hands out words where they stand, '+' stops at the first one. */
static void parser_init(struct parser *parser, const struct option_table *tables,
                        size_t table_count, char order)
{
    add_short(parser, order);
    add_short(parser, ':'); /* tell a missing value from an unknown option; print nothing */
    for (size_t i = 0; i < table_count; i++)
        for (const struct option_spec *spec = tables[i].specs; spec && spec->long_name; spec++)
            if (parser->count < OPTIONS_MAX)
                add_spec(parser, spec, tables[i].target);
    opterr = 0;
    optind = 0; /* glibc: begin anew */
}

static int unknown_option(struct parser *parser, struct error **err)
{
    parser->unknown = true;
    if (optopt > 0 && optopt < LONG_BASE)
        return error_set(err, ERROR_INVALID, "unknown option -%c", optopt);
    cleanup_free char *name = memory_string(parser->argv[parser->at]);
    name[strcspn(name, "=")] = '\0';
    struct nearest nearest = {.word = name + 2};
    for (size_t i = 0; i < parser->count; i++)
        nearest_offer(&nearest, parser->specs[i]->long_name);
    if (nearest.best)
        return error_set(err, ERROR_INVALID, "unknown option %s, did you mean --%s?", name,
                         nearest.best);
    return error_set(err, ERROR_INVALID, "unknown option %s", name);
}

static size_t spec_index(const struct parser *parser, int code)
{
    if (code >= LONG_BASE)
        return (size_t)(code - LONG_BASE);
    size_t index = 0;
    while (index < parser->count && parser->specs[index]->short_name != code)
        index++;
    return index;
}

static int missing_value(const struct parser *parser, struct error **err)
{
    size_t index = spec_index(parser, optopt);
    assert(index < parser->count);
    const struct option_spec *spec = parser->specs[index];
    return error_set(err, ERROR_INVALID, "option --%s needs a value: --%s %s", spec->long_name,
                     spec->long_name, spec->argument ? spec->argument : "VALUE");
}

static const struct option_choice *choice_find(const struct option_spec *spec, const char *name,
                                               size_t length)
{
    for (const struct option_choice *choice = spec->choices; choice->name; choice++)
        if (strlen(choice->name) == length && memcmp(choice->name, name, length) == 0)
            return choice;
    return NULL;
}

static int wrong_choice(const struct option_spec *spec, const char *name, size_t length,
                        struct error **err)
{
    cleanup_free char *list = memory_string("");
    for (const struct option_choice *choice = spec->choices; choice->name; choice++) {
        const char *joint = choice == spec->choices ? "" : choice[1].name ? ", " : " or ";
        char *longer = memory_format("%s%s%s", list, joint, choice->name);
        free(list);
        list = longer;
    }
    return error_set(err, ERROR_INVALID, "\"%.*s\" is not one of %s", (int)length, name, list);
}

static int set_flag(bool *field, const char *value, struct error **err)
{
    static const char *const on[] = {"true", "TRUE", "True", "t", "T", "1"};
    static const char *const off[] = {"false", "FALSE", "False", "f", "F", "0"};
    for (size_t i = 0; i < COUNT_OF(on); i++) {
        if (!value || strcmp(value, on[i]) == 0 || strcmp(value, off[i]) == 0) {
            *field = !value || strcmp(value, on[i]) == 0;
            return 0;
        }
    }
    return error_set(err, ERROR_INVALID, "\"%s\" is neither true nor false", value);
}

static bool all_digits(const char *string)
{
    return string && *string && strspn(string, "0123456789") == strlen(string);
}

static int set_count(int *field, const char *value, struct error **err)
{
    if (!all_digits(value) || strlen(value) > 9)
        return error_set(err, ERROR_INVALID, "\"%s\" is not a number", value);
    *field = (int)strtol(value, NULL, 10);
    return 0;
}

static int set_number(uint32_t *field, const char *value, struct error **err)
{
    enum { NUMBER_MAX = 10000 };
    assert(value);
    unsigned long number = all_digits(value) && strlen(value) <= 9 ? strtoul(value, NULL, 10) : 0;
    if (number < 1 || number > NUMBER_MAX)
        return error_set(err, ERROR_INVALID, "\"%s\" is not a number from 1 to %d", value,
                         NUMBER_MAX);
    *field = (uint32_t)number;
    return 0;
}

static int set_string_in_list(struct option_strings *field, const char *value, struct error **err)
{
    if (field->count == OPTION_STRINGS_MAX)
        return error_set(err, ERROR_INVALID, "given more than %d times", OPTION_STRINGS_MAX);
    field->items[field->count++] = value;
    return 0;
}

static int set_choice(const struct option_spec *spec, int *field, const char *value,
                      struct error **err)
{
    assert(value); /* only flags and counts stand without */
    const struct option_choice *choice = choice_find(spec, value, strlen(value));
    if (!choice)
        return wrong_choice(spec, value, strlen(value), err);
    *field = choice->value;
    return 0;
}

static int set_bits(const struct option_spec *spec, unsigned *field, const char *value,
                    struct error **err)
{
    for (const char *name = value;;) {
        size_t length = strcspn(name, ",");
        const struct option_choice *choice = choice_find(spec, name, length);
        if (!choice)
            return wrong_choice(spec, name, length, err);
        *field |= 1u << choice->value;
        if (!name[length])
            return 0;
        name += length + 1;
    }
}

static int set_field(const struct option_spec *spec, void *target, const char *value,
                     struct error **err)
{
    void *field = (char *)target + spec->offset;
    switch (spec->kind) {
    case OPTION_FLAG:
        return set_flag(field, value, err);
    case OPTION_COUNT:
        if (value)
            return set_count(field, value, err);
        *(int *)field += 1;
        return 0;
    case OPTION_NUMBER:
        return set_number(field, value, err);
    case OPTION_STRING:
        *(const char **)field = value;
        return 0;
    case OPTION_STRINGS:
        return set_string_in_list(field, value, err);
    case OPTION_DURATION:
        return duration_parse(value, field, err);
    case OPTION_OPTIONAL_DURATION:
        if (value)
            return duration_parse(value, field, err);
        *(uint64_t *)field = spec->fallback_ms;
        return 0;
    case OPTION_CHOICE:
        return set_choice(spec, field, value, err);
    case OPTION_SET:
        return set_bits(spec, field, value, err);
    }
    return 0;
}

static int set_option(const struct parser *parser, size_t index, const char *value,
                      struct error **err)
{
    const struct option_spec *spec = parser->specs[index];
    if (set_field(spec, parser->targets[index], value, err) == 0)
        return 0;
    return error_wrap(err, "--%s", spec->long_name);
}

/* A character of "3" or "=3" that follows -v in one cluster. */
static int take_digit(struct parser *parser, int c, struct error **err)
{
    if (parser->counting == 0 || (c == '=' && parser->counting_digits)) {
        optopt = c;
        return unknown_option(parser, err);
    }
    size_t index = parser->counting - 1;
    int *field = (int *)(void *)((char *)parser->targets[index] + parser->specs[index]->offset);
    if (!parser->counting_digits)
        *field = 0;
    parser->counting_digits = true;
    if (c != '=' && *field < INT_MAX / 100)
        *field = *field * 10 + (c - '0');
    return 0;
}

/* getopt takes an abbreviation; we do not. */
static bool written_out(const struct parser *parser, size_t index)
{
    const char *name = parser->specs[index]->long_name;
    const char *word = parser->argv[parser->at] + 2;
    size_t length = strlen(name);
    return strncmp(word, name, length) == 0 && (word[length] == '\0' || word[length] == '=');
}

static int take_count(struct parser *parser, size_t index, bool is_short, struct error **err)
{
    const char *value = optarg;
    parser->counting = is_short ? index + 1 : 0;
    parser->counting_digits = false;
    /* Inside a cluster argv[optind] is the cluster itself, which is no number. */
    if (!value && optind < parser->argc && all_digits(parser->argv[optind]))
        value = parser->argv[optind++];
    return set_option(parser, index, value, err);
}

static int take_option(struct parser *parser, int code, struct error **err)
{
    if (code == '?')
        return unknown_option(parser, err);
    if (code == ':')
        return missing_value(parser, err);
    if (code == '=' || (code < LONG_BASE && isdigit(code)))
        return take_digit(parser, code, err);
    size_t index = spec_index(parser, code);
    assert(index < parser->count);
    bool is_short = code < LONG_BASE;
    if (!is_short && !written_out(parser, index)) {
        optopt = 0;
        return unknown_option(parser, err);
    }
    if (parser->specs[index]->kind == OPTION_COUNT)
        return take_count(parser, index, is_short, err);
    parser->counting = 0;
    const char *value = optarg;
    if (is_short && value && value != parser->argv[optind - 1] && value[0] == '=')
        value++; /* "-n=x" */
    return set_option(parser, index, value, err);
}

/* Returns getopt_long's answer, with parser->at at the word it read. */
static int next_code(struct parser *parser)
{
    parser->at = optind ? optind : 1;
    return getopt_long(parser->argc, parser->argv, parser->shorts, parser->longs, NULL);
}

int options_parse(const struct option_table *tables, size_t table_count, int argc, char **argv,
                  const char **words, size_t *ret_word_count, struct error **err)
{
    struct parser parser = {.argc = argc, .argv = argv};
    parser_init(&parser, tables, table_count, '-');
    size_t count = 0;
    int code;
    while ((code = next_code(&parser)) != -1) {
        if (code == WORD_CODE)
            words[count++] = optarg;
        else if (take_option(&parser, code, err) < 0)
            return -1;
    }
    while (optind < argc) /* after "--" */
        words[count++] = argv[optind++];
    *ret_word_count = count;
    return 0;
}

int options_parse_until_word(const struct option_table *tables, size_t table_count, int argc,
                             char **argv, enum options_unknown unknown, struct error **err)
{
    struct parser parser = {.argc = argc, .argv = argv};
    parser_init(&parser, tables, table_count, '+');
    int code;
    while ((code = next_code(&parser)) != -1) {
        if (take_option(&parser, code, err) == 0)
            continue;
        if (!parser.unknown || unknown == OPTIONS_REFUSE_UNKNOWN)
            return -1;
        error_free(*err);
        *err = NULL;
        return parser.at;
    }
    return optind;
}
