/*
 * repo_message.h - what a fetch's two processes say to each other: flat records with lengths.
 *
 * One record is a tag, the length of its value in four bytes, the least first,
 * and the value. Each side reads the other's as it reads any foreign input:
 * lengths are checked, unknown tags are an error. Pure.
 */
#ifndef RECONCILER_REPO_MESSAGE_H
#define RECONCILER_REPO_MESSAGE_H

#include "base/text.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum repo_tag {
    /* The request: strings of struct repo_options; what is not given is not there. */
    REPO_URL = 'u',
    REPO_REF = 'r',
    REPO_PATH = 'p',
    REPO_CACHE = 'c',
    REPO_CA_FILE = 'a',
    REPO_TOKEN_FILE = 't',
    REPO_SSH_KEY = 'k',
    REPO_KNOWN_HOSTS = 'h',
    REPO_VERIFY_KEYS = 'v',
    REPO_ALLOW_EMPTY = 'e',
    REPO_KNOWN = 'K',          /* the commit that is in force */
    REPO_TRANSFER_LIMIT = '1', /* numbers, in digits */
    REPO_TOTAL_LIMIT = '2',
    REPO_ENTRY_LIMIT = '3',
    REPO_PATIENCE = '4', /* ms to wait for another process that has the mirror */
    /* The reply, in the order in which it comes. */
    REPO_STAGE = 'S', /* what it does now: also a sign of life */
    REPO_NOTE = 'N',
    REPO_COMMIT = 'C',
    REPO_AUTHOR = 'A',
    REPO_SUBJECT = 'J',
    REPO_TIME = 'T',
    REPO_SIGNER = 'G',
    REPO_REWRITTEN = 'W',
    REPO_UNCHANGED = 'U',
    REPO_TEXT = 'X',   /* name, NUL, bytes */
    REPO_FILE = 'F',   /* the same, of a file that a text names */
    REPO_ABSENT = 'M', /* name, NUL, why it cannot be had */
    REPO_ERROR = 'E',  /* a digit for the kind, NUL, message; the last record */
    /* Both end with it: what is cut off is seen as that. */
    REPO_END = '.',
};

struct repo_record {
    enum repo_tag tag;
    const char *value; /* not ended by a NUL */
    size_t length;
};

enum repo_reading {
    REPO_READ,    /* *record is the next one */
    REPO_PARTIAL, /* it has not come whole yet */
    REPO_BROKEN,  /* no such tag, or longer than limit */
};

/* The record at *offset of bytes, which is moved behind it. */
enum repo_reading repo_record_next(const char *bytes, size_t length, size_t limit, size_t *offset,
                                   struct repo_record *record);

void repo_record_add(struct text *text, enum repo_tag tag, const void *value, size_t length);
void repo_record_add_string(struct text *text, enum repo_tag tag,
                            const char *string); /* NULL: none */
void repo_record_add_number(struct text *text, enum repo_tag tag, uint64_t number);
/* "name NUL rest" */
void repo_record_add_pair(struct text *text, enum repo_tag tag, const char *name, const void *rest,
                          size_t length);

/* The rest of a pair, behind the name, which is a string then; false: there is no NUL. */
bool repo_record_split(const struct repo_record *record, struct repo_record *rest);

/* A value of digits alone; false: it is none. */
bool repo_record_number(const struct repo_record *record, uint64_t *number);

#endif
