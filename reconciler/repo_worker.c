#include "reconciler/repo_worker.h"

#include "base/memory.h"
#include "model/load.h"
#include "model/path.h"
#include "reconciler/repo_confine.h"
#include "reconciler/repo_remote.h"
#include "reconciler/repo_secret.h"
#include "reconciler/repo_signature.h"
#include "reconciler/repo_tree.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * DESIGN. One run: read the request, give rights up, take the mirror's lock,
 * ask the server, fetch on change, check the signature, read the texts, and,
 * by loading them, find out which other files they name. What cannot be used
 * is told with the revision that it is about. If the mirror makes no sense, it
 * is set aside and all begins again, once.
 */

enum {
    REQUEST_BYTES_MAX = 64 * 1024,
    KNOWN_HOSTS_BYTES_MAX = 4 * 1024 * 1024,
    STAGE_BYTES_MAX = 300
};
enum { WINDOW_BYTES = 32 << 20, WINDOWS_BYTES_MAX = 256 << 20, SUBJECT_BYTES_MAX = 400 };

/* A pack may become larger than what came over: bases of deltas are added to it. */
enum { FILE_BYTES_FACTOR = 2 };

static const char system_authorities[] = "/etc/ssl/certs/ca-certificates.crt";

/* --- telling --- */

void repo_job_send(const struct repo_job *job, const struct text *records)
{
    for (size_t sent = 0; sent < records->length;) {
        ssize_t length = write(job->out, records->data + sent, records->length - sent);
        if (length < 0 && errno != EINTR)
            _exit(1); /* nobody wants it any more */
        sent += length > 0 ? (size_t)length : 0;
    }
}

void repo_job_stage(const struct repo_job *job, const char *format, ...)
{
    cleanup_text struct text words, record;
    text_init(&words, STAGE_BYTES_MAX);
    text_init(&record, 0);
    va_list arguments;
    va_start(arguments, format);
    text_add_list(&words, format, arguments);
    va_end(arguments);
    repo_record_add_string(&record, REPO_STAGE, words.data);
    repo_job_send(job, &record);
}

/* --- the request --- */

static int read_input(struct text *input)
{
    char buffer[4096];
    for (ssize_t length; (length = read(STDIN_FILENO, buffer, sizeof(buffer))) != 0;) {
        if (length < 0 && errno != EINTR)
            return -1;
        text_add_bytes(input, buffer, length > 0 ? (size_t)length : 0);
    }
    return input->overflow ? -1 : 0;
}

static void take_record(struct repo_job *job, const struct repo_record *record)
{
    struct repo_options *options = &job->options;
    const char *string = arena_string_n(job->arena, record->value, record->length);
    uint64_t number = 0;
    (void)repo_record_number(record, &number);
    switch ((int)record->tag) {
    case REPO_URL:
        options->url = string;
        break;
    case REPO_REF:
        options->ref = string;
        break;
    case REPO_PATH:
        options->path = string;
        break;
    case REPO_CACHE:
        options->cache = string;
        break;
    case REPO_CA_FILE:
        options->ca_file = string;
        break;
    case REPO_TOKEN_FILE:
        options->token_file = string;
        break;
    case REPO_SSH_KEY:
        options->ssh_key = string;
        break;
    case REPO_KNOWN_HOSTS:
        options->known_hosts = string;
        break;
    case REPO_VERIFY_KEYS:
        options->verify_keys = string;
        break;
    case REPO_ALLOW_EMPTY:
        options->allow_empty = true;
        break;
    case REPO_KNOWN:
        job->known = string;
        break;
    case REPO_TRANSFER_LIMIT:
        options->limits.transfer_bytes = number;
        break;
    case REPO_TOTAL_LIMIT:
        options->limits.total_bytes = number;
        break;
    case REPO_ENTRY_LIMIT:
        options->limits.entries = (uint32_t)number;
        break;
    case REPO_PATIENCE:
        job->patience_ms = number;
        break;
    }
}

