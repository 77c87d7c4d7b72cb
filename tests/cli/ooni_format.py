# SPDX-License-Identifier: GPL-3.0-or-later
"""OONI's base data format, field by field, as df-000-base of github.com/ooni/spec has it (data_format_version 0.2.0),
with the words of failure of df-007-errors.  problems(measurement) -> list of sentences; [] is a good one.

Real measurements of several probes and years (data/ooni) are good by it; where they and the text differ (optional
lists that are null), they have it.
"""
import re

TIME = r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}"
TEXT, MAP, LIST, NUMBER, NOTHING = "text", "map", "list", "number", "null"

# Name: kinds that it may be, whether it must be there, and the form of a text.
FIELDS = {
    "annotations": ((MAP, NOTHING), False, None),
    "backend_version": ((TEXT, NOTHING), False, None),      # the backend's, not the probe's
    "bucket_date": ((TEXT,), False, r"\d{4}-\d{2}-\d{2}"),  # the backend's
    "data_format_version": ((TEXT,), True, r"0\.2\.0"),
    "extensions": ((MAP,), False, None),
    "id": ((TEXT, NOTHING), False, None),                   # the backend's
    "input": ((TEXT, NOTHING, LIST), True, None),
    "input_hashes": ((LIST, NOTHING), False, None),
    "measurement_start_time": ((TEXT,), True, TIME),
    "options": ((LIST, NOTHING), False, None),
    "probe_asn": ((TEXT,), True, r"AS\d{1,10}"),
    "probe_cc": ((TEXT,), True, r"[A-Z]{2}"),
    "probe_city": ((TEXT, NOTHING), False, None),
    "probe_ip": ((TEXT,), False, r"127\.0\.0\.1|[0-9a-fA-F:.\[\]]+"),
    "probe_network_name": ((TEXT,), False, None),
    "report_filename": ((TEXT,), False, None),              # the backend's
    "report_id": ((TEXT,), True, r"[0-9A-Za-z_]*"),
    "resolver_asn": ((TEXT,), False, r"AS\d{1,10}"),
    "resolver_ip": ((TEXT,), False, r"[0-9a-fA-F:.]*"),
    "resolver_network_name": ((TEXT,), False, None),
    "software_name": ((TEXT,), True, r".+"),
    "software_version": ((TEXT,), True, r".+"),
    "test_helpers": ((MAP, NOTHING), False, None),
    "test_keys": ((MAP,), True, None),
    "test_name": ((TEXT,), True, r"[a-z0-9_]+"),
    "test_runtime": ((NUMBER,), True, None),
    "test_start_time": ((TEXT,), True, TIME),
    "test_version": ((TEXT,), True, r".+"),
}

# df-007: of today's probes, then of older ones.
FAILURES = set("""
android_dns_cache_no_data connection_aborted connection_already_closed connection_refused connection_reset dns_bogon_error
dns_no_answer dns_non_recoverable_failure dns_nxdomain_error dns_reply_with_wrong_query_id dns_refused_error
dns_server_misbehaving dns_servfail_error dns_temporary_failure eof_error http_request_failed host_unreachable
generic_timeout_error http_unexpected_redirect_url http_unexpected_status_code interrupted json_parse_error network_down
network_reset network_unreachable quic_incompatible_version ssl_failed_handshake ssl_invalid_hostname ssl_unknown_authority
ssl_invalid_certificate
socks_error address_family_not_supported_error connect_error connection_done connection_lost_error connection_refused_error
deferred_timeout_error dns_lookup_error dns_name_error dns_name_failure response_never_received socks_address_not_supported
socks_command_not_supported socks_connection_not_allowed socks_connection_refused socks_host_unreachable
socks_network_unreachable socks_server_failure socks_ttl_expired task_timed_out tcp_timed_out_error
""".split())


def kind(value):
    if value is None:
        return NOTHING
    if isinstance(value, bool):
        return "bool"
    for types, name in ((str, TEXT), (dict, MAP), (list, LIST), ((int, float), NUMBER)):
        if isinstance(value, types):
            return name
    return "?"


