/*
 * tree.h - a YAML stream as a small tree that remembers where it came from.
 *
 * libyaml's event API is used below it and nowhere else: its own loader accepts
 * cycles, has no depth limit and forgets positions. Anchors, aliases and
 * merge keys (<<) are expanded while composing, within the limits below.
 * Scalars are kept as written; what they mean depends on who reads them
 * (model/scalar.h). Duplicate keys in one mapping are an error unless
 * TREE_LAST_KEY_WINS is given (kubeconfigs, patches: yaml.v2's habit).
 *
 * Everything lives in the arena that the caller gives.
 */
#ifndef MODEL_TREE_H
#define MODEL_TREE_H

#include "base/arena.h"
#include "base/error.h"
#include "model/problem.h"
#include <stdbool.h>
#include <stddef.h>

/* Limits on one stream; passing one is an error that names it. */
enum {
    TREE_BYTES_MAX = 1024 * 1024,
    TREE_DEPTH_MAX = 100,
    TREE_EVENTS_MAX = 500 * 1000,
    TREE_ALIASES_MAX = 1000,
    TREE_ANCHORS_MAX = 10 * 1000,
    TREE_EXPANDED_MAX = 100 * 1000, /* nodes of one document, aliases expanded */
    TREE_SCALAR_BYTES_MAX = 256 * 1024,
    TREE_DOCUMENTS_MAX = 1000,
};

enum tree_kind { TREE_SCALAR, TREE_LIST, TREE_MAP };

enum tree_flags { TREE_STRICT = 0, TREE_LAST_KEY_WINS = 1 };

struct tree;

struct tree_entry {
    const struct tree *key; /* always a scalar */
    const struct tree *value;
};

struct tree {
    enum tree_kind kind;
    struct place place; /* where it begins; for an aliased node, where the alias stands */
    const char *tag;    /* explicit tag ("!!str" resolved to its full name), or NULL */
    /* TREE_SCALAR */
    const char *scalar; /* the text; NULs inside are an error */
    bool plain;         /* unquoted, so that it may be null, a number, a boolean */
    /* TREE_LIST: items; TREE_MAP: entries, in the order of the text */
    const struct tree *const *items;
    const struct tree_entry *entries;
    size_t count;
};

struct tree_stream {
    const struct tree **documents; /* an empty document is a plain scalar "" */
    size_t count;
};

/*
 * Parses all documents of bytes. `file` is only used in places. On failure
 * problems are added (one, since YAML cannot be read past its first error;
 * only duplicate keys are all told) and -1 is returned. Either way the stream
 * holds the documents that were read whole, so that their problems can be told
 * as well; after a failure they serve for nothing else.
 */
int tree_parse(struct arena *arena, const char *file, const char *bytes, size_t length,
               enum tree_flags flags, struct tree_stream *stream, struct problem_list *problems);

/* The value of a key of a map, or NULL. */
const struct tree *tree_get(const struct tree *map, const char *key);

/* True for a scalar, plain or tagged !!null, that reads as null: empty, ~, null, Null, NULL. */
bool tree_is_null(const struct tree *tree);

#endif
