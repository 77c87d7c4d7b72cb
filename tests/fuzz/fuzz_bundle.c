// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What somebody hands on as a bundle, and its MANIFEST: `darkline report --verify`. A manifest that is read
 * must be written as files that may lie in a report.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/digest.h"
#include "reports/publish/manifest.h"
#include "reports/publish/publish.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool condition)
{
    if (!condition) {
        abort();
    }
}

static void read_manifest(const uint8_t *data, size_t size)
{
    struct manifest manifest = {.count = 0};
    struct dl_error error = {0};
    int status = manifest_parse(&manifest, (const char *)data, size, &error);

    demand(status == DL_OK || status == DL_CORRUPT || status == DL_LIMIT || status == -ENOMEM);
    for (size_t i = 0; status == DL_OK && i < manifest.count; i++) {
        demand(manifest_is_name(manifest.files[i].name));
        demand(manifest_find(&manifest, manifest.files[i].name) != NULL);
    }
    manifest_finish(&manifest);
}

static void read_bundle(const uint8_t *data, size_t size)
{
    struct verify_result result = {0};
    struct dl_error error = {0};
    char path[40];
    int fd = memfd_create("bundle", MFD_CLOEXEC);

    demand(fd >= 0);
    demand(write(fd, data, size) == (ssize_t)size);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    int status = publish_verify(path, NULL, &result, &error);
    demand(status == DL_OK || error.message[0] != '\0');
    close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    demand(digest_setup() == DL_OK);
    read_manifest(data, size);
    read_bundle(data, size);
    return 0;
}
