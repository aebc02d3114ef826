package live

import (
	"encoding/json"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"lambdakappa/bench/supervise"
)

// Ensure that the broker is killed neither while it keeps house nor just before, and at once otherwise.
func TestAwaitHouseKept(t *testing.T) {
	f := func(after, wait time.Duration, told bool) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			facts := supervise.NewFacts()
			say := func(event, text string) {
				facts.Add(supervise.Fact{Event: event, At: time.Now(), Raw: json.RawMessage(text)})
			}
			say("ready", `{"event":"ready"}`)
			time.Sleep(housekeeping + 400*time.Millisecond)
			say(keptFact, `{"event":"housekeeping","ms":400}`)
			if told {
				time.AfterFunc(housekeeping, func() { say(keptFact, `{"event":"housekeeping","ms":400}`) })
			}
			time.Sleep(after)
			began := time.Now()
			awaitHouseKept(t.Context(), facts)
			require.Equal(t, wait, time.Since(began))
		})
	}
	f(0, 0, true)
	f(28*time.Second, 0, true)
	f(29*time.Second, time.Second, true)
	f(housekeeping-100*time.Millisecond, 100*time.Millisecond, true)
	f(housekeeping-100*time.Millisecond, houseMargin+houseLimit, false) // it says nothing: it is killed all the same
}
