package report

import (
	"slices"
	"strings"

	"lambdakappa/bench/decide"
	"lambdakappa/bench/result"
)

// ownNumbers is the part of the page that computes for a reader's own numbers. What stands there before the script runs, and
// where none does, is the answer for the numbers that a form begins with.
type ownNumbers struct {
	Model  *decide.Model
	Own    bool // measured by this run, and not by the reference run
	Answer table
	Turns  []string
	Limits []string
}

// newOwnNumbers is nil when neither run has measured all that it takes.
func newOwnNumbers(s, reference *result.Summary) *ownNumbers {
	model, err := decide.Measure(s)
	own := err == nil
	if !own && reference != nil {
		model, err = decide.Measure(reference)
	}
	if err != nil {
		return nil
	}
	in := model.Defaults()
	n := &ownNumbers{Model: model, Own: own, Answer: table{
		Caption: "x: times Lambda's; in brackets how far the intervals of its coefficients let it go",
		Head:    append([]string{"what it takes"}, model.Columns...),
	}}
	for _, q := range model.Quantities {
		row := []cell{text(q.Name)}
		for _, answer := range model.Line(q, in) {
			row = append(row, text(answer))
		}
		n.Answer.Rows = append(n.Answer.Rows, row)
	}
	for _, c := range model.Crossings {
		n.Turns = append(n.Turns, model.Crossed(c, in))
	}
	n.Limits = model.Limits(in)
	return n
}

// first are the inputs that everybody has an answer to; the others are a click away, so that the answer is on the screen.
var first = []string{"rate", "history", "staleness", "core", "disk", "files"}

// First are the inputs that are shown, and More those behind them.
func (n *ownNumbers) First() []decide.Input { return n.inputs(true) }

// More are the inputs that begin with what most have.
func (n *ownNumbers) More() []decide.Input { return n.inputs(false) }

func (n *ownNumbers) inputs(shown bool) (some []decide.Input) {
	for _, i := range n.Model.Inputs {
		if slices.Contains(first, i.Name) == shown {
			some = append(some, i)
		}
	}
	return some
}

// asked are the numbers that the form begins with.
func (n *ownNumbers) asked() string {
	in := n.Model.Defaults()
	var parts []string
	for _, i := range n.Model.Inputs {
		parts = append(parts, i.Label+": "+i.Said(in))
	}
	return "Asked for: " + strings.Join(parts, "; ") + "."
}

// Source says which run has measured.
func (n *ownNumbers) Source() string {
	if n.Own {
		return "Computed from what this run has measured."
	}
	return "This run has not measured all that it takes: computed from what the reference run has measured (" + n.Model.Run + ")."
}
