package decide

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"lambdakappa/bench/ledger"
	"lambdakappa/bench/result"
)

// ErrLacks says that a run has not measured everything that an answer takes.
var ErrLacks = errors.New("the run lacks what an answer takes")

// A measurer collects coefficients of one run, and what it has not got.
type measurer struct {
	run   *result.Summary
	model *Model
	lacks []string

	incremental bool // the run has measured a batch layer that goes on from its last view
}

// Measure takes the model from a run: of the full profile, since lines take three places. The error is
// [ErrLacks] with the scenarios to run.
func Measure(s *result.Summary) (*Model, error) {
	m := &measurer{run: s, model: &Model{
		Run:    fmt.Sprintf("%s, %s, %d cores, %s broker", s.Started, s.Machine.CPU, s.Machine.Cores, s.Broker.Kind),
		Margin: ledger.Margin, Inputs: inputs, Coefficients: map[string]Coefficient{},
	}}
	m.steady()
	m.age()
	m.bytes()
	m.change()
	if len(m.lacks) > 0 {
		return nil, fmt.Errorf("%w: %s of a full profile", ErrLacks, strings.Join(m.lacks, ", "))
	}
	all := columns(m.incremental)
	for _, c := range all {
		m.model.Columns = append(m.model.Columns, c.name)
	}
	m.model.Quantities, m.model.Crossings = quantities(all), crossings(all)
	return m.model, nil
}

func (m *measurer) lack(scenario string) {
	if !slices.Contains(m.lacks, scenario) {
		m.lacks = append(m.lacks, scenario)
	}
}

func (m *measurer) add(name, unit, from string, value, low, high float64) {
	c := Coefficient{Name: name, Unit: unit, From: from, Value: max(value, 0), Low: max(low, 0), High: max(high, 0)}
	m.model.Coefficients[name] = c
}

// figure adds the median of a figure, times a factor that changes its unit.
func (m *measurer) figure(name, unit, scenario, figure, arm, phase string, factor float64) Coefficient {
	xs := ledger.Values(m.run, scenario, figure, arm, phase)
	if len(xs) == 0 {
		m.lack(scenario)
		return Coefficient{}
	}
	low, high := spread(xs)
	m.add(name, unit, fmt.Sprintf("%s, %s: %s, median of %d runs", scenario, arm, figure, len(xs)),
		ledger.Median(xs)*factor, low*factor, high*factor)
	return m.model.Coefficients[name]
}

// spread is the interval of the median, or all there is of a sample that is too small for one.
func spread(xs []float64) (low, high float64) {
	if low, high, ok := ledger.Interval(xs); ok {
		return low, high
	}
	low, high = xs[0], xs[0]
	for _, x := range xs {
		low, high = min(low, x), max(high, x)
	}
	return low, high
}

// steady is the CPU of a steady load, in three parts. An event costs what it costs when there is no pause
// between them, which replay measures, and so does a row of a batch run; the rest of always-on is what being there
// takes (a flush every few milliseconds, whatever the rate, and what a batch run takes however little it reads).
// A slope of always-on over its short histories is no measure of a row: files are small there, and a run's start weighs.
func (m *measurer) steady() {
	const cpu = "CPU per million events"
	lambda := m.figure("lambda event", "s", "replay", cpu, "lambda", "log_to_served", perMillion)
	kappa := m.figure("kappa event", "s", "replay", cpu, "kappa", "replay", perMillion)
	row := m.figure("lambda batch row", "s", "replay", cpu, "lambda", "batch", perMillion)
	w := m.workload("always-on", "lambda")
	if w == nil {
		m.lack("always-on")
		return
	}
	m.idle("lambda", lambda.Value+row.Value*w.DurationSeconds/2/w.BatchIntervalSeconds)
	m.idle("kappa", kappa.Value)
	if m.workload("always-on", incrementalArm) != nil {
		m.incremental = true
		m.idle(incrementalArm, lambda.Value+row.Value)
	}
	m.reach("events per second", Term{Constant: 1, Powers: map[string]int{"rate": 1}}, m.fastest())
}

