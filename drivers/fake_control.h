/*
 * fake_control.h - the paths below /_fake, by which tests look inside and order trouble.
 *
 *   GET  /_fake/requests    [{number, at_ms, where, method, path, status, mutating, command}]
 *   POST /_fake/reset-log   forgets requests and scripts, and counts from 1 again
 *   GET  /_fake/state       containers, networks, images, volumes, clusters, scripts
 *   POST /_fake/fault       a fault (fake_fault.h), or a list of them
 *   POST /_fake/clear       no more faults
 *   POST /_fake/settings    {"boot_ms": 5, ...}: as in struct fake_settings
 *   POST /_fake/info        {"CgroupVersion": "1", ...}: members of GET /info from now on
 *   POST /_fake/journal     {"kubelet": "lines"}: what journalctl says in every node from now on
 *   POST /_fake/exit?container=NAME&code=N    its processes end by themselves
 *   POST /_fake/end-events  all streams of events end, as when the engine is restarted
 *   POST /_fake/disown?container=NAME    it is as another tool would have made it: without our
 * labels, record and marks POST /_fake/populate    see fake_populate.h
 *
 * None of them is logged, counted or spoiled.
 */
#ifndef DRIVERS_FAKE_CONTROL_H
#define DRIVERS_FAKE_CONTROL_H

#include "drivers/fake_call.h"

bool fake_control_is_path(const char *path);
fake_handler fake_control_run;

#endif
