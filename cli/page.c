#include "cli/page.h"

#include "base/memory.h"
#include <assert.h>
#include <openssl/evp.h>
#include <openssl/sha.h>

/* Names are ld's, from those of the files. */
#define EMBEDDED(name, symbol)                                                                     \
    extern const char name##_begin[] __asm__("_binary_cli_page_page_" symbol "_start");            \
    extern const char name##_end[] __asm__("_binary_cli_page_page_" symbol "_end")
EMBEDDED(frame, "html");
EMBEDDED(style, "css");
EMBEDDED(program, "js");

struct part {
    const char *bytes;
    size_t length;
};

static struct part part_of(const char *begin, const char *end)
{
    return (struct part){begin, (size_t)(end - begin)};
}

#define PART(name) part_of(name##_begin, name##_end)

/* As a policy has it: 'sha256-...'. */
static void add_hash(struct text *text, struct part part)
{
    unsigned char digest[SHA256_DIGEST_LENGTH];
    unsigned char encoded[4 * ((SHA256_DIGEST_LENGTH + 2) / 3) + 1];
    SHA256((const unsigned char *)part.bytes, part.length, digest);
    EVP_EncodeBlock(encoded, digest, sizeof(digest));
    text_add_format(text, "'sha256-%s'", (const char *)encoded);
}

/* Adds the frame up to a mark, and the part in its place; returns the rest of the frame. */
static struct part add_part(struct text *html, struct part frame, const char *mark,
                            struct part part)
{
    const char *at = memmem(frame.bytes, frame.length, mark, strlen(mark));
    assert(at);
    size_t before = (size_t)(at - frame.bytes), marked = strlen(mark);
    text_add_bytes(html, frame.bytes, before);
    text_add_bytes(html, part.bytes, part.length);
    return (struct part){at + marked, frame.length - before - marked};
}

void page_init(struct page *page)
{
    struct part rest = PART(frame);
    struct text policy;
    text_init(&page->html, 0);
    rest = add_part(&page->html, rest, "@STYLE@", PART(style));
    rest = add_part(&page->html, rest, "@PROGRAM@", PART(program));
    text_add_bytes(&page->html, rest.bytes, rest.length);
    text_init(&policy, 0);
    text_add(&policy, "default-src 'none'; connect-src 'self'; img-src data:; base-uri 'none'; "
                      "form-action 'none'; frame-ancestors 'none'; style-src ");
    add_hash(&policy, PART(style));
    text_add(&policy, "; script-src ");
    add_hash(&policy, PART(program));
    page->policy = text_take(&policy);
    text_done(&policy);
}

void page_done(struct page *page)
{
    text_done(&page->html);
    free(page->policy);
}
