/*
 * zone_test.c - API objects in, lines of the zone out; then questions to it.
 *
 * It includes what it tests, so that it compiles alone:
 *     cc zone_test.c -ljansson -lcmocka -lresolv
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "answer.c"
#include "corefile.c"
#include "message.c"
#include "zone.c"

static json_t *parse(const char *text)
{
    json_error_t error;
    json_t *json = json_loads(text, 0, &error);
    if (!json)
        fail_msg("%s: %s", error.text, text);
    return json;
}

/* pods may be NULL. */
static struct zone *make_zone(const char *services, const char *endpoints, const char *pods)
{
    json_t *objects[] = {parse(services), parse(endpoints), pods ? parse(pods) : NULL};
    struct zone_view view = {.services = objects[0], .endpoints = objects[1], .pods = objects[2]};
    struct zone *zone = zone_new("cluster.local", &view);
    assert_int_equal(zone_needs_pods(view.services), pods != NULL);
    for (size_t i = 0; i < sizeof(objects) / sizeof(objects[0]); i++)
        json_decref(objects[i]);
    return zone;
}

#define SERVICE(name, spec)                                                                        \
    "{\"a/" name "\":{\"metadata\":{\"name\":\"" name "\",\"namespace\":\"a\"},\"spec\":" spec "}" \
    "}"
#define ENDPOINTS(name, subsets) "{\"a/" name "\":{\"subsets\":" subsets "}}"

