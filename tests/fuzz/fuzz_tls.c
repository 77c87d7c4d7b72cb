// SPDX-License-Identifier: GPL-3.0-or-later
/* The first byte picks the parser, the rest is what it reads. */
#include <stdlib.h>
#include <string.h>

#include "probe/inspect/tls.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool good)
{
    if (!good) {
        abort();
    }
}

/* What the manual promises of a name: lower case, printable, NUL-terminated. */
static void check_host(const char host[PARSE_HOST_SIZE])
{
    check(memchr(host, '\0', PARSE_HOST_SIZE) != NULL);
    for (const char *c = host; *c; c++) {
        check(*c > ' ' && *c < 0x7f && (*c < 'A' || *c > 'Z'));
    }
}

static void check_client(enum parse_result result, const struct tls_client *client)
{
    check_host(client->host);
    check(memchr(client->alpn, '\0', TLS_ALPN_SIZE) != NULL);
    check(strlen(client->ja4) ==
          (client->complete && client->record_version != 2 ? TLS_JA4_SIZE - 1 : 0));
    check(!client->complete || result == PARSE_DONE);
}

static void check_certificate(const struct tls_certificate *certificate)
{
    check(certificate->name_count <= TLS_NAMES_MAX);
    for (unsigned i = 0; i < certificate->name_count; i++) {
        check_host(certificate->names[i]);
    }
    check(memchr(certificate->subject, '\0', TLS_TEXT_SIZE) != NULL);
    check(memchr(certificate->issuer, '\0', TLS_TEXT_SIZE) != NULL);
}

static void fuzz_client(uint8_t choice, const uint8_t *bytes, size_t size)
{
    static const char transports[] = "tqd";
    struct tls_client client;

    if (choice == 0) {
        check_client(tls_parse_client(bytes, size, &client), &client);
    } else {
        char transport = transports[choice - 1];
        check_client(tls_parse_client_hello(bytes, size, transport, &client), &client);
    }
}

static void fuzz_server(bool final, const uint8_t *bytes, size_t size)
{
    struct tls_server server;
    uint8_t level, description;

    check(tls_parse_server(bytes, size, final, &server) != PARSE_MORE || !final);
    check_certificate(&server.certificate);
    if (tls_parse_alert(bytes, size, &level, &description)) {
        check(tls_alert_text(description) != NULL);
    }
}

static void fuzz_x509(bool cut, const uint8_t *bytes, size_t size)
{
    struct tls_certificate certificate;
    bool good = x509_parse(bytes, size, cut ? size + 100 : size, &certificate);

    check(good == certificate.present && (!good || certificate.truncated == cut));
    check_certificate(&certificate);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    (void)digest_setup();
    if (size > 0) {
        uint8_t choice = data[0] % 8;
        if (choice < 4) {
            fuzz_client(choice, data + 1, size - 1);
        } else if (choice < 6) {
            fuzz_server(choice == 5, data + 1, size - 1);
        } else {
            fuzz_x509(choice == 7, data + 1, size - 1);
        }
    }
    return 0;
}
