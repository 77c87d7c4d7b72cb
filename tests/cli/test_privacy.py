#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Does darkline keep its promises to the people it watches?  test_privacy.py DARKLINE SOURCE

By design sections 4 and 6: no payload, no name of what the catalog does not know, no client's address, in no byte of a
store, of `flows`, of a report, nor of what is said on the terminal; the key is private; folders, which may name a
person, are not kept.
"""
import glob
import hashlib
import hmac
import html
import ipaddress
import json
import os
import re
import shutil
import stat
import sys

sys.dont_write_bytecode = True

# pylint: disable=wrong-import-position
import frames  # noqa: E402
from harness import DONE, FAILED, Darkline, arguments, check, equal, expect, main, query, rows, test  # noqa: E402

DARKLINE, SOURCE = None, None

# People, of the generated capture.
CLIENTS = ("198.18.77.201", "198.18.99.14", "2001:db8:7a3c:91e2:5d4f:8b6a:c7e9:d1f3")
PEER = "203.0.114.93"  # the other end of a call
RESOLVER, SIGNAL, EXAMPLE, OTHER = "192.0.2.53", "76.223.92.165", "192.0.2.80", "192.0.2.99"
# Names that no catalog holds.
SECRETS = ("tls.zebrafish-clinic.example", "http.zebrafish-clinic.example", "dns.zebrafish-clinic.example",
           "six.zebrafish-clinic.example", "neighbour.zebrafish-clinic.example", "failing.zebrafish-clinic.example")
SECRET_PART = b"zebrafish"
MARKER = b"q7Xv-PAYLOAD-Zk93"
PSEUDONYM = re.compile(r"[0-9a-f]{8}-[0-9a-f]{16}")


# ---- the generated capture ----

def tls(line, client, port, server, name, answered=True):
    talk = frames.Talk(line, client, port, server, 443)
    talk.send(frames.CLIENT, frames.client_hello(name))
    if not answered:
        talk.send(frames.SERVER, flags=frames.RST | frames.ACK)
        return
    talk.send(frames.SERVER, frames.server_hello() + b"\x17\x03\x03\x00\x11" + MARKER)
    talk.send(frames.CLIENT, b"\x17\x03\x03\x00\x11" + MARKER)
    talk.finish()


def http(line, client, port, host, status=b"200 OK", extra=b"", reset=False):
    talk = frames.Talk(line, client, port, EXAMPLE, 80)
    talk.send(frames.CLIENT, b"\r\n".join((
        b"POST /" + MARKER + b"?user=" + MARKER + b" HTTP/1.1", b"Host: " + host.encode(), b"Cookie: id=" + MARKER,
        b"Referer: http://" + host.encode() + b"/" + MARKER, b"Content-Length: 17", b"", MARKER)))
    page = b"<html><head><title>Hello</title></head><body>" + MARKER + b"</body></html>"
    head = b"HTTP/1.1 " + status + b"\r\nContent-Type: text/html\r\nSet-Cookie: id=" + MARKER + b"\r\n" + extra
    talk.send(frames.SERVER, head + f"Content-Length: {len(page)}\r\n\r\n".encode() + page)
    if reset:
        talk.send(frames.SERVER, flags=frames.RST | frames.ACK)
    else:
        talk.finish()


def people_at_work():
    """What a line sees: catalogued things, private things, and a call."""
    line, (first, second, third) = frames.Line(), CLIENTS
    line.question(first, 40001, RESOLVER, "chat.signal.org", [SIGNAL])
    tls(line, first, 50001, SIGNAL, "chat.signal.org")
    tls(line, first, 50002, SIGNAL, "chat.signal.org", answered=False)
    tls(line, first, 50003, SIGNAL, "neighbour.zebrafish-clinic.example")  # another site on the messenger's address
    line.question(first, 40002, RESOLVER, "dns.zebrafish-clinic.example", [OTHER])
    line.question(first, 40003, RESOLVER, ".".join(reversed(second.split("."))) + ".in-addr.arpa", [], kind=12)
    tls(line, second, 50004, OTHER, "tls.zebrafish-clinic.example")
    tls(line, second, 50005, OTHER, "failing.zebrafish-clinic.example", answered=False)
    tls(line, third, 50006, "2001:db8:ffff::80", "six.zebrafish-clinic.example")
    http(line, second, 50007, "http.zebrafish-clinic.example")
    http(line, second, 50008, "www.example.com")
    away = b"Location: http://www.example.com/a?who=" + MARKER + b"\r\n"
    http(line, second, 50009, "www.example.com", b"302 Found", away, reset=True)
    for number in range(12):  # a call: both ends are people
        ends = [(first, 45000, PEER, 46000), (PEER, 46000, first, 45000)][number % 2]
        line.udp(*ends, b"\x80\x60" + number.to_bytes(2, "big") + bytes(8) + MARKER)
    return line.frames


def path_in(folder, name, data=None):
    path = os.path.join(folder, name)
    if data is not None:
        with open(path, "wb") as file:
            file.write(data)
    return path


def capture(folder, name="people.pcap"):
    return path_in(folder, name, frames.pcap(people_at_work()))


# ---- looking ----

def bytes_of(path):
    with open(path, "rb") as file:
        return file.read()


def store_bytes(store):
    """The store and what may lie beside it, but for the key."""
    return b"".join(bytes_of(path) for path in glob.glob(glob.escape(store) + "*") if not path.endswith(".key"))


def forms_of(address):
    """An address as it may be written: text, whole and without zeroes left out, and bytes in both orders."""
    address = ipaddress.ip_address(address)
    reverse = address.reverse_pointer.encode()
    found = [str(address).encode(), address.exploded.encode(), address.packed, address.packed[::-1], reverse]
    if address.version == 6:
        found += [address.packed[:8], str(address)[:19].encode()]  # the line's /64
    return found


def wire_name(name):
    return b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))


def holds_no_client(data, what, clients=CLIENTS):
    for client in clients:
        for form in forms_of(client):
            check(form not in data, f"{what} holds the client {client} as {form!r}")


def holds_no_name(data, what, names):
    for name in names:
        for form in (name.encode(), name.upper().encode(), wire_name(name)):
            check(form not in data, f"{what} holds the name {name}")


def probe(store, *words, code=DONE):
    return expect(DARKLINE.run("probe", "-r", *words, "-w", store), code)


def everything_said(store, *options):
    """All that can be got out of a store: flows in three forms, and the report's files."""
    said = [DARKLINE.run("flows", store, *form, *options).out for form in ([], ["--json"], ["--csv"])]
    folder = store + "-report"
    expect(DARKLINE.run("report", store, "-o", folder, "--no-pictures"), DONE)
    for path in glob.glob(os.path.join(folder, "**"), recursive=True):
        if os.path.isfile(path):
            said.append(bytes_of(path).decode("utf-8", "replace"))
    return "\n".join(said).encode()


