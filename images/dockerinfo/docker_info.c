/*
 * docker-info - says to kubelet before 1.24 that there is no docker, at once.
 *
 * While such a kubelet starts, its cadvisor asks a docker daemon for its root
 * folder: five times, a second apart, until it has an answer. This is the
 * answer, on /run/docker.sock: a folder, and a version below 1 and no storage
 * driver, for which cadvisor then refuses to look for docker's containers.
 *
 * The socket must not stay: kubeadm without an explicit criSocket takes it for
 * the node's container runtime. So it is there from right before kubelet's
 * start (see docker-info.service) until nobody has asked for a while.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum {
    VISITORS_MAX = 8,
    REQUEST_MAX = 4096,
    VISIT_MS = 2000,        /* kubelet sends its request with the connection */
    UNASKED_MS = 60 * 1000, /* kubelet may need long to get to its question on a busy host */
    ASKED_MS = 2000,        /* it asks seven times in a row, within a few milliseconds */
};

static volatile sig_atomic_t stopped; /* systemd wants an end */

static const struct {
    const char *path, *type, *body;
} pages[] = {
    {"/_ping", "text/plain", "OK"},
    {"/info", "application/json",
     "{\"ID\":\"none\",\"Name\":\"none\",\"DockerRootDir\":\"/var/lib/docker\",\"Driver\":\"\","
     "\"DriverStatus\":[],\"ServerVersion\":\"0.0.0\",\"OperatingSystem\":\"\",\"OSType\":"
     "\"linux\",\"Containers\":0,\"Images\":0}\n"},
    {"/version", "application/json",
     "{\"Version\":\"0.0.0\",\"ApiVersion\":\"1.40\",\"MinAPIVersion\":\"1.12\",\"Os\":"
     "\"linux\"}\n"},
};

struct visitor {
    int fd; /* -1: free */
    uint64_t until_ms;
    size_t size;
    char request[REQUEST_MAX + 1];
};

static uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Passes over a leading "/v1.40". */
static const char *skip_version(const char *path)
{
    if (strncmp(path, "/v1.", 4) != 0)
        return path;
    return path + 4 + strspn(path + 4, "0123456789");
}

static void reply(int fd, const char *request)
{
    bool head = strncmp(request, "HEAD ", 5) == 0;
    const char *status = "404 Not Found", *type = "application/json";
    const char *body = "{\"message\":\"there is no docker here\"}\n";
    const char *path = skip_version(request + strcspn(request, " ") + 1);
    if (head || strncmp(request, "GET ", 4) == 0)
        for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
            size_t length = strlen(pages[i].path);
            if (strncmp(path, pages[i].path, length) != 0 || !strchr(" ?", path[length]))
                continue;
            status = "200 OK";
            type = pages[i].type;
            body = pages[i].body;
        }
    char text[1024];
    int size = snprintf(text, sizeof(text),
                        "HTTP/1.1 %s\r\nApi-Version: 1.40\r\nContent-Type: %s\r\n"
                        "Content-Length: %zu\r\nConnection: close\r\n\r\n%s",
                        status, type, strlen(body), head ? "" : body);
    if (size > 0 && (size_t)size < sizeof(text))
        (void)send(fd, text, (size_t)size, MSG_NOSIGNAL);
}

static void visitor_close(struct visitor *visitor)
{
    close(visitor->fd);
    visitor->fd = -1;
}

/* Returns true if a question has been answered. */
static bool visitor_read(struct visitor *visitor)
{
    ssize_t got =
        recv(visitor->fd, visitor->request + visitor->size, REQUEST_MAX - visitor->size, 0);
    if (got <= 0) {
        visitor_close(visitor);
        return false;
    }
    visitor->size += (size_t)got;
    visitor->request[visitor->size] = '\0';
    if (!strstr(visitor->request, "\r\n\r\n"))
        return false;
    reply(visitor->fd, visitor->request);
    visitor_close(visitor);
    return true;
}

static void visitor_admit(struct visitor *visitors, int listener)
{
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0)
        return;
    for (size_t i = 0; i < VISITORS_MAX; i++)
        if (visitors[i].fd < 0) {
            visitors[i].fd = fd;
            visitors[i].size = 0;
            visitors[i].until_ms = now_ms() + VISIT_MS;
            return;
        }
    close(fd);
}

static void stop(int signal_number)
{
    stopped = signal_number;
}

/* Answers until nobody asks any more. */
static void serve(int listener)
{
    struct visitor visitors[VISITORS_MAX];
    struct pollfd polled[VISITORS_MAX + 1];
    uint64_t end_ms = now_ms() + UNASKED_MS;
    for (size_t i = 0; i < VISITORS_MAX; i++)
        visitors[i].fd = -1;
    for (uint64_t at_ms; !stopped && (at_ms = now_ms()) < end_ms;) {
        uint64_t next_ms = end_ms;
        for (size_t i = 0; i < VISITORS_MAX; i++) {
            if (visitors[i].fd >= 0 && visitors[i].until_ms <= at_ms)
                visitor_close(&visitors[i]);
            /* poll() passes over negative descriptors. */
            polled[i] = (struct pollfd){.fd = visitors[i].fd, .events = POLLIN};
            if (visitors[i].fd >= 0 && visitors[i].until_ms < next_ms)
                next_ms = visitors[i].until_ms;
        }
        polled[VISITORS_MAX] = (struct pollfd){.fd = listener, .events = POLLIN};
        if (poll(polled, VISITORS_MAX + 1, (int)(next_ms - at_ms)) <= 0)
            continue;
        for (size_t i = 0; i < VISITORS_MAX; i++)
            if (polled[i].revents && visitor_read(&visitors[i]))
                end_ms = now_ms() + ASKED_MS;
        if (polled[VISITORS_MAX].revents)
            visitor_admit(visitors, listener);
    }
}

/* Is somebody there? If not, a process of ours has been killed before it could clean up. */
static bool somebody_listens(const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    bool dead = fd >= 0 && connect(fd, (const struct sockaddr *)address, sizeof(*address)) < 0 &&
                errno == ECONNREFUSED;
    if (fd >= 0)
        close(fd);
    return !dead;
}

static int listen_at(const struct sockaddr_un *address)
{
    const struct sockaddr *any = (const struct sockaddr *)address;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    int bound = bind(fd, any, sizeof(*address));
    /* A real docker's socket stays: whoever put it into a node shall have it. */
    if (bound < 0 && errno == EADDRINUSE && !somebody_listens(address)) {
        unlink(address->sun_path);
        bound = bind(fd, any, sizeof(*address));
    }
    if (bound == 0 && listen(fd, 16) == 0)
        return fd;
    int saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

int main(int argc, char **argv)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (argc != 2 || strlen(argv[1]) >= sizeof(address.sun_path)) {
        fprintf(stderr, "usage: %s SOCKET\n", argv[0]);
        return 2;
    }
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", argv[1]);
    struct sigaction action = {.sa_handler = stop};
    sigaction(SIGTERM, &action, NULL);
    int listener = listen_at(&address);
    if (listener < 0) {
        fprintf(stderr, "%s: %s\n", argv[1], strerror(errno));
        return errno == EADDRINUSE ? 0 : 1;
    }
    /* systemd starts kubelet when this process has ended: the child can be reached then. */
    int child = fork();
    if (child != 0)
        _exit(child < 0);
    serve(listener);
    unlink(argv[1]);
    return 0;
}
