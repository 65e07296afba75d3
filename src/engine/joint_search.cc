#include "engine/internal/joint_search.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace lethe {

void JointSearch::Begin(const GreedyOptions& options, SpeechSequence* first,
                        SpeechSequence* second) {
  LETHE_CHECK(!busy_);
  busy_ = true;
  while (copies_.size() < 2 * (kWidth - 1)) copies_.push_back(model_.NewSequence());
  first->Truncate(0);
  second->Truncate(0);
  held_.assign(1, {first, second});
  free_.clear();
  for (std::size_t i = 0; i < copies_.size(); i += 2) {
    free_.push_back({copies_[i].get(), copies_[i + 1].get()});
  }
  search_.Begin(options, kWidth);
}

void JointSearch::AddRows(std::vector<DecoderRow>* rows) const {
  for (int i = 0; i < search_.num_live(); ++i) {
    const Hearings& hearings = held_[static_cast<std::size_t>(i)];
    const bool begins = hearings[0]->num_tokens() == 0;
    const int token = begins ? model_.traits().begin_token : search_.token(i);
    for (SpeechSequence* sequence : hearings) rows->push_back({sequence, token, true});
  }
}

bool JointSearch::Take(SpeechModelWorker* worker, int first_row) {
  for (int i = 0; i < search_.num_live(); ++i) {
    const int row = first_row + 2 * i;
    search_.Take(model_.kernels(), i, worker->Logits(row), worker->Logits(row + 1));
  }
  if (!search_.Advance()) return true;
  Follow();
  return false;
}

// A hypothesis goes on where its parent was written; the parent's other children go on in copies.
void JointSearch::Follow() {
  const std::span<const int> parents = search_.parents();
  for (std::size_t i = 0; i < held_.size(); ++i) {
    const bool childless = std::find(parents.begin(), parents.end(), i) == parents.end();
    if (childless) free_.push_back(held_[i]);
  }
  next_.clear();
  for (std::size_t j = 0; j < parents.size(); ++j) {
    const Hearings& parent = held_[static_cast<std::size_t>(parents[j])];
    const bool inherits =
        std::find(parents.begin(), parents.begin() + static_cast<std::ptrdiff_t>(j), parents[j]) ==
        parents.begin() + static_cast<std::ptrdiff_t>(j);
    if (inherits) {
      next_.push_back(parent);
      continue;
    }
    const Hearings copy = free_.back();
    free_.pop_back();
    for (std::size_t h = 0; h < copy.size(); ++h) copy[h]->CopyFrom(*parent[h]);
    next_.push_back(copy);
  }
  std::swap(held_, next_);
}

}  // namespace lethe
