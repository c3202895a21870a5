/*
 * fake_archive.h - files in and out of fake containers: the engine's archive API.
 */
#ifndef DRIVERS_FAKE_ARCHIVE_H
#define DRIVERS_FAKE_ARCHIVE_H

#include "drivers/fake_call.h"

fake_handler fake_archive_get, fake_archive_head, fake_archive_put;

#endif