static int read_request(struct repo_job *job, struct error **err)
{
    cleanup_text struct text input;
    text_init(&input, REQUEST_BYTES_MAX);
    struct repo_record record = {0};
    size_t offset = 0;
    if (read_input(&input) == 0)
        while (repo_record_next(input.data, input.length, REQUEST_BYTES_MAX, &offset, &record) ==
                   REPO_READ &&
               record.tag != REPO_END)
            take_record(job, &record);
    if (record.tag != REPO_END || !job->options.url || !job->options.cache)
        return error_set(err, ERROR_INTERNAL, "the request for a repository is cut off");
    return repo_url_read(job->arena, job->options.url, "/", &job->url, err);
}

/* --- what is needed from disk, before it is out of reach --- */

/* A token that travels in the open is everybody's. */
static int read_token(struct repo_job *job, struct error **err)
{
    const char *file = job->options.token_file;
    if (!file)
        return 0;
    if (job->url.scheme == REPO_LOCAL || job->url.scheme == REPO_SSH)
        return error_set(err, ERROR_INVALID, "--git-token-file is for https:// alone");
    if (job->url.scheme == REPO_HTTP && !repo_url_is_loopback(&job->url))
        return error_set(err, ERROR_INVALID, "a token would go to %s unencrypted; use https://",
                         job->url.host);
    return repo_secret_read_token(job->arena, "--git-token-file", file, &job->token, err);
}

/*
 * libssh2 asks the host for a key of the type that it finds in ~/.ssh/known_hosts, so the process
 * is given a home that holds the one line that matters.
 */
static int place_known_host(const struct repo_mirror *mirror, const struct known_key *key,
                            struct error **err)
{
    const struct repo_url *url = &mirror->job->url;
    cleanup_free char *home = memory_format("%s.home", mirror->folder),
                      *folder = memory_format("%s/.ssh", home),
                      *file = memory_format("%s/known_hosts", folder),
                      *line = url->port
                                  ? memory_format("[%s]:%u %s %s\n", url->host, url->port,
                                                  key->type, key->encoded)
                                  : memory_format("%s %s %s\n", url->host, key->type, key->encoded);
    setenv("HOME", home, 1);
    /* As long as it is the same nothing is written: the disk may be full. */
    const char *before = NULL;
    cleanup_error struct error *absent = NULL;
    if (repo_secret_read_public(mirror->job->arena, "", file, KNOWN_HOSTS_BYTES_MAX, &before,
                                &absent) == 0 &&
        strcmp(before, line) == 0)
        return 0;
    (void)mkdir(home, 0700);
    (void)mkdir(folder, 0700);
    int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    bool written = fd >= 0 && write(fd, line, strlen(line)) == (ssize_t)strlen(line);
    if (fd >= 0)
        close(fd);
    return written ? 0 : error_set(err, ERROR_UNAVAILABLE, "write %s: %s", file, strerror(errno));
}

static int read_ssh(struct repo_mirror *mirror, struct known_keys *hosts, struct error **err)
{
    struct repo_job *job = mirror->job;
    const char *text = NULL;
    if (job->url.scheme != REPO_SSH)
        return 0;
    if (!job->options.ssh_key || !job->options.known_hosts)
        return error_set(err, ERROR_INVALID,
                         "ssh:// needs a key and the keys of hosts: --git-ssh-key and "
                         "--git-known-hosts name files");
    if (repo_secret_read_key(job->arena, "--git-ssh-key", job->options.ssh_key, &job->key, err) ||
        repo_secret_read_public(job->arena, "--git-known-hosts", job->options.known_hosts,
                                KNOWN_HOSTS_BYTES_MAX, &text, err))
        return -1;
    known_hosts_find(job->arena, text, job->url.host, job->url.port, hosts);
    const struct known_key *best = known_hosts_best(hosts);
    if (best)
        return place_known_host(mirror, best, err);
    return error_set(err, ERROR_INVALID,
                     "%s does not know the host %s; ssh-keyscan%s%s %s shows its keys: compare "
                     "them with what its owner says, and add them",
                     job->options.known_hosts, job->url.host, job->url.port ? " -p " : "",
                     job->url.port ? arena_format(job->arena, "%u", job->url.port) : "",
                     job->url.host);
}

