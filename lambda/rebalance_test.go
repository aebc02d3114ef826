package lambda

import (
	"context"
	"io"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lambdakappa/event"
)

// taken counts what a process was assigned, by both groups.
type taken struct{ ingest, speed, built atomic.Int64 }

// note is told facts of operation.
func (n *taken) note(fact string, fields ...any) {
	switch {
	case fact != "assigned":
	case fields[1] == "ingest":
		n.ingest.Add(1)
	default:
		n.speed.Add(1)
		if position := fields[len(fields)-1]; position == int64(0) {
			n.built.Add(1) // from the start of the log: there is no batch view yet
		}
	}
}

// reached reports whether each group has assigned so many partitions, one after the other.
func (n *taken) reached(partitions int64) bool {
	return n.ingest.Load() >= partitions && n.speed.Load() >= partitions
}

// Ensure that partitions move between processes as members come and go, nothing is lost and
// nothing counted twice, batch runs or not; and that the speed layer builds again only what others
// have worked on. (Invariants 1, 4 and 6.)
func TestRebalance(t *testing.T) {
	const partitions = 4
	log := startLog(t, partitions)
	cfg := logConfig(t, log)
	s := serve(t, cfg)
	process := func(n *taken) (stop func()) {
		cfg := cfg
		cfg.Notify = n.note
		stopIngest, stopSpeed := start(t, cfg, Ingest), start(t, cfg, Speed)
		return func() { stopIngest(); stopSpeed() }
	}
	sent, at := disturbed(t, 2, 12, 4_000), 0
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	var generation int64
	sendUntil := func(ready func() bool) {
		for ; !ready(); <-tick.C {
			require.Less(t, at+10, len(sent), "the log is at its end")
			send(t, log, sent[at:at+10])
			at += 10
		}
		settle(t, s, generation)
	}

	var byFirst, bySecond taken
	process(&byFirst)
	sendUntil(func() bool { return at >= 400 && byFirst.reached(partitions) })
	require.EqualValues(t, partitions, byFirst.built.Load())
	stopSecond := process(&bySecond)
	sendUntil(func() bool {
		return bySecond.reached(partitions/2) && byFirst.reached(partitions+partitions/2)
	})
	require.EqualValues(t, partitions, byFirst.built.Load(), "what comes back is still there")
	require.EqualValues(t, partitions/2, bySecond.built.Load())

	generation = batch(t, cfg).Generation
	send(t, log, sent[at:at+200])
	at += 200
	requireTruth(t, s, settle(t, s, generation))
	stopSecond()
	sendUntil(func() bool { return byFirst.reached(2*partitions + partitions/2) })
	send(t, log, sent[at:])
	requireTruth(t, s, settle(t, s, generation))
	requireLateTopic(t, cfg)
	requireAlertTopic(t, cfg)
	requireTruth(t, s, settle(t, s, batch(t, cfg).Generation))
	requireOneChain(t, cfg)
}

// requireOneChain requires that members that hand partitions over in good order leave no two files
// of one offset.
func requireOneChain(t testing.TB, cfg Config) {
	t.Helper()
	master, err := cfg.scanMaster()
	require.NoError(t, err)
	for _, segments := range master {
		require.Len(t, longestChain(segments, 0), len(segments))
	}
}

// Ensure that a failure of ours leaves a generation as it was: whoever keeps it, as after a rebalance,
// goes on with the event that was not judged, and what was read with it. (Invariant 4.)
func TestRegistryFailureSkipsNothing(t *testing.T) {
	cfg := logConfig(t, startLog(t, 1))
	records := disturbed(t, 5, 3, 300)
	send(t, cfg.Log, records)
	ctx := context.Background()
	f := func(source event.SchemaSource) (g *generation, failures int) {
		t.Helper()
		g, err := cfg.begin(ctx, emptyHandover(cfg, 0), event.NewDecoder(source))
		require.NoError(t, err)
		for int(g.Position) < len(records) {
			if err := g.step(ctx, 0); err != nil {
				require.ErrorIs(t, err, io.ErrUnexpectedEOF)
				failures++
			}
		}
		require.NoError(t, g.close())
		g.Build = 0 // each has its own
		return g, failures
	}
	whole, none := f(schemas{})
	g, failures := f(&flickeringRegistry{})
	require.Zero(t, none)
	require.Equal(t, len(event.Schemas), failures)
	require.Equal(t, whole.progress, g.progress)
	require.EqualValues(t, len(records), g.Counters.Events)
}
