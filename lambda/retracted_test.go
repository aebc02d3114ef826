package lambda

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lambdakappa/view"
)

// Ensure that a swap takes back what the new version does not say, and calls belated only what the old
// one has counted, in either layer, without saying it.
func TestCompareAlerts(t *testing.T) {
	pairOf := func(seen seqSet, alerts ...view.Alert) *pair {
		p := DefaultConfig().newPair(&Manifest{}, 1)
		p.setBatches([]*batchPart{{
			cars: []string{"a"}, index: map[string]int32{"a": 0}, windowsEnd: []int32{0},
			seen: seen, seenEnd: []int32{int32(len(seen))}, alerts: alerts,
		}})
		return p
	}
	at := func(seq int64) view.Alert { return view.Alert{AlertKey: view.AlertKey{CarID: "a", Seq: seq}} }
	f := func(retracted, belated int, old, new *pair) {
		t.Helper()
		gone, added := compareAlerts(old, new)
		require.Equal(t, [2]int{retracted, belated}, [2]int{gone, added})
	}
	old := pairOf(seqSet{{0, 4}}, at(1), at(3))
	c := old.parts[0].car([]byte("a"))
	w, _ := c.window(10_000)
	w.seqs = seqSet{{5, 6}}
	f(2, 0, old, pairOf(nil))
	f(0, 0, old, pairOf(nil, at(1), at(3), at(7)))
	f(1, 3, old, pairOf(nil, at(0), at(1), at(4), at(6), at(9)))
}

// Ensure that alerts are compared when serving has let go of everything: whoever is told may ask it.
func TestServingIsFreeWhenAlertsAreCompared(t *testing.T) {
	s := &Serving{next: map[int64]*pair{}, answering: true}
	s.live.Store(DefaultConfig().newPair(&Manifest{Version: "v1"}, 1))
	p := DefaultConfig().newPair(&Manifest{Version: "v2", Generation: 1}, 1)
	p.setBatches([]*batchPart{nil})
	s.live.Load().setBatches([]*batchPart{nil})
	p.loaded, s.next[1] = true, p
	told := make(chan held, 1)
	s.cfg.Notify = func(fact string, _ ...any) {
		if fact == "alerts" {
			told <- s.held()
		}
	}
	go s.swap()
	select {
	case h := <-told:
		require.Equal(t, held{loaded: 1, live: 1}, h)
	case <-time.After(patience):
		require.Fail(t, "serving holds its lock")
	}
}
