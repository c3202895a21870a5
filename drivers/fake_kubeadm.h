/*
 * fake_kubeadm.h - one run of the fake kubeadm: its options, its configuration, its node.
 *
 * fake_kubeadm.c finds the phases, fake_kubeadm_files.c writes what is on the
 * node's disk, fake_kubeadm_api.c what is in the cluster. Every phase may run
 * again, and fails as the real one does when what it needs is not there.
 */
#ifndef DRIVERS_FAKE_KUBEADM_H
#define DRIVERS_FAKE_KUBEADM_H

#include "drivers/fake_command.h"

struct fake_kubeadm {
    struct fake_command *command;
    struct fake_container *container;
    const char *words[16]; /* what is not an option: "init", "phase", "certs", "ca" */
    size_t word_count;
    const char *config_path, *token, *ttl;
    bool control_plane, print_join_command;
    json_t *documents; /* of the configuration file, own reference; or NULL */
};

/* The configuration document of a kind, or NULL. */
json_t *fake_kubeadm_document(const struct fake_kubeadm *kubeadm, const char *kind);
/* "name:6443" that kubeconfigs point to, in the call's arena. */
const char *fake_kubeadm_endpoint(const struct fake_kubeadm *kubeadm);
const char *fake_kubeadm_cluster_name(const struct fake_kubeadm *kubeadm);

/* Phases return the exit code; what is "all", "ca", "admin" or another part of the phase. */
typedef int fake_phase(struct fake_kubeadm *kubeadm, const char *what);

/* fake_kubeadm_files.c */
fake_phase fake_phase_certs, fake_phase_kubeconfig, fake_phase_kubelet_start, fake_phase_etcd,
    fake_phase_control_plane, fake_phase_kubelet_finalize, fake_phase_check_certs, fake_phase_reset;
/* fake_kubeadm_api.c */
fake_phase fake_phase_upload_config, fake_phase_mark, fake_phase_token, fake_phase_addon,
    fake_phase_discover, fake_phase_join_etcd;

/* An object {apiVersion, kind, metadata} in kube-system, or without namespace. */
void fake_kubeadm_object(struct fake_kubeadm *kubeadm, const char *group_version,
                         const char *resource, const char *kind, const char *namespace,
                         const char *name, json_t *rest);

#endif