// idle adds what being there takes: cores of always-on less those of its events, which cost perEvent seconds each.
func (m *measurer) idle(arm string, perEvent float64) {
	const cpu = "CPU per million events"
	xs := ledger.Values(m.run, "always-on", cpu, arm, "")
	w := m.workload("always-on", arm)
	if len(xs) == 0 || w == nil {
		m.lack("always-on")
		return
	}
	events := perEvent * w.Rate
	low, high := spread(xs)
	cores := func(cpu float64) float64 { return cpu*perMillion*w.Rate - events }
	m.add(arm+" idle", "cores", fmt.Sprintf("always-on, %s: cores at %.0f events/s, less what the events take", arm, w.Rate),
		cores(ledger.Median(xs)), cores(low), cores(high))
}

// fastest is the greatest rate that both sides were seen to hold.
func (m *measurer) fastest() float64 {
	held := 0.0
	for _, arm := range []string{"lambda", "kappa"} {
		xs := ledger.Values(m.run, "ceiling", "rate held", arm, "")
		if len(xs) == 0 {
			return m.workload("always-on", arm).Rate
		}
		if x := ledger.Median(xs); held == 0 || x < held {
			held = x
		}
	}
	return held
}

// workload is that of the first right run without a parameter.
func (m *measurer) workload(scenario, arm string) *result.Workload {
	for i := range m.run.Runs {
		r := &m.run.Runs[i]
		if r.Scenario == scenario && r.Arm == arm && r.Parameter == nil && r.OK && r.Void == "" {
			return r.Workload
		}
	}
	return nil
}

// age is how old answers are: merged ones, and those of the batch layer alone by its interval.
func (m *measurer) age() {
	const milli = 1e-3
	m.figure("lambda age", "s", "freshness", "freshness, p50", "lambda", "", milli)
	m.figure("kappa age", "s", "freshness", "freshness, p50", "kappa", "", milli)
	const alone = "freshness of the batch layer alone, p50"
	line, ok := ledger.LineOf(m.run, "freshness", alone, "batch interval", "lambda", "")
	if !ok {
		m.lack("freshness")
		return
	}
	from := "freshness, lambda: " + alone + " over batch interval, %s of a line"
	m.add("batch age at once", "s", fmt.Sprintf(from, "start"),
		line.Intercept*milli, line.InterceptLow*milli, line.InterceptHigh*milli)
	m.add("batch age per interval", "s a s", fmt.Sprintf(from, "slope"), line.Slope*milli, line.SlopeLow*milli, line.SlopeHigh*milli)
}

func (m *measurer) bytes() {
	const kept = "kept per event"
	m.figure("file bytes", "B", "retention", kept, "lambda", "", 1)
	m.figure("log bytes", "B", "retention", kept, "kappa-zstd", "", 1)
}

// change is what it takes until every answer comes from new logic: once, whatever the history, as bugfix has it, and for
// every event what replay has measured, which reads more of them than bugfix does.
func (m *measurer) change() {
	for _, figure := range []struct{ name, figure, unit string }{
		{"wait", "time until all answers are new", "s"}, {"work", "CPU of the deployment", "s"},
	} {
		for _, arm := range []string{"lambda", "kappa"} {
			line, ok := ledger.LineOf(m.run, "bugfix", figure.figure, "history", arm, "")
			if !ok {
				m.lack("bugfix")
				return
			}
			m.add(arm+" change "+figure.name+" once", figure.unit,
				fmt.Sprintf("bugfix, %s: %s over history, start of a line", arm, figure.figure),
				line.Intercept, line.InterceptLow, line.InterceptHigh)
		}
	}
	m.pace("lambda batch time", "lambda", "batch")
	m.pace("kappa replay time", "kappa", "replay")
	if w := m.workload("replay", "kappa"); w != nil {
		m.reach("events of history", Term{Constant: 1, Powers: map[string]int{"rate": 1, "history": 1}}, w.Rate*w.DurationSeconds)
	}
}

// pace adds the time that an event takes at the throughput of a phase of replay.
func (m *measurer) pace(name, arm, phase string) {
	const figure = "throughput"
	xs := ledger.Values(m.run, "replay", figure, arm, phase)
	if len(xs) == 0 {
		m.lack("replay")
		return
	}
	low, high := spread(xs)
	m.add(name, "s", fmt.Sprintf("replay, %s: 1 / %s of phase %s, median of %d runs", arm, figure, phase, len(xs)),
		1/ledger.Median(xs), 1/high, 1/low)
}

func (m *measurer) reach(what string, of Term, most float64) {
	m.model.Reach = append(m.model.Reach, Reach{What: what, Of: of, Most: most})
}
