package ledger

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/dustin/go-humanize"

	"lambdakappa/bench/result"
	"lambdakappa/bench/scenarios"
	"lambdakappa/view"
)

// The verdicts about a claim.
const (
	Supports     = "supports"
	Contradicts  = "contradicts"
	NoDifference = "no difference"
	Undecided    = "undecided"
	Unmeasurable = "not measurable here"
	NotRunYet    = "not run yet"     // nothing measures the claim
	NotInThisRun = "not in this run" // it was not asked for
)

// Judge says what the runs of a summary say about a scenario's claim.
func Judge(q *scenarios.Scenario, s *result.Summary) result.Scenario {
	j := head(q)
	runs := runsOf(s, q)
	switch {
	case q.Procedure == scenarios.NotBuilt:
		j.Verdict = NotRunYet
		return j
	case len(runs) == 0 && (q.Procedure != "code" || len(s.CodeSize) == 0):
		j.Verdict = NotInThisRun
		return j
	}
	if at := slices.IndexFunc(runs, func(r *result.Run) bool { return r.Unmeasurable != "" }); at >= 0 {
		j.Why = runs[at].Unmeasurable
		j.Verdict = Unmeasurable
		return j
	}
	for i := range q.Verdict {
		j.Rulings = append(j.Rulings, rule(&q.Verdict[i], q, s))
	}
	weigh := together
	if q.Any {
		weigh = anyOf
	}
	j.Verdict = weigh(j.Rulings, func(r result.Ruling) string { return r.Verdict })
	j.Lean = weigh(j.Rulings, func(r result.Ruling) string { return r.Lean })
	for i := range q.Objection {
		j.Objections = append(j.Objections, rule(&q.Objection[i], q, s))
	}
	j.Objection = together(j.Objections, func(r result.Ruling) string { return r.Verdict })
	for i := range q.Crossovers {
		j.Crossovers = append(j.Crossovers, crossover(&q.Crossovers[i], q, s))
	}
	return j
}

func head(q *scenarios.Scenario) result.Scenario {
	j := result.Scenario{
		Name: q.Name, Question: q.Question, Sentence: q.Sentence, Claim: q.Claim, Slides: q.Slides,
		Sources: q.Sources, Predicted: q.Predicted, Against: q.Against,
		Headline: q.Headline, Figures: q.Figures, Parts: q.Parts, Reading: q.Reading, Surprises: q.Surprises, Caution: q.Caution,
	}
	for _, p := range q.Published {
		j.Published = append(j.Published, result.Published(p))
	}
	return j
}

func runsOf(s *result.Summary, q *scenarios.Scenario) []*result.Run {
	var runs []*result.Run
	for i := range s.Runs {
		if s.Runs[i].Scenario == q.Name {
			runs = append(runs, &s.Runs[i])
		}
	}
	return runs
}

// together is the verdict of rules of which all have to hold: the gravest decides. It is empty when there are none.
func together(rulings []result.Ruling, of func(result.Ruling) string) string {
	return last([]string{Supports, NoDifference, Undecided, Contradicts}, rulings, of)
}

// anyOf is the verdict of rules of which one is enough.
func anyOf(rulings []result.Ruling, of func(result.Ruling) string) string {
	return last([]string{Contradicts, NoDifference, Undecided, Supports}, rulings, of)
}

// last is the verdict among those of the rules that comes last in order.
func last(order []string, rulings []result.Ruling, of func(result.Ruling) string) string {
	at := -1
	for _, r := range rulings {
		at = max(at, slices.Index(order, of(r)))
	}
	if at < 0 {
		return ""
	}
	return order[at]
}

