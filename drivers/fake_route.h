/*
 * fake_route.h - which handler answers which engine path.
 */
#ifndef DRIVERS_FAKE_ROUTE_H
#define DRIVERS_FAKE_ROUTE_H

#include "drivers/fake_call.h"

/* Answers the call; unknown paths get the engine's 404. */
fake_handler fake_route_run;

#endif
