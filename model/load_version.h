/*
 * load_version.h - which node image a version of Kubernetes means.
 *
 * A version is "v1.20.2" or "1.20.2", or "1.20" for the newest of 1.20 that
 * the Fleet has an image for. Without one there, upstream's tag scheme.
 */
#ifndef MODEL_LOAD_VERSION_H
#define MODEL_LOAD_VERSION_H

#include "model/load_fields.h"

/* The Fleet's `images`, a struct pair_list of version to image. */
extern const struct field_type type_images;

/* A cluster's `version`, a const char *. */
extern const struct field_type type_version;

/* The image, or NULL with a report at the version's cursor. */
const char *version_image(struct loader *loader, const struct cursor *at, const char *version,
                          const struct pair_list *images);

#endif
