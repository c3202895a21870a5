/*
 * fake_command.h - commands that run in a fake container: argv in, output and exit code out.
 *
 * flock, timeout, env and nice are stripped. systemctl, kubeadm, cat, mkdir
 * and a few more have their effects; of `sh -c SCRIPT` those commands that
 * are known run, other scripts end well without output. All scripts are noted
 * in the world. Unknown commands end with 127.
 */
#ifndef DRIVERS_FAKE_COMMAND_H
#define DRIVERS_FAKE_COMMAND_H

#include "drivers/fake_call.h"

struct fake_command {
    struct fake_call *call;
    struct fake_container *container;
    const char *const *arguments; /* ended by NULL */
    struct text *out, *err;
    uint64_t more_ms; /* on top of what every exec takes */
};

/* Runs it and returns the exit code. */
int fake_command_run(struct fake_command *command);

/* Writes a line to err and returns 1. */
int fake_command_fail(struct fake_command *command, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* kubeadm, in fake_kubeadm.c */
int fake_kubeadm_run(struct fake_command *command);

/* ctr, in fake_ctr.c: what is in the node's store; other uses of it are etcdctl's */
int fake_ctr_run(struct fake_command *command);

/* etcdctl, in fake_etcd.c: `member list` and `member remove ID`, also behind ctr and crictl */
int fake_etcd_run(struct fake_command *command);
uint64_t fake_etcd_id(const char *member);

#endif
