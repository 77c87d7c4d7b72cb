// SPDX-License-Identifier: GPL-3.0-or-later
#include "probe/inspect/quic_keys.h"

#include <gcrypt.h>
#include <string.h>

#define KEYS_HASH_SIZE 32u
#define KEYS_SALT_SIZE 20u
#define KEYS_LABEL_MAX 24u
#define KEYS_PREFIX    "tls13 "
#define KEYS_DRAFT(n)  (0xff000000u | (n))
#define KEYS_MVFST(n)  (0xfaceb000u | (n))

struct keys_version {
    uint32_t first, last;
    uint8_t salt[KEYS_SALT_SIZE];
};

/*
 * RFC 9001 5.2, RFC 9369 3.3.1 and the drafts before them; Facebook's mvfst follows drafts 22
 * and 27.
 */
static const struct keys_version keys_versions[] = {
    {QUIC_VERSION_1, QUIC_VERSION_1, {0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17,
                                      0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc, 0xbb, 0x7f, 0x0a}},
    {QUIC_VERSION_2, QUIC_VERSION_2, {0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6, 0xdb, 0x81, 0x93,
                                      0x81, 0xbe, 0x6e, 0x26, 0x9d, 0xcb, 0xf9, 0xbd, 0x2e, 0xd9}},
    {KEYS_DRAFT(33), KEYS_DRAFT(34), {0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17,
                                      0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc, 0xbb, 0x7f, 0x0a}},
    {KEYS_DRAFT(29), KEYS_DRAFT(32), {0xaf, 0xbf, 0xec, 0x28, 0x99, 0x93, 0xd2, 0x4c, 0x9e, 0x97,
                                      0x86, 0xf1, 0x9c, 0x61, 0x11, 0xe0, 0x43, 0x90, 0xa8, 0x99}},
    {KEYS_DRAFT(23), KEYS_DRAFT(28), {0xc3, 0xee, 0xf7, 0x12, 0xc7, 0x2e, 0xbb, 0x5a, 0x11, 0xa7,
                                      0xd2, 0x43, 0x2b, 0xb4, 0x63, 0x65, 0xbe, 0xf9, 0xf5, 0x02}},
    {KEYS_DRAFT(21), KEYS_DRAFT(22), {0x7f, 0xbc, 0xdb, 0x0e, 0x7c, 0x66, 0xbb, 0xe9, 0x19, 0x3a,
                                      0x96, 0xcd, 0x21, 0x51, 0x9e, 0xbd, 0x7a, 0x02, 0x64, 0x4a}},
    {KEYS_MVFST(2), KEYS_MVFST(2), {0xc3, 0xee, 0xf7, 0x12, 0xc7, 0x2e, 0xbb, 0x5a, 0x11, 0xa7,
                                    0xd2, 0x43, 0x2b, 0xb4, 0x63, 0x65, 0xbe, 0xf9, 0xf5, 0x02}},
    {KEYS_MVFST(1), KEYS_MVFST(1), {0x7f, 0xbc, 0xdb, 0x0e, 0x7c, 0x66, 0xbb, 0xe9, 0x19, 0x3a,
                                    0x96, 0xcd, 0x21, 0x51, 0x9e, 0xbd, 0x7a, 0x02, 0x64, 0x4a}},
};

static const uint8_t *keys_salt(uint32_t version)
{
    const uint8_t *salt = NULL;

    for (size_t i = 0; i < sizeof(keys_versions) / sizeof(keys_versions[0]) && !salt; i++) {
        if (version >= keys_versions[i].first && version <= keys_versions[i].last) {
            salt = keys_versions[i].salt;
        }
    }
    return salt;
}

bool quic_knows_version(uint32_t version)
{
    return keys_salt(version) != NULL;
}

/* HMAC-SHA-256 without a context of its own: five a packet, each with another key. */
static bool keys_hmac(const uint8_t *key, size_t key_length, const uint8_t *bytes, size_t length,
                      uint8_t ret_hash[KEYS_HASH_SIZE])
{
    /* libgcrypt takes the key as the first buffer, and none of them is written to. */
    gcry_buffer_t parts[2] = {{.data = (void *)(uintptr_t)key, .len = key_length},
                              {.data = (void *)(uintptr_t)bytes, .len = length}};

    return gcry_md_hash_buffers(GCRY_MD_SHA256, GCRY_MD_FLAG_HMAC, ret_hash, parts, 2) == 0;
}

/* HKDF-Expand-Label with an empty context (RFC 8446 7.1, RFC 5869 2.3): one block is enough for all
 * of QUIC's. */
