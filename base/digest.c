// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/digest.h"

#include <errno.h>
#include <gcrypt.h>
#include <stdlib.h>
#include <string.h>

#include "base/status.h"

#define GCRYPT_VERSION_MINIMUM "1.10.0"

struct digest {
    gcry_md_hd_t handle;
};

struct digest_hmac {
    gcry_md_hd_t handle;
};

int digest_setup(void)
{
    int status = DL_OK;

    if (gcry_control(GCRYCTL_INITIALIZATION_FINISHED_P)) {
        goto out;
    }
    if (!gcry_check_version(GCRYPT_VERSION_MINIMUM)) {
        status = DL_LIBRARY;
        goto out;
    }
    /* Locked memory is for long-lived secrets of others; we would only run out of it. */
    gcry_control(GCRYCTL_DISABLE_SECMEM, 0);
    gcry_control(GCRYCTL_INITIALIZATION_FINISHED, 0);
out:
    return status;
}

static int digest_status(gcry_error_t error)
{
    if (error == 0) {
        return DL_OK;
    }
    return gcry_err_code(error) == GPG_ERR_ENOMEM ? -ENOMEM : DL_LIBRARY;
}

int digest_create(struct digest **ret_digest)
{
    struct digest *digest = malloc(sizeof(*digest));
    int status = -ENOMEM;

    if (!digest) {
        goto out;
    }
    status = digest_status(gcry_md_open(&digest->handle, GCRY_MD_SHA256, 0));
    if (status != DL_OK) {
        goto out;
    }
    *ret_digest = digest;
    digest = NULL;
out:
    free(digest);
    return status;
}

void digest_update(struct digest *digest, const void *bytes, size_t length)
{
    if (length > 0) {
        gcry_md_write(digest->handle, bytes, length);
    }
}

void digest_final(struct digest *digest, uint8_t ret_hash[DIGEST_SIZE])
{
    memcpy(ret_hash, gcry_md_read(digest->handle, GCRY_MD_SHA256), DIGEST_SIZE);
}

void digest_destroy(struct digest *digest)
{
    if (digest) {
        gcry_md_close(digest->handle);
        free(digest);
    }
}

void digest_sha256(const void *bytes, size_t length, uint8_t ret_hash[DIGEST_SIZE])
{
    gcry_md_hash_buffer(GCRY_MD_SHA256, ret_hash, length > 0 ? bytes : "", length);
}

int digest_hmac_create(struct digest_hmac **ret_hmac, const void *key, size_t key_length)
{
    struct digest_hmac *hmac = calloc(1, sizeof(*hmac));
    int status = -ENOMEM;

    if (!hmac) {
        goto out;
    }
    status = digest_status(gcry_md_open(&hmac->handle, GCRY_MD_SHA256, GCRY_MD_FLAG_HMAC));
    if (status != DL_OK) {
        goto out_free;
    }
    status = digest_status(gcry_md_setkey(hmac->handle, key_length > 0 ? key : "", key_length));
    if (status != DL_OK) {
        goto out_close;
    }
    *ret_hmac = hmac;
    goto out;
out_close:
    gcry_md_close(hmac->handle);
out_free:
    free(hmac);
out:
    return status;
}

void digest_hmac(struct digest_hmac *hmac, const void *bytes, size_t length,
                 uint8_t ret_hash[DIGEST_SIZE])
{
    gcry_md_reset(hmac->handle); /* keeps the key */
    if (length > 0) {
        gcry_md_write(hmac->handle, bytes, length);
    }
    memcpy(ret_hash, gcry_md_read(hmac->handle, GCRY_MD_SHA256), DIGEST_SIZE);
}

void digest_hmac_destroy(struct digest_hmac *hmac)
{
    if (hmac) {
        gcry_md_close(hmac->handle); /* wipes the key */
        free(hmac);
    }
}

char *digest_text(const uint8_t hash[DIGEST_SIZE], char text[DIGEST_TEXT_SIZE])
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < DIGEST_SIZE; i++) {
        text[2 * i] = digits[hash[i] >> 4];
        text[2 * i + 1] = digits[hash[i] & 15];
    }
    text[2 * DIGEST_SIZE] = '\0';
    return text;
}
