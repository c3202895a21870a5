#include "reconciler/repo_tree.h"

#include "base/memory.h"
#include "base/plain.h"
#include "reconciler/repo_remote.h"
#include <errno.h>

int repo_tree_open(struct repo_tree *tree, struct repo_mirror *mirror, const git_oid *commit,
                   struct error **err)
{
    *tree = (struct repo_tree){.mirror = mirror};
    errno = 0;
    if (git_commit_lookup(&tree->commit, mirror->repository, commit) ||
        git_commit_tree(&tree->root, tree->commit))
        return repo_mirror_failure(mirror, "read the commit", err);
    return 0;
}

void repo_tree_close(struct repo_tree *tree)
{
    git_tree_free(tree->root);
    git_commit_free(tree->commit);
    *tree = (struct repo_tree){0};
}

static int too_large(const char *path, uint64_t size, struct error **err)
{
    return error_set(err, ERROR_INVALID, "%s: %llu KiB are too much; a text may have %d KiB", path,
                     (unsigned long long)(size >> 10), SOURCE_FILE_BYTES_MAX / 1024);
}

/* Names are printed, and stand in messages of others. */
static int check_name(const char *path, struct error **err)
{
    cleanup_text struct text plain;
    text_init(&plain, 0);
    plain_add(&plain, path);
    return strcmp(plain.data, path) == 0
               ? 0
               : error_set(err, ERROR_INVALID, "%s: the name holds characters that do not print",
                           plain.data);
}

/* The size is asked for first: a blob that is too large is never in memory. */
static int read_blob(struct repo_tree *tree, const char *path, const git_oid *id,
                     struct load_text *text, struct error **err)
{
    struct repo_job *job = tree->mirror->job;
    git_odb *objects = NULL;
    git_blob *blob = NULL;
    size_t size = 0;
    git_object_t type;
    if (check_name(path, err))
        return -1;
    errno = 0;
    int code = git_repository_odb(&objects, tree->mirror->repository);
    if (code == 0)
        code = git_odb_read_header(&size, &type, objects, id);
    git_odb_free(objects);
    if (code == 0 && size > SOURCE_FILE_BYTES_MAX)
        return too_large(path, size, err);
    tree->total_bytes += size;
    if (tree->total_bytes > job->options.limits.total_bytes)
        return error_set(err, ERROR_INVALID, "%s: all texts together are more than %llu MiB", path,
                         (unsigned long long)(job->options.limits.total_bytes >> 20));
    if (code == 0)
        code = git_blob_lookup(&blob, tree->mirror->repository, id);
    if (code)
        return repo_mirror_failure(tree->mirror, path, err);
    *text = (struct load_text){
        .file = arena_string(job->arena, path),
        .bytes = arena_string_n(job->arena, git_blob_rawcontent(blob), size),
        .length = size,
    };
    git_blob_free(blob);
    return 0;
}

static bool is_yaml(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot && (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0);
}

static int refuse_kind(const char *path, git_filemode_t mode, struct error **err)
{
    return error_set(err, ERROR_INVALID,
                     mode == GIT_FILEMODE_LINK
                         ? "%s is a symbolic link; links are not followed in a repository"
                         : "%s is a submodule; what is in it is not read",
                     path);
}

static int read_folder(struct repo_tree *tree, const git_tree *folder, const char *path,
                       unsigned depth, struct error **err);

static int read_subfolder(struct repo_tree *tree, const git_oid *id, const char *path,
                          unsigned depth, struct error **err)
{
    git_tree *folder = NULL;
    errno = 0;
    if (git_tree_lookup(&folder, tree->mirror->repository, id))
        return repo_mirror_failure(tree->mirror, path, err);
    int result = read_folder(tree, folder, path, depth, err);
    git_tree_free(folder);
    return result;
}

static int add_text(struct repo_tree *tree, const char *path, const git_oid *id, struct error **err)
{
    struct source_texts *texts = &tree->texts;
    struct load_text text;
    if (texts->count == SOURCE_FILES_MAX)
        return error_set(err, ERROR_INVALID, "%s: more than %d files", path, SOURCE_FILES_MAX);
    if (read_blob(tree, path, id, &text, err))
        return -1;
    texts->items =
        arena_grow(tree->mirror->job->arena, texts->items, texts->count, sizeof(*texts->items));
    texts->items[texts->count++] = text;
    return 0;
}

