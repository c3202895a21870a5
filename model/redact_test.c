#include "model/redact.h"

#include "base/memory.h"
#include "base/test.h"

static char *redacted(const char *given)
{
    struct text text;
    text_init(&text, 0);
    redact_add(&text, given, strlen(given));
    return text_take(&text);
}

#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define LINE64 "MIIEpAIBAAKCAQEA7Zf0bY4T1uQ8m5VfXgQJd0lq2nKc9w3RrYt6UoPaSsDdFfGg"

static void secrets_go(void **state)
{
    (void)state;
    static const struct {
        const char *name, *given, *want;
    } rows[] = {
        {"nothing", "", ""},
        {"plain words", "kubelet: node not found", "kubelet: node not found"},
        {"bootstrap token", "token abcdef.0123456789abcdef is bad",
         "token abcdef.(removed) is bad"},
        {"as an option", "kubeadm join --token abcdef.0123456789abcdef x",
         "kubeadm join --token (removed) x"},
        {"not one: too long", "v abcdef.0123456789abcdefg", "v abcdef.0123456789abcdefg"},
        {"not one: in a longer word", "xabcdef.0123456789abcdef", "xabcdef.0123456789abcdef"},
        {"not one: capitals", "abcdef.0123456789ABCDEF", "abcdef.0123456789ABCDEF"},
        {"certificate key, an option", "--certificate-key " HEX64, "--certificate-key (removed)"},
        {"certificate key, a field", "certificateKey: " HEX64 "\nx",
         "certificateKey: (removed)\nx"},
        {"certificate key alone", "[upload-certs] Using:\n" HEX64 "\n",
         "[upload-certs] Using:\n01234567...\n"},
        {"a container", "containerd://" HEX64, "containerd://01234567..."},
        {"a CA's hash", "sha256:" HEX64 " differs", "sha256:01234567... differs"},
        {"pem",
         "a -----BEGIN RSA PRIVATE KEY-----\n" LINE64 "\nabc=\n-----END RSA PRIVATE KEY----- b",
         "a (removed) b"},
        {"pem without its end", "a -----BEGIN CERTIFICATE-----\n" LINE64, "a (removed)"},
        {"pem without its head", LINE64 "\nabc=\n-----END RSA PRIVATE KEY----- b", "(removed) b"},
        {"pem in JSON",
         "{\"k\":\"-----BEGIN EC PRIVATE KEY-----\\nAAA\\n-----END EC PRIVATE KEY-----\"}",
         "{\"k\":\"(removed)\"}"},
        {"a block as a value", "token: -----BEGIN A KEY-----\nabc\n-----END A KEY-----",
         "token: (removed)"},
        {"two blocks", "-----BEGIN A-----x-----END A----- y -----BEGIN B-----z-----END B-----",
         "(removed) y (removed)"},
        {"bearer", "Authorization: Bearer abc.DEF-123_x", "Authorization: Bearer (removed)"},
        {"basic", "authorization: basic dXNlcjpwYXNz", "authorization: basic (removed)"},
        {"a web token", "got eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJrIn0.sig-x_y, bad",
         "got (removed), bad"},
        {"no bearer", "the bearer of bad news", "the bearer of bad news"},
        {"proxy", "HTTPS_PROXY=http://me:pa55@proxy:3128/",
         "HTTPS_PROXY=http://me:(removed)@proxy:3128/"},
        {"a password with a sign", "http://me:p@ss@proxy", "http://me:(removed)@proxy"},
        {"a URL with a port", "https://127.0.0.1:6443/healthz?a@b",
         "https://127.0.0.1:6443/healthz?a@b"},
        {"a user alone", "ssh://git@host/x", "ssh://git@host/x"},
        {"password", "password=hunter2 user=x", "password=(removed) user=x"},
        {"password of YAML", "password: hunter", "password: (removed)"},
        {"password of JSON", "{\"password\":\"hunter\",\"a\":1}",
         "{\"password\":\"(removed)\",\"a\":1}"},
        {"token of YAML", "    token: s3cr3t-t0ken", "    token: (removed)"},
        {"token of JSON", "{\"token\": \"abcdefgh\"}", "{\"token\": \"(removed)\"}"},
        {"escaped JSON", "{\\\"token\\\":\\\"abcdefgh\\\"}", "{\\\"token\\\":\\\"(removed)\\\"}"},
        {"prose about a token", "wait for the token: not done after 60 s",
         "wait for the token: not done after 60 s"},
        {"prose about a secret", "secret \"x\" not found; secret: none",
         "secret \"x\" not found; secret: none"},
        {"kubeconfig", "client-key-data: LS0tLS1CRUdJTg==\n    client-certificate-data: abc\n",
         "client-key-data: (removed)\n    client-certificate-data: (removed)\n"},
        {"base64 alone", "data " LINE64 " end", "data (removed) end"},
        {"a long path", "/var/lib/kubelet/pods/volumes/kubernetes/empty/dir/wrapped/things",
         "/var/lib/kubelet/pods/volumes/kubernetes/empty/dir/wrapped/things"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].name);
        cleanup_free char *once = redacted(rows[i].given);
        test_equal(once, rows[i].want);
        cleanup_free char *twice = redacted(once);
        test_equal(twice, rows[i].want);
    }
}

/* Wherever a tail begins: nothing of the key's long lines is left. */
static void cut_anywhere(void **state)
{
    (void)state;
    static const char whole[] = "x\n-----BEGIN RSA PRIVATE KEY-----\n" LINE64 "\n" LINE64
                                "\n-----END RSA PRIVATE KEY-----\nend";
    for (size_t i = 0; i < sizeof(whole); i++) {
        cleanup_free char *got = redacted(whole + i);
        assert_null(strstr(got, "FfGg"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(secrets_go),
        cmocka_unit_test(cut_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
