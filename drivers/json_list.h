/*
 * json_list.h - a long JSON list, element by element.
 *
 * A list of thousands of containers as one tree costs many times what its text does, most of it
 * for taking the tree apart again. Here only one element is a tree at any time. What is wrong with
 * the text behind an element shows when that is reached.
 */
#ifndef DRIVERS_JSON_LIST_H
#define DRIVERS_JSON_LIST_H

#include "base/error.h"
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* Begins as {.at = text, .end = text + length}. */
struct json_list {
    const char *at, *end;
    bool begun;
};

/*
 * True with the next element in *element (own reference). False at the end; then *err is set
 * (ERROR_UNAVAILABLE, in words about the text) unless it was a list and all of it was read.
 */
bool json_list_next(struct json_list *list, json_t **element, struct error **err);

#endif
