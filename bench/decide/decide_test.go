package decide

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"lambdakappa/bench/result"
)

// reference is the model of the committed reference run.
func reference(t testing.TB) *Model {
	t.Helper()
	m, err := Measure(referenceRun(t))
	require.NoError(t, err)
	return m
}

func referenceRun(t testing.TB) *result.Summary {
	t.Helper()
	raw, err := os.ReadFile("../../results/reference/summary.json")
	require.NoError(t, err)
	s := new(result.Summary)
	require.NoError(t, json.Unmarshal(raw, s))
	return s
}

// simple has round coefficients, so that answers can be checked by hand.
func simple(t testing.TB) *Model {
	m := reference(t)
	for name, value := range map[string]float64{
		"lambda idle": 0.5, "lambda event": 4e-6, "lambda batch row": 1e-6, "kappa idle": 0.3, "kappa event": 2e-6,
		"file bytes": 30, "log bytes": 50,
		"lambda change work once": 0, "lambda change wait once": 36, "lambda batch time": 0,
		"kappa change work once": 0, "kappa change wait once": 0, "kappa replay time": 1e-6,
	} {
		require.Contains(t, m.Coefficients, name)
		m.Coefficients[name] = Coefficient{Name: name, Value: value, Low: value * 0.9, High: value * 1.1}
	}
	return m
}

func (m *Model) quantity(t testing.TB, name string) Quantity {
	at := slices.IndexFunc(m.Quantities, func(q Quantity) bool { return q.Name == name })
	require.GreaterOrEqual(t, at, 0, name)
	return m.Quantities[at]
}

// Ensure that the arithmetic is what a reader does by hand.
func TestByHand(t *testing.T) {
	m := simple(t)
	in := m.Defaults()
	in["rate"], in["history"], in["interval"], in["log"], in["copies"] = 1000, 10*day, day, day, 2
	in["core"], in["disk"], in["files"], in["changes"] = 1, 1, 0.5, 2
	in["people-lambda"], in["people-kappa"], in["late"] = 100, 10, 0.01
	f := func(name string, want ...float64) {
		t.Helper()
		q := m.quantity(t, name)
		for i, sum := range q.Sums {
			require.InEpsilon(t, 1+want[i], 1+m.Of(sum, in).Value, 1e-9, "%s, %s", name, m.Columns[i])
		}
	}
	const events = 1000 * 86_400 * 10.0
	f("cores, all the time", 0.5+0.004+0.01, 0.302, 0.302)
	f("history and log", 0.0864*30*10+0.0864*50*2, 0.0864*50*10*2, 0.0864*50*10+0.0864*50*2)
	f("until every answer is right after a change", 0.01, events*1e-6/3600, events*1e-6/3600)
	f("work of a change", events*1e-6/3600, events*2e-6/3600, events*2e-6/3600)
	f("readings that never count, a day", 0, 864_000, 864_000)
	f("a month",
		0.514*730+0.0864*50*2+0.0864*30*10*0.5+2*events*1e-6/3600+200,
		0.302*730+0.0864*50*10*2+2*events*2e-6/3600+20,
		0.302*730+0.0864*50*2+0.0864*50*10*0.5+2*events*2e-6/3600+20)
}

// Ensure that bounds hold the value, and that more of anything that costs never costs less.
func TestEstimatesHold(t *testing.T) {
	m := reference(t)
	rapid.Check(t, func(t *rapid.T) {
		in := Numbers{}
		for _, i := range m.Inputs {
			in[i.Name] = i.InUnit * rapid.Float64Range(i.Least, i.Most).Draw(t, i.Name)
		}
		grown := Numbers{}
		for name, x := range in {
			grown[name] = x
		}
		which := rapid.SampledFrom([]string{"rate", "history", "log", "copies", "late", "changes", "core", "disk", "files"}).Draw(t, "which")
		grown[which] *= rapid.Float64Range(1, 10).Draw(t, "factor")
		for _, q := range m.Quantities {
			for _, sum := range q.Sums {
				e := m.Of(sum, in)
				require.LessOrEqual(t, e.Low, e.Value)
				require.LessOrEqual(t, e.Value, e.High)
				require.GreaterOrEqual(t, e.Low, 0.0)
				require.LessOrEqual(t, e.Value, m.Of(sum, grown).Value*(1+1e-12), "%s by %s", q.Name, which)
			}
		}
	})
}

// Ensure that every coefficient is used and says where it comes from, and that every term is of known names: a model that the
// page evaluates must not have holes.
func TestModelIsWhole(t *testing.T) {
	m := reference(t)
	used := map[string]bool{}
	names := map[string]bool{}
	for _, i := range m.Inputs {
		names[i.Name] = true
	}
	for _, q := range m.Quantities {
		require.Len(t, q.Sums, len(m.Columns), q.Name)
		for _, sum := range q.Sums {
			for _, term := range sum {
				used[term.Coefficient] = true
				for name := range term.Powers {
					require.True(t, names[name], "%s: %s", q.Name, name)
				}
			}
		}
	}
	for _, c := range m.Crossings {
		require.True(t, names[c.Over], c.Says)
		for _, term := range plus(c.Left, c.Right) {
			used[term.Coefficient] = true
		}
	}
	for name, c := range m.Coefficients {
		require.True(t, used[name], name)
		require.NotEmpty(t, c.From, name)
		require.Positive(t, c.Value, name)
		require.LessOrEqual(t, c.Low, c.Value, name)
		require.GreaterOrEqual(t, c.High, c.Value, name)
	}
}

