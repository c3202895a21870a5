/*
 * fake_image.h - images of the fake engine: which names are there, which can be pulled.
 */
#ifndef DRIVERS_FAKE_IMAGE_H
#define DRIVERS_FAKE_IMAGE_H

#include "drivers/fake_call.h"

void fake_image_init(struct fake_world *world);
void fake_images_free(struct fake_world *world);

/* By name (docker.io and :latest may be left out), digest or id prefix; or NULL. */
struct fake_image *fake_image_find(struct fake_world *world, const char *reference);
/* Registers a name; an image that is there already is returned. */
struct fake_image *fake_image_add(struct fake_world *world, const char *reference);
/* "v1.20.2" of a node image's name. */
char *fake_image_version(const struct fake_image *image);

fake_handler fake_image_list, fake_image_inspect, fake_image_pull, fake_image_tag,
    fake_image_remove, fake_image_load, fake_image_save;

#endif
