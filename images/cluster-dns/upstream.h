/*
 * upstream.h - the name servers outside the cluster, from resolv.conf.
 */
#ifndef CLUSTER_DNS_UPSTREAM_H
#define CLUSTER_DNS_UPSTREAM_H

#include <stddef.h>
#include <sys/socket.h>

enum { UPSTREAMS_MAX = 8, UPSTREAM_TEXT_SIZE = 80 };

struct upstream {
    struct sockaddr_storage address; /* port 53 */
    socklen_t size;
    char text[UPSTREAM_TEXT_SIZE]; /* as resolv.conf has it */
};

struct upstreams {
    struct upstream servers[UPSTREAMS_MAX];
    size_t count;
};

/*
 * Reads the file's "nameserver" lines. A loopback address is left out: it would
 * be this pod itself, and the question would go round in a circle.
 */
void upstreams_read(struct upstreams *upstreams, const char *path);

#endif
