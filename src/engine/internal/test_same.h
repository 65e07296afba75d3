#pragma once

// Answers that have to be the same to the last bit.

#include <vector>

#include <gtest/gtest.h>

#include "engine/internal/request.h"

namespace lethe {

inline void ExpectSame(const Segment& segment, const Segment& expected) {
  EXPECT_EQ(segment.text, expected.text);
  EXPECT_EQ(segment.confidence, expected.confidence);
  EXPECT_EQ(segment.num_tokens, expected.num_tokens);
  EXPECT_EQ(segment.start, expected.start);
  EXPECT_EQ(segment.end, expected.end);
  ASSERT_EQ(segment.words.size(), expected.words.size());
  for (std::size_t i = 0; i < segment.words.size(); ++i) {
    const Word &word = segment.words[i], &other = expected.words[i];
    EXPECT_EQ(word.text, other.text);
    EXPECT_EQ(word.start, other.start);
    EXPECT_EQ(word.end, other.end);
    EXPECT_EQ(word.confidence, other.confidence);
  }
  ASSERT_EQ(segment.alternatives.size(), expected.alternatives.size());
  for (std::size_t i = 0; i < segment.alternatives.size(); ++i) {
    const Alternative &alternative = segment.alternatives[i], &other = expected.alternatives[i];
    EXPECT_EQ(alternative.text, other.text);
    EXPECT_EQ(alternative.confidence, other.confidence);
    EXPECT_EQ(alternative.log_probability, other.log_probability);
    EXPECT_EQ(alternative.num_tokens, other.num_tokens);
  }
}

inline void ExpectSame(const std::vector<Segment>& segments, const std::vector<Segment>& expected) {
  ASSERT_EQ(segments.size(), expected.size());
  for (std::size_t i = 0; i < segments.size(); ++i) ExpectSame(segments[i], expected[i]);
}

inline void ExpectSame(const Request::Answer& answer, const Request::Answer& expected) {
  EXPECT_EQ(answer.tokens, expected.tokens);
  EXPECT_EQ(answer.log_probabilities, expected.log_probabilities);
  ExpectSame(answer.segment, expected.segment);
}

}  // namespace lethe
