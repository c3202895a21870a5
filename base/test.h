/*
 * test.h - thin additions to cmocka: rows that name themselves, golden files.
 *
 * A test file is noun_test.c beside noun.c: its own main with one group. Rows
 * call test_row(name) first, so that a failed assertion says which row.
 */
#ifndef BASE_TEST_H
#define BASE_TEST_H

/* cmocka wants these four before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdbool.h>

/* AddressSanitizer makes all several times slower, and keeps what was freed. */
#if defined(__SANITIZE_ADDRESS__)
#define TEST_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TEST_SANITIZED 1
#endif
#endif
#ifndef TEST_SANITIZED
#define TEST_SANITIZED 0
#endif

/* Names the row that following failures belong to (printed on failure). */
void test_row(const char *name);

/* Fails with both texts and the row's name if they differ. */
#define test_equal(got, want) test_equal_at(got, want, __FILE__, __LINE__)
void test_equal_at(const char *got, const char *want, const char *file, int line);

/*
 * Compares text with the file at path (relative to the source tree, which the
 * environment's KIND_TESTDATA names, else the working directory). With
 * UPDATE=1 in the environment the file is written instead.
 */
#define test_golden(got, path) test_golden_at(got, path, __FILE__, __LINE__)
void test_golden_at(const char *got, const char *path, const char *file, int line);

/* The whole file as a new string; fails the test if it is not there. */
char *test_read_file(const char *path);

#endif
