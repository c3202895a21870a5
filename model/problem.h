/*
 * problem.h - what is wrong with an input, all of it at once.
 *
 * Reading goes on after a problem where it can, so that a user mends a file
 * in one go. A list belongs to an arena and is bounded: what comes after
 * PROBLEM_MAX is only counted.
 */
#ifndef MODEL_PROBLEM_H
#define MODEL_PROBLEM_H

#include "base/arena.h"
#include "base/text.h"
#include <stdbool.h>
#include <stddef.h>

enum { PROBLEM_MAX = 200 };

/* Where something stands: line and column count from 1; 0 is "unknown". */
struct place {
    const char *file;
    unsigned line, column;
};

enum problem_severity { PROBLEM_ERROR, PROBLEM_WARNING };

struct problem {
    enum problem_severity severity;
    struct place place;
    const char *message; /* "networking.podSubnet: ..."; no newline */
};

struct problem_list {
    struct arena *arena;
    struct problem *items;
    size_t count, errors, warnings, untold; /* untold: past PROBLEM_MAX */
};

void problem_list_init(struct problem_list *list, struct arena *arena);

/*
 * Messages become one printable line: controls and broken characters are
 * replaced, and what is very long is cut.
 */
void problem_add(struct problem_list *list, struct place place, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void problem_warn(struct problem_list *list, struct place place, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* What a user wrote, in double quotes, cut to a readable length; in the list's arena. */
const char *problem_quote(struct problem_list *list, const char *string);

/* Orders by file, line, column; keeps the order of equals. */
void problem_list_sort(struct problem_list *list);

/*
 * Prints "file:line:column: error: message\n" for each; what is unknown of the
 * place is left out. A last line tells how many were not kept.
 */
void problem_list_print(const struct problem_list *list, struct text *text);

#endif
