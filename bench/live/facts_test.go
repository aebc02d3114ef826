package live

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"lambdakappa/bench/supervise"
)

// Ensure that the page's log tells what somebody who has pressed a button waits for, and not what happens at every start.
func TestTell(t *testing.T) {
	f := func(part, line string, again bool, want string) {
		t.Helper()
		var head struct{ Event string }
		require.NoError(t, json.Unmarshal([]byte(line), &head))
		text, numbers := tell(part, supervise.Fact{Event: head.Event, Raw: json.RawMessage(line)}, again)
		require.Equal(t, want, text)
		for _, n := range numbers {
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
	f(batchPart, `{"event":"generation","generation":4}`, true, "")
}
