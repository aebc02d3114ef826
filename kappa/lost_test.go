package kappa

import (
	"context"
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

// Ensure that the processor stops with what it has lost when the log was cut before it had read it,
// and does not pass over it.
func TestProcessReportsWhatIsLost(t *testing.T) {
	log := startLog(t, 1)
	cfg := testConfig(log)
	ctx := context.Background()
	require.NoError(t, CreateTopics(ctx, log, 1, cfg.Version))
	send(t, log, disturbed(t, 1, 2, 30))
	process := background(t, func(ctx context.Context) error { return Process(ctx, cfg) })
	s, serving := serve(t, cfg)
	awaitEnd(t, s)
	serving.stop(t)
	process.stop(t)
	commits, err := log.Committed(ctx, group("v1"), eventlog.CarsTopic)
	require.NoError(t, err)
	had := commits[0].Offset
	send(t, log, disturbed(t, 2, 2, 30))
	ends, err := log.EndOffsets(ctx, eventlog.CarsTopic)
	require.NoError(t, err)
	require.NoError(t, log.DeleteRecords(ctx, eventlog.CarsTopic, []int64{ends[0] - 10}))

	err = Process(ctx, cfg)
	var lost *eventlog.Lost
	require.ErrorAs(t, err, &lost)
	require.Equal(t, eventlog.Lost{Topic: eventlog.CarsTopic, From: had, To: ends[0] - 10}, *lost)
}

// Ensure that a version that begins on a log that was cut says once what its view does not
// have.
func TestCutBeforeAnyoneRead(t *testing.T) {
	log := startLog(t, 1)
	cfg, said := testConfig(log), new(facts)
	cfg.Notify = said.note
	require.NoError(t, CreateTopics(context.Background(), log, 1, cfg.Version))
	send(t, log, disturbed(t, 1, 2, 30))
	require.NoError(t, log.DeleteRecords(context.Background(), eventlog.CarsTopic, []int64{20}))
	process := background(t, func(ctx context.Context) error { return Process(ctx, cfg) })
	s, serving := serve(t, cfg)
	awaitEnd(t, s)
	process.stop(t)
	process = background(t, func(ctx context.Context) error { return Process(ctx, cfg) })
	awaitEnd(t, s)
	require.Equal(t, [][]any{
		{"component", "process", "version", "v1", "partition", 0, "from", int64(0), "to", int64(20)},
	}, said.of("lost"), "once, not at every restart")
	serving.stop(t)
	process.stop(t)
}
