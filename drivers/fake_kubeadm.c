#include "drivers/fake_kubeadm.h"

#include "base/memory.h"
#include "drivers/fake_file.h"
#include "drivers/fake_node.h"
#include "model/document.h"

json_t *fake_kubeadm_document(const struct fake_kubeadm *kubeadm, const char *kind)
{
    size_t i;
    json_t *document;
    json_array_foreach(kubeadm->documents, i, document)
    {
        if (strcmp(fake_json_string(document, "kind"), kind) == 0)
            return document;
    }
    return NULL;
}

const char *fake_kubeadm_endpoint(const struct fake_kubeadm *kubeadm)
{
    const char *endpoint = fake_json_string(fake_kubeadm_document(kubeadm, "ClusterConfiguration"),
                                            "controlPlaneEndpoint");
    if (*endpoint)
        return endpoint;
    return arena_format(kubeadm->command->call->arena, "%s:6443", kubeadm->container->name);
}

const char *fake_kubeadm_cluster_name(const struct fake_kubeadm *kubeadm)
{
    const char *name =
        fake_json_string(fake_kubeadm_document(kubeadm, "ClusterConfiguration"), "clusterName");
    return *name ? name : "kubernetes";
}

/* --- options --- */

/* The value of "--name=value" or "--name value"; moves *at past it. */
static const char *option(const char *const *arguments, size_t *at, const char *name)
{
    size_t length = strlen(name);
    const char *word = arguments[*at];
    if (strncmp(word, name, length) != 0)
        return NULL;
    if (word[length] == '=')
        return word + length + 1;
    if (word[length] != '\0' || !arguments[*at + 1])
        return NULL;
    return arguments[++*at];
}

static void read_option(struct fake_kubeadm *kubeadm, size_t *at)
{
    const char *const *arguments = kubeadm->command->arguments;
    const char *value;
    if (strcmp(arguments[*at], "--control-plane") == 0)
        kubeadm->control_plane = true;
    else if (strcmp(arguments[*at], "--print-join-command") == 0)
        kubeadm->print_join_command = true;
    else if ((value = option(arguments, at, "--config")))
        kubeadm->config_path = value;
    else if ((value = option(arguments, at, "--token")))
        kubeadm->token = value;
    else if ((value = option(arguments, at, "--ttl")))
        kubeadm->ttl = value;
    else
        (void)(option(arguments, at, "--kubeconfig") || option(arguments, at, "-v") ||
               option(arguments, at, "--cri-socket"));
}

static void read_arguments(struct fake_kubeadm *kubeadm)
{
    const char *const *arguments = kubeadm->command->arguments;
    for (size_t i = 1; arguments[i]; i++) {
        if (arguments[i][0] == '-')
            read_option(kubeadm, &i);
        else if (kubeadm->word_count < COUNT_OF(kubeadm->words))
            kubeadm->words[kubeadm->word_count++] = arguments[i];
    }
}

static const char *word(const struct fake_kubeadm *kubeadm, size_t index)
{
    return index < kubeadm->word_count ? kubeadm->words[index] : "";
}

enum { CONFIGS_KEPT = 8 };

/*
 * The documents of a configuration (own reference, not to be changed), or NULL. Every phase reads
 * the same file: the last ones are kept as long as the process lives.
 */
static json_t *parse_config(const char *path, const struct fake_file *file,
                            struct problem_list *problems)
{
    static struct {
        char *bytes;
        size_t length;
        json_t *documents;
    } kept[CONFIGS_KEPT];
    static size_t next;
    for (size_t i = 0; i < CONFIGS_KEPT; i++)
        if (kept[i].documents && kept[i].length == file->length &&
            memcmp(kept[i].bytes, file->bytes, file->length) == 0)
            return json_incref(kept[i].documents);
    json_t *documents = document_parse(path, file->bytes, file->length, problems);
    if (!documents)
        return NULL;
    size_t slot = next++ % CONFIGS_KEPT;
    free(kept[slot].bytes);
    json_decref(kept[slot].documents);
    kept[slot].bytes = memory_string_n(file->bytes, file->length);
    kept[slot].length = file->length;
    kept[slot].documents = json_incref(documents);
    return documents;
}

static int read_config(struct fake_kubeadm *kubeadm)
{
    if (!kubeadm->config_path)
        return 0;
    const struct fake_file *file = fake_file_get(kubeadm->container, kubeadm->config_path);
    if (!file)
        return fake_command_fail(
            kubeadm->command,
            "unable to read config from \"%s\" : open %s: no such file or directory",
            kubeadm->config_path, kubeadm->config_path);
    struct problem_list problems;
    problem_list_init(&problems, kubeadm->command->call->arena);
    kubeadm->documents = parse_config(kubeadm->config_path, file, &problems);
    if (!kubeadm->documents)
        return fake_command_fail(kubeadm->command, "error unmarshaling configuration: %s",
                                 problems.count ? problems.items[0].message : "no YAML");
    return 0;
}

/* --- phases --- */

struct phase {
    const char *name;
    fake_phase *run;
};

