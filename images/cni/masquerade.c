#include "masquerade.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../cluster-api/memory.h"

enum {
    FIRST_MS = 1000, /* if nobody asks to hurry */
    AGAIN_MS = 60 * 1000,
    RETRY_MS_FIRST = 1000,
    CHILD_TIMEOUT_MS = 10 * 1000, /* it takes 10 ms; a thousand times that is a hang */
};

struct masquerade {
    struct loop *loop;
    const char *nft, *text;
    int pid, pidfd; /* 0, -1: no child */
    unsigned failures;
    uint64_t due_at_ms; /* with a child: when it is killed */
};

static void child_ended(void *context, int pidfd)
{
    struct masquerade *masquerade = context;
    int status = -1;
    loop_remove(masquerade->loop, pidfd);
    close(pidfd);
    if (waitpid(masquerade->pid, &status, 0) < 0)
        status = -1;
    masquerade->pid = 0;
    masquerade->pidfd = -1;
    if (status == 0) {
        if (masquerade->failures)
            loop_log("masquerading rules are in place again");
        masquerade->failures = 0;
        masquerade->due_at_ms = loop_now_ms() + AGAIN_MS;
        return;
    }
    loop_log("set masquerading rules: nft ended with status %d, will try again", status);
    unsigned shift = masquerade->failures < 6 ? masquerade->failures : 6;
    masquerade->failures++;
    uint64_t wait_ms = (uint64_t)RETRY_MS_FIRST << shift;
    masquerade->due_at_ms = loop_now_ms() + (wait_ms < AGAIN_MS ? wait_ms : (uint64_t)AGAIN_MS);
}

static void child_run(const char *nft, int input)
{
    char program[] = "nft", file_option[] = "-f", standard_input[] = "-";
    char *const arguments[] = {program, file_option, standard_input, NULL};
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (dup2(input, STDIN_FILENO) == STDIN_FILENO)
        execv(nft, arguments);
    _exit(127);
}

static int start_child(struct masquerade *masquerade)
{
    int ends[2];
    size_t size = strlen(masquerade->text);
    if (pipe2(ends, O_CLOEXEC) < 0)
        return -1;
    int pid = fork();
    if (pid == 0)
        child_run(masquerade->nft, ends[0]);
    close(ends[0]);
    /* An empty pipe takes 64 KiB at once, so this never waits. */
    if (pid > 0 && write(ends[1], masquerade->text, size) != (ssize_t)size)
        kill(pid, SIGKILL);
    close(ends[1]);
    if (pid < 0)
        return -1;
    masquerade->pid = pid;
    masquerade->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (masquerade->pidfd >= 0 &&
        loop_add(masquerade->loop, masquerade->pidfd, child_ended, masquerade) == 0)
        return 0;
    kill(pid, SIGKILL);
    (void)waitpid(pid, NULL, 0);
    masquerade->pid = 0;
    return -1;
}

struct masquerade *masquerade_new(struct loop *loop, const char *nft, const char *text)
{
    struct masquerade *masquerade = must(calloc(1, sizeof(*masquerade)));
    masquerade->loop = loop;
    masquerade->nft = nft;
    masquerade->text = text;
    masquerade->pidfd = -1;
    masquerade->due_at_ms = loop_now_ms() + FIRST_MS;
    return masquerade;
}

void masquerade_free(struct masquerade *masquerade)
{
    if (!masquerade)
        return;
    if (masquerade->pidfd >= 0) {
        loop_remove(masquerade->loop, masquerade->pidfd);
        close(masquerade->pidfd);
    }
    free(masquerade);
}

uint64_t masquerade_tick(struct masquerade *masquerade, uint64_t now_ms)
{
    if (!*masquerade->text)
        return LOOP_NEVER;
    if (now_ms < masquerade->due_at_ms)
        return masquerade->due_at_ms;
    if (masquerade->pid) {
        loop_log("nft has not ended in %d s: killed", CHILD_TIMEOUT_MS / 1000);
        kill(masquerade->pid, SIGKILL);
    } else if (start_child(masquerade) < 0) {
        loop_log("start nft: %s, will try again", strerror(errno));
    }
    masquerade->due_at_ms = now_ms + CHILD_TIMEOUT_MS;
    return masquerade->due_at_ms;
}

void masquerade_hurry(struct masquerade *masquerade)
{
    if (!masquerade->pid)
        masquerade->due_at_ms = 0;
}
