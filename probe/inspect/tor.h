// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * Tor's link handshake (tor-spec, "Negotiating and initializing channels", the older in-protocol
 * form): a two-name certificate made for the connection, subject www.<8-20 random base32
 * letters>.net, issuer www.<the same>.com. Visible up to TLS 1.2 only.
 */
#include <stdbool.h>

/* Do a certificate's common names look like that? */
bool tor_certificate_fits(const char *subject, const char *issuer);
