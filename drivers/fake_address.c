#include "drivers/fake_address.h"

#include "base/memory.h"
#include <arpa/inet.h>

bool fake_address_parse(const char *text, uint32_t *address)
{
    struct in_addr parsed;
    if (inet_pton(AF_INET, text, &parsed) != 1)
        return false;
    *address = ntohl(parsed.s_addr);
    return true;
}

bool fake_subnet_parse(const char *text, uint32_t *subnet, uint32_t *mask)
{
    const char *slash = strchr(text, '/');
    uint32_t address;
    cleanup_free char *plain = slash ? memory_string_n(text, (size_t)(slash - text)) : NULL;
    if (!plain || !fake_address_parse(plain, &address))
        return false;
    unsigned long bits = strtoul(slash + 1, NULL, 10);
    if (bits < 1 || bits > 32)
        return false;
    *mask = 0xFFFFFFFFu << (32 - bits);
    *subnet = address & *mask;
    return true;
}

int fake_mask_length(uint32_t mask)
{
    return __builtin_popcount(mask);
}

char *fake_address_text(uint32_t address)
{
    return memory_format("%u.%u.%u.%u", address >> 24, address >> 16 & 255, address >> 8 & 255,
                         address & 255);
}

bool fake_address6_belongs(const char *subnet, const char *address)
{
    cleanup_free char *plain = memory_string_n(subnet, strcspn(subnet, "/"));
    struct in6_addr network, host;
    return inet_pton(AF_INET6, plain, &network) == 1 && inet_pton(AF_INET6, address, &host) == 1 &&
           memcmp(&network, &host, 8) == 0;
}

char *fake_address6_text(const char *subnet, uint32_t host)
{
    size_t length = strcspn(subnet, "/");
    cleanup_free char *plain = memory_string_n(subnet, length);
    struct in6_addr address;
    if (inet_pton(AF_INET6, plain, &address) != 1)
        return NULL;
    address.s6_addr[14] = (unsigned char)(host >> 8);
    address.s6_addr[15] = (unsigned char)host;
    char text[INET6_ADDRSTRLEN];
    inet_ntop(AF_INET6, &address, text, sizeof(text));
    return memory_string(text);
}
