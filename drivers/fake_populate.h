/*
 * fake_populate.h - many ready clusters at once, for benchmarks.
 *
 * POST /_fake/populate?clusters=N&nodes=M[&prefix=c][&api=1] makes clusters
 * "<prefix>0001" and on, each of one control plane and M-1 workers, all on
 * network "kind". With api=1 each has certificates and answers on a host
 * port; without, its nodes run but nobody serves their API, so that ten
 * thousand of them cost no sockets. The body may hold
 *   labels   more labels for every container; "%s" in a value is the cluster
 *   files    {"/kind/fleet.json": "..."} for every first control plane;
 *            "%s" likewise
 *   links    {"c0001": "sha256-..."}: where /kind/fleet.digest leads, by cluster
 *   shapes   {"c0001-worker": "..."}: the label fleet.kind/shape, by node
 *   image    the node image
 */
#ifndef DRIVERS_FAKE_POPULATE_H
#define DRIVERS_FAKE_POPULATE_H

#include "drivers/fake_call.h"

fake_handler fake_populate;

#endif
