/* Whether a port of this host is taken, and by whom. */
#include "drivers/host_read.h"

#include "base/memory.h"
#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LINES_MAX = 20000, PROCESSES_MAX = 20000, DESCRIPTORS_MAX = 200 * 1000, TCP_LISTEN = 10 };

static socklen_t address_of(const char *text, int port, struct sockaddr_storage *address)
{
    struct sockaddr_in *four = (void *)address;
    struct sockaddr_in6 *six = (void *)address;
    memset(address, 0, sizeof(*address));
    if (inet_pton(AF_INET, text, &four->sin_addr) == 1) {
        four->sin_family = AF_INET;
        four->sin_port = htons((uint16_t)port);
        return sizeof(*four);
    }
    if (inet_pton(AF_INET6, text, &six->sin6_addr) == 1) {
        six->sin6_family = AF_INET6;
        six->sin6_port = htons((uint16_t)port);
        return sizeof(*six);
    }
    return 0;
}

bool host_port_taken(const char *address, int port, enum host_protocol protocol)
{
    struct sockaddr_storage where;
    socklen_t length = port > 0 && port < 65536 ? address_of(address, port, &where) : 0;
    if (!length)
        return false;
    int type = protocol == HOST_TCP ? SOCK_STREAM : SOCK_DGRAM;
    int fd = socket(where.ss_family, type | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    /* As the engine does: connections that are ending do not hold a port, listeners do. */
    int on = 1;
    if (protocol == HOST_TCP)
        (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (where.ss_family == AF_INET6)
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
    bool taken = bind(fd, (struct sockaddr *)&where, length) != 0 && errno == EADDRINUSE;
    close(fd);
    return taken;
}

/* The inode of the socket that listens there, of a table like /proc/net/tcp; 0: none. */
static unsigned long find_listener(const char *path, int port)
{
    FILE *table = fopen(path, "re");
    unsigned long found = 0;
    char line[512];
    for (size_t i = 0; table && !found && i < LINES_MAX && fgets(line, sizeof(line), table); i++) {
        unsigned local, state;
        unsigned long inode;
        if (sscanf(line, " %*d: %*[0-9A-F]:%4X %*[0-9A-F]:%*X %2X %*s %*s %*s %*d %*d %lu", &local,
                   &state, &inode) == 3 &&
            state == TCP_LISTEN && local == (unsigned)port)
            found = inode;
    }
    if (table)
        fclose(table);
    return found;
}

static bool holds(const char *process, const char *socket, size_t *budget)
{
    cleanup_free char *folder = memory_format("%s/fd", process);
    DIR *descriptors = opendir(folder);
    bool found = false;
    for (const struct dirent *entry;
         descriptors && !found && *budget && (entry = readdir(descriptors)); --*budget) {
        char target[64];
        ssize_t length = readlinkat(dirfd(descriptors), entry->d_name, target, sizeof(target) - 1);
        target[length > 0 ? length : 0] = '\0';
        found = strcmp(target, socket) == 0;
    }
    if (descriptors)
        closedir(descriptors);
    return found;
}

static const char *describe(struct arena *arena, const char *process, const char *number)
{
    cleanup_free char *path = memory_format("%s/comm", process);
    FILE *file = fopen(path, "re");
    char name[64] = "";
    if (file && fgets(name, sizeof(name), file))
        name[strcspn(name, "\n")] = '\0';
    if (file)
        fclose(file);
    return *name ? arena_format(arena, "%s (process %s)", name, number) : NULL;
}

const char *host_port_holder(struct arena *arena, const char *root, int port)
{
    cleanup_free char *four = memory_format("%s/proc/net/tcp", root);
    cleanup_free char *six = memory_format("%s/proc/net/tcp6", root);
    cleanup_free char *folder = memory_format("%s/proc", root);
    unsigned long inode = find_listener(four, port);
    inode = inode ? inode : find_listener(six, port);
    DIR *processes = inode ? opendir(folder) : NULL;
    if (!processes)
        return NULL;
    cleanup_free char *socket = memory_format("socket:[%lu]", inode);
    const char *holder = NULL;
    size_t budget = DESCRIPTORS_MAX, seen = 0;
    for (const struct dirent *entry;
         !holder && seen++ < PROCESSES_MAX && (entry = readdir(processes));) {
        cleanup_free char *process = memory_format("%s/%s", folder, entry->d_name);
        if (isdigit((unsigned char)*entry->d_name) && holds(process, socket, &budget))
            holder = describe(arena, process, entry->d_name);
    }
    closedir(processes);
    return holder;
}
