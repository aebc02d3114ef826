package lambda

import (
	"context"
	"os"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"lambdakappa/internal/eventlog"
)

// facts collects what components say.
type facts struct {
	mu   sync.Mutex
	said []string
	told [][]any
}

func (f *facts) note(fact string, fields ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.said, f.told = append(f.said, fact), append(f.told, fields)
}

// of returns the fields of every fact of a name.
func (f *facts) of(fact string) (all [][]any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range f.said {
		if f.said[i] == fact {
			all = append(all, f.told[i])
		}
	}
	return all
}

// Ensure that ingest stops with what it has lost when the log was cut before it had read it, and
// neither passes over it nor has a gap in the master dataset.
func TestIngestReportsWhatIsLost(t *testing.T) {
	log := startLog(t, 1)
	cfg := logConfig(t, log)
	ctx := context.Background()
	send(t, log, disturbed(t, 1, 2, 30))
	stop := start(t, cfg, Ingest)
	m := batch(t, cfg) // waits until all of it is in files
	stop()
	had := m.boundary(0)
	send(t, log, disturbed(t, 2, 2, 30))
	require.NoError(t, log.DeleteRecords(ctx, eventlog.CarsTopic, []int64{had + 10}))

	err := Ingest(ctx, cfg)
	var lost *eventlog.Lost
	require.ErrorAs(t, err, &lost)
	require.Equal(t, eventlog.Lost{Topic: eventlog.CarsTopic, From: had, To: had + 10}, *lost)
}

// Ensure that a log that was cut before anybody has read it is passed over, and that this is said.
func TestCutBeforeAnyoneRead(t *testing.T) {
	log := startLog(t, 1)
	cfg, said := logConfig(t, log), new(facts)
	cfg.Notify = said.note
	send(t, log, disturbed(t, 1, 2, 30))
	require.NoError(t, log.DeleteRecords(context.Background(), eventlog.CarsTopic, []int64{20}))
	start(t, cfg, Ingest)
	start(t, cfg, Speed)
	s := serve(t, cfg)
	settle(t, s, batch(t, cfg).Generation)
	require.ElementsMatch(t, [][]any{
		{"component", "ingest", "partition", 0, "from", int64(0), "to", int64(20)},
		{"component", "speed", "partition", 0, "from", int64(0), "to", int64(20)},
	}, said.of("lost"))
}

// Ensure that a speed layer that was away for longer than the log is kept begins again where a batch
// view ends that the log goes on from, older ones or not, and says what its side outputs lack.
func TestSpeedComesBackToACutLog(t *testing.T) {
	f := func(olderAreGone bool) {
		t.Helper()
		log := startLog(t, 1)
		cfg, said := logConfig(t, log), new(facts)
		cfg.Notify = said.note
		ctx := context.Background()
		start(t, cfg, Ingest)
		send(t, log, disturbed(t, 1, 2, 30))
		before := batch(t, cfg)
		stop := start(t, cfg, Speed)
		awaitSaid(t, cfg, before.boundary(0))
		stop()
		send(t, log, disturbed(t, 2, 2, 30))
		missed := batch(t, cfg)
		send(t, log, disturbed(t, 3, 2, 30))
		kept := batch(t, cfg)
		if olderAreGone {
			require.NoError(t, os.RemoveAll(cfg.generationDir(before.Generation)))
			require.NoError(t, os.RemoveAll(cfg.generationDir(missed.Generation)))
		}
		cut := missed.boundary(0) + 10
		require.NoError(t, log.DeleteRecords(ctx, eventlog.CarsTopic, []int64{cut}))
		send(t, log, disturbed(t, 4, 2, 30))

		start(t, cfg, Speed)
		settle(t, serve(t, cfg), kept.Generation)
		require.Equal(t, [][]any{{
			"component", "speed", "partition", 0, "from", before.boundary(0), "to", kept.boundary(0),
		}}, said.of("lost"))
		settle(t, serve(t, cfg), batch(t, cfg).Generation)
	}
	f(false)
	f(true)
}

// Ensure that the speed layer begins with no batch view that ends before the log begins: what is
// between them would be in no view.
func TestSpeedReportsWhatIsLost(t *testing.T) {
	log := startLog(t, 1)
	cfg := logConfig(t, log)
	ctx := context.Background()
	send(t, log, disturbed(t, 1, 2, 30))
	stopIngest := start(t, cfg, Ingest)
	m := batch(t, cfg)
	had := m.boundary(0)
	stopIngest()
	send(t, log, disturbed(t, 2, 2, 30))
	require.NoError(t, log.DeleteRecords(ctx, eventlog.CarsTopic, []int64{had + 10}))

	err := Speed(ctx, cfg)
	var lost *eventlog.Lost
	require.ErrorAs(t, err, &lost)
	require.Equal(t, eventlog.Lost{Topic: eventlog.CarsTopic, From: had, To: had + 10}, *lost)
}
