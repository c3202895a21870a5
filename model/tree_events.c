#include "model/tree_events.h"

#include <stdio.h>

static struct place place_of(const struct event_reader *reader, yaml_mark_t mark)
{
    return (struct place){reader->file, (unsigned)mark.line + 1, (unsigned)mark.column + 1};
}

/* For reader errors, which tell an offset in bytes and no mark. */
static struct place place_at_offset(const struct event_reader *reader, size_t offset)
{
    struct place place = {reader->file, 1, 1};
    size_t end = offset < reader->length ? offset : reader->length;
    size_t i = end >= 3 && memcmp(reader->bytes, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
    for (; i < end; i++) {
        unsigned char byte = (unsigned char)reader->bytes[i];
        bool crlf = byte == '\r' && i + 1 < reader->length && reader->bytes[i + 1] == '\n';
        if (byte == '\n' || (byte == '\r' && !crlf)) {
            place.line++;
            place.column = 1;
        } else if ((byte & 0xC0) != 0x80) {
            place.column++;
        }
    }
    return place;
}

/* True if a tab stands among the blanks that begin this line (counted from 0). */
static bool indented_by_tab(const struct event_reader *reader, size_t line)
{
    const char *at = reader->bytes, *end = at + reader->length;
    for (; line && at < end; line--) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        at = newline ? newline + 1 : end;
    }
    while (at < end && (*at == ' ' || *at == '-'))
        at++;
    return at < end && *at == '\t';
}

/* What a libyaml message usually means for who wrote the text. */
static const struct {
    const char *part, *hint;
} hints[] = {
    {"mapping values are not allowed",
     "quote a value that holds ': ', or check the indentation of this line"},
    {"could not find expected ':'", "is a ':' missing after a key, or a quote not closed?"},
    {"did not find expected key", "check the indentation of this line"},
    {"did not find expected '-' indicator", "check the indentation of this line"},
    {"found unexpected end of stream", "a quote is never closed"},
    {"did not find expected ',' or", "a comma or a closing bracket is missing"},
    {"cannot start any token", "quote a value that begins with this character"},
    {"incompatible YAML document", "%YAML may be 1.1 or 1.2"},
    {"undefined tag handle", "quote a value that begins with '!'"},
};

static const char *find_hint(const struct event_reader *reader)
{
    const yaml_parser_t *parser = &reader->parser;
    if (indented_by_tab(reader, parser->problem_mark.line))
        return "; tabs cannot indent YAML, use blanks";
    for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++) {
        if (strstr(parser->problem, hints[i].part))
            return arena_format(reader->arena, "; %s", hints[i].hint);
    }
    return "";
}

static void report_reader(const struct event_reader *reader)
{
    const yaml_parser_t *parser = &reader->parser;
    struct place place = place_at_offset(reader, parser->problem_offset);
    problem_add(reader->problems, place, "not readable as text: %s (0x%02X)", parser->problem,
                (unsigned)parser->problem_value);
}

static void report_syntax(const struct event_reader *reader)
{
    const yaml_parser_t *parser = &reader->parser;
    if (parser->error == YAML_MEMORY_ERROR)
        abort();
    if (parser->error == YAML_READER_ERROR) {
        report_reader(reader);
        return;
    }
    const char *context = "";
    if (parser->context && parser->context_mark.line != parser->problem_mark.line)
        context = arena_format(reader->arena, " %s that begins at %zu:%zu", parser->context,
                               parser->context_mark.line + 1, parser->context_mark.column + 1);
    problem_add(reader->problems, place_of(reader, parser->problem_mark), "not valid YAML: %s%s%s",
                parser->problem, context, find_hint(reader));
}

int events_fail(const struct event_reader *reader, struct place place, const char *message)
{
    problem_add(reader->problems, place, "%s", message);
    return -1;
}

int events_fail_limit(const struct event_reader *reader, struct place place, const char *what,
                      size_t limit)
{
    problem_add(reader->problems, place, "too much for one file: more than %zu %s", limit, what);
    return -1;
}

static const char *copy(const struct event_reader *reader, const yaml_char_t *string)
{
    return arena_string(reader->arena, (const char *)string);
}

/* Takes what the event holds into ours. A scalar is bounded and free of NULs afterwards. */
static int take_scalar(const struct event_reader *reader, const yaml_event_t *raw,
                       struct event *event)
{
    const char *value = (const char *)raw->data.scalar.value;
    size_t length = raw->data.scalar.length;
    event->anchor = copy(reader, raw->data.scalar.anchor);
    event->tag = copy(reader, raw->data.scalar.tag);
    event->plain = raw->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    if (length > TREE_SCALAR_BYTES_MAX)
        return events_fail_limit(reader, event->place, "bytes in one value", TREE_SCALAR_BYTES_MAX);
    if (memchr(value, '\0', length))
        return events_fail(reader, event->place, "a value holds a NUL character (\\0)");
    event->text = arena_string_n(reader->arena, value, length);
    return 0;
}

static int take_event(const struct event_reader *reader, const yaml_event_t *raw,
                      struct event *event)
{
    *event = (struct event){.type = raw->type, .place = place_of(reader, raw->start_mark)};
    if (raw->type == YAML_SCALAR_EVENT)
        return take_scalar(reader, raw, event);
    if (raw->type == YAML_ALIAS_EVENT) {
        event->anchor = copy(reader, raw->data.alias.anchor);
    } else if (raw->type == YAML_SEQUENCE_START_EVENT) {
        event->anchor = copy(reader, raw->data.sequence_start.anchor);
        event->tag = copy(reader, raw->data.sequence_start.tag);
    } else if (raw->type == YAML_MAPPING_START_EVENT) {
        event->anchor = copy(reader, raw->data.mapping_start.anchor);
        event->tag = copy(reader, raw->data.mapping_start.tag);
    }
    return 0;
}

int events_next(struct event_reader *reader, struct event *event)
{
    yaml_event_t raw;
    if (!yaml_parser_parse(&reader->parser, &raw)) {
        report_syntax(reader);
        return -1;
    }
    int result = take_event(reader, &raw, event);
    yaml_event_delete(&raw);
    if (result == 0 && ++reader->events > TREE_EVENTS_MAX)
        return events_fail_limit(reader, event->place, "YAML events", TREE_EVENTS_MAX);
    return result;
}

void events_init(struct event_reader *reader)
{
    reader->events = 0;
    if (!yaml_parser_initialize(&reader->parser))
        abort();
    yaml_parser_set_input_string(&reader->parser, (const unsigned char *)reader->bytes,
                                 reader->length);
}

void events_done(struct event_reader *reader)
{
    yaml_parser_delete(&reader->parser);
}
