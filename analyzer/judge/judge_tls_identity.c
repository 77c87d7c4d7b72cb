// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Who answered: a certificate that is not the server's. Nobody is accused by it: a server may show
 * the wrong one, a program bring its own, a house or a company look into its own traffic. What the
 * client said of it, and who else got which, make it worth a name and a moderate score.
 *
 * Servers that anybody may run, a company's BES or UEM among them, have authorities of their own:
 * of them nothing is said. Version 1.3 hides certificates.
 */
#include <string.h>

#include "analyzer/judge/proof.h"
#include "base/array.h"

#define CAP           0.8 /* a score that rests on certificates */
#define NAMES_PROXIED 3u  /* unrelated names under one strange issuer: somebody signs for all */
#define FITTING_LEAST 3u
#define HOUSE_HOPS    2u
#define HOUSE_RTT_US  5000u

struct reading {
    struct proof *proof;
    const struct observation *flow;
    const struct identity_view *seen;
    bool refused, self, stranger, other_name;
};

/* A name that the client asked for, of a service with servers of its own. */
static bool is_owed_identity(const struct observation *flow)
{
    return (flow->certificate & CERTIFICATE_PRESENT) && !(flow->certificate & CERTIFICATE_OWN) &&
           flow->service && flow->service[0] && flow->certainty >= CERTAINTY_LIKELY &&
           (flow->reasons & REASON_SNI) && !(flow->reasons & REASON_INVENTORY) &&
           !(flow->flags & (OBSERVATION_MID_STREAM | OBSERVATION_AMBIGUOUS));
}

static void read_certificate(struct reading *reading, struct proof *proof)
{
    const struct observation *flow = proof->flow;
    const struct identity_view *seen = &proof->context->identity;

    *reading = (struct reading){.proof = proof, .flow = flow, .seen = seen};
    reading->refused = identity_is_refused(flow);
    reading->self = (flow->certificate & CERTIFICATE_SELF_ISSUED) && !seen->is_self_usual;
    /* Who is right the client says, or else that the usual one is known well and was no older. */
    bool known = reading->refused || seen->refused ? seen->usual_goes_on || seen->usual_elsewhere
                                                   : seen->usual_goes_on && seen->usual_elsewhere;
    reading->stranger =
        seen->usual > 0 && known && !seen->is_usual && !seen->seen_on_lines && seen->usual_of == 0;
    reading->other_name =
        (flow->certificate & CERTIFICATE_NAME_OTHER) && seen->fitting >= FITTING_LEAST;
}

static bool signs_for_all(const struct identity_view *seen)
{
    return seen->stranger_to >= NAMES_PROXIED && seen->strange_services >= 2;
}

/* A pinned certificate of a program's own, or a server's wrong one, look the same: a second witness
 * is wanted for each. */
static bool is_another(const struct reading *reading)
{
    bool fits = (reading->flow->certificate & CERTIFICATE_NAME_FITS) != 0;

    if (reading->self)
        return reading->refused || fits || reading->stranger;
    if (reading->stranger)
        return reading->refused || reading->seen->refused || reading->other_name ||
               signs_for_all(reading->seen);
    return false;
}

static void note_witnesses(const struct reading *reading)
{
    const struct identity_view *seen = reading->seen;
    struct proof *proof = reading->proof;
    const char *issuer = reading->flow->issuer && reading->flow->issuer[0] ? reading->flow->issuer
                                                                           : "somebody unnamed";

    if (reading->self)
        proof_add(proof, "certificate-self-signed", "for a name of %s, by \"%.60s\"",
                  reading->flow->service, issuer);
    if (reading->stranger)
        proof_add(proof, "certificate-other-issuer",
                  "\"%.60s\"; %u flows of the name have another, and %u names know this one as a "
                  "stranger",
                  issuer, seen->usual, seen->stranger_to);
    if (reading->other_name)
        proof_add(proof, "certificate-other-name", "%u flows of the name have one that fits",
                  seen->fitting);
    if (reading->refused)
        proof_add(proof, "certificate-refused", "alert %u of the client after %.3f s",
                  reading->flow->evidence.tls.alert_description,
                  judge_seconds(reading->flow->evidence.tls.alert_after_us));
}

/* As near as the house's own router, and a stranger to many names that nobody would order blocked:
 * the house looks into its own traffic. */
static void note_house(const struct reading *reading)
{
    const struct observation *flow = reading->flow;
    bool evidence = flow->evidence.present;
    uint8_t ttl = evidence ? flow->evidence.sides[SIDE_SERVER].ttl_first : flow->path.server_ttl;
    uint32_t rtt_us = evidence ? flow->evidence.handshake_rtt_us : flow->path.handshake_rtt_us;

    if (!signs_for_all(reading->seen) || !reading->seen->strange_control || ttl == 0 ||
        rtt_us == 0 || proof_hops(ttl) > HOUSE_HOPS || rtt_us >= HOUSE_RTT_US)
        return;
    proof_add(reading->proof, "near-client",
              "one issuer for %u names; %u hops and %.1f ms to who answers",
              reading->seen->stranger_to, proof_hops(ttl), rtt_us / 1e3);
}

/* Too old, signed by whom it always was, and refused: the server's own neglect. */
static bool take_past(const struct reading *reading)
{
    bool strange = reading->self || reading->stranger || reading->other_name;

    if (!(reading->flow->certificate & CERTIFICATE_PAST) || !reading->refused || strange ||
        (reading->seen->usual > 0 && !reading->seen->is_usual))
        return false;
    reading->proof->verdict->attribution = ATTRIBUTION_ENDPOINT;
    judge_note(reading->proof->verdict, "certificate-past",
               "outside its days by the capture's clock; the issuer is %s",
               reading->seen->usual > 0 ? "the usual one" : "known from no other flow");
    return true;
}

void proof_identity(struct proof *proof)
{
    struct verdict *verdict = proof->verdict;
    struct reading reading;

    if (!is_owed_identity(proof->flow) || verdict->mechanism)
        return;
    read_certificate(&reading, proof);
    if (take_past(&reading) || !is_another(&reading))
        return;
    verdict->mechanism = reading.self ? "tls.mitm.self_signed" : "tls.mitm.ca_signed";
    verdict->attribution = ATTRIBUTION_UNKNOWN;
    proof->cap = CAP;
    note_witnesses(&reading);
    note_house(&reading);
}
