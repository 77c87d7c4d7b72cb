#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Block pages of real carriers are known, ordinary pages are not.  blockpages.py DARKLINE REAL_DATA

Every page of REAL_DATA/blockpages is served in a made-up capture, with and without a status line, and read with OONI's, Censored Planet's and
Citizen Lab's lists. "Named" is a page whose fingerprint is in the evidence, "judged" one that got a mechanism of it, "laid to a third party"
one that a country or a carrier shows and nothing speaks against. Ordinary pages, and all flows of REAL_DATA/negatives and REAL_DATA/ndpi,
must have neither mechanism nor third party.
"""
import collections
import glob
import json
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cli"))
import everything  # noqa: E402
import frames  # noqa: E402

SKIPPED = 77
LEAST_NAMED = 0.95
SEGMENT = 1400
LISTS = ("ooni/blocking_fingerprints/fingerprints_http.csv", "ooni/blocking_fingerprints/fingerprints_dns.csv",
         "censoredplanet/blockpage_signatures.json", "censoredplanet/false_positive_signatures.json", "citizenlab/http.csv", "citizenlab/dns.csv")
HEAD = b"HTTP/1.1 %s\r\nServer: nginx\r\nContent-Type: text/html\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"
MECHANISMS = ("http.blockpage", "http.redirect", "dns.injection.blockpage")

# The page that Pakistan's carriers share, as OONI and Censored Planet quote it; slipped in without a status line.
SURF_SAFELY = (b"<html><head><title>Surf Safely!</title></head><body><h1>Surf Safely!</h1><p>This website is not accessible.</p>"
               b"<p>The site you are trying to access contains content that is prohibited for viewership from within Pakistan.</p></body></html>")
NAMED_CASES = {
    "surf-safely": (SURF_SAFELY, "pk-surf-safely", "http.blockpage", "third-party"),
    "nayatel": (b"<!doctype html><html><head><title>NAYATEL SAFEWEB</title></head><body>SAFEWEB Service</body></html>", "pk-nayatel-safeweb",
                "http.blockpage", "unknown"),
    "jazz": (b"HTTP/1.1 302 Found\r\nLocation: http://119.73.65.87:8080/redirect.html?accessurl=x\r\nContent-Length: 0\r\n\r\n", "pk-jazz",
             "http.redirect", "third-party"),
    "witribe": (b"HTTP/1.1 302 Found\r\nLocation: http://redirect.wi-tribe.net.pk/alert/?u=x\r\nContent-Length: 0\r\n\r\n", "pk-witribe",
                None, "third-party"),
    "wateen": (b'<html><head><meta http-equiv="refresh" content="0;url=http://restrict.wateen.net/"></head></html>', "pk-wateen",
               "http.blockpage", "third-party"),
}

NGINX = b"""<!DOCTYPE html><html><head><title>Welcome to nginx!</title></head><body><h1>Welcome to nginx!</h1>
<p>If you see this page, the nginx web server is successfully installed and working.</p><p><em>Thank you for using nginx.</em></p></body></html>"""
PORTAL = b"""<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Guest Wi-Fi</title></head><body><h1>Welcome to our guest network</h1>
<form action="/login" method="post"><label>Room <input name="room"></label><label>Name <input name="name"></label><button>Connect</button></form>
<p>By connecting you accept the terms of use. Your session ends after 24 hours.</p></body></html>"""
NOT_FOUND = b"<html>\r\n<head><title>404 Not Found</title></head>\r\n<body>\r\n<center><h1>404 Not Found</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
APACHE = b"""<!DOCTYPE HTML PUBLIC "-//IETF//DTD HTML 2.0//EN"><html><head><title>404 Not Found</title></head><body><h1>Not Found</h1>
<p>The requested URL was not found on this server.</p></body></html>"""
FORBIDDEN = b"<html><head><title>403 Forbidden</title></head><body><center><h1>403 Forbidden</h1></center><hr><center>nginx</center></body></html>"
GATEWAY = b"<html><body><h1>503 Service Unavailable</h1>\nNo server is available to handle this request.\n</body></html>\n"
NEWS = b"""<!doctype html><html><head><meta charset="utf-8"><title>Regulator orders carriers to block messaging services - The Daily</title></head>
<body><article><h1>Regulator orders carriers to block messaging services</h1><p>Subscribers of several carriers in Pakistan, Iran and Russia said on
Friday that messaging services were blocked. Instead of the site they saw a notice that access was restricted by order of the authority. A
spokesman said that websites are blocked where the law demands it; campaigners called the filtering unlawful.</p><p>Researchers at the Open
Observatory of Network Interference collect such block pages. &quot;Some say surf safely, some say nothing at all,&quot; one of them told us. The
list of banned sites is not public, and internet service providers may not talk about it. Courts have ordered blocks before.</p></article></body></html>"""
EULA = b"""<html><head><title>Terms of service</title></head><body><h1>Acceptable use</h1><p>We may suspend accounts that break the law. Content that
is prohibited in your country may be unavailable. Access to the service may be restricted by a court order.</p></body></html>"""
BLOG = b"""<!doctype html><html><head><title>How to unblock a website</title></head><body><h1>How to unblock a website</h1><p>If a website is blocked at
school or at work, a VPN may help. Firewalls of companies filter by category; a proxy in another country sees the whole web.</p></body></html>"""
ORDINARY = {
    "nginx": (b"200 OK", NGINX), "portal": (b"200 OK", PORTAL), "missing": (b"404 Not Found", NOT_FOUND), "apache": (b"404 Not Found", APACHE),
    "forbidden": (b"403 Forbidden", FORBIDDEN), "gateway": (b"503 Service Unavailable", GATEWAY), "news": (b"200 OK", NEWS),
    "terms": (b"200 OK", EULA), "blog": (b"200 OK", BLOG), "empty": (b"200 OK", b""),
    "json": (b"200 OK", b'{"status":"blocked","reason":"too many requests"}'),
}


def serve(line, number, host, answer):
    """One connection: a request for `host`, the answer in segments, and goodbye."""
    talk = frames.Talk(line, f"10.0.{number >> 8}.{number & 255}", 20000 + number, "192.0.2.80", 80)
    talk.send(frames.CLIENT, b"GET / HTTP/1.1\r\nHost: %s\r\nUser-Agent: test\r\n\r\n" % host.encode())
    for start in range(0, len(answer), SEGMENT):
        talk.send(frames.SERVER, answer[start:start + SEGMENT])
        talk.send(frames.CLIENT, flags=frames.ACK)
    talk.send(frames.SERVER, flags=frames.FIN | frames.ACK)
    talk.send(frames.CLIENT, flags=frames.FIN | frames.ACK)


def capture(path, answers):
    line = frames.Line()
    for number, (host, answer) in enumerate(answers.items(), 1):
        serve(line, number, host, answer)
    with open(path, "wb") as file:
        file.write(frames.pcap(line.frames))


def flows_of(darkline, work, name, inputs, lists):
    store = os.path.join(work, name)
    options = [word for path in lists for word in ("--fingerprints", path)]
    command = [darkline, "probe", "--all-names", "-q", "-w", store, *options, "-r", *inputs]
    run = subprocess.run(command, stdin=subprocess.DEVNULL, check=False)
    if run.returncode not in (0, 3):
        sys.exit(f"{name}: exit {run.returncode}")
    text = subprocess.run([darkline, "flows", store, "--json"], stdout=subprocess.PIPE, check=True).stdout
    return [json.loads(line) for line in text.splitlines()]


def named(flow):
    """The fingerprint in a flow's evidence; None for none."""
    return next((each["detail"] for each in flow["evidence"] if each["rule"] == "blockpage"), None)


