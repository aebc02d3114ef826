package oracle

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"lambdakappa/event"
	"lambdakappa/view"
)

// anyLog draws a small log with every disturbance. Cars stay in their partition. With conflicts,
// the same identity may come again with other content.
func anyLog(t *rapid.T, partitions int, conflicts bool) []Entry {
	type sent struct {
		e           *event.CarSensor
		fingerprint uint32
	}
	seqs := map[string]int64{}
	past := make([][]sent, partitions)
	offsets := make([]int64, partitions)
	now := make([]int64, partitions)
	var log []Entry
	for range rapid.IntRange(0, 60).Draw(t, "entries") {
		p := rapid.IntRange(0, partitions-1).Draw(t, "partition")
		now[p] += int64(rapid.IntRange(0, 15_000).Draw(t, "pause"))
		entry := Entry{Partition: p, Offset: offsets[p], AppendTime: now[p]}
		offsets[p]++
		switch kind := rapid.SampledFrom(kinds(conflicts)).Draw(t, "kind"); {
		case kind == "dead":
			entry.Reject = event.ReasonMalformed
		case kind == "again" && len(past[p]) > 0:
			old := rapid.SampledFrom(past[p]).Draw(t, "old")
			entry.Event, entry.Fingerprint = old.e, old.fingerprint
		case kind == "conflict" && len(past[p]) > 0:
			old := rapid.SampledFrom(past[p]).Draw(t, "old")
			other := *old.e
			other.EventTime, other.Speed = now[p], old.e.Speed+1
			entry.Event, entry.Fingerprint = &other, old.fingerprint+1
		default:
			car := string(rune('a'+p)) + rapid.SampledFrom([]string{"1", "2"}).Draw(t, "car")
			delay := int64(rapid.SampledFrom([]int{-9_000, 0, 0, 4_000, 40_000}).Draw(t, "delay"))
			e := reading(car, seqs[car], 0)
			seqs[car]++
			e.EventTime = max(0, now[p]-delay)
			e.CoolantTemp = rapid.SampledFrom([]float32{90, 120}).Draw(t, "coolant")
			e.Speed = float32(rapid.IntRange(-1000, 1000).Draw(t, "speed")) / 256
			entry.Event = e
			past[p] = append(past[p], sent{e, 0})
		}
		log = append(log, entry)
	}
	return log
}

func kinds(conflicts bool) []string {
	k := []string{"new", "new", "new", "again", "dead"}
	if conflicts {
		k = append(k, "conflict")
	}
	return k
}

func anyBoundary(t *rapid.T, partitions int) []int64 {
	return rapid.SliceOfN(rapid.Int64Range(0, 40), partitions, partitions).Draw(t, "boundary")
}

// Law: every event of the log is in exactly one counter, and the rows hold exactly the admitted.
func TestLawEveryEventIsCountedOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		log := anyLog(t, 2, true)
		got := oracleOf(t, small(2), log).Lambda(anyBoundary(t, 2))
		var admitted, anomalies, dead int64
		for _, w := range got.Windows {
			admitted, anomalies = admitted+w.Readings, anomalies+w.Anomalies
		}
		for _, n := range got.Counters.DeadLetters {
			dead += n
		}
		c := got.Counters
		require.EqualValues(t, len(log), c.Events)
		require.Equal(t, c.Events, admitted+dead+c.DroppedLate+c.Duplicates+c.Conflicts)
		require.EqualValues(t, len(got.DeadLetters), dead)
		require.EqualValues(t, len(got.Late), c.DroppedLate)
		require.LessOrEqual(t, int64(len(got.Alerts)), anomalies)
	})
}

// Law: without conflicts an alert row stands for every anomaly, and truth B is part of truth A:
// every row of B has a row in A with at least its readings, every alert of B is one of A.
func TestLawBIsPartOfA(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := oracleOf(t, small(2), anyLog(t, 2, false))
		a, b := o.TruthA(), o.TruthB()
		rows := map[view.WindowKey]view.Window{}
		for _, w := range a.Windows {
			rows[w.Key()] = w
		}
		var anomalies int64
		for _, w := range b.Windows {
			require.LessOrEqual(t, w.Readings, rows[w.Key()].Readings)
			require.LessOrEqual(t, w.LastSeq, rows[w.Key()].LastSeq)
			anomalies += w.Anomalies
		}
		require.EqualValues(t, anomalies, len(b.Alerts))
		for _, alert := range b.Alerts {
			require.True(t, slices.Contains(a.Alerts, alert))
		}
	})
}

// Law: on a log where nothing is late and no identity returns with other content, the boundary
// cannot be seen: A = B = Lambda at every boundary.
func TestLawCleanLogHasOneTruth(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cfg := small(2)
		cfg.LatenessMs = 1 << 40 // nothing is ever late
		o := oracleOf(t, cfg, anyLog(t, 2, false))
		a := o.TruthA()
		require.Equal(t, a, o.TruthB())
		require.Equal(t, a, o.Lambda(anyBoundary(t, 2)))
	})
}

// Law: boundary 0 is truth B and the end of the log is truth A; in between the answer holds at
// least B's readings and at most A's when no identity returns with other content.
func TestLawBoundaries(t *testing.T) {
	readings := func(a Answer) (n int64) {
		for _, w := range a.Windows {
			n += w.Readings
		}
		return n
	}
	rapid.Check(t, func(t *rapid.T) {
		log := anyLog(t, 2, false)
		o := oracleOf(t, small(2), log)
		end := make([]int64, 2)
		for _, e := range log {
			end[e.Partition] = e.Offset + 1
		}
		require.Equal(t, o.TruthB(), o.Lambda([]int64{0, 0}))
		require.Equal(t, o.TruthA(), o.Lambda(end))
		between := readings(o.Lambda(anyBoundary(t, 2)))
		require.LessOrEqual(t, readings(o.TruthB()), between)
		require.LessOrEqual(t, between, readings(o.TruthA()))
	})
}

// Law: the batch part is a pure function of a set of readings, so that without conflicts the order
// of the log does not matter to truth A's rows.
func TestLawTruthAKnowsNoOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		log := anyLog(t, 1, false)
		forward := oracleOf(t, small(1), log).TruthA()
		shuffled := rapid.Permutation(log).Draw(t, "shuffled")
		for i := range shuffled {
			shuffled[i].Offset = int64(i)
		}
		backward := oracleOf(t, small(1), shuffled).TruthA()
		require.Equal(t, forward.Windows, backward.Windows)
		require.Equal(t, forward.Alerts, backward.Alerts)
		require.Equal(t, forward.Counters, backward.Counters)
	})
}
