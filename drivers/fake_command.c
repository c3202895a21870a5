#include "drivers/fake_command.h"

#include "base/memory.h"
#include "drivers/fake_file.h"
#include "drivers/fake_node.h"
#include "drivers/fake_peers.h"

int fake_command_fail(struct fake_command *command, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    text_add_list(command->err, format, arguments);
    va_end(arguments);
    text_add(command->err, "\n");
    return 1;
}

static int run_nothing(struct fake_command *command)
{
    (void)command;
    return 0;
}

static int run_false(struct fake_command *command)
{
    (void)command;
    return 1;
}

static int run_cat(struct fake_command *command)
{
    int code = 0;
    for (size_t i = 1; command->arguments[i]; i++) {
        const struct fake_file *file = fake_file_get(command->container, command->arguments[i]);
        if (file)
            text_add_bytes(command->out, file->bytes, file->length);
        else
            code = fake_command_fail(command, "cat: %s: No such file or directory",
                                     command->arguments[i]);
    }
    return code;
}

static int run_echo(struct fake_command *command)
{
    for (size_t i = 1; command->arguments[i]; i++)
        text_add_format(command->out, "%s%s", i > 1 ? " " : "", command->arguments[i]);
    text_add(command->out, "\n");
    return 0;
}

static int run_mkdir(struct fake_command *command)
{
    for (size_t i = 1; command->arguments[i]; i++)
        if (command->arguments[i][0] != '-' &&
            !fake_file_is_folder(command->container, command->arguments[i]))
            fake_file_put(command->container, command->arguments[i], NULL, 0, 0755);
    return 0;
}

static int run_rm(struct fake_command *command)
{
    for (size_t i = 1; command->arguments[i]; i++)
        if (command->arguments[i][0] != '-')
            fake_file_remove(command->container, command->arguments[i]);
    fake_node_settle(command->call->world, command->container, command->call->now_ms);
    return 0;
}

static int run_test(struct fake_command *command)
{
    const char *flag = command->arguments[1], *path = flag ? command->arguments[2] : NULL;
    if (!path)
        return flag && *flag ? 0 : 1;
    bool folder = fake_file_is_folder(command->container, path);
    bool file = fake_file_get(command->container, path) != NULL;
    return strcmp(flag, "-d") == 0 ? !folder : strcmp(flag, "-e") == 0 ? !(file || folder) : !file;
}

/* mv and cp of one file. */
static int run_move(struct fake_command *command)
{
    const char *const *arguments = command->arguments + 1;
    while (*arguments && **arguments == '-')
        arguments++;
    if (!arguments[0] || !arguments[1])
        return fake_command_fail(command, "%s: missing operand", command->arguments[0]);
    const struct fake_file *file = fake_file_get(command->container, arguments[0]);
    if (!file)
        return fake_command_fail(command, "%s: cannot stat '%s': No such file or directory",
                                 command->arguments[0], arguments[0]);
    fake_file_put(command->container, arguments[1], file->bytes, file->length, file->mode);
    if (strcmp(command->arguments[0], "mv") == 0)
        fake_file_remove(command->container, arguments[0]);
    fake_node_settle(command->call->world, command->container, command->call->now_ms);
    return 0;
}

static bool is_kubelet(const char *unit)
{
    return strcmp(unit, "kubelet") == 0 || strcmp(unit, "kubelet.service") == 0;
}

static bool is_containerd(const char *unit)
{
    return strcmp(unit, "containerd") == 0 || strcmp(unit, "containerd.service") == 0;
}

static int unit_state(struct fake_command *command, const char *unit)
{
    const struct fake_container *container = command->container;
    bool active = fake_node_booted(container, command->call->now_ms);
    if (is_kubelet(unit))
        active = active && container->node.kubelet_at_ms;
    if (is_containerd(unit))
        active = active && !container->node.containerd_stopped;
    text_add(command->out, active ? "active\n" : "inactive\n");
    return active ? 0 : 3;
}

/* A unit with this file does not start: its ExecStartPre fails. */
static bool is_broken(struct fake_command *command, const char *unit)
{
    const char *path = arena_format(command->call->arena, "/etc/systemd/system/%s.d/broken.conf",
                                    is_kubelet(unit) ? "kubelet.service" : "containerd.service");
    return fake_file_get(command->container, path) || fake_file_is_folder(command->container, path);
}

