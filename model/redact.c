#include "model/redact.h"

#include "base/memory.h"
#include <ctype.h>
#include <stdbool.h>
#include <strings.h>

/*
 * DESIGN: one walk through the text. At each place the matchers of a table are
 * asked in order; the first that knows a secret there says how much of the
 * text it takes and puts what may stay. Too much is taken rather than too
 * little: a log line with a hole is still good evidence.
 */
enum { HEX_LONG = 40, HEX_KEPT = 8, BASE64_LONG = 40 };
enum { TOKEN_ID = 6, TOKEN_SECRET = 16 };

struct scan {
    const char *begin, *at, *end;
    struct text *out;
};

/* How many bytes were taken; 0: no secret begins here. */
typedef size_t matcher(struct scan *scan);

static size_t left(const struct scan *scan)
{
    return (size_t)(scan->end - scan->at);
}

static bool begins(const struct scan *scan, const char *word)
{
    size_t length = strlen(word);
    return left(scan) >= length && strncasecmp(scan->at, word, length) == 0;
}

static bool is_alnum(char c)
{
    return isalnum((unsigned char)c);
}

static bool is_base64(char c)
{
    return is_alnum(c) || c == '+' || c == '/' || c == '=';
}

static bool is_token_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* Does a word begin here, and not go on from before? */
static bool at_word(const struct scan *scan)
{
    return scan->at == scan->begin || !is_alnum(scan->at[-1]);
}

static const char *find(const char *from, const char *end, const char *what)
{
    return from < end ? memmem(from, (size_t)(end - from), what, strlen(what)) : NULL;
}

/* "-----BEGIN X-----" to the end of the line of its END, or of all. */
static size_t match_pem(struct scan *scan)
{
    if (!begins(scan, "-----BEGIN "))
        return 0;
    text_add(scan->out, REDACTED);
    const char *foot = find(scan->at, scan->end, "-----END ");
    if (!foot)
        return left(scan);
    const char *dashes = find(foot + strlen("-----END "), scan->end, "-----");
    return dashes ? (size_t)(dashes + 5 - scan->at) : left(scan);
}

/* How much at the end of this may be of a block: base64, line ends also as JSON has them, and
 * lines that went already. */
static size_t block_end_length(const char *bytes, size_t length)
{
    static const size_t removed = sizeof(REDACTED) - 1;
    if (length >= removed && memcmp(bytes + length - removed, REDACTED, removed) == 0)
        return removed;
    return length && (is_base64(bytes[length - 1]) || strchr("\r\n\\", bytes[length - 1]));
}

/* The end of a block whose head was cut off: all the base64 before it goes. */
static size_t match_pem_end(struct scan *scan)
{
    if (!begins(scan, "-----END "))
        return 0;
    struct text *out = scan->out;
    size_t length = out->length;
    for (size_t more = 1; more; length -= more)
        more = block_end_length(out->data, length);
    out->length = length;
    out->data[length] = '\0';
    text_add(out, REDACTED);
    const char *dashes = find(scan->at + strlen("-----END "), scan->end, "-----");
    return dashes ? (size_t)(dashes + 5 - scan->at) : left(scan);
}

/* "abcdef.0123456789abcdef": the first half is no secret. */
static size_t match_bootstrap_token(struct scan *scan)
{
    enum { WHOLE = TOKEN_ID + 1 + TOKEN_SECRET };
    if (!at_word(scan) || left(scan) < WHOLE || scan->at[TOKEN_ID] != '.')
        return 0;
    for (size_t i = 0; i < WHOLE; i++)
        if (i != TOKEN_ID && !is_token_char(scan->at[i]))
            return 0;
    if (left(scan) > WHOLE && is_alnum(scan->at[WHOLE]))
        return 0;
    text_add_bytes(scan->out, scan->at, TOKEN_ID + 1);
    text_add(scan->out, REDACTED);
    return WHOLE;
}

/* Up to white space, a quote, or what ends a value in JSON, YAML and argument lists. */
static size_t value_length(const char *value, const char *end)
{
    const char *at = value;
    while (at < end && !isspace((unsigned char)*at) && !strchr("\"'`,;{}[]()<>\\", *at))
        at++;
    return (size_t)(at - value);
}

/* "Bearer X", "Basic X", and web tokens by themselves. */
static size_t match_bearer(struct scan *scan)
{
    static const char *const schemes[] = {"Bearer ", "Basic "};
    if (!at_word(scan))
        return 0;
    for (size_t i = 0; i < COUNT_OF(schemes); i++) {
        size_t head = strlen(schemes[i]);
        size_t value = begins(scan, schemes[i]) ? value_length(scan->at + head, scan->end) : 0;
        if (value < 8)
            continue; /* "bearer of bad news" */
        text_add_bytes(scan->out, scan->at, head);
        text_add(scan->out, REDACTED);
        return head + value;
    }
    if (strncmp(scan->at, "eyJ", left(scan) < 3 ? left(scan) : 3) != 0)
        return 0;
    size_t length = 0;
    while (length < left(scan) && (is_alnum(scan->at[length]) || strchr("-_.", scan->at[length])))
        length++;
    if (length < 20)
        return 0;
    text_add(scan->out, REDACTED);
    return length;
}

