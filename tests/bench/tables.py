# SPDX-License-Identifier: GPL-3.0-or-later
"""Figures made of the runs, as text and as Markdown."""

import statistics

from programs import FLOOR, PEER

COLUMNS = ('wall s', 'least', 'CPU s', 'Mpps', 'Gbit/s', 'ns/packet', 'peak MB', 'B/flow', f'x {PEER}', 'the same by CPU', f'x {FLOOR}')


def median(runs, key):
    return statistics.median(run[key] for run in runs)


def cost(entry):
    """Seconds a packet."""
    return median(entry['runs'], 'wall') / entry['packets']


def work(entry):
    """Seconds of user and system time a packet."""
    return statistics.median(run['user'] + run['system'] for run in entry['runs']) / entry['packets']


def times(capture, name, entry, measure):
    """How many times faster than the named program."""
    other = capture['programs'].get(name)
    return f'{measure(other) / measure(entry):.2f}' if other and other['runs'] else '-'


def cells(capture, entry):
    """The figures of one program on one capture, as in COLUMNS."""
    runs = entry['runs']
    wall = median(runs, 'wall')
    written, stored = runs[-1]['written'], runs[-1]['stored']
    return [f'{wall:.3f}', f'{min(run["wall"] for run in runs):.3f}', f'{work(entry) * entry["packets"]:.2f}', f'{entry["packets"] / wall / 1e6:.3f}',
            f'{entry["bytes"] * 8 / wall / 1e9:.2f}', f'{wall / entry["packets"] * 1e9:.0f}',
            f'{max(run["peak_mb"] for run in runs):.0f}', f'{written / stored:.0f}' if stored else '-',
            times(capture, PEER, entry, cost), times(capture, PEER, entry, work), times(capture, FLOOR, entry, cost)]


def rows(capture):
    """(name, figures or None where it failed) of each program."""
    for name, entry in capture['programs'].items():
        label = name + (f' (first {entry["packets"]} packets)' if entry['packets'] != capture['packets'] else '')
        yield label, cells(capture, entry) if entry['runs'] else None


def heading(name, capture, runs):
    return (f'{name}: {capture["packets"]} packets, {capture["bytes"] / 1e6:.0f} MB on the wire, mean '
            f'{capture["bytes"] / max(capture["packets"], 1):.0f} B; medians of {runs}')


def width(column):
    return max(10, len(column) + 2)


def text(name, capture, runs):
    lines = [heading(name, capture, runs), ' ' * 44 + ''.join(column.rjust(width(column)) for column in COLUMNS)]
    for label, figures in rows(capture):
        if figures is None:
            lines.append(f'{label:44}     failed')
            continue
        lines.append(f'{label:44}' + ''.join(figure.rjust(width(column)) for column, figure in zip(COLUMNS, figures)))
    return '\n'.join(lines)


def markdown_table(head, lines):
    table = ['| ' + ' | '.join(head) + ' |', '| --- |' + ' ---: |' * (len(head) - 1)]
    return '\n'.join(table + ['| ' + ' | '.join(line) + ' |' for line in lines])


def markdown(name, capture, runs):
    lines = [[label, *(figures or ['failed'] + [''] * (len(COLUMNS) - 1))] for label, figures in rows(capture)]
    return f'{heading(name, capture, runs)}\n\n' + markdown_table(['program', *COLUMNS], lines)


GROWTH_COLUMNS = ('flows', 'CPU s', 'us a flow', 'against the first', 'peak MB', 'wall s', 'B/flow stored')


def growth_rows(growth):
    first = None
    for entry in growth:
        runs = entry['runs']
        cpu = statistics.median(run['user'] + run['system'] for run in runs)
        each = cpu / entry['flows'] * 1e6
        first = first or each
        stored = runs[-1]['stored']
        yield [str(entry['flows']), f'{cpu:.2f}', f'{each:.2f}', f'{each / first:.2f}',
               f'{max(run["peak_mb"] for run in runs):.0f}', f'{median(runs, "wall"):.2f}',
               f'{runs[-1]["written"] / stored:.0f}' if stored else '-']


def growth_text(growth):
    lines = [''.join(f'{column:>19}' for column in GROWTH_COLUMNS)]
    return '\n'.join(lines + [''.join(f'{cell:>19}' for cell in row) for row in growth_rows(growth)])


def growth_markdown(growth):
    return markdown_table(GROWTH_COLUMNS, growth_rows(growth))
