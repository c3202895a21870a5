#include "reconciler/folder_source.h"

#include "base/hex.h"
#include "base/memory.h"
#include "base/text.h"
#include <openssl/evp.h>
#include <string.h>
#include <unistd.h>

enum {
    UNREAD_MS = 1000, /* until what could not be read is tried again; doubles up to rescan_ms */
    DIGEST_SHOWN = 6, /* bytes of a revision's name */
    DIGEST_BYTES = 32,
};

/* A file that a text named when it was loaded last. */
struct beside {
    char *base, *path;
};

struct folder_source {
    struct folder_source_options options;
    struct transport_timer *timer;
    unsigned char digest[DIGEST_BYTES]; /* of what was loaded last, well or not */
    bool known;                         /* there is one */
    bool broken;                        /* and it was refused */
    struct beside *beside;              /* what it named */
    size_t beside_count;
    char *problem;   /* told last, or NULL */
    unsigned unread; /* in a row */
    bool asked;      /* for the reading that comes next */
};

/* --- What was read, as a number. --- */

static void digest_bytes(EVP_MD_CTX *digest, const void *bytes, size_t length)
{
    uint64_t size = length; /* so that no text can pass for two */
    EVP_DigestUpdate(digest, &size, sizeof(size));
    EVP_DigestUpdate(digest, bytes, length);
}

static void digest_text(EVP_MD_CTX *digest, const struct load_text *text)
{
    digest_bytes(digest, text->file, strlen(text->file));
    digest_bytes(digest, text->bytes, text->length);
}

/* What cannot be read counts as what it says about that. */
static void digest_beside(EVP_MD_CTX *digest, struct arena *arena, const struct beside *beside)
{
    struct load_text text = {0};
    cleanup_error struct error *unread = NULL;
    if (source_read_beside(NULL, arena, beside->base, beside->path, &text, &unread) == 0)
        digest_text(digest, &text);
    else
        digest_bytes(digest, unread->message, strlen(unread->message));
}

static void digest_all(const struct folder_source *source, struct arena *arena,
                       const struct source_texts *texts, unsigned char *result)
{
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    if (!digest || !EVP_DigestInit_ex(digest, EVP_sha256(), NULL))
        abort();
    for (size_t i = 0; i < texts->count; i++)
        digest_text(digest, &texts->items[i]);
    for (size_t i = 0; i < source->beside_count; i++)
        digest_beside(digest, arena, &source->beside[i]);
    EVP_DigestFinal_ex(digest, result, NULL);
    EVP_MD_CTX_free(digest);
}

static const char *name_digest(struct arena *arena, const unsigned char *digest)
{
    char hex[2 * DIGEST_SHOWN + 1];
    hex_write(hex, digest, DIGEST_SHOWN);
    return arena_string(arena, hex);
}

/* --- One look. --- */

static void forget_beside(struct folder_source *source)
{
    for (size_t i = 0; i < source->beside_count; i++) {
        free(source->beside[i].base);
        free(source->beside[i].path);
    }
    free(source->beside);
    source->beside = NULL;
    source->beside_count = 0;
}

/* A load_reader that notes what was asked for. */
static int read_beside(void *context, struct arena *arena, const char *base, const char *path,
                       struct load_text *text, struct error **err)
{
    struct folder_source *source = context;
    source->beside =
        memory_resize(source->beside, source->beside_count + 1, sizeof(*source->beside));
    source->beside[source->beside_count++] =
        (struct beside){memory_string(base), memory_string(path)};
    return source_read_beside(NULL, arena, base, path, text, err);
}

static void look_again_in(struct folder_source *source, uint64_t delay_ms);

static void tell_looked(struct folder_source *source, const char *problem, uint64_t delay_ms)
{
    const struct source_listener *listener = &source->options.listener;
    look_again_in(source, delay_ms);
    listener->looked(listener->context, problem, delay_ms);
}