def report_of(store):
    folder = store + "-report"
    expect(DARKLINE.run("report", store, "-o", folder, "--no-pictures"), DONE)
    return bytes_of(os.path.join(folder, "index.html"))


# ---- names ----

@test
def unknown_names_leave_no_trace(folder):
    store = path_in(folder, "a.store")
    result = probe(store, capture(folder), "-v")
    kept = {flow["host"] for flow in DARKLINE.flows(store)}
    equal(kept, {"chat.signal.org", "www.example.com"}, "names that are kept")
    for what, data in (("the store", store_bytes(store)), ("what can be got out", everything_said(store)),
                       ("standard error", result.err.encode())):
        holds_no_name(data, what, SECRETS)
        check(SECRET_PART not in data.lower(), f"{what} holds a part of a name")
    check(rows(store, "counts") > 0, "the others are not even counted")


@test
def unknown_names_of_the_lab(folder):
    """The two names of messengers.pcap that only look like a catalogued one."""
    store = path_in(folder, "m.store")
    probe(store, os.path.join(SOURCE, "pcaps", "lab", "messengers.pcap"))
    holds_no_name(store_bytes(store), "the store", ("xslack.com", "bbsecure.com.evil.org", "evil.org"))


@test
def a_catalog_that_knows_nothing(folder):
    """With the catalog of one service that nobody uses no name of any lab capture is kept.

    That is: SNI, questions, Host, QUIC's SNI, names in certificates.
    """
    catalog, names = os.path.join(folder, "catalog"), set()
    os.makedirs(os.path.join(catalog, "services"))
    shutil.copy(os.path.join(SOURCE, "catalog", "services", "threema.yaml"), os.path.join(catalog, "services"))
    captures = sorted(glob.glob(os.path.join(SOURCE, "pcaps", "lab", "*.pcap")))
    for path in captures:
        with open(path.replace(".pcap", ".json"), encoding="utf-8") as file:
            names |= {flow["host"] for flow in json.load(file)["flows"] if flow["host"]}
    check(any("quic" in path for path in captures) and len(names) > 20, f"only {len(names)} names")
    store = path_in(folder, "n.store")
    probe(store, *captures, "--catalog", catalog)
    equal(rows(store), 0, "flows of services that nobody knows")
    holds_no_name(store_bytes(store), "the store", names)