def judged(flow):
    return named(flow) is not None and flow["mechanism"] in MECHANISMS


def check_pages(darkline, work, pages, lists, what):
    """How many pages are known, over both ways to serve them; returns the share named."""
    answers = {}
    for number, page in enumerate(pages):
        with open(page, "rb") as file:
            body = file.read()
        answers[f"s{number}.page.example"] = HEAD % (b"200 OK", len(body)) + body
        answers[f"b{number}.page.example"] = body
    path = os.path.join(work, f"{what}.pcap")
    capture(path, answers)
    by_host = {flow["host"]: flow for flow in flows_of(darkline, work, f"{what}.store", [path], lists) if flow["host"]}
    known = {host for host in answers if host in by_host and named(by_host[host])}
    with_mechanism = {host for host in known if judged(by_host[host])}
    proven = {host for host in known if by_host[host]["attribution"] == "third-party"}
    missed = [f"{os.path.basename(pages[int(host[1:].split('.')[0])])} ({'with' if host[0] == 's' else 'without'} a status line)"
              for host in answers if host not in known]
    print(f"{what}: of {len(answers)} answers named {len(known)} ({len(known) / len(answers):.1%}), judged {len(with_mechanism)}, "
          f"laid to a third party {len(proven)}")
    if lists:
        print("  missed:", *missed, sep="\n    ")
        doubted = sorted({os.path.basename(pages[int(host[1:].split('.')[0])]) for host in known - with_mechanism})
        print("  named, but spoken against or vague:", *doubted, sep="\n    ")
    return len(known) / len(answers)


