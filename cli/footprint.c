#include "cli/footprint.h"

#include "base/memory.h"
#include <inttypes.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { GROWTH_BYTES = 4 * 1024 * 1024 }; /* what work touches again is about a fourth of this */

/* One mapping, as /proc/self/smaps has it: a line with its place, then one for each figure. */
struct mapping {
    uintptr_t begin, end;
    bool unwritable, of_file; /* private, too */
    bool changed;             /* some pages are copies of our own */
};

/* "7f8b1fe84000-7f8b1fe86000 r--p 00000000 08:01 1234  /lib/..."; false: another line. */
static bool read_place(const char *line, struct mapping *mapping)
{
    uintptr_t begin, end;
    uint64_t inode;
    char rights[5];
    if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %4s %*s %*s %" SCNu64, &begin, &end, rights,
               &inode) != 4)
        return false;
    *mapping = (struct mapping){
        .begin = begin,
        .end = end,
        .unwritable = rights[1] == '-' && rights[3] == 'p',
        .of_file = inode != 0,
        .changed = true, /* until it says otherwise */
    };
    return true;
}

/*
 * Only what is in the file as it is in memory: relocated pages are made read-only too, once they
 * are bound, and would come back unbound.
 */
static void give_back(const struct mapping *mapping)
{
    void *at = (void *)mapping->begin; /* NOLINT(performance-no-int-to-ptr) */
    if (mapping->unwritable && mapping->of_file && !mapping->changed)
        (void)madvise(at, mapping->end - mapping->begin, MADV_DONTNEED);
}

static void give_back_pages(FILE *smaps)
{
    struct mapping mapping = {.changed = true};
    cleanup_free char *line = NULL;
    size_t room = 0;
    uint64_t kib;
    while (getline(&line, &room, smaps) > 0) {
        if (read_place(line, &mapping))
            continue;
        if (sscanf(line, "Anonymous: %" SCNu64, &kib) == 1)
            mapping.changed = kib > 0;
        else if (strncmp(line, "VmFlags:", 8) == 0) /* the last line of each */
            give_back(&mapping);
    }
}

static size_t resident_bytes(void)
{
    size_t pages = 0;
    FILE *statm = fopen("/proc/self/statm", "re");
    if (!statm)
        return 0;
    if (fscanf(statm, "%*s %zu", &pages) != 1)
        pages = 0;
    fclose(statm);
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

void footprint_shrink(struct footprint *footprint)
{
    if (resident_bytes() < footprint->lean_bytes + GROWTH_BYTES)
        return;
    FILE *smaps = fopen("/proc/self/smaps", "re");
    if (smaps) {
        give_back_pages(smaps);
        fclose(smaps);
    }
    (void)malloc_trim(0);
    footprint->lean_bytes = resident_bytes();
}
