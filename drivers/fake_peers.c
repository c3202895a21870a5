#include "drivers/fake_peers.h"

#include "base/memory.h"
#include "drivers/fake_container.h"
#include "drivers/fake_file.h"
#include "drivers/fake_node.h"

#define RULES "/run/kind-peers"
#define FLAGS "/var/lib/kubelet/kubeadm-flags.env"
#define PKI "/etc/kubernetes/pki/"

const char *fake_peers_address(const struct fake_container *container)
{
    bool known = container->endpoint_count && container->endpoints[0].ipv4;
    return known ? container->endpoints[0].ipv4 : "";
}

/* Has the file the option with this very value? Without the option there is nothing to be wrong. */
static bool has_option(struct fake_container *container, const char *path, const char *option)
{
    const char *text = fake_file_text(container, path), *address = fake_peers_address(container);
    const char *at = text ? strstr(text, option) : NULL;
    if (!at)
        return true;
    at += strlen(option);
    return strspn(at, "0123456789.") == strlen(address) &&
           strncmp(at, address, strlen(address)) == 0;
}

bool fake_peers_serves(struct fake_container *container)
{
    return has_option(container, "/etc/kubernetes/manifests/kube-apiserver.yaml",
                      "--advertise-address=");
}

bool fake_peers_reports(struct fake_container *container)
{
    return has_option(container, FLAGS, "--node-ip=");
}

/* --- Who reaches whom. --- */

static const char *led_to(struct fake_container *from, const char *host)
{
    const char *rules = fake_file_text(from, RULES);
    cleanup_free char *key = memory_format("%s=", host);
    const char *rule = rules ? strstr(rules, key) : NULL;
    return rule ? rule + strlen(key) : NULL;
}

/* A member calls another by the URL that etcd has of it: a name, or an address. */
static bool calls(struct fake_container *from, const struct fake_cluster *cluster,
                  const struct fake_container *to)
{
    static const char scheme[] = "https://";
    const char *url = fake_json_string(cluster->peer_urls, to->name);
    const char *address = fake_peers_address(to);
    if (strncmp(url, scheme, strlen(scheme)) != 0)
        return false;
    cleanup_free char *host =
        memory_string_n(url + strlen(scheme), strcspn(url + strlen(scheme), ":"));
    if (strcmp(host, to->name) == 0 || strcmp(host, address) == 0)
        return true;
    const char *led = led_to(from, host);
    return led && strncmp(led, address, strlen(address)) == 0 && led[strlen(address)] == '\n';
}

static struct fake_container *member_that_runs(struct fake_world *world, const char *name)
{
    struct fake_container *member;
    HASH_FIND(by_name, world->container_names, name, strlen(name), member);
    return member && member->run == FAKE_RUNNING && member->node.etcd ? member : NULL;
}

bool fake_peers_quorum(struct fake_world *world, const struct fake_cluster *cluster)
{
    size_t i, j, most = 0;
    json_t *one, *other;
    json_array_foreach(cluster->etcd_members, i, one)
    {
        struct fake_container *from = member_that_runs(world, json_string_value(one));
        size_t together = 0;
        json_array_foreach(cluster->etcd_members, j, other)
        {
            struct fake_container *to = member_that_runs(world, json_string_value(other));
            together += from && to &&
                        (from == to || (calls(from, cluster, to) && calls(to, cluster, from)));
        }
        most = together > most ? together : most;
    }
    return most > json_array_size(cluster->etcd_members) / 2;
}

void fake_peers_halt(struct fake_container *container)
{
    if (container->files)
        fake_file_remove(container, RULES);
}

/* --- Our scripts. --- */

static int lead(struct fake_command *command, const char *const *pairs)
{
    cleanup_text struct text rules;
    text_init(&rules, 0);
    for (; *pairs; pairs++) {
        if (!strchr(*pairs, '='))
            return fake_command_fail(command, "iptables: bad argument '%s'", *pairs);
        text_add_format(&rules, "%s\n", *pairs);
    }
    fake_file_put_text(command->container, RULES, rules.data);
    fake_node_settle(command->call->world, command->container, command->call->now_ms);
    return 0;
}

static void replace(struct fake_container *container, const char *path, const char *was,
                    const char *is)
{
    const char *text = fake_file_text(container, path);
    if (!text)
        return;
    cleanup_text struct text changed;
    text_init(&changed, 0);
    for (const char *at; (at = strstr(text, was)); text = at + strlen(was)) {
        bool whole = !strchr("0123456789.", at[strlen(was)]) || !at[strlen(was)];
        text_add_bytes(&changed, text, (size_t)(at - text));
        text_add(&changed, whole ? is : was);
    }
    text_add(&changed, text);
    fake_file_put_text(container, path, changed.data);
}

static int mend_files(struct fake_command *command, const char *const *arguments)
{
    static const char *const paths[] = {
        "/etc/kubernetes/manifests/etcd.yaml",
        "/etc/kubernetes/manifests/kube-apiserver.yaml",
        "/etc/kubernetes/manifests/kube-controller-manager.yaml",
        "/etc/kubernetes/manifests/kube-scheduler.yaml",
        "/kind/kubeadm.conf",
        FLAGS,
    };
    struct fake_container *container = command->container;
    const char *flags = fake_file_text(container, FLAGS);
    const char *at = flags ? strstr(flags, "--node-ip=") : NULL;
    if (!at || !arguments[0] || fake_peers_reports(container))
        return 0;
    at += strlen("--node-ip=");
    cleanup_free char *was = memory_string_n(at, strspn(at, "0123456789."));
    for (size_t i = 0; i < COUNT_OF(paths); i++)
        replace(container, paths[i], was, arguments[0]);
    fake_node_start_kubelet(command->call->world, container, command->call->now_ms);
    return 0;
}