def check_addresses(darkline, work):
    """Answers with the address of a block page, an ordinary one and a bogon."""
    line = frames.Line()
    expected = {"chat.signal.org": ("203.0.114.9", None, None), "g.whatsapp.net": ("203.82.48.83", "dns.injection.blockpage", "third-party"),
                "wss-primary.slack.com": ("203.82.48.86", "dns.injection.blockpage", "unknown")}
    for number, (name, (address, *_)) in enumerate(expected.items()):
        line.question("10.0.0.9", 30000 + number, "192.0.2.53", name, [address])
    path = os.path.join(work, "dns.pcap")
    with open(path, "wb") as file:
        file.write(frames.pcap(line.frames))
    wrong = [(flow["host"], flow["mechanism"], flow["attribution"]) for flow in flows_of(darkline, work, "dns.store", [path], ())
             if (flow["mechanism"], flow["attribution"]) != expected[flow["host"]][1:]]
    print(f"addresses: {len(wrong)} of {len(expected)} wrong", *wrong)
    return len(wrong)


def check_named(darkline, work, lists):
    """The Pakistani pages that the catalog itself names, with and without the lists."""
    failed = 0
    path = os.path.join(work, "named.pcap")
    capture(path, {f"{name}.example.net": answer for name, (answer, *_) in NAMED_CASES.items()})
    for what, files in (("alone", ()), ("lists", lists)):
        for flow in flows_of(darkline, work, f"named-{what}.store", [path], files):
            case = NAMED_CASES[flow["host"].split(".")[0]]
            detail = named(flow) or ""
            good = detail.startswith(case[1] + " ") and flow["attribution"] == case[3] and case[2] in (None, flow["mechanism"])
            if not good:
                failed += 1
                print("wrong:", what, flow["host"], flow["mechanism"], flow["attribution"], detail)
    print(f"Pakistani pages: {failed} of {2 * len(NAMED_CASES)} wrong")
    return failed


def check_ordinary(darkline, work, real_data, lists):
    failed = 0
    answers = {f"{name}.example.net": HEAD % (status, len(body)) + body for name, (status, body) in ORDINARY.items()}
    answers.update({f"{name}-bare.example.net": body for name, (_, body) in ORDINARY.items() if body.startswith(b"<")})
    path = os.path.join(work, "ordinary.pcap")
    capture(path, answers)
    inputs = [path] + [each for folder in ("negatives", "ndpi") for each in everything.captures(os.path.join(real_data, folder))]
    flows = flows_of(darkline, work, "ordinary.store", inputs, lists)
    vague = collections.Counter()
    for flow in flows:
        if judged(flow) or (named(flow) and flow["attribution"] == "third-party"):
            failed += 1
            print("wrong:", flow["id"], flow["host"], flow["mechanism"], flow["attribution"], named(flow))
        elif named(flow):
            vague[named(flow).split(" ")[0]] += 1
    web = sum(flow["stage"] == "http" for flow in flows)
    print(f"ordinary: {len(answers)} pages of our own, {len(flows)} flows in all, {web} of them HTTP: {failed} taken for a block page; "
          f"named without a mechanism: {dict(vague)}")
    return failed


def check_pakistan(darkline, work, real_data):
    """CenTrace's Pakistani capture, where it is there."""
    folder = os.path.join(real_data, "interference", "centrace")
    paths = [path for path in glob.glob(os.path.join(folder, "**", "*.pcap"), recursive=True)
             if b"viewership from within pakistan" in open(path, "rb").read().lower()]
    if not paths:
        print("CenTrace: no capture with the Pakistani page in this data")
        return 0
    flows = flows_of(darkline, work, "pakistan.store", paths, ())
    found = [flow for flow in flows if (named(flow) or "").startswith("pk-surf-safely ")]
    print(f"CenTrace: the Pakistani page named in {len(found)} flows of {len(paths)} captures")
    return 0 if found else 1


def main():
    darkline, real_data = sys.argv[1:3]
    pages = sorted(glob.glob(os.path.join(real_data, "blockpages", "*.html")))
    lists = [os.path.join(real_data, path) for path in LISTS]
    if not pages or not all(os.path.exists(path) for path in lists):
        print(f"skipped: no block pages or no lists in {real_data}")
        return SKIPPED
    with tempfile.TemporaryDirectory() as work:
        check_pages(darkline, work, pages, (), "catalog alone")
        share = check_pages(darkline, work, pages, lists, "with the lists")
        failed = check_named(darkline, work, lists)
        failed += check_addresses(darkline, work)
        failed += check_ordinary(darkline, work, real_data, lists)
        failed += check_pakistan(darkline, work, real_data)
    return 1 if failed or share < LEAST_NAMED else 0


if __name__ == "__main__":
    sys.exit(main())
