/*
 * session_stay.h - a session that stays: its loop runs until it is told to end, with signals and
 * systemd's watchdog on it.
 */
#ifndef CLI_SESSION_STAY_H
#define CLI_SESSION_STAY_H

#include "cli/session.h"

struct session_stay {
    struct session *session;
    void *context;
    void (*asked)(void *context);   /* SIGHUP */
    void (*stopped)(void *context); /* SIGINT or SIGTERM, each time */

    uv_signal_t hangup, interrupt, terminate;
    uv_timer_t watchdog;
    bool over;
};

/* The struct must not move until it is closed. */
void session_stay_open(struct session_stay *stay);

/* Until session_stay_end was called, from within. */
void session_stay_run(struct session_stay *stay);
void session_stay_end(struct session_stay *stay);

void session_stay_close(struct session_stay *stay);

#endif
