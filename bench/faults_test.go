package bench

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	psprocess "github.com/shirou/gopsutil/v4/process"
	"github.com/stretchr/testify/require"

	"lambdakappa/bench/fault"
	"lambdakappa/bench/result"
)

// scenarioFile writes a scenario of the test's own: 20 s of sending, with what is given under "with".
func scenarioFile(t *testing.T, with string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "faulty.yaml")
	text := `name: faulty
question: does it stand that?
sentence: a test
procedure: correctness
arms: [lambda, kappa]
workload: {cars: 60, rate: 60, duration: 60s, speedup: 3, repetitions: 1, disturb: "out-of-order=0.05,late=0.01,duplicates=0.02"}
with:
` + with
	require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	return path
}

func marksOf(r *result.Run) (names []string) {
	for _, m := range r.Marks {
		if !strings.HasPrefix(m.Name, "batch") {
			names = append(names, m.Name)
		}
	}
	return names
}

// Ensure that an outage of the broker, on the same ports, and a network that is slow and cut, cost no
// row on either side, and that a batch that was sent twice meanwhile is told from one too many.
func TestOutageAndNetwork(t *testing.T) {
	wholeScenario(t)
	t.Parallel()
	o := small(t, scenarioFile(t, `
  faults:
    - {at: 2s, do: delay, delay: 20ms, for: 2s}
    - {at: 5s, do: cut, target: kappa process, for: 1s}
    - {at: 5s, do: cut, target: lambda speed, for: 1s}
    - {at: 8s, do: broker-down, for: 2s}
    - {at: 12s, do: compact}
    - {at: 14s, do: restart, target: kappa serve, for: 500ms}
    - {at: 17s, do: retention, share: 0.2}
`))
	s, err := Run(t.Context(), o)
	require.NoError(t, err)
	require.Len(t, s.Runs, 2)
	requireRight(t, s)
	for _, r := range s.Runs {
		require.ElementsMatch(t, []string{
			"delay", "cut kappa process", "cut lambda speed", "broker-down", "compact",
			"restart kappa serve", "retention",
		}, marksOf(&r))
		require.Contains(t, strings.Join(r.Notes, "\n"), "{at: 8s, do: broker-down, for: 2s}")
		for _, m := range r.Marks {
			if m.Name == "broker-down" {
				require.Greater(t, m.To-m.From, 2.0)
			}
		}
	}
	requireNobodyLeft(t, o.Out)
}

// Ensure that what happens when members stand still for longer than their session is known: another
// process takes over, the one that stood still comes back, and every row that is wrong for it is
// counted. At-least-once promises no more.
func TestZombies(t *testing.T) {
	wholeScenario(t)
	t.Parallel()
	o := small(t, scenarioFile(t, `
  spares: [kappa process, lambda speed]
  faults:
    - {at: 3s, do: stop, target: kappa process, for: 8s}
    - {at: 3s, do: stop, target: lambda speed, for: 8s}
`))
	s, err := Run(t.Context(), o)
	require.NoError(t, err)
	require.Len(t, s.Runs, 2)
	for _, r := range s.Runs {
		d := r.Correctness.Windows
		t.Logf("%s: %d rows: %d exact, %d different, %d missing, %d unexpected: %s",
			r.Arm, d.Expected, d.Exact, d.Different, d.Missing, d.Unexpected, r.Error)
		require.NotZero(t, d.Expected, "it came to its end: %s", r.Error)
		wrong := d.Different + d.Missing + d.Unexpected
		require.False(t, r.OK && wrong > 0, "a wrong row is not hidden")
	}
	requireNobodyLeft(t, o.Out)
}

// Ensure that what this machine cannot do is no failure: it is said, and nothing is started.
func TestNotMeasurableHere(t *testing.T) {
	f := func(scenario string, runs int, why string) {
		t.Helper()
		s, err := Run(t.Context(), small(t, scenario))
		require.NoError(t, err)
		require.Len(t, s.Runs, runs)
		require.True(t, s.Runs[0].OK)
		require.Contains(t, s.Runs[0].Unmeasurable, why)
		require.Empty(t, s.Runs[0].Components)
	}
	f(scenarioFile(t, "  faults: [{at: 1s, do: slow-disk, bytes_per_second: 1000, for: 1s}]\n"), 2, "slow-disk: no part")
	f(scenarioFile(t, "  faults: [{at: 1s, do: broker-join}]\n"), 2, "--cluster names one")
	f(scenarioFile(t, "  log: {retention.ms: \"1000\"}\n"), 2, "the embedded broker keeps everything")
	f("tiers", 3, "the embedded broker has no second tier")
}

// Ensure that kills of brokers which are drawn are held against what the driver may touch, as written ones are.
func TestDrawnKillsOfBrokers(t *testing.T) {
	f := Faulty{Random: fault.Random{Kills: 1, Targets: []string{fault.Broker}}}
	require.Contains(t, Options{Brokers: []string{"kafka-1:9092"}}.cannot(f.kinds()), "--cluster names one")
	require.Empty(t, Options{}.cannot(f.kinds()), "the embedded broker is the driver's")
}

// Ensure that a contradiction in the faults of a file is an error before anything is started.
func TestContradictoryFaults(t *testing.T) {
	f := func(with, want string) {
		t.Helper()
		o := small(t, scenarioFile(t, with))
		require.ErrorContains(t, o.Validate(), want)
		require.NoDirExists(t, o.Out)
	}
	f("  faults: [{at: 30s, do: compact}]", "faults[0].at: 30s: the workload is sent within 20s")
	f("  faults: [{at: 3s, do: stop, target: kappa process, for: 8s}, {at: 4s, do: restart, target: kappa process}]",
		"faults[1].at: restart kappa process at 4s overlaps faults[0]")
	f("  faults: [{at: 3s, do: restart, target: lambda batch}]", "faults[0].do: the batch layer has a process only")
	f("  random: {kills: 3, targets: [gamma]}", `random.targets[0]: "gamma" is none of kappa process`)
	f("  faults: [{at: 3s, does: kill}]", `unknown field "does"`)
	f("  spares: [kappa serve]", `spares[0]: "kappa serve" is no component that shares its work`)
}

func runs(p *psprocess.Process) bool {
	running, err := p.IsRunning()
	return err == nil && running
}

// Ensure that Ctrl-C, and the death of the driver, leave no process that stands still.
func TestNobodyStandsStillForEver(t *testing.T) {
	t.Parallel()
	if exeSuffix() != "" {
		t.Log("Windows cannot stop a process: nothing to test")
		return
	}
	path := scenarioFile(t, `
  faults:
    - {at: 100ms, do: stop, target: kappa process, for: 15s}
    - {at: 100ms, do: stop, target: lambda speed, for: 15s}
`)
	for _, end := range []os.Signal{os.Interrupt, os.Kill} {
		out := filepath.Join(t.TempDir(), "results")
		cmd := exec.Command(binary(t), "bench", "--quiet", "--scenario", path, "--out", out)
		require.NoError(t, cmd.Start())
		var still []*psprocess.Process
		require.Eventually(t, func() bool {
			still = stopped(t, cmd.Process.Pid)
			return len(still) == 2
		}, 30*time.Second, 20*time.Millisecond)
		require.NoError(t, cmd.Process.Signal(end))
		began := time.Now()
		_ = cmd.Wait()
		require.Eventually(t, func() bool {
			return len(processesWith(t, out)) == 0 && !runs(still[0]) && !runs(still[1])
		}, 10*time.Second, 20*time.Millisecond)
		require.Less(t, time.Since(began), closeLimit, "nobody had to be waited for")
	}
}
