package bench

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	psprocess "github.com/shirou/gopsutil/v4/process"
	"github.com/stretchr/testify/require"

	"lambdakappa/bench/result"
)

// These tests run the real binary: every component is a process, as in `make bench`.

var build struct {
	once sync.Once
	path string
	err  error
}

// binary builds the program once for all tests.
func binary(t *testing.T) string {
	t.Helper()
	build.once.Do(func() {
		build.path = filepath.Join(os.TempDir(), fmt.Sprintf("lambdakappa-test-%d%s", os.Getpid(), exeSuffix()))
		build.err = goBuild(build.path)
	})
	require.NoError(t, build.err)
	return build.path
}

func goBuild(path string, more ...string) error {
	args := append(append([]string{"build", "-o", path}, more...), "lambdakappa/cmd/lambdakappa")
	out, err := exec.Command("go", args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("go build: %w\n%s", err, out)
	}
	return nil
}

func exeSuffix() string {
	if filepath.Separator == '\\' {
		return ".exe"
	}
	return ""
}

// whole runs the tests that take a scenario through a driver of its own, each some ten seconds of
// schedule: make test-scenarios.
var whole = flag.Bool("scenarios", false, "run the tests that run a whole scenario")

func wholeScenario(t *testing.T) {
	t.Helper()
	if !*whole {
		t.Skip("runs a whole scenario: make test-scenarios")
	}
}

// small are options that leave little to do, in a folder of the test's own.
func small(t *testing.T, scenarios ...string) Options {
	o := DefaultOptions()
	o.Binary, o.Out, o.Scenarios = binary(t), filepath.Join(t.TempDir(), "results"), scenarios
	o.Quiet, o.Stdout, o.Stderr = true, io.Discard, io.Discard
	return o
}

func requireRight(t *testing.T, s *result.Summary) {
	t.Helper()
	for _, r := range s.Runs {
		require.True(t, r.OK, "%s %s %s: %s", r.Scenario, r.Arm, r.Phase, r.Error)
		require.NotZero(t, r.Correctness.Windows.Expected)
		require.Equal(t, r.Correctness.Windows.Expected, r.Correctness.Windows.Exact)
	}
}

// requireOK fails the test, with what each run says of itself, unless all are right or wrong on purpose.
func requireOK(t *testing.T, s *result.Summary) {
	t.Helper()
	for _, r := range s.Runs {
		require.True(t, r.OK, "%s %s %s: %s", r.Scenario, r.Arm, r.Phase, r.Error)
	}
}

// Ensure that both arms answer exactly, between batches and after, and that the folder is complete.
func TestSettled(t *testing.T) {
	t.Parallel()
	o := small(t, "settled", "code")
	o.Cars, o.Rate, o.Window = 50, 50, time.Minute
	s, err := Run(t.Context(), o)
	require.NoError(t, err)
	require.Len(t, s.Runs, 2)
	requireRight(t, s)
	require.NotZero(t, s.CodeSize["lambda"].Statements)

	dir := filepath.Join(o.Out, "latest")
	for _, name := range []string{
		"summary.json", "report.html", "report.md", "samples.txt", "machine.json", "command.txt",
		"views/lambda.parquet", "views/kappa.parquet", "views/truth.parquet",
	} {
		require.FileExists(t, filepath.Join(dir, filepath.FromSlash(name)))
	}
	requireSchema(t, filepath.Join(dir, "summary.json"))
	require.NoDirExists(t, filepath.Join(dir, "work"))
	require.NoDirExists(t, filepath.Join(dir, "logs"), "logs are kept of failed runs")
	requireNobodyLeft(t, o.Out)
}

// Ensure that the answers are exact after everything went wrong at once and every component was
// killed, one at a time, under load.
func TestDisturbedWithKills(t *testing.T) {
	t.Parallel()
	o := small(t, "disturbed")
	o.Cars, o.Rate, o.Duration = 100, 100, 5*time.Minute
	s, err := Run(t.Context(), o)
	require.NoError(t, err)
	requireRight(t, s)
	require.False(t, s.Interrupted)
	starts := map[string]int{}
	for _, r := range s.Runs {
		for _, c := range r.Components {
			starts[c.Name] = c.Starts
		}
	}
	for _, name := range []string{"lambda ingest", "lambda speed", "lambda serve", "kappa process", "kappa serve"} {
		require.Equal(t, 2, starts[name], "%s was killed and started again", name)
	}
	requireNobodyLeft(t, o.Out)
}

// A mutant is a source file with one line of its fold broken.
type mutant struct{ file, line, broken string }

// Ensure that the check can fail: a program whose fold is broken, on either side, is caught with
// the rows named, and its exit code says so.
func TestBrokenFoldIsCaught(t *testing.T) {
	mutants := map[string]mutant{
		armLambda: {"lambda/batch.go", "t.SpeedMax = max(t.SpeedMax, speed[i])", "t.SpeedMax = speed[i]"},
		armKappa:  {"kappa/process.go", "t.SpeedMax = max(t.SpeedMax, e.Speed)", "t.SpeedMax = e.Speed"},
	}
	for arm, m := range mutants {
		t.Run(arm, func(t *testing.T) {
			t.Parallel()
			out := filepath.Join(t.TempDir(), "results")
			cmd := exec.Command(m.build(t), "bench", "--quiet", "--scenario", "settled", "--arm", arm,
				"--cars", "50", "--rate", "50", "--out", out)
			var failed *exec.ExitError
			require.ErrorAs(t, cmd.Run(), &failed)
			require.Equal(t, 1, failed.ExitCode())

			s := readSummary(t, out)
			require.Len(t, s.Runs, 1)
			r := s.Runs[0]
			require.False(t, r.OK)
			require.Contains(t, r.Error, "windows")
			require.NotZero(t, r.Correctness.Windows.Different)
			require.Zero(t, r.Correctness.Windows.Missing)
			require.Contains(t, r.Correctness.Windows.Examples[0], "car-000")
			require.True(t, r.Correctness.Alerts.OK(), "only the fold is broken")
			logs, err := filepath.Glob(filepath.Join(out, "latest", "logs", "*", arm+"-serve.log"))
			require.NoError(t, err)
			require.Len(t, logs, 1, "the logs of a failed run are kept")
		})
	}
}

