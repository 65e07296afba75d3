"""Looks for what was said in the files that somebody wrote: words of the transcript and pieces of the
samples, as they are and in every encoding that a careless program would leave them in."""

import base64
import os
import wave

from support import SPOKEN


def samples(path):
    """The 16-bit samples of a recording, as bytes."""
    with wave.open(path) as recording:
        return recording.readframes(recording.getnframes())


def traces(pieces):
    """Each piece as it is, and as text encodings would have it."""
    for piece in pieces:
        yield piece
        yield piece.hex().encode()
        # Whatever comes before it: one of three alignments.
        for skip in range(3):
            yield base64.b64encode(piece[skip:len(piece) - (len(piece) - skip) % 3])


class Forensics:
    """Looks for what was said in all files under some folders."""

    def __init__(self, recording, folders):
        audio = samples(recording)
        # From where somebody speaks: silence is everywhere.
        pieces = [audio[at:at + 48] for at in range(len(audio) // 4, len(audio) - 48, 16_000)]
        self.traces = list(traces(pieces))
        self.folders = folders

    def found(self):
        """The files in which something is found."""
        guilty = []
        for folder in self.folders:
            for parent, _, names in os.walk(folder):
                for name in names:
                    path = os.path.join(parent, name)
                    try:
                        with open(path, 'rb') as file:
                            content = file.read()
                    except (FileNotFoundError, OSError):
                        continue
                    guilty += [(path, what) for what in self.found_in(content)]
        return guilty

    def found_in(self, content):
        """Of bytes: what they hold of what was said."""
        text = content.decode('latin-1')
        if SPOKEN.search(text) or SPOKEN.search(text.replace('\0', '')):
            yield 'words'
        if any(trace in content for trace in self.traces):
            yield 'samples'