static int confine(const struct repo_job *job, struct error **err)
{
    const struct repo_options *options = &job->options;
    const char *const readable[] = {
        options->ca_file,
        options->verify_keys,
        /* It may be made of parts that lie elsewhere; all that is ours to read is read by us. */
        job->url.scheme == REPO_LOCAL ? "/" : NULL,
    };
    return repo_confine_files(options->cache, readable, COUNT_OF(readable), err);
}

/* --- libgit2 --- */

static int begin_library(const struct repo_job *job, struct error **err)
{
    const char *authorities = job->options.ca_file;
    if (git_libgit2_init() < 0)
        return repo_failure(job, "begin", err);
    /* Nobody's settings change what is fetched from where. */
    for (int level = GIT_CONFIG_LEVEL_PROGRAMDATA; level <= GIT_CONFIG_LEVEL_GLOBAL; level++)
        git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, level, "");
    git_libgit2_opts(GIT_OPT_ENABLE_FSYNC_GITDIR, 1);
    git_libgit2_opts(GIT_OPT_SET_MWINDOW_SIZE, (size_t)WINDOW_BYTES);
    git_libgit2_opts(GIT_OPT_SET_MWINDOW_MAPPED_LIMIT, (size_t)WINDOWS_BYTES_MAX);
    if (job->url.scheme != REPO_HTTPS)
        return 0;
    if (!authorities && access(system_authorities, R_OK) == 0)
        authorities = system_authorities;
    if (authorities &&
        git_libgit2_opts(GIT_OPT_SET_SSL_CERT_LOCATIONS, authorities, (const char *)NULL))
        return error_set(err, ERROR_INVALID, "%s %s: holds no certificates that can be read",
                         job->options.ca_file ? "--git-ca-file" : "the system's", authorities);
    return 0;
}

/* --- one attempt --- */

struct attempt {
    struct repo_job *job;
    struct repo_mirror *mirror;
    const struct known_keys *hosts;
    struct text reply;
    bool named; /* the reply says which revision it is about */
};

/* The commit of the tip, if the mirror has it. A tag may lead to something else. */
static int find_commit(struct attempt *attempt, const git_oid *object, git_commit **commit,
                       struct error **err)
{
    git_object *found = NULL;
    errno = 0;
    int code = git_object_lookup(&found, attempt->mirror->repository, object, GIT_OBJECT_ANY);
    if (code)
        return code == GIT_ENOTFOUND ? error_set(err, ERROR_INVALID, "there is no commit %s in %s",
                                                 git_oid_tostr_s(object), attempt->job->url.shown)
                                     : repo_mirror_failure(attempt->mirror, "read the commit", err);
    git_object *peeled = NULL;
    code = git_object_peel(&peeled, found, GIT_OBJECT_COMMIT);
    git_object_free(found);
    if (code)
        return error_set(err, ERROR_INVALID, "%s names no commit",
                         attempt->job->options.ref ? attempt->job->options.ref : "HEAD");
    *commit = (git_commit *)peeled;
    return 0;
}

static bool has_commit(const struct repo_mirror *mirror, const git_oid *object)
{
    git_odb *objects = NULL;
    if (mirror->is_fresh || git_repository_odb(&objects, mirror->repository))
        return false;
    bool there = git_odb_exists(objects, object) == 1;
    git_odb_free(objects);
    return there;
}

/* Is the commit in force none of its ancestors? */
static bool is_rewritten(struct attempt *attempt, const git_oid *commit)
{
    git_oid known;
    const char *digits = attempt->job->known;
    if (!digits || !repo_is_commit(digits) || git_oid_fromstr(&known, digits) ||
        git_oid_equal(&known, commit))
        return false;
    return git_graph_descendant_of(attempt->mirror->repository, commit, &known) != 1;
}

