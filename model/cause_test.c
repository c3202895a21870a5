#include "model/cause.h"

#include "base/memory.h"
#include "base/test.h"
#include "base/text.h"

/* One message as people meet it for each row of the catalogue. */
static const struct {
    const char *id;
    enum evidence_source source;
    const char *text;
} rows[] = {
    {"engine-denied", EVIDENCE_FAILURE,
     "reach the engine: no engine answers at unix:///var/run/docker.sock (from default): connect "
     "/var/run/docker.sock: permission denied; ask for access to it"},
    {"engine-gone", EVIDENCE_FAILURE,
     "reach the engine: no engine answers at unix:///var/run/docker.sock (from default): connect: "
     "no such file or directory"},
    {"engine-gone", EVIDENCE_FAILURE,
     "create the container: connection closed without a reply; it is not known whether the POST "
     "took effect"},
    {"engine-iptables", EVIDENCE_FAILURE,
     "driver failed programming external connectivity on endpoint a: (iptables failed: iptables "
     "--wait -t nat -A DOCKER: iptables: No chain/target/match by that name."},
    {"address-pools", EVIDENCE_FAILURE,
     "make the network: the engine says: could not find an available, non-overlapping IPv4 address "
     "pool among the defaults to assign to the network"},
    {"no-ipv6", EVIDENCE_FAILURE, "network kind has no IPv6 subnet, which ipFamily dual needs; x"},
    {"rootless", EVIDENCE_FAILURE, "the engine is rootless and its host uses cgroup v1; x"},
    {"inotify-instances", EVIDENCE_KUBELET,
     "F0101 kubelet.go:1 failed to start: inotify_init: too many open files"},
    {"inotify-instances", EVIDENCE_BOOT,
     "Failed to create control group inotify object: Too many open files"},
    {"inotify-instances", EVIDENCE_HOST, "inotify instances: 127 of 128 used by user 0, exhausted"},
    {"inotify-watches", EVIDENCE_BOOT,
     "Failed to add /run/systemd/ask-password to directory watch: inotify watch limit: No space "
     "left on device"},
    {"inotify-watches", EVIDENCE_HOST, "inotify watches: 8190 of 8192 used, exhausted"},
    {"disk-full", EVIDENCE_FAILURE,
     "write kubeadm.conf: the engine says: Error response: write /kind/kubeadm.conf: no space left "
     "on device"},
    {"disk-full", EVIDENCE_HOST, "disk at /var/lib/docker: 0.1 of 40.0 GiB free, exhausted"},
    {"disk-inodes", EVIDENCE_HOST, "inodes of the disk: 12 free, exhausted"},
    {"disk-pressure", EVIDENCE_KUBELET,
     "W1121 eviction_manager.go:344] eviction manager: attempting to reclaim ephemeral-storage"},
    {"keys-quota", EVIDENCE_FAILURE,
     "OCI runtime create failed: unable to join session keyring: create session key: disk quota "
     "exceeded"},
    {"keys-quota", EVIDENCE_KUBELET,
     "failed to create containerd task: runc create failed: could not create session key: disk "
     "quota exceeded"},
    {"pids", EVIDENCE_CONTAINERD,
     "fork/exec /usr/bin/containerd-shim-runc-v2: resource temporarily unavailable"},
    {"pids", EVIDENCE_PODS, "runtime: failed to create new OS thread (have 9 already; errno=11)"},
    {"memory", EVIDENCE_CONTAINER, "is exited, exit code 137\nOOMKilled: yes"},
    {"memory", EVIDENCE_KUBELET, "System OOM encountered, victim process: kube-apiserver, pid: 4"},
    {"memory-pressure", EVIDENCE_KUBELET,
     "Node ci-worker status is now: NodeHasInsufficientMemory"},
    {"open-files", EVIDENCE_PODS,
     "accept tcp [::]:6443: accept4: too many open files; retrying in 5ms"},
    {"clock", EVIDENCE_KUBELET,
     "x509: certificate has expired or is not yet valid: current time 2026-11-20 is before "
     "2026-11-21"},
    {"cgroup-v1", EVIDENCE_KUBELET,
     "failed to validate kubelet configuration, error: kubelet is configured to not run on a host "
     "using cgroup v1"},
    {"cgroup-driver", EVIDENCE_KUBELET,
     "failed to run Kubelet: misconfiguration: kubelet cgroup driver: \"systemd\" is different "
     "from "
     "docker cgroup driver: \"cgroupfs\""},
    {"cgroup-driver", EVIDENCE_PODS,
     "runc create failed: expected cgroupsPath to be of format \"slice:prefix:name\" for systemd"},
    {"cgroup-controllers", EVIDENCE_KUBELET,
     "failed to run Kubelet: cgroup-root [\"kubelet\"] doesn't exist"},
    {"cgroup-controllers", EVIDENCE_BOOT, "ERROR: UserNS: cpu controller needs to be delegated"},
    {"cgroup-mount", EVIDENCE_BOOT,
     "Failed to create /init.scope control group: Read-only file system"},
    {"overlay", EVIDENCE_CONTAINERD,
     "failed to mount overlay: invalid argument; upperdir on overlayfs"},
    {"overlay", EVIDENCE_BOOT, "overlayfs: filesystem on '/var/lib/x' not supported as upperdir"},
    {"mapped-device", EVIDENCE_KUBELET,
     "Failed to start ContainerManager failed to get rootfs info: unable to find data in memory "
     "cache"},
    {"br-netfilter", EVIDENCE_FAILURE,
     "kubeadm failed with exit code 1: [ERROR "
     "FileContent--proc-sys-net-bridge-bridge-nf-call-iptables]: "
     "/proc/sys/net/bridge/bridge-nf-call-iptables does not exist"},
    {"nf-tables", EVIDENCE_PODS,
     "iptables v1.8.9 (nf_tables): Could not fetch rule set generation id: Operation not "
     "supported"},
    {"nf-tables", EVIDENCE_PODS,
     "iptables v1.8.9 (legacy): can't initialize iptables table `nat': Table does not exist (do "
     "you "
     "need to insmod?)"},
    {"conntrack", EVIDENCE_PODS,
     "F server.go:490] open /proc/sys/net/netfilter/nf_conntrack_max: permission denied"},
    {"apparmor", EVIDENCE_FAILURE,
     "start the container: the engine says: AppArmor enabled on system but the docker-default "
     "profile could not be loaded"},
    {"selinux", EVIDENCE_KUBELET, "audit: avc:  denied  { write } for pid=1"},
    {"port-taken", EVIDENCE_FAILURE,
     "host port 127.0.0.1:6443 is in use (the engine says: port is already allocated); stop what "
     "listens there"},
    {"port-taken", EVIDENCE_FAILURE,
     "Error starting userland proxy: listen tcp4 0.0.0.0:80: bind: address already in use"},
    {"address-not-here", EVIDENCE_FAILURE,
     "listen tcp4 10.9.9.9:6443: bind: cannot assign requested address"},
    {"mount", EVIDENCE_FAILURE,
     "the engine says: invalid mount config for type \"bind\": bind source path does not exist: "
     "/x"},
    {"name-taken", EVIDENCE_FAILURE,
     "the name ci-worker is taken by a container that fleet 'default' did not make; it is left"},
    {"no-node-image", EVIDENCE_FAILURE,
     "image of ci-worker is no kind node image: it has no /kind/version"},
    {"pull-denied", EVIDENCE_FAILURE,
     "image acme/node:1 is not on this engine and cannot be pulled (pull access denied for "
     "acme/node, repository does not exist or may require 'docker login')"},
    {"pull-limit", EVIDENCE_KUBELET,
     "failed to copy: httpReadSeeker: unexpected status code: 429 Too Many Requests - "
     "toomanyrequests: You have reached your pull rate limit"},
    {"proxy", EVIDENCE_CONTAINERD,
     "failed to do request: Head https://registry-1.docker.io: proxyconnect tcp: dial tcp "
     "10.0.0.1:3128: connect: connection refused"},
    {"registry-certificate", EVIDENCE_CONTAINERD,
     "failed to resolve reference \"registry.k8s.io/pause:3.2\": x509: certificate signed by "
     "unknown authority"},
    {"image-missing", EVIDENCE_FAILURE,
     "image kind.local/node:v9 is not on this engine; make node-image makes it"},
    {"image-architecture", EVIDENCE_BOOT,
     "standard_init_linux.go:228: exec user process caused: exec format error"},
    {"pod-image", EVIDENCE_KUBELET,
     "Error syncing pod: failed to \"StartContainer\" for \"x\" with ImagePullBackOff: Back-off"},
    {"swap", EVIDENCE_KUBELET,
     "failed to run Kubelet: running with swap on is not supported, please disable swap!"},
    {"kubelet-configuration", EVIDENCE_KUBELET,
     "Failed to load kubelet config file /var/lib/kubelet/config.yaml: strict decoder error"},
    {"kubelet-configuration", EVIDENCE_KUBELET, "F server.go:198] unknown flag: --no-such"},
    {"component-flag", EVIDENCE_PODS, "2026-11-21T09:14:15Z stderr F Error: unknown flag: --x"},
    {"kubeadm-configuration", EVIDENCE_FAILURE,
     "kubeadm failed with exit code 3: error unmarshaling configuration schema.GroupVersionKind"},
    {"etcd-data", EVIDENCE_PODS, "etcdmain: member count is unequal"},
    {"etcd-slow", EVIDENCE_PODS, "wal: sync duration of 3.1s; slow fdatasync"},
    {"join-token", EVIDENCE_FAILURE,
     "kubeadm failed with exit code 1: could not find a JWS signature in the cluster-info "
     "ConfigMap "
     "for token ID \"abcdef\""},
    {"disruption-budget", EVIDENCE_FAILURE,
     "move its pods: not done after 600 s: pod default/web-0: Cannot evict pod as it would violate "
     "the pod's disruption budget."},
    {"no-cni", EVIDENCE_FAILURE,
     "wait for the nodes: not done after 300 s: node ci is NotReady: container runtime network not "
     "ready: NetworkReady=false reason:NetworkPluginNotReady message:cni config uninitialized"},
    {"kubelet-dead", EVIDENCE_KUBELET,
     "systemd[1]: kubelet.service: Failed with result 'exit-code'."},
    {"kubelet-dead", EVIDENCE_NODE, "kubelet.service loaded failed failed kubelet"},
    {"containerd-dead", EVIDENCE_CONTAINERD,
     "systemd[1]: containerd.service: Failed with result 'exit-code'."},
    {"container-killed", EVIDENCE_CONTAINER, "is exited, exit code 137\nOOMKilled: no"},
    {"container-paused", EVIDENCE_CONTAINER, "is paused"},
    {"container-exited", EVIDENCE_CONTAINER, "is exited, exit code 1"},
    {"time-boot", EVIDENCE_FAILURE, "boot: not done after 90 s: no line of its log says so"},
    {"boot-died", EVIDENCE_FAILURE,
     "boot: the node stopped while booting; the last it said was: x"},
    {"time-containerd", EVIDENCE_FAILURE, "wait for containerd: not done after 90 s: x"},
    {"time-api", EVIDENCE_FAILURE, "wait for the API: not done after 240 s: /healthz: refused"},
    {"time-balancer", EVIDENCE_FAILURE, "wait for the load balancer: not done after 240 s"},
    {"time-token", EVIDENCE_FAILURE, "wait for the token: not done after 60 s: x"},
    {"time-join", EVIDENCE_FAILURE, "kubeadm join: not done after 300 s"},
    {"time-nodes", EVIDENCE_FAILURE,
     "wait for the nodes: not done after 300 s: node x is NotReady"},
    {"time-dns", EVIDENCE_FAILURE, "wait for cluster DNS: not done after 300 s: x"},
    {"time-drain", EVIDENCE_FAILURE, "move its pods: not done after 600 s: pod a/b does not end"},
    {"kubeadm", EVIDENCE_FAILURE, "certs: kubeadm failed with exit code 1: something else"},
    {"time-pull", EVIDENCE_FAILURE, "get the image: not done after 600 s"},
    {"time-other", EVIDENCE_FAILURE, "write the record: not done after 10 s"},
};

