package report

import (
	"math"
	"slices"
	"strings"

	"lambdakappa/bench/ledger"
	"lambdakappa/bench/result"
)

// A budget is a floor that the project sets itself on two cores. It is printed, never asserted: a
// slow machine breaks no test.
type budget struct {
	What  string
	Floor float64
	Unit  string
	Least bool // the figure must be at least the floor; otherwise at most
	of    func(*result.Summary) []float64
}

var budgets = []budget{
	{"Kappa replay, log to complete served view", 1e6, "events/s", true, medians("replay", "kappa", "replay", "throughput")},
	{"Lambda batch, Parquet to batch view", 8e6, "rows/s", true, medians("replay", "lambda", "batch", "throughput")},
	{"Lambda batch, share of the raw column read", 0.5, "of it", true, batchShare},
	{"event visible in merged Lambda, p50", 15, "ms", false, medians("freshness", "lambda", "", "event visible, p50")},
	{"event visible in merged Lambda, p99", 60, "ms", false, medians("freshness", "lambda", "", "event visible, p99")},
	{"event visible in Kappa, p50", 15, "ms", false, medians("freshness", "kappa", "", "event visible, p50")},
	{"event visible in Kappa, p99", 60, "ms", false, medians("freshness", "kappa", "", "event visible, p99")},
	{"point query under load, Lambda, p99", 5, "ms", false, medians("freshness", "lambda", "", "point query, p99")},
	{"point query under load, Kappa, p99", 5, "ms", false, medians("freshness", "kappa", "", "point query, p99")},
	{"peak memory, greatest of all runs", 2.5e9, "B", false, worstMemory},
}

// wholeBudget is what an invocation as a whole may take: `make bench`, `make bench-all`, or the full
// profile. None is promised of a part that somebody chose.
func wholeBudget(s *result.Summary) (budget, bool) {
	b := budget{What: "whole benchmark", Floor: 300, Unit: "s"}
	b.of = func(s *result.Summary) []float64 { return []float64{s.Seconds} }
	words := strings.Fields(s.Command)
	if slices.Contains(words, "--all") {
		b.What, b.Floor = "all scenarios", 900
	}
	if s.Profile == "full" {
		b.What, b.Floor = "all scenarios, full profile", 7200
	}
	chosen := slices.ContainsFunc(words, func(word string) bool { return strings.HasPrefix(word, "--scenario") })
	return b, !chosen && !s.Interrupted
}

// medians returns one median per group of that kind, from right runs only.
func medians(scenario, arm, phase, name string) func(*result.Summary) []float64 {
	return func(s *result.Summary) []float64 {
		var xs []float64
		for _, g := range groups(s, scenario) {
			if g.Arm != arm || g.Runs[0].Phase != phase || g.worst() != runRight {
				continue
			}
			if values := metricNamed(name).values(g); len(values) > 0 {
				xs = append(xs, ledger.Median(values))
			}
		}
		return xs
	}
}

func batchShare(s *result.Summary) []float64 {
	if s.RawLimits == nil || s.RawLimits.ColumnReadRowsPerSecond <= 0 {
		return nil
	}
	xs := medians("replay", "lambda", "batch", "throughput")(s)
	for i := range xs {
		xs[i] /= s.RawLimits.ColumnReadRowsPerSecond
	}
	return xs
}

func worstMemory(s *result.Summary) []float64 {
	greatest := math.Inf(-1)
	for i := range s.Runs {
		if r := &s.Runs[i]; r.Cost != nil && verdictOf(r) == runRight {
			greatest = max(greatest, float64(r.Cost.PeakRSSBytes))
		}
	}
	if greatest <= 0 {
		return nil
	}
	return []float64{greatest}
}

// met holds every figure against the floor: with several groups, all must keep it.
func (b *budget) met(xs []float64) bool {
	for _, x := range xs {
		if b.Least && x < b.Floor || !b.Least && x > b.Floor {
			return false
		}
	}
	return true
}

func (b *budget) floor() string {
	if b.Least {
		return "at least " + inUnit(b.Floor, b.Unit)
	}
	return "at most " + inUnit(b.Floor, b.Unit)
}

func (b *budget) row(s *result.Summary) []cell {
	xs := b.of(s)
	row := []cell{text(b.What), text(b.floor())}
	if len(xs) == 0 {
		return append(row, cell{Text: missing, Tone: absent}, cell{Text: "", Tone: plain})
	}
	var shown []string
	for _, x := range xs {
		shown = append(shown, inUnit(x, b.Unit))
	}
	row = append(row, text(strings.Join(shown, ", ")))
	if b.met(xs) {
		return append(row, cell{Text: "kept", Tone: right})
	}
	return append(row, cell{Text: "missed", Tone: void})
}

func budgetSection(s *result.Summary) section {
	t := table{
		Caption: "Budgets for two cores and what this run measured",
		Head:    []string{"what", "budget", "measured", ""},
	}
	for i := range budgets {
		t.Rows = append(t.Rows, budgets[i].row(s))
	}
	if whole, promised := wholeBudget(s); promised {
		t.Rows = append(t.Rows, whole.row(s))
	}
	return section{
		ID: "budgets", Title: "budgets",
		About:  "What the project promises itself on two cores, with the broker and the driver on the same machine.",
		Tables: []table{t},
	}
}
