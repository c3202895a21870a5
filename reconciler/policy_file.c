#include "reconciler/policy_file.h"

#include "base/real_path.h"
#include "base/text.h"
#include "model/load_policy.h"
#include "reconciler/source.h"
#include <openssl/evp.h>
#include <stdlib.h>

enum { NAME_BYTES = 6 };

/* The first bytes of its hash. */
static const char *name_of(struct arena *arena, const struct load_text *text)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    cleanup_text struct text name;
    text_init(&name, 0);
    if (!EVP_Digest(text->bytes, text->length, digest, NULL, EVP_sha256(), NULL))
        abort();
    for (size_t i = 0; i < NAME_BYTES; i++)
        text_add_format(&name, "%02x", digest[i]);
    return arena_string(arena, name.data);
}

int policy_file_look(const char *path, struct policy *policy, const char **ret_revision,
                     struct problem_list *problems, struct error **err)
{
    struct load_text text;
    size_t errors = problems->errors;
    *ret_revision = NULL;
    if (source_read_beside(NULL, problems->arena, "<stdin>", path, &text, err))
        return error_wrap(err, "policy");
    *ret_revision = name_of(problems->arena, &text);
    if (load_policy(&text, policy, problems))
        return error_set(err, ERROR_INVALID, "%zu error%s in the policy %s; nothing was changed",
                         problems->errors - errors, problems->errors - errors == 1 ? "" : "s",
                         path);
    return 0;
}

int policy_file_read(const char *path, struct policy *policy, struct problem_list *problems,
                     struct error **err)
{
    const char *revision;
    return policy_file_look(path, policy, &revision, problems, err);
}

static const char *resolve(void *context, struct arena *arena, const char *path)
{
    (void)context;
    return real_path(arena, path);
}

void policy_apply(struct arena *arena, const struct policy *policy, enum policy_origin origin,
                  struct fleet_spec *fleet)
{
    const struct policy_judge judge = {.origin = origin, .resolve = resolve};
    if (!policy && origin == POLICY_GIT)
        policy = policy_default(origin);
    if (policy)
        policy_judge(arena, policy, &judge, fleet);
    if (fleet->policy)
        policy_judge(arena, fleet->policy, &judge, fleet);
}
