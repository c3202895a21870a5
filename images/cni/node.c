#include "node.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int network_parse(struct network *network, const char *text)
{
    char address[NETWORK_TEXT_SIZE];
    size_t length = strcspn(text, "/");
    struct network parsed = {.family = strchr(text, ':') ? AF_INET6 : AF_INET};
    unsigned bits = parsed.family == AF_INET ? 32 : 128;
    if (length >= sizeof(address) || text[length] != '/' || text[length + 1] < '0' ||
        text[length + 1] > '9')
        return -1;
    char *end;
    unsigned long prefix = strtoul(text + length + 1, &end, 10);
    snprintf(address, sizeof(address), "%.*s", (int)length, text);
    if (*end || prefix > bits || inet_pton(parsed.family, address, parsed.bytes) != 1)
        return -1;
    parsed.prefix = (uint8_t)prefix;
    for (unsigned bit = parsed.prefix; bit < bits; bit++)
        parsed.bytes[bit / 8] &= (uint8_t) ~(0x80u >> bit % 8);
    *network = parsed;
    return 0;
}

bool network_equal(const struct network *a, const struct network *b)
{
    return a->family == b->family && a->prefix == b->prefix &&
           memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

void network_print(const struct network *network, char text[NETWORK_TEXT_SIZE])
{
    char address[INET6_ADDRSTRLEN] = "";
    inet_ntop(network->family, network->bytes, address, sizeof(address));
    snprintf(text, NETWORK_TEXT_SIZE, "%s/%u", address, network->prefix);
}

size_t node_pod_networks(const json_t *node, struct network networks[POD_NETWORKS_MAX])
{
    const json_t *spec = json_object_get(node, "spec");
    const json_t *list = json_object_get(spec, "podCIDRs");
    const char *only = json_string_value(json_object_get(spec, "podCIDR"));
    size_t listed = json_array_size(list), count = 0;
    if (!listed)
        return only && network_parse(&networks[0], only) == 0 ? 1 : 0;
    for (size_t i = 0; i < listed && count < POD_NETWORKS_MAX; i++) {
        const char *text = json_string_value(json_array_get(list, i));
        if (text && network_parse(&networks[count], text) == 0)
            count++;
    }
    return count;
}

bool node_address(const json_t *node, int family, uint8_t bytes[16])
{
    size_t i;
    const json_t *status = json_object_get(node, "status"), *entry;
    json_array_foreach(json_object_get(status, "addresses"), i, entry)
    {
        const char *type = json_string_value(json_object_get(entry, "type"));
        const char *address = json_string_value(json_object_get(entry, "address"));
        uint8_t parsed[16] = {0};
        if (!type || !address || strcmp(type, "InternalIP") != 0 ||
            inet_pton(family, address, parsed) != 1)
            continue;
        memcpy(bytes, parsed, sizeof(parsed));
        return true;
    }
    return false;
}
