#include "base/log.h"

#include "base/memory.h"
#include "base/test.h"

static void log_says(const struct log *log)
{
    log_line(log, LOG_ERROR, NULL, "no engine at %s", "unix:///x");
    log_line(log, LOG_WARNING, "ci", "old\nformat");
    log_line(log, LOG_INFO, "c\033i", "pulled size_mb=%d", 312);
    log_line(log, LOG_DEBUG, "ci", "GET /version");
    log_line(log, LOG_TRACE, "ci", "200");
}

static void logs_by_level(void **state)
{
    (void)state;
    static const struct {
        int verbosity;
        const char *want;
    } logs[] = {
        {0, "ERROR: no engine at unix:///x\nWARNING: ci: old format\nc?i: pulled size_mb=312\n"},
        {1, "ERROR: no engine at unix:///x\nWARNING: ci: old format\nc?i: pulled size_mb=312\n"
            "DEBUG: ci: GET /version\n"},
        {2, "ERROR: no engine at unix:///x\nWARNING: ci: old format\nc?i: pulled size_mb=312\n"
            "DEBUG: ci: GET /version\nDEBUG: ci: 200\n"},
    };
    for (size_t i = 0; i < COUNT_OF(logs); i++) {
        test_row(logs[i].want);
        char *got = NULL;
        size_t size = 0;
        FILE *stream = open_memstream(&got, &size);
        log_says(&(struct log){.stream = stream, .verbosity = logs[i].verbosity});
        fclose(stream);
        test_equal(got, logs[i].want);
        free(got);
    }
    log_says(&(struct log){.stream = NULL, .verbosity = 9}); /* says nothing, nowhere */
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(logs_by_level)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
