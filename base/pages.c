// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/pages.h"

#include <stdint.h>
#include <sys/mman.h>

static void *map(size_t bytes)
{
    void *pages = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return pages == MAP_FAILED ? NULL : pages;
}

/* Large pages begin at multiples of their size: maps more and cuts off both ends. */
static void *map_aligned(size_t bytes)
{
    uint8_t *all = bytes <= SIZE_MAX - PAGES_LARGE ? map(bytes + PAGES_LARGE) : NULL;
    if (!all)
        return NULL;
    size_t before = (size_t)(-(uintptr_t)all & (PAGES_LARGE - 1));
    if (before > 0)
        munmap(all, before);
    munmap(all + before + bytes, PAGES_LARGE - before);
    (void)madvise(all + before, bytes, MADV_HUGEPAGE); /* a kernel without them says no */
    return all + before;
}

/* To whole pages of any kernel that we run on. */
static size_t rounded(size_t bytes)
{
    const size_t page = 65536;
    return bytes > SIZE_MAX - page ? 0 : (bytes + page - 1) / page * page;
}

void *pages_take(size_t bytes)
{
    bytes = rounded(bytes);
    if (bytes == 0)
        return NULL;
    return bytes < PAGES_LARGE ? map(bytes) : map_aligned(bytes);
}

void pages_give(void *pages, size_t bytes)
{
    if (pages)
        munmap(pages, rounded(bytes));
}