static int run(struct fake_command *command, const char *const *words)
{
    struct fake_command part = *command;
    part.arguments = words;
    return fake_command_run(&part);
}

/* kubeadm takes the address from its configuration, which must be right by now. */
static int make_certificates(struct fake_command *command, const char *const *phases)
{
    static const struct {
        const char *phase, *certificate, *key;
    } rows[] = {
        {"apiserver", PKI "apiserver.crt", PKI "apiserver.key"},
        {"etcd-server", PKI "etcd/server.crt", PKI "etcd/server.key"},
        {"etcd-peer", PKI "etcd/peer.crt", PKI "etcd/peer.key"},
    };
    const char *config = fake_file_text(command->container, "/kind/kubeadm.conf");
    if (!config || !strstr(config, fake_peers_address(command->container)))
        return fake_command_fail(command, "kubeadm.conf has another address");
    for (; *phases; phases++) {
        size_t row = 0;
        while (row < COUNT_OF(rows) && strcmp(rows[row].phase, *phases) != 0)
            row++;
        if (row == COUNT_OF(rows))
            return fake_command_fail(command, "invalid subcommand \"%s\"", *phases);
        const char *const remove[] = {"rm", rows[row].certificate, rows[row].key, NULL};
        const char *const make[] = {
            "kubeadm", "init", "phase", "certs", *phases, "--config=/kind/kubeadm.conf", NULL};
        int code = run(command, remove);
        if (code == 0)
            code = run(command, make);
        if (code)
            return code;
    }
    fake_peers_halt(command->container);
    return 0;
}

bool fake_peers_script(struct fake_command *command, const char *const *words, int *code)
{
    static const struct {
        const char *name;
        int (*run)(struct fake_command *command, const char *const *arguments);
    } scripts[] = {
        {"kind-reroute", lead},
        {"kind-files", mend_files},
        {"kind-certificates", make_certificates},
    };
    for (size_t i = 0; words[0] && i < COUNT_OF(scripts); i++) {
        if (strcmp(words[0], scripts[i].name) != 0)
            continue;
        *code = scripts[i].run(command, words + 1);
        return true;
    }
    return false;
}

/* --- etcd's JSON gateway. --- */

static const char *value_of(struct fake_command *command, const char *option)
{
    for (size_t i = 1; command->arguments[i]; i++)
        if (strcmp(command->arguments[i], option) == 0)
            return command->arguments[i + 1];
    return NULL;
}

/* Its id is made of the name, as fake_etcd.c does. */
static char *member_id(const char *name)
{
    return memory_format("%llu", (unsigned long long)fake_etcd_id(name));
}

static int update(struct fake_command *command, struct fake_cluster *cluster, const char *body)
{
    json_t *wish = json_loads(body, 0, NULL), *member;
    const char *url = json_string_value(json_array_get(json_object_get(wish, "peerURLs"), 0));
    const char *found = NULL;
    bool taken = false;
    size_t i;
    json_array_foreach(cluster->etcd_members, i, member)
    {
        const char *name = json_string_value(member);
        cleanup_free char *id = member_id(name);
        bool is_it = strcmp(id, fake_json_string(wish, "ID")) == 0;
        found = is_it ? name : found;
        taken |= !is_it && url && strcmp(fake_json_string(cluster->peer_urls, name), url) == 0;
    }
    bool known = found && url && !taken;
    if (known)
        json_object_set_new(cluster->peer_urls, found, json_string(url));
    json_decref(wish);
    return known ? 0
                 : fake_command_fail(command, "curl: (22) The requested URL returned error: %d",
                                     found ? 412 : 404);
}

static void list_members(struct fake_command *command, const struct fake_cluster *cluster)
{
    json_t *members = json_array(), *member;
    size_t i;
    json_array_foreach(cluster->etcd_members, i, member)
    {
        const char *name = json_string_value(member);
        cleanup_free char *id = member_id(name);
        json_array_append_new(members,
                              json_pack("{s:s, s:s, s:[s]}", "ID", id, "name", name, "peerURLs",
                                        fake_json_string(cluster->peer_urls, name)));
    }
    json_t *value = json_pack("{s:{}, s:o}", "header", "members", members);
    cleanup_free char *text = json_dumps(value, JSON_COMPACT);
    text_add(command->out, text);
    json_decref(value);
}

static bool has_credentials(struct fake_command *command)
{
    static const char *const options[] = {"--cacert", "--cert", "--key"};
    for (size_t i = 0; i < COUNT_OF(options); i++) {
        const char *path = value_of(command, options[i]);
        if (!path || !fake_file_get(command->container, path))
            return false;
    }
    return true;
}

int fake_peers_curl(struct fake_command *command)
{
    struct fake_world *world = command->call->world;
    struct fake_cluster *cluster = command->container->node.cluster;
    const char *url = "", *body = value_of(command, "--data");
    for (size_t i = 1; command->arguments[i]; i++)
        if (strncmp(command->arguments[i], "https://localhost:2379/", 23) == 0)
            url = command->arguments[i];
    if (!*url || !body)
        return fake_command_fail(command, "curl: (6) Could not resolve host");
    if (!has_credentials(command))
        return fake_command_fail(command, "curl: (58) could not load PEM client certificate");
    if (!cluster || !command->container->node.etcd || !fake_peers_serves(command->container) ||
        !fake_peers_quorum(world, cluster))
        return fake_command_fail(command, "curl: (7) Failed to connect to localhost port 2379");
    int code = strstr(url, "/v3/cluster/member/update") ? update(command, cluster, body) : 0;
    if (code == 0)
        list_members(command, cluster);
    fake_node_settle(world, command->container, command->call->now_ms);
    return code;
}
