// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The small parsers. The first byte chooses: 0 SRP (the second byte is where the server's payload
 * begins, the third that of the lengths beyond them), 1 STUN, 2 DTLS, 3 a mail client, 4 a mail
 * server.
 */
#include <stdlib.h>
#include <string.h>

#include "probe/inspect/mail.h"
#include "probe/inspect/srp.h"
#include "probe/inspect/stun.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
    if (!ok) {
        abort();
    }
}

static void run_srp(const uint8_t *data, size_t size)
{
    struct srp_score score;
    size_t client, server;

    if (size < 2) {
        return;
    }
    client = data[0] < size - 2 ? data[0] : size - 2;
    server = size - 2 - client;
    struct srp_signs signs = {
        .client_first = client > 0 ? data + 2 : NULL,
        .server_first = server > 0 ? data + 2 + client : NULL,
        .client_captured = client,
        .server_captured = server,
        .client_lengths = {(uint16_t)client, data[1], data[1] / 2},
        .server_lengths = {(uint16_t)server, data[1] / 3},
        .client_count = data[1] & 3,
        .server_count = data[1] >> 2 & 3,
        .client_spoke_first = !(data[1] & 0x80),
        .server_port = 3101,
    };
    memset(&score, 0xa5, sizeof(score));
    srp_score(&signs, &score);
    check(score.points <= 7);
    check(!score.excluded || (score.points == 0 && !score.has_identifier));
}

static void run_stun(const uint8_t *data, size_t size)
{
    struct stun_message message;

    memset(&message, 0xa5, sizeof(message));
    enum parse_result result = stun_parse(data, size, &message);
    check(memchr(message.software, '\0', sizeof(message.software)) != NULL);
    check(memchr(message.realm, '\0', sizeof(message.realm)) != NULL);
    check(result != PARSE_DONE || size >= 20);
}

static void run_dtls(const uint8_t *data, size_t size)
{
    struct tls_client client;

    memset(&client, 0xa5, sizeof(client));
    enum parse_result result = dtls_parse(data, size, &client);
    check(memchr(client.host, '\0', sizeof(client.host)) != NULL);
    check(memchr(client.ja4, '\0', sizeof(client.ja4)) != NULL);
    check(result == PARSE_DONE || result == PARSE_NOT_MINE);
}

static void run_mail_client(const uint8_t *data, size_t size)
{
    struct mail_client client;

    memset(&client, 0xa5, sizeof(client));
    enum parse_result result = mail_parse_client(data, size, &client);
    check(memchr(client.host, '\0', sizeof(client.host)) != NULL);
    check(client.tls_offset <= size && client.starttls == (client.tls_offset > 0));
    check(!client.starttls || (result == PARSE_DONE && client.kind != MAIL_NONE));
    check(result != PARSE_NOT_MINE || client.kind == MAIL_NONE);
    (void)mail_kind_text(client.kind);
}

static void run_mail_server(const uint8_t *data, size_t size)
{
    struct mail_server server;

    memset(&server, 0xa5, sizeof(server));
    enum parse_result result = mail_parse_server(data, size, &server);
    check(memchr(server.host, '\0', sizeof(server.host)) != NULL);
    check((result == PARSE_DONE) <= (server.kind != MAIL_NONE));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const runs[])(const uint8_t *, size_t) = {
        run_srp, run_stun, run_dtls, run_mail_client, run_mail_server,
    };

    if (size > 0) {
        runs[data[0] % (sizeof(runs) / sizeof(runs[0]))](data + 1, size - 1);
    }
    return 0;
}
