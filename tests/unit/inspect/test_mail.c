// SPDX-License-Identifier: GPL-3.0-or-later
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "probe/inspect/mail.h"

static enum parse_result client_cut(const char *text, size_t length, struct mail_client *ret_client)
{
    uint8_t *exact = malloc(length ? length : 1);
    assert_non_null(exact);
    memcpy(exact, text, length);
    memset(ret_client, 0xa5, sizeof(*ret_client));
    enum parse_result result = mail_parse_client(exact, length, ret_client);
    free(exact);
    return result;
}

static enum parse_result server_cut(const char *text, size_t length, struct mail_server *ret_server)
{
    uint8_t *exact = malloc(length ? length : 1);
    assert_non_null(exact);
    memcpy(exact, text, length);
    memset(ret_server, 0xa5, sizeof(*ret_server));
    enum parse_result result = mail_parse_server(exact, length, ret_server);
    free(exact);
    return result;
}

/* Everything up to the mark asks for TLS, which follows. */
static void test_starttls(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum mail_kind kind;
    } cases[] = {
        {"EHLO me.example\r\nSTARTTLS\r\n", MAIL_SMTP},
        {"ehlo me\nstarttls\n", MAIL_SMTP},
        {"STARTTLS \r\n", MAIL_SMTP},
        {"CAPA\r\nSTLS\r\n", MAIL_POP3},
        {"STLS\r\n", MAIL_POP3},
        {"AUTH\r\nCAPA\r\nSTLS\r\n", MAIL_POP3},
        {"A1 CAPABILITY\r\nA2 STARTTLS\r\n", MAIL_IMAP},
        {". starttls\r\n", MAIL_IMAP},
        {"<?xml version='1.0'?><stream:stream to='Chat.example' version='1.0'>"
         "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
         MAIL_XMPP},
        {"<stream:stream\n xmlns='jabber:client' to=\"Chat.example\">\n"
         "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'></starttls>\n",
         MAIL_XMPP},
    };
    static const char tls[] = "\x16\x03\x01\x00\x05";
    struct mail_client mail;
    char text[512];

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t length = strlen(cases[i].text);
        memcpy(text, cases[i].text, length);
        memcpy(text + length, tls, sizeof(tls));
        for (size_t cut = 0; cut <= length + sizeof(tls); cut++) {
            enum parse_result result = client_cut(text, cut, &mail);
            if (cut >= length) {
                assert_int_equal(result, PARSE_DONE);
                assert_int_equal(mail.kind, cases[i].kind);
                assert_true(mail.starttls);
                assert_int_equal(mail.tls_offset, length);
                assert_string_equal(mail.host, mail.kind == MAIL_XMPP ? "chat.example" : "");
            } else if (result != PARSE_DONE || cut + 1 < length) {
                assert_int_equal(result, PARSE_MORE);
                assert_int_equal(mail.tls_offset, 0);
                assert_false(mail.starttls);
            }
        }
    }
}

static void test_client_kinds(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum parse_result result;
        enum mail_kind kind;
    } cases[] = {
        {"EHLO me.example\r\n", PARSE_MORE, MAIL_SMTP},
        {"HELO me", PARSE_MORE, MAIL_SMTP},
        {"MAIL FROM:<a@example.org>\r\n", PARSE_MORE, MAIL_SMTP},
        {"EHLO me\r\nAUTH LOGIN\r\nYWJj\r\nZGVm\r\n", PARSE_MORE, MAIL_SMTP},
        /* Text after DATA is a letter's, not the protocol's. */
        {"EHLO me\r\nMAIL FROM:<>\r\nRCPT TO:<a@b>\r\nDATA\r\nSTARTTLS\r\n", PARSE_DONE, MAIL_SMTP},
        {"EHLO me\r\na1 STARTTLS\r\nSTLS\r\n", PARSE_MORE, MAIL_SMTP},
        {"a LOGIN u p\r\na SELECT INBOX\r\n", PARSE_DONE, MAIL_IMAP},
        {"USER me\r\n", PARSE_MORE, MAIL_NONE}, /* FTP's too */
        {"USER me\r\nPASS word\r\nSTAT\r\n", PARSE_MORE, MAIL_POP3},
        {"USER me\r\nPASS word\r\nSYST\r\n", PARSE_NOT_MINE, MAIL_NONE},
        {"AUTH TLS\r\n", PARSE_NOT_MINE, MAIL_NONE},
        {"NICK me\r\nUSER me 0 * :me\r\n", PARSE_NOT_MINE, MAIL_NONE},
        {"GET / HTTP/1.1\r\n", PARSE_NOT_MINE, MAIL_NONE},
        {"SSH-2.0-x\r\n", PARSE_NOT_MINE, MAIL_NONE},
        {"\x16\x03\x01", PARSE_NOT_MINE, MAIL_NONE},
        {"MAIL me\r\n", PARSE_NOT_MINE, MAIL_NONE},
        {"\r\n", PARSE_NOT_MINE, MAIL_NONE},
        {"", PARSE_MORE, MAIL_NONE},
        {"<policy-file-request/>", PARSE_NOT_MINE, MAIL_NONE},
        {"<?xml version='1.0'?><soap/>", PARSE_NOT_MINE, MAIL_NONE},
        {"<stream:stream to='a.example'>", PARSE_MORE, MAIL_XMPP},
        {"<stream:stream to='a.example'><auth mechanism='PLAIN'/>", PARSE_DONE, MAIL_XMPP},
        {"<stream:stream xto='a' to = a.example>", PARSE_MORE, MAIL_XMPP},
    };
    struct mail_client mail;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(client_cut(cases[i].text, strlen(cases[i].text), &mail), cases[i].result);
        assert_int_equal(mail.kind, cases[i].kind);
        assert_false(mail.starttls);
        assert_int_equal(mail.tls_offset, 0);
        for (size_t length = 0; length < strlen(cases[i].text); length++) {
            (void)client_cut(cases[i].text, length, &mail);
        }
    }
}

