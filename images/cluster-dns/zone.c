#include "zone.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdarg.h>
#include <string.h>

#include "../cluster-api/memory.h"

enum {
    NAME_SIZE_MAX = 254,      /* RFC 1035, as text with its end */
    RECORDS_MAX = 512 * 1024, /* about 60 MiB; a test cluster has hundreds */
};

static int compare_text(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "");
}

static int record_compare(const void *left, const void *right)
{
    const struct record *a = left, *b = right;
    int order = strcmp(a->name, b->name);
    if (order == 0)
        order = (a->type > b->type) - (a->type < b->type);
    if (order == 0)
        order = compare_text(a->value, b->value);
    if (order == 0)
        order = (a->port > b->port) - (a->port < b->port);
    return order;
}

static void zone_add(struct zone *zone, const char *name, enum record_type type, const char *value,
                     uint16_t port)
{
    if (zone->count == RECORDS_MAX || strlen(name) >= NAME_SIZE_MAX)
        return;
    if (zone->count == zone->capacity) {
        zone->capacity = zone->capacity ? zone->capacity * 2 : 64;
        zone->records = must(realloc(zone->records, zone->capacity * sizeof(*zone->records)));
    }
    char *lower = must(strdup(name));
    for (char *c = lower; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    zone->records[zone->count++] = (struct record){
        .name = lower,
        .type = type,
        .port = port,
        .value = value ? must(strdup(value)) : NULL,
    };
}

/* The name, and all between it and the domain, exist from now on. */
static void zone_add_path(struct zone *zone, const char *name)
{
    while (name && zone_covers(zone, name)) {
        zone_add(zone, name, RECORD_NONE, NULL, 0);
        const char *dot = strchr(name, '.');
        name = dot ? dot + 1 : NULL;
    }
}

/* Joins labels by dots; false if the name gets too long. */
static bool name_join(char out[NAME_SIZE_MAX], const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static bool name_join(char out[NAME_SIZE_MAX], const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(out, NAME_SIZE_MAX, format, arguments);
    va_end(arguments);
    return length > 0 && length < NAME_SIZE_MAX;
}

/* RECORD_A or RECORD_AAAA, or RECORD_NONE if it is no address. */
static enum record_type address_type(const char *address)
{
    unsigned char binary[16];
    if (address && inet_pton(AF_INET, address, binary) == 1)
        return RECORD_A;
    if (address && inet_pton(AF_INET6, address, binary) == 1)
        return RECORD_AAAA;
    return RECORD_NONE;
}

static bool reverse_name(char out[NAME_SIZE_MAX], const char *address)
{
    unsigned char b[16];
    if (inet_pton(AF_INET, address, b) == 1)
        return name_join(out, "%u.%u.%u.%u.in-addr.arpa", b[3], b[2], b[1], b[0]);
    if (inet_pton(AF_INET6, address, b) != 1)
        return false;
    static const char hex[] = "0123456789abcdef";
    char nibbles[16 * 4 + 1];
    for (size_t i = 0; i < 16; i++) {
        char *at = nibbles + i * 4;
        unsigned char byte = b[15 - i];
        at[0] = hex[byte & 15];
        at[2] = hex[byte >> 4];
        at[1] = at[3] = '.';
    }
    nibbles[sizeof(nibbles) - 1] = '\0';
    return name_join(out, "%sip6.arpa", nibbles);
}

/* An address of a service: the name has it, and it has the name. */
static void zone_add_address(struct zone *zone, const char *name, const char *address)
{
    enum record_type type = address_type(address);
    if (type != RECORD_NONE)
        zone_add(zone, name, type, address, 0);
}

static void zone_add_reverse(struct zone *zone, const char *address, const char *name)
{
    char reverse[NAME_SIZE_MAX];
    if (address_type(address) != RECORD_NONE && reverse_name(reverse, address))
        zone_add(zone, reverse, RECORD_PTR, name, 0);
}

/* _http._tcp.<service name>, for a port that has a name. */
static void zone_add_port(struct zone *zone, const char *service_name, const json_t *port,
                          const char *target)
{
    const char *name = json_string_value(json_object_get(port, "name"));
    const char *protocol = json_string_value(json_object_get(port, "protocol"));
    json_int_t number = json_integer_value(json_object_get(port, "port"));
    char srv[NAME_SIZE_MAX];
    if (!name || !*name || number < 1 || number > UINT16_MAX ||
        !name_join(srv, "_%s._%s.%s", name, protocol ? protocol : "tcp", service_name))
        return;
    zone_add_path(zone, srv);
    zone_add(zone, srv, RECORD_SRV, target, (uint16_t)number);
}

static void zone_add_cluster_service(struct zone *zone, const char *name, const json_t *spec)
{
    const json_t *addresses = json_object_get(spec, "clusterIPs");
    const char *only = json_string_value(json_object_get(spec, "clusterIP"));
    size_t count = json_array_size(addresses);
    for (size_t i = 0; i < (count ? count : 1); i++) {
        const char *address = count ? json_string_value(json_array_get(addresses, i)) : only;
        zone_add_address(zone, name, address);
        zone_add_reverse(zone, address, name);
    }
    size_t i;
    json_t *port;
    json_array_foreach(json_object_get(spec, "ports"), i, port)
    {
        zone_add_port(zone, name, port, name);
    }
}

/* An endpoint's own label: its host name, else its address with dashes. */
static void endpoint_label(char out[NAME_SIZE_MAX], const json_t *endpoint, const char *address)
{
    const char *host = json_string_value(json_object_get(endpoint, "hostname"));
    snprintf(out, NAME_SIZE_MAX, "%s", host && *host ? host : address);
    if (!host || !*host)
        for (char *c = out; *c; c++)
            if (*c == '.' || *c == ':')
                *c = '-';
}

static void zone_add_endpoint(struct zone *zone, const char *service_name, const json_t *endpoint,
                              const char *address, const json_t *ports)
{
    char label[NAME_SIZE_MAX], name[NAME_SIZE_MAX];
    size_t i;
    json_t *port;
    if (address_type(address) == RECORD_NONE)
        return;
    endpoint_label(label, endpoint, address);
    if (!name_join(name, "%s.%s", label, service_name))
        return;
    zone_add_address(zone, service_name, address);
    zone_add_path(zone, name);
    zone_add_address(zone, name, address);
    zone_add_reverse(zone, address, name);
    json_array_foreach(ports, i, port)
    {
        zone_add_port(zone, service_name, port, name);
    }
}

/* The pod behind an endpoint, if it is known. */
static const json_t *endpoint_pod(const json_t *endpoint, const json_t *pods)
{
    const json_t *target = json_object_get(endpoint, "targetRef");
    const char *kind = json_string_value(json_object_get(target, "kind"));
    const char *space = json_string_value(json_object_get(target, "namespace"));
    const char *name = json_string_value(json_object_get(target, "name"));
    char key[2 * NAME_SIZE_MAX];
    if (!kind || strcmp(kind, "Pod") != 0 || !space || !name)
        return NULL;
    snprintf(key, sizeof(key), "%s/%s", space, name);
    const json_t *pod = json_object_get(pods, key);
    /* A new pod may have the old one's name, as a StatefulSet's has. */
    const json_t *uid = json_object_get(json_object_get(pod, "metadata"), "uid");
    return json_equal(uid, json_object_get(target, "uid")) ? pod : NULL;
}

/*
 * Endpoints hold addresses of the service's first family only. Those of the
 * second are in EndpointSlices, which Kubernetes 1.20 does not let cluster DNS
 * read; so they are taken from where these have them from, the pods.
 */
static void zone_add_second_family(struct zone *zone, const char *service_name,
                                   const json_t *endpoint, const json_t *ports, const json_t *pods)
{
    const char *first = json_string_value(json_object_get(endpoint, "ip"));
    const json_t *status = json_object_get(endpoint_pod(endpoint, pods), "status");
    size_t i;
    json_t *entry;
    json_array_foreach(json_object_get(status, "podIPs"), i, entry)
    {
        const char *address = json_string_value(json_object_get(entry, "ip"));
        if (address_type(address) != address_type(first))
            zone_add_endpoint(zone, service_name, endpoint, address, ports);
    }
}

static bool has_two_families(const json_t *service)
{
    const json_t *spec = json_object_get(service, "spec");
    return json_array_size(json_object_get(spec, "ipFamilies")) > 1;
}

static bool is_headless(const json_t *service)
{
    const json_t *spec = json_object_get(service, "spec");
    const char *address = json_string_value(json_object_get(spec, "clusterIP"));
    return address && strcmp(address, "None") == 0;
}

static void zone_add_headless(struct zone *zone, const char *service_name, const json_t *service,
                              const struct zone_view *view, const json_t *endpoints)
{
    size_t i, j;
    json_t *subset, *endpoint;
    json_array_foreach(json_object_get(endpoints, "subsets"), i, subset)
    {
        const json_t *ports = json_object_get(subset, "ports");
        json_array_foreach(json_object_get(subset, "addresses"), j, endpoint)
        {
            const char *address = json_string_value(json_object_get(endpoint, "ip"));
            zone_add_endpoint(zone, service_name, endpoint, address, ports);
            if (has_two_families(service))
                zone_add_second_family(zone, service_name, endpoint, ports, view->pods);
        }
    }
}

static void zone_add_service(struct zone *zone, const char *key, const json_t *service,
                             const struct zone_view *view)
{
    const json_t *metadata = json_object_get(service, "metadata");
    const json_t *spec = json_object_get(service, "spec");
    const char *label = json_string_value(json_object_get(metadata, "name"));
    const char *space = json_string_value(json_object_get(metadata, "namespace"));
    const char *type = json_string_value(json_object_get(spec, "type"));
    const char *external = json_string_value(json_object_get(spec, "externalName"));
    char name[NAME_SIZE_MAX];
    if (!label || !space || !name_join(name, "%s.%s.svc.%s", label, space, zone->domain))
        return;
    zone_add_path(zone, name);
    if (type && strcmp(type, "ExternalName") == 0) {
        char target[NAME_SIZE_MAX];
        if (!external || !name_join(target, "%s", external))
            return;
        size_t length = strlen(target);
        if (length > 1 && target[length - 1] == '.')
            target[length - 1] = '\0';
        zone_add(zone, name, RECORD_CNAME, target, 0);
    } else if (is_headless(service)) {
        zone_add_headless(zone, name, service, view, json_object_get(view->endpoints, key));
    } else {
        zone_add_cluster_service(zone, name, spec);
    }
}

static void zone_sort(struct zone *zone)
{
    qsort(zone->records, zone->count, sizeof(*zone->records), record_compare);
    size_t kept = 0;
    for (size_t i = 0; i < zone->count; i++) {
        struct record *record = &zone->records[i];
        if (kept && record_compare(&zone->records[kept - 1], record) == 0) {
            free(record->name);
            free(record->value);
        } else {
            zone->records[kept++] = *record;
        }
    }
    zone->count = kept;
}

bool zone_needs_pods(json_t *services)
{
    const char *key;
    json_t *service;
    json_object_foreach(services, key, service)
    {
        if (is_headless(service) && has_two_families(service))
            return true;
    }
    return false;
}

struct zone *zone_new(const char *domain, const struct zone_view *view)
{
    struct zone *zone = must(calloc(1, sizeof(*zone)));
    zone->domain = must(strdup(domain));
    char name[NAME_SIZE_MAX];
    zone_add_path(zone, domain);
    if (name_join(name, "svc.%s", domain))
        zone_add_path(zone, name);
    if (name_join(name, "pod.%s", domain))
        zone_add_path(zone, name);
    if (name_join(name, "dns-version.%s", domain)) {
        zone_add_path(zone, name);
        zone_add(zone, name, RECORD_TXT, "1.1.0", 0);
    }
    const char *key;
    json_t *service;
    json_object_foreach(view->services, key, service)
    {
        zone_add_service(zone, key, service, view);
    }
    zone_sort(zone);
    return zone;
}

void zone_free(struct zone *zone)
{
    if (!zone)
        return;
    for (size_t i = 0; i < zone->count; i++) {
        free(zone->records[i].name);
        free(zone->records[i].value);
    }
    free(zone->records);
    free(zone->domain);
    free(zone);
}

const struct record *zone_find(const struct zone *zone, const char *name, size_t *count)
{
    size_t low = 0, high = zone->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(zone->records[middle].name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    for (high = low; high < zone->count && strcmp(zone->records[high].name, name) == 0;)
        high++;
    *count = high - low;
    return *count ? &zone->records[low] : NULL;
}

bool zone_covers(const struct zone *zone, const char *name)
{
    size_t length = strlen(name), domain_length = strlen(zone->domain);
    if (length < domain_length || strcmp(name + length - domain_length, zone->domain) != 0)
        return false;
    return length == domain_length || name[length - domain_length - 1] == '.';
}

enum record_type zone_pod_address(const struct zone *zone, const char *name,
                                  char address[ZONE_ADDRESS_SIZE])
{
    /* <dashed address>.<namespace>.pod.<domain> */
    size_t label = strcspn(name, ".");
    if (!zone_covers(zone, name) || label >= ZONE_ADDRESS_SIZE || name[label] != '.')
        return RECORD_NONE;
    const char *space = name + label + 1;
    const char *rest = space + strcspn(space, ".");
    if (rest == space || strncmp(rest, ".pod.", 5) != 0 || strcmp(rest + 5, zone->domain) != 0)
        return RECORD_NONE;
    static const char separators[] = {'.', ':'};
    for (size_t i = 0; i < sizeof(separators); i++) {
        for (size_t j = 0; j < label; j++)
            address[j] = name[j] == '-' ? separators[i] : name[j];
        address[label] = '\0';
        if (address_type(address) != RECORD_NONE)
            return address_type(address);
    }
    return RECORD_NONE;
}

void zone_print(const struct zone *zone, FILE *file)
{
    for (size_t i = 0; i < zone->count; i++) {
        const struct record *record = &zone->records[i];
        switch (record->type) {
        case RECORD_NONE:
        case RECORD_SOA:
            break;
        case RECORD_A:
            fprintf(file, "%s A %s\n", record->name, record->value);
            break;
        case RECORD_AAAA:
            fprintf(file, "%s AAAA %s\n", record->name, record->value);
            break;
        case RECORD_CNAME:
            fprintf(file, "%s CNAME %s\n", record->name, record->value);
            break;
        case RECORD_PTR:
            fprintf(file, "%s PTR %s\n", record->name, record->value);
            break;
        case RECORD_TXT:
            fprintf(file, "%s TXT %s\n", record->name, record->value);
            break;
        case RECORD_SRV:
            fprintf(file, "%s SRV %s:%u\n", record->name, record->value, record->port);
            break;
        }
    }
}
