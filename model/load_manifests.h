/*
 * load_manifests.h - files of Kubernetes objects that a cluster names, read and looked through.
 *
 * Who asks for the load reads the files (load_options.read_file). Here their
 * text is checked: YAML whose documents are objects with apiVersion, kind and
 * a name. What is wrong is told at its line of the manifest itself. A file
 * that several clusters name is read and judged once.
 */
#ifndef MODEL_LOAD_MANIFESTS_H
#define MODEL_LOAD_MANIFESTS_H

#include "model/load_fields.h"

enum {
    MANIFEST_BYTES_MAX = 1024 * 1024, /* one file: as much as a tree is read from */
    MANIFEST_FILES_MAX = 64,          /* of one cluster: their digests are in its record */
    MANIFEST_PATH_BYTES_MAX = 512,    /* as written: it is part of a record too */
    MANIFEST_TOTAL_BYTES_MAX = 64 * 1024 * 1024, /* of all clusters: what is held in memory */
};

/* A list of paths into a struct cluster_spec. */
extern const struct field_type type_manifests;

/* True if a cluster named this file, whatever it holds. */
bool manifests_hold(const struct loader *loader, const char *file);

#endif