static const struct {
    const char *name, *services, *endpoints, *zone, *pods;
} zone_rows[] = {
    {"nothing", "{}", "{}", ""},
    {"one address",
     SERVICE("s", "{\"clusterIP\":\"10.96.0.1\",\"ports\":[{\"name\":\"https\","
                  "\"protocol\":\"TCP\",\"port\":443},{\"port\":80}]}"),
     "{}",
     "1.0.96.10.in-addr.arpa PTR s.a.svc.cluster.local\n"
     "_https._tcp.s.a.svc.cluster.local SRV s.a.svc.cluster.local:443\n"
     "s.a.svc.cluster.local A 10.96.0.1\n"},
    {"two families",
     SERVICE("s", "{\"clusterIP\":\"10.96.0.1\",\"clusterIPs\":[\"10.96.0.1\",\"fd00::1\"]}"), "{}",
     "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa PTR "
     "s.a.svc.cluster.local\n"
     "1.0.96.10.in-addr.arpa PTR s.a.svc.cluster.local\n"
     "s.a.svc.cluster.local A 10.96.0.1\n"
     "s.a.svc.cluster.local AAAA fd00::1\n"},
    {"no address yet", SERVICE("s", "{\"clusterIP\":\"\"}"), "{}", ""},
    {"headless: the ready ones, by host name or by address",
     SERVICE("s", "{\"clusterIP\":\"None\"}"),
     ENDPOINTS(
         "s", "[{\"addresses\":[{\"ip\":\"10.1.0.5\",\"hostname\":\"Web-0\"},{\"ip\":\"fd00::6\"}],"
              "\"notReadyAddresses\":[{\"ip\":\"10.1.0.7\"}],"
              "\"ports\":[{\"name\":\"http\",\"port\":80,\"protocol\":\"TCP\"}]}]"),
     "5.0.1.10.in-addr.arpa PTR Web-0.s.a.svc.cluster.local\n"
     "6.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa PTR "
     "fd00--6.s.a.svc.cluster.local\n"
     "_http._tcp.s.a.svc.cluster.local SRV Web-0.s.a.svc.cluster.local:80\n"
     "_http._tcp.s.a.svc.cluster.local SRV fd00--6.s.a.svc.cluster.local:80\n"
     "fd00--6.s.a.svc.cluster.local AAAA fd00::6\n"
     "s.a.svc.cluster.local A 10.1.0.5\n"
     "s.a.svc.cluster.local AAAA fd00::6\n"
     "web-0.s.a.svc.cluster.local A 10.1.0.5\n"},
    {"headless, of two families: the second is the pod's, if it is the same pod",
     SERVICE("s", "{\"clusterIP\":\"None\",\"ipFamilies\":[\"IPv4\",\"IPv6\"]}"),
     ENDPOINTS("s", "[{\"addresses\":[{\"ip\":\"10.1.0.5\",\"hostname\":\"w0\",\"targetRef\":"
                    "{\"kind\":\"Pod\",\"namespace\":\"a\",\"name\":\"p\",\"uid\":\"1\"}},"
                    "{\"ip\":\"10.1.0.6\",\"targetRef\":{\"kind\":\"Pod\",\"namespace\":\"a\","
                    "\"name\":\"q\",\"uid\":\"2\"}}],"
                    "\"ports\":[{\"name\":\"http\",\"port\":80,\"protocol\":\"TCP\"}]}]"),
     "10-1-0-6.s.a.svc.cluster.local A 10.1.0.6\n"
     "5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa PTR "
     "w0.s.a.svc.cluster.local\n"
     "5.0.1.10.in-addr.arpa PTR w0.s.a.svc.cluster.local\n"
     "6.0.1.10.in-addr.arpa PTR 10-1-0-6.s.a.svc.cluster.local\n"
     "_http._tcp.s.a.svc.cluster.local SRV 10-1-0-6.s.a.svc.cluster.local:80\n"
     "_http._tcp.s.a.svc.cluster.local SRV w0.s.a.svc.cluster.local:80\n"
     "s.a.svc.cluster.local A 10.1.0.5\n"
     "s.a.svc.cluster.local A 10.1.0.6\n"
     "s.a.svc.cluster.local AAAA fd00::5\n"
     "w0.s.a.svc.cluster.local A 10.1.0.5\n"
     "w0.s.a.svc.cluster.local AAAA fd00::5\n",
     "{\"a/p\":{\"metadata\":{\"uid\":\"1\"},\"status\":{\"podIPs\":[{\"ip\":\"10.1.0.5\"},"
     "{\"ip\":\"fd00::5\"}]}},\"a/q\":{\"metadata\":{\"uid\":\"3\"},\"status\":{\"podIPs\":["
     "{\"ip\":\"10.1.0.9\"},{\"ip\":\"fd00::9\"}]}}}"},
    {"headless, of two families, its pods not seen yet",
     SERVICE("s", "{\"clusterIP\":\"None\",\"ipFamilies\":[\"IPv4\",\"IPv6\"]}"),
     ENDPOINTS("s", "[{\"addresses\":[{\"ip\":\"10.1.0.5\",\"hostname\":\"w0\",\"targetRef\":"
                    "{\"kind\":\"Pod\",\"namespace\":\"a\",\"name\":\"p\",\"uid\":\"1\"}}]}]"),
     "5.0.1.10.in-addr.arpa PTR w0.s.a.svc.cluster.local\n"
     "s.a.svc.cluster.local A 10.1.0.5\n"
     "w0.s.a.svc.cluster.local A 10.1.0.5\n",
     "{}"},
    {"headless, without endpoints", SERVICE("s", "{\"clusterIP\":\"None\"}"), "{}", ""},
    {"endpoints of a service with an address count for nothing",
     SERVICE("s", "{\"clusterIP\":\"10.96.0.1\"}"),
     ENDPOINTS("s", "[{\"addresses\":[{\"ip\":\"10.1.0.5\"}]}]"),
     "1.0.96.10.in-addr.arpa PTR s.a.svc.cluster.local\n"
     "s.a.svc.cluster.local A 10.96.0.1\n"},
    {"external", SERVICE("s", "{\"type\":\"ExternalName\",\"externalName\":\"db.example.org.\"}"),
     "{}", "s.a.svc.cluster.local CNAME db.example.org\n"},
    {"malformed: left out",
     "{\"x\":1,\"y\":{\"metadata\":{\"name\":7}},\"z\":{\"metadata\":{\"name\":\"z\",\"namespace\":"
     "\"a\"},\"spec\":{\"clusterIP\":\"10.0.0\",\"ports\":[3,{\"name\":\"p\",\"port\":70000}]}}}",
     "{}", ""},
};

