/*
 * station.h - a fleet that is watched, with all that goes with it: the watcher, its sources, its
 * log, its file for `kind status`, and systemd.
 *
 *     station_open ... session_stay_run(&station.stay) ... station_close
 *
 * What a watcher does is reconciler/watch.h's; here is what is said of it, and to whom.
 */
#ifndef CLI_STATION_H
#define CLI_STATION_H

#include "cli/converge.h"
#include "cli/footprint.h"
#include "cli/session_stay.h"
#include "cli/watch_file.h"
#include "cli/watch_log.h"
#include "cli/watch_service.h"
#include "reconciler/folder_source.h"
#include "reconciler/folder_watch.h"
#include "reconciler/repo_poll.h"
#include "reconciler/watch.h"

struct station_options {
    struct converge_options converge; /* first: shared rows of the table fill it */
    uint64_t resync_ms, interval_ms;
    int log_format;
    struct watch_service_options service;
};

struct station {
    const struct invocation *invocation;
    const struct station_options *given;
    struct session *session;
    struct session_stay stay;
    struct watch *watch;
    struct station_policy *policy; /* of --policy, or NULL */
    struct watch_log *log;

    struct watch_service *service; /* NULL: nobody listens */

    struct folder_source *folder;      /* or repo */
    struct folder_watch *folder_watch; /* NULL: the host gives none; all is read every minute */
    bool folder_trouble_told;
    struct repo_poll *repo;
    struct arena *words; /* of what `watched` says */
    struct watched watched;
    bool file_trouble_told, passed;
    struct transport_timer *queue_timer; /* how many wait and work is to be told; or NULL */
    struct footprint footprint;
};

/* invocation, given, session and log are set; the lock is held. On failure there is nothing to
 * close. */
int station_open(struct station *station, struct error **err);
void station_close(struct station *station);

/* Look at the sources now: a hook, a signal. */
void station_poll(void *context);

/* Why the fleet is not looked after yet, in words; NULL: it is. */
const char *station_unready(void *context);

uint64_t station_now_s(void); /* Unix time */

/*
 * station_policy.c: the policy of --policy, which is read again when somebody asks. One that cannot
 * be used is told as a broken source is, and the one before stays in force. *ret_policy is NULL
 * without a file.
 */
struct station_policy;
int station_policy_open(const struct invocation *invocation, const char *file,
                        struct station_policy **ret_policy, struct error **err);
void station_policy_close(struct station_policy *policy);              /* NULL is fine */
const struct policy *station_policy_of(const struct station *station); /* NULL: none is given */
/* What there is to be told of it. */
void station_policy_tell(struct station *station);
/* Reads it, and puts the revision in force before it. */
void station_policy_read(struct station *station);

/* station_source.c: where desired state comes from. */
void station_open_source(struct station *station);
void station_close_source(struct station *station);
/* All that is read from now on is before the policy in force. */
void station_judge_sources(struct station *station);
/* Whatever is said of the source is now this: kept, written, told to all. */
void station_tell_source(struct station *station);
/* Only the file for `kind status`: nothing but times has changed. */
void station_write_file(struct station *station);

#endif