@test
def all_names_when_asked(folder):
    """The search finds names where they are: the tests above can fail."""
    store = path_in(folder, "a.store")
    probe(store, capture(folder), "--all-names")
    data = store_bytes(store)
    for name in SECRETS:
        check(name.encode() in data, f"{name} is not in the store with --all-names")
    # The second one is in a reverse question, which is a name like others.
    holds_no_client(data, "the store", (CLIENTS[0], CLIENTS[2]))


@test
def watchlist_keeps_what_it_names(folder):
    """One a line, or a Citizen Lab list: these names and no others."""
    lists = (path_in(folder, "w.txt", b"# names\ntls.zebrafish-clinic.example\n"),
             path_in(folder, "w.csv", b"url,category_code\nhttps://tls.zebrafish-clinic.example/path?x,HUMR\n"))
    for number, watchlist in enumerate(lists):
        store = path_in(folder, f"{number}.store")
        probe(store, capture(folder), "--watchlist", watchlist)
        flows = DARKLINE.flows(store)
        equal({flow["host"] for flow in flows},
              {"chat.signal.org", "www.example.com", "tls.zebrafish-clinic.example"}, "names")
        equal([flow["service"] for flow in flows if "zebrafish" in flow["host"]], [None], "tag of a watched name")
        holds_no_name(store_bytes(store), "the store", [name for name in SECRETS if not name.startswith("tls.")])


# ---- addresses ----

@test
def clients_leave_no_trace(folder):
    store = path_in(folder, "a.store")
    result = probe(store, capture(folder), "-v", "--live")
    for what, data in (("the store", store_bytes(store)), ("what can be got out", everything_said(store)),
                       ("standard output", result.out.encode()), ("standard error", result.err.encode())):
        holds_no_client(data, what)
        holds_no_client(data, what, (PEER,))


@test
def lab_clients_leave_no_trace(folder):
    store, clients = path_in(folder, "l.store"), set()
    captures = sorted(glob.glob(os.path.join(SOURCE, "pcaps", "lab", "**", "*.pcap"), recursive=True))
    for path in captures:
        with open(path[:path.index(".pcap")] + ".json", encoding="utf-8") as file:
            clients |= {flow["client"] for flow in json.load(file)["flows"]}
    probe(store, *captures)
    check(len(clients) > 3 and rows(store) > 300, f"{len(clients)} clients, {rows(store)} rows")
    holds_no_client(store_bytes(store), "the store", clients)
    holds_no_client(everything_said(store), "what can be got out", clients)


@test
def called_people_are_pseudonyms(folder):
    """The other end of a call, which neither name nor catalog explains."""
    store = path_in(folder, "p.store")
    probe(store, capture(folder), "--all-names")
    calls = [flow for flow in DARKLINE.flows(store) if flow["server_port"] == 46000]
    equal(len(calls), 1, "calls")
    check(PSEUDONYM.fullmatch(calls[0]["server"]), f"server {calls[0]['server']}")
    check(ipaddress.ip_address(PEER).packed not in store_bytes(store), "the store holds the called one")


