// SPDX-License-Identifier: GPL-3.0-or-later
/* The options that `probe` and `run` have in common. */
#include <string.h>

#include "base/array.h"
#include "base/words.h"
#include "commands/ingest.h"

void ingest_options_init(struct ingest_options *options)
{
    memset(options, 0, sizeof(*options));
    const struct option_spec specs[] = {
        {"probe-id", 0, "NAME", OPTION_TEXT, &options->probe_id, "name of this probe"},
        {"carrier", 0, "ID", OPTION_TEXT, &options->carrier,
         "the carrier whose line it is (darkline catalog carriers)"},
        {"asn", 0, "NUMBER", OPTION_NUMBER, &options->asn, "its autonomous system", 0,
         &options->given_asn},
        {"country", 0, "CC", OPTION_TEXT, &options->country, "its country, two letters"},
        {"network", 0, "KIND", OPTION_WORD, &options->network, "mobile, fixed or transit",
         WORD_NETWORK, &options->given_network},
        {"position", 0, "WHERE", OPTION_WORD, &options->position, "subscriber, carrier or server",
         WORD_POSITION, &options->given_position},
        {"origin", 0, "WHAT", OPTION_WORD, &options->origin, "field, lab or composed", WORD_ORIGIN,
         &options->given_origin},
        {"all-names", 0, NULL, OPTION_FLAG, &options->all_names,
         "store every flow with its names, catalogued or not"},
        {"watchlist", 0, "FILE", OPTION_TEXT, &options->watchlist,
         "names to keep besides the catalog's: one a line, or a Citizen Lab list"},
        {"fingerprints", 0, "FILE", OPTION_LIST, &options->fingerprints,
         "block pages besides the catalog's (OONI, Censored Planet, Citizen Lab); may repeat"},
        {"false-positives", 0, "FILE", OPTION_LIST, &options->false_positives,
         "the same of pages that are no block pages; they count against; may repeat"},
        {"inventory", 0, "FILE", OPTION_TEXT, &options->inventory,
         "the operator's own servers (YAML, see catalog/README.md)"},
        {"keep-addresses", 0, NULL, OPTION_FLAG, &options->keep_addresses,
         "store clients' addresses as they are: think twice"},
        {"key", 0, "FILE", OPTION_TEXT, &options->key,
         "key of the pseudonyms (default STORE.key; one for a fleet)"},
        {"memory", 0, "SIZE", OPTION_SIZE, &options->memory,
         "memory for flows (default 256M); the program itself takes some 20M more"},
        {"hash", 0, NULL, OPTION_FLAG, &options->hash, "store the full SHA-256 of each input"},
        {"live", 0, NULL, OPTION_FLAG, &options->live,
         "print each tag on standard output as it is made"},
    };
    _Static_assert(ARRAY_LENGTH(specs) < ARRAY_LENGTH(options->specs),
                   "a zeroed spec ends the table");
    memcpy(options->specs, specs, sizeof(specs));
}
