#include "cli/listen_address.h"

#include "base/memory.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <unistd.h>

enum { BACKLOG = 128, HOST_BYTES_MAX = 64 };

/* The end of the host in "host:port" or "[host]:port", or NULL. */
static const char *host_end(const char *text)
{
    if (*text != '[')
        return strrchr(text, ':');
    const char *end = strchr(text, ']');
    return end && end[1] == ':' ? end + 1 : NULL;
}

static bool port_of(const char *text, in_port_t *port)
{
    char *end;
    unsigned long number = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || number > 65535)
        return false;
    *port = htons((in_port_t)number);
    return true;
}

static bool take_ipv4(const char *host, in_port_t port, struct listen_address *address)
{
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = port};
    if (inet_pton(AF_INET, host, &four.sin_addr) != 1)
        return false;
    memcpy(&address->address, &four, sizeof(four));
    address->length = sizeof(four);
    address->loopback = ntohl(four.sin_addr.s_addr) >> 24 == 127;
    return true;
}

static bool take_ipv6(const char *host, in_port_t port, struct listen_address *address)
{
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = port};
    if (inet_pton(AF_INET6, host, &six.sin6_addr) != 1)
        return false;
    memcpy(&address->address, &six, sizeof(six));
    address->length = sizeof(six);
    address->loopback = IN6_IS_ADDR_LOOPBACK(&six.sin6_addr);
    return true;
}

static bool take_host(const char *host, in_port_t port, struct listen_address *address)
{
    if (!*host)
        host = "::";
    if (strcmp(host, "localhost") == 0)
        host = "127.0.0.1";
    return take_ipv4(host, port, address) || take_ipv6(host, port, address);
}

int listen_address_parse(const char *text, struct listen_address *address, struct error **err)
{
    *address = (struct listen_address){0};
    const char *colon = host_end(text);
    bool bracketed = *text == '[';
    in_port_t port;
    if (colon && port_of(colon + 1, &port)) {
        size_t skipped = bracketed ? 1 : 0;
        cleanup_free char *host =
            memory_string_n(text + skipped, (size_t)(colon - text) - 2 * skipped);
        if ((bracketed || !strchr(host, ':')) && take_host(host, port, address))
            return 0;
    }
    return error_set(err, ERROR_INVALID,
                     "--listen=%s: not an address and a port; write 127.0.0.1:9440, [::1]:9440, "
                     "localhost:9440 or :9440 (all addresses)",
                     text);
}

bool listen_address_is_own_host(const char *host)
{
    const char *colon = strrchr(host, ':');
    bool six = *host == '[';
    in_port_t port;
    size_t length = strlen(host);
    if (colon && (!six || colon[-1] == ']')) {
        if (!port_of(colon + 1, &port))
            return false;
        length = (size_t)(colon - host);
    }
    if (length >= HOST_BYTES_MAX || length < 2 || (six && host[length - 1] != ']'))
        return false;
    cleanup_free char *name = memory_string_n(host + six, length - 2 * (size_t)six);
    struct listen_address address = {0};
    if (strcasecmp(name, "localhost") == 0)
        return true;
    return (six ? take_ipv6(name, 0, &address) : take_ipv4(name, 0, &address)) && address.loopback;
}

static char *name_of(int fd)
{
    struct sockaddr_storage own = {0};
    socklen_t length = sizeof(own);
    char host[INET6_ADDRSTRLEN] = "";
    if (getsockname(fd, (struct sockaddr *)&own, &length) < 0)
        return memory_string("");
    if (own.ss_family == AF_INET) {
        struct sockaddr_in four;
        memcpy(&four, &own, sizeof(four));
        inet_ntop(AF_INET, &four.sin_addr, host, sizeof(host));
        return memory_format("%s:%u", host, ntohs(four.sin_port));
    }
    struct sockaddr_in6 six;
    memcpy(&six, &own, sizeof(six));
    inet_ntop(AF_INET6, &six.sin6_addr, host, sizeof(host));
    return memory_format("[%s]:%u", host, ntohs(six.sin6_port));
}

int listen_address_open(const struct listen_address *address, char **ret_name, struct error **err)
{
    int fd = socket(address->address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    const int yes = 1, no = 0;
    if (fd < 0)
        return error_set(err, ERROR_UNAVAILABLE, "--listen: make a socket: %s", strerror(errno));
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    if (address->address.ss_family == AF_INET6)
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof(no));
    if (bind(fd, (const struct sockaddr *)&address->address, address->length) == 0 &&
        listen(fd, BACKLOG) == 0) {
        *ret_name = name_of(fd);
        return fd;
    }
    int reason = errno;
    close(fd);
    if (reason == EADDRINUSE)
        return error_set(err, ERROR_UNAVAILABLE,
                         "--listen: somebody else listens there already; `ss -ltnp` shows who, or "
                         "choose another port");
    return error_set(err, ERROR_UNAVAILABLE, "--listen: %s", strerror(reason));
}