static void zones_are_made(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(zone_rows) / sizeof(zone_rows[0]); i++) {
        struct zone *zone =
            make_zone(zone_rows[i].services, zone_rows[i].endpoints, zone_rows[i].pods);
        char *text = NULL;
        size_t size = 0;
        FILE *file = open_memstream(&text, &size);
        zone_print(zone, file);
        fclose(file);
        /* Each zone has the version of the DNS schema, as the specification asks. */
        static const char version[] = "dns-version.cluster.local TXT 1.1.0\n";
        char *at = strstr(text, version);
        assert_non_null(at);
        memmove(at, at + strlen(version), strlen(at + strlen(version)) + 1);
        if (strcmp(text, zone_rows[i].zone) != 0)
            fail_msg("%s: got\n%swant\n%s", zone_rows[i].name, text, zone_rows[i].zone);
        free(text);
        zone_free(zone);
    }
}

enum { TYPE_ALL = 255 };

/* The reply in one line: rcode, flags, then the answer as the reader understands it. */
static void describe(const struct message *reply, char out[512])
{
    ns_msg parsed;
    out[0] = '\0';
    if (ns_initparse(reply->bytes, (int)reply->size, &parsed) < 0) {
        snprintf(out, 512, "malformed");
        return;
    }
    size_t used = 0;
    used += (size_t)snprintf(out, 512, "%d%s%s", (int)ns_msg_getflag(parsed, ns_f_rcode),
                             ns_msg_getflag(parsed, ns_f_tc) ? " truncated" : "",
                             ns_msg_count(parsed, ns_s_ns) ? " soa" : "");
    for (int i = 0; i < ns_msg_count(parsed, ns_s_an) && used < 400; i++) {
        ns_rr rr;
        char value[NS_MAXDNAME] = "?";
        assert_int_equal(ns_parserr(&parsed, ns_s_an, i, &rr), 0);
        const uint8_t *data = ns_rr_rdata(rr);
        unsigned type = ns_rr_type(rr);
        if (type == ns_t_a || type == ns_t_aaaa)
            inet_ntop(type == ns_t_a ? AF_INET : AF_INET6, data, value, sizeof(value));
        else if (type == ns_t_cname || type == ns_t_ptr || type == ns_t_srv)
            ns_name_uncompress(ns_msg_base(parsed), ns_msg_end(parsed),
                               data + (type == ns_t_srv ? 6 : 0), value, sizeof(value));
        used += (size_t)snprintf(out + used, 512 - used, " %s", value);
        if (type == ns_t_srv)
            used += (size_t)snprintf(out + used, 512 - used, ":%u", get16(data + 4));
    }
}

static const struct {
    const char *name, *asked;
    unsigned type;
    const char *reply; /* "ask: X" and "relay" are passed on */
} answer_rows[] = {
    {"address", "s.a.svc.cluster.local", 1, "0 10.96.0.1"},
    {"case does not matter", "S.a.SVC.cluster.local", 1, "0 10.96.0.1"},
    {"no such family", "s.a.svc.cluster.local", 28, "0 soa"},
    {"everything", "s.a.svc.cluster.local", TYPE_ALL, "0 10.96.0.1"},
    {"port", "_https._tcp.s.a.svc.cluster.local", 33, "0 s.a.svc.cluster.local:443"},
    {"no such name", "t.a.svc.cluster.local", 1, "3 soa"},
    {"only a part of names", "a.svc.cluster.local", 1, "0 soa"},
    {"the domain", "cluster.local", 1, "0 soa"},
    {"its authority", "cluster.local", 6, "0 ?"},
    {"a pod", "10-1-2-3.a.pod.cluster.local", 1, "0 10.1.2.3"},
    {"a pod, IPv6", "fd00--3.a.pod.cluster.local", 28, "0 fd00::3"},
    {"a pod, other family", "fd00--3.a.pod.cluster.local", 1, "0 soa"},
    {"not a pod", "x-1.a.pod.cluster.local", 1, "3 soa"},
    {"reverse", "1.0.96.10.in-addr.arpa", 12, "0 s.a.svc.cluster.local"},
    {"reverse, not ours", "9.0.96.10.in-addr.arpa", 12, "relay"},
    {"external", "e.a.svc.cluster.local", 1, "ask: db.example.org"},
    {"external, only its alias", "e.a.svc.cluster.local", 5, "0 db.example.org"},
    {"alias within", "i.a.svc.cluster.local", 1, "0 s.a.svc.cluster.local 10.96.0.1"},
    {"alias of an alias", "j.a.svc.cluster.local", 1, "ask: db.example.org"},
    {"alias to nothing", "n.a.svc.cluster.local", 1, "3 no.a.svc.cluster.local"},
    {"not our domain", "www.example.org", 1, "5"},
    {"looks like our domain", "xcluster.local", 1, "5"},
    {"strange bytes", "s\t.a.svc.cluster.local", 1, "3 soa"},
};

