#include "cli/repo_once.h"

#include "base/memory.h"
#include "reconciler/repo_url.h"
#include <assert.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

enum { STALL_MS_MAX = 30 * 1000 };

const char repo_words[] =
    "With --git, desired state is read from a commit of a repository: file://, https://, http:// "
    "and ssh:// are understood, and paths of this host. A copy of it is kept in "
    "$XDG_CACHE_HOME/kind (of root in /var/cache/kind). Nothing is checked out; links and "
    "submodules are errors, as are mounts of the host and addresses that others can reach. Over "
    "ssh, the key must be ed25519 or ecdsa, and the host must be in the file of known hosts.";

struct reading {
    struct repo_result result;
    struct error *failure;
    bool over;
};

static void take_result(void *context, const struct repo_result *result, struct error *failure)
{
    struct reading *reading = context;
    if (result)
        reading->result = *result;
    reading->failure = failure;
    reading->over = true;
}

const char *repo_where(struct arena *arena, const struct repo_choice *choice, struct error **err)
{
    cleanup_free char *folder = getcwd(NULL, 0);
    const struct repo_options *options = &choice->options;
    struct repo_url url;
    if (repo_url_read(arena, options->url, folder ? folder : "/", &url, err))
        return NULL;
    return arena_format(arena, "%s%s%s%s%s", url.shown, options->ref ? " at " : "",
                        options->ref ? options->ref : "", options->path ? ", in " : "",
                        options->path ? options->path : "");
}

const char *repo_address(struct arena *arena, const struct repo_choice *choice)
{
    cleanup_error struct error *none = NULL;
    cleanup_free char *folder = getcwd(NULL, 0);
    const char *typed = choice->options.url;
    struct repo_url url;
    if (repo_url_read(arena, typed, folder ? folder : "/", &url, &none))
        return "URL"; /* nobody got that far */
    return url.scheme == REPO_LOCAL ? typed : url.shown;
}

uint32_t repo_deadline_ms(const struct repo_choice *choice)
{
    uint64_t ms = choice->timeout_ms ? choice->timeout_ms : REPO_TIMEOUT_MS;
    return ms < UINT32_MAX ? (uint32_t)ms : UINT32_MAX;
}

int repo_read_once(const struct repo_choice *choice, struct arena *arena,
                   struct repo_result *result, struct error **err)
{
    struct reading reading = {0};
    struct repo_options options = choice->options;
    uv_loop_t loop;
    uv_loop_init(&loop);
    repo_fetch_begin(&loop, &options, NULL, repo_deadline_ms(choice), arena, take_result, &reading);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert(reading.over);
    int closed = uv_loop_close(&loop);
    assert(closed == 0);
    (void)closed;
    *result = reading.result;
    if (!reading.failure)
        return 0;
    *err = reading.failure;
    return -1;
}
