/* Reading limits, from a tree of files as the kernel has them, and from this host. */
#include "drivers/host_read.h"

#include "base/memory.h"
#include "base/test.h"
#include <arpa/inet.h>
#include <ftw.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

static char root[] = "/tmp/kind-host-XXXXXX";

static void put(const char *path, const char *text)
{
    cleanup_free char *full = memory_format("%s%s", root, path);
    for (char *slash = strchr(full + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(full, 0700);
        *slash = '/';
    }
    FILE *file = fopen(full, "we");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void put_link(const char *path, const char *target)
{
    cleanup_free char *full = memory_format("%s%s", root, path);
    put(path, "");
    unlink(full);
    assert_int_equal(symlink(target, full), 0);
}

static int make_root(void **state)
{
    (void)state;
    return mkdtemp(root) ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *is, int kind, struct FTW *place)
{
    (void)is, (void)kind, (void)place;
    return remove(path);
}

static int remove_root(void **state)
{
    (void)state;
    return nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void a_tree(void **state)
{
    (void)state;
    put("/proc/sys/fs/inotify/max_user_instances", "128\n");
    put("/proc/sys/fs/inotify/max_user_watches", "8192\n");
    put("/proc/sys/kernel/pid_max", "32768\n");
    put("/proc/sys/kernel/threads-max", "100000\n");
    put("/proc/key-users", "    0:   202 201/201 196/1000000 9712/25000000\n"
                           " 4711:     3 3/3 2/200 30/20000\n");
    put("/proc/loadavg", "0.20 0.18 0.12 1/345 4711\n");
    put("/proc/meminfo", "MemTotal:        2048 kB\nMemFree:  1 kB\nMemAvailable:    1024 kB\n");
    put_link("/proc/12/fd/3", "anon_inode:inotify");
    put_link("/proc/12/fd/4", "socket:[1]");
    put("/proc/12/fdinfo/3", "pos:\t0\ninotify wd:2 ino:1\ninotify wd:1 ino:2\n");
    put_link("/proc/34/fd/9", "anon_inode:inotify");
    put("/proc/34/fdinfo/9", "pos:\t0\n");
    put("/proc/self", "no process");

    cleanup_arena struct arena *arena = arena_new();
    struct host_limits limits;
    struct host_read options = {.root = root, .folder = root, .user = geteuid()};
    host_limits_read(arena, &options, &limits);
    assert_int_equal(limits.inotify_instances.max, 128);
    assert_int_equal(limits.inotify_instances.used, 2);
    assert_int_equal(limits.inotify_watches.max, 8192);
    assert_int_equal(limits.inotify_watches.used, 2);
    assert_int_equal(limits.threads.max, 32768);
    assert_int_equal(limits.threads.used, 345);
    assert_int_equal(limits.memory_bytes, 2048 * 1024);
    assert_int_equal(limits.memory_free_bytes, 1024 * 1024);
    assert_true(limits.disk_free_bytes > 0);
    test_equal(limits.disk, root);

    options.user = 4711;
    host_limits_read(arena, &options, &limits);
    assert_int_equal(limits.keys.max, 200);
    assert_int_equal(limits.keys.used, 2);
    assert_int_equal(limits.key_bytes.max, 20000);
    assert_int_equal(limits.key_bytes.used, 30);

    /* The control groups of a container. */
    put("/sys/fs/cgroup/pids.max", "512\n");
    put("/sys/fs/cgroup/pids.current", "500\n");
    put("/sys/fs/cgroup/memory.max", "1000000\n");
    put("/sys/fs/cgroup/memory.current", "900000\n");
    put("/sys/fs/cgroup/memory.stat", "anon 1\ninactive_file 300000\n");
    host_limits_read(arena, &options, &limits);
    assert_int_equal(limits.threads.max, 512);
    assert_int_equal(limits.threads.used, 500);
    assert_int_equal(limits.memory_bytes, 1000000);
    assert_int_equal(limits.memory_free_bytes, 400000);
    put("/sys/fs/cgroup/pids.max", "max\n");
    put("/sys/fs/cgroup/memory.max", "max\n");
    host_limits_read(arena, &options, &limits);
    assert_int_equal(limits.threads.max, 32768);
    assert_int_equal(limits.memory_free_bytes, 1024 * 1024);
}

static void nothing_to_read(void **state)
{
    (void)state;
    cleanup_arena struct arena *arena = arena_new();
    struct host_limits limits;
    const struct host_read options = {.root = "/nowhere", .folder = "/nowhere"};
    host_limits_read(arena, &options, &limits);
    assert_memory_equal(&limits, &host_limits_unknown, sizeof(limits));
    struct utsname self;
    uname(&self);
    assert_true(host_is_this(self.nodename, self.release));
    assert_false(host_is_this(self.nodename, "0.0.1-none"));
    assert_false(host_is_this("not-this-host", self.release));
    assert_false(host_is_this("", ""));
}

/* A listener on a free port of its own; its number. */
static int listen_somewhere(int *fd, int type)
{
    struct sockaddr_in where = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(where);
    *fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(*fd, (struct sockaddr *)&where, length), 0);
    if (type == SOCK_STREAM)
        assert_int_equal(listen(*fd, 1), 0);
    assert_int_equal(getsockname(*fd, (struct sockaddr *)&where, &length), 0);
    return ntohs(where.sin_port);
}

static void ports(void **state)
{
    (void)state;
    cleanup_arena struct arena *arena = arena_new();
    int tcp, udp;
    int port = listen_somewhere(&tcp, SOCK_STREAM);
    assert_true(host_port_taken("127.0.0.1", port, HOST_TCP));
    assert_true(host_port_taken("0.0.0.0", port, HOST_TCP));
    assert_false(host_port_taken("127.0.0.2", port, HOST_TCP));
    assert_false(host_port_taken("127.0.0.1", port, HOST_UDP));
    assert_false(host_port_taken("no address", port, HOST_TCP));
    assert_false(host_port_taken("127.0.0.1", 0, HOST_TCP));
    const char *holder = host_port_holder(arena, "", port);
    cleanup_free char *self = memory_format("(process %d)", (int)getpid());
    assert_non_null(holder);
    assert_non_null(strstr(holder, self));
    close(tcp);
    assert_false(host_port_taken("127.0.0.1", port, HOST_TCP));
    assert_null(host_port_holder(arena, "", port));
    port = listen_somewhere(&udp, SOCK_DGRAM);
    assert_true(host_port_taken("127.0.0.1", port, HOST_UDP));
    close(udp);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tree),
        cmocka_unit_test(nothing_to_read),
        cmocka_unit_test(ports),
    };
    return cmocka_run_group_tests(tests, make_root, remove_root);
}
