#include "drivers/fake_file.h"

#include "base/memory.h"

/* Folders of every node and container. */
static const char *const folders[] = {
    "/",
    "/etc",
    "/etc/kubernetes",
    "/etc/containerd",
    "/etc/systemd/system",
    "/home",
    "/kind",
    "/kind/manifests",
    "/opt",
    "/root",
    "/run",
    "/tmp",
    "/usr",
    "/usr/bin",
    "/usr/local/bin",
    "/var",
    "/var/lib",
    "/var/lib/kubelet",
    "/var/log",
    "/usr/local",
    "/etc/systemd",
};

static const char cni[] = "# would you kindly template this file\n"
                          "kind: ServiceAccount\n"
                          "apiVersion: v1\n"
                          "metadata:\n"
                          "  name: kindnet\n"
                          "  namespace: kube-system\n"
                          "---\n"
                          "kind: DaemonSet\n"
                          "apiVersion: apps/v1\n"
                          "metadata:\n"
                          "  name: kindnet\n"
                          "  namespace: kube-system\n"
                          "  labels:\n"
                          "    app: kindnet\n"
                          "spec:\n"
                          "  selector:\n"
                          "    matchLabels:\n"
                          "      app: kindnet\n"
                          "  template:\n"
                          "    metadata:\n"
                          "      labels:\n"
                          "        app: kindnet\n"
                          "    spec:\n"
                          "      hostNetwork: true\n"
                          "      serviceAccountName: kindnet\n"
                          "      containers:\n"
                          "      - name: kindnet-cni\n"
                          "        image: kind.local/cni:1\n"
                          "        env:\n"
                          "        - name: POD_SUBNET\n"
                          "          value: \"{{ .PodSubnet }}\"\n";

static const char storage[] = "apiVersion: storage.k8s.io/v1\n"
                              "kind: StorageClass\n"
                              "metadata:\n"
                              "  name: standard\n"
                              "  annotations:\n"
                              "    storageclass.kubernetes.io/is-default-class: \"true\"\n"
                              "provisioner: kubernetes.io/host-path\n"
                              "reclaimPolicy: Delete\n";

static const char containerd[] = "version = 2\n"
                                 "\n"
                                 "[plugins.\"io.containerd.grpc.v1.cri\"]\n"
                                 "  sandbox_image = \"k8s.gcr.io/pause:3.2\"\n";

/* Our own image alone has it: for a node whose pod range is known before kubelet starts. */
static const char conflist_path[] = "/kind/manifests/node-cni.conflist";
static const char conflist[] =
    "{\"cniVersion\":\"0.3.1\",\"name\":\"kind\",\"plugins\":[{\"type\":\"ptp\",\"ipam\":{\"type\":"
    "\"host-local\",\"ranges\":{{ .Ranges }},\"routes\":{{ .Routes }}}}]}\n";

static const struct {
    const char *path, *text;
} image_files[] = {
    {"/kind/manifests/default-cni.yaml", cni},
    {"/kind/manifests/default-storage.yaml", storage},
    {"/etc/containerd/config.toml", containerd},
    {"/etc/resolv.conf", "nameserver 127.0.0.11\n"},
};

char *fake_path_clean(const char *path)
{
    struct text clean;
    text_init(&clean, 0);
    while (*path) {
        size_t length = strcspn(path, "/");
        if (length > 0 && !(length == 1 && path[0] == '.')) {
            text_add(&clean, "/");
            text_add_bytes(&clean, path, length);
        }
        path += length + (path[length] == '/');
    }
    if (clean.length == 0)
        text_add(&clean, "/");
    return text_take(&clean);
}

static void put(struct fake_container *container, const char *path, const char *bytes,
                size_t length, unsigned mode)
{
    struct fake_file *file;
    HASH_FIND_STR(container->files, path, file);
    if (!file) {
        file = memory_new(sizeof(*file));
        file->path = memory_string(path);
        HASH_ADD_KEYPTR(hh, container->files, file->path, strlen(file->path), file);
    }
    free(file->bytes);
    file->bytes = memory_string_n(bytes ? bytes : "", length);
    file->length = length;
    file->mode = mode;
    file->directory = !bytes;
}

