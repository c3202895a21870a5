/*
 * corefile.h - the one thing that is read from CoreDNS' configuration.
 */
#ifndef CLUSTER_DNS_COREFILE_H
#define CLUSTER_DNS_COREFILE_H

enum { COREFILE_DOMAIN_SIZE = 254 };

/*
 * Takes the domain out of the "kubernetes <domain> ..." line of a Corefile's
 * text; "cluster.local" if there is none. The rest is CoreDNS' own business.
 */
void corefile_domain(const char *text, char domain[COREFILE_DOMAIN_SIZE]);

#endif
