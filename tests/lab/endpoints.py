#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clients and servers that no package offers; each runs inside a namespace of the lab.

SRP and the Router protocol follow what BlackBerry's public documents say of their order of messages. Nobody has
published their bytes: all framing here is our own, and recordings say so ("synthetic").
usage: endpoints.py ROLE HOST PORT [KEY=VALUE...]
"""

import contextlib
import hashlib
import hmac
import random
import select
import socket
import ssl
import struct
import sys
import threading
import time

PATIENCE = 30  # seconds; longer than any case
KEY = b'a key that only the lab knows'
CHALLENGE_LENGTH = 20
STUN_COOKIE = 0x2112A442


def connect(host, port, seconds=10):
    line = socket.create_connection((host, port), timeout=seconds)
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return line


def listen(address, port, kind=socket.SOCK_STREAM):
    family = socket.AF_INET6 if ':' in address else socket.AF_INET
    server = socket.socket(family, kind)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind((address, port))
    if kind == socket.SOCK_STREAM:
        server.listen()
        server.settimeout(PATIENCE)
    return server


def accepted(address, port):
    """One connection after the other, until nobody comes any more."""
    server = listen(address, port)
    while True:
        line, _ = server.accept()
        line.settimeout(PATIENCE)
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield line


def send_frame(line, kind, content=b''):
    line.sendall(struct.pack('!BBH', 1, kind, len(content)) + content)


def receive_exactly(line, length):
    data = b''
    while len(data) < length:
        piece = line.recv(length - len(data))
        if not piece:
            raise EOFError
        data += piece
    return data


def receive_frame(line):
    _, kind, length = struct.unpack('!BBH', receive_exactly(line, 4))
    return kind, receive_exactly(line, length)


def proof(challenge):
    return hmac.new(KEY, challenge, hashlib.sha1).digest()


INFORMATION, CHALLENGE, PROOF, CONFIRM, KEEPALIVE, DATA = range(1, 7)


def srp_client(host, port, options, chance):
    """options: id, keepalives (number), interval (seconds), frames (opaque ones)."""
    line = connect(host, port)
    identity = options.get('id', 'S12345678').encode()
    send_frame(line, INFORMATION, b'BES 5.0.4 SP4\0' + identity + b'\0')
    _, challenge = receive_frame(line)
    own = chance.randbytes(CHALLENGE_LENGTH)
    send_frame(line, CHALLENGE, own)
    send_frame(line, PROOF, proof(challenge))
    if receive_frame(line)[1] != proof(own) or receive_frame(line)[0] != CONFIRM:
        raise SystemExit('the relay could not prove itself')
    for _ in range(int(options.get('frames', 6))):
        send_frame(line, DATA, chance.randbytes(chance.randint(60, 900)))
        receive_frame(line)
        time.sleep(0.05)
    for _ in range(int(options.get('keepalives', 3))):
        time.sleep(float(options.get('interval', 0.5)))
        send_frame(line, KEEPALIVE)
        receive_frame(line)
    line.close()


def srp_server(address, port, options, chance):
    for line in accepted(address, port):
        threading.Thread(target=speak_srp, args=(line, chance), daemon=True).start()


def speak_srp(line, chance):
    """The server's side of one line, until its client is gone or was taken away."""
    with line, contextlib.suppress(EOFError, OSError):
        receive_frame(line)
        own = chance.randbytes(CHALLENGE_LENGTH)
        send_frame(line, CHALLENGE, own)
        _, challenge = receive_frame(line)
        if receive_frame(line)[1] != proof(own):
            raise SystemExit('the server could not prove itself')
        send_frame(line, PROOF, proof(challenge))
        send_frame(line, CONFIRM)
        while True:
            kind, _ = receive_frame(line)
            answer = b'' if kind == KEEPALIVE else chance.randbytes(chance.randint(40, 1200))
            send_frame(line, kind, answer)


def opaque_client(host, port, options, chance):
    """A handset at a BlackBerry Router: mutual proof, then frames that nobody can read."""
    line = connect(host, port)
    for length in (61, 45, *(chance.randint(40, 700) for _ in range(5))):
        line.sendall(chance.randbytes(length))
        line.recv(65536)
    line.close()


def opaque_server(address, port, options, chance):
    for line in accepted(address, port):
        while line.recv(65536):
            line.sendall(chance.randbytes(chance.randint(40, 900)))
        line.close()


def smtp_server(address, port, options, chance):
    """Just enough of a mail relay to be asked for STARTTLS. options: banner, certificate, key"""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(options['certificate'], options['key'])
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    name = options['banner'].encode()
    for line in accepted(address, port):
        line.sendall(b'220 ' + name + b' ESMTP\r\n')
        line.recv(4096)
        line.sendall(b'250-' + name + b'\r\n250 STARTTLS\r\n')
        line.recv(4096)
        line.sendall(b'220 2.0.0 Ready to start TLS\r\n')
        secure = context.wrap_socket(line, server_side=True)
        while (said := secure.recv(4096)) and not said.lower().startswith(b'quit'):
            secure.sendall(b'250 2.0.0 ok\r\n')
        secure.sendall(b'221 2.0.0 Bye\r\n')
        secure.recv(4096)
        secure.close()


