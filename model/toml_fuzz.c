#include "base/memory.h"
#include "model/toml.h"
#include <stdint.h>

/* Any bytes: no crash, no leak; what is read, printed and read again is the same. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cleanup_error struct error *err = NULL;
    json_auto_t *value = toml_read((const char *)data, size, &err);
    if (!value == !err)
        abort();
    if (!value)
        return 0;
    cleanup_text struct text text, again;
    text_init(&text, 0);
    text_init(&again, 0);
    if (toml_print(value, &text, &err) < 0)
        abort();
    if (text.length > TOML_BYTES_MAX) /* headers repeat keys */
        return 0;
    json_auto_t *read = toml_read(text.data, text.length, &err);
    if (!read || !json_equal(value, read) || toml_print(read, &again, &err) < 0 ||
        strcmp(text.data, again.data) != 0)
        abort();
    return 0;
}