static int read_entry(struct repo_tree *tree, const git_tree_entry *entry, const char *path,
                      unsigned depth, struct error **err)
{
    git_filemode_t mode = git_tree_entry_filemode(entry);
    switch (mode) {
    case GIT_FILEMODE_TREE:
        return read_subfolder(tree, git_tree_entry_id(entry), path, depth + 1, err);
    case GIT_FILEMODE_BLOB:
    case GIT_FILEMODE_BLOB_EXECUTABLE:
        return is_yaml(path) ? add_text(tree, path, git_tree_entry_id(entry), err) : 0;
    case GIT_FILEMODE_LINK:
    case GIT_FILEMODE_COMMIT:
        return refuse_kind(path, mode, err);
    case GIT_FILEMODE_UNREADABLE:
        break;
    }
    return error_set(err, ERROR_INVALID, "%s is neither a file nor a folder", path);
}

static int read_folder(struct repo_tree *tree, const git_tree *folder, const char *path,
                       unsigned depth, struct error **err)
{
    struct repo_job *job = tree->mirror->job;
    if (depth > SOURCE_DEPTH_MAX)
        return error_set(err, ERROR_INVALID, "%s: folders are nested deeper than %d", path,
                         SOURCE_DEPTH_MAX);
    for (size_t i = 0; i < git_tree_entrycount(folder); i++) {
        const git_tree_entry *entry = git_tree_entry_byindex(folder, i);
        const char *name = git_tree_entry_name(entry);
        if (++tree->entries > job->options.limits.entries)
            return error_set(err, ERROR_INVALID,
                             "%s: more than %u files and folders; --path names a part of them",
                             *path ? path : "the repository", job->options.limits.entries);
        if (*name == '.')
            continue;
        const char *inner = arena_format(job->arena, "%s%s%s", path, *path ? "/" : "", name);
        if (read_entry(tree, entry, inner, depth, err))
            return -1;
    }
    return 0;
}

static int find_entry(struct repo_tree *tree, const char *path, git_tree_entry **entry,
                      struct error **err)
{
    errno = 0;
    int code = git_tree_entry_bypath(entry, tree->root, path);
    if (code == 0)
        return 0;
    /* An object that should be there is missed in the same way, but not by the tree. */
    const git_error *last = git_error_last();
    if (code != GIT_ENOTFOUND || !last || last->klass != GIT_ERROR_TREE)
        return repo_mirror_failure(tree->mirror, path, err);
    return error_set(err, ERROR_INVALID, "%s: there is no such file or folder in commit %.10s",
                     path, git_oid_tostr_s(git_commit_id(tree->commit)));
}

/* A file named by --path is read whatever it is called, as with -f. */
static int read_path(struct repo_tree *tree, const char *path, struct error **err)
{
    git_tree_entry *entry = NULL;
    if (find_entry(tree, path, &entry, err))
        return -1;
    git_filemode_t mode = git_tree_entry_filemode(entry);
    bool is_file = mode == GIT_FILEMODE_BLOB || mode == GIT_FILEMODE_BLOB_EXECUTABLE;
    int result = is_file ? add_text(tree, path, git_tree_entry_id(entry), err)
                         : read_entry(tree, entry, path, 0, err);
    git_tree_entry_free(entry);
    return result;
}

int repo_tree_read(struct repo_tree *tree, struct error **err)
{
    const struct repo_options *options = &tree->mirror->job->options;
    const char *path = options->path;
    int result =
        path && *path ? read_path(tree, path, err) : read_folder(tree, tree->root, "", 0, err);
    if (result == 0 && !tree->texts.count && !options->allow_empty)
        return error_set(err, ERROR_INVALID,
                         "%s holds no *.yaml or *.yml file; an empty one is only taken with "
                         "--allow-empty",
                         path && *path ? path : "the repository");
    return result;
}

int repo_tree_read_file(struct repo_tree *tree, const char *path, struct load_text *text,
                        struct error **err)
{
    git_tree_entry *entry = NULL;
    if (find_entry(tree, path, &entry, err))
        return -1;
    git_filemode_t mode = git_tree_entry_filemode(entry);
    int result = -1;
    if (mode == GIT_FILEMODE_LINK || mode == GIT_FILEMODE_COMMIT)
        refuse_kind(path, mode, err);
    else if (mode == GIT_FILEMODE_TREE)
        error_set(err, ERROR_INVALID, "%s: not a regular file", path);
    else
        result = read_blob(tree, path, git_tree_entry_id(entry), text, err);
    git_tree_entry_free(entry);
    return result;
}
