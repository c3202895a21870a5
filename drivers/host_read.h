/*
 * host_read.h - reads this host's limits and their use, for the judgement of model/host_limits.h.
 *
 * Blocking, but only of /proc and /sys, with limits on what is read, and only
 * asked for before nodes are made and after something has failed. What this
 * user may not read stays unknown.
 */
#ifndef DRIVERS_HOST_READ_H
#define DRIVERS_HOST_READ_H

#include "base/arena.h"
#include "model/host_limits.h"
#include <stdbool.h>
#include <sys/types.h>

struct host_read {
    const char *root;   /* before /proc and /sys: "" but in tests */
    const char *folder; /* of the engine's data; NULL: not known */
    uid_t user;         /* that nodes run as */
};

void host_limits_read(struct arena *arena, const struct host_read *options,
                      struct host_limits *limits);

/*
 * Do we run on the host of this name and kernel release ("6.1.0-13-amd64")?
 * Not if one is "": in a virtual machine of its own, or in a container beside
 * us, an engine has limits, ports and disks that we do not see.
 */
bool host_is_this(const char *name, const char *release);

/*
 * Whether somebody listens on this host's port already, so that the engine
 * cannot. Only a plain yes counts: what cannot be tried is free.
 */
enum host_protocol { HOST_TCP, HOST_UDP };
bool host_port_taken(const char *address, int port, enum host_protocol protocol);

/* "nginx (process 812)" for who listens on that TCP port; NULL: not to be found out. */
const char *host_port_holder(struct arena *arena, const char *root, int port);

#endif
