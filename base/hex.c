#include "base/hex.h"

void hex_write(char *hex, const void *bytes, size_t count)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < count; i++) {
        unsigned char byte = ((const unsigned char *)bytes)[i];
        *hex++ = digits[byte >> 4];
        *hex++ = digits[byte & 15];
    }
    *hex = '\0';
}
