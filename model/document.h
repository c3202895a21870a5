/*
 * document.h - Kubernetes documents: YAML text in, JSON between, YAML text out.
 *
 * Manifests, kubeconfigs and kubeadm configurations are handled as jansson
 * values, read by YAML 1.1 rules (model/scalar.h) as sigs.k8s.io/yaml does.
 * Out goes block style, keys sorted (numbers inside them by value: n2, n10),
 * lists not indented under their key, two blanks a level, lines folded after
 * column 80: what Go's marshaller writes, so that files compare equal.
 */
#ifndef MODEL_DOCUMENT_H
#define MODEL_DOCUMENT_H

#include "base/text.h"
#include "model/problem.h"
#include "model/tree.h"
#include <jansson.h>

/* A new value (own reference) for a tree. Never NULL: depth and size are the tree's limits. */
json_t *document_from_tree(const struct tree *tree);

/*
 * All documents of a YAML text as a new JSON array; empty ones are left out.
 * NULL with a problem if the text is no YAML.
 */
json_t *document_parse(const char *file, const char *bytes, size_t length,
                       struct problem_list *problems);

/* Appends the value as one YAML document, without "---". */
void document_print(const json_t *value, struct text *text);

#endif
