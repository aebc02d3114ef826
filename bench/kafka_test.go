package bench

import (
	"cmp"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lambdakappa/bench/cluster"
	"lambdakappa/bench/result"
	"lambdakappa/bench/scenarios"
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

// kafkaProfile is how much of it these tests do: full is a hundred kills of processors and of brokers, quick
// twenty of each.
func kafkaProfile() string { return cmp.Or(os.Getenv("LAMBDAKAPPA_TEST_PROFILE"), scenarios.Quick) }

// runOn runs a scenario of testdata/kafka, on the embedded broker when there is no cluster.
func runOn(t *testing.T, cluster, scenario string) []result.Run {
	t.Helper()
	o := small(t, filepath.Join("testdata", "kafka", scenario+".yaml"))
	o.Cluster, o.Profile = cluster, kafkaProfile()
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

// requireNothingAgain fails the test unless a consumer that keeps no keys is told everything once.
func requireNothingAgain(t *testing.T, r result.Run) {
	t.Helper()
	for _, name := range []string{figureAlertsAgain, figureLateAgain, figureLettersAgain} {
		require.Zero(t, figureOf(t, r, name), "%s\n%s", name, strings.Join(r.Notes, "\n"))
	}
}

// brokers are what a test runs on: the embedded broker, and a real cluster of three.
var brokers = map[string]func(*testing.T) string{
	"embedded broker": func(*testing.T) string { return "" },
	"Apache Kafka":    realKafka,
}

// died counts how often something happened in a run while 10,000 events/s were sent, or as many as the machine could. Where
// it starts faster than it may, the rest of the time is for the last one, which waits for the one before.
func died(r result.Run, what string) (n int) {
	const start = 15 // seconds, at most, until the first event
	sent := max(r.SentBy, start+float64(r.Events)/10_000)
	for _, m := range r.Marks {
		if m.Name == what && m.From < sent {
			n++
		}
	}
	return n
}

// Ensure that kills of the processor, and on Apache Kafka as many of brokers besides, lose nothing and double
// nothing, a hundred of them in full, in any view, and in the side topics as a consumer reads them that knows no keys;
// and that the same test sees what at-least-once says twice, and what it counts twice without de-duplication.
// (On the embedded broker a transaction is not atomic when the broker dies.)
func TestExactlyOnceThroughKills(t *testing.T) {
	logtest.Jars(t)
	for name, cluster := range brokers {
		t.Run(name, func(t *testing.T) {
			dir := cluster(t)
			want := map[string]int{scenarios.Quick: 20, scenarios.Full: 100}[kafkaProfile()]
			scenario, ofBrokers := "kills", 0
			if dir != "" {
				want = map[string]int{scenarios.Quick: 12, scenarios.Full: 100}[kafkaProfile()]
				scenario, ofBrokers = "deaths", want
			}
			kills := armRun(t, runOn(t, dir, scenario), "kappa-exactly-once")
			require.True(t, kills.OK, "%s", kills.Error)
			requireNothingAgain(t, kills)
			require.Equal(t, want, died(kills, "kill kappa process"))
			require.Equal(t, ofBrokers, died(kills, "broker-down"))
			t.Logf("%d events, sent by second %.0f of %.0f", kills.Events, kills.SentBy, kills.Seconds)

			if dir != "" && testing.Short() {
				return // the embedded broker has shown that the test can see
			}
			control := runOn(t, dir, "control")
			require.True(t, armRun(t, control, "kappa").OK)
			require.Positive(t, figureOf(t, armRun(t, control, "kappa"), figureAlertsAgain), "the test cannot see")
			repeats := armRun(t, control, "kappa-repeats").Correctness.Windows
			require.Less(t, repeats.Exact, repeats.Expected, "the test cannot see")
		})
	}
}

// Ensure that a processor with exactly-once that hangs beyond its session, and comes back while another one has
// its partitions, changes no row and says nothing that the other one says. At-least-once promises less
// (TestZombies): what it does is told.
func TestZombiesUnderLoad(t *testing.T) {
	logtest.Jars(t)
	for name, cluster := range brokers {
		t.Run(name, func(t *testing.T) {
			dir := cluster(t)
			if dir == "" && testing.Short() {
				t.Skip("Apache Kafka has it as well")
			}
			for _, r := range runOn(t, dir, "zombies") {
				t.Logf("%s: right %v, %.0f alerts again %s", r.Arm, r.OK, figureOf(t, r, figureAlertsAgain), r.Error)
				if r.Arm == "kappa-exactly-once" {
					require.True(t, r.OK, "%s", r.Error)
					requireNothingAgain(t, r)
				}
			}
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
		require.True(t, r.OK, "%s: %s", r.Arm, r.Error)
		for _, note := range r.Notes {
			if strings.HasPrefix(note, "slowest acknowledgement") {
				t.Logf("%s: %s", r.Arm, note)
			}
		}
		t.Logf("%s: acknowledged within 1 s: %.2f %%, slowest acknowledgement %.0f ms", r.Arm,
			figureOf(t, r, figureAcked), figureOf(t, r, figureSlowest))
	}
}

// Ensure that a log that forgets while it is read, by time or by size, takes nothing from whoever reads in time,
// and that views are right which were compacted meanwhile.
func TestForgettingOnRealKafka(t *testing.T) {
	dir := realKafka(t)
	scenarios := []string{"forgets-by-time", "forgets-by-size"}
	if testing.Short() {
		scenarios = scenarios[:1]
	}
	for _, scenario := range scenarios {
		for _, r := range runOn(t, dir, scenario) {
			require.True(t, r.OK, "%s %s: %s", scenario, r.Arm, r.Error)
			require.Positive(t, figureOf(t, r, figureForgotten))
			t.Logf("%s: %s, forgotten %.0f of %d", scenario, r.Arm, figureOf(t, r, figureForgotten), r.Events)
		}
	}
}

// Ensure that the driver runs on a real cluster what it runs on the embedded broker: the same scenarios, the
// same answers; and that in scale-out, where one process becomes two, four and one again, nothing is said twice
// with exactly-once, and cooperative assignment lets those partitions go on that stay where they are.
func TestDriverOnRealKafka(t *testing.T) {
	o := small(t, "settled", "disturbed", "scale-out")
	o.Cluster = realKafka(t)
	began := time.Now()
	s, err := Run(t.Context(), o)
	require.NoError(t, err)
	for _, r := range s.Runs {
		require.True(t, r.OK || r.Mistake != "", "%s %s: %s", r.Scenario, r.Arm, r.Error)
	}
	t.Logf("%d runs in %s", len(s.Runs), time.Since(began).Round(time.Second))

	scaled := slices.DeleteFunc(slices.Clone(s.Runs), func(r result.Run) bool { return r.Scenario != "scale-out" })
	requireNothingAgain(t, armRun(t, scaled, "kappa-exactly-once"))
	stands := map[string]float64{}
	for _, r := range scaled {
		stands[r.Arm] = figureOf(t, r, figurePaused)
		t.Logf("%s: %.1f partitions stand still at a change, %.0f ms at most\n%s", r.Arm, stands[r.Arm],
			figureOf(t, r, figurePause), strings.Join(r.Notes, "\n"))
	}
	require.Less(t, stands["lambda-cooperative"], stands["lambda"])
	require.Less(t, stands["kappa-cooperative"], stands["kappa"])
}