static struct zone *make_rich_zone(void)
{
#define RICH(name, spec)                                                                           \
    "\"a/" name "\":{\"metadata\":{\"name\":\"" name "\",\"namespace\":\"a\"},\"spec\":" spec "}"
#define RICH_EXTERNAL(name, target)                                                                \
    RICH(name, "{\"type\":\"ExternalName\",\"externalName\":\"" target "\"}")
    return make_zone(
        "{" RICH(
            "s",
            "{\"clusterIP\":\"10.96.0.1\",\"ports\":[{\"name\":\"https\","
            "\"port\":443,\"protocol\":\"TCP\"}]}") "," RICH_EXTERNAL("e",
                                                                      "db.example.org") "," RICH_EXTERNAL("i",
                                                                                                          "s.a.svc.cluster.local") "," RICH_EXTERNAL("j",
                                                                                                                                                     "e.a.svc.cluster.local") "," RICH_EXTERNAL("n",
                                                                                                                                                                                                "no.a.svc.cluster.local") "}",
        "{}", NULL);
}

static void questions_are_answered(void **state)
{
    (void)state;
    static struct message reply;
    struct zone *zone = make_rich_zone();
    for (size_t i = 0; i < sizeof(answer_rows) / sizeof(answer_rows[0]); i++) {
        uint8_t query[MESSAGE_QUERY_MAX];
        char target[MESSAGE_NAME_SIZE], got[512];
        struct question question;
        size_t size = message_query(query, 0, answer_rows[i].asked, (uint16_t)answer_rows[i].type);
        assert_int_equal(question_parse(query, size, &question), 0);
        message_begin(&reply, &question, query, MESSAGE_UDP_MIN);
        enum answer answer = answer_make(zone, &reply, target);
        if (answer == ANSWER_READY)
            describe(&reply, got);
        else
            snprintf(got, sizeof(got), "%s%.400s", answer == ANSWER_ASK ? "ask: " : "relay",
                     answer == ANSWER_ASK ? target : "");
        if (strcmp(got, answer_rows[i].reply) != 0)
            fail_msg("%s: got %s, want %s", answer_rows[i].name, got, answer_rows[i].reply);
    }
    zone_free(zone);
}

static void before_the_first_list_the_answer_is_later(void **state)
{
    (void)state;
    static struct message reply;
    uint8_t query[MESSAGE_QUERY_MAX];
    char target[MESSAGE_NAME_SIZE], got[512];
    struct question question;
    size_t size = message_query(query, 1, "s.a.svc.cluster.local", RECORD_A);
    assert_int_equal(question_parse(query, size, &question), 0);
    message_begin(&reply, &question, query, MESSAGE_UDP_MIN);
    assert_int_equal(answer_make(NULL, &reply, target), ANSWER_READY);
    describe(&reply, got);
    assert_string_equal(got, "2");
}

/* 100 addresses do not fit into a datagram, and do over TCP. */
static void large_replies_are_truncated(void **state)
{
    (void)state;
    static struct message reply;
    char subsets[8192] = "[{\"addresses\":[", got[512];
    for (int i = 1; i <= 100; i++) {
        size_t used = strlen(subsets);
        snprintf(subsets + used, sizeof(subsets) - used, "%s{\"ip\":\"10.1.0.%d\"}",
                 i > 1 ? "," : "", i);
    }
    char endpoints[9000];
    snprintf(endpoints, sizeof(endpoints), "{\"a/s\":{\"subsets\":%s]}]}}", subsets);
    struct zone *zone = make_zone(SERVICE("s", "{\"clusterIP\":\"None\"}"), endpoints, NULL);
    uint8_t query[MESSAGE_QUERY_MAX];
    char target[MESSAGE_NAME_SIZE];
    struct question question;
    size_t size = message_query(query, 7, "s.a.svc.cluster.local", RECORD_A);
    assert_int_equal(question_parse(query, size, &question), 0);
    message_begin(&reply, &question, query, MESSAGE_UDP_MIN);
    answer_make(zone, &reply, target);
    assert_true(reply.size <= MESSAGE_UDP_MIN);
    describe(&reply, got);
    assert_memory_equal(got, "0 truncated 10.1.0.", 19);
    message_begin(&reply, &question, query, MESSAGE_SIZE_MAX);
    answer_make(zone, &reply, target);
    assert_false(reply.truncated);
    assert_int_equal(reply.answers, 100);
    zone_free(zone);
}

