/*
 * fake_stream.h - what comes piece by piece: logs, waits, events, watches, output of commands.
 *
 * A stream names its subject by id and is asked again and again
 * (fake_stream_read in fake_world.h), so it survives whatever happens to the
 * subject meanwhile.
 */
#ifndef DRIVERS_FAKE_STREAM_H
#define DRIVERS_FAKE_STREAM_H

#include "drivers/fake_state.h"

/* "not-running", "next-exit" or "removed", then {"StatusCode":...}. */
struct fake_stream *fake_stream_wait(const struct fake_container *container, const char *condition);

/* tail is a number of lines or "all". */
struct fake_stream *fake_stream_logs(const struct fake_container *container, bool follow,
                                     uint64_t since_ms, const char *tail);

/* Steals bytes: they come at at_ms, and that is all. */
struct fake_stream *fake_stream_text(struct text *bytes, uint64_t at_ms);

/* Steals filters; events from since_ms until until_ms (UINT64_MAX: for ever). */
struct fake_stream *fake_stream_events(json_t *filters, uint64_t since_ms, uint64_t until_ms,
                                       uint64_t after);

/* Objects of a cluster at path that changed after version. Steals nothing. */
struct fake_stream *fake_stream_watch(const struct fake_container *container, const char *target,
                                      uint64_t version);

#endif
