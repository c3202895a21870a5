#include "drivers/endpoint.h"

#include "base/memory.h"
#include "base/text.h"
#include "drivers/client_config.h"
#include <ctype.h>
#include <jansson.h>
#include <openssl/evp.h>
#include <strings.h>
#include <sys/un.h>

#define DEFAULT_ENGINE "unix:///var/run/docker.sock"
#define PLAIN_PORT "2375"
#define TLS_PORT "2376"

/* --- docker's files --- */

/* *root is NULL if there is no such file. The caller owns it. */
static int read_json(const char *path, json_t **root, struct error **err)
{
    *root = NULL;
    cleanup_free char *content = NULL;
    if (client_config_file(path, &content, err) != 0)
        return -1;
    if (!content)
        return 0;
    json_error_t where;
    *root = json_loads(content, 0, &where);
    if (!*root)
        return error_set(err, ERROR_INVALID, "%s:%d:%d: %s", path, where.line, where.column,
                         where.text);
    return 0;
}

/* The current context's name, or NULL: the default one. */
static int current_context(const char *folder, char **name, struct error **err)
{
    cleanup_free char *path = memory_format("%s/config.json", folder);
    json_t *root;
    if (read_json(path, &root, err) != 0)
        return -1;
    *name = memory_string(json_string_value(json_object_get(root, "currentContext")));
    json_decref(root);
    return 0;
}

/* Contexts are kept in folders named by the SHA-256 of their name. */
static char *context_id(const char *name)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    if (!EVP_Digest(name, strlen(name), digest, &length, EVP_sha256(), NULL))
        abort();
    struct text hex;
    text_init(&hex, 0);
    for (unsigned i = 0; i < length; i++)
        text_add_format(&hex, "%02x", digest[i]);
    return text_take(&hex);
}

/* --- TLS --- */

static int read_tls(struct endpoint *endpoint, const char *folder, struct error **err)
{
    const struct {
        const char *name;
        char **slot;
    } files[] = {
        {"ca.pem", &endpoint->ca},
        {"cert.pem", &endpoint->certificate},
        {"key.pem", &endpoint->key},
    };
    for (size_t i = 0; i < COUNT_OF(files); i++) {
        cleanup_free char *path = memory_format("%s/%s", folder, files[i].name);
        if (client_config_file(path, files[i].slot, err) != 0)
            return -1;
    }
    if (!endpoint->certificate != !endpoint->key)
        return error_set(err, ERROR_INVALID, "%s: cert.pem and key.pem must come together", folder);
    return 0;
}

/* For --engine and DOCKER_HOST, which have no context to say so. */
static int read_tls_of_environment(struct endpoint *endpoint, struct error **err)
{
    const char *verify = getenv("DOCKER_TLS_VERIFY"), *tls = getenv("DOCKER_TLS");
    if ((!verify || !verify[0]) && (!tls || !tls[0]))
        return 0;
    const char *set = getenv("DOCKER_CERT_PATH");
    cleanup_free char *folder = set && set[0] ? memory_string(set) : client_config_folder();
    if (folder && read_tls(endpoint, folder, err) != 0)
        return -1;
    if (!endpoint->ca)
        return error_set(err, ERROR_INVALID,
                         "DOCKER_TLS_VERIFY: no %s/ca.pem; set DOCKER_CERT_PATH to the folder with "
                         "ca.pem, cert.pem and key.pem",
                         folder ? folder : "");
    return 0;
}

/* --- addresses --- */

static bool starts_with(const char *string, const char *prefix)
{
    return strncmp(string, prefix, strlen(prefix)) == 0;
}

bool endpoint_is_loopback(const char *url)
{
    const char *host = strstr(url, "://");
    host = host ? host + 3 : url;
    size_t length = host[0] == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":/?#");
    if ((length == 9 && strncasecmp(host, "localhost", 9) == 0) ||
        (length == 5 && strncmp(host, "[::1]", 5) == 0))
        return true;
    return starts_with(host, "127.") && strspn(host, "0123456789.") == length;
}

static int use_unix(struct endpoint *endpoint, const char *path, struct error **err)
{
    size_t length_max = sizeof(((struct sockaddr_un *)0)->sun_path) - 1;
    if (path[0] != '/')
        return error_set(err, ERROR_INVALID, "unix://%s: the path must begin with a slash", path);
    if (strlen(path) > length_max)
        return error_set(err, ERROR_INVALID,
                         "unix://%s: the path is longer than a socket's may be (%zu bytes)", path,
                         length_max);
    endpoint->unix_path = memory_string(path);
    endpoint->base_url = memory_string("http://localhost");
    endpoint->display = memory_format("unix://%s", path);
    endpoint->local = true;
    return 0;
}

/* A host as it may stand in a URL: a name, an IPv4 address, or an IPv6 one in brackets. */
static size_t host_length(const char *address)
{
    const char *end = address;
    if (*end == '[')
        return strspn(end + 1, "0123456789abcdefABCDEF:.") > 1 && (end = strchr(end, ']'))
                   ? (size_t)(end - address) + 1
                   : 0;
    while (isalnum((unsigned char)*end) || *end == '.' || *end == '-' || *end == '_')
        end++;
    return (size_t)(end - address);
}

