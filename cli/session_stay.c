#include "cli/session_stay.h"

#include "cli/notify.h"
#include <signal.h>

static void hangup_came(uv_signal_t *handle, int number)
{
    struct session_stay *stay = handle->data;
    (void)number;
    stay->asked(stay->context);
}

static void end_came(uv_signal_t *handle, int number)
{
    struct session_stay *stay = handle->data;
    if (!stay->session->signals++)
        stay->session->first_signal = number;
    stay->stopped(stay->context);
}

static void watchdog_came(uv_timer_t *timer)
{
    (void)timer;
    notify_send("WATCHDOG=1");
}

static void watch_signal(struct session_stay *stay, uv_signal_t *handle, uv_signal_cb came,
                         int number)
{
    uv_signal_init(&stay->session->loop, handle);
    handle->data = stay;
    uv_signal_start(handle, came, number);
}

void session_stay_open(struct session_stay *stay)
{
    uint64_t watchdog_ms = notify_watchdog_ms();
    watch_signal(stay, &stay->hangup, hangup_came, SIGHUP);
    watch_signal(stay, &stay->interrupt, end_came, SIGINT);
    watch_signal(stay, &stay->terminate, end_came, SIGTERM);
    uv_timer_init(&stay->session->loop, &stay->watchdog);
    if (watchdog_ms)
        uv_timer_start(&stay->watchdog, watchdog_came, watchdog_ms, watchdog_ms);
    uv_update_time(&stay->session->loop); /* a lock may have been waited for */
}

void session_stay_run(struct session_stay *stay)
{
    while (!stay->over)
        uv_run(&stay->session->loop, UV_RUN_ONCE);
}

void session_stay_end(struct session_stay *stay)
{
    stay->over = true;
}

void session_stay_close(struct session_stay *stay)
{
    uv_close((uv_handle_t *)&stay->hangup, NULL);
    uv_close((uv_handle_t *)&stay->interrupt, NULL);
    uv_close((uv_handle_t *)&stay->terminate, NULL);
    uv_close((uv_handle_t *)&stay->watchdog, NULL);
    uv_run(&stay->session->loop, UV_RUN_NOWAIT);
}
