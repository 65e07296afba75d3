#include "engine/internal/joint_search.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/check.h"

namespace lethe {

void JointSearch::Begin(const GreedyOptions& options, std::span<SpeechSequence* const> hearings,
                        const BeamSearch::Options& beam) {
  LETHE_CHECK(!busy_ && !hearings.empty() && hearings.size() <= kMaxHearings);
  busy_ = true;
  num_hearings_ = static_cast<int>(hearings.size());
  joined_ = num_hearings_ > 1 && std::isfinite(beam.margin);
  const std::size_t copies = hearings.size() * static_cast<std::size_t>(beam.width - 1);
  while (copies_.size() < copies) copies_.push_back(model_.NewSequence());
  Hearings held{};
  std::copy(hearings.begin(), hearings.end(), held.begin());
  for (SpeechSequence* sequence : hearings) sequence->Truncate(0);
  held_.assign(1, held);
  free_.clear();
  for (std::size_t i = 0; i < copies; i += hearings.size()) {
    Hearings copy{};
    for (std::size_t h = 0; h < hearings.size(); ++h) copy[h] = copies_[i + h].get();
    free_.push_back(copy);
  }
  search_.Begin(options, beam);
}

void JointSearch::End() {
  busy_ = false;
  search_ = {};
}

void JointSearch::AddRows(std::vector<DecoderRow>* rows) const {
  for (int i = 0; i < search_.num_live(); ++i) {
    const Hearings& hearings = held_[static_cast<std::size_t>(i)];
    const bool begins = hearings[0]->num_tokens() == 0;
    const int token = begins ? model_.traits().begin_token : search_.token(i);
    for (int h = 0; h < num_hearings_; ++h) {
      DecoderRow row{.sequence = hearings[static_cast<std::size_t>(h)],
                     .token = token,
                     .every_logit = !joined_};
      if (joined_ && h > 0) {
        row.joint = true;
        row.forbidden = search_.Forbidden();
        row.wanted = search_.Promised();
      }
      rows->push_back(row);
    }
  }
}

bool JointSearch::Take(SpeechModelWorker* worker, int first_row) {
  for (int i = 0; i < search_.num_live(); ++i) {
    const int row = first_row + num_hearings_ * i;
    if (joined_ || num_hearings_ == 1) {
      search_.Take(model_.kernels(), i, worker->Logits(row + num_hearings_ - 1), {});
    } else {
      search_.Take(model_.kernels(), i, worker->Logits(row), worker->Logits(row + 1));
    }
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
    for (std::size_t h = 0; h < static_cast<std::size_t>(num_hearings_); ++h) {
      copy[h]->CopyFrom(*parent[h]);
    }
    next_.push_back(copy);
  }
  std::swap(held_, next_);
}

}  // namespace lethe
