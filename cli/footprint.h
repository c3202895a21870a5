/*
 * footprint.h - what this process holds of the machine's memory, made small.
 *
 * For a program that stays and has come to rest. Beginning touches much that is not needed again:
 * the tables by which fifty libraries are bound to each other, and heap that all clusters' first
 * rounds used at once.
 */
#ifndef CLI_FOOTPRINT_H
#define CLI_FOOTPRINT_H

#include <stddef.h>

/* Zeroed: it was never looked at. */
struct footprint {
    size_t lean_bytes; /* resident, right after memory was given back */
};

/*
 * Gives back free pages of the heap, and unmaps pages of files that this process has not changed:
 * they come back from the page cache when they are touched. A few milliseconds, so it does nothing
 * where this process has hardly grown since the last time. It cannot fail.
 */
void footprint_shrink(struct footprint *footprint);

#endif