func rule(r *scenarios.Rule, q *scenarios.Scenario, s *result.Summary) result.Ruling {
	if r.Answers != "" {
		return judgeAnswers(r, q, s)
	}
	j := result.Ruling{Rule: r.String(), Figure: r.Figure}
	xs, unit := sampleOf(s, q, r.Figure, r.Of, r.Phase, r.Counted)
	j.Arms = append(j.Arms, armFigure(r.Of, r.Phase, xs, unit))
	if r.To != "" {
		ys, _ := sampleOf(s, q, r.Figure, r.To, r.ToPhase, r.Counted)
		j.Arms = append(j.Arms, armFigure(r.To, r.ToPhase, ys, unit))
		xs = xs.over(ys)
	}
	decide(&j, r, xs.values())
	if j.Runs == 0 {
		j.Why = cmp.Or(voided(r, q, s), j.Why)
	}
	return j
}

// voided says why the runs of a rule's arms count for nothing, by the first of them that is void; "" when none is.
func voided(r *scenarios.Rule, q *scenarios.Scenario, s *result.Summary) string {
	for _, run := range runsOf(s, q) {
		if run.Void != "" && (run.Arm == r.Of || run.Arm == r.To) {
			return "void: " + run.Void
		}
	}
	return ""
}

func armFigure(arm, phase string, xs sample, unit string) result.ArmFigure {
	f := result.ArmFigure{Arm: arm, Phase: phase, Unit: unit, Runs: len(xs)}
	if values := xs.values(); len(values) > 0 {
		m := Median(values)
		f.Median = &m
		if low, high, ok := Interval(values); ok {
			f.Low, f.High = &low, &high
		}
	}
	return f
}

// decide holds the values of a figure, or of a ratio, against the rule.
func decide(j *result.Ruling, r *scenarios.Rule, values []float64) {
	j.Runs, j.Verdict, j.Lean = len(values), Undecided, Undecided
	if len(values) == 0 {
		j.Why = noFigure(r)
		return
	}
	m := Median(values)
	j.Value, j.Lean = &m, side(r, m, m)
	if r.Counted {
		low, high := slices.Min(values), slices.Max(values)
		j.Low, j.High, j.Verdict = &low, &high, side(r, low, high)
		return
	}
	low, high, ok := Interval(values)
	if !ok {
		j.Why = fmt.Sprintf("%d of the %d runs that an interval takes", len(values), MinRuns)
		return
	}
	j.Low, j.High, j.Verdict = &low, &high, side(r, low, high)
}

// side says where an interval lies.
func side(r *scenarios.Rule, low, high float64) string {
	limit, band := r.Limit(), r.Band()
	inside := low >= limit*(1-band) && high <= limit*(1+band)
	switch {
	case r.Expect == scenarios.Same && inside:
		return Supports
	case r.Expect == scenarios.Same && (low > limit*(1+band) || high < limit*(1-band)):
		return Contradicts
	case r.Expect == scenarios.Same:
		return Undecided
	case r.Counted: // without noise there is no margin
		return count(r, low, high)
	case inside:
		return NoDifference
	case high < limit:
		return ifBelow(r, Supports, Contradicts)
	case low > limit:
		return ifBelow(r, Contradicts, Supports)
	default:
		return Undecided
	}
}

// count is side for a count: the limit itself is on neither side of above, and kept by below.
func count(r *scenarios.Rule, low, high float64) string {
	limit := r.Limit()
	switch {
	case high <= limit:
		return ifBelow(r, Supports, Contradicts)
	case low > limit:
		return ifBelow(r, Contradicts, Supports)
	default:
		return Undecided
	}
}

func ifBelow(r *scenarios.Rule, below, above string) string {
	if r.Expect == scenarios.Below {
		return below
	}
	return above
}

func noFigure(r *scenarios.Rule) string {
	if r.Counted {
		return "nothing was counted"
	}
	return "there is no figure of right runs on every side"
}

