package lambda

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"lambdakappa/event"
	"lambdakappa/view"
)

// The batch layer owns the master dataset's beginning as ingest owns its end: with a view retention it removes the
// oldest files, once a generation is published whose answers need none of them. What a file that is gone
// would still have a say in is in the remains:
//
//	remains/gen-000007/manifest.json, seen-p003.parquet, trips-p003.parquet
//
// They stand for the offsets [0, End) of every partition. The seqs that were seen there, so that a copy of a
// reading is known for one. The pieces of trips that had not ended long before, so that a long drive is answered
// whole. The counters and the watermark, so that nothing that was counted is lost. A run begins with the remains and
// folds the files that are left, which gives, from KeptFrom on, what a run over everything would.

// remains are what the removed files of the master dataset leave behind.
type remains struct {
	Generation int64         `json:"generation"` // whose run has made them
	Views      view.Set      `json:"views"`      // of which there is something
	Rules      event.Rules   `json:"rules"`
	Partitions []partRemains `json:"partitions"` // by partition number
}

// partRemains are those of one partition, as far as they are not rows.
type partRemains struct {
	End          int64           `json:"end"`           // offsets below it are in the remains, the others in files
	KeptFrom     int64           `json:"kept_from"`     // event time, Unix ms: all readings from it on are in files
	Watermark    event.Watermark `json:"watermark"`     // of the offsets below End, Unix ms
	NewestAppend int64           `json:"newest_append"` // of them, Unix ms; 0 when there are none
	Counters     view.Counters   `json:"counters"`      // of them
}

// add adds what the metadata of a file says.
func (r *partRemains) add(rules event.Rules, facts *segmentFacts) {
	r.End = facts.End
	r.NewestAppend = max(r.NewestAppend, facts.NewestAppend)
	r.Counters.Add(facts.Counters)
	if facts.rows() > 0 {
		r.Watermark = rules.Advance(r.Watermark, facts.MaxEventTime)
	}
}

func (c Config) remainsDir() string { return filepath.Join(c.Dir, "remains") }

// of returns the remains of a partition: none where nothing was removed.
func (r *remains) of(partition int) partRemains {
	if r == nil || partition >= len(r.Partitions) {
		return partRemains{Watermark: event.NoWatermark}
	}
	return r.Partitions[partition]
}

// first returns where the files of a partition begin, one of which there is: what lies before the end of the
// remains is about to be removed.
func (r partRemains) first(segments []segment) int64 {
	if r.End > 0 {
		return r.End
	}
	return chainStart(segments)
}

// readRemains returns the newest remains; nil when nothing was ever removed. Who goes on with the files of a scan
// reads the remains after it: then what the scan did not find any more is in them.
func (c Config) readRemains() (*remains, error) {
	generations, err := generationsIn(c.remainsDir())
	if err != nil || len(generations) == 0 {
		return nil, err
	}
	path := filepath.Join(generationDir(c.remainsDir(), generations[len(generations)-1]), "manifest.json")
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	r := &remains{}
	if err := json.Unmarshal(text, r); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return r, nil
}

// allow returns an error when a run that keeps these views by these rules cannot go on from the remains.
func (r *remains) allow(views view.Set, rules event.Rules) error {
	if r == nil {
		return nil
	}
	if views.Has(view.Trips) && (!r.Views.Has(view.Trips) || r.Rules.TripGap != rules.TripGap) { //bench:change view
		return fmt.Errorf("views %s, trip gap %d ms: what was removed from the master dataset was kept for views %s, trip gap %d ms; "+
			"keep those, or begin with an empty folder", views, rules.TripGap, r.Views, r.Rules.TripGap)
	}
	return nil
}

// load takes the remains of a partition over, before any file is folded.
func (r *remains) load(c Config, partition int, f *batchFold) error {
	err := r.readSeen(c, partition, func(id []byte, run seqRun) {
		car := &f.cars[f.car(id)]
		car.seen = append(car.seen, run)
	})
	if err == nil && f.trips != nil { //bench:change view
		err = readParquet(partFile(generationDir(c.remainsDir(), r.Generation), "trips", partition), func(e *tripEntry) error {
			f.trips.add(f.car([]byte(e.CarID)), e.stretch())
			return nil
		})
	}
	return err
}

// readSeen hands the seqs that were seen in files that are gone to each: of every car in order, as runs.
func (r *remains) readSeen(c Config, partition int, each func(car []byte, run seqRun)) error {
	dir := generationDir(c.remainsDir(), r.Generation)
	return readParquet(partFile(dir, "seen", partition), func(e *seenEntry) error {
		each([]byte(e.CarID), seqRun{e.First, e.Last})
		return nil
	})
}

// A cut is the state of a fold where the files that are kept begin.
type cut struct {
	partRemains
	seen    []seqSet // of every car, by its index
	repeats int      // of the fold's, those of files that are to go
	//bench:change view
	trips [][]view.Stretch // of every car, by its index
}

// cutHere notes the state of the fold: what comes from here on is kept in files.
func (f *batchFold) cutHere(r partRemains) *cut {
	c := &cut{partRemains: r, repeats: len(f.repeats)}
	for i := range f.cars {
		c.seen = append(c.seen, slices.Clone(f.cars[i].seen))
		c.trips = append(c.trips, slices.Clone(f.trips.of(int32(i)))) //bench:change view
	}
	return c
}

// keeps reports whether the remains have to know of a car. One of which nothing is answered any more is forgotten: a
// copy of its readings is too old to be answered, and a conflict with another time would count. Copies that a kept file
// has are counted by every run, though, and must not be first readings to the next.
func (c *cut) keeps(f *batchFold, car int32, repeated map[int32]bool) bool {
	left := 0
	left = len(c.tripsLeft(f, car)) //bench:change view
	return left > 0 || f.isAnswered(car) || repeated[car]
}

