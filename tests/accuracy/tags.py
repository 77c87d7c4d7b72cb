#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Are flows of real captures tagged right?  tags.py DARKLINE REAL_DATA CATALOG

Truth comes from two places that are not ours. By name: the SNI or Host that nDPI's own results print for a flow, looked up
by this script (not by darkline) in the catalog's names. By file: captures whose name says which program made them; there the flows that
nDPI's newest results give to that program. Flows count where a handshake (TCP), or packets of both sides (UDP), are in the capture.

Wanted: at least 97 % of them tagged with the right service, no wrong tag that is `certain`, and no BlackBerry tag anywhere.
"""
import collections
import concurrent.futures
import csv
import glob
import ipaddress
import json
import os
import re
import subprocess
import sys
import tempfile

SKIPPED = 77
WANTED_SHARE = 0.97

# Capture (beginning of its name): service, and what nDPI calls that program's flows.
FILES = {
    "discord": ("discord", {"Discord"}),
    "dingtalk": ("dingtalk", {"DingTalk"}),
    "forticlient": ("forticlient", {"FortiClient"}),
    "google_chat": ("google-chat", {"GoogleChat"}),
    "imo": ("imo", {"IMO"}),
    "jabber": ("xmpp", {"Jabber"}),
    "KakaoTalk": ("kakaotalk", {"KakaoTalk", "KakaoTalk_Voice"}),
    "line": ("line", {"Line", "LineCall"}),
    "mullvad_wireguard": ("mullvad", {"Mullvad"}),
    "openvpn": ("openvpn", {"OpenVPN"}),
    "opera-vpn": ("opera-vpn", {"OperaVPN"}),
    "pptp": ("pptp", {"PPTP"}),
    "protonvpn": ("protonvpn", {"ProtonVPN"}),
    "psiphon": ("psiphon", {"Psiphon"}),
    "signal": ("signal", {"Signal"}),
    "slack": ("slack", {"Slack"}),
    "softether": ("softether", {"Softether"}),
    "tailscale": ("tailscale", {"Tailscale"}),
    "telegram": ("telegram", {"Telegram"}),
    "threema": ("threema", {"Threema"}),
    "tor": ("tor", {"Tor"}),
    "tunnelbear": ("tunnelbear", {"TunnelBear"}),
    "viber": ("viber", {"Viber", "ViberVoip"}),
    "wa_": ("whatsapp", {"WhatsApp", "WhatsAppCall", "WhatsAppFiles"}),
    "webex": ("webex", {"Webex"}),
    "wechat": ("wechat", {"WeChat"}),
    "whatsapp": ("whatsapp", {"WhatsApp", "WhatsAppCall", "WhatsAppFiles"}),
    "wireguard": ("wireguard", {"WireGuard"}),
    "zoom.": ("zoom", {"Zoom"}),
    "zoom2": ("zoom", {"Zoom"}),
}
# Services that run inside or instead of another: both tags are right.
SAME = {("mullvad", "wireguard"), ("openvpn", "nordvpn")}


def catalog_names(folder):
    """[(suffix or exact, is exact, port, service)] and the traps, read from the YAML files line by line."""
    names, traps = [], set()
    for path in glob.glob(os.path.join(folder, "services", "*.yaml")) + glob.glob(os.path.join(folder, "controls", "*.yaml")):
        service, section = os.path.basename(path)[:-5], ""
        for line in open(path, encoding="utf-8"):
            if re.match(r"\w", line):
                section = line.split(":")[0]
            entry = re.search(r"\{(suffix|exact): \"?([^,}\"]+)", line)
            if not entry:
                continue
            port = re.search(r"port: (\d+)", line)
            if section == "names":
                names.append((entry.group(2), entry.group(1) == "exact", int(port.group(1)) if port else 0, service))
            elif section == "not":
                traps.add(entry.group(2))
    return names, traps


def service_of(host, port, names, traps):
    best, found = (-1, False, False), None
    if host in traps:
        return None
    for name, exact, want_port, service in names:
        fits = host == name or (not exact and host.endswith("." + name))
        rank = (len(name), exact, want_port != 0)
        if fits and want_port in (0, port) and rank > best:
            best, found = rank, service
    return found


def endpoint(address, port):
    try:
        return str(ipaddress.ip_address(address.strip("[]"))), int(port)
    except ValueError:
        return None


def labels(real_data):
    """(file, transport, ends): nDPI's row, the newer release's where both have the capture."""
    rows = {}
    for folder in ("dev-3b1286ac", "4.2-debian"):
        for row in csv.DictReader(open(os.path.join(real_data, "ndpi", folder, "flow_labels.csv"), encoding="utf-8")):
            ends = endpoint(row["src"], row["sport"]), endpoint(row["dst"], row["dport"])
            if row["l4"] in ("TCP", "UDP") and None not in ends:
                rows.setdefault((folder, row["file"], row["l4"].lower(), frozenset(ends)), row)
    return rows


def observe_one(darkline, catalog, path, store):
    subprocess.run([darkline, "probe", "-q", "-r", path, "-w", store, "--all-names", "--keep-addresses", "--catalog", catalog],
                   stderr=subprocess.DEVNULL, check=False)
    if not os.path.exists(store):
        return []
    out = subprocess.run([darkline, "flows", store, "--json", "--catalog", catalog], stdout=subprocess.PIPE, check=True)
    os.unlink(store)
    return [json.loads(line) for line in out.stdout.splitlines()]


def observe(darkline, real_data, catalog, work):
    flows = collections.defaultdict(list)
    paths = [(folder, path) for folder in ("dev-3b1286ac", "4.2-debian")
             for path in sorted(glob.glob(os.path.join(real_data, "ndpi", folder, "pcap", "*")))]
    with concurrent.futures.ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        runs = [pool.submit(observe_one, darkline, catalog, path, os.path.join(work, f"{number}.store"))
                for number, (_, path) in enumerate(paths)]
    for (folder, path), run in zip(paths, runs):
        for flow in run.result():
            ends = endpoint(flow["client"], flow["client_port"] or 0), endpoint(flow["server"], flow["server_port"] or 0)
            flow["file"], flow["folder"] = os.path.basename(path), folder
            flows[(folder, flow["file"], flow["transport"], frozenset(ends))].append(flow)
    return flows


def truth_of(row, flow, names, traps):
    """(service or None, how it is known)."""
    host = row["host"].lower().rstrip(".")
    application = row["proto"].split(".")[-1]
    if host and (row["proto"].startswith(("TLS", "HTTP", "QUIC"))):
        service = service_of(host, flow["server_port"], names, traps)
        if service:
            return service, "name"
    for beginning, (service, applications) in FILES.items():
        by_payload = row["confidence"].startswith("DPI")
        if row["file"].startswith(beginning) and application in applications and by_payload:
            return service, "file"
    literal = endpoint(host, 0) is not None # says nothing of the service
    return None, "host" if host and not literal and row["proto"].startswith(("TLS", "QUIC")) else ""


def has_handshake(flow):
    if flow["transport"] == "tcp":
        return flow["packets_up"] >= 2 and flow["packets_down"] >= 1 and flow["stage"] != "tcp"
    return flow["packets_up"] > 0 and flow["packets_down"] > 0


def main():
    darkline, real_data, catalog = sys.argv[1:4]
    if not os.path.isdir(os.path.join(real_data, "ndpi")):
        print(f"skipped: no real captures in {real_data}")
        return SKIPPED
    names, traps = catalog_names(catalog)
    tally, wrong_certain, missed, blackberry = collections.Counter(), [], collections.Counter(), []
    rows = labels(real_data)
    with tempfile.TemporaryDirectory() as work:
        flows = observe(darkline, real_data, catalog, work)
    for key, found in flows.items():
        for flow in found:
            if (flow["service"] or "").startswith("blackberry"):
                blackberry.append((flow["file"], flow["id"], flow["service"]))
        row = rows.get(key)
        if not row or any(flow["protocol"] == "DNS" for flow in found):
            continue
        for flow in found:
            service, how = truth_of(row, flow, names, traps)
            tag = flow["service"]
            right = tag == service or (service, tag) in SAME or (tag, service) in SAME
            if flow["certainty"] == "certain" and not right and (service or how == "host"):
                wrong_certain.append((flow["file"], flow["id"], tag, service, row["host"], flow["reasons"]))
            if service and has_handshake(flow):
                tally[how, right] += 1
                if not right:
                    missed[flow["file"], service, str(tag), row["proto"], row["host"]] += 1
    wanted = sum(tally.values())
    right = tally["name", True] + tally["file", True]
    for (name, service, tag, proto, host), count in missed.most_common():
        print(f"missed {count}: {name}: {service} tagged {tag} ({proto} {host})")
    for item in wrong_certain:
        print("wrong and certain:", *item)
    for item in blackberry:
        print("BlackBerry where there is none:", *item)
    print(f"by name {tally['name', True]} of {tally['name', True] + tally['name', False]}, "
          f"by file {tally['file', True]} of {tally['file', True] + tally['file', False]}, "
          f"together {right} of {wanted} ({100 * right / max(wanted, 1):.2f} %), "
          f"{len(wrong_certain)} wrong and certain, {len(blackberry)} BlackBerry tags")
    return 0 if wanted and right >= WANTED_SHARE * wanted and not wrong_certain and not blackberry else 1


if __name__ == "__main__":
    sys.exit(main())
