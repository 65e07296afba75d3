#pragma once

// Utterances in a batch that a test takes step by step, by hand.

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "engine/internal/utterance_batch.h"

namespace lethe {

/// What is asked for, without who asks.
struct Task {
  explicit Task(std::vector<float> what, Priority how_urgent = Priority::kLiveFinal)
      : samples(std::move(what)), priority(how_urgent) {}

  std::vector<float> samples;
  Priority priority;
  bool words = false;
  int alternatives = 0;
  bool second_hearing = true;
  std::shared_ptr<const HotWords> hot_words = nullptr;
  std::vector<int> draft = {}, promised = {};
};

/// A batch, and the line before it.
class Company {
 public:
  explicit Company(const SpeechModel& model) : batch_(model, {}) {}

  /// The number of its answer.
  std::size_t Add(const Task& task, std::shared_ptr<const std::atomic<bool>> cancelled = nullptr) {
    const std::size_t number = answers_.size();
    answers_.emplace_back();
    Request request{.utterance = {.start = 0, .samples = task.samples, .certain = true},
                    .priority = task.priority,
                    .words = task.words,
                    .alternatives = task.alternatives,
                    .second_hearing = task.second_hearing,
                    .draft = task.draft,
                    .promised = task.promised,
                    .hot_words = task.hot_words,
                    .cancelled = std::move(cancelled),
                    .done = {}};
    request.done = [this, number](Request::Answer answer) {
      EXPECT_FALSE(answers_[number]) << "answered twice";
      answers_[number] = std::move(answer);
      order_.push_back(number);
    };
    line_.push_back(std::move(request));
    return number;
  }

  /// Who there is room for comes in, in the order in which they came.
  void Step(const std::function<bool()>& interrupt) {
    for (auto at = line_.begin(); at != line_.end();) {
      if (!batch_.HasRoom(at->priority)) {
        ++at;
        continue;
      }
      batch_.Add(std::move(*at));
      at = line_.erase(at);
    }
    batch_.Step(interrupt);
    ++steps_;
  }

  /// Until everybody is answered, or gone. A batch that makes no progress any more is found out.
  void Finish(const std::function<bool()>& interrupt = [] { return false; }) {
    const int most = steps_ + 20'000;
    while (!empty() && steps_ < most) Step(interrupt);
    EXPECT_TRUE(empty()) << "somebody is never answered";
  }

  bool empty() const { return line_.empty() && batch_.empty(); }
  const std::vector<std::optional<Request::Answer>>& answers() const { return answers_; }
  const std::vector<std::size_t>& order() const { return order_; }
  UtteranceBatch& batch() { return batch_; }

 private:
  UtteranceBatch batch_;
  std::deque<Request> line_;
  std::vector<std::optional<Request::Answer>> answers_;
  std::vector<std::size_t> order_;
  int steps_ = 0;
};

/// What an utterance gives in a batch of its own, without a draft.
inline Request::Answer Alone(const SpeechModel& model, Task task) {
  task.draft.clear();
  Company company(model);
  company.Add(task);
  company.Finish();
  return company.answers().front().value();
}

}  // namespace lethe
