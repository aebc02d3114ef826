package report

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"lambdakappa/bench/ledger"
	"lambdakappa/bench/result"
)

// A need is one line "if you need X": the same figure of both sides, and what the samples allow to say about it.
// There is no line without figures of right runs on both sides.
type need struct {
	Need     string
	Scenario string
	Figure   string
	Lambda   side
	Kappa    side
	Higher   bool // is better; only of what is counted
	Counted  bool // it has no noise: one run says it
	Another  arm  // of Kappa's, whose figure stands beside the first one's where it was measured
}

// An arm of a side in words that stand before its figure.
type arm struct{ Name, Says string }

// A side is an arm and a phase of it.
type side struct{ Arm, Phase string }

var (
	lambdaSide = side{Arm: "lambda"}
	kappaSide  = side{Arm: "kappa"}
)

// needs in the order in which people ask. Of those that a run has measured, the first few are on the first screen.
var needs = []need{
	{Need: "an event in the answer soon", Scenario: "freshness", Figure: "event visible, p99", Lambda: lambdaSide, Kappa: kappaSide},
	{Need: "little CPU all the time", Scenario: "always-on", Figure: "CPU per million events", Lambda: lambdaSide, Kappa: kappaSide},
	{
		Need: "all answers right soon after a change of the logic", Scenario: "bugfix", Figure: "time until all answers are new",
		Lambda: lambdaSide, Kappa: kappaSide, Another: arm{"kappa-archive", "from an archive"},
	},
	{
		Need: "late readings to count", Scenario: "late", Figure: "exact finally, truth A", Lambda: lambdaSide, Kappa: kappaSide,
		Higher: true, Counted: true, Another: arm{"kappa-patient", "waiting longer"},
	},
	{
		Need: "history to be small on disk, compressed alike", Scenario: "retention", Figure: "kept per event",
		Lambda: lambdaSide, Kappa: side{Arm: "kappa-zstd"}, Counted: true,
	},
	{Need: "little memory", Scenario: "always-on", Figure: "peak memory", Lambda: lambdaSide, Kappa: kappaSide},
	{Need: "an alert soon", Scenario: "freshness", Figure: "alert readable, p99", Lambda: lambdaSide, Kappa: kappaSide},
	{Need: "fast point queries", Scenario: "freshness", Figure: "point query, p99", Lambda: lambdaSide, Kappa: kappaSide},
}

// firstNeeds is how many fit on the first screen.
const firstNeeds = 5

// needTable has the needs of the first screen. The others are a sentence below it: none that was measured is left out.
func needTable(s *result.Summary) (first table, others string) {
	first = table{
		Caption: "The side that does better stands first, with its figure as a multiple of the other's: the median of the runs' " +
			"own ratios, pair by pair, and its 95 % interval",
		Head: []string{"if you need", "Lambda", "Kappa", "this run says", "measured as"},
	}
	var rows [][]cell
	for _, n := range needs {
		rows = append(rows, n.row(s))
	}
	rows = append(rows, codeNeed(s))
	var said []string
	for _, row := range rows {
		switch {
		case row == nil:
		case len(first.Rows) < firstNeeds:
			first.Rows = append(first.Rows, row)
		default:
			said = append(said, row[0].Text+": "+row[3].Text)
		}
	}
	if len(said) > 0 {
		others = "Measured as well: " + strings.Join(said, "; ") + "."
	}
	return first, others
}

func (n *need) row(s *result.Summary) []cell {
	m := metricNamed(n.Figure)
	lambda, unit := sampleOf(s, n.Scenario, m, n.Lambda)
	kappa, _ := sampleOf(s, n.Scenario, m, n.Kappa)
	if len(lambda) == 0 || len(kappa) == 0 {
		return nil
	}
	if m.Unit == "" {
		m.Unit = unit
	}
	better := "lower is better"
	if n.Higher {
		better = "higher is better"
	}
	said := inUnit(median(kappa), m.Unit)
	if another, _ := sampleOf(s, n.Scenario, m, side{Arm: n.Another.Name}); len(another) > 0 {
		said += fmt.Sprintf(" (%s: %s)", n.Another.Says, inUnit(median(another), m.Unit))
	}
	return []cell{
		text(n.Need), text(inUnit(median(lambda), m.Unit)), text(said), n.says(lambda, kappa),
		{Text: n.Figure + n.under(s) + " (" + better + ")", Link: "#" + slug(n.Scenario)},
	}
}

// under is the load that a figure was taken under; a count depends on no load.
func (n *need) under(s *result.Summary) string {
	if n.Counted {
		return ""
	}
	for _, g := range groups(s, n.Scenario) {
		w := g.Runs[0].Workload
		if g.Arm != n.Lambda.Arm || g.Runs[0].Phase != n.Lambda.Phase || w == nil {
			continue
		}
		said := fmt.Sprintf(", %s events/s for %s s", figure(w.Rate), figure(w.DurationSeconds))
		if w.BatchIntervalSeconds > 0 {
			said += fmt.Sprintf(", a batch run every %s s", figure(w.BatchIntervalSeconds))
		}
		return said
	}
	return ""
}

// says names the side that is better, and by how much.
func (n *need) says(lambda, kappa map[int]float64) cell {
	if n.Counted {
		return text(counts(median(lambda), median(kappa), n.Higher))
	}
	return text(compare("Lambda", lambda, "Kappa", kappa))
}

// counts is compare for what has no noise: the side that is better, and how much of the other's it has.
func counts(lambda, kappa float64, higher bool) string {
	better, than, other := "Lambda", "Kappa", lambda/kappa
	if (lambda > kappa) != higher {
		better, than, other = "Kappa", "Lambda", kappa/lambda
	}
	switch {
	case lambda == kappa:
		return "no difference"
	case math.IsInf(other, 0):
		return better + ": " + than + " has none"
	default:
		return fmt.Sprintf("%s: x %.2f of %s's, counted", better, other, than)
	}
}

// sampleOf takes the first group of that kind, by repetition: when there are several sizes, the smallest came first on
// both sides.
func sampleOf(s *result.Summary, scenario string, m metric, of side) (found map[int]float64, unit string) {
	found = map[int]float64{}
	for _, g := range groups(s, scenario) {
		if g.Arm != of.Arm || g.Runs[0].Phase != of.Phase || g.worst() != runRight {
			continue
		}
		named := metric{ledger.Named(m.Name, g.Runs...)}
		for _, r := range g.counted() {
			if x := named.Get(r); x != nil {
				found[r.Repetition] = *x
			}
		}
		return found, named.Unit
	}
	return found, ""
}

func median(sample map[int]float64) float64 {
	return ledger.Median(slices.Collect(maps.Values(sample)))
}

func codeNeed(s *result.Summary) []cell {
	lambda, hasLambda := s.CodeSize["lambda"]
	kappa, hasKappa := s.CodeSize["kappa"]
	if !hasLambda || !hasKappa {
		return nil
	}
	return []cell{
		text("little code"), text(figure(float64(lambda.Statements))), text(figure(float64(kappa.Statements))),
		text(counts(float64(lambda.Statements), float64(kappa.Statements), false)),
		{Text: "statements of its own (lower is better)", Link: "#code-size"},
	}
}