// Ensure that sums are equal where they are said to cross, and that a place outside of what an input takes is none.
func TestCrossings(t *testing.T) {
	m := simple(t)
	in := m.Defaults()
	in["staleness"] = 3600
	m.Coefficients["batch age at once"] = Coefficient{Value: 100}
	m.Coefficients["batch age per interval"] = Coefficient{Value: 0.5}
	at, which := m.At(m.Crossings[0], in)
	require.Zero(t, which)
	require.InEpsilon(t, 7000, at, 1e-9)
	require.Equal(t, "Lambda's batch layer alone is fresh enough for you when it runs at least every 117 minutes", m.Crossed(m.Crossings[0], in))
	in["staleness"] = 1
	require.Equal(t, "Lambda's batch layer alone is not fresh enough for you, however often it runs (from 0.1 to 43,200 minutes)",
		m.Crossed(m.Crossings[0], in))
	in["staleness"] = 1e9
	require.Equal(t, "Lambda's batch layer alone is fresh enough for you, however seldom it runs (from 0.1 to 43,200 minutes)",
		m.Crossed(m.Crossings[0], in))
	in["staleness"] = 1
	for _, c := range m.Crossings[1:] {
		if at, which = m.At(c, in); which == 0 {
			there := maps.Clone(in)
			there[c.Over] = at
			require.InEpsilon(t, m.Of(c.Left, there).Value, m.Of(c.Right, there).Value, 1e-9, c.Says)
		}
	}
}

// Ensure that an answer says how far beyond the measured it lies, and says nothing of that within.
func TestBeyond(t *testing.T) {
	m := reference(t)
	in := m.Defaults()
	in["rate"], in["history"], in["interval"] = 1000, 600, 300
	require.NotContains(t, strings.Join(m.Limits(in), "\n"), "Beyond")
	in["rate"] = 10e6
	require.Contains(t, strings.Join(m.Limits(in), "\n"), "Beyond what was measured: events per second is 10,000,000")
}

// Ensure that a run without what it takes is refused by the names of what it lacks.
func TestLacks(t *testing.T) {
	s := referenceRun(t)
	s.Runs = slices.DeleteFunc(s.Runs, func(r result.Run) bool { return r.Scenario == "retention" || r.Scenario == "bugfix" })
	_, err := Measure(s)
	require.ErrorIs(t, err, ErrLacks)
	require.EqualError(t, err, "the run lacks what an answer takes: retention, bugfix of a full profile")
}

// Ensure that words about two sides follow from their intervals.
func TestSays(t *testing.T) {
	f := func(e, first Estimate, want string) {
		t.Helper()
		require.Equal(t, want, Says(e, first))
	}
	one := Estimate{1, 0.99, 1.01}
	f(one, one, "no difference, x 1 (0.98 to 1.02)")
	f(Estimate{2, 1.9, 2.1}, one, "x 2 (1.88 to 2.12)")
	f(Estimate{1.2, 0.9, 1.5}, one, "undecided, x 1.2 (0.891 to 1.52)")
	f(Estimate{50, 40, 60}, Estimate{1, 0, 2}, "x 50 (at least 20)")
	f(Estimate{50, 40, 60}, Estimate{1, 1e-9, 2}, "x 50 (at least 20)")
	f(Estimate{0.5, 0, 0.6}, one, "x 0.5 (at most 0.606)")
	f(Estimate{0.5, 0, 0.6}, Estimate{1, 0, 2}, "undecided, x 0.5 (by nobody knows how much)")
	f(one, Estimate{}, "Lambda has none")
	f(Estimate{}, Estimate{}, "no difference")
}

// Ensure that what is printed has the reader's numbers, every quantity, and the arithmetic that leads to it.
func TestPrint(t *testing.T) {
	m := simple(t)
	var out bytes.Buffer
	m.Print(&out, m.Defaults())
	for _, want := range []string{
		"history that answers cover", "30 days", "--history",
		"0.3 kappa idle + 2e-06 kappa event x 10,000 rate = 0.32 (0.288 to 0.352)",
		"x 730", "What this does not say",
	} {
		require.Contains(t, out.String(), want)
	}
}

// Ensure that a batch layer that goes on from its last view has a column where it was measured, and that more history takes
// none of its cores.
func TestIncremental(t *testing.T) {
	s := referenceRun(t)
	for _, r := range s.Runs {
		if r.Scenario == "always-on" && r.Arm == "lambda" && r.Parameter == nil {
			r.Arm = incrementalArm
			s.Runs = append(s.Runs, r)
		}
	}
	m, err := Measure(s)
	require.NoError(t, err)
	require.Equal(t, []string{"Lambda", "Lambda, incremental", "Kappa", "Kappa, tiered"}, m.Columns)
	cores := m.quantity(t, "cores, all the time")
	in := m.Defaults()
	full, incremental := m.Of(cores.Sums[0], in), m.Of(cores.Sums[1], in)
	in["history"] *= 10
	require.Greater(t, m.Of(cores.Sums[0], in).Value, 5*full.Value)
	require.Equal(t, incremental, m.Of(cores.Sums[1], in))
	require.NotContains(t, strings.Join(m.Limits(in), "\n"), "recomputes everything at every run")
}
