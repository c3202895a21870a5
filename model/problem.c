#include "model/problem.h"

#include "base/memory.h"
#include "base/plain.h"
#include <stdarg.h>

/* A message fits a screen line or three; what a user wrote may be much longer. */
enum { MESSAGE_WIDTH_MAX = 600, QUOTE_WIDTH_MAX = 60 };

void problem_list_init(struct problem_list *list, struct arena *arena)
{
    *list = (struct problem_list){.arena = arena};
}

const char *problem_quote(struct problem_list *list, const char *string)
{
    cleanup_text struct text text;
    text_init(&text, 0);
    text_add(&text, "\"");
    plain_add_cut(&text, string, QUOTE_WIDTH_MAX);
    text_add(&text, "\"");
    return arena_string(list->arena, text.data);
}

static void add(struct problem_list *list, enum problem_severity severity, struct place place,
                const char *format, va_list arguments) __attribute__((format(printf, 4, 0)));

static void add(struct problem_list *list, enum problem_severity severity, struct place place,
                const char *format, va_list arguments)
{
    if (severity == PROBLEM_ERROR)
        list->errors++;
    else
        list->warnings++;
    if (list->count == PROBLEM_MAX) {
        list->untold++;
        return;
    }
    cleanup_text struct text raw, text;
    text_init(&raw, 0);
    text_init(&text, 0);
    text_add_list(&raw, format, arguments);
    plain_add_cut(&text, raw.data, MESSAGE_WIDTH_MAX);
    list->items = arena_grow(list->arena, list->items, list->count, sizeof(*list->items));
    list->items[list->count++] =
        (struct problem){severity, place, arena_string(list->arena, text.data)};
}

void problem_add(struct problem_list *list, struct place place, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    add(list, PROBLEM_ERROR, place, format, arguments);
    va_end(arguments);
}

void problem_warn(struct problem_list *list, struct place place, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    add(list, PROBLEM_WARNING, place, format, arguments);
    va_end(arguments);
}

static int place_order(const struct place *a, const struct place *b)
{
    int order = strcmp(a->file ? a->file : "", b->file ? b->file : "");
    if (order)
        return order;
    if (a->line != b->line)
        return a->line < b->line ? -1 : 1;
    return a->column == b->column ? 0 : a->column < b->column ? -1 : 1;
}

/* By insertion: stable, and the list is short. */
void problem_list_sort(struct problem_list *list)
{
    for (size_t i = 1; i < list->count; i++) {
        struct problem moving = list->items[i];
        size_t slot = i;
        for (; slot && place_order(&moving.place, &list->items[slot - 1].place) < 0; slot--)
            list->items[slot] = list->items[slot - 1];
        list->items[slot] = moving;
    }
}

static void print_place(const struct place *place, struct text *text)
{
    if (!place->file)
        return;
    plain_add(text, place->file);
    if (place->line)
        text_add_format(text, ":%u", place->line);
    if (place->line && place->column)
        text_add_format(text, ":%u", place->column);
    text_add(text, ": ");
}

void problem_list_print(const struct problem_list *list, struct text *text)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct problem *problem = &list->items[i];
        print_place(&problem->place, text);
        text_add(text, problem->severity == PROBLEM_ERROR ? "error: " : "warning: ");
        text_add(text, problem->message);
        text_add(text, "\n");
    }
    if (list->untold)
        text_add_format(text, "and %zu more, not shown\n", list->untold);
}
