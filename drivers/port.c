#include "drivers/port.h"

#include "base/memory.h"
#include "model/spec.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static socklen_t address_of(const char *text, struct sockaddr_storage *address)
{
    struct sockaddr_in *four = (void *)address;
    struct sockaddr_in6 *six = (void *)address;
    memset(address, 0, sizeof(*address));
    if (inet_pton(AF_INET, text, &four->sin_addr) == 1) {
        four->sin_family = AF_INET;
        return sizeof(*four);
    }
    if (inet_pton(AF_INET6, text, &six->sin6_addr) == 1) {
        six->sin6_family = AF_INET6;
        return sizeof(*six);
    }
    return 0;
}

static int bound_port(int fd)
{
    union {
        struct sockaddr any;
        struct sockaddr_in four;
        struct sockaddr_in6 six;
    } address = {.six = {0}};
    socklen_t length = sizeof(address);
    if (getsockname(fd, &address.any, &length))
        return 0;
    return ntohs(address.any.sa_family == AF_INET ? address.four.sin_port : address.six.sin6_port);
}

int port_pick(struct port_hold *hold, const char *address, int32_t *port, struct error **err)
{
    struct sockaddr_storage where;
    socklen_t length = address_of(address, &where);
    if (!length)
        return error_set(err, ERROR_INVALID, "'%s' is no IP address to listen on", address);
    if (hold->count == COUNT_OF(hold->sockets))
        return error_set(err, ERROR_INVALID, "more than %zu ports to pick for one node",
                         COUNT_OF(hold->sockets));
    int fd = socket(where.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&where, length) || listen(fd, 1)) {
        int result =
            error_set(err, ERROR_INVALID, "no free port on %s: %s", address, strerror(errno));
        if (fd >= 0)
            close(fd);
        return result;
    }
    *port = bound_port(fd);
    hold->sockets[hold->count++] = fd;
    return 0;
}

int port_settle(struct port_hold *hold, enum port_host host, const char *address, int32_t *port,
                struct error **err)
{
    if (*port == PORT_PICK)
        return port_pick(hold, host == PORT_HOST_THIS ? address : "0.0.0.0", port, err);
    if (*port == PORT_ENGINE_PICKS)
        *port = 0;
    return 0;
}

void port_release(struct port_hold *hold)
{
    while (hold->count)
        close(hold->sockets[--hold->count]);
}
