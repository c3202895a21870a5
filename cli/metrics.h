/*
 * metrics.h - what a standing service tells Prometheus, in its text format 0.0.4.
 *
 * Pure: numbers of the process and of the service itself are given. All names
 * begin with "kind_", those of the process are the ones that every exporter
 * has. Labels hold names of clusters and sources, never anything secret.
 */
#ifndef CLI_METRICS_H
#define CLI_METRICS_H

#include "base/text.h"
#include "cli/status_json.h"

enum hook_result { HOOK_ACCEPTED, HOOK_REFUSED, HOOK_OFF };
enum { HOOK_RESULTS = HOOK_OFF + 1 };

struct metrics_service {
    uint64_t hooks[HOOK_RESULTS];
    uint64_t polls_by_hook;
    uint64_t requests, refused; /* refused: 4xx */
    size_t connections, streams;
    bool ready;
};

/* Of this process; 0 where it could not be had. */
struct metrics_process {
    double cpu_s, start_unix_s;
    uint64_t resident_bytes, virtual_bytes, open_fds, max_fds;
};

void metrics_add(struct text *text, const struct status_clock *clock, const char *fleet,
                 const struct fleet_status *status, const struct metrics_service *service,
                 const struct metrics_process *process);

/* As a label's value between quotes: backslash, quote and newline are escaped. */
void metrics_add_label_value(struct text *text, const char *value);

#endif
