/*
 * fake_peers.h - what a node's address means: to its own static pods, to kubelet, and to the other
 * members of etcd.
 *
 * The fake node image is one whose entrypoint repairs nothing: a node that
 * comes back with another address has files that hold the old one, until
 * somebody puts them right.
 */
#ifndef DRIVERS_FAKE_PEERS_H
#define DRIVERS_FAKE_PEERS_H

#include "drivers/fake_command.h"

/* Its current IPv4 address; "" while it has none. */
const char *fake_peers_address(const struct fake_container *container);

/* Do the API server's manifest, and kubelet's flags, have the address that the node has now? */
bool fake_peers_serves(struct fake_container *container);
bool fake_peers_reports(struct fake_container *container);

/* Is there a member that runs and can speak to so many others that they are most of all? */
bool fake_peers_quorum(struct fake_world *world, const struct fake_cluster *cluster);

/* What was led elsewhere is forgotten when a node halts. */
void fake_peers_halt(struct fake_container *container);

/* `sh -c SCRIPT kind-… ARGUMENTS`: our own scripts, known by that name. False: it is none. */
bool fake_peers_script(struct fake_command *command, const char *const *words, int *code);

/* curl, as far as it asks etcd for its members, or changes one. */
int fake_peers_curl(struct fake_command *command);

#endif
