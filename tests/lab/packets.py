# SPDX-License-Identifier: GPL-3.0-or-later
"""Captures and checksums: classic pcap files in, frames out, and back."""

import struct
import subprocess
from typing import NamedTuple

MAGIC_MICROSECONDS = 0xA1B2C3D4
ETHERNET = 1
SNAPLEN = 262144


class Frame(NamedTuple):
    time: int  # microseconds since 1970
    data: bytes
    cut: int = 0  # bytes that the capture did not keep


def read_pcap(path, cut_allowed=False):
    """All frames of a microsecond Ethernet pcap as tcpdump writes it; cut frames are an error unless allowed."""
    with open(path, 'rb') as file:
        raw = file.read()
    order = '<' if raw[:4] == struct.pack('<I', MAGIC_MICROSECONDS) else '>'
    magic, linktype = struct.unpack_from(order + 'I16xI', raw)
    if magic != MAGIC_MICROSECONDS or linktype != ETHERNET:
        raise ValueError(f'{path}: not a microsecond Ethernet pcap')
    frames, at = [], 24
    while at < len(raw):
        seconds, micros, stored, original = struct.unpack_from(order + 'IIII', raw, at)
        if stored != original and not cut_allowed or at + 16 + stored > len(raw):
            raise ValueError(f'{path}: a frame is cut at byte {at}')
        frames.append(Frame(seconds * 1_000_000 + micros, raw[at + 16:at + 16 + stored], original - stored))
        at += 16 + stored
    return frames


def pcap_bytes(frames):
    out = [struct.pack('<IHHiIII', MAGIC_MICROSECONDS, 2, 4, 0, 0, SNAPLEN, ETHERNET)]
    for frame in frames:
        seconds, micros = divmod(frame.time, 1_000_000)
        out.append(struct.pack('<IIII', seconds, micros, len(frame.data), len(frame.data) + frame.cut))
        out.append(frame.data)
    return b''.join(out)


def write_pcap(path, frames):
    with open(path, 'wb') as file:
        file.write(pcap_bytes(frames))


def write_compressed(path, data):
    packed = subprocess.run(['zstd', '-19', '-q', '-c'], input=data, stdout=subprocess.PIPE, check=True, timeout=60)
    with open(path, 'wb') as file:
        file.write(packed.stdout)


def ones_sum(data):
    """The folded 16-bit one's complement sum of RFC 1071."""
    if len(data) % 2:
        data = bytes(data) + b'\0'
    total = sum(struct.unpack(f'!{len(data) // 2}H', data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def checksum(data):
    return ~ones_sum(data) & 0xFFFF


def adjusted_checksum(old, removed, added):
    """What a checksum becomes when the bytes `removed` turn into `added` (RFC 1624): for packets not wholly there."""
    total = (~old & 0xFFFF) + (~ones_sum(removed) & 0xFFFF) + ones_sum(added)
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