@test
def kept_when_asked(folder):
    """--keep-addresses keeps them, and needs no key; the report shows none even then."""
    store = path_in(folder, "k.store")
    probe(store, capture(folder), "--all-names", "--keep-addresses")
    equal({flow["client"] for flow in DARKLINE.flows(store)}, set(CLIENTS), "clients")
    check(not os.path.exists(store + ".key"), "a key was made")
    for client in CLIENTS:
        check(ipaddress.ip_address(client).packed in store_bytes(store), f"{client} is not in the store")
    report = report_of(store)
    for client in (*CLIENTS, PEER):
        check(client.encode() not in report, f"the report shows {client}")


@test
def local_networks_in_both_columns(folder):
    """Whoever lives in the vantage's local networks is a person, also as a server."""
    line, home = frames.Line(), ("100.64.7.21", "100.64.7.93")
    line.question(home[0], 40001, home[1], "chat.signal.org", [SIGNAL])
    tls(line, home[0], 50001, home[1], "chat.signal.org")
    tls(line, home[0], 50002, SIGNAL, "chat.signal.org")
    path = path_in(folder, "home.pcap", frames.pcap(line.frames))
    path_in(folder, "home.vantage.yaml", b'probe_id: home\ncountry: PK\nlocal_networks:\n  - "100.64.7.0/24"\n')
    store = path_in(folder, "h.store")
    probe(store, path)
    flows = DARKLINE.flows(store)
    equal([bool(PSEUDONYM.fullmatch(flow["server"])) for flow in flows], [True, True, False], "pseudonyms as servers")
    equal(flows[2]["server"], SIGNAL, "a server abroad")
    equal(len({flow["server"] for flow in flows[:2]}), 1, "pseudonyms of one address")
    for address in home:
        check(ipaddress.ip_address(address).packed not in store_bytes(store), f"the store holds {address}")


@test
def report_shows_no_client(folder):
    """Neither addresses nor pseudonyms, not even the key's name."""
    store = path_in(folder, "r.store")
    probe(store, *glob.glob(os.path.join(SOURCE, "pcaps", "demo-*.pcap*")), capture(folder), "--all-names")
    report = report_of(store)
    for flow in DARKLINE.flows(store):
        check(flow["client"].encode() not in report, "the report shows a pseudonym")
        check(flow["client"].split("-")[1].encode() not in report, "the report shows a part of a pseudonym")
    check(not PSEUDONYM.search(html.unescape(report.decode())), "the report shows something like a pseudonym")
    holds_no_client(report, "the report")


# ---- payload ----

@test
def no_payload(folder):
    """Paths, cookies, bodies, queries of redirects, application data are not kept, whatever the options."""
    path = capture(folder)
    for number, options in enumerate(([], ["--all-names"], ["--all-names", "--keep-addresses"])):
        store = path_in(folder, f"{number}.store")
        result = probe(store, path, "-v", "--live", *options)
        for what, data in (("the store", store_bytes(store)), ("what can be got out", everything_said(store)),
                           ("what was said", (result.out + result.err).encode())):
            check(MARKER not in data and MARKER.lower() not in data.lower(), f"{what} holds payload, with {options}")
    check(any(flow["stage"] == "http" and flow["host"] == "www.example.com" for flow in DARKLINE.flows(store)),
          "no HTTP flow was stored: the test tests nothing")


# ---- the key ----

@test
def key_is_private(folder):
    store = path_in(folder, "k.store")
    probe(store, capture(folder))
    mode = stat.S_IMODE(os.stat(store + ".key").st_mode)
    equal((oct(mode), os.path.getsize(store + ".key")), (oct(0o600), 32), "mode and size of the key")
    check(bytes_of(store + ".key") not in store_bytes(store), "the store holds the key")


