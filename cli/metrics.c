#include "cli/metrics.h"

#include "base/memory.h"
#include "cli/conditions.h"

void metrics_add_label_value(struct text *text, const char *value)
{
    for (; *value; value++) {
        if (*value == '\n')
            text_add(text, "\\n");
        else if (*value == '\\' || *value == '"')
            text_add_format(text, "\\%c", *value);
        else
            text_add_char(text, *value, 1);
    }
}

/* --- Lines. --- */

struct label {
    const char *name, *value;
};

enum metric_type { COUNTER, GAUGE, HISTOGRAM };

static void family(struct text *text, const char *name, enum metric_type type, const char *help)
{
    static const char *const types[] = {
        [COUNTER] = "counter", [GAUGE] = "gauge", [HISTOGRAM] = "histogram"};
    text_add_format(text, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, types[type]);
}

/* Labels end with a row without a name; NULL: there are none. */
static void add_labels(struct text *text, const struct label *labels)
{
    for (size_t i = 0; labels && labels[i].name; i++) {
        text_add_format(text, "%s%s=\"", i ? "," : "{", labels[i].name);
        metrics_add_label_value(text, labels[i].value ? labels[i].value : "");
        text_add(text, "\"");
    }
    text_add(text, labels && labels[0].name ? "}" : "");
}

static void sample(struct text *text, const char *name, const struct label *labels, double value)
{
    text_add(text, name);
    add_labels(text, labels);
    text_add_format(text, " %.15g\n", value);
}

static void sample_count(struct text *text, const char *name, const struct label *labels,
                         uint64_t value)
{
    text_add(text, name);
    add_labels(text, labels);
    text_add_format(text, " %llu\n", (unsigned long long)value);
}

static void one(struct text *text, const char *name, enum metric_type type, const char *help,
                double value)
{
    family(text, name, type, help);
    sample(text, name, NULL, value);
}

/* label: one more, beside "le"; without a name: none. */
static void histogram(struct text *text, const char *name, struct label label,
                      const struct status_histogram *values)
{
    cleanup_free char *bucket = memory_format("%s_bucket", name);
    cleanup_free char *sum = memory_format("%s_sum", name);
    cleanup_free char *count = memory_format("%s_count", name);
    const struct label own[] = {label, {NULL, NULL}};
    uint64_t below = 0;
    for (size_t i = 0; i <= STATUS_BUCKETS; i++) {
        bool last = i == STATUS_BUCKETS;
        cleanup_free char *limit =
            last ? memory_string("+Inf") : memory_format("%g", status_bucket_limits_s[i]);
        const struct label le = {"le", limit};
        const struct label labels[] = {
            label.name ? label : le, label.name ? le : (struct label){0}, {NULL, NULL}};
        below = last ? values->count : below + values->buckets[i];
        sample_count(text, bucket, labels, below);
    }
    sample(text, sum, own, values->sum_s);
    sample_count(text, count, own, values->count);
}

/* --- Families. --- */

static void add_rounds(struct text *text, const struct status_totals *totals)
{
    family(text, "kind_reconcile_total", COUNTER,
           "Rounds that came to an end, by how: success, error (tried again), stalled (given up).");
    for (enum status_result result = STATUS_SUCCESS; result <= STATUS_GIVEN_UP; result++)
        sample_count(text, "kind_reconcile_total",
                     (const struct label[]){{"result", status_result_name(result)}, {0}},
                     totals->rounds[result]);
    family(text, "kind_reconcile_duration_seconds", HISTOGRAM,
           "From the plan of a round to its end.");
    histogram(text, "kind_reconcile_duration_seconds", (struct label){0}, &totals->round_seconds);
    one(text, "kind_reconcile_queue_depth", GAUGE, "Clusters that wait for their turn.",
        (double)totals->queue_depth);
    one(text, "kind_reconcile_active", GAUGE, "Clusters that are being worked on.",
        (double)totals->working);
}

/* Only actions that were carried out yet: there are many kinds. */
static void add_actions(struct text *text, const struct status_totals *totals)
{
    family(text, "kind_action_duration_seconds", HISTOGRAM, "Actions, however they ended.");
    for (int kind = 0; kind < ACTION_KINDS; kind++)
        if (totals->action_seconds[kind].count)
            histogram(text, "kind_action_duration_seconds",
                      (struct label){"action", action_kind_name((enum action_kind)kind)},
                      &totals->action_seconds[kind]);
    family(text, "kind_action_failures_total", COUNTER, "Actions that failed.");
    for (int kind = 0; kind < ACTION_KINDS; kind++)
        if (totals->action_seconds[kind].count)
            sample_count(
                text, "kind_action_failures_total",
                (const struct label[]){{"action", action_kind_name((enum action_kind)kind)}, {0}},
                totals->action_failures[kind]);
}

static enum seen condition(const struct cluster_status *cluster, enum condition_type type)
{
    switch (type) {
    case CONDITION_SYNCED:
        return cluster->synced;
    case CONDITION_READY:
        return cluster->ready;
    case CONDITION_STALLED:
        return cluster->stalled;
    }
    return SEEN_UNKNOWN;
}

