/*
 * fake_selector.h - label and field selectors of the cluster API.
 */
#ifndef DRIVERS_FAKE_SELECTOR_H
#define DRIVERS_FAKE_SELECTOR_H

#include <jansson.h>
#include <stdbool.h>

/* Both are comma lists of "k=v", "k!=v", and for labels "k" and "!k"; NULL matches all. */
bool fake_selector_matches(const json_t *object, const char *labels, const char *fields);

#endif
