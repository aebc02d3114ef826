package ledger

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"lambdakappa/bench/result"
	"lambdakappa/bench/scenarios"
	"lambdakappa/view"
)

// summaryOf has one run of each arm and repetition, with one figure.
func summaryOf(figure string, lambda, kappa []float64) *result.Summary {
	s := &result.Summary{}
	add := func(arm string, xs []float64) {
		for i, x := range xs {
			s.Runs = append(s.Runs, result.Run{
				Scenario: "mine", Arm: arm, Repetition: i + 1, OK: true,
				Figures: []result.Figure{{Name: figure, Unit: "s", Value: x}},
			})
		}
	}
	add("lambda", lambda)
	add("kappa", kappa)
	return s
}

func scenario(t *testing.T, rule string) *scenarios.Scenario {
	t.Helper()
	q, err := scenarios.Parse("mine.yaml", []byte("name: mine\nquestion: q\nsentence: s\nclaim: c\n"+
		"procedure: steady\narms: [lambda, kappa]\nverdict:\n  - {"+rule+"}\n"))
	require.NoError(t, err)
	return q
}

func around(x float64) []float64 {
	return []float64{x * 0.97, x * 1.02, x, x * 1.01, x * 0.99, x * 1.03}
}

// Ensure that a verdict needs six pairs and an interval that lies on one side as a whole.
func TestJudgeByInterval(t *testing.T) {
	f := func(rule string, lambda, kappa []float64, want, lean string) {
		t.Helper()
		j := Judge(scenario(t, rule), summaryOf("cost", lambda, kappa))
		require.Equal(t, want, j.Verdict, "%+v", j.Rulings)
		require.Equal(t, lean, j.Lean)
	}
	above := "figure: cost, of: lambda, to: kappa, expect: above"
	f(above, around(20), around(10), Supports, Supports)
	f(above, around(10), around(20), Contradicts, Contradicts)
	f(above, around(10), around(10), NoDifference, NoDifference)
	f(above, around(12), around(10), Supports, Supports)
	f(above, around(20)[:5], around(10), Undecided, Supports)
	f(above, nil, around(10), Undecided, Undecided)
	f(above, []float64{8, 20, 9, 30, 8, 20}, around(10), Undecided, Supports)

	same := "figure: cost, of: lambda, to: kappa, expect: same"
	f(same, around(10), around(10), Supports, Supports)
	f(same, around(12), around(10), Contradicts, Contradicts)
	f(same, []float64{10, 12, 10.5, 10.2, 11.5, 10}, around(10), Undecided, Supports)

	below := "figure: cost, of: lambda, expect: below, than: 5"
	f(below, around(1), nil, Supports, Supports)
	f(below, around(9), nil, Contradicts, Contradicts)
	f(below, around(5), nil, NoDifference, NoDifference)
	f(below+", counted: true", []float64{0}, nil, Supports, Supports)
	f(below+", counted: true", []float64{5}, nil, Supports, Supports)
	f(below+", counted: true", []float64{6}, nil, Contradicts, Contradicts)
	f(below+", counted: true", []float64{1, 9}, nil, Undecided, Supports)
}

// Ensure that what drifts on the machine drops out of a ratio, because pairs are compared.
func TestPairs(t *testing.T) {
	drift := []float64{1, 2, 3, 5, 8, 13}
	j := Judge(scenario(t, "figure: cost, of: lambda, to: kappa, expect: above"),
		summaryOf("cost", []float64{1.5, 3, 4.5, 7.5, 12, 19.5}, drift))
	require.Equal(t, Supports, j.Verdict)
	require.InDelta(t, 1.5, *j.Rulings[0].Low, 1e-9)
	require.InDelta(t, 1.5, *j.Rulings[0].High, 1e-9)
}

// Ensure that runs which are wrong, void or of a sweep give no figures, and that a pair without its
// partner is left out.
func TestRunsThatDoNotCount(t *testing.T) {
	f := func(want int, change func(*result.Run)) {
		t.Helper()
		s := summaryOf("cost", around(20), around(10))
		change(&s.Runs[2])
		j := Judge(scenario(t, "figure: cost, of: lambda, to: kappa, expect: above"), s)
		require.Equal(t, want, j.Rulings[0].Runs)
	}
	f(6, func(*result.Run) {})
	f(5, func(r *result.Run) { r.OK = false })
	f(5, func(r *result.Run) { r.Void = "late" })
	f(5, func(r *result.Run) { r.Parameter = &result.Parameter{Name: "rate"} })
}

