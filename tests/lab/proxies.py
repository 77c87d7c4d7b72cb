#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Machines that answer in others' names, and TLS servers with certificates of our choice.

The transparent ones take connections to any address that is led to them (house.py).
usage: proxies.py ROLE ADDRESS PORT [KEY=VALUE...]
"""

import contextlib
import os
import random
import select
import socket
import ssl
import struct
import sys
import threading

from endpoints import PATIENCE, accepted

IP_TRANSPARENT = 19
PAGE = b'HTTP/1.1 200 OK\r\nContent-Length: 760\r\nConnection: close\r\n\r\n' + b'darkline lab page. ' * 40
NO_LINGER = struct.pack('ii', 1, 0)


def taken(address, port):
    """Connections to any address that come here, each with a thread's worth of patience."""
    server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.setsockopt(socket.SOL_IP, IP_TRANSPARENT, 1)
    server.bind((address, port))
    server.listen()
    while True:
        line, _ = server.accept()
        line.settimeout(PATIENCE)
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield line


def in_threads(lines, serve):
    for line in lines:
        threading.Thread(target=serve, args=(line,), daemon=True).start()


def reset(line):
    line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
    line.close()


def portal(address, port, options, chance):
    """Sends every request elsewhere, and closes. options: to (a URL)"""
    answer = (f'HTTP/1.1 302 Found\r\nLocation: {options["to"]}\r\nContent-Length: 0\r\n'
              'Cache-Control: no-store\r\nConnection: close\r\n\r\n').encode()

    def serve(line):
        line.recv(65536)
        line.sendall(answer)
        line.shutdown(socket.SHUT_WR)
        line.recv(65536)
        line.close()
    in_threads(taken(address, port), serve)


def resetter(address, port, options, chance):
    """Takes any connection and resets it at its first bytes."""
    def serve(line):
        line.recv(65536)
        reset(line)
    in_threads(taken(address, port), serve)


def context_of(certificate, key):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


def pass_on(one, other):
    """Both ways, until one of them has nothing more to say."""
    ends = {one: other, other: one}
    with contextlib.suppress(OSError):
        while True:
            for ready in select.select(list(ends), [], [], PATIENCE)[0]:
                data = ready.recv(65536)
                if not data:
                    return
                ends[ready].sendall(data)
                while ready.pending():
                    ends[ready].sendall(ready.recv(65536))


def resigner(address, port, options, chance):
    """Ends TLS here with a certificate of its own and passes on what is said to the true server.

    options: folder (with NAME.pem and NAME.key), name (the one it has for who names none it knows)
    """
    def paths(name):
        return [os.path.join(options['folder'], f'{name}.{ending}') for ending in ('pem', 'key')]

    def choose(secure, name, _):
        secure.said_name = name
        if name and os.path.exists(paths(name)[0]):
            secure.context = context_of(*paths(name))

    def serve(line):
        host, host_port = line.getsockname()
        context = context_of(*paths(options['name']))
        context.sni_callback = choose
        onward = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        onward.check_hostname, onward.verify_mode = False, ssl.CERT_NONE
        with contextlib.suppress(OSError):
            secure = context.wrap_socket(line, server_side=True)
            far = onward.wrap_socket(socket.create_connection((host, host_port), 10),
                                     server_hostname=getattr(secure, 'said_name', None))
            pass_on(secure, far)
            far.close()
            secure.unwrap()
            secure.close()
    in_threads(taken(address, port), serve)


def tls_server(address, port, options, chance):
    """A web server that shows the given certificate. options: certificate, key"""
    context = context_of(options['certificate'], options['key'])

    def serve(line):
        with contextlib.suppress(OSError):
            secure = context.wrap_socket(line, server_side=True)
            secure.recv(65536)
            secure.sendall(PAGE)
            secure.unwrap()
            secure.close()
    in_threads(accepted(address, port), serve)


ROLES = {function.__name__.replace('_', '-'): function for function in (portal, resetter, resigner, tls_server)}


def main():
    role, host, port, *rest = sys.argv[1:]
    options = dict(pair.split('=', 1) for pair in rest)
    ROLES[role](host, int(port), options, random.Random(f'{options.get("seed", 1)} {role} {host} {port}'))


if __name__ == '__main__':
    main()