static struct findings find(struct arena *arena, enum evidence_source source, const char *text)
{
    struct evidence evidence;
    struct findings findings;
    evidence_init(&evidence, arena);
    evidence_add(&evidence, source, "ci-worker", text, strlen(text));
    causes_find(arena, &evidence, "ci", "ci-worker", &findings);
    return findings;
}

static void each_has_its_message(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].text);
        cleanup_arena struct arena *arena = arena_new();
        struct findings findings = find(arena, rows[i].source, rows[i].text);
        assert_true(findings.count > 0);
        test_equal(findings.items[0].id, rows[i].id);
        assert_null(strstr(findings.items[0].cure, "{node}"));
        assert_null(strstr(findings.items[0].cure, "{cluster}"));
        assert_non_null(strstr(rows[i].text, findings.items[0].line));
    }
}

static bool has_row(const char *id)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (strcmp(rows[i].id, id) == 0)
            return true;
    return false;
}

static void the_table_is_whole(void **state)
{
    (void)state;
    bool phases = false;
    for (const struct cause *cause = causes; cause->id; cause++) {
        test_row(cause->id);
        assert_true(has_row(cause->id));
        assert_true(cause->where && cause->patterns[0] && cause->words && cause->cure);
        assert_true(cause->phase || !phases); /* phases come last */
        phases = cause->phase;
        for (const struct cause *other = causes; other != cause; other++)
            assert_string_not_equal(other->id, cause->id);
    }
}

