#include "corefile.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

void corefile_domain(const char *text, char domain[COREFILE_DOMAIN_SIZE])
{
    static const char word[] = "kubernetes";
    snprintf(domain, COREFILE_DOMAIN_SIZE, "cluster.local");
    for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
        const char *at = line + strspn(line, " \t");
        if (strncmp(at, word, sizeof(word) - 1) != 0)
            continue;
        at += sizeof(word) - 1;
        size_t blanks = strspn(at, " \t"), length = strcspn(at + blanks, " \t\r\n{#");
        at += blanks;
        if (!blanks || !length || length >= COREFILE_DOMAIN_SIZE)
            continue;
        length -= at[length - 1] == '.' && length > 1;
        for (size_t i = 0; i < length; i++)
            domain[i] = (char)tolower((unsigned char)at[i]);
        domain[length] = '\0';
        return;
    }
}
