#include "reconciler/repo_message.h"

#include <string.h>

enum { HEADER_BYTES = 5, DIGITS_MAX = 19 };

static bool is_tag(unsigned char byte)
{
    static const char tags[] = "urpcatkhveK1234SNCAJTGWUXFME.";
    return byte != '\0' && strchr(tags, byte) != NULL;
}

enum repo_reading repo_record_next(const char *bytes, size_t length, size_t limit, size_t *offset,
                                   struct repo_record *record)
{
    size_t left = length - *offset, size = 0;
    const unsigned char *at = (const unsigned char *)bytes + *offset;
    if (left > 0 && !is_tag(at[0]))
        return REPO_BROKEN;
    if (left < HEADER_BYTES)
        return REPO_PARTIAL;
    for (int i = HEADER_BYTES - 1; i > 0; i--)
        size = size << 8 | at[i];
    if (size > limit)
        return REPO_BROKEN;
    if (left - HEADER_BYTES < size)
        return REPO_PARTIAL;
    *record = (struct repo_record){
        .tag = (enum repo_tag)at[0],
        .value = bytes + *offset + HEADER_BYTES,
        .length = size,
    };
    *offset += HEADER_BYTES + size;
    return REPO_READ;
}

static void add_header(struct text *text, enum repo_tag tag, size_t length)
{
    char header[HEADER_BYTES] = {(char)tag};
    for (int i = 1; i < HEADER_BYTES; i++)
        header[i] = (char)(length >> 8 * (i - 1) & 0xff);
    text_add_bytes(text, header, sizeof(header));
}

void repo_record_add(struct text *text, enum repo_tag tag, const void *value, size_t length)
{
    add_header(text, tag, length);
    text_add_bytes(text, value, length);
}

void repo_record_add_string(struct text *text, enum repo_tag tag, const char *string)
{
    if (string)
        repo_record_add(text, tag, string, strlen(string));
}

void repo_record_add_number(struct text *text, enum repo_tag tag, uint64_t number)
{
    char digits[24];
    snprintf(digits, sizeof(digits), "%llu", (unsigned long long)number);
    repo_record_add_string(text, tag, digits);
}

void repo_record_add_pair(struct text *text, enum repo_tag tag, const char *name, const void *rest,
                          size_t length)
{
    size_t name_length = strlen(name) + 1;
    add_header(text, tag, name_length + length);
    text_add_bytes(text, name, name_length);
    text_add_bytes(text, rest, length);
}

bool repo_record_split(const struct repo_record *record, struct repo_record *rest)
{
    const char *end = record->length ? memchr(record->value, '\0', record->length) : NULL;
    if (!end)
        return false;
    size_t name_length = (size_t)(end - record->value) + 1;
    *rest = (struct repo_record){
        .tag = record->tag,
        .value = record->value + name_length,
        .length = record->length - name_length,
    };
    return true;
}

bool repo_record_number(const struct repo_record *record, uint64_t *number)
{
    uint64_t sum = 0;
    if (record->length == 0 || record->length > DIGITS_MAX)
        return false;
    for (size_t i = 0; i < record->length; i++) {
        if (record->value[i] < '0' || record->value[i] > '9')
            return false;
        sum = sum * 10 + (uint64_t)(record->value[i] - '0');
    }
    *number = sum;
    return true;
}
