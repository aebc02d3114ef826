package bench

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lambdakappa/bench/fault"
	"lambdakappa/bench/result"
	"lambdakappa/bench/scenarios"
	"lambdakappa/datagen"
	"lambdakappa/view"
)

// Ensure that what cannot be run is refused with the name of the option and what it takes.
func TestOptions(t *testing.T) {
	f := func(want string, change func(*Options)) {
		t.Helper()
		o := DefaultOptions()
		change(&o)
		require.ErrorContains(t, o.Validate(), want)
	}
	require.NoError(t, DefaultOptions().Validate())
	f(`scenario "setled": is none of settled, disturbed`, func(o *Options) { o.Scenarios = []string{"setled"} })
	f(`scenario "model": nothing measures its claim yet`, func(o *Options) { o.Scenarios = []string{"model"} })
	f(`arm "beta": is none of both, kappa, lambda`, func(o *Options) { o.Arms = []string{"beta"} })
	f(`profile "slow": is none of quick, full`, func(o *Options) { o.Profile = "slow" })
	f(`input "cars.csv": takes csv:FILE`, func(o *Options) { o.Input = "cars.csv" })
	f(`input "csv:/nowhere": `, func(o *Options) { o.Input = "csv:/nowhere" })
	f(`schema registry: belongs to a cluster`, func(o *Options) { o.Registry = "http://127.0.0.1:8081" })
	f(`cluster: excludes brokers`, func(o *Options) { o.Cluster, o.Brokers = "kafka", []string{"127.0.0.1:9092"} })
	f(`window 1.5`, func(o *Options) { o.Window = 1500 * time.Microsecond })
	f(`must not be negative`, func(o *Options) { o.Cars = -1 })
}

// Ensure that every scenario can be run in every profile and says how long that takes.
func TestScenarios(t *testing.T) {
	seconds := func(change func(*Options)) float64 {
		o := DefaultOptions()
		change(&o)
		asked, err := o.asked()
		require.NoError(t, err)
		for _, s := range asked {
			if s.procedure != nil {
				require.Positive(t, s.procedure.seconds(o, s), s.Name)
			}
		}
		return expectedSeconds(o, asked)
	}
	require.LessOrEqual(t, seconds(func(*Options) {}), 260.0, "make bench is quick")
	require.LessOrEqual(t, seconds(func(o *Options) { o.All = true }), 900.0, "make bench-all")
	require.LessOrEqual(t, seconds(func(o *Options) { o.All, o.Profile = true, "full" }), 7_200.0, "a reference run")
}

// Ensure that arms which are like the same architecture never share a log.
func TestOnOneLog(t *testing.T) {
	s := &Scenario{Scenario: &scenarios.Scenario{Arms: []scenarios.Arm{
		{Name: "lambda", Like: "lambda"}, {Name: "hasty", Like: "lambda"}, {Name: "kappa", Like: "kappa"},
	}}}
	require.Equal(t, [][]string{{"lambda", "kappa"}, {"hasty"}}, s.onOneLog([]string{"lambda", "hasty", "kappa"}))
	patient := scenarios.Arm{Name: "patient", Like: "kappa", AllowedLateness: 2 * time.Minute}
	s.Arms = append(s.Arms, patient)
	require.Equal(t, [][]string{{"lambda"}, {"patient"}}, s.onOneLog([]string{"lambda", "patient"}), "one truth to a log")
	require.EqualValues(t, 120_000, s.ruledAs("patient").rules.AllowedLateness)
	require.Equal(t, s, s.ruledAs("kappa"))
}

// Ensure that a rule of an arm's own is refused where nothing judges by it.
func TestLatenessOfAnArm(t *testing.T) {
	file := *scenarios.Builtin()[0]
	file.Arms = []scenarios.Arm{{Name: "patient", Like: "kappa", AllowedLateness: time.Minute}}
	o := DefaultOptions()
	_, err := o.ask(&file)
	require.NoError(t, err)
	for _, other := range scenarios.Builtin() {
		if other.Name == "freshness" {
			file = *other
			file.Arms = append(slices.Clone(file.Arms), scenarios.Arm{Name: "patient", Like: "kappa", AllowedLateness: time.Minute})
		}
	}
	_, err = o.ask(&file)
	require.ErrorContains(t, err, "arms[2].allowed_lateness: only procedure correctness judges an arm by a rule of its own")
}

