#include "api.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "memory.h"

#define ACCOUNT "/var/run/secrets/kubernetes.io/serviceaccount"

enum { TOKEN_SIZE_MAX = 16 * 1024 };

static void add_base(struct api *api, const char *scheme, const char *host, const char *port)
{
    int bare_ipv6 = port && strchr(host, ':') != NULL;
    char *base = NULL;
    if (asprintf(&base, "%s%s%s%s%s%s", scheme, bare_ipv6 ? "[" : "", host, bare_ipv6 ? "]" : "",
                 port ? ":" : "", port ? port : "") < 0)
        abort();
    api->bases[api->base_count++] = base;
}

int api_init(struct api *api)
{
    *api = (struct api){0};
    const char *url = getenv("KUBE_API_URL");
    const char *endpoint = getenv("CONTROL_PLANE_ENDPOINT");
    const char *host = getenv("KUBERNETES_SERVICE_HOST");
    const char *port = getenv("KUBERNETES_SERVICE_PORT");
    if (url && *url) {
        add_base(api, "", url, NULL);
        return 0;
    }
    if (endpoint && *endpoint)
        add_base(api, "https://", endpoint, NULL);
    if (host && *host)
        add_base(api, "https://", host, port && *port ? port : "443");
    return api->base_count ? 0 : -1;
}

void api_done(struct api *api)
{
    for (size_t i = 0; i < api->base_count; i++)
        free(api->bases[i]);
    *api = (struct api){0};
}

void api_pass_over(struct api *api)
{
    api->current = (api->current + 1) % api->base_count;
}

/* "Authorization: Bearer ...", or NULL if there is no token, as in tests. */
static char *read_token_header(void)
{
    static const char scheme[] = "Authorization: Bearer ";
    enum { SCHEME_SIZE = sizeof(scheme) - 1 };
    int fd = open(ACCOUNT "/token", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    char *header = must(malloc(SCHEME_SIZE + TOKEN_SIZE_MAX + 1));
    memcpy(header, scheme, SCHEME_SIZE);
    ssize_t got = read(fd, header + SCHEME_SIZE, TOKEN_SIZE_MAX);
    close(fd);
    if (got <= 0) {
        free(header);
        return NULL;
    }
    header[SCHEME_SIZE + got] = '\0';
    header[strcspn(header, "\r\n")] = '\0';
    return header;
}

void api_address(const struct api *api, CURL *request, const char *path_and_query,
                 struct curl_slist **headers)
{
    const char *base = api->bases[api->current];
    cleanup_free char *url = NULL;
    if (asprintf(&url, "%s%s", base, path_and_query) < 0)
        abort();
    cleanup_free char *token = read_token_header();
    /* curl copies the strings. */
    *headers = token ? must(curl_slist_append(NULL, token)) : NULL;
    curl_easy_setopt(request, CURLOPT_URL, url);
    curl_easy_setopt(request, CURLOPT_HTTPHEADER, *headers);
    curl_easy_setopt(request, CURLOPT_CAINFO, ACCOUNT "/ca.crt");
    /* The node's proxy settings are for the world outside the cluster. */
    curl_easy_setopt(request, CURLOPT_PROXY, "");
    curl_easy_setopt(request, CURLOPT_NOSIGNAL, 1L);
    /* One connection a watch: a dead peer is then noticed for each by itself. */
    curl_easy_setopt(request, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(request, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(request, CURLOPT_TCP_KEEPIDLE, 10L);
    curl_easy_setopt(request, CURLOPT_TCP_KEEPINTVL, 5L);
}
