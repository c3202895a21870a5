/*
 * view.h - what people and machines see while clusters are worked on.
 *
 * A view is fed with reports (reconciler/report.h) and ticked with the time;
 * only the time of day that JSON shows is asked for here. Three renderers: a live tree on a
 * terminal, a line an event elsewhere, JSON lines for machines. Strings from outside are made plain
 * before they are shown.
 *
 *     struct view *view = view_open(&options);
 *     engine_options.report = view_report, engine_options.report_context = view;
 *     ... view_tick(view, now_ms) every VIEW_TICK_MS while the loop runs ...
 *     view_close(view);
 */
#ifndef CLI_VIEW_H
#define CLI_VIEW_H

#include "base/options.h"
#include "base/text.h"
#include "reconciler/report.h"
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum { VIEW_TICK_MS = 100 };

enum view_output { VIEW_TEXT, VIEW_JSON };

/* Choices of -o for commands that have a view: json. */
extern const struct option_choice view_outputs[];

/* How a terminal looks. */
struct view_screen {
    size_t width, height; /* in cells */
    bool color;
};

struct view_options {
    int output;    /* enum view_output: JSON goes to results */
    bool quiet;    /* nothing to talk; JSON is a result and stays */
    int verbosity; /* from 1 on a line an event, which goes well between lines of a log */
    FILE *talk, *results;
    const struct view_screen *screen; /* for tests: a live view of this size; NULL: look at talk */
    uint64_t (*wall_ms)(void);        /* for tests: Unix time; NULL: the system's */
};

struct view;

struct view *view_open(const struct view_options *options);

/*
 * A report_told; context is the view. A REPORT_NOTE without a cluster is a
 * word of the program itself, shown above the tree.
 */
void view_report(void *context, const struct report *report);

/* Paints what moves by itself: elapsed seconds. Cheap when called too often. */
void view_tick(struct view *view, uint64_t now_ms);

/* Leaves the final lines, and the cursor as it was. NULL is fine. */
void view_close(struct view *view);

/*
 * A renderer: one way to show reports. tick and close may be NULL. The object
 * that new makes is freed by free.
 */
struct view_renderer {
    void *(*open)(FILE *out, const struct view_options *options);
    void (*report)(void *renderer, const struct report *report);
    void (*tick)(void *renderer, uint64_t now_ms);
    void (*close)(void *renderer);
};
extern const struct view_renderer view_live, view_lines, view_json;

/* What the JSON events are called and what they hold, in words; by report_kind, ended by NULL. */
struct view_event {
    const char *type, *fields;
};
extern const struct view_event view_events[];

/* Words that all renderers share. */

/* "12.4 s", "2 min 5 s". */
void view_add_seconds(struct text *text, uint64_t ms);

/* "create node ci-worker"; the cluster's own actions without its name: "cluster DNS". */
void view_add_action(struct text *text, const char *cluster, const struct action *action);

/*
 * What a settled cluster is: "Ready", "not Ready", "not made", "gone", "stopped", "suspended",
 * "unknown"; and more about it: "3 nodes, 1 refused", why it is left alone, or "".
 */
const char *view_settled_word(const struct report *report);
void view_add_settled(struct text *text, const struct report *report);

/* How many nodes of Kubernetes there are: all containers but the load balancer. */
size_t view_node_count(const struct cluster_state *state);

/*
 * A failure for people. Its message says where it happened, from outside to
 * inside: "ci: write kubeconfig: write the kubeconfig: make folder x: ...".
 * Each thing is said once; what was said before it counts ("write kubeconfig"; or NULL).
 */
void view_add_failure(struct text *text, const char *said, const char *message);

/* "2026-03-01T12:00:00", in UTC; what follows, "Z" at least, is the caller's. */
void view_add_time(struct text *text, uint64_t unix_s);

#endif
