/*
 * folder_source.h - files and folders that are read again and again, by content.
 *
 * Every rescan_ms, and when it is asked, all is read. What says the same as
 * before is told as looked at, and no more; what is new and good is handed over
 * whole; what is broken is told once for each way of being broken, and read
 * again: soon where a file could not be read (somebody may be in the middle of
 * changing it), else with the next rescan. A file that a text names (a manifest) counts as
 * the text does.
 */
#ifndef RECONCILER_FOLDER_SOURCE_H
#define RECONCILER_FOLDER_SOURCE_H

#include "drivers/transport.h"
#include "reconciler/source_listener.h"

struct folder_source_options {
    const char *const *paths; /* must last */
    size_t path_count;
    bool allow_empty;
    const struct policy *policy; /* of what the clusters may ask for; NULL: all */
    uint32_t rescan_ms;
    struct transport *transport; /* its clock and timers */
    struct source_listener listener;
    void (*rescans)(
        void *context); /* the listener's: before a reading that nobody asked for; or NULL */
};

struct folder_source;

/* The first look comes from the loop, at once. */
struct folder_source *folder_source_open(const struct folder_source_options *options);
void folder_source_close(struct folder_source *source); /* NULL is fine */

/* Something may have changed: look, from the loop. */
void folder_source_poll(struct folder_source *source);

/* What is read from now on is before this policy; what was handed over is the listener's. */
void folder_source_judge_by(struct folder_source *source, const struct policy *policy);

#endif