static bool keys_expand(const uint8_t secret[KEYS_HASH_SIZE], const char *label, uint8_t *ret_key,
                        size_t length)
{
    uint8_t info[2 + 1 + sizeof(KEYS_PREFIX) + KEYS_LABEL_MAX + 2], block[KEYS_HASH_SIZE];
    size_t prefix_length = strlen(KEYS_PREFIX), label_length = strlen(label), at = 0;

    info[at++] = 0;
    info[at++] = (uint8_t)length;
    info[at++] = (uint8_t)(prefix_length + label_length);
    memcpy(info + at, KEYS_PREFIX, prefix_length);
    at += prefix_length;
    memcpy(info + at, label, label_length);
    at += label_length;
    info[at++] = 0; /* no context */
    info[at++] = 1; /* the first block */
    bool good = keys_hmac(secret, KEYS_HASH_SIZE, info, at, block);
    if (good) {
        memcpy(ret_key, block, length);
    }
    return good;
}

bool quic_derive_keys(uint32_t version, const uint8_t *cid, size_t cid_length,
                      struct quic_keys *ret_keys)
{
    const uint8_t *salt = keys_salt(version);
    uint8_t initial[KEYS_HASH_SIZE], client[KEYS_HASH_SIZE];
    bool second = version == QUIC_VERSION_2; /* its labels differ (RFC 9369 3.3.2) */

    memset(ret_keys, 0, sizeof(*ret_keys));
    return salt && keys_hmac(salt, KEYS_SALT_SIZE, cid, cid_length, initial) &&
           keys_expand(initial, "client in", client, sizeof(client)) &&
           keys_expand(client, second ? "quicv2 key" : "quic key", ret_keys->key,
                       sizeof(ret_keys->key)) &&
           keys_expand(client, second ? "quicv2 iv" : "quic iv", ret_keys->iv,
                       sizeof(ret_keys->iv)) &&
           keys_expand(client, second ? "quicv2 hp" : "quic hp", ret_keys->header_key,
                       sizeof(ret_keys->header_key));
}

bool quic_header_mask(const struct quic_keys *keys, const uint8_t sample[QUIC_SAMPLE_SIZE],
                      uint8_t ret_mask[QUIC_MASK_SIZE])
{
    gcry_cipher_hd_t cipher = NULL;
    uint8_t block[QUIC_SAMPLE_SIZE] = {0};
    bool good = gcry_cipher_open(&cipher, GCRY_CIPHER_AES128, GCRY_CIPHER_MODE_ECB, 0) == 0 &&
                gcry_cipher_setkey(cipher, keys->header_key, sizeof(keys->header_key)) == 0 &&
                gcry_cipher_encrypt(cipher, block, sizeof(block), sample, QUIC_SAMPLE_SIZE) == 0;

    memcpy(ret_mask, block, QUIC_MASK_SIZE);
    gcry_cipher_close(cipher);
    return good;
}

/* The nonce is the iv, its last bytes mixed with the packet number (RFC 9001 5.3): an Initial's is
 * never truncated. */
static void keys_nonce(const struct quic_keys *keys, const struct quic_sealed *sealed,
                       uint8_t ret_nonce[12])
{
    memcpy(ret_nonce, keys->iv, sizeof(keys->iv));
    for (size_t i = 0; i < sealed->number_length; i++) {
        ret_nonce[sizeof(keys->iv) - sealed->number_length + i] ^= sealed->number[i];
    }
}

bool quic_open(const struct quic_keys *keys, const struct quic_sealed *sealed, uint8_t *ret_plain)
{
    gcry_cipher_hd_t cipher = NULL;
    uint8_t nonce[12];
    bool good = false;

    if (sealed->payload_length < QUIC_TAG_SIZE) {
        goto out;
    }
    size_t length = sealed->payload_length - QUIC_TAG_SIZE;
    keys_nonce(keys, sealed, nonce);
    good = gcry_cipher_open(&cipher, GCRY_CIPHER_AES128, GCRY_CIPHER_MODE_GCM, 0) == 0 &&
           gcry_cipher_setkey(cipher, keys->key, sizeof(keys->key)) == 0 &&
           gcry_cipher_setiv(cipher, nonce, sizeof(nonce)) == 0 &&
           gcry_cipher_authenticate(cipher, &sealed->first, 1) == 0 &&
           gcry_cipher_authenticate(cipher, sealed->header, sealed->header_length) == 0 &&
           gcry_cipher_authenticate(cipher, sealed->number, sealed->number_length) == 0 &&
           gcry_cipher_final(cipher) == 0 &&
           gcry_cipher_decrypt(cipher, ret_plain, length, sealed->payload, length) == 0 &&
           gcry_cipher_checktag(cipher, sealed->payload + length, QUIC_TAG_SIZE) == 0;
out:
    gcry_cipher_close(cipher);
    return good;
}
