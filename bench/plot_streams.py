#!/usr/bin/env python3
"""Draws what `lethe bench streams --json` measured: how late finals and partials are, by the number
of live streams.

usage: plot_streams.py RUN.json > streams.svg
"""

import json
import math
import sys

WIDTH, HEIGHT = 720, 420
LEFT, RIGHT, TOP, BOTTOM = 70, 20, 50, 60
# Percentiles of what, as a name, a colour and a dash.
CURVES = [(('final_ms', 'p50'), 'final after endpoint, p50', '#1b6ca8', '4 3'),
          (('final_ms', 'p95'), 'final after endpoint, p95', '#1b6ca8', ''),
          (('partial_cadence_ms', 'p50'), 'from partial to partial, p50', '#b5541c', '4 3'),
          (('partial_cadence_ms', 'p95'), 'from partial to partial, p95', '#b5541c', '')]
TICKS_MS = [1, 3, 10, 30, 100, 300, 1000, 3000, 10000]


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    with open(sys.argv[1], encoding='utf-8') as file:
        result = json.load(file)
    runs = sorted(result['runs'], key=lambda run: run['streams'])
    most = max(run['streams'] for run in runs)

    def x(streams):
        return LEFT + (WIDTH - LEFT - RIGHT) * streams / most

    def y(milliseconds):
        low, high = math.log(TICKS_MS[0]), math.log(TICKS_MS[-1])
        share = (math.log(max(milliseconds, TICKS_MS[0])) - low) / (high - low)
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * min(share, 1)

    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
             'font-family="sans-serif" font-size="12">',
             f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
             f'<text x="{LEFT}" y="20" font-size="14">Live streams on {result["threads"]} cores '
             f'({result["isa"]}): milliseconds, by the number of streams</text>']
    for tick in TICKS_MS:
        lines.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(tick):.1f}" '
                     f'y2="{y(tick):.1f}" stroke="#ddd"/>'
                     f'<text x="{LEFT - 8}" y="{y(tick) + 4:.1f}" text-anchor="end">{tick}</text>')
    step = 50 if most > 150 else 10
    for streams in range(0, most + 1, step):
        lines.append(f'<text x="{x(streams):.1f}" y="{HEIGHT - BOTTOM + 18}" '
                     f'text-anchor="middle">{streams}</text>')
    lines.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(result["target_ms"]):.1f}" '
                 f'y2="{y(result["target_ms"]):.1f}" stroke="#c00" stroke-width="0.8"/>')
    for i, ((what, percentile), name, colour, dash) in enumerate(CURVES):
        points = ' '.join(f'{x(run["streams"]):.1f},{y(run[what][percentile]):.1f}' for run in runs)
        lines.append(f'<polyline points="{points}" fill="none" stroke="{colour}" '
                     f'stroke-width="2" stroke-dasharray="{dash}"/>')
        at = LEFT + 10 + (i // 2) * 300
        below = HEIGHT - 24 + (i % 2) * 16
        lines.append(f'<line x1="{at}" x2="{at + 30}" y1="{below - 4}" y2="{below - 4}" '
                     f'stroke="{colour}" stroke-width="2" stroke-dasharray="{dash}"/>'
                     f'<text x="{at + 36}" y="{below}">{name}</text>')
    lines.append('</svg>')
    print('\n'.join(lines))


if __name__ == '__main__':
    main()
