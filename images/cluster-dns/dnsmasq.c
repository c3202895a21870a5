#include "dnsmasq.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../cluster-api/memory.h"
#include "message.h"

enum {
    ASK_STARTING_MS = 10, /* it is up within 20 ms; every one of them counts */
    ASK_RUNNING_MS = 5 * 1000,
    ASK_AGAIN_MS = 500,   /* after a question that got no answer */
    STARTING_MS = 2000,   /* then asking every few milliseconds is no use any more */
    SILENT_MS = 8 * 1000, /* no longer ready */
    DEAF_MS = 15 * 1000,  /* it is replaced */
    RESTART_MS_MAX = 5 * 1000,
    STEADY_MS = 30 * 1000, /* after this, its end is no longer a failed start */
    ARGUMENTS_MAX = 24 + UPSTREAMS_MAX,
};

struct dnsmasq {
    struct loop *loop;
    struct dnsmasq_options options;
    int pid;    /* 0: does not run */
    int socket; /* for the questions */
    uint16_t id;
    bool answers;
    unsigned failures;
    uint64_t due_at_ms, started_at_ms, heard_at_ms;
};

struct arguments {
    char *values[ARGUMENTS_MAX];
    size_t count;
};

static void arguments_add(struct arguments *arguments, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void arguments_add(struct arguments *arguments, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    if (arguments->count + 1 >= ARGUMENTS_MAX ||
        vasprintf(&arguments->values[arguments->count++], format, values) < 0)
        abort();
    va_end(values);
}

/*
 * Everything is on the command line, so no writable path is needed. The user
 * stays root and no group is set, as the container may do neither.
 */
static void make_arguments(struct arguments *arguments, const struct dnsmasq_options *options)
{
    static const char *const reverse[] = {"in-addr.arpa", "ip6.arpa"};
    arguments_add(arguments, "dnsmasq");
    arguments_add(arguments, "--keep-in-foreground");
    arguments_add(arguments, "--conf-file=/dev/null");
    arguments_add(arguments, "--user=root");
    arguments_add(arguments, "--group=");
    arguments_add(arguments, "--pid-file=");
    arguments_add(arguments, "--log-facility=-");
    arguments_add(arguments, "--no-hosts");
    arguments_add(arguments, "--no-resolv");
    arguments_add(arguments, "--port=%u", options->port);
    arguments_add(arguments, "--cache-size=2000");
    arguments_add(arguments, "--max-cache-ttl=30"); /* as kubeadm's CoreDNS has */
    arguments_add(arguments, "--dns-forward-max=1000");
    arguments_add(arguments, "--server=/%s/127.0.0.1#%u", options->domain, options->cluster_port);
    for (size_t i = 0; i < sizeof(reverse) / sizeof(reverse[0]); i++)
        arguments_add(arguments, "--server=/%s/127.0.0.1#%u", reverse[i], options->cluster_port);
    for (size_t i = 0; i < options->upstreams->count; i++)
        arguments_add(arguments, "--server=%s", options->upstreams->servers[i].text);
}

static void dnsmasq_start(struct dnsmasq *dnsmasq, uint64_t now_ms)
{
    struct arguments arguments = {0};
    make_arguments(&arguments, &dnsmasq->options);
    sigset_t none;
    sigemptyset(&none);
    int pid = fork();
    if (pid == 0) {
        /* It must not outlive us: the port would stay taken. */
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        sigprocmask(SIG_SETMASK, &none, NULL);
        execv(dnsmasq->options.program, arguments.values);
        _exit(127);
    }
    for (size_t i = 0; i < arguments.count; i++)
        free(arguments.values[i]);
    dnsmasq->pid = pid > 0 ? pid : 0;
    dnsmasq->started_at_ms = dnsmasq->heard_at_ms = now_ms;
    dnsmasq->due_at_ms = now_ms + ASK_STARTING_MS;
}

static void dnsmasq_ask(struct dnsmasq *dnsmasq, uint64_t now_ms)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons(dnsmasq->options.port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    uint8_t query[MESSAGE_QUERY_MAX];
    char name[MESSAGE_NAME_SIZE];
    snprintf(name, sizeof(name), "dns-version.%s", dnsmasq->options.domain);
    dnsmasq->id = (uint16_t)arc4random();
    size_t size = message_query(query, dnsmasq->id, name, RECORD_TXT);
    (void)sendto(dnsmasq->socket, query, size, 0, (struct sockaddr *)&address, sizeof(address));
    uint64_t silent_ms = now_ms - dnsmasq->heard_at_ms;
    if (silent_ms > SILENT_MS)
        dnsmasq->answers = false;
    if (silent_ms > DEAF_MS) {
        loop_log("dnsmasq does not answer: it is replaced");
        kill(dnsmasq->pid, SIGKILL);
    }
    bool starting = !dnsmasq->answers && now_ms - dnsmasq->started_at_ms < STARTING_MS;
    dnsmasq->due_at_ms = now_ms + (starting ? ASK_STARTING_MS : ASK_AGAIN_MS);
}

static void dnsmasq_readable(void *context, int fd)
{
    struct dnsmasq *dnsmasq = context;
    uint8_t bytes[MESSAGE_UDP_MAX];
    struct question question;
    ssize_t size = recv(fd, bytes, sizeof(bytes), 0);
    if (size < 0 || question_parse(bytes, (size_t)size, &question) < 0 ||
        question.id != dnsmasq->id)
        return;
    if (!dnsmasq->answers)
        loop_log("dnsmasq answers, %llu ms after its start",
                 (unsigned long long)(loop_now_ms() - dnsmasq->started_at_ms));
    dnsmasq->answers = true;
    dnsmasq->heard_at_ms = loop_now_ms();
    dnsmasq->due_at_ms = dnsmasq->heard_at_ms + ASK_RUNNING_MS;
}

struct dnsmasq *dnsmasq_new(struct loop *loop, const struct dnsmasq_options *options)
{
    struct dnsmasq *dnsmasq = must(calloc(1, sizeof(*dnsmasq)));
    dnsmasq->loop = loop;
    dnsmasq->options = *options;
    dnsmasq->socket = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (dnsmasq->socket < 0)
        abort();
    (void)loop_add(loop, dnsmasq->socket, dnsmasq_readable, dnsmasq);
    return dnsmasq;
}

void dnsmasq_free(struct dnsmasq *dnsmasq)
{
    if (!dnsmasq)
        return;
    if (dnsmasq->pid > 0)
        kill(dnsmasq->pid, SIGTERM);
    loop_remove(dnsmasq->loop, dnsmasq->socket);
    close(dnsmasq->socket);
    free(dnsmasq);
}

uint64_t dnsmasq_tick(struct dnsmasq *dnsmasq, uint64_t now_ms)
{
    if (now_ms >= dnsmasq->due_at_ms) {
        if (dnsmasq->pid == 0)
            dnsmasq_start(dnsmasq, now_ms);
        else
            dnsmasq_ask(dnsmasq, now_ms);
    }
    return dnsmasq->due_at_ms;
}

void dnsmasq_child_ended(struct dnsmasq *dnsmasq, int pid, int status)
{
    if (pid != dnsmasq->pid)
        return;
    uint64_t now_ms = loop_now_ms();
    loop_log("dnsmasq ended with status %d: it is started again", status);
    dnsmasq->pid = 0;
    dnsmasq->answers = false;
    if (now_ms - dnsmasq->started_at_ms > STEADY_MS)
        dnsmasq->failures = 0;
    uint64_t wait_ms = 10ULL << (dnsmasq->failures < 10 ? dnsmasq->failures : 10);
    dnsmasq->failures++;
    dnsmasq->due_at_ms = now_ms + (wait_ms < RESTART_MS_MAX ? wait_ms : RESTART_MS_MAX);
}

bool dnsmasq_answers(const struct dnsmasq *dnsmasq)
{
    return dnsmasq->answers;
}
