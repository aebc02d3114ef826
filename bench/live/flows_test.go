package live

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lambdakappa/bench/supervise"
)

// Ensure that ingest's rate is that of the last looks, whatever a single one has seen: files come every two seconds.
func TestIngestFlows(t *testing.T) {
	var f flows
	events, rate := f.ingest()
	require.Zero(t, events)
	require.Zero(t, rate)
	at := time.Unix(1000, 0)
	for i := range 30 {
		f.sawIngested(at.Add(time.Duration(i)*time.Second), int64(i/2*4000))
	}
	events, rate = f.ingest()
	require.EqualValues(t, 56_000, events)
	require.InDelta(t, 2000, rate, 1)
	for i := range ingestOver + 1 {
		f.sawIngested(at.Add(time.Duration(30+i)*time.Second), 56_000)
	}
	_, rate = f.ingest()
	require.Zero(t, rate, "it stands still")
}

// Ensure that a batch run is seen while it lasts, and for a moment when it was short, and that what passes through it is what
// passed through the last one.
func TestBatchRunsFlow(t *testing.T) {
	var f flows
	at := time.Unix(1000, 0)
	hear := func(after time.Duration, line string) {
		var head struct{ Event string }
		require.NoError(t, json.Unmarshal([]byte(line), &head))
		f.hear(supervise.Fact{Event: head.Event, At: at.Add(after), Raw: json.RawMessage(line)})
	}
	expect := func(after time.Duration, busy bool, rate float64) {
		t.Helper()
		gotBusy, got := f.batch(at.Add(after))
		require.Equal(t, busy, gotBusy)
		require.InDelta(t, rate, got, 1e-9)
	}
	expect(0, false, 0)
	hear(time.Second, `{"event":"batch run","generation":1}`)
	expect(5*time.Second, true, 0)
	hear(6*time.Second, `{"event":"generation","generation":1,"rows":900,"read_ms":2000,"write_ms":1000}`)
	expect(6*time.Second, false, 0)
	hear(10*time.Second, `{"event":"batch run","generation":2}`)
	hear(10*time.Second+20*time.Millisecond, `{"event":"generation","generation":2,"rows":8,"read_ms":10,"write_ms":10}`)
	expect(10*time.Second+100*time.Millisecond, true, 400)
	expect(10*time.Second+leastRun, false, 0)
	hear(20*time.Second, `{"event":"batch run","generation":3}`)
	hear(22*time.Second, `{"event":"batch failed","error":"full"}`)
	expect(21*time.Second, false, 0)
	expect(23*time.Second, false, 0)
}
