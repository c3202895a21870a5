/*
 * redact.h - takes secrets out of text that is shown or kept.
 *
 * For logs and messages of other programs: what they quote may hold keys. Gone
 * are PEM blocks (also those whose beginning was cut off), the secret half of
 * bootstrap tokens, bearer and other web tokens, values of keys such as
 * password, token or certificate-key, the data of kubeconfigs, and passwords
 * in URLs. Long hexadecimal numbers keep their first eight digits: that is
 * enough to tell containers apart, and nothing of a certificate key.
 * Redacting twice changes nothing more.
 */
#ifndef MODEL_REDACT_H
#define MODEL_REDACT_H

#include "base/text.h"
#include <stddef.h>

/* Stands where something was. */
#define REDACTED "(removed)"

void redact_add(struct text *text, const char *bytes, size_t length);

#endif