static void name_revision(struct attempt *attempt, git_commit *commit)
{
    const git_oid *id = git_commit_id(commit);
    const git_signature *author = git_commit_author(commit);
    const char *subject = git_commit_summary(commit);
    struct text *reply = &attempt->reply;
    text_clear(reply);
    repo_record_add_string(reply, REPO_COMMIT, git_oid_tostr_s(id));
    repo_record_add_string(reply, REPO_AUTHOR, author && author->name ? author->name : "");
    size_t length = subject ? strlen(subject) : 0;
    repo_record_add(reply, REPO_SUBJECT, subject ? subject : "",
                    length < SUBJECT_BYTES_MAX ? length : SUBJECT_BYTES_MAX);
    git_time_t time = git_commit_time(commit);
    repo_record_add_number(reply, REPO_TIME, time > 0 ? (uint64_t)time : 0);
    if (is_rewritten(attempt, id))
        repo_record_add_string(reply, REPO_REWRITTEN, "");
    attempt->named = true;
}

/* Asked by the loader for files that texts name: each is part of the reply, also one that is not
 * there. */
struct beside {
    struct attempt *attempt;
    struct repo_tree *tree;
};

static int read_beside(void *context, struct arena *arena, const char *base, const char *path,
                       struct load_text *text, struct error **err)
{
    struct beside *beside = context;
    struct text *reply = &beside->attempt->reply;
    const char *file = repo_path_beside(arena, base, path);
    if (!file)
        return error_set(err, ERROR_INVALID, "%s is outside of the repository", path);
    int result = repo_tree_read_file(beside->tree, file, text, err);
    if (result == 0)
        repo_record_add_pair(reply, REPO_FILE, file, text->bytes, text->length);
    else
        repo_record_add_pair(reply, REPO_ABSENT, file, (*err)->message, strlen((*err)->message));
    return result;
}

/* Loads the texts for the sake of the files that they name; what is wrong is the parent's to say.
 */
static void add_files(struct attempt *attempt, struct repo_tree *tree)
{
    struct beside beside = {.attempt = attempt, .tree = tree};
    const struct load_options options = {
        .base_folder = "/",
        .allow_empty = true,
        .read_file = read_beside,
        .read_context = &beside,
    };
    struct fleet_spec fleet;
    struct problem_list problems;
    problem_list_init(&problems, attempt->job->arena);
    if (tree->texts.count)
        (void)load_fleet(tree->texts.items, tree->texts.count, &options, &fleet, &problems);
}

static int read_commit(struct attempt *attempt, git_commit *commit, struct error **err)
{
    const struct repo_job *job = attempt->job;
    const char *signer = NULL;
    struct repo_tree tree;
    name_revision(attempt, commit);
    repo_job_stage(job, "reading commit %.10s", git_oid_tostr_s(git_commit_id(commit)));
    if (job->options.verify_keys &&
        repo_signature_check(attempt->mirror, git_commit_id(commit), &signer, err))
        return -1;
    repo_record_add_string(&attempt->reply, REPO_SIGNER, signer);
    int result = repo_tree_open(&tree, attempt->mirror, git_commit_id(commit), err);
    if (result == 0)
        result = repo_tree_read(&tree, err);
    for (size_t i = 0; result == 0 && i < tree.texts.count; i++)
        repo_record_add_pair(&attempt->reply, REPO_TEXT, tree.texts.items[i].file,
                             tree.texts.items[i].bytes, tree.texts.items[i].length);
    if (result == 0)
        add_files(attempt, &tree);
    /* Also what a manifest is may show that the mirror is damaged. */
    if (result == 0 && attempt->mirror->damaged)
        result = error_set(err, ERROR_UNAVAILABLE, "the copy of the repository is damaged");
    repo_tree_close(&tree);
    return result;
}

static int read_tip(struct attempt *attempt, const struct repo_tip *tip, struct error **err)
{
    git_commit *commit = NULL;
    if (repo_mirror_settle(attempt->mirror, err) ||
        find_commit(attempt, &tip->object, &commit, err))
        return -1;
    int result = read_commit(attempt, commit, err);
    if (result)
        error_wrap(err, "%s at %.10s", attempt->job->url.shown,
                   git_oid_tostr_s(git_commit_id(commit)));
    git_commit_free(commit);
    return result;
}

static bool is_known(const struct repo_job *job, const struct repo_tip *tip)
{
    return job->known && strcmp(job->known, git_oid_tostr_s(&tip->commit)) == 0;
}

