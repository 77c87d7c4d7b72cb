// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * Who saw a capture: from options, else from `X.vantage.yaml` beside `X.pcap` (also for X.pcapng,
 * X.pcap.gz, X.pcap.zst ...), else from the addresses of its clients, by the databases and the
 * catalog's carriers. Each source fills only the fields that the ones before left open.
 *
 * The file has the fields of struct vantage by their design names: probe_id, carrier, asn, country,
 * network, position, clock, origin, and local_networks, a list of prefixes. Unknown keys are
 * errors.
 */
#include "catalog/catalog.h"
#include "geo/geo.h"
#include "store/observation.h"

enum vantage_field { /* what is set; the enumerations' zero values may be meant */
                     VANTAGE_PROBE_ID = 1,
                     VANTAGE_CARRIER = 2,
                     VANTAGE_ASN = 4,
                     VANTAGE_COUNTRY = 8,
                     VANTAGE_NETWORK = 16,
                     VANTAGE_POSITION = 32,
                     VANTAGE_CLOCK = 64,
                     VANTAGE_ORIGIN = 128,
                     VANTAGE_LOCAL_NETWORKS = 256
};

struct vantage_draft {
    struct vantage vantage;
    uint16_t set; /* enum vantage_field */
};

/* Reads the file. DL_OK, -ENOENT, DL_MALFORMED (the error names file and line). */
int vantage_read(struct vantage_draft *ret_draft, const char *path, struct dl_error *error);
/* The path of the vantage file of a capture: "dir/demo.vantage.yaml" for "dir/demo.pcap.zst". False
 * if it does not fit. */
bool vantage_path(char *ret_path, size_t size, const char *capture_path);
/* Fills what is open in `draft` from `other`. */
void vantage_merge(struct vantage_draft *draft, const struct vantage_draft *other);

/* A vote of client addresses. Bounded: the first VANTAGE_VOTES_MAX distinct networks count. */
#define VANTAGE_VOTES_MAX 64
struct vantage_votes {
    struct {
        uint32_t asn;
        uint16_t carrier;
        char country[3];
        uint32_t votes;
    } places[VANTAGE_VOTES_MAX];
    uint32_t count, total;
};
/* One client seen at this time; private addresses do not vote. */
void vantage_vote(struct vantage_votes *votes, const struct geo *geo, const struct catalog *catalog,
                  const struct address *client, int64_t time_us);
/* Adds the votes of another part of the same capture. As long as there are no more than VANTAGE_VOTES_MAX
 * places it makes no difference how the capture was divided. */
void vantage_votes_add(struct vantage_votes *votes, const struct vantage_votes *other);
/* Fills asn, carrier and country where they are open: by the votes if more than half agree; carrier
 * from asn ("as<N>" where the catalog has none); network and country from the carrier. */
void vantage_settle(struct vantage_draft *draft, const struct vantage_votes *votes,
                    const struct catalog *catalog, int64_t time_us);
/* Is this address of the vantage's local networks? */
bool vantage_is_local(const struct vantage *vantage, const struct address *address);