// Ensure that a claim whose runs were all void says why they were.
func TestVoidRunsSayWhy(t *testing.T) {
	s := summaryOf("cost", around(20), around(10))
	for i := range s.Runs {
		s.Runs[i].Void = "the generator was late"
	}
	j := Judge(scenario(t, "figure: cost, of: lambda, to: kappa, expect: above"), s)
	require.Equal(t, Undecided, j.Verdict)
	require.Equal(t, "void: the generator was late", j.Rulings[0].Why)
}

// Ensure that a count of what went wrong is taken of the runs in which it did: else no rule about it could
// ever say so. What took time is not.
func TestWrongRunsAreCounted(t *testing.T) {
	f := func(rule, want string) {
		t.Helper()
		s := summaryOf("readings lost", []float64{3}, nil)
		s.Runs[0].OK = false
		require.Equal(t, want, Judge(scenario(t, "figure: readings lost, of: lambda, than: 0, "+rule), s).Verdict)
	}
	f("expect: below, counted: true", Contradicts)
	f("expect: above, counted: true", Supports)
	f("expect: below", Undecided)
}

// Ensure that what says otherwise is judged by rules of its own, and changes nothing about the claim.
func TestObjection(t *testing.T) {
	q := scenario(t, "figure: lost, of: lambda, expect: below, than: 0, counted: true")
	q.Objection = []scenarios.Rule{q.Verdict[0]}
	q.Objection[0].Of, q.Objection[0].Expect = "kappa", scenarios.Above
	j := Judge(q, summaryOf("lost", []float64{0}, []float64{7}))
	require.Equal(t, []string{Supports, Supports}, []string{j.Verdict, j.Objection})
	j = Judge(q, summaryOf("lost", []float64{0}, []float64{0}))
	require.Equal(t, []string{Supports, Contradicts}, []string{j.Verdict, j.Objection})
	q.Objection = nil
	require.Empty(t, Judge(q, summaryOf("lost", []float64{0}, nil)).Objection)
}

// Ensure that answers are right or wrong by rows, and that wrong ones on purpose can be demanded.
func TestJudgeAnswers(t *testing.T) {
	f := func(rule string, ok bool, want string) {
		t.Helper()
		s := &result.Summary{Runs: []result.Run{{
			Scenario: "mine", Arm: "lambda", Repetition: 1, OK: ok,
			Correctness: result.Correctness{Windows: view.Diff{Expected: 10, Exact: 9}},
			Checks:      []result.Check{{Name: "windows", OK: ok, Answers: true}},
		}}}
		require.Equal(t, want, Judge(scenario(t, rule), s).Verdict)
	}
	f("answers: exact, of: lambda", true, Supports)
	f("answers: exact, of: lambda", false, Contradicts)
	f("answers: wrong, of: lambda", false, Supports)
	f("answers: wrong, of: lambda", true, Contradicts)
	f("answers: exact, of: kappa", true, Undecided)
}

// Ensure that of rules of which one is enough the best decides, and of others the gravest.
func TestOneRuleIsEnough(t *testing.T) {
	q := scenario(t, "figure: wrong, of: lambda, expect: above, than: 0, counted: true")
	q.Verdict = append(q.Verdict, q.Verdict[0])
	q.Verdict[1].Of = "kappa"
	f := func(lambda, kappa float64, all, one string) {
		t.Helper()
		s := summaryOf("wrong", []float64{lambda}, []float64{kappa})
		q.Any = false
		require.Equal(t, all, Judge(q, s).Verdict)
		q.Any = true
		require.Equal(t, one, Judge(q, s).Verdict)
	}
	f(1, 1, Supports, Supports)
	f(0, 1, Contradicts, Supports)
	f(1, 0, Contradicts, Supports)
	f(0, 0, Contradicts, Contradicts)
}