/* The end of an ExternalName, copied out of another server's compressed reply. */
static void foreign_answers_are_copied(void **state)
{
    (void)state;
    static struct message foreign, reply;
    uint8_t query[MESSAGE_QUERY_MAX];
    char got[512], owner[] = "db.example.org", host[] = "h.example.org", address[] = "192.0.2.7";
    struct question question;
    size_t size = message_query(query, 1, owner, RECORD_A);
    assert_int_equal(question_parse(query, size, &question), 0);
    message_begin(&foreign, &question, query, MESSAGE_SIZE_MAX);
    message_add(&foreign, &(struct record){owner, RECORD_CNAME, 0, host}, 60);
    message_add(&foreign, &(struct record){host, RECORD_A, 0, address}, 60);
    message_end(&foreign, MESSAGE_NOERROR);

    size = message_query(query, 2, "e.a.svc.cluster.local", RECORD_A);
    assert_int_equal(question_parse(query, size, &question), 0);
    message_begin(&reply, &question, query, MESSAGE_SIZE_MAX);
    assert_int_equal(message_add_foreign(&reply, foreign.bytes, foreign.size), MESSAGE_NOERROR);
    message_end(&reply, MESSAGE_NOERROR);
    describe(&reply, got);
    assert_string_equal(got, "0 h.example.org 192.0.2.7");
    assert_int_equal(message_add_foreign(&reply, foreign.bytes, 20), MESSAGE_SERVFAIL);
}

/* Whatever comes in: no crash (run under a sanitizer), and a reply parses. */
static void garbage_is_survived(void **state)
{
    (void)state;
    static struct message reply;
    struct zone *zone = make_rich_zone();
    uint32_t random = 1;
    for (int round = 0; round < 20000; round++) {
        uint8_t query[MESSAGE_QUERY_MAX];
        char target[MESSAGE_NAME_SIZE], got[512];
        struct question question;
        size_t size = message_query(query, 1, "e.a.svc.cluster.local", RECORD_A);
        for (int i = 0; i < 3; i++) {
            random = random * 1664525 + 1013904223;
            query[(random >> 8) % size] = (uint8_t)(random >> 24);
        }
        size -= (random >> 16) % 8;
        if (question_parse(query, size, &question) < 0)
            continue;
        message_begin(&reply, &question, query, MESSAGE_UDP_MIN);
        if (answer_make(zone, &reply, target) == ANSWER_ASK) {
            (void)message_add_foreign(&reply, query, size);
            message_end(&reply, MESSAGE_NOERROR);
        }
        describe(&reply, got);
    }
    zone_free(zone);
}

static void the_domain_is_found(void **state)
{
    (void)state;
    static const struct {
        const char *corefile, *domain;
    } rows[] = {
        {"", "cluster.local"},
        {".:53 {\n    kubernetes Lab.example. in-addr.arpa {\n    }\n}\n", "lab.example"},
        {"kubernetesx y\n  kubernetes {\n", "cluster.local"},
        {"\tkubernetes a.b", "a.b"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char domain[COREFILE_DOMAIN_SIZE];
        corefile_domain(rows[i].corefile, domain);
        assert_string_equal(domain, rows[i].domain);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(zones_are_made),
        cmocka_unit_test(questions_are_answered),
        cmocka_unit_test(before_the_first_list_the_answer_is_later),
        cmocka_unit_test(large_replies_are_truncated),
        cmocka_unit_test(foreign_answers_are_copied),
        cmocka_unit_test(garbage_is_survived),
        cmocka_unit_test(the_domain_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
