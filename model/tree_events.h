/*
 * tree_events.h - libyaml's events, copied, counted and with readable complaints.
 *
 * libyaml ends here: its event API alone is used, since its own loader accepts
 * cycles, has no depth limit and forgets positions. Internal to tree.c.
 */
#ifndef MODEL_TREE_EVENTS_H
#define MODEL_TREE_EVENTS_H

#include "model/tree.h"
#include <yaml.h>

/* All strings are in the arena of the reader; what does not apply is NULL. */
struct event {
    yaml_event_type_t type;
    struct place place;
    const char *anchor, *tag, *text;
    bool plain;
};

struct event_reader {
    yaml_parser_t parser;
    struct arena *arena;
    struct problem_list *problems;
    const char *file, *bytes;
    size_t length, events;
};

/* In place; arena, problems, file, bytes and length are set by the caller before. */
void events_init(struct event_reader *reader);
void events_done(struct event_reader *reader);

/* The next event, or -1 with a problem: no YAML, or past a limit. */
int events_next(struct event_reader *reader, struct event *event);

/* Add a problem and return -1. */
int events_fail(const struct event_reader *reader, struct place place, const char *message);
int events_fail_limit(const struct event_reader *reader, struct place place, const char *what,
                      size_t limit);

#endif
