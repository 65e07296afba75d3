#include "text/internal/spelling.h"

#include <algorithm>
#include <array>
#include <unordered_map>

namespace lethe::internal {
namespace {

// Words whose first part ends in -our; what follows it (-ed, -ing, -able, -hood ...) stays.
constexpr auto kOurStems = std::to_array<std::string_view>(
    {"colour",  "favour",  "honour", "neighbour", "labour", "harbour",   "humour",  "behaviour",
     "flavour", "rumour",  "odour",  "vapour",    "vigour", "armour",    "parlour", "endeavour",
     "savour",  "saviour", "tumour", "splendour", "valour", "candour",   "clamour", "fervour",
     "rancour", "rigour",  "ardour", "succour",   "arbour", "demeanour", "enamour"});
constexpr auto kOurPrefixes =
    std::to_array<std::string_view>({"", "dis", "mis", "un", "multi", "re"});

// Verbs in -ise, without it. Only these: "advise", "exercise" and "surprise" are spelled so
// anywhere.
constexpr auto kIseStems = std::to_array<std::string_view>(
    {"agon",          "american", "antagon",       "apolog",     "author",     "brutal",
     "capital",       "categor",  "central",       "character",  "civil",      "colon",
     "commercial",    "computer", "critic",        "crystall",   "custom",     "democrat",
     "demoral",       "econom",   "emphas",        "energ",      "epitom",     "equal",
     "familiar",      "fantas",   "fertil",        "final",      "formal",     "fratern",
     "galvan",        "general",  "glamor",        "global",     "harmon",     "hospital",
     "hypnot",        "ideal",    "immun",         "individual", "industrial", "initial",
     "institutional", "internal", "international", "italic",     "item",       "jeopard",
     "legal",         "liberal",  "local",         "magnet",     "marginal",   "material",
     "maxim",         "mechan",   "memor",         "minim",      "mobil",      "modern",
     "monopol",       "moral",    "national",      "natural",    "neutral",    "normal",
     "optim",         "organ",    "ostrac",        "oxid",       "patron",     "penal",
     "personal",      "plagiar",  "polar",         "popular",    "priorit",    "privat",
     "public",        "rational", "real",          "recogn",     "reorgan",    "revolution",
     "revital",       "sanit",    "scrutin",       "sensit",     "social",     "special",
     "stabil",        "standard", "steril",        "stigmat",    "subsid",     "summar",
     "symbol",        "sympath",  "synchron",      "synthes",    "terror",     "util",
     "visual"});
constexpr auto kIseEndings =
    std::to_array<std::string_view>({"ise", "ised", "ises", "iser", "isers", "ising", "isation",
                                     "isations", "isational", "isable"});

// Verbs that double a final l before an ending where American English does not.
constexpr auto kDoubledL = std::to_array<std::string_view>(
    {"travel", "cancel",  "label",  "model", "fuel",    "signal",  "counsel", "quarrel",
     "level",  "channel", "dial",   "equal", "rival",   "tunnel",  "shovel",  "total",
     "marvel", "panel",   "pencil", "jewel", "unravel", "marshal", "swivel",  "initial"});
constexpr auto kDoubledLEndings =
    std::to_array<std::string_view>({"led", "ling", "ler", "lers", "lings", "lor", "lors", "lous"});

// Beginnings that change whatever follows.
struct Rewrite {
  std::string_view british;
  std::string_view american;
};
constexpr auto kBeginnings = std::to_array<Rewrite>(
    {{"anaesthe", "anesthe"},     {"archaeolog", "archeolog"}, {"encyclopaed", "encycloped"},
     {"gynaecolog", "gynecolog"}, {"haemo", "hemo"},           {"leukaem", "leukem"},
     {"mediaev", "mediev"},       {"moustach", "mustach"},     {"oesophag", "esophag"},
     {"oestrogen", "estrogen"},   {"orthopaed", "orthoped"},   {"paediatr", "pediatr"},
     {"palaeo", "paleo"},         {"plough", "plow"},          {"sceptic", "skeptic"},
     {"smoulder", "smolder"},     {"sulph", "sulf"},           {"aluminium", "aluminum"},
     {"aeroplane", "airplane"},   {"artefact", "artifact"},    {"catalogu", "catalog"}});

const std::unordered_map<std::string_view, std::string_view>& Words() {
  static const std::unordered_map<std::string_view, std::string_view> words = {
      {"centre", "center"},
      {"centres", "centers"},
      {"centred", "centered"},
      {"centring", "centering"},
      {"theatre", "theater"},
      {"theatres", "theaters"},
      {"metre", "meter"},
      {"metres", "meters"},
      {"kilometre", "kilometer"},
      {"kilometres", "kilometers"},
      {"centimetre", "centimeter"},
      {"centimetres", "centimeters"},
      {"millimetre", "millimeter"},
      {"millimetres", "millimeters"},
      {"litre", "liter"},
      {"litres", "liters"},
      {"fibre", "fiber"},
      {"fibres", "fibers"},
      {"calibre", "caliber"},
      {"lustre", "luster"},
      {"meagre", "meager"},
      {"sabre", "saber"},
      {"sabres", "sabers"},
      {"sombre", "somber"},
      {"spectre", "specter"},
      {"spectres", "specters"},
      {"defence", "defense"},
      {"defences", "defenses"},
      {"offence", "offense"},
      {"offences", "offenses"},
      {"licence", "license"},
      {"licences", "licenses"},
      {"pretence", "pretense"},
      {"practise", "practice"},
      {"practised", "practiced"},
      {"practises", "practices"},
      {"practising", "practicing"},
      {"analyse", "analyze"},
      {"analysed", "analyzed"},
      {"analysing", "analyzing"},
      {"analyser", "analyzer"},
      {"paralyse", "paralyze"},
      {"paralysed", "paralyzed"},
      {"paralysing", "paralyzing"},
      {"catalyse", "catalyze"},
      {"analogue", "analog"},
      {"dialogue", "dialog"},
      {"dialogues", "dialogs"},
      {"grey", "gray"},
      {"greys", "grays"},
      {"greyish", "grayish"},
      {"cheque", "check"},
      {"cheques", "checks"},
      {"programme", "program"},
      {"programmes", "programs"},
      {"tyre", "tire"},
      {"tyres", "tires"},
      {"kerb", "curb"},
      {"kerbs", "curbs"},
      {"mould", "mold"},
      {"moulds", "molds"},
      {"moulded", "molded"},
      {"moulding", "molding"},
      {"mouldy", "moldy"},
      {"storey", "story"},
      {"storeys", "stories"},
      {"pyjamas", "pajamas"},
      {"draught", "draft"},
      {"draughts", "drafts"},
      {"draughty", "drafty"},
      {"ageing", "aging"},
      {"judgement", "judgment"},
      {"judgements", "judgments"},
      {"acknowledgement", "acknowledgment"},
      {"acknowledgements", "acknowledgments"},
      {"cosy", "cozy"},
      {"doughnut", "donut"},
      {"doughnuts", "donuts"},
      {"gaol", "jail"},
      {"omelette", "omelet"},
      {"omelettes", "omelets"},
      {"yoghurt", "yogurt"},
      {"yoghourt", "yogurt"},
      {"axe", "ax"},
      {"mum", "mom"},
      {"mums", "moms"},
      {"ok", "okay"},
      {"jewellery", "jewelry"},
      {"woollen", "woolen"},
      {"fulfil", "fulfill"},
      {"fulfils", "fulfills"},
      {"fulfilment", "fulfillment"},
      {"enrol", "enroll"},
      {"enrols", "enrolls"},
      {"enrolment", "enrollment"},
      {"instalment", "installment"},
      {"instalments", "installments"},
      {"skilful", "skillful"},
      {"skilfully", "skillfully"},
      {"wilful", "willful"},
      {"wilfully", "willfully"},
      {"foetus", "fetus"},
      {"foetal", "fetal"},
      {"diarrhoea", "diarrhea"},
      {"chequered", "checkered"},
      {"worshipped", "worshiped"},
      {"worshipping", "worshiping"},
      {"catalogue", "catalog"},
      {"catalogues", "catalogs"},
      {"catalogued", "cataloged"},
      {"cataloguing", "cataloging"},
      {"manoeuvre", "maneuver"},
      {"manoeuvres", "maneuvers"},
      {"manoeuvred", "maneuvered"},
      {"manoeuvring", "maneuvering"},
      {"learnt", "learned"},
      {"whisky", "whiskey"},
  };
  return words;
}

}  // namespace

std::string AmericanSpelling(std::string_view word) {
  if (const auto entry = Words().find(word); entry != Words().end()) {
    return std::string(entry->second);
  }
  for (const Rewrite& rewrite : kBeginnings) {
    if (word.starts_with(rewrite.british)) {
      return std::string(rewrite.american) + std::string(word.substr(rewrite.british.size()));
    }
  }
  if (const std::size_t our = word.find("our"); our != std::string_view::npos) {
    const std::string_view beginning = word.substr(0, our + 3);
    for (const std::string_view prefix : kOurPrefixes) {
      if (!beginning.starts_with(prefix)) continue;
      if (std::ranges::find(kOurStems, beginning.substr(prefix.size())) == kOurStems.end())
        continue;
      return std::string(word.substr(0, our)) + "or" + std::string(word.substr(our + 3));
    }
  }
  for (const std::string_view ending : kIseEndings) {
    if (!word.ends_with(ending)) continue;
    const std::string_view stem = word.substr(0, word.size() - ending.size());
    if (std::ranges::find(kIseStems, stem) == kIseStems.end()) continue;
    std::string american(word);
    american[stem.size() + 1] = 'z';
    return american;
  }
  for (const std::string_view ending : kDoubledLEndings) {
    if (!word.ends_with(ending)) continue;
    const std::string_view stem = word.substr(0, word.size() - ending.size());
    if (std::ranges::find(kDoubledL, stem) == kDoubledL.end()) continue;
    return std::string(stem) + std::string(ending.substr(1));
  }
  return std::string(word);
}

}  // namespace lethe::internal
