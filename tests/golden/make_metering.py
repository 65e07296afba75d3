#!/usr/bin/env python3
"""A month of calls with known outages, and its bill and service levels, computed a second time.

Goal: metering.json, which src/metering/golden_month_test.cc holds the product's figures against.
Method: integers and fractions.Fraction only, nothing of the product; the calls come from a few lines
of arithmetic that the test has as well, and the prices are those of the contract, section 10.1.

usage: make_metering.py > metering.json
"""

import json
from fractions import Fraction
from math import floor

MINUTE, DAY = 60_000, 86_400_000
DAYS = 31                          # October 2026, by the calendar at UTC+8
INTERFACES = ['sentence', 'recording', 'flash', 'realtime', 'openai']
DAILY = [0, 300, 1000, 3000, 5000]
# interface: (unit, period, free of the month, [(reached from, price in millionths)])
PRICES = {
    'sentence': (1000, 'day', 5000,
                 list(zip((1000 * n for n in DAILY), (3_200_000, 2_800_000, 2_200_000, 1_600_000, 1_200_000)))),
    'recording': (3600, 'month', 10 * 3600,
                  [(0, 1_750_000), (120_000 * 3600 + 1, 1_400_000), (300_000 * 3600 + 1, 950_000)]),
    'flash': (3600, 'day', 5 * 3600,
              list(zip((3600 * n for n in DAILY), (3_100_000, 2_700_000, 2_300_000, 1_900_000, 1_300_000)))),
    'realtime': (3600, 'day', 5 * 3600,
                 list(zip((3600 * n for n in DAILY), (3_200_000, 2_800_000, 2_200_000, 1_600_000, 1_200_000)))),
    'openai': (3600, 'day', 0,
               list(zip((3600 * n for n in DAILY), (3_100_000, 2_700_000, 2_300_000, 1_900_000, 1_300_000)))),
}


class Random:
    """Knuth's MMIX generator; its upper 31 bits."""

    def __init__(self, state):
        self.state = state

    def below(self, limit):
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) % 2**64
        return (self.state >> 33) % limit


def make_calls():
    random, calls = Random(5), []
    for _ in range(9000):
        end = random.below(DAYS * DAY // 1000) * 1000 + random.below(1000)
        interface = INTERFACES[random.below(5)]
        audio = random.below(60_000_000) * (15 if interface == 'recording' else 1)
        took = random.below(3000) + (audio if interface == 'realtime' else 0)
        dice = random.below(100)
        outcome = 'caller' if dice < 5 else 'server' if dice < 6 else 'good'
        minute = end // MINUTE
        # Down for 47 minutes on the 11th, from 03:00; every second call fails on the 21st, 12:00 to 12:30.
        if 10 * 1440 + 180 <= minute < 10 * 1440 + 180 + 47:
            outcome = 'server'
        if 20 * 1440 + 720 <= minute < 20 * 1440 + 750 and random.below(2) == 0:
            outcome = 'server'
        calls.append((end, interface, audio, took, outcome))
    # Somebody tries again and again in the two outages.
    for minute in range(47):
        calls.append(((10 * 1440 + 180 + minute) * MINUTE + 30_000, 'sentence', 0, 5, 'server'))
    for number in range(300):
        calls.append(((20 * 1440 + 720) * MINUTE + number * 6000, 'sentence', 1000, 70 + number,
                      'server' if number % 2 else 'good'))
    calls.sort(key=lambda call: call[0])  # stable, as the test's
    return calls


def volume(call):
    _, interface, audio, _, outcome = call
    if outcome != 'good':
        return 0
    return 1 if PRICES[interface][0] == 1000 else max(1, -(-audio // 1000))


def rounded(amount):
    return floor(amount + Fraction(1, 2))


def tier_price(interface, charged):
    return [price for begin, price in PRICES[interface][3] if begin <= charged][-1]


def bill(calls):
    """Lines as (interface, day or -1) -> charged, fee; and each call's share."""
    charged_of, lines = [], {}
    free = {interface: price[2] for interface, price in PRICES.items()}
    for call in calls:
        interface, amount = call[1], volume(call)
        gift = min(amount, free[interface])
        free[interface] -= gift
        key = (interface, -1 if PRICES[interface][1] == 'month' else call[0] // DAY)
        lines[key] = lines.get(key, 0) + amount - gift
        charged_of.append((key, amount - gift))
    shares, so_far, fees = [], {}, {}
    for key, charged in charged_of:
        unit, price = PRICES[key[0]][0], tier_price(key[0], lines[key])
        before = so_far.get(key, 0)
        so_far[key] = before + charged
        shares.append(rounded(Fraction(so_far[key] * price, unit)) - rounded(Fraction(before * price, unit)))
    for key, charged in lines.items():
        fees[key] = rounded(Fraction(charged * tier_price(key[0], charged), PRICES[key[0]][0]))
    return lines, fees, shares


def level(share, fee):
    for below, percent in ((Fraction(95, 100), 50), (Fraction(99, 100), 20), (Fraction(999, 1000), 10)):
        if share < below:
            break
    else:
        percent = 0
    return {'share': floor(share * 10**9), 'percent': percent, 'credit': rounded(Fraction(fee * percent, 100))}


def sla(calls, fee):
    minutes = [[] for _ in range(DAYS * 1440)]
    for call in calls:
        minutes[call[0] // MINUTE].append(call[4])
    down = sum(1 for outcomes in minutes if outcomes and set(outcomes) == {'server'})
    mean = Fraction(0)
    intervals = [sum(minutes[i:i + 5], []) for i in range(0, len(minutes), 5)]
    for outcomes in intervals:
        mean += 1 - Fraction(outcomes.count('server'), len(outcomes)) if outcomes else 1
    outcomes = [call[4] for call in calls]
    good, server = outcomes.count('good'), outcomes.count('server')
    return {'unavailable_minutes': down,
            'minute_rule': level(1 - Fraction(down, len(minutes)), fee),
            'five_minutes': level(mean / len(intervals), fee),
            'requests': level(Fraction(good, good + server), fee),
            'succeeded': good, 'server_faults': server, 'caller_faults': outcomes.count('caller')}


def percentiles(times):
    times = sorted(times)
    return [times[-(-len(times) * percent // 100) - 1] for percent in (50, 95, 99)]


def main():
    calls = make_calls()
    lines, fees, shares = bill(calls)
    total = sum(fees.values())
    assert sum(shares) == total and min(shares) >= 0
    beyond = [max(0, call[3] - call[2]) for call in calls if call[4] == 'good' and call[1] == 'realtime']
    print(json.dumps({
        'calls': len(calls),
        'total': total,
        'lines': [[interface, day, lines[interface, day], fees[interface, day]]
                  for interface, day in sorted(lines, key=lambda key: (key[1], INTERFACES.index(key[0])))],
        # One number that every share takes part in, each with another weight.
        'weighted_shares': sum((number + 1) * share for number, share in enumerate(shares)) % (2**61 - 1),
        'some_shares': shares[::500],
        'sla': sla(calls, total),
        'realtime_beyond_audio': percentiles(beyond),
    }, separators=(',', ':')).replace('"some', '\n"some').replace('],[', '],\n['))


if __name__ == '__main__':
    main()
