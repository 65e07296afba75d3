#!/usr/bin/env python3
"""Makes the pictures of the console, docs/pictures/: a service on real speech, every page in light
and dark, wide and narrow.

usage: pictures.py PROGRAM
"""

import base64
import os
import subprocess
import sys
import tempfile

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..')
sys.path.insert(0, os.path.join(ROOT, 'tests', 'program'))

# pylint: disable=wrong-import-position
from api3 import Api3
from service import Service
from support import SENTENCES, run

RECORDING = SENTENCES + '/sense_and_sensibility_01_austen_64kb-0870.wav'


def main():
    if len(sys.argv) != 2:
        sys.exit('usage: pictures.py PROGRAM')
    os.environ['LETHE_TEST_PROGRAM'] = os.path.abspath(sys.argv[1])
    # Neither this machine's name nor how full its disk is has to be in the pictures.
    if os.access('/dev/shm', os.W_OK):
        tempfile.tempdir = '/dev/shm'
    service = Service('--node.name', 'node-1')
    try:
        run('apps', 'create', 'Ward 3', '--data', service.data)
        keys = service.keys
        api = Api3(service.address, keys['SecretId'], keys['SecretKey'])
        with open(RECORDING, 'rb') as file:
            audio = base64.b64encode(file.read()).decode()
        for _ in range(4):
            api.call('CreateRecTask', {'EngineModelType': '16k_en', 'ChannelNum': 1,
                                       'ResTextFormat': 0, 'SourceType': 1, 'Data': audio})
        # One that fails, and whose caller is not there.
        nowhere = 'http://127.0.0.1:59999/'
        api.call('CreateRecTask', {'EngineModelType': '16k_en', 'ChannelNum': 1, 'ResTextFormat': 0,
                                   'SourceType': 0, 'Url': nowhere + 'call.wav',
                                   'CallbackUrl': nowhere + 'done'})
        subprocess.run(['node', os.path.join(ROOT, 'tests', 'console', 'pictures.mjs'),
                        os.path.join(ROOT, 'docs', 'pictures'), RECORDING],
                       env=dict(service.environment, LETHE_RECORDING=RECORDING,
                                LETHE_CONSOLE_PASSWORD=keys['Console password']), check=True)
    finally:
        service.stop()


if __name__ == '__main__':
    main()