// Ensure that a sweep runs the arms whose lines are drawn, and never one that is wrong on purpose.
func TestArmsOfASweep(t *testing.T) {
	f := func(name string, want ...string) {
		t.Helper()
		o := DefaultOptions()
		o.Scenarios, o.Profile = []string{name}, "full"
		asked, err := o.asked()
		require.NoError(t, err)
		points := asked[0].points(o)
		require.NotEmpty(t, points)
		for _, point := range points {
			require.Equal(t, want, point.arms(o))
			require.NotNil(t, point.parameter)
		}
		require.Greater(t, len(asked[0].Arms), len(want), "the scenario itself keeps its arms")
	}
	f("bugfix", "lambda", "kappa")
	f("duplicates", "lambda", "kappa")
}

// Ensure that a known variation can be asked for where no file names it, and runs beside the others.
func TestKnownArmCanBeAskedFor(t *testing.T) {
	o := DefaultOptions()
	o.Scenarios, o.Arms = []string{"settled", "disturbed"}, []string{armKappa, scenarios.LambdaShared}
	require.NoError(t, o.Validate())
	asked, err := o.asked()
	require.NoError(t, err)
	for _, s := range asked {
		require.Equal(t, o.Arms, s.arms(o))
		require.Equal(t, [][]string{{"kappa", "lambda-shared"}}, s.onOneLog(s.arms(o)))
		require.Equal(t, "lambda", s.like(scenarios.LambdaShared))
	}
	for _, file := range scenarios.Builtin() {
		if file.Name == "settled" {
			require.Len(t, file.Arms, 2, "a file stays as it was read")
		}
	}
}

func testExecution(t *testing.T, arms ...string) *execution {
	t.Helper()
	o := DefaultOptions()
	o.Quiet = true
	x := &execution{
		driver: &driver{
			opt: o, progress: newProgress(o, nil),
			scenario: &Scenario{Scenario: &scenarios.Scenario{Arms: []scenarios.Arm{
				{Name: armLambda, Like: armLambda}, {Name: armKappa, Like: armKappa},
			}}},
		},
		run: result.Run{Arm: armBoth, Seed: 3},
		sut: &system{arms: map[string]*arm{}},
	}
	for _, name := range arms {
		x.report(name, name, "")
		x.sut.arms[name] = &arm{name: name, like: name}
	}
	return x
}

// Ensure that every component is killed exactly once while events are sent, that an arm that is not
// asked for changes nothing for the other, and that batch runs keep their moments.
func TestFaultPlan(t *testing.T) {
	w := workload{spec: datagen.Spec{Seed: 3, Duration: 6 * time.Minute}, speedup: 20}
	c := &correctness{Batches: 10, RollInterval: 500 * time.Millisecond}
	c.Random.Each = 1
	plan, err := c.plan(testExecution(t, armLambda, armKappa), w)
	require.NoError(t, err)
	var killed []string
	for _, s := range plan {
		require.Equal(t, fault.Kill, s.Do)
		require.Less(t, s.At, 18*time.Second, "the generator still sends")
		killed = append(killed, s.Target)
	}
	require.ElementsMatch(t, []string{
		"lambda ingest", "lambda batch", "lambda speed", "lambda serve", "kappa process", "kappa serve",
	}, killed)
	alone, err := c.plan(testExecution(t, armKappa), w)
	require.NoError(t, err)
	require.Equal(t, alone, slices.DeleteFunc(plan, func(s fault.Step) bool {
		return strings.HasPrefix(s.Target, armLambda)
	}))

	moments := c.moments(w)
	require.Equal(t, moments, c.moments(w))
	require.Len(t, moments, c.Batches)
	require.True(t, slices.IsSorted(moments))
	require.GreaterOrEqual(t, moments[0], time.Second)
	require.Less(t, moments[9], 17*time.Second)
}

// Ensure that a boundary that stood still is no hand-over.
func TestHandOvers(t *testing.T) {
	f := func(want bool, boundaries ...int64) {
		t.Helper()
		x := testExecution(t, armLambda)
		x.handedOver = boundaries
		x.checkHandOvers(3)
		require.Equal(t, want, x.side(armLambda).Checks[0].OK)
	}
	f(true, 0, 10, 10, 20, 30)
	f(false, 0, 10, 10, 20, 20)
	f(false)
}

