package kappa

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"lambdakappa/event"
	"lambdakappa/internal/eventlog"
	"lambdakappa/view"
)

// Ensure that rows survive the changelog as they are, whatever they hold.
func TestRowRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		int64s, float32s := rapid.Int64(), rapid.Float32()
		want := window{
			car:   &car{id: rapid.StringN(1, 40, -1).Draw(t, "car")},
			start: int64s.Draw(t, "start"),
			tally: view.Tally{
				SpeedSum: int64s.Draw(t, "sum"), CurrentDrawSum: int64s.Draw(t, "sum"),
				SpeedMax: float32s.Draw(t, "max"), CoolantTempMax: float32s.Draw(t, "max"),
				EngineVibrationMax: float32s.Draw(t, "max"), BatteryVoltageMin: float32s.Draw(t, "min"),
				TirePressureMin: rapid.Int32().Draw(t, "psi"),
				Anomalies:       int64s.Draw(t, "anomalies"), LastSeq: int64s.Draw(t, "seq"),
				IntakeAirFlowMax: rapid.SampledFrom([]float32{0, 0.25, -1}).Draw(t, "air"),
				AmbientTempMax:   rapid.SampledFrom([]float32{0, 280.5}).Draw(t, "outside"),
			},
		}
		for range rapid.IntRange(1, 20).Draw(t, "readings") {
			want.seen = append(want.seen, reading{
				int64s.Draw(t, "seq"), int64s.Draw(t, "offset"), rapid.Uint32().Draw(t, "fingerprint"),
			})
		}
		want.tally.Readings = int64(len(want.seen))
		raised := alert{
			Alert: view.Alert{
				AlertKey:  view.AlertKey{CarID: want.car.id, Seq: int64s.Draw(t, "seq")},
				EventTime: int64s.Draw(t, "time"), Score: rapid.Float64().Draw(t, "score"),
				Rule: view.Rule(rapid.Byte().Draw(t, "rule")),
			},
			offset: int64s.Draw(t, "offset"),
		}

		// Written many times, so that the buffer has to grow under records that were cut from it.
		var rows changelogWriter
		for range 20 {
			rows.window(&want, 1)
			rows.alert(&raised, 1)
		}
		require.NoError(t, rows.progress(progress{Position: 7, Watermark: event.NoWatermark}))

		for i := 0; i < 40; i += 2 {
			start, id, err := rowKey(&rows.records[i])
			require.NoError(t, err)
			var tally view.Tally
			seen, err := readWindow(rows.records[i].Value, &tally, nil)
			require.NoError(t, err)
			require.Equal(t, want, window{car: &car{id: string(id)}, start: start, tally: tally, seen: seen})

			var got alert
			require.NoError(t, readAlert(rows.records[i+1].Value, &got))
			seq, id, err := rowKey(&rows.records[i+1])
			require.NoError(t, err)
			got.AlertKey = view.AlertKey{CarID: string(id), Seq: seq}
			require.Equal(t, raised, got)
		}
		last, err := readProgress(rows.records[40].Value)
		require.NoError(t, err)
		require.Equal(t, progress{Position: 7, Watermark: event.NoWatermark}, last)
	})
}

// Ensure that a metric which a version does not have costs its rows nothing.
func TestUnknownMetricsAreNotWritten(t *testing.T) {
	var rows changelogWriter
	w := window{car: &car{id: "a"}, tally: view.Tally{Readings: 1}, seen: []reading{{1, 2, 3}}}
	rows.window(&w, 0)
	w.tally.IntakeAirFlowMax = 7.25
	rows.window(&w, 0)
	require.Len(t, rows.records[0].Value, 5+4*4+1+(1+1+4))
	require.Len(t, rows.records[1].Value, len(rows.records[0].Value)+4)
}

// Ensure that no bytes make the reader of rows panic, or allocate more than they are worth.
func FuzzRows(f *testing.F) {
	var rows changelogWriter
	rows.window(&window{
		car: &car{id: "a"}, tally: view.Tally{Readings: 1}, seen: []reading{{1, 2, 3}},
	}, 0)
	rows.alert(&alert{}, 0)
	for _, r := range rows.records {
		f.Add(r.Key, r.Value)
	}
	f.Add([]byte("w12345678a"), []byte{0, 0, 0, 0, 0, 16: 0xff, 25: 0x7f})
	f.Fuzz(func(t *testing.T, key, value []byte) {
		r := eventlog.Record{Key: key, Value: value}
		_, _, keyErr := rowKey(&r)
		require.Equal(t, len(key) <= keyHeader, keyErr != nil)
		var tally view.Tally
		seen, err := readWindow(value, &tally, nil)
		require.LessOrEqual(t, len(seen), len(value)/6+1, "a reading takes six bytes at least")
		if err == nil {
			require.EqualValues(t, tally.Readings, len(seen))
		}
		var a alert
		_ = readAlert(value, &a)
		_, _, _ = newPart().take([]eventlog.Record{r})
	})
}
