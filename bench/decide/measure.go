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
// between them, which replay measures; the rest of always-on is what being there takes (a flush every few
// milliseconds, whatever the rate); and Lambda's batch layer takes every event again at every run.
func (m *measurer) steady() {
	const cpu = "CPU per million events"
	perEvent := map[string]Coefficient{
		"lambda": m.figure("lambda event", "s", "replay", cpu, "lambda", "log_to_served", perMillion),
		"kappa":  m.figure("kappa event", "s", "replay", cpu, "kappa", "replay", perMillion),
	}
	batch, ok := ledger.LineOf(m.run, "always-on", cpu, "history / batch interval", "lambda", "")
	if !ok {
		m.lack("always-on")
		return
	}
	m.add("lambda batch row", "s", "always-on, lambda: "+cpu+" over history / batch interval, slope of a line",
		batch.Slope*perMillion, batch.SlopeLow*perMillion, batch.SlopeHigh*perMillion)
	const row = "lambda batch row"
	w := m.workload("always-on", "lambda")
	if w == nil {
		m.lack("always-on")
		return
	}
	once := m.model.Coefficients[row].Value
	m.idle("lambda", perEvent["lambda"].Value+once*w.DurationSeconds/2/w.BatchIntervalSeconds)
	m.idle("kappa", perEvent["kappa"].Value)
	if m.workload("always-on", incrementalArm) != nil {
		m.incremental = true
		m.idle(incrementalArm, perEvent["lambda"].Value+once)
	}
	m.reach("events per second", Term{Constant: 1, Powers: map[string]int{"rate": 1}}, m.fastest())
	m.reach("how often the batch layer takes an event (history / interval)", Term{Constant: 1, Powers: map[string]int{"history": 1, "interval": -1}}, batch.Most)
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

// change is what it takes until every answer comes from new logic, by the length of the history.
func (m *measurer) change() {
	for _, figure := range []struct{ name, figure, unit string }{
		{"wait", "time until all answers are new", "s"}, {"work", "CPU of the deployment", "s"},
	} {
		for _, arm := range []string{"lambda", "kappa"} {
			line, ok := ledger.LineOf(m.run, "bugfix", figure.figure, "history", arm, "")
			w := m.workload("bugfix", arm)
			if !ok || w == nil {
				m.lack("bugfix")
				return
			}
			from := fmt.Sprintf("bugfix, %s: %s over history, %%s of a line", arm, figure.figure)
			m.add(arm+" change "+figure.name+" once", figure.unit, fmt.Sprintf(from, "start"),
				line.Intercept, line.InterceptLow, line.InterceptHigh)
			m.add(arm+" change "+figure.name+" per event", figure.unit, fmt.Sprintf(from, "slope"),
				line.Slope/w.Rate, line.SlopeLow/w.Rate, line.SlopeHigh/w.Rate)
			if arm == "kappa" && figure.name == "wait" {
				m.reach("events of history for a change", Term{Constant: 1, Powers: map[string]int{"rate": 1, "history": 1}}, line.Most*w.Rate)
			}
		}
	}
}

func (m *measurer) reach(what string, of Term, most float64) {
	m.model.Reach = append(m.model.Reach, Reach{What: what, Of: of, Most: most})
}
