/*
 * The first process of every pod: holds the pod's namespaces open, reaps the children that pods
 * with a shared process namespace leave to it, and goes at once when asked to.
 */
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
    sigset_t set;
    int signal_number;

    /* Blocked and waited for rather than handled: process 1 has no default actions, and nothing
     * here can race. */
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGCHLD);
    if (sigprocmask(SIG_BLOCK, &set, NULL))
        return EXIT_FAILURE;
    while (sigwait(&set, &signal_number) == 0 && signal_number == SIGCHLD)
        while (waitpid(-1, NULL, WNOHANG) > 0)
            ;
    return EXIT_SUCCESS;
}
