package bench

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lambdakappa/bench/cluster"
	"lambdakappa/bench/result"
	"lambdakappa/internal/eventlog/logtest"
)

// realKafka starts a cluster of three for the length of a test and returns its folder.
func realKafka(t *testing.T) string {
	t.Helper()
	cfg := cluster.DefaultConfig()
	cfg.Dir, cfg.Jars, cfg.Links = filepath.Join(t.TempDir(), "kafka"), logtest.Jars(t), true
	_, err := cluster.Start(t.Context(), cfg)
	require.NoError(t, err)
	// By the folder: the driver kills nodes and starts others.
	t.Cleanup(func() { require.NoError(t, cluster.StopAll(context.Background(), cfg.Dir, false)) })
	return cfg.Dir
}

// runOn runs a scenario of testdata/kafka, on the embedded broker when there is no cluster.
func runOn(t *testing.T, cluster, scenario string) []result.Run {
	t.Helper()
	o := small(t, filepath.Join("testdata", "kafka", scenario+".yaml"))
	o.Cluster = cluster
	s, err := Run(t.Context(), o)
	require.NoError(t, err)
	require.NotEmpty(t, s.Runs)
	return s.Runs
}

func armRun(t *testing.T, runs []result.Run, arm string) result.Run {
	t.Helper()
	for _, r := range runs {
		if r.Arm == arm {
			return r
		}
	}
	t.Fatalf("no run of %s", arm)
	return result.Run{}
}

func figureOf(t *testing.T, r result.Run, name string) float64 {
	t.Helper()
	for _, f := range r.Figures {
		if f.Name == name {
			return f.Value
		}
	}
	t.Fatalf("%s: no figure %q", r.Arm, name)
	return 0
}

// Ensure that a hundred kills of the processor lose nothing and double nothing, in any view, and in the
// alert topic as a consumer reads it that knows no keys; and that the same test sees what at-least-once
// says twice, and what it counts twice without de-duplication.
func TestExactlyOnceThroughAHundredKills(t *testing.T) {
	logtest.Jars(t)
	for name, cluster := range map[string]func(*testing.T) string{
		"embedded broker": func(*testing.T) string { return "" },
		"Apache Kafka":    realKafka,
	} {
		t.Run(name, func(t *testing.T) {
			dir := cluster(t)
			kills := armRun(t, runOn(t, dir, "kills"), "kappa-exactly-once")
			require.True(t, kills.OK, "%+v", kills.Checks)
			require.Zero(t, figureOf(t, kills, figureAlertsAgain))
			killed := 0
			for _, m := range kills.Marks {
				if m.Name == "kill kappa process" {
					killed++
				}
			}
			require.Equal(t, 100, killed)

			control := runOn(t, dir, "control")
			require.True(t, armRun(t, control, "kappa").OK)
			require.Positive(t, figureOf(t, armRun(t, control, "kappa"), figureAlertsAgain), "the test cannot see")
			repeats := armRun(t, control, "kappa-repeats").Correctness.Windows
			require.Less(t, repeats.Exact, repeats.Expected, "the test cannot see")
		})
	}
}

// Ensure that nothing is lost that was acknowledged, and that both architectures are exact afterwards, when
// one broker of three dies, hangs until its session has expired, is restarted or runs out of disk, leader and
// controller in turn, and when a fourth one joins; and that it has left when the run is over.
func TestBrokerFaults(t *testing.T) {
	dir := realKafka(t)
	runs := runOn(t, dir, "brokers")
	c, err := cluster.Find(dir)
	require.NoError(t, err)
	require.Len(t, c.Nodes(), 3)
	for _, r := range runs {
		require.True(t, r.OK, "%s: %+v", r.Arm, r.Checks)
		for _, m := range r.Marks {
			t.Logf("%s: %s, %.1f s to %.1f s", r.Arm, m.Name, m.From, m.To)
		}
		t.Logf("%s: acknowledged within 1 s: %.2f %%, slowest acknowledgement %.0f ms", r.Arm,
			figureOf(t, r, figureAcked), figureOf(t, r, figureSlowest))
	}
}

// Ensure that the driver runs on a real cluster what it runs on the embedded broker: the same scenarios,
// the same answers.
func TestDriverOnRealKafka(t *testing.T) {
	o := small(t, "settled", "disturbed", "scale-out")
	o.Cluster = realKafka(t)
	began := time.Now()
	s, err := Run(t.Context(), o)
	require.NoError(t, err)
	for _, r := range s.Runs {
		require.True(t, r.OK || r.Mistake != "", "%s %s: %+v", r.Scenario, r.Arm, r.Checks)
	}
	t.Logf("%d runs in %s", len(s.Runs), time.Since(began).Round(time.Second))
}