@test
def pseudonyms_are_as_documented(folder):
    """EPOCH- and 16 hex digits of HMAC-SHA-256 over the address (of IPv6 its /64) with the store's key."""
    store = path_in(folder, "p.store")
    probe(store, capture(folder), "--all-names")
    key = bytes_of(store + ".key")
    epoch = query(store, "SELECT value FROM meta WHERE key = 'key_epoch'")[0][0]
    wanted = set()
    for client in CLIENTS:
        address = ipaddress.ip_address(client).packed
        wanted.add(f"{epoch}-{hmac.new(key, address[:8], hashlib.sha256).hexdigest()[:16]}")
    equal({flow["client"] for flow in DARKLINE.flows(store)}, wanted, "clients")


def clients_of(folder, name, *options):
    store = path_in(folder, name)
    probe(store, os.path.join(folder, "people.pcap"), *options)
    return {flow["client"] for flow in DARKLINE.flows(store)}


@test
def same_key_same_people(folder):
    capture(folder)
    fleet = ("--key", path_in(folder, "fleet.key"))
    first, second = clients_of(folder, "1.store", *fleet), clients_of(folder, "2.store", *fleet)
    other = clients_of(folder, "3.store")
    equal(first, second, "clients under one key")
    check(not first & other, "clients under another key are the same")
    numbers = [{client.split("-")[1] for client in clients} for clients in (first, other)]
    check(not numbers[0] & numbers[1], "the same but for the epoch")
    equal(stat.S_IMODE(os.stat(fleet[1]).st_mode), 0o600, "mode of the fleet's key")


@test
def one_store_one_key(folder):
    """Clients of two keys in one store could not be told apart: refused, and the store stays as it was."""
    store, path = path_in(folder, "o.store"), capture(folder)
    probe(store, path)
    before = DARKLINE.flows(store)
    second = path_in(folder, "second.pcap", frames.pcap(frames.many_flows(3).frames))
    result = DARKLINE.run("probe", "-r", second, "-w", store, "--key", path_in(folder, "other.key"))
    expect(result, FAILED, store, "other.key")
    check(DARKLINE.flows(store) == before, "the store has changed")
    probe(store, second)


# ---- folders ----

def holds_no_folder(data, what):
    check(b"Jane-Doe" not in data, f"{what} holds the folder's name")


@test
def stores_keep_no_folder(folder):
    """A folder may name a person: only the name of the file in it is kept."""
    private = path_in(folder, "Jane-Doe-private")
    os.mkdir(private)
    path = capture(private)
    for name, word in (("f.store", path), ("g.store", private), ("h.store", private + "/")):
        store = path_in(folder, name)
        probe(store, word)
        data = store_bytes(store)
        holds_no_folder(data + everything_said(store), f"the store of {os.path.basename(word)}")
        check(b"people.pcap" in data, "the capture's own name is not kept")


@test
def reports_keep_no_folder(folder):
    """Nor does the command line that a report shows, however it was written; nor a capture filter."""
    private = path_in(folder, "Jane-Doe-private")
    os.mkdir(private)
    path, catalog, key = capture(private), os.path.join(private, "catalog"), path_in(private, "run.key")
    shutil.copytree(os.path.join(SOURCE, "catalog"), catalog, ignore=shutil.ignore_patterns("*.c", "*.h"))
    for number, words in enumerate((
            [path, f"--output={private}/out0", f"--catalog={catalog}", "--key", key],
            [path, f"-o{private}/out1", "--catalog", catalog + "/", f"--key={key}"],
            [private + "/", "-o", f"{private}/out2/", "-f", f"host {CLIENTS[0]}"],
            [private, "-o", f"{private}/out3", f"--filter=host {CLIENTS[0]}"],
            [private, "-o", f"{private}/out4", f"-fhost {CLIENTS[0]}"])):
        expect(DARKLINE.run("run", *words, "--no-pictures"), DONE)
        report = bytes_of(os.path.join(private, f"out{number}", "index.html"))
        check(b"darkline run" in report, "the report does not show the command: the test tests nothing")
        holds_no_folder(report, f"the report of run {words}")
        holds_no_client(report, f"the report of run {words}")
        holds_no_folder(store_bytes(os.path.join(private, f"out{number}", "flows.store")), "its store")


if __name__ == "__main__":
    DARKLINE, SOURCE = arguments("DARKLINE", "SOURCE")
    DARKLINE = Darkline(DARKLINE)
    sys.exit(main())