// Ensure that findings of several runs on one log are filed where they belong.
func TestReportedApart(t *testing.T) {
	x := testExecution(t)
	x.report(armKappa, armKappa, phaseReplay)
	x.report(batchPart.name, armLambda, phaseBatch)
	x.run.Components = []result.Component{{Name: brokerName}, {Name: "kappa serve"}, {Name: "lambda batch"}}
	x.check(batchPart.name, "rows", false, "wrong")
	x.conclude(nil)

	runs := x.runs()
	require.Len(t, runs, 2)
	require.True(t, runs[0].OK)
	require.False(t, runs[1].OK)
	require.Equal(t, "batch", runs[1].Phase)
	require.Equal(t, []result.Component{{Name: brokerName}, {Name: "kappa serve"}}, runs[0].Components)
}

// Ensure that a sample of alerts keeps its order.
func TestSampleAlerts(t *testing.T) {
	var all []view.Alert
	for i := range 500 {
		all = append(all, view.Alert{AlertKey: view.AlertKey{CarID: "car-00001", Seq: int64(i)}, EventTime: int64(1000 + i)})
	}
	spec := datagen.Spec{Seed: 1, Duration: 2 * time.Second}
	some := sampleAlerts(all, spec)
	require.Len(t, some, 2*alertsPerSec)
	require.True(t, slices.IsSortedFunc(some, func(a, b view.Alert) int { return int(a.EventTime - b.EventTime) }))
}

// Ensure that a reading that was never visible is a sample as long as the rest of the run.
func TestMissedReadings(t *testing.T) {
	spec := datagen.Spec{Seed: 1, Cars: 2, Rate: 2, Duration: 10 * time.Second, Start: time.Now().Add(-20 * time.Second)}
	require.EqualValues(t, 10, readingsOf(spec, 0))
	p := &probes{spec: spec, got: newLatencies()}
	p.missed(1, 6, 9)
	require.Equal(t, []string{"car-00001/7", "car-00001/8", "car-00001/9"}, p.got.unseen)
	require.EqualValues(t, 3, p.got.visible.TotalCount())
	require.Greater(t, p.got.visible.Min(), int64(10*time.Second))
	p.got.note(p.got.query, -1)
	require.Equal(t, 1, p.got.wrong)
}

// Ensure that the cost of an arm is what it took more than the control, per million events.
func TestCostLessControl(t *testing.T) {
	c := cost{events: 2e6, cpu: 10, peak: 5, logDisk: 2e6, master: 4e6, views: 6e6}
	r := c.less(cost{events: 1e6, cpu: 1})
	require.Equal(t, 4.0, r.CPUSecondsPerMillionEvents)
	require.True(t, r.LessControl)
	require.Equal(t, result.BytesPerEvent{Log: 1, Master: 2, Views: 3}, r.BytesPerEvent)
	require.False(t, c.less(cost{}).LessControl, "there was no control run")
}

// Ensure that a machine that was too slow voids a run, which is neither right nor wrong then.
func TestSlowMachineVoids(t *testing.T) {
	r := result.Run{Arm: armLambda}
	conclude(&r, fmt.Errorf("lambda: %w", &slowError{"the history was not worked off"}))
	require.True(t, r.OK)
	require.Equal(t, "the history was not worked off", r.Void)
	require.Empty(t, r.Error)
}

// Ensure that a look while nothing is sent is refused where nobody could answer it.
func TestStandStillTakesBatchesAndNoFaults(t *testing.T) {
	f := func(want string, c correctness) {
		t.Helper()
		s := &Scenario{Scenario: &scenarios.Scenario{Arms: []scenarios.Arm{{Name: armLambda, Like: armLambda}}}}
		s.size = size{rate: 10, duration: time.Minute, speedup: 1}
		err := c.check(s)
		if want == "" {
			require.NoError(t, err)
			return
		}
		require.ErrorContains(t, err, want)
	}
	f("", correctness{StandStill: true, Batches: 1})
	f("stand_still: takes batches", correctness{StandStill: true})
	killed := correctness{StandStill: true, Batches: 1}
	killed.Faults = []fault.Step{{At: time.Second, Do: fault.Kill, Target: "lambda serve"}}
	f("and no faults", killed)
}
