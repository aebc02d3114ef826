package lambda

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"time"
)

// pair returns the pair of a generation; nil when it is not wanted (any more).
//
// The speed layer begins a generation after the batch layer has published it. So one that is not
// on disk when its first row is read is removed, and never missed.
func (s *Serving) pair(generation int64) (*pair, error) {
	s.mu.Lock() // before the look at the live one: a pair may go live at any moment
	defer s.mu.Unlock()
	live := s.live.Load()
	switch {
	case generation == live.manifest.Generation:
		return live, nil
	case generation < live.manifest.Generation:
		return nil, nil
	}
	if p, known := s.next[generation]; known {
		return p, nil
	}
	m, err := s.cfg.loadManifest(generation)
	if errors.Is(err, fs.ErrNotExist) {
		s.next[generation] = nil
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	p := s.cfg.newPair(m, s.partitions)
	p.appeared = time.Now()
	for _, part := range live.parts {
		p.goal = append(p.goal, part.position())
	}
	s.next[generation] = p
	return p, nil
}

// nominate makes every generation on disk that is newer than the live one a pair.
func (s *Serving) nominate() error {
	generations, err := s.cfg.generations()
	if err != nil {
		return fmt.Errorf("find generations: %w", err)
	}
	for _, g := range generations {
		if _, err := s.pair(g); err != nil {
			return err
		}
	}
	return nil
}

// candidates returns the pairs that may be live next, oldest first.
func (s *Serving) candidates() []*pair {
	var pairs []*pair
	for _, g := range slices.Sorted(maps.Keys(s.next)) {
		if p := s.next[g]; p != nil {
			pairs = append(pairs, p)
		}
	}
	return pairs
}

// loadBatches loads the batch views of the pairs that need one. Nobody waits for it: queries are
// answered from the live pair meanwhile.
//
// It is not begun before the pair's speed view has caught up, except at a start: the speed layer
// catches up at that moment, and the two together would leave no core to queries. But it is begun
// after loadPatience whatever the speed layer does, for that waits for it: its partitions may be
// building different generations, and each of them needs the others' to be loaded.
//
// It reports whether a generation was removed before it could be loaded: there are newer ones.
func (s *Serving) loadBatches(atStart bool) (removed bool, err error) {
	s.mu.Lock()
	candidates := s.candidates()
	s.mu.Unlock()
	for _, p := range candidates {
		tooSoon := !atStart && !p.hasCaughtUp() && time.Since(p.appeared) < loadPatience
		if p.loaded || tooSoon {
			continue // only this function, which runs once at a time, writes loaded
		}
		if err := s.cfg.step("load batch view"); err != nil {
			return false, err
		}
		batches, err := s.loadBatch(p.manifest)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return false, fmt.Errorf("load generation %d: %w", p.manifest.Generation, err)
		}
		if err == nil {
			p.setBatches(batches)
		}
		s.mu.Lock()
		if p.loaded = err == nil; !p.loaded {
			s.next[p.manifest.Generation], removed = nil, true
		}
		s.mu.Unlock()
	}
	return removed, nil
}

// loadPatience is how long a batch view waits for the speed layer to catch up: several times as
// long as that takes at 20,000 events/s, and far below any interval between batch runs that matters.
const loadPatience = time.Second

// hasCaughtUp reports whether the speed view is as far as the live one was when this pair appeared.
func (p *pair) hasCaughtUp() bool {
	for i, part := range p.parts {
		if part.position() < p.goal[i] {
			return false
		}
	}
	return true
}

// held is what the lease has to say now.
func (s *Serving) held() held {
	s.mu.Lock()
	defer s.mu.Unlock()
	live := s.live.Load().manifest.Generation
	h := held{loaded: live, live: live}
	for _, p := range s.candidates() {
		if p.loaded {
			h.loaded = max(h.loaded, p.manifest.Generation)
		}
	}
	return h
}

// loadBatch loads a batch view, one partition after the other: it must leave a core to queries.
func (s *Serving) loadBatch(m *Manifest) ([]*batchPart, error) {
	batches := make([]*batchPart, s.partitions)
	for i := range min(len(m.Partitions), s.partitions) {
		var err error
		if batches[i], err = loadBatchPart(s.cfg.generationDir(m.Generation), i, m.Views); err != nil {
			return nil, err
		}
	}
	return batches, nil
}

func (p *pair) setBatches(batches []*batchPart) {
	for i, batch := range batches {
		if batch == nil {
			batch = &batchPart{}
		}
		p.parts[i].setBatch(batch)
	}
}

// skipOutdated forgets the pairs before the one that will be live as soon as it is loaded: at a
// start, several generations are on disk and only one of them is worth loading.
func (s *Serving) skipOutdated() {
	s.mu.Lock()
	defer s.mu.Unlock()
	best := s.live.Load()
	for _, p := range s.candidates() {
		if best.yieldsTo(p, false) {
			best = p
		}
	}
	s.forgetBefore(best.manifest.Generation)
}

// swap makes pairs live, from older to newer, that are complete and have reached what is served.
func (s *Serving) swap() {
	for _, r := range s.replace() {
		retracted, belated := compareAlerts(r.old, r.new)
		s.cfg.notify("alerts", "version", r.new.manifest.Version, "replaces", r.old.manifest.Version,
			"retracted", retracted, "belated", belated)
	}
}

// replaced is a pair that was answered from, and the pair of another version in its place.
type replaced struct{ old, new *pair }

// replace does what swap says, and returns where the version has changed.
func (s *Serving) replace() (changes []replaced) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.candidates() {
		if p.loaded && (s.overlaps(p) || s.live.Load().yieldsTo(p, true)) {
			old := s.goLive(p)
			if old.manifest.Version != p.manifest.Version && s.answering {
				changes = append(changes, replaced{old, p})
			}
		}
	}
	return changes
}

// goLive puts a pair in the place of the live one, which it returns, and forgets what is older.
func (s *Serving) goLive(p *pair) *pair {
	old := s.live.Swap(p)
	close(old.dropped)
	s.forgetBefore(p.manifest.Generation + 1)
	s.cfg.notify("live", "version", p.manifest.Version, "generation", p.manifest.Generation)
	return old
}

// forgetBefore forgets the pairs of lower generations.
func (s *Serving) forgetBefore(generation int64) {
	maps.DeleteFunc(s.next, func(g int64, _ *pair) bool { return g < generation })
}

// yieldsTo reports whether everything that old answers is also in p; if so and that is asked for,
// old is frozen.
//
// It holds all parts of old at once: no row may slip in after its partition was compared, for
// that answer would be taken back by the swap.
func (old *pair) yieldsTo(p *pair, freeze bool) bool {
	for i := range old.parts {
		old.parts[i].mu.Lock()
		defer old.parts[i].mu.Unlock()
		if p.parts[i].position() < old.parts[i].reach {
			return false
		}
	}
	for _, part := range old.parts {
		part.frozen = freeze
	}
	return true
}

// position returns the input offset up to which the part is complete.
func (p *part) position() int64 {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.progress.Position
}
