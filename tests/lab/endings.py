#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clients and servers that end things in their own ways, most of them rudely; all of them by themselves.

usage: endings.py ROLE HOST PORT [KEY=VALUE...]
"""

import os
import random
import select
import signal
import socket
import struct
import sys
import time

from endpoints import PATIENCE, accepted, connect, listen
from packets import checksum

IP_MTU_DISCOVER, ALWAYS_DF, NEVER_DF = 10, 2, 0  # of <linux/in.h>
NO_LINGER = struct.pack('ii', 1, 0)
ZMAP_IP_ID, SCAN_WINDOW = 54321, 65535


def reset(line):
    line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
    line.close()


def leaving_server(address, port, options, chance):
    """Ends every connection as soon as it has it, or has sent `bytes`. how=reset or fin"""
    for line in accepted(address, port):
        if length := int(options.get('bytes', 0)):
            line.recv(65536)
            line.sendall(chance.randbytes(length))
        if options['how'] == 'reset':
            reset(line)
        else:
            line.shutdown(socket.SHUT_WR)
            while line.recv(65536):
                pass
            line.close()


def limiting_server(address, port, options, chance):
    """HTTP: one good answer, one 429, one 503, each closed; then nobody listens any more."""
    server = listen(address, port)
    for status in ('200 OK', '429 Too Many Requests', '503 Service Unavailable'):
        line, _ = server.accept()
        line.recv(65536)
        line.sendall(f'HTTP/1.1 {status}\r\nRetry-After: 60\r\nContent-Length: 2\r\n'
                     'Connection: close\r\n\r\nno'.encode())
        line.close()
    server.close()
    time.sleep(PATIENCE)


def deaf_server(address, port, options, chance):
    """Takes a connection and never reads: killed, its kernel resets what it has not read."""
    server = listen(address, port)
    lines = []
    while True:
        lines.append(server.accept())


def forgetting_server(address, port, options, chance):
    """Answers once; then, when a file appears, forgets its line, and listens on. forget=FILE"""
    for line in accepted(address, port):
        line.sendall(line.recv(65536))
        while not os.path.exists(options['forget']):
            time.sleep(0.05)
        reset(line)


def sleeping_client(host, port, options, chance):
    """Speaks, sleeps until a file appears, and speaks again. wake=FILE"""
    line = connect(host, port)
    line.sendall(chance.randbytes(90))
    line.recv(65536)
    while not os.path.exists(options['wake']):
        time.sleep(0.05)
    try:
        line.sendall(chance.randbytes(90))
        line.settimeout(5)
        line.recv(65536)
    except OSError as error:
        print(error)
        sys.exit(3)


def impatient_client(host, port, options, chance):
    """Asks, waits for `seconds`, sends `upload` bytes more, and goes. how=reset, fin or kill (with what came unread)"""
    line = connect(host, port)
    if request := options.get('request'):
        line.sendall(request.encode())
    time.sleep(float(options['seconds']))
    if upload := int(options.get('upload', 0)):
        line.sendall(chance.randbytes(upload))
    if options['how'] == 'kill':
        os.kill(os.getpid(), signal.SIGKILL)
    elif options['how'] == 'reset':
        reset(line)
    else:
        line.close()


def racing_client(host, port, options, chance):
    """Happy Eyeballs: opens a line to every address at once, speaks on the first and drops the others.

    losers=early (closed while they are still opening, as browsers do: their kernel then resets), reset or fin
    """
    lines = []
    for family, kind, protocol, _, place in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        line = socket.socket(family, kind, protocol)
        line.setblocking(False)
        line.connect_ex(place)
        lines.append(line)
    if options['losers'] == 'early':
        time.sleep(0.005)
        losers, lines = lines[1:], lines[:1]
        for line in losers:
            line.close()
    winner = select.select([], lines, [], 5)[1][0]
    winner.setblocking(True)
    winner.sendall(f'GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n'.encode())
    time.sleep(0.01)
    for line in lines:
        if line is not winner and options['losers'] == 'reset':
            reset(line)
        elif line is not winner:
            line.close()
    while winner.recv(65536):
        pass
    winner.close()


def scanner(host, port, options, chance):
    """One SYN as a mass scanner sends it: raw, without options. Its own kernel resets what answers. source=ADDRESS"""
    line = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    source, destination = (socket.inet_aton(end) for end in (options['source'], host))
    for number in map(int, options['ports'].split(',')):
        head = struct.pack('!HHIIBBHHH', 40000 + chance.randint(0, 9999), number, chance.getrandbits(32), 0, 5 << 4, 2,
                           SCAN_WINDOW, 0, 0)
        total = checksum(source + destination + struct.pack('!BBH', 0, 6, len(head)) + head)
        head = head[:16] + struct.pack('!H', total) + head[18:]
        ip = struct.pack('!BBHHHBBH', 0x45, 0, 40, ZMAP_IP_ID, 0, 255, 6, 0) + source + destination
        line.sendto(ip + head, (host, 0))
        time.sleep(0.1)


def port_scanner(host, port, options, chance):
    """Opens and closes a connection to each of the ports."""
    for number in map(int, options['ports'].split(',')):
        try:
            connect(host, number, 3).close()
        except OSError:
            pass


def backends(address, port, options, chance):
    """One address, two machines behind it: TTLs and IP-ID habits differ from connection to connection.

    how=close, or reset: every line is reset at its second request
    """
    servers = []
    for ttl, discover in ((64, ALWAYS_DF), (128, NEVER_DF)):
        server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        server.setsockopt(socket.SOL_IP, socket.IP_TTL, ttl)
        server.setsockopt(socket.SOL_IP, IP_MTU_DISCOVER, discover)
        server.bind((address, port))
        server.listen()
        servers.append(server)
    while True:
        for server in select.select(servers, [], [], PATIENCE)[0]:
            answer_twice(server.accept()[0], options['how'])


def answer_twice(line, how):
    line.settimeout(PATIENCE)
    line.recv(65536)
    line.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
    if line.recv(65536) and how == 'reset':
        reset(line)
    else:
        line.close()


def twice_client(host, port, options, chance):
    """`lines` connections one after the other, with two requests each; whatever becomes of them."""
    request = f'GET / HTTP/1.1\r\nHost: {options["name"]}\r\n\r\n'.encode()
    for _ in range(int(options['lines'])):
        line = connect(host, port)
        try:
            for _ in range(2):
                line.sendall(request)
                line.recv(65536)
        except OSError as error:
            print(error)
        line.close()


def syn_proxied(address, port, options, chance):
    """A machine before the server takes the connection, the server speaks on it: TTL 255 once, then 64."""
    server = listen(address, port)
    server.setsockopt(socket.SOL_IP, socket.IP_TTL, 255)
    while True:
        line, _ = server.accept()
        line.setsockopt(socket.SOL_IP, socket.IP_TTL, 64)
        answer_twice(line, options['how'])


def talking_server(address, port, options, chance):
    """The other half of a call, which speaks by itself, and for a while after the first has gone."""
    server = listen(address, port, socket.SOCK_DGRAM)
    _, peer = server.recvfrom(1500)
    end = time.monotonic() + float(options['seconds'])
    server.setblocking(False)
    while time.monotonic() < end:
        try:
            server.recvfrom(1500)
        except OSError:
            pass
        try:
            server.sendto(b'\x80\x6f' + chance.randbytes(chance.randint(90, 160)), peer)
        except OSError:
            pass
        time.sleep(0.02)


def timed_server(address, port, options, chance):
    """Answers requests; and ends every line so many seconds after it came, whatever is on its way. how=reset or fin"""
    for line in accepted(address, port):
        end = time.monotonic() + float(options['seconds'])
        while (left := end - time.monotonic()) > 0:
            if not select.select([line], [], [], left)[0]:
                break
            if not line.recv(65536):
                break
            line.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
        if options['how'] == 'reset' and left <= 0.001:
            reset(line)
        else:
            line.close()


def timed_client(host, port, options, chance):
    """Two requests on one line, the second `seconds` after the line was there."""
    line = connect(host, port)
    second = time.monotonic() + float(options['seconds'])
    request = f'GET / HTTP/1.1\r\nHost: {options["name"]}\r\n\r\n'.encode()
    try:
        line.sendall(request)
        line.recv(65536)
        while (left := second - time.monotonic()) > 0:
            time.sleep(left)
        line.sendall(request)
        line.recv(65536)
    except OSError as error:
        print(error)
    line.close()


def moody_server(address, port, options, chance):
    """Resets two lines at their first bytes and serves the third."""
    for number, line in enumerate(accepted(address, port)):
        heard = line.recv(65536)
        if number < 2:
            reset(line)
        else:
            line.sendall(heard[::-1])
            line.recv(65536)
            line.close()


def same_port_client(host, port, options, chance):
    """Opens `lines` connections from one port, each as soon as the last is gone."""
    place = socket.getaddrinfo(host, port, socket.AF_INET, socket.SOCK_STREAM)[0][4]
    source = 42000 + chance.randint(0, 999)
    for _ in range(int(options['lines'])):
        line = socket.socket()
        line.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        line.bind(('', source))
        line.connect(place)
        line.sendall(chance.randbytes(90))
        try:
            line.recv(65536)
        except OSError as error:
            print(error)
        line.close()


def rotating_resolver(address, port, options, chance):
    """Answers questions for A after so many seconds, with one of the name's addresses after the other.

    names=NAME:ADDRESS+ADDRESS,...
    """
    places = {name: addresses.split('+') for name, addresses in
              (pair.split(':') for pair in options['names'].split(','))}
    server, waiting = listen(address, port, socket.SOCK_DGRAM), []
    while True:
        patience = max(0, waiting[0][0] - time.monotonic()) if waiting else PATIENCE
        if select.select([server], [], [], patience)[0]:
            waiting.append((time.monotonic() + float(options['seconds']), *server.recvfrom(1500)))
        while waiting and waiting[0][0] <= time.monotonic():
            _, asked, peer = waiting.pop(0)
            server.sendto(answer_to(asked, places), peer)


def answer_to(asked, places):
    at, labels = 12, []
    while asked[at]:
        labels.append(asked[at + 1:at + 1 + asked[at]].decode())
        at += 1 + asked[at]
    own = places.get('.'.join(labels).lower(), [])
    if struct.unpack_from('!H', asked, at + 1)[0] != 1 or not own:
        return asked[:2] + b'\x85\x80' + asked[4:6] + bytes(6) + asked[12:at + 5]
    own.append(own.pop(0))
    record = b'\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4' + socket.inet_aton(own[-1])
    return asked[:2] + b'\x85\x80' + asked[4:6] + b'\0\1' + bytes(4) + asked[12:at + 5] + record


ROLES = {function.__name__.replace('_', '-'): function for function in (
    leaving_server, limiting_server, deaf_server, forgetting_server, sleeping_client, impatient_client, racing_client,
    scanner, port_scanner, backends, twice_client, syn_proxied, talking_server,
    timed_server, timed_client, moody_server, same_port_client, rotating_resolver)}


def main():
    role, host, port, *rest = sys.argv[1:]
    options = dict(pair.split('=', 1) for pair in rest)
    ROLES[role](host, int(port), options, random.Random(f'{options.get("seed", 1)} {role} {host} {port}'))


if __name__ == '__main__':
    main()
