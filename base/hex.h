/*
 * hex.h - bytes as lower-case hexadecimal digits, such as hashes are shown in.
 */
#ifndef BASE_HEX_H
#define BASE_HEX_H

#include <stddef.h>

/* Writes 2 * count digits and a terminating NUL. */
void hex_write(char *hex, const void *bytes, size_t count);

#endif