static void add_conditions(struct text *text, const struct fleet_status *status)
{
    static const struct {
        const char *name;
        enum seen seen;
    } values[] = {{"true", SEEN_YES}, {"false", SEEN_NO}, {"unknown", SEEN_UNKNOWN}};
    family(text, "kind_cluster_condition", GAUGE,
           "The condition of a cluster; 1 for the status that it has.");
    for (size_t i = 0; i < fleet_status_count(status); i++) {
        const struct cluster_status *cluster = fleet_status_cluster(status, i);
        for (enum condition_type type = CONDITION_SYNCED; type <= CONDITION_STALLED; type++)
            for (size_t j = 0; j < COUNT_OF(values); j++)
                sample_count(text, "kind_cluster_condition",
                             (const struct label[]){{"cluster", cluster->name},
                                                    {"condition", condition_type_name(type)},
                                                    {"status", values[j].name},
                                                    {0}},
                             condition(cluster, type) == values[j].seen);
    }
}

static double nodes_wanted(const struct status_clock *clock, const struct cluster_status *cluster)
{
    (void)clock;
    return (double)cluster->nodes_wanted;
}

static double nodes_ready(const struct status_clock *clock, const struct cluster_status *cluster)
{
    (void)clock;
    return (double)cluster->nodes_ready;
}

static double refused_changes(const struct status_clock *clock,
                              const struct cluster_status *cluster)
{
    (void)clock;
    return (double)cluster->refused_total;
}

static double failures_in_row(const struct status_clock *clock,
                              const struct cluster_status *cluster)
{
    (void)clock;
    return cluster->failure ? cluster->failure->failures : 0;
}

static double rounds(const struct status_clock *clock, const struct cluster_status *cluster)
{
    (void)clock;
    return (double)cluster->rounds_total;
}

static double settled_at(const struct status_clock *clock, const struct cluster_status *cluster)
{
    return cluster->settled_at_ms ? status_clock_unix_s(clock, cluster->settled_at_ms) : 0;
}

static void add_clusters(struct text *text, const struct status_clock *clock,
                         const struct fleet_status *status)
{
    static const struct {
        const char *name;
        enum metric_type type;
        const char *help;
        double (*value)(const struct status_clock *clock, const struct cluster_status *cluster);
    } families[] = {
        {"kind_cluster_nodes_desired", GAUGE, "Nodes that the sources want.", nodes_wanted},
        {"kind_cluster_nodes_ready", GAUGE, "Nodes that are Ready, as seen last.", nodes_ready},
        {"kind_cluster_refused_changes", GAUGE,
         "Changes that are not made because nobody has allowed them.", refused_changes},
        {"kind_cluster_failures", GAUGE, "Failures in a row.", failures_in_row},
        {"kind_cluster_reconcile_total", COUNTER, "Rounds that came to an end.", rounds},
        {"kind_cluster_settled_timestamp_seconds", GAUGE,
         "When work on the cluster ended well last; 0: never.", settled_at},
    };
    one(text, "kind_clusters", GAUGE, "Clusters that are looked after.",
        (double)fleet_status_count(status));
    for (size_t i = 0; i < COUNT_OF(families); i++) {
        family(text, families[i].name, families[i].type, families[i].help);
        for (size_t j = 0; j < fleet_status_count(status); j++) {
            const struct cluster_status *cluster = fleet_status_cluster(status, j);
            sample(text, families[i].name, (const struct label[]){{"cluster", cluster->name}, {0}},
                   families[i].value(clock, cluster));
        }
    }
    add_conditions(text, status);
}

static double source_at(const struct status_clock *clock, uint64_t at_ms)
{
    return at_ms ? status_clock_unix_s(clock, at_ms) : 0;
}

static double checked_at(const struct status_clock *clock, const struct source_status *source)
{
    return source_at(clock, source->checked_at_ms);
}

static double changed_at(const struct status_clock *clock, const struct source_status *source)
{
    return source_at(clock, source->changed_at_ms);
}

static double has_problem(const struct status_clock *clock, const struct source_status *source)
{
    (void)clock;
    return source->problem != NULL;
}

static double source_failures(const struct status_clock *clock, const struct source_status *source)
{
    (void)clock;
    return source->failures;
}

static double source_checks(const struct status_clock *clock, const struct source_status *source)
{
    (void)clock;
    return (double)source->checks_total;
}

static double source_failed(const struct status_clock *clock, const struct source_status *source)
{
    (void)clock;
    return (double)source->failed_total;
}

static bool is_engine(const struct source_status *source)
{
    return strcmp(source->kind, STATUS_ENGINE) == 0;
}

