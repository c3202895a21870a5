#include "reconciler/repo_remote.h"

#include "base/memory.h"
#include "base/nearest.h"
#include "reconciler/repo_confine.h"
#include <ctype.h>
#include <errno.h>
#include <time.h>
#include <unistd.h>

enum { COMMIT_DIGITS = 40, NOTED_REFS_MAX = 256, STAGE_EVERY_MS = 500, REFS_MAX = 200000 };

static const char default_user[] = "git";

/* --- what went wrong --- */

static const char *last_words(int *class)
{
    const git_error *last = git_error_last();
    *class = last ? last->klass : GIT_ERROR_NONE;
    return last && last->message && *last->message ? last->message : "no reason is given";
}

int repo_failure(const struct repo_job *job, const char *doing, struct error **err)
{
    int class;
    const char *words = last_words(&class);
    (void)job;
    if (class == GIT_ERROR_NOMEMORY)
        return error_set(err, ERROR_UNAVAILABLE,
                         "%s: that needs more memory than one repository may use", doing);
    return error_set(err, ERROR_UNAVAILABLE, "%s: %s", doing, words);
}

/* What is read back from our own disk is as it was written, unless it was damaged. */
int repo_mirror_failure(struct repo_mirror *mirror, const char *doing, struct error **err)
{
    int class;
    (void)last_words(&class);
    if (class != GIT_ERROR_NOMEMORY && errno != ENOSPC)
        mirror->damaged = true;
    return repo_failure(mirror->job, doing, err);
}

static int refused_credentials(const struct repo_remote *remote, struct error **err)
{
    const struct repo_url *url = &remote->job->url;
    if (url->scheme == REPO_SSH)
        return error_set(err, ERROR_INVALID,
                         "%s refuses the key of %s for user '%s'; does it know its public half?",
                         url->host, remote->job->options.ssh_key,
                         url->user ? url->user : default_user);
    if (remote->job->token)
        return error_set(err, ERROR_INVALID, "%s refuses the token of %s", url->shown,
                         remote->job->options.token_file);
    return error_set(err, ERROR_INVALID,
                     "%s wants to know who asks; --git-token-file names a file with a token",
                     url->shown);
}

static int tell_nothing_there(const struct repo_job *job, struct error **err)
{
    return error_set(err, ERROR_UNAVAILABLE, "there is no git repository at %s", job->url.shown);
}

/* Why talking to the server failed: by what a callback found, by the code, by libgit2's words. */
static int explain(struct repo_remote *remote, int code, const char *doing, struct error **err)
{
    const struct repo_job *job = remote->job;
    if (remote->problem) {
        *err = TAKE(remote->problem);
        return -1;
    }
    if (code == GIT_EAUTH)
        return refused_credentials(remote, err);
    if (code == GIT_EOWNER)
        return error_set(err, ERROR_INVALID,
                         "%s belongs to another user; only repositories of one's own are read from "
                         "disk: serve it over ssh or https",
                         job->url.shown);
    if (code == GIT_ENOTFOUND && job->url.scheme == REPO_LOCAL)
        return tell_nothing_there(job, err);
    return repo_failure(job, doing, err);
}

/* --- what libgit2 asks --- */

static int give_up(struct repo_remote *remote)
{
    (void)remote;
    git_error_set_str(GIT_ERROR_CALLBACK, "given up");
    return GIT_EUSER;
}

static int give_credentials(git_credential **credential, const char *url, const char *user,
                            unsigned allowed, void *context)
{
    struct repo_remote *remote = context;
    const struct repo_job *job = remote->job;
    const char *name = user ? user : job->url.user ? job->url.user : default_user;
    (void)url;
    if (allowed & GIT_CREDENTIAL_USERNAME)
        return git_credential_username_new(credential, name);
    /* Asked again is refused. */
    if (remote->attempts++ == 0) {
        if (allowed & GIT_CREDENTIAL_SSH_MEMORY && job->key)
            return git_credential_ssh_key_memory_new(credential, name, NULL, job->key, NULL);
        if (allowed & GIT_CREDENTIAL_USERPASS_PLAINTEXT && job->token)
            return git_credential_userpass_plaintext_new(credential, name, job->token);
    }
    refused_credentials(remote, &remote->problem);
    return give_up(remote);
}

