/*
 * repo_once.h - a git repository as the source of one run: its options, and reading it once.
 */
#ifndef CLI_REPO_ONCE_H
#define CLI_REPO_ONCE_H

#include "cli/command.h"
#include "model/load.h"
#include "reconciler/repo_source.h"

enum { REPO_TIMEOUT_MS = 120 * 1000 };

struct repo_choice {
    struct repo_options options; /* url NULL: no repository is meant */
    uint64_t timeout_ms;         /* 0: not given */
};

/* Rows of option tables: where desired state is in git. `type` has a repo_choice called `field`. */
#define REPO_ROWS(type, field)                                                                     \
    {.long_name = "git",                                                                           \
     .argument = "URL",                                                                            \
     .help = "read desired state from this git repository instead of -f",                          \
     .kind = OPTION_STRING,                                                                        \
     .offset = offsetof(type, field.options.url)},                                                 \
        {.long_name = "ref",                                                                       \
         .argument = "REF",                                                                        \
         .help = "take this branch, tag or commit of it (default: its HEAD)",                      \
         .kind = OPTION_STRING,                                                                    \
         .offset = offsetof(type, field.options.ref)},                                             \
        {.long_name = "path",                                                                      \
         .argument = "PATH",                                                                       \
         .help = "take this folder or file of it (default: all)",                                  \
         .kind = OPTION_STRING,                                                                    \
         .offset = offsetof(type, field.options.path)},                                            \
        {.long_name = "verify-keys",                                                               \
         .rare = true,                                                                             \
         .argument = "FILE",                                                                       \
         .help = "use only commits signed by these: allowed signers, or a keyring",                \
         .kind = OPTION_STRING,                                                                    \
         .offset = offsetof(type, field.options.verify_keys)},                                     \
        {.long_name = "git-token-file",                                                            \
         .rare = true,                                                                             \
         .argument = "FILE",                                                                       \
         .help = "send the token in this file as password over https",                             \
         .kind = OPTION_STRING,                                                                    \
         .offset = offsetof(type, field.options.token_file)},                                      \
        {.long_name = "git-ca-file",                                                               \
         .rare = true,                                                                             \
         .argument = "FILE",                                                                       \
         .help = "trust these certificates over https (default: the system's)",                    \
         .kind = OPTION_STRING,                                                                    \
         .offset = offsetof(type, field.options.ca_file)},                                         \
        {.long_name = "git-ssh-key",                                                               \
         .rare = true,                                                                             \
         .argument = "FILE",                                                                       \
         .help = "use this private key over ssh (default: ~/.ssh/id_ed25519)",                     \
         .kind = OPTION_STRING,                                                                    \
         .offset = offsetof(type, field.options.ssh_key)},                                         \
        {.long_name = "git-known-hosts",                                                           \
         .rare = true,                                                                             \
         .argument = "FILE",                                                                       \
         .help = "trust these hosts over ssh (default: ~/.ssh/known_hosts)",                       \
         .kind = OPTION_STRING,                                                                    \
         .offset = offsetof(type, field.options.known_hosts)},                                     \
    {                                                                                              \
        .long_name = "git-timeout", .rare = true, .argument = "DURATION",                          \
        .help = "give up reading the repository after so long (default 2m)",                       \
        .kind = OPTION_DURATION, .offset = offsetof(type, field.timeout_ms)                        \
    }

/* For manual pages: what is done with a repository, and where its copy is. */
extern const char repo_words[];

/* How to call it: the address without what may be a secret, ref and path. NULL and *err: it is
 * none. */
const char *repo_where(struct arena *arena, const struct repo_choice *choice, struct error **err);

/* The address alone, to be typed again: without what may be a secret. */
const char *repo_address(struct arena *arena, const struct repo_choice *choice);

/* How long one fetch may take, by the options. */
uint32_t repo_deadline_ms(const struct repo_choice *choice);

/*
 * Fetches and reads it, all of which is in the arena then. Ctrl-C ends the
 * program, and the fetch with it.
 */
int repo_read_once(const struct repo_choice *choice, struct arena *arena,
                   struct repo_result *result, struct error **err);

#endif