/* "host", "host:port" or either with a path behind. */
static int use_tcp(struct endpoint *endpoint, const char *address, struct error **err)
{
    size_t host = host_length(address);
    const char *port = address[host] == ':' ? address + host + 1 : "";
    size_t port_length = strspn(port, "0123456789");
    const char *path = port[0] ? port + port_length : address + host;
    bool port_fine = address[host] != ':' || (port_length > 0 && port_length <= 5);
    if (!host || !port_fine || (path[0] && path[0] != '/') || strpbrk(path, " ?#"))
        return error_set(err, ERROR_INVALID, "tcp://%s: must be tcp://HOST:PORT", address);
    size_t path_length = strlen(path);
    while (path_length && path[path_length - 1] == '/')
        path_length--;
    cleanup_free char *rest = memory_string_n(path, path_length);
    const char *default_port = endpoint->ca ? TLS_PORT : PLAIN_PORT;
    cleanup_free char *authority =
        port_length ? memory_string_n(address, (size_t)(port - address) + port_length)
                    : memory_format("%.*s:%s", (int)host, address, default_port);
    endpoint->base_url =
        memory_format("%s://%s%s", endpoint->ca ? "https" : "http", authority, rest);
    endpoint->display = memory_format("tcp://%s%s", authority, rest);
    endpoint->local = endpoint_is_loopback(endpoint->base_url);
    return 0;
}

static int use_host(struct endpoint *endpoint, const char *host, struct error **err)
{
    if (starts_with(host, "unix://"))
        return use_unix(endpoint, host + strlen("unix://"), err);
    if (starts_with(host, "tcp://"))
        return use_tcp(endpoint, host + strlen("tcp://"), err);
    if (starts_with(host, "ssh://"))
        return error_set(err, ERROR_INVALID,
                         "%s: ssh is not supported; forward the socket with `ssh -L "
                         "/tmp/engine.sock:/var/run/docker.sock %s` and use "
                         "unix:///tmp/engine.sock",
                         host, host + strlen("ssh://"));
    if (strstr(host, "://") || host[0] == '/')
        return error_set(err, ERROR_INVALID, "%s: use unix:///PATH or tcp://HOST:PORT", host);
    return use_tcp(endpoint, host, err);
}

/* --- contexts --- */

/* What the context's meta.json says about its engine. */
static int use_meta(struct endpoint *endpoint, const json_t *meta, struct error **err)
{
    const json_t *engine = json_object_get(json_object_get(meta, "Endpoints"), "docker");
    const char *host = json_string_value(json_object_get(engine, "Host"));
    if (json_is_true(json_object_get(engine, "SkipTLSVerify")))
        return error_set(err, ERROR_INVALID,
                         "SkipTLSVerify is not supported; give the context the engine's CA "
                         "certificate with `docker context update`");
    if (!host || !host[0])
        return error_set(err, ERROR_INVALID, "it names no docker engine");
    return use_host(endpoint, host, err);
}

static int use_context(struct endpoint *endpoint, const char *folder, const char *name,
                       struct error **err)
{
    cleanup_free char *id = context_id(name);
    cleanup_free char *path = memory_format("%s/contexts/meta/%s/meta.json", folder, id);
    cleanup_free char *tls = memory_format("%s/contexts/tls/%s/docker", folder, id);
    json_t *meta;
    if (read_json(path, &meta, err) != 0)
        return -1;
    if (!meta)
        return error_set(err, ERROR_INVALID,
                         "there is no such context; `docker context ls` lists them");
    int status = read_tls(endpoint, tls, err);
    if (status == 0 && endpoint->certificate && !endpoint->ca)
        status = error_set(err, ERROR_INVALID, "%s: cert.pem without ca.pem", tls);
    if (status == 0)
        status = use_meta(endpoint, meta, err);
    json_decref(meta);
    return status;
}

/* --- the choice --- */

static int choose_host(struct endpoint *endpoint, const char *origin, const char *host,
                       struct error **err)
{
    endpoint->origin = memory_string(origin);
    if (!starts_with(host, "unix://") && read_tls_of_environment(endpoint, err) != 0)
        return error_wrap(err, "%s", origin);
    return use_host(endpoint, host, err) == 0 ? 0 : error_wrap(err, "%s", origin);
}

static int choose_context(struct endpoint *endpoint, struct error **err)
{
    const char *set = getenv("DOCKER_CONTEXT");
    cleanup_free char *folder = client_config_folder();
    cleanup_free char *name = set && set[0] ? memory_string(set) : NULL;
    if (!name && folder && current_context(folder, &name, err) != 0)
        return -1;
    if (!name || !name[0] || strcmp(name, "default") == 0)
        return choose_host(endpoint, "default", DEFAULT_ENGINE, err);
    endpoint->origin = memory_format("context %s", name);
    return use_context(endpoint, folder ? folder : "", name, err) == 0
               ? 0
               : error_wrap(err, "%s", endpoint->origin);
}

int endpoint_find(const char *engine, struct endpoint *endpoint, struct error **err)
{
    const char *host = getenv("DOCKER_HOST");
    struct endpoint found = {0};
    int status;
    if (engine && engine[0])
        status = choose_host(&found, "--engine", engine, err);
    else if (host && host[0])
        status = choose_host(&found, "DOCKER_HOST", host, err);
    else
        status = choose_context(&found, err);
    if (status == 0)
        *endpoint = found;
    else
        endpoint_done(&found);
    return status;
}

void endpoint_done(struct endpoint *endpoint)
{
    free(endpoint->origin);
    free(endpoint->display);
    free(endpoint->unix_path);
    free(endpoint->base_url);
    free(endpoint->ca);
    free(endpoint->certificate);
    free(endpoint->key);
    *endpoint = (struct endpoint){0};
}
