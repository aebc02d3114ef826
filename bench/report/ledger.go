package report

import (
	"fmt"
	"slices"
	"strings"

	"lambdakappa/bench/ledger"
	"lambdakappa/bench/result"
)

// ledgerTable has one row per claim: what was predicted, the figures that decide, the verdict, and that of the reference run
// where the run was held against one.
func ledgerTable(s *result.Summary) table {
	t := table{
		Caption: "The ledger: claims, and what the runs say; a verdict is about the claim in the first column",
		Head:    []string{"claim", "predicted", "says otherwise", "measured here", "verdict here"},
	}
	held := slices.ContainsFunc(s.Scenarios, func(q result.Scenario) bool { return q.Reference != nil })
	if held {
		t.Head = append(t.Head, "reference run")
	}
	for i := range s.Scenarios {
		q := &s.Scenarios[i]
		if q.Claim == "" {
			continue
		}
		row := []cell{
			{Text: q.Name + ": " + q.Claim + sourcesOf(q), Link: linkOf(s, q)},
			text(orNothing(q.Predicted)), text(objection(q)), deciding(q), verdictOn(q),
		}
		if held {
			row = append(row, referenceOf(q))
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// sourcesOf says who makes the claim: " (slides 7, 8; Kreps)".
func sourcesOf(q *result.Scenario) string {
	var all []string
	if n := len(q.Slides); n > 0 {
		word := "slide"
		if n > 1 {
			word = "slides"
		}
		all = append(all, word+" "+strings.Trim(strings.ReplaceAll(fmt.Sprint(q.Slides), " ", ", "), "[]"))
	}
	all = append(all, q.Sources...)
	if len(all) == 0 {
		return ""
	}
	return " (" + strings.Join(all, "; ") + ")"
}

func orNothing(text string) string {
	if text == "" {
		return "nothing"
	}
	return text
}

// objection is what says otherwise, and whether it holds here where that was measured.
func objection(q *result.Scenario) string {
	holds := map[string]string{
		ledger.Supports: "holds here", ledger.Contradicts: "does not hold here",
		ledger.NoDifference: "makes no difference here", ledger.Undecided: "undecided here",
	}[q.Objection]
	if holds == "" {
		return orNothing(q.Against)
	}
	var said []string
	for i := range q.Objections {
		if numbers := numbers(&q.Objections[i]); numbers != "" {
			said = append(said, numbers)
		}
	}
	if len(said) > 0 {
		holds += ", " + strings.Join(said, "; ")
	}
	return q.Against + " (" + holds + ")"
}

// linkOf leads to the section of a scenario that ran.
func linkOf(s *result.Summary, q *result.Scenario) string {
	if q.Name == "code" && len(s.CodeSize) > 0 {
		return "#code-size"
	}
	if slices.Contains(scenarioNames(s), q.Name) {
		return "#" + slug(q.Name)
	}
	return ""
}

// deciding are the two or three numbers that decide a claim.
func deciding(q *result.Scenario) cell {
	var parts []string
	for i := range q.Rulings {
		if said := numbers(&q.Rulings[i]); said != "" {
			parts = append(parts, said)
		}
	}
	if len(parts) == 0 {
		return cell{Text: missing, Tone: absent}
	}
	return text(strings.Join(parts, "; "))
}

func numbers(r *result.Ruling) string {
	if r.Figure == "" {
		return r.Why
	}
	var arms []string
	for _, a := range r.Arms {
		if a.Median != nil {
			arms = append(arms, strings.TrimSpace(a.Arm+" "+phaseName(a.Phase))+" "+inUnit(*a.Median, a.Unit))
		}
	}
	if len(arms) == 0 {
		return ""
	}
	said := r.Figure + ": " + strings.Join(arms, ", ")
	switch {
	case len(r.Arms) == 2 && r.Low != nil && *r.Low != *r.High:
		said += fmt.Sprintf(", ratio %s (%s to %s)", figure(*r.Value), figure(*r.Low), figure(*r.High))
	case len(r.Arms) == 2 && r.Value != nil:
		said += ", ratio " + figure(*r.Value)
	case r.Low != nil && *r.Low != *r.High:
		said += fmt.Sprintf(" (%s to %s)", figure(*r.Low), figure(*r.High))
	}
	return said
}

func verdictOn(q *result.Scenario) cell {
	switch q.Verdict {
	case ledger.NotRunYet, ledger.NotInThisRun:
		return cell{Text: q.Verdict, Tone: absent}
	case ledger.Undecided:
		if why := undecidedWhy(q); why != "" {
			return text(q.Verdict + ": " + why)
		}
	case ledger.Unmeasurable:
		return cell{Text: q.Verdict + ": " + q.Why, Tone: absent}
	}
	return text(q.Verdict)
}

func undecidedWhy(q *result.Scenario) string {
	for _, r := range q.Rulings {
		if r.Verdict == ledger.Undecided && r.Why != "" {
			return r.Why
		}
	}
	return ""
}

func referenceOf(q *result.Scenario) cell {
	if q.Reference == nil {
		return cell{Text: "none", Tone: absent}
	}
	said := q.Reference.Verdict
	if q.Reference.Agreement != "" && ledger.Decided(q.Reference.Verdict) {
		said += "; this run " + q.Reference.Agreement
	}
	return text(said)
}

// scenarioOf returns the line of the ledger for a scenario; empty for one that has none.
func scenarioOf(s *result.Summary, name string) result.Scenario {
	for i := range s.Scenarios {
		if s.Scenarios[i].Name == name {
			return s.Scenarios[i]
		}
	}
	return result.Scenario{Name: name}
}
