/*
 * converge.h - what apply, diff and delete share: sources, rails, and one run of the engine.
 */
#ifndef CLI_CONVERGE_H
#define CLI_CONVERGE_H

#include "cli/command.h"
#include "cli/repo_once.h"
#include "cli/session.h"
#include "cli/view.h"
#include "model/load.h"
#include "reconciler/pass.h"

struct converge_options {
    bool prune, no_prune, allow_empty, adopt, dry_run, skip_preflight;
    unsigned allow;                      /* bits 1 << enum change_class */
    uint32_t max_deletions, concurrency; /* 0: not given */
    struct {
        uint32_t max_deletions, concurrency;
    } typed;                 /* the same, before converge_take_rules */
    bool unprotect;          /* of what must not exist */
    enum diff_wish wish;     /* asked for by hand, of all targets */
    uint64_t wait_ms;        /* 0: no deadline over all */
    int output;              /* enum view_output */
    struct repo_choice repo; /* instead of files and folders */
    const char *policy;      /* its file; NULL: the default of where sources are from */
};

/* Choices of --allow, for option tables. */
extern const struct option_choice converge_classes[];

/* Rows of option tables: leave to do what cannot be undone, or may not go well. */
#define CONVERGE_LEAVE                                                                             \
    {.long_name = "prune",                                                                         \
     .help = "delete clusters of this fleet that the sources do not name",                         \
     .kind = OPTION_FLAG,                                                                          \
     .offset = offsetof(struct converge_options, prune)},                                          \
        {.long_name = "allow-empty",                                                               \
         .help = "accept sources without any cluster (with --prune: delete the fleet)",            \
         .kind = OPTION_FLAG,                                                                      \
         .offset = offsetof(struct converge_options, allow_empty)},                                \
        {.long_name = "allow",                                                                     \
         .argument = "CLASS",                                                                      \
         .help = "permit destructive changes: replace-nodes, recreate, delete",                    \
         .kind = OPTION_SET,                                                                       \
         .offset = offsetof(struct converge_options, allow),                                       \
         .choices = converge_classes},                                                             \
    {                                                                                              \
        .long_name = "skip-preflight", .rare = true,                                               \
        .help = "make nodes even if a look at the host says that it cannot go well",               \
        .kind = OPTION_FLAG, .offset = offsetof(struct converge_options, skip_preflight)           \
    }

/* Rows of option tables: what sources may ask for, what a pass may delete, and how much it does at
 * a time. */
#define CONVERGE_RULES                                                                             \
    {.long_name = "policy",                                                                        \
     .argument = "FILE",                                                                           \
     .help = "refuse what this Policy does not allow to clusters",                                 \
     .kind = OPTION_STRING,                                                                        \
     .offset = offsetof(struct converge_options, policy)},                                         \
        {.long_name = "adopt",                                                                     \
         .help = "take over clusters that the sources name and upstream's kind made",              \
         .kind = OPTION_FLAG,                                                                      \
         .offset = offsetof(struct converge_options, adopt)},                                      \
        {.long_name = "no-prune",                                                                  \
         .help = "keep what the sources do not name, also where the Fleet says prune",             \
         .kind = OPTION_FLAG,                                                                      \
         .offset = offsetof(struct converge_options, no_prune)},                                   \
        {.long_name = "max-deletions",                                                             \
         .argument = "N",                                                                          \
         .help = "delete at most so many clusters at once (default 1 or a fifth)",                 \
         .kind = OPTION_NUMBER,                                                                    \
         .offset = offsetof(struct converge_options, max_deletions)},                              \
    {                                                                                              \
        .long_name = "concurrency", .argument = "N",                                               \
        .help = "work on so many clusters at a time (default: one a processor)",                   \
        .kind = OPTION_NUMBER, .offset = offsetof(struct converge_options, concurrency)            \
    }

/*
 * Reads and checks all sources, or the repository, and judges their clusters by the policy.
 * Warnings are told; errors are told one a line and then summed up in *err (ERROR_INVALID).
 */
int converge_load(const struct invocation *invocation, const struct converge_options *options,
                  struct arena *arena, struct fleet_spec *fleet, struct error **err);

/* One a line. */
void converge_tell_problems(const struct invocation *invocation,
                            const struct problem_list *problems);

/* What the Fleet says counts where the options say nothing. */
void converge_take_rules(struct converge_options *options, const struct fleet_spec *fleet);

/*
 * Leaves in *options what was typed, for a command line that is to say the same: without what the
 * Fleet said, and without a secret that stands in the repository's address.
 */
void converge_as_typed(struct arena *arena, struct converge_options *options);

struct rails_options converge_rails(const struct invocation *invocation,
                                    const struct converge_options *options);

/* Looks once at each cluster whose marks the rails must know, and adds them to what was listed. */
void converge_know(struct session *session, struct arena *arena, const struct fleet_spec *desired,
                   const struct invocation *invocation, const struct converge_options *options,
                   struct fleet_state *observed);

/* Desired clusters, and, by the rails, those that are to go. */
void converge_targets(struct arena *arena, const struct fleet_spec *desired,
                      const struct fleet_state *observed, const struct invocation *invocation,
                      const struct converge_options *options, struct pass_plan *plan);

/* How each cluster is driven, by options; and how many are at a time where nobody says. */
struct cycle_options converge_cycle(const struct invocation *invocation,
                                    const struct converge_options *options);
size_t converge_parallel(void);

/* What was typed, for those who wait for us: on one line, and not without end; the caller frees. */
char *converge_command_line(const struct invocation *invocation);

/*
 * Runs all targets; the caller reads the results of *engine and frees it.
 */
enum session_end converge_run(struct session *session, const struct invocation *invocation,
                              const struct converge_options *options, const struct pass_plan *plan,
                              enum session_rule rule, struct engine **engine);

/* Waits for the lock of a fleet, saying who has it: at most wait_ms, or five minutes where that is
 * 0. */
struct lock;
int converge_lock(struct session *session, const struct invocation *invocation, const char *fleet,
                  uint64_t wait_ms, struct lock *lock, struct error **err);

/* Is what left the sources to go? */
bool converge_prunes(const struct converge_options *options);

/* True if every cluster is as desired and nothing was refused. */
bool converge_good(const struct engine *engine);

#endif
