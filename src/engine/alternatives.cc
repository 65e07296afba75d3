#include "engine/internal/alternatives.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace lethe {
namespace {

void AddUnlessThere(Alternative alternative, std::vector<Alternative>* list) {
  const bool there = std::any_of(list->begin(), list->end(), [&](const Alternative& other) {
    return other.text == alternative.text;
  });
  if (!there) list->push_back(std::move(alternative));
}

float Confidence(double log_probability, int num_tokens) {
  return static_cast<float>(std::exp(log_probability / num_tokens));
}

Alternative Join(const Alternative& a, const Alternative& b) {
  const double tokens = a.num_tokens * std::log(static_cast<double>(a.confidence)) +
                        b.num_tokens * std::log(static_cast<double>(b.confidence));
  return {.text = a.text + " " + b.text,
          .confidence = Confidence(tokens, a.num_tokens + b.num_tokens),
          .log_probability = a.log_probability + b.log_probability,
          .num_tokens = a.num_tokens + b.num_tokens};
}

}  // namespace

std::vector<Alternative> ListAlternatives(
    const Segment& answer, double log_probability, std::span<const BeamSearch::Hypothesis> found,
    const std::function<std::string(std::span<const int>)>& text, int most) {
  if (answer.text.empty() || most < 1) return {};
  std::vector<Alternative> list = {{.text = answer.text,
                                    .confidence = answer.confidence,
                                    .log_probability = log_probability,
                                    .num_tokens = answer.num_tokens}};
  for (const BeamSearch::Hypothesis& hypothesis : found) {
    if (list.size() == static_cast<std::size_t>(most)) break;
    Alternative other{.text = text(hypothesis.tokens),
                      .log_probability = hypothesis.sum,
                      .num_tokens = static_cast<int>(hypothesis.tokens.size())};
    if (other.text.empty()) continue;
    other.confidence = Confidence(hypothesis.written, other.num_tokens);
    AddUnlessThere(std::move(other), &list);
  }
  return list;
}

std::vector<Alternative> JoinAlternatives(std::span<const Alternative> first,
                                          std::span<const Alternative> second, int most) {
  if (first.empty()) return {second.begin(), second.end()};
  if (second.empty()) return {first.begin(), first.end()};
  std::vector<Alternative> pairs;
  for (const Alternative& a : first) {
    for (const Alternative& b : second) pairs.push_back(Join(a, b));
  }
  std::stable_sort(pairs.begin() + 1, pairs.end(), [](const Alternative& a, const Alternative& b) {
    return a.log_probability > b.log_probability;
  });
  std::vector<Alternative> list;
  for (Alternative& pair : pairs) {
    if (list.size() == static_cast<std::size_t>(most)) break;
    AddUnlessThere(std::move(pair), &list);
  }
  return list;
}

}  // namespace lethe
