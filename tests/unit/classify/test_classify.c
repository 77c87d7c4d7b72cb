// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/unit/catalog/fixture.h"

#include <stdio.h>
#include <string.h>

#include "probe/classify/classify.h"

/* What is known of one flow; a test fills it and asks. */
struct scene {
    struct fixture *fixture;
    struct classify_input input;
    struct address server;
    struct dns_hint dns;
    struct inspection inspection;
    struct tag tag;
};

#define BLOCK        "203.0.113.9"
#define MAYBE_BLOCK  "198.51.100.9"
#define SHARED_BLOCK "192.0.2.9"
#define NOWHERE      "8.8.8.8"

static void write_services(struct fixture *f)
{
    fixture_service(f, "alpha",
                    "names:\n  - {suffix: alpha.example, role: web, source: s}\n"
                    "  - {suffix: maybe.example, role: push, sure: unconfirmed, source: s}\n"
                    "not:\n  - {exact: status.alpha.example, reason: r, source: s}\n"
                    "addresses:\n  - {block: 203.0.113.0/24, role: relay, source: s}\n"
                    "  - {block: 192.0.2.0/24, role: relay, source: s}\n"
                    "  - {block: 198.51.100.0/24, role: relay, sure: unconfirmed, source: s}\n"
                    "ports:\n  - {transport: tcp, first: 5222, last: 5222, role: signalling, "
                    "distinctive: true, source: s}\n"
                    "  - {transport: tcp, first: 443, last: 443, role: web, source: s}\n"
                    "  - {transport: tcp, first: 4244, last: 4244, role: media, source: s}\n"
                    "alpn: [alpha-chat]\nndpi: [Viber]\n"
                    "certificates:\n  - {issuer: Alpha CA, source: s}\n"
                    "wire:\n  - {id: w, transport: tcp, role: relay, certainty: likely, "
                    "client: [{offset: 0, hex: a1b2c3d4}], source: s}\n"
                    "  - {id: v, transport: tcp, role: relay, certainty: possible, "
                    "client: [{offset: 0, hex: a1b2c3d5}], source: s}\n"
                    "  - {id: u, transport: tcp, role: relay, certainty: likely, "
                    "sure: unconfirmed, client: [{offset: 0, hex: a1b2c3d6}], source: s}\n");
    fixture_service(f, "beta",
                    "names:\n  - {suffix: beta.example, role: relay, source: s}\n"
                    "addresses:\n  - {block: 192.0.2.0/25, role: media, source: s}\n");
    fixture_service(f, "gamma",
                    "self_hosted: true\nndpi: [TeamSpeak]\n"
                    "ports:\n  - {transport: tcp, first: 8448, last: 8448, role: relay, "
                    "distinctive: true, source: s}\n");
    fixture_service(f, "blackberry-bes",
                    "names:\n  - {suffix: bes.example, role: relay, source: s}\n"
                    "addresses:\n  - {block: 203.0.113.0/25, transport: tcp, first_port: 3101, "
                    "last_port: 3101, role: relay, source: s}\n"
                    "ports:\n  - {transport: tcp, first: 3101, last: 3101, role: relay, "
                    "distinctive: true, source: s}\n");
    fixture_write(f, "inventory.yaml",
                  "- {name: Ours, service: gamma, address: 8.8.4.4, port: 8448}\n"
                  "- {name: Our block, service: gamma, address: 9.9.9.0/24}\n"
                  "- {name: Our name, service: gamma, host: chat.ours.example}\n");
}

static int setup(void **state)
{
    struct fixture *f;

    fixture_setup(state);
    f = *state;
    write_services(f);
    fixture_must_load(f);
    if (catalog_add_inventory(f->catalog, fixture_path(f, "inventory.yaml"), &f->error) != DL_OK) {
        fail_msg("%s", f->error.message);
    }
    return 0;
}

static uint16_t number_of(const struct scene *scene, const char *id)
{
    const struct catalog_service *service = catalog_service_find(scene->fixture->catalog, id);

    assert_non_null(service);
    return service->number;
}

/* A flow to this server, of which nothing else is known. */
static void begin(struct scene *scene, void **state, const char *server, uint16_t port)
{
    memset(scene, 0, sizeof(*scene));
    scene->fixture = *state;
    assert_int_equal(address_parse(server, &scene->server), DL_OK);
    scene->input = (struct classify_input){.catalog = scene->fixture->catalog,
                                           .transport = TRANSPORT_TCP,
                                           .server_port = port,
                                           .server = &scene->server};
}

