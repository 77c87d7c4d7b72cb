// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * nDPI behind one small door: the only file that includes its headers is dpi.c, where the
 * differences between 4.2, 4.4, 4.6-4.10, 4.11+ and 5.x are. Results are protocol names, never
 * numbers: those are reused between releases. No port or address rules are loaded (they end nDPI's
 * inspection early) and nothing is guessed: only what payload bytes showed counts.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "base/words.h"

struct dpi;
struct dpi_flow;

/* Not to be called by two threads at once: nDPI 4.2's module initialisation is not safe. DL_OK or
 * DL_LIBRARY. */
int dpi_create(struct dpi **ret_dpi);
void dpi_destroy(struct dpi *dpi); /* accepts NULL */

struct dpi_flow *dpi_flow_create(struct dpi *dpi);             /* NULL when memory is out */
void dpi_flow_destroy(struct dpi *dpi, struct dpi_flow *flow); /* accepts NULL */

struct dpi_result {
    const char *name;   /* the most specific protocol name, e.g. "WhatsApp"; NULL for unknown. Valid
                           as long as the dpi. */
    const char *master; /* what carries it, e.g. "TLS"; NULL for none */
    bool by_payload;    /* false: only an address or a cache told it */
    char host[80];      /* the server's name where nDPI read one (old QUIC versions); its last 79
                           characters, "" for none */
};

/* May what nDPI says of such a flow depend on others of this kind (calls find their peers by STUN)? Then all
 * of them must come to one dpi, in the order of the capture. */
bool dpi_is_shared(uint8_t transport, uint16_t port, uint16_t other_port);
/* One packet of the flow, from its IP header on; `shared` as above. True when nDPI has decided. */
bool dpi_packet(struct dpi *dpi, struct dpi_flow *flow, const uint8_t *ip, size_t length,
                bool shared, int64_t time_us, struct dpi_result *ret_result);
/* No more packets will come. */
void dpi_give_up(struct dpi *dpi, struct dpi_flow *flow, struct dpi_result *ret_result);
const char *dpi_version(void);
