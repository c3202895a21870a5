#include "cli/notify.h"

#include "base/memory.h"
#include "base/test.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* A socket as systemd has one; abstract where the name begins with "@". */
static int listen_at(const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, name, strlen(name));
    if (*name == '@')
        address.sun_path[0] = '\0';
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name));
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, size), 0);
    return fd;
}

static void tells(void **state)
{
    (void)state;
    char folder[] = "/tmp/kind-notify-XXXXXX", buffer[100];
    assert_non_null(mkdtemp(folder));
    cleanup_free char *path = memory_format("%s/socket", folder);
    cleanup_free char *abstract = memory_format("@%s", folder);
    const char *const names[] = {path, abstract};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        test_row(names[i]);
        int fd = listen_at(names[i]);
        setenv("NOTIFY_SOCKET", names[i], 1);
        assert_true(notify_send("READY=1\nSTATUS=watches"));
        ssize_t length = recv(fd, buffer, sizeof(buffer) - 1, MSG_DONTWAIT);
        assert_true(length > 0);
        buffer[length] = '\0';
        test_equal(buffer, "READY=1\nSTATUS=watches");
        close(fd);
    }
    unlink(path);
    assert_false(notify_send("READY=1")); /* nobody is there any more */
    rmdir(folder);
}

static void tells_nobody(void **state)
{
    (void)state;
    static const char *const names[] = {"", "relative", "/", "/nowhere/at/all"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        test_row(names[i]);
        setenv("NOTIFY_SOCKET", names[i], 1);
        assert_false(notify_send("READY=1"));
    }
    char longest[200];
    memset(longest, 'a', sizeof(longest));
    longest[0] = '/';
    longest[sizeof(longest) - 1] = '\0';
    setenv("NOTIFY_SOCKET", longest, 1);
    assert_false(notify_send("READY=1"));
    unsetenv("NOTIFY_SOCKET");
    assert_false(notify_send("READY=1"));
}

static void watchdog(void **state)
{
    (void)state;
    char own[30];
    snprintf(own, sizeof(own), "%ld", (long)getpid());
    const struct {
        const char *us, *pid;
        uint64_t want_ms;
    } rows[] = {
        {"30000000", NULL, 15000}, {"30000000", own, 15000}, {"30000000", "1", 0},
        {NULL, NULL, 0},           {"1000", NULL, 0},        {"", NULL, 0},
        {"30s", NULL, 0},          {"-1", "1", 0},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        unsetenv("WATCHDOG_USEC");
        unsetenv("WATCHDOG_PID");
        if (rows[i].us)
            setenv("WATCHDOG_USEC", rows[i].us, 1);
        if (rows[i].pid)
            setenv("WATCHDOG_PID", rows[i].pid, 1);
        test_row(rows[i].us ? rows[i].us : "none");
        assert_int_equal(notify_watchdog_ms(), rows[i].want_ms);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells),
        cmocka_unit_test(tells_nobody),
        cmocka_unit_test(watchdog),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
