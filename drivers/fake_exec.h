/*
 * fake_exec.h - exec instances of the fake engine.
 */
#ifndef DRIVERS_FAKE_EXEC_H
#define DRIVERS_FAKE_EXEC_H

#include "drivers/fake_call.h"

fake_handler fake_exec_create, fake_exec_start, fake_exec_inspect;

void fake_execs_free(struct fake_world *world);

#endif