def is_failure(value):
    return value is None or (isinstance(value, str) and (value in FAILURES or value.startswith("unknown_failure")))


def problems(measurement):
    """What is wrong with a measurement; keys of other names are the backend's business and let pass."""
    if not isinstance(measurement, dict):
        return ["no object"]
    found = []
    for name, (kinds, required, form) in FIELDS.items():
        if name not in measurement:
            if required:
                found.append(f"{name} is missing")
            continue
        value = measurement[name]
        if kind(value) not in kinds:
            found.append(f"{name} is {kind(value)}, not {' or '.join(kinds)}")
        elif form and isinstance(value, str) and not re.fullmatch(form, value):
            found.append(f"{name} is {value!r}")
    for name in ("annotations", "extensions"):
        wanted = TEXT if name == "annotations" else NUMBER
        for key, value in (measurement.get(name) or {}).items():
            if kind(value) != wanted:
                found.append(f"{name}.{key} is {kind(value)}, not {wanted}")
    for name in ("input_hashes", "options"):
        if any(kind(value) != TEXT for value in measurement.get(name) or []):
            found.append(f"{name} holds something else than texts")
    runtime = measurement.get("test_runtime")
    if isinstance(runtime, (int, float)) and runtime < 0:
        found.append("test_runtime is negative")
    return found


# darkline's own keys of test_keys: their words, and whether null is one. What is not `failure` is ours and begins with x_.
OUTCOMES = ("ok", "failed", "unknown")
STAGES = ("dns", "tcp", "tls", "http", "quic", "stream", None)
ATTRIBUTIONS = ("third-party", "endpoint", "client", "network", "unknown", None)
OURS = {
    "failure": is_failure,
    "x_attempt": lambda v: v is None or re.fullmatch(r"\d+:\d+", v),
    "x_flow": lambda v: v is None or re.fullmatch(r"\d+:\d+", v),
    "x_service": lambda v: re.fullmatch(r"[a-z0-9-]+", v),
    "x_carrier": lambda v: v is None or re.fullmatch(r"[a-z0-9-]+", v),
    "x_outcome": lambda v: v in OUTCOMES,
    "x_stage": lambda v: v in STAGES,
    "x_mechanism": lambda v: v is None or re.fullmatch(r"[a-z_]+(\.[a-z_]+)*", v),
    "x_attribution": lambda v: v in ATTRIBUTIONS,
    "x_proven": lambda v: isinstance(v, bool),
    "x_throttled": lambda v: isinstance(v, bool),
    "x_score": lambda v: v is None or 0 <= v <= 1,
    "x_signature": lambda v: v is None or 1 <= v <= 19,
    "x_rules": lambda v: isinstance(v, list) and all(re.fullmatch(r"[a-z0-9-]+", rule) for rule in v),
    "x_host": lambda v: v is None or isinstance(v, str),
    "x_server": lambda v: v is None or isinstance(v, str),
    "x_transport": lambda v: v in ("tcp", "udp", "icmp", None),
    "x_ip_version": lambda v: v in (4, 6, None),
    "x_report": lambda v: v is None or re.fullmatch(r"[0-9a-f]{16}", v),
}


def own_problems(measurement):
    """The same for a measurement of test darkline_flow: the format, our keys, and what must not be told."""
    found = problems(measurement)
    keys = measurement.get("test_keys") or {}
    found += [f"test_keys.{name} is no key of ours" for name in keys if name not in OURS]
    for name, good in OURS.items():
        if name not in keys:
            found.append(f"test_keys.{name} is missing")
        elif not good(keys[name]):
            found.append(f"test_keys.{name} is {keys[name]!r}")
    if measurement.get("test_name") != "darkline_flow":
        found.append("test_name is not darkline_flow")
    for name in ("measurement_start_time", "test_start_time"):
        if not str(measurement.get(name)).endswith(":00:00"):
            found.append(f"{name} is finer than an hour")
    for name in ("probe_ip", "resolver_ip"):
        if measurement.get(name) != "127.0.0.1":
            found.append(f"{name} is told")
    if keys.get("x_outcome") != "failed" and keys.get("failure") is not None:
        found.append("a failure of what did not fail")
    return found
