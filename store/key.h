// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * The key that makes pseudonyms of people's addresses: 32 random bytes in STORE.key (mode 0600),
 * never in the store, never in a bundle. Who has the store alone cannot turn a pseudonym back, not
 * even by trying all addresses; destroy the key and nobody can. EPOCH, the first part of a written
 * pseudonym, is 8 hex digits that name the key (of HMAC(key, "epoch")) and say nothing about it.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "base/status.h"

#define KEY_EPOCH_SIZE          9
#define KEY_PSEUDONYM_TEXT_SIZE 32
#define KEY_NAME_MAX            512 /* bytes of a name that count */

struct key;

/*
 * Opens the key file, making it (0600, O_EXCL, fsync) when it is not there and `create` is true.
 * DL_NO_KEY for one of wrong length or readable by others than the owner; the error says what to
 * do.
 */
int key_open(struct key **ret_key, const char *path, bool create, struct dl_error *error);
void key_destroy(struct key *key); /* wipes it; accepts NULL */
const char *key_epoch(const struct key *key);
/* The pseudonym of an address: an IPv4 one by its 4 bytes, an IPv6 one by its first 64 bits (one
 * line, whatever its privacy addresses). */
uint64_t key_pseudonym(struct key *key, const struct address *address);
/* The pseudonym of what somebody else's file calls a client. Not that of the same text as an
 * address. */
uint64_t key_pseudonym_of_name(struct key *key, const char *name, size_t length);
/* "1f0c33aa-0123456789abcdef". Returns `text`. */
char *key_pseudonym_text(const char *epoch, uint64_t pseudonym, char text[KEY_PSEUDONYM_TEXT_SIZE]);