/* Words whose value is a secret; `plain` ones are seen in prose, too ("wait for the token: not").
 */
static const struct {
    const char *word;
    bool prose;
} keys[] = {
    {"password", false},
    {"passwd", false},
    {"certificate-key", false},
    {"certificatekey", false},
    {"client-key-data", false},
    {"client-certificate-data", false},
    {"certificate-authority-data", false},
    {"api-key", false},
    {"apikey", false},
    {"token-secret", false},
    {"token", true},
    {"secret", true},
};

/* What stands between a key and its value: "=", ":", ": ", "\":\"", " " of an option. */
static size_t separator_length(const char *at, const char *end, bool *spaced)
{
    const char *begin = at;
    if (at < end && *at == '\\')
        at++;
    if (at < end && (*at == '"' || *at == '\''))
        at++;
    bool sign = at < end && (*at == '=' || *at == ':');
    if (sign)
        at++;
    const char *signs_end = at;
    while (at < end && *at == ' ')
        at++;
    *spaced = at > signs_end;
    if (at < end && *at == '\\')
        at++;
    if (at < end && (*at == '"' || *at == '\'')) {
        at++;
        *spaced = false;
    }
    return sign ? (size_t)(at - begin) : 0;
}

static bool looks_secret(const char *value, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (isdigit((unsigned char)value[i]) || isupper((unsigned char)value[i]))
            return length >= 6;
    return false;
}

/* "--certificate-key X" has no sign between them. */
static size_t option_space(const struct scan *scan, const char *at)
{
    bool option = scan->at - scan->begin >= 2 && scan->at[-1] == '-' && scan->at[-2] == '-';
    return option && at < scan->end && *at == ' ' ? 1 : 0;
}

static size_t match_key(struct scan *scan)
{
    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        if (!begins(scan, keys[i].word))
            continue;
        size_t head = strlen(keys[i].word);
        bool spaced = false;
        size_t gap = separator_length(scan->at + head, scan->end, &spaced);
        if (!gap)
            gap = option_space(scan, scan->at + head);
        const char *value = scan->at + head + gap;
        size_t length = gap ? value_length(value, scan->end) : 0;
        if (length && *value == '-' && strncmp(value, "-----BEGIN", length) == 0)
            continue; /* a block has its own rule */
        if (!length || (keys[i].prose && spaced && !looks_secret(value, length)))
            continue;
        text_add_bytes(scan->out, scan->at, head + gap);
        text_add(scan->out, REDACTED);
        /* value_length stops at the bracket of what was put here before: take it whole. */
        return head + gap + length;
    }
    return 0;
}

/* "://user:password@host" */
static size_t match_url(struct scan *scan)
{
    if (!begins(scan, "://"))
        return 0;
    const char *at = scan->at + 3, *sign = NULL, *colon = NULL;
    for (; at < scan->end && !isspace((unsigned char)*at) && !strchr("/\"'`<>", *at); at++) {
        if (*at == '@')
            sign = at;
        if (*at == ':' && !colon)
            colon = at;
    }
    if (!sign || !colon || colon > sign)
        return 0;
    text_add_bytes(scan->out, scan->at, (size_t)(colon + 1 - scan->at));
    text_add(scan->out, REDACTED);
    return (size_t)(sign - scan->at);
}

static size_t match_hex(struct scan *scan)
{
    size_t length = 0;
    if (!at_word(scan))
        return 0;
    while (length < left(scan) && isxdigit((unsigned char)scan->at[length]))
        length++;
    if (length < HEX_LONG || (length < left(scan) && is_alnum(scan->at[length])))
        return 0;
    text_add_bytes(scan->out, scan->at, HEX_KEPT);
    text_add(scan->out, "...");
    return length;
}

/* Keys and certificates without their frame. Paths have no capitals, or not so long a word. */
static size_t match_base64(struct scan *scan)
{
    if (scan->at > scan->begin && is_base64(scan->at[-1]))
        return 0;
    bool upper = false, lower = false, digit = false;
    size_t length = 0;
    for (; length < left(scan) && is_base64(scan->at[length]); length++) {
        upper |= isupper((unsigned char)scan->at[length]) != 0;
        lower |= islower((unsigned char)scan->at[length]) != 0;
        digit |= isdigit((unsigned char)scan->at[length]) != 0;
    }
    if (length < BASE64_LONG || !upper || !lower || !digit)
        return 0;
    text_add(scan->out, REDACTED);
    return length;
}

static matcher *const matchers[] = {
    match_pem, match_pem_end, match_url,    match_bearer,
    match_key, match_hex,     match_base64, match_bootstrap_token,
};

void redact_add(struct text *text, const char *bytes, size_t length)
{
    struct scan scan = {.begin = bytes, .at = bytes, .end = bytes + length, .out = text};
    while (scan.at < scan.end) {
        size_t taken = 0;
        for (size_t i = 0; i < COUNT_OF(matchers) && !taken; i++)
            taken = matchers[i](&scan);
        if (!taken) {
            text_add_bytes(text, scan.at, 1);
            taken = 1;
        }
        scan.at += taken;
    }
}
