#include "model/kubeadm_stored.h"

#include "base/text.h"
#include "model/version.h"
#include <string.h>

#define VERSION_KEY "kubernetesVersion:"

/* Images of Kubernetes itself have moved; node images hold them by the name of their time. */
static const char old_registry[] = "imageRepository: k8s.gcr.io";
static const char new_registry[] = "imageRepository: registry.k8s.io";

/* False also for what is no version. */
static bool read(const char *text, struct version *version)
{
    struct error *none = NULL;
    bool good = version_parse(text, version, &none) == 0;
    error_free(none);
    return good;
}

/* kubeadm writes one key a line; those of the document itself are not indented. */
static bool is_version_line(const char *line)
{
    return strncmp(line, VERSION_KEY, strlen(VERSION_KEY)) == 0;
}

const char *kubeadm_stored_version(struct arena *arena, const char *stored)
{
    for (const char *line = stored; *line; line += strcspn(line, "\n"), line += *line == '\n') {
        if (!is_version_line(line))
            continue;
        const char *value = line + strlen(VERSION_KEY);
        value += strspn(value, " \"'");
        return arena_string_n(arena, value, strcspn(value, " \"'\r\n"));
    }
    return NULL;
}

const char *kubeadm_stored_for(struct arena *arena, const char *stored, const char *version)
{
    struct version wanted;
    const char *have = kubeadm_stored_version(arena, stored);
    if (!have || strcmp(have, version) == 0 || !read(version, &wanted))
        return NULL;
    bool moved = !version_core_before(&wanted, "v1.25.0");
    struct text text;
    text_init(&text, 0);
    for (const char *line = stored; *line;) {
        size_t length = strcspn(line, "\n");
        if (is_version_line(line))
            text_add_format(&text, VERSION_KEY " %s", version);
        else if (moved && length == strlen(old_registry) &&
                 strncmp(line, old_registry, length) == 0)
            text_add(&text, new_registry);
        else
            text_add_bytes(&text, line, length);
        line += length;
        if (*line)
            text_add_bytes(&text, line++, 1);
    }
    const char *result = arena_string(arena, text.data);
    text_done(&text);
    return result;
}

const char *kubeadm_stored_kubelet_name(struct arena *arena, const char *version)
{
    struct version parsed;
    if (!read(version, &parsed))
        return NULL;
    if (!version_core_before(&parsed, "v1.24.0"))
        return "kubelet-config";
    return arena_format(arena, "kubelet-config-%u.%u", parsed.major, parsed.minor);
}
