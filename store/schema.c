// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/array.h"
#include "store/store_internal.h"

/*
 * Version 2. SQLite keeps the comments inside a statement, so that `.schema` in any SQLite shell
 * shows them too.
 *
 * Times are microseconds since 1970 UTC. Numbers of words (transport, role, stage ...) are those of
 * base/words.h: a word appended there needs a new version here, as older programs take a number
 * that they do not know for damage. Unknown is NULL, or 0 where 0 says so.
 */
const char store_schema[] =
    "CREATE TABLE meta ( -- about the store itself\n"
    "  key TEXT PRIMARY KEY, -- darkline_version, catalog_version, key_epoch ...\n"
    "                        -- order id: flows begin in the order of their ids\n"
    "  value TEXT NOT NULL\n"
    ") STRICT, WITHOUT ROWID;\n"

    "CREATE TABLE strings ( -- names of the flows, each once as long as the writer remembers it:\n"
    "                       -- group by text, not by id\n"
    "  id INTEGER PRIMARY KEY,\n"
    "  text TEXT NOT NULL\n"
    ") STRICT;\n"

    "CREATE TABLE inputs ( -- captures, interfaces and imports that were read\n"
    "  number INTEGER PRIMARY KEY, -- from 1 on\n"
    "  path TEXT NOT NULL, -- the file's name without its folder, or live:IFACE\n"
    "  size INTEGER NOT NULL, -- bytes of the file\n"
    "  fingerprint BLOB, -- SHA-256 that knows a file again: its size, first and last MiB\n"
    "  sha256 BLOB, -- of the whole file; NULL unless asked for\n"
    "  packets INTEGER NOT NULL, -- read\n"
    "  bytes INTEGER NOT NULL, -- of them, as on the wire\n"
    "  lost INTEGER NOT NULL, -- packets known to be missing\n"
    "  first_us INTEGER NOT NULL, -- first and last packet; 0 without any\n"
    "  last_us INTEGER NOT NULL,\n"
    "  status INTEGER NOT NULL, -- 0, or what ended the reading (base/status.h)\n"
    "  complete INTEGER NOT NULL, -- 0: still being written, or the probe was killed\n"
    "  probe_id TEXT NOT NULL, -- from here on the vantage: who saw it\n"
    "  carrier TEXT NOT NULL, -- catalog id, else as<N>; '' unknown\n"
    "  asn INTEGER NOT NULL, -- 0 unknown\n"
    "  country TEXT NOT NULL, -- ISO 3166-1 alpha-2; '' unknown\n"
    "  network INTEGER NOT NULL,\n"
    "  position INTEGER NOT NULL,\n"
    "  clock INTEGER NOT NULL,\n"
    "  origin INTEGER NOT NULL\n"
    ") STRICT;\n"

    "CREATE TABLE flows ( -- one row a flow or DNS question; after a clean end with an\n"
    "                     -- index flows_start, unless meta says order id\n"
    "  id INTEGER PRIMARY KEY, -- input * 2^40 + the number of its first packet there\n"
    "  start INTEGER NOT NULL, -- first packet\n"
    "  duration INTEGER NOT NULL, -- from there to the last packet\n"
    "  client BLOB, -- 4 or 16 bytes: an address; 8 bytes: a pseudonym, 64 bits of HMAC-SHA-256\n"
    "  client_port INTEGER NOT NULL,\n"
    "  server BLOB, -- as client\n"
    "  server_port INTEGER NOT NULL,\n"
    "  transport INTEGER NOT NULL,\n"
    "  protocol INTEGER, -- strings.id of nDPI's name\n"
    "  service INTEGER, -- strings.id of the catalog's id\n"
    "  host INTEGER, -- strings.id of the SNI, Host, certificate or DNS name\n"
    "  role INTEGER NOT NULL,\n"
    "  certainty INTEGER NOT NULL,\n"
    "  reasons INTEGER NOT NULL, -- set of bits\n"
    "  dns_flow INTEGER, -- packet number of the question that it followed, in the same input\n"
    "  packets_up INTEGER NOT NULL, -- up is from the client\n"
    "  packets_down INTEGER NOT NULL,\n"
    "  bytes_up INTEGER NOT NULL, -- of IP packets\n"
    "  bytes_down INTEGER NOT NULL,\n"
    "  stage INTEGER NOT NULL, -- the last one reached\n"
    "  close INTEGER NOT NULL,\n"
    "  flags INTEGER NOT NULL, -- set of bits: enum observation_flag (store/observation.h)\n"
    "  certificate INTEGER NOT NULL, -- set of bits: enum certificate_flag, there\n"
    "  issuer INTEGER, -- strings.id of who signed the server's certificate, TLS 1.2 and older\n"
    "  evidence BLOB -- what else is known (store/blob.h); NULL for flows that ended well\n"
    ") STRICT;\n"

    "CREATE TABLE counts ( -- flows that are counted only, by hour and protocol\n"
    "  input INTEGER NOT NULL,\n"
    "  hour INTEGER NOT NULL, -- its start\n"
    "  protocol TEXT NOT NULL, -- nDPI's name\n"
    "  flows INTEGER NOT NULL, -- attempts\n"
    "  failed_none INTEGER NOT NULL, -- of them, failed at no known stage\n"
    "  failed_dns INTEGER NOT NULL, -- of them, failed at this stage ...\n"
    "  failed_tcp INTEGER NOT NULL,\n"
    "  failed_tls INTEGER NOT NULL,\n"
    "  failed_http INTEGER NOT NULL,\n"
    "  failed_quic INTEGER NOT NULL,\n"
    "  failed_stream INTEGER NOT NULL,\n"
    "  packets INTEGER NOT NULL,\n"
    "  bytes INTEGER NOT NULL,\n"
    "  clients INTEGER NOT NULL, -- distinct ones; an estimate where many\n"
    "  PRIMARY KEY (input, hour, protocol)\n"
    ") STRICT, WITHOUT ROWID;\n"

    "CREATE TABLE coverage ( -- when the probe looked; outside of it nothing is known\n"
    "  input INTEGER NOT NULL,\n"
    "  from_us INTEGER NOT NULL,\n"
    "  to_us INTEGER NOT NULL,\n"
    "  link_up INTEGER NOT NULL,\n"
    "  packets INTEGER NOT NULL,\n"
    "  lost INTEGER NOT NULL,\n"
    "  PRIMARY KEY (input, from_us)\n"
    ") STRICT, WITHOUT ROWID;\n"

    "CREATE TABLE notes ( -- what was not understood or was dropped\n"
    "  input INTEGER NOT NULL,\n"
    "  kind TEXT NOT NULL,\n"
    "  count INTEGER NOT NULL,\n"
    "  PRIMARY KEY (input, kind)\n"
    ") STRICT, WITHOUT ROWID;\n";

/* Steps from one version to the next, in order. What a column says of rows older than itself is that
 * nothing is known. */
const struct store_migration store_migrations[] = {
    {1, "ALTER TABLE flows ADD COLUMN certificate INTEGER NOT NULL DEFAULT 0;"
        "ALTER TABLE flows ADD COLUMN issuer INTEGER"},
};
const size_t store_migration_count = ARRAY_LENGTH(store_migrations);
