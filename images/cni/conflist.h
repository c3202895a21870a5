/*
 * conflist.h - the file by which containerd learns how to connect a pod.
 *
 * A pod gets a veth pair to the node (plugin ptp) with an address out of the
 * node's pod networks (host-local), and host ports if it asks (portmap). The
 * node counts as ready from the moment this file is there.
 */
#ifndef CNI_CONFLIST_H
#define CNI_CONFLIST_H

#include <stddef.h>

#include "node.h"

/* The file's text, for the caller to free. mtu 0: not known. */
char *conflist_text(const struct network *networks, size_t count, unsigned mtu);

/*
 * Puts text into folder/10-kind.conflist in one step, unless what is there says
 * the same. Returns 1 if written, 0 if it was there, -1 with errno set.
 */
int conflist_write(const char *folder, const char *text);

#endif