static void test_server(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum parse_result result;
        enum mail_kind kind;
        const char *host;
    } cases[] = {
        {"220 Mx.example.org ESMTP ready\r\n", PARSE_DONE, MAIL_SMTP, "mx.example.org"},
        {"220-mx.example.org hello\r\n220 no spam, SMTP only\r\n", PARSE_DONE, MAIL_SMTP,
         "mx.example.org"},
        {"554 mx.example.org ESMTP not you\r\n", PARSE_DONE, MAIL_SMTP, "mx.example.org"},
        {"220 ESMTP\r\n", PARSE_DONE, MAIL_SMTP, ""},
        {"220 192.0.2.1 ESMTP\r\n", PARSE_DONE, MAIL_SMTP, ""},
        {"220 smtp.example.org ready\r\n", PARSE_MORE, MAIL_NONE, "smtp.example.org"},
        {"220 mx.example.org\r\n250-mx.example.org\r\n", PARSE_DONE, MAIL_SMTP, "mx.example.org"},
        {"220 mx.example.org\r\n502 what\r\n250 HELO\r\n", PARSE_DONE, MAIL_SMTP, "mx.example.org"},
        {"220 files.example.org\r\n331 password\r\n", PARSE_NOT_MINE, MAIL_NONE, ""},
        {"220 (vsFTPd 3.0.3)\r\n", PARSE_NOT_MINE, MAIL_NONE, ""},
        {"220 smtp.example.org FTP server\r\n", PARSE_NOT_MINE, MAIL_NONE, ""},
        {"2200 x\r\n", PARSE_NOT_MINE, MAIL_NONE, ""},
        {"* OK [CAPABILITY IMAP4rev1 STARTTLS] imap.example.org ready\r\n", PARSE_DONE, MAIL_IMAP,
         "imap.example.org"},
        {"* OK Gimap ready for requests from 192.0.2.77 x\r\n", PARSE_DONE, MAIL_IMAP, ""},
        {"* PREAUTH imap.example.org\r\n", PARSE_DONE, MAIL_IMAP, "imap.example.org"},
        {"* OK imap.exam", PARSE_MORE, MAIL_IMAP, ""},
        {"+OK pop.example.org POP3\r\n", PARSE_DONE, MAIL_POP3, "pop.example.org"},
        {"+OK ready <1896.697@pop.example.org>\r\n", PARSE_DONE, MAIL_POP3, "pop.example.org"},
        {"+OK ready <1896.697@pop.example.org\r\n", PARSE_DONE, MAIL_POP3, ""},
        {"+OK\r\n", PARSE_NOT_MINE, MAIL_NONE, ""}, /* Redis says the same */
        {"<?xml version='1.0'?><stream:stream id='1' from='chat.example'>", PARSE_DONE, MAIL_XMPP,
         "chat.example"},
        {"<html>", PARSE_NOT_MINE, MAIL_NONE, ""},
        {"HTTP/1.1 200 OK\r\n", PARSE_NOT_MINE, MAIL_NONE, ""},
        {"", PARSE_MORE, MAIL_NONE, ""},
    };
    struct mail_server mail;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(server_cut(cases[i].text, strlen(cases[i].text), &mail), cases[i].result);
        assert_int_equal(mail.kind, cases[i].kind);
        assert_string_equal(mail.host, cases[i].host);
        for (size_t length = 0; length < strlen(cases[i].text); length++) {
            (void)server_cut(cases[i].text, length, &mail);
        }
    }
}

/* Neither side is asked for ever. */
static void test_undecided(void **state)
{
    (void)state;
    static char text[8192];
    struct mail_client client;
    struct mail_server server;

    memset(text, 'a', sizeof(text));
    assert_int_equal(client_cut(text, 10, &client), PARSE_MORE);
    assert_int_equal(client_cut(text, sizeof(text), &client), PARSE_NOT_MINE);
    memcpy(text, "220 ", 4);
    assert_int_equal(server_cut(text, 10, &server), PARSE_MORE);
    assert_int_equal(server_cut(text, sizeof(text), &server), PARSE_NOT_MINE);
    memcpy(text, "<?xml", 5);
    assert_int_equal(client_cut(text, 100, &client), PARSE_MORE);
    assert_int_equal(client_cut(text, sizeof(text), &client), PARSE_NOT_MINE);
    for (size_t i = 0; i < sizeof(text); i += 6) {
        memcpy(text + i, "NOOP\r\n", sizeof(text) - i < 6 ? sizeof(text) - i : 6);
    }
    assert_int_equal(client_cut(text, 60, &client), PARSE_MORE);
    assert_int_equal(client_cut(text, sizeof(text), &client), PARSE_NOT_MINE);
}

static void test_kind_text(void **state)
{
    (void)state;

    assert_null(mail_kind_text(MAIL_NONE));
    assert_string_equal(mail_kind_text(MAIL_SMTP), "SMTP");
    assert_string_equal(mail_kind_text(MAIL_IMAP), "IMAP");
    assert_string_equal(mail_kind_text(MAIL_POP3), "POP3");
    assert_string_equal(mail_kind_text(MAIL_XMPP), "Jabber");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_starttls),  cmocka_unit_test(test_client_kinds),
        cmocka_unit_test(test_server),    cmocka_unit_test(test_undecided),
        cmocka_unit_test(test_kind_text),
    };

    return cmocka_run_group_tests_name("inspect_mail", tests, NULL, NULL);
}
