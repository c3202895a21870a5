/*
 * evidence.h - what was found where something failed, as text by source.
 *
 * Collected before anything is cleaned up or tried again. Bounded: so many
 * items, so many bytes each, of which the tail is kept. Secrets are taken out
 * when an item is added, so evidence never holds any. Lives in one arena.
 */
#ifndef MODEL_EVIDENCE_H
#define MODEL_EVIDENCE_H

#include "base/arena.h"
#include <stddef.h>

enum { EVIDENCE_ITEMS_MAX = 16, EVIDENCE_ITEM_BYTES_MAX = 24 * 1024 };

enum evidence_source {
    EVIDENCE_FAILURE,    /* the error itself, with the last words of what failed */
    EVIDENCE_CONTAINER,  /* what the engine says of the container */
    EVIDENCE_BOOT,       /* the container's own log: entrypoint and systemd */
    EVIDENCE_KUBELET,    /* journal */
    EVIDENCE_CONTAINERD, /* journal */
    EVIDENCE_PODS,       /* logs of the pods of kube-system */
    EVIDENCE_NODE,       /* what the node's own files say: disk, failed units */
    EVIDENCE_HOST,       /* limits of the host and their use */
};

enum { EVIDENCE_SOURCES = EVIDENCE_HOST + 1 };

struct evidence_item {
    enum evidence_source source;
    const char *subject; /* node; "" for the host */
    const char *text;    /* lines */
};

struct evidence {
    struct arena *arena;
    struct evidence_item items[EVIDENCE_ITEMS_MAX];
    size_t count;
};

void evidence_init(struct evidence *evidence, struct arena *arena);

/* An empty text is not added, nor one too many. All is copied. */
void evidence_add(struct evidence *evidence, enum evidence_source source, const char *subject,
                  const char *bytes, size_t length);

const char *evidence_source_name(enum evidence_source source);  /* "containerd": for JSON */
const char *evidence_source_words(enum evidence_source source); /* "journal of containerd" */

/*
 * The lines of a text that are worth keeping, the last ones: those that speak
 * of trouble, then as many of the others as there is room for. In the arena.
 */
const char *evidence_digest(struct arena *arena, const char *text, size_t lines_max);
/* Only the last lines that speak of trouble; "" if none does. */
const char *evidence_trouble(struct arena *arena, const char *text, size_t lines_max);

#endif
