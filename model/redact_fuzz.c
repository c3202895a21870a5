/* Any bytes: no crash, and no PEM block of a key comes through whole. */
#include "base/text.h"
#include "model/redact.h"
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct text text;
    text_init(&text, 0);
    redact_add(&text, (const char *)data, size);
    if (memmem(text.data, text.length, "-----BEGIN ", 11))
        abort();
    text_done(&text);
    return 0;
}