/* What real nodes log on their way to Ready is no cause. */
static void healthy_nodes_have_none(void **state)
{
    (void)state;
    static const struct {
        enum evidence_source source;
        const char *path;
    } logs[] = {
        {EVIDENCE_KUBELET, "model/testdata/healthy/kubelet.txt"},
        {EVIDENCE_CONTAINERD, "model/testdata/healthy/containerd.txt"},
        {EVIDENCE_PODS, "model/testdata/healthy/pods.txt"},
        {EVIDENCE_BOOT, "model/testdata/healthy/boot.txt"},
    };
    for (size_t i = 0; i < COUNT_OF(logs); i++) {
        cleanup_free char *text = test_read_file(logs[i].path);
        for (char *at = text; *at;) { /* line by line: nothing is cut off by a limit */
            char *end = strchr(at, '\n');
            assert_non_null(end);
            *end = '\0';
            test_row(at);
            cleanup_arena struct arena *arena = arena_new();
            struct findings findings = find(arena, logs[i].source, at);
            test_equal(findings.count ? findings.items[0].id : "none", "none");
            at = end + 1;
        }
    }
}

static void better_comes_first(void **state)
{
    (void)state;
    cleanup_arena struct arena *arena = arena_new();
    struct evidence evidence;
    struct findings findings;
    static const char failure[] = "boot: not done after 90 s: x";
    static const char first[] = "Failed to create inotify object: Too many open files\n";
    static const char last[] = "Failed to allocate directory watch: Too many open files\n";
    cleanup_text struct text boot;
    text_init(&boot, 0);
    text_add_format(&boot, "%s%ssomething else\n", first, last);

    evidence_init(&evidence, arena);
    causes_find(arena, &evidence, "ci", "n", &findings);
    assert_int_equal(findings.count, 0);

    evidence_add(&evidence, EVIDENCE_FAILURE, "", failure, strlen(failure));
    causes_find(arena, &evidence, "ci", "n", &findings);
    assert_int_equal(findings.count, 1);
    test_equal(findings.items[0].id, "time-boot");
    test_equal(findings.items[0].cure, "docker logs n; sysctl fs.inotify.max_user_instances "
                                       "fs.inotify.max_user_watches");

    evidence_add(&evidence, EVIDENCE_BOOT, "ci-worker", boot.data, boot.length);
    causes_find(arena, &evidence, "ci", "n", &findings);
    assert_int_equal(findings.count, 1); /* no phase, and open files fit the same line only */
    test_equal(findings.items[0].id, "inotify-instances");
    test_equal(findings.items[0].subject, "ci-worker");
    test_equal(findings.items[0].line, "Failed to allocate directory watch: Too many open files");

    static const char full[] = "write: no space left on device";
    evidence_add(&evidence, EVIDENCE_PODS, "ci-worker", full, strlen(full));
    causes_find(arena, &evidence, "ci", "n", &findings);
    assert_int_equal(findings.count, 2);
    test_equal(findings.items[1].id, "disk-full");
}

static void patterns(void **state)
{
    (void)state;
    assert_true(cause_fits("a*c", "xAbbCx"));
    assert_true(cause_fits("", "x"));
    assert_false(cause_fits("a*c", "cab"));
    assert_false(cause_fits("aa", "a"));
    assert_true(cause_fits("a*a", "aa"));
    assert_false(cause_fits("a*a", "a"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_has_its_message),
        cmocka_unit_test(the_table_is_whole),
        cmocka_unit_test(healthy_nodes_have_none),
        cmocka_unit_test(better_comes_first),
        cmocka_unit_test(patterns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
