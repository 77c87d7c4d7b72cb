// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Block pages: what the server's bytes or the answer's address say in so many words. A country's or
 * a carrier's own page is somebody else's word between the ends. A filter product stands anywhere,
 * also before the server itself; words that servers use as well prove nothing; and a page that is
 * known to be no block page is none, whatever else matches.
 */
#include "analyzer/judge/judge_internal.h"

#define SCORE_PRODUCT 0.5 /* a filter: whose it is the page does not say */

static const char *where_text(enum blockpage_where where)
{
    switch (where) {
    case BLOCKPAGE_IN_TITLE:
        return "in the title";
    case BLOCKPAGE_IN_LOCATION:
        return "in the place it was sent to";
    case BLOCKPAGE_IN_SERVER:
    case BLOCKPAGE_IN_VIA:
    case BLOCKPAGE_IN_HEAD:
        return "in the answer's head";
    case BLOCKPAGE_IN_DNS:
        return "an address of the answer";
    default:
        return "in the page";
    }
}

/* False where it proves nothing; the note says why. */
static bool take_page(const struct blockpage_facts *page, const char *mechanism,
                      struct verdict *verdict)
{
    const char *doubt = page->false_positive             ? "; but so does what is no block page"
                        : page->scope == BLOCKPAGE_VAGUE ? "; servers use such words as well"
                                                         : "";
    bool named = page->scope == BLOCKPAGE_NATION || page->scope == BLOCKPAGE_CARRIER;

    if (page->id[0] == '\0')
        return false;
    judge_note(verdict, "blockpage", "%s matches, %s (lists %s)%s", page->id,
               where_text((enum blockpage_where)page->where), page->list, doubt);
    if (doubt[0])
        return false;
    judge_fail(verdict, mechanism, named ? ATTRIBUTION_THIRD_PARTY : ATTRIBUTION_UNKNOWN);
    if (!named)
        verdict->score = SCORE_PRODUCT;
    return true;
}

bool judge_blockpage(const struct observation *flow, struct verdict *verdict)
{
    const struct blockpage_facts *page = &flow->evidence.http.blockpage;
    bool sent_away = page->where == BLOCKPAGE_IN_LOCATION;

    return flow->evidence.present &&
           take_page(page, sent_away ? "http.redirect" : "http.blockpage", verdict);
}

/* Lists of block pages hold addresses of real services, too, with which some injectors answer for
 * others' names. Where such an address is the asked service's own it is simply an answer. */
static bool take_services_address(const struct observation *question, struct verdict *verdict)
{
    const struct dns_facts *dns = &question->dns;

    judge_note(verdict, "blockpage", "%s matches (lists %s); but the address is %s",
               dns->blockpage.id, dns->blockpage.list,
               dns->page_owner == DNS_PAGE_OF_ASKED ? "the service's own" : "another service's");
    if (dns->page_owner == DNS_PAGE_OF_ASKED || dns->blockpage.false_positive ||
        !question->service || !question->service[0])
        return false;
    verdict->mechanism = "dns.injection.other"; /* the client was not stopped by it alone */
    verdict->attribution = ATTRIBUTION_UNKNOWN;
    return true;
}

bool judge_dns_has_page(const struct observation *question)
{
    const struct dns_facts *dns = &question->dns;

    return dns->blockpage.id[0] && !dns->blockpage.false_positive &&
           dns->page_owner != DNS_PAGE_OF_ASKED;
}

bool judge_dns_blockpage(const struct observation *question, struct verdict *verdict)
{
    if (!question->dns.present || question->dns.blockpage.id[0] == '\0')
        return false;
    if (question->dns.page_owner != DNS_PAGE_OF_NONE)
        return take_services_address(question, verdict);
    return take_page(&question->dns.blockpage, "dns.injection.blockpage", verdict);
}
