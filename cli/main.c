/*
 * main.c - the program: streams that are checked at the end, and dispatch.
 */
#include "cli/dispatch.h"
#include "reconciler/repo_worker.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>

/*
 * A full disk must not look like success. A reader that went away ("| head")
 * needs no telling.
 */
static bool close_results(void)
{
    bool failed = ferror(stdout) != 0;
    errno = 0;
    if (fclose(stdout) == 0 && !failed)
        return true;
    if (errno != EPIPE)
        fprintf(stderr, "ERROR: cannot write the output: %s\n",
                errno ? strerror(errno) : "a write failed");
    return false;
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], REPO_WORKER_WORD) == 0)
        repo_worker_main(argc, argv);
    signal(SIGPIPE, SIG_IGN);
    int code = dispatch(argc, argv, stdout, stderr);
    if (!close_results() && code == 0)
        code = 1;
    return code;
}
