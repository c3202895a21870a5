/*
 * listen_address.h - where a service listens: "127.0.0.1:9440", "[::1]:9440", "localhost:9440".
 */
#ifndef CLI_LISTEN_ADDRESS_H
#define CLI_LISTEN_ADDRESS_H

#include "base/error.h"
#include <stdbool.h>
#include <sys/socket.h>

struct listen_address {
    struct sockaddr_storage address;
    socklen_t length;
    bool loopback; /* nobody but this machine gets there */
};

/* Numbers, or "localhost"; port 0: any that is free. ":9440" is every address of the machine. */
int listen_address_parse(const char *text, struct listen_address *address, struct error **err);

/*
 * Is this the value of a Host header with which a browser comes that was asked
 * for this machine by itself: an address of the loopback or "localhost", with
 * any port? Any other name may be one that somebody has pointed here.
 */
bool listen_address_is_own_host(const char *host);

/* A socket that listens there; -1 with *err set. ret_name: "127.0.0.1:9440", the caller's. */
int listen_address_open(const struct listen_address *address, char **ret_name, struct error **err);

#endif
