#include "rules.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static void append(char text[RULES_TEXT_SIZE], const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void append(char text[RULES_TEXT_SIZE], const char *format, ...)
{
    size_t used = strlen(text);
    va_list values;
    va_start(values, format);
    (void)vsnprintf(text + used, RULES_TEXT_SIZE - used, format, values);
    va_end(values);
}

static void append_set(char text[RULES_TEXT_SIZE], const struct network *pods, size_t count,
                       int family)
{
    const char *separator = "{ ";
    for (size_t i = 0; i < count; i++) {
        char network[NETWORK_TEXT_SIZE];
        if (pods[i].family != family)
            continue;
        network_print(&pods[i], network);
        append(text, "%s%s", separator, network);
        separator = ", ";
    }
    append(text, " }");
}

static void append_table(char text[RULES_TEXT_SIZE], const struct network *pods, size_t count,
                         int family)
{
    const char *name = family == AF_INET ? "ip" : "ip6";
    size_t matching = 0;
    for (size_t i = 0; i < count; i++)
        matching += pods[i].family == family;
    if (!matching)
        return;
    /* Added first, as what is not there cannot be deleted. */
    append(text, "add table %s kind-masq\ndelete table %s kind-masq\n", name, name);
    append(text, "table %s kind-masq {\n    chain postrouting {\n", name);
    append(text, "        type nat hook postrouting priority 100; policy accept;\n");
    append(text, "        %s saddr ", name);
    append_set(text, pods, count, family);
    append(text, " %s daddr != ", name);
    append_set(text, pods, count, family);
    append(text, " masquerade fully-random\n    }\n}\n");
}

void rules_text(const struct network *pods, size_t count, char text[RULES_TEXT_SIZE])
{
    text[0] = '\0';
    append_table(text, pods, count, AF_INET);
    append_table(text, pods, count, AF_INET6);
}
