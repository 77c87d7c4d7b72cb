// SPDX-License-Identifier: GPL-3.0-or-later
#include "probe/flow/client.h"

bool client_is_source(const struct track_options *options, const struct packet *packet,
                      bool *ret_guessed)
{
    *ret_guessed = false;
    if (packet->transport == TRANSPORT_TCP && (packet->tcp_flags & TCP_SYN))
        return !(packet->tcp_flags & TCP_ACK);
    if (packet->transport == TRANSPORT_ICMP)
        return true;
    *ret_guessed = packet->transport == TRANSPORT_TCP;
    bool source_serves = false, destination_serves = false;
    if (options->is_server_port && packet->source_port != packet->destination_port) {
        source_serves =
            options->is_server_port(options->context, packet->transport, packet->source_port);
        destination_serves =
            options->is_server_port(options->context, packet->transport, packet->destination_port);
    }
    if (options->is_local) {
        bool source_local = options->is_local(options->context, &packet->source);
        if (source_local != options->is_local(options->context, &packet->destination)) {
            /* Place and port agree. */
            if (source_serves != destination_serves && source_local == destination_serves)
                *ret_guessed = false;
            return source_local;
        }
    }
    if (source_serves != destination_serves)
        return destination_serves;
    if (packet->transport == TRANSPORT_TCP)
        return packet->source_port >= packet->destination_port;
    return true; /* who sends the first datagram is the client */
}
