/*
 * fake_portrait.h - a fake world as text, without what differs between two lives that came to the
 * same: ids, times, addresses, picked ports, keys, tokens. For tests that compare worlds.
 */
#ifndef DRIVERS_FAKE_PORTRAIT_H
#define DRIVERS_FAKE_PORTRAIT_H

#include "base/text.h"
#include "drivers/fake_world.h"

/* Networks, containers with their files, clusters with their objects; sorted, one a line. */
void fake_portrait(struct fake_world *world, struct text *out);

#endif
