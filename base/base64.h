/*
 * base64.h - reading base64 (RFC 4648, standard alphabet), strictly.
 *
 * Strict, because what is read are keys and certificates: padding must be
 * right and nothing foreign may stand inside, except line breaks and blanks.
 */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include "base/text.h"
#include <stdbool.h>

/* Appends the decoded bytes; false (with some of them appended) if it is no base64. */
bool base64_decode(const char *encoded, struct text *decoded);

#endif
