package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/dustin/go-humanize"

	"lambdakappa/bench/result"
	"lambdakappa/view"
)

// A verdict says whether the answers of a run are right. It decides what may be printed of it.
type verdict int

const (
	runRight    verdict = iota
	runMistaken         // wrong on purpose, and found to be: its figures are what was asked for
	runVoid             // no figures: the machine was too slow
	runFailed           // it broke off before an answer was compared: figures struck out
	runWrong            // figures struck out
)

// verdictOf: wrong beats void. A machine that is too slow excuses no wrong answer.
func verdictOf(r *result.Run) verdict {
	switch {
	case !r.OK && len(r.Checks) == 0 && r.Error != "":
		return runFailed
	case !r.OK:
		return runWrong
	case r.Void != "" || r.Unmeasurable != "":
		return runVoid
	case r.Mistake != "":
		return runMistaken
	default:
		return runRight
	}
}

// A group is the runs that repeat each other: same scenario, arm, phase, input and size.
// Their medians stand side by side; a control run is no group of its own.
type group struct {
	Scenario string
	Arm      string
	Label    string // within the scenario: "kappa replay, 5 M events"
	Runs     []*result.Run
}

// sizedScenarios repeat themselves with more history on purpose, so their size is part of what
// is compared. Elsewhere another seed gives another number of events.
var sizedScenarios = []string{"replay", "always-on"}

// groups returns the groups of one scenario in the order of its runs.
func groups(s *result.Summary, scenario string) []*group {
	var found []*group
	for i := range s.Runs {
		r := &s.Runs[i]
		if r.Scenario != scenario || r.Arm == "control" {
			continue
		}
		label := groupLabel(r)
		at := slices.IndexFunc(found, func(g *group) bool { return g.Label == label })
		if at < 0 {
			found = append(found, &group{Scenario: scenario, Arm: r.Arm, Label: label})
			at = len(found) - 1
		}
		found[at].Runs = append(found[at].Runs, r)
	}
	return found
}

func groupLabel(r *result.Run) string {
	parts := []string{strings.TrimSpace(r.Arm + " " + phaseName(r.Phase))}
	if r.Input != "" {
		parts = append(parts, r.Input)
	}
	if r.Window != "" {
		parts = append(parts, r.Window+" windows")
	}
	if p := r.Parameter; p != nil {
		parts = append(parts, p.Name+" "+inUnit(p.Value, p.Unit))
	}
	if slices.Contains(sizedScenarios, r.Scenario) {
		parts = append(parts, strings.TrimSpace(humanize.SIWithDigits(float64(r.Events), 1, ""))+" events")
	}
	return strings.Join(parts, ", ")
}

func phaseName(phase string) string {
	return strings.ReplaceAll(phase, "_", " ")
}

// scenarioNames returns the names of the scenarios that ran, in order.
func scenarioNames(s *result.Summary) []string {
	var names []string
	for i := range s.Runs {
		if !slices.Contains(names, s.Runs[i].Scenario) {
			names = append(names, s.Runs[i].Scenario)
		}
	}
	return names
}

// worst returns the verdict that decides what is printed of the group: one wrong run strikes out
// all figures of the group, since a median over the others would hide it.
func (g *group) worst() verdict {
	found := map[verdict]bool{}
	for _, r := range g.Runs {
		found[verdictOf(r)] = true
	}
	for _, v := range []verdict{runWrong, runFailed, runMistaken, runRight} {
		if found[v] {
			return v
		}
	}
	return runVoid
}

// isStruckOut reports whether no figure of the group counts.
func (g *group) isStruckOut() bool { return g.worst() >= runFailed }

// counted returns the runs whose figures are printed: all that are not void.
func (g *group) counted() []*result.Run {
	return slices.DeleteFunc(slices.Clone(g.Runs), func(r *result.Run) bool {
		return verdictOf(r) == runVoid
	})
}

// whyNot says why a run has no figures.
func whyNot(r *result.Run) string {
	if r.Unmeasurable != "" {
		return "not measurable here: " + r.Unmeasurable
	}
	return "void: " + r.Void
}

// answers says how many runs of the group are right, in a cell.
func (g *group) answers() cell {
	n := map[verdict]int{}
	for _, r := range g.Runs {
		n[verdictOf(r)]++
	}
	switch {
	case n[runWrong] > 0:
		return cell{Text: fmt.Sprintf("WRONG: %d of %s", n[runWrong], runs(len(g.Runs))), Tone: wrong}
	case n[runFailed] > 0:
		return cell{Text: fmt.Sprintf("FAILED: %d of %s", n[runFailed], runs(len(g.Runs))), Tone: wrong}
	case n[runMistaken] > 0:
		return cell{Text: "wrong on purpose: " + runs(n[runMistaken]), Tone: void}
	case n[runRight] == 0:
		return cell{Text: whyNot(g.Runs[0]), Tone: void}
	case n[runVoid] > 0:
		return cell{Text: fmt.Sprintf("right: %s, %d void", runs(n[runRight]), n[runVoid]), Tone: right}
	default:
		return cell{Text: "right: " + runs(n[runRight]), Tone: right}
	}
}

// compared sums what was compared over all runs of the group.
func (g *group) compared() (windows, alerts, trips view.Diff, checks []result.Check) {
	for _, r := range g.Runs {
		addDiff(&windows, r.Correctness.Windows)
		addDiff(&alerts, r.Correctness.Alerts)
		addDiff(&trips, r.Correctness.Trips)
		checks = append(checks, r.Checks...)
	}
	return windows, alerts, trips, checks
}

func addDiff(sum *view.Diff, d view.Diff) {
	sum.Expected += d.Expected
	sum.Exact += d.Exact
	sum.Missing += d.Missing
	sum.Unexpected += d.Unexpected
	sum.Different += d.Different
}

func runs(n int) string {
	if n == 1 {
		return "1 run"
	}
	return fmt.Sprintf("%d runs", n)
}