// build builds the program with the mutant in the place of its file, without touching the source.
func (m mutant) build(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs("..")
	require.NoError(t, err)
	file := filepath.Join(root, filepath.FromSlash(m.file))
	source, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, 1, strings.Count(string(source), m.line), "the line that is broken has changed: %s", m.line)

	dir := t.TempDir()
	broken := filepath.Join(dir, "broken.go")
	require.NoError(t, os.WriteFile(broken, []byte(strings.Replace(string(source), m.line, m.broken, 1)), 0o644))
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {file: broken}})
	require.NoError(t, err)
	path := filepath.Join(dir, "overlay.json")
	require.NoError(t, os.WriteFile(path, overlay, 0o644))
	mutated := filepath.Join(dir, "lambdakappa"+exeSuffix())
	require.NoError(t, goBuild(mutated, "-overlay", path))
	return mutated
}

// Ensure that Ctrl-C ends every process, leaves no run data and no lock, and keeps the summary.
func TestInterrupt(t *testing.T) {
	t.Parallel()
	if exeSuffix() != "" {
		t.Log("Windows cannot send Ctrl-C to a process of another console: nothing to test")
		return
	}
	out := filepath.Join(t.TempDir(), "results")
	cmd := exec.Command(binary(t), "bench", "--quiet", "--scenario", "freshness", "--arm", armLambda, "--out", out)
	require.NoError(t, cmd.Start())
	require.Eventually(t, func() bool { return len(processesWith(t, out)) >= 4 }, 30*time.Second, 20*time.Millisecond,
		"the driver, a broker and components are running")

	require.NoError(t, cmd.Process.Signal(os.Interrupt))
	var failed *exec.ExitError
	require.ErrorAs(t, cmd.Wait(), &failed)
	require.Equal(t, 1, failed.ExitCode())
	requireNobodyLeft(t, out)
	require.NoDirExists(t, filepath.Join(out, "latest", "work"))
	require.True(t, readSummary(t, out).Interrupted)
	require.FileExists(t, filepath.Join(out, "latest", "report.html"))
}

// Ensure that children end when the driver is killed, which leaves it no moment to end them, and
// that what it leaves is not taken for a whole run.
func TestKilledDriver(t *testing.T) {
	t.Parallel()
	out := filepath.Join(t.TempDir(), "results")
	cmd := exec.Command(binary(t), "bench", "--quiet", "--scenario", "settled", "--out", out)
	require.NoError(t, cmd.Start())
	require.Eventually(t, func() bool { return len(processesWith(t, out)) >= 4 }, 30*time.Second, 20*time.Millisecond)
	require.NoError(t, cmd.Process.Kill())
	_ = cmd.Wait()
	require.Eventually(t, func() bool { return len(processesWith(t, out)) == 0 }, 30*time.Second, 20*time.Millisecond)
	left, err := filepath.Glob(filepath.Join(out, "*", "summary.json"))
	require.NoError(t, err)
	require.Len(t, left, 1)
	require.True(t, readSummaryAt(t, left[0]).Interrupted)
}

// requireSchema holds a summary against its documentation.
func requireSchema(t *testing.T, summary string) {
	t.Helper()
	schema, err := jsonschema.NewCompiler().Compile("../results/schema.json")
	require.NoError(t, err)
	file, err := os.Open(summary)
	require.NoError(t, err)
	defer file.Close()
	document, err := jsonschema.UnmarshalJSON(file)
	require.NoError(t, err)
	require.NoError(t, schema.Validate(document))
}

func readSummary(t *testing.T, out string) *result.Summary {
	t.Helper()
	return readSummaryAt(t, filepath.Join(out, "latest", "summary.json"))
}

func readSummaryAt(t *testing.T, path string) *result.Summary {
	t.Helper()
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	s := new(result.Summary)
	require.NoError(t, json.Unmarshal(raw, s))
	return s
}

func requireNobodyLeft(t *testing.T, out string) {
	t.Helper()
	require.Empty(t, processesWith(t, out))
}

// processesWith lists the living processes that have text on their command line.
func processesWith(t *testing.T, text string) []string {
	t.Helper()
	all, err := psprocess.ProcessesWithContext(context.Background())
	require.NoError(t, err)
	var found []string
	for _, p := range all {
		line, err := p.Cmdline() // an error: it has ended meanwhile
		if err == nil && strings.Contains(line, text) {
			found = append(found, line)
		}
	}
	return found
}

// stopped lists the children of a process that stand still.
func stopped(t *testing.T, parent int) (found []*psprocess.Process) {
	t.Helper()
	all, err := psprocess.ProcessesWithContext(context.Background())
	require.NoError(t, err)
	for _, p := range all {
		of, _ := p.Ppid() // an error: it has ended meanwhile
		state, err := p.Status()
		if err == nil && int(of) == parent && slices.Contains(state, psprocess.Stop) {
			found = append(found, p)
		}
	}
	return found
}
