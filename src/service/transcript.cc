#include "service/transcript.h"

namespace lethe {

std::string Transcript::Text() const {
  std::string text;
  for (const Segment& segment : segments) {
    if (!text.empty()) text += ' ';
    text += segment.text;
  }
  return text;
}

}  // namespace lethe
