/*
 * process_usage.h - what this process uses of the machine, as /proc tells it.
 */
#ifndef CLI_PROCESS_USAGE_H
#define CLI_PROCESS_USAGE_H

#include "cli/metrics.h"

/* What cannot be had is 0. */
void process_usage_read(struct metrics_process *usage);

#endif
