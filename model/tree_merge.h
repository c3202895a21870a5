/*
 * tree_merge.h - one mapping laid over another.
 */
#ifndef MODEL_TREE_MERGE_H
#define MODEL_TREE_MERGE_H

#include "model/tree.h"

/*
 * What `over` says, and what only `under` says: mappings are merged field by
 * field, all else is taken whole, and a null is as if it were not written.
 * Both are mappings. Values keep their places, so the result may tell two
 * files; it borrows from both.
 */
const struct tree *tree_merge(struct arena *arena, const struct tree *over,
                              const struct tree *under);

#endif
