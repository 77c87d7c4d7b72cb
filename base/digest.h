// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * SHA-256 and HMAC-SHA-256 (FIPS 180-4, RFC 2104), by libgcrypt.
 */
#include <stddef.h>
#include <stdint.h>

#define DIGEST_SIZE      32
#define DIGEST_TEXT_SIZE (2 * DIGEST_SIZE + 1)

struct digest; /* a SHA-256 under way */

/* Once per process before anything else here; more often does no harm. DL_OK or DL_LIBRARY. */
int digest_setup(void);

int digest_create(struct digest **ret_digest);
void digest_update(struct digest *digest, const void *bytes, size_t length);
void digest_final(struct digest *digest, uint8_t ret_hash[DIGEST_SIZE]);
void digest_destroy(struct digest *digest);

void digest_sha256(const void *bytes, size_t length, uint8_t ret_hash[DIGEST_SIZE]);
/* HMAC with a keyed context made once and used for many short texts. */
struct digest_hmac;
int digest_hmac_create(struct digest_hmac **ret_hmac, const void *key, size_t key_length);
void digest_hmac(struct digest_hmac *hmac, const void *bytes, size_t length,
                 uint8_t ret_hash[DIGEST_SIZE]);
void digest_hmac_destroy(struct digest_hmac *hmac);

/* Lower-case hex, NUL-terminated. Returns `text`. */
char *digest_text(const uint8_t hash[DIGEST_SIZE], char text[DIGEST_TEXT_SIZE]);
