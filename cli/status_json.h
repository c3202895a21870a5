/*
 * status_json.h - what a standing service tells, as JSON: for its API, its stream and its page.
 *
 * The shape is stable: names may be added, never changed. Times are times of
 * the day, made from the status's monotonic ones at the moment of telling.
 */
#ifndef CLI_STATUS_JSON_H
#define CLI_STATUS_JSON_H

#include "reconciler/fleet_status.h"
#include <jansson.h>

/* One moment by both clocks. */
struct status_clock {
    uint64_t now_ms;  /* monotonic, as the status has it */
    uint64_t unix_ms; /* the time of the day */
};

/* The time of the day in Unix seconds and thousandths of something that was told. */
double status_clock_unix_s(const struct status_clock *clock, uint64_t at_ms);

/* New references. */
json_t *status_json_cluster(const struct status_clock *clock, const struct cluster_status *cluster);
json_t *status_json_source(const struct status_clock *clock, const struct source_status *source);
json_t *status_json_event(const struct status_clock *clock, const struct status_event *event);

/* {"fleet","version","now","sources":[..],"clusters":[..],"queue":{"depth","working"}} */
json_t *status_json_fleet(const struct status_clock *clock, const char *fleet,
                          const struct fleet_status *status);

/* "2026-03-01T12:00:00.000Z"; NULL for 0. */
json_t *status_json_time(uint64_t unix_ms);

#endif
