/*
 * repo_worker.h - the process in which a repository is fetched: a request on standard input, the
 * reply on standard output.
 *
 * It is this same program, called by a word that no user types. It gives up
 * what it does not need (repo_confine.h) before it speaks to anybody, and may
 * be killed at any moment.
 */
#ifndef RECONCILER_REPO_WORKER_H
#define RECONCILER_REPO_WORKER_H

/* argv[1] of that process; argv[2] is the process that wants it. */
#define REPO_WORKER_WORD "__fetch-repository"

/* Does it all, and ends the process. */
void repo_worker_main(int argc, char **argv) __attribute__((noreturn));

#endif