// Ensure that a run that broke off is no wrong answer, that one whose mistake does not show is a right one,
// and that a run in which nothing was compared says nothing.
func TestJudgeAnswersOf(t *testing.T) {
	f := func(rule string, run result.Run, want string) {
		t.Helper()
		run.Scenario, run.Arm, run.Repetition = "mine", "lambda", 1
		require.Equal(t, want, Judge(scenario(t, rule), &result.Summary{Runs: []result.Run{run}}).Verdict)
	}
	broke := result.Run{Error: "not settled within 60 s"}
	probe := result.Run{Checks: []result.Check{{Name: "windows", OK: true, Answers: true}, {Name: "every probe was answered"}}}
	probe.Correctness.Windows = view.Diff{Expected: 10, Exact: 10}
	f("answers: exact, of: lambda", probe, Undecided) // no row was wrong
	f("answers: wrong, of: lambda", probe, Undecided)
	f("answers: wrong, of: lambda", broke, Undecided)
	f("answers: exact, of: lambda", broke, Undecided)

	hidden := result.Run{Mistake: "adds what overlaps", Checks: []result.Check{{Name: result.MistakeShows}}}
	hidden.Correctness.Windows = view.Diff{Expected: 10, Exact: 10}
	f("answers: wrong, of: lambda", hidden, Contradicts)

	silent := result.Run{OK: true, Phase: "log_forgets"}
	f("answers: exact, of: lambda", silent, Undecided)

	phase := result.Run{OK: true, Phase: "live", Correctness: hidden.Correctness}
	f("answers: exact, of: lambda, phase: live", phase, Supports)
	f("answers: exact, of: lambda, phase: replay", phase, Undecided)
}

// Ensure that an arm that was wrong on purpose counts as wrong, though its run is as it should be.
func TestJudgeMistakes(t *testing.T) {
	s := &result.Summary{Runs: []result.Run{{
		Scenario: "mine", Arm: "lambda", Repetition: 1, OK: true, Mistake: "adds what overlaps",
		Checks: []result.Check{{Name: "windows", OnPurpose: true, Answers: true}, {Name: "the mistake shows", OK: true}},
	}}}
	require.Equal(t, Supports, Judge(scenario(t, "answers: wrong, of: lambda"), s).Verdict)
	require.Equal(t, Contradicts, Judge(scenario(t, "answers: exact, of: lambda"), s).Verdict)
}

// Ensure that a claim that nothing measures, or that was not asked for, says so.
func TestNotRun(t *testing.T) {
	q := scenario(t, "answers: exact, of: lambda")
	require.Equal(t, NotInThisRun, Judge(q, &result.Summary{}).Verdict)
	q.Procedure = scenarios.NotBuilt
	require.Equal(t, NotRunYet, Judge(q, &result.Summary{}).Verdict)
	q.Procedure = "steady"
	s := &result.Summary{Runs: []result.Run{{Scenario: "mine", Unmeasurable: "no SIGSTOP here"}}}
	j := Judge(q, s)
	require.Equal(t, Unmeasurable, j.Verdict)
	require.Equal(t, "no SIGSTOP here", j.Why)
}

// Ensure that a verdict does not depend on which arm is called first: a/b above 1 is b/a below 1.
func TestVerdictsMirror(t *testing.T) {
	above := scenario(t, "figure: cost, of: lambda, to: kappa, expect: above")
	below := scenario(t, "figure: cost, of: kappa, to: lambda, expect: below")
	rapid.Check(t, func(rt *rapid.T) {
		figures := rapid.SliceOfN(rapid.Float64Range(1, 100), 6, 9)
		s := summaryOf("cost", figures.Draw(rt, "lambda"), figures.Draw(rt, "kappa"))
		one, other := Judge(above, s), Judge(below, s)
		if one.Verdict == NoDifference || other.Verdict == NoDifference {
			return // 10 % more is 9 % less
		}
		require.Equal(rt, one.Verdict, other.Verdict)
	})
}

// Ensure that a short run is held against a reference only where both point somewhere.
func TestAgreement(t *testing.T) {
	require.Equal(t, "agrees", Agreement(Supports, Supports))
	require.Equal(t, "differs", Agreement(Supports, Contradicts))
	require.Equal(t, "too short to tell", Agreement(Undecided, Supports))
	require.Equal(t, "too short to tell", Agreement(Supports, Undecided))
}

// Ensure that a reference run stands beside a claim also where this run says nothing about it.
func TestRefer(t *testing.T) {
	reference := &result.Summary{Started: "20261122T233000Z", Scenarios: []result.Scenario{
		{Name: "late", Verdict: Supports}, {Name: "replay"},
	}}
	f := func(name, lean string) *result.Reference {
		q := result.Scenario{Name: name, Lean: lean}
		Refer(&q, reference)
		return q.Reference
	}
	require.Equal(t, "agrees", f("late", Supports).Agreement)
	require.Equal(t, "differs", f("late", Contradicts).Agreement)
	require.Empty(t, f("late", "").Agreement)
	require.Equal(t, Supports, f("late", "").Verdict)
	require.Nil(t, f("replay", ""), "it has no claim")
	require.Nil(t, f("spike", Supports), "it did not run there")
	Refer(&result.Scenario{}, nil)
}
