/*
 * view_result.h - what is printed when the work is done: results, on stdout.
 *
 * The table of `kind diff`, the sum of `kind apply`, and both as JSON.
 */
#ifndef CLI_VIEW_RESULT_H
#define CLI_VIEW_RESULT_H

#include "base/text.h"
#include "cli/command.h"
#include "reconciler/engine.h"
#include "reconciler/rails.h"

/*
 * The plans as a table, the most important of each cluster first, and a line
 * that sums them up and says how to apply them (by the invocation's options).
 */
void view_plans(struct text *text, const struct engine *engine,
                const struct rails_verdicts *verdicts, const struct invocation *invocation);

/* What came of it: what was refused, how many are as described. */
void view_outcome(struct text *text, const struct engine *engine,
                  const struct rails_verdicts *verdicts, const struct invocation *invocation);

/*
 * One line: {"type":"result","clusters":[{"cluster":..,"outcome":"settled","plan":{..},
 * "state":{..},"failure":{"kind":..,"message":..}}],"unwanted":[{"cluster":..,"removed":..,
 * "asked":..,"reason":..}]}; what there is none of is null.
 */
void view_result_json(struct text *text, const struct engine *engine,
                      const struct rails_verdicts *verdicts, const struct invocation *invocation);

/* The same over plain arrays. The invocations' options are struct converge_options. */
struct view_results {
    const struct engine_result *items;
    size_t count;
    const struct rails_verdicts *verdicts; /* NULL: none */
    const struct common_options *common;   /* what was given; NULL: nothing */
    const struct option_table *given;      /* the command's own; NULL: nothing */
    bool prune;                            /* what left the sources is to go */
};
void view_results_plans(struct text *text, const struct view_results *results);
void view_results_outcome(struct text *text, const struct view_results *results);
void view_results_json(struct text *text, const struct view_results *results);

/*
 * Clusters that stay because nobody asked for their end, in one line: sources
 * may well be a part of the fleet. Where somebody did, each has a row of its own.
 */
void view_results_others(struct text *text, const struct view_results *results);

#endif