static void judge_host(struct repo_remote *remote, const git_cert_hostkey *shown)
{
    const struct repo_job *job = remote->job;
    const char *host = job->url.host, *file = job->options.known_hosts;
    if (!(shown->type & GIT_CERT_SSH_RAW)) {
        error_set(&remote->problem, ERROR_INVALID, "%s shows no host key", host);
        return;
    }
    const char *type = known_hosts_type(job->arena, shown->hostkey, shown->hostkey_len);
    switch (known_hosts_judge(&remote->hosts, shown->hostkey, shown->hostkey_len)) {
    case KNOWN_GOOD:
        return;
    case KNOWN_NOT:
        error_set(&remote->problem, ERROR_INVALID, "%s does not know the host %s", file, host);
        return;
    case KNOWN_CHANGED:
        error_set(&remote->problem, ERROR_INVALID,
                  "%s shows another host key than %s has for it: somebody else may be answering; "
                  "if the key was changed on purpose, put the new one there",
                  host, file);
        return;
    case KNOWN_OTHER:
        error_set(&remote->problem, ERROR_INVALID,
                  "%s shows a host key of type %s, of which %s has none for it; ssh-keyscan -t "
                  "ed25519 shows one to compare and add",
                  host, type ? type : "unknown", file);
        return;
    case KNOWN_REVOKED:
        error_set(&remote->problem, ERROR_INVALID, "%s shows a host key that %s calls revoked",
                  host, file);
        return;
    }
}

static int check_certificate(git_cert *certificate, int valid, const char *host, void *context)
{
    struct repo_remote *remote = context;
    if (certificate->cert_type == GIT_CERT_HOSTKEY_LIBSSH2)
        judge_host(remote, (const git_cert_hostkey *)(const void *)certificate);
    else if (!valid)
        error_set(&remote->problem, ERROR_INVALID,
                  "the certificate of %s is not to be trusted, or is another host's; "
                  "--git-ca-file names the authorities to trust",
                  host);
    return remote->problem ? give_up(remote) : 0;
}

static uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static bool is_due(struct repo_remote *remote)
{
    uint64_t now = now_ms();
    if (now - remote->told_at_ms < STAGE_EVERY_MS)
        return false;
    remote->told_at_ms = now;
    return true;
}

static int tell_too_large(const struct repo_job *job, struct error **err)
{
    return error_set(err, ERROR_INVALID,
                     "the repository is too large: more than %llu MiB came over; keep "
                     "descriptions of clusters in a repository of their own",
                     (unsigned long long)(job->options.limits.transfer_bytes >> 20));
}

static int see_progress(const git_indexer_progress *progress, void *context)
{
    struct repo_remote *remote = context;
    if (progress->received_bytes > remote->job->options.limits.transfer_bytes) {
        tell_too_large(remote->job, &remote->problem);
        return give_up(remote);
    }
    if (is_due(remote))
        repo_job_stage(remote->job, "receiving %u of %u objects, %.1f MiB",
                       progress->received_objects, progress->total_objects,
                       (double)progress->received_bytes / (1 << 20));
    return 0;
}

static int see_packing(int stage, uint32_t current, uint32_t total, void *context)
{
    struct repo_remote *remote = context;
    (void)stage;
    if (is_due(remote))
        repo_job_stage(remote->job, "packing %u of %u objects", current, total);
    return 0;
}

static void set_callbacks(struct repo_remote *remote, git_remote_callbacks *callbacks)
{
    callbacks->credentials = give_credentials;
    callbacks->certificate_check = check_certificate;
    callbacks->transfer_progress = see_progress;
    callbacks->pack_progress = see_packing;
    callbacks->payload = remote;
}

/* A token must not follow to where the server sends us. */
static git_remote_redirect_t redirects(const struct repo_job *job)
{
    return job->token ? GIT_REMOTE_REDIRECT_NONE : GIT_REMOTE_REDIRECT_INITIAL;
}

/* --- connecting --- */

void repo_remote_init(struct repo_remote *remote, struct repo_mirror *mirror,
                      const struct known_keys *hosts)
{
    *remote = (struct repo_remote){.job = mirror->job, .mirror = mirror, .hosts = *hosts};
}