static int start_unit(struct fake_command *command, const char *unit)
{
    struct fake_call *call = command->call;
    if (is_kubelet(unit) && command->container->node.kubelet_masked)
        return fake_command_fail(command, "Failed to start %s: Unit %s is masked.", unit, unit);
    if (is_broken(command, unit))
        return fake_command_fail(command,
                                 "Job for %s failed because the control process exited with error "
                                 "code.",
                                 unit);
    if (is_kubelet(unit) && !command->container->node.kubelet_masked)
        fake_node_start_kubelet(call->world, command->container, call->now_ms);
    if (is_containerd(unit))
        command->container->node.containerd_stopped = false;
    return 0;
}

static int change_unit(struct fake_command *command, const char *verb, const char *unit)
{
    struct fake_node *node = &command->container->node;
    uint64_t now_ms = command->call->now_ms;
    bool stops = strcmp(verb, "stop") == 0 || strcmp(verb, "disable") == 0;
    bool starts = strstr(verb, "start") || strcmp(verb, "enable") == 0;
    /* What runs is not started again, but killed and restarted by systemd. */
    bool runs = is_kubelet(unit) && node->kubelet_at_ms && strcmp(verb, "start") == 0;
    if (is_kubelet(unit) && stops)
        fake_node_stop_kubelet(command->container, now_ms);
    else if (is_kubelet(unit) && strcmp(verb, "freeze") == 0)
        fake_node_freeze_kubelet(command->container, now_ms);
    else if (is_kubelet(unit) && strstr(verb, "mask"))
        node->kubelet_masked = *verb == 'm';
    else if (is_containerd(unit) && stops)
        node->containerd_stopped = true;
    else if (strcmp(verb, "kill") == 0 && (!is_kubelet(unit) || node->kubelet_at_ms))
        (void)start_unit(command, unit);
    else if (starts && !runs)
        return start_unit(command, unit);
    return 0;
}

static int run_systemctl(struct fake_command *command)
{
    const char *verb = NULL;
    int code = 0;
    for (size_t i = 1; command->arguments[i]; i++) {
        const char *word = command->arguments[i];
        if (strcmp(word, "-s") == 0 && command->arguments[i + 1])
            i++;
        else if (word[0] == '-')
            continue;
        else if (!verb)
            verb = word;
        else if (strcmp(verb, "is-active") == 0)
            code |= unit_state(command, word);
        else
            code |= change_unit(command, verb, word);
    }
    if (verb && strcmp(verb, "is-system-running") == 0)
        text_add(command->out, "running\n");
    return code;
}

/* What a test has ordered (fake_control.h), else a line that says little. */
static int run_journalctl(struct fake_command *command)
{
    for (size_t i = 1; command->arguments[i] && command->arguments[i + 1]; i++) {
        const char *text =
            fake_json_string(command->call->world->journal, command->arguments[i + 1]);
        if (strcmp(command->arguments[i], "-u") != 0 || !*text)
            continue;
        text_add(command->out, text);
        return 0;
    }
    text_add_format(command->out, "-- Logs begin --\n%s systemd[1]: fake journal\n",
                    command->container->name);
    return 0;
}

static int run_shell(struct fake_command *command);

static const struct {
    const char *name;
    int (*run)(struct fake_command *command);
} commands[] = {
    {"true", run_nothing},
    {":", run_nothing},
    {"false", run_false},
    {"cat", run_cat},
    {"echo", run_echo},
    {"mkdir", run_mkdir},
    {"rm", run_rm},
    {"test", run_test},
    {"mv", run_move},
    {"cp", run_move},
    {"systemctl", run_systemctl},
    {"journalctl", run_journalctl},
    {"kubeadm", fake_kubeadm_run},
    {"sh", run_shell},
    {"bash", run_shell},
    {"chmod", run_nothing},
    {"curl", fake_peers_curl},
    {"ctr", fake_ctr_run},
    {"crictl", fake_etcd_run},
    {"etcdctl", fake_etcd_run},
    {"sysctl", run_nothing},
    {"update-ca-certificates", run_nothing},
    {"sync", run_nothing},
    {"sleep", run_nothing},
    {"set", run_nothing},
};

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* Programs that run another: options with a value, and how many words follow the options. */
static const struct {
    const char *name, *valued;
    size_t words;
} wrappers[] = {
    {"flock", "wE", 1}, {"timeout", "ks", 1}, {"nice", "n", 0}, {"env", "uC", 0},
    {"setsid", "", 0},  {"nohup", "", 0},     {"exec", "", 0},
};

static const char *const *strip_one(const char *const *arguments)
{
    for (size_t i = 0; i < COUNT_OF(wrappers); i++) {
        if (strcmp(base_name(arguments[0]), wrappers[i].name) != 0)
            continue;
        for (arguments++; *arguments && **arguments == '-' && (*arguments)[1]; arguments++)
            if ((*arguments)[2] == '\0' && strchr(wrappers[i].valued, (*arguments)[1]) &&
                arguments[1])
                arguments++;
        for (size_t j = 0; j < wrappers[i].words && *arguments; j++)
            arguments++;
        while (strcmp(wrappers[i].name, "env") == 0 && *arguments && strchr(*arguments, '='))
            arguments++;
        break;
    }
    return arguments;
}

