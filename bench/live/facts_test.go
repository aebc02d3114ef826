package live

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lambdakappa/bench/supervise"
)

// Ensure that the page's log tells what somebody who has pressed a button waits for, and not what happens at every start.
func TestTell(t *testing.T) {
	f := func(part, line string, again bool, want string) {
		t.Helper()
		var head struct{ Event string }
		require.NoError(t, json.Unmarshal([]byte(line), &head))
		told := tell(part, supervise.Fact{Event: head.Event, Raw: json.RawMessage(line)}, again)
		require.Equal(t, want, told.Text)
		for _, n := range told.Numbers {
			require.Contains(t, Numbers, n)
		}
	}
	restored := `{"event":"restored","partition":1,"rows":40,"ms":34}`
	f(processPart, restored, true, "kappa process knows of partition 1 what was known before, after 34 ms")
	f(processPart, restored, false, "")
	f(kappaServe, `{"event":"alerts","version":"v2","replaces":"v1","retracted":3,"belated":7}`, true,
		"kappa serve: v2 replaces v1; it takes 3 alerts back, and raises 7 for events that were answered before")
	f(ingestPart, `{"event":"lost","component":"ingest","partition":0,"from":5,"to":90}`, true,
		"lambda ingest: the log has forgotten the offsets [5, 90) of partition 0 before it could read them")
	f(replayPart, `{"event":"lost","partition":0,"from":0,"to":90}`, false, "")
	f(batchPart, `{"event":"generation","generation":4}`, true, "")
	f(batchPart, `{"event":"batch failed","error":"batch: no space left on device"}`, false,
		"lambda batch: batch failed: batch: no space left on device")
	f(brokerPart, `{"event":"housekeeping failed","error":"away"}`, false, "broker: housekeeping failed: away")
	f(brokerPart, `{"event":"housekeeping","ms":12}`, false, "")
}

// Ensure that a failure that comes at every interval is told once a minute, and another one at once.
func TestAFailureIsToldOnceAMinute(t *testing.T) {
	l := &ear{wrong: map[string]time.Time{}}
	full, away := Note{Kind: Failure, Text: "full"}, Note{Kind: Failure, Text: "away"}
	require.False(t, l.repeats(full))
	require.True(t, l.repeats(full))
	require.False(t, l.repeats(away))
	require.False(t, l.repeats(Note{Kind: Fact, Text: "full"}))
	l.wrong["full"] = time.Now().Add(-wrongEvery)
	require.False(t, l.repeats(full))
	require.True(t, l.repeats(full))
}
