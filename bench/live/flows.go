package live

import (
	"context"
	"strings"
	"sync"
	"time"

	"lambdakappa/bench/supervise"
	"lambdakappa/internal/eventlog"
)

// What passes through a part that answers nobody is known by what it leaves: ingest by its master files, a batch run by what
// it says, a replay by its commits.

// How often that is looked at.
const (
	ingestOver  = 6             // looks, a second apart, that ingest's rate is taken over: a master file comes every two seconds
	replayEvery = statusEvery   // a replay of what the page keeps takes seconds
	leastRun    = 2 * tickEvery // a run that was shorter is shown for that long: else no tick would show it
	replayGroup = "kappa-"      // and the name of the view: who processes it, as docs/operations.md has it
	noLag       = int64(-1)     // of a part that has none
)

// flows are what passes through those parts. They are safe for concurrent use.
type flows struct {
	mu       sync.Mutex
	ingested []filed // at the last looks
	run      batchRun
	replay   struct {
		pace
		lag int64
	}
}

// filed is how many events were in master files at a moment.
type filed struct {
	at     time.Time
	events int64
}

// A batchRun is the last one that the batch layer has begun.
type batchRun struct {
	began, ended time.Time
	rate         float64 // rows/s, of the last one that has ended
}

// sawIngested notes how many events are in master files.
func (f *flows) sawIngested(now time.Time, events int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.ingested) > ingestOver {
		f.ingested = append(f.ingested[:0], f.ingested[1:]...)
	}
	f.ingested = append(f.ingested, filed{now, events})
}

// ingest returns how many events are in master files, and how fast they become more.
func (f *flows) ingest() (events int64, rate float64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.ingested) == 0 {
		return 0, 0
	}
	first, last := f.ingested[0], f.ingested[len(f.ingested)-1]
	if last.at.After(first.at) {
		rate = float64(last.events-first.events) / last.at.Sub(first.at).Seconds()
	}
	return last.events, rate
}

// hear notes what the batch layer says of its runs.
func (f *flows) hear(said supervise.Fact) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch said.Event {
	case "batch run":
		f.run.began = said.At
	case "batch failed":
		f.run.ended = said.At
	case "generation":
		f.run.ended = said.At
		var run struct {
			Rows    int64
			ReadMS  float64 `json:"read_ms"`
			WriteMS float64 `json:"write_ms"`
		}
		if said.Into(&run) == nil && run.ReadMS+run.WriteMS > 0 {
			f.run.rate = float64(run.Rows) * 1e3 / (run.ReadMS + run.WriteMS)
		}
	}
}

// batch reports whether the batch layer is at a run, and how many rows a second pass through it: as many as through the last one.
func (f *flows) batch(now time.Time) (busy bool, rate float64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	busy = f.run.began.After(f.run.ended) || now.Sub(f.run.began) < leastRun
	if !busy {
		return false, 0
	}
	return true, f.run.rate
}

// lookAtReplay notes how far a replay is that builds the view of a version, while there is one.
func (f *flows) lookAtReplay(ctx context.Context, s *stage) {
	if s.component(replayPart) == nil {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.replay.pace, f.replay.lag = pace{}, noLag
		return
	}
	group := replayGroup + s.version(Kappa) + "-" + strings.ReplaceAll(views, ",", "-")
	commits, errCommits := s.log.Committed(ctx, group, eventlog.CarsTopic)
	starts, errStarts := s.log.StartOffsets(ctx, eventlog.CarsTopic)
	ends, errEnds := s.log.EndOffsets(ctx, eventlog.CarsTopic)
	if errCommits != nil || errStarts != nil || errEnds != nil {
		return // the broker is away
	}
	var position, end int64
	for p := range commits {
		position, end = position+max(commits[p].Offset, starts[p]), end+ends[p]
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.replay.move(time.Now(), position)
	f.replay.lag = end - position
}

// replaying returns how far a replay is behind, and how fast it reads.
func (f *flows) replaying() (lag int64, rate float64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.replay.lag, f.replay.rate
}
