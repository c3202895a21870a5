/*
 * kernel.c - the part of routes.h that speaks rtnetlink, through libmnl.
 */
#include "routes.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/time.h>
#include <unistd.h>

enum {
    BUFFER_SIZE = 32 * 1024,
    ANSWER_TIMEOUT_S = 2, /* the kernel answers within the call; this is for the unforeseen */
};

/* A dump in progress: what the rows go into. */
struct listing {
    struct routes *routes; /* ours only */
    int default_interface; /* of the default route with the best metric; 0: none */
    uint32_t default_metric;
};

static struct mnl_socket *netlink_open(void)
{
    struct mnl_socket *netlink = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
    struct timeval limit = {.tv_sec = ANSWER_TIMEOUT_S};
    if (!netlink)
        return NULL;
    (void)setsockopt(mnl_socket_get_fd(netlink), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    if (mnl_socket_bind(netlink, 0, MNL_SOCKET_AUTOPID) == 0)
        return netlink;
    mnl_socket_close(netlink);
    return NULL;
}

static size_t address_size(int family)
{
    return family == AF_INET ? 4 : 16;
}

static int take_attribute(const struct nlattr *attribute, void *context)
{
    const struct nlattr **attributes = context;
    uint16_t type = mnl_attr_get_type(attribute);
    if (type <= RTA_MAX)
        attributes[type] = attribute;
    return MNL_CB_OK;
}

static int take_route(const struct nlmsghdr *header, void *context)
{
    struct listing *listing = context;
    const struct rtmsg *message = mnl_nlmsg_get_payload(header);
    const struct nlattr *attributes[RTA_MAX + 1] = {0};
    mnl_attr_parse(header, sizeof(*message), take_attribute, attributes);
    const struct nlattr *to = attributes[RTA_DST], *via = attributes[RTA_GATEWAY];
    const struct nlattr *interface = attributes[RTA_OIF], *metric = attributes[RTA_PRIORITY];
    if (message->rtm_table != RT_TABLE_MAIN)
        return MNL_CB_OK;
    if (!to && interface && message->rtm_dst_len == 0 && message->rtm_type == RTN_UNICAST) {
        uint32_t value = metric ? mnl_attr_get_u32(metric) : 0;
        if (!listing->default_interface || value < listing->default_metric) {
            listing->default_interface = (int)mnl_attr_get_u32(interface);
            listing->default_metric = value;
        }
    }
    struct routes *routes = listing->routes;
    if (!routes || message->rtm_protocol != ROUTES_PROTOCOL || routes->count == ROUTES_MAX)
        return MNL_CB_OK;
    struct route route = {.to = {.family = message->rtm_family, .prefix = message->rtm_dst_len}};
    size_t size = address_size(message->rtm_family);
    if (to && mnl_attr_get_payload_len(to) == size)
        memcpy(route.to.bytes, mnl_attr_get_payload(to), size);
    if (via && mnl_attr_get_payload_len(via) == size)
        memcpy(route.via, mnl_attr_get_payload(via), size);
    routes->items[routes->count++] = route;
    return MNL_CB_OK;
}

/* Reads replies until the kernel says that it is done. */
static int netlink_receive(struct mnl_socket *netlink, uint32_t sequence, mnl_cb_t take,
                           void *context)
{
    char buffer[BUFFER_SIZE] __attribute__((aligned(8)));
    unsigned port = mnl_socket_get_portid(netlink);
    int result = MNL_CB_OK;
    while (result > MNL_CB_STOP) {
        ssize_t size = mnl_socket_recvfrom(netlink, buffer, sizeof(buffer));
        if (size < 0)
            return -1;
        result = mnl_cb_run(buffer, (size_t)size, sequence, port, take, context);
    }
    return result;
}

static int list_routes(struct mnl_socket *netlink, int family, struct listing *listing)
{
    char buffer[256] __attribute__((aligned(8)));
    struct nlmsghdr *header = mnl_nlmsg_put_header(buffer);
    header->nlmsg_type = RTM_GETROUTE;
    header->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    header->nlmsg_seq = 1;
    struct rtmsg *message = mnl_nlmsg_put_extra_header(header, sizeof(*message));
    message->rtm_family = (unsigned char)family;
    if (mnl_socket_sendto(netlink, header, header->nlmsg_len) < 0)
        return -1;
    return netlink_receive(netlink, 1, take_route, listing);
}

/* flags say whether a new route may take another one's place. */
static int change_route(struct mnl_socket *netlink, uint16_t type, uint16_t flags,
                        const struct route *route)
{
    char buffer[256] __attribute__((aligned(8)));
    size_t size = address_size(route->to.family);
    struct nlmsghdr *header = mnl_nlmsg_put_header(buffer);
    header->nlmsg_type = type;
    header->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags);
    header->nlmsg_seq = 2;
    struct rtmsg *message = mnl_nlmsg_put_extra_header(header, sizeof(*message));
    message->rtm_family = (unsigned char)route->to.family;
    message->rtm_dst_len = route->to.prefix;
    message->rtm_table = RT_TABLE_MAIN;
    message->rtm_protocol = ROUTES_PROTOCOL;
    message->rtm_scope = RT_SCOPE_UNIVERSE;
    message->rtm_type = RTN_UNICAST;
    mnl_attr_put(header, RTA_DST, size, route->to.bytes);
    mnl_attr_put(header, RTA_GATEWAY, size, route->via);
    if (mnl_socket_sendto(netlink, header, header->nlmsg_len) < 0)
        return -1;
    return netlink_receive(netlink, 2, NULL, NULL) < 0 ? -1 : 0;
}

