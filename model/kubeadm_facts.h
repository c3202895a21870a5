/*
 * kubeadm_facts.h - what is derived from a node's spec, version and addresses before any document
 * of its kubeadm configuration is made.
 *
 * For kubeadm.c alone.
 */
#ifndef MODEL_KUBEADM_FACTS_H
#define MODEL_KUBEADM_FACTS_H

#include "model/kubeadm.h"
#include "model/version.h"

struct kubeadm_facts {
    const struct kubeadm_input *input;
    const struct networking_spec *networking;
    struct kubeadm_traits traits;
    struct version version;
    bool ipv6_only;
    bool argument_lists;    /* v1beta4: extraArgs are lists of name and value */
    struct pair_list gates; /* items owned */
    char *gates_text, *runtime_config, *labels;
    char *addresses;       /* "10.0.0.2" or "10.0.0.2,fc00::2" */
    const char *advertise; /* the first of them */
    char *provider_id;
    char *reserved; /* what of the host is not the node's: "cpu=500m,memory=1024Ki", or "" */
};

/* Fails (ERROR_INVALID) as kubeadm_config; to be done with in that case, too. */
int kubeadm_facts_read(const struct kubeadm_input *input, struct kubeadm_facts *facts,
                       struct error **err);
void kubeadm_facts_done(struct kubeadm_facts *facts); /* one of zeros is fine */
#define cleanup_kubeadm_facts __attribute__((cleanup(kubeadm_facts_done)))

#endif
