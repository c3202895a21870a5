/*
 * dispatch.h - from the words of a command line to the command that runs.
 *
 * Nothing is initialised before the command runs: --version and --help only
 * read tables.
 */
#ifndef CLI_DISPATCH_H
#define CLI_DISPATCH_H

#include <stdio.h>

/* Returns the exit code. Errors are printed to `talk`, unless -q was given. */
int dispatch(int argc, char **argv, FILE *results, FILE *talk);

#endif