// judgeAnswers needs no interval: a row is right or it is not.
func judgeAnswers(r *scenarios.Rule, q *scenarios.Scenario, s *result.Summary) result.Ruling {
	j := result.Ruling{Rule: r.String(), Verdict: Undecided, Lean: Undecided, Why: "no run was compared"}
	var exact, expected int
	found := map[outcome]int{}
	for _, run := range runsOf(s, q) {
		if !isAsked(r, run) {
			continue
		}
		j.Runs++
		found[outcomeOf(run)]++
		for _, d := range compared(run) {
			exact, expected = exact+d.Exact, expected+d.Expected
		}
	}
	if j.Runs == 0 {
		return j
	}
	runs := "1 run"
	if j.Runs > 1 {
		runs = fmt.Sprintf("%d runs", j.Runs)
	}
	j.Why = fmt.Sprintf("%s: %s of %s rows exact in %s", orAll(r.Of),
		humanize.Comma(int64(exact)), humanize.Comma(int64(expected)), runs)
	if found[broken] > 0 {
		j.Why += fmt.Sprintf(", %d failed otherwise", found[broken])
	}
	j.Verdict = answered(r, found, j.Runs)
	j.Lean = j.Verdict
	return j
}

// isAsked reports whether a rule about answers is about a run: one in which answers were compared, or
// that failed before they could be.
func isAsked(r *scenarios.Rule, run *result.Run) bool {
	switch {
	case run.Void != "" || run.Unmeasurable != "" || run.Arm == "control":
		return false
	case r.Of != "" && run.Arm != r.Of, r.Phase != "" && run.Phase != r.Phase:
		return false
	}
	rows := 0
	for _, d := range compared(run) {
		rows += d.Expected + d.Unexpected
	}
	return rows > 0 || outcomeOf(run) != allRight
}

func compared(run *result.Run) []view.Diff {
	return []view.Diff{run.Correctness.Windows, run.Correctness.Alerts, run.Correctness.Trips}
}

// An outcome is what a run says about its answers.
type outcome int

const (
	allRight outcome = iota
	someWrong
	broken // it did not come to an end, or something else than an answer was not as it has to be: it says nothing
)

func outcomeOf(run *result.Run) outcome {
	isWrong := func(c result.Check) bool { return !c.OK && c.Answers }
	hidden := func(c result.Check) bool { return !c.OK && c.Name == result.MistakeShows }
	switch {
	case slices.ContainsFunc(run.Checks, isWrong):
		return someWrong
	case !run.OK && !slices.ContainsFunc(run.Checks, hidden):
		return broken
	default:
		return allRight
	}
}

// answered is the verdict over what the runs say. A run that broke off is neither exact nor wrong.
func answered(r *scenarios.Rule, found map[outcome]int, runs int) string {
	if r.Answers == scenarios.Exact {
		switch {
		case found[someWrong] > 0:
			return Contradicts
		case found[broken] > 0:
			return Undecided
		default:
			return Supports
		}
	}
	switch runs {
	case found[someWrong]:
		return Supports
	case found[allRight]:
		return Contradicts
	default:
		return Undecided
	}
}

func orAll(arm string) string {
	if arm == "" {
		return "all arms"
	}
	return arm
}

// Decided reports whether a verdict is one about the claim.
func Decided(verdict string) bool {
	return verdict == Supports || verdict == Contradicts || verdict == NoDifference
}

// Agreement says whether a short run points where a reference run has decided.
func Agreement(reference, lean string) string {
	switch {
	case !Decided(reference) || !Decided(lean):
		return "too short to tell"
	case strings.EqualFold(reference, lean):
		return "agrees"
	default:
		return "differs"
	}
}

// Refer puts the verdict of a reference run beside that of this one; nil is no reference run.
func Refer(q *result.Scenario, reference *result.Summary) {
	if reference == nil {
		return
	}
	at := slices.IndexFunc(reference.Scenarios, func(r result.Scenario) bool { return r.Name == q.Name })
	if at < 0 || reference.Scenarios[at].Verdict == "" {
		return
	}
	decided := reference.Scenarios[at].Verdict
	q.Reference = &result.Reference{Verdict: decided, Started: reference.Started, Revision: reference.Revision}
	if q.Lean != "" {
		q.Reference.Agreement = Agreement(decided, q.Lean)
	}
}