void repo_remote_done(struct repo_remote *remote)
{
    git_remote_free(remote->remote);
    error_free(remote->problem);
    remote->remote = NULL;
    remote->problem = NULL;
}

int repo_remote_connect(struct repo_remote *remote, struct error **err)
{
    const struct repo_job *job = remote->job;
    git_remote_connect_options options = GIT_REMOTE_CONNECT_OPTIONS_INIT;
    cleanup_free char *doing = memory_format("connect to %s", job->url.shown);
    set_callbacks(remote, &options.callbacks);
    options.proxy_opts.type = GIT_PROXY_AUTO;
    options.follow_redirects = redirects(job);
    repo_job_stage(job, "connecting to %s", job->url.shown);
    /* libgit2 would not take it for a path. */
    if (job->url.scheme == REPO_LOCAL && access(job->url.text, F_OK))
        return tell_nothing_there(job, err);
    int code =
        git_remote_create_anonymous(&remote->remote, remote->mirror->repository, job->url.text);
    if (code == 0)
        code = git_remote_connect_ext(remote->remote, GIT_DIRECTION_FETCH, &options);
    return code ? explain(remote, code, doing, err) : 0;
}

/* --- what the ref names --- */

bool repo_is_commit(const char *ref)
{
    size_t length = strlen(ref);
    return length == COMMIT_DIGITS && strspn(ref, "0123456789abcdef") == length;
}

struct heads {
    const git_remote_head **items;
    size_t count;
};

static const git_remote_head *find_head(const struct heads *heads, const char *prefix,
                                        const char *name, const char *suffix)
{
    cleanup_free char *full = memory_format("%s%s%s", prefix, name, suffix);
    for (size_t i = 0; i < heads->count; i++)
        if (strcmp(heads->items[i]->name, full) == 0)
            return heads->items[i];
    return NULL;
}

static int tell_absent(const struct repo_job *job, const struct heads *heads, struct error **err)
{
    const char *ref = job->options.ref;
    if (!heads->count)
        return error_set(err, ERROR_INVALID, "%s holds no commit yet", job->url.shown);
    if (!ref)
        return error_set(err, ERROR_INVALID,
                         "the HEAD of %s names no commit; --ref names a branch or tag",
                         job->url.shown);
    struct nearest nearest = {.word = ref};
    static const char *const prefixes[] = {"refs/heads/", "refs/tags/"};
    for (size_t i = 0; i < heads->count; i++)
        for (size_t p = 0; p < COUNT_OF(prefixes); p++)
            if (strncmp(heads->items[i]->name, prefixes[p], strlen(prefixes[p])) == 0)
                nearest_offer(&nearest, heads->items[i]->name + strlen(prefixes[p]));
    if (nearest.best)
        return error_set(err, ERROR_INVALID, "%s has no branch or tag '%s'; is '%s' meant?",
                         job->url.shown, ref, nearest.best);
    return error_set(err, ERROR_INVALID,
                     "%s has no branch or tag '%s'; a commit is named by all its 40 digits",
                     job->url.shown, ref);
}

static const git_remote_head *choose_head(const struct repo_job *job, const struct heads *heads,
                                          struct error **err)
{
    const char *ref = job->options.ref;
    const git_remote_head *chosen = NULL;
    if (!ref || strncmp(ref, "refs/", strlen("refs/")) == 0) {
        chosen = find_head(heads, "", ref ? ref : "HEAD", "");
    } else {
        const git_remote_head *branch = find_head(heads, "refs/heads/", ref, "");
        const git_remote_head *tag = find_head(heads, "refs/tags/", ref, "");
        if (branch && tag) {
            error_set(err, ERROR_INVALID,
                      "'%s' is both a branch and a tag of %s; write refs/heads/%s or refs/tags/%s",
                      ref, job->url.shown, ref, ref);
            return NULL;
        }
        chosen = branch ? branch : tag;
    }
    if (!chosen)
        tell_absent(job, heads, err);
    return chosen;
}

