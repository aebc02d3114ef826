package systemtest

import (
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lambdakappa/datagen"
	"lambdakappa/event"
	"lambdakappa/internal/eventlog"
	"lambdakappa/internal/eventout"
	"lambdakappa/kappa"
	"lambdakappa/lambda"
)

// publish puts a workload on the world's log, as fast as that takes it.
func (w *world) publish(t testing.TB, spec datagen.Spec) {
	t.Helper()
	byPartition := make([][]eventlog.Record, w.partitions)
	source := spec.Stream()
	var p datagen.Planned
	for source.Next(&p) {
		value, err := p.Append(nil, w.encoder)
		require.NoError(t, err)
		r := eventlog.Record{Key: []byte(p.Event.CarID), Value: value, AppendTime: p.Intended / 1e6}
		partition := eventlog.PartitionOf(r.Key, w.partitions)
		byPartition[partition] = append(byPartition[partition], r)
		w.ends[partition]++
	}
	for partition, records := range byPartition {
		_, err := w.log.Append(t.Context(), eventlog.CarsTopic, partition, records)
		require.NoError(t, err)
	}
}

// planned is what a workload has of a time, by the generator.
func planned(t testing.TB, spec datagen.Spec, from, to time.Time) *eventout.Summary {
	t.Helper()
	want, rules := eventout.NewSummary(), event.DefaultRules()
	source := spec.Stream()
	var p datagen.Planned
	for source.Next(&p) {
		at := p.Event.EventTime
		if p.Corrupt == nil && rules.CheckSkew(at, p.Intended/1e6) == nil &&
			at >= from.UnixMilli() && at < to.UnixMilli() {
			require.NoError(t, want.Add(&p.Event))
		}
	}
	return want
}

// Ensure that "all events from A to B" is the same set on both sides, whatever arrived late, twice or
// broken, and that it is the generator's; and that Parquet is asked for less than all of it.
func TestEventsOfATime(t *testing.T) {
	t.Parallel()
	s := newScript(t)
	require.NoError(t, s.open(command{args: map[string]string{"partitions": "2"}}))
	disturbances, err := datagen.ParseDisturbances(
		"late=0.05,out-of-order=0.1,duplicates=0.03,conflicts=0.02,malformed=0.01,skew=0.01")
	require.NoError(t, err)
	start := time.Date(2026, 11, 22, 23, 50, 0, 0, time.UTC)
	spec := datagen.Spec{
		Seed: 3, Cars: 20, Rate: 20, Duration: 30 * time.Minute, Start: start, Disturbances: disturbances,
	}
	s.world.publish(t, spec)
	_, err = s.world.batch(command{})
	require.NoError(t, err)

	l, k := lambda.DefaultConfig(), kappa.DefaultConfig()
	l.Dir, k.Log = filepath.Join(s.dir, "lambda"), s.world.log
	random := rand.New(rand.NewPCG(1, 2))
	f := func(from, to time.Time) (lambda.EventsRead, kappa.EventsRead) {
		t.Helper()
		want := planned(t, spec, from, to)
		onParquet, onLog := eventout.NewSummary(), eventout.NewSummary()
		byLambda, err := lambda.Events(t.Context(), l, from, to, onParquet.Add)
		require.NoError(t, err)
		byKappa, err := kappa.Events(t.Context(), k, from, to, -1, onLog.Add)
		require.NoError(t, err)
		for _, got := range []*eventout.Summary{onParquet, onLog} {
			require.Equal(t, want.Events, got.Events)
			require.Equal(t, want.Hash, got.Hash)
			require.Equal(t, want.Bytes, got.Bytes)
		}
		require.Equal(t, byLambda.Ends, byKappa.Ends)
		return byLambda, byKappa
	}
	wholeLambda, wholeKappa := f(start.Add(-time.Hour), start.Add(2*time.Hour))
	require.Positive(t, wholeKappa.Bytes)
	for range 10 {
		from := start.Add(time.Duration(random.IntN(1800)) * time.Second)
		f(from, from.Add(time.Duration(1+random.IntN(300_000))*time.Millisecond))
	}
	f(start.Add(24*time.Hour), start.Add(25*time.Hour)) // nothing
	part, _ := f(start.Add(20*time.Minute), start.Add(21*time.Minute))
	require.Less(t, part.Bytes, wholeLambda.Bytes)
	require.Less(t, part.Files, wholeLambda.Files, "the hour before is not opened")

	// An end of the log that is given by hand is exact as long as nothing is later than that.
	from, to := start.Add(10*time.Minute), start.Add(11*time.Minute)
	bounded := eventout.NewSummary()
	read, err := kappa.Events(t.Context(), k, from, to, 15*time.Minute, bounded.Add)
	require.NoError(t, err)
	require.Equal(t, planned(t, spec, from, to).Hash, bounded.Hash)
	require.Less(t, read.Events, wholeKappa.Events)
	none := eventout.NewSummary()
	_, err = kappa.Events(t.Context(), k, from, to, 0, none.Add)
	require.NoError(t, err)
	require.Less(t, none.Events, bounded.Events, "what came late is not found")

	require.NoError(t, s.world.log.DeleteRecords(t.Context(), eventlog.CarsTopic, s.world.ends[:1]))
	_, err = kappa.Events(t.Context(), k, from, to, -1, none.Add)
	require.ErrorContains(t, err, "are gone, and may hold events of that time: ask an archive")
}