static const char *const *strip(const char *const *arguments)
{
    for (;;) {
        const char *const *rest = *arguments ? strip_one(arguments) : arguments;
        if (rest == arguments)
            return arguments;
        arguments = rest;
    }
}

int fake_command_run(struct fake_command *command)
{
    command->arguments = strip(command->arguments);
    const char *name = command->arguments[0] ? base_name(command->arguments[0]) : "";
    for (size_t i = 0; i < COUNT_OF(commands); i++)
        if (strcmp(commands[i].name, name) == 0)
            return commands[i].run(command);
    text_add_format(command->out,
                    "OCI runtime exec failed: exec failed: unable to start container process: "
                    "exec: \"%s\": executable file not found in $PATH: unknown\r\n",
                    command->arguments[0] ? command->arguments[0] : "");
    return 127;
}

/* --- scripts --- */

/* Words of one simple command, quotes taken off; NULL if it is not that simple. */
static const char *const *split_words(struct arena *arena, const char *line, size_t length)
{
    const char **words = arena_array(arena, length + 2, sizeof(*words));
    size_t count = 0, i = 0;
    while (i < length) {
        i += strspn(line + i, " \t\r");
        if (i >= length || line[i] == '#')
            break;
        char *word = arena_alloc(arena, length + 1);
        size_t used = 0;
        char quote = '\0';
        for (; i < length && (quote || !strchr(" \t\r", line[i])); i++) {
            if (quote ? line[i] == quote : line[i] == '\'' || line[i] == '"')
                quote = quote ? '\0' : line[i];
            else if (quote != '\'' && strchr("|<>$`(){}*\\", line[i]))
                return NULL;
            else
                word[used++] = line[i];
        }
        words[count++] = word;
    }
    return words;
}

/* Up to the next newline, ';', "&&" or "||" outside quotes. */
static size_t command_length(const char *script)
{
    char quote = '\0';
    size_t i = 0;
    for (; script[i]; i++) {
        if (quote)
            quote = script[i] == quote ? '\0' : quote;
        else if (script[i] == '\'' || script[i] == '"')
            quote = script[i];
        else if (script[i] == '\n' || script[i] == ';' || script[i] == '&' ||
                 (script[i] == '|' && script[i + 1] == '|'))
            break;
    }
    return i;
}

static bool is_known(const char *const *words)
{
    words = strip(words);
    for (size_t i = 0; words[0] && i < COUNT_OF(commands); i++)
        if (strcmp(commands[i].name, base_name(words[0])) == 0)
            return true;
    return !words[0];
}

/* True if the script is a plain sequence of commands that we know. */
static bool is_simple(struct arena *arena, const char *script)
{
    while (*script) {
        size_t length = command_length(script);
        const char *const *words = split_words(arena, script, length);
        if (!words || !is_known(words))
            return false;
        script += length;
        script += strspn(script, ";&|\n");
    }
    return true;
}

static int run_script(struct fake_command *command, const char *script)
{
    json_array_append_new(
        command->call->world->scripts,
        json_pack("{s:s, s:s}", "container", command->container->name, "script", script));
    if (!is_simple(command->call->arena, script))
        return 0;
    int code = 0;
    bool or_else = false; /* the command comes after "||" */
    while (*script) {
        size_t length = command_length(script);
        struct fake_command part = *command;
        part.arguments = split_words(command->call->arena, script, length);
        if (part.arguments[0] && (code != 0) == or_else)
            code = fake_command_run(&part);
        command->more_ms = part.more_ms;
        script += length;
        or_else = *script == '|';
        script += strspn(script, ";&|\n");
        if (code != 0 && !or_else)
            break;
    }
    return code;
}

static int run_shell(struct fake_command *command)
{
    for (size_t i = 1; command->arguments[i]; i++) {
        const char *word = command->arguments[i];
        if (word[0] != '-' || !strchr(word, 'c') || !command->arguments[i + 1])
            continue;
        int code;
        if (fake_peers_script(command, command->arguments + i + 2, &code))
            return code;
        if (!strstr(command->arguments[i + 1], "/etcdctl"))
            return run_script(command, command->arguments[i + 1]);
        command->arguments += i + 2; /* what follows the script are its words */
        return fake_etcd_run(command);
    }
    return 0;
}
