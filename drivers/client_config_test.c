#include "drivers/client_config.h"

#include "base/memory.h"
#include "base/test.h"
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_WORDS = 65536 }; /* of 16 bytes: a megabyte */

static void write_file(const char *path, const char *content, size_t times)
{
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    for (size_t i = 0; i < times; i++)
        fputs(content, file);
    fclose(file);
}

/* $DOCKER_CONFIG, home, or nobody's. */
static void finds_its_folder(void **state)
{
    (void)state;
    setenv("HOME", "/nowhere/home", 1);
    setenv("DOCKER_CONFIG", "/nowhere/config", 1);
    cleanup_free char *set = client_config_folder();
    test_equal(set, "/nowhere/config");
    setenv("DOCKER_CONFIG", "", 1);
    cleanup_free char *empty = client_config_folder();
    test_equal(empty, "/nowhere/home/.docker");
    unsetenv("DOCKER_CONFIG");
    cleanup_free char *home = client_config_folder();
    test_equal(home, "/nowhere/home/.docker");
    assert_null(client_config_text());
}

static void reads_what_can_be_read(void **state)
{
    (void)state;
    char folder[] = "/tmp/kind-client-XXXXXX";
    assert_non_null(mkdtemp(folder));
    setenv("DOCKER_CONFIG", folder, 1);
    cleanup_free char *path = memory_format("%s/config.json", folder);
    assert_null(client_config_text());

    write_file(path, "{}", 1);
    cleanup_free char *text = client_config_text();
    test_equal(text, "{}");

    cleanup_error struct error *err = NULL;
    char *content = NULL;
    write_file(path, "0123456789abcdef", FILE_WORDS);
    assert_int_equal(client_config_file(path, &content, &err), 0);
    assert_int_equal(strlen(content), 1024 * 1024);
    free(content);

    content = NULL;
    write_file(path, "0123456789abcdef", FILE_WORDS + 1);
    assert_null(client_config_text());
    assert_int_equal(client_config_file(path, &content, &err), -1);
    assert_non_null(strstr(err->message, "is longer than a megabyte"));
    assert_null(content);

    unlink(path);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_null(client_config_text());
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_its_folder),
        cmocka_unit_test(reads_what_can_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
