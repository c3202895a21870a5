/*
 * notify.h - tells systemd how a service is (sd_notify's protocol): one datagram a message to the
 * socket that the environment names. Without one nothing is told.
 *
 * Written here, in place of libsystemd: the protocol is one datagram, and the
 * library would be loaded by every run of the program (docs/decisions/22).
 */
#ifndef CLI_NOTIFY_H
#define CLI_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>

/* "READY=1", "STATUS=...": several lines may stand in one message. False: nobody listens. */
bool notify_send(const char *message);

/* How often to say "WATCHDOG=1": half of what systemd waits; 0: it does not. */
uint64_t notify_watchdog_ms(void);

#endif
