/*
 * A docker runtime for hosts whose bounding set lacks a capability. runc refuses to start a
 * privileged container there, because it cannot grant what nobody has. This program strikes the
 * missing capabilities from the container's or the exec's description and becomes the real runc. It
 * runs for every exec in every node, hence C.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>
#include <sys/capability.h>

#ifndef RUNC
#define RUNC "/usr/sbin/runc"
#endif

static bool host_has(const char *name)
{
    cap_value_t value;

    /* A name that this libcap does not know is left for runc to judge. */
    return cap_from_name(name, &value) != 0 || cap_get_bound(value) == 1;
}

/* Returns how many names were struck from the five capability sets. */
static size_t strike_missing(json_t *process)
{
    json_t *sets = json_object_get(process, "capabilities"), *set;
    const char *set_name;
    size_t struck = 0;

    json_object_foreach(sets, set_name, set)
    {
        for (size_t i = json_array_size(set); i-- > 0;) {
            const char *name = json_string_value(json_array_get(set, i));

            if (name && !host_has(name) && json_array_remove(set, i) == 0)
                struck++;
        }
    }
    return struck;
}

/* Rewrites `path` beside itself and renames, so that nobody ever reads half a file. A file that is
 * not there or not JSON stays: runc's own message about it is the better one. */
static int strike_in_file(const char *path, bool is_process)
{
    char new_path[4096];
    json_t *root = json_load_file(path, 0, NULL);
    int err = 0;

    if (!root)
        return 0;
    if (strike_missing(is_process ? root : json_object_get(root, "process"))) {
        if (snprintf(new_path, sizeof new_path, "%s.caps", path) >= (int)sizeof new_path)
            err = ENAMETOOLONG;
        else if (json_dump_file(root, new_path, JSON_COMPACT | JSON_ENCODE_ANY) ||
                 rename(new_path, path))
            err = errno ? errno : EIO;
    }
    json_decref(root);
    if (err)
        fprintf(stderr, "runc_caps: %s: %s\n", path, strerror(err));
    return err;
}

/* The value of option `name` (or `brief`) at argv[i], as "--name value" or "--name=value"; NULL if
 * argv[i] is another one. */
static const char *option(char **argv, int i, const char *name, const char *brief)
{
    size_t length = strlen(name);

    if (strcmp(argv[i], name) == 0 || strcmp(argv[i], brief) == 0)
        return argv[i + 1];
    if (strncmp(argv[i], name, length) == 0 && argv[i][length] == '=')
        return argv[i] + length + 1;
    return NULL;
}

int main(int argc, char **argv)
{
    const char *verb = NULL, *bundle = ".", *process = NULL, *value;
    char config[4096];

    for (int i = 1; i < argc; i++) {
        if (!verb && (strcmp(argv[i], "create") == 0 || strcmp(argv[i], "run") == 0 ||
                      strcmp(argv[i], "exec") == 0))
            verb = argv[i];
        else if (verb && (value = option(argv, i, "--bundle", "-b")))
            bundle = value;
        else if (verb && (value = option(argv, i, "--process", "-p")))
            process = value;
    }
    if (verb && strcmp(verb, "exec") == 0) {
        if (process && strike_in_file(process, true))
            return 1;
    } else if (verb) {
        if (snprintf(config, sizeof config, "%s/config.json", bundle) >= (int)sizeof config ||
            strike_in_file(config, false))
            return 1;
    }
    execv(RUNC, argv);
    fprintf(stderr, "runc_caps: %s: %s\n", RUNC, strerror(errno));
    return 127;
}
