/*
 * page.h - the status page: one document with its style and its program inside.
 *
 * The three parts are files in cli/page/, put into the program at build time
 * and together here. The policy lets a browser run this style and this program
 * alone, by their hashes, and load nothing from anywhere.
 */
#ifndef CLI_PAGE_H
#define CLI_PAGE_H

#include "base/text.h"

struct page {
    struct text html;
    char *policy; /* for the header Content-Security-Policy */
};

void page_init(struct page *page);
void page_done(struct page *page);

#endif
