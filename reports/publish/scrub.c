// SPDX-License-Identifier: GPL-3.0-or-later
#include "reports/publish/scrub.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/hash.h"
#include "reports/publish/scrub_internal.h"

#define SLOTS   (2u * SCRUB_ADDRESSES_MAX) /* a power of two */
#define WINDOW  (256u << 10)
#define CONTEXT 2048u /* around what is looked at: longer than any address, thrice escaped */
#define BOTH    64u   /* are looked at twice: where a thing begins may be some bytes off */
#define LAYERS  2     /* of escapes */

enum known { KNOWN_NOTHING, KNOWN_FORBIDDEN, KNOWN_ALLOWED };

struct slot {
    struct address address;
    uint8_t known; /* enum known */
};

struct scrub {
    bool lab;
    struct hash_key key;
    struct slot *slots;
    uint64_t *pseudonyms; /* 0 is empty */
    uint32_t count, pseudonym_count;
    uint8_t *bytes[LAYERS + 1];
    uint32_t *origin[LAYERS + 1];
};

int scrub_create(struct scrub **ret_scrub, bool lab)
{
    struct scrub *scrub = calloc(1, sizeof(*scrub));
    int status = scrub ? hash_key_random(&scrub->key) : -ENOMEM;

    if (status == DL_OK) {
        scrub->lab = lab;
        scrub->slots = calloc(SLOTS, sizeof(*scrub->slots));
        scrub->pseudonyms = calloc(SLOTS, sizeof(*scrub->pseudonyms));
        bool all = scrub->slots && scrub->pseudonyms;
        for (int i = 0; i <= LAYERS; i++) {
            scrub->bytes[i] = malloc(WINDOW);
            scrub->origin[i] = malloc(WINDOW * sizeof(*scrub->origin[i]));
            all &= scrub->bytes[i] && scrub->origin[i];
        }
        status = all ? DL_OK : -ENOMEM;
    }
    if (status != DL_OK) {
        scrub_destroy(scrub);
        return status;
    }
    *ret_scrub = scrub;
    return DL_OK;
}

void scrub_destroy(struct scrub *scrub)
{
    if (!scrub)
        return;
    for (int i = 0; i <= LAYERS; i++) {
        free(scrub->bytes[i]);
        free(scrub->origin[i]);
    }
    free(scrub->slots);
    free(scrub->pseudonyms);
    free(scrub);
}

/* ---- what is known ---- */

static struct slot *find(const struct scrub *scrub, const struct address *address)
{
    uint32_t at = (uint32_t)hash_bytes(&scrub->key, address, sizeof(*address)) & (SLOTS - 1);

    while (scrub->slots[at].known && !address_equal(&scrub->slots[at].address, address))
        at = (at + 1) & (SLOTS - 1);
    return &scrub->slots[at];
}

static int add(struct scrub *scrub, const struct address *address, enum known known)
{
    struct slot *slot = find(scrub, address);

    if (slot->known == KNOWN_NOTHING) {
        if (scrub->count == SCRUB_ADDRESSES_MAX)
            return DL_LIMIT;
        scrub->count++;
        *slot = (struct slot){.address = *address, .known = (uint8_t)known};
    } else if (known == KNOWN_FORBIDDEN) { /* whoever is a client is one, whatever else he is */
        slot->known = KNOWN_FORBIDDEN;
    }
    return DL_OK;
}

int scrub_forbid_address(struct scrub *scrub, const struct address *address)
{
    return add(scrub, address, KNOWN_FORBIDDEN);
}

int scrub_allow(struct scrub *scrub, const struct address *address)
{
    return add(scrub, address, KNOWN_ALLOWED);
}

static uint64_t *find_pseudonym(const struct scrub *scrub, uint64_t pseudonym)
{
    uint32_t at = (uint32_t)hash_bytes(&scrub->key, &pseudonym, sizeof(pseudonym)) & (SLOTS - 1);

    while (scrub->pseudonyms[at] && scrub->pseudonyms[at] != pseudonym)
        at = (at + 1) & (SLOTS - 1);
    return &scrub->pseudonyms[at];
}

int scrub_forbid_pseudonym(struct scrub *scrub, uint64_t pseudonym)
{
    uint64_t *slot = find_pseudonym(scrub, pseudonym);

    if (pseudonym == 0 || *slot)
        return DL_OK;
    if (scrub->pseudonym_count == SCRUB_ADDRESSES_MAX)
        return DL_LIMIT;
    scrub->pseudonym_count++;
    *slot = pseudonym;
    return DL_OK;
}

bool scrub_is_pseudonym(const struct scrub *scrub, uint64_t pseudonym)
{
    return pseudonym != 0 && *find_pseudonym(scrub, pseudonym) != 0;
}