static void with_host(struct scene *scene, enum host_source source, const char *host)
{
    snprintf(scene->inspection.facts.host, sizeof(scene->inspection.facts.host), "%s", host);
    scene->inspection.facts.host_source = (uint8_t)source;
    scene->input.inspection = &scene->inspection;
}

static void with_dns(struct scene *scene, const char *id, bool ambiguous)
{
    scene->dns = (struct dns_hint){.confirmed = true,
                                   .service = id ? number_of(scene, id) : 0,
                                   .ambiguous = ambiguous,
                                   .names = 1};
    scene->input.dns = &scene->dns;
}

static void with_payload(struct scene *scene, enum side side, const void *bytes, size_t length,
                         uint16_t second_length)
{
    struct inspection *i = &scene->inspection;

    i->client_first |= side == SIDE_CLIENT;
    memcpy(i->first[side], bytes, length);
    i->first_captured[side] = (uint8_t)length;
    i->lengths[side][0] = (uint16_t)length;
    i->lengths[side][1] = second_length;
    i->length_count[side] = second_length ? 2 : 1;
    scene->input.inspection = i;
}

static void expect(struct scene *scene, const char *id, enum certainty certainty, unsigned reasons)
{
    uint16_t service = id ? number_of(scene, id) : 0;

    classify(&scene->input, &scene->tag);
    if (scene->tag.service != service || scene->tag.certainty != certainty ||
        scene->tag.reasons != reasons) {
        fail_msg("service %u certainty %d reasons 0x%x, but expected %u %d 0x%x",
                 scene->tag.service, (int)scene->tag.certainty, scene->tag.reasons, service,
                 (int)certainty, reasons);
    }
}

static void expect_nothing(struct scene *scene)
{
    expect(scene, NULL, CERTAINTY_NONE, 0);
    assert_int_equal(scene->tag.role, ROLE_NONE);
}

/* ---- names ---- */

static void test_name(void **state)
{
    struct scene s;

    begin(&s, state, NOWHERE, 443);
    with_host(&s, HOST_SNI, "www.alpha.example");
    expect(&s, "alpha", CERTAINTY_CERTAIN, REASON_SNI);
    assert_int_equal(s.tag.role, ROLE_WEB);
    s.inspection.facts.certificate_service = number_of(&s, "alpha");
    s.inspection.facts.certificate_confirmed = true;
    expect(&s, "alpha", CERTAINTY_CERTAIN, REASON_SNI | REASON_CERT);
    begin(&s, state, BLOCK, 5222);
    with_host(&s, HOST_HTTP, "alpha.example");
    with_dns(&s, "alpha", false);
    expect(&s, "alpha", CERTAINTY_CERTAIN, REASON_HTTP_HOST | REASON_DNS | REASON_IP | REASON_PORT);
    /* The client's word goes before what the address's block or the DNS says. */
    begin(&s, state, BLOCK, 443);
    with_host(&s, HOST_SNI, "beta.example");
    with_dns(&s, "alpha", false);
    expect(&s, "beta", CERTAINTY_CERTAIN, REASON_SNI);
    begin(&s, state, NOWHERE, 443);
    with_host(&s, HOST_SNI, "x.maybe.example");
    expect(&s, "alpha", CERTAINTY_LIKELY, REASON_SNI);
}

static void test_unknown_name(void **state)
{
    static const char *const names[] = {"www.stranger.example", "notalpha.example",
                                        "status.alpha.example", "alpha.example.org"};
    struct scene s;

    for (size_t i = 0; i < 4; i++) {
        begin(&s, state, BLOCK, 5222);
        with_host(&s, i % 2 ? HOST_HTTP : HOST_SNI, names[i]);
        expect_nothing(&s);
        with_dns(&s, "alpha", false);
        with_payload(&s, SIDE_CLIENT, "\xa1\xb2\xc3\xd4", 4, 0);
        s.inspection.dpi_name = "Viber";
        s.inspection.facts.certificate_service = number_of(&s, "alpha");
        s.inspection.facts.certificate_confirmed = true;
        expect_nothing(&s);
        /* Beside an encrypted hello the readable name is only the provider's. */
        s.inspection.facts.tls.ech = true;
        expect(&s, "alpha", CERTAINTY_CERTAIN, REASON_CERT | REASON_DNS | REASON_IP | REASON_PORT);
    }
    /* Anybody may host this one, under any name. */
    begin(&s, state, NOWHERE, 8448);
    with_host(&s, HOST_SNI, "chat.stranger.example");
    expect(&s, "gamma", CERTAINTY_POSSIBLE, REASON_PORT);
    s.inspection.dpi_name = "TeamSpeak";
    expect(&s, "gamma", CERTAINTY_LIKELY, REASON_NDPI | REASON_PORT);
}

