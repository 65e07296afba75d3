"""Recordings and other files that the tests of the program make, and what is in them."""

import array
import random
import struct
import wave

RATE = 16000


def write_wav(path, samples, rate=RATE, channels=1):
    """Writes 16-bit samples, an array or bytes."""
    with wave.open(path, 'wb') as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(bytes(samples))
    return path


def header(data_bytes, rate=RATE, channels=1, bits=16, encoding=1, claimed=None):
    """A WAV header whose fields may lie."""
    frame = channels * bits // 8
    claimed = data_bytes if claimed is None else claimed
    return (b'RIFF' + struct.pack('<I', min(36 + claimed, 0xFFFFFFFF)) + b'WAVEfmt ' +
            struct.pack('<IHHIIHH', 16, encoding, channels, rate, rate * frame, frame, bits) +
            b'data' + struct.pack('<I', claimed))


def write(path, content):
    with open(path, 'wb') as file:
        file.write(content)
    return path


def read(path):
    with open(path, 'rb') as file:
        return file.read()


def read_samples(path):
    with wave.open(path) as file:
        return array.array('h', file.readframes(file.getnframes()))


def seconds_of(path):
    with wave.open(path) as file:
        return file.getnframes() / file.getframerate()


def silence(seconds):
    return array.array('h', bytes(2 * int(seconds * RATE)))


def white_noise(seconds, level, seed):
    """Uniform noise; level is its peak, of 1."""
    raw = array.array('h', random.Random(seed).randbytes(2 * int(seconds * RATE)))
    return array.array('h', [int(level * v) for v in raw])


def pink_noise(seconds, level, seed):
    """White noise through Paul Kellet's filter: 3 dB less with each octave, within 0.05 dB."""
    poles = (0.99886, 0.99332, 0.96900, 0.86650, 0.55000, -0.7616)
    gains = (0.0555179, 0.0750759, 0.1538520, 0.3104856, 0.5329522, -0.0168980)
    state, late, out = [0.0] * 6, 0.0, array.array('h')
    for white in white_noise(seconds, 1, seed):
        for i in range(6):
            state[i] = poles[i] * state[i] + gains[i] * white
        pink = sum(state) + late + 0.5362 * white
        late = 0.115926 * white
        # The sum peaks near 9 times the input.
        out.append(max(-32768, min(32767, int(level * pink / 9))))
    return out


def tone(seconds, level):
    """440 Hz: 11 periods are 400 samples, drawn with Chebyshev's recurrence."""
    turn = 1.9701954870076795  # 2 cos(2 pi 440 / 16000)
    a, b, period = 0.0, 0.17192910027940955, array.array('h')  # sin of 0 and of one step
    for _ in range(400):
        period.append(int(32767 * level * max(-1.0, min(1.0, a))))
        a, b = b, turn * b - a
    return period * int(seconds * RATE / 400)