static void add_engine(struct text *text, const struct fleet_status *status)
{
    family(text, "kind_engine_up", GAUGE, "1 while the engine answers.");
    for (size_t i = 0; i < fleet_status_source_count(status); i++) {
        const struct source_status *source = &fleet_status_source_at(status, i)->told;
        if (is_engine(source))
            sample_count(text, "kind_engine_up",
                         (const struct label[]){{"engine", source->where}, {0}}, !source->problem);
    }
}

static void add_source_info(struct text *text, const struct fleet_status *status)
{
    family(text, "kind_source_revision_info", GAUGE,
           "The revision that is in force, and the newer one that is refused.");
    for (size_t i = 0; i < fleet_status_source_count(status); i++) {
        const struct source_status *source = &fleet_status_source_at(status, i)->told;
        if (is_engine(source))
            continue;
        sample_count(text, "kind_source_revision_info",
                     (const struct label[]){{"source", source->where},
                                            {"type", source->kind},
                                            {"revision", source->revision},
                                            {"refused", source->pending},
                                            {0}},
                     1);
    }
}

static void add_sources(struct text *text, const struct status_clock *clock,
                        const struct fleet_status *status)
{
    static const struct {
        const char *name;
        enum metric_type type;
        const char *help;
        double (*value)(const struct status_clock *clock, const struct source_status *source);
    } families[] = {
        {"kind_source_problem", GAUGE,
         "1 while the source cannot be read, or a newer revision of it is refused.", has_problem},
        {"kind_source_failures", GAUGE, "Looks at the source that failed, in a row.",
         source_failures},
        {"kind_source_checks_total", COUNTER, "Looks at the source.", source_checks},
        {"kind_source_check_failures_total", COUNTER, "Looks at the source that failed.",
         source_failed},
        {"kind_source_checked_timestamp_seconds", GAUGE,
         "When a look at the source went well last; 0: never.", checked_at},
        {"kind_source_changed_timestamp_seconds", GAUGE,
         "When the revision came in force; 0: never.", changed_at},
    };
    add_source_info(text, status);
    for (size_t i = 0; i < COUNT_OF(families); i++) {
        family(text, families[i].name, families[i].type, families[i].help);
        for (size_t j = 0; j < fleet_status_source_count(status); j++) {
            const struct source_status *source = &fleet_status_source_at(status, j)->told;
            if (!is_engine(source))
                sample(text, families[i].name,
                       (const struct label[]){{"source", source->where}, {0}},
                       families[i].value(clock, source));
        }
    }
}

static void add_service(struct text *text, const struct metrics_service *service)
{
    static const char *const results[] = {
        [HOOK_ACCEPTED] = "accepted", [HOOK_REFUSED] = "refused", [HOOK_OFF] = "off"};
    family(text, "kind_hook_requests_total", COUNTER, "Calls of /hook.");
    for (size_t i = 0; i < HOOK_RESULTS; i++)
        sample_count(text, "kind_hook_requests_total",
                     (const struct label[]){{"result", results[i]}, {0}}, service->hooks[i]);
    one(text, "kind_hook_polls_total", COUNTER, "Looks at the sources that calls of /hook led to.",
        (double)service->polls_by_hook);
    one(text, "kind_http_requests_total", COUNTER, "Requests that were answered.",
        (double)service->requests);
    one(text, "kind_http_refused_total", COUNTER, "Requests that were answered with 4xx.",
        (double)service->refused);
    one(text, "kind_http_connections", GAUGE, "Connections that are open.",
        (double)service->connections);
    one(text, "kind_http_streams", GAUGE, "Streams of events that are open.",
        (double)service->streams);
    one(text, "kind_ready", GAUGE, "1 when /readyz says so.", service->ready);
}

static void add_process(struct text *text, const struct metrics_process *process)
{
    one(text, "process_cpu_seconds_total", COUNTER, "Processor time, of user and system.",
        process->cpu_s);
    one(text, "process_resident_memory_bytes", GAUGE, "Resident memory.",
        (double)process->resident_bytes);
    one(text, "process_virtual_memory_bytes", GAUGE, "Virtual memory.",
        (double)process->virtual_bytes);
    one(text, "process_open_fds", GAUGE, "Open file descriptors.", (double)process->open_fds);
    one(text, "process_max_fds", GAUGE, "How many file descriptors may be open.",
        (double)process->max_fds);
    one(text, "process_start_time_seconds", GAUGE, "When the process was started, Unix time.",
        process->start_unix_s);
}

void metrics_add(struct text *text, const struct status_clock *clock, const char *fleet,
                 const struct fleet_status *status, const struct metrics_service *service,
                 const struct metrics_process *process)
{
    const struct status_totals *totals = fleet_status_totals(status);
    family(text, "kind_build_info", GAUGE, "The version of the program, and the fleet.");
    sample_count(text, "kind_build_info",
                 (const struct label[]){{"version", KIND_VERSION}, {"fleet", fleet}, {0}}, 1);
    add_rounds(text, totals);
    add_actions(text, totals);
    add_clusters(text, clock, status);
    add_engine(text, status);
    add_sources(text, clock, status);
    add_service(text, service);
    add_process(text, process);
}