static void test_certificate_and_greeting(void **state)
{
    struct scene s;

    begin(&s, state, NOWHERE, 443);
    with_host(&s, HOST_CERTIFICATE, "www.alpha.example");
    expect_nothing(&s); /* the name alone: the inspectors did not find it to be a service's */
    s.inspection.facts.certificate_service = number_of(&s, "alpha");
    s.inspection.facts.certificate_confirmed = true;
    expect(&s, "alpha", CERTAINTY_CERTAIN, REASON_CERT);
    assert_int_equal(s.tag.role, ROLE_WEB);
    begin(&s, state, BLOCK, 4244);
    with_host(&s, HOST_NONE, "");
    s.inspection.facts.certificate_service = number_of(&s, "alpha");
    s.inspection.facts.certificate_confirmed = true;
    expect(&s, "alpha", CERTAINTY_CERTAIN, REASON_CERT | REASON_IP | REASON_PORT);
    begin(&s, state, NOWHERE, 25);
    with_host(&s, HOST_GREETING, "mx.alpha.example");
    expect(&s, "alpha", CERTAINTY_LIKELY, REASON_WIRE);
    with_host(&s, HOST_GREETING, "mx.stranger.example");
    expect_nothing(&s);
}

/* ---- payloads ---- */

static void test_wire(void **state)
{
    struct scene s;

    begin(&s, state, NOWHERE, 9999);
    with_payload(&s, SIDE_CLIENT, "\xa1\xb2\xc3\xd4", 4, 0);
    expect(&s, "alpha", CERTAINTY_LIKELY, REASON_WIRE);
    with_dns(&s, "alpha", false);
    expect(&s, "alpha", CERTAINTY_CERTAIN, REASON_WIRE | REASON_DNS);
    with_dns(&s, "alpha", true);
    expect(&s, "alpha", CERTAINTY_LIKELY, REASON_WIRE);
    begin(&s, state, BLOCK, 9999);
    with_payload(&s, SIDE_CLIENT, "\xa1\xb2\xc3\xd4", 4, 0);
    expect(&s, "alpha", CERTAINTY_CERTAIN, REASON_WIRE | REASON_IP);
    /* A weak pattern. */
    begin(&s, state, NOWHERE, 4244);
    with_payload(&s, SIDE_CLIENT, "\xa1\xb2\xc3\xd5", 4, 0);
    expect(&s, "alpha", CERTAINTY_POSSIBLE, REASON_WIRE | REASON_PORT);
    begin(&s, state, BLOCK, 9999);
    with_payload(&s, SIDE_CLIENT, "\xa1\xb2\xc3\xd5", 4, 0);
    expect(&s, "alpha", CERTAINTY_LIKELY, REASON_WIRE | REASON_IP);
    /* One the catalog is not sure of. */
    begin(&s, state, BLOCK, 9999);
    with_payload(&s, SIDE_CLIENT, "\xa1\xb2\xc3\xd6", 4, 0);
    expect(&s, "alpha", CERTAINTY_LIKELY, REASON_WIRE | REASON_IP);
    /* Of the other side, or over UDP, they are nothing. */
    begin(&s, state, NOWHERE, 9999);
    with_payload(&s, SIDE_SERVER, "\xa1\xb2\xc3\xd4", 4, 0);
    expect_nothing(&s);
    begin(&s, state, NOWHERE, 9999);
    with_payload(&s, SIDE_CLIENT, "\xa1\xb2\xc3\xd4", 4, 0);
    s.input.transport = TRANSPORT_UDP;
    expect_nothing(&s);
}

static void test_protocols(void **state)
{
    struct scene s;

    begin(&s, state, NOWHERE, 9999);
    s.input.inspection = &s.inspection;
    expect_nothing(&s);
    s.inspection.dpi_name = "Viber";
    expect(&s, "alpha", CERTAINTY_LIKELY, REASON_NDPI);
    s.inspection.dpi_name = "HTTP";
    expect_nothing(&s);
    s.inspection.facts.protocol = "Viber";
    expect(&s, "alpha", CERTAINTY_LIKELY, REASON_WIRE);
    begin(&s, state, BLOCK, 9999);
    s.input.inspection = &s.inspection;
    s.inspection.dpi_name = "viber";
    expect(&s, "alpha", CERTAINTY_LIKELY, REASON_NDPI | REASON_IP);
    begin(&s, state, NOWHERE, 443);
    s.input.inspection = &s.inspection;
    strcpy(s.inspection.facts.tls.alpn, "alpha-chat");
    expect(&s, "alpha", CERTAINTY_LIKELY, REASON_ALPN);
    strcpy(s.inspection.facts.tls.alpn, "h2");
    expect_nothing(&s);
}

