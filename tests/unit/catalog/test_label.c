// SPDX-License-Identifier: GPL-3.0-or-later
#include "fixture.h"

#include <string.h>

static void test_ndpi(void **state)
{
    struct fixture *f = *state;
    struct catalog_match match;

    fixture_service(f, "whatsapp", "ndpi: [WhatsApp, WhatsAppCall]\n");
    fixture_service(f, "signal", "ndpi: [Signal, SignalVoip]\n");
    fixture_must_load(f);
    assert_true(catalog_match_ndpi(f->catalog, "WhatsAppCall", &match));
    assert_int_equal(match.service, catalog_service_find(f->catalog, "whatsapp")->number);
    assert_true(match.confirmed);
    assert_true(catalog_match_ndpi(f->catalog, "SIGNALVOIP", &match));
    assert_int_equal(match.service, catalog_service_find(f->catalog, "signal")->number);
    assert_false(catalog_match_ndpi(f->catalog, "WhatsAp", &match));
    assert_false(catalog_match_ndpi(f->catalog, "TLS.WhatsApp", &match));
    assert_false(catalog_match_ndpi(f->catalog, "", &match));
    assert_false(catalog_match_ndpi(f->catalog, NULL, &match));
    fixture_service(f, "signal", "ndpi: [Signal, whatsapp]\n");
    fixture_must_refuse(f, "services/whatsapp.yaml", "services/signal.yaml");
}

static void test_alpn(void **state)
{
    struct fixture *f = *state;
    struct catalog_match match;

    fixture_service(f, "xmpp", "alpn: [xmpp-client, xmpp-server]\n");
    fixture_service(f, "apns", "alpn: [apns-pack-v1]\n");
    fixture_must_load(f);
    assert_true(catalog_match_alpn(f->catalog, "xmpp-server", &match));
    assert_int_equal(match.service, catalog_service_find(f->catalog, "xmpp")->number);
    assert_false(catalog_match_alpn(f->catalog, "XMPP-server", &match));
    assert_false(catalog_match_alpn(f->catalog, "h2", &match));
    assert_false(catalog_match_alpn(f->catalog, "http/1.1", &match));
    fixture_service(f, "apns", "alpn: [xmpp-client]\n");
    fixture_must_refuse(f, "services/xmpp.yaml", "services/apns.yaml");
}

static void test_certificates(void **state)
{
    struct fixture *f = *state;
    struct catalog_match match;

    fixture_service(f, "signal", "certificates:\n  - {issuer: Signal Messenger, source: s}\n");
    fixture_service(f, "other",
                    "certificates:\n"
                    "  - {subject: 'O=Other', issuer: Root CA, sure: unconfirmed, source: s}\n");
    fixture_must_load(f);
    assert_true(
        catalog_match_certificate(f->catalog, "CN=chat", "O=SIGNAL MESSENGER, LLC", &match));
    assert_int_equal(match.service, catalog_service_find(f->catalog, "signal")->number);
    assert_true(match.confirmed);
    assert_false(catalog_match_certificate(f->catalog, "O=Signal Messenger", "CN=Else", &match));
    assert_false(catalog_match_certificate(f->catalog, NULL, "Signal Messenge", &match));
    assert_true(catalog_match_certificate(f->catalog, NULL, "x Signal Messenger", &match));
    assert_false(catalog_match_certificate(f->catalog, "o=other", "Some CA", &match));
    assert_true(catalog_match_certificate(f->catalog, "CN=a, o=other", "a root ca", &match));
    assert_false(match.confirmed);
    assert_false(catalog_match_certificate(f->catalog, NULL, NULL, &match));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(test_ndpi), TEST(test_alpn), TEST(test_certificates)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