def stun_client(host, port, options, chance):
    """A binding request (RFC 5389); exit status 3 when the other side says that nobody is there."""
    line = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    line.settimeout(3)
    line.connect(socket.getaddrinfo(host, port, socket.AF_INET, socket.SOCK_DGRAM)[0][4])
    line.send(struct.pack('!HHI', 0x0001, 0, STUN_COOKIE) + chance.randbytes(12))
    try:
        line.recv(1500)
    except ConnectionRefusedError:
        sys.exit(3)


def stun_server(address, port, options, chance):
    server = listen(address, port, socket.SOCK_DGRAM)
    while True:
        request, (peer, peer_port) = server.recvfrom(1500)
        mapped = struct.unpack('!I', socket.inet_aton(peer))[0] ^ STUN_COOKIE
        attribute = struct.pack('!HHBBHI', 0x0020, 8, 0, 1, peer_port ^ STUN_COOKIE >> 16, mapped)
        server.sendto(struct.pack('!HH', 0x0101, len(attribute)) + request[4:20] + attribute, (peer, peer_port))


def heard(line):
    try:
        return line.recv(65536)
    except ConnectionResetError:
        return b''


def silent_server(address, port, options, chance):
    """Takes connections and whatever comes on them, and never says a word."""
    server, lines = listen(address, port), []
    while True:
        for ready in select.select([server, *lines], [], [], PATIENCE)[0]:
            if ready is server:
                lines.append(server.accept()[0])
                continue
            if not heard(ready):
                lines.remove(ready)
                ready.close()


def resetting_server(address, port, options, chance):
    """Reads the first bytes, then resets: an endpoint that does not want this client."""
    for line in accepted(address, port):
        line.recv(65536)
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        line.close()


def closing_server(address, port, options, chance):
    """Closes with FIN at once, in good order, without a word."""
    for line in accepted(address, port):
        line.shutdown(socket.SHUT_WR)
        while line.recv(65536):
            pass
        line.close()


def connecting_client(host, port, options, chance):
    """Opens a connection, or gives up after `seconds`, and rests for `rest`; exit status 3 when it could not be had."""
    try:
        line = connect(host, port, float(options.get('seconds', 10)))
        time.sleep(float(options.get('rest', 0)))
        line.close()
    except OSError as error:
        print(error)
        sys.exit(3)


def call_client(host, port, options, chance):
    """Half of a call: fifty datagrams a second for `seconds`, and no word if nobody answers."""
    line = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    line.connect((host, port))
    for _ in range(int(float(options.get('seconds', 2)) * 50)):
        line.send(b'\x80\x6f' + chance.randbytes(chance.randint(90, 160)))  # as RTP begins
        time.sleep(0.02)


def call_server(address, port, options, chance):
    """The other half, as the first speaks."""
    server = listen(address, port, socket.SOCK_DGRAM)
    while True:
        heard, peer = server.recvfrom(1500)
        server.sendto(b'\x80\x6f' + chance.randbytes(len(heard) - 2), peer)


def slow_server(address, port, options, chance):
    """Answers an HTTP request in the end, after `seconds`."""
    for line in accepted(address, port):
        line.recv(65536)
        time.sleep(float(options['seconds']))
        line.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok')
        line.close()


def pausing_client(host, port, options, chance):
    """An SRP line that rests for `rest` seconds in the middle, longer than somebody between remembers it."""
    line = connect(host, port)
    send_frame(line, INFORMATION, b'BES 5.0.4 SP4\0' + options.get('id', 'S12345678').encode() + b'\0')
    receive_frame(line)
    time.sleep(float(options['rest']))
    try:
        send_frame(line, CHALLENGE, chance.randbytes(CHALLENGE_LENGTH))
        line.settimeout(float(options.get('patience', 3)))
        line.recv(65536)
    except OSError as error:
        print(error)
        sys.exit(3)


def dns_upstream(address, port, options, chance):
    """The resolver's own upstream, which fails: mode=servfail, or mode=silent."""
    server = listen(address, port, socket.SOCK_DGRAM)
    while True:
        question, peer = server.recvfrom(1500)
        if options['mode'] == 'servfail':
            server.sendto(question[:2] + b'\x81\x82' + question[4:6] + bytes(6) + question[12:], peer)


ROLES = {function.__name__.replace('_', '-'): function for function in (
    srp_client, srp_server, opaque_client, opaque_server, smtp_server, stun_client, stun_server, silent_server,
    resetting_server, closing_server, connecting_client, call_client, call_server, slow_server, pausing_client,
    dns_upstream)}


def main():
    role, host, port, *rest = sys.argv[1:]
    options = dict(pair.split('=', 1) for pair in rest)
    ROLES[role](host, int(port), options, random.Random(f'{options.get("seed", 1)} {role} {host} {port}'))


if __name__ == '__main__':
    main()