/* ---- where the client was sent ---- */

static void test_dns(void **state)
{
    struct scene s;

    begin(&s, state, NOWHERE, 443);
    with_dns(&s, "alpha", false);
    expect(&s, "alpha", CERTAINTY_LIKELY, REASON_DNS);
    /* 443 is everybody's: the port adds nothing. */
    assert_int_equal(s.tag.role, ROLE_WEB);
    begin(&s, state, NOWHERE, 4244);
    with_dns(&s, "alpha", false);
    expect(&s, "alpha", CERTAINTY_CERTAIN, REASON_DNS | REASON_PORT);
    begin(&s, state, BLOCK, 443);
    with_dns(&s, "alpha", false);
    expect(&s, "alpha", CERTAINTY_CERTAIN, REASON_DNS | REASON_IP);
    /* Several services, or a service and others, share the address. */
    begin(&s, state, NOWHERE, 443);
    with_dns(&s, "alpha", true);
    expect(&s, "alpha", CERTAINTY_POSSIBLE, REASON_DNS | REASON_AMBIGUOUS);
    begin(&s, state, NOWHERE, 4244);
    with_dns(&s, "alpha", true);
    expect(&s, "alpha", CERTAINTY_LIKELY, REASON_DNS | REASON_AMBIGUOUS | REASON_PORT);
    /* He asked for a name of nobody: block and port mean nothing. */
    begin(&s, state, BLOCK, 5222);
    with_dns(&s, NULL, false);
    expect_nothing(&s);
}

static void test_place(void **state)
{
    struct scene s;

    begin(&s, state, NOWHERE, 9999);
    expect_nothing(&s);
    begin(&s, state, BLOCK, 9999);
    expect(&s, "alpha", CERTAINTY_POSSIBLE, REASON_IP);
    assert_int_equal(s.tag.role, ROLE_RELAY);
    begin(&s, state, BLOCK, 443);
    expect(&s, "alpha", CERTAINTY_POSSIBLE, REASON_IP);
    /* A port alone: only one that is the service's own, and only in its transport. */
    begin(&s, state, NOWHERE, 5222);
    expect(&s, "alpha", CERTAINTY_POSSIBLE, REASON_PORT);
    begin(&s, state, NOWHERE, 4244);
    expect_nothing(&s);
    begin(&s, state, NOWHERE, 5222);
    s.input.transport = TRANSPORT_UDP;
    expect_nothing(&s);
    /* Both together. */
    begin(&s, state, BLOCK, 4244);
    expect(&s, "alpha", CERTAINTY_LIKELY, REASON_IP | REASON_PORT);
    begin(&s, state, MAYBE_BLOCK, 4244);
    expect(&s, "alpha", CERTAINTY_LIKELY, REASON_IP | REASON_PORT);
    /* Of two blocks the longer. */
    begin(&s, state, SHARED_BLOCK, 9999);
    expect(&s, "beta", CERTAINTY_POSSIBLE, REASON_IP);
    begin(&s, state, SHARED_BLOCK, 4244);
    expect(&s, "alpha", CERTAINTY_LIKELY, REASON_IP | REASON_PORT);
}

/* Whatever the address and the port are: alone they are never better than possible. */
static void test_place_alone_is_possible(void **state)
{
    static const char *const servers[] = {BLOCK, MAYBE_BLOCK, SHARED_BLOCK, NOWHERE};
    struct scene s;

    for (unsigned i = 0; i < 4; i++) {
        for (unsigned port = 1; port < 10000; port++) {
            begin(&s, state, servers[i], (uint16_t)port);
            classify(&s.input, &s.tag);
            if (s.tag.reasons == REASON_IP || s.tag.reasons == REASON_PORT) {
                assert_int_equal(s.tag.certainty, CERTAINTY_POSSIBLE);
            } else {
                assert_true(s.tag.reasons == 0 || s.tag.certainty == CERTAINTY_LIKELY);
            }
        }
    }
}