static void say_unchanged(struct attempt *attempt)
{
    text_clear(&attempt->reply);
    repo_record_add_string(&attempt->reply, REPO_COMMIT, attempt->job->known);
    repo_record_add_string(&attempt->reply, REPO_UNCHANGED, "");
}

static int ask_server(struct attempt *attempt, struct repo_remote *remote, struct error **err)
{
    struct repo_tip tip;
    if (repo_remote_connect(remote, err) || repo_remote_look(remote, &tip, err))
        return -1;
    if (is_known(attempt->job, &tip)) {
        say_unchanged(attempt);
        return 0;
    }
    if (!has_commit(attempt->mirror, &tip.object) && repo_remote_fetch(remote, &tip, err))
        return -1;
    git_remote_disconnect(remote->remote);
    return read_tip(attempt, &tip, err);
}

static int try_once(struct attempt *attempt, struct error **err)
{
    const char *ref = attempt->job->options.ref;
    struct repo_remote remote;
    repo_remote_init(&remote, attempt->mirror, attempt->hosts);
    if (ref && repo_is_commit(ref)) {
        struct repo_tip tip;
        /* It is what it is, whatever the server says by now. */
        if (repo_remote_look(&remote, &tip, err))
            return -1;
        if (is_known(attempt->job, &tip)) {
            say_unchanged(attempt);
            return 0;
        }
        if (has_commit(attempt->mirror, &tip.object))
            return read_tip(attempt, &tip, err);
    }
    int result = ask_server(attempt, &remote, err);
    repo_remote_done(&remote);
    return result;
}

/* --- all of it --- */

static int carry_out(struct attempt *attempt, struct error **err)
{
    struct repo_mirror *mirror = attempt->mirror;
    if (repo_mirror_open(mirror, err))
        return -1;
    if (try_once(attempt, err) == 0)
        return 0;
    if (!mirror->damaged || mirror->is_fresh)
        return -1;
    error_free(*err);
    *err = NULL;
    mirror->damaged = false;
    return repo_mirror_renew(mirror, err) ? -1 : try_once(attempt, err);
}

static int work(struct repo_job *job, struct text *reply, struct error **err)
{
    struct known_keys hosts = {0};
    struct repo_mirror mirror = {.lock = -1};
    struct attempt attempt = {.job = job, .mirror = &mirror, .hosts = &hosts};
    text_init(&attempt.reply, UINT32_MAX);
    int result = -1;
    if (repo_mirror_prepare(&mirror, job, err) == 0 && read_token(job, err) == 0 &&
        read_ssh(&mirror, &hosts, err) == 0 && confine(job, err) == 0 &&
        begin_library(job, err) == 0)
        result = carry_out(&attempt, err);
    repo_record_add_string(reply, REPO_NOTE, mirror.note);
    text_add_bytes(reply, attempt.reply.data, attempt.reply.length);
    repo_mirror_close(&mirror);
    text_done(&attempt.reply);
    return result;
}

static void add_error(struct text *reply, const struct error *failure)
{
    const char kind[] = {(char)('0' + (int)failure->kind), '\0'};
    repo_record_add_pair(reply, REPO_ERROR, kind, failure->message, strlen(failure->message));
}

void repo_worker_main(int argc, char **argv)
{
    cleanup_error struct error *err = NULL;
    cleanup_arena struct arena *arena = arena_new();
    struct repo_job job = {.arena = arena, .out = STDOUT_FILENO};
    cleanup_text struct text reply;
    text_init(&reply, UINT32_MAX);
    int parent = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 0;
    int result = read_request(&job, &err);
    if (result == 0)
        result = repo_confine_process(parent, job.options.limits.transfer_bytes * FILE_BYTES_FACTOR,
                                      &err);
    if (result == 0)
        result = work(&job, &reply, &err);
    if (result)
        add_error(&reply, err);
    repo_record_add_string(&reply, REPO_END, "");
    repo_job_send(&job, &reply);
    /* All is said. What libgit2 still holds goes with the process. */
    _exit(0);
}
