#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes catalog/countries.yaml from the machine's IANA time zone database: python3 catalog/countries.py > catalog/countries.yaml

The zone of a country is that of its capital. `changes` are all changes of that zone's clock from FIRST to LAST.
"""
import datetime
import sys
import zoneinfo

ZONES = '/usr/share/zoneinfo'
FIRST = datetime.datetime(2008, 1, 1, tzinfo=datetime.timezone.utc)
LAST = datetime.datetime(2031, 1, 1, tzinfo=datetime.timezone.utc)
CHECKED = '2026-11-22'

# Zones where the first of zone.tab is not the capital's, and countries that keep one time though zone.tab lists more.
CAPITALS = {'UA': 'Europe/Kyiv', 'BR': 'America/Sao_Paulo', 'ID': 'Asia/Jakarta', 'CD': 'Africa/Kinshasa', 'RU': 'Europe/Moscow',
            'US': 'America/New_York', 'KZ': 'Asia/Almaty', 'UZ': 'Asia/Tashkent', 'CN': 'Asia/Shanghai', 'ES': 'Europe/Madrid'}
ONE_TIME = {'CN'}

NAMES = {
    'AE': 'United Arab Emirates', 'AF': 'Afghanistan', 'AM': 'Armenia', 'AO': 'Angola', 'AZ': 'Azerbaijan', 'BD': 'Bangladesh',
    'BH': 'Bahrain', 'BI': 'Burundi', 'BJ': 'Benin', 'BR': 'Brazil', 'BY': 'Belarus', 'CD': 'DR Congo', 'CG': 'Congo',
    'CM': 'Cameroon', 'CN': 'China', 'CO': 'Colombia', 'CU': 'Cuba', 'DE': 'Germany', 'DJ': 'Djibouti', 'DZ': 'Algeria',
    'EG': 'Egypt', 'ER': 'Eritrea', 'ES': 'Spain', 'ET': 'Ethiopia', 'FR': 'France', 'GA': 'Gabon', 'GB': 'United Kingdom',
    'GE': 'Georgia', 'GH': 'Ghana', 'GM': 'Gambia', 'GN': 'Guinea', 'GQ': 'Equatorial Guinea', 'HK': 'Hong Kong',
    'ID': 'Indonesia', 'IL': 'Israel', 'IN': 'India', 'IQ': 'Iraq', 'IR': 'Iran', 'IT': 'Italy', 'JO': 'Jordan',
    'JP': 'Japan', 'KE': 'Kenya', 'KG': 'Kyrgyzstan', 'KH': 'Cambodia', 'KP': 'North Korea', 'KR': 'South Korea',
    'KW': 'Kuwait', 'KZ': 'Kazakhstan', 'LA': 'Laos', 'LB': 'Lebanon', 'LK': 'Sri Lanka', 'LR': 'Liberia', 'LY': 'Libya',
    'MA': 'Morocco', 'ML': 'Mali', 'MM': 'Myanmar', 'MR': 'Mauritania', 'MW': 'Malawi', 'MX': 'Mexico', 'MY': 'Malaysia',
    'MZ': 'Mozambique', 'NE': 'Niger', 'NG': 'Nigeria', 'NI': 'Nicaragua', 'NL': 'Netherlands', 'NP': 'Nepal', 'OM': 'Oman',
    'PH': 'Philippines', 'PK': 'Pakistan', 'PS': 'Palestine', 'QA': 'Qatar', 'RU': 'Russia', 'RW': 'Rwanda',
    'SA': 'Saudi Arabia', 'SD': 'Sudan', 'SG': 'Singapore', 'SL': 'Sierra Leone', 'SN': 'Senegal', 'SO': 'Somalia',
    'SS': 'South Sudan', 'SY': 'Syria', 'SZ': 'Eswatini', 'TD': 'Chad', 'TG': 'Togo', 'TH': 'Thailand', 'TJ': 'Tajikistan',
    'TM': 'Turkmenistan', 'TN': 'Tunisia', 'TR': 'Turkey', 'TZ': 'Tanzania', 'UA': 'Ukraine', 'UG': 'Uganda',
    'US': 'United States', 'UZ': 'Uzbekistan', 'VE': 'Venezuela', 'VN': 'Vietnam', 'YE': 'Yemen', 'ZA': 'South Africa',
    'ZM': 'Zambia', 'ZW': 'Zimbabwe'}


def zones_of_countries():
    zones = {}
    with open(f'{ZONES}/zone.tab', encoding='utf-8') as table:
        for line in table:
            if not line.startswith('#'):
                country, _, zone = line.rstrip('\n').split('\t')[:3]
                zones.setdefault(country, []).append(zone)
    return zones


def release():
    with open(f'{ZONES}/tzdata.zi', encoding='utf-8') as data:
        return data.readline().split()[-1]


def offset(zone, when):
    return int(when.astimezone(zone).utcoffset().total_seconds())


def offset_text(seconds):
    return f'{"-" if seconds < 0 else "+"}{abs(seconds) // 3600:02}:{abs(seconds) // 60 % 60:02}'


def changes(zone):
    """Every moment at which the clock changes: days that differ at their ends are halved down to the second."""
    found = []
    start = FIRST
    while start < LAST:
        end = start + datetime.timedelta(days=1)
        low, high = start, end
        while offset(zone, low) != offset(zone, high) and (high - low).total_seconds() > 1:
            middle = low + datetime.timedelta(seconds=int((high - low).total_seconds()) // 2)
            low, high = (low, middle) if offset(zone, middle) != offset(zone, low) else (middle, high)
        if offset(zone, low) != offset(zone, high):
            found.append((high, offset(zone, high)))
        start = end
    return found


def keeps_other_times(capital, names):
    days = [datetime.datetime(year, month, 15, tzinfo=datetime.timezone.utc) for year in range(2008, 2027) for month in (1, 7)]
    return any(offset(zoneinfo.ZoneInfo(name), day) != offset(capital, day) for name in names for day in days)


def main():
    zones = zones_of_countries()
    print('# SPDX-License-Identifier: GPL-3.0-or-later\n'
          '# Countries and their clocks: the zone of the capital, its offset on 1 January 2008 and every change since, to the end of 2030 as\n'
          '# far as it is decided. other_zones: parts of the country keep another time. Written by countries.py; orders and carriers may only\n'
          '# name countries of this list.\n'
          'sources:\n'
          f'  - {{id: tzdata, title: "IANA time zone database, release {release()}", url: "https://www.iana.org/time-zones", '
          f'checked: {CHECKED}}}\n'
          'countries:')
    for country in sorted(NAMES):
        name = CAPITALS.get(country, zones[country][0])
        zone = zoneinfo.ZoneInfo(name)
        steps = changes(zone)
        other = 'other_zones: true, ' if country not in ONE_TIME and keeps_other_times(zone, zones[country]) else ''
        head = (f'  - {{country: {country}, name: {NAMES[country]}, zone: {name}, {other}'
                f'utc_offset: "{offset_text(offset(zone, FIRST))}", source: tzdata')
        if not steps:
            print(head + '}')
            continue
        print(head + ', changes: [')
        for first in range(0, len(steps), 2):
            line = ', '.join(f'{{at: "{at:%Y-%m-%dT%H:%M:%SZ}", utc_offset: "{offset_text(seconds)}"}}'
                             for at, seconds in steps[first:first + 2])
            print(f'      {line}' + (',' if first + 2 < len(steps) else ']}'))
    return 0


if __name__ == '__main__':
    sys.exit(main())