// repeated are the cars of which a file that is kept has a copy of a reading.
func (c *cut) repeated(f *batchFold) map[int32]bool {
	cars := map[int32]bool{}
	for _, r := range f.repeats[c.repeats:] {
		cars[r.car] = true
	}
	return cars
}

// tripsLeft are the pieces of a car's trips that are part of one which is answered, or would be if another reading came:
// f has folded all files meanwhile, and knows.
//
//bench:change view
func (c *cut) tripsLeft(f *batchFold, car int32) []view.Stretch {
	trips := f.trips.of(car)
	first := endingFrom(trips, c.KeptFrom-f.rules.TripGap)
	if first == len(trips) || int(car) >= len(c.trips) {
		return nil
	}
	return c.trips[car][endingFrom(c.trips[car], trips[first].Start):]
}

// write writes the rows of the remains of one partition into dir.
func (c *cut) write(dir string, partition int, f *batchFold) error {
	order, repeated := f.order(), c.repeated(f)
	err := writeParquet(partFile(dir, "seen", partition), func(emit func(seenEntry)) {
		for _, i := range order.cars {
			if int(i) < len(c.seen) && c.keeps(f, i, repeated) {
				for _, run := range c.seen[i] {
					emit(seenEntry{f.cars[i].id, run.first, run.last})
				}
			}
		}
	})
	if f.trips != nil { //bench:change view
		err = errors.Join(err, writeParquet(partFile(dir, "trips", partition), func(emit func(tripEntry)) {
			for _, i := range order.cars {
				for _, s := range c.tripsLeft(f, i) {
					emit(newTripEntry(f.cars[i].id, s))
				}
			}
		}))
	}
	return err
}

// trim removes the files that the published generation needs no more, after their remains are there.
func (r *batchRun) trim() error {
	left := &remains{Generation: r.manifest.Generation, Views: r.manifest.Views, Rules: r.manifest.Rules}
	grows := false
	for _, part := range r.partitions {
		if part.cut == nil { // there are no files
			part.cut = part.fold.cutHere(part.rest)
		}
		left.Partitions = append(left.Partitions, part.cut.partRemains)
		grows = grows || part.cut.End > part.rest.End
	}
	if grows {
		if err := r.publishRemains(left); err != nil {
			return fmt.Errorf("publish remains: %w", err)
		}
	}
	for p, part := range r.partitions {
		if err := r.cfg.removeBefore(left.Partitions[p].End, part.segments, part.chain); err != nil {
			return fmt.Errorf("trim master dataset: %w", err)
		}
	}
	return r.removeOldRemains()
}

// publishRemains publishes the remains, and says what has joined them.
func (r *batchRun) publishRemains(left *remains) error {
	dir := r.cfg.remainsDir()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	aside, err := os.MkdirTemp(dir, leftoverPrefix)
	if err != nil {
		return err
	}
	if err := r.writeRemains(aside, left); err != nil {
		return errors.Join(err, os.RemoveAll(aside))
	}
	if err := r.cfg.publishDir(aside, generationDir(dir, left.Generation)); err != nil {
		return errors.Join(err, os.RemoveAll(aside))
	}
	for p, part := range left.Partitions {
		if from := r.partitions[p].rest.End; from < part.End {
			r.cfg.notify("trimmed", "partition", p, "from", from, "to", part.End, "kept_from", part.KeptFrom)
		}
	}
	return nil
}

func (r *batchRun) writeRemains(dir string, left *remains) error {
	for p, part := range r.partitions {
		if err := part.cut.write(dir, p, part.fold); err != nil {
			return err
		}
	}
	text, err := json.MarshalIndent(left, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "manifest.json"), append(text, '\n'), 0o644)
}

// keepRemains is how many remains stay: who has just listed them reads the newest.
const keepRemains = 2

func (r *batchRun) removeOldRemains() error {
	generations, err := generationsIn(r.cfg.remainsDir())
	for ; err == nil && len(generations) > keepRemains; generations = generations[1:] {
		err = os.RemoveAll(generationDir(r.cfg.remainsDir(), generations[0]))
	}
	return err
}

// removeBefore removes the files of a partition that begin before an offset, at which a file of its chain begins. At any
// moment those that are left form a chain for who does not know the remains: what lies across the offset goes
// first, then the chain from its beginning on.
func (c Config) removeBefore(end int64, segments, chain []segment) error {
	gone := slices.DeleteFunc(slices.Clone(segments), func(s segment) bool { return s.first >= end })
	inChain := func(s segment) bool { return slices.Contains(chain, s) }
	slices.SortStableFunc(gone, func(a, b segment) int {
		if inChain(a) != inChain(b) {
			if inChain(b) {
				return -1
			}
			return 1
		}
		return int(a.first - b.first)
	})
	for _, s := range gone {
		if err := c.step("remove " + filepath.Base(s.path)); err != nil {
			return err
		}
		if err := os.Remove(s.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return removeEmptyHours(gone, chain)
}

// removeEmptyHours removes the folders of files that are gone, if they are empty now, and so long past that ingest
// does not write there.
func removeEmptyHours(gone, chain []segment) error {
	const hour = int64(time.Hour / time.Millisecond)
	if len(chain) == 0 {
		return nil
	}
	for _, s := range gone {
		ended, known := s.hourEnd()
		newest, _ := chain[len(chain)-1].hourEnd()
		if !known || ended+2*hour > newest {
			continue
		}
		for _, dir := range []string{filepath.Dir(s.path), filepath.Dir(filepath.Dir(s.path))} {
			entries, err := os.ReadDir(dir)
			if err == nil && len(entries) == 0 {
				err = os.Remove(dir)
			}
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	return nil
}