/* In the order of `kubeadm init`. */
static const struct phase init_phases[] = {
    {"certs", fake_phase_certs},
    {"kubeconfig", fake_phase_kubeconfig},
    {"kubelet-start", fake_phase_kubelet_start},
    {"control-plane", fake_phase_control_plane},
    {"etcd", fake_phase_etcd},
    {"upload-config", fake_phase_upload_config},
    {"mark-control-plane", fake_phase_mark},
    {"bootstrap-token", fake_phase_token},
    {"kubelet-finalize", fake_phase_kubelet_finalize},
    {"addon", fake_phase_addon},
};

static bool wants_control_plane(const struct fake_kubeadm *kubeadm)
{
    json_t *join = fake_kubeadm_document(kubeadm, "JoinConfiguration");
    return kubeadm->control_plane || json_is_object(json_object_get(join, "controlPlane"));
}

static int join_prepare(struct fake_kubeadm *kubeadm, const char *what)
{
    (void)what;
    if (!wants_control_plane(kubeadm))
        return 0;
    int code = fake_phase_check_certs(kubeadm, "all");
    if (code == 0)
        code = fake_phase_certs(kubeadm, "all");
    if (code == 0)
        code = fake_phase_kubeconfig(kubeadm, "join");
    return code ? code : fake_phase_control_plane(kubeadm, "all");
}

static int join_kubelet(struct fake_kubeadm *kubeadm, const char *what)
{
    int code = fake_phase_discover(kubeadm, what);
    return code ? code : fake_phase_kubelet_start(kubeadm, what);
}

static int join_control_plane(struct fake_kubeadm *kubeadm, const char *what)
{
    if (!wants_control_plane(kubeadm))
        return 0;
    bool all = !*what || strcmp(what, "all") == 0;
    int code = all || strcmp(what, "etcd") == 0 ? fake_phase_join_etcd(kubeadm, what) : 0;
    if (code == 0 && (all || strcmp(what, "mark-control-plane") == 0))
        code = fake_phase_mark(kubeadm, what);
    return code;
}

static const struct phase join_phases[] = {
    {"control-plane-prepare", join_prepare},
    {"kubelet-start", join_kubelet},
    {"control-plane-join", join_control_plane},
};

static int run_phase(struct fake_kubeadm *kubeadm, const struct phase *phases, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(phases[i].name, word(kubeadm, 2)) == 0)
            return phases[i].run(kubeadm, word(kubeadm, 3));
    if (strcmp(word(kubeadm, 2), "preflight") == 0)
        return 0;
    return fake_command_fail(kubeadm->command, "invalid subcommand \"%s\"", word(kubeadm, 2));
}

/* Plain init waits for the API itself: the phases after it may count on it. */
static int run_init(struct fake_kubeadm *kubeadm)
{
    struct fake_call *call = kubeadm->command->call;
    uint64_t now_ms = call->now_ms, wait_ms = call->world->settings.api_ms;
    int code = 0;
    if (strcmp(word(kubeadm, 1), "phase") == 0)
        return run_phase(kubeadm, init_phases, COUNT_OF(init_phases));
    if (kubeadm->container->node.kubelet_at_ms)
        return fake_command_fail(
            kubeadm->command,
            "error execution phase preflight: [ERROR Port-6443]: Port 6443 is in use");
    for (size_t i = 0; i < COUNT_OF(init_phases) && code == 0; i++) {
        if (init_phases[i].run == fake_phase_upload_config)
            call->now_ms = now_ms + wait_ms;
        code = init_phases[i].run(kubeadm, "all");
    }
    call->now_ms = now_ms;
    kubeadm->command->more_ms += wait_ms;
    return code;
}

static int run_join(struct fake_kubeadm *kubeadm)
{
    int code = 0;
    if (strcmp(word(kubeadm, 1), "phase") == 0)
        return run_phase(kubeadm, join_phases, COUNT_OF(join_phases));
    for (size_t i = 0; i < COUNT_OF(join_phases) && code == 0; i++)
        code = join_phases[i].run(kubeadm, "all");
    return code;
}

static int run_version(struct fake_kubeadm *kubeadm)
{
    text_add_format(kubeadm->command->out, "%s\n", kubeadm->container->node.version);
    return 0;
}

static int run_words(struct fake_kubeadm *kubeadm)
{
    const char *first = word(kubeadm, 0);
    if (strcmp(first, "init") == 0)
        return run_init(kubeadm);
    if (strcmp(first, "join") == 0)
        return run_join(kubeadm);
    if (strcmp(first, "reset") == 0)
        return fake_phase_reset(kubeadm, "");
    if (strcmp(first, "version") == 0)
        return run_version(kubeadm);
    if (strcmp(first, "token") == 0)
        return fake_phase_token(kubeadm, word(kubeadm, 1));
    return fake_command_fail(kubeadm->command, "unknown command \"%s\" for \"kubeadm\"", first);
}

int fake_kubeadm_run(struct fake_command *command)
{
    struct fake_kubeadm kubeadm = {.command = command, .container = command->container};
    if (!command->container->node.is_node)
        return fake_command_fail(command, "kubeadm: not found") + 126;
    read_arguments(&kubeadm);
    int code = read_config(&kubeadm);
    if (code == 0)
        code = run_words(&kubeadm);
    json_decref(kubeadm.documents);
    return code;
}
