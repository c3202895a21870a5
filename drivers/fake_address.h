/*
 * fake_address.h - IP addresses of the fake engine as numbers and text.
 */
#ifndef DRIVERS_FAKE_ADDRESS_H
#define DRIVERS_FAKE_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>

enum { FAKE_HOSTS_MAX = 65536 }; /* addresses that a network hands out */

/* "10.0.0.0/16" in host byte order; false if it is no IPv4 subnet. */
bool fake_subnet_parse(const char *text, uint32_t *subnet, uint32_t *mask);
int fake_mask_length(uint32_t mask); /* 16 of 255.255.0.0 */
bool fake_address_parse(const char *text, uint32_t *address);

/* Whether the text is an IPv6 address in a subnet like "fc00::/64". */
bool fake_address6_belongs(const char *subnet, const char *address);

/* New strings. The IPv6 address is the one of this host number in "fc00::/64". */
char *fake_address_text(uint32_t address);
char *fake_address6_text(const char *subnet, uint32_t host);

#endif
