#include "upstream.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { LINES_MAX = 1000, DNS_PORT = 53 };

static bool is_loopback(const struct upstream *server)
{
    if (server->address.ss_family == AF_INET) {
        struct sockaddr_in v4;
        memcpy(&v4, &server->address, sizeof(v4));
        return ntohl(v4.sin_addr.s_addr) >> 24 == 127;
    }
    struct sockaddr_in6 v6;
    memcpy(&v6, &server->address, sizeof(v6));
    return IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr);
}

/* "192.0.2.1", "2001:db8::1" or "fe80::1%eth0". */
static bool upstream_parse(struct upstream *server, const char *text)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(DNS_PORT)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(DNS_PORT)};
    char bare[UPSTREAM_TEXT_SIZE];
    *server = (struct upstream){0};
    snprintf(server->text, sizeof(server->text), "%s", text);
    snprintf(bare, sizeof(bare), "%s", text);
    if (inet_pton(AF_INET, bare, &v4.sin_addr) == 1) {
        server->size = sizeof(v4);
        memcpy(&server->address, &v4, sizeof(v4));
        return true;
    }
    char *scope = strchr(bare, '%');
    if (scope) {
        *scope = '\0';
        v6.sin6_scope_id = if_nametoindex(scope + 1);
    }
    server->size = sizeof(v6);
    if (inet_pton(AF_INET6, bare, &v6.sin6_addr) != 1)
        return false;
    memcpy(&server->address, &v6, sizeof(v6));
    return true;
}

void upstreams_read(struct upstreams *upstreams, const char *path)
{
    *upstreams = (struct upstreams){0};
    FILE *file = fopen(path, "re");
    if (!file)
        return;
    char line[512], address[UPSTREAM_TEXT_SIZE];
    for (int i = 0; i < LINES_MAX && fgets(line, sizeof(line), file); i++) {
        struct upstream *server = &upstreams->servers[upstreams->count];
        if (upstreams->count == UPSTREAMS_MAX)
            break;
        if (sscanf(line, " nameserver %79s", address) == 1 && upstream_parse(server, address) &&
            !is_loopback(server))
            upstreams->count++;
    }
    fclose(file);
}