/* The IPv4 address within 6to4 and NAT64 (RFC 3056, 6052). */
static bool embedded(const struct address *address, struct address *ret_address)
{
    static const uint8_t nat64[12] = {0, 0x64, 0xff, 0x9b};

    if (address->bytes[0] == 0x20 && address->bytes[1] == 0x02)
        *ret_address = address_from_v4(address->bytes + 2);
    else if (memcmp(address->bytes, nat64, sizeof(nat64)) == 0)
        *ret_address = address_from_v4(address->bytes + 12);
    else
        return false;
    return true;
}

bool scrub_is_forbidden(const struct scrub *scrub, const struct address *address)
{
    struct address within;

    return find(scrub, address)->known == KNOWN_FORBIDDEN ||
           (embedded(address, &within) && find(scrub, &within)->known == KNOWN_FORBIDDEN);
}

/* What formats have for nobody: 127.0.0.1, 0.0.0.0, ::, ::1. */
static bool is_nobody(const struct address *address)
{
    static const uint8_t loopback[4] = {127, 0, 0, 1}, any[4];
    static const struct address any6, loopback6 = {{[15] = 1}};
    struct address v4 = address_from_v4(loopback), v4_any = address_from_v4(any);

    return address_equal(address, &v4) || address_equal(address, &v4_any) ||
           address_equal(address, &any6) || address_equal(address, &loopback6);
}

bool scrub_is_allowed(const struct scrub *scrub, const struct address *address)
{
    if (is_nobody(address))
        return true;
    if (address_is_private(address))
        return scrub->lab;
    return find(scrub, address)->known == KNOWN_ALLOWED;
}

/* ---- a file ---- */

struct window {
    uint64_t offset;         /* of its first byte in the file */
    size_t length;           /* of what is in it */
    size_t looked_at, until; /* what begins in between counts */
};

static bool counts(const struct window *window, struct scrub_found found)
{
    return found.what && found.origin >= window->looked_at && found.origin < window->until;
}

/* The first thing found that counts. One that begins in the context was, or will be, looked at in whole:
 * then the look goes on behind it. */
static struct scrub_found look_on(const struct window *window, struct scrub_text text,
                                  struct scrub_found (*look)(const struct scrub_text *text))
{
    struct scrub_found found = look(&text);

    while (found.what && !counts(window, found) && found.origin < window->looked_at) {
        size_t skip = 0;
        while (skip < text.length && text.origin[skip] <= found.origin)
            skip++;
        text.bytes += skip;
        text.origin += skip;
        text.length -= skip;
        found = look(&text);
    }
    return counts(window, found) ? found : (struct scrub_found){NULL, 0};
}

static struct scrub_found look_at(struct scrub *scrub, const struct window *window)
{
    size_t length = window->length;
    struct scrub_found found = {NULL, 0};

    for (int layer = 0; layer <= LAYERS && !found.what; layer++) {
        struct scrub_text text = {scrub, scrub->bytes[layer], scrub->origin[layer], length};
        found = look_on(window, text, scrub_look);
        if (!found.what && scrub->count + scrub->pseudonym_count > 0)
            found = look_on(window, text, scrub_look_base64);
        if (layer == LAYERS)
            break;
        size_t shorter = scrub_unescape(scrub->bytes[layer], scrub->origin[layer], length,
                                        scrub->bytes[layer + 1], scrub->origin[layer + 1]);
        if (shorter == length)
            break;
        length = shorter;
    }
    return found;
}

int scrub_file(struct scrub *scrub, FILE *file, const char *name, struct dl_error *error)
{
    struct window window = {0};
    size_t kept = 0;

    for (uint32_t i = 0; i < WINDOW; i++)
        scrub->origin[0][i] = i;
    for (bool ended = false; !ended;) {
        size_t got = fread(scrub->bytes[0] + kept, 1, WINDOW - kept, file);
        ended = got < WINDOW - kept;
        if (ended && ferror(file))
            return dl_error_set(error, -EIO, "%s: %s", name, dl_strerror(-EIO));
        window.length = kept + got;
        window.until = ended ? window.length : window.length - CONTEXT;
        struct scrub_found found = look_at(scrub, &window);
        if (found.what)
            return dl_error_set(error, DL_LEAK, "%s: byte %" PRIu64 ": %s", name,
                                window.offset + found.origin, found.what);
        if (ended)
            break;
        kept = 2 * CONTEXT;
        memmove(scrub->bytes[0], scrub->bytes[0] + window.length - kept, kept);
        window.offset += window.length - kept;
        window.looked_at = CONTEXT - BOTH;
    }
    return DL_OK;
}