int repo_remote_look(struct repo_remote *remote, struct repo_tip *tip, struct error **err)
{
    const struct repo_job *job = remote->job;
    struct heads heads = {0};
    if (job->options.ref && repo_is_commit(job->options.ref)) {
        *tip = (struct repo_tip){0};
        git_oid_fromstr(&tip->commit, job->options.ref);
        tip->object = tip->commit;
        return 0;
    }
    int code = git_remote_ls(&heads.items, &heads.count, remote->remote);
    if (code)
        return explain(remote, code, "list the branches", err);
    if (heads.count > REFS_MAX)
        return error_set(err, ERROR_INVALID, "%s has more than %d branches and tags",
                         job->url.shown, REFS_MAX);
    const git_remote_head *chosen = choose_head(job, &heads, err);
    if (!chosen)
        return -1;
    const git_remote_head *peeled = find_head(&heads, "", chosen->name, "^{}");
    *tip = (struct repo_tip){
        .ref = arena_string(job->arena, chosen->name),
        .object = chosen->oid,
        .commit = peeled ? peeled->oid : chosen->oid,
    };
    return 0;
}

/* --- receiving --- */

/* The refs of the mirror tell the server what need not be sent again. */
static int note_ref(struct repo_remote *remote, const char *ref, const git_oid *object,
                    struct error **err)
{
    const char *name = strncmp(ref, "refs/", strlen("refs/")) == 0 ? ref + strlen("refs/") : ref;
    cleanup_free char *own = memory_format("refs/mirror/%s", name);
    git_reference *reference = NULL;
    errno = 0;
    int code = git_reference_create(&reference, remote->mirror->repository, own, object, 1, NULL);
    git_reference_free(reference);
    return code ? repo_mirror_failure(remote->mirror, "note what was received", err) : 0;
}

/* Of a commit, everything was received: some of the branches, so that not all comes each time. */
static int note_branches(struct repo_remote *remote, struct error **err)
{
    struct heads heads = {0};
    if (git_remote_ls(&heads.items, &heads.count, remote->remote))
        return 0;
    for (size_t i = 0, noted = 0; i < heads.count && noted < NOTED_REFS_MAX; i++) {
        const git_remote_head *head = heads.items[i];
        if (strncmp(head->name, "refs/heads/", strlen("refs/heads/")) != 0)
            continue;
        if (note_ref(remote, head->name, &head->oid, err))
            return -1;
        noted++;
    }
    return 0;
}

static int download(struct repo_remote *remote, char **specs, size_t count, struct error **err)
{
    git_fetch_options options = GIT_FETCH_OPTIONS_INIT;
    const git_strarray refspecs = {.strings = specs, .count = count};
    set_callbacks(remote, &options.callbacks);
    options.proxy_opts.type = GIT_PROXY_AUTO;
    options.follow_redirects = redirects(remote->job);
    options.download_tags = GIT_REMOTE_DOWNLOAD_TAGS_NONE;
    options.update_fetchhead = 0;
    repo_job_stage(remote->job, "fetching from %s", remote->job->url.shown);
    errno = 0;
    int code = git_remote_download(remote->remote, &refspecs, &options);
    if (code == 0)
        return 0;
    /* Of a repository on disk nothing is told meanwhile; the limit of files ends it. */
    if (!remote->problem && repo_confine_met_limit())
        return tell_too_large(remote->job, err);
    int class;
    (void)last_words(&class);
    /* What the mirror holds is compared with what is to come. */
    if (!remote->problem && (class == GIT_ERROR_ODB || class == GIT_ERROR_ZLIB ||
                             class == GIT_ERROR_OBJECT || class == GIT_ERROR_REFERENCE))
        remote->mirror->damaged = errno != ENOSPC;
    return explain(remote, code, "fetch", err);
}

int repo_remote_fetch(struct repo_remote *remote, const struct repo_tip *tip, struct error **err)
{
    if (!tip->ref) {
        char heads[] = "+refs/heads/*:refs/mirror/heads/*",
             tags[] = "+refs/tags/*:refs/mirror/tags/*";
        char *specs[] = {heads, tags};
        return download(remote, specs, COUNT_OF(specs), err) || note_branches(remote, err) ? -1 : 0;
    }
    const char *name =
        strncmp(tip->ref, "refs/", strlen("refs/")) == 0 ? tip->ref + strlen("refs/") : tip->ref;
    cleanup_free char *spec = memory_format("+%s:refs/mirror/%s", tip->ref, name);
    return download(remote, &spec, 1, err) || note_ref(remote, tip->ref, &tip->object, err) ? -1
                                                                                            : 0;
}
