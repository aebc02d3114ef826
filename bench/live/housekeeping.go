package live

import (
	"context"
	"time"

	"lambdakappa/bench/supervise"
)

// housekeeping is how often the broker compacts and forgets. Nothing is appended meanwhile, which takes milliseconds with what
// the page keeps, and shows in the latencies of both sides alike.
const housekeeping = 30 * time.Second

const (
	houseMargin = time.Second     // that the broker has to be killed in before it keeps house again
	houseLimit  = 5 * time.Second // that keeping house takes at most
)

// awaitHouseKept returns when the broker that says these facts neither keeps house nor is about to. This broker writes a
// partition anew from memory when it compacts, and has lost it when it is killed meanwhile, which no Kafka does and nobody
// wants to teach.
func awaitHouseKept(ctx context.Context, facts *supervise.Facts) {
	kept, next, changed := facts.Since(keptFact, 0)
	if len(kept) == 0 {
		kept, _, _ = facts.Since("ready", 0)
	}
	if len(kept) == 0 || time.Now().Before(keptAgain(kept[len(kept)-1]).Add(-houseMargin)) {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, houseMargin+houseLimit)
	defer cancel()
	for kept = nil; len(kept) == 0; kept, next, changed = facts.Since(keptFact, next) {
		select {
		case <-changed:
		case <-ctx.Done():
			return
		}
	}
}

// keptFact is what the broker says when it has kept house.
const keptFact = "housekeeping"

// keptAgain is when the broker keeps house again that did so last, or has begun.
func keptAgain(last supervise.Fact) time.Time {
	var took struct{ MS int64 }
	if last.Into(&took) != nil {
		took.MS = 0
	}
	return last.At.Add(housekeeping - time.Duration(took.MS)*time.Millisecond)
}
