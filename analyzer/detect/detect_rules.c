// SPDX-License-Identifier: GPL-3.0-or-later
#include <string.h>

#include "analyzer/detect/classify.h"
#include "base/array.h"

#define DESIGN "darkline, design sections 3 and 5"
#define LORDEN                                                                                     \
    "Lorden, Procedures for reacting to a change in distribution, Ann. Math. Statist. 1971"
#define DANEZIS  "Danezis, An anomaly-based censorship-detection system for Tor, 2011"
#define OONI_DIR "OONI, data pipeline v5: mechanism taxonomy and states"

static const struct detect_rule rules[] = {
    {"failing-stretch", "A stretch of attempts failed far more often than the attempts around it.",
     LORDEN},
    {"keeps-hours", "It fails at certain local hours and works at others.", DESIGN},
    {"first-sight", "It failed from the first attempt on that was seen.", DESIGN},
    {"slowed-down", "A stretch of answered flows was slowed down far more often than those around.",
     "Flach et al., An Internet-Wide Analysis of Traffic Policing, SIGCOMM 2016"},
    {"slower-than-controls", "Its flows went slower than those of other services and elsewhere.",
     "Li et al., A large-scale analysis of deployed traffic differentiation (WeHe), SIGCOMM 2019"},
    {"proven-third-party", "Packets of its flows prove that something between the ends did it.",
     DESIGN},
    {"controls-good", "Other services worked on this carrier at the same time.", OONI_DIR},
    {"works-elsewhere", "The service worked on other carriers of the country meanwhile.", OONI_DIR},
    {"works-abroad", "The service worked abroad meanwhile.", OONI_DIR},
    {"down-abroad", "The service failed abroad as well.", OONI_DIR},
    {"everywhere-at-once", "Every carrier of the country failed within hours.", DESIGN},
    {"own-words", "The service's own packets said no.", DESIGN},
    {"silence", "Most failing attempts got no answer at all.", DESIGN},
    {"same-server", "The same server answered this carrier on another port or name.", DESIGN},
    {"second-carrier", "Another carrier of the country does the same.", DESIGN},
    {"order-agrees", "An order names this service, and the date fits.", DESIGN},
    {"one-line", "Only one line saw it.", DESIGN},
    {"carrier-dark", "Several services that need no DNS fell silent on this carrier together.",
     DESIGN},
    {"volume-gone", "The line is up and its traffic is gone.", DANEZIS},
    {"habitual-gone", "Habitual users of the service are gone from it, and still there otherwise.",
     DANEZIS},
    {"no-control-here", "No other service was seen on this carrier at that time.", DESIGN},
    {"no-control-country", "No other carrier of the country was seen at that time.", DESIGN},
    {"no-control-abroad", "Nobody abroad was seen trying the service at that time.", DESIGN},
};

const struct detect_rule *detect_rule_at(size_t index)
{
    return index < ARRAY_LENGTH(rules) ? &rules[index] : NULL;
}

const struct detect_rule *detect_rule_find(const char *id)
{
    for (size_t i = 0; i < ARRAY_LENGTH(rules); i++)
        if (strcmp(rules[i].id, id) == 0)
            return &rules[i];
    return NULL;
}
