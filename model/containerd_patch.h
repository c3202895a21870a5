/*
 * containerd_patch.h - the user's patches on a node's containerd configuration.
 *
 * As upstream applies them: first all merge patches (TOML) in order, then all
 * JSON patches (JSON text). A merge patch that names another `version` than
 * the configuration's is for other nodes, and skipped. TOML has no null, so a
 * JSON patch alone can remove.
 */
#ifndef MODEL_CONTAINERD_PATCH_H
#define MODEL_CONTAINERD_PATCH_H

#include "base/error.h"
#include "base/text.h"
#include "model/spec.h"
#include <stddef.h>

/*
 * Appends the patched configuration, keys sorted, without comments. Appends a
 * line to unmatched (NULL: not wanted) for each patch that was skipped.
 *
 * Fails (ERROR_INVALID) on a configuration that is no TOML or has no integer
 * `version`, and on a patch that cannot be read or applied, by its name and
 * line:column: "containerdConfigPatches[1]: 2:7: ...".
 */
int containerd_config_patch(const char *config, size_t length, const struct cluster_spec *spec,
                            struct text *text, struct text *unmatched, struct error **err);

/* Whether a merge patch (TOML), or a JSON patch, can be read: "2:7: ..." in it. */
int containerd_patch_check(const char *patch, struct error **err);
int containerd_patch_check_6902(const char *patch, struct error **err);

#endif
