/*
 * kube_defaults.h - what a cluster's API server forgets to fill in.
 *
 * Server-side apply of Kubernetes 1.20 knows ports by number and protocol, and
 * refuses those of a user who left the protocol to its default ("omits key
 * field \"protocol\""), although kubectl's own apply takes them. Pure.
 */
#ifndef DRIVERS_KUBE_DEFAULTS_H
#define DRIVERS_KUBE_DEFAULTS_H

#include <jansson.h>

/* Sets protocol TCP on ports of Services, and of containers in Pods and whatever makes Pods. */
void kube_set_defaults(json_t *object);

#endif