static void unpack(struct fake_container *container)
{
    if (container->unpacked || !container->node.is_node)
        return;
    container->unpacked = true;
    cleanup_free char *version = memory_format("%s\n", container->node.version);
    put(container, "/kind/version", version, strlen(version), 0644);
    for (size_t i = 0; i < COUNT_OF(image_files); i++)
        put(container, image_files[i].path, image_files[i].text, strlen(image_files[i].text), 0644);
    if (strncmp(container->image, "kind.local/", strlen("kind.local/")) == 0)
        put(container, conflist_path, conflist, strlen(conflist), 0644);
}

const struct fake_file *fake_file_get(struct fake_container *container, const char *path)
{
    unpack(container);
    cleanup_free char *clean = fake_path_clean(path);
    struct fake_file *file;
    HASH_FIND_STR(container->files, clean, file);
    return file && !file->directory ? file : NULL;
}

const char *fake_file_text(struct fake_container *container, const char *path)
{
    const struct fake_file *file = fake_file_get(container, path);
    return file ? file->bytes : NULL;
}

/* True if path is folder or lies in it. */
static bool is_within(const char *path, const char *folder)
{
    size_t length = strlen(folder);
    if (strcmp(folder, "/") == 0)
        return true;
    return strncmp(path, folder, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

bool fake_file_is_folder(struct fake_container *container, const char *path)
{
    unpack(container);
    cleanup_free char *clean = fake_path_clean(path);
    for (size_t i = 0; i < COUNT_OF(folders); i++)
        if (strcmp(clean, folders[i]) == 0)
            return true;
    for (struct fake_file *file = container->files; file; file = file->hh.next)
        if (is_within(file->path, clean) && (file->directory || strcmp(file->path, clean) != 0))
            return true;
    return false;
}

void fake_file_put(struct fake_container *container, const char *path, const char *bytes,
                   size_t length, unsigned mode)
{
    unpack(container);
    cleanup_free char *clean = fake_path_clean(path);
    put(container, clean, bytes, length, mode);
}

void fake_file_put_text(struct fake_container *container, const char *path, const char *text)
{
    fake_file_put(container, path, text, strlen(text), 0644);
}

static void free_file(struct fake_container *container, struct fake_file *file)
{
    HASH_DEL(container->files, file);
    free(file->path);
    free(file->bytes);
    free(file);
}

bool fake_file_remove(struct fake_container *container, const char *path)
{
    unpack(container);
    cleanup_free char *clean = fake_path_clean(path);
    struct fake_file *file, *next;
    bool found = false;
    HASH_ITER(hh, container->files, file, next)
    {
        if (is_within(file->path, clean)) {
            free_file(container, file);
            found = true;
        }
    }
    return found;
}

void fake_files_free(struct fake_container *container)
{
    struct fake_file *file, *next;
    HASH_ITER(hh, container->files, file, next)
    {
        free_file(container, file);
    }
}

static int compare_paths(const void *a, const void *b)
{
    const struct fake_file *const *left = a, *const *right = b;
    return strcmp((*left)->path, (*right)->path);
}

const struct fake_file **fake_file_list(struct arena *arena, struct fake_container *container,
                                        const char *path, size_t *count)
{
    unpack(container);
    cleanup_free char *clean = fake_path_clean(path);
    const struct fake_file **files =
        arena_array(arena, HASH_COUNT(container->files) + 1, sizeof(*files));
    *count = 0;
    for (struct fake_file *file = container->files; file; file = file->hh.next)
        if (is_within(file->path, clean))
            files[(*count)++] = file;
    qsort(files, *count, sizeof(*files), compare_paths);
    return files;
}
