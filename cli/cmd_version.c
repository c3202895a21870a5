/* kind version: what this program is, in upstream's shape. */
#include "cli/command.h"

#define TEXT_OF(x) #x
#define VERSION_OF(major, minor, patch) TEXT_OF(major) "." TEXT_OF(minor) "." TEXT_OF(patch)

#ifdef __clang__
#define COMPILER "clang" VERSION_OF(__clang_major__, __clang_minor__, __clang_patchlevel__)
#else
#define COMPILER "gcc" VERSION_OF(__GNUC__, __GNUC_MINOR__, __GNUC_PATCHLEVEL__)
#endif

#if defined(__x86_64__)
#define ARCHITECTURE "amd64"
#elif defined(__aarch64__)
#define ARCHITECTURE "arm64"
#else
#define ARCHITECTURE "unknown"
#endif

static int run(const struct invocation *invocation, struct error **err)
{
    (void)err;
    if (invocation->common.quiet)
        fprintf(invocation->results, "%s\n", KIND_VERSION);
    else
        fprintf(invocation->results, "kind v%s %s linux/%s\n", KIND_VERSION, COMPILER,
                ARCHITECTURE);
    return 0;
}

const struct command command_version = {
    .path = "version",
    .summary = "print version, compiler and platform",
    .exits = EXITS_AS_UPSTREAM,
    .examples = (const char *const[]){"kind version", "kind version -q", NULL},
    .run = run,
};
