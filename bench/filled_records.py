"""A data folder with many results in it, for measurements of a service."""

import os
import shutil
import subprocess
import tempfile


def fill(program, results, data):
    """Makes the folder `data`: filled in memory, where that can be done, and then put on its disk."""
    memory = '/dev/shm' if os.path.isdir('/dev/shm') else os.path.dirname(data)
    there = tempfile.mkdtemp(prefix='lethe-filled-', dir=memory)
    try:
        filled = os.path.join(there, 'data')
        subprocess.run([program, 'bench', 'records', '--results', str(results), '--keep', filled],
                       check=True)
        shutil.copytree(filled, data)
    finally:
        shutil.rmtree(there, ignore_errors=True)
