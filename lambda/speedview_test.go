package lambda

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"lambdakappa/event"
	"lambdakappa/internal/eventlog"
	"lambdakappa/view"
)

// Ensure that a row is read as it was written.
func TestSpeedRowRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := &speedWindow{
			car:   &speedCar{id: rapid.StringN(1, 20, -1).Draw(t, "car")},
			start: rapid.Int64().Draw(t, "start"),
			tally: view.Tally{
				Readings:        rapid.Int64Min(1).Draw(t, "readings"),
				SpeedSum:        rapid.Int64().Draw(t, "speed sum"),
				SpeedMax:        rapid.Float32().Draw(t, "speed max"),
				TirePressureMin: rapid.Int32().Draw(t, "tire"),
				CurrentDrawSum:  rapid.Int64().Draw(t, "current sum"),
				Anomalies:       rapid.Int64().Draw(t, "anomalies"),
				LastSeq:         rapid.Int64().Draw(t, "last seq"),
			},
		}
		for _, seq := range rapid.SliceOf(rapid.Int64Min(0)).Draw(t, "seqs") {
			w.seqs.add(seq)
		}
		a := speedAlert{view.Alert{
			AlertKey: view.AlertKey{CarID: w.car.id, Seq: w.start}, EventTime: w.tally.SpeedSum,
			Rule: view.TireLeak, Score: rapid.Float64().Draw(t, "score"),
		}, rapid.Int64().Draw(t, "offset")}
		out := speedViewWriter{generation: rapid.Int64Min(0).Draw(t, "generation")}
		out.begin()
		out.window(w, 77, 5)
		out.alert(&a, 6)
		require.NoError(t, out.progress(progress{Build: 3, Position: 4, Watermark: event.NoWatermark}))

		var row speedRow
		require.NoError(t, readRow(&out.records[0], &row))
		require.Equal(t, byte(beginRow), row.kind)
		require.NoError(t, readRow(&out.records[1], &row))
		require.Equal(t, w.car.id, string(row.car))
		require.Equal(t, []any{w.start, w.tally, int64(77)}, []any{row.start, row.tally, row.covered})
		require.ElementsMatch(t, w.seqs, row.seqs)
		require.NoError(t, readRow(&out.records[2], &row))
		row.alert.CarID = string(row.car)
		require.Equal(t, a, speedAlert{row.alert, row.offset})
		require.NoError(t, readRow(&out.records[3], &row))
		p, err := readProgress(out.records[3].Value)
		require.NoError(t, err)
		require.Equal(t, progress{Build: 3, Position: 4, Watermark: event.NoWatermark}, p)
		for i := range out.records {
			require.Equal(t, out.generation, rowGeneration(&out.records[i]))
		}
	})
}

// FuzzReadRow: whatever stands on the topic is a row or an error.
func FuzzReadRow(f *testing.F) {
	out := speedViewWriter{generation: 7}
	w := &speedWindow{car: &speedCar{id: "car-1"}, tally: view.EmptyTally(), seqs: seqSet{{1, 5}}}
	w.tally.Readings = 5
	out.begin()
	out.window(w, 1, 1)
	out.alert(&speedAlert{Alert: view.Alert{AlertKey: view.AlertKey{CarID: "car-1"}}}, 1)
	out.trip(&speedTrip{
		car: &speedTripCar{id: "car-1"}, Stretch: view.Stretch{Start: 5, End: 9, Readings: 1},
	}, 1, 1)
	out.goneTrip(view.TripKey{CarID: "car-1", Start: 7}, 1)
	for _, r := range out.records {
		f.Add(r.Key, r.Value)
	}
	f.Fuzz(func(t *testing.T, key, value []byte) {
		var row speedRow
		if err := readRow(&eventlog.Record{Key: key, Value: value}, &row); err != nil {
			require.ErrorIs(t, err, errRow)
		} else if row.kind == tripKind && !row.gone {
			require.LessOrEqual(t, row.trip.Start, row.trip.End)
			require.Positive(t, row.trip.Readings)
		}
	})
}

// Ensure that a part counts progress only of a build that it has seen from its beginning, and
// never goes back. (Invariant 7.)
func TestPartWantsWholeBuilds(t *testing.T) {
	p := newPart(&Manifest{}, 0)
	p.setBatch(&batchPart{})
	offset := int64(10)
	deliver := func(out *speedViewWriter) {
		for i := range out.records {
			out.records[i].Offset = offset
			offset++
		}
		_, err := p.take(out.records, &speedRow{})
		require.NoError(t, err)
		out.reset()
	}
	w := &speedWindow{car: &speedCar{id: "car-1"}, tally: view.EmptyTally()}
	w.tally.Readings = 5
	out := &speedViewWriter{}
	flush := func(build, position int64) {
		out.window(w, position, 1)
		require.NoError(t, out.progress(progress{Build: build, Position: position}))
		deliver(out)
	}
	flush(3, 100)
	require.Empty(t, p.cars, "the begin record was trimmed")
	require.Zero(t, p.position())

	build := offset
	out.begin()
	deliver(out)
	flush(build, 50)
	require.EqualValues(t, 50, p.position())
	flush(3, 200)
	require.EqualValues(t, 50, p.position(), "another build, whose beginning nobody has seen")
	require.EqualValues(t, 50, p.reach)
	flush(build, 40)
	require.EqualValues(t, 50, p.position())
	w.tally.Readings = 4
	flush(build, 60)
	require.EqualValues(t, 5, p.cars["car-1"].windows[0].tally.Readings)
}
