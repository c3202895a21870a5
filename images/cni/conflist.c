#include "conflist.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../cluster-api/memory.h"

/* The name that is read, and one that containerd passes over. */
#define FINAL_NAME "10-kind.conflist"
#define DRAFT_NAME ".10-kind.conflist.draft"

enum { PATH_SIZE = 4096 };
enum { MTU_USUAL = 1500 }; /* which a veth pair has by itself */

static json_t *ipam_json(const struct network *networks, size_t count)
{
    json_t *routes = must(json_array()), *ranges = must(json_array());
    for (size_t i = 0; i < count; i++) {
        char text[NETWORK_TEXT_SIZE];
        network_print(&networks[i], text);
        const char *everywhere = networks[i].family == AF_INET ? "0.0.0.0/0" : "::/0";
        json_array_append_new(routes, must(json_pack("{s:s}", "dst", everywhere)));
        json_array_append_new(ranges, must(json_pack("[{s:s}]", "subnet", text)));
    }
    /* Under /run: addresses are forgotten with the pods, when the node starts anew. */
    return must(json_pack("{s:s, s:s, s:o, s:o}", "type", "host-local", "dataDir",
                          "/run/cni-ipam-state", "routes", routes, "ranges", ranges));
}

char *conflist_text(const struct network *networks, size_t count, unsigned mtu)
{
    json_t *ptp = must(json_pack("{s:s, s:b, s:o}", "type", "ptp", "ipMasq", 0, "ipam",
                                 ipam_json(networks, count)));
    if (mtu && mtu != MTU_USUAL)
        json_object_set_new(ptp, "mtu", json_integer(mtu));
    json_t *portmap =
        must(json_pack("{s:s, s:{s:b}}", "type", "portmap", "capabilities", "portMappings", 1));
    json_t *list = must(json_pack("{s:s, s:s, s:[o, o]}", "cniVersion", "0.3.1", "name", "kind",
                                  "plugins", ptp, portmap));
    cleanup_free char *json = must(json_dumps(list, JSON_INDENT(2)));
    json_decref(list);
    char *text = NULL;
    if (asprintf(&text, "%s\n", json) < 0)
        abort();
    return text;
}

/* In meaning: what a node was given before its first start is written differently. */
static bool same_as(const char *path, const char *text)
{
    json_error_t error;
    json_t *old = json_load_file(path, 0, &error), *new = json_loads(text, 0, &error);
    bool same = json_equal(old, new);
    json_decref(old);
    json_decref(new);
    return same;
}

static int write_whole(const char *path, const char *text)
{
    size_t size = strlen(text);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0)
        return -1;
    ssize_t written = write(fd, text, size);
    if (written >= 0 && (size_t)written < size)
        errno = ENOSPC;
    int saved = errno;
    int closed = close(fd);
    errno = saved;
    return written == (ssize_t)size && closed == 0 ? 0 : -1;
}

int conflist_write(const char *folder, const char *text)
{
    char final[PATH_SIZE], draft[PATH_SIZE];
    snprintf(final, sizeof(final), "%s/" FINAL_NAME, folder);
    snprintf(draft, sizeof(draft), "%s/" DRAFT_NAME, folder);
    if (same_as(final, text))
        return 0;
    return write_whole(draft, text) < 0 || rename(draft, final) < 0 ? -1 : 1;
}
