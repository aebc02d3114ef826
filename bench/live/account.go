package live

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"lambdakappa/bench/supervise"
	"lambdakappa/internal/eventlog"
	"lambdakappa/internal/proc"
)

// How often what is taken is looked at.
const (
	accountEvery = time.Second
	diskEvery    = 5 * time.Second
)

// An accountant keeps what everything takes: processes, log and disk. It is safe for concurrent use.
type accountant struct {
	stage *stage
	flows *flows

	mu    sync.Mutex
	used  map[*supervise.Component]spent
	parts map[string]PartState
	log   Log
	ends  pace // of the log: what is acknowledged
	disk  Disk
	own   int64 // bytes of memory of this process
}

// spent is what a component had taken at a moment.
type spent struct {
	at  time.Time
	cpu float64 // seconds
}

func newAccountant(s *stage) *accountant {
	return &accountant{stage: s, flows: &flows{}, used: map[*supervise.Component]spent{}, parts: map[string]PartState{}}
}

// run looks until ctx ends.
func (a *accountant) run(ctx context.Context) {
	var looking sync.WaitGroup
	looking.Go(func() { every(ctx, accountEvery, a.lookAtParts) })
	looking.Go(func() { every(ctx, accountEvery, a.lookAtLog) })
	looking.Go(func() {
		every(ctx, accountEvery, func(context.Context) { a.flows.sawIngested(time.Now(), ingestedUpTo(a.stage.lambdaDir())) })
	})
	looking.Go(func() { every(ctx, replayEvery, func(ctx context.Context) { a.flows.lookAtReplay(ctx, a.stage) }) })
	looking.Go(func() { every(ctx, diskEvery, func(context.Context) { a.lookAtDisk() }) })
	looking.Wait()
}

func (a *accountant) lookAtParts(context.Context) {
	states, used := map[string]PartState{}, map[*supervise.Component]spent{}
	a.mu.Lock()
	before := a.used
	a.mu.Unlock()
	for _, p := range parts {
		c := a.stage.component(p.Name)
		if c == nil && p.Name == replayPart {
			continue
		}
		state := PartState{Lag: noLag}
		if c != nil {
			u := c.Used()
			now := spent{time.Now(), u.CPU}
			if last, ok := before[c]; ok {
				state.CPU = max(now.cpu-last.cpu, 0) / now.at.Sub(last.at).Seconds()
			}
			used[c], state.RSS = now, u.RSS
		}
		states[p.Name] = state
	}
	u, _ := proc.Read(os.Getpid())
	a.mu.Lock()
	defer a.mu.Unlock()
	a.used, a.parts, a.own = used, states, u.RSSBytes
}

// lookAtLog notes where the log is. While the broker is away, what was seen last stands, and nothing moves.
func (a *accountant) lookAtLog(ctx context.Context) {
	ends, errEnds := a.stage.log.EndOffsets(ctx, eventlog.CarsTopic)
	starts, errStarts := a.stage.log.StartOffsets(ctx, eventlog.CarsTopic)
	now := time.Now()
	a.mu.Lock()
	defer a.mu.Unlock()
	if errEnds != nil || errStarts != nil {
		a.ends.rate = 0
		return
	}
	var end, kept int64
	for p := range ends {
		end, kept = end+ends[p], kept+ends[p]-starts[p]
	}
	a.ends.move(now, end)
	a.log.End, a.log.Kept = end, kept
}

func (a *accountant) lookAtDisk() {
	log, all := diskBytes(a.stage.brokerDir()), diskBytes(a.stage.cfg.Dir)
	lambda := diskBytes(a.stage.lambdaDir())
	a.mu.Lock()
	defer a.mu.Unlock()
	a.log.Bytes = log
	a.disk = Disk{Log: log, Lambda: lambda, Page: max(all-log-lambda, 0)}
}

// diskBytes sums the files below dir. One that vanishes meanwhile counts nothing.
func diskBytes(dir string) (sum int64) {
	_ = filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return skipGone(err)
		}
		if info, err := e.Info(); err == nil {
			sum += info.Size()
		}
		return nil
	})
	return sum
}

func skipGone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// ingestedUpTo is how many events of the log are in master files, by the names of the files: each says the offsets that it
// holds (docs/archive-layout.md).
func ingestedUpTo(dir string) (sum int64) {
	ends := map[string]int64{} // by partition
	_ = filepath.WalkDir(filepath.Join(dir, "master"), func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return skipGone(err)
		}
		name, ok := strings.CutSuffix(filepath.Base(path), ".parquet")
		fields := strings.Split(name, "-")
		if !ok || len(fields) != 3 {
			return nil
		}
		if end, err := strconv.ParseInt(fields[2], 10, 64); err == nil {
			ends[fields[0]] = max(ends[fields[0]], end)
		}
		return nil
	})
	for _, end := range ends {
		sum += end
	}
	return sum
}

// partsNow are the states of all parts, with what the observers know of their lag and rate.
func (a *accountant) partsNow(lambda, kappa *observer) map[string]PartState {
	a.mu.Lock()
	states, end := make(map[string]PartState, len(a.parts)), a.log.End
	sent := a.ends.rate
	for name, s := range a.parts {
		states[name] = s
	}
	a.mu.Unlock()
	for name, s := range states {
		s.State = a.stage.state(name)
		switch name {
		case generatorPart, brokerPart:
			s.Rate = sent
		case ingestPart:
			ingested, rate := a.flows.ingest()
			s.Lag, s.Rate = max(end-ingested, 0), rate
		case batchPart:
			s.Lag = max(lambda.batchLag(), 0)
			busy, rate := a.flows.batch(time.Now())
			if s.Rate = rate; busy && s.State == Up {
				s.State = Busy
			}
		case replayPart:
			s.Lag, s.Rate = a.flows.replaying()
		case speedPart, lambdaServe:
			s.Lag, s.Rate = lambda.reach()
		case processPart, kappaServe:
			s.Lag, s.Rate = kappa.reach()
		}
		if s.State == Down {
			s.Rate, s.CPU, s.RSS = 0, 0, 0
		}
		states[name] = s
	}
	return states
}

// reach is how many events a side's answers are behind, and how fast they take them in.
func (o *observer) reach() (lag int64, rate float64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.seen.Answers {
		return o.status.Lag, 0
	}
	return o.status.Lag, o.pace.rate
}
