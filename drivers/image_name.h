/*
 * image_name.h - one image, two spellings: the user's and containerd's.
 *
 * Pure; results are in the arena.
 */
#ifndef DRIVERS_IMAGE_NAME_H
#define DRIVERS_IMAGE_NAME_H

#include "base/arena.h"
#include <stdbool.h>

/* No byte in it that cannot be in a name. Whether it is a good one the engine knows. */
bool image_name_is_plain(const char *name);

/* With a tag where it has neither tag nor digest: "app" is "app:latest". */
const char *image_name_tagged(struct arena *arena, const char *name);

/*
 * As the nodes' containerd keeps it, and kubelet asks for it: whole, and with
 * a digest only where it has both a tag and a digest.
 */
const char *image_name_full(struct arena *arena, const char *name);

#endif
