#!/usr/bin/env python3
"""Hot words: those that are said are heard and written as given, those that are not cost next to
nothing, and a bad list ends in one line that says where."""

import os

from recordings import write
from support import SpeechTest, main, run, word_errors


class HotWordTest(SpeechTest):

    UNSAID = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'bench', 'hot_words',
                          'unsaid.txt')

    def list_of(self, text):
        return write(self.path('words.txt'), text if isinstance(text, bytes) else text.encode())

    def test_a_word_that_is_misheard_is_heard_and_written_as_given(self):
        self.assertNotIn('ill-disposed', self.assert_good(run('transcribe', self.short)))
        for arguments in (['--hot-word', 'ill-disposed'], ['--hot-word', 'Norland|3', '--hot-word',
                          'Ill-Disposed|11'], ['--hot-words', self.list_of('# x\nill-disposed\n')]):
            text = self.assert_good(run('transcribe', *arguments, self.short))
            self.assertIn('an ill-disposed young man', text.replace('Ill-Disposed', 'ill-disposed'))
        self.assertIn('Ill-Disposed', self.assert_good(
            run('transcribe', '--hot-word', 'Ill-Disposed', self.short)))

    def test_a_hundred_words_that_nobody_says_cost_next_to_nothing(self):
        for weight, most in ((5, 0), (10, 1), (11, 3)):
            with open(self.UNSAID, encoding='utf-8') as file:
                lines = [line.strip() for line in file if not line.startswith('#')]
            self.assertEqual(len(lines), 100)
            words_file = self.list_of(''.join(f'{line}|{weight}\n' for line in lines))
            changed = 0
            for file in self.files:
                plain = self.assert_good(run('transcribe', file))
                changed += word_errors(plain, self.assert_good(
                    run('transcribe', '--hot-words', words_file, file)))
            self.assertLessEqual(changed, most, f'weight {weight}')

    def test_words_and_times_agree_with_the_text(self):
        document = self.json_of('--words', '--hot-word', 'ill-disposed', self.short)
        for segment in document['segments']:
            self.assertEqual(' '.join(w['text'] for w in segment['words']), segment['text'])
            times = [t for w in segment['words'] for t in (w['start'], w['end'])]
            self.assertEqual(times, sorted(times))

    def test_bad_lists_end_in_one_line_that_says_where(self):
        for text, mentions in (
                (b'ok\n|5\n', ['words.txt', 'line 2', 'empty']),
                (b'name|12\n', ['line 1', 'from 1 to 11, or 100', 'name']),
                (b'caf\xe9\n', ['line 1', 'UTF-8']),
                (b'x' * 10000, ['line 1', 'more than 30 characters']),
                (b'\x00\x01\n', ['line 1', 'control characters']),
                (b''.join(b'w%d\n' % i for i in range(10000)), ['line 1001', 'more than 1000']),
                (b'x' * (2 << 20), ['words.txt'])):
            self.assert_one_line(run('transcribe', '--hot-words', self.list_of(text), self.short),
                                 *mentions)
        self.assert_one_line(run('transcribe', '--hot-words', self.path('none'), self.short), 'none')
        self.assert_one_line(run('transcribe', '--hot-word', '', self.short), 'empty')
        # An empty list is no list.
        self.assert_good(run('transcribe', '--hot-words', self.list_of('# nothing\n'), self.short))

    def test_a_full_list_of_nasty_words(self):
        endings = ['', 's', "'s", ' a', '-a', '...', '\u00e9', '\u4e2d']
        words_list = [('a' * (1 + i % 20) + endings[i % 8] + str(i))[:30] for i in range(1000)]
        answer = self.json_of('--words', '--hot-words', self.list_of('\n'.join(words_list)),
                              self.short)
        text = ' '.join(segment['text'] for segment in answer['segments'])
        self.assertLessEqual(word_errors(self.assert_good(run('transcribe', self.short)), text), 1)


if __name__ == '__main__':
    main()