static void tell_refused(struct folder_source *source, const char *revision, const char *problem,
                         uint64_t delay_ms)
{
    const struct source_listener *listener = &source->options.listener;
    bool again = source->problem && strcmp(source->problem, problem) == 0;
    if (!again) {
        free(source->problem);
        source->problem = memory_string(problem);
        listener->refused(listener->context, revision, problem);
    }
    tell_looked(source, problem, delay_ms);
}

static void tell_good(struct folder_source *source)
{
    free(source->problem);
    source->problem = NULL;
    tell_looked(source, NULL, source->options.rescan_ms);
}

/* New content: all of it takes effect, or nothing. */
static void load(struct folder_source *source, struct arena *arena,
                 const struct source_texts *texts)
{
    cleanup_free char *folder = getcwd(NULL, 0);
    const struct desired_rules rules = {
        .load = {.base_folder = folder ? folder : "/",
                 .allow_empty = source->options.allow_empty,
                 .read_file = read_beside,
                 .read_context = source},
        .policy = source->options.policy,
        .origin = POLICY_OWN_FILES,
    };
    cleanup_free char *problem = NULL;
    forget_beside(source);
    struct desired *desired = desired_of(arena, texts, &rules, &problem);
    digest_all(source, arena, texts, source->digest);
    source->known = true;
    source->broken = desired == NULL;
    const char *name = name_digest(desired ? desired->arena : arena, source->digest);
    if (!desired) {
        tell_refused(source, name, problem, source->options.rescan_ms);
        return;
    }
    desired->revision = name;
    tell_good(source);
    source->options.listener.taken(source->options.listener.context, desired);
}

static bool is_same(const struct folder_source *source, struct arena *arena,
                    const struct source_texts *texts)
{
    unsigned char digest[DIGEST_BYTES];
    if (!source->known)
        return false;
    digest_all(source, arena, texts, digest);
    return memcmp(digest, source->digest, sizeof(digest)) == 0;
}

static uint64_t unread_delay_ms(const struct folder_source *source)
{
    uint64_t delay_ms = (uint64_t)UNREAD_MS << (source->unread < 6 ? source->unread : 6);
    return delay_ms < source->options.rescan_ms ? delay_ms : source->options.rescan_ms;
}

static void look(void *context)
{
    struct folder_source *source = context;
    const struct folder_source_options *options = &source->options;
    cleanup_arena struct arena *arena = arena_new();
    struct source_texts texts;
    cleanup_error struct error *err = NULL;
    source->timer = NULL;
    if (!source->asked && options->rescans)
        options->rescans(options->listener.context);
    source->asked = false;
    if (source_read(arena, options->paths, options->path_count, options->allow_empty, &texts,
                    &err)) {
        uint64_t delay_ms = unread_delay_ms(source);
        source->unread++;
        source->known = source->known && !source->broken; /* its problem is to be told again */
        tell_refused(source, NULL, err->message, delay_ms);
        return;
    }
    source->unread = 0;
    if (!is_same(source, arena, &texts))
        load(source, arena, &texts);
    else if (source->broken)
        tell_looked(source, source->problem ? source->problem : "", options->rescan_ms);
    else
        tell_good(source);
}

static void look_again_in(struct folder_source *source, uint64_t delay_ms)
{
    struct transport *transport = source->options.transport;
    if (source->timer)
        transport->cancel_timer(transport, source->timer);
    source->timer = transport->after(transport, delay_ms, look, source);
}

struct folder_source *folder_source_open(const struct folder_source_options *options)
{
    struct folder_source *source = memory_new(sizeof(*source));
    source->options = *options;
    look_again_in(source, 0);
    return source;
}

void folder_source_poll(struct folder_source *source)
{
    source->asked = true;
    look_again_in(source, 0);
}

void folder_source_judge_by(struct folder_source *source, const struct policy *policy)
{
    source->options.policy = policy;
}

void folder_source_close(struct folder_source *source)
{
    if (!source)
        return;
    struct transport *transport = source->options.transport;
    if (source->timer)
        transport->cancel_timer(transport, source->timer);
    forget_beside(source);
    free(source->problem);
    free(source);
}