static void explain(char *why, size_t why_size, const char *what, const struct route *route)
{
    char to[NETWORK_TEXT_SIZE], via[INET6_ADDRSTRLEN] = "";
    int error = errno;
    network_print(&route->to, to);
    inet_ntop(route->to.family, route->via, via, sizeof(via));
    snprintf(why, why_size, "%s route %s via %s: %s", what, to, via, strerror(error));
}

/*
 * If the network has a route of ours by another way, replacing it leaves no
 * moment without one. Somebody else's must not be replaced: then adding fails.
 */
static uint16_t flags_for(const struct routes *present, const struct route *route)
{
    for (size_t i = 0; i < present->count; i++)
        if (network_equal(&present->items[i].to, &route->to))
            return NLM_F_CREATE | NLM_F_REPLACE;
    return NLM_F_CREATE | NLM_F_EXCL;
}

static int converge(struct mnl_socket *netlink, const struct routes *wanted,
                    const struct routes *present, char *why, size_t why_size)
{
    int changed = 0, failed = 0;
    for (size_t i = 0; i < wanted->count; i++) {
        const struct route *route = &wanted->items[i];
        if (routes_have(present, route))
            continue;
        if (change_route(netlink, RTM_NEWROUTE, flags_for(present, route), route) < 0) {
            explain(why, why_size, "add", route);
            failed++;
        } else {
            changed++;
        }
    }
    for (size_t i = 0; i < present->count; i++) {
        const struct route *route = &present->items[i];
        if (routes_have(wanted, route))
            continue;
        if (change_route(netlink, RTM_DELROUTE, 0, route) == 0) {
            changed++;
        } else if (errno != ESRCH) { /* else replaced a moment ago, or gone with its interface */
            explain(why, why_size, "delete", route);
            failed++;
        }
    }
    return failed ? -1 : changed;
}

int routes_apply(const struct routes *wanted, char *why, size_t why_size)
{
    static struct routes present;
    struct listing listing = {.routes = &present};
    struct mnl_socket *netlink = netlink_open();
    present.count = 0;
    int result = -1;
    if (netlink && list_routes(netlink, AF_INET, &listing) >= 0 &&
        list_routes(netlink, AF_INET6, &listing) >= 0)
        result = converge(netlink, wanted, &present, why, why_size);
    else
        snprintf(why, why_size, "list routes: %s", strerror(errno));
    if (netlink)
        mnl_socket_close(netlink);
    return result;
}

unsigned routes_default_mtu(void)
{
    struct listing listing = {0};
    struct mnl_socket *netlink = netlink_open();
    if (!netlink)
        return 0;
    if (list_routes(netlink, AF_INET, &listing) < 0 || !listing.default_interface)
        (void)list_routes(netlink, AF_INET6, &listing);
    mnl_socket_close(netlink);
    struct ifreq request = {0};
    if (!listing.default_interface ||
        !if_indextoname((unsigned)listing.default_interface, request.ifr_name))
        return 0;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int got = fd >= 0 ? ioctl(fd, SIOCGIFMTU, &request) : -1;
    if (fd >= 0)
        close(fd);
    return got == 0 && request.ifr_mtu > 0 ? (unsigned)request.ifr_mtu : 0;
}
