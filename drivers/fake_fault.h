/*
 * fake_fault.h - faults to order: what goes wrong with which request.
 *
 * A fault is a JSON object:
 *   action    "fail" (not applied), "fail-after" (applied), "drop",
 *             "drop-after", "garbage" (applied), "delay", "kill-before" (the
 *             client dies, not applied), "kill" (applied, not answered),
 *             "kill-after" (applied and answered)
 *   at        which of the requests it looks at, from 1 (the default)
 *   count     how many from there on; 1
 *   mutating  true: it only looks at requests that may change something
 *   match     it only looks at requests whose "METHOD /path" contains this
 *   where     "engine" (default), "kube", "any"
 *   status    of the failure; 500
 *   message   of the failure
 *   delay_ms  before the reply, with every action
 */
#ifndef DRIVERS_FAKE_FAULT_H
#define DRIVERS_FAKE_FAULT_H

#include "drivers/fake_call.h"

/* Orders a fault; false if it is none. */
bool fake_fault_add(struct fake_world *world, const json_t *fault);

/* The fault that this request meets (borrowed), or NULL. To be asked once a request. */
const json_t *fake_fault_meet(struct fake_call *call, bool mutating);

/* Whether the request is carried out at all, and what becomes of its reply then. */
bool fake_fault_lets_apply(const json_t *fault);
void fake_fault_spoil(struct fake_call *call, const json_t *fault);

#endif