static void test_inventory(void **state)
{
    struct scene s;

    begin(&s, state, "8.8.4.4", 8448);
    expect(&s, "gamma", CERTAINTY_CERTAIN, REASON_IP | REASON_PORT | REASON_INVENTORY);
    begin(&s, state, "8.8.4.4", 443); /* the entry names its port */
    expect_nothing(&s);
    begin(&s, state, "9.9.9.9", 443);
    expect(&s, "gamma", CERTAINTY_LIKELY, REASON_IP | REASON_INVENTORY);
    /* Neither an unknown name nor an unknown question speaks against the operator's own word. */
    with_host(&s, HOST_SNI, "www.stranger.example");
    with_dns(&s, NULL, false);
    expect(&s, "gamma", CERTAINTY_LIKELY, REASON_IP | REASON_INVENTORY);
    begin(&s, state, NOWHERE, 443);
    with_host(&s, HOST_SNI, "chat.ours.example");
    expect(&s, "gamma", CERTAINTY_CERTAIN, REASON_SNI | REASON_INVENTORY);
}

/* ---- SRP ---- */

static const uint8_t challenge[16] = {0x9a, 0x01, 0xf3, 0x77, 0xc4, 0x18, 0xe2, 0x5d,
                                      0x80, 0xbb, 0x2e, 0x94, 0x0f, 0xd9, 0x63, 0xaa};

static void speak_srp(struct scene *s, const char *greeting)
{
    with_payload(s, SIDE_CLIENT, greeting, strlen(greeting), 20);
    with_payload(s, SIDE_SERVER, challenge, sizeof(challenge), 20);
    s->inspection.client_first = true;
}

static void test_srp(void **state)
{
    static const char named[] = "\x01\x02S12345678\x03", nameless[] = "\x01\x02some bytes\x03";
    struct scene s;

    /* No anchor: other protocols behave so too. */
    begin(&s, state, NOWHERE, 3101);
    speak_srp(&s, nameless);
    expect(&s, "blackberry-bes", CERTAINTY_POSSIBLE, REASON_WIRE | REASON_PORT);
    /* The identifier. */
    begin(&s, state, NOWHERE, 3101);
    speak_srp(&s, named);
    expect(&s, "blackberry-bes", CERTAINTY_LIKELY, REASON_WIRE | REASON_PORT);
    /* The block, or the name asked for. */
    begin(&s, state, BLOCK, 3101);
    speak_srp(&s, nameless);
    expect(&s, "blackberry-bes", CERTAINTY_CERTAIN, REASON_WIRE | REASON_PORT | REASON_IP);
    begin(&s, state, NOWHERE, 3101);
    speak_srp(&s, named);
    with_dns(&s, "blackberry-bes", false);
    expect(&s, "blackberry-bes", CERTAINTY_CERTAIN, REASON_WIRE | REASON_PORT | REASON_DNS);
    /* Another port. */
    begin(&s, state, NOWHERE, 3102);
    speak_srp(&s, named);
    expect_nothing(&s);
}

static void test_not_srp(void **state)
{
    static const char named[] = "\x01\x02S12345678\x03";
    struct scene s;

    /* TLS, HTTP, a server that speaks first: only the port is left. */
    begin(&s, state, NOWHERE, 3101);
    speak_srp(&s, "\x16\x03\x01\x02 S12345678");
    expect(&s, "blackberry-bes", CERTAINTY_POSSIBLE, REASON_PORT);
    begin(&s, state, NOWHERE, 3101);
    speak_srp(&s, "GET / HTTP/1.1\r\n\r\n");
    expect(&s, "blackberry-bes", CERTAINTY_POSSIBLE, REASON_PORT);
    begin(&s, state, NOWHERE, 3101);
    speak_srp(&s, named);
    s.inspection.client_first = false;
    expect(&s, "blackberry-bes", CERTAINTY_POSSIBLE, REASON_PORT);
    /* An inspector knows it: it is something else. */
    begin(&s, state, NOWHERE, 3101);
    speak_srp(&s, named);
    s.inspection.chosen = 1;
    expect(&s, "blackberry-bes", CERTAINTY_POSSIBLE, REASON_PORT);
    begin(&s, state, NOWHERE, 3101);
    speak_srp(&s, named);
    s.input.transport = TRANSPORT_UDP;
    expect_nothing(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_name, setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_unknown_name, setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_certificate_and_greeting, setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_wire, setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_protocols, setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_dns, setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_place, setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_place_alone_is_possible, setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_inventory, setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_srp, setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_not_srp, setup, fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
